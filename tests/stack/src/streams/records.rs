//! The answers of the local DynamoDB about a stream, made those of AWS.
//!
//! The local one writes a record when a write changes nothing, and DynamoDB none. So the local stream always has both
//! images, by which such a record is known; what the view of the template has not is taken away here.

use serde_json::{Map, Value};

use crate::template::{REGION, Stream};

/// How long DynamoDB keeps a record.
const RETENTION_SECONDS: i64 = 24 * 60 * 60;

/// Makes an answer what DynamoDB's would be.
pub(crate) fn as_in_aws(stream: &Stream, answer: &mut Value, now_ms: i64) {
    if let Some(Value::Array(records)) = answer.get_mut("Records") {
        let oldest = now_ms / 1000 - RETENTION_SECONDS;
        records.retain(|record| !changes_nothing(record) && created_at(record).is_none_or(|at| at >= oldest));
        for record in records {
            shown(stream, record);
        }
    } else {
        renamed(stream, answer);
    }
}

/// Unix seconds.
pub(super) fn created_at(record: &Value) -> Option<i64> {
    let at = record.pointer("/dynamodb/ApproximateCreationDateTime")?;
    // Whole seconds, sometimes written as a fraction.
    at.as_i64().or_else(|| at.to_string().split('.').next()?.parse().ok())
}

fn changes_nothing(record: &Value) -> bool {
    let image = |name: &str| record.pointer(&format!("/dynamodb/{name}"));
    image("OldImage").is_some() && image("OldImage") == image("NewImage")
}

/// A record in the view of the template.
fn shown(stream: &Stream, record: &mut Value) {
    let seconds = created_at(record);
    if let Some(region) = record.get_mut("awsRegion") {
        *region = REGION.into();
    }
    let Some(Value::Object(change)) = record.get_mut("dynamodb") else { return };
    for (image, views) in [("NewImage", ["NEW_IMAGE"]), ("OldImage", ["OLD_IMAGE"])] {
        if stream.view != "NEW_AND_OLD_IMAGES" && !views.contains(&stream.view.as_str()) {
            change.remove(image);
        }
    }
    let size: usize = ["Keys", "NewImage", "OldImage"].iter().filter_map(|part| change.get(*part)).map(size).sum();
    for (name, value) in [
        ("SizeBytes", size.into()),
        ("StreamViewType", stream.view.as_str().into()),
        ("ApproximateCreationDateTime", seconds.into()),
    ] {
        change.insert(name.to_owned(), value);
    }
}

/// About as DynamoDB counts: names and values.
fn size(attributes: &Value) -> usize {
    let attributes: Option<&Map<String, Value>> = attributes.as_object();
    let size = |value: &Value| match value.as_object().and_then(|value| value.values().next()) {
        Some(Value::String(text)) => text.len(),
        other => other.map_or(0, |other| other.to_string().len()),
    };
    attributes.into_iter().flatten().map(|(name, value)| name.len() + size(value)).sum()
}

/// The description of a table or stream, by the names of the template.
fn renamed(stream: &Stream, description: &mut Value) {
    match description {
        Value::Array(parts) => parts.iter_mut().for_each(|part| renamed(stream, part)),
        Value::Object(members) => {
            // The local one names an end although the shard is open.
            members.remove("EndingSequenceNumber");
            for (name, value) in members {
                match name.as_str() {
                    "StreamArn" | "LatestStreamArn" => *value = stream.arn.as_str().into(),
                    "StreamLabel" | "LatestStreamLabel" => *value = stream.arn.rsplit('/').next().into(),
                    "StreamViewType" => *value = stream.view.as_str().into(),
                    _ => renamed(stream, value),
                }
            }
        }
        _ => {}
    }
}
