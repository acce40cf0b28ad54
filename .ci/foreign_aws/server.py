"""Starts MiniStack, with four faults mended that no deployment of this template could get past.

Each mend is of one fault and begins with a look at it: where MiniStack does it right, this program fails, and the mend
has to go. Everything else of MiniStack is as its package has it. Argument: the port.
"""

import copy
import importlib
import os
import socket
import string
import sys
import threading
import time

PORT = int(sys.argv[1])
os.environ |= {
    "GATEWAY_PORT": f"{PORT}",
    "EDGE_PORT": f"{PORT}",
    "BIND_HOST": "127.0.0.1",
    # What it gives to functions as the address of AWS.
    "AWS_ENDPOINT_URL": f"http://127.0.0.1:{PORT}",
    "LOG_LEVEL": "WARNING",
}

app = importlib.import_module("ministack.app")
stacks = importlib.import_module("ministack.services.cloudformation.provisioners")
gateway = importlib.import_module("ministack.services.apigateway")
secrets = importlib.import_module("ministack.services.secretsmanager")


def still(fault, is_there):
    """Ends if a fault is no longer there."""
    if not is_there:
        sys.exit(f"MiniStack has mended this, so the mend in {__file__} has to go: {fault}")
    print(f"mended here: {fault}", flush=True)


def mend_generated_secrets():
    """`GenerateSecretString` of a template: all exclusions, and not only `ExcludeCharacters`."""
    faulty = stacks._sm_secret_string
    excluded = {
        "ExcludePunctuation": string.punctuation,
        "ExcludeNumbers": string.digits,
        "ExcludeLowercase": string.ascii_lowercase,
        "ExcludeUppercase": string.ascii_uppercase,
    }
    sample = {"GenerateSecretString": {"PasswordLength": 1000, "ExcludePunctuation": True, "IncludeSpace": False}}
    still("a template's ExcludePunctuation does nothing", set(faulty(sample)) & set(string.punctuation))

    def mended(properties):
        properties = copy.deepcopy(properties)
        generate = properties.get("GenerateSecretString") or {}
        without = [characters for name, characters in excluded.items() if str(generate.get(name)).lower() == "true"]
        generate["ExcludeCharacters"] = generate.get("ExcludeCharacters", "") + "".join(without)
        generate["PasswordLength"] = int(generate.get("PasswordLength", 32))
        return faulty(properties)

    stacks._sm_secret_string = mended


def mend_tokens_of_new_secrets():
    """`CreateSecret`: the token becomes the version's id."""
    faulty = secrets._create_secret
    token = "0" * 32
    faulty({"Name": "sample", "SecretString": "sample", "ClientRequestToken": token})
    still("CreateSecret ignores ClientRequestToken", token not in secrets._secrets["sample"]["Versions"])
    del secrets._secrets["sample"]

    def mended(data):
        status, headers, body = faulty(data)
        token = data.get("ClientRequestToken")
        if status >= 300 or not token:
            return status, headers, body
        secret = secrets._secrets[data["Name"]]
        [drawn] = secret["Versions"]
        secret["Versions"] = {token: secret["Versions"][drawn]}
        text = body.decode() if isinstance(body, bytes) else body
        text = text.replace(drawn, token)
        return status, headers, text.encode() if isinstance(body, bytes) else text

    secrets._create_secret = mended


def mend_apis_with_a_body():
    """`AWS::ApiGatewayV2::Api` with an OpenAPI document, as SAM makes it: a route and an integration a path."""
    handlers = stacks._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
    create, update = handlers["create"], handlers["update"]
    target = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations"
    integration = {"type": "aws_proxy", "httpMethod": "POST", "payloadFormatVersion": "2.0", "uri": target}
    operation = {"x-amazon-apigateway-integration": integration}
    sample = {"Body": {"openapi": "3.0.1", "paths": {"/sample": {"get": operation}}}}
    api, _ = create("Sample", sample, "sample")
    still("an HTTP API with an OpenAPI document has no routes", not gateway._routes[api])
    handlers["delete"](api, sample)

    def routes(api, properties):
        gateway._routes[api], gateway._integrations[api] = {}, {}
        for path, methods in (properties.get("Body") or {}).get("paths", {}).items():
            for method, operation in methods.items():
                method = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
                found = operation["x-amazon-apigateway-integration"]
                before = set(gateway._integrations[api])
                gateway._create_integration(
                    api,
                    {
                        "integrationType": found["type"].upper(),
                        "integrationUri": found["uri"],
                        "payloadFormatVersion": found["payloadFormatVersion"],
                    },
                )
                [made] = set(gateway._integrations[api]) - before
                is_signed = any("AWS_IAM" in scheme for scheme in operation.get("security", []))
                gateway._create_route(
                    api,
                    {
                        "routeKey": f"{method} {path}",
                        "target": f"integrations/{made}",
                        "authorizationType": "AWS_IAM" if is_signed else "NONE",
                    },
                )

    def created(logical_id, properties, *rest):
        made = create(logical_id, properties, *rest)
        routes(made[0], properties)
        return made

    def updated(physical_id, old, new, *rest, **more):
        made = update(physical_id, old, new, *rest, **more)
        routes(made[0], new)
        return made

    handlers["create"], handlers["update"] = created, updated


def mend_alarms_of_several_metrics():
    """`AWS::CloudWatch::Alarm` with `Metrics`: the alarm is there, of the first of them. It never goes off here anyhow."""
    handlers = stacks._RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"]
    create, update = handlers["create"], handlers.get("update")

    def of_one(properties):
        stats = [metric["MetricStat"] for metric in properties.get("Metrics", ()) if "MetricStat" in metric]
        if not stats:
            return properties
        plain = {name: value for name, value in properties.items() if name != "Metrics"}
        return {**plain, **stats[0]["Metric"], "Statistic": stats[0]["Stat"], "Period": stats[0]["Period"]}

    metric = {"Namespace": "Sample", "MetricName": "sample", "Dimensions": []}
    metrics = [{"Id": "one", "MetricStat": {"Metric": metric, "Stat": "Sum", "Period": 300}}]
    try:
        create("Sample", {"AlarmName": "sample", "Metrics": metrics}, "sample")
        refused = False
    except Exception:
        refused = True
    still("an alarm of several metrics is refused", refused)

    handlers["create"] = lambda logical_id, properties, *rest: create(logical_id, of_one(properties), *rest)
    if update:
        handlers["update"] = lambda physical_id, old, new, *rest, **more: update(
            physical_id, of_one(old), of_one(new), *rest, **more
        )


def say_when_ready():
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", PORT)) == 0:
                break
        time.sleep(0.1)
    print("ready", flush=True)


def main():
    mend_generated_secrets()
    mend_tokens_of_new_secrets()
    mend_apis_with_a_body()
    mend_alarms_of_several_metrics()
    threading.Thread(target=say_when_ready, daemon=True).start()
    sys.argv = sys.argv[:1]
    app.main()


main()
