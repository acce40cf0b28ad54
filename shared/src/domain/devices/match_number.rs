//! The number by which a person tells that two screens belong together.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};

use crate::domain::values::newtype::Text;
use crate::domain::values::problem::Problem;
use crate::domain::values::random::{Random, RandomnessUnavailable, draw};

/// A number of two digits, `00` to `99`, which one screen shows and the other is told. A text and no number: `07` is
/// typed with its zero.
// A guess is right once in a hundred times, so whoever compares two allows one guess.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MatchNumber(u8);

impl MatchNumber {
    /// How many there are.
    const COUNT: u64 = 100;

    /// A number that nobody can know before. Each is as likely as any other, but for one part in 2⁵⁷.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomnessUnavailable> {
        let number = u64::from_be_bytes(draw(random)?) % Self::COUNT;
        u8::try_from(number).map(Self).map_err(|_| RandomnessUnavailable)
    }

    /// Reads a number.
    ///
    /// # Errors
    /// If the text is not two ASCII digits.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let is_digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_digits);
        number.map(Self).ok_or_else(|| Problem::new("must be two digits"))
    }

    /// Its two digits.
    pub fn to_text(self) -> String {
        format!("{:02}", self.0)
    }
}

impl fmt::Debug for MatchNumber {
    /// Its name only: who knows the number can approve.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MatchNumber")
    }
}

impl Serialize for MatchNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> Deserialize<'de> for MatchNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_str(Text("two digits"))?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl JsonSchema for MatchNumber {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MatchNumber".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]{2}$" })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::values::random::SystemRandomness;

    #[test]
    fn a_number_has_two_digits_and_one_spelling() {
        for number in 0..100 {
            let text = format!("{number:02}");
            let read: MatchNumber = serde_json::from_value(text.as_str().into()).unwrap();
            assert_eq!((read.to_text(), serde_json::to_value(read).unwrap()), (text.clone(), text.into()));
        }
        for text in ["", "7", "007", "+7", "-7", " 7", "7 ", "a7", "100", "٠٧"] {
            assert!(MatchNumber::parse(text).is_err(), "{text}");
        }
        assert!(serde_json::from_str::<MatchNumber>("42").is_err());
        assert_eq!(format!("{:?}", MatchNumber(42)), "MatchNumber");
    }

    #[test]
    fn clients_are_told_its_shape() {
        let schema = serde_json::to_value(schemars::schema_for!(MatchNumber)).unwrap();
        assert_eq!((&schema["title"], &schema["pattern"]), (&"MatchNumber".into(), &"^[0-9]{2}$".into()));
    }

    #[test]
    fn every_number_is_drawn() {
        let random = SystemRandomness::new();
        let drawn: BTreeSet<_> = (0..4000).map(|_| MatchNumber::generate(&random).unwrap().0).collect();
        // That one of them is missing after so many draws has a chance of 10⁻¹⁵.
        assert!(drawn.len() == 100 && drawn.iter().all(|number| *number < 100), "{drawn:?}");
    }
}
