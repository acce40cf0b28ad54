"""Checks the functions under `cargo lambda watch`: every route of the router block, and every function by its event.

Arguments: the port of `cargo lambda watch`. The environment is the one that `cargo dev --aws-only` prints.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request

import boto3

PORT = sys.argv[1]
# The tenant and its API keys in events/*.json: by their ids, and with the hashes of what the events send. Of the second
# key no event has the text.
TENANT = "tnt_" + "0" * 32
API_KEYS = {
    "key_0000000000000000": "ec2797a018a9f3c2ad4a864c0d79e524dcea98cf8ea9e0f8fb120135637919b8",
    "key_0000000000000001": "0" * 64,
}


def event(function):
    return json.loads(pathlib.Path(f"events/{function}.json").read_text())


def call(method, path, query="", body=None, headers=None):
    """A request, its status and its JSON."""
    url = f"http://127.0.0.1:{PORT}{path}" + (f"?{query}" if query else "")
    request = urllib.request.Request(url, body and body.encode(), headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        status, text = refusal.code, refusal.read()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, {}


def replay(made, path, credentials=True):
    """The request that an event was made of, at one of the paths of its function."""
    dropped = {"host"} if credentials else {"host", "x-admin-key", "authorization"}
    headers = {name: value for name, value in made["headers"].items() if name not in dropped}
    method = made["requestContext"]["http"]["method"]
    return call(method, path, made["rawQueryString"], made.get("body"), headers)


def succeeded(path, answer):
    """Whether the body is one of success, in the words of the interface that the path belongs to."""
    if path.startswith(("/v1/api/", "/register-tenant")):
        return answer.get("status") == "success"
    if path.startswith("/api/v1/auth/"):
        return "error" not in answer
    if "/.well-known/" in path:
        return bool(answer.get("keys") or answer.get("issuer"))
    return answer.get("success") is True


def provision(headers):
    """A new tenant with two API keys, which can be fetched."""
    status, made = call("POST", "/api/v1/provision/tenant", body='{"tenant_name":"Watched"}', headers=headers)
    expect(status == 201, f"provision: {status} {made}")
    tenant = made["data"]["tenant_id"]
    status, found = call("GET", "/api/v1/fetch/tenant", f"tenant_id={tenant}", headers=headers)
    expect(status == 200 and found["data"]["tenant_name"] == "Watched", f"fetch of {tenant}: {status} {found}")
    keys = []
    for _ in API_KEYS:
        status, made = call(
            "POST", "/api/v1/provision/api-key", f"tenant_id={tenant}", '{"name":"Events","kind":"admin"}', headers
        )
        expect(status == 201, f"provision of an API key: {status} {made}")
        keys.append(made["data"]["key_id"])
    return tenant, keys


def copies(tenant, keys):
    """What the table has to hold for the tenant that the events name. Ids are drawn, so each item is a copy of one of the
    only tenant there is, under another id."""
    table, items = os.environ["LATCHKEY_TABLE"], []
    for item in boto3.client("dynamodb").scan(TableName=table)["Items"]:
        text = json.dumps(item).replace(tenant, TENANT)
        for key, wanted in zip(keys, API_KEYS, strict=True):
            text = text.replace(key, wanted)
        copy = json.loads(text)
        if "key_hash" in copy:
            copy["key_hash"]["S"] = API_KEYS[copy["key_id"]["S"]]
        items.append(copy)
    return items


def put(items):
    dynamodb, table = boto3.client("dynamodb"), os.environ["LATCHKEY_TABLE"]
    for item in items:
        dynamodb.put_item(TableName=table, Item=item)


def copy_secret(tenant):
    """The tenant's secret and its signing key. The version's id is the one that the table names."""
    secrets, prefix = boto3.client("secretsmanager"), os.environ["LATCHKEY_SECRET_PREFIX"]
    secret = secrets.get_secret_value(SecretId=f"{prefix}/{tenant}")
    secrets.create_secret(
        Name=f"{prefix}/{TENANT}", SecretString=secret["SecretString"], ClientRequestToken=secret["VersionId"]
    )


def invoke(function):
    """The answer of a function to its event."""
    command = ["cargo", "lambda", "invoke", function, "--data-file", f"events/{function}.json"]
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
    tenant, keys = provision(admin)
    items = copies(tenant, keys)
    put(items)
    copy_secret(tenant)
    status, _ = call("GET", "/api/v1/fetch/nothing", headers=admin)
    expect(status == 404, f"a path that is no route: {status}")

    # In the order of the router: what a later event needs, an earlier one makes.
    routes = [(path, route) for path, routes in router.items() for route in routes]
    success, first = {}, {}
    for template, route in routes:
        path, function = template.replace("{tenant_id}", TENANT), route["function"]
        operation = document["paths"][template][route["method"].lower()]
        success[function] = min(int(status) for status in operation["responses"])
        made = event(function)
        # The event is of the first path; the others are aliases.
        named = (made["requestContext"]["http"]["method"], made["rawPath"])
        wanted = (route["method"], first.setdefault(function, path))
        expect(named == wanted, f"{route['method']} {path}: its event is of {named}")
        status, answer = replay(made, path)
        expect(status == success[function] and succeeded(path, answer), f"{path}: {status} {answer}")
        if operation["security"]:
            status, answer = replay(made, path, credentials=False)
            expect(status == 401, f"{path} without its credential: {status} {answer}")
        print(f"{route['method']} {template}: {success[function]}")

    # Once more, from the start: a key that was revoked meanwhile can't be rotated.
    put(items)
    for function in [*success, *sorted(functions - set(success))]:
        answer = invoke(function)
        if function in success:
            done = answer["statusCode"] == success[function] and succeeded(first[function], json.loads(answer["body"]))
        else:
            done = "errorType" not in answer
        # Not the whole answer: it may be a secret.
        expect(done, f"{function}: {answer.get('statusCode', answer)}")
        print(f"{function}: {answer.get('statusCode', answer)}")


main()
