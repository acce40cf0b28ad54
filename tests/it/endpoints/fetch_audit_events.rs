//! `GET /api/v1/fetch/audit-events`

use serde_json::{Value, json};
use shared::domain::Cursor;

use crate::support::{Deployment, Tenant};

async fn history(deployment: &Deployment) -> Tenant {
    let tenant = deployment.provision("Acme").await;
    deployment.update(&tenant, &json!({ "tenant_name": "A", "callback_url_base": null })).await.data(200);
    deployment.rotate(&tenant, 0).await.data(200);
    deployment.suspend(&tenant).await.data(200);
    deployment.reactivate(&tenant).await.data(200);
    tenant
}

#[tokio::test]
async fn each_change_has_exactly_one_event_with_who_what_when_and_the_request() {
    let deployment = Deployment::start().await;
    let tenant = history(&deployment).await;
    let actions =
        ["tenant.provisioned", "tenant.updated", "tenant.secret_rotated", "tenant.suspended", "tenant.reactivated"];
    assert_eq!(deployment.audit_trail(&tenant).await, actions);
    let answer = deployment.update(&tenant, &json!({ "rate_limit_per_min": 7 })).await;
    let events = deployment.get(&format!("/api/v1/fetch/audit-events?tenant_id={}&limit=1", tenant.id)).await;
    let event = &events.data(200)["events"][0];
    assert_eq!(event["actor"], "operator");
    assert_eq!(event["at"], answer.data(200)["updated_at"]);
    assert_eq!(event["fields"], json!(["rate_limit_per_min"]));
    assert_eq!(event["request_id"], answer.headers["x-request-id"].as_str());
    let settings = json!({
        "qr_distant": "deny", "qr_expiry_seconds": 60, "qr_number_matching": "never", "qr_rotation": "required",
        "qr_sessions_per_address": 5,
    });
    deployment.update(&tenant, &settings).await.data(200);
    let events = deployment.get(&format!("/api/v1/fetch/audit-events?tenant_id={}&limit=1", tenant.id)).await;
    let mut fields: Vec<String> = serde_json::from_value(events.data(200)["events"][0]["fields"].clone()).unwrap();
    fields.sort();
    let names: Vec<String> = settings.as_object().unwrap().keys().cloned().collect();
    assert_eq!(fields, names);
}

#[tokio::test]
async fn what_was_refused_has_no_event() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    deployment.update(&tenant, &json!({ "rate_limit_per_min": 0 })).await.names("rate_limit_per_min");
    deployment.reactivate(&tenant).await.data(200);
    assert_eq!(deployment.audit_trail(&tenant).await, ["tenant.provisioned"]);
}

#[tokio::test]
async fn pages_follow_each_other_and_since_cuts_off_what_is_older() {
    let deployment = Deployment::start().await;
    let tenant = history(&deployment).await;
    let path = format!("/api/v1/fetch/audit-events?tenant_id={}", tenant.id);
    let all = deployment.get(&path).await.data(200)["events"].as_array().unwrap().clone();
    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let answer = deployment.get(&format!("{path}&limit=2{cursor}")).await;
        paged.extend(answer.data(200)["events"].as_array().unwrap().iter().cloned());
        match answer.data(200)["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, all);
    let since = all[1]["at"].as_str().unwrap();
    let recent = deployment.get(&format!("{path}&since={since}")).await;
    let expected: Vec<&Value> = all.iter().filter(|event| event["at"].as_str().unwrap() >= since).collect();
    assert_eq!(recent.data(200)["events"].as_array().unwrap().iter().collect::<Vec<_>>(), expected);
    let none = deployment.get(&format!("{path}&since=2999-01-01T00:00:00Z")).await;
    assert_eq!(none.data(200)["events"], json!([]));
    deployment.get(&format!("{path}&since=yesterday")).await.names("since");
}

#[tokio::test]
async fn a_cursor_of_one_tenant_does_not_open_anothers_events() {
    let deployment = Deployment::start().await;
    let (one, two) = (history(&deployment).await, history(&deployment).await);
    let answer = deployment.get(&format!("/api/v1/fetch/audit-events?tenant_id={}&limit=1", one.id)).await;
    let cursor = answer.data(200)["next_cursor"].as_str().unwrap();
    let path = format!("/api/v1/fetch/audit-events?tenant_id={}&cursor={cursor}", two.id);
    deployment.get(&path).await.names("cursor");
}

#[tokio::test]
async fn a_made_up_cursor_is_refused() {
    let deployment = Deployment::start().await;
    let tenant = history(&deployment).await;
    let id = &tenant.id;
    for position in ["", "ZZZ", "STATE", "CONFIG", "AUDIT", "AUDIT#", "AUDIT$", "AUDIT#00000000000000"] {
        let cursor = Cursor::new(&format!("audit-events/{id}/AUDIT#000000000000000"), position);
        deployment.get(&format!("/api/v1/fetch/audit-events?tenant_id={id}&cursor={cursor}")).await.names("cursor");
    }
}

#[tokio::test]
async fn an_unknown_tenant_is_not_found() {
    let deployment = Deployment::start().await;
    deployment.get("/api/v1/fetch/audit-events?tenant_id=tnt_unknown").await.refused(404, "tenant_not_found");
}

/// The details of the tenant's newest event.
async fn newest(deployment: &Deployment, tenant: &Tenant) -> Value {
    let path = format!("/api/v1/fetch/audit-events?tenant_id={}&limit=1", tenant.id);
    deployment.get(&path).await.data(200)["events"][0]["details"].clone()
}

/// Two changes of one kind that are not equally grave have different events.
#[tokio::test]
async fn an_event_says_what_decides_how_grave_its_change_was() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let at = |path: &str| format!("/api/v1/{path}?tenant_id={}", tenant.id);

    for (patch, old, new) in [
        (json!({ "signing_version": "v2" }), json!("v1"), json!("v2")),
        (json!({ "signing_version": "v1" }), json!("v2"), json!("v1")),
        (json!({ "require_end_user": true }), json!(null), json!(true)),
        (json!({ "tenant_name": "Globex" }), json!("Acme"), json!("Globex")),
        (json!({ "callback_url_base": "https://a.example.com" }), json!(null), json!("https://a.example.com")),
        (json!({ "rows_per_end_user": 5 }), json!(null), json!(5)),
    ] {
        deployment.update(&tenant, &patch).await.data(200);
        let name = patch.as_object().unwrap().keys().next().unwrap().clone();
        assert_eq!(newest(&deployment, &tenant).await, json!({ name: { "old": old, "new": new } }));
    }

    let answer = deployment.rotate(&tenant, 600).await;
    let until = answer.data(200)["previous_valid_until"].clone();
    assert!(until.is_string());
    assert_eq!(newest(&deployment, &tenant).await, json!({ "previous_valid_until": until }));
    deployment.rotate(&tenant, 0).await.data(200);
    assert_eq!(newest(&deployment, &tenant).await, json!({ "previous_valid_until": null }));
    for drop_previous in [true, false] {
        let body = json!({ "drop_previous": drop_previous, "force": !drop_previous });
        deployment.post(&at("rotate/signing-key"), &body).await.data(200);
        assert_eq!(newest(&deployment, &tenant).await, body);
    }

    let body =
        json!({ "name": "page", "kind": "embed", "allowed_origins": ["https://a.example.com"], "expires_in": 86400 });
    let answer = deployment.post(&at("provision/api-key"), &body).await;
    let key = answer.data(201).clone();
    let expected = json!({
        "name": "page", "kind": "embed", "allowed_origins": ["https://a.example.com"], "expires_at": key["expires_at"],
        "origins_apply_to_tokens": true,
    });
    assert_eq!(newest(&deployment, &tenant).await, expected);
    let rotated = format!("{}&key_id={}", at("rotate/api-key"), key["key_id"].as_str().unwrap());
    deployment.post(&rotated, &json!({})).await.data(200);
    assert_eq!(newest(&deployment, &tenant).await, json!({ "previous_valid_until": null }));

    deployment.post(&at("suspend/tenant"), &json!({ "reason": "fraud case 4711" })).await.data(200);
    assert_eq!(newest(&deployment, &tenant).await, json!({ "reason": "fraud case 4711" }));
    deployment.reactivate(&tenant).await.data(200);
    // The reason is gone from the tenant, and stays in its trail.
    assert_eq!(newest(&deployment, &tenant).await, json!({}));
    for (body, whose) in [(json!({ "all": true }), "all"), (json!({ "external_user_id": "ada" }), "external_user_id")] {
        deployment.revoke_tokens(&tenant, &body).await.data(200);
        assert_eq!(newest(&deployment, &tenant).await, json!({ "whose": whose }));
    }
}

#[tokio::test]
async fn a_stored_answer_that_shows_a_secret_again_leaves_an_event_each_time() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let id = &tenant.id;
    let body = json!({ "tenant_name": "New" });
    let new = || deployment.operator("POST", "/api/v1/provision/tenant").json(&body);
    let made = new().header("idempotency-key", "a").send().await;
    let made = Tenant { id: made.data(201)["tenant_id"].as_str().unwrap().to_owned(), secret: String::new() };
    let rotate = format!("/api/v1/rotate/tenant-secret?tenant_id={id}");
    let provision = format!("/api/v1/provision/api-key?tenant_id={id}");
    let rotate_key = format!("/api/v1/rotate/api-key?tenant_id={id}&key_id={}", key.id);
    let calls = [
        (made, "tenant.provisioned", new()),
        (tenant.clone(), "tenant.secret_rotated", deployment.operator("POST", &rotate).json(&json!({}))),
        (tenant.clone(), "api_key.provisioned", {
            let body = json!({ "name": "b", "kind": "admin" });
            deployment.operator("POST", &provision).json(&body)
        }),
        (tenant, "api_key.rotated", deployment.operator("POST", &rotate_key).json(&json!({}))),
    ];
    for (tenant, action, call) in calls {
        // The first one's is that of the tenant that was made above.
        let key = if action == "tenant.provisioned" { "a" } else { action };
        let call = call.header("idempotency-key", key);
        let first = call.clone().send().await;
        assert!(first.status < 300, "{}", first.text);
        for _ in 0..2 {
            let again = call.clone().send().await;
            assert_eq!((again.status, &again.body), (first.status, &first.body), "{action}");
            let event = deployment.audit_events(&tenant).await.pop().unwrap();
            assert_eq!((&event["action"], &event["details"]), (&json!(action), &json!({ "replayed": true })));
            assert_eq!(event["request_id"], again.headers["x-request-id"].as_str());
            if action.starts_with("api_key") {
                assert_eq!(event["subject"], first.body["data"]["key_id"], "{action}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_tenants_backend_registers_and_revokes_has_events_with_people_as_digests() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let body = json!({ "name": "Globex", "externalId": "globex" });
    let organization = deployment.register_organization(&key, &body).await;
    let organization = organization.data(200)["projectOrganizationId"].as_str().unwrap().to_owned();
    let body = json!({ "name": "Ada", "externalId": "ada", "projectOrganizationId": "globex" });
    let user = deployment.register_user(&key, &body).await.data(200)["userId"].as_str().unwrap().to_owned();
    // What changes nothing leaves none.
    deployment.register_user(&key, &body).await.data(200);
    let renamed = json!({ "name": "Ada L", "externalId": "ada", "projectOrganizationId": "globex" });
    deployment.register_user(&key, &renamed).await.data(200);
    let events = deployment.audit_events(&tenant).await;
    let [.., one, two, three] = events.as_slice() else { panic!("{events:?}") };
    let person = deployment.person(&tenant, "user", &user);
    for (event, action, subject, fields, is_new) in [
        (one, "organization.registered", organization.as_str(), json!([]), true),
        (two, "user.registered", person.as_str(), json!([]), true),
        (three, "user.registered", person.as_str(), json!(["display_name"]), false),
    ] {
        assert_eq!(event["action"], action);
        assert_eq!((&event["subject"], &event["fields"]), (&json!(subject), &fields), "{action}");
        assert_eq!(event["details"], json!({ "is_new": is_new }), "{action}");
        assert_eq!((&event["actor"], &event["key_id"]), (&json!("API key"), &json!(key.id)), "{action}");
    }
    // The older way: at each login, and only what is different leaves an event.
    let subject = deployment.person(&tenant, "registered_tenant", "key:initech");
    for (name, count, fields) in
        [("Initech", 1, json!([])), ("Initech", 0, json!([])), ("Initech Inc", 1, json!(["name"]))]
    {
        let before = deployment.audit_events(&tenant).await.len();
        let body = json!({ "displayName": name, "key": "initech", "prefilters": {} });
        let call = deployment.backend(&key, "POST", "/v1/api/tenant/register-tenant").json(&body);
        assert_eq!(call.send().await.status, 200);
        let events = deployment.audit_events(&tenant).await;
        assert_eq!(events.len(), before + count, "{name}");
        let event = events.iter().rfind(|event| event["action"] == "registered_tenant.registered").unwrap();
        assert_eq!(event["subject"], subject);
        if count == 1 {
            let is_new = fields == json!([]);
            assert_eq!((&event["fields"], &event["details"]), (&fields, &json!({ "is_new": is_new })), "{name}");
        }
    }
    // The operator's revocation names people the same way.
    deployment.revoke_tokens(&tenant, &json!({ "user_id": user })).await.data(200);
    assert_eq!(deployment.audit_events(&tenant).await.pop().unwrap()["subject"], person);
    deployment.revoke_tokens(&tenant, &json!({ "external_user_id": "ada" })).await.data(200);
    let end_user = deployment.person(&tenant, "end_user", "ada");
    assert_eq!(deployment.audit_events(&tenant).await.pop().unwrap()["subject"], end_user);
    // A token that is taken back: once, however often.
    let token = deployment.user_token(&key, &json!({ "userId": user })).await;
    let token = token.data(200)["token"].as_str().unwrap().to_owned();
    let count = deployment.audit_events(&tenant).await.len();
    for _ in 0..2 {
        let call = deployment.backend(&key, "POST", "/api/v1/auth/revoke").json(&json!({ "token": token }));
        assert_eq!(call.send().await.status, 200);
    }
    let events = deployment.audit_events(&tenant).await;
    assert_eq!(events.len(), count + 1);
    let event = events.last().unwrap();
    assert_eq!(event["action"], "token.revoked");
    assert_eq!(event["details"], json!({ "scope": "project_user", "minted_by": key.id }));
    for event in events {
        assert!(!event.to_string().contains("Ada") && !event.to_string().contains(&user), "{event}");
    }
}

#[tokio::test]
async fn a_deleted_resource_has_an_event_with_its_end_user_as_a_digest() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "account").await;
    let before = deployment.audit_events(&tenant).await.len();
    let made = deployment.account_for(&key, "ada", "POST", "/api/v1/workspaces").json(&json!({ "name": "a" }));
    let id = made.send().await.document(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/workspaces/{id}");
    // One that was refused leaves none.
    let refused = deployment.account_for(&key, "bob", "DELETE", &path).send().await;
    assert_eq!(refused.status, 404);
    let deleted = deployment.account_for(&key, "ada", "DELETE", &path).send().await;
    assert_eq!(deleted.status, 200, "{}", deleted.text);
    let events = deployment.audit_events(&tenant).await;
    assert_eq!(events.len(), before + 1);
    let event = events.last().unwrap();
    assert_eq!((&event["action"], &event["subject"]), (&json!("resource.deleted"), &json!(id)));
    let end_user = deployment.person(&tenant, "end_user", "ada");
    assert_eq!(event["details"], json!({ "kind": "workspace", "end_user": end_user }));
    for (kind, path, body) in [
        ("document", "/api/v1/documents", json!({ "name": "a" })),
        ("agent_session", "/api/v1/agent-sessions", json!({})),
    ] {
        let made = deployment.account_for(&key, "ada", "POST", path).json(&body).send().await;
        let id = made.document(201)["id"].clone();
        let path = format!("{path}/{}", id.as_str().unwrap());
        deployment.account_for(&key, "ada", "DELETE", &path).send().await.document(200);
        let events = deployment.audit_events(&tenant).await;
        let event = events.last().unwrap();
        assert_eq!((&event["action"], &event["subject"]), (&json!("resource.deleted"), &id));
        assert_eq!(event["details"], json!({ "kind": kind, "end_user": end_user }));
    }
}
