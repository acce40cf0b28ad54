//! What reads find, taken from the text of an answer.
//!
//! Only what is as plain as nearly all answers are: a success, of members that are known, without one twice, every
//! value of one type. For everything else the SDK is asked, so that it alone says what an answer means that is odd.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use data_encoding::BASE64;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::item::{Item, Text, Value};

/// Attributes of most items, and items of most answers.
const ATTRIBUTES: usize = 16;
const ITEMS: usize = 6;

/// What an answer has.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Of `GetItem`.
    pub item: Option<Item>,
    /// Of `UpdateItem`: as they are now.
    pub attributes: Option<Item>,
    /// The items of `BatchGetItem`, of the one table that is asked.
    pub items: Vec<Item>,
}

/// Reads an answer; `None` if it is for the SDK to say what it means.
pub fn read(body: &str) -> Option<Found> {
    let base = Arc::from(body);
    let mut reader = serde_json::Deserializer::from_str(&base);
    let found = Answer(&base).deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some(found)
}

/// A part of an answer, read in place: each knows the text that it is in.
macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident: $value:ty, $method:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        struct $name<'a>(&'a Arc<str>);

        impl<'de> DeserializeSeed<'de> for $name<'_> {
            type Value = $value;

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<$value, D::Error> {
                deserializer.$method(self)
            }
        }
    )*};
}

parts! {
    Answer: Found, deserialize_map;
    /// The items of each table.
    Tables: Vec<Item>, deserialize_map;
    Items: Vec<Item>, deserialize_seq;
    Attributes: Item, deserialize_map;
    /// `{"S":"…"}`.
    Typed: Value, deserialize_map;
    List: Vec<Value>, deserialize_seq;
    Words: Text, deserialize_str;
}

/// What makes an answer one for the SDK. Nobody reads it.
fn odd<E: Error>() -> E {
    E::custom("for the SDK")
}

impl<'de> Visitor<'de> for Answer<'_> {
    type Value = Found;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an answer")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Found, M::Error> {
        let (mut found, mut seen) = (Found::default(), Vec::with_capacity(2));
        while let Some(name) = members.next_key::<&str>()? {
            if seen.contains(&name) {
                return Err(odd());
            }
            seen.push(name);
            match name {
                "Item" => found.item = Some(members.next_value_seed(Attributes(self.0))?),
                "Attributes" => found.attributes = Some(members.next_value_seed(Attributes(self.0))?),
                "Responses" => found.items = members.next_value_seed(Tables(self.0))?,
                "UnprocessedKeys" if members.next_value::<HashMap<&str, IgnoredAny>>()?.is_empty() => {}
                _ => return Err(odd()),
            }
        }
        Ok(found)
    }
}

impl<'de> Visitor<'de> for Tables<'_> {
    type Value = Vec<Item>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("tables")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut tables: M) -> Result<Vec<Item>, M::Error> {
        let mut items = Vec::new();
        let mut is_first = true;
        while tables.next_key::<&str>()?.is_some() {
            if !std::mem::take(&mut is_first) {
                return Err(odd());
            }
            items = tables.next_value_seed(Items(self.0))?;
        }
        Ok(items)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = Vec<Item>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("items")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut elements: S) -> Result<Vec<Item>, S::Error> {
        let mut items = Vec::with_capacity(ITEMS);
        while let Some(item) = elements.next_element_seed(Attributes(self.0))? {
            items.push(item);
        }
        Ok(items)
    }
}

impl<'de> Visitor<'de> for Attributes<'_> {
    type Value = Item;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("attributes")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut attributes: M) -> Result<Item, M::Error> {
        let mut item = Item::with_capacity(ATTRIBUTES);
        while let Some(name) = attributes.next_key_seed(Words(self.0))? {
            if !item.add(name, attributes.next_value_seed(Typed(self.0))?) {
                return Err(odd());
            }
        }
        Ok(item)
    }
}

impl<'de> Visitor<'de> for Typed<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut types: M) -> Result<Value, M::Error> {
        let base = self.0;
        let value = match types.next_key::<&str>()? {
            Some("S") => Value::S(types.next_value_seed(Words(base))?),
            Some("N") => Value::N(types.next_value_seed(Words(base))?),
            Some("BOOL") => Value::Bool(types.next_value()?),
            Some("M") => Value::M(types.next_value_seed(Attributes(base))?),
            Some("L") => Value::L(types.next_value_seed(List(base))?),
            Some("B") => Value::B(BASE64.decode(types.next_value::<&str>()?.as_bytes()).map_err(|_| odd())?),
            // No attribute here is of another type.
            _ => return Err(odd()),
        };
        if types.next_key::<IgnoredAny>()?.is_some() {
            return Err(odd());
        }
        Ok(value)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = Vec<Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut elements: S) -> Result<Vec<Value>, S::Error> {
        let mut list = Vec::new();
        while let Some(value) = elements.next_element_seed(Typed(self.0))? {
            list.push(value);
        }
        Ok(list)
    }
}

impl<'de> Visitor<'de> for Words<'_> {
    type Value = Text;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text, E> {
        Ok(Text::within(self.0, text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Ok(text.to_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::operation::get_item::{GetItem, GetItemOutput};
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse, SharedResponseDeserializer};
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::config_bag::ConfigBag;
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::caller::Operation;
    use super::*;

    /// What the SDK reads in the same text.
    fn by_sdk(body: &str) -> Option<Item> {
        let answer = HttpResponse::new(200.try_into().unwrap(), SdkBody::from(body));
        let plugin = GetItem::plugin().unwrap();
        let reader = plugin.load::<SharedResponseDeserializer>().unwrap();
        let output = reader.deserialize_nonstreaming_with_config(&answer, &ConfigBag::base()).unwrap();
        output.downcast::<GetItemOutput>().unwrap().item.map(Item::from)
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let plain = prop_oneof![
            any::<String>().prop_map(|text| json!({ "S": text })),
            any::<i64>().prop_map(|number| json!({ "N": number.to_string() })),
            any::<bool>().prop_map(|value| json!({ "BOOL": value })),
            any::<Vec<u8>>().prop_map(|bytes| json!({ "B": BASE64.encode(&bytes) })),
        ];
        plain.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(|list| json!({ "L": list })),
                prop::collection::btree_map(any::<String>(), inner, 0..3).prop_map(|map| json!({ "M": map })),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_item_is_read_as_the_sdk_reads_it(item in prop::collection::btree_map(any::<String>(), value(), 0..8)) {
            let body = json!({ "Item": item }).to_string();
            let found = read(&body).unwrap().item;
            prop_assert_eq!(&found, &by_sdk(&body));
            prop_assert_eq!(found.unwrap().iter().count(), item.len());
        }

        #[test]
        fn a_text_that_was_cut_off_or_changed_is_not_read_or_as_the_sdk_reads_it(
            place in any::<prop::sample::Index>(),
            letter in prop::char::range(' ', '~'),
        ) {
            let body = r#"{"Item":{"pk":{"S":"a"},"n":{"N":"1"},"m":{"M":{"b":{"BOOL":true}}},"l":{"L":[{"S":"x"}]}}}"#;
            let place = place.index(body.len());
            prop_assert_eq!(read(&body[..place]), None);
            let mut changed = body.to_owned();
            changed.replace_range(place..=place, letter.encode_utf8(&mut [0; 4]));
            if let Some(found) = read(&changed) {
                prop_assert_eq!(found.item, by_sdk(&changed), "{}", changed);
            }
        }
    }

    #[test]
    fn what_an_update_and_a_batch_find_stands_in_the_answer() {
        let found = read(r#"{"Attributes":{"pk":{"S":"a"}}}"#).unwrap();
        assert_eq!(found.attributes.unwrap().get("pk").and_then(Value::as_s), Some("a"));
        let found =
            read(r#"{"Responses":{"table":[{"pk":{"S":"a"}},{"pk":{"S":"b"}}]},"UnprocessedKeys":{}}"#).unwrap();
        let names: Vec<_> = found.items.iter().map(|item| item.get("pk").and_then(Value::as_s)).collect();
        assert_eq!(names, [Some("a"), Some("b")]);
        assert_eq!(read("{}"), Some(Found::default()));
    }
}
