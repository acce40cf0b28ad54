"""The same life with moto as DynamoDB and Secrets Manager, behind the programs of the functions.

Arguments: the template, the folder of the built functions, the port of moto, and AWS's command line. moto's own Lambda
needs Docker, so a small Runtime API is here, with an HTTP API in front. The limit of calls is left out: a conditional
update of moto is not atomic (findings/moto-lets-more-writes-through-than-their-condition.sh).

Then a tenant goes on that an earlier release has left: tests/vectors/items.json has its items and secrets. And the table is
restored, and the region is another one, as the runbooks say. With a fifth argument, a file, what this life has left is
written there instead of all that: for a new release.
"""

import base64
import datetime
import http.server
import json
import os
import pathlib
import queue
import re
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid

import boto3
import yaml

from life import Deployment, Life, Receiver, expect
from runbooks import Runbooks

template_path, programs, port = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), sys.argv[3]
aws = pathlib.Path(sys.argv[4]).resolve()
LEFT = pathlib.Path("tests/vectors/items.json")
AWS = f"http://127.0.0.1:{port}"
OTHER_REGION = "eu-west-1"


class Loader(yaml.SafeLoader):
    """Of a template: what its tags say is not asked for here, but for the text that they have."""


Loader.add_multi_constructor("!", lambda loader, tag, node: getattr(node, "value", None))


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Nothing."""

    def reply(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("content-length") or 0))


def listen(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Function:
    """A program with a Runtime API of its own, started with its first event."""

    def __init__(self, program, environment):
        self.program, self.environment = program, environment
        self.events, self.results, self.lock, self.process = queue.Queue(), {}, threading.Lock(), None

    def start(self):
        function = self

        class Runtime(Quiet):
            def do_GET(self):
                request_id, event = function.events.get()
                deadline = str(int(time.time() * 1000) + 10_000)
                headers = [("lambda-runtime-aws-request-id", request_id), ("lambda-runtime-deadline-ms", deadline)]
                arn = f"arn:aws:lambda:us-east-1:123456789012:function:{function.program.name}"
                self.reply(200, event, [*headers, ("lambda-runtime-invoked-function-arn", arn)])

            def do_POST(self):
                [request_id, kind] = self.path.split("/")[-2:]
                function.results[request_id].put((kind, self.body()))
                self.reply(202)

        address = "127.0.0.1:%d" % listen(Runtime).server_port
        environment = {**os.environ, **self.environment, "AWS_LAMBDA_RUNTIME_API": address}
        names = {"FUNCTION_NAME": self.program.name, "FUNCTION_VERSION": "$LATEST", "FUNCTION_MEMORY_SIZE": "256"}
        environment |= {f"AWS_LAMBDA_{name}": value for name, value in names.items()}
        self.process = subprocess.Popen([self.program], env=environment, stdout=subprocess.DEVNULL)

    def __call__(self, event):
        with self.lock:
            if self.process is None:
                self.start()
        request_id = str(uuid.uuid4())
        self.results[request_id] = queue.Queue()
        self.events.put((request_id, json.dumps(event).encode()))
        kind, answer = self.results[request_id].get(timeout=20)
        del self.results[request_id]
        expect(kind == "response", f"{self.program.name}: {answer}")
        return json.loads(answer)


def gateway(routes):
    """The HTTP API: `routes` are patterns of paths with their functions."""

    class Api(Quiet):
        def do(self):
            target = urllib.parse.urlsplit(self.path)
            for path, function in routes:
                names = re.findall(r"\{(\w+)\}", path)
                found = re.fullmatch(re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(path)), target.path)
                if found:
                    break
            else:
                return self.reply(404, b'{"message":"Not Found"}')
            event = {
                "version": "2.0",
                "routeKey": f"ANY {path}",
                "rawPath": target.path,
                "rawQueryString": target.query,
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "queryStringParameters": dict(urllib.parse.parse_qsl(target.query, keep_blank_values=True)) or None,
                "pathParameters": dict(zip(names, map(urllib.parse.unquote, found.groups()))) or None,
                "requestContext": {
                    "accountId": "123456789012",
                    "apiId": "local",
                    "domainName": "localhost",
                    "http": {
                        "method": self.command,
                        "path": target.path,
                        "protocol": "HTTP/1.1",
                        "sourceIp": "127.0.0.1",
                        "userAgent": "",
                    },
                    "requestId": str(uuid.uuid4()),
                    "routeKey": f"ANY {path}",
                    "stage": "$default",
                    "time": "01/Jan/2026:00:00:00 +0000",
                    "timeEpoch": int(time.time() * 1000),
                },
                "body": self.body().decode(),
                "isBase64Encoded": False,
            }
            answer = function(event)
            body = answer.get("body") or ""
            body = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
            self.reply(answer["statusCode"], body, answer.get("headers", {}).items())

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = do

    return listen(Api)


def drawn(secret):
    """Text as the template has it generated."""
    return secret.get_random_password(PasswordLength=48, ExcludePunctuation=True)["RandomPassword"]


def text(value):
    """JSON, in which bytes are Base64."""
    return json.dumps(value, indent=1, default=lambda found: base64.b64encode(found).decode())


def with_bytes(value):
    """What was read of it, with the bytes of attributes."""
    return {"B": base64.b64decode(value["B"])} if set(value) == {"B"} else value


def left(life, dynamodb, secrets):
    """All that there is of a tenant."""
    pages = dynamodb.get_paginator("scan").paginate(TableName="latchkey")
    items = [item for page in pages for item in page["Items"] if life.id in text(item)]
    found = {}
    for folder in ("tenants", "signing-keys"):
        name = f"latchkey/dev/{folder}/{life.id}"
        versions = secrets.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"]
        # The oldest first: the order in which they are put back.
        versions = sorted(versions, key=lambda version: version["CreatedDate"])
        ids = [version["VersionId"] for version in versions]
        found[name] = {id: secrets.get_secret_value(SecretId=name, VersionId=id)["SecretString"] for id in ids}
    items.sort(key=lambda item: (item["pk"]["S"], item["sk"]["S"]))
    return {"tenant": life.known(), "secrets": found, "items": items}


def put_back(saved, life, dynamodb, secrets):
    """A tenant as it was left."""
    vars(life).update(saved["tenant"])
    for item in saved["items"]:
        dynamodb.put_item(TableName="latchkey", Item=item)
    for name, versions in saved["secrets"].items():
        for number, (id, value) in enumerate(versions.items()):
            if number == 0:
                secrets.create_secret(Name=name, SecretString=value, ClientRequestToken=id)
            else:
                # Under a stage of its own, as the service does: a version without one may be discarded.
                stages = [f"kept-{number}"]
                secrets.put_secret_value(SecretId=name, SecretString=value, ClientRequestToken=id, VersionStages=stages)


class Service:
    """All functions of a deployment, with an API in front."""

    def __init__(self, resources, environment):
        self.functions, routes = {}, []
        for resource in resources:
            if resource["Type"] != "AWS::Serverless::Function":
                continue
            name = resource["Metadata"]["BuildProperties"]["Binary"]
            self.functions[name] = Function(programs / name, environment)
            for event in resource["Properties"].get("Events", {}).values():
                if event["Type"] == "HttpApi":
                    routes.append((event["Properties"]["Path"], self.functions[name]))
        # Of two routes for a path, that without a parameter.
        routes.sort(key=lambda route: "{" in route[0])
        self.address = f"http://127.0.0.1:{gateway(routes).server_port}", {}

    def deployment(self, key):
        return Deployment(self.address, self.address, key, lambda name, event: self.functions[name](event))

    def end(self):
        for function in self.functions.values():
            if function.process is not None:
                function.process.kill()
                function.process.wait()


def runbooks():
    return Runbooks(PATH=os.pathsep.join([str(aws.parent), os.environ["PATH"]]), AWS_ENDPOINT_URL=AWS)


def restored(life, resources, environment):
    """The tenant after the table was restored. moto restores what is there now, whatever the moment."""
    run = runbooks()
    moment = datetime.datetime.now(datetime.timezone.utc).isoformat()
    run("restore", TABLE="latchkey", RESTORED="latchkey-restored", MOMENT=moment)
    expect("arn:" in run("restored-table", 'echo "$stream"', RESTORED="latchkey-restored"), "the table has no stream")
    service = Service(resources, environment | {"LATCHKEY_TABLE": "latchkey-restored"})
    try:
        life.at = service.deployment(life.at.key)
        life.still_there()
        life.signing_key()
    finally:
        service.end()
    print("lived on moto: on a restored table", flush=True)


def elsewhere(life, resources, environment, table):
    """The tenant in another region, with replicas of its secrets. moto copies no backup, so the items are copied here."""
    run = runbooks()
    # As on the next day: what is there already is left alone.
    for _ in range(2):
        run("replicas", OTHER_REGION=OTHER_REGION)
    here, there = (boto3.client("dynamodb", endpoint_url=AWS, region_name=region) for region in (None, OTHER_REGION))
    there.create_table(TableName="latchkey", **table)
    for page in here.get_paginator("scan").paginate(TableName="latchkey"):
        for item in page["Items"]:
            there.put_item(TableName="latchkey", Item=item)
    secrets = boto3.client("secretsmanager", endpoint_url=AWS, region_name=OTHER_REGION)
    # The operator's key is the new stack's own.
    key = drawn(secrets)
    secrets.create_secret(Name="latchkey/dev/admin-key", SecretString=json.dumps({"current": key}))
    service = Service(resources, environment | {"AWS_REGION": OTHER_REGION})
    try:
        life.at = service.deployment(key)
        life.still_there()
    finally:
        service.end()
    print("lived on moto: in another region", flush=True)


def main():
    template = yaml.load(pathlib.Path(template_path).read_text(), Loader)
    dynamodb, secrets = boto3.client("dynamodb", endpoint_url=AWS), boto3.client("secretsmanager", endpoint_url=AWS)
    resources = list(template["Resources"].values())
    [table] = [resource["Properties"] for resource in resources if resource["Type"] == "AWS::DynamoDB::Table"]
    asked = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    wanted = {name: table[name] for name in asked}
    dynamodb.create_table(TableName="latchkey", **wanted)
    key = drawn(secrets)
    secrets.create_secret(Name="latchkey/dev/admin-key", SecretString=json.dumps({"current": key}))
    environment = {
        "LATCHKEY_TABLE": "latchkey",
        "LATCHKEY_ADMIN_SECRET": "latchkey/dev/admin-key",
        "LATCHKEY_SECRET_PREFIX": "latchkey/dev",
        "LATCHKEY_TRACE_KEY": drawn(secrets),
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": AWS,
    }
    service = Service(resources, environment)
    life = Life(service.deployment(key))
    receiver = Receiver()
    try:
        for part in ("begin", "people", "rows", "relay", "signing_key", "suspension", "keys_end", "schedules"):
            getattr(life, part)()
            print(f"lived on moto: {part}", flush=True)
        sweep = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
        life.callbacks(receiver, lambda: service.functions["deliver-callbacks"](sweep))
        life.still_there()
        print(f"lived on moto: callbacks, by the sweep: {sorted(receiver.types())}; {len(life.audited())} audit events")
        if len(sys.argv) > 5:
            pathlib.Path(sys.argv[5]).write_text(text(left(life, dynamodb, secrets)) + "\n")
            return
        earlier = Life(life.at)
        put_back(json.loads(LEFT.read_text(), object_hook=with_bytes), earlier, dynamodb, secrets)
        earlier.go_on()
        print("lived on moto: a tenant of an earlier release", flush=True)
        restored(life, resources, environment)
        life.at = service.deployment(key)
        elsewhere(life, resources, environment, wanted)
    finally:
        receiver.close()
        service.end()


main()
