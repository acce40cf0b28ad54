"""Whether a deployment works, from outside: with what its outputs say and the operator's key, and nothing else.

    export LATCHKEY_API=…            the output ApiUrl, or your own name
    export LATCHKEY_OPERATOR_API=…   the output OperatorApiUrl, or your own name
    export LATCHKEY_ADMIN_KEY=…
    python3 docs/operate/smoke.py

Makes a tenant, "Smoke test", and suspends it in the end: tenants are not deleted. Needs Python and no package.
"""

import hashlib
import hmac
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request

PUBLIC, OPERATOR = os.environ["LATCHKEY_API"].rstrip("/"), os.environ["LATCHKEY_OPERATOR_API"].rstrip("/")
KEY = os.environ["LATCHKEY_ADMIN_KEY"]


def call(method, base, path, body=None, headers=None):
    """A request: its status and its JSON."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", "user-agent": "latchkey-smoke", **(headers or {})}
    request = urllib.request.Request(base + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        status, text = refusal.code, refusal.read()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, {}


def check(what, expected, status, answer):
    if status != expected:
        # The answer to a wrong status has no secret in it.
        code = (answer.get("error") or {}).get("code") if isinstance(answer.get("error"), dict) else answer
        sys.exit(f"failed: {what}: {status} and not {expected}: {code if status >= 400 else ''}")
    print(f"ok: {what}")
    return answer


def operator(path, body, status=200, key=KEY, what=None):
    answer = call("POST", OPERATOR, f"/api/v1/{path}", body, {"x-admin-key": key})
    return check(what or path.partition("?")[0], status, *answer).get("data")


def signed(tenant, secret):
    """A signed call of the second version."""
    path, timestamp, nonce = "/api/v1/relay/whoami", str(time.time_ns() // 1_000_000), secrets.token_urlsafe(24)
    text = f"{timestamp}.GET.{path}.{nonce}.{hashlib.sha256(b'').hexdigest()}"
    headers = {
        "x-latchkey-tenant-id": tenant,
        "x-latchkey-timestamp": timestamp,
        "x-latchkey-nonce": nonce,
        "x-latchkey-signature": "v2=" + hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest(),
    }
    return call("GET", PUBLIC, path, None, headers)


def main():
    operator("provision/tenant", {"tenant_name": "x"}, 401, "w" * 48, "a wrong operator's key is refused")
    if OPERATOR != PUBLIC:
        status, _ = call("POST", PUBLIC, "/api/v1/suspend/tenant", {}, {"x-admin-key": KEY})
        check("the registry is not at the address of tenants", 404, status, {})
    made = operator("provision/tenant", {"tenant_name": "Smoke test"}, 201)
    tenant, secret, project = made["tenant_id"], made["tenant_secret"], made["project_id"]
    key = operator(f"provision/api-key?tenant_id={tenant}", {"name": "Smoke", "kind": "admin"}, 201)["api_key"]
    bearer = {"authorization": f"Bearer {key}"}
    body = {"name": "Smoke", "projectId": project, "externalId": "smoke"}
    path = "/v1/api/projects/register-organization"
    check("register-organization", 200, *call("POST", PUBLIC, path, body, bearer))
    person = {"projectOrganizationId": "smoke", "userRoleId": "00000000-0000-4000-8000-000000000003", "properties": {}}
    answer = call("POST", PUBLIC, "/v1/api/projects/register-user", {**body, **person}, bearer)
    user = check("register-user", 200, *answer)["data"]["userId"]
    answer = call("POST", PUBLIC, "/v1/api/projects/user-token", {"userId": user}, bearer)
    token = check("user-token", 200, *answer)["data"]["token"]
    answer = check("jwks.json", 200, *call("GET", PUBLIC, f"/t/{tenant}/.well-known/jwks.json"))
    check("there are keys", True, bool(answer["keys"]), {})
    for what, path, active in (("active", None, True), ("revoked", "/api/v1/auth/revoke", False)):
        if path:
            check("revoke", 200, *call("POST", PUBLIC, path, {"token": token}, bearer))
        answer = check("introspect", 200, *call("POST", PUBLIC, "/api/v1/auth/introspect", {"token": token}, bearer))
        check(f"the token is {what}", active, answer["active"], {})
    check("a signed call", 200, *signed(tenant, secret))
    operator(f"suspend/tenant?tenant_id={tenant}", {"reason": "smoke test"})
    check("a signed call of the suspended tenant is refused", 403, *signed(tenant, secret))
    print("the deployment works")


main()
