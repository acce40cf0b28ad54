//! `POST /api/v1/revoke/tokens`; that each cut-off reaches the tokens that it should, and no other, is in
//! `tokens::revocation`

use serde_json::json;

use crate::support::{Deployment, END_USER};

#[tokio::test]
async fn the_answer_says_when_and_the_trail_says_whose() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let member = &world.member;
    let person = |kind: &str, id: &str| json!(deployment.person(&world.tenant, kind, id));
    for (whose, subject, known) in [
        (json!({ "user_id": member.user_id }), person("user", &member.user_id), true),
        (json!({ "organization_id": member.organization_id }), json!(member.organization_id), true),
        (json!({ "external_user_id": "ada" }), person("end_user", "ada"), true),
        // Not registered; but it has rows.
        (json!({ "external_user_id": END_USER }), person("end_user", END_USER), true),
        (json!({ "external_user_id": "adaa" }), person("end_user", "adaa"), false),
        // That it was revoked once makes nobody known.
        (json!({ "external_user_id": "adaa" }), person("end_user", "adaa"), false),
        (json!({ "key_id": world.key.id }), json!(world.key.id), true),
        (json!({ "all": true }), json!(null), true),
    ] {
        let answer = deployment.revoke_tokens(&world.tenant, &whose).await;
        let path = format!("/api/v1/fetch/audit-events?tenant_id={}&limit=1", world.tenant.id);
        let events = deployment.get(&path).await;
        let event = &events.data(200)["events"][0];
        assert_eq!((&event["action"], &event["subject"]), (&json!("tokens.revoked"), &subject));
        assert_eq!(answer.data(200), &json!({ "revoked_before": event["at"], "known": known }));
    }
}

#[tokio::test]
async fn an_id_of_the_tenants_own_as_user_id_is_told_where_it_goes() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let answer = deployment.revoke_tokens(&world.tenant, &json!({ "user_id": "ada" })).await;
    answer.names("user_id");
    assert!(answer.body["message"].as_str().unwrap().ends_with("goes in external_user_id"), "{}", answer.text);
}

#[tokio::test]
async fn a_token_that_is_asked_for_afterwards_is_active() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    for whose in [json!({ "all": true }), json!({ "user_id": world.member.user_id }), json!({ "key_id": world.key.id })]
    {
        let before = deployment.token(&world.key, &world.member).await;
        deployment.revoke_tokens(&world.tenant, &whose).await.data(200);
        assert!(!deployment.is_active(&world.key, &before).await, "{whose}");
        let after = deployment.token(&world.key, &world.member).await;
        assert!(deployment.is_active(&world.key, &after).await, "{whose}");
    }
}

#[tokio::test]
async fn a_repetition_under_the_same_key_revokes_once() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let path = format!("/api/v1/revoke/tokens?tenant_id={}", world.tenant.id);
    let call = || {
        let call = deployment.operator("POST", &path).header("idempotency-key", "k");
        call.json(&json!({ "user_id": world.member.user_id }))
    };
    let first = call().send().await;
    let token = deployment.token(&world.key, &world.member).await;
    assert_eq!(call().send().await.data(200), first.data(200));
    assert!(deployment.is_active(&world.key, &token).await, "the repetition revoked nothing");
}
