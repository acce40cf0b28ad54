//! The lifetime of a token.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};

use crate::domain::values::limits::Minutes;
use crate::domain::values::problem::Problem;

/// The shortest lifetime, in seconds.
const SHORTEST: u64 = 60;
/// The longest lifetime, in seconds: a day.
const LONGEST: u64 = 86_400;

/// The lifetime of a token: a minute to a day, by default an hour. Read from whole seconds (`3600`), or from a text of
/// a whole number and its unit (`"90s"`, `"30m"`, `"1h"`, `"1d"`; without a unit, seconds).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenLifetime(u64);

impl TokenLifetime {
    /// The longest lifetime: after that time a replaced signing key has no valid token left.
    pub const LONGEST: Duration = Duration::from_secs(LONGEST);
    /// An hour.
    pub const HOUR: Self = Self(3600);

    /// Checks the bounds.
    ///
    /// # Errors
    /// If it is outside them.
    pub fn new(seconds: u64) -> Result<Self, Problem> {
        if (SHORTEST..=LONGEST).contains(&seconds) { Ok(Self(seconds)) } else { Err(problem()) }
    }

    /// The lifetime in seconds.
    pub fn get(self) -> u64 {
        self.0
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        let digits = text.len() - text.chars().rev().take_while(char::is_ascii_alphabetic).count();
        let (number, unit) = text.split_at_checked(digits).ok_or_else(problem)?;
        let unit = match unit {
            "" | "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return Err(problem()),
        };
        // `parse` takes a plus sign too.
        let number = Some(number).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        let number: u64 = number.and_then(|number| number.parse().ok()).ok_or_else(problem)?;
        Self::new(number.checked_mul(unit).ok_or_else(problem)?)
    }
}

impl From<Minutes> for TokenLifetime {
    // Never out of bounds: minutes are at most a day too.
    fn from(minutes: Minutes) -> Self {
        Self(u64::from(minutes.get()) * 60)
    }
}

impl Default for TokenLifetime {
    fn default() -> Self {
        Self::HOUR
    }
}

fn problem() -> Problem {
    Problem::new(RULE)
}

const RULE: &str = "must be 60 to 86400 seconds, as a number or as a text such as \"30m\" or \"1h\"";

impl<'de> Deserialize<'de> for TokenLifetime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seconds;

        impl Visitor<'_> for Seconds {
            type Value = TokenLifetime;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("60 to 86400 seconds, as a number or as a text such as \"30m\" or \"1h\"")
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<TokenLifetime, E> {
                TokenLifetime::new(seconds).map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<TokenLifetime, E> {
                self.visit_u64(u64::try_from(seconds).unwrap_or_default())
            }

            // JSON has one kind of number: 3600.0 is 3600.
            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<TokenLifetime, E> {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a cast that loses anything gives a number outside the bounds, or 0"
                )]
                let whole = if seconds.fract() == 0.0 { seconds as u64 } else { 0 };
                self.visit_u64(whole)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<TokenLifetime, E> {
                TokenLifetime::parse(text).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Seconds)
    }
}

impl JsonSchema for TokenLifetime {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TokenLifetime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "integer", "minimum": SHORTEST, "maximum": LONGEST },
                { "type": "string", "pattern": "^[0-9]+[smhd]?$" },
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Option<u64> {
        serde_json::from_str::<TokenLifetime>(json).ok().map(TokenLifetime::get)
    }

    #[test]
    fn seconds_and_texts_with_a_unit_are_read() {
        let cases = [
            ("60", 60),
            ("86400", 86_400),
            ("3600.0", 3600),
            (r#""60""#, 60),
            (r#""90s""#, 90),
            (r#""30m""#, 1800),
            (r#""1h""#, 3600),
            (r#""24h""#, 86_400),
            (r#""1d""#, 86_400),
        ];
        for (json, seconds) in cases {
            assert_eq!(read(json), Some(seconds), "{json}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for json in [
            "59",
            "86401",
            "-1",
            "1e9",
            "1e300",
            "60.5",
            "0",
            "null",
            "true",
            "[]",
            "{}",
            r#""""#,
            r#""1x""#,
            r#""h""#,
            r#""-1h""#,
            r#""+1h""#,
            r#""1 h""#,
            r#""1H""#,
            r#""25h""#,
            r#""59s""#,
            r#""1hh""#,
            r#""0x60""#,
            r#""é""#,
            r#""18446744073709551615d""#,
            r#""99999999999999999999""#,
            r#""1é""#,
        ] {
            let error = serde_json::from_str::<TokenLifetime>(json).unwrap_err().to_string();
            assert!(error.contains("60 to 86400 seconds"), "{json}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_within_the_bounds(text in "\\PC{0,12}") {
            if let Ok(lifetime) = TokenLifetime::parse(&text) {
                prop_assert!((60..=86_400).contains(&lifetime.get()));
            }
        }
    }

    #[test]
    fn minutes_are_a_lifetime_too() {
        let of = |minutes| TokenLifetime::from(Minutes::new(minutes).unwrap()).get();
        assert_eq!([of(5), of(90), of(1440)], [300, 5400, 86_400]);
    }
}
