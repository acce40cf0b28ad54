"""A tenant's backend whose people log in with passkeys, with nothing but Python. How to run it: README.md."""

import hashlib
import hmac
import json
import os
import re
import secrets
import sys
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

URL, TENANT_ID = urlsplit(os.environ["LATCHKEY_URL"]), os.environ["LATCHKEY_TENANT_ID"]
SECRET, CODE = os.environ["LATCHKEY_TENANT_SECRET"].encode(), os.environ["DEMO_CODE"].encode()

# Stand in for your own: the people, and who is logged in, by the value of a cookie.
PEOPLE = [
    {"id": "user_1", "email": "ada@example.com", "name": "Ada Lovelace"},
    {"id": "user_2", "email": "bob@example.com", "name": "Bob Kahn"},
]
sessions = {}


def log(line):
    print(line, file=sys.stderr, flush=True)


def latchkey(call, **fields):
    """A signed call: see ../sign. Status and JSON, of what the page may know."""
    target, body = f"/api/v1/relay/webauthn/{call}", json.dumps(fields).encode()
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
        content = json.loads(answer.read())
    finally:
        connection.close()
    if answer.status == 200:
        return 200, content["data"]
    # The message is for whoever set this up. The page gets the code, and what its browser is to be told.
    error, request = content["error"], answer.headers["x-request-id"]
    log(f"{call}: {answer.status} {error['code']}: {content['message']} (request {request})")
    return answer.status, {"error": error["code"], "signals": error.get("signals")}


# What the page may ask for. Whose passkeys they are says the session, and nothing that the page sends.
ANYBODY = {
    "/login/options": lambda origin, body: latchkey("authenticate/options", browser_origin=origin),
    "/login/verify": lambda origin, body: latchkey(
        "authenticate/verify", browser_origin=origin, credential=body.get("credential")
    ),
}
LOGGED_IN = {
    "/passkeys": lambda origin, body, person: latchkey("fetch/passkeys", backend_user_id=person["id"]),
    "/register/options": lambda origin, body, person: latchkey(
        "register/options",
        backend_user_id=person["id"],
        browser_origin=origin,
        username=person["email"],
        display_name=person["name"],
    ),
    "/register/verify": lambda origin, body, person: latchkey(
        "register/verify", backend_user_id=person["id"], browser_origin=origin, credential=body.get("credential")
    ),
    "/rename": lambda origin, body, person: latchkey(
        "rename/passkey",
        backend_user_id=person["id"],
        credential_id=body.get("credential_id"),
        name=body.get("name"),
    ),
    "/revoke": lambda origin, body, person: latchkey(
        "revoke/passkey", backend_user_id=person["id"], credential_id=body.get("credential_id")
    ),
}


def by_code(body):
    """Whoever proves to be one of the people without a passkey. Stands in for a code by e-mail, which is good once."""
    is_right = hmac.compare_digest(str(body.get("code")).encode(), CODE)
    return next((person for person in PEOPLE if is_right and person["email"] == body.get("email")), None)


def cookie(value, seconds):
    return {"Set-Cookie": f"session={value}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}"}


def shown(person):
    return {"email": person["email"], "name": person["name"]}


def begin(person):
    """A session of its own for each login, so that nobody else knows it."""
    session = secrets.token_urlsafe(32)
    sessions[session] = person
    return 200, shown(person), cookie(session, 86_400)


def answer(path, origin, body, session):
    """Status, JSON and headers."""
    person = sessions.get(session)
    if path == "/login/code":
        known = by_code(body)
        return begin(known) if known else (401, {"error": "wrong_code"}, {})
    if path == "/logout":
        sessions.pop(session, None)
        return 200, {}, cookie("", 0)
    if path in ANYBODY:
        status, content = ANYBODY[path](origin, body)
        if path != "/login/verify" or status != 200:
            return status, content, {}
        return begin(next(person for person in PEOPLE if person["id"] == content["backend_user_id"]))
    if not person:
        return 401, {"error": "logged_out"}, {}
    if path == "/me":
        return 200, shown(person), {}
    if path not in LOGGED_IN:
        return 404, {"error": "not_found"}, {}
    status, content = LOGGED_IN[path](origin, body, person)
    if path == "/revoke" and status == 200:
        # Whoever has the device may be logged in with it.
        for other in [other for other, of in list(sessions.items()) if of is person and other != session]:
            sessions.pop(other, None)
    return status, content, {}


PAGE = Path(__file__).with_name("page")
FILES = {
    "/": ("text/html; charset=utf-8", (PAGE / "index.html").read_bytes()),
    "/page.js": ("text/javascript; charset=utf-8", (PAGE / "page.js").read_bytes()),
    "/page.css": ("text/css; charset=utf-8", (PAGE / "page.css").read_bytes()),
}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


class Backend(BaseHTTPRequestHandler):
    timeout = 10

    def handle(self):
        # A browser that leaves before it has its answer.
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self):
        kind, content = FILES.get(self.path, ("text/plain", b"Not found"))
        self.send(200 if self.path in FILES else 404, kind, content)

    def do_POST(self):
        origin, length = self.headers.get("Origin", ""), self.headers.get("Content-Length", "")
        # Other sites' pages can ask too: in older browsers with the person's cookie, and without reading the answer.
        is_own = origin.partition("://")[2] == self.headers.get("Host")
        is_own = is_own and self.headers.get("Content-Type") == "application/json"
        session = re.search(r"(?:^|; )session=([\w-]{43})", self.headers.get("Cookie", ""))
        status, content, headers = 403, {"error": "another_site"}, {}
        if is_own and re.fullmatch("[0-9]{1,5}", length):
            try:
                body = json.loads(self.rfile.read(int(length)))
                body = body if isinstance(body, dict) else {}
                status, content, headers = answer(self.path, origin, body, session and session[1])
            except (OSError, HTTPException, ValueError) as error:
                log(f"{self.path}: {error}")
                status, content = 502, {"error": "unavailable"}
        self.send(status, "application/json", json.dumps(content).encode(), headers)

    def send(self, status, kind, content, headers={}):
        self.send_response(status)
        for name, value in {**HEADERS, **headers, "Content-Type": kind, "Content-Length": len(content)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Backend).serve_forever()
