//! The record of every call to AWS.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

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

/// The event for which a process made a call. It holds the credentials of a request, so it does not print itself.
#[derive(Clone)]
pub struct Cause(Arc<Value>);

impl Cause {
    /// Reads an event as a process gets it. Null if it is not JSON.
    pub(crate) fn read(payload: &[u8]) -> Self {
        Self::from(serde_json::from_slice::<Value>(payload).unwrap_or_default())
    }

    /// The event.
    pub fn event(&self) -> &Value {
        &self.0
    }
}

impl From<Value> for Cause {
    fn from(event: Value) -> Self {
        Self(Arc::new(event))
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cause")
    }
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
    /// The event of that invocation.
    pub cause: Option<Cause>,
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
    /// The capacity units consumed, those of indexes included, if the request asked for them or the stack is
    /// [metered](crate::StackBuilder::metered).
    pub consumed: Option<f64>,
}

/// Is shown each call of a function.
pub(crate) type Witness = Box<dyn Fn(&AwsCall) + Send + Sync>;

/// The last calls.
#[derive(Default)]
pub(crate) struct Calls {
    state: Mutex<State>,
    witness: Option<Witness>,
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls").field("state", &self.state).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct State {
    kept: VecDeque<AwsCall>,
    next: u64,
}

impl Calls {
    /// A record of which somebody is shown each call of a function when it arrives, also of those that are not kept.
    pub(crate) fn new(witness: Option<Witness>) -> Self {
        Self { state: Mutex::default(), witness }
    }

    /// Notes the arrival of a call and gives it its number.
    pub(crate) fn arrived(&self, arrival: Option<&Arrival>, service: Service, operation: &str, request: Value) -> u64 {
        let mut state = lock(&self.state);
        let call = AwsCall {
            seq: state.next,
            caller: arrival.map(|arrival| arrival.caller.clone()),
            invocation: arrival.and_then(|arrival| arrival.invocation.clone()),
            cause: arrival.and_then(|arrival| arrival.cause.clone()),
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
        };
        let seq = call.seq;
        let shown = self.witness.as_ref().filter(|_| call.caller.is_some()).map(|witness| (witness, call.clone()));
        state.next += 1;
        if state.kept.len() == KEPT {
            state.kept.pop_front();
        }
        state.kept.push_back(call);
        // The witness may want to look at the record.
        drop(state);
        if let Some((witness, call)) = shown {
            witness(&call);
        }
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
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::{Value, json};

    use super::{Calls, Cause, KEPT, REDACTED, Service};
    use crate::callers::tests::arrival;

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

    #[test]
    fn a_call_knows_its_cause_and_does_not_print_it() {
        let calls = Calls::default();
        let event = json!({"headers": {"authorization": "Bearer s3cret"}});
        calls.arrived(Some(&arrival(event.clone())), Service::Dynamodb, "GetItem", Value::Null);
        let kept = calls.since(0);
        assert_eq!(kept[0].cause.as_ref().map(Cause::event), Some(&event));
        let printed = format!("{kept:?} {calls:?}");
        assert!(printed.contains("Cause") && !printed.contains("s3cret"), "{printed}");
        assert_eq!(Cause::read(b"no JSON").event(), &Value::Null);
    }

    #[test]
    fn the_witness_is_shown_every_call_of_a_function_also_those_that_are_not_kept() {
        let seen = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&seen);
        let calls = Calls::new(Some(Box::new(move |call| {
            assert!(call.caller.is_some() && call.request["SecretString"] != "s3cret");
            counted.fetch_add(1, Ordering::SeqCst);
        })));
        let arrival = arrival(Value::Null);
        calls.arrived(Some(&arrival), Service::SecretsManager, "CreateSecret", json!({"SecretString": "s3cret"}));
        calls.arrived(None, Service::Dynamodb, "Scan", Value::Null);
        for _ in 0..KEPT {
            calls.arrived(Some(&arrival), Service::Dynamodb, "GetItem", Value::Null);
        }
        assert_eq!(calls.since(0).len(), KEPT);
        assert_eq!(seen.load(Ordering::SeqCst), KEPT + 1);
    }
}
