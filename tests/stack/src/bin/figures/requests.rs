//! The requests that are measured, and the tenants whose they are.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::{digest, hmac};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use stack::{Error, Invocation, InvokeResult, Result, Stack};

use crate::because;
use crate::people::{ORIGIN, Passkey, Phone, RP_ID};

/// An operation that is measured: a name without blanks, and the function that does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    pub name: &'static str,
    pub function: &'static str,
}

const fn operation(function: &'static str) -> Operation {
    Operation { name: function, function }
}

/// The function that two operations have: with signatures of each version one.
const WHOAMI: &str = "relay-whoami";
const WHOAMI_V2: &str = "relay-whoami-v2";
/// A login by the ids that its tenant gave, which can mean one thing only: fewer items are read.
const BY_EXTERNAL_IDS: &str = "user-token-external-ids";

/// What clients ask most, of each kind of credential one: what `docs/operate/speed.txt` has.
pub const HOT: [Operation; 7] = [
    operation("user-token"),
    operation("introspect"),
    Operation { name: "relay-whoami-v1", function: WHOAMI },
    Operation { name: WHOAMI_V2, function: WHOAMI },
    operation("agent-session"),
    operation("device-pairings"),
    operation("webauthn-authenticate-verify"),
];

/// What is counted beside it.
pub const OTHERS: [Operation; 7] = [
    Operation { name: BY_EXTERNAL_IDS, function: "user-token" },
    operation("webauthn-authenticate-options"),
    operation("jwks"),
    operation("fetch-tenant"),
    operation("provision-tenant"),
    operation("workspaces"),
    operation("reconcile"),
];

/// The functions that make a tenant and what it has, in their order.
const PREPARING: [&str; 5] =
    ["provision-tenant", "provision-api-key", "register-organization", "register-user", "user-token"];
/// Those that make a tenant with a person who has a passkey. The last one is also asked before each end of a login.
const ENROLLING: [&str; 4] =
    ["provision-tenant", "webauthn-register-options", "webauthn-register-verify", "webauthn-authenticate-options"];
/// Those that make a tenant with a person who has a phone.
const PAIRING: [&str; 3] = ["provision-tenant", "relay-prepare-pairing", "device-register-token"];

/// Those that make a tenant with an agent session.
const CONVERSING: [&str; 3] = ["provision-tenant", "provision-api-key", "agent-sessions"];

/// The tenant in the files, its id as a project's, the agent session, and the token that is none.
const TENANT: &str = "tnt_00000000000000000000000000000000";
const PROJECT: &str = "00000000-0000-0000-0000-000000000000";
const SESSION: &str = "01900000-0000-7000-8000-000000000001";
const TOKEN: &str = "not-a-token";

/// Numbers of proofs.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

/// What has to have happened before a function can be asked for what it does.
pub fn preparing(function: &str) -> &'static [&'static str] {
    let steps = match function {
        "webauthn-authenticate-options" | "webauthn-authenticate-verify" => return &ENROLLING,
        "device-pairings" => return &PAIRING,
        "agent-session" => return &CONVERSING,
        "introspect" => 5,
        "user-token" => 4,
        "workspaces" => 2,
        _ => 1,
    };
    PREPARING.get(..steps).unwrap_or(&PREPARING)
}

/// A tenant with what its requests need.
#[derive(Debug, Default)]
pub struct Tenant {
    pub id: String,
    secret: String,
    admin_key: String,
    account_key: String,
    token: String,
    session: String,
    passkey: Option<Passkey>,
    phone: Option<Phone>,
}

/// The files in `events/`.
#[derive(Debug)]
pub struct Requests {
    folder: PathBuf,
    /// The operator's key in them.
    pub operator_key: String,
}

impl Requests {
    pub fn new(folder: PathBuf) -> Result<Self> {
        let requests = Self { folder, operator_key: String::new() };
        let event = requests.event("provision-tenant", &Tenant::default())?;
        Ok(Self { operator_key: text(&event, "/headers/x-admin-key")?, ..requests })
    }

    /// A request to a function, as it is in its file but for whose it is.
    pub fn event(&self, function: &str, tenant: &Tenant) -> Result<Value> {
        let file = self.folder.join(function).with_extension("json");
        let content = fs::read_to_string(&file).map_err(because(file.display()))?;
        let content = content.replace(TENANT, &tenant.id).replace(PROJECT, &tenant.project());
        let content = content.replace(SESSION, &tenant.session).replace(TOKEN, &tenant.token);
        tenant.authorized(serde_json::from_str(&content).map_err(because(file.display()))?)
    }

    /// The next request for an operation: what has to be new in each is new.
    pub async fn next(&self, stack: &Stack, operation: Operation, tenant: &Tenant) -> Result<Value> {
        let event = self.event(operation.function, tenant)?;
        match (operation.name, &tenant.passkey) {
            (WHOAMI_V2, _) => tenant.signed_once(event),
            (BY_EXTERNAL_IDS, _) => with_fields(event, json!({ "userId": "ada", "organizationId": "acme" })),
            ("webauthn-authenticate-verify", Some(passkey)) => {
                let begin = "webauthn-authenticate-options";
                let options = body(&send(stack, begin, self.event(begin, tenant)?).await?)?;
                let credential = passkey.get(part(&options, "/data")?)?;
                tenant.authorized(with_fields(event, json!({ "credential": credential }))?)
            }
            _ => Ok(event),
        }
    }

    /// Makes a tenant with what those functions give it.
    pub async fn tenant(&self, stack: &Stack, steps: &[&str]) -> Result<Tenant> {
        let mut tenant = Tenant::default();
        let mut registered = Value::Null;
        for step in steps {
            let answer = async |fields: Value, tenant: &Tenant| {
                let event = tenant.authorized(with_fields(self.event(step, tenant)?, fields)?)?;
                body(&send(stack, step, event).await?)
            };
            match *step {
                "provision-tenant" => {
                    // More than are sent in a minute.
                    let limit = json!({ "rate_limit_per_min": 10_000 });
                    let party = json!({
                        "rate_limit_per_min": 10_000, "passkeys_enabled": true, "webauthn_rp_id": RP_ID,
                        "webauthn_origins": [ORIGIN],
                    });
                    let enrols = steps.contains(&"webauthn-register-verify");
                    let answer = answer(if enrols { party } else { limit }, &tenant).await?;
                    tenant.id = text(&answer, "/data/tenant_id")?;
                    tenant.secret = text(&answer, "/data/tenant_secret")?;
                }
                "provision-api-key" => {
                    let key = async |kind| text(&answer(json!({ "kind": kind }), &tenant).await?, "/data/api_key");
                    let (admin_key, account_key) = (key("admin").await?, key("account").await?);
                    (tenant.admin_key, tenant.account_key) = (admin_key, account_key);
                }
                "agent-sessions" => tenant.session = text(&answer(json!({}), &tenant).await?, "/id")?,
                "user-token" => tenant.token = text(&answer(json!({}), &tenant).await?, "/data/token")?,
                "webauthn-register-options" => {
                    let options = answer(json!({}), &tenant).await?;
                    let (passkey, credential) = Passkey::create(part(&options, "/data")?)?;
                    (tenant.passkey, registered) = (Some(passkey), credential);
                }
                "webauthn-register-verify" => drop(answer(json!({ "credential": registered }), &tenant).await?),
                "relay-prepare-pairing" => {
                    let prepared = answer(json!({}), &tenant).await?;
                    tenant.phone = Some(Phone::new(&text(&prepared, "/data/pairing_url")?)?);
                }
                "device-register-token" => tenant.pair(stack, self.event(step, &tenant)?).await?,
                _ => drop(answer(json!({}), &tenant).await?),
            }
        }
        Ok(tenant)
    }
}

impl Tenant {
    /// A request with the credentials of the tenant and of its people, where it has any.
    fn authorized(&self, mut event: Value) -> Result<Value> {
        let body = event.get("body").and_then(Value::as_str).unwrap_or_default();
        let (timestamp, signature) = self.signature(body);
        let proof = match &self.phone {
            Some(phone) => {
                let (method, path) = (text(&event, "/requestContext/http/method")?, text(&event, "/rawPath")?);
                phone.proof(&method, &path, NUMBERS.fetch_add(1, Ordering::Relaxed))?
            }
            None => String::new(),
        };
        let session = self.phone.as_ref().map(|phone| format!("DPoP {}", phone.token));
        for (header, value) in [
            ("authorization", session.unwrap_or_else(|| format!("Bearer {}", self.admin_key))),
            ("x-api-key", self.account_key.clone()),
            ("x-latchkey-timestamp", timestamp),
            ("x-latchkey-signature", signature),
            ("dpop", proof),
        ] {
            if let Some(place) = event.pointer_mut(&format!("/headers/{header}")) {
                *place = value.into();
            }
        }
        Ok(event)
    }

    /// A signed request with the other version of the signature (v2), which is over a nonce, method and path too.
    fn signed_once(&self, mut event: Value) -> Result<Value> {
        let (method, path) = (text(&event, "/requestContext/http/method")?, text(&event, "/rawPath")?);
        let body = event.get("body").and_then(Value::as_str).unwrap_or_default();
        let nonce = format!("nonce-{:016}", NUMBERS.fetch_add(1, Ordering::Relaxed));
        let (now, hash) = (now_ms(), sha256(body));
        let signature = format!("v2={}", self.mac(&format!("{now}.{method}.{path}.{nonce}.{hash}")));
        if let Some(headers) = event.pointer_mut("/headers").and_then(Value::as_object_mut) {
            headers.insert("x-latchkey-timestamp".to_owned(), now.to_string().into());
            headers.insert("x-latchkey-signature".to_owned(), signature.into());
            headers.insert("x-latchkey-nonce".to_owned(), nonce.into());
        }
        Ok(event)
    }

    /// Pairs the phone by a request that has its proof.
    async fn pair(&mut self, stack: &Stack, event: Value) -> Result<()> {
        let Some(phone) = &mut self.phone else { return Err(Error::new("no pairing was prepared")) };
        let event = with_fields(event, json!({ "handle": phone.handle }))?;
        let answer = send(stack, "device-register-token", event).await?;
        phone.nonce = text(&answer.payload, "/headers/dpop-nonce")?;
        phone.token = text(&body(&answer)?, "/data/device_session_token")?;
        Ok(())
    }

    /// The id as a project's: its digits as those of a UUID.
    fn project(&self) -> String {
        let digits = self.id.trim_start_matches("tnt_");
        let part = |range| digits.get(range).unwrap_or_default();
        [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
    }

    /// The time, and the signature (v1) of a body at that time.
    fn signature(&self, body: &str) -> (String, String) {
        let now = now_ms();
        (now.to_string(), self.mac(&format!("{now}.{}", sha256(body))))
    }

    fn mac(&self, text: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        HEXLOWER.encode(hmac::sign(&key, text.as_bytes()).as_ref())
    }
}

fn sha256(body: &str) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, body.as_bytes()).as_ref())
}

fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

/// Sends a request. Only a success counts: a refusal would cost less.
pub async fn send(stack: &Stack, function: &str, event: Value) -> Result<InvokeResult> {
    let result = stack.invoke(function, event, Invocation::default()).await.map_err(because(function))?;
    let succeeded = match function {
        // No client waits for an answer.
        "reconcile" => result.payload.get("removed").is_some(),
        "deliver-callbacks" => result.payload.get("delivered").is_some(),
        _ => matches!(result.payload.get("statusCode").and_then(Value::as_u64), Some(200..300)),
    };
    // What is not a valid token is no error there.
    let inactive = || body(&result).is_ok_and(|body| body.get("active") != Some(&Value::Bool(true)));
    if !succeeded || (function == "introspect" && inactive()) {
        return Err(Error::new(format!("{function} answers {}", result.payload)));
    }
    Ok(result)
}

/// An event with these fields in its body.
pub fn with_fields(mut event: Value, fields: Value) -> Result<Value> {
    let mut body: Value = serde_json::from_str(&text(&event, "/body")?).map_err(because("the body of an event"))?;
    if let (Some(body), Value::Object(fields)) = (body.as_object_mut(), fields) {
        body.extend(fields);
    }
    if let Some(place) = event.get_mut("body") {
        *place = body.to_string().into();
    }
    Ok(event)
}

/// What a function answered.
pub fn body(result: &InvokeResult) -> Result<Value> {
    serde_json::from_str(&text(&result.payload, "/body")?).map_err(because("the body of an answer"))
}

/// The text at a place.
pub fn text(value: &Value, place: &str) -> Result<String> {
    let found = part(value, place)?.as_str().map(str::to_owned);
    found.ok_or_else(|| Error::new(format!("no text {place} in what should have one")))
}

fn part<'a>(value: &'a Value, place: &str) -> Result<&'a Value> {
    value.pointer(place).ok_or_else(|| Error::new(format!("no {place} in what should have one")))
}
