//! That what every test relies on sees something: the check of each call to AWS against the credential that caused it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};
use shared::api::{OPERATIONS, Surface};
use shared::domain::{ApiKeySecret, KeyKind, SystemRandomness, TenantId};
use stack::{AwsCall, Caller, Cause, Service};

use crate::support::{ApiKey, Deployment, Tenant, WHOAMI, event, violation};

#[tokio::test]
async fn every_call_that_names_a_tenant_is_noticed_under_the_credential_of_another_or_of_nobody() {
    let deployment = Deployment::start().await;
    let (ours, theirs) = (deployment.world().await, deployment.world().await);
    let mut untold = Vec::new();
    // A page calls nothing, which its own tests check, and phones have some of their own, too.
    for entry in OPERATIONS.iter().filter(|entry| !matches!(entry.surface, Surface::Pages | Surface::Device)) {
        let name = entry.route.name;
        let (_, calls) = deployment.calls_of(deployment.authorized(entry, &ours)).await;
        let (_, others) = deployment.calls_of(deployment.authorized(entry, &theirs)).await;
        let cause = &others[0].cause;
        let mut noticed = 0;
        for call in calls {
            assert_eq!(violation(&call), None, "{name}");
            let names_us = call.request.to_string().contains(&ours.tenant.id);
            let swapped = AwsCall { cause: cause.clone(), ..call.clone() };
            assert_eq!(violation(&swapped).is_some(), names_us, "{name}: {}", call.operation);
            assert!(violation(&AwsCall { cause: None, ..call }).is_some(), "{name}");
            noticed += usize::from(names_us);
        }
        if noticed == 0 {
            untold.push(name);
        }
    }
    assert_eq!(untold, ["provision-tenant", "fetch-tenants"], "the others are about one tenant");
}

#[tokio::test]
async fn a_function_that_asks_for_another_tenant_than_its_credentials_fails_the_test() {
    // What asks a signature whose call it is, where an API key says whose users to list.
    let planted = |name: &str| PathBuf::from(if name == "project-users" { "relay-whoami" } else { name });
    let deployment = Deployment::start_with(|builder| builder.binaries(planted)).await;
    let tenant = deployment.provision("Ours").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let theirs = deployment.provision("Theirs").await;
    let list = |signer: &Tenant| {
        let call = deployment.backend(&key, "GET", "/v1/api/projects/users");
        call.signed(&signer.signing()).send_raw()
    };
    list(&tenant).await;
    assert_eq!(deployment.witness.take(), Vec::<String>::new());
    list(&theirs).await;
    let expected = format!("project-users: GetItem reads TENANT#{} for {}", theirs.id, tenant.id);
    assert_eq!(deployment.witness.take(), [expected.as_str()]);

    list(&theirs).await;
    let failure = catch_unwind(AssertUnwindSafe(|| drop(deployment))).unwrap_err();
    let message = failure.downcast::<String>().unwrap();
    assert!(message.contains(&expected) && !message.contains(&key.text));
}

#[tokio::test]
async fn a_signed_call_that_makes_its_function_ask_for_another_tenant_fails_the_test() {
    let planted = |name: &str| PathBuf::from(if name == "relay-whoami" { "project-users" } else { name });
    let deployment = Deployment::start_with(|builder| builder.binaries(planted)).await;
    let (tenant, theirs) = (deployment.provision("Ours").await, deployment.provision("Theirs").await);
    let keys = (deployment.api_key(&tenant, "embed").await, deployment.api_key(&theirs, "embed").await);
    let ask = |key: &ApiKey| deployment.backend(key, "GET", WHOAMI).signed(&tenant.signing()).send_raw();
    let asked = |named: &str| [format!("relay-whoami: BatchGetItem {named} for a signer of {}", tenant.id)];
    // Who signs has no business with its API keys, either.
    ask(&keys.0).await;
    let of_key = |key: &ApiKey| format!("reads TENANT#{}#KEY#{}", key.tenant.id, key.id);
    assert_eq!(deployment.witness.take(), asked(&of_key(&keys.0)));
    ask(&keys.1).await;
    // One call reads both, in either order.
    let (of_key, of_tenant) = (of_key(&keys.1), format!("reads TENANT#{}", theirs.id));
    let either = [format!("{of_key}, {of_tenant}"), format!("{of_tenant}, {of_key}")].map(|both| asked(&both));
    assert!(either.contains(&deployment.witness.take().try_into().unwrap()));
}

/// SHA-256 of `ada` and of `bob`.
const ADA: &str = "fdee430d40bd57deeac186cd9790033d0f06f909a8806e7ce6e717ab7c7d5029";
const BOB: &str = "81b637d8fcd2c6da6359e6963113a1170de795e4b725b84d1e0b4cfd9ec58ce9";

/// An API key that nobody gave out, and whose it says that it is.
struct Key {
    text: String,
    id: String,
    tenant: String,
}

fn key(kind: KeyKind) -> Key {
    let random = SystemRandomness::new();
    let key = ApiKeySecret::generate(&TenantId::generate(&random).unwrap(), kind, &random).unwrap().unwrap();
    let (id, tenant) = (key.claims().id.to_string(), key.claims().tenant_id.to_string());
    Key { text: key.expose().to_owned(), id, tenant }
}

/// The value of `Authorization` with a token that nobody signed.
fn bearer(claims: &Value) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    format!("Bearer {}.{}.c2lnbmF0dXJl", part(&json!({ "alg": "ES256" })), part(claims))
}

/// What is wrong with a call that this event causes.
fn wrong(event: &Value, service: Service, operation: &str, request: Value) -> Option<String> {
    violation(&AwsCall {
        seq: 0,
        caller: Some(Caller { function: "function".to_owned(), instance: "function-1".to_owned() }),
        invocation: None,
        cause: Some(Cause::from(event.clone())),
        index: None,
        attempt: 1,
        service,
        operation: operation.to_owned(),
        request,
        status: 0,
        error: None,
        denied: None,
        answered: false,
        consumed: None,
    })
}

fn item(partition: &str) -> Value {
    json!({ "pk": { "S": partition }, "sk": { "S": "STATE" } })
}

fn query(condition: &str, value: &str) -> Value {
    json!({
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": { "#list": "tenant_listing" },
        "ExpressionAttributeValues": { ":value": { "S": value }, ":other": { "S": "other" } },
    })
}

fn transaction(part: &str, fields: &Value) -> (&'static str, Value) {
    ("TransactWriteItems", json!({ "TransactItems": [{ part: fields }] }))
}

/// Each way to read a partition.
fn reads(partition: &str) -> Vec<(&'static str, Value)> {
    let key = item(partition);
    vec![
        ("GetItem", json!({ "Key": key })),
        ("BatchGetItem", json!({ "RequestItems": { "table": { "Keys": [key] } } })),
        ("Query", query("pk = :value AND sk BETWEEN :other AND :other", partition)),
        ("Query", query("tenant_listing=:value", partition)),
        ("Query", query("sk > :other AND #list = :value", partition)),
        transaction("ConditionCheck", &json!({ "Key": key })),
    ]
}

/// Each way to write one.
fn writes(partition: &str) -> Vec<(&'static str, Value)> {
    let (item, update) = (item(partition), json!({ "Key": item(partition), "UpdateExpression": "SET a = :other" }));
    vec![
        ("PutItem", json!({ "Item": item })),
        ("UpdateItem", update.clone()),
        ("DeleteItem", json!({ "Key": item })),
        transaction("Put", &json!({ "Item": item })),
        transaction("Update", &update),
        transaction("Delete", &json!({ "Key": item })),
    ]
}

/// Checks each way to use a partition; `allowed` has `r` for reading and `w` for writing.
fn check(event: &Value, partition: &str, allowed: &str) {
    for (letter, calls) in [('r', reads(partition)), ('w', writes(partition))] {
        for (operation, request) in calls {
            let wrong = wrong(event, Service::Dynamodb, operation, request.clone());
            assert_eq!(wrong.is_none(), allowed.contains(letter), "{event}: {operation} {request}: {wrong:?}");
        }
    }
}

/// A request of the account surface.
fn account(method: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Value {
    event(method, "/api/v1/agent-sessions", "", headers, body)
}

#[test]
fn an_end_user_reaches_its_own_and_what_is_for_all_and_writes_no_more_than_its_own_and_the_directory() {
    let key = key(KeyKind::Account);
    let (tenant, text) = (&key.tenant, key.text.as_str());
    let bearer = bearer(&json!({ "tenant_id": tenant, "external_user_id": "ada" }));
    let (ada, bob) = (json!({ "external_user_id": "ada" }), json!({ "external_user_id": "bob" }));
    let (ada, bob) = (Some(&ada), Some(&bob));
    let by_key = [
        account("GET", &[("x-api-key", text), ("external_user_id", "ada")], None),
        account("GET", &[("x-api-key", text), ("X-End-User-Id", "ada")], None),
        account("DELETE", &[("authorization", &format!("Bearer {text}")), ("x-end-user-id", "ada")], None),
        account("POST", &[("x-api-key", text)], ada),
        account("PATCH", &[("x-api-key", text)], ada),
        account("PUT", &[("x-api-key", text), ("external_user_id", "ada"), ("x-end-user-id", "ada")], bob),
        account("GET", &[("x-api-key", text), ("x-end-user-id", "ada")], bob),
    ];
    let by_token = [
        account("GET", &[("authorization", &bearer)], None),
        account("POST", &[("authorization", &bearer), ("x-end-user-id", "ada")], ada),
    ];
    let disputed = [
        account("POST", &[("x-api-key", text), ("x-end-user-id", "ada")], bob),
        account("GET", &[("x-api-key", text), ("x-end-user-id", "ada"), ("external_user_id", "bob")], None),
        account("GET", &[("authorization", &bearer), ("x-end-user-id", "bob")], None),
    ];
    let cases = [
        // What follows the tenant, and what may be done with it by key, by token, and by a key if the end user is
        // disputed.
        (String::new(), "r", "r", "r"),
        (format!("#KEY#{}", key.id), "rw", "r", "rw"),
        ("#KEY#key_0000000000000000".to_owned(), "r", "r", "r"),
        ("#KEY".to_owned(), "", "", ""),
        ("#TOKEN#1".to_owned(), "r", "r", "r"),
        (format!("#EXTERNAL#{ADA}"), "r", "r", "r"),
        (format!("#EXTERNAL#{ADA}0"), "", "", ""),
        (format!("#EXTERNAL#{BOB}"), "", "", "r"),
        (format!("#OF@{ADA}#SESSION"), "rw", "rw", ""),
        (format!("#OF@{ADA}#SESSION#1"), "rw", "rw", ""),
        (format!("#OF@{ADA}"), "", "", ""),
        (format!("#OF@{BOB}#SESSION#1"), "", "", ""),
        ("#OF@#SESSION#1".to_owned(), "", "", ""),
        ("#GLOBAL#TOOL#1".to_owned(), "r", "r", "r"),
        ("#GLOBAL#SESSION#1".to_owned(), "", "", ""),
        ("#GLOBAL#MESSAGE#1".to_owned(), "", "", ""),
        ("#GLOBAL#EXECUTION".to_owned(), "", "", ""),
        ("#ALL#SESSION".to_owned(), "w", "w", "w"),
        ("#ALL".to_owned(), "", "", ""),
        (format!("#CALLS#{}", key.id), "w", "", "w"),
        ("#CALLS#key_0000000000000000".to_owned(), "", "", ""),
        (format!("#CALLS#OF@{ADA}"), "w", "w", ""),
        (format!("#CALLS#OF@{BOB}"), "", "", ""),
        ("#USER#1".to_owned(), "", "", ""),
        (format!("#ORG@{ADA}"), "", "", ""),
    ];
    for (rest, key, token, both) in &cases {
        for (events, allowed) in [(&by_key[..], key), (&by_token, token), (&disputed[..2], both)] {
            for event in events {
                check(event, &format!("TENANT#{tenant}{rest}"), allowed);
            }
        }
        for event in by_key.iter().chain(&by_token).chain(&disputed) {
            check(event, &format!("TENANT#{tenant}0{rest}"), "");
        }
    }
    for event in &disputed {
        check(event, &format!("TENANT#{tenant}#IDEMPOTENCY#1"), "");
    }
    for user in [ADA, BOB] {
        check(&disputed[2], &format!("TENANT#{tenant}#OF@{user}#SESSION#1"), "");
    }
}

#[test]
fn the_whole_account_reaches_everything_of_its_tenant_and_nothing_of_another() {
    let key = key(KeyKind::Account);
    let bearer = bearer(&json!({ "tenant_id": key.tenant }));
    let ada = json!({ "external_user_id": "ada" });
    for event in [
        account("POST", &[("x-api-key", &key.text)], Some(&json!({ "external_user_id": null }))),
        account("GET", &[("x-api-key", &key.text)], Some(&ada)),
        account("GET", &[("authorization", &bearer)], None),
    ] {
        for rest in
            [String::new(), format!("#OF@{ADA}#SESSION#1"), "#ALL#SESSION".to_owned(), "#GLOBAL#SESSION#1".to_owned()]
        {
            check(&event, &format!("TENANT#{}{rest}", key.tenant), "rw");
            check(&event, &format!("TENANT#{}0{rest}", key.tenant), "");
            check(&event, &format!("IDEMPOTENCY#operator#{}{rest}", key.tenant), "");
            check(&event, &format!("TENANT#{}#IDEMPOTENCY#1{rest}", key.tenant), "rw");
            check(&event, &format!("TENANT#{}0#IDEMPOTENCY#1{rest}", key.tenant), "");
        }
    }
}

#[test]
fn only_the_one_credential_that_a_request_presents_where_it_is_taken_names_a_tenant() {
    let (ours, other) = (key(KeyKind::Admin), key(KeyKind::Admin));
    let password = |key: &Key| format!("Basic {}", BASE64.encode(format!("{}:{}", key.id, key.text).as_bytes()));
    let (basic, proxy) = (&*password(&ours), &*password(&other));
    let (text, bearing) = (&*ours.text, &*format!("Bearer {}", ours.text));
    let token = &*bearer(&json!({ "tenant_id": ours.tenant }));
    let (projects, tokens, accounts) = ("/v1/api/projects/users", "/api/v1/auth/introspect", "/api/v1/tools");
    let in_body = |key: &Key| Some(json!({ "apiKey": key.text, "token": token }));
    let taken = [
        (projects, vec![("authorization", bearing)], None),
        (projects, vec![("Authorization", bearing), ("X-API-KEY", text)], in_body(&ours)),
        ("/register-tenant", vec![], in_body(&ours)),
        (tokens, vec![("authorization", basic)], in_body(&other)),
        ("/api/v1/auth/revoke", vec![("authorization", bearing)], in_body(&other)),
        (accounts, vec![("x-api-key", text)], in_body(&other)),
        (accounts, vec![("authorization", token)], None),
        ("/api/v1/auth/token", vec![("x-api-key", text)], None),
        // The password is a proxy's.
        (projects, vec![("authorization", proxy), ("x-api-key", text)], None),
    ];
    let refused = [
        (projects, vec![], None),
        (projects, vec![("authorization", text)], None),
        (projects, vec![("authorization", token)], None),
        (projects, vec![("authorization", basic)], None),
        (projects, vec![("x-admin-key", text)], None),
        (tokens, vec![], in_body(&ours)),
        (tokens, vec![("authorization", token)], None),
        (accounts, vec![], in_body(&ours)),
        (accounts, vec![("authorization", basic)], None),
        ("/api/v1/fetch/tenant", vec![("x-api-key", text)], None),
        ("/api/v1/nothing", vec![("x-api-key", text)], None),
        // Not to be read.
        (projects, vec![("x-api-key", &text[1..])], None),
        (accounts, vec![("authorization", "Bearer a.b.c")], None),
        // Two that differ.
        (projects, vec![("authorization", bearing), ("x-api-key", &other.text)], None),
        (projects, vec![("authorization", bearing)], in_body(&other)),
        (tokens, vec![("authorization", basic), ("x-api-key", &other.text)], None),
        (accounts, vec![("authorization", token), ("x-api-key", text)], None),
    ];
    for (cases, allowed) in [(&taken[..], "rw"), (&refused, "")] {
        for (path, headers, body) in cases {
            let event = event("POST", path, "", headers, body.as_ref());
            check(&event, &format!("TENANT#{}", ours.tenant), allowed);
            check(&event, &format!("TENANT#{}", other.tenant), "");
        }
    }
}

/// An event of the operator.
fn operator(path: &str, query: &str) -> Value {
    event("POST", path, query, &[("x-admin-key", "x")], None)
}

#[test]
fn the_operator_reaches_the_tenant_that_its_request_is_about() {
    let suspend = "/api/v1/suspend/tenant";
    let cases = [
        // The path, the query, and what may be done with tnt_1 and with another.
        (suspend, "tenant_id=tnt_1", "rw", ""),
        (suspend, "key_id=1&tenant_id=%74nt_1", "rw", ""),
        (suspend, "tenant_id=tnt_1&tenant_id=tnt_2", "", ""),
        (suspend, "", "", ""),
        ("/api/v1/provision/tenant", "", "w", "w"),
        ("/api/v1/provision/tenant", "tenant_id=tnt_1", "rw", ""),
        ("/api/v1/provision/api-key", "", "", ""),
        ("/api/v1/fetch/tenants", "limit=1", "r", "r"),
        ("/t/tnt_1/.well-known/jwks.json", "tenant_id=tnt_2", "r", ""),
        ("/.well-known/oauth-authorization-server/t/tnt_1", "", "r", ""),
        ("/t/tnt_1/.well-known/openid-configuration", "", "r", ""),
        ("/v1/api/projects/users", "tenant_id=tnt_1", "", ""),
    ];
    for (path, query, allowed, others) in cases {
        let event = operator(path, query);
        check(&event, "TENANT#tnt_1", allowed);
        check(&event, "TENANT#tnt_2", others);
        check(&event, "TENANT#tnt_10", others);
    }
    check(&operator(suspend, "tenant_id=tnt_1"), "TENANT#tnt_1#KEY#1", "rw");
    check(&operator(suspend, "tenant_id=tnt_1"), "IDEMPOTENCY#operator#1", "rw");
    check(&operator(suspend, "tenant_id=tnt_1"), "IDEMPOTENCY#other#1", "");
    // What a tenant publishes is all in one partition.
    check(&operator("/t/tnt_1/.well-known/jwks.json", ""), "TENANT#tnt_1#KEY#1", "");
}

#[test]
fn a_signer_reaches_the_tenant_that_it_says_it_is_and_its_nonces() {
    let signed = |headers: &[(&str, &str)]| event("GET", WHOAMI, "tenant_id=tnt_2", headers, None);
    let signers = [
        signed(&[("x-latchkey-tenant-id", "tnt_1")]),
        signed(&[("X-Bloonio-Tenant-Id", "tnt_1"), ("x-api-key", "tnt_2"), ("x-admin-key", "x")]),
    ];
    let nobody = [
        signed(&[]),
        signed(&[("x-admin-key", "x")]),
        signed(&[("x-latchkey-tenant-id", "tnt_1"), ("x-bloonio-tenant-id", "tnt_1")]),
        signed(&[("x-latchkey-tenant-id", "tnt_2"), ("x-bloonio-tenant-id", "tnt_1")]),
    ];
    let cases = [
        ("TENANT#tnt_1", "rw"),
        ("TENANT#tnt_1#NONCE#abc", "rw"),
        ("TENANT#tnt_1#NONCE", ""),
        ("TENANT#tnt_1#KEY#1", ""),
        ("TENANT#tnt_1#TOKEN#1", ""),
        ("TENANT#tnt_1#ALL#SESSION", ""),
        ("TENANT#tnt_10", ""),
        ("TENANT#tnt_2", ""),
        ("TENANT#tnt_2#NONCE#abc", ""),
        ("IDEMPOTENCY#operator#tnt_1", ""),
    ];
    for (partition, allowed) in cases {
        for event in &signers {
            check(event, partition, allowed);
        }
        for event in &nobody {
            check(event, partition, "");
        }
    }
    // Where nobody signs, the headers say nothing.
    for path in ["/api/v1/fetch/tenant", "/v1/api/projects/users", "/api/v1/agent-sessions"] {
        check(&event("GET", path, "", &[("x-latchkey-tenant-id", "tnt_1")], None), "TENANT#tnt_1", "");
    }
}

#[test]
fn a_secret_is_used_for_its_tenant_only_and_the_admin_key_for_the_operator_only() {
    let key = key(KeyKind::Embed);
    let backend = event("POST", "/v1/api/projects/user-token", "", &[("x-api-key", &key.text)], None);
    let end_user = account("GET", &[("x-api-key", &key.text), ("x-end-user-id", "ada")], None);
    let signer = event("GET", WHOAMI, "", &[("x-latchkey-tenant-id", &key.tenant)], None);
    let prepare = "/api/v1/relay/prepare-pairing";
    let pairs = event("POST", prepare, "", &[("x-latchkey-tenant-id", &key.tenant)], None);
    let published = event("GET", &format!("/t/{}/.well-known/jwks.json", key.tenant), "", &[], None);
    let about = operator("/api/v1/rotate/tenant-secret", &format!("tenant_id={}", key.tenant));
    let (new, all) = (operator("/api/v1/provision/tenant", ""), operator("/api/v1/fetch/tenants", ""));
    let [secret, signing] = ["tenants", "signing-keys"].map(|folder| format!("latchkey/dev/{folder}/{}", key.tenant));
    let arn = |name: &str| format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}-AbCdEf");
    let admin = "latchkey/dev/admin-key";
    let cases = [
        (secret.clone(), vec![&signer, &pairs, &about, &new]),
        (arn(&secret), vec![&signer, &pairs, &about, &new]),
        (format!("{secret}0"), vec![&new]),
        (signing.clone(), vec![&backend, &end_user, &pairs, &about, &new]),
        (arn(&signing), vec![&backend, &end_user, &pairs, &about, &new]),
        (format!("{signing}0"), vec![&new]),
        (arn(&format!("latchkey/dev/tenants/tnt_{}", key.tenant)), vec![&new]),
        (arn(&format!("latchkey/dev/signing-keys/tnt_{}", key.tenant)), vec![&new]),
        (format!("latchkey/dev/other/{}", key.tenant), vec![]),
        (admin.to_owned(), vec![&about, &new, &all]),
        (arn(admin), vec![&about, &new, &all]),
        ("another".to_owned(), vec![]),
    ];
    for (secret, allowed) in &cases {
        for event in [&backend, &end_user, &signer, &pairs, &published, &about, &new, &all] {
            for request in [json!({ "SecretId": secret }), json!({ "Name": secret })] {
                let wrong = wrong(event, Service::SecretsManager, "GetSecretValue", request);
                assert_eq!(wrong.is_none(), allowed.contains(&event), "{secret}: {event}: {wrong:?}");
            }
        }
    }
}

#[test]
fn a_call_is_noticed_if_any_part_of_it_is_anothers_or_if_it_does_not_say_whose_it_is() {
    let key = key(KeyKind::Account);
    let own = format!("TENANT#{}", key.tenant);
    let tenant = account("POST", &[("x-api-key", &key.text)], None);
    let about = operator("/api/v1/suspend/tenant", &format!("tenant_id={}", key.tenant));
    let with = |mut request: Value, name: &str, value: Value| {
        request[name] = value;
        request
    };
    let update = |expression: &str| {
        let values = json!({ ":own": { "S": own }, ":other": { "S": "TENANT#tnt_2" }, ":number": { "N": "1" } });
        json!({ "Key": item(&own), "UpdateExpression": expression, "ExpressionAttributeValues": values })
    };
    let keys = |partition: &str| json!({ "Key": item(partition) });
    let fine = [
        ("Query", with(query("pk = :value", &own), "ExclusiveStartKey", item(&own))),
        ("PutItem", json!({ "Item": with(item(&own), "tenant_listing", json!({ "S": own })) })),
        ("UpdateItem", update("SET tenant_listing = if_not_exists(tenant_listing, :own), a = :other")),
        ("UpdateItem", update("SET a = :number, tenant_listing = :own REMOVE b")),
    ];
    let noticed = [
        ("Query", with(query("pk = :value", &own), "ExclusiveStartKey", item("TENANT#tnt_2"))),
        ("Query", with(query("#list = :value", &own), "ExclusiveStartKey", json!({ "tenant_listing": { "S": "x" } }))),
        ("Query", query("pk = :value AND tenant_listing = :value", &own)),
        ("Query", query("listing = :value", "tenants")),
        ("Query", query("tenant_status = :value", "active")),
        ("Query", query("sk = :value", &own)),
        ("Query", json!({ "KeyConditionExpression": "pk = :value" })),
        ("PutItem", json!({ "Item": with(item(&own), "tenant_listing", json!({ "S": "TENANT#tnt_2" })) })),
        ("UpdateItem", update("SET tenant_listing = if_not_exists(tenant_listing, :other)")),
        ("UpdateItem", update("SET a = :number,tenant_listing=:other")),
        ("UpdateItem", update("SET tenant_listing = a")),
        ("BatchGetItem", json!({ "RequestItems": { "a": { "Keys": [item(&own), item("TENANT#tnt_2")] } } })),
        ("BatchGetItem", json!({ "RequestItems": {} })),
        (
            "TransactWriteItems",
            json!({ "TransactItems": [{ "Put": { "Item": item(&own) } }, { "Delete": keys("x") }] }),
        ),
        ("TransactWriteItems", json!({ "TransactItems": [{ "Get": keys(&own) }] })),
        ("TransactGetItems", json!({ "TransactItems": [{ "Get": keys(&own) }] })),
        ("GetItem", json!({ "Key": { "pk": { "B": "VEVOQU5UIw==" } } })),
        ("GetItem", json!({})),
        ("Scan", json!({ "TableName": "table" })),
        ("ExecuteStatement", json!({ "Statement": format!("SELECT * FROM table WHERE pk = '{own}'") })),
    ];
    for event in [&tenant, &about] {
        for (calls, is_fine) in [(&fine[..], true), (&noticed, false)] {
            for (operation, request) in calls {
                let wrong = wrong(event, Service::Dynamodb, operation, request.clone());
                assert_eq!(wrong.is_none(), is_fine, "{operation} {request}: {wrong:?}");
            }
        }
    }
    assert!(wrong(&about, Service::SecretsManager, "ListSecrets", json!({})).is_some());
    let lists = operator("/api/v1/fetch/tenants", "");
    for (condition, value) in [("listing = :value", "tenants"), ("tenant_status = :value", "suspended")] {
        assert_eq!(wrong(&lists, Service::Dynamodb, "Query", query(condition, value)), None);
    }
    assert!(wrong(&lists, Service::Dynamodb, "Query", query("tenant_status = :value", "pending")).is_some());
}

#[test]
fn a_violation_says_what_was_asked_for_and_for_whom_and_not_by_which_credential() {
    let key = key(KeyKind::Account);
    let event = account("GET", &[("x-api-key", &key.text), ("x-end-user-id", "ada")], None);
    let partition = format!("TENANT#{}#OF@{BOB}#SESSION#1", key.tenant);
    let (operation, request) = transaction("Update", &json!({ "Key": item(&partition) }));
    assert_eq!(
        wrong(&event, Service::Dynamodb, operation, request).unwrap(),
        format!("function: TransactWriteItems writes {partition} for {{\"ada\"}} of {}", key.tenant)
    );
}
