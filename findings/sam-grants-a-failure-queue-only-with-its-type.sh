#!/usr/bin/env bash
# Whether the role that SAM makes for a function lets Lambda send to the queue of records that were given up, without and
# with the type of that destination.
# Needs Python with pip. Works in a temporary folder.
set -euo pipefail

version=1.115.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv installed
installed/bin/pip --quiet install "aws-sam-translator==$version" >install.txt 2>&1 || { cat install.txt >&2; exit 1; }
cat >transformed.py <<'PY'
import json

from samtranslator.translator.transform import transform


class Policies:
    """SAM asks for the ARNs of AWS's managed policies."""

    def load(self):
        return {"AWSLambdaDynamoDBExecutionRole": "arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole"}


def resources(destination):
    event = {
        "Stream": {"Fn::GetAtt": "Table.StreamArn"},
        "StartingPosition": "LATEST",
        "DestinationConfig": {"OnFailure": destination},
    }
    function = {
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "CodeUri": "s3://bucket/key",
        "Events": {"Rows": {"Type": "DynamoDB", "Properties": event}},
    }
    keys = {
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamViewType": "KEYS_ONLY"},
    }
    template = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {
            "Table": {"Type": "AWS::DynamoDB::Table", "Properties": keys},
            "Lost": {"Type": "AWS::SQS::Queue"},
            "Reader": {"Type": "AWS::Serverless::Function", "Properties": function},
        },
    }
    return transform(template, {}, Policies())["Resources"]


queue = {"Fn::GetAtt": "Lost.Arn"}
for name, destination in {"without a type": {"Destination": queue}, "Type: SQS": {"Type": "SQS", "Destination": queue}}.items():
    made = resources(destination)
    mapping = made["ReaderRows"]["Properties"]["DestinationConfig"]
    may_send = "sqs:SendMessage" in json.dumps(made["ReaderRole"])
    print(f"{name}: the mapping has {json.dumps(mapping)}; the role {'may' if may_send else 'may not'} send to a queue")
PY
AWS_DEFAULT_REGION=us-east-1 installed/bin/python transformed.py >seen.txt 2>errors.txt ||
  { cat errors.txt >&2; exit 1; }
cat >expected.txt <<'TXT'
without a type: the mapping has {"OnFailure": {"Destination": {"Fn::GetAtt": "Lost.Arn"}}}; the role may not send to a queue
Type: SQS: the mapping has {"OnFailure": {"Destination": {"Fn::GetAtt": "Lost.Arn"}}}; the role may send to a queue
TXT

echo "version: aws-sam-translator $version, $(python3 --version)"
echo "behaviour: the mapping of a stream gets its OnFailure destination with or without a Type in the template, and the role"
echo "  that SAM makes gets sqs:SendMessage only with one. Nothing is said of it before a deployment."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
