//! Functions that a schedule starts.

use std::future::Future;

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Value, json};

use super::telemetry::TARGET;
use super::{Exit, run};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store::Reconciled;

/// Runs a function that is started by a schedule: `handler` once an event, whatever is in the event.
pub fn on_schedule<H, F>(name: &'static str, handler: H) -> Exit
where
    H: Fn(App) -> F + Copy,
    F: Future<Output = Result<Reconciled>>,
{
    run(move |app| async move {
        let service = service_fn(|event: LambdaEvent<Value>| {
            let app = app.clone();
            async move { once(name, handler, app, &event.context.request_id).await }
        });
        lambda_runtime::Runtime::new(service).run().await
    })
}

/// A run that did not do all of its work ends with an error, so that the platform counts it and the alarm sees it.
async fn once<H, F>(name: &'static str, handler: H, app: App, request_id: &str) -> Result<Value, lambda_runtime::Error>
where
    H: Fn(App) -> F,
    F: Future<Output = Result<Reconciled>>,
{
    let started = app.now();
    let outcome = handler(app.clone()).await;
    let cause = outcome.as_ref().err().and_then(Error::cause);
    let done = outcome.unwrap_or_default();
    let failures: Vec<_> = cause.into_iter().chain(done.failures.iter().cloned()).collect();
    let Reconciled { removed, forgotten, cleared, .. } = done;
    let (latency_ms, timestamp_ms) = (app.now().as_millis().saturating_sub(started.as_millis()), started.as_millis());
    let cause = failures.first();
    // A run that found nothing to do, which nearly all are, sends no metric.
    let metrics = (removed > 0 || !failures.is_empty()).then_some("removed failures");
    // The level of an event is a constant.
    macro_rules! line {
        ($event:ident) => {
            tracing::$event!(
                target: TARGET, operation = name, request_id, removed, forgotten, cleared, failures = failures.len(),
                cause, latency_ms, timestamp_ms, metrics,
            )
        };
    }
    if failures.is_empty() {
        line!(info);
        Ok(json!({ "removed": removed, "forgotten": forgotten, "cleared": cleared }))
    } else {
        line!(error);
        Err("some of the work is left for the next run".into())
    }
}
