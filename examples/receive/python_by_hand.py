"""Receives Latchkey's callbacks with nothing but Python, by X-Latchkey-Signature v2. How to run it: README.md."""

import hashlib
import hmac
import json
import os
import re
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

# One, or two in the overlap of a rotation.
SECRETS = [secret.encode() for secret in os.environ["LATCHKEY_TENANT_SECRETS"].split()]
KNOWN = {"ping", "tenant.suspended", "tenant.reactivated", "tenant.secret_rotated"}
# Stands in for a table where the id is unique: insert id and event together, answer, and act on the event afterwards.
seen = set()


def verified(path, headers, body):
    """The event in a body, if Latchkey has signed it for this path within five minutes of now, and None if not."""
    timestamp, event_id = headers.get("X-Latchkey-Timestamp", ""), headers.get("webhook-id", "")
    if not re.fullmatch("[0-9]{13}", timestamp) or abs(time.time() * 1000 - int(timestamp)) > 300_000:
        return None
    signed = f"{timestamp}.POST.{path}.{event_id}.{hashlib.sha256(body).hexdigest()}".encode()
    given = headers.get("X-Latchkey-Signature", "").encode()
    # v2 only: v1 covers neither the path nor whether it is a callback or a call.
    expected = [b"v2=" + hmac.new(secret, signed, hashlib.sha256).hexdigest().encode() for secret in SECRETS]
    if not any([hmac.compare_digest(given, signature) for signature in expected]):
        return None
    try:
        event = json.loads(body)
    except ValueError:
        return None
    # What is signed and has no event in it is somebody's call.
    is_event = isinstance(event, dict) and isinstance(event.get("type"), str)
    return event if is_event and event.get("event_id") == event_id else None


class Receiver(BaseHTTPRequestHandler):
    timeout = 10

    def do_POST(self):
        # The bytes, since they are signed, and the path as Latchkey has called it: below the path of your base.
        length = re.fullmatch("[0-9]{1,5}", self.headers.get("Content-Length", ""))
        event = verified(self.path, self.headers, self.rfile.read(int(length[0])) if length else b"")
        if event and event["type"] in KNOWN and event["event_id"] not in seen:
            seen.add(event["event_id"])
            print(f"handled {event['type']} {event['event_id']}", flush=True)
        # Good for a type that is not known, too: any other status is a failure, and the event would come again for
        # three days.
        self.send_response(204 if event else 400)
        self.end_headers()


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Receiver).serve_forever()
