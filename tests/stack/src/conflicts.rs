//! Transactions that overlap: what DynamoDB refuses while another request works on the same item.
//!
//! | Request | is refused while on one of its items there is | with |
//! |---|---|---|
//! | `TransactWriteItems` | a `TransactWriteItems`, also if it only checks the item | `TransactionCanceledException` |
//! | `TransactGetItems` | a `TransactWriteItems` or any write | `TransactionCanceledException` |
//! | `PutItem`, `UpdateItem`, `DeleteItem` | a `TransactWriteItems` | `TransactionConflictException` |
//! | a write of `BatchWriteItem` | a `TransactWriteItems` | its return in `UnprocessedItems` |
//! | other reads | | |
//!
//! So it is in "Transaction conflict handling in DynamoDB" of the developer guide; that a batch gives the write back is
//! inferred from the API reference of `BatchWriteItem`, which knows no error for it. The database itself executes one
//! request after the other and would never refuse one. A transaction takes a little longer here than it would have to,
//! or no two would ever meet. `PartiQL` is not looked at.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::system::lock;
use crate::template::Template;

/// How long DynamoDB knows the token of a transaction that was made.
const TOKEN_LIFE: Duration = Duration::from_mins(10);

/// An item: its table and key attributes, as text.
type Place = String;

/// What works on which item at this moment.
#[derive(Debug)]
pub(crate) struct Conflicts {
    /// The key attributes of each table.
    keys: BTreeMap<String, Vec<String>>,
    /// How long a transaction holds its items after it was executed.
    hold: Duration,
    under_way: Arc<Mutex<UnderWay>>,
}

#[derive(Debug, Default)]
struct UnderWay {
    /// The items of transactions, and the token of each.
    transactions: HashMap<Place, String>,
    /// The items of single writes, and how many.
    writes: HashMap<Place, usize>,
    /// The tokens of transactions that were made, and when.
    made: HashMap<String, Instant>,
}

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Passage {
    /// It is executed.
    Free(Turn),
    /// It is answered with this status and body.
    Answered(u16, Value),
    /// It is executed without the writes that are given back: the request that is left, and those by table.
    Partial { turn: Turn, request: Value, unprocessed: Map<String, Value> },
}

/// The items that a request works on. Dropping it ends that.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    under_way: Arc<Mutex<UnderWay>>,
    transaction: Option<Transaction>,
    writes: Vec<Place>,
}

#[derive(Debug)]
struct Transaction {
    places: Vec<Place>,
    token: String,
    hold: Duration,
}

impl Conflicts {
    /// Nothing is under way on the table of the template.
    pub(crate) fn new(template: &Template, hold: Duration) -> Self {
        let schema = template.table.get("KeySchema").and_then(Value::as_array).into_iter().flatten();
        let names = schema.filter_map(|key| key.get("AttributeName").and_then(Value::as_str).map(str::to_owned));
        let keys = BTreeMap::from([(template.table_name.clone(), names.collect())]);
        Self { keys, hold, under_way: Arc::default() }
    }

    /// Decides about a request that arrives now. What cannot be read is let through: DynamoDB says what is wrong.
    pub(crate) fn enter(&self, operation: &str, request: &Value) -> Passage {
        match operation {
            "TransactWriteItems" => self.transaction(request),
            "TransactGetItems" => self.transactional_read(request),
            "PutItem" => self.write(request, "Item"),
            "UpdateItem" | "DeleteItem" => self.write(request, "Key"),
            "BatchWriteItem" => self.batch(request),
            _ => Passage::Free(Turn::default()),
        }
    }

    fn transaction(&self, request: &Value) -> Passage {
        let places = self.places(request);
        // A client without a token asks for nothing twice.
        let token = request.get("ClientRequestToken").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut under_way = lock(&self.under_way);
        under_way.made.retain(|_, at| at.elapsed() < TOKEN_LIFE);
        // What was made is answered as it was then, whoever is at its items now.
        if under_way.made.contains_key(&token) {
            return Passage::Free(Turn::default());
        }
        if !token.is_empty() && under_way.transactions.values().any(|other| *other == token) {
            let message = "The transaction with the given request token is already in progress.";
            return Passage::Answered(400, error("TransactionInProgressException", message));
        }
        let taken: Vec<_> = places.iter().map(|place| under_way.is_in_transaction(place.as_ref())).collect();
        if taken.contains(&true) {
            return Passage::Answered(400, cancelled(&taken));
        }
        let places: Vec<Place> = places.into_iter().flatten().collect();
        for place in &places {
            under_way.transactions.insert(place.clone(), token.clone());
        }
        let transaction = Some(Transaction { places, token, hold: self.hold });
        Passage::Free(Turn { under_way: Arc::clone(&self.under_way), transaction, writes: Vec::new() })
    }

    fn transactional_read(&self, request: &Value) -> Passage {
        let under_way = lock(&self.under_way);
        let is_taken = |place: &Option<Place>| {
            let place = place.as_ref();
            under_way.is_in_transaction(place) || place.is_some_and(|place| under_way.writes.contains_key(place))
        };
        let taken: Vec<_> = self.places(request).iter().map(is_taken).collect();
        if taken.contains(&true) { Passage::Answered(400, cancelled(&taken)) } else { Passage::Free(Turn::default()) }
    }

    fn write(&self, request: &Value, whole: &str) -> Passage {
        let place = self.place(request.get("TableName"), request.get(whole));
        if lock(&self.under_way).is_in_transaction(place.as_ref()) {
            return Passage::Answered(400, error("TransactionConflictException", ONGOING));
        }
        Passage::Free(self.writing(place.into_iter().collect()))
    }

    fn batch(&self, request: &Value) -> Passage {
        let (mut free, mut unprocessed) = (Map::new(), Map::new());
        let mut places = Vec::new();
        for (table, writes) in request.get("RequestItems").and_then(Value::as_object).into_iter().flatten() {
            let of_write = |write: &Value| {
                let put = write.pointer("/PutRequest/Item").or_else(|| write.pointer("/DeleteRequest/Key"));
                self.place(Some(&Value::from(table.as_str())), put)
            };
            let under_way = lock(&self.under_way);
            let (taken, left): (Vec<_>, Vec<_>) = writes
                .as_array()
                .into_iter()
                .flatten()
                .cloned()
                .partition(|write| under_way.is_in_transaction(of_write(write).as_ref()));
            places.extend(left.iter().filter_map(of_write));
            for (part, into) in [(left, &mut free), (taken, &mut unprocessed)] {
                if !part.is_empty() {
                    into.insert(table.clone(), part.into());
                }
            }
        }
        let turn = self.writing(places);
        if unprocessed.is_empty() {
            return Passage::Free(turn);
        }
        if free.is_empty() {
            return Passage::Answered(200, json!({"UnprocessedItems": unprocessed}));
        }
        let mut request = request.clone();
        if let Some(items) = request.get_mut("RequestItems") {
            *items = free.into();
        }
        Passage::Partial { turn, request, unprocessed }
    }

    fn writing(&self, writes: Vec<Place>) -> Turn {
        let mut under_way = lock(&self.under_way);
        for place in &writes {
            *under_way.writes.entry(place.clone()).or_default() += 1;
        }
        Turn { under_way: Arc::clone(&self.under_way), transaction: None, writes }
    }

    /// The item of each part of a transaction, in its order.
    fn places(&self, request: &Value) -> Vec<Option<Place>> {
        let parts = request.get("TransactItems").and_then(Value::as_array).into_iter().flatten();
        parts
            .map(|part| {
                let (_, part) = part.as_object()?.iter().next()?;
                self.place(part.get("TableName"), part.get("Key").or_else(|| part.get("Item")))
            })
            .collect()
    }

    /// The item that a key, or an item with its key in it, is of.
    fn place(&self, table: Option<&Value>, attributes: Option<&Value>) -> Option<Place> {
        // The name, or the ARN.
        let table = table?.as_str()?.rsplit('/').next()?;
        let names = self.keys.get(table)?;
        let values = names.iter().map(|name| attributes?.get(name)).collect::<Option<Vec<_>>>()?;
        Some(json!([table, values]).to_string())
    }
}

impl UnderWay {
    fn is_in_transaction(&self, place: Option<&Place>) -> bool {
        place.is_some_and(|place| self.transactions.contains_key(place))
    }
}

impl Turn {
    /// The request was executed. A transaction stays under way for a moment yet, and its token is remembered if it was
    /// made.
    pub(crate) async fn end(self, was_made: bool) {
        if let Some(transaction) = &self.transaction {
            if was_made && !transaction.token.is_empty() {
                lock(&self.under_way).made.insert(transaction.token.clone(), Instant::now());
            }
            if !transaction.hold.is_zero() {
                tokio::time::sleep(transaction.hold).await;
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut under_way = lock(&self.under_way);
        for place in self.transaction.iter().flat_map(|transaction| &transaction.places) {
            under_way.transactions.remove(place);
        }
        for place in &self.writes {
            match under_way.writes.get_mut(place) {
                Some(count) if *count > 1 => *count -= 1,
                _ => {
                    under_way.writes.remove(place);
                }
            }
        }
    }
}

/// DynamoDB's sentence about an item.
const ONGOING: &str = "Transaction is ongoing for the item";

/// An error of DynamoDB's as a body.
pub(crate) fn error(code: &str, message: &str) -> Value {
    json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": message})
}

/// The refusal of a transaction, by which of its items are taken.
pub(crate) fn cancelled(taken: &[bool]) -> Value {
    let code = |taken: &bool| if *taken { "TransactionConflict" } else { "None" };
    let codes: Vec<_> = taken.iter().map(code).collect();
    let reasons: Vec<_> = codes
        .iter()
        .map(|code| if *code == "None" { json!({"Code": code}) } else { json!({"Code": code, "Message": ONGOING}) })
        .collect();
    let message =
        format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes.join(", "));
    let mut body = error("TransactionCanceledException", &message);
    if let Some(body) = body.as_object_mut() {
        body.insert("CancellationReasons".to_owned(), reasons.into());
    }
    body
}

/// Puts the writes that were not executed into the answer of a batch.
pub(crate) fn give_back(answer: &mut Value, unprocessed: Map<String, Value>) {
    let Some(answer) = answer.as_object_mut() else { return };
    let left = answer.entry("UnprocessedItems").or_insert_with(|| json!({}));
    for (table, writes) in unprocessed {
        match left.get_mut(&table).and_then(Value::as_array_mut) {
            Some(already) => already.extend(writes.as_array().cloned().unwrap_or_default()),
            None => left[&table] = writes,
        }
    }
}

#[cfg(test)]
mod tests;
