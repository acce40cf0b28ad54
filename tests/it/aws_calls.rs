//! How many calls to AWS each request costs: read off the local AWS's record.

use serde_json::{Value, json};
use shared::api::{Method, OPERATIONS, OperationInfo, Surface};
use stack::AwsCall;

use crate::support::authenticator::Authenticator;
use crate::support::passkeys::ORIGIN;
use crate::support::phone::Phone;
use crate::support::{Answer, Call, Deployment, END_USER, Signing, Tenant, WHOAMI, World, in_one_minute, now_ms, with};

async fn operations(deployment: &Deployment, call: Call) -> Vec<String> {
    let (answer, calls) = deployment.calls_of(call).await;
    assert!(answer.status < 300, "{}", answer.text);
    calls.into_iter().map(|call| call.operation).collect()
}

/// The read of the admin key is the first of each.
#[tokio::test]
async fn an_admin_call_costs_the_read_of_the_key_and_what_the_contract_says() {
    let deployment = Deployment::start().await;
    // A delivery's calls would be among those that are counted.
    deployment.stack.streams().stop().await;
    let tenant = deployment.provision("Acme").await;
    let at = |path: &str| format!("/api/v1/{path}?tenant_id={}", tenant.id);
    let post = |path: &str| deployment.operator("POST", path).json(&json!({}));
    let provision = deployment.operator("POST", "/api/v1/provision/tenant").json(&json!({ "tenant_name": "a" }));
    let update = deployment.operator("POST", &at("update/tenant")).json(&json!({ "rate_limit_per_min": 5 }));
    let base = json!({ "callback_url_base": "http://127.0.0.1:9" });
    let based = deployment.operator("POST", &at("update/tenant")).json(&base);
    let transact = "TransactWriteItems";
    let cases = [
        (provision.clone(), vec![transact, "CreateSecret", "CreateSecret", transact]),
        (provision.header("idempotency-key", "1"), vec![transact, "CreateSecret", "CreateSecret", transact]),
        (update.clone(), vec!["BatchGetItem", transact]),
        (update.header("idempotency-key", "2"), vec!["BatchGetItem", transact]),
        (post(&at("rotate/tenant-secret")), vec!["UpdateItem", "PutSecretValue", "BatchGetItem", transact]),
        (
            post(&at("rotate/tenant-secret")).header("idempotency-key", "3"),
            vec![transact, "UpdateItem", "PutSecretValue", "BatchGetItem", transact],
        ),
        (post(&at("suspend/tenant")), vec!["BatchGetItem", transact]),
        (post(&at("reactivate/tenant")).header("idempotency-key", "4"), vec!["BatchGetItem", transact]),
        (deployment.operator("GET", &at("fetch/tenant")), vec!["BatchGetItem", "Query"]),
        (deployment.operator("GET", "/api/v1/fetch/tenants"), vec!["Query"]),
        (deployment.operator("GET", "/api/v1/fetch/tenants?search=acme"), vec!["Query", "BatchGetItem"]),
        (deployment.operator("GET", "/api/v1/fetch/tenants?search=acme&status=active"), vec!["Query", "BatchGetItem"]),
        (deployment.operator("GET", "/api/v1/fetch/tenants?search=nobody"), vec!["Query"]),
        (deployment.operator("GET", &at("fetch/audit-events")), vec!["Query"]),
        (deployment.operator("GET", &at("fetch/callbacks")), vec!["Query", "GetItem"]),
        (post(&at("reactivate/callbacks")), vec![transact, "Query"]),
        (based, vec!["BatchGetItem", transact]),
        (post(&at("test/callback")), vec!["BatchGetItem", transact]),
        (deployment.operator("GET", &at("fetch/callbacks")), vec!["Query"]),
    ];
    for (call, expected) in cases {
        let made = operations(&deployment, call).await;
        assert_eq!(made[0], "GetSecretValue");
        assert_eq!(made[1..], expected);
    }
}

/// Beside the keys and lists of the registry, whose calls are as those above.
#[tokio::test]
async fn a_change_of_keys_or_tokens_costs_the_read_of_the_admin_key_and_what_the_contract_says() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let transact = "TransactWriteItems";
    let cases = [
        ("provision-api-key", vec![transact]),
        ("rotate-api-key", vec!["BatchGetItem", transact]),
        ("revoke-tokens", vec!["BatchGetItem", transact]),
        // The key set is written anew from what is in it.
        ("rotate-signing-key", vec!["GetItem", "UpdateItem", "PutSecretValue", transact]),
        ("fetch-callback", vec!["GetItem"]),
        // Nothing has failed.
        ("replay-callbacks", vec!["BatchGetItem", "Query", transact]),
        ("fetch-api-keys", vec!["Query"]),
        ("fetch-organizations", vec!["Query"]),
        ("fetch-setup", vec!["BatchGetItem", "Query", "Query", "Query", "Query"]),
        ("fetch-users", vec!["Query"]),
        ("fetch-person", vec!["BatchGetItem"]),
        ("fetch-registered-tenants", vec!["Query", "GetItem"]),
        ("revoke-api-key", vec![transact]),
    ];
    for (name, expected) in cases {
        let entry = OPERATIONS.iter().find(|entry| entry.route.name == name).unwrap();
        let made = operations(&deployment, deployment.authorized(entry, &world)).await;
        assert_eq!(made[0], "GetSecretValue", "{name}");
        assert_eq!(made[1..], expected, "{name}");
    }
}

#[tokio::test]
async fn a_tenants_call_costs_one_read_when_warm_and_no_secret() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let cases = [
        ("user-token", vec!["BatchGetItem"]),
        ("introspect", vec!["BatchGetItem"]),
        ("project-organizations", vec!["BatchGetItem", "Query"]),
        ("project-users", vec!["BatchGetItem", "Query"]),
        ("register-organization", vec!["BatchGetItem", "TransactWriteItems"]),
        ("register-user", vec!["BatchGetItem", "TransactWriteItems"]),
        ("register-tenant", vec!["BatchGetItem"]),
        ("project-revoke-tokens", vec!["BatchGetItem", "BatchGetItem", "TransactWriteItems"]),
        ("jwks", vec!["GetItem"]),
        ("oauth-authorization-server", vec!["GetItem"]),
        ("revoke-token", vec!["BatchGetItem", "TransactWriteItems"]),
    ];
    for (name, expected) in cases {
        let entry = OPERATIONS.iter().find(|entry| entry.route.name == name).unwrap();
        // The first reads the signing key, and notes the day.
        let first = operations(&deployment, deployment.authorized(entry, &world)).await;
        if name == "revoke-token" {
            assert_eq!(first, expected);
            continue;
        }
        assert_eq!(operations(&deployment, deployment.authorized(entry, &world)).await, expected, "{name}");
    }
    let unnamed =
        deployment.backend(&world.key, "POST", "/v1/api/projects/user-token").json(&json!({ "userId": "ada" }));
    assert_eq!(operations(&deployment, unnamed).await, ["BatchGetItem", "BatchGetItem"], "without its organization");
}

#[tokio::test]
async fn a_key_that_stood_by_is_read_once_and_one_that_is_too_young_costs_one_read() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let at = format!("/api/v1/rotate/signing-key?tenant_id={}", world.tenant.id);
    let rotate = || deployment.operator("POST", &at).json(&json!({}));
    let entry = OPERATIONS.iter().find(|entry| entry.route.name == "user-token").unwrap();
    let mint = || operations(&deployment, deployment.authorized(entry, &world));
    mint().await;
    assert_eq!(mint().await, ["BatchGetItem"]);
    rotate().send().await.data(200);
    assert_eq!(mint().await, ["BatchGetItem", "GetSecretValue"]);
    assert_eq!(mint().await, ["BatchGetItem"]);
    let (refused, calls) = deployment.calls_of(rotate()).await;
    refused.refused(409, "standby_too_young");
    assert_eq!(calls.into_iter().map(|call| call.operation).collect::<Vec<_>>(), ["GetSecretValue", "GetItem"]);
    assert_eq!(mint().await, ["BatchGetItem"]);
}

/// An audit event is an item more in the transaction of its change, and no call of its own, but for that of a secret
/// that goes out once more. A login has none, unless it changes what is registered.
#[tokio::test]
async fn an_audit_event_costs_an_item_of_a_transaction_and_a_replayed_one_a_call() {
    let deployment = Deployment::start().await;
    let World { key, member, account, .. } = deployment.world().await;
    let backend = |path: &str, body: Value| deployment.backend(&key, "POST", path).json(&body);
    let organization = json!({ "projectId": key.tenant.project_id(), "name": "New", "externalId": "new" });
    let path = "/v1/api/projects/register-organization";
    let token = deployment.token(&key, &member).await;
    let made = deployment.account(&account, "POST", "/api/v1/workspaces").json(&json!({ "name": "a" })).send().await;
    let workspace = format!("/api/v1/workspaces/{}", made.document(201)["id"].as_str().unwrap());
    let revoke = || backend("/api/v1/auth/revoke", json!({ "token": token }));
    let user_token = json!({ "userId": member.user_id, "organizationId": member.organization_id });
    let customer = |name: &str| {
        let body = json!({ "displayName": name, "key": "globex", "prefilters": {} });
        backend("/v1/api/tenant/register-tenant", body)
    };
    let keyed = || {
        let rotation = format!("/api/v1/rotate/tenant-secret?tenant_id={}", key.tenant.id);
        deployment.operator("POST", &rotation).json(&json!({})).header("idempotency-key", "one")
    };
    for (call, events, transactions) in [
        (customer("Globex"), 1, 1),
        (customer("Globex"), 0, 0),
        (customer("Globex Inc"), 1, 1),
        // The other transaction reserves the key.
        (keyed(), 1, 2),
        // Its secret goes out once more. The key is reserved already, and the event is written by itself.
        (keyed(), 1, 2),
        (backend(path, organization.clone()), 1, 1),
        // With nothing different there is nothing to say.
        (backend(path, organization), 0, 0),
        (backend("/v1/api/projects/user-token", user_token), 0, 0),
        (deployment.account(&account, "GET", &workspace), 0, 0),
        (deployment.account(&account, "DELETE", &workspace), 1, 1),
        (revoke(), 1, 1),
    ] {
        let (answer, calls) = deployment.calls_of(call).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let parts = |call: &AwsCall| call.request["TransactItems"].as_array().cloned().unwrap_or_default();
        let is_event =
            |part: &Value| part["Put"]["Item"]["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("AUDIT#"));
        let written = calls.iter().flat_map(parts).filter(is_event).count();
        let made = calls.iter().filter(|call| call.operation == "TransactWriteItems").count();
        assert_eq!((written, made), (events, transactions), "{calls:?}");
    }
}

/// With ten thousand users and a thousand organizations, as with one: the same calls, which read the same items.
#[tokio::test]
async fn a_tenants_call_costs_the_same_however_much_is_registered() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let measured = ["user-token", "introspect", "project-organizations", "project-users", "fetch-users"];
    let mut costs = Vec::new();
    for size in [0, 10_000] {
        if size > 0 {
            multiply(&deployment, size).await;
        }
        let mut cost = Vec::new();
        for name in measured {
            let entry = OPERATIONS.iter().find(|entry| entry.route.name == name).unwrap();
            let call = || deployment.authorized(entry, &world);
            call().send().await;
            let (answer, calls) = deployment.calls_of(call()).await;
            assert!(answer.status < 300, "{}", answer.text);
            let read: usize = calls.iter().map(|call| wanted(&call.request)).sum();
            cost.push((name, calls.len(), read));
        }
        costs.push(cost);
    }
    assert_eq!(costs[0], costs[1]);
    let page = deployment.get(&format!("/api/v1/fetch/users?tenant_id={}&limit=100", world.tenant.id)).await;
    assert_eq!(page.data(200)["users"].as_array().unwrap().len(), 100);
}

/// How many items a call can read: the keys of a batch, the limit of a query, or one.
fn wanted(request: &Value) -> usize {
    let keys = |tables: &Value| {
        let mut tables = tables.as_object().unwrap().values();
        tables.next().unwrap()["Keys"].as_array().unwrap().len()
    };
    match (request.get("RequestItems"), request.get("Limit")) {
        (Some(tables), _) => keys(tables),
        (None, Some(limit)) => usize::try_from(limit.as_u64().unwrap()).unwrap(),
        (None, None) => 1,
    }
}

/// Copies of the one user, and of its organization for each tenth of them: registering that many is not what is tested
/// here.
async fn multiply(deployment: &Deployment, size: usize) {
    let items = deployment.items().await;
    let row =
        |kind: &str| items.iter().find(|item| item["sk"]["S"] == kind && item.get("tenant_listing").is_some()).unwrap();
    let copy = |row: &Value, number: usize| {
        let id = format!("00000000-0000-4000-8000-{number:012}");
        let text = row.to_string().replace(row["details"]["M"]["record_id"]["S"].as_str().unwrap(), &id);
        let item: Value = serde_json::from_str(&text).unwrap();
        json!({ "PutRequest": { "Item": item } })
    };
    let users = (0..size).map(|number| copy(row("USER"), number));
    let organizations = (0..size / 10).map(|number| copy(row("ORG"), number));
    let requests: Vec<_> = users.chain(organizations).collect();
    for batch in requests.chunks(25) {
        deployment.dynamodb("BatchWriteItem", &json!({ "RequestItems": { deployment.table(): batch } })).await;
    }
}

#[tokio::test]
async fn a_request_that_is_refused_by_shape_costs_none() {
    let deployment = Deployment::start().await;
    for path in ["/api/v1/fetch/tenants", "/api/v1/fetch/tenant?tenant_id=tnt_1"] {
        for key in ["", "short", &"a".repeat(47), &"a".repeat(49), &"-".repeat(48)] {
            let call = deployment.anonymous("GET", path).header("x-admin-key", key);
            let (answer, calls) = deployment.calls_of(call).await;
            answer.refused(401, "unauthenticated");
            assert!(calls.is_empty(), "{key}");
        }
        let (answer, calls) = deployment.calls_of(deployment.operator("DELETE", path)).await;
        answer.refused(405, "method_not_allowed");
        assert!(calls.is_empty());
    }
}

/// The credential comes with what is asked for; the account has to find out first where a row is.
#[tokio::test]
async fn a_call_of_the_account_surface_costs_what_the_readme_says() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let token = deployment.scoped_token(&world.account, Some(END_USER)).await;
    let (read, get, write) = ("BatchGetItem", "GetItem", "TransactWriteItems");
    let session = format!("agent-sessions/{}", world.rows.session);
    let cases = [
        ("GET", "agent-sessions".to_owned(), vec![read, "Query"], vec![read, "Query", "Query", read]),
        ("GET", session.clone(), vec![read], vec![read, get]),
        ("PATCH", session.clone(), vec![read, "UpdateItem"], vec![read, get, "UpdateItem"]),
        ("GET", "documents".to_owned(), vec![read, "Query", "Query", "Query"], vec![read, "Query", "Query", read]),
        ("GET", format!("documents/{}", world.rows.document), vec![read], vec![read, get]),
        ("GET", format!("workspaces/{}", world.rows.workspace), vec![read, read], vec![read, get, read]),
        ("POST", "agent-sessions".to_owned(), vec![read, write], vec![read, write]),
        ("DELETE", session, vec![read, write], vec![read]),
    ];
    for (method, path, of_user, of_account) in cases {
        let path = format!("/api/v1/{path}");
        let body = json!({ "title": "Support" });
        let with_body = |call: Call| if matches!(method, "POST" | "PATCH") { call.json(&body) } else { call };
        let (answer, calls) = deployment.calls_of(with_body(deployment.page(&token, method, &path))).await;
        assert!(answer.status < 300, "{}", answer.text);
        let made: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(made, of_user, "{method} {path}");
        // A deletion has taken it away: for the account it is found nowhere.
        let (_, calls) = deployment.calls_of(with_body(deployment.account(&world.account, method, &path))).await;
        let made: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(made, of_account, "{method} {path}");
    }
}

/// What a signed call is answered with, and what it costs.
async fn signed(deployment: &Deployment, signing: &Signing) -> (u16, Vec<String>) {
    made(deployment.calls_of(deployment.whoami(signing)).await)
}

fn made((answer, calls): (Answer, Vec<AwsCall>)) -> (u16, Vec<String>) {
    (answer.status, calls.into_iter().map(|call| call.operation).collect())
}

fn cost(status: u16, operations: &[&str]) -> (u16, Vec<String>) {
    (status, operations.iter().map(|operation| (*operation).to_owned()).collect())
}

/// A text that can be a nonce.
fn nonce(number: usize) -> String {
    format!("nonce-{number:016}")
}

async fn rotated(deployment: &Deployment, tenant: &Tenant) -> Tenant {
    tenant.with_secret(deployment.rotate(tenant, 0).await.data(200)["tenant_secret"].as_str().unwrap())
}

#[tokio::test]
async fn a_signed_call_costs_one_write_and_a_nonce_one_more() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        let tenant = deployment.provision("Acme").await;
        let cold = ["GetItem", "GetSecretValue", "UpdateItem"];
        assert_eq!(signed(&deployment, &tenant.signing()).await, cost(200, &cold));
        for number in 0..3 {
            let v2 = tenant.signing().nonce(&nonce(number));
            assert_eq!(signed(&deployment, &tenant.signing()).await, cost(200, &["UpdateItem"]));
            assert_eq!(signed(&deployment, &v2).await, cost(200, &["PutItem", "UpdateItem"]));
            let replayed: &[&str] = &["PutItem", "TransactWriteItems"];
            assert_eq!(signed(&deployment, &v2).await, cost(401, replayed));
            assert_eq!(signed(&deployment, &v2).await, cost(401, &["PutItem"]));
            // With v1 a call without a body costs nothing more, and one with a body what a nonce does.
            let v1 = tenant.signing();
            let call = || deployment.anonymous("GET", WHOAMI).body("text/plain", format!("{number}")).signed(&v1);
            for expected in [cost(200, &["PutItem", "UpdateItem"]), cost(401, replayed), cost(401, &["PutItem"])] {
                assert_eq!(made(deployment.calls_of(call()).await), expected);
            }
        }
        deployment.suspend(&tenant).await.data(200);
        for _ in 0..2 {
            assert_eq!(signed(&deployment, &tenant.signing()).await, cost(403, &["UpdateItem"]));
        }
    })
    .await;
}

#[tokio::test]
async fn a_signature_that_cannot_be_right_costs_nothing_and_one_that_is_wrong_one_read() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let (wrong, ghost) = (tenant.with_secret("sk_wrong"), Tenant { id: "tnt_unknown".to_owned(), ..tenant.clone() });
    for signing in [tenant.signing().nonce("short"), Tenant { id: "acme".to_owned(), ..tenant.clone() }.signing()] {
        assert_eq!(signed(&deployment, &signing).await, cost(401, &[]));
    }
    // To know that, the secret has to be there.
    assert_eq!(signed(&deployment, &wrong.signing()).await, cost(401, &["GetItem", "GetSecretValue"]));
    for number in 0..2 {
        for wrong in [&wrong, &ghost] {
            assert_eq!(signed(&deployment, &wrong.signing()).await, cost(401, &["GetItem"]));
            let v2 = wrong.signing().nonce(&nonce(number));
            assert_eq!(signed(&deployment, &v2).await, cost(401, &["GetItem"]));
            let late = wrong.signing().at(now_ms() - 31_000);
            assert_eq!(signed(&deployment, &late).await, cost(401, &["GetItem"]));
        }
    }
    // That only its time is wrong is noted for the inspection of the set-up, and a minute later again.
    for expected in [&["UpdateItem"][..], &[], &[]] {
        let late = deployment.whoami(&tenant.signing().at(now_ms() - 31_000));
        assert_eq!(made(deployment.calls_and_notes_of(late).await), cost(401, expected));
    }
}

#[tokio::test]
async fn a_rotation_costs_a_process_one_read_of_each_store() {
    let deployment = Deployment::start().await;
    let (one, two) = (deployment.provision("Acme").await, deployment.provision("Beta").await);
    for tenant in [&one, &two] {
        signed(&deployment, &tenant.signing()).await;
    }
    // Whoever comes first.
    let new = rotated(&deployment, &one).await;
    let reads = ["GetItem", "GetSecretValue", "UpdateItem"];
    assert_eq!(signed(&deployment, &new.signing()).await, cost(200, &reads));
    assert_eq!(signed(&deployment, &one.signing()).await, cost(401, &["GetItem"]));
    let new = rotated(&deployment, &two).await;
    assert_eq!(signed(&deployment, &two.signing()).await, cost(401, &["UpdateItem"]));
    assert_eq!(signed(&deployment, &new.signing()).await, cost(200, &["GetSecretValue", "UpdateItem"]));
    for tenant in [&one, &two] {
        assert_eq!(signed(&deployment, &tenant.signing()).await, cost(401, &["GetItem"]));
    }
    assert_eq!(signed(&deployment, &new.signing()).await, cost(200, &["UpdateItem"]));
}

#[tokio::test]
async fn a_minute_that_was_seen_full_costs_nothing_more() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        let tenant = deployment.provision("Acme").await;
        deployment.update(&tenant, &json!({ "rate_limit_per_min": 2 })).await.data(200);
        for _ in 0..2 {
            assert_eq!(signed(&deployment, &tenant.signing()).await.0, 200);
        }
        // It took the last call itself, and notes the strike.
        assert_eq!(signed(&deployment, &tenant.signing()).await, cost(429, &["TransactWriteItems"]));
        for number in 0..3 {
            assert_eq!(signed(&deployment, &tenant.signing()).await, cost(429, &[]));
            assert_eq!(signed(&deployment, &tenant.signing().nonce(&nonce(number))).await, cost(429, &[]));
        }
        // Another process has to find out.
        deployment.stack.restart("relay-whoami").await;
        let reads = ["GetItem", "GetSecretValue", "TransactWriteItems"];
        assert_eq!(signed(&deployment, &tenant.signing()).await, cost(429, &reads));
        assert_eq!(signed(&deployment, &tenant.signing()).await, cost(429, &[]));
    })
    .await;
}

/// Beside what the guard costs, which is a nonce and a count; and however many passkeys and people there are.
#[tokio::test]
async fn passkeys_cost_two_calls_beside_the_guards_however_many_there_are() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let tenant = deployment.with_passkeys("Acme").await;
    // So that each change owes an event.
    let wanted = json!({ "callback_url_base": "http://127.0.0.1:9", "callback_types": ["passkey.*"] });
    deployment.update(&tenant, &wanted).await.data(200);
    let (read, put, write) = ("BatchGetItem", "PutItem", "TransactWriteItems");
    let cost = async |call: Call| {
        let (answer, calls) = deployment.calls_of(call).await;
        let made: Vec<_> = calls.into_iter().map(|call| call.operation).collect();
        let (guard, own) = made.split_at(2);
        assert_eq!(guard, ["PutItem", "UpdateItem"]);
        (answer, own.join(" "))
    };
    let post = |path: &str, body: &Value| deployment.webauthn(&tenant, path, body);
    // Each function has seen the secret.
    for path in ["register/options", "authenticate/options", "fetch/passkeys", "rename/passkey", "revoke/passkey"] {
        let body = json!({ "browser_origin": "https://nobody.example", "username": "a", "backend_user_id": "x",
            "credential_id": "AAAA", "name": "x" });
        post(path, &body).send().await;
    }
    let nothing = json!({ "id": "AAAA", "response": {} });
    deployment.register(&tenant, &nothing).send().await;
    deployment.authenticate(&tenant, &nothing).send().await;
    for (number, user) in ["ada", "ada", "ada", "bob"].into_iter().enumerate() {
        let body = json!({ "backend_user_id": user, "username": user, "browser_origin": ORIGIN });
        let (answer, made) = cost(post("register/options", &body)).await;
        // The person is made with its first ceremony.
        let is_new = number == 0 || user == "bob";
        assert_eq!(made, [read, if is_new { write } else { put }].join(" "));
        // Its counter counts, and is written with each login.
        let (mut passkey, credential) = Authenticator::create(answer.data(200), ORIGIN, 1);
        let (answer, made) = cost(deployment.register(&tenant, &credential)).await;
        assert_eq!((answer.status, made), (200, [read, write].join(" ")));
        let (answer, made) = cost(deployment.register(&tenant, &credential)).await;
        assert_eq!((answer.status, made.as_str()), (401, read));
        for of in [json!({}), json!({ "backend_user_id": user })] {
            let (answer, made) =
                cost(post("authenticate/options", &with(&json!({ "browser_origin": ORIGIN }), &of))).await;
            assert_eq!(made, [read, put].join(" "));
            let credential = passkey.get(answer.data(200), ORIGIN);
            let (answer, made) = cost(deployment.authenticate(&tenant, &credential)).await;
            assert_eq!((answer.status, made), (200, [read, write].join(" ")));
        }
        let of = json!({ "backend_user_id": user, "credential_id": passkey.credential_id(), "name": "Phone" });
        for (path, expected) in [
            ("rename/passkey", [read, write].join(" ")),
            ("rename/passkey", read.to_owned()),
            ("fetch/passkeys", [read, read].join(" ")),
        ] {
            assert_eq!(cost(post(path, &of)).await.1, expected, "{path}");
        }
    }
    let listed = deployment.passkeys_of(&tenant, "ada").await;
    let of = json!({ "backend_user_id": "ada", "credential_id": listed[0]["credential_id"] });
    assert_eq!(cost(post("revoke/passkey", &of)).await.1, [read, write].join(" "));
    assert_eq!(cost(post("revoke/passkey", &of)).await.1, read);
    let owed = deployment.owed(&tenant).await;
    let told = |event: &str| owed.iter().filter(|body| body["type"] == event).count();
    assert_eq!(["passkey.registered", "passkey.used", "passkey.revoked"].map(told), [4, 8, 1], "{owed:?}");
    assert_eq!(cost(post("fetch/passkeys", &json!({ "backend_user_id": "ghost" }))).await.1, read);
}

/// All operations of the surface for an end user, by an account key that was used today.
#[tokio::test]
async fn every_operation_of_the_account_surface_costs_an_end_user_what_the_readme_says() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let ask = |path: &str| deployment.account_for(&world.account, END_USER, "POST", &format!("/api/v1/{path}"));
    // Lists with something in them.
    let message = json!({ "role": "user", "content": "Where is my order?" });
    ask(&format!("agent-sessions/{}/messages", world.rows.session)).json(&message).send().await.document(201);
    let filed = json!({ "name": "Handbook", "workspace_ids": [world.rows.workspace] });
    ask("documents").json(&filed).send().await.document(201);
    ask("auth/token").json(&json!({})).send().await.document(200);
    let (read, query, update, write) = ("BatchGetItem", "Query", "UpdateItem", "TransactWriteItems");
    let expected = |name: &str| match name {
        "auth-token" | "get-agent-session" | "get-tool-execution" | "get-document" => vec![read],
        "get-workspace" => vec![read, read],
        "update-agent-session" | "report-tool-execution" => vec![read, update],
        "update-workspace" => vec![read, update, read],
        "list-agent-sessions" | "list-messages" | "list-tool-executions" => vec![read, query],
        "list-documents" => vec![read, query, query, query, query],
        "list-workspaces" => vec![read, query, query, query, query, query],
        "workspace-documents" => vec![read, query, read],
        _ => vec![read, write],
    };
    // What takes rows away last, and of those first what has others in it.
    let is_deletion = |entry: &&OperationInfo| entry.route.method == Method::Delete;
    let of_surface = || OPERATIONS.iter().filter(|entry| entry.surface == Surface::Account);
    let entries = of_surface().filter(|entry| !is_deletion(entry)).chain(of_surface().filter(is_deletion));
    let mut seen = 0;
    for entry in entries {
        let made = operations(&deployment, deployment.authorized(entry, &world)).await;
        assert_eq!(made, expected(entry.route.name), "{}", entry.route.name);
        seen += 1;
    }
    assert_eq!(seen, 22);
}

/// A limit of calls costs one write each, of whatever the call is; without one, see above.
#[tokio::test]
async fn a_limit_of_calls_costs_one_write_more_and_the_quotas_of_rows_nothing() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let (read, update, write) = ("BatchGetItem", "UpdateItem", "TransactWriteItems");
    let make = || {
        let body = json!({ "title": "Support" });
        deployment.account_for(&world.account, END_USER, "POST", "/api/v1/agent-sessions").json(&body)
    };
    let organizations = || deployment.backend(&world.key, "GET", "/v1/api/projects/organizations");
    make().send().await;
    let rows = json!({ "rows_per_end_user": 1000, "rows_per_tenant": 8000 });
    let per_key = json!({ "calls_per_min_per_key": 1000 });
    let per_user = json!({ "calls_per_min_per_end_user": 1000 });
    let cases = [
        (rows, vec![read, write], vec![read, "Query"]),
        (per_key, vec![read, update, write], vec![read, update, "Query"]),
        (per_user, vec![read, update, update, write], vec![read, update, "Query"]),
        (json!({ "calls_per_min_per_key": null }), vec![read, update, write], vec![read, "Query"]),
        (json!({ "calls_per_min_per_end_user": null }), vec![read, write], vec![read, "Query"]),
    ];
    for (limits, of_user, of_backend) in cases {
        deployment.update(&world.tenant, &limits).await.data(200);
        assert_eq!(operations(&deployment, make()).await, of_user, "{limits}");
        assert_eq!(operations(&deployment, organizations()).await, of_backend, "{limits}");
    }
}

/// How many writes the transactions among these calls have.
fn parts(calls: &[AwsCall]) -> usize {
    calls.iter().filter_map(|call| call.request["TransactItems"].as_array()).map(Vec::len).sum()
}

#[tokio::test]
async fn an_idempotency_key_costs_one_item_in_the_same_call_and_a_refusal_one_read() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let (read, write) = ("BatchGetItem", "TransactWriteItems");
    let mut seen = 0;
    for entry in OPERATIONS
        .iter()
        .filter(|entry| entry.is_remembered && !matches!(entry.surface, Surface::Registry | Surface::Console))
    {
        let (name, call) = (entry.route.name, deployment.authorized(entry, &world));
        let keyed = call.clone().header("idempotency-key", name);
        let names = |calls: &[AwsCall]| calls.iter().map(|call| call.operation.clone()).collect::<Vec<_>>();
        let (answer, without) = deployment.calls_of(call).await;
        // Whose tokens are revoked is read anew, with what else there may be of whom they speak for.
        let reads = if name == "project-revoke-tokens" { 2 } else { 1 };
        let expected: Vec<String> = [vec![read.to_owned(); reads], vec![write.to_owned()]].concat();
        assert_eq!((answer.status, names(&without)), (entry.route.status, expected), "{name}");
        let (answer, with) = deployment.calls_of(keyed.clone()).await;
        assert_eq!((answer.status, names(&with)), (entry.route.status, names(&without)), "{name}");
        assert_eq!(parts(&with), parts(&without) + 1, "{name}");
        // What stood in the way is told by the refused transaction.
        let (answer, replay) = deployment.calls_of(keyed).await;
        assert_eq!((answer.status, names(&replay)), (entry.route.status, names(&without)), "{name}");
        seen += 1;
    }
    assert_eq!(seen, 8);
    let path = format!("/api/v1/agent-sessions/{}/messages", "01890000-0000-7000-8000-000000000000");
    let body = json!({ "role": "user", "content": "Where is my order?" });
    let call = deployment.account_for(&world.account, END_USER, "POST", &path).json(&body);
    for (call, expected) in [(call.clone(), vec![read]), (call.header("idempotency-key", "k"), vec![read, read])] {
        let (answer, calls) = deployment.calls_of(call).await;
        answer.refused(404, "not_found");
        assert_eq!(calls.iter().map(|call| call.operation.as_str()).collect::<Vec<_>>(), expected);
    }
    // A registration that changes nothing writes its answer, and only with a key.
    let body = json!({ "name": "acme", "externalId": "acme", "projectId": world.tenant.project_id() });
    let call = deployment.backend(&world.key, "POST", "/v1/api/projects/register-organization").json(&body);
    assert_eq!(operations(&deployment, call.clone()).await, [read]);
    assert_eq!(operations(&deployment, call.header("idempotency-key", "k")).await, [read, write]);
}

/// A device's call costs the read of its session with all that it is about, and one write that uses up its proof and
/// makes what it changes.
#[tokio::test]
async fn a_phones_call_costs_a_read_and_a_write_whatever_it_asks_for() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let (read, get, write) = ("BatchGetItem", "GetItem", "TransactWriteItems");
    let cost = async |call: Call| operations(&deployment, call).await.join(" ");
    // Each process reads the tenant's secrets once.
    deployment.prepared(&tenant, "ada").await;
    deployment.devices_of(&tenant, "ada").await;
    let nobodys = json!({ "backend_user_id": "ada", "device_id": "dev_0123456789abcdef" });
    deployment.relay(&tenant, "revoke/device", &nobodys).send().await.refused(404, "device_not_found");
    let prepared = cost(deployment.prepare(&tenant, "ada")).await;
    assert_eq!(prepared, ["PutItem", "UpdateItem", read, write].join(" "));
    let listed = deployment.relay(&tenant, "fetch/pairings", &json!({ "backend_user_id": "ada" }));
    assert_eq!(cost(listed).await, ["PutItem", "UpdateItem", get].join(" "));
    let handle = deployment.handle(&tenant, "ada").await;
    let look = deployment.anonymous("POST", "/api/v1/device/pairing").json(&json!({ "handle": handle }));
    assert_eq!(cost(look).await, [get, read].join(" "));
    let register = deployment.register_phone(&Phone::default(), &handle).await;
    assert_eq!(cost(register).await, [get, read, write].join(" "));
    // Whose proof it is has to be found out first.
    let prepared = deployment.prepared(&tenant, "ada").await;
    let proof = prepared["pairing_proof"].as_str().unwrap();
    let register = deployment.register_phone_by_proof(&Phone::default(), proof, &json!({})).await;
    assert_eq!(cost(register).await, [read, get, read, write].join(" "));
    let phone = deployment.paired(&tenant, "ada").await;
    for (method, path) in [("GET", "pairings"), ("POST", "refresh-token"), ("POST", "rename"), ("POST", "unpair")] {
        let call = deployment.phone(&phone, method, &format!("/api/v1/device/{path}")).await;
        let call = if path == "rename" { call.json(&json!({ "name": "Ada's Pixel" })) } else { call };
        assert_eq!(cost(call).await, [read, write].join(" "), "{path}");
    }
    let phone = deployment.paired(&tenant, "ada").await;
    let body = json!({ "backend_user_id": "ada", "device_id": phone.device_id });
    let revoked = cost(deployment.relay(&tenant, "revoke/device", &body)).await;
    assert_eq!(revoked, ["PutItem", "UpdateItem", read, write].join(" "));
}

/// Beside what accepting the caller costs: a nonce and a count of who signs, a read and a proof of a phone. A poll is
/// neither counted nor noted.
#[tokio::test]
async fn a_qr_login_costs_a_read_a_poll_and_one_write_a_step() {
    let deployment = Deployment::start().await;
    let settings = json!({ "callback_url_base": "http://127.0.0.1:9", "qr_sessions_per_address": 1 });
    deployment.stack.streams().stop().await;
    let tenant = deployment.with_qr_logins(&settings).await;
    let phone = deployment.paired(&tenant, "ada").await;
    let (read, get, write) = ("BatchGetItem", "GetItem", "TransactWriteItems");
    let cost = async |call: Call| {
        let (_, calls) = deployment.calls_of(call).await;
        calls.into_iter().map(|call| call.operation).collect::<Vec<_>>().join(" ")
    };
    let guard = ["PutItem", "UpdateItem"];
    let of_phone = [read, write];
    // Each process reads the tenant's secrets once.
    let login = deployment.qr_login(&tenant, &json!({})).await;
    deployment.poll_with(&tenant, &login.session_id, Some("qrp_wrong")).send().await.refused(410, "qr_login_gone");
    for (fields, own) in [
        (json!({ "browser_origin": "https://nobody.example" }), vec![read]),
        (json!({ "browser_ip": "192.0.2.1" }), vec![read, write]),
        // One more, because that login might be over.
        (json!({ "browser_ip": "192.0.2.1" }), vec![read, read]),
    ] {
        let expected: Vec<_> = guard.into_iter().chain(own).collect();
        assert_eq!(cost(deployment.initiate(&tenant, &fields)).await, expected.join(" "), "{fields}");
    }
    let poll = async || {
        let token = deployment.poll(&login);
        cost(token).await
    };
    assert_eq!(poll().await, [get, get].join(" "));
    assert_eq!(poll().await, get, "too fast");
    let phones = |own: &[&str]| of_phone.iter().chain(own).copied().collect::<Vec<_>>().join(" ");
    let scan = async || cost(deployment.scan(&phone, &login.read()).await).await;
    assert_eq!(scan().await, phones(&[write]));
    let scanned = deployment.scanned(&phone, &login).await;
    let number = deployment.number_of(&login).await;
    deployment.poll_with(&tenant, &login.session_id, Some("qrp_wrong")).send().await.refused(410, "qr_login_gone");
    let refused = phone.states(&scanned.claims(&deployment, &phone, "approve", None));
    assert_eq!(cost(deployment.decide(&phone, &login.session_id, &refused).await).await, phones(&[]));
    let statement = phone.states(&scanned.claims(&deployment, &phone, "approve", Some(&number)));
    assert_eq!(cost(deployment.decide(&phone, &login.session_id, &statement).await).await, phones(&[write]));
    assert_eq!(cost(deployment.decide(&phone, &login.session_id, &statement).await).await, phones(&[]));
    // The result, and the same again.
    assert_eq!(poll().await, [get, get, "UpdateItem", read].join(" "));
    assert_eq!(poll().await, [get, get, read].join(" "));
    // Of another tenant's login nothing is read.
    let other = deployment.with_qr_logins(&json!({})).await;
    deployment.poll_with(&other, &login.session_id, Some("qrp_wrong")).send().await.refused(410, "qr_login_gone");
    let foreign = deployment.poll_with(&other, &login.session_id, Some(&login.poll_token));
    assert_eq!(cost(foreign).await, get);
}
