"""Signs a call with one mistake, written from the prose of docs/api/relay.md alone, and prints as JSON what came of it:
status, body, the text that was signed, and the text that the service says was to be signed.

Arguments: the mistake. The environment: LATCHKEY_URL, TENANT_ID, TENANT_SECRET, PROJECT_ID, NONCE."""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid

mistake = sys.argv[1]
url, tenant, secret = (os.environ[name] for name in ("LATCHKEY_URL", "TENANT_ID", "TENANT_SECRET"))
method, target, body = "GET", "/api/v1/relay/fetch/callbacks?limit=5", b""
now = time.time()
timestamp, nonce, prefix = str(int(now * 1000)), str(uuid.uuid4()), "v2="

if mistake == "seconds":
    timestamp = str(int(now))
elif mistake == "microseconds":
    timestamp = str(int(now * 1_000_000))
elif mistake == "fraction":
    timestamp = f"{now * 1000:.3f}"
elif mistake == "behind":
    timestamp = str(int(now * 1000) - 31_000)
elif mistake == "ahead":
    timestamp = str(int(now * 1000) + 300_000)
elif mistake == "no_prefix":
    prefix = ""
elif mistake == "short_nonce":
    nonce = "123"
elif mistake == "used_nonce":
    nonce = os.environ["NONCE"]
elif mistake == "uuid":
    tenant = os.environ["PROJECT_ID"]
elif mistake == "bare_secret":
    secret = secret.removeprefix("sk_")
elif mistake == "other_secret":
    secret = "sk_" + "0" * 64

signed_method, signed_target, signed_body = method, target, body
if mistake == "no_query":
    signed_target = target.split("?")[0]
elif mistake == "no_api":
    signed_target = target.removeprefix("/api/v1")
elif mistake == "lower_method":
    signed_method = method.lower()
elif mistake in ("reserialized", "newline"):
    method, target = "POST", "/api/v1/relay/test/callbacks"
    signed_method, signed_target = method, target
    signed_body = b'{"note":1}'
    body = json.dumps({"note": 1}).encode() if mistake == "reserialized" else signed_body + b"\n"

text = ".".join([timestamp, signed_method, signed_target, nonce, hashlib.sha256(signed_body).hexdigest()])
mac = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
signature = {"base64": base64.b64encode(mac).decode(), "upper_case": mac.hex().upper()}.get(mistake, mac.hex())

headers = {
    "X-Latchkey-Tenant-Id": tenant,
    "X-Latchkey-Timestamp": timestamp,
    "X-Latchkey-Nonce": nonce,
    "X-Latchkey-Signature": prefix + signature,
    "Content-Type": "application/json",
}
if mistake == "no_nonce":
    del headers["X-Latchkey-Nonce"]
elif mistake == "no_timestamp":
    del headers["X-Latchkey-Timestamp"]
elif mistake == "both_names":
    headers["X-Bloonio-Tenant-Id"] = tenant
request = urllib.request.Request(url + target, data=body or None, headers=headers, method=method)
try:
    answer = urllib.request.urlopen(request, timeout=30)
except urllib.error.HTTPError as refused:
    answer = refused
told = answer.headers.get("x-latchkey-dev-signed-text")
print(json.dumps({"status": answer.status, "body": json.load(answer), "signed": text, "to_sign": told}))
