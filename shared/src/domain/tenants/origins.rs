//! Lists of origins.

use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::origin::Origin;
use super::webauthn_origin::WebauthnOrigin;

/// The largest number of origins in a list.
const MOST_ORIGINS: usize = 50;

/// List of web origins, at most 50.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Origins(#[schemars(length(max = 50))] Vec<Origin>);

impl Origins {
    /// Takes back origins that were stored, however many there are: a limit that is lowered later hides no tenant.
    pub fn from_stored(origins: Vec<Origin>) -> Self {
        Self(origins)
    }

    /// The origins, in the order in which they were given.
    pub fn as_slice(&self) -> &[Origin] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Origins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bounded(deserializer).map(Self)
    }
}

/// List of origins that may run passkey ceremonies, at most 50.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct WebauthnOrigins(#[schemars(length(max = 50))] Vec<WebauthnOrigin>);

impl WebauthnOrigins {
    /// Takes back origins that were stored, however many there are: a limit that is lowered later hides no tenant.
    pub fn from_stored(origins: Vec<WebauthnOrigin>) -> Self {
        Self(origins)
    }

    /// The origins, in the order in which they were given.
    pub fn as_slice(&self) -> &[WebauthnOrigin] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for WebauthnOrigins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bounded(deserializer).map(Self)
    }
}

/// Reads a list, and stops at the first origin too many instead of reading them all and counting then.
fn bounded<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct List<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
        type Value = Vec<T>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(formatter, "a list of at most {MOST_ORIGINS} web origins")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<T>, A::Error> {
            let mut origins = Vec::new();
            while let Some(origin) = sequence.next_element()? {
                if origins.len() == MOST_ORIGINS {
                    return Err(de::Error::custom(format_args!(
                        "must be a list of at most {MOST_ORIGINS} web origins"
                    )));
                }
                origins.push(origin);
            }
            Ok(origins)
        }
    }

    deserializer.deserialize_seq(List(PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_comes_back_however_much_it_is() {
        let origins = vec![WebauthnOrigin::parse("https://login.example.com").unwrap(); MOST_ORIGINS + 1];
        assert_eq!(WebauthnOrigins::from_stored(origins.clone()).as_slice(), origins);
        let origins = vec![Origin::parse("https://login.example.com").unwrap(); MOST_ORIGINS + 1];
        assert_eq!(Origins::from_stored(origins.clone()).as_slice(), origins);
    }
}
