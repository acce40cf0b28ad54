#!/usr/bin/env bash
# What the event types of the Lambda crates for Rust make of a header value that ends with a line feed, such as one that
# was read from a file into the event of a test invocation.
# Needs Rust and the crate registry. Works in a temporary folder.
set -euo pipefail

aws_lambda_events=1.2.1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<TOML
[package]
name = "observation"
version = "0.0.0"
edition = "2021"

[dependencies]
aws_lambda_events = { version = "=$aws_lambda_events", default-features = false, features = ["apigw"] }
serde_json = "1"

[profile.dev]
debug = false
TOML
cat >src/main.rs <<'RUST'
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use serde_json::{json, Value};

fn event(value: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "GET /items",
        "rawPath": "/items",
        "headers": { "accept": "*/*", "x-note": value },
        "requestContext": { "http": { "method": "GET", "path": "/items" } },
        "isBase64Encoded": false,
    })
}

fn main() {
    for value in ["a note", "a note\tand a tab", "a note\n"] {
        let read = serde_json::from_value::<ApiGatewayV2httpRequest>(event(value));
        let outcome = match read {
            Ok(event) => format!("an event with {} headers", event.headers.len()),
            Err(error) => format!("no event: {error}"),
        };
        println!("{value:?}: {outcome}");
    }
}
RUST
cargo build --quiet --target-dir built 2>build.txt || { cat build.txt >&2; exit 1; }
# What is expected instead of such a value is in the crate's own words.
built/debug/observation | sed 's/, expected .*//' >seen.txt
cat >expected.txt <<'TXT'
"a note": an event with 2 headers
"a note\tand a tab": an event with 2 headers
"a note\n": no event: invalid value: string "a note\n"
TXT

echo "version: aws_lambda_events $aws_lambda_events"
echo "behaviour: a line feed at the end of one header's value makes the whole event one that can't be read: neither its other"
echo "  headers nor its path reach the function. A tab is taken."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
