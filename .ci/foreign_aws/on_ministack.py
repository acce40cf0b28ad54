"""The life of the stack on MiniStack: deployed by SAM, used, deployed again, changed, deleted, deployed on its table.

Arguments: the folder that package.py has made, the programs `sam` and `aws`, and the port of MiniStack. Everything after the
deployment goes through the deployed functions.
"""

import datetime
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from life import Deployment, Life, Receiver, expect, until
from runbooks import Runbooks

package, sam, aws, port = sys.argv[1:]
STACK = "latchkey-dev"
cloudformation, dynamodb = boto3.client("cloudformation"), boto3.client("dynamodb")
gateway = boto3.client("apigatewayv2")
functions, secrets = boto3.client("lambda"), boto3.client("secretsmanager")


def deploy(**parameters):
    """What `sam deploy` prints."""
    command = [sam, "deploy", "--template-file", f"{package}/template.yaml", "--no-confirm-changeset"]
    command += ["--config-file", str(pathlib.Path("samconfig.toml").resolve())]
    # A new gateway has a new address, and with it as the issuer each earlier token would be somebody else's.
    parameters = {"PublicUrl": "https://auth.example.com", **parameters}
    command += ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    text = done.stdout + done.stderr
    expect(done.returncode == 0, f"sam deploy: {text[-3000:]}")
    return text


def outputs():
    [stack] = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def invoke(function, event):
    """What a function answers to an event."""
    answer = functions.invoke(FunctionName=f"latchkey-dev-{function}", Payload=json.dumps(event))
    text = answer["Payload"].read()
    expect("FunctionError" not in answer, f"{function}: {text}")
    return json.loads(text)


def deployment():
    """The stack as its outputs have it. The gateway is told by the header which API is meant."""
    found = outputs()

    def at(output):
        host = re.fullmatch(r"https://(\w+)\.execute-api\.[^/]+", found[output])
        return f"http://127.0.0.1:{port}", {"host": f"{host[1]}.execute-api.localhost:{port}"}

    text = secrets.get_secret_value(SecretId=found["AdminKeySecret"])["SecretString"]
    return Deployment(at("OperatorApiUrl"), at("ApiUrl"), json.loads(text)["current"], invoke)


def names():
    """Of the secrets that there are."""
    pages = secrets.get_paginator("list_secrets").paginate()
    return {secret["Name"] for page in pages for secret in page["SecretList"]}


def count(table):
    return dynamodb.scan(TableName=table, Select="COUNT")["Count"]


def step(text, since=[time.monotonic()]):
    now = time.monotonic()
    print(f"{now - since[0]:6.1f} s  {text}", flush=True)
    since[0] = now


def main():
    deploy()
    resources = cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK)
    resources = [found for page in resources for found in page["StackResourceSummaries"]]
    expect(all(found["ResourceStatus"] == "CREATE_COMPLETE" for found in resources), "a resource is not complete")
    step(f"deployed by sam deploy: {len(resources)} resources")
    smoke()
    step("docs/operate/smoke.py says that it works")
    doors()
    step("the registry is at its own addresses alone, and one of them asks for a principal of IAM")

    life, receiver = Life(deployment()), Receiver()
    for part in ("begin", "people", "rows", "relay", "signing_key", "suspension", "keys_end", "limit", "schedules"):
        getattr(life, part)()
        step(f"lived: {part}")
    # Nothing is done for them: they come by the table's stream and its mapping.
    life.callbacks(receiver, lambda: None)
    step(f"callbacks came through the stream's mapping: {sorted(receiver.types())}")
    actions = life.audited()
    step(f"audit events: {len(actions)} of {len(set(actions))} kinds")

    signed_by_a_person(life)
    step("suspended through the door for principals of IAM: the audit event names who it was")
    runbooks(life)

    expect("No changes to deploy" in deploy(), "a second deployment of the same changes something")
    step("deployed again: no change")

    expect(life.account("POST", "agent-sessions", {})[0] == 201, "a session that names no end user is refused")
    code = {name: code_of(name) for name in ("user-token", "relay-whoami", "fetch-tenant")}
    for function in ("UserTokenFunction", "RelayWhoamiFunction"):
        with open(f"{package}/{function}/bootstrap", "a") as file:
            file.write("# Another release.\n")
    topic = boto3.client("sns").create_topic(Name="alarms")["TopicArn"]
    with Traffic(life) as traffic:
        deploy(
            RequireEndUser="true", MemorySize=512, AlarmTopicArn=topic, OperatorReservedConcurrency=2,
            OperatorAccess="iam",
        )
    step(f"{len(traffic.statuses)} calls during the deployment: {sorted(set(traffic.statuses))}")
    changed = {name for name, digest in code.items() if code_of(name) != digest}
    expect(changed == {"user-token", "relay-whoami"}, f"functions with other code: {changed}")
    alarms()
    life.at = deployment()
    life.still_there()
    status, answer = life.account("POST", "agent-sessions", {})
    expect(400 <= status < 500, f"a session that names no end user, where one is required: {status} {answer}")
    memory = functions.get_function_configuration(FunctionName="latchkey-dev-user-token")["MemorySize"]
    expect(memory == 512, f"{memory} MiB of memory")
    step("deployed with other parameters: they hold, and all that was made is there")

    table, stream = outputs()["TableName"], outputs()["TableStream"]
    items = count(table)
    cloudformation.delete_stack(StackName=STACK)
    until(60, is_gone, "the stack is not deleted")
    expect(count(table) == items > 10, "the table has not what it had")
    left = names()
    expect(not {name for name in left if not re.search("/(tenants|signing-keys)/", name)}, f"secrets are left: {left}")
    expect({f"latchkey/dev/tenants/{life.id}", f"latchkey/dev/signing-keys/{life.id}"} <= left, f"not left: {left}")
    expect(not functions.list_functions()["Functions"], "functions are left")
    step(f"deleted: what is left is the table with {items} items and the secrets of tenants")

    deploy(ExistingTable=table, ExistingTableStream=stream)
    life.at = deployment()
    expect(outputs()["TableName"] == table, "the stack has a table of its own")
    life.still_there()
    before = len(receiver.got)
    life.suspension()
    until(30, lambda: len(receiver.got) == before + 2, "callbacks by the kept table's stream")
    cloudformation.delete_stack(StackName=STACK)
    until(60, is_gone, "the stack is not deleted")
    expect(count(table) > items, "the table goes with the second stack")
    step("deployed on the kept table: all that was made is there, and its stream delivers; deleted once more")
    receiver.close()


def code_of(function):
    return functions.get_function_configuration(FunctionName=f"latchkey-dev-{function}")["CodeSha256"]


def alarms():
    """What there is only with a topic. MiniStack takes the parameters for the operator, reserves no concurrency, and closes
    no address."""
    pages = boto3.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix="latchkey-dev-")
    found = {alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]}
    page = pathlib.Path("docs/operate/observability.md").read_text().split("\n## Alarms\n")[1].split("\n## ")[0]
    named = {name for row in re.findall(r"^\| (`.*?) \|", page, re.M) for name in re.findall("`([^`]+)`", row)}
    surfaces = ("registry", "projects", "account", "relay", "tokens", "device", "console")
    named = (named - {"<surface>-401"}) | {f"{surface}-401" for surface in surfaces}
    expect(found == {f"latchkey-dev-{name}" for name in named}, f"alarms: {sorted(found)}, and in words {sorted(named)}")
    step(f"with a topic there are {len(found)} alarms, those of the document")


class Traffic:
    """Signed calls, one after the other, for as long as it is entered."""

    def __init__(self, life):
        self.life, self.statuses, self.is_over = life, [], threading.Event()
        self.thread = threading.Thread(target=self.call)

    def call(self):
        while not self.is_over.wait(0.05):
            self.statuses.append(self.life.signed("v2")[0])

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()
        # MiniStack ends a function that is changed in the middle of a call (502), which AWS lets finish, and while it
        # changes a stack its table may answer too late (503).
        cut = len(self.statuses) - self.statuses.count(200)
        expect(cut <= max(10, len(self.statuses) // 3), f"{cut} of {len(self.statuses)} calls failed")
        expect(self.statuses[-1:] == [200], f"the last calls: {self.statuses[-10:]}")
        expect(set(self.statuses) <= {200, 502, 503}, f"calls during a deployment: {set(self.statuses)}")


def runbooks(life):
    """Those of the documents, on another tenant: each does what it says."""
    other = Life(deployment())
    other.begin()
    other.people()
    other.rows()
    at, begun = other.at, time.time()
    api = at.operator[1]["host"].partition(".")[0]
    operator = f"http://127.0.0.1:{port}/_aws/execute-api/{api}/$default"
    names = {"LATCHKEY_OPERATOR_API": operator, "LATCHKEY_ADMIN_KEY": at.key, "TENANT": other.id}
    path = os.pathsep.join([str(pathlib.Path(aws).resolve().parent), os.environ["PATH"]])
    run = Runbooks(**names, PATH=path, TABLE=outputs()["TableName"])

    old = other.secret
    rotated = run("tenant-secret")
    other.secret = re.search('"tenant_secret":"([^"]+)"', rotated)[1]
    expect([other.signed("v2", secret=secret)[0] for secret in (old, other.secret)] == [401, 200], rotated)
    run("signing-key")
    expect(not other.is_active(other.token), "a token of the leaked signing key is active")
    token = other.user_token()
    run("after-a-restore")
    expect(not other.is_active(token), "a token is active that was revoked")
    token = other.user_token()
    expect("tokens.revoked" in run("tenant-people"), "the revocation is in no audit event")
    expect(not other.is_active(token), "a token is active after the tenant's secret had leaked")
    run("api-key", KEY_ID=other.spare["key_id"])
    status, _ = other.projects("user-token", {"userId": other.user}, other.spare["api_key"])
    expect(status == 401, f"a revoked key: {status}")
    run("suspend")
    expect(other.signed("v2")[0] == 403, "a suspended tenant gets in")
    at.done("POST", f"reactivate/tenant?tenant_id={other.id}")
    expect(run("secrets").strip().isdigit(), "the number of secrets is none")

    # Events say when they were to the millisecond, cut off.
    since = datetime.datetime.fromtimestamp(math.floor(begun * 1000) / 1000, datetime.timezone.utc).isoformat()
    listed = [line.split()[1:3] for line in run("revocations", SINCE=since).splitlines()]
    actions = ["tenant.secret_rotated", "tenant.signing_key_rotated"]
    actions += ["tenant.signing_key_rotated", "tokens.revoked", "tokens.revoked", "api_key.revoked", "tenant.suspended"]
    expect(listed == [[other.id, action] for action in actions], f"revocations: {listed}")
    pathlib.Path("items.json").unlink()
    restored()
    run("restored-table", 'echo "$stream"', RESTORED="restored")

    # The last: from here on another key is right.
    run("admin-key")
    expect(at.registry("GET", "fetch/tenants")[0] == 401, "the leaked key of the operator opens the registry")
    run("admin-key-events", LATCHKEY_ADMIN_KEY=deployment().key)
    life.at = deployment()
    invoked(life)
    # These are for moto, which can restore a table and replicate a secret.
    run.end("restore", "replicas")
    step(f"runbooks: {', '.join(sorted(run.run))}")


def restored():
    """A table as a restored one: with its indexes, and without a stream, a time to live and backups."""
    table = dynamodb.describe_table(TableName=outputs()["TableName"])["Table"]
    wanted = ("IndexName", "KeySchema", "Projection")
    indexes = [{name: index[name] for name in wanted} for index in table["GlobalSecondaryIndexes"]]
    keys = {name: table[name] for name in ("KeySchema", "AttributeDefinitions")}
    dynamodb.create_table(TableName="restored", BillingMode="PAY_PER_REQUEST", GlobalSecondaryIndexes=indexes, **keys)


def invoked(life):
    """A suspension past the gateway, as the documents say; its lines are cut out of them."""
    page = pathlib.Path("docs/operate/deploy.md").read_text()
    block = re.search(r"```sh\n(sed -e .*?aws lambda invoke.*?)```", page, re.S)[1]
    environment = {"TENANT": life.id, "LATCHKEY_ADMIN_KEY": life.at.key}
    path = os.pathsep.join([str(pathlib.Path(aws).resolve().parent), os.environ["PATH"]])
    command = ["bash", "-euo", "pipefail", "-c", block]
    done = subprocess.run(command, env={**os.environ, **environment, "PATH": path}, capture_output=True, text=True)
    expect(done.returncode == 0, done.stdout + done.stderr)
    expect(life.signed("v2")[0] == 403, f"the tenant gets in after {done.stdout}")
    life.at.done("POST", f"reactivate/tenant?tenant_id={life.id}")


def smoke():
    """What operators run after a deployment. Here, the gateway is told by the path which API is meant."""
    found = outputs()
    environment = {"LATCHKEY_ADMIN_KEY": deployment().key}
    for name, output in (("LATCHKEY_API", "ApiUrl"), ("LATCHKEY_OPERATOR_API", "OperatorApiUrl")):
        api = re.fullmatch(r"https://(\w+)\..+", found[output])[1]
        environment[name] = f"http://127.0.0.1:{port}/_aws/execute-api/{api}/$default"
    command = [sys.executable, "docs/operate/smoke.py"]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120)
    expect(done.returncode == 0 and done.stdout.endswith("the deployment works\n"), done.stdout + done.stderr)


def doors():
    """Where the registry can be reached."""
    at, found = deployment(), outputs()
    expect(at.registry("GET", "fetch/tenants")[0] == 200, "the operator's API does not let the operator in")
    for path in ("/api/v1/fetch/tenants", "/api/v1/suspend/tenant"):
        status, answer = at.call("POST", path, {}, {"x-admin-key": at.key})
        expect((status, answer) == (404, {"message": "Not Found"}), f"{path} at what tenants call: {status} {answer}")
    for output, kind in (("ApiUrl", "NONE"), ("OperatorApiUrl", "NONE"), ("OperatorIamApiUrl", "AWS_IAM")):
        api = re.fullmatch(r"https://(\w+)\..+", found[output])[1]
        kinds = {route["AuthorizationType"] for route in gateway.get_routes(ApiId=api)["Items"]}
        expect(kinds == {kind}, f"authorization of routes at {output}: {kinds}")


def signed_by_a_person(life):
    """The door for principals of IAM: who signs is in the audit event. MiniStack looks the key up, and takes any
    signature."""
    iam = boto3.client("iam")
    iam.create_user(UserName="ada")
    made = iam.create_access_key(UserName="ada")["AccessKey"]
    host = re.fullmatch(r"https://(\w+)\..+", outputs()["OperatorIamApiUrl"])[1] + f".execute-api.localhost:{port}"
    door = f"http://127.0.0.1:{port}", {"host": host}
    path, body = f"/api/v1/suspend/tenant?tenant_id={life.id}", json.dumps({"reason": "leaked"})
    headers = {"x-admin-key": life.at.key}
    status, _ = life.at.call("POST", path, body, headers, door)
    expect(status == 403, f"without a signature: {status}")
    request = AWSRequest("POST", f"http://{host}{path}", headers, body)
    credentials = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    SigV4Auth(credentials, "execute-api", boto3.session.Session().region_name).add_auth(request)
    status, answer = life.at.call("POST", path, body, dict(request.headers), door)
    expect(status == 200, f"with a signature: {status} {answer}")
    life.at.done("POST", f"reactivate/tenant?tenant_id={life.id}")
    events = life.at.done("GET", f"fetch/audit-events?tenant_id={life.id}&limit=2")["events"]
    found = [(event["action"], (event["principal"] or "").partition(":user/")[2]) for event in events]
    expect(found == [("tenant.reactivated", ""), ("tenant.suspended", "ada")], f"audit events: {found}")


def is_gone():
    try:
        [stack] = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    except cloudformation.exceptions.ClientError as error:
        return "does not exist" in str(error)
    expect(not stack["StackStatus"].endswith("FAILED"), f"the stack is {stack['StackStatus']}")
    return stack["StackStatus"] == "DELETE_COMPLETE"


main()
