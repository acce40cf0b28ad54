//! Short texts: names, titles, and ids from a tenant's own system.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;

/// The longest label, in characters (Unicode scalar values).
const LONGEST: usize = 200;

/// The largest number of tool ids of a session.
const MOST_TOOLS: usize = 32;

/// A text of 1 to 200 characters without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label(String);

impl Label {
    /// Checks length and characters.
    ///
    /// # Errors
    /// If the text is empty, longer, or has a control character.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if (1..=LONGEST).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Problem::new("must have 1 to 200 characters and no control characters"))
        }
    }
}

string_newtype! { Label, expected: "a text of 1 to 200 characters", schema: {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGEST,
    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]+$",
    "description": "A short text of 1 to 200 characters without control characters."
} }

/// Ids of the tools that a session may use, at most 32.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct ToolIds(#[schemars(length(max = 32))] Vec<Label>);

impl<'de> Deserialize<'de> for ToolIds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = ToolIds;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "a list of at most {MOST_TOOLS} tool ids")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<ToolIds, A::Error> {
                let mut ids = Vec::new();
                while let Some(id) = sequence.next_element()? {
                    if ids.len() == MOST_TOOLS {
                        return Err(de::Error::custom(format_args!("must be a list of at most {MOST_TOOLS} tool ids")));
                    }
                    ids.push(id);
                }
                Ok(ToolIds(ids))
            }
        }

        deserializer.deserialize_seq(List)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_1_to_200_characters_and_none_that_controls() {
        for text in ["a", "asst_123...", "😀", " ", &"é".repeat(200)] {
            assert!(Label::parse(text).is_ok(), "{text}");
        }
        for text in ["", "a\nb", "\u{0}", "\u{85}", &"é".repeat(201)] {
            assert!(Label::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_session_has_at_most_32_tools() {
        let read = |count| serde_json::from_value::<ToolIds>(vec!["t"; count].into());
        assert!(read(32).is_ok());
        assert!(read(33).unwrap_err().to_string().contains("at most 32 tool ids"));
    }

    #[test]
    fn what_is_no_list_of_tools_is_told_what_one_is() {
        let error = serde_json::from_value::<ToolIds>("t".into()).unwrap_err().to_string();
        assert!(error.contains("expected a list of at most 32 tool ids"), "{error}");
    }
}
