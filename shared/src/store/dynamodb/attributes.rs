//! Attributes to values and back. An item that can't be read is our fault, and says which attribute of which key, never
//! the value.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{Item, Value};
use crate::domain::{Problem, Timestamp};
use crate::error::{Error, Result};

/// Partition key attribute of the table.
pub const PK: &str = "pk";
/// Sort key attribute of the table.
pub const SK: &str = "sk";

/// An item that is to be written, or a map in one.
pub type NewItem = HashMap<String, AttributeValue>;

/// The primary key of an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub partition: String,
    pub sort: String,
}

pub fn key(partition: String, sort: String) -> Key {
    Key { partition, sort }
}

/// Where a query goes on: the key of a row, and in an index the index's own.
pub type Place = HashMap<String, AttributeValue>;

/// As requests have it, and the item of that key before it has anything else.
impl From<Key> for NewItem {
    fn from(Key { partition, sort }: Key) -> Self {
        HashMap::from([(PK.to_owned(), AttributeValue::S(partition)), (SK.to_owned(), AttributeValue::S(sort))])
    }
}

/// An item's primary key.
pub fn primary_key(item: &Item) -> Key {
    let part = |name| item.get(name).and_then(Value::as_s).unwrap_or_default().to_owned();
    key(part(PK), part(SK))
}

/// The item at a key, among those that were read.
pub fn at<'a>(items: &'a [Item], key: &Key) -> Option<&'a Item> {
    items.iter().find(|item| is_at(item, key))
}

/// Whether an item has this primary key. Nothing is copied, as [`primary_key`] does.
pub fn is_at(item: &Item, key: &Key) -> bool {
    let has = |name, wanted: &str| item.get(name).and_then(Value::as_s) == Some(wanted);
    has(SK, &key.sort) && has(PK, &key.partition)
}

pub fn text(value: impl fmt::Display) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

pub fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// A time attribute, in Unix milliseconds.
pub fn millis(moment: Timestamp) -> AttributeValue {
    number(moment.as_millis())
}

/// The attribute that DynamoDB's time to live looks at, in Unix seconds. It cleans up; validity is decided by comparing
/// times.
pub fn time_to_live(moment: Timestamp) -> AttributeValue {
    number(moment.as_millis() / 1000)
}

/// Reads attributes of one item, or of a map in one.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    item: &'a Item,
    attributes: &'a Item,
}

impl<'a> Reader<'a> {
    /// Reads an item's own attributes.
    pub fn of(item: &'a Item) -> Self {
        Self { item, attributes: item }
    }

    /// Reads what is in a map of the item.
    ///
    /// # Errors
    /// If there is no such map.
    pub fn within(item: &'a Item, name: &'static str) -> Result<Self> {
        match item.get(name) {
            Some(Value::M(attributes)) => Ok(Self { item, attributes }),
            _ => Err(Self::of(item).unreadable(name)),
        }
    }

    /// A string that has to be there.
    pub fn text(self, name: &'static str) -> Result<&'a str> {
        self.optional_text(name)?.ok_or_else(|| self.unreadable(name))
    }

    /// A string that may be absent.
    pub fn optional_text(self, name: &'static str) -> Result<Option<&'a str>> {
        match self.attributes.get(name) {
            None => Ok(None),
            Some(Value::S(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(self.unreadable(name)),
        }
    }

    /// A string that `parse` takes.
    pub fn parsed<T>(self, name: &'static str, parse: impl Fn(&str) -> Result<T, Problem>) -> Result<T> {
        parse(self.text(name)?).map_err(|_| self.unreadable(name))
    }

    /// A string that may be absent and that `parse` takes.
    pub fn optional<T>(self, name: &'static str, parse: impl Fn(&str) -> Result<T, Problem>) -> Result<Option<T>> {
        self.optional_text(name)?.map(parse).transpose().map_err(|_| self.unreadable(name))
    }

    /// A number that has to be there.
    pub fn number<T: FromStr>(self, name: &'static str) -> Result<T> {
        self.optional_number(name)?.ok_or_else(|| self.unreadable(name))
    }

    /// A number that may be absent.
    pub fn optional_number<T: FromStr>(self, name: &'static str) -> Result<Option<T>> {
        match self.attributes.get(name) {
            None => Ok(None),
            Some(Value::N(number)) => number.as_str().parse().map(Some).map_err(|_| self.unreadable(name)),
            Some(_) => Err(self.unreadable(name)),
        }
    }

    /// A time that has to be there.
    pub fn millis(self, name: &'static str) -> Result<Timestamp> {
        self.number(name).map(Timestamp::from_millis)
    }

    /// A time that may be absent.
    pub fn optional_millis(self, name: &'static str) -> Result<Option<Timestamp>> {
        Ok(self.optional_number(name)?.map(Timestamp::from_millis))
    }

    /// A truth value that may be absent.
    pub fn optional_bool(self, name: &'static str) -> Result<Option<bool>> {
        match self.attributes.get(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(self.unreadable(name)),
        }
    }

    /// A map that has to be there.
    pub fn map(self, name: &'static str) -> Result<&'a Item> {
        match self.attributes.get(name) {
            Some(Value::M(map)) => Ok(map),
            _ => Err(self.unreadable(name)),
        }
    }

    /// A list of strings that has to be there.
    pub fn texts(self, name: &'static str) -> Result<Vec<&'a str>> {
        let Some(Value::L(list)) = self.attributes.get(name) else { return Err(self.unreadable(name)) };
        list.iter().map(|value| value.as_s().ok_or_else(|| self.unreadable(name))).collect()
    }

    /// The error of an attribute that is absent or isn't what it must be.
    pub fn unreadable(self, name: &'static str) -> Error {
        let part = |name| self.item.get(name).and_then(Value::as_s).unwrap_or("?");
        Error::internal(format!("item {} {} has no readable {name}", part(PK), part(SK)))
    }
}
