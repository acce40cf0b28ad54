//! Update expressions without placeholders to keep in step by hand.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;

use super::attributes::Key;

/// The values of `:placeholders`.
pub type Values = BTreeMap<Cow<'static, str>, AttributeValue>;

/// A condition, in DynamoDB's own language, and the values of its `:placeholders`.
#[derive(Debug, Clone)]
pub struct Condition {
    expression: String,
    values: Vec<(&'static str, AttributeValue)>,
}

impl Condition {
    /// Attribute names are written plainly, without `#placeholders`: those in use here are no reserved words of
    /// DynamoDB, which the tests against the local table would show.
    pub fn new<const N: usize>(expression: impl Into<String>, values: [(&'static str, AttributeValue); N]) -> Self {
        Self { expression: expression.into(), values: values.into() }
    }

    /// That this holds too. Alternatives on either side stand in parentheses: AND binds more closely than OR. They are
    /// not put here, because DynamoDB refuses an expression with needless ones.
    #[must_use]
    pub fn and<const N: usize>(
        mut self,
        expression: impl fmt::Display,
        values: [(&'static str, AttributeValue); N],
    ) -> Self {
        self.expression = format!("{} AND {expression}", self.expression);
        self.values.extend(values);
        self
    }

    /// No condition.
    pub fn none() -> Self {
        Self::new("", [])
    }

    /// That there is such an item.
    pub fn exists() -> Self {
        Self::new("attribute_exists(pk)", [])
    }

    /// That there is no such item.
    pub fn is_new() -> Self {
        Self::new("attribute_not_exists(pk)", [])
    }

    /// The expression, if there is one: DynamoDB refuses an empty one.
    pub(super) fn parts(self) -> (Option<String>, Values) {
        let values = self.values.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect();
        (Some(self.expression).filter(|expression| !expression.is_empty()), values)
    }
}

/// Bytes of most update expressions.
const EXPRESSION: usize = 256;

/// An update of one item: exactly the attributes that are named here.
#[derive(Debug, Clone)]
pub struct Update {
    key: Key,
    set: Vec<String>,
    remove: Vec<String>,
    values: Values,
}

impl Update {
    /// An update of the item at `key` that changes nothing yet.
    pub fn of(key: Key) -> Self {
        Self { key, set: Vec::new(), remove: Vec::new(), values: Values::new() }
    }

    #[must_use]
    pub fn set(mut self, name: impl fmt::Display, value: AttributeValue) -> Self {
        let placeholder = format!(":set{}", self.values.len());
        self.set.push(format!("{name} = {placeholder}"));
        self.values.insert(placeholder.into(), value);
        self
    }

    /// Writes the attribute if there is none.
    #[must_use]
    pub fn set_once(mut self, name: &'static str, value: AttributeValue) -> Self {
        let placeholder = format!(":set{}", self.values.len());
        self.set.push(format!("{name} = if_not_exists({name}, {placeholder})"));
        self.values.insert(placeholder.into(), value);
        self
    }

    /// Gives an attribute the value that another has before the update.
    #[must_use]
    pub fn copy(mut self, name: &'static str, from: &'static str) -> Self {
        self.set.push(format!("{name} = {from}"));
        self
    }

    /// Takes an attribute away.
    #[must_use]
    pub fn remove(mut self, name: impl fmt::Display) -> Self {
        self.remove.push(name.to_string());
        self
    }

    /// Writes the attribute if there is a value, takes it away if there is none.
    #[must_use]
    pub fn set_or_remove(self, name: impl fmt::Display, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self.remove(name),
        }
    }

    /// Adds one to a number; one that isn't there counts as 0.
    #[must_use]
    pub fn increment(self, name: impl fmt::Display) -> Self {
        self.add(name, 1)
    }

    /// Adds to a number; one that isn't there counts as 0.
    #[must_use]
    pub fn add(mut self, name: impl fmt::Display, amount: i32) -> Self {
        let placeholder = format!(":add{}", self.values.len());
        self.set.push(format!("{name} = if_not_exists({name}, :zero) + {placeholder}"));
        self.values.insert(":zero".into(), AttributeValue::N("0".to_owned()));
        self.values.insert(placeholder.into(), AttributeValue::N(amount.to_string()));
        self
    }

    /// The parts that requests take: key, update expression, condition, values.
    pub(super) fn parts(self, condition: Condition) -> (Key, String, Option<String>, Values) {
        let (key, expression, mut values) = self.unconditional();
        let (condition, bound) = condition.parts();
        values.extend(bound);
        (key, expression, condition, values)
    }

    /// The same without a condition.
    pub(super) fn unconditional(self) -> (Key, String, Values) {
        let mut expression = String::with_capacity(EXPRESSION);
        for (clause, parts) in [("SET ", self.set), ("REMOVE ", self.remove)] {
            for (number, part) in parts.iter().enumerate() {
                let before = if number > 0 { ", " } else { clause };
                let space = if number == 0 && !expression.is_empty() { " " } else { "" };
                expression.extend([space, before, part]);
            }
        }
        (self.key, expression, self.values)
    }
}

/// DynamoDB refuses an empty map of values.
pub(super) fn non_empty(values: Values) -> Option<HashMap<String, AttributeValue>> {
    let values: HashMap<_, _> = values.into_iter().map(|(name, value)| (name.into_owned(), value)).collect();
    Some(values).filter(|values| !values.is_empty())
}
