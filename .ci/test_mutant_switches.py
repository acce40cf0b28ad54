"""Tests of mutant_switches.py: where a function's body is, what stands beside it, and what can't."""

import unittest

from mutant_switches import META, outermost, room, switched

TEXT = '''\
/// Braces in words: }
fn is_small(text: &str) -> bool {
    let close = ['}', '\\''];
    text.len() < 3 && !text.contains("{\\"") /* } */ && !text.starts_with(close)
}

const fn third() -> u32 { 1 + 2 }

const SUM: u32 = 3 + 4;
'''


def place(line: int, column: int) -> dict:
    return {"line": line, "column": column}


def mutant(line: int, columns: tuple[int, int], replacement: str, function: tuple[int, int] | None) -> dict:
    span = {"start": place(line, columns[0]), "end": place(line, columns[1])}
    of = function and {"return_type": "-> bool", "span": {"start": place(function[0], 1), "end": place(*function[1])}}
    return {"span": span, "replacement": replacement, "function": of}


class Switched(unittest.TestCase):
    def test_each_change_is_in_a_body_of_its_own(self):
        function = (2, (5, 2))
        changes = {1: mutant(4, (16, 17), "<=", function), 2: mutant(4, (20, 22), "||", function)}
        text, lines, left = switched(TEXT, changes)
        self.assertEqual(left, set())
        rows = text.split("\n")
        bodies = {number: "\n".join(rows[line - 1] for line in span) for number, span in lines.items()}
        self.assertIn("text.len()  <=  3 &&", bodies[1])
        self.assertIn("< 3  ||  !text", bodies[2])
        self.assertEqual(text.count("text.len()"), 3)
        self.assertTrue(text.startswith(TEXT.split("\n")[0]) and text.endswith("const SUM: u32 = 3 + 4;\n"))
        self.assertEqual(text.count("match crate::change_in_force()"), 1)

    def test_constants_are_left_to_cargo_mutants(self):
        changes = {1: mutant(7, (29, 30), "-", (7, (7, 34))), 2: mutant(9, (20, 21), "-", None)}
        self.assertEqual(switched(TEXT, changes), (TEXT, {}, {1, 2}))

    def test_a_function_within_another_is_part_of_it(self):
        self.assertEqual(outermost({(5, 9), (0, 10), (12, 20), (2, 4)}), [(0, 10), (12, 20)])

    def test_a_file_has_the_tests_of_its_room(self):
        self.assertEqual(room("shared/src/domain/tokens/claims.rs"), "domain::tokens::")
        self.assertEqual(room("shared/src/auth/mod.rs"), "auth::")

    def test_a_name_is_no_pattern(self):
        self.assertEqual(META.sub(r"\\\g<0>", "f -> [&str; 2] with ()"), r"f -> \[&str; 2\] with \(\)")


if __name__ == "__main__":
    unittest.main()
