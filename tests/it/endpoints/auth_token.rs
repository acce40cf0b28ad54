//! `POST /api/v1/auth/token`: what a scoped token says, for whom and how long it is, and what ends it.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use shared::api::{OPERATIONS, Surface};
use stack::{Invocation, Match};

use super::execute_tool::{check_refusal, start};
use crate::support::{Answer, ApiKey, Deployment, END_USER, event, naming, with};

const PATH: &str = "/api/v1/auth/token";

async fn ask(deployment: &Deployment, key: &ApiKey, body: &Value) -> Answer {
    deployment.account(key, "POST", PATH).json(body).send().await
}

fn token(answer: &Answer) -> String {
    answer.document(200)["access_token"].as_str().unwrap().to_owned()
}

/// Header and claims, as whoever has the token reads them.
fn decoded(token: &str) -> (Value, Value) {
    let parts: Vec<_> = token.split('.').map(|part| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).collect();
    assert_eq!((parts.len(), parts[2].len()), (3, 64));
    (serde_json::from_slice(&parts[0]).unwrap(), serde_json::from_slice(&parts[1]).unwrap())
}

fn claims(token: &str) -> Value {
    decoded(token).1
}

#[tokio::test]
async fn a_token_is_valid_for_the_minutes_that_were_asked_for_and_an_hour_if_none_were() {
    let (deployment, key) = start().await;
    let cases = [
        (json!({}), 3600),
        (json!({ "expires_in_minutes": 5 }), 300),
        (json!({ "expires_in_minutes": 60 }), 3600),
        (json!({ "expires_in_minutes": 61.0 }), 3660),
        (json!({ "expires_in_minutes": 1440 }), 86_400),
    ];
    for (body, seconds) in cases {
        let answer = ask(&deployment, &key, &body).await;
        let expected = json!({ "access_token": token(&answer), "token_type": "bearer", "expires_in": seconds });
        let expected = with(&expected, &json!({ "scope": "account" }));
        assert_eq!(*answer.document(200), expected, "{body}");
        let claims = claims(&token(&answer));
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), seconds, "{body}");
    }
}

#[tokio::test]
async fn minutes_that_are_no_whole_number_from_5_to_1440_are_refused() {
    let (deployment, key) = start().await;
    let minutes = [
        json!(4),
        json!(1441),
        json!(0),
        json!(-5),
        json!(5.5),
        json!(1e300),
        json!("60"),
        json!(true),
        json!([60]),
        json!({ "minutes": 60 }),
    ];
    for minutes in minutes {
        for user in [None, Some("user_456")] {
            let body = with(&naming(user), &json!({ "expires_in_minutes": minutes }));
            let answer = ask(&deployment, &key, &body).await;
            check_refusal(&answer, &json!(["body", "expires_in_minutes"]), "value_error");
            let sentence = "expires_in_minutes must be a whole number from 5 to 1440";
            assert_eq!(answer.body["detail"][0]["msg"], sentence);
        }
    }
}

#[tokio::test]
async fn an_end_users_token_claims_that_user_and_nothing_of_the_account() {
    let (deployment, key) = start().await;
    let mut ids = Vec::new();
    for user in ["user_456", "a#b/c", "é😀", " ", "GLOBAL"] {
        let (header, claims) = decoded(&token(
            &ask(&deployment, &key, &json!({ "external_user_id": user, "expires_in_minutes": 7 })).await,
        ));
        let kid = deployment.signing_kid(&key.tenant.id).await;
        assert_eq!(header, json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid }));
        let issued = claims["iat"].as_u64().unwrap();
        let expected = json!({
            "iss": format!("{}/t/{}", deployment.stack.url(), key.tenant.id),
            "aud": key.tenant.id, "tenant_id": key.tenant.id,
            "sub": format!("external:{user}"), "external_user_id": user, "scope": "end_user",
            "key_id": key.id, "client_id": key.id,
            "iat": issued, "exp": issued + 420, "jti": claims["jti"],
            "epochs": { "tenant": 0, "key": 0, "external_user": 0 },
        });
        assert_eq!(claims, expected, "{user}");
        ids.push(claims["jti"].as_str().unwrap().to_owned());
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5);
}

#[tokio::test]
async fn without_an_end_user_the_token_is_of_the_whole_account_and_says_so() {
    let (deployment, key) = start().await;
    let call = || deployment.account(&key, "POST", PATH);
    for call in [call(), call().json(&json!({})), call().body("application/json", "")] {
        let answer = call.send().await;
        assert_eq!(answer.document(200)["scope"], "account");
        let claims = claims(&token(&answer));
        assert_eq!((&claims["scope"], &claims["sub"]), (&json!("account"), &json!(key.id)));
        assert!(claims.get("external_user_id").is_none(), "{claims}");
        assert_eq!(claims["epochs"], json!({ "tenant": 0, "key": 0 }));
    }
}

#[tokio::test]
async fn the_end_user_of_a_token_is_named_in_the_body_or_in_either_header() {
    let (deployment, key) = start().await;
    let call = || deployment.account(&key, "POST", PATH);
    let body = json!({ "external_user_id": "user_456" });
    let calls = [
        call().json(&body),
        call().header("external_user_id", "user_456"),
        call().header("X-End-User-ID", "user_456"),
        call().header("external_user_id", "user_456").header("x-end-user-id", "user_456").json(&body),
        call().header("external-user-id", "user_456"),
    ];
    for call in calls {
        let claims = claims(&token(&call.send().await));
        assert_eq!((&claims["scope"], &claims["external_user_id"]), (&json!("end_user"), &json!("user_456")));
    }
    let differing = [
        call().header("external_user_id", "user_457").json(&body),
        call().header("x-end-user-id", "User_456").json(&body),
        call().header("external_user_id", "user_456").header("x-end-user-id", "user_457"),
    ];
    for call in differing {
        call.send().await.refused(400, "end_users_differ");
    }
}

#[tokio::test]
async fn an_end_users_id_has_1_to_256_characters_and_a_token_of_the_longest_works() {
    let (deployment, key) = start().await;
    for user in ["u".repeat(256), "😀".repeat(256), "\u{1}".repeat(256), "\"".repeat(256)] {
        let token = token(&ask(&deployment, &key, &json!({ "external_user_id": user })).await);
        assert_eq!(claims(&token)["external_user_id"], user);
        let session = deployment.page(&token, "POST", "/api/v1/agent-sessions").send().await;
        assert_eq!(session.document(201)["external_user_id"], user);
    }
    for user in [json!(null), json!(""), json!("u".repeat(257)), json!(7), json!(true), json!(["user_456"]), json!({})]
    {
        let answer = ask(&deployment, &key, &json!({ "external_user_id": user })).await;
        check_refusal(&answer, &json!(["body", "external_user_id"]), "value_error");
    }
    for (header, name) in [("external_user_id", "external_user_id"), ("x-end-user-id", "X-End-User-ID")] {
        for user in [String::new(), "u".repeat(257)] {
            let answer = deployment.account(&key, "POST", PATH).header(header, &user).send().await;
            check_refusal(&answer, &json!(["header", name]), "value_error");
        }
    }
}

#[tokio::test]
async fn a_field_that_is_misspelled_or_comes_twice_is_refused_and_so_is_a_body_that_is_none() {
    let (deployment, key) = start().await;
    for name in ["external_userid", "externalUserId", "external_user_ids", "user_id", "expires_in", "scope", "ttl"] {
        let answer = ask(&deployment, &key, &json!({ name: "user_456" })).await;
        check_refusal(&answer, &json!(["body", name]), "extra_forbidden");
    }
    let call = || deployment.account(&key, "POST", PATH);
    let twice = r#"{"external_user_id":"user_456","external_user_id":"user_457"}"#;
    let answer = call().body("application/json", twice).send().await;
    check_refusal(&answer, &json!(["body", "external_user_id"]), "value_error");
    for body in ["[]", "null", "\"user_456\"", "{", "{}x"] {
        call().body("application/json", body).send().await.refused(400, "malformed_request");
    }
    call().body("text/plain", "{}").send().await.refused(415, "unsupported_media_type");
    let asked = deployment.account(&key, "POST", &format!("{PATH}?external_user_id=user_456")).send().await;
    check_refusal(&asked, &json!(["query", "external_user_id"]), "extra_forbidden");
}

#[tokio::test]
async fn a_token_mints_no_token_and_keys_of_other_kinds_mint_no_scoped_ones() {
    let (deployment, key) = start().await;
    for user in [None, Some("user_456")] {
        let token = deployment.scoped_token(&key, user).await;
        let call = || deployment.page(&token, "POST", PATH);
        for call in [call(), call().json(&json!({ "expires_in_minutes": 5 })), call().json(&json!({}))] {
            call.send().await.refused(403, "insufficient_scope");
        }
    }
    for kind in ["embed", "admin"] {
        let other = deployment.api_key(&key.tenant, kind).await;
        ask(&deployment, &other, &json!({})).await.refused(403, "key_kind_not_allowed");
        let bearer = deployment.backend(&other, "POST", PATH).send().await;
        bearer.refused(401, "unauthenticated");
    }
    deployment.backend(&key, "POST", PATH).send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn introspection_tells_a_key_of_any_kind_whose_a_scoped_token_is() {
    let (deployment, key) = start().await;
    let stranger = deployment.provision("Beta").await;
    let stranger = deployment.api_key(&stranger, "account").await;
    for (user, scope) in [(Some("user_456"), "end_user"), (None, "account")] {
        let token = deployment.scoped_token(&key, user).await;
        let claims = claims(&token);
        for kind in ["account", "embed", "admin"] {
            let asking = deployment.api_key(&key.tenant, kind).await;
            let told = deployment.introspect(&asking, &token).await;
            assert_eq!((&told["active"], &told["token_type"]), (&json!(true), &json!("Bearer")), "{kind}");
            assert_eq!((&told["scope"], &told["external_user_id"]), (&json!(scope), &json!(user)), "{kind}");
            for name in ["sub", "aud", "iss", "iat", "exp", "jti", "client_id"] {
                assert_eq!(told[name], claims[name], "{kind}: {name}");
            }
        }
        assert!(!deployment.is_active(&stranger, &token).await);
    }
}

/// Whatever can end a scoped token.
const CUTS: [&str; 5] = ["token", "end user", "tokens of the key", "key", "all"];

async fn cut(deployment: &Deployment, key: &ApiKey, asking: &ApiKey, cut: &str, token: &str) {
    let whose = match cut {
        "token" => {
            let call = deployment.backend(asking, "POST", "/api/v1/auth/revoke").json(&json!({ "token": token }));
            call.send().await.document(200);
            return;
        }
        "key" => {
            let path = format!("/api/v1/revoke/api-key?tenant_id={}&key_id={}", key.tenant.id, key.id);
            deployment.post_nothing(&path).await.data(200);
            return;
        }
        "end user" => json!({ "external_user_id": "user_456" }),
        "tokens of the key" => json!({ "key_id": key.id }),
        _ => json!({ "all": true }),
    };
    deployment.revoke_tokens(&key.tenant, &whose).await.data(200);
}

#[tokio::test]
async fn a_revoked_scoped_token_is_refused_by_the_very_next_call_and_those_of_others_go_on() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let (asking, other_key) =
        (deployment.api_key(&tenant, "embed").await, deployment.api_key(&tenant, "account").await);
    let bystander = deployment.provision("Beta").await;
    let bystander = deployment.api_key(&bystander, "account").await;
    for made in CUTS {
        let key = deployment.api_key(&tenant, "account").await;
        let mut holders = Vec::new();
        for (key, user, ended_by) in [
            (&key, Some("user_456"), &CUTS[..]),
            (&key, Some("user_456"), &["end user", "tokens of the key", "key", "all"]),
            (&other_key, Some("user_456"), &["end user", "all"]),
            (&key, Some("user_457"), &["tokens of the key", "key", "all"]),
            (&key, None, &["tokens of the key", "key", "all"]),
            (&other_key, None, &["all"]),
            (&other_key, Some("user_457"), &["all"]),
            (&bystander, Some("user_456"), &[]),
        ] {
            holders.push((deployment.scoped_token(key, user).await, ended_by));
        }
        let list = |token: &str| deployment.page(token, "GET", "/api/v1/agent-sessions").send();
        for (token, _) in &holders {
            list(token).await.document(200);
        }
        cut(&deployment, &key, &asking, made, &holders[0].0).await;
        for (number, (token, ended_by)) in holders.iter().enumerate() {
            let ended = ended_by.contains(&made);
            let answer = list(token).await;
            assert_eq!(answer.status, if ended { 401 } else { 200 }, "token {number} after {made}: {}", answer.text);
            if number < 7 {
                assert_eq!(deployment.is_active(&asking, token).await, !ended, "token {number} after {made}");
            }
        }
        if made != "key" {
            let anew = deployment.scoped_token(&key, Some("user_456")).await;
            list(&anew).await.document(200);
        }
    }
}

#[tokio::test]
async fn every_endpoint_of_the_surface_refuses_a_revoked_token_at_once_and_does_not_say_why() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let entries = || OPERATIONS.iter().filter(|entry| entry.surface == Surface::Account);
    let with = |name: &str, token: &str| {
        let entry = entries().find(|entry| entry.route.name == name).unwrap();
        deployment.request(entry, &world).header("authorization", &format!("Bearer {token}"))
    };
    let token = deployment.scoped_token(&world.account, Some(END_USER)).await;
    // All processes know the tenant and the token by then.
    for entry in entries().filter(|entry| !entry.route.name.starts_with("delete-")) {
        let answer = with(entry.route.name, &token).send().await;
        assert!(answer.status < 400 || answer.code() == Some("insufficient_scope"), "{}", answer.text);
    }
    for cut_off in ["token", "end user"] {
        let token = deployment.scoped_token(&world.account, Some(END_USER)).await;
        let cut_by = json!({ "external_user_id": END_USER });
        match cut_off {
            "token" => cut(&deployment, &world.account, &world.key, "token", &token).await,
            _ => _ = deployment.revoke_tokens(&world.tenant, &cut_by).await.data(200),
        }
        let before = deployment.items().await;
        for entry in entries() {
            let answer = with(entry.route.name, &token).send().await;
            answer.refused(401, "unauthenticated");
            let uniform = json!({ "code": "unauthenticated", "detail": "credential is missing or not valid" });
            assert_eq!(answer.body, uniform, "{}", entry.route.name);
        }
        assert_eq!(deployment.items().await, before, "{cut_off}");
    }
}

#[tokio::test]
async fn a_suspended_tenants_scoped_tokens_rest_until_it_is_reactivated() {
    let (deployment, key) = start().await;
    let tokens = [deployment.scoped_token(&key, Some("user_456")).await, deployment.scoped_token(&key, None).await];
    let session = deployment.page(&tokens[0], "POST", "/api/v1/agent-sessions").send().await.document(201).clone();
    deployment.suspend(&key.tenant).await.data(200);
    for token in &tokens {
        for method in ["GET", "POST"] {
            let call = deployment.page(token, method, "/api/v1/agent-sessions");
            call.send().await.refused(403, "tenant_suspended");
        }
    }
    ask(&deployment, &key, &json!({})).await.refused(403, "tenant_suspended");
    deployment.reactivate(&key.tenant).await.data(200);
    for token in &tokens {
        let listed = deployment.page(token, "GET", "/api/v1/agent-sessions").send().await;
        assert_eq!(listed.document(200)["items"], json!([session]));
    }
}

#[tokio::test]
async fn what_was_revoked_stays_so_through_suspension_and_reactivation() {
    let (deployment, key) = start().await;
    let token = deployment.scoped_token(&key, Some("user_456")).await;
    deployment.revoke_tokens(&key.tenant, &json!({ "external_user_id": "user_456" })).await.data(200);
    let refused = || async {
        let call = deployment.page(&token, "GET", "/api/v1/agent-sessions");
        call.send().await.refused(401, "unauthenticated");
    };
    deployment.suspend(&key.tenant).await.data(200);
    // Who has no valid credential does not learn that the tenant is suspended.
    refused().await;
    deployment.reactivate(&key.tenant).await.data(200);
    refused().await;
}

#[tokio::test]
async fn rotating_or_expiring_the_key_or_replacing_the_signing_key_leaves_scoped_tokens_alone() {
    let (deployment, key) = start().await;
    let list = async |token: &str| deployment.page(token, "GET", "/api/v1/agent-sessions").send().await.status;
    let token = deployment.scoped_token(&key, Some("user_456")).await;
    let path = format!("/api/v1/rotate/api-key?tenant_id={}&key_id={}", key.tenant.id, key.id);
    let rotated = deployment.post_nothing(&path).await.data(200)["api_key"].as_str().unwrap().to_owned();
    let rotated = ApiKey { text: rotated, ..key.clone() };
    assert_eq!(list(&token).await, 200);
    let signing_key = format!("/api/v1/rotate/signing-key?tenant_id={}", key.tenant.id);
    deployment.post(&signing_key, &json!({ "force": true })).await.data(200);
    let newer = deployment.scoped_token(&rotated, Some("user_456")).await;
    assert_ne!(decoded(&token).0["kid"], decoded(&newer).0["kid"]);
    let partition = format!("TENANT#{}#KEY#{}", key.tenant.id, key.id);
    deployment.set(&partition, "KEY", "details.expires_at", &json!({ "N": "1" })).await;
    ask(&deployment, &rotated, &json!({})).await.refused(401, "unauthenticated");
    assert_eq!((list(&token).await, list(&newer).await), (200, 200));
    deployment.post(&signing_key, &json!({ "drop_previous": true })).await.data(200);
    assert_eq!((list(&token).await, list(&newer).await), (401, 401));
}

/// Asks two processes at once for a list: which two they were, and with what status they answered.
async fn ask_two(deployment: &Deployment, token: &str) -> Vec<(String, Value)> {
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str())];
    let request = event("GET", "/api/v1/agent-sessions", "", &headers, None);
    // Neither is free for the other's request as long as both wait for the table.
    let held = deployment.stack.faults().hold(Match::any().function("agent-sessions").operation("BatchGetItem"));
    let ask = || deployment.stack.invoke("agent-sessions", request.clone(), Invocation::default());
    let release = async {
        held.reached_by(2).await;
        held.release();
    };
    let (one, other, ()) = tokio::join!(ask(), ask(), release);
    let answers = [one, other].map(Result::unwrap);
    let mut answers = answers.map(|answer| (answer.instance, answer.payload["statusCode"].clone())).to_vec();
    answers.sort_by(|one, other| one.0.cmp(&other.0));
    answers
}

#[tokio::test]
async fn a_revocation_is_seen_by_the_next_call_of_every_process() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let asking = deployment.api_key(&tenant, "embed").await;
    for made in CUTS {
        let key = deployment.api_key(&tenant, "account").await;
        let token = deployment.scoped_token(&key, Some("user_456")).await;
        let before = ask_two(&deployment, &token).await;
        cut(&deployment, &key, &asking, made, &token).await;
        let after = ask_two(&deployment, &token).await;
        let instances = |answers: &[(String, Value)]| answers.iter().map(|answer| answer.0.clone()).collect::<Vec<_>>();
        let (old, new) = (instances(&before), instances(&after));
        assert!(old == new && old[0] != old[1], "the same two processes: {old:?} {new:?}");
        assert!(before.iter().all(|answer| answer.1 == 200), "{before:?}");
        assert!(after.iter().all(|answer| answer.1 == 401), "{made}: {after:?}");
    }
}

#[tokio::test]
async fn a_token_that_is_being_issued_during_a_revocation_is_refused() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let asking = deployment.api_key(&tenant, "embed").await;
    for made in ["end user", "tokens of the key", "key", "all"] {
        let key = deployment.api_key(&tenant, "account").await;
        // The first token of a process needs the private key, after everything else was read.
        deployment.stack.restart("auth-token").await;
        let held = deployment.stack.faults().hold(Match::any().function("auth-token").operation("GetSecretValue"));
        let revocation = async {
            held.reached().await;
            cut(&deployment, &key, &asking, made, "").await;
            held.release();
        };
        let body = json!({ "external_user_id": "user_456" });
        let (answer, ()) = tokio::join!(ask(&deployment, &key, &body), revocation);
        let call = deployment.page(&token(&answer), "GET", "/api/v1/agent-sessions");
        let refused = call.send().await;
        assert_eq!((refused.status, refused.code()), (401, Some("unauthenticated")), "{made}");
    }
}
