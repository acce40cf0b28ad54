"""Checks the functions under `cargo lambda watch`: every route of the router block over HTTP, every function by its event.

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
TENANT = "tnt_" + "0" * 32  # the tenant in events/*.json
VERSION = "00000000-0000-4000-8000-000000000000"


def event(function):
    return json.loads(pathlib.Path(f"events/{function}.json").read_text())


def seed():
    """Events have fixed ids, and ids are drawn: so the tenant that they name is written past the service."""
    now = int(time.time() * 1000)
    table, secrets = os.environ["LATCHKEY_TABLE"], os.environ["LATCHKEY_SECRET_PREFIX"]
    key = {"pk": {"S": f"TENANT#{TENANT}"}}
    state = {
        "sk": {"S": "STATE"},
        "tenant_name": {"S": "Seed"},
        "tenant_status": {"S": "active"},
        "listing": {"S": "tenants"},
        "listing_order": {"S": f"{now:015}#{TENANT}"},
        "created_at": {"N": str(now)},
        "rate_limit_per_min": {"N": "60"},
        "abuse_strikes": {"N": "0"},
        "revision": {"N": "0"},
        "secret_version": {"S": VERSION},
        "secret_label": {"S": "slot-0"},
    }
    configuration = {"sk": {"S": "CONFIG"}, "qr_login_allowed_origins": {"L": []}, "webauthn_origins": {"L": []}}
    dynamodb = boto3.client("dynamodb")
    for item in (state, configuration):
        dynamodb.put_item(TableName=table, Item=key | item)
    boto3.client("secretsmanager").create_secret(
        Name=f"{secrets}/{TENANT}",
        ClientRequestToken=VERSION,
        SecretString=json.dumps({"tenant_secret": "sk_" + "0" * 64}),
    )


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


def replay(event, headers=None):
    """The request that an event was made of."""
    http = event["requestContext"]["http"]
    headers = headers or {name: event["headers"][name] for name in event["headers"] if name != "host"}
    return call(http["method"], event["rawPath"], event["rawQueryString"], event.get("body"), headers)


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
    functions = sorted(path.stem for path in pathlib.Path("functions/src/bin").glob("*.rs"))
    seed()
    for _ in range(100):
        if not socket.socket().connect_ex(("127.0.0.1", int(PORT))):
            break
        time.sleep(0.1)

    success = {}
    for path, routes in router.items():
        for route in routes:
            operation = document["paths"][path][route["method"].lower()]
            success[route["function"]] = min(int(status) for status in operation["responses"])
            made = event(route["function"])
            expect((made["rawPath"], made["requestContext"]["http"]["method"]) == (path, route["method"]), f"{path}: its event")
            status, answer = replay(made)
            expect(status == success[route["function"]] and answer.get("success"), f"{path}: {status} {answer}")
            status, answer = replay(made, {"content-type": "application/json"})
            expect(status == 401, f"{path} without the admin key: {status} {answer}")
            print(f"{route['method']} {path}: {success[route['function']]}")

    admin = {"x-admin-key": event("provision-tenant")["headers"]["x-admin-key"], "content-type": "application/json"}
    _, made = call("POST", "/api/v1/provision/tenant", body='{"tenant_name":"Watched"}', headers=admin)
    made = made["data"]["tenant_id"]
    status, found = call("GET", "/api/v1/fetch/tenant", f"tenant_id={made}", headers=admin)
    expect(status == 200 and found["data"]["tenant_name"] == "Watched", f"fetch of {made}: {status} {found}")
    status, _ = call("GET", "/api/v1/fetch/nothing", headers=admin)
    expect(status == 404, f"a path that is no route: {status}")

    for function in functions:
        answer = invoke(function)
        if function in success:
            done = answer["statusCode"] == success[function] and json.loads(answer["body"])["success"]
        else:
            done = "errorType" not in answer
        expect(done, f"{function}: {answer}")
        print(f"{function}: {answer.get('statusCode', answer)}")


main()
