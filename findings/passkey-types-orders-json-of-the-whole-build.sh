#!/usr/bin/env bash
# In which order a program writes the members of a `serde_json::Value`, without and with the crate passkey-types among its
# dependencies, of which the program uses nothing.
# Needs Rust and the crate registry. Works in a temporary folder.
set -euo pipefail

passkey_types=0.6.0
serde_json=1.0.145
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >src/main.rs <<'RUST'
fn main() {
    println!("{}", serde_json::json!({ "b": 1, "a": 2 }));
}
RUST
dependencies() {
  printf '[package]\nname = "order"\nversion = "0.0.0"\nedition = "2021"\n\n[dependencies]\nserde_json = "=%s"\n' "$serde_json"
}
written() {
  cargo build --quiet --target-dir built 2>build.txt || { cat build.txt >&2; exit 1; }
  built/debug/order
}
{
  dependencies >Cargo.toml
  echo "without passkey-types: $(written)"
  { dependencies; echo "passkey-types = \"=$passkey_types\""; } >Cargo.toml
  echo "with passkey-types: $(written)"
} >seen.txt
cat >expected.txt <<'TXT'
without passkey-types: {"a":2,"b":1}
with passkey-types: {"b":1,"a":2}
TXT

echo "version: passkey-types $passkey_types, serde_json $serde_json"
echo "behaviour: passkey-types turns on the feature preserve_order of serde_json, which then holds for the whole build: what"
echo "  was written with sorted members is written in the order of insertion, as soon as the crate is a dependency."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
