//! Who calls AWS: each function process has an access key id of its own, anybody else is the developer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use hyper::HeaderMap;
use tokio::sync::watch;

use crate::calls::Cause;
use crate::system::lock;
use crate::template::Function;

/// A function process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The function's binary.
    pub function: String,
    /// The process: the binary and a number.
    pub instance: String,
}

/// A call as it arrives from a function.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) caller: Caller,
    pub(crate) function: Arc<Function>,
    pub(crate) invocation: Option<String>,
    pub(crate) cause: Option<Cause>,
    /// Which call of the invocation this is. The SDK's retries of a call have the same number.
    pub(crate) index: Option<usize>,
    /// 1 for the first attempt of the SDK.
    pub(crate) attempt: u32,
    /// Ends the process.
    pub(crate) kill: Kill,
}

/// Set to true, it ends a process.
pub(crate) type Kill = Arc<watch::Sender<bool>>;

#[derive(Debug)]
struct Registered {
    caller: Caller,
    function: Arc<Function>,
    kill: Kill,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    invocation: String,
    cause: Cause,
    /// The SDK's ids of the calls so far, in order of arrival.
    calls: Vec<String>,
}

/// The processes, by access key id.
#[derive(Debug, Default)]
pub(crate) struct Callers {
    by_key: Mutex<HashMap<String, Registered>>,
}

impl Callers {
    /// Makes a process known under its access key id.
    pub(crate) fn register(&self, access_key: &str, caller: Caller, function: Arc<Function>, kill: Kill) {
        lock(&self.by_key).insert(access_key.to_owned(), Registered { caller, function, kill, current: None });
    }

    /// Forgets a process.
    pub(crate) fn forget(&self, access_key: &str) {
        lock(&self.by_key).remove(access_key);
    }

    /// From now on, calls of the process belong to this invocation.
    pub(crate) fn begin(&self, access_key: &str, invocation: &str, cause: Cause) {
        if let Some(registered) = lock(&self.by_key).get_mut(access_key) {
            registered.current = Some(Current { invocation: invocation.to_owned(), cause, calls: Vec::new() });
        }
    }

    /// The invocation is over. Answers how many calls it made, the SDK's retries not counted.
    pub(crate) fn end(&self, access_key: &str) -> usize {
        let mut by_key = lock(&self.by_key);
        let current = by_key.get_mut(access_key).and_then(|registered| registered.current.take());
        current.map_or(0, |current| current.calls.len())
    }

    /// Whose call this is. `None` is the developer.
    pub(crate) fn arrive(&self, headers: &HeaderMap) -> Option<Arrival> {
        let access_key = access_key(text(headers, "authorization")?)?;
        let mut by_key = lock(&self.by_key);
        let registered = by_key.get_mut(access_key)?;
        let index = registered.current.as_mut().map(|current| {
            let id = text(headers, "amz-sdk-invocation-id").unwrap_or_default();
            let known = if id.is_empty() { None } else { current.calls.iter().position(|call| call == id) };
            known.unwrap_or_else(|| {
                current.calls.push(id.to_owned());
                current.calls.len() - 1
            })
        });
        Some(Arrival {
            caller: registered.caller.clone(),
            function: Arc::clone(&registered.function),
            invocation: registered.current.as_ref().map(|current| current.invocation.clone()),
            cause: registered.current.as_ref().map(|current| current.cause.clone()),
            index,
            attempt: text(headers, "amz-sdk-request").and_then(attempt).unwrap_or(1),
            kill: Arc::clone(&registered.kill),
        })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `AWS4-HMAC-SHA256 Credential=<access key id>/<date>/…, SignedHeaders=…`
fn access_key(authorization: &str) -> Option<&str> {
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split('/').next()
}

/// `attempt=1; max=3`
fn attempt(header: &str) -> Option<u32> {
    header.split(';').find_map(|part| part.trim().strip_prefix("attempt="))?.parse().ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use hyper::HeaderMap;
    use serde_json::{Value, json};

    use super::{Arrival, Caller, Callers, Kill};
    use crate::calls::Cause;
    use crate::template::Function;

    fn headers(key: &str, call: &str, attempt: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let authorization = format!("AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/dynamodb/aws4_request, X");
        headers.insert("authorization", authorization.parse().unwrap());
        headers.insert("amz-sdk-invocation-id", call.parse().unwrap());
        headers.insert("amz-sdk-request", attempt.parse().unwrap());
        headers
    }

    /// With one process, `AKIAF1`.
    fn callers() -> Callers {
        let function = Function {
            logical_id: "F".to_owned(),
            name: "f".to_owned(),
            binary: "f".to_owned(),
            environment: BTreeMap::new(),
            memory_mb: 128,
            timeout_seconds: 3,
            routes: Vec::new(),
            schedule: false,
            mappings: Vec::new(),
            statements: Vec::new(),
        };
        let callers = Callers::default();
        let caller = Caller { function: "f".to_owned(), instance: "f-1".to_owned() };
        callers.register("AKIAF1", caller, Arc::new(function), Kill::default());
        callers
    }

    /// The first call of a process that was given this event.
    pub(crate) fn arrival(event: Value) -> Arrival {
        let callers = callers();
        callers.begin("AKIAF1", "request", Cause::from(event));
        callers.arrive(&headers("AKIAF1", "a", "attempt=1")).unwrap()
    }

    #[test]
    fn retries_are_the_same_call_and_unknown_keys_are_the_developer() {
        let callers = callers();
        assert!(callers.arrive(&headers("AKIADEVELOPER", "a", "attempt=1")).is_none());
        assert!(callers.arrive(&HeaderMap::new()).is_none());
        assert_eq!(callers.arrive(&headers("AKIAF1", "a", "attempt=1")).unwrap().index, None);

        callers.begin("AKIAF1", "request", Cause::from(Value::Null));
        let seen: Vec<_> = [("a", "attempt=1"), ("a", "attempt=2; max=3"), ("b", "attempt=1")]
            .into_iter()
            .map(|(call, attempt)| callers.arrive(&headers("AKIAF1", call, attempt)).unwrap())
            .map(|arrival| (arrival.index, arrival.attempt))
            .collect();
        assert_eq!(seen, [(Some(0), 1), (Some(0), 2), (Some(1), 1)]);
        assert_eq!(callers.end("AKIAF1"), 2);
    }

    #[test]
    fn a_call_is_caused_by_the_event_that_its_process_is_working_on() {
        let callers = callers();
        let cause = || {
            let arrival = callers.arrive(&headers("AKIAF1", "a", "attempt=1")).unwrap();
            arrival.cause.map(|cause| cause.event().clone())
        };
        assert_eq!(cause(), None);
        for number in 0..2 {
            callers.begin("AKIAF1", "request", Cause::from(json!({"number": number})));
            assert_eq!(cause(), Some(json!({"number": number})));
        }
        callers.end("AKIAF1");
        assert_eq!(cause(), None);
    }
}
