//! Log lines of the functions for people: one short line a request, in place of JSON.

use std::fmt::Write;

use serde_json::Value;

/// What is shown in front; `_aws` and what is null are left out.
const IN_FRONT: [&str; 5] = ["operation", "status", "latency_ms", "code", "cause"];
/// What is not shown: the numbers that make metrics, and what everything on this machine has in common.
const LEFT_OUT: [&str; 10] = [
    "_aws",
    "failures",
    "cold_start",
    "level",
    "source_ip",
    "timestamp",
    "stage",
    "surface",
    "unauthorized",
    "limited",
];

/// A line as it is shown: `user-token 200 12 ms  tenant_id=…`. What is no line of ours is shown as it is.
#[must_use]
pub fn pretty(line: &str) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_str(line) else { return line.to_owned() };
    let shown = |name: &str| match fields.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(value) => Some(value.to_string()),
    };
    let mut pretty = if shown("level").as_deref() == Some("error") { "ERROR ".to_owned() } else { String::new() };
    let front = IN_FRONT.iter().filter_map(|name| {
        let text = shown(name)?;
        Some(match *name {
            "latency_ms" => format!("{text} ms"),
            "cause" => format!("({text})"),
            _ => text,
        })
    });
    pretty.push_str(&front.collect::<Vec<_>>().join(" "));
    for name in fields.keys().filter(|name| !IN_FRONT.contains(&name.as_str()) && !LEFT_OUT.contains(&name.as_str())) {
        if let Some(text) = shown(name) {
            // A string takes what is written.
            let _ = write!(pretty, "  {name}={text}");
        }
    }
    pretty
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn a_request_is_a_line_that_begins_with_what_became_of_it() {
        let line = r#"{"_aws":{"Timestamp":1},"operation":"relay-whoami","request_id":"r","tenant_id":null,"status":401,
            "code":"unauthenticated","cause":"nonce_malformed","cold_start":true,"latency_ms":2,"failures":0,
            "stage":"dev","surface":"relay","unauthorized":1,"source_ip":"127.0.0.1",
            "level":"info","timestamp":"2026-01-31T12:00:00.000Z"}"#;
        assert_eq!(pretty(line), "relay-whoami 401 2 ms unauthenticated (nonce_malformed)  request_id=r");
        let failed =
            r#"{"operation":"jwks","status":503,"latency_ms":9,"level":"error","cause":"no answer","tenant_id":"t"}"#;
        assert_eq!(pretty(failed), "ERROR jwks 503 9 ms (no answer)  tenant_id=t");
    }

    #[test]
    fn what_is_no_line_of_ours_stays_as_it_is() {
        for line in ["", "relay-whoami: the process ended", "[1]", "{", "panicked at src/x.rs"] {
            assert_eq!(pretty(line), line);
        }
    }
}
