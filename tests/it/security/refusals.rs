//! Every operation of the operator refuses whoever is not the operator: with what the caller can see for itself, or in
//! one and the same way.

use std::fmt::Debug;

use serde_json::json;
use shared::api::{OPERATIONS, OperationInfo, Surface};
use stack::AwsCall;

use crate::support::{Answer, Call, Deployment, END_USER, Tenant, World, takes};

/// The operator's operations.
fn registry() -> impl Iterator<Item = &'static OperationInfo> {
    OPERATIONS.iter().filter(|entry| entry.surface == Surface::Registry)
}

/// Where the operation is, for this tenant and key.
fn path(entry: &OperationInfo, world: &World) -> String {
    let key = if takes(entry, "key_id") { format!("&key_id={}", world.key.id) } else { String::new() };
    let event = if takes(entry, "event_id") { format!("&event_id={}", world.event) } else { String::new() };
    let parameters = format!("?tenant_id={}{key}{event}", world.tenant.id);
    let tenant = if takes(entry, "tenant_id") { parameters } else { String::new() };
    format!("{}{tenant}", entry.route.path)
}

/// What of an answer may depend on the credential: nothing but the request id.
pub fn visible(answer: &Answer) -> (u16, String, Vec<(String, String)>) {
    let volatile = ["x-request-id", "apigw-requestid", "date"];
    let headers = answer.headers.clone().into_iter().filter(|(name, _)| !volatile.contains(&name.as_str()));
    // The time of the refusal is in it, where the caller's clock is at fault.
    let now = answer.body["error"]["server_time_ms"].as_i64().map(|time| time.to_string());
    let text = now.map_or(answer.text.clone(), |now| answer.text.replace(&now, "now"));
    (answer.status, text, headers.collect())
}

/// Checks that the refusal of a credential tells what is wrong with it exactly if nobody was asked for that, and is
/// else the same as every other such refusal.
pub fn check_told<Visible: PartialEq + Debug>(
    answer: &Answer,
    calls: &[AwsCall],
    expected: &mut Option<Visible>,
    visible: impl Fn(&Answer) -> Visible,
    label: &str,
) {
    assert_eq!(answer.reason().is_some(), calls.is_empty(), "{label}: {} {calls:?}", answer.text);
    if answer.reason().is_none() {
        assert_eq!(&visible(answer), expected.get_or_insert_with(|| visible(answer)), "{label}");
    }
}

/// What a request presents: its label, header and value, and what its sender is told.
type Presented<'a> = (&'a str, Option<(&'a str, &'a str)>, Option<&'a str>);

#[tokio::test]
async fn every_operation_refuses_every_other_credential_uniformly_and_writes_nothing() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let tenant = world.tenant.clone();
    let (revoked, current) = (deployment.key().to_owned(), "C".repeat(48));
    deployment.put_admin_keys(&json!({ "current": current }), '1');
    let before = deployment.items().await;
    let wrong = "W".repeat(48);
    let (bearer, wrong_bearer) = (format!("Bearer {current}"), format!("Bearer {wrong}"));
    let lower = "c".repeat(48);
    let signs = "!".repeat(48);
    let (malformed, misplaced) = (Some("key_malformed"), Some("key_on_the_wrong_header"));
    let credentials: [Presented; 15] = [
        ("none", None, Some("credential_missing")),
        ("empty", Some(("x-admin-key", "")), malformed),
        ("malformed", Some(("x-admin-key", "not-a-key")), malformed),
        ("malformed, of the right length", Some(("x-admin-key", &signs)), malformed),
        ("cut short", Some(("x-admin-key", &current[..47])), malformed),
        ("wrong", Some(("x-admin-key", &wrong)), None),
        ("in another case", Some(("x-admin-key", &lower)), None),
        ("revoked", Some(("x-admin-key", &revoked)), None),
        ("a tenant's secret", Some(("x-admin-key", &tenant.secret)), misplaced),
        ("a tenant's id", Some(("x-admin-key", &tenant.id)), malformed),
        ("a tenant's API key", Some(("x-admin-key", &world.key.text)), misplaced),
        ("the right key as a bearer token", Some(("authorization", &bearer)), misplaced),
        ("the right key in the header of API keys", Some(("x-api-key", &current)), misplaced),
        ("a wrong key as a bearer token", Some(("authorization", &wrong_bearer)), misplaced),
        ("a wrong key in the header of API keys", Some(("x-api-key", &wrong)), misplaced),
    ];
    let mut expected = None;
    for entry in registry() {
        for (name, credential, told) in &credentials {
            let call = deployment.request(entry, &world);
            let call = match credential {
                Some((header, value)) => call.header(header, value),
                None => call,
            };
            let (answer, calls) = deployment.calls_of(call).await;
            let label = format!("{} with {name}", entry.route.name);
            answer.refused(401, "unauthenticated");
            assert_eq!(answer.reason(), *told, "{label}");
            check_told(&answer, &calls, &mut expected, visible, &label);
            assert!(calls.iter().all(|call| call.operation == "GetSecretValue"), "{label} asked a store");
            for attempted in [&wrong, &current, &revoked, &tenant.secret] {
                assert!(!answer.text.contains(attempted.as_str()), "{label} repeats a credential");
            }
        }
    }
    assert_eq!(deployment.items().await, before);
    let output = deployment.stack.output();
    for attempted in [&wrong, &current, &revoked, &tenant.secret] {
        assert!(!output.contains(attempted.as_str()), "a credential is in the log");
    }
}

#[tokio::test]
async fn both_admin_keys_open_every_operation_while_a_rotation_lasts_and_the_trail_says_which() {
    let deployment = Deployment::start().await;
    let (old, new) = (deployment.key().to_owned(), "N".repeat(48));
    deployment.put_admin_keys(&json!({ "current": new, "previous": old }), '1');
    for key in [&old, &new] {
        for entry in registry() {
            let world = deployment.world().await;
            let answer = deployment.request(entry, &world).header("x-admin-key", key).send().await;
            assert_eq!(answer.status, entry.route.status, "{}: {}", entry.route.name, answer.text);
        }
    }
    let tenant = deployment.provision("Acme").await;
    let path = format!("/api/v1/suspend/tenant?tenant_id={}", tenant.id);
    deployment.anonymous("POST", &path).header("x-admin-key", &new).send().await.data(200);
    let answer = deployment.get(&format!("/api/v1/fetch/audit-events?tenant_id={}", tenant.id)).await;
    let actors: Vec<_> = answer.data(200)["events"].as_array().unwrap().iter().map(|event| &event["actor"]).collect();
    assert_eq!(actors, ["operator", "operator (previous key)"]);
    deployment.put_admin_keys(&json!({ "current": new }), '2');
    deployment.get("/api/v1/fetch/tenants").await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn an_admin_secret_that_is_broken_opens_nothing() {
    let deployment = Deployment::start().await;
    for (n, broken) in
        [json!({}), json!({ "current": "" }), json!([]), json!("x"), json!({ "current": null })].iter().enumerate()
    {
        deployment.put_admin_keys(broken, char::from_digit(u32::try_from(n).unwrap(), 10).unwrap());
        for key in [deployment.key(), &"x".repeat(48)] {
            let answer = deployment.anonymous("GET", "/api/v1/fetch/tenants").header("x-admin-key", key).send().await;
            assert!(matches!(answer.status, 401 | 500), "{broken}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn every_operation_on_a_tenant_answers_an_unknown_one_with_the_same_bytes() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let before = deployment.items().await;
    for entry in registry().filter(|entry| takes(entry, "tenant_id")) {
        let mut answers = Vec::new();
        for id in [
            "tnt_00000000000000000000000000000000",
            "tnt_unknown",
            &world.tenant.id.to_uppercase().replace("TNT", "tnt"),
        ] {
            let unknown = World { tenant: Tenant { id: id.to_owned(), ..world.tenant.clone() }, ..world.clone() };
            let answer = deployment.authorized(entry, &unknown).send().await;
            answers.push(visible(answer.refused(404, "tenant_not_found")));
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{}", entry.route.name);
    }
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn every_operation_refuses_every_other_method_before_asking_anybody() {
    let deployment = Deployment::start().await;
    for entry in OPERATIONS {
        let of_path = OPERATIONS.iter().filter(|other| other.route.path == entry.route.path);
        let methods: Vec<_> = of_path.map(|other| other.route.method.as_str()).collect();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
            // A browser asks for what it may send by this one.
            if methods.contains(&method) || (method == "OPTIONS" && entry.surface.is_shared(entry.is_public)) {
                continue;
            }
            let call = deployment.operator(method, &entry.route.path.replace("{tenant_id}", "tnt_1"));
            let (answer, calls) = deployment.calls_of(call).await;
            let code = if entry.surface == Surface::Tokens { "invalid_request" } else { "method_not_allowed" };
            answer.refused(405, code);
            let mut allowed: Vec<_> = answer.headers["allow"].split(", ").collect();
            allowed.sort_unstable();
            let mut methods = methods.clone();
            methods.extend(entry.is_public.then_some("HEAD"));
            methods.sort_unstable();
            assert_eq!(allowed, methods);
            assert!(calls.is_empty());
        }
    }
    let answer = deployment.operator("GET", "/api/v1/fetch/nothing").send_raw().await;
    assert_eq!((answer.status, answer.text.as_str()), (404, r#"{"message":"Not Found"}"#));
}

#[tokio::test]
async fn every_operation_refuses_unknown_parameters_and_fields_by_name() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let before = deployment.items().await;
    for entry in registry() {
        let (method, path) = (entry.route.method.as_str(), path(entry, &world));
        let separator = if path.contains('?') { '&' } else { '?' };
        let call = deployment.operator(method, &format!("{path}{separator}surprise=1"));
        call.json(&json!({ "tenant_name": "a" })).send().await.names("surprise");
        if entry.is_change() {
            deployment.post(&path, &json!({ "surprise": 1 })).await.names("surprise");
        }
    }
    assert_eq!(deployment.items().await, before);
}

/// Elsewhere unknown fields are ignored, as clients of other services send them: but a check is not skipped, and nobody
/// is registered twice, for a name that is nearly right.
#[tokio::test]
async fn every_operation_of_projects_refuses_near_misses_by_name_and_ignores_other_unknown_fields() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let bodies = OPERATIONS.iter().filter(|entry| entry.surface == Surface::Projects && entry.has_body());
    let mut seen = 0;
    for entry in bodies {
        let sent = |name: &str, value: serde_json::Value| {
            let call = deployment.request(entry, &world);
            let mut body: serde_json::Value = serde_json::from_slice(call.sent()).unwrap();
            body[name] = value;
            let call = deployment.anonymous(entry.route.method.as_str(), entry.route.path).json(&body);
            call.header("authorization", &format!("Bearer {}", world.key.text))
        };
        let before = deployment.items().await;
        for field in entry.fields {
            let snake = field.chars().flat_map(|c| c.is_uppercase().then_some('_').into_iter().chain(c.to_lowercase()));
            let snake: String = snake.collect();
            for name in [snake, field.to_uppercase(), format!("{field}_")].into_iter().filter(|name| name != field) {
                let answer = sent(&name, json!(OWN_GOAL)).send().await;
                answer.names(&name);
                let right = format!(": {field} is");
                assert!(answer.body["message"].as_str().unwrap().ends_with(&right), "{}", answer.text);
                assert!(!answer.text.contains(OWN_GOAL), "what came is not repeated: {}", answer.text);
                seen += 1;
            }
        }
        assert_eq!(deployment.items().await, before, "{}", entry.route.name);
        for name in ["email", "metadata", "projectName", "😀"] {
            let answer = sent(name, json!({ "userId": 1 })).send().await;
            assert_eq!(answer.status, entry.route.status, "{} with {name}: {}", entry.route.name, answer.text);
        }
    }
    assert!(seen > 70, "{seen}");
    // Those that were met.
    let token = async |name: &str, value: serde_json::Value| {
        let body = json!({ "userId": "ada", name: value });
        deployment.backend(&world.key, "POST", "/v1/api/projects/user-token").json(&body).send().await
    };
    for (name, value) in [
        ("projectOrganizationId", json!("c9")),
        ("expiresIn", json!("60s")),
        ("expires_in", json!(60)),
        ("externalID", json!("ada")),
        ("external_id", json!("ada")),
    ] {
        token(name, value).await.names(name);
    }
    for name in ["externalID", "external_id", "projectOrganizationId"] {
        deployment.register_organization(&world.key, &json!({ "name": "b", name: "b" })).await.names(name);
    }
}

#[tokio::test]
async fn what_was_sent_to_the_wrong_place_is_told_the_right_one() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let before = deployment.items().await;
    for entry in registry() {
        // Where it may be left out, nothing is missing.
        if ["fetch-audit-events", "provision-console-link"].contains(&entry.route.name) {
            continue;
        }
        for name in ["tenant_id", "key_id"].into_iter().filter(|name| takes(entry, name)) {
            let query: Vec<_> = [("tenant_id", &world.tenant.id), ("key_id", &world.key.id)]
                .into_iter()
                .filter(|(other, _)| *other != name && takes(entry, other))
                .map(|(other, value)| format!("{other}={value}"))
                .collect();
            // In the body, where it is not looked for.
            let call = deployment
                .operator(entry.route.method.as_str(), &format!("{}?{}", entry.route.path, query[..].join("&")));
            let call =
                if entry.route.method == shared::api::Method::Get { call } else { call.json(&json!({ name: "x" })) };
            let answer = call.send().await;
            answer.names(name);
            let message = answer.body["message"].as_str().unwrap();
            assert_eq!(message, format!("{name} is required in the query string"), "{}", entry.route.name);
        }
    }
    let answer = deployment.post("/api/v1/provision/tenant?tenant_name=a", &json!({})).await;
    answer.names("tenant_name");
    assert!(answer.body["message"].as_str().unwrap().ends_with("'s query string"), "{}", answer.text);
    let account = |query: &str| deployment.account(&world.account, "GET", &format!("/api/v1/agent-sessions{query}"));
    let answer = account("?title=a").send().await;
    assert_eq!(answer.document(422)["detail"][0]["type"], "extra_forbidden");
    // A body that is no JSON says where it is none, in each shape.
    let broken = "{\n  \"name\": \"a\",\n  \"secret\": sk_value\n}";
    let place = "it is not at line 3, column 13";
    for call in [
        deployment.operator("POST", "/api/v1/provision/tenant"),
        deployment.backend(&world.key, "POST", "/v1/api/projects/register-organization"),
        deployment.account(&world.account, "POST", "/api/v1/workspaces"),
        deployment.backend(&world.key, "POST", "/api/v1/auth/introspect"),
    ] {
        let answer = call.body("application/json", broken).send().await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert!(answer.text.contains(place) && !answer.text.contains("sk_value"), "{}", answer.text);
    }
    assert_eq!(deployment.items().await, before);
}

/// A misspelled name would otherwise make something for everybody that was meant for one.
#[tokio::test]
async fn every_operation_of_the_account_surface_refuses_unknown_parameters_and_fields_by_name() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let token = deployment.scoped_token(&world.account, Some(END_USER)).await;
    let before = deployment.items().await;
    for entry in OPERATIONS.iter().filter(|entry| entry.surface == Surface::Account) {
        let path = entry.route.path.replace("{id}", &world.rows.session).replace("{tool_id}", "web_search");
        let by_key = |call: Call| call.header("x-api-key", &world.account.text);
        let by_token = |call: Call| call.header("authorization", &format!("Bearer {token}"));
        let takes_tokens = entry.security.len() > 1;
        for name in ["surprise", "limit ", "Page", "external_user_Id", "a[0]", "😀", "__proto__"] {
            let encoded = name.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
            let call = || {
                let call = deployment.anonymous(entry.route.method.as_str(), &format!("{path}?{encoded}=1"));
                if entry.has_body() { call.json(&json!({})) } else { call }
            };
            let mut answers = vec![(by_key(call()).send().await, "query")];
            if takes_tokens {
                answers.push((by_token(call()).send().await, "query"));
            }
            if entry.has_body() {
                let call = || deployment.anonymous(entry.route.method.as_str(), &path).json(&json!({ name: OWN_GOAL }));
                answers.push((by_key(call()).send().await, "body"));
                if takes_tokens {
                    answers.push((by_token(call()).send().await, "body"));
                }
            }
            for (answer, part) in answers {
                let problem = &answer.document(422)["detail"][0];
                assert_eq!((&problem["loc"], &problem["type"]), (&json!([part, name]), &json!("extra_forbidden")));
                assert!(!answer.text.contains(OWN_GOAL), "what came is not repeated: {}", answer.text);
            }
        }
    }
    assert_eq!(deployment.items().await, before);
}

/// The value of a field that nobody knows.
const OWN_GOAL: &str = "sk_value";

#[tokio::test]
async fn a_tool_goes_by_any_label_in_the_path_and_what_is_none_is_refused_by_name() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let (longest, long) = ("x".repeat(200), "x".repeat(201));
    let execute = async |tool: &str| {
        let path = format!("/api/v1/tools/{tool}/execute");
        deployment.account_for(&world.account, END_USER, "POST", &path).send().await
    };
    for (tool, shown) in [
        ("a.b-c_d~e", "a.b-c_d~e"),
        ("..%2F..", "../.."),
        ("a%20b", "a b"),
        ("%23", "#"),
        ("%F0%9F%98%80", "😀"),
        ("%25", "%"),
        ("a+b", "a+b"),
        ("a=b&c", "a=b&c"),
        (&longest, &longest),
    ] {
        assert_eq!(execute(tool).await.document(202)["tool_id"], shown);
    }
    for tool in ["%00", "a%0Ab", "%7F", "%C2%85", &long] {
        execute(tool).await.invalid("path", "tool_id");
    }
}
