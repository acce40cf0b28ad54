//! What a token must not be. Each of the refused ones is a valid token with one thing about it changed, and signed
//! again with the tenant's own key unless the signature is what is changed: so nothing but that one thing can be the
//! reason.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aws_lc_rs::hmac;
use data_encoding::{BASE64, BASE64URL, BASE64URL_NOPAD, HEXLOWER};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::*;
use crate::domain::tokens::claims::Subject;
use crate::domain::{
    ApiKey, ApiKeyClaims, ApiKeyId, Epochs, ExternalId, KeyKind, KeyName, Origins, Properties, RegisteredData,
    RegisteredKey, SigningKey, SystemRandomness, TokenRequest,
};

mod claims;
mod export;
mod forms;
mod headers;
mod mutations;

/// The time of the check.
const NOW: u64 = 1_782_000_000;
/// When the key of before was replaced.
const RETIRED_AT: u64 = NOW - 1000;

const LENGTH: &str = "too long";
const PARTS: &str = "not three parts";
const ENCODING: &str = "not base64url";
const SIGNATURE_LENGTH: &str = "signature of another length";
const HEADER: &str = "header has other members";
const ALG: &str = "another algorithm";
const TYP: &str = "another type";
const CLAIMS: &str = "claims are not those of a token";
const KID: &str = "unknown key";
const FORGED: &str = "wrong signature";
const ISS: &str = "another issuer";
const AUD: &str = "another audience";
const CLIENT: &str = "two minting keys";
const EARLY: &str = "issued in the future";
const NOT_BEFORE: &str = "not valid yet";
const EXPIRED: &str = "expired";
const LIFETIME: &str = "lifetime out of bounds";
const RETIRED: &str = "issued after its key was retired";
const SCOPE: &str = "claims do not fit the scope";

/// A tenant, as far as its tokens go.
struct Party {
    issuer: Issuer,
    key: SigningKey,
    /// The key of before.
    retired: SigningKey,
}

static TENANT: LazyLock<Party> = LazyLock::new(Party::new);
static OTHER: LazyLock<Party> = LazyLock::new(Party::new);

impl Party {
    fn new() -> Self {
        let random = SystemRandomness::new();
        let issuer = Issuer::new("https://latchkey.example.com", &TenantId::generate(&random).unwrap());
        let key = || SigningKey::generate(&random).unwrap();
        Self { issuer, key: key(), retired: key() }
    }

    fn published(&self) -> [PublishedKey; 2] {
        let retired_at = Some(at(RETIRED_AT));
        [PublishedKey::of(&self.key), PublishedKey { retired_at, ..PublishedKey::of(&self.retired) }]
    }

    fn header(&self) -> Map<String, Value> {
        fields(&json!({ "alg": "ES256", "typ": "at+jwt", "kid": self.key.kid() }))
    }

    fn claims_of(&self, subject: Subject, epochs: Epochs) -> Map<String, Value> {
        let key = self.api_key(epochs.key);
        let request = TokenRequest { subject, epochs, lifetime: TokenLifetime::HOUR, at: at(NOW) };
        let claims = request.claims(&self.issuer, &key, epochs.tenant, &SystemRandomness::new()).unwrap();
        fields(&serde_json::to_value(claims).unwrap())
    }

    /// The API key that mints its tokens.
    fn api_key(&self, epoch: u64) -> ApiKey {
        ApiKey {
            claims: ApiKeyClaims {
                kind: KeyKind::Account,
                id: ApiKeyId::parse("key_00112233445566ff").unwrap(),
                tenant_id: self.issuer.tenant_id.clone(),
            },
            name: KeyName::parse("Backend").unwrap(),
            start: String::new(),
            origins_apply_to_tokens: true,
            allowed_origins: Origins::from_stored(Vec::new()),
            created_at: at(0),
            expires_at: None,
            rotated_at: None,
            previous_until: None,
            revoked_at: None,
            epoch,
            tokens_revoked_at: None,
            last_used_on: None,
            last_token_on: None,
            last_introspected_on: None,
        }
    }

    /// The claims of a user's token.
    fn user(&self) -> Map<String, Value> {
        let properties = Properties::of([("region", Some(json!("north"))), ("row", Some(json!({ "limit": 1.5 })))]);
        let [id, organization_id, role_id] = [1, 2, 3].map(Uuid::from_u128);
        let [external_id, organization_external_id] = ["ada", "acme"].map(|id| Some(ExternalId::parse(id).unwrap()));
        let properties = properties.unwrap();
        let subject =
            Subject::ProjectUser { id, external_id, organization_id, organization_external_id, role_id, properties };
        self.claims_of(subject, Epochs { tenant: 1, key: 2, organization: Some(3), user: Some(4), external_user: None })
    }

    /// The claims of a token of the older kind, with an end user.
    fn registered(&self) -> Map<String, Value> {
        let data = RegisteredData {
            parent_org_id: Uuid::from_u128(4),
            display_name: "Acme".to_owned(),
            payload: Properties::of([("prefilters", Some(json!({ "region": "north" })))]).unwrap(),
        };
        let external_id = |text| ExternalId::parse(text).unwrap();
        let subject = Subject::RegisteredTenant {
            key: RegisteredKey::Key(external_id("acme")),
            user: Some(external_id("ada")),
            organization_id: None,
            organization_external_id: None,
            data,
        };
        self.claims_of(subject, Epochs { tenant: 1, key: 2, external_user: Some(3), ..Epochs::default() })
    }

    /// The claims of a scoped token for this end user.
    fn end_user(&self, id: &str) -> Map<String, Value> {
        let subject = Subject::EndUser(ExternalId::parse(id).unwrap());
        self.claims_of(subject, Epochs { tenant: 1, key: 2, external_user: Some(3), ..Epochs::default() })
    }

    /// The claims of a scoped token for the whole account.
    fn account(&self) -> Map<String, Value> {
        self.claims_of(Subject::Account, Epochs { tenant: 1, key: 2, ..Epochs::default() })
    }

    /// The claims of one token of each scope, by the scope's name.
    fn all(&self) -> [(&'static str, Map<String, Value>); 4] {
        [
            ("project_user", self.user()),
            ("registered_tenant", self.registered()),
            ("end_user", self.end_user("ada")),
            ("account", self.account()),
        ]
    }

    fn check(&self, token: &str) -> Result<Claims, Refused> {
        UnverifiedToken::parse(token)?.verify(&self.issuer, &self.published(), at(NOW)).cloned()
    }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(seconds).unwrap() * 1000)
}

fn fields(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(bytes.as_ref())
}

fn text(fields: &Map<String, Value>) -> String {
    Value::Object(fields.clone()).to_string()
}

/// What is signed of a token.
fn message(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    format!("{}.{}", encode(header), encode(claims))
}

fn signed(message: &str, key: &SigningKey) -> String {
    format!("{message}.{}", encode(key.sign(message.as_bytes()).unwrap()))
}

fn user_token() -> String {
    signed(&message(text(&TENANT.header()), text(&TENANT.user())), &TENANT.key)
}

/// The table in the making.
#[derive(Default)]
struct Table {
    rows: Vec<(&'static str, String, String)>,
}

impl Table {
    fn add(&mut self, because: &'static str, label: impl Into<String>, token: impl Into<String>) {
        self.rows.push((because, label.into(), token.into()));
    }

    /// A user's token with this header, signed.
    fn header(&mut self, because: &'static str, label: impl Into<String>, header: impl AsRef<[u8]>) {
        self.add(because, label, signed(&message(header, text(&TENANT.user())), &TENANT.key));
    }

    /// A user's token with this member of its header, signed.
    fn member(&mut self, because: &'static str, name: &str, value: Value) {
        let mut header = TENANT.header();
        let label = format!("header {name} = {:.60}", value.to_string());
        header.insert(name.to_owned(), value);
        self.header(because, label, text(&header));
    }

    /// A token with these claims, signed.
    fn claims(&mut self, because: &'static str, label: impl Into<String>, claims: impl AsRef<[u8]>) {
        self.add(because, label, signed(&message(text(&TENANT.header()), claims), &TENANT.key));
    }

    /// A user's token with these claims in the place of its own, signed.
    fn claim<const N: usize>(&mut self, because: &'static str, changes: [(&str, Value); N]) {
        self.changed(because, "user", TENANT.user(), changes);
    }

    fn changed<const N: usize>(
        &mut self,
        because: &'static str,
        kind: &str,
        mut claims: Map<String, Value>,
        changes: [(&str, Value); N],
    ) {
        let label = format!("{kind} with {changes:.200?}");
        for (name, value) in changes {
            set(&mut claims, name, value);
        }
        self.claims(because, label, text(&claims));
    }

    /// A user's token with this signature.
    fn signature(&mut self, because: &'static str, label: impl Into<String>, signature: &[u8]) {
        let message = message(text(&TENANT.header()), text(&TENANT.user()));
        self.add(because, label, format!("{message}.{}", encode(signature)));
    }
}

/// Sets a claim, or a field of one: `epochs.user`.
fn set(claims: &mut Map<String, Value>, name: &str, value: Value) {
    let (outer, inner) = name.split_once('.').map_or((name, None), |(outer, inner)| (outer, Some(inner)));
    let place = claims.entry(outer).or_insert(Value::Null);
    match inner {
        Some(inner) => place[inner] = value,
        None => *place = value,
    }
}

/// Takes a claim away, or a field of one.
fn without(mut claims: Map<String, Value>, name: &str) -> String {
    let removed = match name.split_once('.') {
        Some((outer, inner)) => claims[outer].as_object_mut().unwrap().remove(inner),
        None => claims.remove(name),
    };
    assert!(removed.is_some(), "{name}");
    text(&claims)
}

fn refused() -> Vec<(&'static str, String, String)> {
    let mut table = Table::default();
    headers::add(&mut table);
    claims::add(&mut table);
    forms::add(&mut table);
    table.rows
}

#[test]
fn what_the_refused_tokens_are_made_from_is_valid() {
    for (scope, claims) in TENANT.all() {
        let token = signed(&message(text(&TENANT.header()), text(&claims)), &TENANT.key);
        let read = TENANT.check(&token).unwrap();
        assert_eq!(fields(&serde_json::to_value(read).unwrap()), claims);
        assert_eq!(claims["scope"], scope);
    }
}

#[test]
fn every_token_that_is_not_exactly_one_of_ours_is_refused_and_for_its_own_reason() {
    let rows = refused();
    let wrong: Vec<_> = rows
        .iter()
        .filter_map(|(because, label, token)| {
            let answer = TENANT.check(token).map_or_else(|refused| refused.0, |_| "accepted");
            (answer != *because).then(|| format!("{label}: {answer}, and not: {because}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    let tokens: BTreeSet<_> = rows.iter().map(|(_, _, token)| token).collect();
    assert_eq!(tokens.len(), rows.len(), "two rows are the same");
    assert!(rows.len() >= 700, "{}", rows.len());
    export::write(&rows);
}

#[test]
fn a_token_at_the_very_edge_of_what_is_valid_is_accepted() {
    let accepts = |label: &str, key: &SigningKey, claims: &Map<String, Value>| {
        let mut header = TENANT.header();
        header.insert("kid".to_owned(), json!(key.kid()));
        let token = signed(&message(text(&header), text(claims)), key);
        let answer = TENANT.check(&token);
        assert!(answer.is_ok(), "{label}: {answer:?}");
        token
    };
    let with = |changes: &[(&str, Value)]| {
        let mut claims = TENANT.user();
        for (name, value) in changes {
            set(&mut claims, name, value.clone());
        }
        claims
    };
    let between = |iat: u64, exp: u64| with(&[("iat", json!(iat)), ("exp", json!(exp))]);
    accepts("a clock that is ahead", &TENANT.key, &between(NOW + 5, NOW + 3605));
    accepts("the last second", &TENANT.key, &between(NOW - 3599, NOW + 1));
    accepts("the last second of a day", &TENANT.key, &between(NOW - 86_399, NOW + 1));
    accepts("a minute", &TENANT.key, &between(NOW, NOW + 60));
    accepts("a day", &TENANT.key, &between(NOW, NOW + 86_400));
    for iat in [NOW - 80_000, RETIRED_AT, RETIRED_AT + 60] {
        accepts("the key of before", &TENANT.retired, &between(iat, iat + 86_400));
    }
    for nbf in [0, NOW, NOW + 5] {
        accepts("valid by now", &TENANT.key, &with(&[("nbf", json!(nbf))]));
    }
    accepts("no properties", &TENANT.key, &with(&[("properties", json!({}))]));
    accepts("all properties", &TENANT.key, &with(&[("properties", json!({ "a": "x".repeat(4088) }))]));
    let mut claims = TENANT.registered();
    claims.remove("external_user_id");
    claims["epochs"].as_object_mut().unwrap().remove("external_user");
    accepts("a registered tenant without an end user", &TENANT.key, &claims);
    for id in
        [" ", "external:ada", "key_00112233445566ff", "\u{0}", "e\u{301}", &"\u{1}".repeat(256), &"😀".repeat(256)]
    {
        let claims = TENANT.end_user(id);
        assert_eq!((&claims["sub"], &claims["external_user_id"]), (&json!(format!("external:{id}")), &json!(id)));
        accepts("an end user of any name", &TENANT.key, &claims);
    }
    // Three bytes are four characters, so not every length is there.
    let lengths = (5000..6000).map(|length| {
        let mut claims = TENANT.registered();
        set(&mut claims, "data.displayName", json!("x".repeat(length)));
        signed(&message(text(&TENANT.header()), text(&claims)), &TENANT.key)
    });
    let longest = lengths.take_while(|token| token.len() <= LONGEST_TOKEN).last().unwrap();
    assert!(longest.len() >= LONGEST_TOKEN - 1 && TENANT.check(&longest).is_ok());
}

/// Whoever has a valid signature can write another one of the same message: the second number's complement. It is the
/// same token, with the same `jti`, and is revoked with it.
#[test]
fn the_other_spelling_of_a_signature_is_the_same_token() {
    let token = user_token();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    let order = HEXLOWER.decode(forms::ORDER.as_bytes()).unwrap();
    let mut twin = signature.clone();
    let mut borrow = 0;
    for place in (0..32).rev() {
        let difference = i16::from(order[place]) - i16::from(signature[32 + place]) - borrow;
        borrow = i16::from(difference < 0);
        twin[32 + place] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    assert_ne!(twin, signature);
    let twin = format!("{message}.{}", encode(twin));
    assert_eq!(TENANT.check(&twin), TENANT.check(&token));
}

#[test]
fn a_token_of_a_tenant_is_none_of_any_other_even_under_the_same_key() {
    let keys = TENANT.published();
    let token = user_token();
    let read = UnverifiedToken::parse(&token).unwrap();
    let moved = read.verify(&OTHER.issuer, &keys, at(NOW));
    assert_eq!(moved.unwrap_err(), Refused(AUD));
    let elsewhere = Issuer::new("https://other.example.com", &TENANT.issuer.tenant_id);
    let moved = read.verify(&elsewhere, &keys, at(NOW));
    assert_eq!(moved.unwrap_err(), Refused(ISS));
    for keys in [&[][..], &keys[1..]] {
        let unknown = read.verify(&TENANT.issuer, keys, at(NOW));
        assert_eq!(unknown.unwrap_err(), Refused(KID));
    }
}

#[test]
fn a_token_that_was_not_verified_does_not_print_itself() {
    let token = user_token();
    assert_eq!(format!("{:?}", UnverifiedToken::parse(&token)), "Ok(UnverifiedToken)");
}
