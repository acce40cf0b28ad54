//! `POST /v1/api/projects/revoke-tokens`; that each cut-off reaches the tokens that it should, and no other, is in
//! `tokens::revocation`

use serde_json::{Value, json};

use crate::support::{Answer, ApiKey, Deployment, END_USER, World};

const PATH: &str = "/v1/api/projects/revoke-tokens";

async fn revoke(deployment: &Deployment, key: &ApiKey, whose: &Value) -> Answer {
    deployment.backend(key, "POST", PATH).json(whose).send().await
}

#[tokio::test]
async fn a_backend_logs_its_own_user_out_by_any_name_and_nobody_else() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let World { key, member, tenant, .. } = &world;
    let other = deployment.member(key, "globex", "grace").await;
    let person = |kind: &str, id: &str| json!(deployment.person(tenant, kind, id));
    let user = person("user", &member.user_id);
    for (whose, subject) in [
        (json!({ "userId": member.user_id }), user.clone()),
        (json!({ "userId": "ada" }), user),
        (json!({ "organizationId": member.organization_id }), json!(member.organization_id)),
        (json!({ "organizationId": "acme" }), json!(member.organization_id)),
        (json!({ "externalUserId": "ada" }), person("end_user", "ada")),
    ] {
        let (token, others) = (deployment.token(key, member).await, deployment.token(key, &other).await);
        let answer = revoke(&deployment, key, &whose).await;
        assert!(!deployment.is_active(key, &token).await, "{whose}");
        assert!(deployment.is_active(key, &others).await, "{whose}");
        let events = deployment.get(&format!("/api/v1/fetch/audit-events?tenant_id={}&limit=1", tenant.id)).await;
        let event = &events.data(200)["events"][0];
        assert_eq!((&event["action"], &event["subject"]), (&json!("tokens.revoked"), &subject), "{whose}");
        assert_eq!((&event["actor"], &event["key_id"]), (&json!("API key"), &json!(key.id)), "{whose}");
        assert_eq!(answer.data(200), &json!({ "revokedBefore": event["at"], "known": true }), "{whose}");
        assert!(deployment.is_active(key, &deployment.token(key, member).await).await, "the next login");
    }
    let page = deployment.scoped_token(&world.account, Some(END_USER)).await;
    let answer = revoke(&deployment, key, &json!({ "externalUserId": END_USER })).await;
    assert_eq!(answer.data(200)["known"], true);
    deployment.page(&page, "GET", "/api/v1/agent-sessions").send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_typo_is_told_and_an_end_user_of_whom_nothing_is_known_is_revoked_all_the_same() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let (key, theirs) = (&world.key, deployment.world().await);
    for (whose, code) in [
        (json!({ "userId": "adaa" }), "user_not_found"),
        (json!({ "userId": theirs.member.user_id }), "user_not_found"),
        (json!({ "organizationId": "acmee" }), "organization_not_found"),
        (json!({ "organizationId": theirs.member.organization_id }), "organization_not_found"),
    ] {
        let before = deployment.items().await;
        revoke(&deployment, key, &whose).await.refused(404, code);
        assert_eq!(deployment.items().await, before, "{whose}");
    }
    let token = deployment.scoped_token(&world.account, Some("newcomer")).await;
    let answer = revoke(&deployment, key, &json!({ "externalUserId": "newcomer" })).await;
    assert_eq!(answer.data(200)["known"], false, "it has had nothing but tokens");
    assert!(!deployment.is_active(key, &token).await);
}

#[tokio::test]
async fn exactly_one_party_is_named_and_misspelt_ones_are_refused() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let before = deployment.items().await;
    for whose in [
        json!({}),
        json!({ "all": true }),
        json!({ "userId": "ada", "organizationId": "acme" }),
        json!({ "userId": "ada", "externalUserId": "ada" }),
        json!({ "userId": 7 }),
        json!({ "userId": "" }),
    ] {
        revoke(&deployment, &world.key, &whose).await.names("userId");
    }
    for name in ["user_id", "external_user_id", "organization_id", "externalID"] {
        revoke(&deployment, &world.key, &json!({ name: "ada" })).await.names(name);
    }
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn it_takes_an_admin_key() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let token = deployment.token(&world.key, &world.member).await;
    for kind in ["embed", "account"] {
        let key = deployment.api_key(&world.tenant, kind).await;
        revoke(&deployment, &key, &json!({ "userId": "ada" })).await.refused(403, "key_kind_not_allowed");
    }
    assert!(deployment.is_active(&world.key, &token).await);
    let body = json!({ "userId": "ada", "apiKey": world.key.text });
    deployment.anonymous("POST", PATH).json(&body).send().await.data(200);
    assert!(!deployment.is_active(&world.key, &token).await);
}

#[tokio::test]
async fn a_repetition_under_the_same_key_revokes_once() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let call = || {
        let call = deployment.backend(&world.key, "POST", PATH).header("idempotency-key", "k");
        call.json(&json!({ "userId": "ada" }))
    };
    let first = call().send().await;
    let token = deployment.token(&world.key, &world.member).await;
    assert_eq!(call().send().await.data(200), first.data(200));
    assert!(deployment.is_active(&world.key, &token).await, "the repetition revoked nothing");
}
