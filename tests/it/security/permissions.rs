//! Least privilege, both ways: the local AWS refuses what a statement of the template does not allow, and here each
//! permission that a statement gives is seen in use.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use shared::api::{OPERATIONS, OperationInfo, Surface};
use stack::{AwsCall, CrashMode, Invocation, scheduled_event};

use crate::support::console::SESSION;
use crate::support::{Call, Deployment, SECRET_FOLDERS, Tenant, TestReceiver, World, event};

/// An action on secrets, with the kind of secret that it is for.
fn on_secret(action: &str, secret: &str) -> String {
    let folder = SECRET_FOLDERS.into_iter().find(|folder| secret.contains(&format!("/{folder}/")));
    format!("{action} of {}", folder.unwrap_or("the operator"))
}

/// What IAM asks for a call. A transaction is authorised by the actions of its parts.
fn actions(call: &AwsCall) -> Vec<String> {
    let secret = || call.request["SecretId"].as_str().or(call.request["Name"].as_str()).unwrap();
    match call.operation.as_str() {
        "TransactWriteItems" => {
            let parts = call.request["TransactItems"].as_array().unwrap().iter();
            parts.flat_map(|part| part.as_object().unwrap().keys()).map(|part| format!("dynamodb:{part}Item")).collect()
        }
        // Tags at creation need a permission of their own.
        "CreateSecret" => {
            ["CreateSecret", "TagResource"].map(|name| on_secret(&format!("secretsmanager:{name}"), secret())).to_vec()
        }
        operation => match call.service {
            stack::Service::Dynamodb => vec![format!("dynamodb:{operation}")],
            stack::Service::SecretsManager => vec![on_secret(&format!("secretsmanager:{operation}"), secret())],
        },
    }
}

/// Makes every function do everything that it can do.
async fn exercise(deployment: &Deployment) {
    let tenant = deployment.provision("Acme").await;
    deployment.update(&tenant, &json!({ "rate_limit_per_min": 5, "callback_url_base": null })).await.data(200);
    deployment.update(&tenant, &json!({ "tenant_name": "Beta" })).await.data(200);
    let rotate = deployment.operator("POST", &format!("/api/v1/rotate/tenant-secret?tenant_id={}", tenant.id));
    let rotated = rotate.header("idempotency-key", "k").send().await;
    deployment.suspend(&tenant).await.data(200);
    deployment.reactivate(&tenant).await.data(200);
    deployment.fetch(&tenant).await;
    for query in ["", "?status=suspended", "?search=b"] {
        deployment.get(&format!("/api/v1/fetch/tenants{query}")).await.data(200);
    }
    deployment.audit_trail(&tenant).await;
    exercise_keys_and_projects(deployment).await;
    exercise_rows(deployment).await;
    let signer = tenant.with_secret(rotated.data(200)["tenant_secret"].as_str().unwrap());
    exercise_signed_calls(deployment).await;
    exercise_callbacks(deployment, &signer).await;
    exercise_passkeys(deployment).await;
    exercise_pairings(deployment).await;
    exercise_qr_logins(deployment).await;
    exercise_console(deployment).await;
    exercise_seals(deployment).await;
    let ghost = Tenant { id: "tnt_unknown".to_owned(), ..tenant };
    deployment
        .get(&format!("/api/v1/fetch/audit-events?tenant_id={}", ghost.id))
        .await
        .refused(404, "tenant_not_found");
    deployment.stack.faults().kill("provision-tenant", 3, CrashMode::NotSent);
    let headers = [("x-admin-key", deployment.key())];
    let request = event("POST", "/api/v1/provision/tenant", "", &headers, Some(&json!({ "tenant_name": "b" })));
    let interrupted = deployment.stack.invoke("provision-tenant", request, Invocation { deadline: Some(1) }).await;
    assert!(interrupted.is_err());
    deployment.make_old(&signer).await;
    for _ in 0..2 {
        deployment.stack.invoke("reconcile", scheduled_event(), Invocation::default()).await.unwrap();
        for state in deployment.states().await.iter().filter(|state| state["tenant_status"] == "removed") {
            deployment.set(state["pk"].as_str().unwrap(), "STATE", "lease_until", &json!({ "N": "1" })).await;
        }
    }
}

/// Whether an operation is about passkeys or devices, whose calls answer each other.
fn is_in_sequence(entry: &OperationInfo) -> bool {
    entry.route.path.contains("/webauthn/")
        || entry.surface == Surface::Console
        || entry.surface == Surface::Device
        || entry.route.path.ends_with("/device")
}

/// A phone is looked at, paired, used, renewed, and removed from both sides, while its tenant wants to know; and one
/// makes room for another.
async fn exercise_pairings(deployment: &Deployment) {
    let tenant = deployment.provision("Acme").await;
    let wanted = json!({ "callback_url_base": "https://example.com", "rate_limit_per_min": 1000 });
    deployment.update(&tenant, &wanted).await.data(200);
    let handle = deployment.handle(&tenant, "ada").await;
    let look = deployment.anonymous("POST", "/api/v1/device/pairing").json(&json!({ "handle": handle }));
    look.send().await.data(200);
    deployment.paired(&tenant, "ada").await;
    deployment.revoke_tokens(&tenant, &json!({ "external_user_id": "ada" })).await.data(200);
    let (one, two) = (deployment.paired(&tenant, "ada").await, deployment.paired(&tenant, "ada").await);
    for path in ["refresh-token", "rename", "unpair"] {
        let call = deployment.phone(&one, "POST", &format!("/api/v1/device/{path}")).await;
        let call = if path == "rename" { call.json(&json!({ "name": "Ada's Pixel" })) } else { call };
        // Once a day a call notes that it was.
        let place = format!("TENANT#{}#DEVICE#{}", tenant.id, one.device_id);
        deployment.set(&place, "DEVICE", "last_used_at", &json!({ "N": "1" })).await;
        call.send().await.data(200);
    }
    let place = format!("TENANT#{}#DEVICE#{}", tenant.id, two.device_id);
    deployment.set(&place, "DEVICE", "last_used_at", &json!({ "N": "1" })).await;
    deployment.pairings(&two).await.data(200);
    assert_eq!(deployment.devices_of(&tenant, "ada").await.len(), 1);
    let body = json!({ "backend_user_id": "ada", "device_id": two.device_id });
    deployment.relay(&tenant, "revoke/device", &body).send().await.data(200);
}

/// The operator does everything in the console, and the tenant's people what is theirs; both end their sessions.
async fn exercise_console(deployment: &Deployment) {
    let world = deployment.world().await;
    let operator = deployment.console(None, "Olga").await;
    for entry in OPERATIONS.iter().filter(|entry| entry.surface == Surface::Registry) {
        // It gets in, and is told what is missing.
        let call = deployment.in_console(&operator, entry.route.method.as_str(), &format!("{}?x=1", entry.route.path));
        let answer = call.send().await;
        assert!(matches!(answer.status, 400 | 422), "{}: {}", entry.route.name, answer.text);
    }
    deployment.in_console(&operator, "DELETE", SESSION).send().await.data(200);
    let replay = deployment.in_console(&world.console, "POST", "/api/v1/console/replay-callbacks");
    let replayed = replay.json(&json!({ "event_ids": [world.event] })).send().await;
    assert_eq!(replayed.data(200)["replayed"], 1);
    for entry in OPERATIONS.iter().filter(|entry| entry.surface == Surface::Console) {
        let answer = deployment.authorized(entry, &world).header("idempotency-key", entry.route.name).send().await;
        assert_eq!(answer.status, entry.route.status, "{}: {}", entry.route.name, answer.text);
    }
    // A list with nothing in it may be nobody's.
    let empty = deployment.provision("Beta").await;
    let browser = deployment.console(Some(&empty), "Ada").await;
    for list in ["api-keys", "organizations", "users", "registered-tenants", "callbacks"] {
        deployment.in_console(&browser, "GET", &format!("/api/v1/console/{list}")).send().await.data(200);
    }
}

/// Logins are begun, scanned, approved and handed out twice; one is denied for its distance, and one expires.
async fn exercise_qr_logins(deployment: &Deployment) {
    let tenant = deployment.with_qr_logins(&json!({ "callback_url_base": "https://example.com" })).await;
    let phone = deployment.paired(&tenant, "ada").await;
    let place = format!("TENANT#{}#DEVICE#{}", tenant.id, phone.device_id);
    deployment.set(&place, "DEVICE", "last_used_at", &json!({ "N": "1" })).await;
    let login = deployment.qr_login(&tenant, &json!({ "browser_ip": "192.0.2.1" })).await;
    let scanned = deployment.scanned(&phone, &login).await;
    deployment.set(&place, "DEVICE", "last_used_at", &json!({ "N": "1" })).await;
    deployment.decides(&phone, &scanned, "approve").await.data(200);
    for _ in 0..2 {
        deployment.poll(&login).send().await.data(200);
    }
    let login = deployment.qr_login(&tenant, &json!({ "browser_ip": "192.0.2.1" })).await;
    deployment.update(&tenant, &json!({ "qr_distant": "deny" })).await.data(200);
    let scan = deployment.scan(&phone, &login.read()).await;
    scan.send().await.refused(403, "qr_login_distant");
    let login = deployment.qr_login(&tenant, &json!({})).await;
    for attribute in ["expires_at", "due_at"] {
        deployment.set(&login.place(), "QRLOGIN", attribute, &json!({ "N": "1" })).await;
    }
    deployment.sweep().await;
}

/// A person is made, and a passkey of it registered, used, renamed and revoked, while its tenant wants to know; what is
/// refused takes its ceremony.
async fn exercise_passkeys(deployment: &Deployment) {
    let tenant = deployment.with_passkeys("Acme").await;
    let wanted = json!({ "callback_url_base": "https://example.com", "callback_types": ["passkey.*"] });
    deployment.update(&tenant, &wanted).await.data(200);
    let mut passkey = deployment.enrol(&tenant, "ada", 1).await;
    deployment.log_in(&tenant, &mut passkey).await.data(200);
    passkey.counter = 0;
    deployment.log_in(&tenant, &mut passkey).await.refused(401, "credential_refused");
    deployment.creation_options(&tenant, "ada").await;
    deployment.passkeys_of(&tenant, "ada").await;
    let of = json!({ "backend_user_id": "ada", "credential_id": passkey.credential_id(), "name": "Phone" });
    for path in ["rename/passkey", "revoke/passkey"] {
        deployment.webauthn(&tenant, path, &of).send().await.data(200);
    }
}

/// Callbacks are owed; one finds its receiver gone, and the other waits until it is let through again.
async fn exercise_callbacks(deployment: &Deployment, tenant: &Tenant) {
    deployment.stack.streams().stop().await;
    let receiver = TestReceiver::start().await;
    let wanted = json!({ "callback_url_base": receiver.base(), "callback_types": ["tenant.*"] });
    deployment.update(tenant, &wanted).await.data(200);
    receiver.answers(&[410]);
    deployment.suspend(tenant).await.data(200);
    deployment.reactivate(tenant).await.data(200);
    deployment.sweep().await;
    let path = format!("/api/v1/reactivate/callbacks?tenant_id={}", tenant.id);
    assert_eq!(deployment.post(&path, &json!({})).await.data(200)["resumed"], 1);
    exercise_replays(deployment, tenant).await;
    let none = json!({ "callback_url_base": null });
    deployment.update(tenant, &none).await.data(200);
    let unknown = "/api/v1/fetch/callbacks?tenant_id=tnt_unknown";
    deployment.get(unknown).await.refused(404, "tenant_not_found");
}

/// Callbacks are delivered anew, by their ids and by their state, for the operator and for who signs.
async fn exercise_replays(deployment: &Deployment, tenant: &Tenant) {
    let path = format!("tenant_id={}", tenant.id);
    let listed = deployment.get(&format!("/api/v1/fetch/callbacks?{path}")).await;
    let id = listed.data(200)["callbacks"][0]["event_id"].as_str().unwrap().to_owned();
    let state = json!({ "state": "pending", "since": "2020-01-01T00:00:00.000Z" });
    for body in [&json!({ "event_ids": [id] }), &state] {
        let replayed = deployment.post(&format!("/api/v1/replay/callbacks?{path}"), body).await;
        assert!(replayed.data(200)["replayed"].as_u64() > Some(0));
        let call = deployment.anonymous("POST", "/api/v1/relay/replay/callbacks").json(body);
        assert!(call.signed(&tenant.signing()).send().await.data(200)["replayed"].as_u64() > Some(0));
    }
    deployment.get("/api/v1/fetch/callback?tenant_id=tnt_unknown&event_id=evt_01900000000070008000000000000001").await;
}

/// An audit event that is old enough is sealed.
async fn exercise_seals(deployment: &Deployment) {
    let items = deployment.items().await;
    let event = items.iter().find(|item| item["pk"]["S"].as_str().unwrap().starts_with("AUDIT#")).unwrap();
    let (pk, sk) = (event["pk"]["S"].as_str().unwrap(), event["sk"]["S"].as_str().unwrap());
    deployment.set(pk, sk, "listing_order", &json!({ "S": "000000000000001#early" })).await;
    let run = deployment.stack.invoke("seal-audit-events", scheduled_event(), Invocation::default()).await.unwrap();
    assert_eq!(run.payload["sealed"], 1);
}

/// Calls with a nonce, which are kept.
async fn exercise_signed_calls(deployment: &Deployment) {
    let world = deployment.world().await;
    for entry in OPERATIONS.iter().filter(|entry| entry.surface == Surface::Relay && !is_in_sequence(entry)) {
        let nonce = world.tenant.signing().nonce(&format!("0123456789abcdef-{}", entry.route.name));
        let answer = deployment.request(entry, &world).signed(&nonce).send().await;
        assert_eq!(answer.status, entry.route.status, "{}: {}", entry.route.name, answer.text);
    }
}

/// The same for what came with API keys.
async fn exercise_keys_and_projects(deployment: &Deployment) {
    let mut world = deployment.world().await;
    // Each once, and those that note the day of use with a key of their own, which was not used yet.
    for entry in OPERATIONS.iter().filter(|entry| !is_in_sequence(entry)) {
        let mut own = World { key: deployment.api_key(&world.tenant, "admin").await, ..world.clone() };
        // While the tenant is suspended, nothing is made for it.
        if entry.surface == Surface::Account {
            own.rows = deployment.rows(&world.account).await;
            own.account = deployment.api_key(&world.tenant, "account").await;
        }
        let answer = deployment.authorized(entry, &own).header("idempotency-key", entry.route.name).send().await;
        assert_eq!(answer.status, entry.route.status, "{}: {}", entry.route.name, answer.text);
        // What is signed later is signed with the new one.
        if entry.route.name == "rotate-tenant-secret" {
            world.tenant = world.tenant.with_secret(answer.data(200)["tenant_secret"].as_str().unwrap());
        }
    }
    // An external id that moves frees the old one.
    let World { key, member, tenant, .. } = &world;
    let moved = json!({ "name": "a", "organizationId": member.organization_id, "externalId": "b" });
    deployment.register_organization(key, &moved).await.data(200);
    let moved = json!({ "name": "a", "userId": member.user_id, "externalId": "b", "projectOrganizationId": "b" });
    deployment.register_user(key, &moved).await.data(200);
    // A uuid that is chosen may not be another's external id.
    let uuid = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    deployment.register_organization(key, &json!({ "name": "c", "organizationId": uuid })).await.data(200);
    let chosen = json!({ "name": "c", "userId": uuid, "projectOrganizationId": "b" });
    deployment.register_user(key, &chosen).await.data(200);
    // Without its organization it is asked for; and a list with nothing in it may be nobody's.
    deployment.user_token(key, &json!({ "userId": "b" })).await.data(200);
    let unknown = "tnt_00000000000000000000000000000000";
    for list in ["api-keys", "organizations", "users", "registered-tenants"] {
        let answer = deployment.get(&format!("/api/v1/fetch/{list}?tenant_id={unknown}")).await;
        answer.refused(404, "tenant_not_found");
    }
    for whose in [json!({ "user_id": member.user_id }), json!({ "all": true }), json!({ "external_user_id": "b" })] {
        deployment.revoke_tokens(tenant, &whose).await.data(200);
    }
}

/// What the account has to look for, where an end user knows the place; and lists and rows that refer to others.
async fn exercise_rows(deployment: &Deployment) {
    let World { account, rows, .. } = deployment.world().await;
    let ask = |method: &str, path: String| deployment.account(&account, method, &format!("/api/v1/{path}"));
    let session = format!("agent-sessions/{}", rows.session);
    let message = json!({ "role": "user", "content": "Where is my order?" });
    let answer = ask("POST", format!("{session}/messages")).json(&message).send().await;
    let reply = json!({ "role": "assistant", "content": "Here.", "parent_id": answer.document(201)["id"] });
    ask("POST", format!("{session}/messages")).json(&reply).send().await.document(201);
    let document = json!({ "name": "Handbook", "workspace_ids": [rows.workspace] });
    ask("POST", "documents".to_owned()).json(&document).send().await.document(201);
    let workspace = format!("workspaces/{}", rows.workspace);
    let (execution, document) = (format!("tool-executions/{}", rows.execution), format!("documents/{}", rows.document));
    let lists = ["tool-executions".to_owned(), format!("{session}/messages"), format!("{workspace}/documents")];
    for path in lists.into_iter().chain([session, workspace, execution, document]) {
        ask("GET", path).send().await.document(200);
    }
}

#[tokio::test]
async fn each_permission_of_the_template_is_used_and_none_is_missing() {
    let deployment = Deployment::start().await;
    exercise(&deployment).await;
    let calls = deployment.stack.calls();
    assert!(calls.iter().all(|call| call.denied.is_none()), "a permission is missing");
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for call in &calls {
        if let Some(caller) = &call.caller {
            used.entry(caller.function.clone()).or_default().extend(actions(call));
        }
    }
    let functions = &deployment.stack.template().functions;
    // What Lambda itself does in a function's role.
    for (function, mapping) in
        functions.iter().flat_map(|function| function.mappings.iter().map(move |of| (function, of)))
    {
        used.entry(function.binary.clone()).or_default().extend(mapping.needs().map(|(action, _)| action));
    }
    let mut given: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for function in functions {
        for statement in function.statements.iter().filter(|statement| statement.allow) {
            let actions = statement.actions.iter().flat_map(|action| {
                let on_secrets = action.starts_with("secretsmanager:");
                let secrets = statement.resources.iter().filter(move |_| on_secrets);
                let plain = (!on_secrets).then(|| action.clone());
                secrets.map(|secret| on_secret(action, secret)).chain(plain)
            });
            given.entry(function.binary.clone()).or_default().extend(actions);
        }
    }
    // What a function has and does not use, and what it uses and has not.
    let none = BTreeSet::new();
    let names: BTreeSet<_> = given.keys().chain(used.keys()).collect();
    let differs = |name: &&&String| given.get(**name) != used.get(**name);
    let differing = names.iter().filter(differs).map(|name| {
        let [given, used] = [&given, &used].map(|of| of.get(*name).unwrap_or(&none));
        (name, given - used, used - given)
    });
    let differing = differing.collect::<Vec<_>>();
    assert!(differing.is_empty(), "{differing:?}");
}

/// A client with the credentials of a function.
fn client(deployment: &Deployment, function: &str) -> aws_sdk_dynamodb::Client {
    let environment: BTreeMap<_, _> = deployment.stack.aws_environment(function).unwrap().into_iter().collect();
    let credentials =
        aws_sdk_dynamodb::config::Credentials::new(&environment["AWS_ACCESS_KEY_ID"], "local", None, None, "test");
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version_latest()
        .region(aws_sdk_dynamodb::config::Region::new("us-east-1"))
        .endpoint_url(&environment["AWS_ENDPOINT_URL_DYNAMODB"])
        .credentials_provider(credentials)
        .build();
    aws_sdk_dynamodb::Client::from_conf(config)
}

/// Tries to write in each way to a partition with a function's credentials. The ways that were let through.
async fn let_through(deployment: &Deployment, function: &str, partition: &str) -> Vec<&'static str> {
    let client = client(deployment, function);
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let (pk, sk, table) = (text(partition), text(function), deployment.table());
    let put = client.put_item().table_name(&table).item("pk", pk.clone()).item("sk", sk.clone()).send().await;
    let set = client.update_item().table_name(&table).key("pk", pk.clone()).key("sk", sk.clone());
    let set = set.update_expression("SET probe = :probe").expression_attribute_values(":probe", text("1"));
    let updated = set.send().await;
    let batch = aws_sdk_dynamodb::types::DeleteRequest::builder().key("pk", pk.clone()).key("sk", sk.clone());
    let batch = aws_sdk_dynamodb::types::WriteRequest::builder().delete_request(batch.build().unwrap()).build();
    let batch = client.batch_write_item().request_items(&table, vec![batch]).send().await;
    let deleted = client.delete_item().table_name(&table).key("pk", pk).key("sk", sk).send().await;
    let outcomes = [
        ("PutItem", put.err().map(|error| format!("{error:?}"))),
        ("UpdateItem", updated.err().map(|error| format!("{error:?}"))),
        ("BatchWriteItem", batch.err().map(|error| format!("{error:?}"))),
        ("DeleteItem", deleted.err().map(|error| format!("{error:?}"))),
    ];
    for (way, error) in &outcomes {
        let refused = error.as_ref().is_none_or(|error| error.contains("AccessDeniedException"));
        assert!(refused, "{function} {way}: {error:?}");
    }
    outcomes.into_iter().filter(|(_, error)| error.is_none()).map(|(way, _)| way).collect()
}

/// Which functions write audit events: those that were seen to, while everything was done.
#[tokio::test]
async fn audit_events_and_seals_are_only_ever_added_and_only_by_those_that_write_them() {
    let deployment = Deployment::start().await;
    exercise(&deployment).await;
    let writers = |partition: &str| -> BTreeSet<String> {
        let writes = |call: &AwsCall| {
            let parts = call.request["TransactItems"].as_array().into_iter().flatten();
            let puts = parts.filter_map(|part| part["Put"]["Item"]["pk"]["S"].as_str());
            puts.chain(call.request["Item"]["pk"]["S"].as_str()).any(|pk| pk.starts_with(partition))
        };
        let calls = deployment.stack.calls().into_iter().filter(writes);
        calls.filter_map(|call| Some(call.caller?.function)).collect()
    };
    let (mut events, seals) = (writers("AUDIT#"), writers("SEALS"));
    // When strikes suspend a tenant, which nothing here comes to.
    // A poll is not counted, so that it is none too many.
    let is_counted = |entry: &&OperationInfo| entry.surface == Surface::Relay && entry.route.name != "qr-login-poll";
    let relay = OPERATIONS.iter().filter(is_counted);
    events.extend(relay.map(|entry| entry.route.function.to_owned()));
    assert!(events.len() > 15 && seals.iter().eq(["seal-audit-events"]), "{events:?} {seals:?}");
    for function in &deployment.stack.template().functions {
        for (partition, writers) in [("AUDIT#TENANT#probe", &events), ("SEALS", &seals)] {
            let expected: &[&str] = if writers.contains(&function.binary) { &["PutItem"] } else { &[] };
            let let_through = let_through(&deployment, &function.binary, partition).await;
            assert_eq!(let_through, expected, "{} {partition}", function.binary);
        }
    }
    deployment.witness.take();
}

/// Whether a call to Secrets Manager with a function's credentials is let through.
async fn may(deployment: &Deployment, function: &str, operation: &str, request: &Value) -> bool {
    let environment: BTreeMap<_, _> = deployment.stack.aws_environment(function).unwrap().into_iter().collect();
    let key = &environment["AWS_ACCESS_KEY_ID"];
    let scope = "20260101/us-east-1/secretsmanager/aws4_request";
    let answer = Call::new("POST", deployment.stack.aws_url())
        .header("x-amz-target", &format!("secretsmanager.{operation}"))
        .header("authorization", &format!("AWS4-HMAC-SHA256 Credential={key}/{scope}, Signature=0"))
        .header("x-amz-date", "20260101T000000Z")
        .body("application/x-amz-json-1.1", request.to_string())
        .send_raw()
        .await;
    let denied = answer.text.contains("AccessDeniedException");
    assert!(answer.status == 200 || denied, "{function} {operation}: {}", answer.text);
    !denied
}

/// With the credentials of each function: what reads, or puts, one kind of a tenant's secrets is refused the other.
#[tokio::test]
async fn each_function_reaches_the_kind_of_secret_that_it_needs_and_no_other() {
    let deployment = Deployment::start().await;
    let mut reached = BTreeSet::new();
    let names: Vec<_> = deployment.stack.template().functions.iter().map(|function| function.binary.clone()).collect();
    for function in &names {
        for folder in SECRET_FOLDERS {
            let name = deployment.secret_name(folder, &format!("tnt_{function}"));
            let made = json!({ "Name": name, "SecretString": "{}", "ClientRequestToken": "0".repeat(32) });
            let put = json!({ "SecretId": name, "SecretString": "{}", "ClientRequestToken": "1".repeat(32) });
            let (read, delete) = (json!({ "SecretId": name }), json!({ "SecretId": name, "RecoveryWindowInDays": 7 }));
            let mut create = made.clone();
            create["Name"] = format!("{name}_new").into();
            assert_eq!(deployment.stack.secrets().handle("CreateSecret", made.to_string().as_bytes(), 0).0, 200);
            for (operation, request) in
                [("GetSecretValue", read), ("PutSecretValue", put), ("CreateSecret", create), ("DeleteSecret", delete)]
            {
                if may(&deployment, function, operation, &request).await {
                    reached.insert((folder, operation, function.as_str()));
                }
            }
        }
    }
    let expected = [
        ("tenants", "CreateSecret", "provision-tenant"),
        ("tenants", "DeleteSecret", "reconcile"),
        ("tenants", "PutSecretValue", "console-rotate-tenant-secret"),
        ("tenants", "PutSecretValue", "rotate-tenant-secret"),
        ("signing-keys", "CreateSecret", "provision-tenant"),
        ("signing-keys", "DeleteSecret", "reconcile"),
        ("signing-keys", "GetSecretValue", "auth-token"),
        ("signing-keys", "GetSecretValue", "register-tenant"),
        ("signing-keys", "GetSecretValue", "relay-prepare-pairing"),
        ("signing-keys", "GetSecretValue", "user-token"),
        ("signing-keys", "PutSecretValue", "rotate-signing-key"),
    ];
    let relay = OPERATIONS.iter().filter(|entry| entry.surface == Surface::Relay);
    let functions = relay.map(|entry| entry.route.function).chain(["deliver-callbacks"]);
    let verify = functions.map(|function| ("tenants", "GetSecretValue", function));
    assert_eq!(reached, expected.into_iter().chain(verify).collect());
    deployment.witness.take();
}

#[tokio::test]
async fn a_call_outside_its_statements_is_refused() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    // With the credentials of a function that only reads.
    let client = client(&deployment, "fetch-tenant");
    let key = |client: aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder| {
        let attribute = |text: String| aws_sdk_dynamodb::types::AttributeValue::S(text);
        client.key("pk", attribute(format!("TENANT#{}", tenant.id))).key("sk", attribute("STATE".to_owned()))
    };
    let refused = key(client.delete_item().table_name(deployment.table())).send().await.unwrap_err();
    assert!(format!("{refused:?}").contains("AccessDeniedException"));
    let call = deployment.stack.calls().pop().unwrap();
    assert!(call.denied.unwrap().starts_with("dynamodb:DeleteItem on "));
    assert_eq!(deployment.witness.take().len(), 1, "no request caused it");
    assert_eq!(deployment.fetch(&tenant).await["status"], "active");
}
