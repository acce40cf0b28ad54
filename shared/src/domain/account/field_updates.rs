//! The fields of a resource that a request changes.

use serde::Serialize;
use serde_json::Value;

use crate::domain::values::patch::Patch;

/// Fields to write, by name, and fields to remove (`None`). A field that is not named stays as it is, whoever else is
/// writing it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldUpdates(Vec<(&'static str, Option<Value>)>);

impl FieldUpdates {
    /// Writes a field.
    #[must_use]
    pub fn set(mut self, name: &'static str, value: &impl Serialize) -> Self {
        // Texts, numbers and lists of them can always be written as JSON.
        self.0.push((name, Some(serde_json::to_value(value).unwrap_or_default())));
        self
    }

    /// Writes a field if there is a value for it.
    #[must_use]
    pub fn set_some(self, name: &'static str, value: Option<&impl Serialize>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// Applies a field of a partial update.
    #[must_use]
    pub fn patch<T: Serialize>(mut self, name: &'static str, patch: &Patch<T>) -> Self {
        match patch {
            Patch::Absent => self,
            Patch::Value(value) => self.set(name, value),
            Patch::Null => {
                self.0.push((name, None));
                self
            }
        }
    }

    /// The fields with their new values.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, Option<&Value>)> {
        self.0.iter().map(|(name, value)| (*name, value.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_absent_is_not_named_and_what_is_null_is_removed() {
        let updates = FieldUpdates::default()
            .set("a", &1)
            .set_some("b", Some(&"x"))
            .set_some("c", None::<&u8>)
            .patch("d", &Patch::Value(2))
            .patch("e", &Patch::<u8>::Null)
            .patch("f", &Patch::<u8>::Absent);
        let fields: Vec<_> = updates.fields().collect();
        let (one, x, two) = (json!(1), json!("x"), json!(2));
        assert_eq!(fields, [("a", Some(&one)), ("b", Some(&x)), ("d", Some(&two)), ("e", None)]);
    }
}
