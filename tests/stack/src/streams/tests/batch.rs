//! What becomes of a batch, without a stream.

use serde_json::{Value, json};

use super::super::batch::{Batch, Next, Outcome};
use super::mapping;
use crate::lambda::InvokeError;
use crate::template::Mapping;

fn records(numbers: &[u32]) -> Vec<Value> {
    numbers.iter().map(|number| json!({"dynamodb": {"SequenceNumber": number.to_string()}})).collect()
}

fn batch(numbers: &[u32], retries: u32) -> Batch {
    Batch { records: records(numbers), invocations: 0, retries }
}

#[test]
fn an_answer_is_read_as_lambda_reads_it() {
    let records = records(&[1, 2, 3]);
    let of = |answer: Value| Outcome::of(&Ok(answer), &records, true);
    let failures = |identifiers: Value| {
        let failure = |identifier: &Value| json!({"itemIdentifier": identifier});
        of(json!({"batchItemFailures": identifiers.as_array().unwrap().iter().map(failure).collect::<Vec<_>>()}))
    };
    for done in [json!(null), json!({}), json!({"batchItemFailures": null}), json!({"batchItemFailures": []})] {
        assert_eq!(of(done.clone()), Outcome::Done, "{done}");
    }
    assert_eq!(failures(json!(["2"])), Outcome::Until(1));
    assert_eq!(failures(json!(["3", "2", "3"])), Outcome::Until(1), "the lowest");
    for bad in [json!([""]), json!([null]), json!(["4"]), json!(["2", "4"])] {
        assert_eq!(failures(bad.clone()), Outcome::Failed, "{bad}");
    }
    let misspelt = json!({"batchItemFailures": [{"itemIdentifer": "2"}]});
    for bad in [misspelt, json!("text"), json!([]), json!({"batchItemFailures": "2"})] {
        assert_eq!(of(bad.clone()), Outcome::Failed, "{bad}");
    }
    assert_eq!(Outcome::of(&Err(InvokeError::Crashed), &records, true), Outcome::Failed);
    assert_eq!(Outcome::of(&Err(InvokeError::Busy), &records, true), Outcome::Throttled);
    // Without the response type, an answer is an answer.
    assert_eq!(Outcome::of(&Ok(json!("text")), &records, false), Outcome::Done);
}

#[test]
fn retries_are_counted_until_the_batch_is_given_up() {
    let bounded = Mapping { retries: Some(1), ..mapping() };
    assert_eq!(batch(&[1, 2], 0).after(Outcome::Done, &bounded), Next::Done);
    assert_eq!(batch(&[1, 2], 0).after(Outcome::Failed, &bounded), Next::Again(vec![batch(&[1, 2], 1)]));
    assert_eq!(batch(&[1, 2], 1).after(Outcome::Failed, &bounded), Next::GiveUp(batch(&[1, 2], 1)));
    // What is done is neither tried again nor given up.
    assert_eq!(batch(&[1, 2, 3], 0).after(Outcome::Until(1), &bounded), Next::Again(vec![batch(&[2, 3], 1)]));
    assert_eq!(batch(&[1, 2, 3], 1).after(Outcome::Until(2), &bounded), Next::GiveUp(batch(&[3], 1)));
    assert_eq!(batch(&[1], 1).after(Outcome::Throttled, &bounded), Next::Again(vec![batch(&[1], 1)]));
    let endless = mapping();
    assert_eq!(batch(&[1], 999).after(Outcome::Failed, &endless), Next::Again(vec![batch(&[1], 1000)]));
}

#[test]
fn a_batch_is_split_in_two_and_that_is_no_retry() {
    let bisecting = Mapping { retries: Some(0), bisects: true, ..mapping() };
    let halves = Next::Again(vec![batch(&[1, 2], 0), batch(&[3], 0)]);
    assert_eq!(batch(&[1, 2, 3], 0).after(Outcome::Failed, &bisecting), halves);
    assert_eq!(batch(&[1], 0).after(Outcome::Failed, &bisecting), Next::GiveUp(batch(&[1], 0)));
    // At the record that was named.
    assert_eq!(batch(&[1, 2, 3], 0).after(Outcome::Until(1), &bisecting), Next::Again(vec![batch(&[2, 3], 0)]));
    assert_eq!(batch(&[1, 2], 0).after(Outcome::Until(0), &bisecting), Next::GiveUp(batch(&[1, 2], 0)));
}

#[test]
fn old_records_are_those_at_the_beginning() {
    let mut whole = batch(&[1, 2, 3], 1);
    let is_old = |most: &'static str| move |record: &Value| record["dynamodb"]["SequenceNumber"].as_str() <= Some(most);
    assert_eq!(whole.split_old(is_old("0")), None);
    assert_eq!(whole.split_old(is_old("2")), Some(batch(&[1, 2], 1)));
    assert_eq!(whole, batch(&[3], 1));
}
