//! Functions that a schedule, or the table's stream, starts.

use std::future::Future;

use lambda_runtime::LambdaEvent;
use serde_json::{Map, Value};

use super::events::Payload;
use super::telemetry::TARGET;
use super::{Exit, events, run};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store::{Delivered, Reconciled, Sealed};

/// What a run of a scheduled function did.
pub trait Work: Default + Send {
    /// The fields of the log line that are metrics.
    const METRICS: &'static str;
    /// Whether there was anything to do. A run without, which nearly all are, sends no metric.
    fn is_any(&self) -> bool;
    /// What was done, by the names that the log and the answer have for it.
    fn done(&self) -> Map<String, Value>;
    /// Why some of the work is left over.
    fn failures(self) -> Vec<String>;
}

impl Work for Reconciled {
    const METRICS: &'static str = "removed failures";

    fn is_any(&self) -> bool {
        self.removed > 0
    }

    fn done(&self) -> Map<String, Value> {
        let (removed, entered) = (("removed", self.removed), ("entered", self.entered));
        let counts = [removed, ("forgotten", self.forgotten), ("cleared", self.cleared), entered];
        counts.into_iter().map(|(name, count)| (name.to_owned(), count.into())).collect()
    }

    fn failures(self) -> Vec<String> {
        self.failures
    }
}

impl Work for Sealed {
    const METRICS: &'static str = "sealed failures";

    fn is_any(&self) -> bool {
        self.sealed > 0
    }

    fn done(&self) -> Map<String, Value> {
        let (number, digest) = self.newest.clone().unzip();
        let done = [("sealed", self.sealed.into()), ("newest_seal", number.into()), ("newest_digest", digest.into())];
        done.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn failures(self) -> Vec<String> {
        self.failures
    }
}

impl Work for Delivered {
    const METRICS: &'static str = "delivered unsuccessful oldest_ms failures";

    fn is_any(&self) -> bool {
        self.delivered + self.unsuccessful + self.given_up > 0
    }

    fn done(&self) -> Map<String, Value> {
        let counts = [("delivered", self.delivered), ("unsuccessful", self.unsuccessful), ("given_up", self.given_up)];
        let done = counts.into_iter().map(|(name, count)| (name.to_owned(), count.into()));
        done.chain([("oldest_ms".to_owned(), self.oldest_ms.into())]).collect()
    }

    fn failures(self) -> Vec<String> {
        self.failures
    }
}

/// Runs a function that is started by a schedule: `handler` once an event, whatever is in the event.
pub fn on_schedule<W, H, F>(name: &'static str, handler: H) -> Exit
where
    W: Work,
    H: Fn(App) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = Result<W>> + Send,
{
    on_event(name, move |app, _| handler(app))
}

/// Places in the table that its stream says were written: partition key and sort key. `None` if it was the schedule
/// that started the function.
pub type Written = Option<Vec<(String, String)>>;

/// What the records of an event name (Lambda Developer Guide, "Process DynamoDB records with Lambda").
fn written(event: &Value) -> Written {
    let part = |record: &Value, name: &str| {
        record.pointer(&format!("/dynamodb/Keys/{name}/S")).and_then(Value::as_str).map(str::to_owned)
    };
    let records = event.get("Records")?.as_array()?;
    Some(records.iter().filter_map(|record| Some((part(record, "pk")?, part(record, "sk")?))).collect())
}

/// Runs a function that is started by a schedule or by the table's stream: `handler` once an event.
pub fn on_event<W, H, F>(name: &'static str, handler: H) -> Exit
where
    W: Work,
    H: Fn(App, Written) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = Result<W>> + Send,
{
    run(move |app| async move {
        let answered = |event: LambdaEvent<Payload>| {
            let (app, request_id) = (app.clone(), event.context.request_id);
            async move {
                let written = written(&serde_json::from_slice(&event.payload)?);
                once(name, |app| handler(app, written), app, &request_id).await
            }
        };
        events::answer_all(events::client(), answered).await
    })
}

/// A run that did not do all of its work ends with an error, so that the platform counts it and the alarm sees it.
async fn once<W, H, F>(
    name: &'static str,
    handler: H,
    app: App,
    request_id: &str,
) -> Result<Value, lambda_runtime::Error>
where
    W: Work,
    H: FnOnce(App) -> F,
    F: Future<Output = Result<W>>,
{
    let started = app.now();
    let outcome = handler(app.clone()).await;
    let cause = outcome.as_ref().err().and_then(Error::cause);
    let work = outcome.unwrap_or_default();
    let (is_any, done) = (work.is_any(), Value::Object(work.done()));
    let failures: Vec<_> = cause.into_iter().chain(work.failures()).collect();
    let (latency_ms, timestamp_ms) = (app.now().as_millis().saturating_sub(started.as_millis()), started.as_millis());
    let cause = failures.first();
    let metrics = (is_any || !failures.is_empty()).then_some(W::METRICS);
    let members = done.to_string();
    // The level of an event is a constant.
    macro_rules! line {
        ($event:ident) => {
            tracing::$event!(
                target: TARGET, operation = name, request_id, members, failures = failures.len(), cause, latency_ms,
                timestamp_ms, metrics,
            )
        };
    }
    if failures.is_empty() {
        line!(info);
        Ok(done)
    } else {
        line!(error);
        Err("some of the work is left for the next run".into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn records_name_places_and_a_schedule_names_none() {
        let record =
            |pk: Value| json!({ "eventName": "INSERT", "dynamodb": { "Keys": { "pk": pk, "sk": { "S": "b" } } } });
        let event = json!({ "Records": [record(json!({ "S": "a" })), record(json!({ "N": "1" }))] });
        assert_eq!(written(&event), Some(vec![("a".to_owned(), "b".to_owned())]));
        assert_eq!(written(&json!({ "Records": [] })), Some(Vec::new()));
        assert_eq!(written(&json!({ "source": "aws.scheduler" })), None);
    }
}
