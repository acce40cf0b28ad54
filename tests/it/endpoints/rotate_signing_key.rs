//! `POST /api/v1/rotate/signing-key`

use serde_json::{Value, json};
use shared::domain::{Issuer, PublicKey, PublishedKey, TenantId, Timestamp, UnverifiedToken};
use stack::{Effect, Fault, Match};

use crate::support::{Answer, ApiKey, Deployment, Member, Tenant};

async fn rotate(deployment: &Deployment, tenant: &Tenant, body: &Value) -> Answer {
    deployment.post(&format!("/api/v1/rotate/signing-key?tenant_id={}", tenant.id), body).await
}

/// Without waiting until the standby key may sign.
async fn force(deployment: &Deployment, tenant: &Tenant) -> Answer {
    rotate(deployment, tenant, &json!({ "force": true })).await
}

/// When the standby key may.
async fn promote(deployment: &Deployment, tenant: &Tenant) -> Answer {
    deployment.age_standby_key(&tenant.id, 900).await;
    rotate(deployment, tenant, &json!({})).await
}

/// A time in an answer, in Unix milliseconds.
fn moment(data: &Value, name: &str) -> i64 {
    Timestamp::parse(data[name].as_str().unwrap()).unwrap().as_millis()
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
async fn a_tenant_has_a_standby_key_from_the_start_and_a_rotation_makes_it_sign() {
    let (deployment, key, member) = start().await;
    let tenant = &key.tenant;
    let (first, second) = (deployment.signing_kid(&tenant.id).await, deployment.standby_kid(&tenant.id).await.unwrap());
    assert_eq!(served_kids(&deployment, tenant).await, [first.clone(), second.clone()]);
    let before = deployment.token(&key, &member).await;
    let set_before = served(&deployment, tenant).await;
    let answer = promote(&deployment, tenant).await;
    assert_eq!((kid(&answer), deployment.signing_kid(&tenant.id).await), (second.clone(), second.clone()));
    let third = deployment.standby_kid(&tenant.id).await.unwrap();
    assert_eq!(served_kids(&deployment, tenant).await, [second.clone(), third.clone(), first.clone()]);
    let after = deployment.token(&key, &member).await;
    for (token, kid) in [(&before, &first), (&after, &second)] {
        assert_eq!(signed_with(&deployment, tenant, token).await.as_ref(), Some(kid));
        assert!(deployment.is_active(&key, token).await);
    }
    assert!(set_before.iter().any(|key| key.kid == second), "whoever has the set of before can verify the new token");
    let data = answer.data(200);
    assert_eq!(moment(data, "previous_served_until") - moment(data, "rotated_at"), (86_400 + 60) * 1000);
    assert_eq!(data["standby_kid"], third);
    assert_eq!(moment(data, "standby_promotable_at") - moment(data, "rotated_at"), 900_000);
    assert_eq!(data["caches_may_refuse_until"], Value::Null);

    // The third key is alone in its version, which the first two were not.
    assert_eq!(kid(&promote(&deployment, tenant).await), third);
    assert_eq!(deployment.signing_kid(&tenant.id).await, third);
    let token = deployment.token(&key, &member).await;
    assert_eq!(signed_with(&deployment, tenant, &token).await, Some(third));
    assert!(deployment.is_active(&key, &token).await);
}

#[tokio::test]
async fn a_standby_key_that_was_published_for_less_than_fifteen_minutes_does_not_sign() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let standby = deployment.standby_kid(&tenant.id).await.unwrap();
    let fetched = deployment.fetch(&tenant).await;
    assert_eq!(fetched["standby_kid"], standby);
    assert_eq!(moment(&fetched, "standby_promotable_at") - moment(&fetched, "created_at"), 900_000);
    for (age, waits) in [(0, 890..=900), (600, 290..=300), (890, 1..=10)] {
        deployment.age_standby_key(&tenant.id, age).await;
        let before = (deployment.items().await, deployment.stored_signing_key(&tenant.id).versions);
        let refused = rotate(&deployment, &tenant, &json!({})).await;
        refused.refused(409, "standby_too_young");
        assert!(waits.contains(&refused.headers["retry-after"].parse().unwrap()), "{:?}", refused.headers);
        assert_eq!((deployment.items().await, deployment.stored_signing_key(&tenant.id).versions), before);
    }
    assert_eq!(kid(&promote(&deployment, &tenant).await), standby);
    rotate(&deployment, &tenant, &json!({})).await.refused(409, "standby_too_young");
}

#[tokio::test]
async fn force_makes_a_young_standby_key_sign_and_says_how_long_caches_may_lack_it() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let standby = deployment.standby_kid(&tenant.id).await.unwrap();
    let promotable_at = deployment.fetch(&tenant).await["standby_promotable_at"].clone();
    let answer = force(&deployment, &tenant).await;
    assert_eq!(kid(&answer), standby);
    assert_eq!(answer.data(200)["caches_may_refuse_until"], promotable_at);
    deployment.age_standby_key(&tenant.id, 900).await;
    assert_eq!(force(&deployment, &tenant).await.data(200)["caches_may_refuse_until"], Value::Null);
    deployment.signing_kid(&tenant.id).await;
}

/// Their item and their secret are as they were written then: one key, and nothing that stands by.
#[tokio::test]
async fn a_tenant_from_before_standby_keys_publishes_one_before_it_signs() {
    let (deployment, key, member) = start().await;
    let tenant = &key.tenant;
    let old = deployment.signing_kid(&tenant.id).await;
    deployment.take_standby_key_away(&tenant.id).await;
    assert_eq!(served_kids(&deployment, tenant).await, [old.as_str()]);
    let fetched = deployment.fetch(tenant).await;
    assert_eq!((&fetched["standby_kid"], &fetched["standby_promotable_at"]), (&Value::Null, &Value::Null));
    let before = deployment.token(&key, &member).await;
    let path = format!("/api/v1/rotate/signing-key?tenant_id={}", tenant.id);
    let send = || deployment.operator("POST", &path).header("idempotency-key", "k").json(&json!({})).send();
    for _ in 0..2 {
        let refused = send().await;
        refused.refused(409, "standby_too_young");
        assert!((890..=900).contains(&refused.headers["retry-after"].parse().unwrap()));
        assert_eq!(deployment.signing_kid(&tenant.id).await, old);
    }
    let standby = deployment.standby_kid(&tenant.id).await.unwrap();
    assert_eq!(served_kids(&deployment, tenant).await, [old.as_str(), &standby]);
    let fetched = deployment.fetch(tenant).await;
    assert_eq!((&fetched["signing_kid"], &fetched["standby_kid"]), (&json!(old), &json!(standby)));
    let events = deployment.get(&format!("/api/v1/fetch/audit-events?tenant_id={}&limit=1", tenant.id)).await;
    let event = &events.data(200)["events"][0];
    assert_eq!((&event["action"], &event["subject"]), (&json!("tenant.standby_key_published"), &json!(standby)));
    let meanwhile = deployment.token(&key, &member).await;
    assert_eq!(signed_with(&deployment, tenant, &meanwhile).await, Some(old.clone()));

    deployment.age_standby_key(&tenant.id, 900).await;
    let rotated = send().await;
    assert_eq!(kid(&rotated), standby, "a refusal gave the idempotency key back");
    assert_eq!(send().await.body, rotated.body);
    assert_eq!(deployment.signing_kid(&tenant.id).await, standby);
    let after = deployment.token(&key, &member).await;
    for token in [before, meanwhile, after] {
        assert!(deployment.is_active(&key, &token).await);
        assert!(signed_with(&deployment, tenant, &token).await.is_some());
    }
    let actions = ["tenant.provisioned", "tenant.standby_key_published", "tenant.signing_key_rotated"];
    let trail = deployment.audit_trail(tenant).await;
    assert_eq!(trail.into_iter().filter(|action| action.starts_with("tenant.")).collect::<Vec<_>>(), actions);
}

#[tokio::test]
async fn a_tenant_from_before_standby_keys_can_be_forced_and_keeps_its_old_key_in_the_set() {
    for body in [json!({ "force": true }), json!({ "drop_previous": true })] {
        let (deployment, key, member) = start().await;
        let tenant = &key.tenant;
        let old = deployment.signing_kid(&tenant.id).await;
        deployment.take_standby_key_away(&tenant.id).await;
        let token = deployment.token(&key, &member).await;
        let answer = rotate(&deployment, tenant, &body).await;
        let signing = kid(&answer);
        assert_eq!(deployment.signing_kid(&tenant.id).await, signing);
        let data = answer.data(200);
        assert_eq!(moment(data, "caches_may_refuse_until") - moment(data, "rotated_at"), 900_000);
        let standby = deployment.standby_kid(&tenant.id).await.unwrap();
        let is_kept = body["force"] == true;
        let kept = is_kept.then_some(old);
        let expected: Vec<_> = [signing, standby].into_iter().chain(kept).collect();
        assert_eq!(served_kids(&deployment, tenant).await, expected);
        assert_eq!(deployment.is_active(&key, &token).await, is_kept);
        assert!(deployment.is_active(&key, &deployment.token(&key, &member).await).await);
    }
}

#[tokio::test]
async fn it_leaves_one_event_that_names_the_new_key() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let kid = kid(&promote(&deployment, &tenant).await);
    assert_eq!(deployment.audit_trail(&tenant).await, ["tenant.provisioned", "tenant.signing_key_rotated"]);
    let events = deployment.get(&format!("/api/v1/fetch/audit-events?tenant_id={}&limit=1", tenant.id)).await;
    let event = &events.data(200)["events"][0];
    assert_eq!((&event["subject"], &event["fields"]), (&json!(kid), &json!([])));
    assert_eq!(event["details"], json!({ "drop_previous": false, "force": false }));
}

#[tokio::test]
async fn the_tenants_secret_and_its_signing_key_are_rotated_apart() {
    let (deployment, key, member) = start().await;
    let tenant = &key.tenant;
    let token = deployment.token(&key, &member).await;
    let signing = kid(&promote(&deployment, tenant).await);
    assert_eq!(deployment.valid_secrets(&tenant.id).await, [tenant.secret.as_str()]);
    assert_eq!(deployment.fetch(tenant).await["secret_rotated_at"], Value::Null);
    let set = served_kids(&deployment, tenant).await;
    let secret = deployment.rotate(tenant, 600).await.data(200)["tenant_secret"].as_str().unwrap().to_owned();
    assert_eq!(deployment.valid_secrets(&tenant.id).await, [secret, tenant.secret.clone()]);
    assert_eq!(deployment.signing_kid(&tenant.id).await, signing);
    assert_eq!(served_kids(&deployment, tenant).await, set);
    assert!(deployment.is_active(&key, &token).await);
    // Two versions each, and nothing of the other.
    let (secrets, keys) = (deployment.stored_tenant_secret(&tenant.id), deployment.stored_signing_key(&tenant.id));
    assert_eq!((secrets.versions.len(), keys.versions.len()), (2, 2));
    for (_, _, value) in &secrets.versions {
        let value: Value = serde_json::from_str(value).unwrap();
        assert_eq!(value.as_object().unwrap().keys().collect::<Vec<_>>(), ["tenant_secret"]);
    }
    // The two that the tenant began with are in one version.
    let mut numbers = Vec::new();
    for (_, _, value) in &keys.versions {
        let value: Value = serde_json::from_str(value).unwrap();
        numbers.push(value.as_object().unwrap().len());
        assert!(value.as_object().unwrap().keys().all(|name| ["signing_key", "standby_key"].contains(&name.as_str())));
    }
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2]);
    let state = deployment.state(&tenant.id).await.unwrap();
    assert_eq!((&state["secret_labels_leased"], &state["token_key_labels_leased"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn an_old_key_leaves_the_set_when_its_last_token_must_have_expired() {
    let (deployment, key, member) = start().await;
    let tenant = &key.tenant;
    let token = deployment.token(&key, &member).await;
    let first = deployment.signing_kid(&tenant.id).await;
    let second = kid(&promote(&deployment, tenant).await);
    let third = deployment.standby_kid(&tenant.id).await.unwrap();
    // A day, which is how long a token can live, and a minute for clocks that differ. Two seconds are for the test
    // itself.
    set_retired(&deployment, tenant, 86_460 - 2).await;
    let nearly = served_kids(&deployment, tenant).await;
    let last = [second.clone(), third.clone()];
    assert!(nearly == [&last[..], &[first]].concat() || nearly == last, "{nearly:?}");
    set_retired(&deployment, tenant, 86_460).await;
    assert_eq!(served_kids(&deployment, tenant).await, last);
    assert!(!deployment.is_active(&key, &token).await, "what nobody can verify is not active here either");
    // The next rotation forgets it.
    assert_eq!(kid(&promote(&deployment, tenant).await), third);
    let fourth = deployment.standby_kid(&tenant.id).await.unwrap();
    let stored: Vec<_> = deployment.stored_key_set(&tenant.id).await.into_iter().map(|key| key.kid).collect();
    assert_eq!(stored, [third, fourth, second]);
}

#[tokio::test]
async fn a_key_that_was_replaced_twice_keeps_the_time_of_the_first() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    force(&deployment, &tenant).await.data(200);
    set_retired(&deployment, &tenant, 3600).await;
    let before = deployment.stored_key_set(&tenant.id).await;
    let rotated_at = force(&deployment, &tenant).await.data(200)["rotated_at"].clone();
    let after = deployment.stored_key_set(&tenant.id).await;
    assert_eq!(after.len(), 4);
    assert_eq!(json!(after[2].retired_at), rotated_at);
    assert_eq!(after[3], before[2]);
}

#[tokio::test]
async fn a_dropped_key_is_served_no_more_and_its_tokens_are_inactive_at_once() {
    let (deployment, key, member) = start().await;
    let tenant = &key.tenant;
    let first = deployment.token(&key, &member).await;
    deployment.age_standby_key(&tenant.id, 900).await;
    rotate(&deployment, tenant, &json!({ "drop_previous": false })).await.data(200);
    let second = deployment.token(&key, &member).await;
    let leaked = served_kids(&deployment, tenant).await;
    let answer = rotate(&deployment, tenant, &json!({ "drop_previous": true })).await;
    let data = answer.data(200);
    assert!(data["previous_served_until"].is_null());
    assert_eq!(moment(data, "caches_may_refuse_until") - moment(data, "rotated_at"), 900_000);
    let standby = deployment.standby_kid(&tenant.id).await.unwrap();
    assert_eq!(served_kids(&deployment, tenant).await, [kid(&answer), standby.clone()]);
    assert!(!leaked.contains(&kid(&answer)) && !leaked.contains(&standby), "the standby key leaked with the other");
    assert_eq!(deployment.signing_kid(&tenant.id).await, kid(&answer));
    for token in [first, second] {
        assert!(!deployment.is_active(&key, &token).await);
        assert_eq!(signed_with(&deployment, tenant, &token).await, None);
    }
    let third = deployment.token(&key, &member).await;
    assert!(deployment.is_active(&key, &third).await);
    assert_eq!(kid(&promote(&deployment, tenant).await), standby);
    assert_eq!(deployment.signing_kid(&tenant.id).await, standby);
}

#[tokio::test]
async fn a_set_has_at_most_sixteen_keys_and_what_would_be_one_more_changes_nothing() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for _ in 2..16 {
        force(&deployment, &tenant).await.data(200);
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
    let refused = force(&deployment, &tenant).await;
    refused.refused(429, "rotated_too_often");
    assert!(refused.headers["retry-after"].parse::<u64>().unwrap() >= 1);
    assert_eq!(seen().await, before);
    assert_eq!(deployment.signing_kid(&tenant.id).await, set[0]);
    // If keys have leaked, a full set is no hindrance; nor when those that are too old have left it.
    rotate(&deployment, &tenant, &json!({ "drop_previous": true })).await.data(200);
    assert_eq!(served_kids(&deployment, &tenant).await.len(), 2);
    for _ in 2..16 {
        force(&deployment, &tenant).await.data(200);
    }
    set_retired(&deployment, &tenant, 86_460).await;
    force(&deployment, &tenant).await.data(200);
    assert_eq!(served_kids(&deployment, &tenant).await.len(), 3);
}

#[tokio::test]
async fn forty_rotations_of_both_kinds_take_no_label_from_a_version_in_force() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let (mut kid_in_force, mut secret) = (deployment.signing_kid(&tenant.id).await, tenant.secret.clone());
    for round in 0..40_u64 {
        // Long runs of one kind, which would bring the other's labels round if they had turns in common.
        if round % 20 < 17 {
            kid_in_force =
                kid(&rotate(&deployment, &tenant, &json!({ "force": true, "drop_previous": round % 5 == 0 })).await);
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

/// Each takes a label, and there are sixteen.
#[tokio::test]
async fn rotations_that_never_finish_take_no_label_from_a_key_that_signs_or_stands_by() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    promote(&deployment, &tenant).await.data(200);
    let signing = kid(&promote(&deployment, &tenant).await);
    let standby = deployment.standby_kid(&tenant.id).await.unwrap();
    let fails = Match::any().function("rotate-signing-key").operation("TransactWriteItems");
    deployment.stack.faults().inject(Fault::new(fails, Effect::NotSent));
    for _ in 0..18 {
        force(&deployment, &tenant).await.refused(503, "temporarily_unavailable");
    }
    deployment.stack.faults().clear();
    let versions = deployment.stored_signing_key(&tenant.id).versions;
    let labelled = versions.iter().filter(|(_, labels, _)| !labels.is_empty()).count();
    assert_eq!(labelled, 17, "the labels went round, and the first version keeps that of AWS");
    assert_eq!(deployment.signing_kid(&tenant.id).await, signing);
    assert_eq!(kid(&promote(&deployment, &tenant).await), standby);
    assert_eq!(deployment.signing_kid(&tenant.id).await, standby);
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
        let body = json!({ "force": true });
        let (signing, secret, ()) =
            tokio::join!(rotate(&deployment, &tenant, &body), deployment.rotate(&tenant, 600), release);
        assert_eq!(deployment.signing_kid(&tenant.id).await, kid(&signing));
        let secret = secret.data(200)["tenant_secret"].as_str().unwrap();
        assert_eq!(deployment.valid_secrets(&tenant.id).await, [secret, tenant.secret.as_str()]);
        assert_eq!(deployment.audit_trail(&tenant).await.len(), 3);
    }
}

/// Two rotations whose transactions meet.
async fn rotate_twice_at_once(deployment: &Deployment, tenant: &Tenant, bodies: [&Value; 2]) -> [Answer; 2] {
    let held =
        deployment.stack.faults().hold(Match::any().function("rotate-signing-key").operation("TransactWriteItems"));
    let release = async {
        held.reached_by(2).await;
        held.release();
    };
    let [one, other] = bodies;
    let (one, other, ()) = tokio::join!(rotate(deployment, tenant, one), rotate(deployment, tenant, other), release);
    [one, other]
}

async fn rotations(deployment: &Deployment, tenant: &Tenant) -> usize {
    let trail = deployment.audit_trail(tenant).await;
    trail.iter().filter(|action| *action == "tenant.signing_key_rotated").count()
}

#[tokio::test]
async fn of_two_rotations_at_once_one_makes_the_standby_key_sign_and_the_other_waits() {
    let (deployment, key, member) = start().await;
    let tenant = &key.tenant;
    let first = deployment.signing_kid(&tenant.id).await;
    let second = deployment.standby_kid(&tenant.id).await.unwrap();
    let token = deployment.token(&key, &member).await;
    deployment.age_standby_key(&tenant.id, 900).await;
    let body = json!({});
    let mut answers = rotate_twice_at_once(&deployment, tenant, [&body, &body]).await;
    answers.sort_by_key(|answer| answer.status);
    assert_eq!(kid(&answers[0]), second);
    answers[1].refused(409, "standby_too_young");
    assert_eq!(deployment.signing_kid(&tenant.id).await, second);
    let third = deployment.standby_kid(&tenant.id).await.unwrap();
    assert_eq!(served_kids(&deployment, tenant).await, [second, third, first]);
    assert!(deployment.is_active(&key, &token).await);
    assert_eq!(rotations(&deployment, tenant).await, 1);
}

#[tokio::test]
async fn two_forced_rotations_at_once_leave_the_key_of_one_in_force_and_no_token_without_its_key() {
    let (deployment, key, member) = start().await;
    let tenant = &key.tenant;
    let first = deployment.signing_kid(&tenant.id).await;
    let token = deployment.token(&key, &member).await;
    let body = json!({ "force": true });
    let [one, other] = rotate_twice_at_once(&deployment, tenant, [&body, &body]).await;
    let told = [kid(&one), kid(&other)];
    assert_ne!(told[0], told[1]);
    assert!(told.contains(&deployment.signing_kid(&tenant.id).await));
    let set = served_kids(&deployment, tenant).await;
    assert!(set.len() == 4 && set.contains(&first) && told.iter().all(|kid| set.contains(kid)), "{set:?}");
    assert!(deployment.is_active(&key, &token).await);
    assert_eq!(rotations(&deployment, tenant).await, 2);
}

#[tokio::test]
async fn keys_that_are_dropped_while_another_rotation_is_under_way_are_gone_and_do_not_sign() {
    for other in [json!({}), json!({ "force": true }), json!({ "drop_previous": true })] {
        for _ in 0..3 {
            let (deployment, key, member) = start().await;
            let tenant = &key.tenant;
            let leaked = served_kids(&deployment, tenant).await;
            deployment.age_standby_key(&tenant.id, 900).await;
            let drop = json!({ "drop_previous": true });
            let [dropped, _] = rotate_twice_at_once(&deployment, tenant, [&drop, &other]).await;
            dropped.data(200);
            let signing = deployment.signing_kid(&tenant.id).await;
            let served = served_kids(&deployment, tenant).await;
            assert!(served.contains(&signing) && leaked.iter().all(|kid| !served.contains(kid)), "{other}");
            assert!(deployment.is_active(&key, &deployment.token(&key, &member).await).await);
        }
    }
}

#[tokio::test]
async fn two_first_rotations_at_once_publish_one_standby_key() {
    let deployment = Deployment::start().await;
    for bodies in [[json!({}), json!({})], [json!({}), json!({ "force": true })]] {
        let tenant = deployment.provision("Acme").await;
        let old = deployment.signing_kid(&tenant.id).await;
        deployment.take_standby_key_away(&tenant.id).await;
        let answers = rotate_twice_at_once(&deployment, &tenant, [&bodies[0], &bodies[1]]).await;
        let signing = deployment.signing_kid(&tenant.id).await;
        let served = served_kids(&deployment, &tenant).await;
        let standby = deployment.standby_kid(&tenant.id).await.unwrap();
        answers[0].refused(409, "standby_too_young");
        if bodies[1]["force"] == true {
            assert_eq!(kid(&answers[1]), signing);
        } else {
            answers[1].refused(409, "standby_too_young");
            assert_eq!((signing, served), (old.clone(), vec![old, standby]));
            assert_eq!(deployment.audit_trail(&tenant).await.len(), 2);
        }
    }
}

#[tokio::test]
async fn a_replay_names_the_same_key_and_rotates_nothing() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let path = format!("/api/v1/rotate/signing-key?tenant_id={}", tenant.id);
    let send = |body: Value| deployment.operator("POST", &path).header("idempotency-key", "k").json(&body).send();
    let body = json!({ "force": true });
    let first = send(body.clone()).await;
    let after = deployment.items().await;
    for _ in 0..3 {
        assert_eq!(send(body.clone()).await.body, first.body);
    }
    send(json!({ "drop_previous": true })).await.refused(422, "idempotency_key_reused");
    assert_eq!(deployment.items().await, after);
    assert_eq!(deployment.signing_kid(&tenant.id).await, kid(&first));
    force(&deployment, &tenant).await.data(200);
    assert_eq!(send(body).await.body, first.body, "as it was then, whatever is in force now");
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
    let second = kid(&promote(&deployment, tenant).await);
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
        for field in ["drop_previous", "force"] {
            rotate(&deployment, &tenant, &json!({ field: value })).await.names(field);
        }
    }
    rotate(&deployment, &tenant, &json!({ "overlap_seconds": 60 })).await.names("overlap_seconds");
    assert_eq!(deployment.items().await, before);
    deployment.age_standby_key(&tenant.id, 900).await;
    deployment.post_nothing(&format!("/api/v1/rotate/signing-key?tenant_id={}", tenant.id)).await.data(200);
}
