"""Tests of docs/operate/audit_chain.py, over a chain that the sealing function made: the path is the first argument."""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "docs" / "operate"))
import audit_chain  # noqa: E402

EXPORT = sys.argv.pop(1)


def exported():
    with open(EXPORT, encoding="utf-8") as file:
        return [json.loads(line)["Item"] for line in file]


def run(items, *arguments):
    """The answer of the script over these items, and how it ended."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "items.json"
        path.write_text(json.dumps({"Items": items}), encoding="utf-8")
        output, before = io.StringIO(), sys.argv
        sys.argv = ["audit_chain.py", *arguments, str(path)]
        try:
            with contextlib.redirect_stdout(output):
                audit_chain.main()
        except SystemExit as end:
            return json.loads(output.getvalue()), end.code
        finally:
            sys.argv = before


def events(items):
    return sorted((item for item in items if item["pk"]["S"].startswith("AUDIT#")), key=lambda item: item["sk"]["S"])


def seals(items):
    return sorted((item for item in items if item["pk"]["S"] == "SEALS"), key=lambda item: item["sk"]["S"])


class AuditChain(unittest.TestCase):
    def problems(self, items, *arguments):
        answer, code = run(items, *arguments)
        self.assertEqual(code, 1 if answer["wrong"] else 0)
        return [fault["problem"] for fault in answer["wrong"]]

    def test_what_nobody_touched_is_right_with_the_newest_event_waiting(self):
        items = exported()
        answer, code = run(items, "--head", json.loads(seals(items)[-1]["seal"]["S"])["digest"])
        self.assertEqual((code, answer["wrong"]), (0, []))
        self.assertEqual((answer["events"], answer["sealed"], answer["seals"]), (6, 5, 2))
        # Lines of an export are read as well as pages.
        self.assertEqual(audit_chain.read([EXPORT]), audit_chain.read([EXPORT, EXPORT][:1]))

    def test_an_event_that_is_missing_or_changed_is_named(self):
        for number in range(5):
            items = exported()
            event = events(items)[number]
            items.remove(event)
            self.assertEqual(self.problems(items), ["event missing"])
            text = json.loads(event["event"]["S"])
            text["actor"] = "relay guard"
            items.append({**event, "event": {"S": json.dumps(text)}})
            self.assertEqual(self.problems(items), ["event changed"])

    def test_an_event_that_was_planted_is_named(self):
        items = exported()
        planted = {**events(items)[0]}
        planted["sk"] = {"S": planted["sk"]["S"] + "x"}
        self.assertEqual(self.problems(items + [planted]), ["event not sealed"])

    def test_seals_that_are_missing_changed_or_reordered_are_named(self):
        items = exported()
        first, second = seals(items)
        rest = [item for item in items if item not in (first, second)]
        self.assertIn("seal missing or moved", self.problems(rest + [second]))
        swapped = [{**first, "seal": second["seal"]}, {**second, "seal": first["seal"]}]
        self.assertIn("seal missing or moved", self.problems(rest + swapped))
        seal = json.loads(first["seal"]["S"])
        for change in (
            {"events": list(reversed(seal["events"]))},
            {"events": seal["events"][:-1]},
            {"sealed_at": "2020-01-01T00:00:00Z"},
            {"previous": "1" * 64},
        ):
            changed = {**first, "seal": {"S": json.dumps({**seal, **change})}}
            self.assertIn("seal changed or reordered", self.problems(rest + [changed, second]))

    def test_a_chain_made_anew_has_not_the_head_that_was_logged(self):
        items = exported()
        head = json.loads(seals(items)[-1]["seal"]["S"])["digest"]
        first, second = seals(items)
        rest = [item for item in items if item not in (first, second)]
        seal = json.loads(first["seal"]["S"])
        seal["events"] = seal["events"][1:]
        digests = [event["digest"] for event in seal["events"]]
        seal["digest"] = audit_chain.digest(seal["previous"], "1", seal["sealed_at"], *digests)
        anew = rest + [{**first, "seal": {"S": json.dumps(seal)}}]
        self.assertIn("the chain does not have this head", self.problems(anew, "--head", head))


if __name__ == "__main__":
    unittest.main()
