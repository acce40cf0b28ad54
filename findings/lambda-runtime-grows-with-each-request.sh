#!/usr/bin/env bash
# Whether a process of the Lambda runtime for Rust grows from request to request, with trace ids and without.
# Needs Rust, the crate registry, and Python on Linux with glibc. Works in a temporary folder, on a port of its own.
set -euo pipefail

lambda_runtime=1.5.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<TOML
[package]
name = "measurement"
version = "0.0.0"
edition = "2021"

[dependencies]
lambda_runtime = { version = "=$lambda_runtime", default-features = false }
serde_json = "1"
tokio = { version = "1", features = ["rt", "macros"] }

[profile.dev]
debug = false
TOML
cat >src/main.rs <<'RUST'
use lambda_runtime::{run, service_fn, Error, LambdaEvent};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(|event: LambdaEvent<Value>| async move { Ok::<_, Error>(event.payload) })).await
}
RUST
# The Runtime API, as far as a function asks it: `next` has an event, and everything else is accepted.
cat >requests.py <<'PY'
import re
import socket
import subprocess

WARM_UP, COUNTED = 2_000, 10_000
TRACE_ID = "Root=1-6b49d200-{0:024x};Parent={0:016x};Sampled=0"
IDS = {
    "a trace id of its own in each request": lambda number: TRACE_ID.format(number),
    "the same trace id in each request": lambda number: TRACE_ID.format(1),
    "no trace id": lambda number: None,
}


def request(stream):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            raise EOFError("the function has closed the connection")
        head += line
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    stream.read(int(length[1]) if length else 0)
    return head


def resident(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return 1024 * int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1])


def growth(trace_id):
    """Bytes of memory by which the process grows with each request."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(60)
    environment = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{listener.getsockname()[1]}",
        "AWS_LAMBDA_FUNCTION_NAME": "hello",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
    }
    process = subprocess.Popen(["built/debug/measurement"], env=environment)
    try:
        connection = listener.accept()[0]
        connection.settimeout(60)
        stream, number, before = connection.makefile("rwb"), 0, 0
        while True:
            if not request(stream).startswith(b"GET "):
                stream.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
                stream.flush()
                continue
            if number == WARM_UP:
                before = resident(process)
            if number == WARM_UP + COUNTED:
                return (resident(process) - before) / COUNTED
            number += 1
            headers = ["HTTP/1.1 200 OK", "content-length: 2", f"lambda-runtime-aws-request-id: {number:08}"]
            headers += ["lambda-runtime-deadline-ms: 4102444800000"]
            headers += ["lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:123456789012:function:hello"]
            if trace_id(number):
                headers += [f"lambda-runtime-trace-id: {trace_id(number)}"]
            stream.write("\r\n".join([*headers, "", "{}"]).encode())
            stream.flush()
    finally:
        process.kill()
        process.wait()
        listener.close()


for name, trace_id in IDS.items():
    grown = growth(trace_id)
    if grown < 20:
        seen = "does not grow"
    elif 50 < grown < 300:
        seen = "grows by 50 to 300 bytes a request"
    else:
        seen = f"grows by {grown:.0f} bytes a request"
    print(f"{name}: {seen}")
PY
cargo build --quiet --target-dir built 2>build.txt || { cat build.txt >&2; exit 1; }
python3 requests.py >seen.txt
cat >expected.txt <<'TXT'
a trace id of its own in each request: grows by 50 to 300 bytes a request
the same trace id in each request: does not grow
no trace id: does not grow
TXT

echo "version: lambda_runtime $lambda_runtime, glibc $(getconf GNU_LIBC_VERSION | cut -d ' ' -f 2)"
echo "behaviour: the runtime sets _X_AMZN_TRACE_ID in its environment to the trace id of each event. glibc keeps each text"
echo "  that a variable ever had, so the process grows with each request that brings a new one, as those of Lambda do."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
