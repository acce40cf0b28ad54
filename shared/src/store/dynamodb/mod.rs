//! What the stores ask of DynamoDB: reads, conditional updates, transactions.

mod attributes;
mod contention;
mod direct;
mod expression;
mod item;
mod table;
mod transaction;

pub use attributes::{
    Key, NewItem, PK, Place, Reader, SK, at, is_at, key, millis, number, primary_key, text, time_to_live,
};
pub use contention::{CONFLICT_ATTEMPTS, Jitter};
pub use direct::{Direct, Wire};
pub use expression::{Condition, Update};
pub use item::{Item, Value, found};
pub use table::{ATTEMPTS, Inserted, Table, Updated, failed, pause};
pub use transaction::{Commit, Refused, Transaction, Write};
