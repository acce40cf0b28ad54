"""A signed call, with nothing but Python. How to run it: README.md."""

import hashlib
import hmac
import os
import secrets
import sys
import time
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

URL, TENANT_ID = urlsplit(os.environ["LATCHKEY_URL"]), os.environ["LATCHKEY_TENANT_ID"]
SECRET = os.environ["LATCHKEY_TENANT_SECRET"].encode()


def latchkey(method, target, body=b""):
    """A signed call: status and body of the answer. The target is path and query, the body is bytes."""
    timestamp, nonce = str(time.time_ns() // 1_000_000), secrets.token_urlsafe(24)
    signed = f"{timestamp}.{method}.{target}.{nonce}.{hashlib.sha256(body).hexdigest()}"
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
        connection.request(method, target, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def main(method="GET", target="/api/v1/relay/whoami", file=None):
    status, answer = latchkey(method, target, Path(file).read_bytes() if file else b"")
    print(answer.decode())
    return 0 if 200 <= status < 300 else 1


sys.exit(main(*sys.argv[1:]))
