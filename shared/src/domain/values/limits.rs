//! Numbers with bounds. A value of one of these types is within them.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

use super::problem::Problem;

/// Defines a whole number from `$low` to `$high`, read from a JSON number or a query parameter.
macro_rules! bounded_number {
    ($(#[$doc:meta])* $name:ident: $low:literal ..= $high:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(u32);

        impl $name {
            const RULE: &'static str = concat!("a whole number from ", $low, " to ", $high);

            /// Checks the bounds.
            ///
            /// # Errors
            /// If the number is outside them.
            pub fn new(number: u64) -> Result<Self, Problem> {
                u32::try_from(number)
                    .ok()
                    .filter(|number| ($low..=$high).contains(number))
                    .map(Self)
                    .ok_or_else(|| Problem::new(concat!("must be a whole number from ", $low, " to ", $high)))
            }

            pub fn get(self) -> u32 {
                self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u32(self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = deserializer.deserialize_u64(WholeNumber(Self::RULE))?;
                Self::new(number).map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "integer", "minimum": $low, "maximum": $high })
            }
        }
    };
}

/// Reads a whole number and says the rule when something else comes.
struct WholeNumber(&'static str);

impl Visitor<'_> for WholeNumber {
    type Value = u64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }

    // A negative number is a number: it gets the sentence about the bounds, as one that is too large does.
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<u64, E> {
        u64::try_from(number).map_err(|_| E::custom(format_args!("must be {}", self.0)))
    }

    // JSON has one kind of number: 120.0 is the integer 120 (JSON Schema 2020-12 §6.1.1 reads it so too).
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<u64, E> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "only taken when the number is whole"
        )]
        let whole = number as u64;
        #[expect(
            clippy::float_cmp,
            clippy::cast_precision_loss,
            reason = "the comparison decides whether it was whole"
        )]
        if whole as f64 == number {
            return Ok(whole);
        }
        Err(E::custom(format_args!("must be {}", self.0)))
    }
}

bounded_number! {
    /// The largest number of calls of a tenant, an API key or an end user in one calendar minute.
    RatePerMinute: 1..=10_000
}

impl Default for RatePerMinute {
    fn default() -> Self {
        Self(60)
    }
}

bounded_number! {
    /// The largest number of rows of one kind that one end user may have.
    RowsPerEndUser: 1..=100_000_000
}

impl Default for RowsPerEndUser {
    fn default() -> Self {
        Self(10_000)
    }
}

bounded_number! {
    /// The largest number of rows of one kind that a tenant may have. At least one for each counter that has a share.
    RowsPerTenant: 8..=100_000_000
}

impl Default for RowsPerTenant {
    fn default() -> Self {
        Self(1_000_000)
    }
}

bounded_number! {
    /// The largest number of rows on one page of a list.
    PageLimit: 1..=100
}

impl PageLimit {
    /// The largest page.
    pub const MOST: Self = Self(100);
}

impl Default for PageLimit {
    fn default() -> Self {
        Self(20)
    }
}

bounded_number! {
    /// The number of rows that a list skips first. Bounded, because skipped rows are read (and paid for) too.
    Offset: 0..=10_000
}

bounded_number! {
    #[derive(Default)]
    /// The seconds for which the old credential stays valid beside the new one after a rotation: up to 30 days.
    OverlapSeconds: 0..=2_592_000
}

bounded_number! {
    /// The lifetime of an API key in seconds: a minute to ten years.
    KeyLifetime: 60..=315_360_000
}

bounded_number! {
    /// The lifetime of a scoped token in minutes.
    Minutes: 5..=1440
}

impl Default for Minutes {
    fn default() -> Self {
        Self(60)
    }
}

bounded_number! {
    /// The number of a page of a list.
    PageNumber: 1..=1_000_000
}

impl Default for PageNumber {
    fn default() -> Self {
        Self(1)
    }
}

bounded_number! {
    /// The seconds after which a QR login expires.
    QrExpirySeconds: 60..=300
}

impl Default for QrExpirySeconds {
    fn default() -> Self {
        Self(120)
    }
}

bounded_number! {
    /// The largest number of QR logins that are live at once for one browser address. Bounded, because all of them are
    /// in one item.
    QrSessionsPerAddress: 1..=500
}

impl Default for QrSessionsPerAddress {
    fn default() -> Self {
        Self(50)
    }
}

bounded_number! {
    /// The number of a frame of a QR login: how many tens of seconds had passed when it was shown first.
    FrameNumber: 0..=9_999
}

impl FrameNumber {
    /// The first frame, and the only one of a code that does not change.
    pub const FIRST: Self = Self(0);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<RatePerMinute, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn both_ends_are_inside() {
        assert_eq!(read("1").unwrap().get(), 1);
        assert_eq!(read("10000").unwrap().get(), 10_000);
        assert_eq!(read("120.0").unwrap().get(), 120);
    }

    #[test]
    fn everything_else_is_refused_with_the_rule() {
        for text in
            ["0", "10001", "-1", "1.5", "1e9", "1e300", "18446744073709551616", "\"60\"", "null", "true", "[]", "{}"]
        {
            let error = read(text).unwrap_err();
            assert!(error.contains("a whole number from 1 to 10000"), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_number_is_taken_if_and_only_if_it_is_within_the_bounds(number in any::<u64>()) {
            prop_assert_eq!(PageLimit::new(number).is_ok(), (1..=100).contains(&number));
        }
    }

    #[test]
    fn a_negative_number_is_not_taken_for_none() {
        for text in ["-1", "-1.0", "-9223372036854775808"] {
            let error = serde_json::from_str::<Offset>(text).unwrap_err().to_string();
            assert!(error.contains("a whole number from 0 to 10000"), "{text}: {error}");
        }
        assert_eq!(serde_json::from_str::<Offset>("0").unwrap().get(), 0);
    }

    #[test]
    fn what_is_not_said_is_the_default() {
        let defaults = [
            RatePerMinute::default().get(),
            RowsPerEndUser::default().get(),
            RowsPerTenant::default().get(),
            PageLimit::default().get(),
            OverlapSeconds::default().get(),
            Minutes::default().get(),
            PageNumber::default().get(),
            QrExpirySeconds::default().get(),
            QrSessionsPerAddress::default().get(),
        ];
        assert_eq!(defaults, [60, 10_000, 1_000_000, 20, 0, 60, 1, 120, 50]);
        assert_eq!(serde_json::to_string(&PageLimit::MOST).unwrap(), "100");
    }
}
