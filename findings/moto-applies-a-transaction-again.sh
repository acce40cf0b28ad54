#!/usr/bin/env bash
# Whether moto knows a transaction again by its ClientRequestToken.
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
import boto3

dynamodb = boto3.client("dynamodb")
dynamodb.create_table(
    TableName="sample",
    BillingMode="PAY_PER_REQUEST",
    KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
)
update = {
    "TableName": "sample",
    "Key": {"pk": {"S": "a"}},
    "UpdateExpression": "ADD seen :one",
    "ExpressionAttributeValues": {":one": {"N": "1"}},
}
for _ in range(2):
    dynamodb.transact_write_items(TransactItems=[{"Update": update}], ClientRequestToken="the same")
print("seen:", dynamodb.get_item(TableName="sample", Key={"pk": {"S": "a"}})["Item"]["seen"]["N"])
PY
venv/bin/python ask.py >seen.txt
cat >expected.txt <<'TXT'
seen: 2
TXT

echo "version: ${packages[*]} of PyPI, Python $(python3 -c 'import platform; print(platform.python_version())')"
echo "behaviour: the second call with the same ClientRequestToken is applied, too. In DynamoDB it succeeds and changes nothing"
echo "  for ten minutes, so that a client may repeat a call whose answer was lost."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
