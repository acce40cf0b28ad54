#!/usr/bin/env bash
# What an ES256 token costs with jsonwebtoken, against a signature with the same key parsed once.
# Needs Rust, a C compiler and the crate registry. Works in a temporary folder.
set -euo pipefail

version=12.0.0
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
aws-lc-rs = { version = "=1.19.0", default-features = false, features = ["aws-lc-sys", "alloc"] }
jsonwebtoken = { version = "=$version", default-features = false, features = ["aws_lc_rs"] }
serde_json = "1"

[profile.dev]
opt-level = 2
TOML
cat >src/main.rs <<'RUST'
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{EcdsaKeyPair, ECDSA_P256_SHA256_FIXED_SIGNING};
use jsonwebtoken::{encode, Algorithm, EncodingKey, Header};

const TOKENS: u32 = 500;

/// The shortest of five runs: whatever else the machine does makes a run longer, never shorter.
fn microseconds(mut run: impl FnMut()) -> f64 {
    let each = |run: &mut dyn FnMut()| {
        let begun = Instant::now();
        (0..TOKENS).for_each(|_| run());
        begun.elapsed() / TOKENS
    };
    let shortest: Duration = (0..5).map(|_| each(&mut run)).min().unwrap();
    shortest.as_nanos() as f64 / 1000.0
}

fn main() {
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
    let (key, random) = (EncodingKey::from_ec_der(document.as_ref()), SystemRandom::new());
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref()).unwrap();
    let (header, claims) = (Header::new(Algorithm::ES256), serde_json::json!({ "sub": "ada" }));
    let message = encode(&header, &claims, &key).unwrap();
    let token = microseconds(|| drop(encode(&header, &claims, &key).unwrap()));
    let signature = microseconds(|| {
        let _ = pair.sign(&random, message.as_bytes()).unwrap();
    });
    let fresh = microseconds(|| {
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref()).unwrap();
        let _ = pair.sign(&random, message.as_bytes()).unwrap();
    });
    println!("a token with jsonwebtoken::encode:      {token:.0} microseconds");
    println!("a signature with the key parsed once:   {signature:.0} microseconds");
    println!("a signature with the key parsed anew:   {fresh:.0} microseconds");
    println!("ratio {:.1}", token / signature);
    assert!(token > 1.25 * signature, "a token costs little more than its signature");
    assert!(fresh > 1.25 * signature, "parsing the key anew costs little");
}
RUST
cargo build --quiet --target-dir built 2>build.txt || { cat build.txt >&2; exit 1; }
built/debug/measurement >seen.txt 2>&1 || { cat seen.txt >&2; exit 1; }

echo "version: jsonwebtoken $version with aws_lc_rs, aws-lc-rs 1.19.0"
echo "behaviour: an EncodingKey of an elliptic curve is kept as bytes, and each encode() parses the private key again."
echo "  That adds half of the signature's time or more to each token, which a program that keeps the parsed key saves."
echo "seen:"
sed 's/^/  /' seen.txt
