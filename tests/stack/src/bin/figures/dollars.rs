//! What a million requests cost, from what one of them was counted to consume.

use crate::costs::{Consumed, Cost};
use crate::requests::Operation;
use crate::say;
use crate::share::WHOLE_MIB;

/// List prices for us-east-1, in USD: a million requests to the HTTP API and to Lambda, a GB and second of it on Arm, a
/// GB of logs, a million read units and write units of DynamoDB on demand, a million reads of secrets.
pub const API_USD: f64 = 1.00;
pub const REQUESTS_USD: f64 = 0.20;
pub const GB_SECOND_USD: f64 = 0.000_013_333_4;
pub const LOGS_USD: f64 = 0.50;
pub const READS_USD: f64 = 0.125;
pub const WRITES_USD: f64 = 0.625;
const SECRETS_USD: f64 = 5.00;

/// Memory of the functions, in MiB, as the template has it by default.
const MEMORY_MIB: u32 = 256;
/// What is assumed of a call to AWS, in ms: a function waits for it, and is billed for waiting.
const CALL_MS: f64 = 4.0;
/// What the gateway's access log says of a request, with the line's end. Of Lambda's own lines the template keeps none
/// that each request has.
const ACCESS_LOG_BYTES: f64 = 128.0;

/// A term of the sum: what it is for, the arithmetic, USD.
type Term = (&'static str, String, f64);

/// Says what a million requests for an operation cost, each term.
pub fn print(operation: Operation, cost: &Cost) {
    let Some(processor) = cost.processor else {
        say(&format!("  {}: not computed, as /proc does not show the processor time", operation.name));
        return;
    };
    let terms = terms(processor.as_secs_f64() * 1e3, cost.consumed, cost.log_bytes);
    let sum: f64 = terms.iter().map(|(_, _, usd)| usd).sum();
    say(&format!("  {}: {sum:.2} USD", operation.name));
    for (what, arithmetic, usd) in terms {
        say(&format!("    {what:16} {arithmetic:66} {usd:8.3}"));
    }
}

/// The title of it all, with what is assumed.
pub fn heading() {
    say("\nA million requests, in USD, at list prices for us-east-1, without traces, storage, backups and transfer");
    say(&format!(
        "  assumed: {CALL_MS} ms a call to AWS, {ACCESS_LOG_BYTES} bytes of access log; processor time is this \
         machine's"
    ));
}

fn terms(processor_ms: f64, consumed: Consumed, log_bytes: f64) -> Vec<Term> {
    let part = f64::from(WHOLE_MIB) / f64::from(MEMORY_MIB);
    let Consumed { calls, secrets, reads, writes } = consumed;
    // Billed by the millisecond, rounded up.
    let billed_ms = (processor_ms * part + calls * CALL_MS).ceil();
    let gb = f64::from(MEMORY_MIB) / 1024.0;
    let bytes = log_bytes + ACCESS_LOG_BYTES;
    let duration = format!(
        "{processor_ms:.2} ms x {part:.2} + {calls} x {CALL_MS} ms = {billed_ms} ms x {gb} GB x {GB_SECOND_USD:.10}"
    );
    vec![
        ("HTTP API", format!("1 x {API_USD:.2}"), API_USD),
        ("Lambda requests", format!("1 x {REQUESTS_USD:.2}"), REQUESTS_USD),
        ("Lambda duration", duration, billed_ms * 1e3 * gb * GB_SECOND_USD),
        ("logs", format!("{bytes:.0} bytes x {LOGS_USD:.2} a GB"), bytes * 1e6 / 1e9 * LOGS_USD),
        ("reads", format!("{reads} units x {READS_USD}"), reads * READS_USD),
        ("writes", format!("{writes} units x {WRITES_USD}"), writes * WRITES_USD),
        ("secrets", format!("{secrets} reads x {SECRETS_USD:.2}"), secrets * SECRETS_USD),
    ]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{ACCESS_LOG_BYTES, terms};
    use crate::costs::Consumed;

    #[test]
    fn a_million_requests_cost_what_their_terms_say() {
        let consumed = Consumed { calls: 2.0, secrets: 1.0, reads: 4.0, writes: 1.0 };
        let terms = terms(0.5, consumed, 872.0);
        let usd = |what: &str| terms.iter().find(|(term, _, _)| *term == what).unwrap().2;
        let near = |usd: f64, due: f64| assert!((usd - due).abs() < 1e-6, "{usd} is not {due}");
        near(usd("HTTP API"), 1.0);
        near(usd("Lambda requests"), 0.2);
        // 0.5 x 6.91 + 8 = 11.46, billed as 12.
        near(usd("Lambda duration"), 12e3 * 0.25 * 0.000_013_333_4);
        near(usd("logs"), 0.5);
        near(usd("reads"), 0.5);
        near(usd("writes"), 0.625);
        near(usd("secrets"), 5.0);
        assert_eq!(terms.len(), 7);
    }

    /// The line of a login, from the format in the template.
    #[test]
    fn the_access_log_has_as_many_bytes_as_are_assumed() {
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
        let template = std::fs::read_to_string(template).unwrap();
        let format = template.split("Format: >-").nth(1).unwrap().split("\n\n").next().unwrap();
        let columns: Vec<&str> = format.split_whitespace().collect();
        let mut line = columns.join(" ");
        for (name, value) in [
            ("integration.requestId", "6c1a4a26-57f4-4c6f-9b5b-52b0d53b3a5e"),
            ("integration.integrationStatus", "200"),
            ("integration.latency", "10"),
            ("requestId", "LkJ8XhR4oAMEVTw="),
            ("identity.sourceIp", "203.0.113.195"),
            ("httpMethod", "POST"),
            ("routeKey", "ANY /v1/api/projects/user-token"),
            ("status", "200"),
            ("error.responseType", "-"),
            ("responseLatency", "12"),
            ("responseLength", "1052"),
        ] {
            line = line.replace(&format!("$context.{name}"), value);
        }
        assert!(!line.contains('$'), "{line}");
        assert_eq!(u32::try_from(line.len() + 1).map(f64::from), Ok(ACCESS_LOG_BYTES), "{line}");
    }
}
