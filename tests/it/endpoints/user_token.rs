//! `POST /v1/api/projects/user-token`

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::support::{Deployment, ROLE, World, with};

/// Header and claims of a token, unverified.
fn read(token: &str) -> (Value, Value) {
    let part = |number: usize| {
        let bytes = BASE64URL_NOPAD.decode(token.split('.').nth(number).unwrap().as_bytes()).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    (part(0), part(1))
}

fn claims(answer: &crate::support::Answer) -> Value {
    read(answer.data(200)["token"].as_str().unwrap()).1
}

#[tokio::test]
async fn a_token_has_the_claims_of_the_contract() {
    let deployment = Deployment::start().await;
    let World { tenant, key, member, .. } = deployment.world().await;
    let body = json!({ "userId": member.user_id, "organizationId": member.organization_id });
    let before = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let answer = deployment.user_token(&key, &body).await;
    let (header, claims) = read(answer.data(200)["token"].as_str().unwrap());
    let kid = deployment.fetch(&tenant).await["signing_kid"].clone();
    assert_eq!(header, json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid }));
    let iat = claims["iat"].as_u64().unwrap();
    assert!((before..=before + 5).contains(&iat));
    let expected = json!({
        "iss": format!("{}/t/{}", deployment.stack.url(), tenant.id),
        "aud": tenant.id,
        "sub": member.user_id,
        "iat": iat,
        "exp": iat + 3600,
        "jti": claims["jti"],
        "tenant_id": tenant.id,
        "key_id": key.id,
        "client_id": key.id,
        "scope": "project_user",
        "external_user_id": "ada",
        "org_id": member.organization_id,
        "org_external_id": "acme",
        "role_id": ROLE,
        "properties": {},
        "epochs": { "tenant": 0, "key": 0, "organization": 0, "user": 0 },
    });
    assert_eq!(claims, expected);
    assert_eq!(answer.body.as_object().unwrap().len(), 2, "{}", answer.text);
    let again = deployment.user_token(&key, &body).await;
    assert_ne!(self::claims(&again)["jti"], claims["jti"]);
}

#[tokio::test]
async fn user_and_organization_go_by_uuid_or_external_id_and_the_organization_may_be_left_out() {
    let deployment = Deployment::start().await;
    let World { key, member, .. } = deployment.world().await;
    for user in [&member.user_id, &member.user_id.to_uppercase(), "ada"] {
        for organization in [Some(member.organization_id.as_str()), Some("acme"), None] {
            let mut body = json!({ "userId": user });
            if let Some(organization) = organization {
                body["organizationId"] = organization.into();
            }
            let claims = claims(&deployment.user_token(&key, &body).await);
            assert_eq!((&claims["sub"], &claims["org_id"]), (&json!(member.user_id), &json!(member.organization_id)));
        }
    }
}

#[tokio::test]
async fn a_uuid_is_found_as_ours_and_as_an_external_id() {
    let deployment = Deployment::start().await;
    let World { key, member, .. } = deployment.world().await;
    let claims = claims(&deployment.user_token(&key, &json!({ "userId": member.user_id })).await);
    assert_eq!(claims["sub"], member.user_id);
    let theirs = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    let third = deployment.member(&key, "acme", theirs).await;
    let claims = self::claims(&deployment.user_token(&key, &json!({ "userId": theirs })).await);
    assert_eq!(claims["sub"], third.user_id);
}

#[tokio::test]
async fn the_lifetime_is_what_was_asked_for() {
    let deployment = Deployment::start().await;
    let World { key, .. } = deployment.world().await;
    let cases = [
        (json!(60), 60),
        (json!(86_400), 86_400),
        (json!(3600.0), 3600),
        (json!("1h"), 3600),
        (json!("30m"), 1800),
        (json!("90"), 90),
        (json!("1d"), 86_400),
    ];
    for (expiration, seconds) in cases {
        let claims = claims(&deployment.user_token(&key, &json!({ "userId": "ada", "expiration": expiration })).await);
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), seconds, "{expiration}");
    }
}

#[tokio::test]
async fn an_expiration_out_of_bounds_is_refused_by_name() {
    let deployment = Deployment::start().await;
    let World { key, .. } = deployment.world().await;
    for expiration in [
        json!(59),
        json!(86_401),
        json!("1x"),
        json!(-1),
        json!(1e9),
        json!(""),
        json!(true),
        json!([60]),
        json!({}),
        json!("25h"),
        json!(60.5),
    ] {
        let answer = deployment.user_token(&key, &json!({ "userId": "ada", "expiration": expiration })).await;
        answer.names("expiration");
        assert!(answer.body["message"].as_str().unwrap().contains("60 to 86400 seconds"), "{}", answer.text);
    }
    for user in [json!(null), json!(""), json!(7), json!("x".repeat(257)), json!([])] {
        deployment.user_token(&key, &json!({ "userId": user })).await.names("userId");
    }
    deployment.user_token(&key, &json!({ "organizationId": "acme" })).await.names("userId");
    deployment.user_token(&key, &json!({ "userId": "ada", "organizationId": 7 })).await.names("organizationId");
}

#[tokio::test]
async fn properties_are_the_organizations_and_the_users_and_the_users_win() {
    let deployment = Deployment::start().await;
    let World { key, .. } = deployment.world().await;
    let organization = json!({ "name": "acme", "externalId": "acme", "properties": { "plan": "pro", "region": "eu" } });
    deployment.register_organization(&key, &organization).await.data(200);
    let user = json!({
        "name": "ada", "externalId": "ada", "projectOrganizationId": "acme",
        "properties": { "region": "us", "seat": [1, null, { "a": "é" }] },
    });
    deployment.register_user(&key, &user).await.data(200);
    let claims = claims(&deployment.user_token(&key, &json!({ "userId": "ada" })).await);
    assert_eq!(claims["properties"], json!({ "plan": "pro", "region": "us", "seat": [1, null, { "a": "é" }] }));
}

#[tokio::test]
async fn a_token_with_the_most_properties_stays_below_eight_kilobytes() {
    let deployment = Deployment::start().await;
    let World { key, .. } = deployment.world().await;
    let most = json!({ "a": "\u{1}".repeat(681) });
    assert!((4090..=4096).contains(&most.to_string().len()));
    let user = json!({ "name": "ada", "externalId": "ada", "projectOrganizationId": "acme", "properties": most });
    deployment.register_user(&key, &user).await.data(200);
    let answer = deployment.user_token(&key, &json!({ "userId": "ada" })).await;
    let token = answer.data(200)["token"].as_str().unwrap();
    assert!(token.len() <= 8192, "{}", token.len());
    assert!(deployment.is_active(&key, token).await);
    // The organization gets as much later: then the two don't fit into one token any more.
    let organization = json!({ "name": "acme", "externalId": "acme", "properties": { "b": "x".repeat(4000) } });
    deployment.register_organization(&key, &organization).await.data(200);
    deployment.user_token(&key, &json!({ "userId": "ada" })).await.refused(409, "properties_too_large");
}

#[tokio::test]
async fn a_token_carries_the_tenants_own_ids_where_there_are_any_and_counts_them() {
    let deployment = Deployment::start().await;
    let World { key, .. } = deployment.world().await;
    let organization = deployment.register_organization(&key, &json!({ "name": "Globex" })).await;
    let organization = organization.data(200)["projectOrganizationId"].clone();
    let user = json!({ "name": "Grace", "projectOrganizationId": organization });
    let user = deployment.register_user(&key, &user).await.data(200)["userId"].clone();
    let claims = claims(&deployment.user_token(&key, &json!({ "userId": user })).await);
    assert_eq!((claims.get("external_user_id"), claims.get("org_external_id")), (None, None));
    // The longest ids and the most properties fit into one token, but for characters that JSON writes with six.
    let most = json!({ "a": "x".repeat(4088) });
    for (sign, fits) in [("x", true), ("\u{1}", false)] {
        let [organization, user] = ["o", "u"].map(|end| sign.repeat(255) + end);
        let body = json!({ "name": "o", "externalId": organization });
        deployment.register_organization(&key, &body).await.data(200);
        let body = json!({
            "name": "u", "externalId": user, "projectOrganizationId": organization, "properties": most,
        });
        deployment.register_user(&key, &body).await.data(200);
        let answer = deployment.user_token(&key, &json!({ "userId": user })).await;
        if fits {
            assert!(deployment.is_active(&key, answer.data(200)["token"].as_str().unwrap()).await);
        } else {
            answer.refused(409, "properties_too_large");
        }
    }
}

#[tokio::test]
async fn whoever_is_not_there_is_not_found_with_the_same_bytes() {
    let deployment = Deployment::start().await;
    let ours = deployment.world().await;
    let theirs = deployment.world().await;
    let elsewhere = deployment.member(&ours.key, "globex", "grace").await;
    let (unknown, id) = ("67e55044-10b1-426f-9247-bb680e5fe0c8", &ours.member.user_id);
    let organization = &ours.member.organization_id;
    let bodies = [
        json!({ "userId": unknown }),
        json!({ "userId": unknown, "organizationId": organization }),
        json!({ "userId": "nobody", "organizationId": "acme" }),
        json!({ "userId": theirs.member.user_id }),
        json!({ "userId": theirs.member.user_id, "organizationId": organization }),
        json!({ "userId": theirs.member.user_id, "organizationId": theirs.member.organization_id }),
        json!({ "userId": id, "organizationId": theirs.member.organization_id }),
        json!({ "userId": id, "organizationId": unknown }),
        json!({ "userId": id, "organizationId": "globex" }),
        json!({ "userId": elsewhere.user_id, "organizationId": "acme" }),
        // An organization is no user, and the other way round.
        json!({ "userId": organization }),
        json!({ "userId": id, "organizationId": id }),
    ];
    let mut answers = Vec::new();
    for body in &bodies {
        let answer = deployment.user_token(&ours.key, body).await;
        answer.refused(404, "user_not_found");
        answers.push(answer.text);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
}

#[tokio::test]
async fn the_key_may_be_a_bearer_or_in_a_header_of_its_own_or_in_the_body_but_not_two_different_ones() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let embed = deployment.api_key(&world.tenant, "embed").await;
    let path = "/v1/api/projects/user-token";
    let body = json!({ "userId": "ada", "organizationId": "acme" });
    let in_body = with(&body, &json!({ "apiKey": embed.text }));
    let plain = || deployment.anonymous("POST", path);
    plain().header("authorization", &format!("bearer {}", embed.text)).json(&body).send().await.data(200);
    plain().header("x-api-key", &embed.text).json(&body).send().await.data(200);
    // What a proxy has added for itself is none of ours.
    plain()
        .header("x-api-key", &embed.text)
        .header("authorization", "Basic cHJveHk6")
        .json(&body)
        .send()
        .await
        .data(200);
    plain().json(&in_body).send().await.data(200);
    deployment.backend(&embed, "POST", path).json(&in_body).send().await.data(200);
    deployment.backend(&world.key, "POST", path).json(&in_body).send().await.refused(401, "unauthenticated");
    for api_key in [json!(null), json!(7), json!(""), json!([embed.text])] {
        let answer = plain().json(&with(&body, &json!({ "apiKey": api_key }))).send().await;
        answer.refused(401, "unauthenticated");
    }
    let query = format!("{path}?apiKey={}", embed.text);
    deployment.anonymous("POST", &query).json(&body).send().await.refused(400, "credential_in_query");
}

#[tokio::test]
async fn the_day_of_the_last_token_costs_one_write_a_user_and_day() {
    let deployment = Deployment::start().await;
    let World { tenant, key, member, .. } = deployment.world().await;
    let last = async || {
        let answer = deployment.get(&format!("/api/v1/fetch/users?tenant_id={}", tenant.id)).await;
        answer.data(200)["users"][0]["last_token_on"].clone()
    };
    let today = last().await;
    assert_eq!(today.as_str().unwrap().len(), 10);
    for day in ["2026-01-01", "2026-01-02"] {
        for name in [&member.user_id, "ada"] {
            for row in deployment.items().await.iter().filter(|item| item["sk"]["S"] == "USER") {
                deployment
                    .set(row["pk"]["S"].as_str().unwrap(), "USER", "details.last_token_on", &json!({ "S": day }))
                    .await;
            }
            let call = || {
                deployment.backend(&key, "POST", "/v1/api/projects/user-token").json(&json!({
                    "userId": name, "organizationId": "acme",
                }))
            };
            let made = async || {
                let calls = deployment.calls_of(call()).await.1;
                calls.into_iter().map(|call| call.operation).collect::<Vec<_>>()
            };
            assert_eq!(made().await, ["BatchGetItem", "TransactWriteItems"], "{name}");
            assert_eq!(made().await, ["BatchGetItem"], "{name}");
            assert_eq!(last().await, today);
        }
    }
}

#[tokio::test]
async fn unknown_fields_are_no_errors_because_clients_were_written_for_another_service() {
    let deployment = Deployment::start().await;
    let World { key, .. } = deployment.world().await;
    let body = json!({ "userId": "ada", "organizationId": null, "somethingElse": { "a": 1 } });
    deployment.user_token(&key, &body).await.data(200);
}
