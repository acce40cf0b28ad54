//! What stands between a process and AWS: calls that wait for their turn, and are lost.

use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use stack::Offline;

use super::SimulatedClock;
use super::mistakes::{Planted, apart, mistaken};
use super::schedule::{Fate, Stop, Stops};

/// Sees what AWS has done: the operation, and the body of the call.
pub type Watcher = Arc<dyn Fn(&Offline, &str, &[u8]) + Send + Sync>;

/// What DynamoDB says to a write of an item that a transaction is at work on.
const CONFLICT: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException"}"#;
/// What it says to another transaction.
const CANCELLED: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
    "CancellationReasons":[{"Code":"TransactionConflict"}]}"#;

/// The way of one process's calls.
#[derive(Clone)]
pub struct Wire {
    pub offline: Arc<Offline>,
    pub stops: Stops,
    pub clock: SimulatedClock,
    pub planted: Option<Planted>,
    pub watcher: Option<Watcher>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Wire")
    }
}

impl Wire {
    async fn answered(self, target: String, body: Vec<u8>) -> Result<HttpResponse, ConnectorError> {
        let (prefix, operation) = target.split_once('.').unwrap();
        let row = || format!("{prefix}.PutItem");
        let parts = if operation == "TransactWriteItems" { apart(&body) } else { None };
        let (status, text) = match (self.planted, parts) {
            (Some(Planted::RowBeforeTransaction), Some((rest, put))) => {
                self.one(&row(), put).await?;
                self.one(&target, rest).await?
            }
            (Some(Planted::RowAfterTransaction), Some((rest, put))) => {
                let answer = self.one(&target, rest).await?;
                if answer.0 == 200 {
                    self.one(&row(), put).await?;
                }
                answer
            }
            _ => self.one(&target, body).await?,
        };
        Ok(HttpResponse::new(status.try_into().unwrap(), text.into()))
    }

    /// One call: the status and the body of its answer.
    async fn one(&self, target: &str, body: Vec<u8>) -> Result<(u16, String), ConnectorError> {
        let lost = || ConnectorError::io("lost".into());
        let operation = target.rsplit('.').next().unwrap();
        let is_write = ["PutItem", "TransactWriteItems", "UpdateItem"].contains(&operation);
        let answer = match self.stops.stop(Stop::Call { is_write }).await {
            Fate::Lost | Fate::Crash => return Err(lost()),
            Fate::Conflict if operation == "TransactWriteItems" => (400, CANCELLED.to_owned()),
            Fate::Conflict => (400, CONFLICT.to_owned()),
            Fate::Go => self.done(target, operation, body),
            Fate::Twice => {
                self.done(target, operation, body.clone());
                self.done(target, operation, body)
            }
        };
        match self.stops.stop(Stop::Answer).await {
            Fate::Go => Ok(answer),
            _ => Err(lost()),
        }
    }

    fn done(&self, target: &str, operation: &str, body: Vec<u8>) -> (u16, String) {
        let body = mistaken(self.planted, operation, body);
        let answer = self.offline.answer(target, &body, self.clock.now_ms());
        if let (200, Some(watcher)) = (answer.0, &self.watcher) {
            watcher(&self.offline, operation, &body);
        }
        answer
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        let body = request.body().bytes().unwrap_or_default().to_vec();
        HttpConnectorFuture::new(self.clone().answered(target, body))
    }
}
