//! `POST /api/v1/auth/introspect`

use data_encoding::BASE64;
use serde_json::json;

use crate::support::Deployment;

#[tokio::test]
async fn a_valid_token_is_active_with_its_claims_however_it_is_sent_and_whichever_key_asks() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    for kind in ["embed", "admin", "account"] {
        let key = deployment.api_key(&world.tenant, kind).await;
        let call = || deployment.backend(&key, "POST", "/api/v1/auth/introspect");
        let form = format!("token={}&token_type_hint=access_token&unknown=1", world.token);
        for answer in [
            call().json(&json!({ "token": world.token, "unknown": 1 })).send().await,
            call().body("application/x-www-form-urlencoded", form).send().await,
        ] {
            let document = answer.document(200);
            assert_eq!((&document["active"], &document["token_type"]), (&json!(true), &json!("Bearer")));
            assert_eq!((&document["sub"], &document["aud"]), (&json!(world.member.user_id), &json!(world.tenant.id)));
            assert_eq!(document["client_id"], world.key.id);
        }
    }
}

#[tokio::test]
async fn an_oauth_client_may_send_the_key_as_its_password_with_the_keys_id_as_user() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let other = deployment.api_key(&world.tenant, "embed").await;
    let basic = |user: &str, key: &str| format!("Basic {}", BASE64.encode(format!("{user}:{key}").as_bytes()));
    let ask = |authorization: String| {
        let call = deployment.anonymous("POST", "/api/v1/auth/introspect").header("authorization", &authorization);
        call.body("application/x-www-form-urlencoded", format!("token={}", world.token)).send()
    };
    assert_eq!(ask(basic(&world.key.id, &world.key.text)).await.document(200)["active"], true);
    for (user, key) in [
        (other.id.as_str(), world.key.text.as_str()),
        ("", &world.key.text),
        (&world.key.id, ""),
        (&world.key.id, &other.text),
        (&world.tenant.id, &world.tenant.secret),
    ] {
        ask(basic(user, key)).await.refused(401, "invalid_client");
    }
    // As RFC 6749 §2.3.1 has it: every id and every key has an underscore, and clients encode it.
    let encoded = |text: &str| text.replace('_', "%5F");
    let answer = ask(basic(&encoded(&world.key.id), &encoded(&world.key.text))).await;
    assert_eq!(answer.document(200)["active"], true);
    ask(basic(&encoded(&other.id), &encoded(&world.key.text))).await.refused(401, "invalid_client");
    for garbage in ["Basic", "Basic ", "Basic !", "Basic Zm9v", "Basic /w=="] {
        ask(garbage.to_owned()).await.refused(401, "invalid_client");
    }
}

#[tokio::test]
async fn an_oauth_client_may_send_the_key_in_the_form_with_its_id() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let other = deployment.api_key(&world.tenant, "embed").await;
    let ask = |id: &str, key: &str| {
        let form = format!("token={}&client_id={id}&client_secret={key}", world.token);
        let call = deployment.anonymous("POST", "/api/v1/auth/introspect");
        call.body("application/x-www-form-urlencoded", form).send()
    };
    let encoded = world.key.text.replace('_', "%5F");
    for key in [&world.key.text, &encoded] {
        assert_eq!(ask(&world.key.id, key).await.document(200)["active"], true);
    }
    for (id, key) in [(&other.id, &world.key.text), (&world.key.id, &other.text), (&world.key.id, &world.tenant.secret)]
    {
        ask(id, key).await.refused(401, "invalid_client");
    }
    let form = format!("client_id={}&client_secret={}", world.key.id, world.key.text);
    let call = deployment.anonymous("POST", "/api/v1/auth/introspect");
    call.body("application/x-www-form-urlencoded", form).send().await.refused(400, "invalid_request");
}

#[tokio::test]
async fn what_is_not_a_token_of_this_tenant_is_inactive_and_nothing_more_is_said() {
    let deployment = Deployment::start().await;
    let (ours, theirs) = (deployment.world().await, deployment.world().await);
    for token in [theirs.token.as_str(), "", "x", "a.b.c", &ours.key.text, &ours.token[..ours.token.len() - 1], "é"] {
        assert!(!deployment.is_active(&ours.key, token).await);
    }
    assert!(deployment.is_active(&ours.key, &ours.token).await);
}

#[tokio::test]
async fn it_costs_one_call_and_no_secret() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let call =
        || deployment.backend(&world.key, "POST", "/api/v1/auth/introspect").json(&json!({ "token": world.token }));
    // The first of a day is noted at the key.
    for expected in [&["BatchGetItem", "UpdateItem"][..], &["BatchGetItem"], &["BatchGetItem"]] {
        let (answer, calls) = deployment.calls_of(call()).await;
        assert_eq!(answer.document(200)["active"], true);
        assert_eq!(calls.iter().map(|call| call.operation.as_str()).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_refused_as_rfc_6749_says() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let call = || deployment.backend(&world.key, "POST", "/api/v1/auth/introspect");
    call().send().await.refused(400, "invalid_request");
    call().json(&json!({})).send().await.refused(400, "invalid_request");
    call().json(&json!({ "token": 7 })).send().await.refused(400, "invalid_request");
    call().body("application/x-www-form-urlencoded", "token=a&token=b").send().await.refused(400, "invalid_request");
    call().body("text/plain", "token=a").send().await.refused(415, "invalid_request");
    call().body("application/json", vec![b' '; 65 * 1024]).send().await.refused(413, "invalid_request");
    let query = format!("/api/v1/auth/introspect?token={}", world.token);
    deployment.backend(&world.key, "POST", &query).send().await.refused(400, "invalid_request");
    let call = deployment.anonymous("POST", "/api/v1/auth/introspect").json(&json!({ "token": world.token }));
    call.send().await.refused(401, "invalid_client");
}
