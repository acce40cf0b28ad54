#!/usr/bin/env bash
# What signatures of P-256 cost in a program that Cargo builds for size, and in one of which it builds aws-lc-sys for
# speed.
# Needs Rust, a C compiler and the crate registry. Works in a temporary folder.
set -euo pipefail

aws_lc_rs=1.19.0
aws_lc_sys=0.47.0
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
aws-lc-rs = { version = "=$aws_lc_rs", default-features = false, features = ["aws-lc-sys", "alloc"] }
aws-lc-sys = "=$aws_lc_sys"

[profile.release]
opt-level = "s"

[profile.mended]
inherits = "release"

[profile.mended.package.aws-lc-sys]
opt-level = 3
TOML
cat >src/main.rs <<'RUST'
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    EcdsaKeyPair, KeyPair, ParsedPublicKey, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING,
};

const TIMES: u32 = 4000;

fn main() {
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let (random, message) = (SystemRandom::new(), b"header.claims");
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref()).unwrap();
    let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref()).unwrap();
    let signature = pair.sign(&random, message).unwrap();
    let what = std::env::args().nth(1);
    for _ in 0..TIMES {
        match what.as_deref() {
            Some("signing") => drop(pair.sign(&random, message).unwrap()),
            Some("verifying") => public.verify_sig(message, signature.as_ref()).unwrap(),
            other => panic!("{other:?} is neither"),
        }
    }
}
RUST
for profile in release mended; do
  cargo build --quiet --profile "$profile" --target-dir built 2>build.txt || { cat build.txt >&2; exit 1; }
done

# Processor time of the program, which other work on the machine hardly changes.
TIMEFORMAT=%U
median() { sort -n "$1" | sed -n 4p; }
for what in signing verifying; do
  for _ in {1..7}; do
    for profile in release mended; do
      { time "built/$profile/measurement" "$what"; } 2>>"$what.$profile.txt"
    done
  done
  echo "$what $(median "$what.release.txt") $(median "$what.mended.txt")"
done >times.txt
awk '{
  ratio = $2 / $3
  times = ratio > 2 ? "more than twice the time" : ratio > 1.2 ? "less than twice the time" : "the same time"
  print $1 ", built for size: " times
}' times.txt >seen.txt
cat >expected.txt <<'TXT'
signing, built for size: more than twice the time
verifying, built for size: more than twice the time
TXT

echo "version: aws-lc-rs $aws_lc_rs, aws-lc-sys $aws_lc_sys, $(rustc --version | cut -d ' ' -f 1-2), $(uname -m)"
echo "behaviour: opt-level \"s\" of a profile makes the build script of aws-lc-sys define OPENSSL_SMALL, which leaves"
echo "  out the assembly of P-256. Opt-level 3 for this one package brings it back."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
