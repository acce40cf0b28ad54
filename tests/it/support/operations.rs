//! A request of each operation of the registry, for tests that go through all of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};
use shared::api::{Audience, BodyRule, OperationInfo, Surface, examples};
use shared::domain::{WebFile, WebFiles};

use super::console::Browser;
use super::deployment::{ApiKey, Deployment, Member, Tenant, repository};
use super::http::Call;
use super::qr::{ORIGIN, QrLogin};

/// A tenant with one of everything, so that each operation has something to be about.
#[derive(Debug, Clone)]
pub struct World {
    pub tenant: Tenant,
    /// An `admin` key: it may do whatever an API key may.
    pub key: ApiKey,
    pub member: Member,
    pub token: String,
    /// An `account` key.
    pub account: ApiKey,
    pub rows: Rows,
    /// A callback that is owed to the tenant, by the id of its event.
    pub event: String,
    /// A browser in the tenant's console.
    pub console: Browser,
    /// Links to the tenant's console, a new one for each opening.
    pub links: Arc<Links>,
    /// QR logins that wait, a new one for each poll: a login is polled once a second.
    pub logins: Arc<Logins>,
}

/// QR logins, one after the other.
#[derive(Debug, Default)]
pub struct Logins {
    logins: Vec<QrLogin>,
    next: AtomicUsize,
}

impl Logins {
    fn next(&self) -> &QrLogin {
        &self.logins[self.next.fetch_add(1, Ordering::Relaxed) % self.logins.len()]
    }
}

/// Codes of links, one after the other.
#[derive(Debug, Default)]
pub struct Links {
    codes: Vec<String>,
    next: AtomicUsize,
}

impl Links {
    fn next(&self) -> &str {
        &self.codes[self.next.fetch_add(1, Ordering::Relaxed) % self.codes.len()]
    }
}

/// One row of each kind that has its own path, of an end user's.
#[derive(Debug, Clone)]
pub struct Rows {
    pub session: String,
    pub execution: String,
    pub workspace: String,
    pub document: String,
}

/// The end user whose those rows are.
pub const END_USER: &str = "user_456";

/// The person of the world's tenant that a query names. Another than that of the bodies, who is new to operations.
const PERSON: &str = "user_789";

impl Deployment {
    /// A tenant with one of everything. Its callbacks have somewhere to go, where nobody is; its standby key may sign;
    /// and the stream stands still, so that no delivery changes items behind a test's back.
    pub async fn world(&self) -> World {
        self.stack.streams().stop().await;
        let body = json!({
            "tenant_name": "Acme", "callback_url_base": "http://127.0.0.1:9", "qr_login_allowed_origins": [ORIGIN],
        });
        let tenant = Tenant::of(&self.post("/api/v1/provision/tenant", &body).await);
        self.age_standby_key(&tenant.id, 900).await;
        let ping = self.post_nothing(&format!("/api/v1/test/callback?tenant_id={}", tenant.id)).await;
        let event = ping.data(202)["event_id"].as_str().unwrap().to_owned();
        let key = self.api_key(&tenant, "admin").await;
        let member = self.member(&key, "acme", "ada").await;
        let token = self.token(&key, &member).await;
        self.prepared(&tenant, PERSON).await;
        let account = self.api_key(&tenant, "account").await;
        let rows = self.rows(&account).await;
        let logins = self.put_qr_logins(&tenant, 50).await;
        let logins = Arc::new(Logins { logins, next: AtomicUsize::new(0) });
        let console = self.console(Some(&tenant), "Ada Lovelace").await;
        let mut codes = Vec::new();
        for _ in 0..12 {
            codes.push(self.link(Some(&tenant), "Ada Lovelace").await);
        }
        let links = Arc::new(Links { codes, next: AtomicUsize::new(0) });
        World { tenant, key, member, token, account, rows, event, console, links, logins }
    }

    /// One row of each kind, of [`END_USER`]'s.
    pub async fn rows(&self, account: &ApiKey) -> Rows {
        let made = async |path: &str, field: &str, body: Value| {
            let answer = self.account_for(account, END_USER, "POST", path).json(&body).send().await;
            assert!((201..=202).contains(&answer.status), "{}", answer.text);
            answer.body[field].as_str().unwrap().to_owned()
        };
        Rows {
            session: made("/api/v1/agent-sessions", "id", json!({})).await,
            execution: made("/api/v1/tools/web_search/execute", "execution_id", json!({})).await,
            workspace: made("/api/v1/workspaces", "id", json!({ "name": "Contracts" })).await,
            document: made("/api/v1/documents", "id", json!({ "name": "Handbook" })).await,
        }
    }

    /// A request of the operation that would be carried out if it had a credential.
    pub fn request(&self, entry: &OperationInfo, world: &World) -> Call {
        let path = entry.route.path.replace("{tenant_id}", &world.tenant.id).replace("{tool_id}", "web_search");
        let path = path.replace("{id}", row(entry, &world.rows)).replace("{session_id}", "a-session");
        let path = path.replace("{version}", page_files().version()).replace("{file}", "page.css");
        let tenant = takes(entry, "tenant_id").then(|| format!("tenant_id={}", world.tenant.id));
        let key = takes(entry, "key_id").then(|| format!("key_id={}", world.key.id));
        let event = takes(entry, "event_id").then(|| format!("event_id={}", world.event));
        let login = takes(entry, "session_id").then(|| world.logins.next());
        let session = login.map(|login| format!("session_id={}", login.session_id));
        let person = takes(entry, "backend_user_id").then(|| format!("backend_user_id={PERSON}"));
        let query: Vec<_> = [tenant, key, event, session, person].into_iter().flatten().collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let call = self.anonymous(entry.route.method.as_str(), &format!("{path}{mark}{}", query.join("&")));
        let call = match login {
            Some(login) => call.header("x-qr-poll-token", &login.poll_token),
            None => call,
        };
        if entry.has_body() { call.json(&body(entry, world)) } else { call }
    }

    /// The same request with the credential that it takes.
    pub fn authorized(&self, entry: &OperationInfo, world: &World) -> Call {
        let call = self.request(entry, world);
        if entry.surface == Surface::Console {
            let (method, url) =
                (entry.route.method.as_str(), format!("{}{}", self.address_of_proofs(), entry.route.path));
            let is_session = entry.route.name != "open-console-session";
            let ath = is_session.then(|| world.console.ath());
            let claims = json!({ "htm": method, "htu": url, "nonce": self.nonce(), "ath": ath });
            let call = call.header("dpop", &world.console.proof(&claims));
            let session = format!("DPoP {}", world.console.token);
            return if is_session { call.header("authorization", &session) } else { call };
        }
        match entry.security.first() {
            None => call,
            Some(_) if entry.surface == Surface::Registry => call.header("x-admin-key", self.key()),
            Some(_) if entry.surface == Surface::Account => {
                call.header("x-api-key", &world.account.text).header("external_user_id", END_USER)
            }
            Some(_) if entry.surface == Surface::Relay => call.signed(&world.tenant.signing()),
            Some(_) => call.header("authorization", &format!("Bearer {}", world.key.text)),
        }
    }
}

/// The files that pages load, as they are in the repository.
pub fn page_files() -> &'static WebFiles {
    static FILES: LazyLock<WebFiles> = LazyLock::new(|| {
        let folder = repository().join("functions/pages");
        let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut files: Vec<_> = names
            .filter(|name| name.rsplit('.').next() != Some("html"))
            .map(|name| {
                let text = std::fs::read_to_string(folder.join(&name)).unwrap();
                WebFile { name: name.leak(), text: text.leak() }
            })
            .collect();
        files.sort_by_key(|file| file.name);
        WebFiles::new(files.leak())
    });
    &FILES
}

/// Whether the operation has that parameter in its query.
pub fn takes(entry: &OperationInfo, parameter: &str) -> bool {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| shared::api::document(Audience::Everyone));
    let operation = &DOCUMENT["paths"][entry.route.path][entry.route.method.as_str().to_lowercase()];
    let mut parameters = operation["parameters"].as_array().unwrap().iter();
    parameters.any(|known| known["name"] == parameter && known["in"] == "query")
}

/// The row that the operation's path is of.
fn row<'a>(entry: &OperationInfo, rows: &'a Rows) -> &'a str {
    match entry.route.path {
        path if path.starts_with("/api/v1/agent-sessions") => &rows.session,
        path if path.starts_with("/api/v1/tool-executions") => &rows.execution,
        path if path.starts_with("/api/v1/workspaces") => &rows.workspace,
        _ => &rows.document,
    }
}

/// A body that the operation takes: its example, with what in it is this world's.
fn body(entry: &OperationInfo, world: &World) -> Value {
    let route = &entry.route;
    if route.body_example.is_empty() {
        assert_eq!(route.body, BodyRule::Optional, "{} needs a body: give its route an example", route.name);
        return json!({});
    }
    let ids = [
        (examples::PROJECT_ID, world.tenant.project_id()),
        (examples::ORGANIZATION_ID, world.member.organization_id.clone()),
        (examples::USER_ID, world.member.user_id.clone()),
        (examples::TOKEN, world.token.clone()),
    ];
    if route.name == "open-console-session" {
        return json!({ "code": world.links.next() });
    }
    let text = ids.iter().fold(route.body_example.to_owned(), |text, (example, id)| text.replace(example, id));
    let mut body: Value = serde_json::from_str(&text).unwrap();
    // Left to the tests: for whom a call is, and to register the same one again.
    let left_out = match entry.surface {
        Surface::Account => "external_user_id",
        Surface::Projects => "externalId",
        _ => return body,
    };
    body.as_object_mut().unwrap().remove(left_out);
    body
}
