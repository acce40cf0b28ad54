//! One field of a partial update.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// A field of a partial update, which may be absent (keep it), null (clear it), or hold a value (set it).
/// `Option<Option<T>>` could say the same, and would be misread wherever it is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// The field is not in the body: the stored value stays.
    #[default]
    Absent,
    /// The field is null: the stored value is cleared.
    Null,
    /// The field holds a new value.
    Value(T),
}

impl<T> Patch<T> {
    /// Whether the field was in the body.
    pub fn is_present(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    /// Whether the patch leaves `current` as it is.
    pub fn leaves(&self, current: &Option<T>) -> bool
    where
        T: PartialEq,
    {
        match self {
            Self::Absent => true,
            Self::Null => current.is_none(),
            Self::Value(value) => current.as_ref() == Some(value),
        }
    }

    /// Applies the patch to `current`.
    pub fn apply(self, current: &mut Option<T>) {
        match self {
            Self::Absent => {}
            Self::Null => *current = None,
            Self::Value(value) => *current = Some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

impl<T: JsonSchema> JsonSchema for Patch<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        field: Patch<u8>,
    }

    fn read(text: &str) -> Patch<u8> {
        serde_json::from_str::<Body>(text).unwrap().field
    }

    #[test]
    fn absent_null_and_value_are_three_things() {
        assert_eq!(read("{}"), Patch::Absent);
        assert_eq!(read(r#"{"field":null}"#), Patch::Null);
        assert_eq!(read(r#"{"field":7}"#), Patch::Value(7));
    }

    proptest! {
        #[test]
        fn only_what_is_present_changes(before in proptest::option::of(any::<u8>()), value in any::<u8>()) {
            for (patch, after) in [(Patch::Absent, before), (Patch::Null, None), (Patch::Value(value), Some(value))] {
                let mut current = before;
                patch.apply(&mut current);
                prop_assert_eq!(current, after);
            }
        }
    }

    #[test]
    fn a_patch_that_repeats_what_is_known_leaves_it() {
        for (patch, current, leaves) in [
            (Patch::Absent, None, true),
            (Patch::Absent, Some(1), true),
            (Patch::Null, None, true),
            (Patch::Null, Some(1), false),
            (Patch::Value(1), Some(1), true),
            (Patch::Value(1), Some(2), false),
            (Patch::Value(1), None, false),
        ] {
            assert_eq!(patch.leaves(&current), leaves, "{patch:?} {current:?}");
            assert_eq!(patch.is_present(), patch != Patch::Absent);
        }
    }
}
