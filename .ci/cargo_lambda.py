"""Checks the functions under `cargo lambda watch`: every route of the router block, and every function by its event.

Arguments: the port of `cargo lambda watch`. The environment is the one that `cargo dev --aws-only` prints.
"""

import hashlib
import hmac
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.request
import uuid

import boto3

PORT = sys.argv[1]
REGISTRY = tuple(f"/api/v1/{verb}/" for verb in "provision update rotate suspend reactivate revoke fetch relay".split())
# The tenant and its API keys in events/*.json: by their ids, with their kinds and the hashes of what the events send.
# Of the second key no event has the text.
TENANT = "tnt_" + "0" * 32
API_KEYS = {
    "key_0000000000000000": ("admin", "ec2797a018a9f3c2ad4a864c0d79e524dcea98cf8ea9e0f8fb120135637919b8"),
    "key_0000000000000001": ("admin", "0" * 64),
    "key_0000000000000002": ("account", "ae4d440c7dd243c34babb724a306023f41f2a52f51d060a031f1f7ba6b238514"),
}
# The rows in them: by their ids, where they are made and with what, beside the end user that they are for.
ROWS = {
    "01900000-0000-7000-8000-000000000001": ("/api/v1/agent-sessions", {}),
    "01900000-0000-7000-8000-000000000002": ("/api/v1/tools/web_search/execute", {}),
    "01900000-0000-7000-8000-000000000003": ("/api/v1/workspaces", {"name": "Watched"}),
    "01900000-0000-7000-8000-000000000004": ("/api/v1/documents", {"name": "Watched"}),
}
# What a browser or a phone has to answer anew each time is in no file, a callback's id is drawn, and the events' tenant
# has no receiver, no page for QR logins and nobody with a phone: the events of these are refused, as the document says.
# Their successes are in tests/it.
REFUSED = re.compile(
    "/api/v1/("
    "relay/webauthn/(register|authenticate|rename|revoke)/.*|relay/revoke/device|relay/qr-login/.*|device/.*"
    "|console/.*|fetch/person|fetch/callback|test/callback|replay/callbacks|relay/test/callbacks|relay/replay/callbacks"
    ")"
)


def event(function, secret=None):
    """An event as the file has it; with the tenant's secret, signed now if it is of a signed call."""
    made = json.loads(pathlib.Path(f"events/{function}.json").read_text())
    if secret and "x-latchkey-signature" in made.get("headers", {}):
        timestamp = str(time.time_ns() // 1_000_000)
        text = f"{timestamp}.{hashlib.sha256(made.get('body', '').encode()).hexdigest()}"
        signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        made["headers"] |= {"x-latchkey-timestamp": timestamp, "x-latchkey-signature": signature}
    return made


def call(method, path, query="", body=None, headers=None):
    """A request, its status and its JSON."""
    url = f"http://127.0.0.1:{PORT}{path}" + (f"?{query}" if query else "")
    request = urllib.request.Request(url, body and body.encode(), headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        status, text = refusal.code, refusal.read()
    return status, parsed(text)


def parsed(text):
    """A body of JSON; that of a page is nothing."""
    try:
        return json.loads(text)
    except ValueError:
        return {}


def page_version():
    """The version of the files that pages load, which is in each page."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/p", timeout=60) as answer:
        return re.search(r"/pages/(\w+)/", answer.read().decode())[1]


def replay(made, method, path, credentials=True):
    """The request that an event was made of, at one of the paths of its function. With another method of the path it
    has the same headers, and the least that may be its body."""
    dropped = {"host"} if credentials else {"host", "x-admin-key", "x-api-key", "authorization", "x-latchkey-signature"}
    headers = {name: value for name, value in made["headers"].items() if name not in dropped}
    body = made.get("body")
    if method != made["requestContext"]["http"]["method"]:
        body = "{}" if method == "PATCH" else None
        headers["content-type"] = "application/json"
    return call(method, path, made["rawQueryString"], body, headers)


def succeeded(path, answer):
    """Whether the body is one of success, in the words of the interface that the path belongs to."""
    if path.startswith(("/v1/api/", "/register-tenant")):
        return answer.get("status") == "success"
    if "/.well-known/" in path:
        return bool(answer.get("keys") or answer.get("issuer"))
    if path.startswith(REGISTRY):
        return answer.get("success") is True
    # An execution has an `error` too.
    return "error_description" not in answer and "detail" not in answer


def is_refused(operation, status, answer):
    """Whether an answer is one of the document's refusals, and no fault."""
    return 400 <= status < 500 and str(status) in operation["responses"] and bool(answer["error"]["code"])


def provision(headers):
    """A new tenant with an API key for each of the events', and a row for each of theirs: the ids of all of them."""
    status, made = call("POST", "/api/v1/provision/tenant", body='{"tenant_name":"Watched"}', headers=headers)
    expect(status == 201, f"provision: {status} {made}")
    tenant = made["data"]["tenant_id"]
    status, found = call("GET", "/api/v1/fetch/tenant", f"tenant_id={tenant}", headers=headers)
    expect(status == 200 and found["data"]["tenant_name"] == "Watched", f"fetch of {tenant}: {status} {found}")
    ids = {TENANT: tenant}
    for wanted, (kind, _) in API_KEYS.items():
        body = json.dumps({"name": "Events", "kind": kind})
        status, made = call("POST", "/api/v1/provision/api-key", f"tenant_id={tenant}", body, headers)
        expect(status == 201, f"provision of an API key: {status} {made}")
        ids[wanted] = made["data"]["key_id"]
    # The last key is the account's.
    account = {"x-api-key": made["data"]["api_key"], "content-type": "application/json"}
    for wanted, (path, fields) in ROWS.items():
        body = json.dumps({"external_user_id": "user_456", **fields})
        status, made = call("POST", path, body=body, headers=account)
        expect(status in (201, 202), f"{path}: {status} {made}")
        # Of an execution it is `exec_` and the digits.
        made = made.get("id") or made["execution_id"]
        ids[wanted] = str(uuid.UUID(made.removeprefix("exec_")))
    return ids


def copies(ids):
    """What the table has to hold for what the events name. Ids are drawn, so each item is a copy of one of the only
    tenant there is, under other ids."""
    table, items = os.environ["LATCHKEY_TABLE"], []
    for item in boto3.client("dynamodb").scan(TableName=table)["Items"]:
        text = json.dumps(item)
        for wanted, drawn in ids.items():
            text = text.replace(drawn, wanted).replace(drawn.replace("-", ""), wanted.replace("-", ""))
        copy = json.loads(text)
        if "key_hash" in copy:
            copy["key_hash"]["S"] = API_KEYS[copy["details"]["M"]["key_id"]["S"]][1]
        items.append(copy)
    return items


def put(items):
    dynamodb, table = boto3.client("dynamodb"), os.environ["LATCHKEY_TABLE"]
    for item in items:
        dynamodb.put_item(TableName=table, Item=item)


def copy_secret(tenant):
    """The tenant's secret and its signing key, of which it gives back the first. The versions' ids are those that the
    table names."""
    secrets, prefix = boto3.client("secretsmanager"), os.environ["LATCHKEY_SECRET_PREFIX"]
    stored = {}
    for folder in ("tenants", "signing-keys"):
        secret = secrets.get_secret_value(SecretId=f"{prefix}/{folder}/{tenant}")
        secrets.create_secret(
            Name=f"{prefix}/{folder}/{TENANT}",
            SecretString=secret["SecretString"],
            ClientRequestToken=secret["VersionId"],
        )
        stored |= json.loads(secret["SecretString"])
    return stored["tenant_secret"]


def invoke(function, secret):
    """The answer of a function to its event."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(event(function, secret), file)
        file.flush()
        command = ["cargo", "lambda", "invoke", function, "--data-file", file.name]
        command += ["--invoke-address", "127.0.0.1", "--invoke-port", PORT]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    expect(done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def expect(condition, message):
    if not condition:
        sys.exit(f"failed: {message}")


def main():
    router = tomllib.loads(pathlib.Path("Cargo.toml").read_text())
    router = router["workspace"]["metadata"]["lambda"]["watch"]["router"]
    document = json.loads(pathlib.Path("shared/openapi.json").read_text())
    functions = {path.stem for path in pathlib.Path("functions/src/bin").glob("*.rs")}
    for _ in range(100):
        if not socket.socket().connect_ex(("127.0.0.1", int(PORT))):
            break
        time.sleep(0.1)

    admin = {"x-admin-key": event("provision-tenant")["headers"]["x-admin-key"], "content-type": "application/json"}
    ids = provision(admin)
    items = copies(ids)
    rows = [item for item in items if "#ALL#" in item["pk"]["S"] or "#OF@" in item["pk"]["S"]]
    put(items)
    secret = copy_secret(ids[TENANT])
    status, _ = call("GET", "/api/v1/fetch/nothing", headers=admin)
    expect(status == 404, f"a path that is no route: {status}")

    # In the order of the router: what a later event needs, an earlier one makes.
    routes = [(path, route) for path, routes in router.items() for route in routes]
    success, first, operations = {}, {}, {}
    for template, route in routes:
        method, function = route["method"], route["function"]
        operation = document["paths"][template][method.lower()]
        expected = None if REFUSED.fullmatch(template) else min(int(status) for status in operation["responses"])
        made = event(function, secret)
        path = template.replace("{tenant_id}", TENANT).replace("{session_id}", "a-session")
        if template.startswith("/pages/"):
            path = path.replace("{version}", page_version()).replace("{file}", "page.css")
        for name, value in made.get("pathParameters", {}).items():
            path = path.replace(f"{{{name}}}", value)
        if method == made["requestContext"]["http"]["method"]:
            # The event is of the first path; the others are aliases.
            success[function], operations[function] = expected, operation
            named = first.setdefault(function, path)
            expect(made["rawPath"] == named, f"{named}: its event is of {made['rawPath']}")
        # A row that was deleted a moment ago is the next one's, and the secret was rotated.
        put(items if "x-latchkey-signature" in made["headers"] else rows)
        status, answer = replay(made, method, path)
        done = status == expected and succeeded(path, answer) if expected else is_refused(operation, status, answer)
        expect(done, f"{method} {path}: {status} {answer}")
        if operation["security"]:
            status, answer = replay(made, method, path, credentials=False)
            expect(status == 401, f"{method} {path} without its credential: {status} {answer}")
        print(f"{method} {template}: {expected or 'refused'}")
    expect(success.keys() == {route["function"] for _, route in routes}, "an event has a method that its path has not")

    # The person that its event names was made meanwhile, by a signed call.
    success["fetch-person"] = 200
    # Once more, from the start: a key that was revoked meanwhile can't be rotated.
    put(items)
    for function in [*success, *sorted(functions - set(success))]:
        if function.startswith("relay-"):
            put(items)
        answer = invoke(function, secret)
        if function in success and not success[function]:
            done = is_refused(operations[function], answer["statusCode"], parsed(answer["body"]))
        elif function in success:
            done = answer["statusCode"] == success[function] and succeeded(first[function], parsed(answer["body"]))
        else:
            done = "errorType" not in answer
        # Not the whole answer: it may be a secret.
        expect(done, f"{function}: {answer.get('statusCode', answer)}")
        print(f"{function}: {answer.get('statusCode', answer)}")


main()
