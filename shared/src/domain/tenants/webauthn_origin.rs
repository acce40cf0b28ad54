//! The origin of a passkey's ceremony: a web page, or an Android app.

use data_encoding::BASE64URL_NOPAD;

use super::origin::Origin;
use super::rp_id::RpId;
use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;

/// What an Android app's origin begins with.
const APP: &str = "android:apk-key-hash:";

/// The longest one, in bytes: that of a web origin.
const MAX_LENGTH: usize = 255;

/// An origin that may run passkey ceremonies: a web origin, or `android:apk-key-hash:` and the SHA-256 of the certificate
/// that an app is signed with, in base64url (Android developers, "Credential Manager", verify the origin).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebauthnOrigin(String);

impl WebauthnOrigin {
    /// Reads an origin. A web origin is normalised as [`Origin::parse`] does.
    ///
    /// # Errors
    /// If the text is neither.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let Some(hash) = text.strip_prefix(APP) else {
            return Origin::parse(text).map(|origin| Self(origin.to_string()));
        };
        // Padded, hexadecimal and with colons are the forms in which tools print the hash: none of them ever matches.
        match BASE64URL_NOPAD.decode(hash.as_bytes()) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(text.to_owned())),
            _ => Err(Problem::new("must be android:apk-key-hash: and the 43 base64url characters of a SHA-256")),
        }
    }

    /// Restores a stored value, without checking it again: see [`Origin::from_stored`].
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether passkeys of the relying party may be used there.
    ///
    /// True for every app: which apps may is said by `/.well-known/assetlinks.json` of the relying party's own domain,
    /// and checked by Android.
    pub fn is_within(&self, rp_id: &RpId) -> bool {
        self.0.starts_with(APP) || rp_id.covers(&Origin::from_stored(&self.0))
    }
}

string_newtype! { WebauthnOrigin, expected: "an origin such as https://example.com", schema: {
    "type": "string",
    "format": "uri",
    "maxLength": MAX_LENGTH,
    "description": "An origin that may run passkey ceremonies: a web origin such as `https://example.com`, or an \
                    Android app as `android:apk-key-hash:` and the SHA-256 of its signing certificate, 43 characters \
                    of base64url."
} }
