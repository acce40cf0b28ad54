//! Items as they were read: the texts of an answer, where they stand in it.
//!
//! The SDK makes a map of each item, with a copy of each name and of each value (decision 0051). Here an item keeps the
//! text that it came in, and is a list: it has some twenty attributes.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

/// An item that was read, or a map in one: its attributes, each name once.
#[derive(Clone, Default, Eq)]
pub struct Item(Vec<(Text, Value)>);

/// The value of an attribute, of one of DynamoDB's types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    S(Text),
    N(Text),
    Bool(bool),
    B(Vec<u8>),
    M(Item),
    L(Vec<Self>),
    /// Of a type that no attribute here has.
    Other,
}

/// A text: a part of an answer, or one of its own where the answer has it escaped.
#[derive(Clone)]
pub enum Text {
    Part { of: Arc<str>, start: usize, end: usize },
    Own(Box<str>),
}

impl Text {
    /// A text where it stands in another; a copy of one that stands nowhere in it.
    pub(super) fn within(whole: &Arc<str>, part: &str) -> Self {
        let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        let end = start.wrapping_add(part.len());
        match whole.get(start..end) {
            Some(found) if found == part => Self::Part { of: Arc::clone(whole), start, end },
            _ => part.to_owned().into(),
        }
    }

    /// Whether it is this text. Most have another length, and of those nothing is read.
    fn is(&self, text: &str) -> bool {
        match self {
            Self::Part { of, start, end } => {
                end.wrapping_sub(*start) == text.len() && of.as_bytes().get(*start..*end) == Some(text.as_bytes())
            }
            Self::Own(own) => **own == *text,
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            // Its places are where a text was found.
            Self::Part { of, start, end } => of.get(*start..*end).unwrap_or_default(),
            Self::Own(text) => text,
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(formatter)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Own(text.into())
    }
}

/// In any order, as DynamoDB has them in none.
impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.iter().all(|(name, value)| other.get(name) == Some(value))
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

impl Item {
    /// An item with room for attributes.
    pub(super) fn with_capacity(attributes: usize) -> Self {
        Self(Vec::with_capacity(attributes))
    }

    /// Adds an attribute; not one whose name is there already.
    pub(super) fn add(&mut self, name: Text, value: Value) -> bool {
        let is_new = self.get(name.as_str()).is_none();
        if is_new {
            self.0.push((name, value));
        }
        is_new
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known.is(name)).map(|(_, value)| value)
    }

    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl Value {
    pub fn as_s(&self) -> Option<&str> {
        match self {
            Self::S(text) => Some(text.as_str()),
            _ => None,
        }
    }

    pub fn as_n(&self) -> Option<&str> {
        match self {
            Self::N(number) => Some(number.as_str()),
            _ => None,
        }
    }

    pub fn as_b(&self) -> Option<&[u8]> {
        match self {
            Self::B(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub fn as_m(&self) -> Option<&Item> {
        match self {
            Self::M(map) => Some(map),
            _ => None,
        }
    }

    pub fn as_l(&self) -> Option<&[Self]> {
        match self {
            Self::L(list) => Some(list),
            _ => None,
        }
    }
}

/// What a query has found.
pub fn found(items: Option<Vec<HashMap<String, AttributeValue>>>) -> Vec<Item> {
    items.unwrap_or_default().into_iter().map(Item::from).collect()
}

/// As the SDK has read it.
impl From<HashMap<String, AttributeValue>> for Item {
    fn from(item: HashMap<String, AttributeValue>) -> Self {
        Self(item.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl From<AttributeValue> for Value {
    fn from(value: AttributeValue) -> Self {
        match value {
            AttributeValue::S(text) => Self::S(text.into()),
            AttributeValue::N(number) => Self::N(number.into()),
            AttributeValue::Bool(value) => Self::Bool(value),
            AttributeValue::B(bytes) => Self::B(bytes.into_inner()),
            AttributeValue::M(map) => Self::M(map.into()),
            AttributeValue::L(list) => Self::L(list.into_iter().map(Self::from).collect()),
            _ => Self::Other,
        }
    }
}

/// To be written again.
impl From<&Value> for AttributeValue {
    fn from(value: &Value) -> Self {
        match value {
            Value::S(text) => Self::S(text.as_str().to_owned()),
            Value::N(number) => Self::N(number.as_str().to_owned()),
            Value::Bool(value) => Self::Bool(*value),
            Value::B(bytes) => Self::B(Blob::new(bytes.as_slice())),
            Value::M(map) => Self::M(map.iter().map(|(name, value)| (name.to_owned(), value.into())).collect()),
            Value::L(list) => Self::L(list.iter().map(Self::from).collect()),
            Value::Other => Self::Null(true),
        }
    }
}
