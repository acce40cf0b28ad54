"""Tests of mutants.py: too small a share, a survivor that is not listed and one that is listed and is none."""

import unittest
from collections import Counter

from mutants import judge, known, merged, name

ADD = "src/a.rs:1:2: replace + with - in add"
SUB = "src/a.rs:9:9: replace - with + in sub"


def outcomes(caught: int, missed: list[str], unviable: int = 0, timeout: int = 0) -> list[dict]:
    def mutant(name: str, summary: str) -> dict:
        return {"scenario": {"Mutant": {"name": name}}, "summary": summary}

    return (
        [{"scenario": "Baseline", "summary": "Success"}]
        + [mutant(f"src/b.rs:{line}:1: x", "CaughtMutant") for line in range(caught)]
        + [mutant(f"src/c.rs:{line}:1: x", "Unviable") for line in range(unviable)]
        + [mutant(f"src/d.rs:{line}:1: x", "Timeout") for line in range(timeout)]
        + [mutant(name, "MissedMutant") for name in missed]
    )


class Judge(unittest.TestCase):
    def wrong(self, found: list[dict], listed: list[str]) -> list[str]:
        return judge(merged([found]), Counter(listed))[1]

    def test_a_survivor_is_listed_without_its_place(self):
        self.assertEqual(name(ADD), "src/a.rs: replace + with - in add")
        self.assertEqual(self.wrong(outcomes(9, [ADD]), [name(ADD)]), [])
        moved = ADD.replace(":1:2:", ":100:20:")
        self.assertEqual(self.wrong(outcomes(9, [moved]), [name(ADD)]), [])

    def test_one_that_is_not_listed_is_named(self):
        self.assertEqual(len(self.wrong(outcomes(99, [ADD]), [])), 1)
        self.assertIn(name(ADD), self.wrong(outcomes(99, [ADD]), [])[0])
        # Two of one name are two.
        self.assertEqual(len(self.wrong(outcomes(99, [ADD, ADD.replace(":1:2:", ":3:4:")]), [name(ADD)])), 1)

    def test_one_that_is_none_any_more_is_named(self):
        self.assertIn("does not survive", self.wrong(outcomes(99, [ADD]), [name(ADD), name(SUB)])[0])

    def test_nine_of_ten_that_compile_are_noticed(self):
        listed = [name(ADD)]
        self.assertEqual(self.wrong(outcomes(9, [ADD], unviable=50), listed), [])
        self.assertEqual(self.wrong(outcomes(7, [ADD], timeout=2), listed), [])
        self.assertEqual(self.wrong(outcomes(8, [ADD], unviable=50), listed), ["fewer than 90 % are noticed"])
        self.assertIn("fewer than 90 % are noticed", self.wrong([], []))

    def test_a_change_that_was_asked_twice_counts_once_and_as_the_later_part_has_it(self):
        twice = merged([outcomes(9, [ADD]), outcomes(9, [SUB])])
        self.assertEqual((len(twice), self.wrong(twice, [name(ADD), name(SUB)])), (11, ["fewer than 90 % are noticed"]))
        later = [{"scenario": {"Mutant": {"name": ADD}}, "summary": "CaughtMutant"}]
        self.assertEqual(self.wrong(merged([outcomes(9, [ADD]), later]), []), [])

    def test_an_outcome_of_another_kind_is_an_error(self):
        failed = [{"scenario": {"Mutant": {"name": ADD}}, "summary": "Failure"}]
        self.assertIn("Failure", self.wrong(outcomes(99, []) + failed, [])[0])

    def test_a_survivor_has_a_reason(self):
        self.assertEqual(known("# a list\n\nsrc/a.rs: x  # it is so\n"), Counter(["src/a.rs: x"]))
        for line in ("src/a.rs: x", "src/a.rs: x  # ", "src/a.rs: x # one space"):
            self.assertRaises(ValueError, known, line)


if __name__ == "__main__":
    unittest.main()
