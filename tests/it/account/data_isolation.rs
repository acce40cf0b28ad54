//! The public text "Authentication", whose interface the account surface implements: its requests as they stand there,
//! host and credential aside, and one test for each of its statements about who sees what. A statement gives its test
//! the name.

use std::collections::BTreeSet;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use shared::domain::ExternalId;

use crate::support::{self, Answer, ApiKey, Call, Deployment};

/// A kind of resources, by where they are made and where they are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    made_at: &'static str,
    listed_at: &'static str,
}

const SESSIONS: Kind = Kind { made_at: "/api/v1/agent-sessions", listed_at: "/api/v1/agent-sessions" };
const EXECUTIONS: Kind = Kind { made_at: "/api/v1/tools/web_search/execute", listed_at: "/api/v1/tool-executions" };
const WORKSPACES: Kind = Kind { made_at: "/api/v1/workspaces", listed_at: "/api/v1/workspaces" };
const DOCUMENTS: Kind = Kind { made_at: "/api/v1/documents", listed_at: "/api/v1/documents" };

/// "Private Resources (Strict Isolation)".
const PRIVATE: [Kind; 2] = [SESSIONS, EXECUTIONS];
/// "Shared Resources (Hybrid Access)".
const SHARED: [Kind; 2] = [WORKSPACES, DOCUMENTS];
const ALL: [Kind; 4] = [SESSIONS, EXECUTIONS, WORKSPACES, DOCUMENTS];

impl Kind {
    /// A body that is enough to make one.
    fn body(self) -> Value {
        if SHARED.contains(&self) { json!({ "name": "a" }) } else { json!({}) }
    }

    fn path(self, id: &str) -> String {
        format!("{}/{id}", self.listed_at)
    }
}

/// Somebody who calls, in one of the ways in which the text lets them.
#[derive(Debug, Clone)]
struct Caller {
    way: String,
    headers: Vec<(&'static str, String)>,
}

impl Caller {
    /// A backend with the account's key, which names nobody.
    fn account(key: &ApiKey) -> Self {
        Self { way: "key".to_owned(), headers: vec![("x-api-key", key.text.clone())] }
    }

    /// The same on behalf of a user, whom this header names.
    fn on_behalf(key: &ApiKey, header: &'static str, user: &str) -> Self {
        let headers = vec![("x-api-key", key.text.clone()), (header, user.to_owned())];
        Self { way: format!("key and {header}: {user}"), headers }
    }

    /// A page or an app with a scoped token.
    async fn with_token(deployment: &Deployment, key: &ApiKey, user: Option<&str>) -> Self {
        let token = deployment.scoped_token(key, user).await;
        Self { way: format!("token of {user:?}"), headers: vec![("authorization", format!("Bearer {token}"))] }
    }

    /// All ways to call as this user, or as the account.
    async fn all(deployment: &Deployment, key: &ApiKey, user: Option<&str>) -> Vec<Self> {
        let mut callers = vec![Self::with_token(deployment, key, user).await];
        match user {
            None => callers.push(Self::account(key)),
            Some(user) => {
                let headers = ["external_user_id", "x-end-user-id"];
                callers.extend(headers.map(|header| Self::on_behalf(key, header, user)));
            }
        }
        callers
    }

    fn call(&self, deployment: &Deployment, method: &str, path: &str) -> Call {
        let call = deployment.anonymous(method, path);
        self.headers.iter().fold(call, |call, (name, value)| call.header(name, value))
    }

    async fn get(&self, deployment: &Deployment, path: &str) -> Answer {
        self.call(deployment, "GET", path).send().await
    }

    /// A new resource: its id.
    async fn make(&self, deployment: &Deployment, kind: Kind) -> String {
        id(&self.call(deployment, "POST", kind.made_at).json(&kind.body()).send().await)
    }

    /// Checks that of `all` resources of a kind this caller sees those in `seen`: in the list, by its total, and one by
    /// one.
    async fn check_sees(&self, deployment: &Deployment, kind: Kind, seen: &[&String], all: &[&String]) {
        let label = format!("{}, {kind:?}", self.way);
        let list = self.get(deployment, &format!("{}?limit=100", kind.listed_at)).await;
        let items = list.document(200)["items"].as_array().unwrap();
        let listed: BTreeSet<_> = items.iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!(listed, seen.iter().map(|id| id.as_str()).collect(), "{label}");
        assert_eq!((items.len(), &list.body["total"]), (seen.len(), &json!(seen.len())), "{label}");
        for id in all {
            let shown = self.get(deployment, &kind.path(id)).await;
            if seen.contains(id) {
                assert_eq!(shown.document(200)["id"], id.as_str(), "{label}");
            } else {
                assert_eq!((shown.status, shown.code()), (404, Some("not_found")), "{label}");
            }
        }
    }
}

/// The id of what was made.
fn id(answer: &Answer) -> String {
    assert!((201..=202).contains(&answer.status), "{}", answer.text);
    answer.body.get("execution_id").unwrap_or(&answer.body["id"]).as_str().unwrap().to_owned()
}

/// An account, by its key.
async fn account() -> (Deployment, ApiKey) {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "account").await;
    (deployment, key)
}

/// A command of the text, or a part of one after the rest that it needs.
fn curl(deployment: &Deployment, key: &ApiKey, token: &str, command: &str) -> Call {
    let command = command.replace("https://app.ubik-agent.com", &deployment.stack.url());
    support::curl(&command.replace("YOUR_API_KEY", &key.text).replace("<ACCESS_TOKEN>", token))
}

const SERVER_SIDE: &str = r#"curl -X POST "https://app.ubik-agent.com/api/v1/agent-sessions" \
     -H "X-API-KEY: YOUR_API_KEY" \
     -H "Content-Type: application/json" \
     -d '{
           "assistant_id": "asst_123...", 
           "external_user_id": "user_456",
           "title": "Customer Support Chat"
         }'"#;

const GENERATE_A_TOKEN: &str = r#"curl -X POST "https://app.ubik-agent.com/api/v1/auth/token" \
     -H "X-API-KEY: YOUR_API_KEY" \
     -H "Content-Type: application/json" \
     -d '{
           "external_user_id": "user_456",
           "expires_in_minutes": 60
         }'"#;

const USE_THE_TOKEN: &str = r#"curl -X POST "https://app.ubik-agent.com/api/v1/agent-sessions" \
     -H "Authorization: Bearer <ACCESS_TOKEN>" \
     -H "Content-Type: application/json" \
     -d '{
           "assistant_id": "asst_123...",
           "title": "Customer Support Chat"
         }'"#;

#[tokio::test]
async fn the_examples_of_the_text_run_as_they_stand_there() {
    assert!(SERVER_SIDE.contains("\"asst_123...\", \n"), "the space at the end of the line is the text's");
    let (deployment, key) = account().await;
    let by_server = curl(&deployment, &key, "", SERVER_SIDE).send().await.document(201).clone();
    let answer = curl(&deployment, &key, "", GENERATE_A_TOKEN).send().await;
    let token = answer.document(200)["access_token"].as_str().unwrap();
    assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&json!("bearer"), &json!(3600)));
    let by_client = curl(&deployment, &key, token, USE_THE_TOKEN).send().await.document(201).clone();
    for session in [&by_server, &by_client] {
        assert_eq!(session["assistant_id"], "asst_123...");
        assert_eq!(session["title"], "Customer Support Chat");
        assert_eq!((&session["external_user_id"], &session["status"]), (&json!("user_456"), &json!("active")));
    }
    for caller in Caller::all(&deployment, &key, Some("user_456")).await {
        let listed = caller.get(&deployment, SESSIONS.listed_at).await;
        assert_eq!(listed.document(200)["items"], json!([by_client, by_server]), "{}", caller.way);
    }
}

/// `-H "X-API-KEY: …"`, with or without `-H "external_user_id: user_123"`, and `-H "Authorization: Bearer …"`.
#[tokio::test]
async fn the_headers_of_the_text_are_those_of_the_requests() {
    const LIST: &str = r#"curl "https://app.ubik-agent.com/api/v1/agent-sessions""#;
    const KEY: &str = r#"-H "X-API-KEY: YOUR_API_KEY""#;
    const USER: &str = r#"-H "external_user_id: user_123""#;
    const BEARER: &str = r#"-H "Authorization: Bearer <ACCESS_TOKEN>""#;
    let (deployment, key) = account().await;
    let own = Caller::on_behalf(&key, "external_user_id", "user_123").make(&deployment, SESSIONS).await;
    let others = Caller::on_behalf(&key, "external_user_id", "user_456").make(&deployment, SESSIONS).await;
    let token = deployment.scoped_token(&key, Some("user_123")).await;
    for (headers, expected) in [
        (KEY.to_owned(), vec![&others, &own]),
        (format!("{KEY} \\\n{USER}"), vec![&own]),
        (BEARER.to_owned(), vec![&own]),
        (format!("{BEARER} {USER}"), vec![&own]),
    ] {
        let answer = curl(&deployment, &key, &token, &format!("{LIST} {headers}")).send().await;
        let items = answer.document(200)["items"].as_array().unwrap();
        assert_eq!(items.iter().map(|item| item["id"].as_str().unwrap()).collect::<Vec<_>>(), expected, "{headers}");
    }
    curl(&deployment, &key, &token, LIST).send().await.refused(401, "unauthenticated");
    let both = curl(&deployment, &key, &token, &format!("{LIST} {KEY} {BEARER}"));
    both.send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn agent_sessions_and_tool_executions_created_with_a_specific_external_user_id_are_strictly_private() {
    let (deployment, key) = account().await;
    for kind in PRIVATE {
        let mut made = Vec::new();
        for user in [Some("user_a"), Some("user_b"), None] {
            for caller in Caller::all(&deployment, &key, user).await {
                made.push((user, caller.make(&deployment, kind).await));
            }
        }
        let all: Vec<_> = made.iter().map(|(_, id)| id).collect();
        // "They can only be accessed by that same user ID": an id that only looks like it is another.
        let users =
            ["user_a", "user_b", "User_a", "user_a ", "user", "user_ab", "user_c", "user_a#", "*", "null", "GLOBAL"];
        for user in users {
            let own: Vec<_> = made.iter().filter(|(of, _)| *of == Some(user)).map(|(_, id)| id).collect();
            assert_eq!(own.is_empty(), !["user_a", "user_b"].contains(&user));
            for caller in Caller::all(&deployment, &key, Some(user)).await {
                // HTTP takes the space at a header's end away.
                if caller.headers.iter().any(|(_, value)| value.ends_with(' ')) {
                    continue;
                }
                caller.check_sees(&deployment, kind, &own, &all).await;
            }
        }
    }
}

#[tokio::test]
async fn user_a_cannot_see_user_bs_chat_history_or_tool_results() {
    const SECRET: &str = "the number of the card";
    let (deployment, key) = account().await;
    let (user_a, user_b) = (
        Caller::with_token(&deployment, &key, Some("user_a")).await,
        Caller::with_token(&deployment, &key, Some("user_b")).await,
    );
    let session = user_b.make(&deployment, SESSIONS).await;
    let messages = format!("{}/messages", SESSIONS.path(&session));
    let message = json!({ "role": "user", "content": SECRET });
    user_b.call(&deployment, "POST", &messages).json(&message).send().await.document(201);
    let inputs = json!({ "inputs": { "query": SECRET } });
    let execution = id(&user_b.call(&deployment, "POST", EXECUTIONS.made_at).json(&inputs).send().await);
    let report = json!({ "status": "completed", "outputs": { "answer": SECRET } });
    deployment.account(&key, "PATCH", &EXECUTIONS.path(&execution)).json(&report).send().await.document(200);
    let paths = [
        SESSIONS.listed_at.to_owned(),
        SESSIONS.path(&session),
        messages.clone(),
        format!("{messages}?page=1&limit=100"),
        EXECUTIONS.listed_at.to_owned(),
        EXECUTIONS.path(&execution),
        WORKSPACES.listed_at.to_owned(),
        DOCUMENTS.listed_at.to_owned(),
    ];
    for (caller, seen_in) in [(&user_b, 4), (&user_a, 0)] {
        let mut found = 0;
        for path in &paths {
            let answer = caller.get(&deployment, path).await;
            found += usize::from(answer.text.contains(SECRET));
            let mentioned = [&session, &execution].iter().any(|id| answer.text.contains(id.as_str()));
            assert!(seen_in > 0 || !mentioned, "{path}: {}", answer.text);
        }
        assert_eq!(found, seen_in, "{}", caller.way);
    }
    // Nor write into it, nor have it taken for an answer to something of one's own.
    for caller in Caller::all(&deployment, &key, Some("user_a")).await {
        caller.call(&deployment, "POST", &messages).json(&message).send().await.refused(404, "not_found");
    }
    let listed = user_b.get(&deployment, &messages).await;
    assert_eq!(listed.document(200)["total"], 1);
}

#[tokio::test]
async fn a_user_can_access_private_and_global_workspaces_and_documents() {
    let (deployment, key) = account().await;
    for kind in SHARED {
        let mut made = Vec::new();
        for user in [Some("user_a"), Some("user_b"), None] {
            for caller in Caller::all(&deployment, &key, user).await {
                made.push((user, caller.make(&deployment, kind).await));
            }
        }
        let all: Vec<_> = made.iter().map(|(_, id)| id).collect();
        for user in ["user_a", "user_b", "user_c", "User_a"] {
            let seen: Vec<_> = made.iter().filter(|(of, _)| of.is_none_or(|of| of == user)).map(|(_, id)| id).collect();
            for caller in Caller::all(&deployment, &key, Some(user)).await {
                caller.check_sees(&deployment, kind, &seen, &all).await;
            }
        }
        // A private one is tagged with its user, a global one with nobody.
        for (user, id) in &made {
            let shown = deployment.account(&key, "GET", &kind.path(id)).send().await;
            assert_eq!(shown.document(200)["external_user_id"], json!(user));
        }
    }
}

#[tokio::test]
async fn an_agent_has_access_to_the_shared_knowledge_base_and_the_users_private_context_simultaneously() {
    let (deployment, key) = account().await;
    let company = Caller::account(&key);
    let (user_a, user_b) = (
        Caller::with_token(&deployment, &key, Some("user_a")).await,
        Caller::with_token(&deployment, &key, Some("user_b")).await,
    );
    let base = company.make(&deployment, WORKSPACES).await;
    let put = async |caller: &Caller, content: &str| {
        let body = json!({ "name": "a", "workspace_ids": [base], "markdown_content": content });
        id(&caller.call(&deployment, "POST", DOCUMENTS.made_at).json(&body).send().await)
    };
    let handbook = put(&company, "the handbook").await;
    let own = put(&user_a, "my notes").await;
    let others = put(&user_b, "their notes").await;
    for (caller, newest_first) in [
        (&user_a, vec![&own, &handbook]),
        (&user_b, vec![&others, &handbook]),
        (&company, vec![&others, &own, &handbook]),
    ] {
        for path in [format!("{}/documents", WORKSPACES.path(&base)), DOCUMENTS.listed_at.to_owned()] {
            let listed = caller.get(&deployment, &path).await;
            let items = listed.document(200)["items"].as_array().unwrap();
            let ids: Vec<_> = items.iter().map(|item| item["id"].as_str().unwrap()).collect();
            assert_eq!(ids, newest_first, "{path}: {}", caller.way);
        }
        let shown = caller.get(&deployment, &WORKSPACES.path(&base)).await;
        assert_eq!(shown.document(200)["document_count"], newest_first.len(), "{}", caller.way);
    }
    let shown = user_a.get(&deployment, &DOCUMENTS.path(&handbook)).await;
    assert_eq!(shown.document(200)["markdown_content"], "the handbook");
    user_a.get(&deployment, &DOCUMENTS.path(&others)).await.refused(404, "not_found");
    // Shared is for reading: what all have, only the account changes.
    for (method, path) in
        [("PATCH", WORKSPACES.path(&base)), ("DELETE", WORKSPACES.path(&base)), ("DELETE", DOCUMENTS.path(&handbook))]
    {
        let call = user_a.call(&deployment, method, &path);
        let call = if method == "PATCH" { call.json(&json!({ "name": "mine" })) } else { call };
        call.send().await.refused(403, "global_row");
    }
}

#[tokio::test]
async fn millions_of_end_users_under_a_single_account_do_not_see_each_other() {
    let (deployment, key) = account().await;
    // Ids that are alike to a careless comparison, and some that look like what keys are made of.
    let mut users: Vec<String> =
        ["a", "A", "a ", "á", "a\u{301}", "а", "a\u{0}", "a#b", "a#SESSIONS", "OF@a", "ALL", "%61", "😀"]
            .map(str::to_owned)
            .into();
    users.extend((0..23).map(|number| format!("user_{number}")));
    let mut callers = Vec::new();
    for user in &users {
        callers.push(Caller::with_token(&deployment, &key, Some(user)).await);
    }
    for kind in ALL {
        let mut made = Vec::new();
        for caller in &callers {
            made.push(caller.make(&deployment, kind).await);
        }
        for (number, caller) in callers.iter().enumerate() {
            let neighbour = &made[(number + 1) % made.len()];
            caller.check_sees(&deployment, kind, &[&made[number]], &[&made[number], neighbour]).await;
        }
        let all: Vec<_> = made.iter().collect();
        Caller::account(&key).check_sees(&deployment, kind, &all, &[]).await;
    }
}

#[tokio::test]
async fn a_scoped_jwt_and_a_request_header_or_body_enforce_the_same_model() {
    let (deployment, key) = account().await;
    for kind in ALL {
        let mut made = vec![Caller::account(&key).make(&deployment, kind).await];
        for caller in Caller::all(&deployment, &key, Some("user_a")).await {
            made.push(caller.make(&deployment, kind).await);
        }
        let body = support::with(&kind.body(), &json!({ "external_user_id": "user_a" }));
        made.push(id(&deployment.account(&key, "POST", kind.made_at).json(&body).send().await));
        let mut rows = Vec::new();
        for caller in Caller::all(&deployment, &key, Some("user_a")).await {
            let listed = caller.get(&deployment, kind.listed_at).await;
            rows.push(listed.document(200).clone());
        }
        rows.dedup();
        let [page] = rows.as_slice() else { panic!("{rows:?}") };
        let (global, own) = made.split_at(1);
        let expected = if SHARED.contains(&kind) { &made } else { own };
        let found: Vec<_> =
            page["items"].as_array().unwrap().iter().rev().map(|row| row["id"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{kind:?} without {global:?}");
        let owners = page["items"].as_array().unwrap().iter().filter(|row| row["external_user_id"] == "user_a");
        assert_eq!(owners.count(), own.len());
    }
    // A body that changes something names the user too: for another there is nothing to change.
    for (kind, change) in [(SESSIONS, json!({ "title": "b" })), (WORKSPACES, json!({ "name": "b" }))] {
        let made = Caller::on_behalf(&key, "external_user_id", "user_a").make(&deployment, kind).await;
        let patch = async |user: &str| {
            let body = support::with(&change, &json!({ "external_user_id": user }));
            deployment.account(&key, "PATCH", &kind.path(&made)).json(&body).send().await
        };
        patch("user_b").await.refused(404, "not_found");
        let changed = patch("user_a").await;
        assert_eq!(changed.document(200)["external_user_id"], "user_a");
    }
}

#[tokio::test]
async fn the_api_filters_list_endpoints_automatically() {
    let (deployment, key) = account().await;
    let company = Caller::account(&key);
    let users = ["user_a", "user_b"].map(|user| Caller::on_behalf(&key, "external_user_id", user));
    let base = company.make(&deployment, WORKSPACES).await;
    for turn in 0..7 {
        for (number, caller) in users.iter().chain([&company]).enumerate() {
            // Of each as many more: 7, 14 and 21.
            for _ in 0..=number {
                for kind in [SESSIONS, EXECUTIONS] {
                    caller.make(&deployment, kind).await;
                }
                let body = json!({ "name": format!("{turn}"), "workspace_ids": [base] });
                id(&caller.call(&deployment, "POST", DOCUMENTS.made_at).json(&body).send().await);
            }
        }
    }
    let in_base = format!("{}/documents", WORKSPACES.path(&base));
    for (caller, own, with_global, owners) in [
        (&users[0], 7, 28, vec![json!("user_a"), json!(null)]),
        (&users[1], 14, 35, vec![json!("user_b"), json!(null)]),
        (&company, 42, 42, vec![json!("user_a"), json!("user_b"), json!(null)]),
    ] {
        for (path, total) in [
            (SESSIONS.listed_at, own),
            (EXECUTIONS.listed_at, own),
            (DOCUMENTS.listed_at, with_global),
            (&in_base, with_global),
        ] {
            let mut found = 0;
            for page in 1..=usize::div_ceil(total, 10) {
                let answer = caller.get(&deployment, &format!("{path}?page={page}&limit=10")).await;
                let items = answer.document(200)["items"].as_array().unwrap();
                assert!(items.iter().all(|item| owners.contains(&item["external_user_id"])), "{path} {}", caller.way);
                assert_eq!(answer.body["total"], total, "{path} {}", caller.way);
                assert_eq!(answer.body["has_more"], page * 10 < total, "{path} {}", caller.way);
                found += items.len();
            }
            assert_eq!(found, total, "{path} {}", caller.way);
        }
    }
}

/// The spaces of the partitions that a request to DynamoDB names: whose rows they are.
fn spaces(request: &Value, tenant: &str) -> BTreeSet<String> {
    let text = request.to_string();
    let prefix = format!("TENANT#{tenant}#");
    let rest = text.split(&prefix).skip(1);
    rest.map(|rest| rest.split(['#', '"']).next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn strict_isolation_is_enforced_at_the_database_level() {
    let (deployment, key) = account().await;
    let digest = |user: &str| format!("OF@{}", ExternalId::parse(user).unwrap().digest());
    let mut others = Vec::new();
    for kind in ALL {
        let caller = Caller::on_behalf(&key, "external_user_id", "user_b");
        others.push((kind, caller.make(&deployment, kind).await));
        Caller::account(&key).make(&deployment, kind).await;
    }
    for caller in Caller::all(&deployment, &key, Some("user_a")).await {
        let mut calls = Vec::new();
        for (kind, others) in &others {
            calls.push((kind, false, caller.call(&deployment, "POST", kind.made_at).json(&kind.body())));
            calls.push((kind, true, caller.call(&deployment, "GET", kind.listed_at)));
            calls.push((kind, true, caller.call(&deployment, "GET", &kind.path(others))));
        }
        for (kind, is_read, call) in calls {
            let (_, calls) = deployment.calls_of(call).await;
            let mut named: BTreeSet<_> = calls.iter().flat_map(|call| spaces(&call.request, &key.tenant.id)).collect();
            // The credential is no user's, and is read with everything.
            for credential in ["KEY", "SIGNING", "TOKEN", "EXTERNAL"] {
                named.retain(|space| !space.starts_with(credential));
            }
            assert!(!named.contains(&digest("user_b")), "{kind:?} {}: {named:?}", caller.way);
            let mut expected = BTreeSet::from([digest("user_a")]);
            if is_read && SHARED.contains(kind) {
                expected.insert("GLOBAL".to_owned());
            }
            // What is made is counted among those of the account too, by its id and nothing else.
            if !is_read {
                expected.insert("ALL".to_owned());
            }
            assert_eq!(named, expected, "{kind:?} {}", caller.way);
        }
    }
}

#[tokio::test]
async fn short_lived_tokens_for_frontend_clients_encode_this_id() {
    let (deployment, key) = account().await;
    let token = deployment.scoped_token(&key, Some("user_456")).await;
    let claims = BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((&claims["external_user_id"], &claims["scope"]), (&json!("user_456"), &json!("end_user")));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
    // In that header and nowhere else.
    let path = SESSIONS.listed_at;
    for call in [
        deployment.anonymous("GET", path).header("x-api-key", &token),
        deployment.anonymous("GET", path).header("authorization", &token),
        deployment.anonymous("GET", path).header("x-access-token", &token),
    ] {
        call.send().await.refused(401, "unauthenticated");
    }
    let asked = deployment.anonymous("GET", &format!("{path}?access_token={token}")).send().await;
    asked.refused(400, "credential_in_query");
}

#[tokio::test]
async fn without_an_external_user_id_a_call_has_full_access_to_all_resources() {
    let (deployment, key) = account().await;
    for kind in ALL {
        let mut made = Vec::new();
        for user in [Some("user_a"), Some("user_b"), None] {
            for caller in Caller::all(&deployment, &key, user).await {
                made.push((user, caller.make(&deployment, kind).await));
            }
        }
        let admins = Caller::all(&deployment, &key, None).await;
        let all: Vec<_> = made.iter().map(|(_, id)| id).collect();
        for admin in &admins {
            admin.check_sees(&deployment, kind, &all, &all).await;
        }
        for (number, (user, id)) in made.iter().enumerate() {
            let admin = &admins[number % admins.len()];
            let change = match kind {
                SESSIONS => Some(json!({ "title": "seen" })),
                WORKSPACES => Some(json!({ "name": "seen" })),
                _ => None,
            };
            if let Some(change) = change {
                let changed = admin.call(&deployment, "PATCH", &kind.path(id)).json(&change).send().await;
                assert_eq!(changed.document(200)["external_user_id"], json!(user), "it stays whose it was");
            }
            if kind == SESSIONS {
                let path = format!("{}/messages", kind.path(id));
                let message = json!({ "role": "assistant", "content": "a" });
                admin.call(&deployment, "POST", &path).json(&message).send().await.document(201);
                assert_eq!(admin.get(&deployment, &path).await.document(200)["total"], 1);
            }
            if kind == EXECUTIONS {
                let report = json!({ "status": "running" });
                deployment.account(&key, "PATCH", &kind.path(id)).json(&report).send().await.document(200);
            } else {
                admin.call(&deployment, "DELETE", &kind.path(id)).send().await.document(200);
                admin.get(&deployment, &kind.path(id)).await.refused(404, "not_found");
            }
        }
    }
}

#[tokio::test]
async fn the_external_user_id_of_a_token_is_enforced_so_you_dont_need_to_send_it_in_the_body() {
    let (deployment, key) = account().await;
    for kind in ALL {
        let token = deployment.scoped_token(&key, Some("user_456")).await;
        let call = || deployment.page(&token, "POST", kind.made_at);
        let named = |user: Value| support::with(&kind.body(), &json!({ "external_user_id": user }));
        let own = [
            call().json(&kind.body()),
            call().json(&named(json!("user_456"))),
            call().json(&kind.body()).header("external_user_id", "user_456"),
        ];
        let mut made = Vec::new();
        for call in own {
            made.push(id(&call.send().await));
        }
        let before = deployment.items().await;
        for call in [
            call().json(&named(json!("user_457"))),
            call().json(&kind.body()).header("external_user_id", "user_457"),
            call().json(&kind.body()).header("x-end-user-id", "user_457"),
            call().json(&named(json!("user_456"))).header("x-end-user-id", "user_457"),
            deployment.page(&token, "GET", kind.listed_at).header("external_user_id", "user_457"),
            deployment.page(&token, "GET", &kind.path(&made[0])).header("x-end-user-id", "user_457"),
        ] {
            call.send().await.refused(403, "another_end_user");
        }
        assert_eq!(deployment.items().await, before);
        let made: Vec<_> = made.iter().collect();
        Caller::on_behalf(&key, "external_user_id", "user_456").check_sees(&deployment, kind, &made, &made).await;
        Caller::on_behalf(&key, "external_user_id", "user_457").check_sees(&deployment, kind, &[], &made).await;
    }
}

/// The text is about one account. There are many, and what one of them calls its users is its own business.
#[tokio::test]
async fn two_accounts_with_the_same_users_names_and_ids_never_meet() {
    let (deployment, key) = account().await;
    let other = deployment.provision("Beta").await;
    let other = deployment.api_key(&other, "account").await;
    let callers = async |key: &ApiKey| {
        let mut callers = vec![Caller::account(key)];
        for user in ["user_a", "user_b"] {
            callers.push(Caller::with_token(&deployment, key, Some(user)).await);
        }
        callers
    };
    let (ours, theirs) = (callers(&key).await, callers(&other).await);
    let mut made = Vec::new();
    for kind in ALL {
        for caller in &ours {
            made.push((kind, caller.make(&deployment, kind).await));
        }
    }
    let lists = async |callers: &[Caller]| {
        let mut lists = Vec::new();
        for caller in callers {
            for kind in ALL {
                let list = caller.get(&deployment, &format!("{}?limit=100", kind.listed_at)).await;
                lists.push(list.document(200).clone());
            }
        }
        lists
    };
    let before = lists(&ours).await;
    for (kind, id) in &made {
        for caller in &theirs {
            for method in ["GET", "DELETE"].into_iter().filter(|method| *method == "GET" || *kind != EXECUTIONS) {
                caller.call(&deployment, method, &kind.path(id)).send().await.refused(404, "not_found");
            }
        }
    }
    assert!(lists(&theirs).await.iter().all(|list| list["total"] == 0));
    // Ids are never given out twice, but even so: the other account gets rows of the same ids, in the same places.
    let copies = deployment.items().await.into_iter().filter_map(|item| {
        let partition = item["pk"]["S"].as_str().unwrap();
        let is_row = ["OF@", "GLOBAL#", "ALL#"].iter().any(|space| partition.contains(&format!("#{space}")));
        is_row.then(|| item.to_string().replace(&key.tenant.id, &other.tenant.id))
    });
    for copy in copies.collect::<Vec<_>>() {
        let item: Value = serde_json::from_str(&copy).unwrap();
        deployment.dynamodb("PutItem", &json!({ "TableName": deployment.table(), "Item": item })).await;
    }
    assert_eq!(lists(&theirs).await, before);
    for (kind, id) in &made {
        if *kind == EXECUTIONS {
            let report = json!({ "status": "failed", "error": "theirs" });
            deployment.account(&other, "PATCH", &kind.path(id)).json(&report).send().await.document(200);
        } else {
            theirs[0].call(&deployment, "DELETE", &kind.path(id)).send().await.document(200);
        }
    }
    assert_eq!(lists(&ours).await, before);
}
