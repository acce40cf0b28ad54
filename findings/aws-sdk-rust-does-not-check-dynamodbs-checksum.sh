#!/usr/bin/env bash
# What AWS's SDKs make of an answer of DynamoDB whose x-amz-crc32 is not the checksum of its body.
# Needs Rust, Python with pip, Node with npm and the crate registry. Works in a temporary folder, on a port of its own.
set -euo pipefail

rust=1.136.0
boto3=1.44.8
javascript_3=3.1169.0
javascript_2=2.1693.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "boto3==$boto3" >install.txt 2>&1 ||
  { cat install.txt >&2; exit 1; }
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts \
  "@aws-sdk/client-dynamodb@$javascript_3" "aws-sdk@$javascript_2" >install.txt 2>&1 ||
  { cat install.txt >&2; exit 1; }
mkdir src
# Without TLS, which the server here has not and which takes long to compile.
cat >Cargo.toml <<TOML
[package]
name = "asking"
version = "0.0.0"
edition = "2021"

[dependencies]
aws-sdk-dynamodb = { version = "=$rust", default-features = false, features = ["rt-tokio"] }
aws-smithy-http-client = { version = "=1.5.2", default-features = false, features = ["default-client"] }
tokio = { version = "1", features = ["rt", "macros"] }

[profile.dev]
debug = false
TOML
cat >src/main.rs <<'RUST'
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::{Client, Config};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(std::env::args().nth(1).unwrap())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .build();
    let call = Client::from_conf(config).get_item().table_name("sample").key("pk", AttributeValue::S("a".into()));
    match call.send().await {
        Ok(answer) => println!("taken: {}", answer.item.unwrap()["pk"].as_s().unwrap()),
        Err(error) => println!("refused: {error:?}"),
    }
}
RUST
cat >ask.js <<'JS'
const [endpoint, version] = process.argv.slice(2);
const parameters = { TableName: 'sample', Key: { pk: { S: 'a' } } };
const answer = {
  2: () => new (require('aws-sdk').DynamoDB)({ endpoint }).getItem(parameters).promise(),
  3: () => new (require('@aws-sdk/client-dynamodb').DynamoDB)({ endpoint }).getItem(parameters),
}[version]();
answer.then(
  ({ Item }) => console.log(`taken: ${Item.pk.S}`),
  (error) => console.log(`refused: ${error.name}`),
);
JS
cat >checksums.py <<'PY'
import http.server
import subprocess
import threading
import zlib

import boto3
from botocore.config import Config

BODY = b'{"Item":{"pk":{"S":"a"}}}'


class DynamoDB(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    checksum, asked = 0, 0

    def do_POST(self):
        DynamoDB.asked += 1
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "application/x-amz-json-1.0")
        self.send_header("content-length", str(len(BODY)))
        self.send_header("x-amz-crc32", str(DynamoDB.checksum))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), DynamoDB)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
endpoint = f"http://127.0.0.1:{server.server_address[1]}"


def python(mode):
    client = boto3.client("dynamodb", endpoint_url=endpoint, config=Config(retries={"mode": mode}))
    try:
        return f"taken: {client.get_item(TableName='sample', Key={'pk': {'S': 'a'}})['Item']['pk']['S']}"
    except Exception as error:
        return f"refused: {type(error).__name__}"


def program(*words):
    ran = subprocess.run([*words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=120)
    return ran.stdout.strip()


clients = {
    "Rust": lambda: program("built/debug/asking", endpoint),
    "JavaScript, version 3": lambda: program("node", "ask.js", endpoint, "3"),
    "JavaScript, version 2": lambda: program("node", "ask.js", endpoint, "2"),
    "Python, retries of the mode legacy": lambda: python("legacy"),
    "Python, retries of the mode standard": lambda: python("standard"),
}
for kind, difference in {"right": 0, "wrong": 1}.items():
    DynamoDB.checksum = zlib.crc32(BODY) ^ difference
    for name, ask in clients.items():
        DynamoDB.asked = 0
        print(f"{kind} checksum, {name}: {ask()}, requests: {DynamoDB.asked}", flush=True)
PY
cargo build --quiet --target-dir built 2>build.txt || { cat build.txt >&2; exit 1; }
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 AWS_REGION=us-east-1
export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
unset AWS_MAX_ATTEMPTS AWS_RETRY_MODE
venv/bin/python checksums.py >seen.txt
cat >expected.txt <<'TXT'
right checksum, Rust: taken: a, requests: 1
right checksum, JavaScript, version 3: taken: a, requests: 1
right checksum, JavaScript, version 2: taken: a, requests: 1
right checksum, Python, retries of the mode legacy: taken: a, requests: 1
right checksum, Python, retries of the mode standard: taken: a, requests: 1
wrong checksum, Rust: taken: a, requests: 1
wrong checksum, JavaScript, version 3: taken: a, requests: 1
wrong checksum, JavaScript, version 2: refused: CRC32CheckFailed, requests: 11
wrong checksum, Python, retries of the mode legacy: refused: ChecksumError, requests: 10
wrong checksum, Python, retries of the mode standard: taken: a, requests: 4
TXT

echo "version: aws-sdk-dynamodb $rust (Rust), boto3 $boto3, @aws-sdk/client-dynamodb $javascript_3, aws-sdk $javascript_2 (npm)"
echo "behaviour: the SDKs for Rust and for JavaScript (version 3) do not look at x-amz-crc32. Version 2, and boto3 with"
echo "  legacy retries, ask again and then refuse; boto3 with standard retries asks again and then takes the answer."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
