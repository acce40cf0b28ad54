//! `POST /v1/api/projects/register-organization`

use serde_json::{Value, json};

use super::register_tenant::{check_exactness, with_json};
use crate::support::{Answer, Deployment, EXACT};

const THEIRS: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

fn id(answer: &Answer) -> String {
    answer.data(200)["projectOrganizationId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_organization_is_registered_once_and_changed_by_its_external_id_or_its_uuid() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let first = deployment.register_organization(&key, &json!({ "name": "A", "externalId": "a" })).await;
    assert_eq!(first.data(200)["externalId"], "a");
    assert_eq!(
        first.body,
        json!({
            "status": "success", "data": { "projectOrganizationId": id(&first), "externalId": "a" },
        })
    );
    for fields in [
        json!({ "name": "A", "externalId": "a" }),
        json!({ "name": "B", "externalId": "a", "properties": { "x": 1 } }),
        json!({ "name": "C", "organizationId": id(&first) }),
        json!({ "name": "D", "organizationId": id(&first), "externalId": "a" }),
    ] {
        assert_eq!(id(&deployment.register_organization(&key, &fields).await), id(&first));
    }
    let answer = deployment.get(&format!("/api/v1/fetch/organizations?tenant_id={}", tenant.id)).await;
    let rows = answer.data(200)["organizations"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["name"], &rows[0]["external_id"]), (&json!("D"), &json!("a")));
}

#[tokio::test]
async fn registering_the_same_again_writes_nothing() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let fields = json!({ "name": "A", "externalId": "a", "properties": { "x": 1 } });
    deployment.register_organization(&key, &fields).await.data(200);
    let before = deployment.items().await;
    deployment.register_organization(&key, &fields).await.data(200);
    deployment.register_organization(&key, &json!({ "name": "A", "externalId": "a" })).await.data(200);
    assert_eq!(deployment.items().await, before, "properties that are left out stay");
}

#[tokio::test]
async fn a_uuid_can_be_chosen_and_an_external_id_can_move_but_not_onto_anothers() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let chosen = json!({ "name": "A", "organizationId": THEIRS, "externalId": "a" });
    assert_eq!(id(&deployment.register_organization(&key, &chosen).await), THEIRS);
    let other = id(&deployment.register_organization(&key, &json!({ "name": "B", "externalId": "b" })).await);
    let taken = json!({ "name": "A", "organizationId": THEIRS, "externalId": "b" });
    deployment.register_organization(&key, &taken).await.refused(409, "external_id_taken");
    let taken = json!({ "name": "C", "organizationId": "11111111-1111-4111-8111-111111111111", "externalId": "b" });
    deployment.register_organization(&key, &taken).await.refused(409, "external_id_taken");
    let moved = json!({ "name": "A", "organizationId": THEIRS, "externalId": "c" });
    assert_eq!(id(&deployment.register_organization(&key, &moved).await), THEIRS);
    let found = async |name: &str| {
        id(&deployment.register_organization(&key, &json!({ "name": "X", "externalId": name })).await)
    };
    assert_eq!(found("c").await, THEIRS);
    assert_eq!(found("b").await, other);
    let free = found("a").await;
    assert!(free != THEIRS && free != other, "an id that was given up is free again");
}

#[tokio::test]
async fn without_an_id_each_registration_is_a_new_organization() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let one = deployment.register_organization(&key, &json!({ "name": "A" })).await;
    let other = deployment.register_organization(&key, &json!({ "name": "A", "externalId": null })).await;
    assert_ne!(id(&one), id(&other));
    assert!(one.data(200)["externalId"].is_null());
}

#[tokio::test]
async fn each_field_has_its_rule_and_a_refusal_names_it() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let before = deployment.items().await.len();
    for (field, value) in [
        ("name", json!("")),
        ("name", json!(7)),
        ("name", json!("x".repeat(121))),
        ("name", json!("a\u{202e}b")),
        ("projectId", json!("acme")),
        ("projectId", json!(null)),
        ("projectId", json!(tenant.project_id().replace('-', ""))),
        ("externalId", json!("")),
        ("externalId", json!("x".repeat(257))),
        ("externalId", json!(7)),
        ("properties", json!([])),
        ("properties", json!("x")),
        ("properties", json!({ "a": "x".repeat(4089) })),
        ("organizationId", json!("acme")),
    ] {
        let mut fields = json!({ "name": "A", "externalId": "a" });
        fields[field] = value.clone();
        let body = crate::support::with(&json!({ "projectId": tenant.project_id() }), &fields);
        let call = deployment.backend(&key, "POST", "/v1/api/projects/register-organization").json(&body);
        call.send().await.names(field);
    }
    for field in ["name", "projectId"] {
        let mut body = json!({ "name": "A", "projectId": tenant.project_id() });
        body.as_object_mut().unwrap().remove(field);
        let call = deployment.backend(&key, "POST", "/v1/api/projects/register-organization").json(&body);
        call.send().await.names(field);
    }
    assert_eq!(deployment.items().await.len(), before);
}

#[tokio::test]
async fn external_ids_of_any_characters_stay_apart() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let names = ["a", "A", "a#b", "a/b", "TENANT#x", "é", "e\u{301}", "а", "\u{0}", "😀", " ", &"😀".repeat(256)];
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..2 {
        for name in names {
            let answer = deployment.register_organization(&key, &json!({ "name": "A", "externalId": name })).await;
            assert_eq!(answer.data(200)["externalId"], name);
            ids.insert(id(&answer));
        }
    }
    assert_eq!(ids.len(), names.len());
}

#[tokio::test]
async fn another_tenants_project_is_not_found_as_an_unknown_one_is() {
    let deployment = Deployment::start().await;
    let (ours, theirs) = (deployment.world().await, deployment.world().await);
    let before = deployment.items_but_events().await;
    let mut answers = Vec::new();
    for project in [theirs.tenant.project_id().as_str(), THEIRS, "00000000-0000-0000-0000-000000000000"] {
        let answer = deployment.register_organization(&ours.key, &json!({ "name": "A" })).await;
        answer.data(200);
        let call = deployment.backend(&ours.key, "POST", "/v1/api/projects/register-organization");
        let answer = call.json(&json!({ "name": "A", "projectId": project })).send().await;
        answer.refused(404, "project_not_found");
        answers.push(answer.text);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    assert_eq!(deployment.items_but_events().await.len(), before.len() + 3);
}

#[tokio::test]
async fn properties_are_kept_as_they_were_sent_or_refused() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let body = json!({ "name": "B", "projectId": world.tenant.project_id(), "externalId": "b" });
    let ask = || deployment.backend(&world.key, "POST", "/v1/api/projects/register-organization");
    check_exactness(&deployment, ask, &body, "properties").await;
    ask().body("application/json", with_json(&body, "properties", EXACT)).send().await.data(200);
    let items = Value::from(deployment.items().await).to_string();
    assert!(items.contains(&json!(EXACT).to_string()), "{items}");
}
