//! What a device is called.

use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::credentials::key_text;
use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;

/// A device's id: `dev_` and 16 hexadecimal digits, unique within its tenant and never reused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceId(String);

impl DeviceId {
    const PREFIX: &'static str = "dev_";

    /// The id of these bytes.
    pub(super) fn of(bytes: [u8; key_text::ID]) -> Self {
        Self(format!("{}{}", Self::PREFIX, HEXLOWER.encode(&bytes)))
    }

    /// The bytes of the id.
    pub(super) fn bytes(&self) -> Option<[u8; key_text::ID]> {
        let digits = self.0.strip_prefix(Self::PREFIX)?;
        HEXLOWER.decode(digits.as_bytes()).ok()?.try_into().ok()
    }

    /// Reads an id.
    ///
    /// # Errors
    /// If the text is not `dev_` and 16 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let id = Self(text.to_owned());
        if id.bytes().is_some() { Ok(id) } else { Err(Problem::new("must be a device's id, which starts with dev_")) }
    }
}

string_newtype! { DeviceId, expected: "a string", schema: {
    "type": "string",
    "pattern": "^dev_[0-9a-f]{16}$",
    "description": "Id of a device. It stays the same when the device's session is renewed.",
} }

/// Platform of a device. It is what the device says of itself: for people to recognize it by, and nothing is decided by
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// Android.
    Android,
    /// iOS and iPadOS.
    Ios,
    /// Any other.
    Other,
}

impl Platform {
    /// All platforms.
    pub const ALL: [Self; 3] = [Self::Android, Self::Ios, Self::Other];

    /// Its name, as it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Android => "android",
            Self::Ios => "ios",
            Self::Other => "other",
        }
    }

    /// Reads what [`Platform::as_str`] gave.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|platform| platform.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = DeviceId::of([0xa; 8]);
        assert_eq!(id.as_str(), "dev_0a0a0a0a0a0a0a0a");
        assert_eq!((DeviceId::parse(id.as_str()), id.bytes()), (Ok(id.clone()), Some([0xa; 8])));
        for text in
            ["", "dev_", "0a0a0a0a0a0a0a0a", "dev_0a0a0a0a0a0a0a", "dev_0a0a0a0a0a0a0a0a0a", "dev_0A0A0A0A0A0A0A0A"]
        {
            assert!(DeviceId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_platform_has_one_name() {
        for platform in Platform::ALL {
            assert_eq!(Platform::parse(platform.as_str()), Some(platform));
            assert_eq!(serde_json::to_value(platform).unwrap(), platform.as_str());
        }
        assert_eq!(Platform::parse("iOS"), None);
    }
}
