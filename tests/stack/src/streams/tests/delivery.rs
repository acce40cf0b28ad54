//! From the write to the function.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Played, failure, put, table, template, write};
use crate::lambda::InvokeError;
use crate::system::now_ms;
use crate::{Invocation, Stack};

const ARN: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/latchkey-Table/stream/2026-01-01T00:00:00.000";
const QUEUE: &str = "DestinationConfig: { OnFailure: { Type: SQS, Destination: !GetAtt Lost.Arn } }";

/// Puts these while nothing is handed over, so that they are one batch.
async fn together(streams: &super::Streams, stack: &Stack, keys: &[&str]) {
    streams.stop().await;
    for key in keys {
        put(stack, key, 1).await;
    }
    streams.start().await;
    streams.settled().await;
}

#[tokio::test]
async fn an_event_has_the_shape_of_lambdas_and_only_keys() {
    let stack = table("").await;
    let played = Played::default();
    let streams = played.reads(&stack).await;
    let before = now_ms() / 1000;
    put(&stack, "a", 1).await;
    streams.settled().await;
    let events = played.events();
    let record = &events[0]["Records"][0];
    let sequence = record["dynamodb"]["SequenceNumber"].as_str().unwrap();
    assert!(sequence.len() >= 21 && sequence.bytes().all(|byte| byte.is_ascii_digit()));
    let created = record["dynamodb"]["ApproximateCreationDateTime"].as_i64().unwrap();
    assert!((before..=now_ms() / 1000).contains(&created));
    let expected = json!({"Records": [{
        "eventID": record["eventID"],
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": created,
            "Keys": {"pk": {"S": "a"}},
            "SequenceNumber": sequence,
            "SizeBytes": 3,
            "StreamViewType": "KEYS_ONLY",
        },
        "eventSourceARN": ARN,
    }]});
    assert_eq!(events, [expected]);
}

#[tokio::test]
async fn a_write_that_changes_nothing_is_not_in_the_stream() {
    let stack = table("").await;
    let played = Played::default();
    let streams = played.reads(&stack).await;
    for n in [1, 1, 2, 2] {
        put(&stack, "a", n).await;
    }
    let key = json!({"TableName": "latchkey-Table", "Key": {"pk": {"S": "a"}}});
    write(&stack, "DeleteItem", &key).await;
    write(&stack, "DeleteItem", &key).await;
    streams.settled().await;
    let events = played.events();
    let records = events.iter().flat_map(|event| event["Records"].as_array().unwrap());
    let names: Vec<_> = records.map(|record| record["eventName"].as_str().unwrap()).collect();
    assert_eq!(names, ["INSERT", "MODIFY", "REMOVE"]);
}

#[tokio::test]
async fn the_beginning_is_the_oldest_record_or_what_comes() {
    for (position, keys) in [("TRIM_HORIZON", vec!["a", "b"]), ("LATEST", vec!["b"])] {
        let file = template("");
        let text = std::fs::read_to_string(file.path()).unwrap().replace("TRIM_HORIZON", position);
        std::fs::write(file.path(), text).unwrap();
        let stack = Stack::builder().template(file.path()).aws_only().start().await.unwrap();
        put(&stack, "a", 1).await;
        let played = Played::default();
        let streams = played.reads(&stack).await;
        put(&stack, "b", 1).await;
        streams.settled().await;
        assert_eq!(played.keys().concat(), keys, "{position}");
    }
}

#[tokio::test]
async fn only_what_passes_the_filter_is_handed_over_and_in_batches() {
    let pattern = r#"{"eventName":["INSERT"],"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"out-"}]}}}}"#;
    let event = format!("FilterCriteria: {{ Filters: [{{ Pattern: '{pattern}' }}] }}\n            BatchSize: 2");
    let stack = table(&event).await;
    let played = Played::default();
    let streams = played.reads(&stack).await;
    together(&streams, &stack, &["out-1", "state", "out-2", "out-3", "out-1"]).await;
    assert_eq!(played.keys(), [vec!["out-1", "out-2"], vec!["out-3"]]);
}

#[tokio::test]
async fn a_batch_waits_for_others_until_it_is_full_or_its_window_is_over() {
    let stack = table("BatchSize: 2\n            MaximumBatchingWindowInSeconds: 3").await;
    let played = Played::default();
    let streams = played.reads(&stack).await;
    for key in ["a", "b", "c"] {
        put(&stack, key, 1).await;
    }
    while played.keys().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(played.keys(), [["a", "b"]]);
    streams.settled().await;
    assert_eq!(played.keys(), [vec!["a", "b"], vec!["c"]]);
}

#[tokio::test]
async fn a_failed_batch_is_handed_over_again_and_nothing_overtakes_it() {
    let stack = table("BatchSize: 2").await;
    let played = Played::answering([Err(InvokeError::Crashed), Err(InvokeError::Timeout), Err(InvokeError::Busy)]);
    let streams = played.reads(&stack).await;
    together(&streams, &stack, &["a", "b", "c"]).await;
    assert_eq!(played.keys(), [vec!["a", "b"], vec!["a", "b"], vec!["a", "b"], vec!["a", "b"], vec!["c"]]);
    assert!(streams.messages("lost").is_empty());
}

#[tokio::test]
async fn a_reported_failure_is_where_the_batch_begins_again() {
    let stack = table("FunctionResponseTypes: [ReportBatchItemFailures]").await;
    let played = Played::default();
    let streams = played.reads(&stack).await;
    streams.stop().await;
    for key in ["a", "b", "c"] {
        put(&stack, key, 1).await;
    }
    let (_, answer) = stack.aws.dynamodb.streams_call("DescribeStream", &json!({"StreamArn": ARN})).await.unwrap();
    let first = &answer["StreamDescription"]["Shards"][0];
    let request = json!({"StreamArn": ARN, "ShardId": first["ShardId"], "ShardIteratorType": "TRIM_HORIZON"});
    let (_, iterator) = stack.aws.dynamodb.streams_call("GetShardIterator", &request).await.unwrap();
    let (_, records) = stack.aws.dynamodb.streams_call("GetRecords", &iterator).await.unwrap();
    crate::system::lock(&played.answers).push_back(Ok(failure(&records["Records"][1])));
    streams.start().await;
    streams.settled().await;
    assert_eq!(played.keys(), [vec!["a", "b", "c"], vec!["b", "c"]]);
}

#[tokio::test]
async fn what_is_given_up_is_told_to_the_queue_and_the_rest_goes_on() {
    let event = format!("BatchSize: 2\n            MaximumRetryAttempts: 1\n            {QUEUE}");
    let stack = table(&event).await;
    let played = Played::answering([Err(InvokeError::Crashed), Err(InvokeError::Crashed)]);
    let streams = played.reads(&stack).await;
    together(&streams, &stack, &["a", "b", "c"]).await;
    assert_eq!(played.keys(), [vec!["a", "b"], vec!["a", "b"], vec!["c"]]);
    let messages = streams.messages("lost");
    assert_eq!((messages.len(), streams.messages("arn:aws:sqs:us-east-1:123456789012:lost")), (1, messages.clone()));
    let (context, info) = (&messages[0]["requestContext"], &messages[0]["DDBStreamBatchInfo"]);
    assert_eq!(context["condition"], "RetryAttemptsExhausted");
    assert_eq!(context["approximateInvokeCount"], 2);
    assert_eq!(context["functionArn"], "arn:aws:lambda:us-east-1:123456789012:function:latchkey-SenderFunction");
    assert_eq!(messages[0]["responseContext"]["functionError"], "Unhandled");
    let events = played.events();
    let number = |record: usize| &events[0]["Records"][record]["dynamodb"]["SequenceNumber"];
    assert_eq!((&info["startSequenceNumber"], &info["endSequenceNumber"]), (number(0), number(1)));
    assert_eq!((&info["batchSize"], &info["streamArn"]), (&json!(2), &json!(ARN)));
    // Where it is, not what it is.
    assert!(!messages[0].to_string().contains("\"pk\""));
}

#[tokio::test]
async fn a_batch_is_split_until_the_record_that_fails_is_alone() {
    let event = format!("MaximumRetryAttempts: 0\n            BisectBatchOnFunctionError: true\n            {QUEUE}");
    let stack = table(&event).await;
    let crash = || Err(InvokeError::Crashed);
    // [a b c d], [a b], [a], [b], [c d]
    let played = Played::answering([crash(), crash(), Ok(Value::Null), crash(), Ok(Value::Null)]);
    let streams = played.reads(&stack).await;
    together(&streams, &stack, &["a", "b", "c", "d"]).await;
    assert_eq!(played.keys(), [vec!["a", "b", "c", "d"], vec!["a", "b"], vec!["a"], vec!["b"], vec!["c", "d"]]);
    assert_eq!(streams.messages("lost").len(), 1);
    assert_eq!(streams.messages("lost")[0]["DDBStreamBatchInfo"]["batchSize"], 1);
}

#[tokio::test]
async fn a_record_that_is_too_old_is_given_up_without_the_function() {
    let mut stack = table(QUEUE).await;
    // Shorter than a template may say.
    let mut function = (*stack.functions[0]).clone();
    function.mappings[0].most_age = Some(Duration::from_secs(1));
    stack.functions = vec![function.into()];
    let played = Played::default();
    let streams = played.reads(&stack).await;
    streams.stop().await;
    put(&stack, "a", 1).await;
    tokio::time::sleep(Duration::from_millis(2100)).await;
    put(&stack, "b", 1).await;
    streams.start().await;
    streams.settled().await;
    assert_eq!(played.keys(), [["b"]]);
    let context = &streams.messages("lost")[0]["requestContext"];
    assert_eq!((&context["condition"], &context["approximateInvokeCount"]), (&json!("RecordAgeExceeded"), &json!(0)));
}

#[tokio::test]
async fn stopped_nothing_is_handed_over_and_nothing_is_lost() {
    let stack = table("").await;
    let played = Played::default();
    let streams = played.reads(&stack).await;
    streams.stop().await;
    streams.stop().await;
    put(&stack, "a", 1).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(played.keys().is_empty());
    streams.start().await;
    streams.settled().await;
    put(&stack, "b", 1).await;
    streams.settled().await;
    assert_eq!(played.keys(), [["a"], ["b"]]);
}

#[tokio::test]
async fn kept_data_gets_the_stream_that_the_template_has_since() {
    let (folder, file) = (tempfile::tempdir().unwrap(), template(""));
    let text = std::fs::read_to_string(file.path()).unwrap();
    let (before, _) = text.split_once("  SenderFunction:").unwrap();
    let without = folder.path().join("without.yaml");
    std::fs::write(&without, before.replace("StreamSpecification: { StreamViewType: KEYS_ONLY }", "")).unwrap();
    let start = |template: &std::path::Path| {
        Stack::builder().template(template).data(Some(folder.path().join("data"))).aws_only().start()
    };
    let stack = start(&without).await.unwrap();
    put(&stack, "a", 1).await;
    stack.shutdown().await;
    let stack = start(file.path()).await.unwrap();
    let played = Played::default();
    let streams = played.reads(&stack).await;
    put(&stack, "b", 1).await;
    streams.settled().await;
    assert_eq!(played.keys(), [["b"]]);
}

#[tokio::test]
async fn a_mapping_that_is_not_enabled_is_not_read() {
    let stack = table("Enabled: false").await;
    let played = Played::default();
    let streams = played.reads(&stack).await;
    put(&stack, "a", 1).await;
    streams.settled().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(played.keys().is_empty());
}

/// Answers its first event, and says on its output what that was.
const FUNCTION: &str = r#"api=${AWS_LAMBDA_RUNTIME_API#http://}
host=${api%%/*}
path=/${api#*/}/2018-06-01/runtime/invocation
exec 3<>"/dev/tcp/${host%:*}/${host#*:}"
printf 'GET %s/next HTTP/1.1\r\nHost: local\r\n\r\n' "$path" >&3
while IFS=$'\r' read -r line <&3 && [[ -n $line ]]; do
  [[ ${line,,} != lambda-runtime-aws-request-id:* ]] || id=${line#*: }
  [[ ${line,,} != content-length:* ]] || length=${line#*: }
done
read -r -N "$length" event <&3
echo "got $event"
printf 'POST %s/%s/response HTTP/1.1\r\nHost: local\r\nContent-Length: 2\r\n\r\n{}' "$path" "$id" >&3
printf 'GET %s/next HTTP/1.1\r\nHost: local\r\n\r\n' "$path" >&3
cat <&3 >/dev/null
"#;

#[tokio::test]
async fn a_stack_reads_the_stream_for_the_functions_own_process() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("sender");
    std::fs::write(&binary, FUNCTION).unwrap();
    let template = template("");
    let builder = Stack::builder().template(template.path()).binaries(move |_| binary.clone());
    let stack = builder.launcher(|_| vec!["bash".into()]).start().await.unwrap();
    put(&stack, "a", 1).await;
    stack.streams().settled().await;
    let output = stack.output();
    assert!(output.contains("got {\"Records\":[") && output.contains(r#""Keys":{"pk":{"S":"a"}}"#), "{output}");
    // By hand it is the same function, but nobody else's event.
    stack.restart("sender").await;
    let answer = stack.invoke("sender", json!({"Records": []}), Invocation::default()).await.unwrap();
    assert_eq!(answer.payload, json!({}));
    stack.shutdown().await;
}
