#!/usr/bin/env bash
# How long a process waits for its first random bytes from aws-lc-rs, as it is built by default and without its source of
# entropy that measures the processor's jitter.
# Needs Rust, a C compiler, Python and the crate registry. Works in a temporary folder; builds AWS-LC twice.
set -euo pipefail

aws_lc_rs=1.19.0
aws_lc_sys=0.47.0
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
aws-lc-rs = { version = "=$aws_lc_rs", default-features = false, features = ["aws-lc-sys", "alloc"] }
aws-lc-sys = "=$aws_lc_sys"

[profile.dev]
opt-level = 3
debug = false
TOML
cat >src/main.rs <<'RUST'
use aws_lc_rs::rand;

fn main() {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).unwrap();
}
RUST
cargo generate-lockfile --quiet
build() { cargo build --quiet --locked --target-dir "$1" >build.txt 2>&1 || { cat build.txt >&2; exit 1; }; }
unset AWS_LC_SYS_NO_JITTER_ENTROPY
build by-default
AWS_LC_SYS_NO_JITTER_ENTROPY=1 build without
cat >ask.py <<'PY'
import os
import statistics
import subprocess


def processor_ms(program):
    """Of one process, from start to end."""
    before = os.times()
    subprocess.run([program], check=True)
    after = os.times()
    return 1000 * (after.children_user - before.children_user + after.children_system - before.children_system)


def median(folder):
    # The clock of processes counts hundredths of a second, so ten of them at once.
    program = os.path.join(folder, "debug", "observation")
    return statistics.median(sum(processor_ms(program) for _ in range(10)) / 10 for _ in range(5))


by_default, without = median("by-default"), median("without")
print(f"by default: {by_default:.0f} ms of a processor; without: {without:.0f} ms", file=open("times.txt", "w"))
print("by default more than 15 ms:", by_default > 15)
print("without less than 5 ms:", without < 5)
PY
python3 ask.py >seen.txt
cat >expected.txt <<'TXT'
by default more than 15 ms: True
without less than 5 ms: True
TXT

echo "version: aws-lc-rs $aws_lc_rs, aws-lc-sys $aws_lc_sys, $(rustc --version)"
echo "behaviour: a process of a default build spends tens of milliseconds on its first random bytes, for which it measures the"
echo "  jitter of the processor; with AWS_LC_SYS_NO_JITTER_ENTROPY=1 when it is built, it asks the system and has them at once."
echo "seen:"
sed 's/^/  /' times.txt seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
