//! What a proven caller was refused for, as it is noted for the inspection of its tenant's set-up.

use std::time::Duration;

use crate::domain::account::end_user_header::known_misspelling;
use crate::domain::credentials::api_key_secret::ApiKeyId;
use crate::domain::time::clock::Timestamp;

/// For how long one and the same cause is not noted again by a process.
const INTERVAL: Duration = Duration::from_mins(1);

/// The enum, the list of its values and their names, from one table.
macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Why a caller was refused that had proven whose it is. A credential that is wrong has no cause here: anybody
        /// could have sent it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RefusalCause {
            $($(#[$doc])* $name,)*
        }

        impl RefusalCause {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name, under which it is stored.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

causes! {
    /// A right signature over a timestamp that is too far from the server's clock.
    ClockOff = "clock_off",
    /// A right signature over a timestamp that is not in milliseconds.
    TimestampUnit = "timestamp_unit",
    /// A right v1 signature, of a tenant that requires v2.
    SignatureVersion = "signature_version",
    /// A right signature that was used before.
    NonceReused = "nonce_reused",
    /// A signature with a secret that a rotation has ended.
    SecretReplaced = "secret_replaced",
    /// An API key of a kind that the operation does not take.
    KeyKind = "key_kind",
    /// An API key that has expired.
    KeyExpired = "key_expired",
    /// An API key that was revoked.
    KeyRevoked = "key_revoked",
    /// The secret of an API key from before a rotation, after its overlap, if it had one.
    KeyRotated = "key_rotated",
    /// An API key, from a page whose origin the key does not allow.
    KeyOrigin = "key_origin",
    /// A header that is named almost like those that name the end user.
    EndUserHeader = "end_user_header",
    /// A call that names no end user, of a tenant whose calls have to.
    EndUserMissing = "end_user_missing",
    /// A token for a user or in an organization that is not registered.
    Unregistered = "unregistered",
    /// A passkey ceremony for a page that is not in `webauthn_origins`.
    PasskeyOrigin = "passkey_origin",
    /// A passkey of another page or relying party than the ceremony's.
    PasskeyPage = "passkey_page",
    /// A QR login for a page that is not in `qr_login_allowed_origins`.
    QrLoginOrigin = "qr_login_origin",
}

/// A refusal as it is noted. Nothing in it is a credential, and the caller wrote none of it: names come from lists of
/// ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub cause: RefusalCause,
    pub at: Timestamp,
    /// Name of the operation that refused.
    pub operation: String,
    /// The API key that was proven, if it was one.
    pub key_id: Option<ApiKeyId>,
    /// The header at fault, if its name is a usual one.
    pub header: Option<String>,
    /// How far the caller's clock was ahead, in milliseconds; negative if it was behind.
    pub ahead_ms: Option<i64>,
}

impl Refusal {
    /// A refusal by an operation.
    pub fn new(cause: RefusalCause, at: Timestamp, operation: &str) -> Self {
        Self { cause, at, operation: operation.to_owned(), key_id: None, header: None, ahead_ms: None }
    }

    /// The same with the header at fault, if it is one of those that proxies and people make of the names.
    #[must_use]
    pub fn with_header(self, name: &str) -> Self {
        Self { header: known_misspelling(name).map(str::to_owned), ..self }
    }

    /// Whether a cause that was last noted at `noted` is to be noted again.
    pub fn is_due(noted: Option<Timestamp>, now: Timestamp) -> bool {
        noted.is_none_or(|noted| now >= noted.plus(INTERVAL))
    }
}
