//! One line of JSON a request, and nothing else: no logger runs in a function, so there is no level at which a library could
//! print a credential.
//!
//! The line is in CloudWatch's embedded metric format, so that the metrics cost no call and no agent:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//!
//! What may stand in it: names that we chose, ids, numbers, causes of our own failures. Never a header, a body, the name of a
//! field (a client can put a secret there), or what somebody tried as a credential.

use std::io::Write;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::domain::Timestamp;
use crate::error::Error;

/// What a line says of its request.
pub struct Line<'a> {
    /// The operation's name.
    pub operation: &'static str,
    /// The `x-request-id` of the answer.
    pub request_id: &'a str,
    /// The tenant that it was about, as far as known.
    pub tenant_id: Option<&'a str>,
    /// Whether it was the process's first.
    pub cold: bool,
    /// The status of the answer.
    pub status: u16,
}

impl Line<'_> {
    /// Writes the line.
    pub fn write(&self, started: Timestamp, ended: Timestamp, error: Option<&Error>) {
        let ours = self.status >= 500;
        let line = json!({
            "_aws": metrics(started, if ours { &["latency_ms", "failures"] } else { &["latency_ms"] }),
            "level": if ours { "error" } else { "info" },
            "operation": self.operation,
            "request_id": self.request_id,
            "tenant_id": self.tenant_id,
            "status": self.status,
            "code": error.map(|error| error.code().as_str()),
            "cause": error.and_then(Error::cause),
            "cold_start": self.cold,
            "latency_ms": ended.as_millis().saturating_sub(started.as_millis()),
            "failures": u8::from(ours),
        });
        print(&line);
    }
}

/// The part of a line that makes metrics of its numbers, by operation. CloudWatch charges for each metric that is sent at
/// all, so there are few: the number of requests is the sample count of `latency_ms`, and failures are sent when there are
/// any. The unit of a metric is in its name.
pub fn metrics(at: Timestamp, names: &[&str]) -> Value {
    let metrics: Vec<_> = names.iter().map(|name| json!({ "Name": name })).collect();
    json!({
        "Timestamp": at.as_millis(),
        "CloudWatchMetrics": [{ "Namespace": "Latchkey", "Dimensions": [["operation"]], "Metrics": metrics }],
    })
}

/// Writes a line to standard output, which is where Lambda takes logs from.
pub fn print(line: &Value) {
    // If standard output is gone there is nobody to tell.
    let _: std::io::Result<()> = writeln!(std::io::stdout().lock(), "{line}");
}

/// Says why the process can't start, and gives the exit code for it.
pub fn failed_start(cause: &str) -> ExitCode {
    print(&json!({ "level": "error", "message": "function could not start or stay up", "cause": cause }));
    ExitCode::FAILURE
}

/// Makes a panic write a line with its place, and not its message, which could hold a value.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        print(&json!({ "level": "error", "message": "panic", "at": place }));
    }));
}
