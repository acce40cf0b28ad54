#!/usr/bin/env bash
# Whether MiniStack leaves out of a generated secret what the template excludes.
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


import string

generate = {
    "SecretStringTemplate": "{}",
    "GenerateStringKey": "current",
    "PasswordLength": 1000,
    "ExcludePunctuation": True,
    "ExcludeNumbers": True,
    "ExcludeCharacters": "abc",
}
secret = {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "sample", "GenerateSecretString": generate}}
print("stack:", create({"Secret": secret}))
value = boto3.client("secretsmanager").get_secret_value(SecretId="sample")["SecretString"]
drawn = set(json.loads(value)["current"])
for name, excluded in (("punctuation", string.punctuation), ("numbers", string.digits), ("abc", "abc")):
    print(f"{name}:", "is there" if drawn & set(excluded) else "is left out")
PY
venv/bin/python ask.py >seen.txt
cat >expected.txt <<'TXT'
stack: CREATE_COMPLETE
punctuation: is there
numbers: is there
abc: is left out
TXT

echo "version: ${packages[*]} of PyPI, Python $(python3 -c 'import platform; print(platform.python_version())')"
echo "behaviour: ExcludeCharacters of GenerateSecretString is obeyed, ExcludePunctuation and ExcludeNumbers are not. What reads"
echo "  the secret gets characters that AWS would not have put there."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
