"""Receives Latchkey's callbacks with Flask. How to run it: README.md."""

import json
import os
from wsgiref.simple_server import make_server

from flask import Flask, request
from standardwebhooks import Webhook, WebhookVerificationError

WEBHOOK = Webhook(os.environ["LATCHKEY_WEBHOOK_SECRET"])
KNOWN = {"ping", "tenant.suspended", "tenant.reactivated", "tenant.secret_rotated"}
# Stands in for a table where the id is unique: insert id and event together, answer, and act on the event afterwards.
seen = set()


def verified(body, headers):
    """The event in a body, if Latchkey has signed it within five minutes of now, and None if not."""
    try:
        WEBHOOK.verify(body, headers)
        event = json.loads(body)
    except (WebhookVerificationError, ValueError):  # the second for signatures and bodies that nobody can read
        return None
    # What is signed and has no event in it is somebody's call.
    is_event = isinstance(event, dict) and isinstance(event.get("type"), str)
    return event if is_event and event.get("event_id") == headers["webhook-id"] else None


app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 65536


@app.post("/relay-callbacks/<flow>")
def receive(flow):
    # The bytes, since they are signed. `request.form` on the way here would leave none of them.
    event = verified(request.get_data(), request.headers)
    if event is None:
        return "", 400
    if event["type"] in KNOWN and event["event_id"] not in seen:
        seen.add(event["event_id"])
        print(f"handled {event['type']} {event['event_id']}", flush=True)
    # Also for a type that is not known: any other status is a failure, and the event would come again for three days.
    return "", 204


if __name__ == "__main__":
    make_server("127.0.0.1", int(os.environ.get("PORT", "8080")), app).serve_forever()
