#!/usr/bin/env bash
# What fakecloud makes of columns with blanks in them when a filter pattern of CloudWatch Logs looks at an access log.
# Needs Rust and the crate registry. Works in a temporary folder; builds 150 crates.
set -euo pipefail

fakecloud=0.51.0
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
fakecloud-logs = "=$fakecloud"

[profile.dev]
debug = false
TOML
cat >src/main.rs <<'RUST'
use fakecloud_logs::filter_pattern::matches;

/// In the common log format of web servers, where a time stands in brackets and a request in quotation marks.
const LINE: &str = r#"203.0.113.7 - - [01/Feb/2026:10:00:00 +0000] "GET /items HTTP/1.1" 404 1534"#;

fn main() {
    for pattern in [
        "[ip, id, user, time, request, status = 404, bytes]",
        "[ip, id, user, day, zone, method, path, protocol, status = 404, bytes]",
        "[..., status = 404, bytes]",
    ] {
        println!("{pattern}: {}", matches(pattern, LINE));
    }
}
RUST
cargo build --quiet --target-dir built >build.txt 2>&1 || { cat build.txt >&2; exit 1; }
built/debug/observation >seen.txt
cat >expected.txt <<'TXT'
[ip, id, user, time, request, status = 404, bytes]: false
[ip, id, user, day, zone, method, path, protocol, status = 404, bytes]: true
[..., status = 404, bytes]: true
TXT

echo "version: fakecloud-logs $fakecloud, $(rustc --version)"
echo "behaviour: what stands in quotation marks or brackets is a column for each of its words, so that a pattern in the form that"
echo "  AWS documents for access logs finds nothing, and one with the words counted apart does. A pattern that counts from the"
echo "  end finds the line in both."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
