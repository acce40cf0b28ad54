"""A backend whose people sign in with their paired phones. How to run it: README.md."""

import hashlib
import hmac
import json
import os
import secrets
import sys
import time
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit
from wsgiref.simple_server import make_server

from flask import Flask, jsonify, request
from standardwebhooks import Webhook, WebhookVerificationError

URL, TENANT_ID = urlsplit(os.environ["LATCHKEY_URL"]), os.environ["LATCHKEY_TENANT_ID"]
SECRET = os.environ["LATCHKEY_TENANT_SECRET"].encode()
WEBHOOK = Webhook(os.environ["LATCHKEY_WEBHOOK_SECRET"])
# Stand in for your database: the people, the logins that browsers have begun, by a cookie each, those that Latchkey may
# tell of, and the sessions.
people = {os.environ["DEMO_USER_ID"]: {"id": os.environ["DEMO_USER_ID"], "name": os.environ["DEMO_USER_NAME"]}}
logins, begun, sessions = {}, set(), {}


def latchkey(method, target, fields=None, headers=None):
    """A signed call: see ../sign. Status and JSON."""
    body = b"" if fields is None else json.dumps(fields).encode()
    timestamp, nonce = str(time.time_ns() // 1_000_000), secrets.token_urlsafe(24)
    signed = f"{timestamp}.{method}.{target}.{nonce}.{hashlib.sha256(body).hexdigest()}"
    signature = hmac.new(SECRET, signed.encode(), hashlib.sha256).hexdigest()
    # Not `urllib.request`: it follows redirections, and the signature is for this address alone.
    connection = (HTTPSConnection if URL.scheme == "https" else HTTPConnection)(URL.netloc, timeout=10)
    try:
        connection.request(
            method,
            target,
            body or None,
            {
                "Content-Type": "application/json",
                "X-Latchkey-Tenant-Id": TENANT_ID,
                "X-Latchkey-Timestamp": timestamp,
                "X-Latchkey-Nonce": nonce,
                "X-Latchkey-Signature": f"v2={signature}",
                **(headers or {}),
            },
        )
        answer = connection.getresponse()
        return answer.status, json.load(answer)
    finally:
        connection.close()


def begin():
    """Begins a login. Everything that is known of the browser is told, so that the phone can show it."""
    fields = {
        "browser_origin": request.headers["origin"],
        "browser_ip": request.remote_addr,  # behind a proxy: as your proxy says
        "browser_user_agent": request.headers.get("user-agent"),
        "rotate": True,
    }
    status, answer = latchkey("POST", "/api/v1/relay/qr-login/initiate", fields)
    if status != 200:
        raise RuntimeError(f"initiate: {status} {answer['error']['code']}")
    data = answer["data"]
    begun.add(data["session_id"])
    # The poll token stays here: whoever has it takes the login.
    login = {"session_id": data["session_id"], "poll_token": data["poll_token"], "shown": code(data)}
    return {**login, "outcome": None, "person": None}


def code(data):
    return {"phase": "waiting", "svg": data["qr_svg"], "address": data["qr_code_str"]}


def state(login):
    """How a login stands, as the page may know it."""
    if login["outcome"]:
        return login["outcome"]
    target = f"/api/v1/relay/qr-login/poll?session_id={login['session_id']}"
    status, answer = latchkey("GET", target, headers={"X-QR-Poll-Token": login["poll_token"]})
    data = answer["data"] or {}
    if status == 410:
        end(login, "expired")
    elif status != 200:
        print(f"poll: {status} {answer['error']['code']}", file=sys.stderr, flush=True)
    elif data["status"] == "approved":
        end(login, "approved", people.get(data["backend_user_id"]))
    elif data["phase"] == "denied":
        end(login, "denied")
    else:
        is_scanned = data["phase"] == "scanned"
        login["shown"] = {"phase": "scanned", "number": data.get("match_number")} if is_scanned else code(data)
    # A poll that was refused changes nothing: there will be another one.
    return login["outcome"] or {**login["shown"], "wait": data.get("retry_after_ms", 2000)}


def end(login, phase, person=None):
    is_nobody = phase == "approved" and not person
    login["outcome"] = {"phase": "denied" if is_nobody else phase, "name": person and person["name"]}
    login["person"] = person


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
    """A callback is evidence, and logs nobody in: it may come late, and it was made before a phone was revoked."""
    data = event["data"]
    if data.get("session_id") in begun:
        print(f"{event['type']} {data['session_id']} {data.get('device_id') or 'no device'}", flush=True)


app = Flask(__name__, static_folder="page", static_url_path="")
app.config["MAX_CONTENT_LENGTH"] = 65536
COOKIE = {"httponly": True, "secure": True, "samesite": "Strict", "path": "/"}


@app.post("/relay-callbacks/<flow>")
def receive(flow):
    # The bytes, since they are signed. `request.form` on the way here would leave none of them.
    event = verified(request.get_data(), request.headers)
    if event is None:
        return "", 400
    handle(event)
    # Also for a type that is not known: any other status is a failure, and the event would come again for three days.
    return "", 204


@app.before_request
def own():
    # Other sites' pages can ask too, with the person's cookie in older browsers.
    is_own = request.headers.get("origin", "").partition("://")[2] == request.host
    if request.method == "POST" and request.endpoint != "receive" and not is_own:
        return {"error": "another_site"}, 403
    return None


@app.after_request
def guarded(response):
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@app.get("/")
def page():
    return app.send_static_file("index.html")


# Before anybody is known, the browser gets a cookie. Only with that can it see how its login ends.
@app.post("/login/begin")
def login_begin():
    cookie, login = secrets.token_urlsafe(32), begin()
    logins.pop(request.cookies.get("login"), None)
    logins[cookie] = login
    response = jsonify(login["shown"])
    response.set_cookie("login", cookie, **COOKIE)
    return response


@app.post("/login/state")
def login_state():
    login = logins.get(request.cookies.get("login"))
    return state(login) if login else {"phase": "expired"}


# The person has seen who it is, and begins a session of their own. Here, and not before, a basket or the settings of a
# guest may be linked to the account.
@app.post("/login/finish")
def login_finish():
    login = logins.pop(request.cookies.get("login"), None)
    person = login and login["person"]
    if not person:
        return {"error": "no_login"}, 401
    session = secrets.token_urlsafe(32)
    sessions[session] = person
    response = jsonify(name=person["name"])
    response.delete_cookie("login", **COOKIE)
    response.set_cookie("session", session, **COOKIE)
    return response


@app.post("/logout")
def logout():
    logins.pop(request.cookies.get("login"), None)
    sessions.pop(request.cookies.get("session"), None)
    response = jsonify({})
    for name in ("login", "session"):
        response.delete_cookie(name, **COOKIE)
    return response


@app.post("/me")
def me():
    person = sessions.get(request.cookies.get("session"))
    return {"name": person["name"]} if person else ({"error": "logged_out"}, 401)


@app.errorhandler(Exception)
def failed(error):
    print(f"{request.path}: {error}", file=sys.stderr, flush=True)
    return {"error": "unavailable"}, getattr(error, "code", 502)


if __name__ == "__main__":
    make_server("127.0.0.1", int(os.environ.get("PORT", "8080")), app).serve_forever()
