#!/usr/bin/env bash
# Whether moto applies a filter pattern of CloudWatch Logs that names columns or fields.
# Needs Python with pip. Works in a temporary folder; calls nobody but the package's registry.
set -euo pipefail

packages=('moto[logs]==5.2.5' boto3==1.44.8)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "${packages[@]}" >install.txt 2>&1 ||
  { cat install.txt >&2; exit 1; }
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
cat >ask.py <<'PY'
import time

import boto3
from moto import mock_aws

MESSAGES = ['GET 200 "ANY /one"', 'GET 429 "ANY /two"', '{"status":200}', '{"status":429}']
PATTERNS = ['"429"', "[method, status = 429, route]", "{ $.status = 429 }", "[method, status = 500, route]"]

with mock_aws():
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName="sample")
    logs.create_log_stream(logGroupName="sample", logStreamName="one")
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": message} for message in MESSAGES]
    logs.put_log_events(logGroupName="sample", logStreamName="one", logEvents=events)
    for pattern in PATTERNS:
        found = logs.filter_log_events(logGroupName="sample", filterPattern=pattern)["events"]
        print(f"{pattern}: {len(found)} of {len(MESSAGES)}")
PY
venv/bin/python ask.py >seen.txt
cat >expected.txt <<'TXT'
"429": 2 of 4
[method, status = 429, route]: 4 of 4
{ $.status = 429 }: 4 of 4
[method, status = 500, route]: 4 of 4
TXT

echo "version: ${packages[*]} of PyPI, Python $(python3 -c 'import platform; print(platform.python_version())')"
echo "behaviour: a pattern that begins with a bracket or a brace finds every log event, without an error. By the syntax that AWS"
echo "  documents these three find one, one and none, so a test with moto says nothing of such a filter."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
