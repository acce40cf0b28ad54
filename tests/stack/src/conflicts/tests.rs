use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Conflicts, Passage, Turn, give_back};

fn conflicts() -> Conflicts {
    Conflicts {
        keys: BTreeMap::from([("t".to_owned(), vec!["pk".to_owned(), "sk".to_owned()])]),
        hold: Duration::ZERO,
        under_way: std::sync::Arc::default(),
    }
}

fn key(pk: &str) -> Value {
    json!({"sk": {"S": "s"}, "pk": {"S": pk}})
}

fn transaction(token: &str, places: &[&str]) -> Value {
    let part = |place: &&str| json!({"ConditionCheck": {"TableName": "t", "Key": key(place)}});
    json!({"ClientRequestToken": token, "TransactItems": places.iter().map(part).collect::<Vec<_>>()})
}

fn item(pk: &str) -> Value {
    json!({"TableName": "arn:aws:dynamodb:us-east-1:1:table/t", "Item": {"pk": {"S": pk}, "sk": {"S": "s"}, "n": 1}})
}

fn single(pk: &str) -> Value {
    json!({"TableName": "t", "Key": key(pk)})
}

fn free(passage: Passage) -> Turn {
    match passage {
        Passage::Free(turn) => turn,
        other => panic!("{other:?}"),
    }
}

/// The error, and the reasons of a cancelled transaction.
fn refused(passage: Passage) -> (String, Vec<String>) {
    let Passage::Answered(400, body) = passage else { panic!("{passage:?}") };
    let text = |value: &Value| value.as_str().unwrap().rsplit('#').next().unwrap().to_owned();
    let reasons = body["CancellationReasons"].as_array().into_iter().flatten();
    (text(&body["__type"]), reasons.map(|reason| text(&reason["Code"])).collect())
}

#[test]
fn a_transaction_refuses_all_that_would_change_its_items_and_no_others() {
    let conflicts = conflicts();
    let turn = free(conflicts.enter("TransactWriteItems", &transaction("one", &["a", "b"])));
    for (operation, request) in [("PutItem", item("a")), ("UpdateItem", single("b")), ("DeleteItem", single("b"))] {
        assert_eq!(refused(conflicts.enter(operation, &request)).0, "TransactionConflictException", "{operation}");
    }
    for operation in ["TransactWriteItems", "TransactGetItems"] {
        let (code, reasons) = refused(conflicts.enter(operation, &transaction("two", &["c", "b"])));
        assert_eq!(
            (code.as_str(), reasons),
            ("TransactionCanceledException", vec!["None".into(), "TransactionConflict".into()])
        );
    }
    for operation in ["GetItem", "Query", "BatchGetItem"] {
        free(conflicts.enter(operation, &single("a")));
    }
    free(conflicts.enter("PutItem", &item("c")));
    let other_sort_key = json!({"TableName": "t", "Key": {"pk": {"S": "a"}, "sk": {"S": "other"}}});
    free(conflicts.enter("UpdateItem", &other_sort_key));
    // What was refused holds nothing.
    free(conflicts.enter("TransactWriteItems", &transaction("three", &["c"])));
    drop(turn);
    free(conflicts.enter("PutItem", &item("a")));
    free(conflicts.enter("TransactWriteItems", &transaction("two", &["c", "b"])));
}

#[test]
fn a_write_is_in_the_way_of_a_transactional_read_only() {
    let conflicts = conflicts();
    let (first, second) = (conflicts.enter("PutItem", &item("a")), conflicts.enter("UpdateItem", &single("a")));
    free(conflicts.enter("TransactWriteItems", &transaction("one", &["a"])));
    let read = transaction("", &["a"]);
    assert_eq!(refused(conflicts.enter("TransactGetItems", &read)).1, ["TransactionConflict"]);
    drop(first);
    refused(conflicts.enter("TransactGetItems", &read));
    drop(second);
    free(conflicts.enter("TransactGetItems", &read));
}

#[test]
fn a_batch_gives_back_what_is_in_a_transaction() {
    let conflicts = conflicts();
    let put = |pk: &str| json!({"PutRequest": {"Item": item(pk)["Item"]}});
    let delete = |pk: &str| json!({"DeleteRequest": {"Key": key(pk)}});
    let batch = |writes: &[Value]| json!({"RequestItems": {"t": writes}});
    let turn = free(conflicts.enter("TransactWriteItems", &transaction("one", &["a", "b"])));
    let passage = conflicts.enter("BatchWriteItem", &batch(&[put("a"), put("c"), delete("b")]));
    let Passage::Partial { request, unprocessed, .. } = passage else { panic!("{passage:?}") };
    assert_eq!(request, batch(&[put("c")]));
    assert_eq!(Value::Object(unprocessed.clone()), json!({"t": [put("a"), delete("b")]}));
    let mut answer = json!({"UnprocessedItems": {"t": [put("d")]}});
    give_back(&mut answer, unprocessed);
    assert_eq!(answer, json!({"UnprocessedItems": {"t": [put("d"), put("a"), delete("b")]}}));
    let mut answer = json!({});
    give_back(&mut answer, Map::from_iter([("t".to_owned(), json!([put("a")]))]));
    assert_eq!(answer, json!({"UnprocessedItems": {"t": [put("a")]}}));

    let passage = conflicts.enter("BatchWriteItem", &batch(&[put("a")]));
    let Passage::Answered(200, answer) = passage else { panic!("{passage:?}") };
    assert_eq!(answer, json!({"UnprocessedItems": {"t": [put("a")]}}));
    drop(turn);
    free(conflicts.enter("BatchWriteItem", &batch(&[put("a")])));
}

#[tokio::test]
async fn the_token_of_a_transaction_is_in_progress_then_known() {
    let conflicts = conflicts();
    let first = transaction("one", &["a"]);
    let turn = free(conflicts.enter("TransactWriteItems", &first));
    assert_eq!(refused(conflicts.enter("TransactWriteItems", &first)).0, "TransactionInProgressException");
    turn.end(true).await;
    // It was made: whoever is at its item now, it is answered as it was.
    let other = free(conflicts.enter("TransactWriteItems", &transaction("two", &["a"])));
    free(conflicts.enter("TransactWriteItems", &first));
    other.end(false).await;
    let _turn = free(conflicts.enter("TransactWriteItems", &transaction("three", &["a"])));
    // One that was not made is a new one.
    let (code, _) = refused(conflicts.enter("TransactWriteItems", &transaction("two", &["a"])));
    assert_eq!(code, "TransactionCanceledException");
}

#[tokio::test]
async fn a_transaction_holds_its_items_for_its_time() {
    let conflicts = Conflicts { hold: Duration::from_mins(1), ..conflicts() };
    let turn = free(conflicts.enter("TransactWriteItems", &transaction("one", &["a"])));
    let ending = tokio::spawn(turn.end(true));
    tokio::task::yield_now().await;
    refused(conflicts.enter("PutItem", &item("a")));
    ending.abort();
    let _: Result<(), _> = ending.await;
    free(conflicts.enter("PutItem", &item("a")));
}

#[test]
fn what_cannot_be_read_is_left_to_the_database() {
    let conflicts = conflicts();
    for request in [json!(null), json!({"TransactItems": [7, {}, {"Put": {}}]}), json!({"TableName": "t", "Key": 7})] {
        for operation in ["TransactWriteItems", "TransactGetItems", "UpdateItem", "BatchWriteItem"] {
            free(conflicts.enter(operation, &request));
        }
    }
}
