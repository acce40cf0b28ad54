//! Long texts.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};

use crate::domain::values::newtype::Text;
use crate::domain::values::problem::Problem;

/// A text of up to `MOST` bytes as JSON, without the quotes. The limit counts JSON because answers consist of it: a
/// hundred of the largest must fit into one (Lambda's answers have at most 6 MB).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LongText<const MOST: usize>(String);

impl<const MOST: usize> LongText<MOST> {
    /// Checks the length.
    ///
    /// # Errors
    /// If the text is longer.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        // A text can always be written as JSON.
        let written = serde_json::to_string(text).unwrap_or_default().len().saturating_sub(2);
        if written <= MOST {
            Ok(Self(text.to_owned()))
        } else {
            Err(Problem::new(format!("must be at most {MOST} bytes as JSON")))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MOST: usize> Serialize for LongText<MOST> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, const MOST: usize> Deserialize<'de> for LongText<MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&deserializer.deserialize_str(Text("a text"))?).map_err(de::Error::custom)
    }
}

impl<const MOST: usize> JsonSchema for LongText<MOST> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("LongText{MOST}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": MOST, "x-max-bytes-as-json": MOST })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_as_json() {
        assert!(LongText::<8>::parse("12345678").is_ok());
        assert!(LongText::<8>::parse("123456789").is_err());
        assert!(LongText::<8>::parse("\n\n\n\n").is_ok());
        assert!(LongText::<8>::parse("\n\n\n\n\n").is_err());
        assert!(LongText::<8>::parse("\u{1}\u{1}").is_err());
        assert!(LongText::<8>::parse("éééé").is_ok());
    }

    #[test]
    fn a_text_is_read_and_written_as_it_is() {
        let text: LongText<8> = serde_json::from_str(r#""\u00e9\n""#).unwrap();
        assert_eq!((text.as_str(), serde_json::to_string(&text).unwrap().as_str()), ("é\n", r#""é\n""#));
        assert!(serde_json::from_str::<LongText<8>>(r#""123456789""#).is_err());
        let error = serde_json::from_str::<LongText<8>>("1").unwrap_err().to_string();
        assert!(error.contains("expected a text"), "{error}");
    }
}
