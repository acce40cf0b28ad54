//! What a tenant decides about its QR logins.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::values::limits::{QrExpirySeconds, QrSessionsPerAddress};
use crate::domain::values::problem::Problem;
use crate::domain::values::serde_rules::string_enum;

/// Defines a closed list of names, stored and shown as they are.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident: $first:ident = $first_text:literal, $($other:ident = $text:literal),+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "lowercase")]
        #[schemars(inline)]
        pub enum $name {
            #[default]
            $first,
            $($other,)+
        }

        impl $name {
            /// All of them, the default first.
            pub const ALL: &'static [Self] = &[Self::$first, $(Self::$other),+];

            /// Its name.
            pub fn as_str(self) -> &'static str {
                match self {
                    Self::$first => $first_text,
                    $(Self::$other => $text,)+
                }
            }

            /// Reads what [`Self::as_str`] gave.
            ///
            /// # Errors
            /// If it is no such name.
            pub fn parse(text: &str) -> Result<Self, Problem> {
                let found = Self::ALL.iter().copied().find(|known| known.as_str() == text);
                found.ok_or_else(|| Problem::new("is none of the names"))
            }
        }
    };
}

names! {
    /// Whether codes have to change every ten seconds: `allowed` leaves it to each call, `required` refuses calls
    /// without `rotate`.
    QrRotation: Allowed = "allowed", Required = "required"
}

names! {
    /// Whether the phone types the number that the browser shows.
    QrNumberMatching: Always = "always", Never = "never"
}

names! {
    /// What becomes of a login whose phone is on another network than its browser: `confirm` asks a second time on the
    /// phone, `inform` only says so in the result, `deny` denies it.
    QrDistant: Confirm = "confirm", Inform = "inform", Deny = "deny"
}

/// What a tenant's configuration says of QR logins, beside the origins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct QrLoginSettings {
    /// Whether codes have to change every ten seconds: `allowed` leaves it to each call, `required` refuses calls
    /// without `rotate`.
    #[serde(deserialize_with = "string_enum")]
    pub qr_rotation: QrRotation,
    /// Whether the phone has to type the number that the browser shows: `always` or `never`.
    #[serde(deserialize_with = "string_enum")]
    pub qr_number_matching: QrNumberMatching,
    /// What becomes of a login whose phone is on another network than its browser: `confirm` asks a second time on the
    /// phone, `inform` only says so in the result, `deny` denies it.
    #[serde(deserialize_with = "string_enum")]
    pub qr_distant: QrDistant,
    /// Seconds after which a QR login expires, 60 to 300.
    pub qr_expiry_seconds: QrExpirySeconds,
    /// Maximum number of QR logins that may be live at once for one browser address, 1 to 500.
    pub qr_sessions_per_address: QrSessionsPerAddress,
}

impl QrLoginSettings {
    /// For how long a login is live.
    pub fn lifetime(&self) -> Duration {
        Duration::from_secs(self.qr_expiry_seconds.get().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_contract() {
        let json = serde_json::to_value(QrLoginSettings::default()).unwrap();
        let expected = serde_json::json!({
            "qr_rotation": "allowed",
            "qr_number_matching": "always",
            "qr_distant": "confirm",
            "qr_expiry_seconds": 120,
            "qr_sessions_per_address": 50,
        });
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_value::<QrLoginSettings>(json).unwrap(), QrLoginSettings::default());
        assert_eq!(QrLoginSettings::default().lifetime(), Duration::from_mins(2));
    }

    #[test]
    fn every_name_is_read_as_it_is_written() {
        for rotation in QrRotation::ALL {
            assert_eq!(QrRotation::parse(rotation.as_str()), Ok(*rotation));
            assert_eq!(serde_json::to_value(rotation).unwrap(), rotation.as_str());
        }
        for matching in QrNumberMatching::ALL {
            assert_eq!(QrNumberMatching::parse(matching.as_str()), Ok(*matching));
            assert_eq!(serde_json::to_value(matching).unwrap(), matching.as_str());
        }
        for distant in QrDistant::ALL {
            assert_eq!(QrDistant::parse(distant.as_str()), Ok(*distant));
            assert_eq!(serde_json::to_value(distant).unwrap(), distant.as_str());
        }
        assert!(QrDistant::parse("Deny").is_err() && QrRotation::parse("").is_err());
    }
}
