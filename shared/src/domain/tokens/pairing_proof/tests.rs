use std::collections::BTreeSet;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};

use super::*;
use crate::domain::{PairingHandle, SystemRandomness, UnverifiedToken};

const BASE: &str = "https://auth.example.com";
const AUDIENCE: &str = "https://auth.example.com/api/v1/device/register-token";
const NOW: u64 = 1_782_000_000;

struct Tenant {
    issuer: Issuer,
    key: SigningKey,
    /// The key of before, and the only other one that is published.
    retired: SigningKey,
    pairing: PairingId,
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(seconds).unwrap() * 1000)
}

fn tenant() -> Tenant {
    let random = SystemRandomness::new();
    Tenant {
        issuer: Issuer::new(BASE, &TenantId::generate(&random).unwrap()),
        key: SigningKey::generate(&random).unwrap(),
        retired: SigningKey::generate(&random).unwrap(),
        pairing: PairingHandle::generate(&random).unwrap().pairing_id(),
    }
}

impl Tenant {
    fn header(&self) -> Map<String, Value> {
        fields(&json!({ "typ": "pairing+jwt", "alg": "ES256", "kid": self.key.kid() }))
    }

    fn claims(&self) -> Map<String, Value> {
        let claims = PairingClaims::new(&self.issuer, AUDIENCE, self.pairing.clone(), at(NOW));
        fields(&serde_json::to_value(claims).unwrap())
    }

    fn check(&self, proof: &str, now: u64) -> Result<PairingClaims, &'static str> {
        let retired = PublishedKey { retired_at: Some(at(NOW - 1000)), ..PublishedKey::of(&self.retired) };
        let keys = [PublishedKey::of(&self.key), retired];
        let proof = UnverifiedPairingProof::parse(proof).map_err(|refused| refused.0)?;
        assert_eq!(format!("{proof:?}"), "UnverifiedPairingProof");
        proof.verify(&self.issuer, AUDIENCE, &keys, at(now)).cloned().map_err(|refused| refused.0)
    }

    /// The reason for which a proof with one other claim is refused.
    fn with(&self, name: &str, value: Value) -> &'static str {
        let mut claims = self.claims();
        claims.insert(name.to_owned(), value);
        self.check(&signed(&self.header(), &claims, &self.key), NOW).unwrap_err()
    }
}

fn fields(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn signed(header: &Map<String, Value>, claims: &Map<String, Value>, key: &SigningKey) -> String {
    let encode = |fields: &Map<String, Value>| BASE64URL_NOPAD.encode(json!(fields).to_string().as_bytes());
    let message = format!("{}.{}", encode(header), encode(claims));
    format!("{message}.{}", BASE64URL_NOPAD.encode(&key.sign(message.as_bytes()).unwrap()))
}

#[test]
fn a_proof_is_read_as_it_was_signed_for_five_minutes() {
    let tenant = tenant();
    let claims = PairingClaims::new(&tenant.issuer, AUDIENCE, tenant.pairing.clone(), at(NOW));
    let proof = claims.sign(&tenant.key).unwrap();
    for now in [NOW - 5, NOW, NOW + 299] {
        assert_eq!(tenant.check(proof.expose(), now), Ok(claims.clone()));
    }
    assert_eq!(tenant.check(proof.expose(), NOW - 6), Err("issued in the future"));
    assert_eq!(tenant.check(proof.expose(), NOW + 300), Err("expired"));
    let read = UnverifiedPairingProof::parse(proof.expose()).unwrap();
    assert_eq!((read.tenant_id(), &claims.jti), (&tenant.issuer.tenant_id, &tenant.pairing));
}

/// The names that a resource server asks for must not be among them.
#[test]
fn a_proof_has_these_claims_and_no_others() {
    let claims = tenant().claims();
    let names: BTreeSet<_> = claims.keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(["iss", "aud", "iat", "exp", "jti", "tenant_id"]));
    assert_eq!((&claims["aud"], &claims["exp"]), (&json!(AUDIENCE), &json!(NOW + 300)));
}

#[test]
fn a_proof_is_no_token_and_a_token_no_proof() {
    let tenant = tenant();
    let proof = signed(&tenant.header(), &tenant.claims(), &tenant.key);
    assert_eq!(UnverifiedToken::parse(&proof).unwrap_err().0, "another type");
    for typ in ["at+jwt", "JWT", "dpop+jwt", "application/pairing+jwt", "PAIRING+JWT", ""] {
        let mut header = tenant.header();
        header.insert("typ".to_owned(), json!(typ));
        assert_eq!(tenant.check(&signed(&header, &tenant.claims(), &tenant.key), NOW), Err("another type"), "{typ}");
    }
}

#[test]
fn a_proof_of_another_tenant_audience_or_time_is_refused() {
    let (tenant, other) = (tenant(), tenant());
    let reasons = [
        ("iss", json!(other.issuer.as_str()), "another issuer"),
        ("iss", json!(format!("{}/", tenant.issuer.as_str())), "another issuer"),
        ("tenant_id", json!(other.issuer.tenant_id), "another issuer"),
        ("aud", json!(tenant.issuer.tenant_id), "another audience"),
        ("aud", json!(BASE), "another audience"),
        ("aud", json!(format!("{AUDIENCE}/")), "another audience"),
        ("aud", json!("https://auth.example.com/api/v1/device/refresh-token"), "another audience"),
        ("exp", json!(NOW + 299), "lifetime out of bounds"),
        ("exp", json!(NOW + 301), "lifetime out of bounds"),
        ("exp", json!(u64::MAX), "lifetime out of bounds"),
        ("iat", json!(0), "lifetime out of bounds"),
        ("iat", json!(NOW + 5), "lifetime out of bounds"),
    ];
    for (name, value, reason) in reasons {
        assert_eq!(tenant.with(name, value.clone()), reason, "{name} = {value}");
    }
    // A name for the same tenant at another address.
    let elsewhere = Issuer::new("https://other.example.com", &tenant.issuer.tenant_id);
    assert_eq!(tenant.with("iss", json!(elsewhere.as_str())), "another issuer");
}

#[test]
fn a_proof_of_another_form_is_refused() {
    const FORM: &str = "claims are not those of a token";
    let tenant = tenant();
    for name in ["iss", "aud", "iat", "exp", "jti", "tenant_id"] {
        let mut claims = tenant.claims();
        claims.remove(name);
        assert_eq!(tenant.check(&signed(&tenant.header(), &claims, &tenant.key), NOW), Err(FORM), "{name}");
        for value in [json!(null), json!(true), json!([AUDIENCE]), json!({}), json!(-1)] {
            assert_eq!(tenant.with(name, value.clone()), FORM, "{name} = {value}");
        }
    }
    for (name, value) in [("jti", json!("0")), ("jti", json!("")), ("tenant_id", json!("x")), ("iat", json!("0"))] {
        assert_eq!(tenant.with(name, value.clone()), FORM, "{name} = {value}");
    }
    for name in ["sub", "scope", "client_id", "nbf", "nonce", "data"] {
        assert_eq!(tenant.with(name, json!("x")), FORM, "{name}");
    }
    let proof = signed(&tenant.header(), &tenant.claims(), &tenant.key);
    assert_eq!(tenant.check(&format!("{proof}{}", "A".repeat(2049 - proof.len())), NOW), Err("too long"));
}

#[test]
fn a_proof_that_its_tenant_did_not_sign_is_refused() {
    let (tenant, other) = (tenant(), tenant());
    let by = |header: &Map<String, Value>, key| tenant.check(&signed(header, &tenant.claims(), key), NOW);
    assert_eq!(by(&tenant.header(), &other.key), Err("wrong signature"));
    assert_eq!(by(&other.header(), &other.key), Err("unknown key"));
    let mut retired = tenant.header();
    retired.insert("kid".to_owned(), json!(tenant.retired.kid()));
    assert_eq!(by(&retired, &tenant.retired), Err("issued after its key was retired"));
    for alg in ["none", "HS256", "ES384"] {
        let mut header = tenant.header();
        header.insert("alg".to_owned(), json!(alg));
        assert_eq!(by(&header, &tenant.key), Err("another algorithm"), "{alg}");
    }
}
