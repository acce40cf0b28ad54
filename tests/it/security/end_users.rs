//! For whom a call is: every way to name an end user, alone and with others, and what ids may be.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{self, SHA256};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde_json::{Value, json};
use shared::api::{Method, OPERATIONS, OperationInfo, Surface};
use stack::Invocation;

use crate::support::{Answer, ApiKey, Call, Deployment, END_USER, World, event, with};

/// Whose the rows of the world are, and somebody else.
const OWN: &str = END_USER;
const OTHER: &str = "user_457";

/// The operations of the surface; what makes rows comes late, and what takes them away last.
fn surface() -> Vec<&'static OperationInfo> {
    let mut entries: Vec<_> = OPERATIONS.iter().filter(|entry| entry.surface == Surface::Account).collect();
    let order = [Method::Get, Method::Patch, Method::Post, Method::Delete];
    entries.sort_by_key(|entry| order.iter().position(|method| *method == entry.route.method));
    entries
}

/// Whether the operation is one for account keys only.
fn takes_keys_only(entry: &OperationInfo) -> bool {
    entry.security.len() == 1
}

/// Where a call may name its end user.
#[derive(Debug, Clone, Copy, Default)]
struct Names<'a> {
    header: Option<&'a str>,
    alias: Option<&'a str>,
    body: Option<&'a str>,
}

impl<'a> Names<'a> {
    /// Nobody, one, or the other, in each place that the operation has.
    fn all(entry: &OperationInfo) -> Vec<Self> {
        let choices = [None, Some(OWN), Some(OTHER)];
        let bodies = if entry.has_body() { &choices[..] } else { &choices[..1] };
        let pairs = choices.iter().flat_map(|header| choices.iter().map(move |alias| (*header, *alias)));
        pairs.flat_map(|(header, alias)| bodies.iter().map(move |body| Names { header, alias, body: *body })).collect()
    }

    fn named(&self) -> BTreeSet<&'a str> {
        [self.header, self.alias, self.body].into_iter().flatten().collect()
    }

    fn on(&self, call: Call, entry: &OperationInfo) -> Call {
        let headers = [("external_user_id", self.header), ("X-End-User-ID", self.alias)];
        let named = headers.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let call = named.fold(call, |call, (name, value)| call.header(name, value));
        match self.body {
            Some(id) => call.bytes(with(&fields(entry), &json!({ "external_user_id": id })).to_string()),
            None => call,
        }
    }
}

/// What the operation needs in its body.
fn fields(entry: &OperationInfo) -> Value {
    match entry.route.name {
        "create-message" => json!({ "role": "user", "content": "Where is my order?" }),
        "create-workspace" | "create-document" => json!({ "name": "Contracts" }),
        "report-tool-execution" => json!({ "status": "completed" }),
        "update-workspace" => json!({ "name": "Invoices" }),
        _ => json!({}),
    }
}

fn claims(token: &str) -> Value {
    let claims = BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

/// Rows of [`OWN`] and of [`OTHER`], and credentials.
struct Scene {
    deployment: Deployment,
    world: World,
    /// A scoped token of [`OWN`].
    own: String,
    /// A scoped token for the whole account.
    wide: String,
}

impl Scene {
    async fn set() -> Self {
        let deployment = Deployment::start().await;
        let world = deployment.world().await;
        for path in ["agent-sessions", "tools/web_search/execute", "workspaces", "documents"] {
            let call = deployment.account_for(&world.account, OTHER, "POST", &format!("/api/v1/{path}"));
            let fields = if path.len() < 11 { json!({ "name": "Theirs" }) } else { json!({}) };
            assert!(call.json(&fields).send().await.status < 300);
        }
        let own = deployment.scoped_token(&world.account, Some(OWN)).await;
        let wide = deployment.scoped_token(&world.account, None).await;
        Self { deployment, world, own, wide }
    }

    fn account_key(&self) -> &ApiKey {
        &self.world.account
    }

    /// A request of the operation that names somebody.
    fn request(&self, entry: &OperationInfo, world: &World, names: Names<'_>) -> Call {
        names.on(self.deployment.request(entry, world), entry)
    }

    fn with_key(&self, call: Call) -> Call {
        call.header("x-api-key", &self.account_key().text)
    }

    fn with_token(call: Call, token: &str) -> Call {
        call.header("authorization", &format!("Bearer {token}"))
    }

    /// The world, with rows that were not deleted yet if the operation deletes one.
    async fn world_for(&self, entry: &OperationInfo) -> World {
        let mut world = self.world.clone();
        if entry.route.method == Method::Delete {
            world.rows = self.deployment.rows(self.account_key()).await;
        }
        world
    }

    /// Checks that the answer is what this end user gets, or the account.
    async fn check_seen_as(&self, entry: &OperationInfo, answer: &Answer, user: Option<&str>, label: &str) {
        let is_of_a_row = entry.route.path.contains("{id}");
        if is_of_a_row && user.is_some_and(|user| user != OWN) {
            answer.refused(404, "not_found");
            return;
        }
        assert_eq!(answer.status, entry.route.status, "{label}: {}", answer.text);
        let user = json!(user);
        match entry.route.name {
            "auth-token" => {
                let claims = claims(answer.body["access_token"].as_str().unwrap());
                let scope = if user.is_null() { "account" } else { "end_user" };
                assert_eq!((&claims["external_user_id"], &claims["scope"]), (&user, &json!(scope)), "{label}");
            }
            "execute-tool" => {
                let path = format!("/api/v1/tool-executions/{}", answer.body["execution_id"].as_str().unwrap());
                let call = self.deployment.account(self.account_key(), "GET", &path);
                let call = user.as_str().into_iter().fold(call, |call, id| call.header("x-end-user-id", id));
                assert_eq!(call.send().await.document(200)["external_user_id"], user, "{label}");
            }
            _ if is_of_a_row => {}
            _ if entry.route.method == Method::Post => assert_eq!(answer.body["external_user_id"], user, "{label}"),
            _ => {
                let items = answer.body["items"].as_array().unwrap();
                let owners: BTreeSet<_> = items.iter().map(|item| item["external_user_id"].as_str()).collect();
                let expected = user.as_str().map_or([Some(OWN), Some(OTHER)].into(), |user| [Some(user)].into());
                assert_eq!(owners, expected, "{label}");
                assert_eq!(answer.body["total"], items.len(), "{label}");
            }
        }
    }
}

#[tokio::test]
async fn a_key_speaks_for_the_one_end_user_that_is_named_anywhere_and_for_none_if_two_are() {
    let scene = Scene::set().await;
    let mut counts = [0; 3];
    for entry in surface() {
        for names in Names::all(entry) {
            let world = scene.world_for(entry).await;
            let call = scene.with_key(scene.request(entry, &world, names));
            let (answer, calls) = scene.deployment.calls_of(call).await;
            let (named, label) = (names.named(), format!("{} {names:?}", entry.route.name));
            counts[named.len()] += 1;
            if named.len() < 2 {
                scene.check_seen_as(entry, &answer, named.first().copied(), &label).await;
            } else {
                assert_eq!((answer.status, answer.code()), (400, Some("end_users_differ")), "{label}");
                assert!(calls.len() == 1 && calls[0].operation == "BatchGetItem", "{label}: {calls:?}");
            }
        }
    }
    assert_eq!(counts, [22, 13 * 6 + 9 * 14, 13 * 2 + 9 * 12]);
}

#[tokio::test]
async fn a_token_speaks_for_its_own_end_user_and_names_no_other() {
    let scene = Scene::set().await;
    for entry in surface() {
        for names in Names::all(entry) {
            for (token, user) in [(&scene.own, Some(OWN)), (&scene.wide, None)] {
                let world = scene.world_for(entry).await;
                let call = Scene::with_token(scene.request(entry, &world, names), token);
                let (answer, calls) = scene.deployment.calls_of(call).await;
                let label = format!("{} {names:?} with the token of {user:?}", entry.route.name);
                let is_another = names.named().into_iter().any(|named| user != Some(named));
                if is_another || takes_keys_only(entry) {
                    let code = if is_another { "another_end_user" } else { "insufficient_scope" };
                    assert_eq!((answer.status, answer.code()), (403, Some(code)), "{label}: {}", answer.text);
                    assert!(calls.len() == 1 && calls[0].operation == "BatchGetItem", "{label}: {calls:?}");
                } else {
                    scene.check_seen_as(entry, &answer, user, &label).await;
                }
            }
        }
    }
}

/// A name that a gateway or a proxy could have changed on its way is none.
#[tokio::test]
async fn a_header_names_an_end_user_in_plain_ascii_or_nobody() {
    let scene = Scene::set().await;
    let (long, longest) = ("x".repeat(257), "x".repeat(256));
    let refused = ["", " ", "é", "\u{430}da", "😀", "株式会社", &long, "a,b", ",", "a\tb"];
    for entry in surface() {
        for name in ["external_user_id", "external-user-id", "X-End-User-ID"] {
            for value in refused {
                let label = format!("{} {name} {value:?}", entry.route.name);
                let request = || scene.deployment.request(entry, &scene.world).header(name, value);
                let (answer, calls) = scene.deployment.calls_of(scene.with_key(request())).await;
                answer.invalid("header", name);
                assert!(calls.len() == 1 && calls[0].operation == "BatchGetItem", "{label}: {calls:?}");
                let answer = Scene::with_token(request(), &scene.own).send().await;
                assert_eq!((answer.status, answer.code()), (403, Some("another_end_user")), "{label}");
            }
            // Sent twice, it is one header with a comma in it; whether the two are the same makes no difference.
            for second in [OWN, OTHER] {
                let call = scene.deployment.request(entry, &scene.world).header(name, OWN).header(name, second);
                scene.with_key(call).send().await.invalid("header", name);
            }
        }
    }
    let signs: String = (b' '..=b'~').map(char::from).filter(|sign| *sign != ',').collect();
    for id in ["0", "a b", "a/b", "user@example.com", "%C3%A9", "null", signs.trim(), &longest] {
        let made = scene.deployment.account_for(scene.account_key(), id, "POST", "/api/v1/agent-sessions").send().await;
        assert_eq!(made.document(201)["external_user_id"], id);
        let token = scene.deployment.scoped_token(scene.account_key(), Some(id)).await;
        let list = scene.deployment.page(&token, "GET", "/api/v1/agent-sessions").header("external_user_id", id);
        assert_eq!(list.send().await.document(200)["items"], json!([made.body]));
    }
    // White space around the value of a header is no part of it (RFC 9110 §5.5).
    let spaced =
        scene.deployment.account_for(scene.account_key(), " 0\t", "GET", "/api/v1/agent-sessions").send().await;
    assert_eq!((&spaced.body["total"], &spaced.body["items"][0]["external_user_id"]), (&json!(1), &json!("0")));
}

/// What no client can send through HTTP, but whoever calls the function.
#[tokio::test]
async fn control_characters_in_a_header_name_nobody() {
    let scene = Scene::set().await;
    let key = scene.account_key().text.as_str();
    for (name, shown) in [("External_User_Id", "external_user_id"), ("x-end-user-ID", "X-End-User-ID")] {
        for value in ["\u{0}", "a\n", "\ra", "a\u{7f}", "\u{85}", "\u{1b}[0m"] {
            let headers = [("X-Api-Key", key), (name, value)];
            let request = event("GET", "/api/v1/agent-sessions", "", &headers, None);
            let answer = scene.deployment.stack.invoke("agent-sessions", request, Invocation::default()).await.unwrap();
            assert_eq!(answer.payload["statusCode"], 422, "{value:?}");
            let body: Value = serde_json::from_str(answer.payload["body"].as_str().unwrap()).unwrap();
            assert_eq!(body["detail"][0]["loc"], json!(["header", shown]));
        }
    }
}

#[tokio::test]
async fn a_body_names_a_text_of_1_to_256_characters_and_null_is_none() {
    let scene = Scene::set().await;
    let wrong =
        [json!(null), json!(""), json!(7), json!(true), json!([]), json!([OWN]), json!({}), json!("x".repeat(257))];
    let before = scene.deployment.items().await;
    for entry in surface().into_iter().filter(|entry| entry.has_body()) {
        let name = entry.route.name;
        let body = |id: &Value| with(&fields(entry), &json!({ "external_user_id": id })).to_string();
        let send = async |body: &str, header: Option<&str>| {
            let call = scene.deployment.request(entry, &scene.world).bytes(body);
            let call = header.into_iter().fold(call, |call, id| call.header("external_user_id", id));
            scene.with_key(call).send().await
        };
        let twice = body(&json!("@@")).replace(r#":"@@""#, &format!(r#":{0},"external_user_id":{0}"#, json!(OWN)));
        let twice_null = body(&json!("@@")).replace(r#":"@@""#, &format!(r#":{},"external_user_id":null"#, json!(OWN)));
        let unreadable = body(&json!("@@")).replace("@@", "\\ud800");
        for header in [None, Some(OWN)] {
            for id in &wrong {
                send(&body(id), header).await.invalid("body", "external_user_id");
            }
            for twice in [&twice, &twice_null] {
                send(twice, header).await.invalid("body", "external_user_id");
            }
            send(&unreadable, header).await.invalid("body", "external_user_id");
            // A name that is only almost that of the field would leave the call without an end user.
            for field in ["externalUserId", "external_userid", "EXTERNAL_USER_ID", " external_user_id", "end_user"] {
                let body = with(&fields(entry), &json!({ field: OWN })).to_string();
                let answer = send(&body, header).await;
                answer.invalid("body", field);
                assert_eq!(answer.body["detail"][0]["type"], "extra_forbidden", "{name}");
            }
        }
    }
    assert_eq!(scene.deployment.items().await, before);
}

/// What a proxy or an HTTP library makes of the names, or a person by mistake.
#[tokio::test]
async fn a_header_with_almost_the_name_is_refused_by_name_and_nothing_is_read_or_written_for_it() {
    let scene = Scene::set().await;
    let before = scene.deployment.items_but_notes().await;
    for entry in surface() {
        for name in ["X-External-User-Id", "x-end-user", "externaluserid", "end_user_id", "External-User"] {
            let request = || scene.deployment.request(entry, &scene.world).header(name, OWN);
            let key = scene.with_key(request());
            let both = scene.with_key(request().header("external_user_id", OWN));
            for call in [key, both, Scene::with_token(request(), &scene.own)] {
                let (answer, calls) = scene.deployment.calls_of(call).await;
                if takes_keys_only(entry) && answer.status == 403 {
                    answer.refused(403, "insufficient_scope");
                    continue;
                }
                answer.refused(400, "misspelt_header");
                let detail = answer.body["detail"].as_str().unwrap();
                assert!(detail.contains(&name.to_lowercase()), "{detail}");
                assert!(calls.len() == 1 && calls[0].operation == "BatchGetItem", "{}: {calls:?}", entry.route.name);
            }
            // Who has no credential learns nothing of it.
            request().header("x-api-key", "ak_wrong").send().await.refused(401, "unauthenticated");
        }
    }
    assert_eq!(scene.deployment.items_but_notes().await, before);
}

#[tokio::test]
async fn the_form_with_hyphens_is_the_same_header() {
    let scene = Scene::set().await;
    for entry in surface() {
        let world = scene.world_for(entry).await;
        let call = scene.deployment.request(entry, &world).header("external-user-id", OWN);
        let answer = scene.with_key(call).send().await;
        scene.check_seen_as(entry, &answer, Some(OWN), entry.route.name).await;
        let call = scene.deployment.request(entry, &world).header("external-user-id", OWN);
        scene.with_key(call.header("external_user_id", OTHER)).send().await.refused(400, "end_users_differ");
    }
}

/// For the inspection of a set-up: a backend that means to name an end user each time, and sometimes doesn't.
#[tokio::test]
async fn the_day_of_what_was_for_the_whole_account_is_noted_at_the_tenant() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let path = format!("/api/v1/provision/api-key?tenant_id={}", tenant.id);
    let answer = deployment.post(&path, &json!({ "name": "a", "kind": "account" })).await;
    let text = |name: &str| answer.data(201)[name].as_str().unwrap().to_owned();
    let account = ApiKey { id: text("key_id"), text: text("api_key"), tenant: tenant.clone() };
    let noted = async || {
        let shown = deployment.fetch(&tenant).await;
        [shown["last_account_wide_call_at"].clone(), shown["last_account_wide_token_at"].clone()]
    };
    let list = |user: Option<&str>| {
        let call = deployment.account(&account, "GET", "/api/v1/agent-sessions");
        user.into_iter().fold(call, |call, id| call.header("external_user_id", id))
    };
    list(Some(OWN)).send().await.document(200);
    deployment.scoped_token(&account, Some(OWN)).await;
    assert_eq!(noted().await, [json!(null), json!(null)]);
    list(None).send().await.document(200);
    let [call, token] = noted().await;
    assert_eq!((call.as_str().map(str::len), token), (Some("2026-01-31".len()), json!(null)));
    let answer = deployment.account(&account, "POST", "/api/v1/auth/token").send().await;
    assert_eq!(answer.document(200)["scope"], "account");
    assert_eq!(noted().await, [call.clone(), call]);
    // Once a day is enough.
    let (answer, calls) = deployment.calls_of(list(None)).await;
    answer.document(200);
    assert!(calls.iter().all(|call| call.operation != "UpdateItem"), "{calls:?}");
}

/// It would name the end user of a call that is made for the whole account.
#[tokio::test]
async fn a_body_where_there_is_none_is_refused() {
    let scene = Scene::set().await;
    let before = scene.deployment.items().await;
    let named = json!({ "external_user_id": OTHER }).to_string();
    let bodies = [
        ("application/json", named.clone().into_bytes()),
        ("text/plain", named.into_bytes()),
        ("application/json", b"{}".to_vec()),
        ("application/json", b"{".to_vec()),
        ("application/octet-stream", vec![0xff]),
        ("application/json", vec![b' '; 64 * 1024 + 1]),
    ];
    for entry in surface().into_iter().filter(|entry| !entry.has_body()) {
        for (content_type, body) in &bodies {
            let request = || scene.deployment.request(entry, &scene.world).body(content_type, body.clone());
            for call in [
                scene.with_key(request()),
                scene.with_key(request()).header("external_user_id", OWN),
                Scene::with_token(request(), &scene.own),
                Scene::with_token(request(), &scene.wide),
            ] {
                let answer = call.send().await;
                assert_eq!((answer.status, answer.code()), (400, Some("malformed_request")), "{}", answer.text);
            }
        }
    }
    assert_eq!(scene.deployment.items().await, before);
}

#[tokio::test]
async fn a_query_names_nobody_and_is_never_passed_over() {
    let scene = Scene::set().await;
    let (deployment, key) = (&scene.deployment, &scene.account_key().text);
    let before = deployment.items().await;
    for entry in surface() {
        let rows = &scene.world.rows;
        let id = match entry.route.path.split('/').nth(3).unwrap() {
            "agent-sessions" => &rows.session,
            "tool-executions" => &rows.execution,
            "workspaces" => &rows.workspace,
            _ => &rows.document,
        };
        let path = entry.route.path.replace("{id}", id).replace("{tool_id}", "web_search");
        let request = |query: &str| {
            let call = deployment.anonymous(entry.route.method.as_str(), &format!("{path}?{query}"));
            if entry.has_body() { call.json(&fields(entry)) } else { call }
        };
        for name in ["external_user_id", "X-End-User-ID", "x-end-user-id", "externalUserId", "end_user"] {
            for query in [format!("{name}={OWN}"), format!("{name}="), name.to_owned()] {
                let answer = request(&query).header("x-api-key", key).send().await;
                answer.invalid("query", name);
                assert_eq!(answer.body["detail"][0]["type"], "extra_forbidden", "{}", answer.text);
                let call = request(&query).header("x-api-key", key).header("external_user_id", OWN);
                call.send().await.invalid("query", name);
                if !takes_keys_only(entry) {
                    Scene::with_token(request(&query), &scene.own).send().await.invalid("query", name);
                }
            }
        }
        // Nor another row than the path.
        for name in ["id", "tool_id"].iter().filter(|name| entry.route.path.contains(**name)) {
            let answer = request(&format!("{name}=x")).header("x-api-key", key).send().await;
            assert_eq!(answer.body["detail"][0]["loc"][1], *name, "{}", answer.text);
        }
    }
    assert_eq!(deployment.items().await, before);
}

/// Ids that look alike, or like something else, next to each other.
fn confusable() -> Vec<String> {
    let digest = HEXLOWER.encode(digest::digest(&SHA256, b"a").as_ref());
    let (wide, wider) = ("😀".repeat(255), "😀".repeat(256));
    let ids = [
        "a",
        "A",
        "\u{430}",
        "a ",
        " a",
        "a\u{a0}",
        "a\u{200b}",
        "a\u{0}",
        "\u{0}",
        "\u{0}a",
        "a\n",
        "á",
        "a\u{301}",
        "à",
        "ﬁ",
        "fi",
        "ß",
        "ss",
        "İ",
        "i",
        "ı",
        "Å",
        "\u{212b}",
        "a/",
        "a/b",
        "a/../b",
        "b",
        "a#",
        "a#b",
        "a#SESSION#b",
        "#",
        "##",
        "OF@a",
        "OF@",
        "GLOBAL",
        "Global",
        "ALL",
        "all",
        "EXTERNAL#a",
        "external:a",
        "key:a",
        "null",
        "None",
        "undefined",
        "",
        "0",
        "00",
        "1e0",
        "1",
        "*",
        "%",
        "%61",
        "\\u0061",
        "\"a\"",
        "a,b",
        "😀",
        "😁",
        "\u{202e}a",
        "\u{feff}a",
    ];
    let digests = [format!("OF@{digest}"), digest.to_uppercase(), digest];
    let ids = ids.into_iter().filter(|id| !id.is_empty()).map(str::to_owned);
    ids.chain(digests).chain([wide, wider]).collect()
}

/// One row of each kind of an end user's, and its token.
struct Person {
    id: String,
    token: String,
    /// Paths of its rows.
    rows: [String; 4],
}

const KINDS: [&str; 4] = ["agent-sessions", "tool-executions", "workspaces", "documents"];

impl Person {
    async fn make(deployment: &Deployment, key: &ApiKey, id: String) -> Self {
        let made = async |path: &str, fields: &Value| {
            let body = with(fields, &json!({ "external_user_id": id }));
            let answer = deployment.account(key, "POST", &format!("/api/v1/{path}")).json(&body).send().await;
            assert!((201..=202).contains(&answer.status), "{id:?}: {}", answer.text);
            let made = answer.body.get("id").or(answer.body.get("execution_id"));
            made.unwrap().as_str().unwrap().to_owned()
        };
        let named = json!({ "name": "x" });
        let rows = [
            made("agent-sessions", &json!({})).await,
            made("tools/t/execute", &json!({})).await,
            made("workspaces", &named).await,
            made("documents", &named).await,
        ];
        let rows = std::array::from_fn(|kind| format!("/api/v1/{}/{}", KINDS[kind], rows[kind]));
        Self { token: deployment.scoped_token(key, Some(&id)).await, id, rows }
    }
}

#[tokio::test]
async fn no_two_end_users_are_one_however_alike_their_ids() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "account").await;
    let mut people = Vec::new();
    for id in confusable() {
        people.push(Person::make(&deployment, &key, id).await);
    }
    assert!(people.len() > 55, "{}", people.len());
    for (number, person) in people.iter().enumerate() {
        let id = &person.id;
        let get = async |path: &str| deployment.page(&person.token, "GET", path).send().await;
        // Its own, by id and in lists, and nothing more.
        for (kind, row) in KINDS.iter().zip(&person.rows) {
            let own = get(row).await;
            assert_eq!(own.document(200)["external_user_id"], *id);
            let list = get(&format!("/api/v1/{kind}")).await;
            let list = list.document(200);
            assert_eq!((&list["total"], list["items"].as_array().unwrap().len()), (&json!(1), 1), "{id:?}");
            assert_eq!(list["items"][0]["id"], own.body["id"], "{id:?}");
        }
        assert_eq!(get(&format!("{}/messages", person.rows[0])).await.document(200)["total"], 0);
        // By the body it is the same one, and nobody else.
        let rename = async |row: &str| {
            let body = json!({ "title": "x", "name": "x", "external_user_id": id });
            let mut body = body.as_object().unwrap().clone();
            body.remove(if row.contains("workspaces") { "title" } else { "name" });
            deployment.account(&key, "PATCH", row).json(&Value::Object(body)).send().await
        };
        assert_eq!(rename(&person.rows[0]).await.document(200)["external_user_id"], *id);
        assert_eq!(rename(&person.rows[2]).await.document(200)["external_user_id"], *id);
        // Those that look most alike; the lists are about all of them.
        let near = people.iter().enumerate().filter(|(position, _)| (1..3).contains(&number.abs_diff(*position)));
        for (_, other) in near {
            for row in &other.rows {
                get(row).await.refused(404, "not_found");
            }
            rename(&other.rows[0]).await.refused(404, "not_found");
            rename(&other.rows[2]).await.refused(404, "not_found");
        }
    }
    let all = deployment.account(&key, "GET", "/api/v1/workspaces?limit=100").send().await;
    let ids: BTreeSet<_> = all.document(200)["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["external_user_id"])
        .map(|id| id.as_str().unwrap())
        .collect();
    assert_eq!(ids, people.iter().map(|person| &*person.id).collect());
}

/// What is wrong with a call, and the field of it if it is one.
type Fault = (Call, u16, Option<(&'static str, &'static str)>);

/// Requests of the operation with something wrong in them.
fn faults(scene: &Scene, entry: &OperationInfo) -> Vec<Fault> {
    let request = || scene.with_key(scene.deployment.request(entry, &scene.world));
    let path = entry.route.path.replace("{id}", "x").replace("{tool_id}", "x");
    let query = scene.deployment.anonymous(entry.route.method.as_str(), &format!("{path}?surprise=1"));
    let query = if entry.has_body() { query.json(&fields(entry)) } else { query };
    let mut faults = vec![
        (scene.with_key(query), 422, Some(("query", "surprise"))),
        (request().header("x-end-user-id", "é"), 422, Some(("header", "X-End-User-ID"))),
        (request().header("x-end-user-id", OWN).header("external_user_id", OTHER), 400, None),
    ];
    if entry.has_body() {
        let plain = || scene.with_key(scene.deployment.anonymous(entry.route.method.as_str(), &path));
        faults.extend([
            (request().bytes("{"), 400, None),
            (request().bytes(r#"{"surprise":1}"#), 422, Some(("body", "surprise"))),
            (request().bytes(r#"{"external_user_id":""}"#), 422, Some(("body", "external_user_id"))),
            (request().bytes(vec![b' '; 64 * 1024 + 1]), 413, None),
            (plain().body("text/plain", "{}"), 415, None),
        ]);
    } else {
        faults.push((request().json(&json!({})), 400, None));
    }
    faults
}

#[tokio::test]
async fn where_an_end_user_is_required_a_call_without_one_is_told_what_is_wrong_with_it_before_that() {
    let scene = Scene::set().await;
    scene.deployment.update(&scene.world.tenant, &json!({ "require_end_user": true })).await.data(200);
    let before = scene.deployment.items_but_notes().await;
    for entry in surface() {
        for (call, status, field) in faults(&scene, entry) {
            let answer = call.send().await;
            assert_eq!(answer.status, status, "{}: {}", entry.route.name, answer.text);
            if let Some((part, name)) = field {
                answer.invalid(part, name);
            }
        }
        let request = || scene.deployment.request(entry, &scene.world);
        for call in [scene.with_key(request()), Scene::with_token(request(), &scene.wide)] {
            let (answer, calls) = scene.deployment.calls_of(call).await;
            answer.refused(403, "end_user_required");
            assert!(calls.len() == 1 && calls[0].operation == "BatchGetItem", "{calls:?}");
        }
        if entry.has_body() {
            let null = with(&fields(entry), &json!({ "external_user_id": null })).to_string();
            scene.with_key(request().bytes(null)).send().await.invalid("body", "external_user_id");
        }
    }
    assert_eq!(scene.deployment.items_but_notes().await, before);
    for entry in surface() {
        let names = Names { header: Some(OWN), ..Names::default() };
        let world = scene.world_for(entry).await;
        let answer = scene.with_key(scene.request(entry, &world, names)).send().await;
        scene.check_seen_as(entry, &answer, Some(OWN), entry.route.name).await;
        if !takes_keys_only(entry) {
            let world = scene.world_for(entry).await;
            let answer = Scene::with_token(scene.request(entry, &world, Names::default()), &scene.own).send().await;
            scene.check_seen_as(entry, &answer, Some(OWN), entry.route.name).await;
        }
    }
}

#[tokio::test]
async fn whether_an_end_user_is_required_is_what_the_tenant_says_or_else_the_deployment() {
    for default in [false, true] {
        let parameter = default.to_string();
        let deployment = Deployment::start_with(|builder| builder.parameter("RequireEndUser", &parameter)).await;
        let tenant = deployment.provision("Acme").await;
        let key = deployment.api_key(&tenant, "account").await;
        for (setting, required) in
            [(None, default), (Some(true), true), (Some(false), false), (Some(true), true), (None, default)]
        {
            deployment.update(&tenant, &json!({ "require_end_user": setting })).await.data(200);
            let answer = deployment.account(&key, "GET", "/api/v1/workspaces").send().await;
            if required {
                answer.refused(403, "end_user_required");
            } else {
                answer.document(200);
            }
            deployment.account_for(&key, OWN, "GET", "/api/v1/workspaces").send().await.document(200);
        }
    }
}
