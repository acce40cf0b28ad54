//! What a tenant's credential asks for is the tenant's own: every key of every call to DynamoDB, whatever the request
//! says. And what is another's, be it another tenant's or another end user's, is answered like what never was.

use serde_json::{Value, json};
use shared::api::{OPERATIONS, OperationInfo, Surface};
use shared::domain::{SystemRandomness, random_uuid};
use stack::AwsCall;

use super::refusals::visible;
use crate::support::{Answer, ApiKey, Call, Deployment, END_USER, World};

/// Every value in a call to DynamoDB that names a partition: keys, items, and what queries ask for.
fn partitions(call: &AwsCall) -> Vec<String> {
    fn walk(value: &Value, found: &mut Vec<String>) {
        let names = ["pk", ":value", ":partition"];
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if let (true, Some(partition)) = (names.contains(&name.as_str()), value["S"].as_str()) {
                        found.push(partition.to_owned());
                    }
                    walk(value, found);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| walk(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(&call.request, &mut found);
    found
}

/// Whether a call stays within the tenant.
fn is_within(call: &AwsCall, tenant_id: &str) -> bool {
    let own = format!("TENANT#{tenant_id}");
    let of_tenant = |partition: &String| {
        let partition = partition.strip_prefix("AUDIT#").unwrap_or(partition);
        partition == own || partition.starts_with(&format!("{own}#"))
    };
    if let Some(secret) = call.request["SecretId"].as_str() {
        return secret.ends_with(&format!("/{tenant_id}"));
    }
    let mut partitions = partitions(call);
    // A pairing has no tenant in its key, and says itself whose it is.
    let text = call.request.to_string();
    partitions.retain(|partition| !partition.starts_with("PAIRING#") || !text.contains(tenant_id));
    !partitions.is_empty() && partitions.iter().all(of_tenant)
}

#[tokio::test]
async fn every_call_to_aws_that_a_key_causes_is_about_its_tenant_even_if_all_ids_are_anothers() {
    let deployment = Deployment::start().await;
    let (ours, theirs) = (deployment.world().await, deployment.world().await);
    // Our credentials, and everything else theirs.
    let console = deployment.console(Some(&ours.tenant), "Bob").await;
    let own = (ours.key.clone(), ours.account.clone(), console);
    let mixed = World { key: own.0, account: own.1, console: own.2, ..theirs.clone() };
    let mut seen = 0;
    for world in [&ours, &mixed] {
        for entry in OPERATIONS.iter().filter(|entry| entry.surface != Surface::Registry && !entry.security.is_empty())
        {
            // A signature is of one tenant, and its call names no other.
            if entry.surface == Surface::Relay && world.tenant.id != ours.tenant.id {
                continue;
            }
            // Phones have tests of their own, and so have links, which are a credential themselves.
            if entry.surface == Surface::Device || entry.route.name == "open-console-session" {
                continue;
            }
            let (answer, calls) = deployment.calls_of(deployment.authorized(entry, world)).await;
            for call in &calls {
                assert!(is_within(call, &ours.tenant.id), "{}: {:?}", entry.route.name, call.request);
                assert!(!is_within(call, &theirs.tenant.id), "the check sees the difference");
            }
            assert!(!answer.text.contains(&theirs.tenant.id), "{}: {}", entry.route.name, answer.text);
            seen += calls.len();
        }
    }
    assert!(seen > 16, "{seen}");
}

#[tokio::test]
async fn names_that_look_like_keys_of_the_table_lead_nowhere() {
    let deployment = Deployment::start().await;
    let (ours, theirs) = (deployment.world().await, deployment.world().await);
    let member = &theirs.member;
    for name in [
        format!("TENANT#{}#USER#{}", theirs.tenant.id, member.user_id),
        format!("../{}", member.user_id),
        format!("{}#{}", theirs.tenant.id, member.user_id),
        format!("@{}", member.user_id),
        "#".to_owned(),
        "STATE".to_owned(),
    ] {
        let body = json!({ "userId": name });
        let call = deployment.backend(&ours.key, "POST", "/v1/api/projects/user-token").json(&body);
        let (answer, calls) = deployment.calls_of(call).await;
        answer.refused(404, "user_not_found");
        assert!(calls.iter().all(|call| is_within(call, &ours.tenant.id)), "{name}");
    }
}

/// What takes the id of a row.
fn of_rows() -> impl Iterator<Item = &'static OperationInfo> {
    OPERATIONS.iter().filter(|entry| entry.surface == Surface::Account && entry.route.path.contains("{id}"))
}

/// As whom a call of the account surface is made.
struct Viewer {
    name: &'static str,
    headers: Vec<(&'static str, String)>,
    is_token: bool,
}

impl Viewer {
    fn key(name: &'static str, key: &ApiKey, user: Option<&str>) -> Self {
        let named = user.map(|user| ("x-end-user-id", user.to_owned()));
        Self { name, headers: [("x-api-key", key.text.clone())].into_iter().chain(named).collect(), is_token: false }
    }

    fn token(name: &'static str, token: &str) -> Self {
        Self { name, headers: vec![("authorization", format!("Bearer {token}"))], is_token: true }
    }

    /// Every way to be this end user.
    async fn of_end_user(deployment: &Deployment, key: &ApiKey, user: &str) -> Vec<Self> {
        let token = deployment.scoped_token(key, Some(user)).await;
        vec![Self::key("a key for an end user", key, Some(user)), Self::token("an end user's token", &token)]
    }

    /// Every way to be the account, or this end user.
    async fn all(deployment: &Deployment, key: &ApiKey, user: &str) -> Vec<Self> {
        let mut viewers = Self::of_end_user(deployment, key, user).await;
        viewers.push(Self::key("a key", key, None));
        viewers.push(Self::token("the account's token", &deployment.scoped_token(key, None).await));
        viewers
    }

    fn on(&self, call: Call) -> Call {
        self.headers.iter().fold(call, |call, (name, value)| call.header(name, value))
    }
}

/// The world with this for the id of each row.
fn with_ids(world: &World, session: &str, execution: &str, workspace: &str, document: &str) -> World {
    let mut world = world.clone();
    let rows = &mut world.rows;
    for (row, id) in [
        (&mut rows.session, session),
        (&mut rows.execution, execution),
        (&mut rows.workspace, workspace),
        (&mut rows.document, document),
    ] {
        id.clone_into(row);
    }
    world
}

/// The id of an execution, of the digits of this uuid.
fn execution(uuid: &str) -> String {
    format!("exec_{}", uuid.replace('-', ""))
}

/// The uuid of the digits of an execution's id.
fn hyphenated(execution: &str) -> String {
    let digits = execution.strip_prefix("exec_").unwrap();
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]).join("-")
}

/// An id that was not given out.
fn never() -> String {
    random_uuid(&SystemRandomness::new()).unwrap().to_string()
}

const NIL: &str = "00000000-0000-0000-0000-000000000000";

fn unknown(world: &World) -> World {
    let id = never();
    with_ids(world, &id, &execution(&id), &id, &id)
}

/// What shows of a request outside: its answer, the calls that it caused, and of how many keys each was.
async fn outcome(deployment: &Deployment, call: Call) -> (Answer, Vec<(String, usize)>) {
    let (answer, calls) = deployment.calls_of(call).await;
    let size = |call: &AwsCall| (call.operation.clone(), partitions(call).len());
    (answer, calls.iter().map(size).collect())
}

/// Checks that each of these worlds, whose ids are others', is to this viewer like one whose ids nobody has.
async fn check_like_unknown(deployment: &Deployment, viewer: &Viewer, ours: &World, others: &[(&str, World)]) {
    for entry in of_rows() {
        let request = |world: &World| viewer.on(deployment.request(entry, world));
        let (never, cost) = outcome(deployment, request(&unknown(ours))).await;
        // Tokens don't report, whatever the id.
        let is_closed = viewer.is_token && entry.security.len() == 1;
        if is_closed {
            never.refused(403, "insufficient_scope");
        } else {
            never.refused(404, "not_found");
        }
        assert_eq!(cost.len(), 1, "{}", entry.route.name);
        for (label, other) in others {
            let label = format!("{} of {label} with {}", entry.route.name, viewer.name);
            let (answer, calls) = outcome(deployment, request(other)).await;
            assert_eq!(visible(&answer), visible(&never), "{label}");
            assert_eq!(calls, cost, "{label}");
        }
    }
}

#[tokio::test]
async fn a_row_of_another_tenant_is_answered_like_one_that_never_was() {
    let deployment = Deployment::start().await;
    let (ours, theirs) = (deployment.world().await, deployment.world().await);
    let global = deployment.account(&theirs.account, "POST", "/api/v1/workspaces").json(&json!({ "name": "For all" }));
    let global = global.send().await.document(201)["id"].as_str().unwrap().to_owned();
    let shared = with_ids(&theirs, &global, &global, &global, &global);
    let others = [("another tenant's", theirs), ("what another tenant shares", shared)];
    // Its own were made for the same end user.
    let viewers = Viewer::all(&deployment, &ours.account, END_USER).await;
    let before = deployment.items().await;
    for viewer in &viewers {
        check_like_unknown(&deployment, viewer, &ours, &others).await;
    }
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn a_private_row_of_another_end_user_or_of_nobody_is_answered_like_one_that_never_was() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let made = async |path: &str, field: &str| {
        let answer = deployment.account(&world.account, "POST", path).send().await;
        answer.body[field].as_str().unwrap().to_owned()
    };
    let session = made("/api/v1/agent-sessions", "id").await;
    let nobodys = made("/api/v1/tools/web_search/execute", "execution_id").await;
    let rows = &world.rows;
    // Of the kinds that are shared, what is nobody's is everybody's.
    let accounts = with_ids(&world, &session, &nobodys, &rows.workspace, &rows.document);
    let others = [("another end user's", world.clone()), ("the account's", accounts)];
    let viewers = Viewer::of_end_user(&deployment, &world.account, "user_457").await;
    let before = deployment.items().await;
    for viewer in &viewers {
        check_like_unknown(&deployment, viewer, &world, &others).await;
    }
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn an_id_of_another_kind_is_answered_like_one_that_never_was() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let rows = &world.rows;
    let plain = hyphenated(&rows.execution);
    let turned = with_ids(&world, &rows.workspace, &execution(&rows.session), &rows.document, &rows.session);
    let turned_again = with_ids(&world, &rows.document, &execution(&rows.workspace), &plain, &plain);
    let misspelt =
        with_ids(&world, &execution(&rows.session), &plain, &execution(&rows.workspace), &execution(&rows.document));
    let others = [("another kind's", turned), ("yet another kind's", turned_again), ("another kind's form", misspelt)];
    for viewer in &Viewer::all(&deployment, &world.account, END_USER).await {
        check_like_unknown(&deployment, viewer, &world, &others).await;
    }
}

#[tokio::test]
async fn a_text_that_is_no_id_is_answered_like_one_that_never_was() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let rows = &world.rows;
    let (simple, long) = (rows.session.replace('-', ""), "x".repeat(6000));
    let texts = [
        "x",
        "0",
        "-1",
        "null",
        "..%2f",
        "..%2F..%2F",
        "%2e%2e",
        "%00",
        "%0d%0a",
        "%20",
        "%25",
        "%252f",
        "%ff",
        "%",
        "%7Bid%7D",
        "%F0%9F%98%80",
        "%23",
        "a%23b",
        "ALL",
        "GLOBAL",
        "RESOURCE",
        "exec_",
        "exec_x",
        "EXEC_",
        "'%20OR%20'1'='1",
        "+",
        "*",
        NIL,
        "exec_00000000000000000000000000000000",
        &simple,
        &long,
    ];
    let mut texts: Vec<_> = texts.map(str::to_owned).into();
    texts.extend([
        format!("%7B{}%7D", rows.session),
        format!("urn:uuid:{}", rows.session),
        format!("{}%20", rows.session),
        format!("{}%00", rows.session),
        format!("{}%2Fmessages", rows.session),
        format!("exec_{}", rows.session),
        rows.execution.to_uppercase(),
        rows.execution[..rows.execution.len() - 1].to_owned(),
        format!("{}0", rows.execution),
    ]);
    let label = |text: &str| text.chars().take(60).collect::<String>();
    let labels: Vec<_> = texts.iter().map(|text| label(text)).collect();
    let others: Vec<_> = labels
        .iter()
        .zip(&texts)
        .map(|(label, text)| (label.as_str(), with_ids(&world, text, text, text, text)))
        .collect();
    let viewers = Viewer::all(&deployment, &world.account, END_USER).await;
    for viewer in &viewers[1..3] {
        check_like_unknown(&deployment, viewer, &world, &others).await;
    }
}

#[tokio::test]
async fn an_id_in_upper_case_or_encoded_is_the_same_row() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let rows = &world.rows;
    let upper = |id: &str| id.to_uppercase().replace("EXEC_", "exec_");
    let encoded = |id: &str| id.replace('-', "%2D").replace('e', "%65");
    let spelled = |spell: &dyn Fn(&str) -> String| {
        let [session, execution] = [spell(&rows.session), spell(&rows.execution)];
        with_ids(&world, &session, &execution, &spell(&rows.workspace), &spell(&rows.document))
    };
    let token = deployment.scoped_token(&world.account, Some(END_USER)).await;
    let mut seen = 0;
    for entry in of_rows().filter(|entry| entry.route.method == shared::api::Method::Get) {
        let get = async |world: &World| {
            let request = deployment.request(entry, world).header("authorization", &format!("Bearer {token}"));
            request.send().await.document(200).clone()
        };
        let plain = get(&world).await;
        assert_eq!(get(&spelled(&upper)).await, plain, "{}", entry.route.name);
        assert_eq!(get(&spelled(&encoded)).await, plain, "{}", entry.route.name);
        seen += 1;
    }
    assert_eq!(seen, 6);
}

/// What a body refers to is looked for where the caller sees, too.
#[tokio::test]
async fn a_reference_to_what_is_anothers_is_answered_like_one_to_what_never_was() {
    let deployment = Deployment::start().await;
    let (world, theirs) = (deployment.world().await, deployment.world().await);
    let made = async |key: &ApiKey, user: Option<&str>, path: &str, body: &Value| {
        let call = deployment.account(key, "POST", &format!("/api/v1/{path}")).json(body);
        let call = user.into_iter().fold(call, |call, user| call.header("x-end-user-id", user));
        call.send().await.document(201)["id"].as_str().unwrap().to_owned()
    };
    let (key, message, named) = (&world.account, json!({ "role": "user", "content": "?" }), json!({ "name": "x" }));
    let messages = |session: &str| format!("agent-sessions/{session}/messages");
    let other = made(key, Some("user_457"), "agent-sessions", &json!({})).await;
    let second = made(key, Some(END_USER), "agent-sessions", &json!({})).await;
    let nobodys = made(key, None, "agent-sessions", &json!({})).await;
    let parents = [
        never(),
        NIL.to_owned(),
        world.rows.session.clone(),
        made(key, Some("user_457"), &messages(&other), &message).await,
        made(key, Some(END_USER), &messages(&second), &message).await,
        made(key, None, &messages(&nobodys), &message).await,
        made(&theirs.account, Some(END_USER), &messages(&theirs.rows.session), &message).await,
    ];
    let deleted = made(key, Some(END_USER), "workspaces", &named).await;
    let path = format!("/api/v1/workspaces/{deleted}");
    deployment.account(key, "DELETE", &path).send().await.document(200);
    let workspaces = [
        never(),
        NIL.to_owned(),
        world.rows.document.clone(),
        made(key, Some("user_457"), "workspaces", &named).await,
        made(&theirs.account, Some(END_USER), "workspaces", &named).await,
        made(&theirs.account, None, "workspaces", &named).await,
        deleted,
    ];
    let before = deployment.items().await;
    for viewer in &Viewer::of_end_user(&deployment, key, END_USER).await {
        let post =
            |path: &str, body: &Value| viewer.on(deployment.anonymous("POST", &format!("/api/v1/{path}"))).json(body);
        let reply = |parent: &String| {
            let body = json!({ "role": "user", "content": "?", "parent_id": parent });
            post(&messages(&world.rows.session), &body)
        };
        let document = |workspace: &String| post("documents", &json!({ "name": "x", "workspace_ids": [workspace] }));
        let replies: Vec<_> = parents.iter().map(reply).collect();
        let documents: Vec<_> = workspaces.iter().map(document).collect();
        for (field, calls) in [("parent_id", replies), ("workspace_ids", documents)] {
            let mut outcomes = Vec::new();
            for call in calls {
                let (answer, calls) = outcome(&deployment, call).await;
                answer.invalid("body", field);
                outcomes.push((visible(&answer), calls));
            }
            outcomes.dedup();
            assert_eq!(outcomes.len(), 1, "{field} with {}: {outcomes:?}", viewer.name);
        }
    }
    assert_eq!(deployment.items().await, before);
}
