//! A stream and what is read from it.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{Locals, Mapping, Source, StartingPosition, Template};

/// A function `Sender` with a mapping; `@TABLE`, `@EVENT` and `@FUNCTION` are lines that a test adds.
const TEMPLATE: &str = r"
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{ AttributeName: pk, KeyType: HASH }, { AttributeName: sk, KeyType: RANGE }]
      @TABLE
  Lost:
    Type: AWS::SQS::Queue
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument:
            Statement:
              - Effect: Allow
                Action:
                  - dynamodb:DescribeStream
                  - dynamodb:GetRecords
                  - dynamodb:GetShardIterator
                  - dynamodb:ListStreams
                Resource: !Sub '${Table.Arn}/stream/*'
  Sender:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: sender } }
    Properties:
      @FUNCTION
      Events:
        Rows:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Table.StreamArn
            StartingPosition: LATEST
            @EVENT
";

const STREAM: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/latchkey-Table/stream/2026-01-01T00:00:00.000";

fn with(table: &str, function: &str, event: &str) -> Result<Template, String> {
    let text = TEMPLATE.replace("@TABLE", table).replace("@FUNCTION", function).replace("@EVENT", event);
    Source::parse(&text).unwrap().resolve(&Locals::default()).map_err(|error| error.to_string())
}

fn keys_only(event: &str) -> Result<Template, String> {
    with("StreamSpecification: { StreamViewType: KEYS_ONLY }", "", event)
}

fn mapping(event: &str) -> Mapping {
    let template = keys_only(event).unwrap();
    let stream = template.stream.unwrap();
    assert_eq!((stream.arn.as_str(), stream.view.as_str()), (STREAM, "KEYS_ONLY"));
    template.functions[0].mappings[0].clone()
}

#[test]
fn a_mapping_has_lambdas_defaults() {
    let mapping = mapping("");
    assert_eq!((mapping.stream.as_str(), mapping.start, mapping.batch_size), (STREAM, StartingPosition::Latest, 100));
    assert_eq!((mapping.batching_window, mapping.retries, mapping.most_age), (Duration::ZERO, None, None));
    assert!(mapping.enabled && !mapping.bisects && !mapping.reports_failures && mapping.on_failure.is_none());
    assert!(mapping.filters.pass(&json!({})));
}

#[test]
fn a_mapping_is_what_the_template_says() {
    let mapping = mapping(
        "BatchSize: 10
            MaximumBatchingWindowInSeconds: 2
            MaximumRetryAttempts: 3
            MaximumRecordAgeInSeconds: '3600'
            BisectBatchOnFunctionError: true
            Enabled: false
            ParallelizationFactor: 1
            FunctionResponseTypes: [ReportBatchItemFailures]
            DestinationConfig: { OnFailure: { Type: SQS, Destination: !GetAtt Lost.Arn } }",
    );
    assert_eq!((mapping.batch_size, mapping.batching_window), (10, Duration::from_secs(2)));
    assert_eq!((mapping.retries, mapping.most_age), (Some(3), Some(Duration::from_hours(1))));
    assert!(!mapping.enabled && mapping.bisects && mapping.reports_failures);
    assert_eq!(mapping.on_failure.as_deref(), Some("arn:aws:sqs:us-east-1:123456789012:latchkey-Lost"));
}

#[test]
fn what_aws_would_refuse_or_is_not_known_here_is_refused() {
    for (event, named) in [
        ("BatchSize: 0", "BatchSize"),
        ("BatchSize: 10001", "BatchSize"),
        ("MaximumBatchingWindowInSeconds: 301", "MaximumBatchingWindowInSeconds"),
        ("MaximumRetryAttempts: -2", "MaximumRetryAttempts"),
        ("MaximumRetryAttempts: 10001", "MaximumRetryAttempts"),
        ("MaximumRecordAgeInSeconds: 59", "MaximumRecordAgeInSeconds"),
        ("ParallelizationFactor: 2", "ParallelizationFactor"),
        ("TumblingWindowInSeconds: 5", "TumblingWindowInSeconds"),
        ("FunctionResponseTypes: [Other]", "FunctionResponseTypes"),
        // SAM would give its role no right to the queue.
        ("DestinationConfig: { OnFailure: { Destination: !GetAtt Lost.Arn } }", "DestinationConfig"),
        ("DestinationConfig: { OnFailure: { Type: SNS, Destination: 'arn:aws:sns:::t' } }", "DestinationConfig"),
        ("DestinationConfig: { OnFailure: { Type: SQS, Destination: 'arn:aws:sns:::t' } }", "DestinationConfig"),
        ("FilterCriteria: {}", "FilterCriteria"),
        ("Enabled: perhaps", "Enabled"),
        ("BisectBatchOnFunctionError: 1", "BisectBatchOnFunctionError"),
    ] {
        let error = keys_only(event).unwrap_err();
        assert!(error.contains("Sender") && error.contains(named), "{event}: {error}");
    }
    for (event, bound) in [("MaximumRetryAttempts: -1", None), ("MaximumRetryAttempts: 0", Some(0))] {
        assert_eq!(mapping(event).retries, bound);
    }
}

#[test]
fn a_table_without_a_stream_has_nothing_to_read() {
    assert!(with("", "", "").unwrap_err().contains("StreamSpecification"));
    let error = with("StreamSpecification: { StreamViewType: ALL }", "", "").unwrap_err();
    assert!(error.contains("StreamSpecification"), "{error}");
    let text = TEMPLATE.replace("@TABLE", "StreamSpecification: { StreamViewType: KEYS_ONLY }").replace("@EVENT", "");
    let text = text.replace("@FUNCTION", "").replace("Stream: !GetAtt Table.StreamArn", "Stream: arn:another");
    let error = Source::parse(&text).unwrap().resolve(&Locals::default()).unwrap_err().to_string();
    assert!(error.contains("arn:another"), "{error}");
}

#[test]
fn a_role_of_its_own_must_let_lambda_read_and_tell() {
    let table = "StreamSpecification: { StreamViewType: KEYS_ONLY }";
    let role = "Role: !GetAtt Role.Arn";
    assert!(with(table, role, "").is_ok());
    let queue = "DestinationConfig: { OnFailure: { Type: SQS, Destination: !GetAtt Lost.Arn } }";
    let error = with(table, role, queue).unwrap_err();
    assert!(error.contains("sqs:SendMessage"), "{error}");
    // SAM gives its own role both.
    assert!(with(table, "", queue).is_ok());
}

fn filtered(patterns: &[&str]) -> Result<Template, String> {
    let filters: Vec<_> = patterns.iter().map(|pattern| json!({"Pattern": pattern})).collect();
    keys_only(&format!("FilterCriteria: {}", json!({"Filters": filters})))
}

fn passing(patterns: &[&str]) -> Vec<bool> {
    let filters = filtered(patterns).unwrap().functions[0].mappings[0].filters.clone();
    let record = |name: &str, pk: &str, sk: Value| {
        filters.pass(&json!({"eventName": name, "dynamodb": {"Keys": {"pk": {"S": pk}, "sk": sk}}}))
    };
    let text = |text: &str| json!({"S": text});
    vec![
        record("INSERT", "T#1", text("OUT#1")),
        record("REMOVE", "T#1", text("OUT#1")),
        record("INSERT", "T#2", text("STATE")),
        record("INSERT", "T#2", json!({"N": "1"})),
    ]
}

#[test]
fn a_filter_tells_records_apart_by_event_and_key() {
    let prefix = r#"{"eventName":["INSERT"],"dynamodb":{"Keys":{"sk":{"S":[{"prefix":"OUT#"}]}}}}"#;
    assert_eq!(passing(&[prefix]), [true, false, false, false]);
    assert_eq!(passing(&[r#"{"eventName":["REMOVE","MODIFY"]}"#]), [false, true, false, false]);
    let either = r#"{"dynamodb":{"Keys":{"pk":{"S":["T#2"]},"sk":{"S":["OUT#2",{"prefix":"ST"}]}}}}"#;
    assert_eq!(passing(&[either]), [false, false, true, false]);
    // Of several, one is enough.
    assert_eq!(passing(&[prefix, either]), [true, false, true, false]);
}

#[test]
fn a_filter_that_would_be_understood_by_half_is_refused() {
    for pattern in [
        "no JSON",
        "{}",
        r#"{"eventName":[]}"#,
        r#"{"eventName":"INSERT"}"#,
        r#"{"eventName":[{"anything-but":["REMOVE"]}]}"#,
        r#"{"eventName":[{"exists":true}]}"#,
        r#"{"eventName":[{"prefix":"IN","suffix":"T"}]}"#,
        r#"{"eventName":[null]}"#,
        r#"{"$or":[{"eventName":["INSERT"]},{"eventName":["REMOVE"]}]}"#,
        r#"{"eventSource":["aws:dynamodb"]}"#,
        r#"{"dynamodb":{"Keys":{"pk":{"N":["1"]}}}}"#,
        r#"{"dynamodb":{"NewImage":{"pk":{"S":["1"]}}}}"#,
        r#"{"dynamodb":{"Keys":{"other":{"S":["1"]}}}}"#,
    ] {
        assert!(filtered(&[pattern]).is_err(), "{pattern}");
    }
    assert!(filtered(&[r#"{"eventName":["INSERT"]}"#; 6]).unwrap_err().contains("filters"));
}
