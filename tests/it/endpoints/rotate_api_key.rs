//! `POST /api/v1/rotate/api-key`

use serde_json::{Value, json};
use shared::domain::ApiKeySecret;
use stack::Match;

use super::revoke_api_key::{refused, works};
use crate::support::{Answer, ApiKey, Deployment};

fn path(key: &ApiKey) -> String {
    format!("/api/v1/rotate/api-key?tenant_id={}&key_id={}", key.tenant.id, key.id)
}

async fn rotate(deployment: &Deployment, key: &ApiKey, overlap_seconds: u64) -> Answer {
    deployment.post(&path(key), &json!({ "overlap_seconds": overlap_seconds })).await
}

/// The key with the text that the answer shows.
fn renewed(key: &ApiKey, answer: &Answer) -> ApiKey {
    let text = answer.data(200)["api_key"].as_str().unwrap().to_owned();
    ApiKey { text, ..key.clone() }
}

/// The row of a key in the list.
async fn row(deployment: &Deployment, key: &ApiKey) -> Value {
    let answer = deployment.get(&format!("/api/v1/fetch/api-keys?tenant_id={}", key.tenant.id)).await;
    let rows = answer.data(200)["api_keys"].as_array().unwrap().clone();
    rows.into_iter().find(|row| row["key_id"] == key.id.as_str()).unwrap()
}

/// The item of a key.
async fn item(deployment: &Deployment, key: &ApiKey) -> Value {
    deployment.items().await.into_iter().find(|item| item["details"]["M"]["key_id"]["S"] == key.id.as_str()).unwrap()
}

/// Makes a moment of a key come long ago.
async fn set_past(deployment: &Deployment, key: &ApiKey, attribute: &str) {
    let pk = format!("TENANT#{}#KEY#{}", key.tenant.id, key.id);
    deployment.set(&pk, "KEY", &format!("details.{attribute}"), &json!({ "N": "1" })).await;
}

#[tokio::test]
async fn the_old_text_is_dead_when_the_answer_is_sent_in_every_process() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let old = deployment.api_key(&tenant, "admin").await;
    assert!(works(&deployment, &old).await);
    let answer = rotate(&deployment, &old, 0).await;
    let new = renewed(&old, &answer);
    assert!(refused(&deployment, &old).await);
    assert!(works(&deployment, &new).await);
    let data = answer.data(200);
    assert_eq!((&data["key_id"], &data["previous_valid_until"]), (&json!(old.id), &Value::Null));
    assert_eq!(data["rotated_at"], row(&deployment, &old).await["rotated_at"]);
    assert_eq!(deployment.audit_trail(&tenant).await, ["tenant.provisioned", "api_key.provisioned", "api_key.rotated"]);
}

#[tokio::test]
async fn the_new_text_says_the_same_id_and_only_hashes_are_stored() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for kind in ["embed", "admin", "account"] {
        let old = deployment.api_key(&tenant, kind).await;
        let new = renewed(&old, &rotate(&deployment, &old, 0).await);
        assert_ne!(new.text, old.text);
        let [was, is] = [&old, &new].map(|key| ApiKeySecret::parse(&key.text).unwrap());
        assert_eq!(is.claims(), was.claims());
        let stored = item(&deployment, &new).await;
        assert_eq!(stored["key_hash"]["S"], is.hash().to_text());
        assert_eq!(stored["previous_hash"]["S"], was.hash().to_text());
        assert!(stored["details"]["M"].get("previous_until").is_none(), "without an overlap it never opens anything");
    }
}

#[tokio::test]
async fn name_kind_expiry_origins_and_start_stay() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for applies in [true, false] {
        let body = json!({
            "name": "Backend",
            "kind": "admin",
            "expires_in": 3600,
            "allowed_origins": ["https://app.example.com"],
            "origins_apply_to_tokens": applies,
        });
        let answer = deployment.post(&format!("/api/v1/provision/api-key?tenant_id={}", tenant.id), &body).await;
        let text = |name: &str| answer.data(201)[name].as_str().unwrap().to_owned();
        let key = ApiKey { id: text("key_id"), text: text("api_key"), tenant: tenant.clone() };
        let mut expected = row(&deployment, &key).await;
        assert_eq!(expected["origins_apply_to_tokens"], applies);
        let answer = rotate(&deployment, &key, 60).await;
        expected["rotated_at"] = answer.data(200)["rotated_at"].clone();
        expected["previous_valid_until"] = answer.data(200)["previous_valid_until"].clone();
        assert_eq!(row(&deployment, &key).await, expected);
    }
}

#[tokio::test]
async fn both_texts_work_in_a_declared_overlap_and_never_three() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let first = deployment.api_key(&tenant, "admin").await;
    let answer = rotate(&deployment, &first, 3600).await;
    let second = renewed(&first, &answer);
    assert_eq!(row(&deployment, &first).await["previous_valid_until"], answer.data(200)["previous_valid_until"]);
    assert!(works(&deployment, &first).await && works(&deployment, &second).await);
    let third = renewed(&first, &rotate(&deployment, &first, 3600).await);
    assert!(refused(&deployment, &first).await, "the one before the last is dead at once");
    assert!(works(&deployment, &second).await && works(&deployment, &third).await);
    let fourth = renewed(&first, &rotate(&deployment, &first, 0).await);
    for dead in [&first, &second, &third] {
        assert!(refused(&deployment, dead).await);
    }
    assert!(works(&deployment, &fourth).await);
}

#[tokio::test]
async fn at_the_end_of_the_overlap_the_old_text_is_dead_and_the_new_one_is_not() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let old = deployment.api_key(&tenant, "admin").await;
    let new = renewed(&old, &rotate(&deployment, &old, 2_592_000).await);
    assert!(works(&deployment, &old).await);
    set_past(&deployment, &old, "previous_until").await;
    assert!(refused(&deployment, &old).await);
    assert!(works(&deployment, &new).await);
}

#[tokio::test]
async fn the_overlap_is_a_whole_number_of_seconds_up_to_thirty_days() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let before = deployment.items().await;
    for overlap in [json!(-1), json!(2_592_001), json!("60"), json!(1.5), json!(true)] {
        deployment.post(&path(&key), &json!({ "overlap_seconds": overlap })).await.names("overlap_seconds");
    }
    deployment.post(&path(&key), &json!({ "name": "Other" })).await.names("name");
    assert_eq!(deployment.items().await, before);
    assert!(works(&deployment, &key).await);
    // Without a body there is no overlap.
    let new = renewed(&key, &deployment.post_nothing(&path(&key)).await);
    assert!(refused(&deployment, &key).await && works(&deployment, &new).await);
}

#[tokio::test]
async fn a_key_that_was_revoked_or_has_expired_is_gone_and_stays_as_it_is() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for attribute in ["revoked_at", "expires_at"] {
        let key = deployment.api_key(&tenant, "admin").await;
        set_past(&deployment, &key, attribute).await;
        let before = deployment.items().await;
        for overlap in [0, 60] {
            rotate(&deployment, &key, overlap).await.refused(410, "api_key_gone");
        }
        assert_eq!(deployment.items().await, before, "{attribute}");
    }
}

#[tokio::test]
async fn another_tenants_key_and_an_unknown_one_are_the_same_404() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Other").await);
    let key = deployment.api_key(&tenant, "admin").await;
    let before = deployment.items().await;
    let unknown = ApiKey { id: "key_0000000000000000".to_owned(), ..key.clone() };
    let foreign = ApiKey { tenant: other, ..key.clone() };
    let answers = [rotate(&deployment, &unknown, 0).await, rotate(&deployment, &foreign, 0).await];
    for answer in &answers {
        answer.refused(404, "api_key_not_found");
    }
    assert_eq!(answers[0].text, answers[1].text);
    let ids = ["key_1", "key_000000000000000G", ""];
    for id in ids {
        rotate(&deployment, &ApiKey { id: id.to_owned(), ..key.clone() }, 0).await.names("key_id");
    }
    assert_eq!(deployment.items().await, before);
    assert!(works(&deployment, &key).await);
}

#[tokio::test]
async fn an_unknown_tenant_is_not_found() {
    let deployment = Deployment::start().await;
    let path = "/api/v1/rotate/api-key?tenant_id=tnt_unknown&key_id=key_0000000000000000";
    deployment.post(path, &json!({})).await.refused(404, "tenant_not_found");
    assert!(deployment.items().await.is_empty());
}

#[tokio::test]
async fn a_replay_shows_the_same_text_and_rotates_nothing() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let send = |overlap_seconds: u64| {
        let call = deployment.operator("POST", &path(&key)).header("idempotency-key", "k");
        call.json(&json!({ "overlap_seconds": overlap_seconds })).send()
    };
    let first = send(0).await;
    let new = renewed(&key, &first);
    let after = deployment.items_but_events().await;
    for _ in 0..3 {
        assert_eq!(send(0).await.body, first.body);
    }
    send(60).await.refused(422, "idempotency_key_reused");
    assert_eq!(deployment.items_but_events().await, after);
    assert!(works(&deployment, &new).await && refused(&deployment, &key).await);
    // Even when the key is gone since: what was carried out is answered as it was then.
    deployment.post_nothing(&path(&key).replace("/rotate/", "/revoke/")).await.data(200);
    assert_eq!(send(0).await.body, first.body);
    assert!(refused(&deployment, &new).await);
}

#[tokio::test]
async fn of_two_rotations_at_once_one_text_works_and_one_of_them_was_told_it() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for _ in 0..5 {
        let key = deployment.api_key(&tenant, "admin").await;
        let writes = Match::any().function("rotate-api-key").operation("TransactWriteItems");
        let held = deployment.stack.faults().hold(writes);
        let release = async {
            held.reached_by(2).await;
            held.release();
        };
        let (one, other, ()) = tokio::join!(rotate(&deployment, &key, 0), rotate(&deployment, &key, 0), release);
        let told = [renewed(&key, &one), renewed(&key, &other)];
        let stored = item(&deployment, &key).await["key_hash"]["S"].clone();
        let mut working = 0;
        for key in &told {
            let is_stored = stored == ApiKeySecret::parse(&key.text).unwrap().hash().to_text();
            assert_eq!(works(&deployment, key).await, is_stored);
            working += usize::from(is_stored);
        }
        assert_eq!(working, 1);
        assert!(refused(&deployment, &key).await);
    }
    let trail = deployment.audit_trail(&tenant).await;
    assert_eq!(trail.iter().filter(|action| *action == "api_key.rotated").count(), 10);
}

#[tokio::test]
async fn a_key_that_is_revoked_while_it_is_rotated_is_dead() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let writes = Match::any().function("rotate-api-key").operation("TransactWriteItems");
    let held = deployment.stack.faults().hold(writes);
    let overtake = async {
        held.reached().await;
        deployment.post_nothing(&path(&key).replace("/rotate/", "/revoke/")).await.data(200);
        held.release();
    };
    let (answer, ()) = tokio::join!(rotate(&deployment, &key, 60), overtake);
    answer.refused(410, "api_key_gone");
    assert!(refused(&deployment, &key).await);
}

#[tokio::test]
async fn a_suspended_tenants_key_can_be_rotated_and_does_not_work_before_it_is_reactivated() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    deployment.suspend(&tenant).await.data(200);
    let new = renewed(&key, &rotate(&deployment, &key, 0).await);
    let list = deployment.backend(&new, "GET", "/v1/api/projects/organizations").send().await;
    list.refused(403, "tenant_suspended");
    deployment.reactivate(&tenant).await.data(200);
    assert!(works(&deployment, &new).await && refused(&deployment, &key).await);
}
