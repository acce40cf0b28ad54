//! Texts that are no valid token of the caller's tenant: introspection says of all of them the same, revoking one
//! changes nothing, and no text at all, valid token or not, opens an operation that takes another credential. What the
//! account surface, which takes tokens, makes of them is in `scoped_tokens`.
//!
//! The private keys are in the local Secrets Manager, so a test can sign what the service never would.

use std::collections::BTreeSet;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde_json::{Map, Value, json};
use shared::api::{OPERATIONS, OperationInfo, Surface};
use shared::domain::PublicKey;

use crate::support::{ApiKey, Deployment, END_USER, Member, ROLE, Tenant};

/// A real token, taken apart, and the key that it was signed with.
pub struct Forge {
    key: EcdsaKeyPair,
    public: PublicKey,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Forge {
    pub fn of(deployment: &Deployment, tenant: &Tenant, token: &str) -> Self {
        Self::with_key(deployment, tenant, token, None)
    }

    /// With another key of the tenant's than the one that signed the token.
    fn with_key(deployment: &Deployment, tenant: &Tenant, token: &str, kid: Option<&str>) -> Self {
        let mut parts = token.split('.').map(|part| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap());
        let mut fields = || serde_json::from_slice::<Map<String, Value>>(&parts.next().unwrap()).unwrap();
        let (mut header, claims) = (fields(), fields());
        header.extend(kid.map(|kid| ("kid".to_owned(), kid.into())));
        let stored = deployment.stored_signing_key(&tenant.id);
        let versions = stored.versions.iter();
        let keys = versions.flat_map(|(_, _, value)| serde_json::from_str::<Map<String, Value>>(value).unwrap());
        let keys = keys.filter_map(|(_, jwk)| {
            let [x, y, d] = ["x", "y", "d"].map(|name| jwk[name].as_str().map(str::to_owned));
            Some((PublicKey { x: x?, y: y? }, BASE64URL_NOPAD.decode(d?.as_bytes()).unwrap()))
        });
        let (public, private) = keys.into_iter().find(|(public, _)| header["kid"] == public.thumbprint()).unwrap();
        let [x, y] = [&public.x, &public.y].map(|text| BASE64URL_NOPAD.decode(text.as_bytes()).unwrap());
        let point = [vec![4], x, y].concat();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::from_private_key_and_public_key(algorithm, &private, &point).unwrap();
        Self { key, public, header, claims }
    }

    fn sign(&self, header: &Map<String, Value>, claims: &Map<String, Value>) -> String {
        let message = message(header, claims);
        format!("{message}.{}", encode(self.key.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref()))
    }

    /// With another header.
    fn header(&self, changes: &Value) -> String {
        self.sign(&changed(&self.header, changes), &self.claims)
    }

    /// With other claims.
    pub fn claims(&self, changes: &Value) -> String {
        self.sign(&self.header, &changed(&self.claims, changes))
    }

    pub fn now(&self) -> u64 {
        self.claims["iat"].as_u64().unwrap()
    }
}

fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

fn message(header: &Map<String, Value>, claims: &Map<String, Value>) -> String {
    let [header, claims] = [header, claims].map(|fields| encode(Value::Object(fields.clone()).to_string().as_bytes()));
    format!("{header}.{claims}")
}

/// These fields; `"-"` takes one away.
fn changed(fields: &Map<String, Value>, changes: &Value) -> Map<String, Value> {
    let mut fields = fields.clone();
    for (name, value) in changes.as_object().unwrap() {
        if value == "-" {
            fields.remove(name).unwrap();
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
    fields
}

/// Two tenants, each with an admin key, a member and its token; and tokens of all other kinds.
pub struct Scene {
    pub deployment: Deployment,
    pub key: ApiKey,
    pub member: Member,
    pub token: String,
    pub registered: String,
    pub account: ApiKey,
    /// A scoped token of [`END_USER`].
    pub scoped: String,
    /// A scoped token for the whole account.
    pub wide: String,
    other: ApiKey,
    pub others: String,
}

impl Scene {
    pub async fn set() -> Self {
        let deployment = Deployment::start().await;
        let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Beta").await);
        let (key, other) = (deployment.api_key(&tenant, "admin").await, deployment.api_key(&other, "admin").await);
        let member = deployment.member(&key, "acme", "ada").await;
        let token = deployment.token(&key, &member).await;
        let registered = register(&deployment, &key, &json!({ "key": "older", "user": "eve" })).await;
        let others = deployment.member(&other, "acme", "ada").await;
        let others = deployment.token(&other, &others).await;
        let account = deployment.api_key(&tenant, "account").await;
        let scoped = deployment.scoped_token(&account, Some(END_USER)).await;
        let wide = deployment.scoped_token(&account, None).await;
        Self { deployment, key, member, token, registered, account, scoped, wide, other, others }
    }

    fn forge(&self) -> Forge {
        Forge::of(&self.deployment, &self.key.tenant, &self.token)
    }

    fn others_forge(&self) -> Forge {
        Forge::of(&self.deployment, &self.other.tenant, &self.others)
    }
}

async fn register(deployment: &Deployment, key: &ApiKey, fields: &Value) -> String {
    let mut body = json!({ "displayName": "Acme", "prefilters": { "region": "north" } });
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let call = deployment.backend(key, "POST", "/v1/api/tenant/register-tenant").json(&body);
    call.send().await.data(200)["token"].as_str().unwrap().to_owned()
}

/// A label, and what is no valid token of the tenant.
type Refused = Vec<(String, String)>;

/// All of them.
pub fn refused(scene: &Scene) -> Refused {
    [headers(scene), claims(scene), scoped_claims(scene), forms(scene)].concat()
}

/// Those that a header can hold (API Gateway takes 10 240 bytes of them) and that are no API key, for which some
/// operations are.
pub fn refused_in_a_header(scene: &Scene) -> Refused {
    let fits = |token: &str| token.len() < 9000 && token.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    refused(scene).into_iter().filter(|(_, token)| fits(token) && *token != scene.key.text).collect()
}

/// Wrong headers, signed.
fn headers(scene: &Scene) -> Refused {
    let (forge, others) = (scene.forge(), scene.others_forge());
    let mut all = Vec::new();
    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "None" }),
        json!({ "alg": "" }),
        json!({ "alg": null }),
        json!({ "alg": 256 }),
        json!({ "alg": ["ES256"] }),
        json!({ "alg": "es256" }),
        json!({ "alg": "ES256 " }),
        json!({ "alg": "ES384" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "RS256" }),
        json!({ "alg": "EdDSA" }),
        json!({ "alg": "-" }),
        json!({ "typ": "JWT" }),
        json!({ "typ": "at+JWT" }),
        json!({ "typ": "application/at+jwt" }),
        json!({ "typ": null }),
        json!({ "typ": "-" }),
        json!({ "kid": "" }),
        json!({ "kid": "../../../../dev/null" }),
        json!({ "kid": "' OR '1'='1" }),
        json!({ "kid": "\u{0}" }),
        json!({ "kid": "😀" }),
        json!({ "kid": "k".repeat(4000) }),
        json!({ "kid": others.public.thumbprint() }),
        json!({ "kid": null }),
        json!({ "kid": 1 }),
        json!({ "kid": "-" }),
        json!({ "jwk": { "kty": "EC", "crv": "P-256", "x": forge.public.x, "y": forge.public.y } }),
        json!({ "jku": "https://attacker.example/jwks.json" }),
        json!({ "x5u": "https://attacker.example/certificate.pem" }),
        json!({ "x5c": ["AA=="] }),
        json!({ "crit": ["exp"] }),
        json!({ "b64": false }),
        json!({ "zip": "DEF" }),
        json!({ "cty": "JWT" }),
    ] {
        all.push((format!("header {header:.60}"), forge.header(&header)));
    }
    all
}

/// Wrong claims, signed.
fn claims(scene: &Scene) -> Refused {
    let forge = scene.forge();
    let registered = Forge::of(&scene.deployment, &scene.key.tenant, &scene.registered);
    let now = forge.now();
    let mut all = Vec::new();
    let iss = forge.claims["iss"].as_str().unwrap();
    let (own, other) = (scene.key.tenant.id.as_str(), scene.other.tenant.id.as_str());
    let no_user = json!({ "tenant": 0, "key": 0, "organization": 0 });
    for claims in [
        json!({ "iss": "-" }),
        json!({ "iss": format!("{iss}/") }),
        json!({ "iss": iss.to_uppercase() }),
        json!({ "iss": iss.replace("http://", "https://") }),
        json!({ "iss": format!("https://attacker.example/t/{own}") }),
        json!({ "iss": [iss] }),
        json!({ "aud": "-" }),
        json!({ "aud": other }),
        json!({ "aud": [own] }),
        json!({ "tenant_id": other }),
        json!({ "tenant_id": "tnt_unknown" }),
        json!({ "tenant_id": null }),
        json!({ "iss": iss.replace(own, other), "aud": other, "tenant_id": other }),
        json!({ "client_id": scene.other.id }),
        json!({ "key_id": scene.other.id, "client_id": scene.other.id }),
        json!({ "key_id": "key_0000000000000000", "client_id": "key_0000000000000000" }),
        json!({ "sub": "-" }),
        json!({ "sub": "ada" }),
        json!({ "sub": "00000000-0000-0000-0000-000000000000" }),
        json!({ "org_id": "00000000-0000-0000-0000-000000000000" }),
        json!({ "org_id": scene.member.user_id }),
        json!({ "org_id": "-" }),
        json!({ "role_id": "-" }),
        json!({ "properties": "-" }),
        json!({ "properties": [] }),
        json!({ "jti": "-" }),
        json!({ "jti": "../" }),
        json!({ "scope": "-" }),
        json!({ "scope": "registered_tenant" }),
        json!({ "scope": "admin" }),
        json!({ "data": registered.claims["data"] }),
        json!({ "external_user_id": "bob" }),
        json!({ "external_user_id": "" }),
        json!({ "org_external_id": "another" }),
        json!({ "org_external_id": null }),
        json!({ "admin": true }),
        json!({ "exp": now - 1 }),
        json!({ "iat": now - 3600, "exp": now - 1 }),
        json!({ "iat": now + 600, "exp": now + 4200 }),
        json!({ "iat": now, "exp": now + 59 }),
        json!({ "iat": now, "exp": now + 86_401 }),
        json!({ "iat": 0 }),
        json!({ "exp": "-" }),
        json!({ "exp": u64::MAX }),
        json!({ "exp": 1.5 }),
        json!({ "exp": (now + 3600).to_string() }),
        json!({ "nbf": now + 600 }),
        json!({ "epochs": "-" }),
        json!({ "epochs": null }),
        json!({ "epochs": no_user }),
        json!({ "epochs": { "tenant": 1, "key": 0, "organization": 0, "user": 0 } }),
        json!({ "epochs": { "tenant": 0, "key": 1, "organization": 0, "user": 0 } }),
        json!({ "epochs": { "tenant": 0, "key": 0, "organization": 1, "user": 0 } }),
        json!({ "epochs": { "tenant": 0, "key": 0, "organization": 0, "user": 1 } }),
    ] {
        all.push((format!("claims {claims:.60}"), forge.claims(&claims)));
    }
    for claims in [
        json!({ "scope": "project_user" }),
        json!({ "org_id": scene.member.organization_id }),
        json!({ "org_external_id": "acme" }),
        json!({ "role_id": ROLE }),
        json!({ "properties": {} }),
        json!({ "data": "-" }),
        json!({ "sub": "" }),
        json!({ "external_user_id": "-" }),
        json!({ "external_user_id": "" }),
        json!({ "epochs": { "tenant": 0, "key": 0 } }),
        json!({ "epochs": { "tenant": 0, "key": 0, "external_user": 1 } }),
        json!({ "epochs": { "tenant": 0, "key": 0, "external_user": 0, "user": 0 } }),
    ] {
        all.push((format!("registered {claims:.60}"), registered.claims(&claims)));
    }
    all
}

/// Wrong claims of scoped tokens, signed.
fn scoped_claims(scene: &Scene) -> Refused {
    let scoped = Forge::of(&scene.deployment, &scene.account.tenant, &scene.scoped);
    let wide = Forge::of(&scene.deployment, &scene.account.tenant, &scene.wide);
    let now = scoped.now();
    let data = json!({ "displayName": "x", "parentOrgId": ROLE, "payload": {} });
    let both = [
        json!({ "scope": "project_user" }),
        json!({ "scope": "registered_tenant" }),
        json!({ "scope": "admin" }),
        json!({ "sub": "" }),
        json!({ "sub": "external:nobody" }),
        json!({ "sub": ROLE }),
        json!({ "key_id": scene.key.id, "client_id": scene.key.id, "epochs": { "tenant": 0, "key": 7 } }),
        json!({ "org_id": scene.member.organization_id }),
        json!({ "org_external_id": "acme" }),
        json!({ "role_id": ROLE }),
        json!({ "properties": {} }),
        json!({ "data": data }),
        json!({ "iat": now - 3600, "exp": now - 1 }),
        json!({ "iat": now, "exp": now + 86_401 }),
        json!({ "epochs": { "tenant": 1, "key": 0, "external_user": 0 } }),
        json!({ "epochs": { "tenant": 0, "key": 1, "external_user": 0 } }),
        json!({ "epochs": { "tenant": 0, "key": 0, "external_user": 1 } }),
        json!({ "epochs": { "tenant": 0, "key": 0, "external_user": 0, "user": 0 } }),
        json!({ "epochs": { "tenant": 0, "key": 0, "external_user": 0, "organization": 0 } }),
    ];
    let of_user = [
        json!({ "scope": "account" }),
        json!({ "scope": "account", "sub": scene.account.id }),
        json!({ "scope": "account", "sub": scene.account.id, "external_user_id": "-" }),
        json!({ "external_user_id": "bob" }),
        json!({ "external_user_id": END_USER.to_uppercase() }),
        json!({ "external_user_id": "-" }),
        json!({ "sub": "external:bob" }),
        json!({ "sub": END_USER }),
        json!({ "epochs": { "tenant": 0, "key": 0 } }),
    ];
    let of_account = [
        json!({ "scope": "end_user" }),
        json!({ "external_user_id": END_USER }),
        json!({ "external_user_id": END_USER, "epochs": { "tenant": 0, "key": 0, "external_user": 0 } }),
        json!({ "scope": "end_user", "sub": format!("external:{END_USER}"), "external_user_id": END_USER }),
        json!({ "sub": scene.key.id }),
        json!({ "key_id": scene.key.id, "client_id": scene.key.id }),
    ];
    let named = |name: &'static str, forge: &Forge, claims: &[Value]| -> Refused {
        claims.iter().map(|claims| (format!("{name} {claims:.80}"), forge.claims(claims))).collect()
    };
    [
        named("scoped", &scoped, &both),
        named("scoped", &scoped, &of_user),
        named("wide", &wide, &both),
        named("wide", &wide, &of_account),
    ]
    .concat()
}

/// Others' tokens, no tokens, and pieces of them.
fn forms(scene: &Scene) -> Refused {
    let (forge, others) = (scene.forge(), scene.others_forge());
    let registered = Forge::of(&scene.deployment, &scene.key.tenant, &scene.registered);
    let parts: Vec<_> = scene.token.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);
    let bytes = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    let resigned = |bytes: &[u8]| format!("{header}.{claims}.{}", encode(bytes));
    let flipped: Vec<_> = bytes.iter().enumerate().map(|(n, byte)| if n == 40 { byte ^ 1 } else { *byte }).collect();
    let none = message(&changed(&forge.header, &json!({ "alg": "none" })), &forge.claims);
    let long =
        registered.claims(&json!({ "data": { "displayName": "x".repeat(8000), "parentOrgId": ROLE, "payload": {} } }));
    let all = [
        ("the other tenant's", scene.others.clone()),
        ("our claims, signed by the other tenant", others.sign(&forge.header, &forge.claims)),
        ("the other tenant's claims, signed by us", forge.sign(&forge.header, &others.claims)),
        ("the other tenant's claims and kid, signed by us", forge.sign(&others.header, &others.claims)),
        ("nothing", String::new()),
        ("a word", "garbage".to_owned()),
        ("dots", "..".to_owned()),
        ("an API key", scene.key.text.clone()),
        ("a tenant's secret", scene.key.tenant.secret.clone()),
        ("the admin key", scene.deployment.key().to_owned()),
        ("a uuid", ROLE.to_owned()),
        ("characters of all kinds", "\u{0}\u{feff}😀é\u{202e}\"'<>&%+=\\".to_owned()),
        ("JSON", json!({ "payload": claims, "protected": header, "signature": signature }).to_string()),
        ("alg none, no signature", format!("{none}.")),
        ("alg none, two parts", none),
        ("no signature", format!("{header}.{claims}.")),
        ("two parts", format!("{header}.{claims}")),
        ("four parts", format!("{header}.{claims}.{signature}.{signature}")),
        ("five parts", format!("{header}.{signature}.{signature}.{claims}.{signature}")),
        ("parts swapped", format!("{claims}.{header}.{signature}")),
        ("padded", format!("{header}.{claims}.{signature}==")),
        ("white space before it", format!(" {}", scene.token)),
        ("line end behind it", format!("{}\n", scene.token)),
        ("a scheme before it", format!("Bearer {}", scene.token)),
        ("cut short", scene.token[..scene.token.len() - 1].to_owned()),
        ("a bit of the signature flipped", resigned(&flipped)),
        ("a signature of zeros", resigned(&[0; 64])),
        ("a signature with its halves swapped", resigned(&[&bytes[32..], &bytes[..32]].concat())),
        ("a signature of 63 bytes", resigned(&bytes[..63])),
        ("a signature of 65 bytes", resigned(&[&bytes[..], &[0]].concat())),
        (
            "the signature of another token",
            format!("{header}.{claims}.{}", scene.registered.rsplit_once('.').unwrap().1),
        ),
        ("over 8 KB", long),
        ("16 KB of dots", ".".repeat(1 << 14)),
    ];
    all.map(|(label, token)| (label.to_owned(), token)).into()
}

/// Each byte as `%41`, whatever it is.
fn form(token: &str) -> String {
    let encoded: String = token.bytes().map(|byte| ["%", &HEXLOWER.encode(&[byte])].concat()).collect();
    format!("token={encoded}&token_type_hint=access_token")
}

#[tokio::test]
async fn whatever_is_no_valid_token_is_inactive_and_leads_nowhere_else() {
    let scene = Scene::set().await;
    let (deployment, key) = (&scene.deployment, &scene.key);
    let forge = scene.forge();
    // What they are made from is valid, and so is what is signed here as the service would.
    let scoped = Forge::of(deployment, &key.tenant, &scene.scoped).claims(&json!({}));
    let made = [forge.claims(&json!({})), scoped];
    for token in [&scene.token, &scene.registered, &scene.scoped, &scene.wide].into_iter().chain(&made) {
        assert!(deployment.is_active(key, token).await);
    }
    let refused = refused(&scene);
    let texts: BTreeSet<_> = refused.iter().map(|(_, token)| token).collect();
    assert!(texts.len() == refused.len() && texts.len() >= 170, "{} of {}", texts.len(), refused.len());
    let before = deployment.items_but_events().await;
    for (label, token) in &refused {
        let introspect = deployment.backend(key, "POST", "/api/v1/auth/introspect").json(&json!({ "token": token }));
        let content_type = "application/x-www-form-urlencoded";
        let revoke = deployment.backend(key, "POST", "/api/v1/auth/revoke").body(content_type, form(token));
        for (call, expected) in [(introspect, r#"{"active":false}"#), (revoke, "{}")] {
            let (answer, calls) = deployment.calls_of(call).await;
            assert_eq!((answer.status, answer.text.as_str()), (200, expected), "{label}");
            // What the tenant signed can be revoked though it is not valid here and now; nothing else is written.
            let kept = calls.get(1).map(|call| call.request["TransactItems"][0]["Update"]["Key"].clone());
            assert!(calls.len() <= 1 + usize::from(expected == "{}"), "{label}: {calls:?}");
            if let Some(kept) = kept {
                assert_eq!(kept["sk"]["S"], "TOKEN", "{label}");
                deployment.dynamodb("DeleteItem", &json!({ "TableName": deployment.table(), "Key": kept })).await;
            }
            // Whoever the token says it is of: what is read is the caller's tenant's.
            let keys = calls[0].request["RequestItems"][deployment.table()]["Keys"].as_array().unwrap();
            let own = format!("TENANT#{}", key.tenant.id);
            assert!(keys.iter().all(|key| key["pk"]["S"].as_str().unwrap().starts_with(&own)), "{label}: {keys:?}");
        }
    }
    assert_eq!(deployment.items_but_events().await, before);
    for token in [&scene.token, &scene.registered, &scene.scoped, &scene.wide] {
        assert!(deployment.is_active(key, token).await);
    }
    assert!(deployment.is_active(&scene.other, &scene.others).await);
}

#[tokio::test]
async fn a_text_that_is_no_token_costs_the_read_of_the_callers_key_and_nothing_more() {
    let scene = Scene::set().await;
    let deployment = &scene.deployment;
    deployment.introspect(&scene.key, "").await;
    let unsigned = scene.token.rsplit_once('.').unwrap().0;
    for token in ["", "garbage", "a.b.c", &"x".repeat(9000), &scene.key.text, &format!("{unsigned}.")] {
        for path in ["/api/v1/auth/introspect", "/api/v1/auth/revoke"] {
            let call = deployment.backend(&scene.key, "POST", path).json(&json!({ "token": token }));
            let (answer, calls) = deployment.calls_of(call).await;
            answer.document(200);
            assert_eq!(calls.len(), 1);
            let keys = &calls[0].request["RequestItems"][deployment.table()]["Keys"];
            let mut sort_keys: Vec<_> =
                keys.as_array().unwrap().iter().map(|key| key["sk"]["S"].as_str().unwrap()).collect();
            sort_keys.sort_unstable();
            assert_eq!(sort_keys, ["KEY", "STATE"]);
        }
    }
}

/// A body with which the operation would be carried out, if the credential were one for it.
fn body(entry: &OperationInfo, scene: &Scene) -> Option<Value> {
    let (project, member) = (scene.key.tenant.project_id(), &scene.member);
    Some(match entry.route.name {
        "provision-tenant" => json!({ "tenant_name": "Acme" }),
        "update-tenant" => json!({ "rate_limit_per_min": 7 }),
        "provision-api-key" => json!({ "name": "Backend", "kind": "embed" }),
        "revoke-tokens" => json!({ "all": true }),
        "register-organization" => json!({ "name": "New", "projectId": project }),
        "register-user" => json!({
            "name": "New", "projectId": project, "userRoleId": ROLE, "properties": {},
            "projectOrganizationId": member.organization_id,
        }),
        "user-token" => json!({ "userId": member.user_id, "organizationId": member.organization_id }),
        "register-tenant" => json!({ "displayName": "New", "prefilters": {} }),
        "introspect" | "revoke-token" => json!({ "token": scene.token }),
        _ if entry.has_body() => json!({}),
        _ => return None,
    })
}

#[tokio::test]
async fn no_token_valid_or_not_opens_an_operation_that_takes_another_credential() {
    let scene = Scene::set().await;
    let deployment = &scene.deployment;
    let valid = [
        ("a user's", &scene.token),
        ("a registered tenant's", &scene.registered),
        ("an end user's", &scene.scoped),
        ("the account's", &scene.wide),
    ];
    let valid = valid.map(|(label, token)| (label.to_owned(), token.clone()));
    let refused = refused_in_a_header(&scene);
    assert!(refused.len() >= 160, "{}", refused.len());
    let before = deployment.items().await;
    let mark = deployment.stack.mark();
    // The account surface takes tokens.
    let closed = OPERATIONS.iter().filter(|entry| !entry.security.is_empty() && entry.surface != Surface::Account);
    let closed: Vec<_> = closed.collect();
    assert!(closed.iter().any(|entry| entry.surface == Surface::Projects));
    for (turn, entry) in closed.into_iter().enumerate() {
        // Half of them each time, and over all operations each of them many times.
        let texts: Vec<_> = valid.iter().chain(refused.iter().cycle().skip(turn * 60).take(60)).collect();
        for path in entry.route.paths() {
            let query = match entry.surface {
                Surface::Registry => format!("?tenant_id={}&key_id={}", scene.key.tenant.id, scene.key.id),
                _ => String::new(),
            };
            for (label, token) in &texts {
                let call = deployment.anonymous(entry.route.method.as_str(), &format!("{path}{query}"));
                let call = call.header("authorization", &format!("Bearer {token}"));
                let call = match body(entry, &scene) {
                    Some(body) => call.json(&body),
                    None => call,
                };
                let answer = call.send().await;
                assert_eq!(answer.status, 401, "{path} with {label}: {}", answer.text);
                // Its shape is all that was looked at.
                assert!(answer.reason().is_some(), "{path} with {label}: {}", answer.text);
            }
        }
    }
    // Not even asked for: a token has not the shape of an API key.
    assert!(deployment.stack.calls_since(mark).iter().all(|call| call.caller.is_none()));
    assert_eq!(deployment.items().await, before);
}

/// The standby key is published, and nothing that it signed can be a token of the tenant's.
#[tokio::test]
async fn a_token_of_the_standby_key_is_a_forgery_until_it_signs() {
    let scene = Scene::set().await;
    let (deployment, key) = (&scene.deployment, &scene.key);
    let tenant = &key.tenant;
    let standby = deployment.standby_kid(&tenant.id).await.unwrap();
    let forge = Forge::with_key(deployment, tenant, &scene.token, Some(&standby));
    let early = forge.claims(&json!({}));
    assert!(!deployment.is_active(key, &early).await);
    deployment.age_standby_key(&tenant.id, 900).await;
    assert!(!deployment.is_active(key, &early).await, "it may sign, and does not yet");
    deployment.post_nothing(&format!("/api/v1/rotate/signing-key?tenant_id={}", tenant.id)).await.data(200);
    assert_eq!(deployment.signing_kid(&tenant.id).await, standby);
    assert!(deployment.is_active(key, &forge.claims(&json!({}))).await, "or the forgery would be none");
}

#[tokio::test]
async fn a_key_that_was_replaced_verifies_what_it_signed_and_nothing_newer() {
    let scene = Scene::set().await;
    let (deployment, key) = (&scene.deployment, &scene.key);
    let forge = scene.forge();
    let path = format!("/api/v1/rotate/signing-key?tenant_id={}", key.tenant.id);
    deployment.post(&path, &json!({ "force": true })).await.data(200);
    // As if it had been replaced an hour ago.
    let partition = format!("TENANT#{}", key.tenant.id);
    let items = deployment.items().await;
    let set = items.iter().find(|item| item["pk"]["S"] == *partition && item["sk"]["S"] == "SIGNING");
    let mut set = set.unwrap().clone();
    let mut keys: Value = serde_json::from_str(set["key_set"]["S"].as_str().unwrap()).unwrap();
    let retired = keys.as_array_mut().unwrap().iter_mut().find(|known| known["kid"] == forge.header["kid"]).unwrap();
    let hour_ago = shared::domain::Timestamp::from_millis(i64::try_from((forge.now() - 3600) * 1000).unwrap());
    retired["retired_at"] = json!(hour_ago.to_string());
    set["key_set"]["S"] = json!(keys.to_string());
    deployment.dynamodb("PutItem", &json!({ "TableName": deployment.table(), "Item": set })).await;

    let issued = |ago: u64| json!({ "iat": forge.now() - ago, "exp": forge.now() + 3600 });
    assert!(!deployment.is_active(key, &scene.token).await);
    assert!(!deployment.is_active(key, &forge.claims(&issued(0))).await);
    assert!(!deployment.is_active(key, &forge.claims(&issued(3539))).await);
    assert!(deployment.is_active(key, &forge.claims(&issued(3541))).await);
    assert!(deployment.is_active(key, &forge.claims(&issued(3601))).await);
    assert!(deployment.is_active(key, &deployment.token(key, &scene.member).await).await);
}

/// Whatever a tenant registers, its tokens can be used.
#[tokio::test]
async fn the_longest_tokens_that_are_issued_are_active() {
    let scene = Scene::set().await;
    let (deployment, key) = (&scene.deployment, &scene.key);
    let properties = json!({ "a": "x".repeat(4088) });
    let fields =
        json!({ "name": "x", "externalId": "long", "projectOrganizationId": "acme", "properties": properties });
    deployment.register_user(key, &fields).await.data(200);
    let answer = deployment.user_token(key, &json!({ "userId": "long" })).await;
    assert!(deployment.is_active(key, answer.data(200)["token"].as_str().unwrap()).await);
    let prefilters = json!({ "a": "x".repeat(4096 - r#"{"prefilters":{"a":""}}"#.len()) });
    let mut refused = 0;
    for letter in ["x", "é", "株", "🙂", "\u{1}"] {
        let id = letter.repeat(256);
        let name = letter.repeat(120).replace('\u{1}', "x");
        let fields = json!({ "key": id, "user": id, "displayName": name, "prefilters": prefilters });
        let answer = deployment.backend(key, "POST", "/register-tenant").json(&fields).send().await;
        if answer.status == 200 {
            let token = answer.data(200)["token"].as_str().unwrap();
            assert!(deployment.is_active(key, token).await, "{letter:?}: {} bytes", token.len());
        } else {
            answer.refused(409, "properties_too_large");
            refused += 1;
        }
    }
    assert_eq!(refused, 3, "what would be too long to be looked at is not issued");
}
