#!/usr/bin/env python3
"""Checks the seals on the audit events: finds one that is missing, changed, reordered or not sealed.

    audit_chain.py [--head DIGEST] FILE...

The files have items of the table as DynamoDB writes them: what `aws dynamodb scan` or `query` prints, or the lines of
an export to S3. Audit events (`pk` begins with `AUDIT#`) and seals (`pk` is `SEALS`) are taken from them, everything
else is passed over. Nothing is sent anywhere.

--head is the `newest_digest` of a log line of `seal-audit-events`. Whoever can write to the table can make a new chain;
it will not have the digests that were logged.

Answers JSON, and ends with 1 if anything is wrong.
"""

import argparse
import hashlib
import json
import sys
from datetime import datetime, timezone

NOTHING_BEFORE = "0" * 64


def digest(*lines):
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def items(text):
    """Items of one JSON document with `Items`, or of one JSON object a line with `Item`."""
    try:
        documents = [json.loads(text)]
    except ValueError:
        documents = [json.loads(line) for line in text.splitlines() if line.strip()]
    for document in documents:
        yield from document.get("Items", [document["Item"]] if "Item" in document else [])


def read(paths):
    events, seals = {}, []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for item in items(file.read()):
                pk, sk = item["pk"]["S"], item["sk"]["S"]
                if pk == "SEALS":
                    seals.append((sk, json.loads(item["seal"]["S"])))
                elif pk.startswith("AUDIT#"):
                    events[pk, sk] = digest(pk, sk, item["event"]["S"])
    return events, [seal for _, seal in sorted(seals, key=lambda pair: pair[0])]


def check(events, seals):
    """What is wrong, and which events are sealed."""
    wrong, sealed, before = [], set(), NOTHING_BEFORE
    for number, seal in enumerate(seals, 1):
        if seal["number"] != number:
            wrong.append({"problem": "seal missing or moved", "seal": number})
            # What follows is judged by itself: one missing seal is one fault.
            return wrong + check_events(events, seals, sealed), sealed
        digests = [event["digest"] for event in seal["events"]]
        made = digest(seal["previous"], str(seal["number"]), seal["sealed_at"], *digests)
        if seal["previous"] != before or seal["digest"] != made:
            wrong.append({"problem": "seal changed or reordered", "seal": number})
        before = seal["digest"]
    return wrong + check_events(events, seals, sealed), sealed


def check_events(events, seals, sealed):
    wrong = []
    for seal in seals:
        for event in seal["events"]:
            place = event["pk"], event["sk"]
            sealed.add(place)
            if place not in events:
                wrong.append({"problem": "event missing", "seal": seal["number"], "pk": place[0], "sk": place[1]})
            elif events[place] != event["digest"]:
                wrong.append({"problem": "event changed", "seal": seal["number"], "pk": place[0], "sk": place[1]})
    # Newer ones wait for their seal; one that is older than the newest seal's last came too late, or was planted.
    newest = max((event["sk"] for seal in seals for event in seal["events"]), default="")
    for pk, sk in sorted(set(events) - sealed):
        if sk < newest:
            wrong.append({"problem": "event not sealed", "pk": pk, "sk": sk})
    return wrong


def main():
    arguments = argparse.ArgumentParser(description="Checks the seals on audit events.")
    arguments.add_argument("--head", help="newest_digest of a log line of seal-audit-events")
    arguments.add_argument("files", nargs="+")
    given = arguments.parse_args()
    events, seals = read(given.files)
    wrong, sealed = check(events, seals)
    if given.head and given.head not in [seal["digest"] for seal in seals]:
        wrong.append({"problem": "the chain does not have this head", "head": given.head})
    answer = {
        "checked_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "events": len(events),
        "sealed": len(sealed),
        "seals": len(seals),
        "wrong": wrong,
    }
    print(json.dumps(answer, indent=2))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
