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
TENANT = "tnt_" + "0" * 32  # the tenant in events/*.json


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


def replay(made, headers=None):
    """The request that an event was made of."""
    headers = headers or {name: value for name, value in made["headers"].items() if name != "host"}
    method = made["requestContext"]["http"]["method"]
    return call(method, made["rawPath"], made["rawQueryString"], made.get("body"), headers)


def provision(headers):
    """A new tenant, which can be fetched."""
    status, made = call("POST", "/api/v1/provision/tenant", body='{"tenant_name":"Watched"}', headers=headers)
    expect(status == 201, f"provision: {status} {made}")
    tenant = made["data"]["tenant_id"]
    status, found = call("GET", "/api/v1/fetch/tenant", f"tenant_id={tenant}", headers=headers)
    expect(status == 200 and found["data"]["tenant_name"] == "Watched", f"fetch of {tenant}: {status} {found}")
    return tenant


def seed(tenant):
    """The tenant that the events name. Ids are drawn, so it is a copy of the only tenant there is, under another id."""
    dynamodb, table = boto3.client("dynamodb"), os.environ["LATCHKEY_TABLE"]
    for item in dynamodb.scan(TableName=table)["Items"]:
        dynamodb.put_item(TableName=table, Item=json.loads(json.dumps(item).replace(tenant, TENANT)))
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
    functions = sorted(path.stem for path in pathlib.Path("functions/src/bin").glob("*.rs"))
    for _ in range(100):
        if not socket.socket().connect_ex(("127.0.0.1", int(PORT))):
            break
        time.sleep(0.1)

    admin = {"x-admin-key": event("provision-tenant")["headers"]["x-admin-key"], "content-type": "application/json"}
    seed(provision(admin))
    status, _ = call("GET", "/api/v1/fetch/nothing", headers=admin)
    expect(status == 404, f"a path that is no route: {status}")

    success = {}
    for path, routes in router.items():
        for route in routes:
            operation = document["paths"][path][route["method"].lower()]
            success[route["function"]] = min(int(status) for status in operation["responses"])
            made = event(route["function"])
            named = (made["requestContext"]["http"]["method"], made["rawPath"])
            expect(named == (route["method"], path), f"{route['method']} {path}: its event is of {named}")
            status, answer = replay(made)
            expect(status == success[route["function"]] and answer.get("success"), f"{path}: {status} {answer}")
            status, answer = replay(made, {"content-type": "application/json"})
            expect(status == 401, f"{path} without the admin key: {status} {answer}")
            print(f"{route['method']} {path}: {success[route['function']]}")

    for function in functions:
        answer = invoke(function)
        if function in success:
            done = answer["statusCode"] == success[function] and json.loads(answer["body"])["success"]
        else:
            done = "errorType" not in answer
        expect(done, f"{function}: {answer}")
        print(f"{function}: {answer.get('statusCode', answer)}")


main()
