//! What a code costs that is shown, polled until it expires, and never scanned.

use std::path::Path;

use serde_json::{Value, json};
use stack::{Error, Result, Stack};

use crate::binaries::Binaries;
use crate::costs::Consumed;
use crate::dollars::{API_USD, GB_SECOND_USD, LOGS_USD, READS_USD, REQUESTS_USD, WRITES_USD};
use crate::requests::{Requests, Tenant, body, preparing, send, text, with_fields};
use crate::{in_time, say};

/// What is asked most.
pub const MEASURED: &str = "qr-login-poll";

/// Polls of one code: every two seconds for two minutes.
const POLLS: f64 = 60.0;
/// Write units of its expiry: of the login, and of the callback until it is delivered, those of the index included.
const EXPIRY_UNITS: f64 = 9.0;

/// What is assumed of a request: billed time and memory, GB of logs.
const BILLED_S: f64 = 0.02;
const BILLED_GB: f64 = 0.25;
const LOGGED_GB: f64 = 1e-6;
/// What it may cost.
const BUDGET_USD: f64 = 0.0002;

fn usd(consumed: &Consumed) -> f64 {
    let request = (API_USD + REQUESTS_USD) / 1e6 + BILLED_S * BILLED_GB * GB_SECOND_USD + LOGGED_GB * LOGS_USD;
    request + (consumed.reads * READS_USD + consumed.writes * WRITES_USD) / 1e6
}

pub async fn measure(template: &Path, binaries: &Binaries, requests: &Requests) -> Result<()> {
    let key = requests.operator_key.clone();
    let stack = binaries.stack(template).admin_key(Some(key)).metered().start().await?;
    let outcome = in_time(measured(&stack, requests)).await;
    stack.shutdown().await;
    outcome
}

async fn measured(stack: &Stack, requests: &Requests) -> Result<()> {
    let tenant = requests.tenant(stack, preparing(MEASURED)).await?;
    let fields = json!({
        "qr_login_allowed_origins": ["https://app.example.com"], "callback_url_base": "https://example.com",
    });
    send(stack, "update-tenant", with_fields(requests.event("update-tenant", &tenant)?, fields)?).await?;
    // The first of each, after which the process has what it remembers.
    let first = begin(stack, requests, &tenant).await?;
    poll(stack, requests, &tenant, &first).await?;
    let mark = stack.mark();
    let login = begin(stack, requests, &tenant).await?;
    let beginning = Consumed::of(&stack.calls_since(mark), 1);
    let mark = stack.mark();
    poll(stack, requests, &tenant, &login).await?;
    let one = Consumed::of(&stack.calls_since(mark), 1);
    if one.writes > 0.0 {
        return Err(Error::new("a poll writes something"));
    }
    say("\nQR login that is polled every 2 s for 120 s and never scanned");
    let assumed = format!("{} ms billed at {} MiB and 1 KB of logs a request", BILLED_S * 1e3, BILLED_GB * 1024.0);
    say(&format!("  assuming {assumed}"));
    let request = format!("({API_USD} + {REQUESTS_USD}) / 10^6 + {BILLED_S} s x {BILLED_GB} GB x {GB_SECOND_USD}");
    let logs = format!("{LOGGED_GB:e} x {LOGS_USD}");
    let line = |name: &str, units: &Consumed| {
        let units_usd = format!("({} x {READS_USD} + {} x {WRITES_USD}) / 10^6", units.reads, units.writes);
        say(&format!("  {name}: {request} + {logs} + {units_usd} = {:.8} USD", usd(units)));
    };
    line("initiate", &beginning);
    line("a poll", &one);
    let expiry = EXPIRY_UNITS * WRITES_USD / 1e6;
    say(&format!("  expiry and its callback, assuming {EXPIRY_UNITS} write units: {expiry:.8} USD"));
    let all = usd(&beginning) + POLLS * usd(&one) + expiry;
    say(&format!("  in all, with {POLLS} polls: {all:.6} USD, of {BUDGET_USD}"));
    if all <= BUDGET_USD { Ok(()) } else { Err(Error::new("a QR login costs more than it may")) }
}

/// Begins a login: its id and its poll token.
async fn begin(stack: &Stack, requests: &Requests, tenant: &Tenant) -> Result<(String, String)> {
    let event = requests.event("qr-login-initiate", tenant)?;
    let answer = body(&send(stack, "qr-login-initiate", event).await?)?;
    Ok((text(&answer, "/data/session_id")?, text(&answer, "/data/poll_token")?))
}

async fn poll(stack: &Stack, requests: &Requests, tenant: &Tenant, login: &(String, String)) -> Result<()> {
    let mut event = requests.event(MEASURED, tenant)?;
    let (session_id, poll_token) = login;
    for (place, value) in
        [("/rawQueryString", format!("session_id={session_id}")), ("/headers/x-qr-poll-token", poll_token.clone())]
    {
        if let Some(place) = event.pointer_mut(place) {
            *place = Value::String(value);
        }
    }
    send(stack, MEASURED, event).await.map(|_| ())
}
