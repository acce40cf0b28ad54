//! DynamoDB: a dynoxide server on a private port, to which requests are passed on unchanged.

use std::path::Path;

use dynoxide::Database;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::error::{Context, Error, Result};
use crate::http::{Answer, listen};
use crate::template::Template;

/// The running database. Dropping it stops the server.
#[derive(Debug)]
pub(crate) struct DynamoDb {
    client: Client<HttpConnector, Full<Bytes>>,
    uri: Uri,
    server: JoinHandle<()>,
}

impl DynamoDb {
    /// Starts with the data in this file, or in memory.
    pub(crate) async fn start(file: Option<&Path>) -> Result<Self> {
        let database = match file {
            Some(path) => {
                let text = path.to_str().ok_or_else(|| Error::new(format!("{} is not UTF-8", path.display())))?;
                Database::new(text).context(path.display())?
            }
            None => Database::memory().context("the local DynamoDB does not start")?,
        };
        let listener = listen(0).await?;
        let address = listener.local_addr().context("no address")?;
        let uri = format!("http://{address}/").parse().context("no URI")?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            uri,
            server: tokio::spawn(dynoxide::server::serve_on(listener, database)),
        })
    }

    /// Passes a request on. The body and the headers that say something about it go through as they are.
    pub(crate) async fn forward(&self, method: Method, mut headers: HeaderMap, body: Bytes) -> Result<Answer> {
        for hop in [CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH] {
            headers.remove(hop);
        }
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        let answer = self.client.request(request).await.context("the local DynamoDB does not answer")?;
        let (mut parts, body) = answer.into_parts();
        let body = body.collect().await.context("the local DynamoDB broke off")?.to_bytes();
        parts.headers.remove(CONNECTION);
        parts.headers.remove(TRANSFER_ENCODING);
        Ok(Answer::from_parts(parts, Full::new(body)))
    }

    /// One call of our own.
    pub(crate) async fn call(&self, operation: &str, request: &Value) -> Result<(StatusCode, Value)> {
        self.call_target(&format!("DynamoDB_20120810.{operation}"), request).await
    }

    /// One call of our own to the stream.
    pub(crate) async fn streams_call(&self, operation: &str, request: &Value) -> Result<(StatusCode, Value)> {
        self.call_target(&format!("DynamoDBStreams_20120810.{operation}"), request).await
    }

    async fn call_target(&self, target: &str, request: &Value) -> Result<(StatusCode, Value)> {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-target", HeaderValue::from_str(target).context("not an operation")?);
        headers.insert("content-type", HeaderValue::from_static("application/x-amz-json-1.0"));
        // Only its presence is looked at.
        headers.insert(
            "authorization",
            HeaderValue::from_static(
                "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature=0",
            ),
        );
        headers.insert("x-amz-date", HeaderValue::from_static("20260101T000000Z"));
        let answer = self.forward(Method::POST, headers, Bytes::from(request.to_string())).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await.context("no body")?.to_bytes();
        Ok((status, serde_json::from_slice(&body).context("the local DynamoDB did not answer JSON")?))
    }

    /// Creates the table of the template, unless the data already has it.
    pub(crate) async fn create_table(&self, template: &Template) -> Result<()> {
        let mut request = template.table.clone();
        if let (Some(request), Some(_)) = (request.as_object_mut(), &template.stream) {
            request.insert("StreamSpecification".to_owned(), both_images());
        }
        let (status, answer) = self.call("CreateTable", &request).await?;
        if !status.is_success() {
            let code = answer.get("__type").and_then(Value::as_str).unwrap_or_default();
            if !code.ends_with("ResourceInUseException") {
                return Err(Error::new(format!("the table cannot be created from the template: {answer}")));
            }
            return self.same_table(template).await;
        }
        if let Some(attribute) = &template.ttl_attribute {
            let request = json!({
                "TableName": template.table_name,
                "TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": true},
            });
            let (status, answer) = self.call("UpdateTimeToLive", &request).await?;
            if !status.is_success() {
                return Err(Error::new(format!("TTL cannot be turned on: {answer}")));
            }
        }
        Ok(())
    }

    /// Data that was kept must still fit the template: a missing index would look like a bug of the functions.
    async fn same_table(&self, template: &Template) -> Result<()> {
        let (_, answer) = self.call("DescribeTable", &json!({"TableName": template.table_name})).await?;
        let kept = answer.get("Table").unwrap_or(&Value::Null);
        if shape(kept) != shape(&template.table) {
            return Err(Error::new(format!(
                "the kept data has a table {} with other keys or indexes than template.yaml; remove the data to \
                 start anew",
                template.table_name
            )));
        }
        let has_stream = kept.pointer("/StreamSpecification/StreamEnabled").and_then(Value::as_bool) == Some(true);
        if template.stream.is_some() && !has_stream {
            let request = json!({"TableName": template.table_name, "StreamSpecification": both_images()});
            let (status, answer) = self.call("UpdateTable", &request).await?;
            if !status.is_success() {
                return Err(Error::new(format!("the stream cannot be turned on: {answer}")));
            }
        }
        Ok(())
    }
}

impl Drop for DynamoDb {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The local stream has more than the template says: see `streams::records`.
fn both_images() -> Value {
    json!({"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"})
}

/// The keys of a table and of its indexes, in an order that can be compared.
fn shape(table: &Value) -> Vec<String> {
    let mut keys = vec![table.get("KeySchema").cloned().unwrap_or_default().to_string()];
    for kind in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
        for index in table.get(kind).and_then(Value::as_array).into_iter().flatten() {
            let part = |name: &str| index.get(name).cloned().unwrap_or_default().to_string();
            keys.push(format!("{} {} {}", kind, part("IndexName"), part("KeySchema")));
        }
    }
    keys.sort();
    keys
}
