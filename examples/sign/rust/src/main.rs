//! A signed call, with `ureq`. How to run it: ../README.md.

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A signed call. The target is path and query.
fn latchkey(method: &str, target: &str, body: &[u8]) -> Result<Response<Body>, Box<dyn Error>> {
    let timestamp = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis().to_string();
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce)?;
    let (nonce, digest) = (hex(&nonce), hex(&Sha256::digest(body)));
    let mut mac = Hmac::<Sha256>::new_from_slice(env::var("LATCHKEY_TENANT_SECRET")?.as_bytes())?;
    mac.update(format!("{timestamp}.{method}.{target}.{nonce}.{digest}").as_bytes());
    let request = Request::builder()
        .method(method)
        .uri(env::var("LATCHKEY_URL")? + target)
        .header("Content-Type", "application/json")
        .header("X-Latchkey-Tenant-Id", env::var("LATCHKEY_TENANT_ID")?)
        .header("X-Latchkey-Timestamp", timestamp)
        .header("X-Latchkey-Nonce", nonce)
        .header("X-Latchkey-Signature", format!("v2={}", hex(&mac.finalize().into_bytes())))
        .body(body)?;
    // No redirections: the signature is for this address alone.
    let config = Agent::config_builder().http_status_as_error(false).max_redirects(0);
    Ok(config.timeout_global(Some(Duration::from_secs(10))).build().new_agent().run(request)?)
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [method, target, file] = [0, 1, 2].map(|place| arguments.get(place).map(String::as_str));
    let body = file.map(std::fs::read).transpose()?.unwrap_or_default();
    let mut answer = latchkey(method.unwrap_or("GET"), target.unwrap_or("/api/v1/relay/whoami"), &body)?;
    println!("{}", answer.body_mut().read_to_string()?);
    Ok(if answer.status().is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
