//! What a token must not be. Each of the refused ones is a valid token with one thing about it changed, and signed again with
//! the tenant's own key unless the signature is what is changed: so nothing but that one thing can be the reason.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aws_lc_rs::hmac;
use data_encoding::{BASE64, BASE64URL, BASE64URL_NOPAD, HEXLOWER};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::*;
use crate::domain::{
    ApiKeyId, Epochs, ExternalId, Grant, Properties, RegisteredData, RegisteredKey, SigningKey, Subject,
    SystemRandomness,
};

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
        let grant = Grant {
            issuer: &self.issuer,
            key_id: &ApiKeyId::parse("key_00112233445566ff").unwrap(),
            subject,
            epochs,
            lifetime: TokenLifetime::HOUR,
            at: at(NOW),
        };
        fields(&serde_json::to_value(grant.claims(&SystemRandomness::new()).unwrap()).unwrap())
    }

    /// The claims of a user's token.
    fn user(&self) -> Map<String, Value> {
        let properties = Properties::of([("region", Some(json!("north"))), ("row", Some(json!({ "limit": 1.5 })))]);
        let [id, organization_id, role_id] = [1, 2, 3].map(Uuid::from_u128);
        let subject = Subject::ProjectUser { id, organization_id, role_id, properties: properties.unwrap() };
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
            data,
        };
        self.claims_of(subject, Epochs { tenant: 1, key: 2, external_user: Some(3), ..Epochs::default() })
    }

    fn check(&self, token: &str) -> Result<Claims, Refused> {
        UnverifiedToken::parse(token)?.verify(&self.issuer, &self.published(), at(NOW))
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

fn algorithms(table: &mut Table) {
    for alg in [
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        " ",
        "es256",
        "Es256",
        " ES256",
        "ES256 ",
        "ES256\n",
        "ES256\0",
        "ES256,none",
        "ES256K",
        "ES384",
        "ES512",
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "PS384",
        "PS512",
        "HS256",
        "HS384",
        "HS512",
        "EdDSA",
        "Ed25519",
        "ECDSA",
        "SHA256withECDSA",
        "ecdsa-p256-sha256",
        "dir",
        "A128KW",
        "RSA-OAEP-256",
    ] {
        table.member(ALG, "alg", json!(alg));
    }
    for alg in [json!(null), json!(256), json!(-7), json!(true), json!(["ES256"]), json!({ "name": "ES256" })] {
        table.member(HEADER, "alg", alg);
    }
    let with = |alg: &str| {
        let mut header = TENANT.header();
        header.insert("alg".to_owned(), json!(alg));
        message(text(&header), text(&TENANT.user()))
    };
    for alg in ["none", "None", "NONE", "nOnE", "ES256"] {
        table.add(SIGNATURE_LENGTH, format!("{alg} without a signature"), format!("{}.", with(alg)));
        table.add(PARTS, format!("{alg} without the last part"), with(alg).replace('.', ""));
    }
    // The public key as the secret of a MAC: what a library does that goes by the header.
    let key = TENANT.key.public();
    let [x, y] = [&key.x, &key.y].map(|text| BASE64URL_NOPAD.decode(text.as_bytes()).unwrap());
    let point = [&[4][..], &x, &y].concat();
    let prefix = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
    let der = [HEXLOWER.decode(prefix.as_bytes()).unwrap(), point.clone()].concat();
    let base64 = BASE64.encode(&der);
    let (first, second) = base64.split_at(64);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{first}\n{second}\n-----END PUBLIC KEY-----\n");
    let jwk = format!(r#"{{"kty":"EC","crv":"P-256","x":"{}","y":"{}"}}"#, key.x, key.y);
    let secrets = [
        ("PEM", pem.clone().into_bytes()),
        ("PEM without its last line end", pem.trim_end().as_bytes().to_vec()),
        ("DER", der),
        ("point", point),
        ("JWK", jwk.into_bytes()),
        ("text of x", key.x.clone().into_bytes()),
        ("x", x),
        ("kid", TENANT.key.kid().as_bytes().to_vec()),
        ("nothing", Vec::new()),
    ];
    let macs = [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)];
    for (secret, bytes) in &secrets {
        for (alg, algorithm) in macs {
            let mac = |message: &str| hmac::sign(&hmac::Key::new(algorithm, bytes), message.as_bytes());
            let message = with(alg);
            // One of the three is as long as a signature, and so comes further.
            let because = if alg == "HS512" { ALG } else { SIGNATURE_LENGTH };
            table.add(because, format!("{alg} with {secret}"), format!("{message}.{}", encode(mac(&message))));
            if alg == "HS512" {
                let message = with("ES256");
                let label = format!("ES256 in name, {alg} with {secret}");
                table.add(FORGED, label, format!("{message}.{}", encode(mac(&message))));
            }
        }
    }
}

fn header_members(table: &mut Table) {
    for typ in [
        "JWT",
        "jwt",
        "at+JWT",
        "AT+JWT",
        "At+Jwt",
        "application/at+jwt",
        "application/jwt",
        "at+jwt ",
        " at+jwt",
        "at jwt",
        "at+jwt; v=1",
        "at%2Bjwt",
        "id+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "token-introspection+jwt",
        "",
    ] {
        table.member(TYP, "typ", json!(typ));
    }
    let kid = TENANT.key.kid();
    for kid in [
        "",
        "../../../../../../dev/null",
        "/proc/sys/kernel/randomize_va_space",
        "' OR '1'='1",
        "x' UNION SELECT 'secret';--",
        "$(id)",
        "https://attacker.example/jwks.json",
        "TENANT#tnt_1#KEY#key_1",
        "\0",
        "😀",
        OTHER.key.kid(),
        &kid.to_uppercase(),
        &format!("{kid} "),
        &format!("{kid}\0"),
        &format!("{kid}="),
        &kid[..42],
        &"k".repeat(4000),
    ] {
        table.member(KID, "kid", json!(kid));
    }
    for name in ["typ", "kid"] {
        for value in [json!(null), json!(1), json!(true), json!([]), json!([TENANT.header()[name]]), json!({})] {
            table.member(HEADER, name, value);
        }
    }
    for name in ["alg", "typ", "kid"] {
        table.header(HEADER, format!("header without {name}"), without(TENANT.header(), name));
    }
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": OTHER.key.public().x, "y": OTHER.key.public().y });
    let certificate = BASE64.encode(b"certificate");
    for (name, value) in [
        ("jwk", jwk.clone()),
        ("jku", json!("https://attacker.example/jwks.json")),
        ("x5u", json!("https://attacker.example/certificate.pem")),
        ("x5c", json!([certificate])),
        ("x5t", json!("AA")),
        ("x5t#S256", json!("AA")),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!(null)),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("enc", json!("A128GCM")),
        ("epk", jwk.clone()),
        ("nonce", json!("1")),
        ("iss", json!(TENANT.issuer.as_str())),
        ("Alg", json!("none")),
        ("ALG", json!("none")),
        ("__proto__", json!({ "alg": "none" })),
        ("", json!("")),
    ] {
        table.member(HEADER, name, value);
    }
    // What the embedded key is for: a signature that fits it.
    let mut header = TENANT.header();
    header.insert("jwk".to_owned(), jwk);
    let message = message(text(&header), text(&TENANT.user()));
    table.add(HEADER, "header with the key that signed", signed(&message, &OTHER.key));
}

fn header_texts(table: &mut Table) {
    let kid = TENANT.key.kid();
    let header = text(&TENANT.header());
    let rest = &header[1..];
    let array = json!(["ES256", "at+jwt", kid]).to_string();
    let utf_16: Vec<u8> = header.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (label, bytes) in [
        ("alg twice", format!(r#"{{"alg":"ES256",{rest}"#).into_bytes()),
        ("alg none, then the right one", format!(r#"{{"alg":"none",{rest}"#).into_bytes()),
        ("alg twice, once escaped", format!(r#"{{"\u0061lg":"ES256",{rest}"#).into_bytes()),
        ("typ twice", format!(r#"{{"typ":"at+jwt",{rest}"#).into_bytes()),
        ("kid twice", format!(r#"{{"kid":"{kid}",{rest}"#).into_bytes()),
        ("array of its values", array.into_bytes()),
        ("array of the object", format!("[{header}]").into_bytes()),
        ("text of the object", json!(header).to_string().into_bytes()),
        ("null", b"null".to_vec()),
        ("number", b"1".to_vec()),
        ("empty object", b"{}".to_vec()),
        ("nothing", Vec::new()),
        ("no JSON", b"alg=ES256&typ=at+jwt".to_vec()),
        ("cut short", header.as_bytes()[..header.len() - 1].to_vec()),
        ("something behind it", format!("{header}x").into_bytes()),
        ("a second object behind it", format!("{header}{header}").into_bytes()),
        ("NUL behind it", format!("{header}\0").into_bytes()),
        ("white space before it", format!(" {header}").into_bytes()),
        ("byte order mark before it", format!("\u{feff}{header}").into_bytes()),
        ("comma at its end", header.replace('}', ",}").into_bytes()),
        ("comment in it", header.replacen('{', "{/**/", 1).into_bytes()),
        ("single quotes", header.replace('"', "'").into_bytes()),
        ("control character in a text", header.replace("at+jwt", "at+jwt\n").into_bytes()),
        ("half of a surrogate pair", header.replace("at+jwt", r"\ud83d").into_bytes()),
        ("UTF-16", utf_16),
        ("invalid UTF-8", [&header.as_bytes()[..8], b"\xff", &header.as_bytes()[8..]].concat()),
        ("overlong UTF-8", [b"{\"\xc0\x80\":1,", rest.as_bytes()].concat()),
        ("a thousand arrays", [vec![b'['; 1000], vec![b']'; 1000]].concat()),
        ("a thousand objects", br#"{"a":"#.repeat(1000)),
    ] {
        table.header(HEADER, format!("header: {label}"), bytes);
    }
}

/// The claims of a user's token, and an example of the JSON type that each has.
const TYPES: [(&str, &str); 18] = [
    ("iss", "text"),
    ("aud", "text"),
    ("sub", "text"),
    ("iat", "number"),
    ("exp", "number"),
    ("nbf", "number"),
    ("jti", "text"),
    ("tenant_id", "text"),
    ("key_id", "text"),
    ("client_id", "text"),
    ("scope", "text"),
    ("org_id", "text"),
    ("role_id", "text"),
    ("properties", "object"),
    ("external_user_id", "text"),
    ("data", "object"),
    ("epochs", "object"),
    ("epochs.user", "number"),
];

fn claim_types(table: &mut Table) {
    for (name, right) in TYPES {
        let value = match name.split_once('.') {
            Some((outer, inner)) => TENANT.user()[outer][inner].clone(),
            None => TENANT.user().get(name).cloned().unwrap_or(json!("x")),
        };
        for (kind, wrong) in [
            ("null", json!(null)),
            ("bool", json!(true)),
            ("number", json!(NOW)),
            ("number", json!(-1)),
            ("text", json!("x")),
            ("text", json!(NOW.to_string())),
            ("array", json!([])),
            ("array", json!([value])),
            ("object", json!({})),
            ("object", json!({ "value": value })),
        ] {
            if kind != right {
                table.claim(CLAIMS, [(name, wrong)]);
            }
        }
    }
    for name in ["iat", "exp", "nbf", "epochs.tenant", "epochs.key", "epochs.organization", "epochs.user"] {
        for number in
            ["-1", "-0", "1.5", "1782000000.0", "1.782e9", "18446744073709551616", "1e400", "01", "+1", "0x1", "NaN"]
        {
            let mut claims = TENANT.user();
            set(&mut claims, name, json!("here"));
            table.claims(CLAIMS, format!("{name} = {number}"), text(&claims).replace(r#""here""#, number));
        }
    }
    // What a derived decoder takes for an object or a name, if nobody tells it not to.
    table.claim(CLAIMS, [("epochs", json!([1, 2, 3, 4]))]);
    table.claim(CLAIMS, [("scope", json!({ "project_user": null }))]);
    let array = json!([Uuid::from_u128(4), "Acme", {}]);
    table.changed(CLAIMS, "registered", TENANT.registered(), [("data", array)]);
    for (name, value) in [
        ("jti", "not-a-uuid"),
        ("org_id", "acme"),
        ("role_id", ""),
        ("tenant_id", ""),
        ("tenant_id", "tnt_"),
        ("tenant_id", "tnt_a b"),
        ("tenant_id", "tnt_a#KEY"),
        ("key_id", ""),
        ("key_id", "key_00112233445566FF"),
        ("key_id", "key_00112233445566ff00"),
        ("client_id", "key_0011223344556g"),
        ("scope", ""),
        ("scope", "PROJECT_USER"),
        ("scope", "ProjectUser"),
        ("scope", "project_user registered_tenant"),
        ("scope", "account"),
        ("external_user_id", ""),
    ] {
        table.claim(CLAIMS, [(name, json!(value))]);
    }
    table.claim(CLAIMS, [("properties", json!({ "a": "x".repeat(4089) }))]);
    table.changed(CLAIMS, "registered", TENANT.registered(), [("external_user_id", json!("x".repeat(257)))]);
    table.changed(CLAIMS, "registered", TENANT.registered(), [("data.payload", json!([]))]);
    table.changed(CLAIMS, "registered", TENANT.registered(), [("data.displayName", json!(null))]);
    table.changed(CLAIMS, "registered", TENANT.registered(), [("data.parentOrgId", json!("acme"))]);
    table.changed(CLAIMS, "registered", TENANT.registered(), [("data.admin", json!(true))]);
}

fn claim_sets(table: &mut Table) {
    let claims = TENANT.user();
    for name in claims.keys() {
        let because = if ["org_id", "role_id", "properties"].contains(&name.as_str()) { SCOPE } else { CLAIMS };
        table.claims(because, format!("without {name}"), without(TENANT.user(), name));
        let twice = text(&claims).replacen('{', &format!("{{{}:{},", json!(name), claims[name]), 1);
        table.claims(CLAIMS, format!("{name} twice"), twice);
    }
    for (name, because) in [("tenant", CLAIMS), ("key", CLAIMS), ("organization", SCOPE), ("user", SCOPE)] {
        table.claims(because, format!("without epochs.{name}"), without(TENANT.user(), &format!("epochs.{name}")));
        let twice = text(&claims).replace(r#""epochs":{"#, &format!(r#""epochs":{{"{name}":4,"#));
        table.claims(CLAIMS, format!("epochs.{name} twice"), twice);
    }
    let registered = text(&TENANT.registered());
    for name in ["data", "external_user_id"] {
        let value = &TENANT.registered()[name];
        table.claims(
            CLAIMS,
            format!("{name} twice"),
            registered.replacen('{', &format!("{{{}:{value},", json!(name)), 1),
        );
    }
    for name in ["parentOrgId", "displayName", "payload"] {
        table.claims(CLAIMS, format!("without data.{name}"), without(TENANT.registered(), &format!("data.{name}")));
        let value = &TENANT.registered()["data"][name];
        let twice = registered.replace(r#""data":{"#, &format!(r#""data":{{"{name}":{value},"#));
        table.claims(CLAIMS, format!("data.{name} twice"), twice);
    }
    table.claims(
        CLAIMS,
        "a property twice",
        text(&claims).replace(r#""region":"north""#, r#""region":"north","region":"south""#),
    );
    for name in ["admin", "roles", "azp", "act", "cnf", "client", "Exp", "EXP", "exp ", "", "__proto__", "epochs.extra"]
    {
        table.claim(CLAIMS, [(name, json!(1))]);
    }
    let text = text(&claims);
    let values: Vec<_> = claims.values().cloned().collect();
    for (label, bytes) in [
        ("array of its values", Value::Array(values).to_string().into_bytes()),
        ("array of the object", format!("[{text}]").into_bytes()),
        ("text of the object", json!(text).to_string().into_bytes()),
        ("nothing", Vec::new()),
        ("empty object", b"{}".to_vec()),
        ("null", b"null".to_vec()),
        ("no JSON", b"sub=1".to_vec()),
        ("cut short", text.as_bytes()[..text.len() - 1].to_vec()),
        ("something behind it", format!("{text}x").into_bytes()),
        ("a second object behind it", format!("{text}{text}").into_bytes()),
        ("white space before it", format!("\n{text}").into_bytes()),
        ("byte order mark before it", format!("\u{feff}{text}").into_bytes()),
        ("invalid UTF-8", text.replace("north", "no").into_bytes().into_iter().chain([0xff]).collect()),
        (
            "invalid UTF-8 in a text",
            text.replace("north", "\u{1}").bytes().map(|b| if b == 1 { 0xff } else { b }).collect(),
        ),
        ("a thousand arrays in a property", text.replace("1.5", &("[".repeat(999) + &"]".repeat(999))).into_bytes()),
        ("another token", user_token().into_bytes()),
    ] {
        table.claims(CLAIMS, format!("claims: {label}"), bytes);
    }
}

fn parties(table: &mut Table) {
    let iss = TENANT.issuer.as_str();
    for wrong in [
        "",
        "latchkey",
        TENANT.issuer.tenant_id.as_str(),
        OTHER.issuer.as_str(),
        &format!("{iss}/"),
        &format!("{iss}?"),
        &format!("{iss}#"),
        &format!(" {iss}"),
        &format!("{iss}\0"),
        &iss.to_uppercase(),
        &iss.replace("latchkey", "LATCHKEY"),
        &iss.replace("https", "http"),
        &iss.replace(".com", ".com:443"),
        &iss.replace(".com", ".com."),
        &iss.replace(".com", ".com.attacker.example"),
        &iss.replace("latchkey", "attacker"),
        &iss.replace("/t/", "//t/"),
        &iss.replace("/t/", "/t/../t/"),
        &iss[..iss.len() - 1],
        "https://latchkey.example.com",
    ] {
        table.claim(ISS, [("iss", json!(wrong))]);
    }
    let other = OTHER.issuer.tenant_id.as_str();
    let own = TENANT.issuer.tenant_id.as_str();
    for wrong in ["", "*", other, iss, &own.to_uppercase(), &format!("{own} "), &format!("{own},{other}"), &own[4..]] {
        table.claim(AUD, [("aud", json!(wrong))]);
    }
    for wrong in [other, "tnt_unknown", &own.to_uppercase().replace("TNT", "tnt")] {
        table.claim(AUD, [("tenant_id", json!(wrong))]);
    }
    table.claim(AUD, [("aud", json!(other)), ("tenant_id", json!(other))]);
    table.claim(AUD, [("iss", json!(OTHER.issuer.as_str())), ("aud", json!(other)), ("tenant_id", json!(other))]);
    table.claim(CLIENT, [("client_id", json!("key_0011223344556600"))]);
    table.claim(CLIENT, [("key_id", json!("key_0011223344556600"))]);
}

fn times(table: &mut Table) {
    let mut times = |because, iat: u64, exp: u64| table.claim(because, [("iat", json!(iat)), ("exp", json!(exp))]);
    times(EXPIRED, NOW - 3600, NOW);
    times(EXPIRED, NOW - 3600, NOW - 1);
    times(EXPIRED, NOW - 86_400, NOW);
    times(EXPIRED, 0, 3600);
    times(EXPIRED, 0, 0);
    times(EARLY, NOW + 6, NOW + 3606);
    times(EARLY, NOW + 86_400, NOW + 90_000);
    times(EARLY, NOW * 1000, NOW * 1000 + 3600);
    times(EARLY, u64::MAX, u64::MAX);
    times(LIFETIME, NOW, NOW + 59);
    times(LIFETIME, NOW, NOW + 86_401);
    times(LIFETIME, NOW - 1, NOW + 86_400);
    times(LIFETIME, NOW + 5, NOW + 5);
    times(LIFETIME, NOW + 5, NOW + 4);
    times(LIFETIME, NOW, NOW + 1);
    times(LIFETIME, 0, NOW + 3600);
    times(LIFETIME, NOW, NOW * 1000);
    times(LIFETIME, NOW, u64::MAX);
    times(LIFETIME, 0, u64::MAX);
    for nbf in [NOW + 6, NOW + 3600, NOW * 1000, u64::MAX] {
        table.claim(NOT_BEFORE, [("nbf", json!(nbf))]);
    }
    let mut header = TENANT.header();
    header.insert("kid".to_owned(), json!(TENANT.retired.kid()));
    for iat in [RETIRED_AT + 61, NOW, NOW + 5] {
        let mut claims = TENANT.user();
        claims.extend(fields(&json!({ "iat": iat, "exp": iat + 3600 })));
        let message = message(text(&header), text(&claims));
        table.add(RETIRED, format!("signed at {iat} with the key of before"), signed(&message, &TENANT.retired));
    }
}

fn subjects(table: &mut Table) {
    let uuid = json!(Uuid::from_u128(2));
    for sub in ["", "ada", "00000000000000000000000000000001", "urn:uuid:00000000-0000-0000-0000-000000000001"] {
        table.claim(SCOPE, [("sub", json!(sub))]);
    }
    let data = TENANT.registered()["data"].clone();
    table.claim(SCOPE, [("data", data.clone())]);
    table.claim(SCOPE, [("external_user_id", json!("ada"))]);
    table.claim(SCOPE, [("epochs.external_user", json!(0))]);
    table.claim(SCOPE, [("external_user_id", json!("ada")), ("epochs.external_user", json!(0))]);
    table.claim(SCOPE, [("scope", json!("registered_tenant"))]);
    table.claim(SCOPE, [("scope", json!("registered_tenant")), ("data", data)]);
    let mut registered = |changes: [(&str, Value); 1]| table.changed(SCOPE, "registered", TENANT.registered(), changes);
    registered([("scope", json!("project_user"))]);
    registered([("org_id", uuid.clone())]);
    registered([("role_id", uuid)]);
    registered([("properties", json!({}))]);
    registered([("epochs.organization", json!(0))]);
    registered([("epochs.user", json!(0))]);
    registered([("sub", json!(""))]);
    for name in ["data", "external_user_id", "epochs.external_user"] {
        table.claims(SCOPE, format!("registered without {name}"), without(TENANT.registered(), name));
    }
}

fn forms(table: &mut Table) {
    let token = user_token();
    let parts: Vec<_> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("three parts") };
    table.add(PARTS, "nothing", "");
    table.add(PARTS, "one word", "token");
    table.add(PARTS, "one dot", ".");
    table.add(PARTS, "header only", header);
    table.add(PARTS, "header and a dot", format!("{header}."));
    table.add(PARTS, "header and claims", format!("{header}.{claims}"));
    table.add(PARTS, "an API key", "up_embed_aaaaaaaaaaaaaaaaaaaaaaaa");
    table.add(SIGNATURE_LENGTH, "two dots", "..");
    table.add(SIGNATURE_LENGTH, "header and two dots", format!("{header}.."));
    table.add(SIGNATURE_LENGTH, "without its signature", format!("{header}.{claims}."));
    table.add(SIGNATURE_LENGTH, "claims, header, header", format!("{claims}.{header}.{header}"));
    table.add(SIGNATURE_LENGTH, "signature first", format!("{signature}.{header}.{claims}"));
    table.add(HEADER, "header and claims swapped", format!("{claims}.{header}.{signature}"));
    table.add(HEADER, "without its header", format!(".{claims}.{signature}"));
    table.add(CLAIMS, "without its claims", format!("{header}..{signature}"));
    table.add(CLAIMS, "its header twice", format!("{header}.{header}.{signature}"));
    for (label, text) in [
        ("four parts", format!("{token}.{signature}")),
        ("four parts, the last empty", format!("{token}.")),
        ("four parts, the first empty", format!(".{token}")),
        ("five parts, as of an encrypted one", format!("{header}.{signature}.{signature}.{claims}.{signature}")),
        ("two tokens", format!("{token}.{token}")),
        ("two tokens and a comma", format!("{token},{token}")),
        ("padding behind the header", format!("{header}=.{claims}.{signature}")),
        ("padding behind the claims", format!("{header}.{claims}=.{signature}")),
        ("padding behind the signature", format!("{token}==")),
        ("all padded", parts.iter().map(|part| padded(part)).collect::<Vec<_>>().join(".")),
        ("white space before it", format!(" {token}")),
        ("white space behind it", format!("{token} ")),
        ("line end behind it", format!("{token}\n")),
        ("NUL behind it", format!("{token}\0")),
        ("white space in it", format!("{header} .{claims}.{signature}")),
        ("folded", format!("{header}.\r\n {claims}.{signature}")),
        ("a scheme before it", format!("Bearer {token}")),
        ("quotes around it", format!("\"{token}\"")),
        ("a fragment behind it", format!("{token}#a")),
        ("a letter of another script", format!("{header}.{claims}.\u{430}{}", &signature[1..])),
        ("full-width dots", token.replace('.', "\u{ff0e}.")),
        ("a byte order mark before it", format!("\u{feff}{token}")),
        ("a zero-width space in it", format!("{header}.\u{200b}{claims}.{signature}")),
        ("bits behind the end of the signature", format!("{header}.{claims}.{}", &next_character(signature))),
        ("a character more", format!("{token}AAA")),
        ("a character less", token[..token.len() - 1].to_owned()),
        ("percent-encoded", format!("{header}.{claims}.{signature}%3D")),
    ] {
        table.add(ENCODING, label, text);
    }
    table.add(PARTS, "percent-encoded dots", token.replace('.', "%2E"));
    // The other alphabet, where it differs: with a character that has another spelling there.
    let mut odd = TENANT.user();
    set(&mut odd, "properties.region", json!("?>?>?>~~~\u{7f}\u{ff}"));
    let odd = signed(&message(text(&TENANT.header()), text(&odd)), &TENANT.key);
    assert!(TENANT.check(&odd).is_ok() && odd.contains(['-', '_']));
    table.add(ENCODING, "the other base64 alphabet", odd.replace('-', "+").replace('_', "/"));
    // Four bytes are six characters, of which the last has bits to spare.
    let spare = encode("{  }");
    table.add(
        ENCODING,
        "bits behind the end of the header",
        format!("{}.{claims}.{signature}", next_character(&spare)),
    );
    let json = json!({ "protected": header, "payload": claims, "signature": signature });
    table.add(PARTS, "flattened JSON", json.to_string());
    let json = json!({ "payload": claims, "signatures": [{ "protected": header, "signature": signature }] });
    table.add(PARTS, "general JSON", json.to_string());

    let mut long = TENANT.registered();
    set(&mut long, "data.displayName", json!("x".repeat(8000)));
    table.claims(LENGTH, "over 8 KB", text(&long));
    table.add(LENGTH, "over 8 KB of nothing", "A".repeat(LONGEST_TOKEN + 1));
    table.add(LENGTH, "a megabyte of dots", ".".repeat(1 << 20));
}

/// With the padding that base64 has elsewhere.
fn padded(part: &str) -> String {
    BASE64URL.encode(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap())
}

/// The same bytes with one of the bits set that stand for nothing.
fn next_character(part: &str) -> String {
    let (rest, last) = part.split_at(part.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let position = alphabet.find(last).unwrap();
    format!("{rest}{}", &alphabet[position + 1..position + 2])
}

/// The order of the curve's group (SEC 2 §2.4.2).
const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

fn signatures(table: &mut Table) {
    let whole = message(text(&TENANT.header()), text(&TENANT.user()));
    let sign = |message: &[u8]| TENANT.key.sign(message).unwrap();
    let right = sign(whole.as_bytes());
    let (r, s) = right.split_at(32);
    let order = HEXLOWER.decode(ORDER.as_bytes()).unwrap();
    let (zero, one) = (vec![0; 32], [vec![0; 31], vec![1]].concat());
    for (label, signature) in [
        ("r and s swapped", [s, r].concat()),
        ("all zero", vec![0; 64]),
        ("all ones", vec![0xff; 64]),
        ("r is zero", [&zero, s].concat()),
        ("s is zero", [r, &zero].concat()),
        ("r and s are one", [&*one, &one].concat()),
        ("r is the order", [&order, s].concat()),
        ("s is the order", [r, &order].concat()),
        ("both are the order", [&*order, &order].concat()),
        ("r twice", [r, r].concat()),
        ("first bit flipped", flipped(&right, 0, 0x80)),
        ("last bit flipped", flipped(&right, 63, 1)),
        ("a bit in the middle flipped", flipped(&right, 32, 1)),
        ("of the claims only", sign(encode(text(&TENANT.user())).as_bytes())),
        ("of the message and a dot", sign(format!("{whole}.").as_bytes())),
        (
            "of the message's hash",
            sign(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, whole.as_bytes()).as_ref()),
        ),
        ("of another token", sign(b"message")),
        ("of the other tenant's key", OTHER.key.sign(whole.as_bytes()).unwrap()),
        ("of the key of before", TENANT.retired.sign(whole.as_bytes()).unwrap()),
    ] {
        table.signature(FORGED, format!("signature: {label}"), &signature);
    }
    for (label, signature) in [
        ("DER", [vec![0x30, 70], integer(r), integer(s)].concat()),
        ("63 bytes", right[..63].to_vec()),
        ("65 bytes", [&right[..], &[0]].concat()),
        ("65 bytes, a zero first", [&[0], &right[..]].concat()),
        ("r only", r.to_vec()),
        ("twice", [&right[..], &right].concat()),
        ("hexadecimal", HEXLOWER.encode(&right).into_bytes()),
        ("a byte", vec![0]),
    ] {
        table.signature(SIGNATURE_LENGTH, format!("signature: {label}"), &signature);
    }
    // Pieces of two valid tokens.
    let (one, other) =
        (user_token(), signed(&message(text(&TENANT.header()), text(&TENANT.registered())), &TENANT.key));
    let [one, other]: [Vec<_>; 2] = [&one, &other].map(|token| token.split('.').collect());
    table.add(FORGED, "the claims of another token", format!("{}.{}.{}", one[0], other[1], one[2]));
    table.add(FORGED, "the signature of another token", format!("{}.{}.{}", one[0], one[1], other[2]));

    // Of the other tenant.
    let theirs = signed(&message(text(&OTHER.header()), text(&OTHER.user())), &OTHER.key);
    assert!(OTHER.check(&theirs).is_ok());
    table.add(KID, "the other tenant's token", theirs);
    let under_our_kid = message(text(&TENANT.header()), text(&OTHER.user()));
    table.add(FORGED, "the other tenant's token under our kid", signed(&under_our_kid, &OTHER.key));
    table.add(AUD, "the other tenant's claims, signed by us", signed(&under_our_kid, &TENANT.key));
    let under_theirs = message(text(&OTHER.header()), text(&TENANT.user()));
    table.add(KID, "our claims under the other tenant's kid", signed(&under_theirs, &OTHER.key));
    table.add(KID, "our claims under the other tenant's kid, signed by us", signed(&under_theirs, &TENANT.key));
}

fn flipped(bytes: &[u8], position: usize, bits: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[position] ^= bits;
    bytes
}

/// A positive integer in DER.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let bytes: Vec<_> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    let bytes = if bytes[0] & 0x80 == 0 { bytes } else { [vec![0], bytes].concat() };
    [vec![2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

fn refused() -> Vec<(&'static str, String, String)> {
    let mut table = Table::default();
    for part in
        [algorithms, header_members, header_texts, claim_types, claim_sets, parties, times, subjects, forms, signatures]
    {
        part(&mut table);
    }
    table.rows
}

#[test]
fn what_the_refused_tokens_are_made_from_is_valid() {
    for claims in [TENANT.user(), TENANT.registered()] {
        let token = signed(&message(text(&TENANT.header()), text(&claims)), &TENANT.key);
        let read = TENANT.check(&token).unwrap();
        assert_eq!(fields(&serde_json::to_value(read).unwrap()), claims);
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
    assert!(rows.len() >= 500, "{}", rows.len());
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
    // Three bytes are four characters, so not every length is there.
    let lengths = (5000..6000).map(|length| {
        let mut claims = TENANT.registered();
        set(&mut claims, "data.displayName", json!("x".repeat(length)));
        signed(&message(text(&TENANT.header()), text(&claims)), &TENANT.key)
    });
    let longest = lengths.take_while(|token| token.len() <= LONGEST_TOKEN).last().unwrap();
    assert!(longest.len() >= LONGEST_TOKEN - 1 && TENANT.check(&longest).is_ok());
}

/// Whoever has a valid signature can write another one of the same message: the second number's complement. It is the same
/// token, with the same `jti`, and is revoked with it.
#[test]
fn the_other_spelling_of_a_signature_is_the_same_token() {
    let token = user_token();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    let order = HEXLOWER.decode(ORDER.as_bytes()).unwrap();
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
    let moved = UnverifiedToken::parse(&token).unwrap().verify(&OTHER.issuer, &keys, at(NOW));
    assert_eq!(moved.unwrap_err(), Refused(AUD));
    let elsewhere = Issuer::new("https://other.example.com", &TENANT.issuer.tenant_id);
    let moved = UnverifiedToken::parse(&token).unwrap().verify(&elsewhere, &keys, at(NOW));
    assert_eq!(moved.unwrap_err(), Refused(ISS));
    for keys in [&[][..], &keys[1..]] {
        let unknown = UnverifiedToken::parse(&token).unwrap().verify(&TENANT.issuer, keys, at(NOW));
        assert_eq!(unknown.unwrap_err(), Refused(KID));
    }
}

#[test]
fn a_token_that_was_not_verified_does_not_print_itself() {
    let token = user_token();
    assert_eq!(format!("{:?}", UnverifiedToken::parse(&token)), "Ok(UnverifiedToken)");
}

static VALID: LazyLock<String> = LazyLock::new(user_token);

/// Any JSON, not too deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("\\PC{0,8}", inner), 0..4).prop_map(|fields| fields.into_iter().collect::<Value>()),
        ]
    })
}

proptest! {
    /// Its last character too: the bits behind the end of the signature have to be zero.
    #[test]
    fn one_other_character_anywhere_is_refused(position in 0..VALID.len(), other in any::<char>()) {
        let mut changed = VALID.clone();
        changed.replace_range(position..=position, other.encode_utf8(&mut [0; 4]));
        prop_assume!(changed != *VALID);
        prop_assert!(TENANT.check(&changed).is_err());
    }

    #[test]
    fn one_other_character_of_the_alphabet_anywhere_is_refused(position in 0..VALID.len(), other in "[A-Za-z0-9._=-]") {
        let mut changed = VALID.clone();
        changed.replace_range(position..=position, &other);
        prop_assume!(changed != *VALID);
        prop_assert!(TENANT.check(&changed).is_err());
    }

    #[test]
    fn a_piece_of_a_token_is_refused(cut in 0..VALID.len()) {
        prop_assert!(TENANT.check(&VALID[..cut]).is_err());
        prop_assert!(cut == 0 || TENANT.check(&VALID[cut..]).is_err());
    }

    #[test]
    fn no_text_panics(text in prop_oneof!["\\PC{0,300}", "[A-Za-z0-9_.=-]{0,400}", "\\PC{0,9}\\.\\PC{0,9}\\.\\PC{0,9}"]) {
        prop_assert!(TENANT.check(&text).is_err());
    }

    #[test]
    fn no_bytes_in_its_parts_panic(header: Vec<u8>, claims: Vec<u8>, signature: [u8; 32]) {
        let unsigned = format!("{}.{}", message(&header, &claims), encode([signature, signature].concat()));
        prop_assert!(TENANT.check(&unsigned).is_err());
        prop_assert!(TENANT.check(&signed(&message(&header, &claims), &TENANT.key)).is_err());
        prop_assert!(TENANT.check(&signed(&message(text(&TENANT.header()), &claims), &TENANT.key)).is_err());
    }

    /// The tenant's own signature makes nothing right.
    #[test]
    fn no_claim_of_any_value_panics(place in 0..TYPES.len(), value in any_json()) {
        let mut claims = TENANT.user();
        set(&mut claims, TYPES[place].0, value.clone());
        let answer = TENANT.check(&signed(&message(text(&TENANT.header()), text(&claims)), &TENANT.key));
        if let Ok(read) = answer {
            prop_assert_eq!(fields(&serde_json::to_value(read).unwrap()), claims);
        }
    }
}
