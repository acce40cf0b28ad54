//! The record of every call to AWS.

use std::collections::VecDeque;
use std::sync::Mutex;

use serde_json::Value;

use crate::callers::{Arrival, Caller};
use crate::system::lock;

/// How many calls are kept. A local run may go on for days.
const KEPT: usize = 100_000;

/// What stands in the record for the content of a secret.
pub const REDACTED: &str = "[redacted]";

/// An AWS service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// DynamoDB.
    Dynamodb,
    /// Secrets Manager.
    SecretsManager,
}

/// A call to AWS, as the local AWS saw it. Each attempt of the SDK is a call of its own here.
#[derive(Debug, Clone)]
pub struct AwsCall {
    /// Its number, from 0, in order of arrival.
    pub seq: u64,
    /// The process that called; none for the developer.
    pub caller: Option<Caller>,
    /// The invocation that it belongs to. None for the developer, and for a process that is not in an invocation.
    pub invocation: Option<String>,
    /// Which call of the invocation it is, from 0. The SDK's retries of a call share its number.
    pub index: Option<usize>,
    /// 1 for the first attempt of the SDK.
    pub attempt: u32,
    /// The service.
    pub service: Service,
    /// The operation, as in `PutItem`.
    pub operation: String,
    /// The request, with [`REDACTED`] in the place of a secret's content.
    pub request: Value,
    /// The status that the service gave; 0 as long as it was not executed.
    pub status: u16,
    /// The service's error code, as in `ConditionalCheckFailedException`.
    pub error: Option<String>,
    /// The permission that was missing, as `action on resource`.
    pub denied: Option<String>,
    /// Whether the caller was sent an answer.
    pub answered: bool,
    /// The capacity units consumed, if the request asked for them.
    pub consumed: Option<f64>,
}

/// The last calls.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kept: VecDeque<AwsCall>,
    next: u64,
}

impl Calls {
    /// Notes the arrival of a call and gives it its number.
    pub(crate) fn arrived(&self, arrival: Option<&Arrival>, service: Service, operation: &str, request: Value) -> u64 {
        let mut state = lock(&self.state);
        let seq = state.next;
        state.next += 1;
        if state.kept.len() == KEPT {
            state.kept.pop_front();
        }
        state.kept.push_back(AwsCall {
            seq,
            caller: arrival.map(|arrival| arrival.caller.clone()),
            invocation: arrival.and_then(|arrival| arrival.invocation.clone()),
            index: arrival.and_then(|arrival| arrival.index),
            attempt: arrival.map_or(1, |arrival| arrival.attempt),
            service,
            operation: operation.to_owned(),
            request: redacted(request),
            status: 0,
            error: None,
            denied: None,
            answered: false,
            consumed: None,
        });
        seq
    }

    /// Adds to a call what became of it.
    pub(crate) fn update(&self, seq: u64, change: impl FnOnce(&mut AwsCall)) {
        let mut state = lock(&self.state);
        let first = state.kept.front().map_or(0, |call| call.seq);
        let position = seq.checked_sub(first).and_then(|position| usize::try_from(position).ok());
        if let Some(call) = position.and_then(|position| state.kept.get_mut(position)) {
            change(call);
        }
    }

    /// The number that the next call will have.
    pub(crate) fn mark(&self) -> u64 {
        lock(&self.state).next
    }

    /// The calls from that number on.
    pub(crate) fn since(&self, mark: u64) -> Vec<AwsCall> {
        lock(&self.state).kept.iter().filter(|call| call.seq >= mark).cloned().collect()
    }
}

/// Secrets must not outlive the call in a record that a failing test prints.
fn redacted(mut request: Value) -> Value {
    for key in ["SecretString", "SecretBinary"] {
        if let Some(secret) = request.get_mut(key) {
            *secret = REDACTED.into();
        }
    }
    request
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Calls, REDACTED, Service};

    #[test]
    fn secrets_are_not_kept() {
        let calls = Calls::default();
        let request = json!({"Name": "n", "SecretString": "s3cret"});
        let seq = calls.arrived(None, Service::SecretsManager, "CreateSecret", request);
        calls.update(seq, |call| call.status = 200);
        let kept = calls.since(0);
        assert_eq!(kept[0].request, json!({"Name": "n", "SecretString": REDACTED}));
        assert_eq!(kept[0].status, 200);
        assert!(calls.since(calls.mark()).is_empty());
    }
}
