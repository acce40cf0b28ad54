#!/usr/bin/env bash
# Which log events a filter pattern for JSON finds in moto and in MiniStack.
# Needs Python with pip. Works in a temporary folder, on ports of its own.
set -euo pipefail

packages=('moto[logs,server]==5.2.5' ministack==1.5.33)
client=boto3==1.43.106
folder=$(mktemp -d)
servers=()
trap 'kill "${servers[@]}" 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
cd "$folder"
export PIP_DISABLE_PIP_VERSION_CHECK=1
for number in 0 1; do
  python3 -m venv "venv$number"
  "venv$number/bin/pip" install --quiet "${packages[number]}" "$client" >install.txt 2>&1 ||
    { cat install.txt >&2; exit 1; }
done
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
moto=$(free_port)
venv0/bin/moto_server -H 127.0.0.1 -p "$moto" >moto.txt 2>&1 &
servers+=("$!")
ministack=$(free_port)
GATEWAY_PORT=$ministack BIND_HOST=127.0.0.1 venv1/bin/ministack >ministack.txt 2>&1 &
servers+=("$!")
for port in "$moto" "$ministack"; do
  for _ in {1..300}; do
    if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
    sleep 0.1
  done
done
cat >ask.py <<'PY'
import time

import boto3

logs = boto3.client("logs")
place = {"logGroupName": "sample", "logStreamName": "one"}
logs.create_log_group(logGroupName="sample")
logs.create_log_stream(**place)
now = int(time.time() * 1000)
lines = ['{"name": "a", "ms": 1}', '{"name": "b", "ms": 9}', '{"name": "c"}']
logs.put_log_events(**place, logEvents=[{"timestamp": now, "message": line} for line in lines])
for pattern in ("{ $.ms > 5 }", '{ ($.ms >= 0) && ($.name = "a") }'):
    try:
        found = logs.filter_log_events(logGroupName="sample", filterPattern=pattern)["events"]
        print(f"{pattern}: {len(found)} of {len(lines)}")
    except Exception as error:
        print(f"{pattern}: {type(error).__name__}")
PY
for number in 0 1; do
  port=$moto
  ((number == 0)) || port=$ministack
  echo "${packages[number]/\[*\]/}"
  AWS_ENDPOINT_URL="http://127.0.0.1:$port" "venv$number/bin/python" ask.py
done >seen.txt
cat >expected.txt <<'TXT'
moto==5.2.5
{ $.ms > 5 }: 3 of 3
{ ($.ms >= 0) && ($.name = "a") }: 3 of 3
ministack==1.5.33
{ $.ms > 5 }: 3 of 3
{ ($.ms >= 0) && ($.name = "a") }: 3 of 3
TXT

echo "version: ${packages[*]} of PyPI, Python $(python3 -c 'import platform; print(platform.python_version())')"
echo "behaviour: each pattern is in one of the three events, and FilterLogEvents of both finds all three. So neither shows whether a"
echo "  metric filter's pattern is right: in CloudWatch it reads the fields."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
