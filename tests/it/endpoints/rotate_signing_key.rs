//! `POST /api/v1/rotate/signing-key`

use serde_json::{Value, json};
use shared::domain::{Issuer, PublicKey, PublishedKey, TenantId, Timestamp, UnverifiedToken};
use stack::Match;

use crate::support::{Answer, ApiKey, Deployment, Member, Tenant};

async fn rotate(deployment: &Deployment, tenant: &Tenant, body: &Value) -> Answer {
    deployment.post(&format!("/api/v1/rotate/signing-key?tenant_id={}", tenant.id), body).await
}

fn kid(answer: &Answer) -> String {
    answer.data(200)["kid"].as_str().unwrap().to_owned()
}

/// The keys that everybody is served.
async fn served(deployment: &Deployment, tenant: &Tenant) -> Vec<PublishedKey> {
    let answer = deployment.anonymous("GET", &format!("/t/{}/.well-known/jwks.json", tenant.id)).send().await;
    let keys = answer.document(200)["keys"].as_array().unwrap().clone();
    let text = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
    let key = |key: &Value| {
        let public = PublicKey { x: text(key, "x"), y: text(key, "y") };
        PublishedKey { kid: text(key, "kid"), key: public, retired_at: None }
    };
    keys.iter().map(key).collect()
}

async fn served_kids(deployment: &Deployment, tenant: &Tenant) -> Vec<String> {
    served(deployment, tenant).await.into_iter().map(|key| key.kid).collect()
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}

/// The key of the served set with which a token verifies, as it does for someone who has nothing but the set.
async fn signed_with(deployment: &Deployment, tenant: &Tenant, token: &str) -> Option<String> {
    let tenant_id = TenantId::parse(&tenant.id).unwrap();
    let keys = served(deployment, tenant).await;
    let signer = keys.into_iter().find(|key| {
        let parsed = UnverifiedToken::parse(token).unwrap();
        let base_url = parsed.claims().iss.strip_suffix(&format!("/t/{tenant_id}")).unwrap().to_owned();
        parsed.verify(&Issuer::new(&base_url, &tenant_id), std::slice::from_ref(key), now()).is_ok()
    });
    signer.map(|key| key.kid)
}

/// Makes the keys that were replaced have been so for this long.
async fn set_retired(deployment: &Deployment, tenant: &Tenant, seconds_ago: i64) {
    let mut set = deployment.stored_key_set(&tenant.id).await;
    let retired_at = Timestamp::from_millis(now().as_millis() - seconds_ago * 1000);
    for key in set.iter_mut().filter(|key| key.retired_at.is_some()) {
        key.retired_at = Some(retired_at);
    }
    let mut item = deployment.key_set_item(&tenant.id).await;
    item["key_set"]["S"] = serde_json::to_string(&set).unwrap().into();
    deployment.dynamodb("PutItem", &json!({ "TableName": deployment.table(), "Item": item })).await;
}

/// A tenant with a user.
async fn start() -> (Deployment, ApiKey, Member) {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let member = deployment.member(&key, "acme", "ada").await;
    (deployment, key, member)
}

#[tokio::test]
async fn tokens_are_signed_with_the_new_key_and_those_of_the_old_one_stay_valid() {
    let (deployment, key, member) = start().await;
    let tenant = &key.tenant;
    let first = deployment.signing_kid(&tenant.id).await;
    let before = deployment.token(&key, &member).await;
    let answer = rotate(&deployment, tenant, &json!({})).await;
    let second = kid(&answer);
    assert_ne!(first, second);
    assert_eq!(deployment.signing_kid(&tenant.id).await, second);
    assert_eq!(served_kids(&deployment, tenant).await, [second.clone(), first.clone()]);
    let after = deployment.token(&key, &member).await;
    for (token, kid) in [(&before, &first), (&after, &second)] {
        assert_eq!(signed_with(&deployment, tenant, token).await.as_ref(), Some(kid));
        assert!(deployment.is_active(&key, token).await);
    }
    let data = answer.data(200);
    let moment = |name: &str| Timestamp::parse(data[name].as_str().unwrap()).unwrap().as_millis();
    assert_eq!(moment("previous_served_until") - moment("rotated_at"), (86_400 + 60) * 1000);
}

#[tokio::test]
async fn it_leaves_one_event_that_names_the_new_key() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let kid = kid(&rotate(&deployment, &tenant, &json!({})).await);
    assert_eq!(deployment.audit_trail(&tenant).await, ["tenant.provisioned", "tenant.signing_key_rotated"]);
    let events = deployment.get(&format!("/api/v1/fetch/audit-events?tenant_id={}&limit=1", tenant.id)).await;
    let event = &events.data(200)["events"][0];
    assert_eq!((&event["subject"], &event["fields"]), (&json!(kid), &json!([])));
}

#[tokio::test]
async fn the_tenants_secret_and_its_signing_key_are_rotated_apart() {
    let (deployment, key, member) = start().await;
    let tenant = &key.tenant;
    let token = deployment.token(&key, &member).await;
    let signing = kid(&rotate(&deployment, tenant, &json!({})).await);
    assert_eq!(deployment.valid_secrets(&tenant.id).await, [tenant.secret.as_str()]);
    assert_eq!(deployment.fetch(tenant).await["secret_rotated_at"], Value::Null);
    let set = served_kids(&deployment, tenant).await;
    let secret = deployment.rotate(tenant, 600).await.data(200)["tenant_secret"].as_str().unwrap().to_owned();
    assert_eq!(deployment.valid_secrets(&tenant.id).await, [secret, tenant.secret.clone()]);
    assert_eq!(deployment.signing_kid(&tenant.id).await, signing);
    assert_eq!(served_kids(&deployment, tenant).await, set);
    assert!(deployment.is_active(&key, &token).await);
    // Two versions each, and nothing of the other.
    for (stored, member) in [
        (deployment.stored_tenant_secret(&tenant.id), "tenant_secret"),
        (deployment.stored_signing_key(&tenant.id), "signing_key"),
    ] {
        assert_eq!(stored.versions.len(), 2, "{member}");
        for (_, _, value) in &stored.versions {
            let value: Value = serde_json::from_str(value).unwrap();
            assert_eq!(value.as_object().unwrap().keys().collect::<Vec<_>>(), [member]);
        }
    }
    let state = deployment.state(&tenant.id).await.unwrap();
    assert_eq!((&state["secret_labels_leased"], &state["token_key_labels_leased"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn an_old_key_leaves_the_set_when_its_last_token_must_have_expired() {
    let (deployment, key, member) = start().await;
    let tenant = &key.tenant;
    let token = deployment.token(&key, &member).await;
    let first = deployment.signing_kid(&tenant.id).await;
    let second = kid(&rotate(&deployment, tenant, &json!({})).await);
    // A day, which is how long a token can live, and a minute for clocks that differ. Two seconds are for the test
    // itself.
    set_retired(&deployment, tenant, 86_460 - 2).await;
    let nearly = served_kids(&deployment, tenant).await;
    assert!(nearly == [second.clone(), first] || nearly == [second.clone()], "{nearly:?}");
    set_retired(&deployment, tenant, 86_460).await;
    assert_eq!(served_kids(&deployment, tenant).await, [second.as_str()]);
    assert!(!deployment.is_active(&key, &token).await, "what nobody can verify is not active here either");
    // The next rotation forgets it.
    let third = kid(&rotate(&deployment, tenant, &json!({})).await);
    let stored: Vec<_> = deployment.stored_key_set(&tenant.id).await.into_iter().map(|key| key.kid).collect();
    assert_eq!(stored, [third, second]);
}

#[tokio::test]
async fn a_key_that_was_replaced_twice_keeps_the_time_of_the_first() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    rotate(&deployment, &tenant, &json!({})).await.data(200);
    set_retired(&deployment, &tenant, 3600).await;
    let before = deployment.stored_key_set(&tenant.id).await;
    let rotated_at = rotate(&deployment, &tenant, &json!({})).await.data(200)["rotated_at"].clone();
    let after = deployment.stored_key_set(&tenant.id).await;
    assert_eq!(after.len(), 3);
    assert_eq!(json!(after[1].retired_at), rotated_at);
    assert_eq!(after[2], before[1]);
}

#[tokio::test]
async fn a_dropped_key_is_served_no_more_and_its_tokens_are_inactive_at_once() {
    let (deployment, key, member) = start().await;
    let tenant = &key.tenant;
    let first = deployment.token(&key, &member).await;
    rotate(&deployment, tenant, &json!({ "drop_previous": false })).await.data(200);
    let second = deployment.token(&key, &member).await;
    let answer = rotate(&deployment, tenant, &json!({ "drop_previous": true })).await;
    assert!(answer.data(200)["previous_served_until"].is_null());
    assert_eq!(served_kids(&deployment, tenant).await, [kid(&answer)]);
    assert_eq!(deployment.signing_kid(&tenant.id).await, kid(&answer));
    for token in [first, second] {
        assert!(!deployment.is_active(&key, &token).await);
        assert_eq!(signed_with(&deployment, tenant, &token).await, None);
    }
    let third = deployment.token(&key, &member).await;
    assert!(deployment.is_active(&key, &third).await);
}

#[tokio::test]
async fn a_set_has_at_most_sixteen_keys_and_what_would_be_one_more_changes_nothing() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for _ in 1..16 {
        rotate(&deployment, &tenant, &json!({})).await.data(200);
    }
    let set = served_kids(&deployment, &tenant).await;
    assert_eq!(set.len(), 16);
    // A label is leased before the set is looked at; nobody sees that.
    let seen = || async {
        let mut items = deployment.items().await;
        for item in &mut items {
            item.as_object_mut().unwrap().remove("token_key_labels_leased");
        }
        (items, deployment.stored_secrets().into_iter().map(|secret| secret.versions).collect::<Vec<_>>())
    };
    let before = seen().await;
    let refused = rotate(&deployment, &tenant, &json!({})).await;
    refused.refused(429, "rotated_too_often");
    assert!(refused.headers["retry-after"].parse::<u64>().unwrap() >= 1);
    assert_eq!(seen().await, before);
    assert_eq!(deployment.signing_kid(&tenant.id).await, set[0]);
    // If keys have leaked, a full set is no hindrance; nor when those that are too old have left it.
    rotate(&deployment, &tenant, &json!({ "drop_previous": true })).await.data(200);
    assert_eq!(served_kids(&deployment, &tenant).await.len(), 1);
    for _ in 1..16 {
        rotate(&deployment, &tenant, &json!({})).await.data(200);
    }
    set_retired(&deployment, &tenant, 86_460).await;
    rotate(&deployment, &tenant, &json!({})).await.data(200);
    assert_eq!(served_kids(&deployment, &tenant).await.len(), 2);
}

#[tokio::test]
async fn forty_rotations_of_both_kinds_take_no_label_from_a_version_in_force() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let (mut kid_in_force, mut secret) = (deployment.signing_kid(&tenant.id).await, tenant.secret.clone());
    for round in 0..40_u64 {
        // Long runs of one kind, which would bring the other's labels round if they had turns in common.
        if round % 20 < 17 {
            kid_in_force = kid(&rotate(&deployment, &tenant, &json!({ "drop_previous": round % 5 == 0 })).await);
        } else {
            let answer = deployment.rotate(&tenant, 3600 * (round % 2)).await;
            secret = answer.data(200)["tenant_secret"].as_str().unwrap().to_owned();
        }
        assert_eq!(deployment.signing_kid(&tenant.id).await, kid_in_force, "{round}");
        assert_eq!(deployment.valid_secrets(&tenant.id).await[0], secret, "{round}");
    }
    for stored in [deployment.stored_tenant_secret(&tenant.id), deployment.stored_signing_key(&tenant.id)] {
        let labels: usize = stored.versions.iter().map(|(_, labels, _)| labels.len()).sum();
        assert!(labels <= 20, "{labels}");
    }
}

#[tokio::test]
async fn rotations_of_both_kinds_at_once_both_take_effect() {
    let deployment = Deployment::start().await;
    for _ in 0..5 {
        let tenant = deployment.provision("Acme").await;
        let held = deployment.stack.faults().hold(Match::any().operation("PutSecretValue"));
        let release = async {
            held.reached_by(2).await;
            held.release();
        };
        let body = json!({});
        let (signing, secret, ()) =
            tokio::join!(rotate(&deployment, &tenant, &body), deployment.rotate(&tenant, 600), release);
        assert_eq!(deployment.signing_kid(&tenant.id).await, kid(&signing));
        let secret = secret.data(200)["tenant_secret"].as_str().unwrap();
        assert_eq!(deployment.valid_secrets(&tenant.id).await, [secret, tenant.secret.as_str()]);
        assert_eq!(deployment.audit_trail(&tenant).await.len(), 3);
    }
}

#[tokio::test]
async fn two_rotations_at_once_leave_the_key_of_one_in_force_and_no_token_without_its_key() {
    let (deployment, key, member) = start().await;
    let tenant = &key.tenant;
    let first = deployment.signing_kid(&tenant.id).await;
    let token = deployment.token(&key, &member).await;
    let held =
        deployment.stack.faults().hold(Match::any().function("rotate-signing-key").operation("TransactWriteItems"));
    let release = async {
        held.reached_by(2).await;
        held.release();
    };
    let body = json!({});
    let (one, other, ()) =
        tokio::join!(rotate(&deployment, tenant, &body), rotate(&deployment, tenant, &body), release);
    let told = [kid(&one), kid(&other)];
    assert!(told.contains(&deployment.signing_kid(&tenant.id).await));
    let set = served_kids(&deployment, tenant).await;
    assert!(set.len() == 3 && set.contains(&first) && told.iter().all(|kid| set.contains(kid)), "{set:?}");
    assert!(deployment.is_active(&key, &token).await);
    let trail = deployment.audit_trail(tenant).await;
    assert_eq!(trail.iter().filter(|action| *action == "tenant.signing_key_rotated").count(), 2);
}

#[tokio::test]
async fn a_replay_names_the_same_key_and_rotates_nothing() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let path = format!("/api/v1/rotate/signing-key?tenant_id={}", tenant.id);
    let send = |body: Value| deployment.operator("POST", &path).header("idempotency-key", "k").json(&body).send();
    let first = send(json!({})).await;
    let after = deployment.items().await;
    for _ in 0..3 {
        assert_eq!(send(json!({})).await.body, first.body);
    }
    send(json!({ "drop_previous": true })).await.refused(422, "idempotency_key_reused");
    assert_eq!(deployment.items().await, after);
    assert_eq!(deployment.signing_kid(&tenant.id).await, kid(&first));
    rotate(&deployment, &tenant, &json!({})).await.data(200);
    assert_eq!(send(json!({})).await.body, first.body, "as it was then, whatever is in force now");
}

#[tokio::test]
async fn an_unknown_tenant_is_not_found_and_gets_no_key() {
    let deployment = Deployment::start().await;
    let ghost = Tenant { id: "tnt_unknown".to_owned(), secret: String::new() };
    rotate(&deployment, &ghost, &json!({})).await.refused(404, "tenant_not_found");
    let path = "/api/v1/rotate/signing-key?tenant_id=tnt_00000000000000000000000000000000";
    let call = deployment.operator("POST", path).header("idempotency-key", "k");
    call.send().await.refused(404, "tenant_not_found");
    assert!(deployment.items().await.is_empty() && deployment.stored_secrets().is_empty());
}

#[tokio::test]
async fn a_suspended_tenant_can_be_given_a_new_key_and_stays_suspended() {
    let (deployment, key, member) = start().await;
    let tenant = &key.tenant;
    deployment.suspend(tenant).await.data(200);
    let second = kid(&rotate(&deployment, tenant, &json!({})).await);
    assert_eq!(deployment.fetch(tenant).await["status"], "suspended");
    let body = json!({ "userId": member.user_id, "organizationId": member.organization_id });
    deployment.user_token(&key, &body).await.refused(403, "tenant_suspended");
    deployment.reactivate(tenant).await.data(200);
    let token = deployment.token(&key, &member).await;
    assert_eq!(signed_with(&deployment, tenant, &token).await, Some(second));
}

#[tokio::test]
async fn fields_outside_their_rules_are_refused_by_name() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let before = deployment.items().await;
    for value in [json!("true"), json!(1)] {
        rotate(&deployment, &tenant, &json!({ "drop_previous": value })).await.names("drop_previous");
    }
    rotate(&deployment, &tenant, &json!({ "overlap_seconds": 60 })).await.names("overlap_seconds");
    assert_eq!(deployment.items().await, before);
    deployment.post_nothing(&format!("/api/v1/rotate/signing-key?tenant_id={}", tenant.id)).await.data(200);
}
