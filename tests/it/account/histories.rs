//! Random histories of three tenants with the same end users, against a model of who sees what.
//!
//! Every request names a row that may be anybody's, gone, or none at all, and every answer has to be the model's, byte
//! for byte where it is a refusal. A failure tells the seed: `LATCHKEY_HISTORY_SEED` replays it, and `LATCHKEY_HISTORY`
//! is how many operations there are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};
use shared::domain::Timestamp;
use stack::{Invocation, scheduled_event};

use crate::account::races::check_rows;
use crate::support::{ApiKey, Deployment, Dice, event, setting, with};

/// How many operations there are, all histories together.
const USUAL: usize = 5_000;

/// How many histories go on at once, each with tenants of its own.
const HISTORIES: u64 = 4;

const TENANTS: usize = 3;

/// End users of each tenant, whose ids look alike, or like something else.
const USERS: [[&str; 3]; 8] = [
    ["a", "A", "\u{430}"],
    ["\u{e9}", "e\u{301}", "e"],
    ["GLOBAL", "ALL", "null"],
    ["OF@a", "a#SESSIONS", "TENANT#x"],
    ["a", "a ", "\u{feff}a"],
    ["\u{1f600}", "\u{0}", "\u{202e}a"],
    ["%61", "a,b", "external_user_id"],
    ["0", "../0", "\u{212a}"],
];

const KINDS: [Kind; 4] = [Kind::Session, Kind::Execution, Kind::Workspace, Kind::Document];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Session,
    Execution,
    Workspace,
    Document,
}

impl Kind {
    fn path(self) -> &'static str {
        match self {
            Self::Session => "/api/v1/agent-sessions",
            Self::Execution => "/api/v1/tool-executions",
            Self::Workspace => "/api/v1/workspaces",
            Self::Document => "/api/v1/documents",
        }
    }

    /// The function for one row; that for all has an `s` more.
    fn function(self) -> &'static str {
        match self {
            Self::Session => "agent-session",
            Self::Execution => "tool-execution",
            Self::Workspace => "workspace",
            Self::Document => "document",
        }
    }

    fn is_shared(self) -> bool {
        matches!(self, Self::Workspace | Self::Document)
    }
}

/// Who calls: a tenant's backend, for one of its end users or for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Viewer {
    tenant: usize,
    user: Option<usize>,
}

/// A row of the model.
#[derive(Debug)]
struct Row {
    tenant: usize,
    kind: Kind,
    owner: Option<usize>,
    id: String,
    /// As everybody sees it.
    fields: Value,
    /// Of a document.
    content: Value,
    /// Of a document: the rows of its workspaces.
    workspaces: Vec<usize>,
    /// Of a session, oldest first.
    messages: Vec<Value>,
    is_deleted: bool,
}

/// What there is, and the rule of who sees it.
#[derive(Debug, Default)]
struct Model {
    rows: Vec<Row>,
    /// The default workspace of each tenant's owners.
    defaults: BTreeMap<(usize, Option<usize>), usize>,
}

impl Model {
    fn is_visible(&self, row: usize, viewer: Viewer) -> bool {
        let row = &self.rows[row];
        let is_own = viewer.user.is_none() || row.owner == viewer.user;
        !row.is_deleted && row.tenant == viewer.tenant && (is_own || (row.kind.is_shared() && row.owner.is_none()))
    }

    fn is_changeable(&self, row: usize, viewer: Viewer) -> bool {
        self.is_visible(row, viewer) && (viewer.user.is_none() || self.rows[row].owner == viewer.user)
    }

    /// What a viewer sees of a kind, newest first.
    fn list(&self, kind: Kind, viewer: Viewer) -> Vec<usize> {
        let is_listed = |row: &usize| self.rows[*row].kind == kind && self.is_visible(*row, viewer);
        let mut rows: Vec<_> = (0..self.rows.len()).filter(is_listed).collect();
        // Of two that were made in the same millisecond, the ids decide.
        rows.sort_by(|one, other| self.rows[*other].id.cmp(&self.rows[*one].id));
        rows
    }

    /// Whether a document is in a workspace.
    fn is_in(&self, document: usize, workspace: usize) -> bool {
        self.rows[document].workspaces.contains(&workspace)
    }

    /// A row as it is shown to a viewer, in a list.
    fn shown(&self, number: usize, viewer: Viewer) -> Value {
        let row = &self.rows[number];
        match row.kind {
            Kind::Session | Kind::Execution => row.fields.clone(),
            Kind::Workspace => {
                let is_default = self.defaults.get(&(row.tenant, row.owner)) == Some(&number);
                let is_counted = |row: &usize| self.is_in(*row, number) && self.is_visible(*row, viewer);
                let count = (0..self.rows.len()).filter(is_counted).count();
                with(&row.fields, &json!({ "is_default": is_default, "document_count": count }))
            }
            Kind::Document => {
                let seen = row.workspaces.iter().filter(|workspace| self.is_visible(**workspace, viewer));
                let ids: Vec<_> = seen.map(|workspace| &self.rows[*workspace].id).collect();
                with(&row.fields, &json!({ "workspace_ids": ids }))
            }
        }
    }

    /// The same, alone: with the content of a document.
    fn alone(&self, number: usize, viewer: Viewer) -> Value {
        let shown = self.shown(number, viewer);
        match self.rows[number].kind {
            Kind::Document => with(&shown, &json!({ "markdown_content": self.rows[number].content })),
            _ => shown,
        }
    }
}

/// A request, but for who sends it.
#[derive(Debug)]
struct Request {
    method: &'static str,
    function: String,
    path: String,
    /// The parameters in the path.
    parameters: Value,
    query: String,
    body: Option<Value>,
}

impl Request {
    fn new(method: &'static str, function: &str, path: &str) -> Self {
        let (path, function) = (path.to_owned(), function.to_owned());
        Self { method, function, path, parameters: json!({}), query: String::new(), body: None }
    }

    /// Of a kind as a whole.
    fn all(method: &'static str, kind: Kind) -> Self {
        Self::new(method, &format!("{}s", kind.function()), kind.path())
    }

    /// Of one row.
    fn one(method: &'static str, kind: Kind, id: &str) -> Self {
        let request = Self::new(method, kind.function(), &format!("{}/{id}", kind.path()));
        Self { parameters: json!({ "id": id }), ..request }
    }

    /// Of what is within a row.
    fn within(method: &'static str, kind: Kind, id: &str) -> Self {
        let nested = if kind == Kind::Session { "messages" } else { "documents" };
        let function = format!("{}-{nested}", kind.function());
        let request = Self::new(method, &function, &format!("{}/{id}/{nested}", kind.path()));
        Self { parameters: json!({ "id": id }), ..request }
    }

    fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }
}

/// How a caller shows who it is, and says for whom it calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// With a key and a header of that name; without the header for the whole account.
    Header(&'static str),
    /// With a key, and in the body.
    Body,
    /// With a scoped token.
    Token,
}

/// One history.
struct History {
    deployment: Arc<Deployment>,
    label: String,
    dice: Dice,
    users: [&'static str; 3],
    keys: Vec<ApiKey>,
    /// By tenant and user; the last is of the whole account.
    tokens: Vec<Vec<String>>,
    model: Model,
    step: usize,
    /// The cursor in the answer before.
    next: Mutex<Option<String>>,
}

impl History {
    async fn begin(deployment: Arc<Deployment>, seed: u64, number: u64) -> Self {
        let mut dice = Dice(seed.wrapping_add(number));
        let users = *dice.of(&USERS);
        let (mut keys, mut tokens) = (Vec::new(), Vec::new());
        for _ in 0..TENANTS {
            let tenant = deployment.provision("Acme").await;
            let key = deployment.api_key(&tenant, "account").await;
            let mut of_tenant = Vec::new();
            for user in users.map(Some).into_iter().chain([None]) {
                of_tenant.push(deployment.scoped_token(&key, user).await);
            }
            keys.push(key);
            tokens.push(of_tenant);
        }
        let label = format!("LATCHKEY_HISTORY_SEED={seed}, history {number}");
        Self { deployment, label, dice, users, keys, tokens, model: Model::default(), step: 0, next: Mutex::default() }
    }

    async fn run(mut self, steps: usize) {
        for step in 0..steps {
            self.step = step;
            let viewer = self.viewer();
            match self.dice.below(100) {
                0..20 => self.create(viewer).await,
                20..28 => self.say(viewer).await,
                28..42 => self.list(viewer).await,
                42..52 => self.list_within(viewer).await,
                52..72 => self.read(viewer).await,
                72..87 => self.change(viewer).await,
                87..98 => self.delete(viewer).await,
                _ => self.contradict(viewer).await,
            }
        }
        self.step = steps;
        for tenant in 0..TENANTS {
            for user in [None, Some(0), Some(1), Some(2)] {
                for kind in KINDS {
                    self.check_all(Viewer { tenant, user }, kind).await;
                }
            }
        }
        let rows: usize = self.model.rows.iter().filter(|row| !row.is_deleted).map(|row| 1 + row.messages.len()).sum();
        assert!(rows > steps / 20, "{}: a history in which little happens: {rows}", self.label);
    }

    fn viewer(&mut self) -> Viewer {
        Viewer { tenant: self.dice.below(TENANTS), user: Some(self.dice.below(4)).filter(|user| *user < 3) }
    }

    fn owner(&self, user: Option<usize>) -> Value {
        json!(user.map(|user| self.users[user]))
    }

    /// A row of a kind, whosever it is; every other time one of the latest.
    fn pick(&mut self, kind: Kind) -> Option<usize> {
        let rows: Vec<_> = (0..self.model.rows.len()).filter(|row| self.model.rows[*row].kind == kind).collect();
        let latest = if self.dice.one_in(2) { rows.len().saturating_sub(24) } else { 0 };
        if rows.is_empty() { None } else { Some(*self.dice.of(&rows[latest..])) }
    }

    /// The id of a row of a kind, or of nothing that there ever was; and the row, if it is one.
    fn id(&mut self, kind: Kind) -> (String, Option<usize>) {
        const NOTHING: [&str; 6] = [
            "00000000-0000-0000-0000-000000000000",
            "01900000-0000-7000-8000-000000000001",
            "exec_01900000000070008000000000000001",
            "GLOBAL",
            "..",
            "x#RESOURCE",
        ];
        match self.dice.below(20) {
            0 => ((*self.dice.of(&NOTHING)).to_owned(), None),
            // A row of another kind is none of this.
            1 => {
                let other = *self.dice.of(&KINDS);
                let row = self.pick(other);
                let id = row.map_or_else(|| "x".to_owned(), |row| self.model.rows[row].id.clone());
                (id, row.filter(|_| other == kind))
            }
            _ => match self.pick(kind) {
                None => ("x".to_owned(), None),
                row @ Some(number) => (self.model.rows[number].id.clone(), row),
            },
        }
    }

    fn text(&mut self) -> String {
        format!("{} {}", self.dice.of(&["Support", "\u{fc}ber", "\u{1f600}", "a\"b\\c", "</script>"]), self.step)
    }

    /// Sends a request in one of the ways that there are for it; status and body of the answer.
    async fn send(&mut self, viewer: Viewer, request: Request) -> (u64, Value) {
        let user = viewer.user.map(|user| self.users[user]);
        // Spaces at the ends of a header's value are lost on the way; what else does not fit into one is refused.
        let is_plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b',';
        let fits = user.is_none_or(|user| user.trim() == user && user.bytes().all(is_plain));
        let mut ways = vec![Way::Token];
        if fits {
            ways.extend([Way::Header("external_user_id"), Way::Header("x-end-user-id")]);
        }
        if request.body.is_some() {
            ways.push(Way::Body);
        }
        let way = *self.dice.of(&ways);
        let says_again = self.dice.one_in(4);
        self.send_by(viewer, request, way, says_again, &[]).await
    }

    async fn send_by(
        &self,
        viewer: Viewer,
        request: Request,
        way: Way,
        says_again: bool,
        more: &[(&str, &str)],
    ) -> (u64, Value) {
        let (key, user) = (&self.keys[viewer.tenant], self.owner(viewer.user));
        let token = format!("Bearer {}", self.tokens[viewer.tenant][viewer.user.unwrap_or(3)]);
        let mut headers = more.to_vec();
        match way {
            Way::Token => headers.push(("authorization", &token)),
            Way::Header(_) | Way::Body => headers.push(("x-api-key", &key.text)),
        }
        if let (Way::Header(name), Some(user)) = (way, user.as_str()) {
            headers.push((name, user));
        }
        let mut body = request.body.clone();
        let is_named = (way == Way::Body || says_again) && !user.is_null();
        if let Some(body) = body.as_mut().filter(|_| is_named) {
            body["external_user_id"] = user.clone();
        }
        let mut event = event(request.method, &request.path, &request.query, &headers, body.as_ref());
        event["pathParameters"] = request.parameters.clone();
        let answer = self.deployment.stack.invoke(&request.function, event, Invocation::default()).await;
        let label = format!("{}, step {}: {viewer:?} {way:?} {request:?}", self.label, self.step);
        let payload = answer.unwrap_or_else(|error| panic!("{label}: {error}")).payload;
        let body = serde_json::from_str(payload["body"].as_str().unwrap_or_default());
        let mut body: Value = body.unwrap_or_else(|_| panic!("{label}: {payload}"));
        // A cursor says nothing that the model could know. Where it leads is looked at in the end.
        if let Some(next) = body.as_object_mut().and_then(|body| body.remove("next_cursor")) {
            assert_eq!(body["has_more"], next.is_string(), "{label}: {payload}");
            *self.next.lock().unwrap() = next.as_str().map(str::to_owned);
        }
        (payload["statusCode"].as_u64().unwrap(), body)
    }

    /// Compares an answer with the model's.
    fn check(&self, what: &str, viewer: Viewer, answer: &(u64, Value), expected: &(u64, Value)) {
        assert_eq!(answer, expected, "{}, step {}: {what} by {viewer:?}", self.label, self.step);
    }

    /// The one answer for a row that is not there for a viewer, or not to be changed by it. `None` if the model lets it
    /// through.
    fn refusal(&self, row: Option<usize>, viewer: Viewer, is_change: bool) -> Option<(u64, Value)> {
        let Some(row) = row.filter(|row| self.model.is_visible(*row, viewer)) else {
            return Some((404, json!({ "code": "not_found", "detail": "not found" })));
        };
        let shared = "all end users share this: only the account may change it";
        let may = !is_change || self.model.is_changeable(row, viewer);
        (!may).then(|| (403, json!({ "code": "global_row", "detail": shared })))
    }

    async fn create(&mut self, viewer: Viewer) {
        let kind = *self.dice.of(&KINDS);
        let text = self.text();
        let (mut content, mut workspaces, mut is_default) = (Value::Null, Vec::new(), false);
        // What is asked for, and what the row has besides.
        let (request, body, rest) = match kind {
            Kind::Session => {
                let rest = json!({
                    "assistant_id": null, "model_name": null, "initial_system_prompt": null, "tool_ids": [],
                    "status": "active",
                });
                (Request::all("POST", kind), json!({ "title": text }), rest)
            }
            Kind::Execution => {
                let request = Request::new("POST", "execute-tool", "/api/v1/tools/web_search/execute");
                let rest = json!({
                    "tool_id": "web_search", "status": "pending", "outputs": null, "error": null, "started_at": null,
                    "completed_at": null,
                });
                let parameters = json!({ "tool_id": "web_search" });
                (Request { parameters, ..request }, json!({ "inputs": { "query": text } }), rest)
            }
            Kind::Workspace => {
                is_default = self.dice.one_in(3);
                (Request::all("POST", kind), json!({ "name": text, "description": null }), json!({}))
            }
            Kind::Document => {
                for _ in 0..self.dice.below(4) {
                    let seen = self.model.list(Kind::Workspace, viewer);
                    let any = seen.is_empty() || self.dice.one_in(8);
                    workspaces.extend(if any { self.pick(Kind::Workspace) } else { Some(*self.dice.of(&seen)) });
                }
                workspaces.sort_unstable();
                workspaces.dedup();
                content = if self.dice.one_in(2) { json!(format!("# {text}")) } else { Value::Null };
                let status = if content.is_null() { "pending" } else { "ready" };
                (Request::all("POST", kind), json!({ "name": text, "file_type": "md" }), json!({ "status": status }))
            }
        };
        let mut asked = body.clone();
        if kind == Kind::Workspace {
            asked["is_default"] = is_default.into();
        } else if kind == Kind::Document {
            asked["workspace_ids"] = workspaces.iter().map(|row| self.model.rows[*row].id.as_str()).collect();
            asked["markdown_content"] = content.clone();
        }
        let answer = self.send(viewer, request.body(asked)).await;
        if let Some(position) = workspaces.iter().position(|row| !self.model.is_visible(*row, viewer)) {
            let problem = &answer.1["detail"][0];
            assert_eq!(
                (answer.0, &problem["loc"]),
                (422, &json!(["body", "workspace_ids", position])),
                "{}, step {}: a workspace that {viewer:?} does not see",
                self.label,
                self.step
            );
            return;
        }
        let id = answer.1[if kind == Kind::Execution { "execution_id" } else { "id" }].as_str().unwrap_or_default();
        let at = made_at(id);
        let mut fields = with(&with(&body, &rest), &json!({ "id": id, "created_at": at, "external_user_id": null }));
        fields["external_user_id"] = self.owner(viewer.user);
        if kind != Kind::Execution {
            fields["updated_at"] = at;
        }
        let row = self.model.rows.len();
        let (tenant, owner, id) = (viewer.tenant, viewer.user, id.to_owned());
        let messages = Vec::new();
        self.model.rows.push(Row { tenant, kind, owner, id, fields, content, workspaces, messages, is_deleted: false });
        if is_default {
            self.model.defaults.insert((tenant, owner), row);
        }
        let expected = if kind == Kind::Execution {
            let id = &self.model.rows[row].id;
            let url = format!("{}{}/{id}", self.deployment.stack.url(), kind.path());
            (202, json!({ "execution_id": id, "status": "pending", "tool_id": "web_search", "details_url": url }))
        } else {
            (201, self.model.alone(row, viewer))
        };
        self.check("creation", viewer, &answer, &expected);
    }

    async fn say(&mut self, viewer: Viewer) {
        let (id, row) = self.id(Kind::Session);
        let role = *self.dice.of(&["user", "assistant", "system"]);
        let other = if self.dice.one_in(3) { self.pick(Kind::Session) } else { row };
        let mut parent = Value::Null;
        if let Some(messages) = other.map(|other| &self.model.rows[other].messages).filter(|said| !said.is_empty()) {
            parent = if self.dice.one_in(2) { self.dice.of(messages)["id"].clone() } else { Value::Null };
        }
        let body = json!({ "role": role, "content": self.text(), "parent_id": parent });
        let answer = self.send(viewer, Request::within("POST", Kind::Session, &id).body(body.clone())).await;
        if let Some(expected) = self.refusal(row, viewer, false) {
            return self.check("message", viewer, &answer, &expected);
        }
        let session = row.unwrap();
        let is_answer = self.model.rows[session].messages.iter().any(|message| message["id"] == parent);
        if !parent.is_null() && !is_answer {
            let loc = &answer.1["detail"][0]["loc"];
            return self.check("message", viewer, &(answer.0, loc.clone()), &(422, json!(["body", "parent_id"])));
        }
        let at = made_at(answer.1["id"].as_str().unwrap_or_default());
        let message = with(&body, &json!({ "id": answer.1["id"], "created_at": at }));
        self.check("message", viewer, &answer, &(201, message.clone()));
        self.model.rows[session].fields["updated_at"] = at;
        self.model.rows[session].messages.push(message);
    }

    async fn list(&mut self, viewer: Viewer) {
        let kind = *self.dice.of(&KINDS);
        let rows = self.model.list(kind, viewer);
        let (page, limit, query) = self.page(rows.len());
        let answer = self.send(viewer, Request { query, ..Request::all("GET", kind) }).await;
        let expected = listed(&rows, page, limit, |row| self.model.shown(*row, viewer));
        self.check("list", viewer, &answer, &(200, expected));
    }

    async fn list_within(&mut self, viewer: Viewer) {
        let kind = *self.dice.of(&[Kind::Session, Kind::Workspace]);
        let (id, row) = self.id(kind);
        let items: Vec<_> = match row {
            None => Vec::new(),
            Some(row) if kind == Kind::Session => self.model.rows[row].messages.iter().rev().cloned().collect(),
            Some(row) => {
                let mut documents = self.model.list(Kind::Document, viewer);
                documents.retain(|document| self.model.is_in(*document, row));
                documents.into_iter().map(|document| self.model.shown(document, viewer)).collect()
            }
        };
        let (page, limit, query) = self.page(items.len());
        let answer = self.send(viewer, Request { query, ..Request::within("GET", kind, &id) }).await;
        let mut items = items;
        items.sort_by(|one, other| other["id"].as_str().cmp(&one["id"].as_str()));
        let expected =
            self.refusal(row, viewer, false).unwrap_or_else(|| (200, listed(&items, page, limit, Value::clone)));
        self.check("list within a row", viewer, &answer, &expected);
    }

    /// A page of a list of that length, or one past its end.
    fn page(&mut self, length: usize) -> (usize, usize, String) {
        match self.dice.below(4) {
            0 => (1, 20, String::new()),
            1 => (1, 100, "limit=100".to_owned()),
            _ => {
                let limit = 1 + self.dice.below(7);
                let page = 1 + self.dice.below(length / limit + 2);
                (page, limit, format!("page={page}&limit={limit}"))
            }
        }
    }

    async fn read(&mut self, viewer: Viewer) {
        let kind = *self.dice.of(&KINDS);
        let (id, row) = self.id(kind);
        let answer = self.send(viewer, Request::one("GET", kind, &id)).await;
        let expected = self.refusal(row, viewer, false);
        let expected = expected.unwrap_or_else(|| (200, self.model.alone(row.unwrap(), viewer)));
        self.check("read", viewer, &answer, &expected);
    }

    async fn change(&mut self, viewer: Viewer) {
        let kind = *self.dice.of(&[Kind::Session, Kind::Execution, Kind::Workspace]);
        let (id, row) = self.id(kind);
        let text = self.text();
        let mut changes = Map::new();
        let choices = match kind {
            Kind::Session => vec![
                ("title", json!(text)),
                ("title", Value::Null),
                ("status", json!("completed")),
                ("tool_ids", json!([text])),
                ("initial_system_prompt", json!(text)),
            ],
            Kind::Execution => vec![
                ("status", json!(self.dice.of(&["pending", "running", "completed", "failed"]))),
                ("outputs", json!({ "answer": text })),
                ("error", json!(text)),
                ("error", Value::Null),
            ],
            _ => vec![
                ("name", json!(text)),
                ("description", json!(text)),
                ("description", Value::Null),
                ("is_default", true.into()),
                ("is_default", false.into()),
            ],
        };
        for (name, value) in choices {
            if self.dice.one_in(3) {
                changes.insert(name.to_owned(), value);
            }
        }
        let changes = Value::Object(changes);
        if kind == Kind::Execution {
            return self.report(viewer, &id, row, changes).await;
        }
        let answer = self.send(viewer, Request::one("PATCH", kind, &id).body(changes.clone())).await;
        if let Some(expected) = self.refusal(row, viewer, true) {
            return self.check("change", viewer, &answer, &expected);
        }
        let number = row.unwrap();
        let row = &mut self.model.rows[number];
        let place = (row.tenant, row.owner);
        for (name, value) in changes.as_object().unwrap() {
            match (name.as_str(), value.as_bool()) {
                ("is_default", Some(true)) => drop(self.model.defaults.insert(place, number)),
                ("is_default", _) => self.model.defaults.retain(|_, default| *default != number),
                _ => row.fields[name] = value.clone(),
            }
        }
        // When that was, only the answer knows; but not before the last time.
        let at = &answer.1["updated_at"];
        if at.as_str() >= row.fields["updated_at"].as_str() {
            row.fields["updated_at"] = at.clone();
        }
        self.check("change", viewer, &answer, &(200, self.model.alone(number, viewer)));
    }

    async fn report(&mut self, viewer: Viewer, id: &str, row: Option<usize>, report: Value) {
        let way = if self.dice.one_in(2) { Way::Token } else { Way::Body };
        let request = Request::one("PATCH", Kind::Execution, id).body(report.clone());
        let answer = self.send_by(viewer, request, way, false, &[]).await;
        if way == Way::Token {
            let detail = "no token opens this endpoint: it is for the backend, which a page can ask";
            let expected = (403, json!({ "code": "insufficient_scope", "detail": detail }));
            return self.check("report", viewer, &answer, &expected);
        }
        if let Some(expected) = self.refusal(row, viewer, true) {
            return self.check("report", viewer, &answer, &expected);
        }
        let fields = &mut self.model.rows[row.unwrap()].fields;
        let steps = ["pending", "running", "completed", "failed"];
        let step = |status: &Value| steps.iter().position(|known| status == known).unwrap();
        let (now, next) = (step(&fields["status"]), step(report.get("status").unwrap_or(&fields["status"])));
        // What is known already may be said again.
        let is_known = with(fields, &report) == *fields;
        if !is_known && (now >= 2 || next < now) {
            let expected = json!({ "code": "execution_finished", "detail": "the execution is past that status" });
            return self.check("report", viewer, &answer, &(409, expected));
        }
        *fields = with(fields, &report);
        for (name, first) in [("started_at", 1), ("completed_at", 2)] {
            if fields[name].is_null() && next >= first && answer.1[name].as_str() >= fields["created_at"].as_str() {
                fields[name] = answer.1[name].clone();
            }
        }
        let expected = fields.clone();
        assert_eq!(next > 0, expected["started_at"].is_string(), "{}, step {}", self.label, self.step);
        assert_eq!(next > 1, expected["completed_at"].is_string(), "{}, step {}", self.label, self.step);
        self.check("report", viewer, &answer, &(200, expected));
    }

    async fn delete(&mut self, viewer: Viewer) {
        let kind = *self.dice.of(&[Kind::Session, Kind::Workspace, Kind::Document]);
        let (id, row) = self.id(kind);
        let answer = self.send(viewer, Request::one("DELETE", kind, &id)).await;
        if let Some(expected) = self.refusal(row, viewer, true) {
            return self.check("deletion", viewer, &answer, &expected);
        }
        self.check("deletion", viewer, &answer, &(200, json!({ "deleted": true })));
        self.model.rows[row.unwrap()].is_deleted = true;
    }

    /// Names two end users in one request: it is refused, and does nothing.
    async fn contradict(&mut self, viewer: Viewer) {
        let kind = *self.dice.of(&[Kind::Session, Kind::Workspace]);
        let (id, _) = self.id(kind);
        let way = *self.dice.of(&[Way::Token, Way::Body]);
        let is_of = |way: Way| way == Way::Token || viewer.user.is_some();
        // Without a user, a key's request names one only.
        let way = if is_of(way) { way } else { Way::Token };
        let request = Request::one("PATCH", kind, &id).body(json!({}));
        let answer = self.send_by(viewer, request, way, false, &[("x-end-user-id", "somebody else")]).await;
        let expected = if way == Way::Token {
            (403, json!({ "code": "another_end_user", "detail": "the token is not that end user's" }))
        } else {
            (400, json!({ "code": "end_users_differ", "detail": "headers and body name different end users" }))
        };
        self.check("contradiction", viewer, &answer, &expected);
    }

    /// Compares all pages of a list.
    async fn check_all(&mut self, viewer: Viewer, kind: Kind) {
        let rows = self.model.list(kind, viewer);
        for page in 1..=rows.len() / 100 + 1 {
            let query = format!("page={page}&limit=100");
            let answer = self.send(viewer, Request { query, ..Request::all("GET", kind) }).await;
            let expected = listed(&rows, page, 100, |row| self.model.shown(*row, viewer));
            self.check("list at the end", viewer, &answer, &(200, expected));
        }
        let (mut cursor, mut limit) = (String::new(), 1);
        for shown in 0.. {
            let query = format!("limit={limit}{cursor}");
            let answer = self.send(viewer, Request { query, ..Request::all("GET", kind) }).await;
            let seen = rows.len().min(shown_before(shown));
            let mut expected = listed(&rows[seen..], 1, limit, |row| self.model.shown(*row, viewer));
            expected["total"] = rows.len().into();
            self.check("list by cursors", viewer, &answer, &(200, expected));
            let Some(next) = self.next.lock().unwrap().take() else { break };
            (cursor, limit) = (format!("&cursor={next}"), (limit + 10).min(91));
        }
    }
}

/// When the row with this id was made: the first 48 bits of a UUID of version 7 (RFC 9562) are milliseconds.
fn made_at(id: &str) -> Value {
    let digits: String = id.trim_start_matches("exec_").chars().filter(|digit| *digit != '-').take(12).collect();
    json!(Timestamp::from_millis(i64::from_str_radix(&digits, 16).unwrap_or_default()))
}

/// A page of a list, as it is answered.
fn listed<T>(all: &[T], page: usize, limit: usize, shown: impl Fn(&T) -> Value) -> Value {
    let total = all.len();
    let items: Vec<_> = all.iter().skip((page - 1) * limit).take(limit).map(shown).collect();
    let has_more = page * limit < total;
    json!({ "items": items, "total": total, "page": page, "limit": limit, "has_more": has_more })
}

/// How many rows are on the pages of 1, 11, 21 … 91 and again 91 rows before a page.
fn shown_before(page: usize) -> usize {
    (0..page).map(|page| (1 + 10 * page).min(91)).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happened_before_everybody_sees_what_is_theirs_and_nothing_else() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let seed = setting("LATCHKEY_HISTORY_SEED").unwrap_or_else(|| u64::try_from(now % 1_000_000_007).unwrap());
    let operations = setting("LATCHKEY_HISTORY").map_or(USUAL, |number| usize::try_from(number).unwrap());
    let deployment = Arc::new(Deployment::start().await);
    let histories: Vec<_> = (0..HISTORIES)
        .map(|number| {
            let deployment = Arc::clone(&deployment);
            tokio::spawn(async move {
                let history = History::begin(deployment, seed, number).await;
                history.run(operations / usize::try_from(HISTORIES).unwrap()).await;
            })
        })
        .collect();
    let mut failed = 0;
    for history in histories {
        failed += usize::from(history.await.is_err());
    }
    assert_eq!(failed, 0, "histories that failed, as said above; LATCHKEY_HISTORY_SEED={seed}");
    // What is left of deleted sessions is no problem of anybody's, and is gone when the reconciler has been there.
    check_rows(&deployment.items().await);
    deployment.stack.invoke("reconcile", scheduled_event(), Invocation::default()).await.unwrap();
    let items = deployment.items().await;
    check_rows(&items);
}
