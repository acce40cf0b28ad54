//! Judges DPoP proofs and draws QR codes, for the checks of `.ci/run` that hold ours against what other people's
//! libraries make and read. One line of JSON on standard input, one line of text on standard output:
//!
//! | Members of the line | Answer |
//! |---|---|
//! | `nonce`: a time in Unix milliseconds | the nonce of that time |
//! | `proof`, `method`, `base_url`, `path`, `token`, `now` | the thumbprint, or the cause of the refusal |
//! | `qr`: a text | its code as SVG |

#![expect(clippy::print_stdout, reason = "its answers are its output; no function has this code")]

use std::collections::HashSet;
use std::error::Error;
use std::io::stdin;

use serde::Deserialize;
use shared::domain::{
    DpopCall, DpopCause, Freshness, NonceKey, Presented, QrCode, Timestamp, TraceKey, UnverifiedDpopProof,
};

/// A line of input.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Asked {
    Nonce { nonce: i64 },
    Qr { qr: String },
    Proof { proof: String, method: String, base_url: String, path: String, token: Option<String>, now: i64 },
}

fn main() -> Result<(), Box<dyn Error>> {
    // Nothing is secret here: whoever makes proofs for this asks this for nonces.
    let trace_key = TraceKey::parse("LatchkeyExampleTraceKey0000000000000000000000000").ok_or("no trace key")?;
    let nonces = NonceKey::of(&trace_key).ok_or("no nonce key")?;
    let mut seen = HashSet::new();
    for line in stdin().lines() {
        let answer = match serde_json::from_str(&line?)? {
            Asked::Nonce { nonce } => nonces.issue(Timestamp::from_millis(nonce)).to_string(),
            Asked::Qr { qr } => QrCode::of(&qr).ok_or("too long for a QR code")?.to_svg(),
            Asked::Proof { proof, method, base_url, path, token, now } => {
                let call = DpopCall {
                    method: &method,
                    base_url: &base_url,
                    path: &path,
                    presented: token.as_deref().map_or(Presented::Nothing, Presented::Bound),
                    freshness: Freshness::Nonce,
                    now: Timestamp::from_millis(now),
                };
                judge(&proof, &call, &nonces, &mut seen).unwrap_or_else(|cause| cause.as_str().to_owned())
            }
        };
        println!("{answer}");
    }
    Ok(())
}

/// The thumbprint of the key that made the proof, which must not be among those that were seen before.
fn judge(proof: &str, call: &DpopCall<'_>, nonces: &NonceKey, seen: &mut HashSet<String>) -> Result<String, DpopCause> {
    let proof = UnverifiedDpopProof::parse(proof)?.verify(call, nonces)?;
    let is_first = seen.insert(proof.replay_key().to_string());
    if is_first { Ok(proof.thumbprint().to_string()) } else { Err(DpopCause::JtiSeen) }
}
