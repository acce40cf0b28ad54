#!/usr/bin/env bash
# Whether conditional updates of moto's DynamoDB that come at once are decided one after the other.
# Needs Python with pip. Works in a temporary folder, on a port of its own.
set -euo pipefail

packages=('moto[dynamodb,server]==5.2.5' boto3==1.44.8)
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
venv/bin/moto_server -H 127.0.0.1 -p "$port" >server.txt 2>&1 &
server=$!
for _ in {1..300}; do
  if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  sleep 0.1
done
cat >ask.py <<'PY'
import threading

import boto3

ROUNDS, CALLS, LIMIT = 200, 30, 20
dynamodb = boto3.client("dynamodb")
dynamodb.create_table(
    TableName="sample",
    BillingMode="PAY_PER_REQUEST",
    KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
)


def accepted(name):
    """How many of the calls are, of which each asks for fewer than the limit before it."""
    results, begin = [], threading.Barrier(CALLS)

    def call():
        begin.wait()
        try:
            dynamodb.update_item(
                TableName="sample",
                Key={"pk": {"S": name}},
                UpdateExpression="ADD taken :one",
                ConditionExpression="attribute_not_exists(taken) OR taken < :limit",
                ExpressionAttributeValues={":one": {"N": "1"}, ":limit": {"N": str(LIMIT)}},
            )
            results.append(True)
        except dynamodb.exceptions.ConditionalCheckFailedException:
            results.append(False)

    threads = [threading.Thread(target=call) for _ in range(CALLS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(results)


found = next((count for number in range(ROUNDS) if (count := accepted(f"of round {number}")) > LIMIT), LIMIT)
print("more than the limit were accepted:", found > LIMIT)
PY
venv/bin/python ask.py >seen.txt
cat >expected.txt <<'TXT'
more than the limit were accepted: True
TXT

echo "version: ${packages[*]} of PyPI, Python $(python3 -c 'import platform; print(platform.python_version())')"
echo "behaviour: of calls at once, each with the condition that a number is below 20 and adding 1 to it, now and then a"
echo "  21st is accepted. In DynamoDB a condition and its write are one step, whatever else comes."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
