//! The AWS address as a client sees it: permissions, faults and the record.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::{CrashMode, Effect, Fault, Invocation, Match, Service, Stack, StackBuilder};

const TEMPLATE: &str = r#"
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{ AttributeName: pk, KeyType: HASH }]
      AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]
  AdminKey:
    Type: AWS::SecretsManager::Secret
    Properties:
      Name: admin
      GenerateSecretString: { SecretStringTemplate: "{}", GenerateStringKey: current, PasswordLength: 48 }
  WriterFunction:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: writer } }
    Properties:
      Environment: { Variables: { TABLE: !Ref Table } }
      Policies:
        - Statement:
            - { Effect: Allow, Action: [dynamodb:PutItem], Resource: !GetAtt Table.Arn }
"#;

async fn start(admin_key: Option<&str>) -> Stack {
    start_with(|builder| builder.admin_key(admin_key.map(str::to_owned))).await
}

async fn start_with(options: impl FnOnce(StackBuilder) -> StackBuilder) -> Stack {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(TEMPLATE.as_bytes()).unwrap();
    options(Stack::builder().template(file.path()).aws_only()).start().await.unwrap()
}

/// The access key id with which a client is the function.
fn writer(stack: &Stack) -> String {
    let environment = stack.aws_environment("writer").unwrap();
    environment.into_iter().find(|(name, _)| name == "AWS_ACCESS_KEY_ID").unwrap().1
}

/// `None` is a connection that was closed without an answer.
pub(crate) async fn call(stack: &Stack, key: &str, target: &str, body: &Value) -> Option<(StatusCode, Value)> {
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/x/aws4_request, SignedHeaders=host, Signature=0");
    let request = Request::post(stack.aws_url())
        .header("x-amz-target", target)
        .header("x-amz-date", "20260101T000000Z")
        .header("content-type", "application/x-amz-json-1.0")
        .header("authorization", authorization)
        .body(Full::new(Bytes::from(body.to_string())))
        .unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(request).await.ok()?;
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    Some((status, serde_json::from_slice(&body).unwrap()))
}

fn put(pk: &str) -> Value {
    json!({"TableName": "latchkey-Table", "Item": {"pk": {"S": pk}}})
}

fn get(pk: &str) -> Value {
    json!({"TableName": "latchkey-Table", "Key": {"pk": {"S": pk}}, "ConsistentRead": true})
}

const PUT: &str = "DynamoDB_20120810.PutItem";
const GET: &str = "DynamoDB_20120810.GetItem";
const TRANSACT: &str = "DynamoDB_20120810.TransactWriteItems";

#[tokio::test]
async fn a_function_may_do_what_its_policies_say_and_the_developer_everything() {
    let stack = start(None).await;
    let writer = writer(&stack);
    assert_eq!(call(&stack, &writer, PUT, &put("a")).await.unwrap().0, 200);
    let (status, answer) = call(&stack, &writer, GET, &get("a")).await.unwrap();
    assert_eq!(status, 400);
    assert!(answer["__type"].as_str().unwrap().ends_with("#AccessDeniedException"), "{answer}");
    assert_eq!(call(&stack, "AKIAANYBODY", GET, &get("a")).await.unwrap().1["Item"]["pk"]["S"], "a");

    let calls = stack.calls();
    let seen: Vec<_> = calls.iter().map(|call| (call.operation.as_str(), call.status, call.caller.is_some())).collect();
    assert_eq!(seen, [("PutItem", 200, true), ("GetItem", 400, true), ("GetItem", 200, false)]);
    let missing = "dynamodb:GetItem on arn:aws:dynamodb:us-east-1:123456789012:table/latchkey-Table";
    assert_eq!(calls[1].denied.as_deref(), Some(missing));
    assert_eq!(calls[1].error.as_deref(), Some("AccessDeniedException"));
}

#[tokio::test]
async fn a_lost_request_is_not_executed_and_a_lost_answer_is() {
    let stack = start(None).await;
    let writer = writer(&stack);
    for (pk, effect, written) in [("a", Effect::NotSent, false), ("b", Effect::NoAnswer, true)] {
        let fault = stack.faults().inject(Fault::new(Match::any().service(Service::Dynamodb), effect).once());
        assert_eq!(call(&stack, &writer, PUT, &put(pk)).await, None);
        assert_eq!(fault.fired(), 1);
        let (_, answer) = call(&stack, "AKIAANYBODY", GET, &get(pk)).await.unwrap();
        assert_eq!(answer.get("Item").is_some(), written, "{pk}");
    }
    let answered: Vec<_> = stack.calls().iter().map(|call| (call.status, call.answered)).collect();
    assert_eq!(answered, [(0, false), (200, true), (200, false), (200, true)]);
}

#[tokio::test]
async fn the_witness_is_shown_what_functions_ask_for_whatever_becomes_of_it() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let stack = start_with(|builder| {
        builder.witness(move |call| kept.lock().unwrap().push((call.operation.clone(), call.status)))
    });
    let stack = stack.await;
    let writer = writer(&stack);
    // Lost, refused, done, and done for the developer.
    stack.faults().inject(Fault::new(Match::any(), Effect::NotSent).once());
    call(&stack, &writer, PUT, &put("a")).await;
    call(&stack, &writer, GET, &get("a")).await;
    call(&stack, &writer, PUT, &put("a")).await;
    call(&stack, "AKIAANYBODY", GET, &get("a")).await;
    let expected = ["PutItem", "GetItem", "PutItem"].map(|operation| (operation.to_owned(), 0));
    assert_eq!(*seen.lock().unwrap(), expected, "before they are executed");
}

#[tokio::test]
async fn an_injected_status_has_the_shape_of_the_service() {
    let stack = start(None).await;
    let throttled = Effect::Status(400, "ThrottlingException".to_owned());
    stack.faults().inject(Fault::new(Match::any(), throttled).once());
    // Outside of an invocation nothing crashes.
    stack.faults().crash("writer", 0, CrashMode::NotSent);
    let (status, answer) = call(&stack, &writer(&stack), PUT, &put("a")).await.unwrap();
    assert_eq!(status, 400);
    assert_eq!(answer["__type"], "com.amazonaws.dynamodb.v20120810#ThrottlingException");
}

#[tokio::test]
async fn the_admin_key_is_in_its_secret() {
    let stack = start(None).await;
    assert_eq!(stack.admin_key().len(), 48);
    let request = json!({"SecretId": "admin"});
    let (_, answer) = call(&stack, "AKIAANYBODY", "secretsmanager.GetSecretValue", &request).await.unwrap();
    assert_eq!(answer["SecretString"], json!({"current": stack.admin_key()}).to_string());
    let given = "k".repeat(48);
    assert_eq!(start(Some(&given)).await.admin_key(), given);
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let stack = start(None).await;
    let taken: u16 = stack.aws_url().rsplit(':').next().unwrap().parse().unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(TEMPLATE.as_bytes()).unwrap();
    let second = Stack::builder().template(file.path()).aws_port(taken).aws_only().start().await;
    let error = second.err().unwrap().to_string();
    assert!(error.contains(&taken.to_string()) && error.contains("already in use"), "{error}");
}

/// Only the data is of interest: the template's file ends with this.
async fn start_in(directory: &Path) -> crate::Result<Stack> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(TEMPLATE.as_bytes()).unwrap();
    Stack::builder().template(file.path()).data(Some(directory.to_owned())).start().await
}

#[tokio::test]
async fn data_is_for_one_stack_at_a_time_and_survives_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = start_in(folder.path()).await.unwrap();
    let error = start_in(folder.path()).await.unwrap_err().to_string();
    assert!(error.contains("in use by another"), "{error}");
    let key = first.admin_key().to_owned();
    first.shutdown().await;
    assert_eq!(start_in(folder.path()).await.unwrap().admin_key(), key);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_data() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let _stack = start_in(folder.path()).await.unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
    }
}

#[tokio::test]
async fn a_broken_file_is_named_once() {
    for name in ["secrets.json", "dynamodb.sqlite"] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), "not what it should be, and long enough to be read".repeat(99))
            .unwrap();
        let error = start_in(folder.path()).await.unwrap_err().to_string();
        assert_eq!(error.matches(name).count(), 1, "{error}");
    }
}

/// A function for Bash, which needs no compiling: it answers one event with a variable, and leaves a file at its end.
const FUNCTION: &str = r#"api=${AWS_LAMBDA_RUNTIME_API#http://}
host=${api%%/*}
path=/${api#*/}/2018-06-01/runtime/invocation
exec 3<>"/dev/tcp/${host%:*}/${host#*:}"
printf 'GET %s/next HTTP/1.1\r\nHost: local\r\n\r\n' "$path" >&3
while IFS=$'\r' read -r line <&3 && [[ -n $line ]]; do
  [[ $line != lambda-runtime-aws-request-id:* ]] || id=${line#*: }
done
answer="{\"wrapped\":\"$WRAPPED\"}"
printf 'POST %s/%s/response HTTP/1.1\r\nHost: local\r\nContent-Length: %s\r\n\r\n%s' \
  "$path" "$id" "${#answer}" "$answer" >&3
printf 'GET %s/next HTTP/1.1\r\nHost: local\r\n\r\n' "$path" >&3
# Until the connection is closed.
cat <&3 >/dev/null
echo ended >"$0.end"
"#;

#[tokio::test]
async fn a_function_runs_under_its_launcher_and_can_end_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (template, binary) = (folder.path().join("template.yaml"), folder.path().join("writer"));
    std::fs::write(&template, TEMPLATE).unwrap();
    std::fs::write(&binary, FUNCTION).unwrap();
    let started = binary.clone();
    let builder = Stack::builder().template(&template).binaries(move |_| started.clone());
    let launcher = |name: &str| ["env", &format!("WRAPPED={name}"), "bash"].map(Into::into).to_vec();
    let stack = builder.launcher(launcher).start().await.unwrap();
    let answer = stack.invoke("writer", json!({}), Invocation::default()).await.unwrap();
    assert_eq!(answer.payload, json!({"wrapped": "writer"}));

    let end = folder.path().join("writer.end");
    assert!(!end.exists());
    stack.retire("writer").await.unwrap();
    assert!(end.exists(), "it was not killed, and its end was waited for");
}

/// Before that, it asks for an event under another's name, and keeps what is said to it.
const STRANGER: &str = r#"api=${AWS_LAMBDA_RUNTIME_API#http://}
host=${api%%/*}
exec 4<>"/dev/tcp/${host%:*}/${host#*:}"
printf 'GET /nobody/2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: local\r\n\r\n' >&4
IFS=$'\r' read -r -t 10 WRAPPED <&4
"#;

#[tokio::test]
async fn who_is_no_process_finds_the_connection_closed() {
    let folder = tempfile::tempdir().unwrap();
    let (template, binary) = (folder.path().join("template.yaml"), folder.path().join("writer"));
    std::fs::write(&template, TEMPLATE).unwrap();
    std::fs::write(&binary, format!("{STRANGER}{FUNCTION}")).unwrap();
    let builder = Stack::builder().template(&template).binaries(move |_| binary.clone());
    let stack = builder.launcher(|_| vec!["bash".into()]).start().await.unwrap();
    let answer = stack.invoke("writer", json!({}), Invocation::default()).await.unwrap();
    assert_eq!(answer.payload, json!({"wrapped": ""}));
}

#[tokio::test]
async fn what_overlaps_a_transaction_is_refused_to_functions_and_developer() {
    let stack = start_with(|builder| builder.transaction_hold(Duration::from_secs(2))).await;
    let writer = writer(&stack);
    let transaction = |token: &str| json!({"ClientRequestToken": token, "TransactItems": [{"Put": put("a")}]});
    let (first, second) = (transaction("first"), transaction("second"));
    let overlapping = async {
        while stack.calls().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for key in [writer.as_str(), "AKIAANYBODY"] {
            let (status, answer) = call(&stack, key, TRANSACT, &second).await.unwrap();
            let reasons = &answer["CancellationReasons"];
            assert_eq!((status.as_u16(), &reasons[0]["Code"]), (400, &json!("TransactionConflict")), "{answer}");
            let (_, answer) = call(&stack, key, PUT, &put("a")).await.unwrap();
            assert!(answer["__type"].as_str().unwrap().ends_with("#TransactionConflictException"), "{answer}");
            assert_eq!(call(&stack, key, PUT, &put("b")).await.unwrap().0, 200);
        }
        assert_eq!(call(&stack, "AKIAANYBODY", GET, &get("a")).await.unwrap().1["Item"]["pk"]["S"], "a");
    };
    let (made, ()) = tokio::join!(call(&stack, &writer, TRANSACT, &first), overlapping);
    assert_eq!(made.unwrap().0, 200);
    assert_eq!(call(&stack, &writer, PUT, &put("a")).await.unwrap().0, 200);
}
