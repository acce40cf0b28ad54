//! The stream as a client sees it.

use serde_json::{Value, json};

use super::super::as_in_aws;
use super::{put, table};
use crate::template::Stream;
use crate::tests::call;

const ARN: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/latchkey-Table/stream/2026-01-01T00:00:00.000";

fn stream(view: &str) -> Stream {
    Stream { arn: ARN.to_owned(), view: view.to_owned() }
}

fn record(seconds: i64, old: Option<u32>, new: Option<u32>) -> Value {
    let mut change = json!({"Keys": {"pk": {"S": "ab"}}, "ApproximateCreationDateTime": seconds});
    for (image, value) in [("OldImage", old), ("NewImage", new)] {
        if let Some(value) = value {
            change[image] = json!({"pk": {"S": "ab"}, "n": {"N": value.to_string()}});
        }
    }
    json!({"awsRegion": "elsewhere", "dynamodb": change})
}

#[test]
fn a_view_has_its_images_and_their_size() {
    for (view, images, size) in [
        ("KEYS_ONLY", vec![], 4),
        ("NEW_IMAGE", vec!["NewImage"], 10),
        ("OLD_IMAGE", vec!["OldImage"], 10),
        ("NEW_AND_OLD_IMAGES", vec!["NewImage", "OldImage"], 16),
    ] {
        let mut answer = json!({"Records": [record(100_000, Some(1), Some(2))], "NextShardIterator": "i"});
        as_in_aws(&stream(view), &mut answer, 100_000_000);
        let change = &answer["Records"][0]["dynamodb"];
        let shown: Vec<_> = ["NewImage", "OldImage"].into_iter().filter(|image| change.get(image).is_some()).collect();
        assert_eq!((shown, &change["SizeBytes"]), (images, &json!(size)), "{view}");
        assert_eq!(
            (&change["StreamViewType"], &answer["Records"][0]["awsRegion"]),
            (&json!(view), &json!("us-east-1"))
        );
    }
}

#[test]
fn what_changed_nothing_or_is_older_than_a_day_is_not_there() {
    let day = 24 * 60 * 60;
    let records = [record(0, None, Some(1)), record(1, None, Some(1)), record(2, Some(1), Some(1))];
    let mut answer = json!({"Records": records});
    as_in_aws(&stream("KEYS_ONLY"), &mut answer, (day + 1) * 1000);
    let times: Vec<_> = answer["Records"].as_array().unwrap().iter().map(super::super::records::created_at).collect();
    assert_eq!(times, [Some(1)]);
}

#[tokio::test]
async fn the_stream_answers_under_its_own_name_and_to_whoever_may_read_it() {
    let stack = table("").await;
    put(&stack, "a", 1).await;
    let streams = |operation: &str| format!("DynamoDBStreams_20120810.{operation}");
    let developer = "AKIAANYBODY";
    let (_, tables) =
        call(&stack, developer, "DynamoDB_20120810.DescribeTable", &json!({"TableName": "latchkey-Table"}))
            .await
            .unwrap();
    assert_eq!(tables["Table"]["LatestStreamArn"], ARN);
    assert_eq!(tables["Table"]["StreamSpecification"]["StreamViewType"], "KEYS_ONLY");

    let environment = stack.aws_environment("sender").unwrap();
    let key = environment.into_iter().find(|(name, _)| name == "AWS_ACCESS_KEY_ID").unwrap().1;
    let description = call(&stack, &key, &streams("DescribeStream"), &json!({"StreamArn": ARN})).await.unwrap().1;
    let shard = &description["StreamDescription"]["Shards"][0];
    assert!(shard["SequenceNumberRange"].get("EndingSequenceNumber").is_none(), "it is open");
    let request = json!({"StreamArn": ARN, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"});
    let (_, iterator) = call(&stack, &key, &streams("GetShardIterator"), &request).await.unwrap();
    let (status, records) = call(&stack, &key, &streams("GetRecords"), &iterator).await.unwrap();
    assert_eq!((status.as_u16(), &records["Records"][0]["eventName"]), (200, &json!("INSERT")));
    assert!(records["Records"][0]["dynamodb"].get("NewImage").is_none());

    // Of this there is no permission.
    let (status, refused) = call(&stack, &key, &streams("ListStreams"), &json!({})).await.unwrap();
    assert_eq!(status, 400);
    assert!(refused["__type"].as_str().unwrap().ends_with("#AccessDeniedException"), "{refused}");
    let (_, listed) = call(&stack, developer, &streams("ListStreams"), &json!({})).await.unwrap();
    assert_eq!(listed["Streams"][0]["StreamArn"], ARN);
    // Neither name answers for the other.
    for target in ["DynamoDB_20120810.ListStreams".to_owned(), streams("GetItem")] {
        let (status, refused) = call(&stack, developer, &target, &json!({})).await.unwrap();
        assert_eq!(status, 400);
        assert!(refused["__type"].as_str().unwrap().ends_with("#UnknownOperationException"), "{target}: {refused}");
    }
}
