"""Receives Latchkey's callbacks with FastAPI. How to run it: README.md."""

import json
import os

import uvicorn
from fastapi import FastAPI, Request, Response
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


app = FastAPI(openapi_url=None)


@app.post("/relay-callbacks/{flow}")
async def receive(request: Request):
    # The bytes, since they are signed, and no model: FastAPI would answer 422 before this is called.
    event = verified(await request.body(), request.headers)
    if event is None:
        return Response(status_code=400)
    if event["type"] in KNOWN and event["event_id"] not in seen:
        seen.add(event["event_id"])
        print(f"handled {event['type']} {event['event_id']}", flush=True)
    # Also for a type that is not known: any other status is a failure, and the event would come again for three days.
    return Response(status_code=204)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8080")), log_level="warning")
