//! What stands between a process and AWS: calls that wait for their turn, and are lost.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use serde_json::Value;
use stack::Offline;

use super::SimulatedClock;
use super::schedule::{Fate, Schedule, Stop};

/// A mistake that is made on purpose, to see that it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// A process remembers for five seconds with which secret it accepted a call, and asks nobody.
    StaleAcceptance,
    /// The count has no upper bound.
    NoLimit,
    /// A nonce is written whether it is there or not.
    ForgottenNonces,
}

/// What DynamoDB says to a write of an item that a transaction is at work on.
const CONFLICT: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException"}"#;
/// What it says to another transaction.
const CANCELLED: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
    "CancellationReasons":[{"Code":"TransactionConflict"}]}"#;

/// The way of one process's calls.
#[derive(Debug, Clone)]
pub struct Wire {
    pub offline: Arc<Offline>,
    /// None, if its calls wait for nobody.
    pub schedule: Option<(Schedule, usize)>,
    pub clock: SimulatedClock,
    pub planted: Option<Planted>,
}

impl Wire {
    pub fn client(self) -> SharedHttpClient {
        http_client_fn(move |_, _| SharedHttpConnector::new(self.clone()))
    }

    async fn stop(&self, stop: Stop) -> Fate {
        match &self.schedule {
            Some((schedule, process)) => schedule.stop(*process, stop).await,
            None => Fate::Go,
        }
    }

    async fn answered(self, target: String, body: Vec<u8>) -> Result<HttpResponse, ConnectorError> {
        let lost = || ConnectorError::io("lost".into());
        let operation = target.rsplit('.').next().unwrap();
        let is_write = ["PutItem", "TransactWriteItems", "UpdateItem"].contains(&operation);
        let (status, text) = match self.stop(Stop::Call { is_write }).await {
            Fate::Lost => return Err(lost()),
            Fate::Conflict if operation == "TransactWriteItems" => (400, CANCELLED.to_owned()),
            Fate::Conflict => (400, CONFLICT.to_owned()),
            Fate::Go => self.offline.answer(&target, &self.mistaken(&target, body), self.clock.now_ms()),
        };
        match self.stop(Stop::Answer).await {
            Fate::Go => Ok(HttpResponse::new(status.try_into().unwrap(), text.into())),
            Fate::Lost | Fate::Conflict => Err(lost()),
        }
    }

    /// The body with what is planted.
    fn mistaken(&self, target: &str, body: Vec<u8>) -> Vec<u8> {
        let operation = target.rsplit('.').next();
        let mut request: Value = match (self.planted, operation) {
            (Some(Planted::NoLimit), Some("UpdateItem")) | (Some(Planted::ForgottenNonces), Some("PutItem")) => {
                serde_json::from_slice(&body).unwrap()
            }
            _ => return body,
        };
        let condition = request["ConditionExpression"].as_str().unwrap_or_default();
        let Some((before, _)) = condition.split_once(" AND (attribute_not_exists(accepted_calls.") else {
            request.as_object_mut().unwrap().remove("ConditionExpression");
            return request.to_string().into_bytes();
        };
        request["ConditionExpression"] = before.into();
        request.to_string().into_bytes()
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        let body = request.body().bytes().unwrap_or_default().to_vec();
        HttpConnectorFuture::new(self.clone().answered(target, body))
    }
}
