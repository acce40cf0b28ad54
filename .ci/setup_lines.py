"""Pastes each line that `fetch/setup` shows into a shell, with a tenant's secrets as its variables.

Every line has to be answered as it should, and what it proves has to work afterwards. Reads LATCHKEY_URL and ADMIN_KEY.
"""

import json
import os
import subprocess
import sys
import urllib.request

URL, ADMIN_KEY = os.environ["LATCHKEY_URL"], os.environ["ADMIN_KEY"]
# What a line proves as soon as it was pasted. The others need more than one call, or a minute.
PROVES = [
    "tenant", "api_key_admin", "api_key_embed", "api_key_account", "registered_tenant", "token_issued", "token_introspected",
    "signed_call", "clock", "signature_version", "signature_nonce", "end_user_named",
]


def call(path, headers, body=None):
    """What the service answers, decoded."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, {"content-type": "application/json"} | headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def operator(path, body=None):
    return call("/api/v1/" + path, {"x-admin-key": ADMIN_KEY}, body)["data"]


def checks(tenant):
    return {check["check"]: check for check in operator(f"fetch/setup?tenant_id={tenant}")["checks"]}


def set_up():
    """A tenant with something of everything, and its secrets under the names that the lines have."""
    tenant = operator("provision/tenant", {
        "tenant_name": "Acme", "callback_url_base": "https://callbacks.example.com", "passkeys_enabled": True,
        "webauthn_rp_id": "example.com", "webauthn_origins": ["https://app.example.com"],
        "qr_login_allowed_origins": ["https://app.example.com"],
    })
    identity = tenant["tenant_id"]
    keys = {
        kind: operator(f"provision/api-key?tenant_id={identity}", {"name": kind, "kind": kind})["api_key"]
        for kind in ("admin", "embed", "account")
    }
    admin = {"authorization": "Bearer " + keys["admin"]}
    project = tenant["project_id"]
    path, fields = "/v1/api/projects/register-", {"projectId": project, "properties": {}}
    organization = call(path + "organization", admin, {"projectId": project, "name": "Acme", "externalId": "acme"})
    organization = organization["data"]["projectOrganizationId"]
    user = fields | {
        "name": "Ada", "externalId": "ada", "projectOrganizationId": organization,
        "userRoleId": "0b7d7d1c-64a1-4a6c-9d3f-6f0d5e6f7a80",
    }
    user = call(path + "user", admin, user)["data"]["userId"]
    login = {"userId": user, "organizationId": organization}
    token = call("/v1/api/projects/user-token", admin, login)["data"]["token"]
    return identity, {
        "LATCHKEY_TENANT_SECRET": tenant["tenant_secret"], "TOKEN": token, "USER_ID": user,
        "ORGANIZATION_ID": organization, "API_KEY": keys["admin"], "ADMIN_API_KEY": keys["admin"],
        "EMBED_API_KEY": keys["embed"], "ACCOUNT_API_KEY": keys["account"],
    }


def paste(name, line, secrets):
    """Runs a line as somebody does who pastes it, and holds what it prints against what it is to print."""
    # Their PATH and nothing else: a line has all that it needs, or names it.
    ran = subprocess.run(
        ["sh", "-c", line], env=secrets | {"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=30,
        check=False,
    )
    if ran.returncode:
        sys.exit(f"{name}: ended with {ran.returncode}: {line}\n{ran.stderr}")
    if name == "clock":
        good = ran.stdout.lower().startswith("date:") and len(ran.stdout.splitlines()) == 2
    else:
        answer = json.loads(ran.stdout)
        good = not {"error", "detail"} & answer.keys() and answer.get("success", True)
        good = good and answer.get("status", "success") == "success" and answer.get("active", True)
    if not good:
        sys.exit(f"{name}: {line}\nanswered {ran.stdout}")


def main():
    tenant, secrets = set_up()
    before = checks(tenant)
    for name, check in before.items():
        paste(name, check["curl"], secrets)
    after = checks(tenant)
    wrong = {name: after[name] for name in PROVES if after[name]["state"] != "works"}
    failing = {name: check for name, check in after.items() if check["state"] == "fails" and name != "callbacks"}
    if wrong or failing:
        sys.exit(json.dumps(wrong | failing, indent=2))
    print(f"{len(before)} lines were pasted, and what they prove works")


main()
