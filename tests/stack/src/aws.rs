//! The one address at which both services answer, in the AWS JSON protocol.
//!
//! A call passes here: who calls, what goes wrong on purpose, what the function's policies allow, the service itself,
//! and the record.

use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use hyper::{Request, StatusCode};
use serde_json::{Value, json};

use crate::callers::{Arrival, Callers, Kill};
use crate::calls::{AwsCall, Calls, Service};
use crate::conflicts::{self, Conflicts, Passage};
use crate::data::Data;
use crate::dynamodb::DynamoDb;
use crate::faults::{Call, Effect, Faults};
use crate::http::{self, Answer, Closed};
use crate::iam;
use crate::secrets_manager::SecretsManager;
use crate::streams;
use crate::system;
use crate::template::{ACCOUNT, PARTITION, Stream};
use tokio::sync::watch;

/// DynamoDB takes 16 MB, the largest of the two.
const BODY_LIMIT: usize = 16 * 1024 * 1024 + 64 * 1024;
/// The version that [`Effect::AnotherVersion`] stores.
const ANOTHER_VERSION: &str = "00000000-0000-4000-8000-000000000000";

/// What is answered under the name of the streams.
const STREAMS: [&str; 4] = ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"];
/// What writes to a stream.
const WRITES: [&str; 5] = ["BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"];
/// Whose answers tell of a stream.
const STREAM_ANSWERS: [&str; 6] =
    ["CreateTable", "DescribeStream", "DescribeTable", "GetRecords", "ListStreams", "UpdateTable"];

/// The services and all that stands before them.
#[derive(Debug)]
pub(crate) struct Aws {
    pub(crate) dynamodb: DynamoDb,
    pub(crate) secrets: SecretsManager,
    pub(crate) callers: Callers,
    pub(crate) faults: Faults,
    pub(crate) conflicts: Conflicts,
    pub(crate) calls: Calls,
    /// The table's stream, if it has one.
    pub(crate) stream: Option<Stream>,
    /// Whether what each call consumes is noted.
    pub(crate) is_metered: bool,
    /// Changes after each write.
    pub(crate) written: watch::Sender<()>,
    /// The directory is let go of last, when no call can write any more.
    pub(crate) _data: Option<Data>,
}

/// A request that has arrived completely.
struct Received {
    parts: Parts,
    body: Bytes,
    service: Service,
    operation: String,
}

impl Aws {
    /// Answers one HTTP request.
    pub(crate) async fn handle(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, Closed> {
        let (parts, body) = request.into_parts();
        let body = http::read(body, BODY_LIMIT).await.map_err(|_| Closed)?;
        let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
        let (service, operation) = match target.and_then(|target| target.split_once('.')) {
            // The database itself would answer either under both names.
            Some(("DynamoDB_20120810", operation)) if !is_of_streams(operation) => {
                (Service::Dynamodb, operation.to_owned())
            }
            Some(("DynamoDBStreams_20120810", operation)) if is_of_streams(operation) => {
                (Service::Dynamodb, operation.to_owned())
            }
            Some(("secretsmanager", operation)) => (Service::SecretsManager, operation.to_owned()),
            _ => return Ok(refusal(400, Service::Dynamodb, "UnknownOperationException", "no such operation here")),
        };
        // What has arrived is executed even if the caller hangs up: so it is in AWS.
        let call = tokio::spawn(async move { self.call(Received { parts, body, service, operation }).await });
        call.await.unwrap_or(Err(Closed))
    }

    async fn call(&self, mut received: Received) -> Result<Answer, Closed> {
        let arrival = self.callers.arrive(&received.parts.headers);
        let mut request: Value = serde_json::from_slice(&received.body).unwrap_or_default();
        if self.is_metered && received.service == Service::Dynamodb && !is_of_streams(&received.operation) {
            request = with(&request, "ReturnConsumedCapacity", "TOTAL");
            received.body = request.to_string().into();
        }
        let (service, operation) = (received.service, received.operation.clone());
        let operation = &operation;
        let seq = self.calls.arrived(arrival.as_ref(), service, operation, request.clone());
        // The developer is neither disturbed nor restricted.
        let (mut effect, mut kill, mut denied) = (None, None, None);
        if let Some(arrival) = &arrival {
            let fate = self.faults.meet(&facts(arrival, service, operation)).await;
            effect = fate.effect;
            kill = fate.lethal.then(|| Arc::clone(&arrival.kill));
            denied = self.denied(arrival, service, operation, &request);
        }
        match &effect {
            Some(Effect::NotSent) => return Err(hang_up(kill)),
            Some(Effect::Status(status, code)) => {
                self.calls.update(seq, |call| {
                    call.error = Some(code.clone());
                    call.answered = true;
                });
                return Ok(refusal(*status, service, code, "injected fault"));
            }
            Some(Effect::Delay(time)) => tokio::time::sleep(*time).await,
            Some(Effect::AnotherVersion) => {
                received.body = with(&request, "ClientRequestToken", ANOTHER_VERSION).to_string().into();
            }
            Some(Effect::NoAnswer | Effect::SlowAnswer(_)) | None => {}
        }
        let answer = match &denied {
            Some((message, _)) => refusal(400, service, "AccessDeniedException", message),
            None => self
                .execute(received, &request)
                .await
                .unwrap_or_else(|error| refusal(500, service, "InternalServerError", &error.to_string())),
        };
        let (answer, body) = with_body(answer).await;
        let silent = effect == Some(Effect::NoAnswer);
        self.calls.update(seq, |call| {
            outcome(call, answer.status(), &body);
            call.denied = denied.map(|(_, need)| need);
            call.answered = !silent;
        });
        if let Some(Effect::SlowAnswer(time)) = effect {
            tokio::time::sleep(time).await;
        }
        if silent { Err(hang_up(kill)) } else { Ok(answer) }
    }

    async fn execute(&self, received: Received, request: &Value) -> crate::Result<Answer> {
        match received.service {
            Service::Dynamodb => self.execute_dynamodb(received, request).await,
            Service::SecretsManager => {
                let (status, body) = self.secrets.handle(&received.operation, &received.body, system::now_ms());
                Ok(answer(status, Service::SecretsManager, &body))
            }
        }
    }

    async fn execute_dynamodb(&self, received: Received, request: &Value) -> crate::Result<Answer> {
        let Received { parts, body, operation, .. } = received;
        let (turn, body, unprocessed) = match self.conflicts.enter(&operation, request) {
            Passage::Answered(status, body) => return Ok(answer(status, Service::Dynamodb, &body)),
            Passage::Free(turn) => (turn, body, None),
            Passage::Partial { turn, request, unprocessed } => (turn, request.to_string().into(), Some(unprocessed)),
        };
        let answered = self.dynamodb.forward(parts.method, parts.headers, body).await;
        let success = answered.as_ref().is_ok_and(|answered| answered.status().is_success());
        if success && WRITES.contains(&operation.as_str()) {
            self.written.send_replace(());
        }
        turn.end(success).await;
        let stream = self.stream.as_ref().filter(|_| STREAM_ANSWERS.contains(&operation.as_str()));
        if !success || (unprocessed.is_none() && stream.is_none()) {
            return answered;
        }
        let (_, body) = with_body(answered?).await;
        let mut body = serde_json::from_slice(&body).unwrap_or_default();
        if let Some(unprocessed) = unprocessed {
            conflicts::give_back(&mut body, unprocessed);
        }
        if let Some(stream) = stream {
            streams::as_in_aws(stream, &mut body, system::now_ms());
        }
        Ok(answer(200, Service::Dynamodb, &body))
    }

    /// AWS's sentence about the first missing permission, and the permission.
    fn denied(
        &self,
        arrival: &Arrival,
        service: Service,
        operation: &str,
        request: &Value,
    ) -> Option<(String, String)> {
        let needs = match service {
            // An iterator is of the one stream that there is.
            Service::Dynamodb if operation == "GetRecords" => {
                let stream = self.stream.as_ref().map(|stream| stream.arn.as_str());
                iam::dynamodb_needs(operation, &json!({"StreamArn": stream}))
            }
            Service::Dynamodb => iam::dynamodb_needs(operation, request),
            Service::SecretsManager => iam::secrets_needs(operation, request, |id| self.secret_arn(id)),
        };
        let missing = needs.into_iter().find(|need| !iam::permitted(&arrival.function.statements, need))?;
        let message = format!(
            "User: arn:{PARTITION}:sts::{ACCOUNT}:assumed-role/{}/{} is not authorized to perform: {} on resource: {} \
             because no identity-based policy allows the {} action",
            arrival.function.logical_id, arrival.function.name, missing.action, missing.resource, missing.action
        );
        Some((message, format!("{} on {}", missing.action, missing.resource)))
    }

    fn secret_arn(&self, id: &str) -> Option<String> {
        let request = json!({"SecretId": id}).to_string();
        let (_, answer) = self.secrets.handle("DescribeSecret", request.as_bytes(), system::now_ms());
        answer.get("ARN").and_then(Value::as_str).map(str::to_owned)
    }
}

/// The request with this parameter.
fn with(request: &Value, name: &str, value: &str) -> Value {
    let mut parameters = request.as_object().cloned().unwrap_or_default();
    parameters.insert(name.to_owned(), value.into());
    Value::Object(parameters)
}

fn is_of_streams(operation: &str) -> bool {
    STREAMS.contains(&operation)
}

/// Closes the connection, and before that the process if its time has come.
fn hang_up(kill: Option<Kill>) -> Closed {
    if let Some(kill) = kill {
        kill.send_replace(true);
    }
    Closed
}

fn facts<'a>(arrival: &'a Arrival, service: Service, operation: &'a str) -> Call<'a> {
    Call {
        function: &arrival.caller.function,
        service,
        operation,
        invocation: arrival.invocation.as_deref(),
        index: arrival.index,
    }
}

/// The body, and the answer as it was.
async fn with_body(answer: Answer) -> (Answer, Bytes) {
    let (parts, body) = answer.into_parts();
    // The body is complete already and cannot fail.
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    (Answer::from_parts(parts, Full::new(body.clone())), body)
}

fn outcome(call: &mut AwsCall, status: StatusCode, body: &[u8]) {
    call.status = status.as_u16();
    let asked_for_capacity = call.request.get("ReturnConsumedCapacity").is_some();
    if status.is_success() && !asked_for_capacity {
        return;
    }
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = answer.get("__type").and_then(Value::as_str);
    call.error = code.and_then(|code| code.rsplit('#').next()).map(str::to_owned);
    let units = |capacity: &Value| capacity.get("CapacityUnits").and_then(Value::as_f64);
    call.consumed = match answer.get("ConsumedCapacity") {
        Some(Value::Array(tables)) => Some(tables.iter().filter_map(units).sum()),
        Some(capacity) => units(capacity),
        None => None,
    };
}

/// An error in the shape of the service.
fn refusal(status: u16, service: Service, code: &str, message: &str) -> Answer {
    let body = match service {
        // A transaction is told of by its parts: here, that another one was under way.
        Service::Dynamodb if code == "TransactionCanceledException" => conflicts::cancelled(&[true]),
        Service::Dynamodb => conflicts::error(code, message),
        Service::SecretsManager => json!({"__type": code, "Message": message}),
    };
    answer(status, service, &body)
}

fn answer(status: u16, service: Service, body: &Value) -> Answer {
    let content_type = match service {
        Service::Dynamodb => "application/x-amz-json-1.0",
        Service::SecretsManager => "application/x-amz-json-1.1",
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = http::json(status, content_type, body);
    if let Ok(id) = HeaderValue::from_str(&system::uuid()) {
        answer.headers_mut().insert("x-amzn-requestid", id);
    }
    answer
}
