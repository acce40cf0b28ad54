//! `POST /v1/api/projects/register-user`

use serde_json::{Value, json};

use super::register_tenant::{check_exactness, with_json};
use crate::support::{Answer, Deployment, EXACT, ROLE, World};

const THEIRS: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

fn id(answer: &Answer) -> String {
    answer.data(200)["userId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_user_is_registered_once_and_changed_by_its_external_id_or_its_uuid() {
    let deployment = Deployment::start().await;
    let World { tenant, key, member, .. } = deployment.world().await;
    for fields in [
        json!({ "name": "ada", "externalId": "ada", "projectOrganizationId": "acme" }),
        json!({ "name": "Ada", "externalId": "ada", "projectOrganizationId": member.organization_id }),
        json!({
            "name": "Countess",
            "userId": member.user_id,
            "projectOrganizationId": "acme",
            "properties": { "a": 1 },
        }),
    ] {
        let answer = deployment.register_user(&key, &fields).await;
        assert_eq!(id(&answer), member.user_id);
        assert!(answer.data(200)["message"].is_string() && answer.data(200).get("token").is_none());
    }
    let answer = deployment.get(&format!("/api/v1/fetch/users?tenant_id={}", tenant.id)).await;
    let rows = answer.data(200)["users"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["name"], &rows[0]["external_id"]), (&json!("Countess"), &json!("ada")));
    assert_eq!((&rows[0]["organization_id"], &rows[0]["role_id"]), (&json!(member.organization_id), &json!(ROLE)));
}

#[tokio::test]
async fn registering_the_same_again_writes_nothing() {
    let deployment = Deployment::start().await;
    let World { key, .. } = deployment.world().await;
    let before = deployment.items().await;
    let fields = json!({ "name": "ada", "externalId": "ada", "projectOrganizationId": "acme" });
    deployment.register_user(&key, &fields).await.data(200);
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn a_user_can_move_to_another_organization_and_its_old_token_is_dead() {
    let deployment = Deployment::start().await;
    let World { key, token, member, .. } = deployment.world().await;
    deployment.member(&key, "globex", "grace").await;
    assert!(deployment.is_active(&key, &token).await);
    let fields = json!({ "name": "ada", "userId": member.user_id, "projectOrganizationId": "globex" });
    assert_eq!(id(&deployment.register_user(&key, &fields).await), member.user_id);
    assert!(!deployment.is_active(&key, &token).await);
    let body = json!({ "userId": "ada", "organizationId": "acme" });
    deployment.user_token(&key, &body).await.refused(404, "user_not_found");
    deployment.user_token(&key, &json!({ "userId": "ada", "organizationId": "globex" })).await.data(200);
}

#[tokio::test]
async fn a_uuid_can_be_chosen_and_an_external_id_is_never_two_users() {
    let deployment = Deployment::start().await;
    let World { key, .. } = deployment.world().await;
    let fields = json!({ "name": "B", "userId": THEIRS, "externalId": "b", "projectOrganizationId": "acme" });
    assert_eq!(id(&deployment.register_user(&key, &fields).await), THEIRS);
    let taken = json!({ "name": "B", "userId": THEIRS, "externalId": "ada", "projectOrganizationId": "acme" });
    deployment.register_user(&key, &taken).await.refused(409, "external_id_taken");
    let moved = json!({ "name": "B", "userId": THEIRS, "externalId": "c", "projectOrganizationId": "acme" });
    deployment.register_user(&key, &moved).await.data(200);
    deployment.user_token(&key, &json!({ "userId": "b" })).await.refused(404, "user_not_found");
    deployment.user_token(&key, &json!({ "userId": "c" })).await.data(200);
}

#[tokio::test]
async fn the_organization_has_to_be_there_and_be_ours() {
    let deployment = Deployment::start().await;
    let (ours, theirs) = (deployment.world().await, deployment.world().await);
    let before = deployment.items_but_notes().await;
    let mut answers = Vec::new();
    for organization in [THEIRS, "nobody", &theirs.member.organization_id, &ours.member.user_id] {
        let fields = json!({ "name": "B", "projectOrganizationId": organization });
        let answer = deployment.register_user(&ours.key, &fields).await;
        answer.refused(404, "organization_not_found");
        answers.push(answer.text);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    let fields = json!({ "name": "B", "projectOrganizationId": "acme", "projectId": theirs.tenant.project_id() });
    deployment.register_user(&ours.key, &fields).await.refused(404, "project_not_found");
    assert_eq!(deployment.items_but_notes().await, before);
}

#[tokio::test]
async fn each_field_has_its_rule_and_a_refusal_names_it() {
    let deployment = Deployment::start().await;
    let World { tenant, key, .. } = deployment.world().await;
    let before = deployment.items().await;
    let whole = json!({
        "name": "B", "projectId": tenant.project_id(), "userRoleId": ROLE, "projectOrganizationId": "acme",
        "properties": {}, "externalId": "b",
    });
    for (field, value) in [
        ("name", json!("")),
        ("userRoleId", json!("admin")),
        ("userRoleId", json!(null)),
        ("projectOrganizationId", json!("")),
        ("projectOrganizationId", json!(7)),
        ("properties", json!(null)),
        ("properties", json!({ "a": "x".repeat(4089) })),
        ("externalId", json!("")),
        ("userId", json!("ada")),
    ] {
        let mut body = whole.clone();
        body[field] = value;
        deployment.backend(&key, "POST", "/v1/api/projects/register-user").json(&body).send().await.names(field);
    }
    for field in ["name", "projectId", "userRoleId", "projectOrganizationId", "properties"] {
        let mut body = whole.clone();
        body.as_object_mut().unwrap().remove(field);
        deployment.backend(&key, "POST", "/v1/api/projects/register-user").json(&body).send().await.names(field);
    }
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn properties_that_do_not_fit_into_one_token_with_the_organizations_are_refused() {
    let deployment = Deployment::start().await;
    let World { key, .. } = deployment.world().await;
    let organization = json!({ "name": "acme", "externalId": "acme", "properties": { "a": "x".repeat(2100) } });
    deployment.register_organization(&key, &organization).await.data(200);
    let user = |name: &str| {
        json!({
            "name": "ada", "externalId": "ada", "projectOrganizationId": "acme",
            "properties": { name: "x".repeat(2100) },
        })
    };
    deployment.register_user(&key, &user("b")).await.refused(409, "properties_too_large");
    deployment.register_user(&key, &user("a")).await.data(200);
}

#[tokio::test]
async fn properties_are_kept_as_they_were_sent_or_refused() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let body = json!({
        "name": "B", "projectId": world.tenant.project_id(), "userRoleId": ROLE, "projectOrganizationId": "acme",
        "externalId": "b",
    });
    let ask = || deployment.backend(&world.key, "POST", "/v1/api/projects/register-user");
    check_exactness(&deployment, ask, &body, "properties").await;
    ask().body("application/json", with_json(&body, "properties", EXACT)).send().await.data(200);
    let items = Value::from(deployment.items().await).to_string();
    assert!(items.contains(&json!(EXACT).to_string()), "{items}");
}
