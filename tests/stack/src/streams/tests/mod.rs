//! A table whose stream is read for a function that a test plays.

mod batch;
mod delivery;
mod records;

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Streams, Target};
use crate::lambda::InvokeError;
use crate::system::lock;
use crate::template::{Filters, Function, Mapping, StartingPosition};
use crate::{Result, Stack};

/// `@EVENT` are lines that a test adds to the event.
const TEMPLATE: &str = r#"
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{ AttributeName: pk, KeyType: HASH }]
      AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]
      StreamSpecification: { StreamViewType: KEYS_ONLY }
  Lost:
    Type: AWS::SQS::Queue
    Properties: { QueueName: lost }
  AdminKey:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString: { SecretStringTemplate: "{}", GenerateStringKey: current, PasswordLength: 48 }
  SenderFunction:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: sender } }
    Properties:
      Policies:
        - Statement:
            - Effect: Allow
              Action: [dynamodb:DescribeStream, dynamodb:GetRecords, dynamodb:GetShardIterator]
              Resource: !GetAtt Table.StreamArn
      Events:
        Rows:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Table.StreamArn
            StartingPosition: TRIM_HORIZON
            @EVENT
"#;

/// The mapping that says nothing.
fn mapping() -> Mapping {
    Mapping {
        stream: "arn".to_owned(),
        start: StartingPosition::TrimHorizon,
        batch_size: 100,
        batching_window: Duration::ZERO,
        filters: Filters::default(),
        reports_failures: false,
        retries: None,
        most_age: None,
        bisects: false,
        on_failure: None,
        enabled: true,
    }
}

/// The template as a file, with this in its event.
fn template(event: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(TEMPLATE.replace("@EVENT", event).as_bytes()).unwrap();
    file
}

/// Only the table: nothing is read for anybody yet.
async fn table(event: &str) -> Stack {
    Stack::builder().template(template(event).path()).aws_only().start().await.unwrap()
}

/// A function that answers what it is told to, and after that success.
#[derive(Debug, Clone, Default)]
struct Played {
    answers: Arc<Mutex<VecDeque<Result<Value, InvokeError>>>>,
    events: Arc<Mutex<Vec<Value>>>,
}

impl Played {
    fn answering(answers: impl IntoIterator<Item = Result<Value, InvokeError>>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Self::default() }
    }

    fn target(&self) -> Target {
        let played = self.clone();
        Arc::new(move |payload| {
            lock(&played.events).push(serde_json::from_slice(&payload).unwrap());
            let answer = lock(&played.answers).pop_front().unwrap_or(Ok(Value::Null));
            Box::pin(async move { answer })
        })
    }

    async fn reads(&self, stack: &Stack) -> Streams {
        let functions: &[Arc<Function>] = &stack.functions;
        Streams::start_for(&stack.aws, functions, |_| self.target()).await.unwrap()
    }

    fn events(&self) -> Vec<Value> {
        lock(&self.events).clone()
    }

    /// The keys of each event.
    fn keys(&self) -> Vec<Vec<String>> {
        let key = |record: &Value| record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap().to_owned();
        self.events().iter().map(|event| event["Records"].as_array().unwrap().iter().map(key).collect()).collect()
    }
}

/// Writes an item past the HTTP of the local AWS, then says so.
async fn put(stack: &Stack, pk: &str, n: u32) {
    let item = json!({"pk": {"S": pk}, "n": {"N": n.to_string()}});
    write(stack, "PutItem", &json!({"TableName": "latchkey-Table", "Item": item})).await;
}

async fn write(stack: &Stack, operation: &str, request: &Value) {
    let (status, answer) = stack.aws.dynamodb.call(operation, request).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    stack.aws.written.send_replace(());
}

fn failure(record: &Value) -> Value {
    json!({"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]})
}
