//! Log lines of failures that stop nothing, and of strikes: the only log lines that are not the runtime's.

use super::Error;
use crate::domain::{TenantId, Timestamp};

/// The target of our own log events, and the only one that is written.
pub const LOG_TARGET: &str = "latchkey";

impl Error {
    /// Writes an error line: for a failure that does not stop what it happened to, and so is in no answer and not in
    /// the line of the request.
    pub fn report(&self, tenant_id: &TenantId, request_id: &str, message: &'static str) {
        let (tenant_id, cause) = (tenant_id.as_str(), self.cause());
        tracing::error!(target: LOG_TARGET, tenant_id, request_id, cause, "{message}");
    }
}

/// Writes a line for the alarms that count strikes, and suspensions by them.
pub fn report_strike(tenant_id: &TenantId, request_id: &str, at: Timestamp, suspends: bool) {
    let (tenant_id, timestamp_ms) = (tenant_id.as_str(), at.as_millis());
    tracing::info!(
        target: LOG_TARGET, surface = "relay", tenant_id, request_id, strikes = 1_u8,
        suspensions = u8::from(suspends), timestamp_ms, metrics = "strikes suspensions",
    );
}
