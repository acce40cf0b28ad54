//! Calls to DynamoDB that most requests make, on a short way: the SDK writes requests and reads answers, but for those
//! that are plain and hot (decision 0051), and what is in between is done here.
//!
//! For each call the SDK's own way puts together plugins, interceptors and components, asks them about endpoint,
//! identity and retries, and derives the signing key from the secret: several times the work of all the rest (decision
//! 0040).

mod caller;
mod found;
mod requests;
mod retries;
mod signature;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

use aws_sdk_dynamodb::operation::{
    batch_get_item, batch_write_item, get_item, put_item, transact_write_items, update_item,
};

pub use self::caller::{Caller, Failure, Serialized};
pub use self::requests::Wanted;
pub use self::wire::Wire;

/// The operations.
#[derive(Debug, Clone)]
pub struct Direct {
    pub batch_get_item: Caller<batch_get_item::BatchGetItem>,
    pub batch_write_item: Caller<batch_write_item::BatchWriteItem>,
    pub get_item: Caller<get_item::GetItem>,
    pub put_item: Caller<put_item::PutItem>,
    pub transact_write_items: Caller<transact_write_items::TransactWriteItems>,
    pub update_item: Caller<update_item::UpdateItem>,
}

impl Direct {
    pub fn new(wire: Wire) -> Self {
        let wire = Arc::new(wire);
        Self {
            batch_get_item: Caller::new(&wire),
            batch_write_item: Caller::new(&wire),
            get_item: Caller::new(&wire),
            put_item: Caller::new(&wire),
            transact_write_items: Caller::new(&wire),
            update_item: Caller::new(&wire),
        }
    }
}
