//! The Lambda Runtime API, one listener for all processes: the first part of the path says which process asks.

use std::sync::Arc;

use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::Inner;
use super::instance::{Instance, Reply, Running};
use crate::calls::Cause;
use crate::http::{self, Answer, BodyError, Closed};
use crate::system::{self, lock};
use crate::template::{ACCOUNT, PARTITION, REGION};

/// The largest answer that Lambda takes: 6 MB and some room for the envelope.
const ANSWER_LIMIT: usize = 6 * 1024 * 1024 + 100;

/// Answers one request of a process.
pub(super) async fn handle(inner: Option<Arc<Inner>>, request: Request<Incoming>) -> Result<Answer, Closed> {
    // The local AWS is going down.
    let inner = inner.ok_or(Closed)?;
    let path = request.uri().path().to_owned();
    let mut parts = path.trim_start_matches('/').split('/');
    let instance = parts.next().and_then(|name| lock(&inner.instances).get(name).cloned());
    // Of a process that has ended, or is being ended. What is not an event makes the runtime of Rust panic.
    let instance = instance.ok_or(Closed)?;
    let rest: Vec<&str> = parts.collect();
    match (request.method(), rest.as_slice()) {
        (&Method::GET, ["2018-06-01", "runtime", "invocation", "next"]) => {
            // What is printed between two events belongs to the one before.
            instance.printout.collect(&instance.caller, &inner.output, false);
            next(&inner, &instance).await
        }
        (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "response"]) => {
            let reply = match http::read(request.into_body(), ANSWER_LIMIT).await {
                Ok(payload) => Ok(payload),
                Err(BodyError::TooLarge) => Err(("Function.ResponseSizeTooLarge", "the answer is larger than 6 MB")),
                Err(BodyError::Broken) => return Err(Closed),
            };
            Ok(finish(&inner, &instance, id, |aws_calls| match reply {
                Ok(payload) => Reply::Answer { payload, aws_calls },
                Err((kind, message)) => Reply::Failed { kind: kind.to_owned(), message: message.to_owned() },
            }))
        }
        (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "error"]) => {
            let (kind, message) = reported(request).await?;
            Ok(finish(&inner, &instance, id, |_| Reply::Failed { kind, message }))
        }
        (&Method::POST, ["2018-06-01", "runtime", "init", "error"]) => {
            let (kind, message) = reported(request).await?;
            let job = lock(&instance.state).job.take();
            if let Some(job) = job {
                // Both receivers are the same waiting invocation; if it is gone, nobody needs to know.
                let _ = job.started.send(());
                let _ = job.reply.send(Reply::Failed { kind, message });
            }
            instance.kill();
            Ok(accepted())
        }
        _ => Ok(error(StatusCode::NOT_FOUND, "Runtime.NotFound")),
    }
}

/// Waits for an event. A process that is to end finds the connection closed.
async fn next(inner: &Inner, instance: &Instance) -> Result<Answer, Closed> {
    let job = loop {
        let (job, retired) = {
            let mut state = lock(&instance.state);
            (state.job.take(), state.retired)
        };
        match job {
            Some(job) => break job,
            None if retired => return Err(Closed),
            None => instance.wake.notified().await,
        }
    };
    // From here on the process's calls belong to this invocation.
    inner.aws.callers.begin(&instance.access_key, &job.request_id, Cause::read(&job.payload));
    inner.aws.faults.begin(&instance.caller.function, &job.request_id);
    let arn = format!("arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:{}", instance.function.name);
    let limit = i64::try_from(instance.function.timeout_seconds).unwrap_or(i64::MAX).saturating_mul(1000);
    let deadline = job.deadline_ms.unwrap_or_else(|| system::now_ms().saturating_add(limit));
    let mut answer = Response::new(Full::new(job.payload));
    for (name, value) in [
        ("lambda-runtime-aws-request-id", job.request_id.as_str()),
        ("lambda-runtime-deadline-ms", &deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", &arn),
        ("lambda-runtime-trace-id", &job.trace),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut state = lock(&instance.state);
    // A process that has just died will not answer: dropping the event says so to whoever waits.
    if !state.dead {
        state.running = Some(Running { request_id: job.request_id, reply: job.reply });
        // Whoever waits may have given up; the event is worked on all the same.
        let _ = job.started.send(());
    }
    drop(state);
    Ok(answer)
}

/// Ends the invocation, if it is the one that the process is working on.
fn finish(inner: &Inner, instance: &Instance, id: &str, reply: impl FnOnce(usize) -> Reply) -> Answer {
    let running = {
        let mut state = lock(&instance.state);
        state.running.take_if(|running| running.request_id == id)
    };
    let Some(running) = running else {
        return error(StatusCode::BAD_REQUEST, "InvalidRequestID");
    };
    let aws_calls = inner.aws.callers.end(&instance.access_key);
    inner.aws.faults.end(id);
    instance.printout.collect(&instance.caller, &inner.output, false);
    // As above.
    let _ = running.reply.send(reply(aws_calls));
    accepted()
}

async fn reported(request: Request<Incoming>) -> Result<(String, String), Closed> {
    let body = http::read(request.into_body(), ANSWER_LIMIT).await.map_err(|_| Closed)?;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or("unknown").to_owned();
    Ok((text("errorType"), text("errorMessage")))
}

fn accepted() -> Answer {
    http::json(StatusCode::ACCEPTED, "application/json", &json!({"status": "OK"}))
}

fn error(status: StatusCode, kind: &str) -> Answer {
    http::json(status, "application/json", &json!({"errorType": kind, "errorMessage": kind}))
}
