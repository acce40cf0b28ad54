//! Mistakes that are made on purpose, between a process and AWS.

use serde_json::{Value, json};

/// A mistake that is made on purpose, to see that it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// A process remembers for five seconds with which secret it accepted a call, and asks nobody.
    StaleAcceptance,
    /// The count has no upper bound.
    NoLimit,
    /// A nonce is written whether it is there or not.
    ForgottenNonces,
    /// A callback is written before the transaction of the change that it tells of.
    RowBeforeTransaction,
    /// A callback is written after the transaction of the change that it tells of.
    RowAfterTransaction,
    /// A callback is struck off before it is delivered.
    StruckOffBeforeDelivery,
    /// A lease ends only if it is given back.
    LeaseWithoutEnd,
    /// A lease is never given back.
    LeaseNotGivenBack,
    /// Nothing sweeps.
    StreamOnly,
    /// The stream tells nobody.
    SweepOnly,
    /// A QR login moves from whatever phase it is in.
    UnconditionalMove,
}

/// How a lease is given back.
const GIVEN_BACK: &str = "REMOVE lease_until, leased_by";

/// The body with what is planted.
pub fn mistaken(planted: Option<Planted>, operation: &str, body: Vec<u8>) -> Vec<u8> {
    let Some(planted) = planted else { return body };
    let mut request: Value = serde_json::from_slice(&body).unwrap();
    let condition = request["ConditionExpression"].as_str().unwrap_or_default().to_owned();
    let update = request["UpdateExpression"].as_str().unwrap_or_default().to_owned();
    match (planted, operation) {
        (Planted::NoLimit, "UpdateItem") => match condition.split_once(" AND (attribute_not_exists(accepted_calls.") {
            Some((before, _)) => request["ConditionExpression"] = before.into(),
            None => drop(request.as_object_mut().unwrap().remove("ConditionExpression")),
        },
        (Planted::ForgottenNonces, "PutItem") => drop(request.as_object_mut().unwrap().remove("ConditionExpression")),
        (Planted::LeaseWithoutEnd, "UpdateItem") if condition.contains(" OR lease_until < :now") => {
            request["ConditionExpression"] = "attribute_not_exists(lease_until)".into();
            request["ExpressionAttributeValues"].as_object_mut().unwrap().remove(":now");
        }
        (Planted::LeaseNotGivenBack, "UpdateItem") if update.contains(GIVEN_BACK) => {
            request["UpdateExpression"] = update.replace(GIVEN_BACK, "REMOVE nothing").into();
        }
        (Planted::StreamOnly, "Query") if request.get("IndexName").is_some() => {
            request["ExpressionAttributeValues"][":now"] = json!({ "N": "0" });
        }
        (Planted::UnconditionalMove, "TransactWriteItems") => {
            request["TransactItems"].as_array_mut().unwrap().iter_mut().for_each(unconditional);
        }
        _ => return body,
    }
    request.to_string().into_bytes()
}

/// Takes the condition from a part of a transaction that moves a QR login.
fn unconditional(part: &mut Value) {
    let Some(update) = part.get_mut("Update") else { return };
    if update["Key"]["sk"]["S"] == "QRLOGIN" {
        update.as_object_mut().unwrap().remove("ConditionExpression");
        for name in [":phase", ":scan"] {
            update["ExpressionAttributeValues"].as_object_mut().unwrap().remove(name);
        }
    }
}

/// The body of a transaction in two: without the callback that it writes, and the write of that.
pub fn apart(body: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut transaction: Value = serde_json::from_slice(body).unwrap();
    let parts = transaction["TransactItems"].as_array_mut()?;
    let position = parts.iter().position(|part| is_callback(&part["Put"]["Item"]))?;
    let put = parts.remove(position)["Put"].take();
    let row = json!({ "TableName": put["TableName"], "Item": put["Item"] });
    Some((transaction.to_string().into_bytes(), row.to_string().into_bytes()))
}

/// Whether an item is a callback.
pub fn is_callback(item: &Value) -> bool {
    item["pk"]["S"].as_str().is_some_and(|partition| partition.ends_with("#CALLBACKS"))
}
