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

/// An origin that may run passkey ceremonies: a web origin, or `android:apk-key-hash:` and the SHA-256 of the
/// certificate that an app is signed with, in base64url (Android developers, "Credential Manager", verify the
/// origin).
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

    /// Whether it is a web page's, and not an app's.
    pub fn is_page(&self) -> bool {
        !self.0.starts_with(APP)
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

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "7YDtKRXPyDZm-4b9bBQiHJ_tZ8oc3qy5vVZ9Kj7XV0k";

    #[test]
    fn a_web_origin_is_read_as_one() {
        assert_eq!(WebauthnOrigin::parse("https://Example.com:443").unwrap().as_str(), "https://example.com");
        assert!(WebauthnOrigin::parse("https://example.com").unwrap().is_page());
        assert!(WebauthnOrigin::parse("https://example.com/").is_err());
    }

    #[test]
    fn an_app_is_the_hash_of_its_certificate_in_one_spelling() {
        let app = format!("{APP}{HASH}");
        assert_eq!(WebauthnOrigin::parse(&app).unwrap().as_str(), app);
        assert!(!WebauthnOrigin::parse(&app).unwrap().is_page());
        let hexadecimal = "ed80ed2915cfc83666fb86fd6c14221c9fed67ca1cdeacb9bd567d2a3ed75749";
        let colons = "ED:80:ED:29:15:CF:C8:36:66:FB:86:FD:6C:14:22:1C:9F:ED:67:CA:1C:DE:AC:B9:BD:56:7D:2A:3E:D7:57:49";
        let others =
            ["", hexadecimal, colons, &HASH[1..], &format!("{HASH}A"), &format!("{HASH}="), &HASH.replace('-', "+")];
        for hash in others {
            assert!(WebauthnOrigin::parse(&format!("{APP}{hash}")).is_err(), "{hash}");
        }
        // The last character has bits that say nothing, and they are zero.
        assert!(WebauthnOrigin::parse(&format!("{APP}{}l", &HASH[..42])).is_err());
        for prefix in
            ["Android:apk-key-hash:", "android:apk-key-hash", "android:", "ios:bundle-id:", " android:apk-key-hash:"]
        {
            assert!(WebauthnOrigin::parse(&format!("{prefix}{HASH}")).is_err(), "{prefix}");
        }
    }

    #[test]
    fn a_page_has_to_be_within_the_relying_party_and_an_app_does_not() {
        let rp_id = RpId::parse("example.com").unwrap();
        let within = |text: &str| WebauthnOrigin::parse(text).unwrap().is_within(&rp_id);
        assert!(within("https://login.example.com"));
        assert!(!within("https://example.org"));
        assert!(within(&format!("{APP}{HASH}")));
    }
}
