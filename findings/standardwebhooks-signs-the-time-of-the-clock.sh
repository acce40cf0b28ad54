#!/usr/bin/env bash
# Which timestamp the Python library of Standard Webhooks signs, if it is given one moment in different time zones.
# Needs Python with pip. Works in a temporary folder.
set -euo pipefail

version=1.1.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv installed
installed/bin/pip --quiet install "standardwebhooks==$version" >install.txt 2>&1 || { cat install.txt >&2; exit 1; }
cat >zones.py <<'PY'
import base64
import hashlib
import hmac
from datetime import datetime, timedelta, timezone

from standardwebhooks.webhooks import Webhook

key = bytes([7]) * 32
webhook = Webhook(key)
body = '{"a":1}'
moment = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
seconds = int(moment.timestamp())


def by_hand(timestamp):
    digest = hmac.new(key, f"msg_1.{timestamp}.{body}".encode(), hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


for hours in (0, 2, -5):
    signature = webhook.sign("msg_1", moment.astimezone(timezone(timedelta(hours=hours))), body)
    off = next(off for off in range(-24, 25) if by_hand(seconds + off * 3600) == signature)
    print(f"the moment in UTC{hours:+}: signed with a timestamp that is {off:+} h from it")
PY
installed/bin/python zones.py >seen.txt
cat >expected.txt <<'TXT'
the moment in UTC+0: signed with a timestamp that is +0 h from it
the moment in UTC+2: signed with a timestamp that is +2 h from it
the moment in UTC-5: signed with a timestamp that is -5 h from it
TXT

echo "version: standardwebhooks $version of PyPI, $(python3 --version)"
echo "behaviour: sign() takes the time of day of a datetime as UTC, whatever its time zone is. What is signed with a moment in"
echo "  another zone fits no webhook-timestamp of that moment, so a receiver refuses it; with one in UTC it is right."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
