//! The headers of a callback, made anew for each attempt.
//!
//! - `X-Latchkey-Tenant-Id`, `X-Latchkey-Timestamp`: as in a tenant's own calls.
//! - `X-Latchkey-Signature`: that of a call (see [`signed_call`](crate::domain::relay)) with the method `POST`, the
//!   path of the receiver, no query, and the event's id for the nonce.
//! - `X-Bloonio-…`: the three again, the signature always v1: receivers of the original interface know no other.
//! - `webhook-id`, `webhook-timestamp`, `webhook-signature`: Standard Webhooks 1.0. The event's id, seconds, and one
//!   `v1,<base64>` for each secret in force.
//!
//! `X-…-Signature` can hold one signature and has that of the current secret. A receiver that is still on the
//! previous one reads `webhook-signature`, or moves first.
//!
//! Calls and callbacks are signed with one secret, and v1 says neither which of the two it is nor where it goes. What
//! keeps them apart is the body: Latchkey refuses a signed call whose body begins as an event's does
//! ([`is_event_body`](super::event::is_event_body)), and a receiver must refuse a callback whose body is no event. v2
//! also covers the path.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};

use super::event::EventId;
use crate::domain::credentials::secrets::TenantSecret;
use crate::domain::credentials::webhook_secret::WebhookSecret;
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::relay::signed_call::{SignedParts, SigningVersion, v1_text, v2_text};
use crate::domain::time::clock::Timestamp;

/// The headers of one attempt, as names and values in ASCII. Each name occurs once.
pub struct CallbackHeaders([(&'static str, String); 10]);

impl CallbackHeaders {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

impl fmt::Debug for CallbackHeaders {
    /// Its name only: for as long as the timestamp is accepted, a signature is as good as a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CallbackHeaders")
    }
}

/// Who signs a callback.
#[derive(Debug, Clone, Copy)]
pub struct CallbackSigner<'a> {
    pub tenant_id: &'a TenantId,
    /// The version that the tenant is set to.
    pub version: SigningVersion,
    /// The newest secret.
    pub current: &'a TenantSecret,
    /// The one before, in the overlap of a rotation.
    pub previous: Option<&'a TenantSecret>,
}

impl CallbackSigner<'_> {
    /// The headers of an attempt at this moment. `path` is that of the receiver's URL, as it is sent; `body` the bytes
    /// that are sent.
    ///
    /// `None` if the cryptographic library fails, for which it has no reason.
    pub fn headers(&self, id: &EventId, body: &str, path: &str, at: Timestamp) -> Option<CallbackHeaders> {
        let (millis, body_bytes) = (at.as_millis(), body.as_bytes());
        let hex = |text: &str| HEXLOWER.encode(self.current.sign(text.as_bytes()).as_ref());
        let v1 = hex(&v1_text(millis, body_bytes));
        let own = match self.version {
            SigningVersion::V1 => v1.clone(),
            SigningVersion::V2 => {
                let parts = SignedParts { method: "POST", path, query: "", body: body_bytes };
                format!("v2={}", hex(&v2_text(millis, parts, id.as_str())))
            }
        };
        let seconds = at.as_seconds();
        let signed = format!("{id}.{seconds}.{body}");
        let entry = |secret: &TenantSecret| {
            let signature = WebhookSecret::of(secret)?.sign(signed.as_bytes());
            Some(format!("v1,{}", BASE64.encode(signature.as_ref())))
        };
        let entries: Option<Vec<_>> = [Some(self.current), self.previous].into_iter().flatten().map(entry).collect();
        let (tenant_id, millis) = (self.tenant_id.to_string(), millis.to_string());
        Some(CallbackHeaders([
            // Without a charset: frameworks that compare the whole value would take it for another type.
            ("content-type", "application/json".to_owned()),
            ("x-latchkey-tenant-id", tenant_id.clone()),
            ("x-latchkey-timestamp", millis.clone()),
            ("x-latchkey-signature", own),
            ("x-bloonio-tenant-id", tenant_id),
            ("x-bloonio-timestamp", millis),
            ("x-bloonio-signature", v1),
            ("webhook-id", id.to_string()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", entries?.join(" ")),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use http::{HeaderMap, HeaderName};
    use serde_json::{Value, json};
    use standardwebhooks::Webhook;

    use super::*;
    use crate::domain::callbacks::event::{Event, NewEvent};
    use crate::domain::callbacks::types::EventType;
    use crate::domain::relay::signed_call::{SignatureHeaders, SignedCall};
    use crate::domain::time::clock::{Clock, SystemClock};
    use crate::domain::values::random::SystemRandomness;

    const PATH: &str = "/hooks/relay-callbacks/qr-login";

    struct Tenant {
        id: TenantId,
        current: TenantSecret,
        previous: TenantSecret,
    }

    impl Tenant {
        fn new() -> Self {
            let random = SystemRandomness::new();
            let [current, previous] = [(), ()].map(|()| TenantSecret::generate(&random).unwrap());
            Self { id: TenantId::generate(&random).unwrap(), current, previous }
        }

        fn signer(&self, version: SigningVersion) -> CallbackSigner<'_> {
            let Self { id: tenant_id, current, previous } = self;
            CallbackSigner { tenant_id, version, current, previous: Some(previous) }
        }

        fn event(&self, at: Timestamp) -> Event {
            let id = EventId::generate(&SystemRandomness::new(), at).unwrap();
            let (event_type, tenant_id, data) = (EventType::QrLoginApproved, &self.id, json!({"name": "Zoë"}));
            Event::new(id, NewEvent { event_type, tenant_id, created_at: at, sequence: 1, data }).unwrap()
        }
    }

    fn map(headers: &CallbackHeaders) -> BTreeMap<String, String> {
        headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Computed by Python's `hmac` and `hashlib`.
    #[test]
    fn the_published_vectors_are_what_is_sent() {
        let file: Value = serde_json::from_str(include_str!("../../../../tests/vectors/callbacks.json")).unwrap();
        for vector in file["vectors"].as_array().unwrap() {
            let text = |name: &str| vector[name].as_str().unwrap();
            let current = &TenantSecret::restore(text("secret")).unwrap();
            let previous = vector["previous_secret"].as_str().map(|text| TenantSecret::restore(text).unwrap());
            let mut expected: BTreeMap<_, _> = [("content-type".to_owned(), "application/json".to_owned())].into();
            for (name, value) in vector["headers"].as_object().unwrap() {
                expected.insert(name.to_lowercase(), value.as_str().unwrap().to_owned());
            }
            let tenant_id = &TenantId::parse(&expected["x-latchkey-tenant-id"]).unwrap();
            let version = SigningVersion::parse(text("signing_version")).unwrap();
            let signer = CallbackSigner { tenant_id, version, current, previous: previous.as_ref() };
            let at = Timestamp::from_millis(vector["timestamp_ms"].as_i64().unwrap());
            let headers = signer.headers(&EventId::parse(text("event_id")).unwrap(), text("body"), text("path"), at);
            assert_eq!(map(&headers.unwrap()), expected, "{}", text("name"));
            let shown = serde_json::to_value(WebhookSecret::of(current).unwrap().reveal()).unwrap();
            assert_eq!(shown, text("webhook_secret"));
        }
    }

    #[test]
    fn the_library_of_standard_webhooks_verifies_it_with_either_secret() {
        let tenant = Tenant::new();
        let at = SystemClock.now();
        let event = tenant.event(at);
        let headers = tenant.signer(SigningVersion::V1).headers(&event.id, &event.body, PATH, at).unwrap();
        let sent: HeaderMap =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
        let library = |secret: &TenantSecret| {
            let shown = serde_json::to_value(WebhookSecret::of(secret).unwrap().reveal()).unwrap();
            Webhook::new(shown.as_str().unwrap()).unwrap()
        };
        for secret in [&tenant.current, &tenant.previous] {
            assert!(library(secret).verify(event.body.as_bytes(), &sent).is_ok());
            assert!(library(secret).verify(format!("{} ", event.body).as_bytes(), &sent).is_err());
        }
        assert!(library(&Tenant::new().current).verify(event.body.as_bytes(), &sent).is_err());
        let alone = CallbackSigner { previous: None, ..tenant.signer(SigningVersion::V1) };
        let headers = map(&alone.headers(&event.id, &event.body, PATH, at).unwrap());
        assert!(!headers["webhook-signature"].contains(' '));
    }

    /// Whether a receiver, or Latchkey, would find the signature right.
    fn verifies(tenant: &Tenant, timestamp: &str, signature: &str, nonce: &str, path: &str, body: &[u8]) -> bool {
        let nonce = signature.starts_with("v2=").then_some(nonce);
        let headers = SignatureHeaders { tenant_id: tenant.id.as_str(), timestamp, signature, nonce };
        let parts = SignedParts { method: "POST", path, query: "", body };
        SignedCall::read(headers, parts).is_ok_and(|call| call.is_signed_with(&tenant.current))
    }

    #[test]
    fn a_callback_is_no_call_of_the_tenants() {
        let tenant = Tenant::new();
        let at = SystemClock.now();
        let event = tenant.event(at);
        for version in [SigningVersion::V1, SigningVersion::V2] {
            let headers = map(&tenant.signer(version).headers(&event.id, &event.body, PATH, at).unwrap());
            let timestamp = &headers["x-latchkey-timestamp"];
            for signature in [&headers["x-latchkey-signature"], &headers["x-bloonio-signature"]] {
                for path in [PATH, "/api/v1/relay/whoami"] {
                    for body in [event.body.as_bytes(), b"", b"{}"] {
                        let is_verified = verifies(&tenant, timestamp, signature, event.id.as_str(), path, body);
                        assert!(!is_verified, "{signature} {path}");
                    }
                }
            }
        }
        // It is the body alone that keeps the two apart, so the test would notice if nothing did.
        let (id, body) = (&event.id, r#"{"a":1}"#);
        let headers = map(&tenant.signer(SigningVersion::V1).headers(id, body, PATH, at).unwrap());
        let (timestamp, signature) = (&headers["x-latchkey-timestamp"], &headers["x-latchkey-signature"]);
        assert!(verifies(&tenant, timestamp, signature, id.as_str(), "/api/v1/relay/any", body.as_bytes()));
    }

    #[test]
    fn a_call_of_the_tenants_is_no_callback() {
        let tenant = Tenant::new();
        let at = SystemClock.now();
        let event = tenant.event(at);
        let millis = at.as_millis();
        let hex = |text: &str| HEXLOWER.encode(tenant.current.sign(text.as_bytes()).as_ref());
        // What a tenant signs for Latchkey: an input, nothing at all, and with v2 a path of Latchkey's.
        for body in [r#"{"browser_origin":"https://example.com"}"#, ""] {
            assert!(!super::super::event::is_event_body(body.as_bytes()));
            let v1 = hex(&v1_text(millis, body.as_bytes()));
            let parts =
                SignedParts { method: "POST", path: "/api/v1/relay/qr-login", query: "", body: body.as_bytes() };
            let v2 = format!("v2={}", hex(&v2_text(millis, parts, event.id.as_str())));
            for version in [SigningVersion::V1, SigningVersion::V2] {
                let headers = map(&tenant.signer(version).headers(&event.id, &event.body, PATH, at).unwrap());
                for expected in [&headers["x-latchkey-signature"], &headers["x-bloonio-signature"]] {
                    assert!(*expected != v1 && *expected != v2);
                }
                // Even over the same bytes, a v2 callback is for another path.
                let same = map(&tenant.signer(version).headers(&event.id, body, PATH, at).unwrap());
                assert_eq!(same["x-latchkey-signature"] == v1, version == SigningVersion::V1);
                assert_ne!(same["x-latchkey-signature"], v2);
            }
            // Standard Webhooks have a key of their own.
            let webhook = WebhookSecret::of(&tenant.current).unwrap().sign(v1_text(millis, body.as_bytes()).as_bytes());
            assert_ne!(HEXLOWER.encode(webhook.as_ref()), v1);
        }
    }

    #[test]
    fn headers_do_not_print_themselves() {
        let tenant = Tenant::new();
        let at = SystemClock.now();
        let event = tenant.event(at);
        let signer = tenant.signer(SigningVersion::V2);
        let headers = signer.headers(&event.id, &event.body, PATH, at).unwrap();
        assert_eq!(format!("{headers:?}"), "CallbackHeaders");
        assert!(!format!("{signer:?}").contains("sk_"));
    }
}
