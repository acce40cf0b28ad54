//! The secret with which a tenant's backend checks callbacks by a library of Standard Webhooks.

use std::fmt;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac;
use data_encoding::BASE64;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::secrets::{RevealedSecret, TenantSecret};

/// What tells this key apart from all others that are derived from a tenant secret.
const INFO: &[u8] = b"latchkey webhook v1";

/// A tenant's webhook secret: 32 bytes of HKDF-SHA-256 (RFC 5869) of the UTF-8 bytes of its whole secret text, without
/// salt, under the info `latchkey webhook v1`.
///
/// Derived rather than drawn: there is no second secret to store, to rotate and to lose, and whoever has the tenant
/// secret can compute it. It is not the tenant secret, so nothing that it signs is a signature of the relay's.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct WebhookSecret([u8; 32]);

impl WebhookSecret {
    const PREFIX: &'static str = "whsec_";

    /// The webhook secret that belongs to a tenant secret. `None` if the cryptographic library fails, for which it has
    /// no reason: a signature under a key that was not derived would be anybody's.
    pub fn of(secret: &TenantSecret) -> Option<Self> {
        let mut key = Self([0; 32]);
        let material = Salt::new(HKDF_SHA256, &[]).extract(secret.expose().as_bytes());
        material.expand(&[INFO], HKDF_SHA256).ok()?.fill(&mut key.0).ok()?;
        Some(key)
    }

    /// HMAC-SHA-256 (RFC 2104) of `text`.
    pub fn sign(&self, text: &[u8]) -> impl AsRef<[u8]> + use<> {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), text)
    }

    /// Shows the secret to the caller, as all libraries of Standard Webhooks read it: `whsec_` and padded standard
    /// base64. The secret is consumed, and only what this returns can be serialized.
    pub fn reveal(self) -> RevealedSecret {
        // Room for all of it from the start: a text that grows leaves copies of itself behind.
        let mut text = Zeroizing::new(String::with_capacity(Self::PREFIX.len() + BASE64.encode_len(self.0.len())));
        text.push_str(Self::PREFIX);
        BASE64.encode_append(&self.0, &mut text);
        RevealedSecret::new(std::mem::take(&mut *text))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebhookSecret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook_secret(text: &str) -> WebhookSecret {
        WebhookSecret::of(&TenantSecret::restore(text).unwrap()).unwrap()
    }

    /// Computed by Python's `hmac`, as RFC 5869 §2 writes it.
    #[test]
    fn it_is_derived_from_the_whole_text_of_the_tenant_secret() {
        let reveal = |text: &str| serde_json::to_string(&webhook_secret(text).reveal()).unwrap();
        let secret = format!("sk_{}", "0123456789abcdef".repeat(4));
        assert_eq!(reveal(&secret), r#""whsec_mI4WF8VhQG3T2rtVwfLI6Ji6EwB8nDLZDmqkyh9p8ys=""#);
        assert_eq!(reveal("sk_test_vector"), r#""whsec_7uZJy8QZ0p6HZzHPglzcdY62Z7a/IaTubxm3mTu0uzo=""#);
    }

    #[test]
    fn the_vectors_of_the_documents_are_right() {
        let page = include_str!("../../../../docs/api/callbacks.md");
        let row = |line: &'static str| line.strip_prefix("| `sk_")?.strip_suffix("` |")?.split_once("` | `");
        let vectors: Vec<_> = page.lines().filter_map(row).collect();
        assert_eq!(vectors.len(), 2);
        for (secret, expected) in vectors {
            assert_eq!(serde_json::json!(webhook_secret(&format!("sk_{secret}")).reveal()), expected);
        }
    }

    #[test]
    fn it_does_not_print_itself() {
        assert_eq!(format!("{:?}", webhook_secret("sk_test_vector")), "WebhookSecret");
        assert_eq!(format!("{:?}", webhook_secret("sk_test_vector").reveal()), "RevealedSecret");
    }

    #[test]
    fn a_revealed_one_has_the_shape_that_the_documents_name() {
        let schema = serde_json::to_value(schemars::schema_for!(RevealedSecret)).unwrap();
        let pattern = schema["pattern"].as_str().unwrap();
        assert!(pattern.contains("whsec_[A-Za-z0-9+/]{43}="), "{pattern}");
    }
}
