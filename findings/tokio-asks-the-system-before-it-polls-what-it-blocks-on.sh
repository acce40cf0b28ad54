#!/usr/bin/env bash
# How many system calls a function of the Lambda runtime for Rust makes for an event, if its loop is what tokio blocks
# on, if it is a task, and with a limit of time around the handler.
# Needs Rust, the crate registry, Python and strace on Linux. Works in a temporary folder, on a port of its own.
set -euo pipefail

lambda_runtime=1.5.0
tokio=1.54.1
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
tokio = { version = "=$tokio", features = ["rt", "macros", "time"] }

[profile.dev]
debug = false
TOML
cat >src/main.rs <<'RUST'
use std::time::Duration;

use lambda_runtime::{run, service_fn, Error, LambdaEvent};
use serde_json::Value;
use tokio::time::{sleep, timeout};

async fn plain(event: LambdaEvent<Value>) -> Result<Value, Error> {
    Ok(event.payload)
}

/// Waits, so that the limit gets a timer.
async fn limited(event: LambdaEvent<Value>) -> Result<Value, Error> {
    timeout(Duration::from_secs(9), tokio::task::yield_now()).await?;
    Ok(event.payload)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    // There is always a timer that ends later, as that of an idle connection.
    tokio::spawn(sleep(Duration::from_secs(90)));
    match std::env::args().nth(1).as_deref() {
        Some("awaited") => run(service_fn(plain)).await,
        Some("task") => tokio::spawn(run(service_fn(plain))).await?,
        _ => tokio::spawn(run(service_fn(limited))).await?,
    }
}
RUST
# The Runtime API, as far as a function asks it: `next` has an event, and everything else is accepted.
cat >requests.py <<'PY'
import re
import socket
import subprocess

EVENTS = 500
WAYS = {
    "awaited": "the loop is what the runtime blocks on",
    "task": "the loop is a task",
    "limited": "the loop is a task, and each event has a limit of time",
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


def calls(way):
    """How often each system call is made for an event, rounded."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(60)
    environment = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{listener.getsockname()[1]}",
        "AWS_LAMBDA_FUNCTION_NAME": "hello",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "PATH": "/usr/bin",
    }
    command = ["strace", "--follow-forks", "--summary-only", "--summary-columns=calls,name", f"--output={way}.txt"]
    process = subprocess.Popen(
        [*command, "built/debug/measurement", way], env=environment, stderr=subprocess.DEVNULL
    )
    connection = listener.accept()[0]
    connection.settimeout(60)
    stream, number = connection.makefile("rwb"), 0
    while number < EVENTS:
        if not request(stream).startswith(b"GET "):
            stream.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
            stream.flush()
            continue
        number += 1
        headers = ["HTTP/1.1 200 OK", "content-length: 2", f"lambda-runtime-aws-request-id: {number:08}"]
        headers += ["lambda-runtime-deadline-ms: 4102444800000"]
        headers += ["lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:123456789012:function:hello"]
        stream.write("\r\n".join([*headers, "", "{}"]).encode())
        stream.flush()
    # Without its Runtime API, it ends.
    for each in (stream, connection, listener):
        each.close()
    process.wait(60)
    with open(f"{way}.txt", encoding="ascii") as summary:
        columns = [line.split() for line in summary]
    counts = {column[1]: int(column[0]) for column in columns if len(column) == 2 and column[0].isdigit()}
    return {name: round(counts.get(name, 0) / EVENTS) for name in ("epoll_wait", "write")}


for way, name in WAYS.items():
    seen = calls(way)
    print(f"{name}: {seen['epoll_wait']} epoll_wait and {seen['write']} write of an eventfd for each event")
PY
cargo build --quiet --target-dir built 2>build.txt || { cat build.txt >&2; exit 1; }
python3 requests.py >seen.txt
cat >expected.txt <<'TXT'
the loop is what the runtime blocks on: 4 epoll_wait and 0 write of an eventfd for each event
the loop is a task: 2 epoll_wait and 0 write of an eventfd for each event
the loop is a task, and each event has a limit of time: 3 epoll_wait and 1 write of an eventfd for each event
TXT

echo "version: lambda_runtime $lambda_runtime, tokio $tokio"
echo "behaviour: each time that a task wakes the future that tokio's current-thread runtime blocks on, the runtime asks for"
echo "  events, with an epoll_wait that waits for none, before it polls it; a task that another one wakes is polled at once."
echo "  And a timer that ends before all others wakes the runtime's own thread: a write, and one more epoll_wait."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
