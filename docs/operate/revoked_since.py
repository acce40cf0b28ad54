"""Lists what was taken away since a moment, of all tenants, oldest first: what a restored table has forgotten.

Arguments: the moment, as 2026-01-31T12:00:00Z, and the items of a scan of the old table, as `aws dynamodb scan` prints
them. Prints a line each: time, tenant, action, subject. Nothing is sent anywhere.
"""

import json
import sys
from datetime import datetime

ACTIONS = {
    "api_key.revoked",
    "api_key.rotated",
    "console.session_ended",
    "device.removed",
    "passkey.revoked",
    "tenant.secret_rotated",
    "tenant.signing_key_rotated",
    "tenant.suspended",
    "token.revoked",
    "tokens.revoked",
}


def main():
    since = datetime.fromisoformat(sys.argv[1])
    with open(sys.argv[2]) as file:
        items = json.load(file)["Items"]
    found = []
    for item in items:
        if not item["pk"]["S"].startswith("AUDIT#") or "event" not in item:
            continue
        event = json.loads(item["event"]["S"])
        at = datetime.fromisoformat(event["at"])
        if event["action"] in ACTIONS and at >= since:
            tenant = item["pk"]["S"].removeprefix("AUDIT#TENANT#")
            found.append((at, event["at"], tenant, event["action"], event.get("subject") or "-"))
    for _, *line in sorted(found):
        print(*line)


main()
