#!/usr/bin/env bash
# Whether MiniStack gives an HTTP API the routes of the OpenAPI document that a template has for it, as SAM makes it.
# Needs Python with pip. Works in a temporary folder, on a port of its own.
set -euo pipefail

packages=(ministack==1.5.33 boto3==1.43.106)
folder=$(mktemp -d)
server=''
trap '[[ -z $server ]] || { kill "$server"; wait "$server" 2>/dev/null || true; }; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "${packages[@]}" >install.txt 2>&1 ||
  { cat install.txt >&2; exit 1; }
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1
export AWS_ENDPOINT_URL="http://127.0.0.1:$port" AWS_EC2_METADATA_DISABLED=true
GATEWAY_PORT=$port BIND_HOST=127.0.0.1 venv/bin/ministack >server.txt 2>&1 &
server=$!
for _ in {1..300}; do
  if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  sleep 0.1
done
cat >ask.py <<'PY'
import json
import time

import boto3

cloudformation = boto3.client("cloudformation")


def create(resources):
    template = json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})
    cloudformation.create_stack(StackName="sample", TemplateBody=template)
    for _ in range(100):
        status = cloudformation.describe_stacks(StackName="sample")["Stacks"][0]["StackStatus"]
        if not status.endswith("IN_PROGRESS"):
            return status
        time.sleep(0.1)


target = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations"
integration = {"type": "aws_proxy", "httpMethod": "POST", "payloadFormatVersion": "2.0", "uri": target}
document = {
    "openapi": "3.0.1",
    "info": {"title": "sample", "version": "1.0"},
    "paths": {"/a": {"get": {"responses": {}, "x-amazon-apigateway-integration": integration}}},
}
print("stack:", create({"Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Body": document}}}))
gateway = boto3.client("apigatewayv2")
[api] = gateway.get_apis()["Items"]
print("name:", "of the document" if api["Name"] == "sample" else "another one")
print("routes:", [route["RouteKey"] for route in gateway.get_routes(ApiId=api["ApiId"])["Items"]])
PY
venv/bin/python ask.py >seen.txt
cat >expected.txt <<'TXT'
stack: CREATE_COMPLETE
name: another one
routes: []
TXT

echo "version: ${packages[*]} of PyPI, Python $(python3 -c 'import platform; print(platform.python_version())')"
echo "behaviour: the stack is complete, and its HTTP API has no route and not the name of the document. API Gateway imports"
echo "  a Body: a route, with its integration, for each operation of the document, and its title as the name."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
