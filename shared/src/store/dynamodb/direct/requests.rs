//! Requests of reads and updates: what the SDK writes, without its maps of keys and values.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::{batch_get_item, get_item, update_item};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::body::SdkBody;
use data_encoding::BASE64;
use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};

use super::super::attributes::{Key, PK, SK};
use super::super::expression::Values;
use super::caller::{Caller, Serialized};
use crate::error::{Error, Result};

/// Bytes of most requests.
const REQUEST: usize = 1024;

impl Caller<get_item::GetItem> {
    /// The request for one item, strongly consistent.
    ///
    /// # Errors
    /// If it can't be written as JSON, which is our fault.
    pub fn of(table: &str, key: &Key) -> Result<Serialized<get_item::GetItem>> {
        #[derive(serde::Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Request<'a> {
            table_name: &'a str,
            key: &'a Key,
            consistent_read: bool,
        }
        serialized("DynamoDB_20120810.GetItem", &Request { table_name: table, key, consistent_read: true })
    }
}

impl Caller<batch_get_item::BatchGetItem> {
    /// The request for items of one table, strongly consistent. DynamoDB takes a hundred keys.
    ///
    /// # Errors
    /// If it can't be written as JSON, which is our fault.
    pub fn of(table: &str, keys: &[Key]) -> Result<Serialized<batch_get_item::BatchGetItem>> {
        #[derive(serde::Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Request<'a> {
            request_items: One<'a, Wanted<'a>>,
        }
        #[derive(serde::Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Wanted<'a> {
            keys: &'a [Key],
            consistent_read: bool,
        }
        let request_items = One(table, Wanted { keys, consistent_read: true });
        serialized("DynamoDB_20120810.BatchGetItem", &Request { request_items })
    }
}

/// What of an item an answer to an update has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Nothing,
    /// The item as it is after the update; in a refusal, as it was.
    Item,
}

impl Caller<update_item::UpdateItem> {
    /// The request for an update of one item, under a condition if there is one.
    ///
    /// # Errors
    /// If it can't be written as JSON, which is our fault.
    pub fn of(
        table: &str,
        key: &Key,
        (update, condition, values): (&str, Option<&str>, &Values),
        wanted: Wanted,
    ) -> Result<Serialized<update_item::UpdateItem>> {
        #[derive(serde::Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Request<'a> {
            table_name: &'a str,
            key: &'a Key,
            update_expression: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            condition_expression: Option<&'a str>,
            /// DynamoDB refuses an empty map.
            #[serde(skip_serializing_if = "Option::is_none")]
            expression_attribute_values: Option<Attributes<'a>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            return_values: Option<&'static str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            return_values_on_condition_check_failure: Option<&'static str>,
        }
        let is_wanted = wanted == Wanted::Item;
        let request = Request {
            table_name: table,
            key,
            update_expression: update,
            condition_expression: condition,
            expression_attribute_values: (!values.is_empty()).then_some(Attributes(values)),
            return_values: is_wanted.then_some("ALL_NEW"),
            return_values_on_condition_check_failure: is_wanted.then_some("ALL_OLD"),
        };
        serialized("DynamoDB_20120810.UpdateItem", &request)
    }
}

fn serialized<O>(target: &'static str, request: &impl Serialize) -> Result<Serialized<O>> {
    let mut body = Vec::with_capacity(REQUEST);
    serde_json::to_writer(&mut body, request).map_err(Error::internal)?;
    Ok(Serialized::new(Cow::Borrowed(target), SdkBody::from(body)))
}

/// An object with one member.
struct One<'a, T>(&'a str, T);

impl<T: Serialize> Serialize for One<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(1))?;
        object.serialize_entry(self.0, &self.1)?;
        object.end()
    }
}

/// As DynamoDB has it: each part an object that says that it is a text.
impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(2))?;
        object.serialize_entry(PK, &One("S", &self.partition))?;
        object.serialize_entry(SK, &One("S", &self.sort))?;
        object.end()
    }
}

struct Attributes<'a>(&'a Values);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, Typed(value))))
    }
}

/// A value as DynamoDB has it, of the types that attributes here have.
struct Typed<'a>(&'a AttributeValue);

impl Serialize for Typed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            AttributeValue::S(text) => One("S", text).serialize(serializer),
            AttributeValue::N(number) => One("N", number).serialize(serializer),
            AttributeValue::Bool(value) => One("BOOL", value).serialize(serializer),
            AttributeValue::Null(value) => One("NULL", value).serialize(serializer),
            AttributeValue::B(bytes) => One("B", BASE64.encode(bytes.as_ref())).serialize(serializer),
            AttributeValue::L(list) => One("L", list.iter().map(Typed).collect::<Vec<_>>()).serialize(serializer),
            AttributeValue::M(map) => {
                let map: BTreeMap<_, _> = map.iter().map(|(name, value)| (name, Typed(value))).collect();
                One("M", map).serialize(serializer)
            }
            _ => Err(S::Error::custom("a value of a type that no attribute has")),
        }
    }
}
