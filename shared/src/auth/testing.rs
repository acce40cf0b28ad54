//! Requests, and a tenant with its keys and parties, for the tests of this folder. Nothing here asks AWS.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{InputSummary, Request, Trace};
use crate::app::App;
use crate::config::Config;
use crate::domain::{
    self, ApiKey, ApiKeySecret, Clock, Configuration, ExternalId, Issuer, KeyKind, KeyName, Organization,
    OrganizationFields, Origins, PartyName, PublicKey, PublishedKey, RowQuotas, SigningKey, SigningVersion,
    SystemRandomness, TenantId, Timestamp, TraceKey, User, UserFields,
};
use crate::store::{self, Read, Shelf};

/// Where the service is.
pub const BASE_URL: &str = "https://latchkey.example.com";

/// What is called.
const PATH: &str = "/api/v1/relay/echo";

/// When everything happens.
pub fn now() -> Timestamp {
    Timestamp::from_millis(1_782_000_000_000)
}

/// A moment later or earlier.
pub fn after(seconds: i64) -> Timestamp {
    Timestamp::from_millis(now().as_millis() + 1000 * seconds)
}

/// A request with these headers.
pub fn request(headers: &[(&str, &str)]) -> Request {
    let headers = headers.iter().map(|(name, value)| {
        (HeaderName::try_from(*name).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    });
    Request {
        method: Method::POST,
        path: PATH.to_owned(),
        request_id: "r".to_owned(),
        at: now(),
        deadline: now().plus(Duration::from_secs(10)),
        path_parameters: BTreeMap::new(),
        base_url: BASE_URL.to_owned(),
        called_url: BASE_URL.to_owned(),
        source_ip: None,
        principal: None,
        query: String::new(),
        headers: headers.collect::<HeaderMap>(),
        body: Vec::new(),
        trace: Trace::default(),
    }
}

/// An input that was decoded.
pub fn input() -> InputSummary {
    InputSummary { operation: "probe", is_readable: true, ..InputSummary::default() }
}

pub fn external_id(text: &str) -> ExternalId {
    ExternalId::parse(text).unwrap()
}

/// The deployment's key to the digests of people.
pub fn trace_key() -> TraceKey {
    TraceKey::parse(&"k".repeat(32)).unwrap()
}

struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        now()
    }
}

/// An app whose clock stands still, and that reaches no AWS.
pub fn app() -> App {
    let config = Config {
        table: String::new(),
        admin_secret: String::new(),
        secret_prefix: String::new(),
        trace_key: trace_key(),
        public_url: None,
        require_end_user: false,
        strikes_to_suspend: 0,
        default_signing_version: SigningVersion::V1,
        passkeys_enabled: false,
        row_quotas: RowQuotas::default(),
        region: String::new(),
        dynamodb_endpoint: None,
        secrets_manager_endpoint: None,
        ca_bundle: None,
    };
    let sdk = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
    let connector = store::connector(&config).unwrap();
    App::with(config, &sdk, connector, Box::new(StoppedClock), Box::new(SystemRandomness::new()))
}

/// A DPoP proof of a device's key for the call of [`request`] at this address, beside this token if any.
pub fn dpop_proof(device: &SigningKey, base_url: &str, token: Option<&str>) -> String {
    let encode = |value: Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let PublicKey { x, y, .. } = device.public();
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
    let header = encode(json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk }));
    let mut claims = json!({
        "jti": "e1j3V_bKic8-LAEB", "htm": "POST", "htu": format!("{base_url}{PATH}"), "iat": now().as_millis() / 1000,
        "nonce": app().nonce_key().unwrap().issue(now()).as_str(),
    });
    if let Some(token) = token {
        claims["ath"] = BASE64URL_NOPAD.encode(digest(&SHA256, token.as_bytes()).as_ref()).into();
    }
    let message = format!("{header}.{}", encode(claims));
    format!("{message}.{}", BASE64URL_NOPAD.encode(&device.sign(message.as_bytes()).unwrap()))
}

/// A tenant as it is stored, in whose name nothing has happened yet.
pub fn tenant() -> domain::Tenant {
    domain::Tenant::example(TenantId::of(&[0; 16]), "Acme", now(), Configuration::default())
}

/// A tenant with an API key, an organization and its user, and what the table has of it.
pub struct Tenant {
    pub id: TenantId,
    pub issuer: Issuer,
    pub secret: ApiKeySecret,
    pub key: ApiKey,
    pub signing: SigningKey,
    pub organization: Organization,
    pub user: User,
    pub shelf: Shelf,
}

impl Tenant {
    /// One whose counters of revocations all differ.
    pub fn new(kind: KeyKind) -> Self {
        let random = SystemRandomness::new();
        let id = TenantId::generate(&random).unwrap();
        let secret = ApiKeySecret::generate(&id, kind, &random).unwrap().unwrap();
        let key = ApiKey {
            claims: secret.claims().clone(),
            name: KeyName::from_stored("Backend"),
            start: secret.start(),
            allowed_origins: Origins::default(),
            origins_apply_to_tokens: true,
            created_at: now(),
            expires_at: None,
            rotated_at: None,
            previous_until: None,
            revoked_at: None,
            epoch: 2,
            tokens_revoked_at: None,
            // So that its use is not noted again.
            last_used_on: Some(now().day()),
            last_token_on: None,
            last_introspected_on: None,
        };
        let name = |text| PartyName::parse(text).unwrap();
        let properties = |text| serde_json::from_value(json!({ "of": text })).unwrap();
        let fields = OrganizationFields {
            id: None,
            external_id: Some(external_id("acme")),
            name: name("Acme"),
            properties: Some(properties("Acme")),
        };
        let mut organization = Organization::new(Uuid::from_u128(1), fields, now());
        organization.record.epoch = 3;
        let fields = UserFields {
            id: None,
            external_id: Some(external_id("ada")),
            organization: external_id("acme").into(),
            role_id: Uuid::from_u128(2),
            name: name("Ada"),
            properties: properties("Ada"),
        };
        let mut user = User::new(Uuid::from_u128(3), organization.id, fields, now());
        user.record.epoch = 4;
        let signing = SigningKey::generate(&random).unwrap();
        let mut shelf = Shelf::of_tenant(&id, 1);
        shelf.put_key(&key, &secret, None);
        shelf.put_party(&organization, Read::Organization);
        shelf.put_party(&user, Read::User);
        shelf.put_external_user(&external_id("ada"), 5);
        shelf.put_signing_keys(&[PublishedKey::of(&signing)]);
        Self { issuer: Issuer::new(BASE_URL, &id), id, secret, key, signing, organization, user, shelf }
    }
}
