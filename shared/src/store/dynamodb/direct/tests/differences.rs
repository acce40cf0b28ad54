//! The differences between the two ways: there are none but those that are named here.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItem, BatchGetItemInput, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemInput;
use aws_sdk_dynamodb::operation::get_item::{GetItem, GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::PutItemInput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsInput;
use aws_sdk_dynamodb::operation::update_item::{UpdateItem, UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, DeleteRequest, KeysAndAttributes, Put, ReturnValue,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update, WriteRequest,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::Value;

use super::answers::ANSWERS;
use super::script::Event::{self, Answer, AnswerWith, Lost, Silence};
use super::script::{Script, Sent};
use super::signatures::is_signed;
use super::{ATTEMPT, SECRET, SHORT_ATTEMPT, TOKEN, client, direct, sdk};
use crate::store::dynamodb::direct::{Caller, Serialized, Wanted};
use crate::store::dynamodb::expression::Values;
use crate::store::dynamodb::{Item, Key, NewItem, found, key};

/// The headers that DynamoDB reads. Others of the SDK's say what it is and which of its features are in use.
const HEADERS: [&str; 3] = ["content-type", "x-amz-target", "x-amz-security-token"];

fn place_key() -> Key {
    key("TENANT#tnt_1".to_owned(), "STATE \"é\n".to_owned())
}

fn place() -> NewItem {
    place_key().into()
}

fn item() -> NewItem {
    let within = HashMap::from([("b".to_owned(), AttributeValue::B(Blob::new([0, 255])))]);
    let values = [
        AttributeValue::M(within),
        AttributeValue::L(vec![AttributeValue::Bool(true), AttributeValue::Null(true)]),
        AttributeValue::Ss(vec!["x".to_owned()]),
        AttributeValue::N("-1.5e10".to_owned()),
        AttributeValue::S("\u{2028}\u{1F600}\0".to_owned()),
    ];
    let mut item = place();
    item.extend(values.into_iter().enumerate().map(|(number, value)| (format!("a{number}"), value)));
    item
}

fn values() -> HashMap<String, AttributeValue> {
    HashMap::from([(":limit".to_owned(), AttributeValue::N("7".to_owned()))])
}

/// What a result is, as a text that can be compared.
fn outcome<O: Debug, E: Debug + ProvideErrorMetadata>(result: Result<O, SdkError<E, HttpResponse>>) -> String {
    let answer = |raw: &HttpResponse| {
        let headers: BTreeMap<_, _> = raw.headers().iter().collect();
        format!("{} {headers:?} {:?}", raw.status(), raw.body().bytes())
    };
    match result {
        Ok(output) => format!("{output:?}"),
        Err(SdkError::ServiceError(refusal)) => {
            let error = refusal.err();
            format!("{:?} {:?} {error:?} {}", error.code(), error.message(), answer(refusal.raw()))
        }
        Err(SdkError::ResponseError(broken)) => format!("broken {}", answer(broken.raw())),
        Err(SdkError::TimeoutError(_)) => "late".to_owned(),
        Err(SdkError::DispatchFailure(lost)) => {
            format!("lost {} {} {} {:?}", lost.is_io(), lost.is_timeout(), lost.is_user(), lost.as_other())
        }
        Err(other) => format!("{other:?}"),
    }
}

fn same_requests(ours: &[Sent], theirs: &[Sent]) {
    assert_eq!(ours.len(), theirs.len(), "attempts");
    let ids: Vec<_> = ours.iter().map(|sent| sent.header("amz-sdk-invocation-id").unwrap()).collect();
    assert!(ids.windows(2).all(|ids| ids[0] == ids[1]) && ids[0].len() == 36, "{ids:?}");
    for (our, their) in ours.iter().zip(theirs) {
        assert_eq!((&our.method, &our.uri), (&their.method, &their.uri));
        let body = |sent: &Sent| serde_json::from_slice::<Value>(&sent.body).unwrap();
        assert_eq!(body(our), body(their));
        for name in HEADERS {
            assert!(our.header(name).is_some() && our.header(name) == their.header(name), "{name}: {our:?} {their:?}");
        }
        // The SDK says the most attempts from the second one on.
        let attempt = |sent: &Sent| sent.header("amz-sdk-request").unwrap().split(';').next().unwrap().to_owned();
        assert_eq!(attempt(our), attempt(their));
        is_signed(our);
        is_signed(their);
    }
}

/// Whether an answer is waited for in vain.
fn is_silent(events: &[Event]) -> bool {
    events.iter().any(|event| matches!(event, Silence))
}

/// Makes the same call twice and compares.
macro_rules! compare {
    ($operation:ident, $input:expr, $events:expr, $endpoint:expr) => {{
        let (ours, theirs) = (Script::of($events), Script::of($events));
        let sdk = sdk(if is_silent($events) { SHORT_ATTEMPT } else { ATTEMPT });
        let (direct, client) = (direct(&sdk, &ours, $endpoint), client(&sdk, &theirs, $endpoint));
        let input = $input;
        let (our, their) =
            tokio::join!(direct.$operation.call(input.clone().build().unwrap()), input.send_with(&client));
        match (our, their) {
            // A map has its members in no order.
            (Ok(our), Ok(their)) if our == their => {}
            (our, their) => {
                let (our, their) = (outcome(our), outcome(their.map_err(Into::into)));
                assert_eq!(our, their, "{} {:?}", stringify!($operation), $events);
            }
        }
        same_requests(&ours.sent(), &theirs.sent());
    }};
}

/// The same of a request and of what it finds: here it is taken from the answer, there from what the SDK has read.
macro_rules! compare_found {
    ($operation:ident, $request:expr, $input:expr, $events:expr, $plain:expr, $slow:expr) => {{
        let (ours, theirs) = (Script::of($events), Script::of($events));
        let sdk = sdk(if is_silent($events) { SHORT_ATTEMPT } else { ATTEMPT });
        let (direct, client) = (direct(&sdk, &ours, None), client(&sdk, &theirs, None));
        let request = $request.unwrap();
        let (our, their) = tokio::join!(direct.$operation.find(&request, $plain, $slow), $input.send_with(&client));
        match (our, their.map($slow)) {
            (Ok(our), Ok(their)) => assert_eq!(our, their, "{} {:?}", stringify!($operation), $events),
            (our, their) => assert_eq!(outcome(our), outcome(their.map_err(Into::into)), "{:?}", $events),
        }
        same_requests(&ours.sent(), &theirs.sent());
    }};
}

async fn compare_all(events: &'static [Event], endpoint: Option<&'static str>) {
    let get = GetItemInput::builder().table_name("table").set_key(Some(place())).consistent_read(true);
    compare!(get_item, get.clone(), events, endpoint);
    let of_sdk = |answer: GetItemOutput| answer.item.map(Item::from);
    let request = Caller::<GetItem>::of("table", &place_key());
    compare_found!(get_item, request, get, events, |found| found.item, of_sdk);

    let keys = [place_key(), key("b".into(), "c".into())];
    let wanted =
        KeysAndAttributes::builder().set_keys(Some(keys.clone().map(NewItem::from).into())).consistent_read(true);
    let get = BatchGetItemInput::builder().request_items("table", wanted.build().unwrap());
    compare!(batch_get_item, get.clone(), events, endpoint);
    let of_sdk = |answer: BatchGetItemOutput| {
        let items = answer.responses.unwrap_or_default().remove("table").unwrap_or_default();
        (found(Some(items)), answer.unprocessed_keys.is_some_and(|keys| !keys.is_empty()))
    };
    let request = Caller::<BatchGetItem>::of("table", &keys);
    compare_found!(batch_get_item, request, get, events, |found| (found.items, false), of_sdk);

    let update = UpdateItemInput::builder()
        .table_name("table")
        .set_key(Some(place()))
        .update_expression("SET a = :limit")
        .condition_expression("a < :limit")
        .set_expression_attribute_values(Some(values()))
        .return_values(ReturnValue::AllNew)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    compare!(update_item, update.clone(), events, endpoint);
    let of_sdk = |answer: UpdateItemOutput| answer.attributes.map(Item::from);
    let bound = values().into_iter().map(|(name, value)| (name.into(), value)).collect();
    let ours = ("SET a = :limit", Some("a < :limit"), &bound);
    let request = Caller::<UpdateItem>::of("table", &place_key(), ours, Wanted::Item);
    compare_found!(update_item, request, update, events, |found| found.attributes, of_sdk);

    let put = PutItemInput::builder()
        .table_name("table")
        .set_item(Some(item()))
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    compare!(put_item, put, events, endpoint);

    let delete = DeleteRequest::builder().set_key(Some(place())).build().unwrap();
    let delete = WriteRequest::builder().delete_request(delete).build();
    compare!(batch_write_item, BatchWriteItemInput::builder().request_items("table", vec![delete]), events, endpoint);

    let part = TransactWriteItem::builder;
    let put = Put::builder().table_name("table").set_item(Some(item())).build().unwrap();
    let update = Update::builder().table_name("table").set_key(Some(place())).update_expression("SET a = :limit");
    let update = update.set_expression_attribute_values(Some(values())).build().unwrap();
    let check = ConditionCheck::builder().table_name("table").set_key(Some(place()));
    let check = check.condition_expression("attribute_exists(pk)").build().unwrap();
    let delete = Delete::builder().table_name("table").set_key(Some(place())).build().unwrap();
    let parts = [part().put(put), part().update(update), part().condition_check(check), part().delete(delete)];
    let parts = parts.map(aws_sdk_dynamodb::types::builders::TransactWriteItemBuilder::build).to_vec();
    let transaction =
        TransactWriteItemsInput::builder().set_transact_items(Some(parts)).client_request_token("a-token-of-ours");
    compare!(transact_write_items, transaction, events, endpoint);
}

#[tokio::test]
async fn whatever_is_answered_means_the_same_on_both_ways() {
    for events in ANSWERS.iter().filter(|events| !is_silent(events)) {
        compare_all(events, None).await;
    }
}

#[test]
fn values_of_all_types_that_attributes_have_are_written_as_the_sdk_writes_them() {
    let by_sdk = direct(&sdk(ATTEMPT), &Script::of(&[]), None).update_item;
    let of = |values: &Values| {
        Caller::<UpdateItem>::of("table", &place_key(), ("SET a = :v", None, values), Wanted::Nothing)
    };
    let (sets, mut written): (Vec<_>, Vec<_>) = item().into_values().partition(AttributeValue::is_ss);
    let nested = AttributeValue::L(written.clone());
    written.extend([
        AttributeValue::M(HashMap::from([
            ("l".to_owned(), nested),
            ("m".to_owned(), AttributeValue::M(HashMap::new())),
        ])),
        AttributeValue::L(Vec::new()),
        AttributeValue::S(String::new()),
        AttributeValue::Null(false),
    ]);
    for value in written {
        let values = Values::from([(":v".into(), value.clone()), (":one".into(), AttributeValue::N("1".to_owned()))]);
        let theirs = UpdateItemInput::builder()
            .table_name("table")
            .set_key(Some(place()))
            .update_expression("SET a = :v")
            .expression_attribute_values(":v", value.clone())
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
        let theirs = by_sdk.serialized(theirs.build().unwrap()).unwrap();
        assert_eq!(json(&of(&values).unwrap()), json(&theirs), "{value:?}");
    }
    for value in sets {
        assert!(of(&Values::from([(":v".into(), value)])).is_err());
    }
}

fn json<O>(request: &Serialized<O>) -> Value {
    serde_json::from_slice(request.body.bytes().unwrap()).unwrap()
}

#[tokio::test]
async fn an_answer_that_does_not_come_means_the_same_on_both_ways() {
    let silent = ANSWERS.iter().filter(|events| is_silent(events));
    futures_util::future::join_all(silent.map(|events| compare_all(events, None))).await;
}

#[tokio::test]
async fn requests_go_where_the_sdk_sends_them() {
    for endpoint in [None, Some("http://127.0.0.1:8000"), Some("http://localhost"), Some("https://proxy.example/")] {
        compare_all(&[Answer(200, "{}")], endpoint).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_not_what_was_sent_is_asked_for_again() {
    const WRONG_CHECKSUM: (&str, &str) = ("x-amz-crc32", "2745614148");
    const CHECKSUM: (&str, &str) = ("x-amz-crc32", "2745614147");
    let get = || GetItemInput::builder().table_name("table").set_key(Some(place())).build().unwrap();

    let script = Script::of(&[AnswerWith(200, WRONG_CHECKSUM, "{}"), AnswerWith(200, CHECKSUM, "{}")]);
    assert!(direct(&sdk(ATTEMPT), &script, None).get_item.call(get()).await.is_ok());
    assert_eq!(script.sent().len(), 2);

    for checksum in [WRONG_CHECKSUM, ("x-amz-crc32", ""), ("x-amz-crc32", "-1")] {
        let script = Script::of(Box::leak(Box::new([AnswerWith(200, checksum, "{}")])));
        let failure = direct(&sdk(ATTEMPT), &script, None).get_item.call(get()).await.unwrap_err();
        assert!(matches!(failure, SdkError::ResponseError(_)), "{failure:?}");
        assert_eq!(script.sent().len(), 3);
    }
}

/// A store that is down is not asked three times as often: both ways stop at the same call.
#[tokio::test]
async fn retries_end_when_the_budget_does() {
    let (ours, theirs) = (Script::of(&[Lost]), Script::of(&[Lost]));
    let (direct, client) = (direct(&sdk(ATTEMPT), &ours, None), client(&sdk(ATTEMPT), &theirs, None));
    let get = GetItemInput::builder().table_name("table").set_key(Some(place()));
    for _ in 0..30 {
        let _ours = direct.get_item.call(get.clone().build().unwrap()).await.unwrap_err();
        let _theirs = get.clone().send_with(&client).await.unwrap_err();
        assert_eq!(ours.sent().len(), theirs.sent().len());
    }
    // 500 are 50 further attempts.
    assert_eq!(ours.sent().len(), 30 + 50);
}

#[tokio::test]
async fn nothing_prints_the_secret() {
    let script = Script::of(&[Answer(400, "{}")]);
    let direct = direct(&sdk(ATTEMPT), &script, None);
    let get = GetItemInput::builder().table_name("table").set_key(Some(place())).build().unwrap();
    let failure = direct.get_item.call(get).await.unwrap_err();
    let printed = format!("{direct:?} {:?} {failure:?}", direct.get_item);
    assert!(!printed.contains(SECRET) && !printed.contains(TOKEN));
}
