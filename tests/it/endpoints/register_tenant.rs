//! `POST /v1/api/tenant/register-tenant`, and its other address `/register-tenant`

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::support::{Answer, ApiKey, Call, Deployment, EXACT, INEXACT, World, with};

fn claims(answer: &Answer) -> Value {
    let token = answer.data(200)["token"].as_str().unwrap();
    let bytes = BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// A list within a list, and so on.
fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}

async fn register(deployment: &Deployment, key: &ApiKey, fields: &Value) -> Answer {
    let body = with(&json!({ "displayName": "Globex", "prefilters": { "org_id": 7 } }), fields);
    deployment.backend(key, "POST", "/register-tenant").json(&body).send().await
}

async fn registered(deployment: &Deployment, world: &World) -> Vec<Value> {
    let path = format!("/api/v1/fetch/registered-tenants?tenant_id={}", world.tenant.id);
    deployment.get(&path).await.data(200)["registered_tenants"].as_array().unwrap().clone()
}

#[tokio::test]
async fn both_addresses_register_and_answer_a_token_for_an_hour_with_the_prefilters_in_it() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let key = deployment.api_key(&world.tenant, "embed").await;
    for path in ["/register-tenant", "/v1/api/tenant/register-tenant"] {
        let body = json!({ "displayName": "Globex", "prefilters": { "org_id": 7 }, "apiKey": key.text });
        let answer = deployment.anonymous("POST", path).json(&body).send().await;
        let claims = claims(&answer);
        assert!(answer.data(200)["message"].is_string());
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
        assert_eq!((&claims["scope"], &claims["sub"]), (&json!("registered_tenant"), &json!("name:Globex")));
        let data = json!({
            "parentOrgId": world.tenant.project_id(),
            "displayName": "Globex",
            "payload": { "prefilters": { "org_id": 7 } },
        });
        assert_eq!(claims["data"], data);
        assert!(deployment.is_active(&key, answer.data(200)["token"].as_str().unwrap()).await);
    }
    let rows = registered(&deployment, &world).await;
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["key"], &rows[0]["display_name"]), (&json!(null), &json!("Globex")));
}

#[tokio::test]
async fn everything_that_is_sent_is_in_the_token() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let fields = json!({
        "key": "globex", "user": "hank", "organizationId": world.member.organization_id, "expiration": "2h",
        "schemaPreFilter": ["public"],
        "tenantEditingPermissions": { "addChart": true, "createChartSQL": false, "readOnly": true },
        "connectionOverride": { "connectionId": world.member.user_id },
        "customMetadata": { "theme": "dark" },
    });
    let claims = claims(&register(&deployment, &world.key, &fields).await);
    assert_eq!((&claims["sub"], &claims["external_user_id"]), (&json!("key:globex"), &json!("hank")));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 7200);
    let payload = json!({
        "prefilters": { "org_id": 7 },
        "schemaPreFilter": ["public"],
        "tenantEditingPermissions": { "addChart": true, "createChartSQL": false, "readOnly": true },
        "connectionOverride": { "connectionId": world.member.user_id },
        "customMetadata": { "theme": "dark" },
    });
    assert_eq!(claims["data"]["payload"], payload);
    assert_eq!(claims["data"]["parentOrgId"], world.member.organization_id);
    assert_eq!((&claims["org_id"], &claims["org_external_id"]), (&json!(world.member.organization_id), &json!("acme")));
}

#[tokio::test]
async fn the_organization_that_is_named_has_to_be_there_and_its_revocation_reaches_the_token() {
    let deployment = Deployment::start().await;
    let (world, theirs) = (deployment.world().await, deployment.world().await);
    for id in ["67e55044-10b1-426f-9247-bb680e5fe0c8", &theirs.member.organization_id, &world.member.user_id] {
        let answer = register(&deployment, &world.key, &json!({ "organizationId": id })).await;
        answer.refused(404, "organization_not_found");
    }
    let token = async |id: &str| {
        let answer = register(&deployment, &world.key, &json!({ "organizationId": id })).await;
        answer.data(200)["token"].as_str().unwrap().to_owned()
    };
    let (own, project) = (token(&world.member.organization_id).await, token(&world.tenant.project_id()).await);
    let whose = json!({ "organization_id": world.member.organization_id });
    deployment.revoke_tokens(&world.tenant, &whose).await.data(200);
    assert!(!deployment.is_active(&world.key, &own).await);
    assert!(deployment.is_active(&world.key, &project).await);
}

#[tokio::test]
async fn a_display_name_does_not_lead_to_what_is_registered_under_a_key() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let keyed = register(&deployment, &world.key, &json!({ "key": "globex", "displayName": "Globex" })).await;
    let named = register(&deployment, &world.key, &json!({ "displayName": "globex" })).await;
    assert_eq!((&claims(&keyed)["sub"], &claims(&named)["sub"]), (&json!("key:globex"), &json!("name:globex")));
    assert_eq!(registered(&deployment, &world).await.len(), 2);
}

#[tokio::test]
async fn it_is_a_refresh_that_is_registered_once_and_costs_one_call_when_nothing_is_new() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    register(&deployment, &world.key, &json!({ "key": "globex" })).await.data(200);
    let first = registered(&deployment, &world).await;
    let body = json!({ "displayName": "Globex", "prefilters": { "org_id": 7 }, "key": "globex" });
    let call = deployment.backend(&world.key, "POST", "/register-tenant").json(&body);
    let (answer, calls) = deployment.calls_of(call).await;
    answer.data(200);
    assert_eq!(calls.iter().map(|call| call.operation.as_str()).collect::<Vec<_>>(), ["BatchGetItem"]);
    assert_eq!(registered(&deployment, &world).await, first);
    register(&deployment, &world.key, &json!({ "key": "globex", "displayName": "Globex Inc" })).await.data(200);
    let second = registered(&deployment, &world).await;
    assert_eq!((second.len(), &second[0]["display_name"]), (1, &json!("Globex Inc")));
    assert_eq!(second[0]["created_at"], first[0]["created_at"]);
    assert!(first[0]["updated_at"].is_null() && second[0]["updated_at"].is_string());
}

#[tokio::test]
async fn a_migrated_customer_gets_the_token_of_its_project_user() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let answer = register(&deployment, &world.key, &json!({ "key": "acme", "user": "ada" })).await;
    let claims = claims(&answer);
    assert_eq!((&claims["scope"], &claims["sub"]), (&json!("project_user"), &json!(world.member.user_id)));
    assert_eq!((&claims["org_id"], &claims["org_external_id"]), (&json!(world.member.organization_id), &json!("acme")));
    assert_eq!(claims["external_user_id"], "ada");
    assert!(registered(&deployment, &world).await.is_empty());
    deployment.member(&world.key, "globex", "grace").await;
    for user in ["nobody", "grace", &world.member.user_id] {
        let answer = register(&deployment, &world.key, &json!({ "key": "acme", "user": user })).await;
        answer.refused(404, "user_not_found");
    }
    register(&deployment, &world.key, &json!({ "key": "acme" })).await.names("user");
    // The uuid of an organization is not its external id.
    let by_uuid = json!({ "key": world.member.organization_id, "user": "ada" });
    assert_eq!(self::claims(&register(&deployment, &world.key, &by_uuid).await)["scope"], "registered_tenant");
}

#[tokio::test]
async fn each_field_has_its_rule_and_a_refusal_names_it() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let before = deployment.items().await;
    for (field, value, named) in [
        ("displayName", json!(""), "displayName"),
        ("prefilters", json!([]), "prefilters"),
        ("prefilters", json!({ "a": "x".repeat(4089) }), "prefilters"),
        ("customMetadata", json!({ "a": "x".repeat(4089) }), "customMetadata"),
        ("customMetadata", json!("x"), "customMetadata"),
        ("schemaPreFilter", nested(32), "prefilters"),
        ("schemaPreFilter", nested(33), "schemaPreFilter"),
        ("key", json!(""), "key"),
        ("user", json!(7), "user"),
        ("organizationId", json!("acme"), "organizationId"),
        ("expiration", json!(59), "expiration"),
        ("tenantEditingPermissions", json!({ "addChart": "yes" }), "tenantEditingPermissions.addChart"),
        ("connectionOverride", json!({ "connectionId": "x" }), "connectionOverride.connectionId"),
    ] {
        register(&deployment, &world.key, &json!({ field: value })).await.names(named);
    }
    for missing in ["displayName", "prefilters"] {
        let mut body = json!({ "displayName": "Globex", "prefilters": {} });
        body.as_object_mut().unwrap().remove(missing);
        let call = deployment.backend(&world.key, "POST", "/register-tenant").json(&body);
        call.send().await.names(missing);
    }
    assert_eq!(deployment.items().await, before);
}

/// Checks that such a field is refused with the place at fault, and nothing is written.
pub(super) async fn check_exactness(deployment: &Deployment, ask: impl Fn() -> Call, body: &Value, field: &str) {
    let before = deployment.items().await;
    for (value, place, problem) in INEXACT {
        let answer = ask().body("application/json", with_json(body, field, value)).send().await;
        answer.names(&format!("{field}{place}"));
        assert_eq!(answer.body["message"], format!("{field}{place} {problem}"));
    }
    assert_eq!(deployment.items().await, before);
}

/// The text of a body with the text of one more field.
pub(super) fn with_json(body: &Value, field: &str, value: &str) -> String {
    with(body, &json!({ field: "@@" })).to_string().replace(r#""@@""#, value)
}

#[tokio::test]
async fn what_a_token_filters_by_is_signed_as_it_was_sent_or_refused() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let body = json!({ "displayName": "Globex", "prefilters": {} });
    let ask = || deployment.backend(&world.key, "POST", "/register-tenant");
    for field in ["prefilters", "schemaPreFilter", "customMetadata"] {
        check_exactness(&deployment, ask, &body, field).await;
        let answer = ask().body("application/json", with_json(&body, field, EXACT)).send().await;
        let token = answer.data(200)["token"].as_str().unwrap();
        let bytes = BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
        let signed = String::from_utf8(bytes).unwrap();
        assert!(signed.contains(&format!(r#""{field}":{EXACT}"#)), "{signed}");
    }
    // A filter by itself need not be an object.
    for value in ["1e400", "[18446744073709551616]"] {
        let answer = ask().body("application/json", with_json(&body, "schemaPreFilter", value)).send().await;
        answer.names(if value.starts_with('[') { "schemaPreFilter[0]" } else { "schemaPreFilter" });
    }
}

#[tokio::test]
async fn a_token_that_would_be_too_long_is_refused_and_nothing_is_registered() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let longest = "😀".repeat(256);
    let fields = json!({ "key": longest, "user": longest, "prefilters": { "a": "x".repeat(4000) } });
    register(&deployment, &world.key, &fields).await.refused(409, "properties_too_large");
    assert!(registered(&deployment, &world).await.is_empty());
}

#[tokio::test]
async fn two_tenants_of_ours_may_register_the_same_key() {
    let deployment = Deployment::start().await;
    let (one, other) = (deployment.world().await, deployment.world().await);
    register(&deployment, &one.key, &json!({ "key": "globex" })).await.data(200);
    register(&deployment, &other.key, &json!({ "key": "globex", "displayName": "Other" })).await.data(200);
    assert_eq!(registered(&deployment, &one).await[0]["display_name"], "Globex");
    assert_eq!(registered(&deployment, &other).await[0]["display_name"], "Other");
}
