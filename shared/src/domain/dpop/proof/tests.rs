//! What a proof must not be. Each of the refused ones is an accepted proof with one thing about it changed, and signed
//! again with the device's key unless the signature is what is changed: so nothing but that one thing can be the
//! reason.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::*;
use crate::domain::{SigningKey, SystemRandomness, TraceKey};

mod calls;
mod claims;
mod forms;
mod headers;
mod keys;
mod mutations;
mod rfc;

/// The time of the check, in milliseconds.
const NOW: i64 = 1_782_000_000_500;
const METHOD: &str = "POST";
const BASE: &str = "https://auth.example.com";
const PATH: &str = "/api/v1/device/refresh-token";
/// That of RFC 9449 §7.1.
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";

static DEVICE: LazyLock<SigningKey> = LazyLock::new(new_key);
static NONCES: LazyLock<NonceKey> = LazyLock::new(|| nonce_key("LatchkeyTestTraceKey000000000000000000000000000A"));

fn new_key() -> SigningKey {
    SigningKey::generate(&SystemRandomness::new()).unwrap()
}

fn nonce_key(trace_key: &str) -> NonceKey {
    NonceKey::of(&TraceKey::parse(trace_key).unwrap()).unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn now() -> Timestamp {
    at(NOW)
}

fn nonce_of(millis: i64) -> Value {
    json!(NONCES.issue(at(millis)).as_str())
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(bytes.as_ref())
}

fn fields(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn text(fields: &Map<String, Value>) -> String {
    Value::Object(fields.clone()).to_string()
}

fn jwk(key: &SigningKey) -> Value {
    json!({ "kty": "EC", "crv": "P-256", "x": key.public().x, "y": key.public().y })
}

fn header() -> Map<String, Value> {
    fields(&json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(&DEVICE) }))
}

/// The claims of a proof that is accepted beside the token of a session.
fn claims() -> Map<String, Value> {
    fields(&json!({
        "jti": "e1j3V_bKic8-LAEB",
        "htm": METHOD,
        "htu": format!("{BASE}{PATH}"),
        "iat": NOW / 1000,
        "ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo",
        "nonce": nonce_of(NOW),
    }))
}

/// The same of one that has neither token nor nonce.
fn plain_claims() -> Map<String, Value> {
    let mut claims = claims();
    claims.remove("ath");
    claims.remove("nonce");
    claims
}

/// What is signed of a proof.
fn message(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    format!("{}.{}", encode(header), encode(claims))
}

fn signed_by(key: &SigningKey, message: &str) -> String {
    format!("{message}.{}", encode(key.sign(message.as_bytes()).unwrap()))
}

fn signed(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    signed_by(&DEVICE, &message(header, claims))
}

/// A call that a proof is judged for, and what the store says.
#[derive(Clone, Copy)]
struct Judged {
    method: &'static str,
    base_url: &'static str,
    path: &'static str,
    presented: Presented<'static>,
    freshness: Freshness,
    /// Whether the session is the device's.
    is_bound: bool,
    is_first: bool,
}

/// A call of a session.
const SESSION: Judged = Judged {
    method: METHOD,
    base_url: BASE,
    path: PATH,
    presented: Presented::Bound(TOKEN),
    freshness: Freshness::Nonce,
    is_bound: true,
    is_first: true,
};

/// A call without a session, for which a right clock is enough.
const PLAIN: Judged = Judged { presented: Presented::Nothing, freshness: Freshness::NonceOrClock, ..SESSION };

impl Judged {
    /// What can be judged without a store.
    fn verify(&self, proof: &str) -> Result<DpopProof, DpopCause> {
        let Self { method, base_url, path, presented, freshness, .. } = *self;
        let call = DpopCall { method, base_url, path, presented, freshness, now: now() };
        UnverifiedDpopProof::parse(proof)?.verify(&call, &NONCES)
    }

    /// The thumbprint of the key that has made the call.
    fn judge(&self, proof: &str) -> Result<Thumbprint, DpopCause> {
        let proof = self.verify(proof)?;
        let session = if self.is_bound { Thumbprint::of(DEVICE.public()) } else { Thumbprint::of(new_key().public()) };
        proof.check_bound_to(&session)?;
        if self.is_first { Ok(proof.thumbprint().clone()) } else { Err(DpopCause::JtiSeen) }
    }
}

/// The table in the making.
#[derive(Default)]
struct Table {
    rows: Vec<(DpopCause, String, String, Judged)>,
}

impl Table {
    fn add(&mut self, because: DpopCause, label: impl Into<String>, proof: impl Into<String>, judged: Judged) {
        self.rows.push((because, label.into(), proof.into(), judged));
    }

    /// The proof of a session with this header.
    fn header(&mut self, because: DpopCause, label: impl Into<String>, header: impl AsRef<[u8]>) {
        self.add(because, label, signed(header, text(&claims())), SESSION);
    }

    /// The proof of a session with these claims.
    fn claims(&mut self, because: DpopCause, label: impl Into<String>, claims: impl AsRef<[u8]>) {
        self.add(because, label, signed(text(&header()), claims), SESSION);
    }

    /// The proof of a session with this claim in the place of its own.
    fn claim(&mut self, because: DpopCause, name: &str, value: Value) {
        let label = format!("{name} = {:.80}", value.to_string());
        let mut claims = claims();
        claims.insert(name.to_owned(), value);
        self.claims(because, label, text(&claims));
    }
}

/// One value of each type of JSON but strings.
fn no_strings() -> [Value; 6] {
    [json!(null), json!(true), json!(0), json!(1.5), json!(["x"]), json!({ "x": "x" })]
}

/// An object with one of its members twice, in each order, and once with an escape in its name.
fn doubled(members: &Map<String, Value>, name: &str) -> [String; 3] {
    let (own, all) = (members[name].to_string(), text(members));
    let rest = all.strip_prefix('{').unwrap();
    let escaped = format!("\\u{:04x}{}", u32::from(name.chars().next().unwrap()), &name[1..]);
    [
        format!(r#"{{"{name}":{own},{rest}"#),
        format!(r#"{},"{name}":0}}"#, all.strip_suffix('}').unwrap()),
        format!(r#"{{"{escaped}":{own},{rest}"#),
    ]
}

fn refused() -> Table {
    let mut table = Table::default();
    headers::add(&mut table);
    keys::add(&mut table);
    claims::add(&mut table);
    forms::add(&mut table);
    calls::add(&mut table);
    table
}

#[test]
fn what_the_refused_proofs_are_made_from_is_accepted() {
    for (claims, judged) in [(claims(), SESSION), (plain_claims(), PLAIN)] {
        let key = judged.judge(&signed(text(&header()), text(&claims)));
        assert_eq!(key.as_ref().map(Thumbprint::as_str), Ok(DEVICE.kid()));
    }
}

#[test]
fn every_proof_that_is_not_exactly_of_this_call_is_refused_and_for_its_own_cause() {
    let rows = refused().rows;
    let wrong: Vec<_> = rows
        .iter()
        .filter_map(|(because, label, proof, judged)| {
            let answer = judged.judge(proof).map_or_else(DpopCause::as_str, |_| "accepted");
            (answer != because.as_str()).then(|| format!("{label}: {answer}, and not: {}", because.as_str()))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert!(rows.len() >= 500, "{}", rows.len());
    let causes: BTreeSet<_> = rows.iter().map(|(because, ..)| *because).collect();
    let missing: Vec<_> = DpopCause::ALL.iter().filter(|cause| !causes.contains(cause)).collect();
    assert!(missing.is_empty(), "no proof is refused for these: {missing:?}");
}

#[test]
fn a_proof_does_not_print_itself() {
    let proof = UnverifiedDpopProof::parse(&signed(text(&header()), text(&claims()))).unwrap();
    assert_eq!(format!("{proof:?} {:?}", *NONCES), "UnverifiedDpopProof NonceKey");
    let presented = [Presented::Nothing, Presented::Unbound(TOKEN), Presented::Bound(TOKEN)];
    assert_eq!(format!("{presented:?}"), "[Nothing, Unbound, Bound]");
}
