"""A backend whose people pair their phones. How to run it: README.md."""

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from html import escape
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit
from wsgiref.simple_server import make_server

from flask import Flask, request
from standardwebhooks import Webhook, WebhookVerificationError

URL, TENANT_ID = urlsplit(os.environ["LATCHKEY_URL"]), os.environ["LATCHKEY_TENANT_ID"]
SECRET = os.environ["LATCHKEY_TENANT_SECRET"].encode()
WEBHOOK = Webhook(os.environ["LATCHKEY_WEBHOOK_SECRET"])
# Stand in for your database: the pairings that were prepared, and the phones that callbacks told of.
attempts, phones = {}, {}


def signed_in():
    """Who sent the request, or None. Stands in for your own login, whose cookie should be `SameSite=Lax` at least."""
    session = os.environ.get("DEMO_SESSION")
    if not session or not hmac.compare_digest(request.cookies.get("session", "").encode(), session.encode()):
        return None
    return {name: os.environ[f"DEMO_USER_{name.upper()}"] for name in ("id", "name", "email")}


def prepared(attempt, user):
    """Prepares a pairing. Its id comes back in the callback."""
    target = "/api/v1/relay/prepare-pairing"
    fields = {"backend_user_id": user["id"], "display_name": user["name"], "user_email": user["email"]}
    body = json.dumps({"user_socket_hash": attempt, **fields}).encode()
    timestamp, nonce = str(time.time_ns() // 1_000_000), secrets.token_urlsafe(24)
    signed = f"{timestamp}.POST.{target}.{nonce}.{hashlib.sha256(body).hexdigest()}"
    headers = {
        "Content-Type": "application/json",
        "X-Latchkey-Tenant-Id": TENANT_ID,
        "X-Latchkey-Timestamp": timestamp,
        "X-Latchkey-Nonce": nonce,
        "X-Latchkey-Signature": "v2=" + hmac.new(SECRET, signed.encode(), hashlib.sha256).hexdigest(),
    }
    # Not `urllib.request`: it follows redirections, and the signature is for this address alone.
    connection = (HTTPSConnection if URL.scheme == "https" else HTTPConnection)(URL.netloc, timeout=10)
    try:
        connection.request("POST", target, body, headers)
        answer = connection.getresponse()
        if answer.status != 201:
            raise RuntimeError(f"prepare-pairing: {answer.status}")
        return json.load(answer)["data"]
    finally:
        connection.close()


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


def handle(event):
    kind, data = event["type"], event["data"]
    if kind not in ("pairing.created", "pairing.removed"):
        return
    # Events come in any order, and more than once: only a later one changes what is known of a phone.
    if event["sequence"] <= phones.get(data["device_id"], {"sequence": 0})["sequence"]:
        return
    user_id, is_paired = data["backend_user_id"], data["removed_at"] is None
    known = {"sequence": event["sequence"], "user_id": user_id, "name": data["name"], "is_paired": is_paired}
    phones[data["device_id"]] = known
    attempt = attempts.get(data["user_socket_hash"])
    if kind == "pairing.created" and attempt and attempt["user_id"] == user_id:
        attempt["is_done"] = True
    print(f"{kind} {data['device_id']}", flush=True)


def page(content):
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Your phones</title>'
    # The code in a page pairs a phone, so that no cache may keep it.
    return f"{head}<h1>Your phones</h1>{content}</html>", 200, {"Cache-Control": "no-store"}


app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 65536


@app.post("/relay-callbacks/<flow>")
def receive(flow):
    # The bytes, since they are signed. `request.form` on the way here would leave none of them.
    event = verified(request.get_data(), request.headers)
    if event is None:
        return "", 400
    handle(event)
    # Also for a type that is not known: any other status is a failure, and the event would come again for three days.
    return "", 204


@app.get("/")
def overview():
    user = signed_in()
    if not user:
        return "Sign in first.", 401
    own = [phone for phone in phones.values() if phone["user_id"] == user["id"] and phone["is_paired"]]
    # Whoever has the phone chose its name.
    items = "".join(f"<li>{escape(phone['name'])}</li>" for phone in own)
    return page(f'<ul>{items}</ul><form method="post" action="/pairings"><button>Pair a phone</button></form>')


@app.post("/pairings")
def pair():
    user = signed_in()
    if not user:
        return "Sign in first.", 401
    attempt = secrets.token_urlsafe(16)
    pairing = prepared(attempt, user)
    attempts[attempt] = {"user_id": user["id"], "is_done": False}
    code = base64.b64encode(pairing["pairing_qr_svg"].encode()).decode()
    return page(f"""<p>Scan this code with the camera of your phone.</p>
<img alt="Pairing code" width="260" src="data:image/svg+xml;base64,{code}">
<p>You are on the phone? <a rel="noreferrer" href="{escape(pairing["pairing_url"])}">Pair this one</a></p>
<script>
  setInterval(async () => {{
    const answer = await fetch('/pairings/{attempt}');
    if (answer.ok && (await answer.json()).isDone) location.replace('/');
  }}, 1000);
</script>""")


@app.get("/pairings/<attempt>")
def state(attempt):
    user = signed_in()
    if not user:
        return "Sign in first.", 401
    known = attempts.get(attempt)
    if not known or known["user_id"] != user["id"]:
        return "", 404
    return {"isDone": known["is_done"]}, 200, {"Cache-Control": "no-store"}


if __name__ == "__main__":
    make_server("127.0.0.1", int(os.environ.get("PORT", "8080")), app).serve_forever()
