//! Whom a request claims to come from.

use std::collections::BTreeSet;
use std::fmt;

use aws_lc_rs::digest::{self, SHA256};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use shared::domain::{ApiKeySecret, ConsoleCode, ConsoleParty, ConsoleToken, DeviceSessionToken};

/// The operator's paths, behind `/api/v1/`.
const OPERATOR: [&str; 9] =
    ["provision/", "update/", "rotate/", "suspend/", "reactivate/", "revoke/", "fetch/", "test/", "replay/"];
/// Where an API key speaks for its tenant about tokens, which are data then.
const TOKENS: [&str; 2] = ["auth/introspect", "auth/revoke"];
/// What the paths of the account surface begin with, behind `/api/v1/`.
const ACCOUNT: [&str; 6] = ["auth/token", "agent-sessions", "tools", "tool-executions", "workspaces", "documents"];

/// Whom a request claims to come from, by what it presented. Whether that was valid makes no difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// No credential, one that cannot be read, or several that differ.
    Nobody,
    /// No credential where none is asked for: on what a tenant publishes.
    Anyone { tenant: String },
    /// The operator.
    Operator(About),
    /// A tenant's backend.
    Tenant { tenant: String },
    /// A caller of the account surface.
    Account(Account),
    /// Whoever says it is this tenant, and signs.
    Signer {
        tenant: String,
        /// Whether it asks for a pairing proof, which is signed as tokens are.
        pairs: bool,
    },
    /// Somebody in the console, with a session or the code of a link: of a tenant, or the operator's.
    Console { tenant: Option<String>, id: String },
    /// A phone with a session.
    Device { tenant: String, device: String, person: String },
    /// A phone with what pairs it: a handle, which says only of which pairing it is, or a tenant's proof, which says
    /// that, too.
    Pairing { id: Option<String>, tenant: Option<String> },
}

/// Which tenant a request of the operator is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    None,
    One(String),
    /// One that does not exist yet.
    New,
    /// It lists them.
    All,
}

/// An account, or one of its end users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub tenant: String,
    /// The id of the API key, if it is one.
    pub key: Option<String>,
    /// Every end user that the request names as its own, by the tenant's ids.
    named: BTreeSet<String>,
}

impl Account {
    /// Whether the call is of no end user.
    pub fn is_whole(&self) -> bool {
        self.named.is_empty()
    }

    /// The digests of the end users that are named.
    pub fn users(&self) -> impl Iterator<Item = String> {
        self.named.iter().map(|id| digest(id))
    }

    /// The digest of the end user. `None` if there is none, or there are several: nobody then owns anything.
    pub fn owner(&self) -> Option<String> {
        if self.named.len() == 1 { self.users().next() } else { None }
    }
}

/// As partitions have it.
fn digest(id: &str) -> String {
    HEXLOWER.encode(digest::digest(&SHA256, id.as_bytes()).as_ref())
}

impl Claim {
    /// The claim of an event of the gateway.
    pub fn of(event: &Value) -> Self {
        let path = event["rawPath"].as_str().unwrap_or_default();
        if let Some(tenant) = published_by(path) {
            return Self::Anyone { tenant: tenant.to_owned() };
        }
        let version_one = path.strip_prefix("/api/v1/");
        let is_one_of =
            |paths: &[&str]| version_one.is_some_and(|path| paths.iter().any(|beginning| path.starts_with(beginning)));
        let request = Request::of(event);
        if is_one_of(&OPERATOR) {
            // The session of a tenant is none of the operator's.
            let by_session = matches!(request.in_console(), Some(Self::Console { tenant: None, .. }));
            return match request.header("x-admin-key").or(by_session.then_some("")) {
                Some(_) => Self::Operator(about(path, event["rawQueryString"].as_str().unwrap_or_default())),
                None => Self::Nobody,
            };
        }
        if is_one_of(&["relay/"]) {
            let named = ["x-latchkey-tenant-id", "x-bloonio-tenant-id"].map(|name| request.header(name));
            let mut named = named.into_iter().flatten();
            return match (named.next(), named.next()) {
                (Some(tenant), None) => {
                    Self::Signer { tenant: tenant.to_owned(), pairs: path.ends_with("/prepare-pairing") }
                }
                _ => Self::Nobody,
            };
        }
        if is_one_of(&["console/"]) {
            return request.in_console().unwrap_or(Self::Nobody);
        }
        if is_one_of(&["device/"]) {
            return request.of_phone().unwrap_or(Self::Nobody);
        }
        let claimed = if is_one_of(&TOKENS) {
            request.credential([request.password(), request.field("client_secret")]).and_then(Credential::backend)
        } else if path.starts_with("/v1/api/") || path == "/register-tenant" {
            request.credential([request.field("apiKey")]).and_then(Credential::backend)
        } else if is_one_of(&ACCOUNT) {
            request.credential([]).map(|credential| Self::Account(request.account(credential)))
        } else {
            None
        };
        claimed.unwrap_or(Self::Nobody)
    }
}

/// The tenant whose public document this is.
fn published_by(path: &str) -> Option<&str> {
    match path.split('/').collect::<Vec<_>>()[..] {
        ["", "t", tenant, ".well-known", "jwks.json" | "oauth-authorization-server" | "openid-configuration"]
        | ["", ".well-known", "oauth-authorization-server", "t", tenant] => Some(tenant),
        _ => None,
    }
}

fn about(path: &str, query: &str) -> About {
    let parameters = url::form_urlencoded::parse(query.as_bytes());
    let mut tenants = parameters.filter(|(name, _)| name == "tenant_id").map(|(_, id)| id.into_owned());
    match (tenants.next(), tenants.next(), path) {
        (Some(tenant), None, _) => About::One(tenant),
        (None, _, "/api/v1/provision/tenant") => About::New,
        (None, _, "/api/v1/fetch/tenants") => About::All,
        _ => About::None,
    }
}

/// A credential that can be read.
enum Credential {
    Key { tenant: String, id: String },
    Token { tenant: String, user: Option<String> },
}

impl Credential {
    fn read(text: &str) -> Option<Self> {
        if let Some(key) = ApiKeySecret::parse(text) {
            let (tenant, id) = (key.claims().tenant_id.to_string(), key.claims().id.to_string());
            return Some(Self::Key { tenant, id });
        }
        let [_, claims, _] = text.split('.').collect::<Vec<_>>()[..] else { return None };
        let claims: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(claims.as_bytes()).ok()?).ok()?;
        let tenant = claims["tenant_id"].as_str()?.to_owned();
        // A user of a project is no end user, and its token carries the tenant's own id of it for others to read.
        let user = claimed(&claims).filter(|_| claims["scope"] != "project_user");
        Some(Self::Token { tenant, user })
    }

    /// Whose it is where only API keys are taken.
    fn backend(self) -> Option<Claim> {
        match self {
            Self::Key { tenant, .. } => Some(Claim::Tenant { tenant }),
            Self::Token { .. } => None,
        }
    }
}

/// The end user that claims or a body name. What is no text is nobody's id, and not "no end user" either.
fn claimed(fields: &Value) -> Option<String> {
    match &fields["external_user_id"] {
        Value::Null => None,
        Value::String(id) => Some(id.clone()),
        other => Some(other.to_string()),
    }
}

/// What of an event has a say in who it is from.
struct Request<'a> {
    event: &'a Value,
    body: Value,
}

impl<'a> Request<'a> {
    fn of(event: &'a Value) -> Self {
        let text = event["body"].as_str().unwrap_or_default();
        let bytes = match event["isBase64Encoded"].as_bool() {
            Some(true) => BASE64.decode(text.as_bytes()).unwrap_or_default(),
            _ => text.as_bytes().to_vec(),
        };
        // A form reads as an object of texts.
        let form = || url::form_urlencoded::parse(&bytes).map(|(name, text)| (name.into(), json!(text))).collect();
        Self { event, body: serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::Object(form())) }
    }

    /// The gateway has names in lower case; the events of a test need not.
    fn header(&self, name: &str) -> Option<&'a str> {
        let headers = self.event["headers"].as_object()?;
        headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?.1.as_str()
    }

    fn field(&self, name: &str) -> Option<String> {
        self.body[name].as_str().map(str::to_owned)
    }

    /// What `Authorization` has for this scheme.
    fn authorization(&self, scheme: &str) -> Option<&'a str> {
        let (found, credential) = self.header("authorization")?.split_once(' ')?;
        found.eq_ignore_ascii_case(scheme).then(|| credential.trim_start_matches(' '))
    }

    /// The session that is beside a signature of IAM, if the gateway has verified one.
    fn beside_signature(&self) -> Option<&'a str> {
        self.event["requestContext"]["authorizer"]["iam"]["userArn"].as_str()?;
        self.header("x-forwarded-authorization")?.strip_prefix("DPoP ")
    }

    fn password(&self) -> Option<String> {
        let pair = BASE64.decode(self.authorization("basic")?.as_bytes()).ok()?;
        let (_, password) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
        Some(percent_decode_str(password).decode_utf8().ok()?.into_owned())
    }

    /// What a phone presented: a session, a pairing proof or a handle.
    fn of_phone(&self) -> Option<Claim> {
        if let Some(token) = self.authorization("dpop") {
            let token = DeviceSessionToken::parse(token)?;
            let claims = token.claims();
            let (tenant, device) = (claims.tenant_id.to_string(), claims.device_id.to_string());
            return Some(Claim::Device { tenant, device, person: claims.linked_id.to_string() });
        }
        if let Some(proof) = self.authorization("bearer") {
            let [_, claims, _] = proof.split('.').collect::<Vec<_>>()[..] else { return None };
            let claims: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(claims.as_bytes()).ok()?).ok()?;
            let claim = |name: &str| claims[name].as_str().map(str::to_owned);
            return Some(Claim::Pairing { id: claim("jti"), tenant: Some(claim("tenant_id")?) });
        }
        let handle = self.field("handle")?;
        Some(Claim::Pairing { id: Some(digest(&handle)[..32].to_owned()), tenant: None })
    }

    /// What somebody in the console presented: a session, or the code of a link.
    fn in_console(&self) -> Option<Claim> {
        let (party, id) = if let Some(token) = self.authorization("dpop").or_else(|| self.beside_signature()) {
            let token = ConsoleToken::parse(token)?;
            (token.party().clone(), token.id().to_string())
        } else {
            let code = ConsoleCode::parse(&self.field("code")?)?;
            (code.party().clone(), code.id().to_string())
        };
        let tenant = match party {
            ConsoleParty::Operator => None,
            ConsoleParty::Tenant(id) => Some(id.to_string()),
        };
        Some(Claim::Console { tenant, id })
    }

    /// The one credential that was presented: as bearer, in its own header, or in `elsewhere`.
    fn credential<const N: usize>(&self, elsewhere: [Option<String>; N]) -> Option<Credential> {
        let own = [self.authorization("bearer"), self.header("x-api-key")].map(|text| text.map(str::to_owned));
        let presented: BTreeSet<String> = own.into_iter().chain(elsewhere).flatten().collect();
        if presented.len() == 1 { Credential::read(presented.first()?) } else { None }
    }

    fn account(&self, credential: Credential) -> Account {
        let method = self.event["requestContext"]["http"]["method"].as_str().unwrap_or_default();
        let in_body = claimed(&self.body).filter(|_| matches!(method, "POST" | "PATCH"));
        let in_header = |name| self.header(name).map(str::to_owned);
        let (tenant, key, of_token) = match credential {
            Credential::Key { tenant, id } => (tenant, Some(id), None),
            Credential::Token { tenant, user } => (tenant, None, user),
        };
        let named = [of_token, in_header("external_user_id"), in_header("x-end-user-id"), in_body];
        Account { tenant, key, named: named.into_iter().flatten().collect() }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("nobody"),
            Self::Anyone { tenant } => write!(f, "anyone who reads what {tenant} publishes"),
            Self::Operator(About::One(tenant)) => write!(f, "the operator about {tenant}"),
            Self::Operator(About::None) => f.write_str("the operator about no tenant"),
            Self::Operator(About::New) => f.write_str("the operator about a new tenant"),
            Self::Operator(About::All) => f.write_str("the operator about all tenants"),
            Self::Tenant { tenant } => write!(f, "{tenant}"),
            Self::Signer { tenant, .. } => write!(f, "a signer of {tenant}"),
            Self::Console { tenant: Some(tenant), id } => write!(f, "{id} of {tenant}"),
            Self::Console { tenant: None, id } => write!(f, "{id} of the operator"),
            Self::Device { tenant, device, .. } => write!(f, "{device} of {tenant}"),
            Self::Pairing { tenant: Some(tenant), .. } => write!(f, "a pairing of {tenant}"),
            Self::Pairing { tenant: None, .. } => f.write_str("a pairing"),
            Self::Account(account) if account.is_whole() => write!(f, "the whole account of {}", account.tenant),
            Self::Account(Account { tenant, named, .. }) => write!(f, "{named:?} of {tenant}"),
        }
    }
}
