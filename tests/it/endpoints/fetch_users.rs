//! `GET /api/v1/fetch/users`

use serde_json::{Value, json};

use crate::support::lists::{check_forty_five, check_refusals, next, pages};
use crate::support::{Call, Deployment, ROLE, Tenant};

fn ask<'a>(deployment: &'a Deployment, tenant: &Tenant) -> impl Fn(&str) -> Call + 'a {
    let path = format!("/api/v1/fetch/users?tenant_id={}", tenant.id);
    move |query| deployment.operator("GET", &format!("{path}&{query}"))
}

async fn rows(deployment: &Deployment, tenant: &Tenant) -> Vec<Value> {
    pages("users", 100, ask(deployment, tenant)).await.into_iter().flatten().collect()
}

#[tokio::test]
async fn users_of_all_organizations_are_listed_newest_first_without_loss_or_repeat() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let mut ids = Vec::new();
    for organization in ["one", "two"] {
        let fields = json!({ "name": organization, "externalId": organization });
        deployment.register_organization(&key, &fields).await.data(200);
    }
    for n in 0..45 {
        let organization = if n % 2 == 0 { "one" } else { "two" };
        let mut fields = json!({ "name": "n", "projectOrganizationId": organization });
        if n % 3 > 0 {
            fields["externalId"] = n.to_string().into();
        }
        let answer = deployment.register_user(&key, &fields).await;
        ids.push(answer.data(200)["userId"].as_str().unwrap().to_owned());
    }
    check_forty_five("users", "id", &ids, ask(&deployment, &tenant)).await;
}

#[tokio::test]
async fn a_row_says_what_is_registered_and_when_it_changed_and_nothing_of_its_properties() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let member = deployment.member(&key, "acme", "ada").await;
    let mut expected = rows(&deployment, &tenant).await[0].clone();
    let new = json!({
        "id": member.user_id,
        "external_id": "ada",
        "organization_id": member.organization_id,
        "role_id": ROLE,
        "name": "ada",
        "created_at": expected["created_at"],
        "updated_at": null,
        "tokens_revoked_before": null,
        "last_token_on": null,
    });
    assert_eq!(expected, new);
    let role = "11111111-2222-4333-8444-555555555555";
    let fields = json!({
        "name": "Ada",
        "externalId": "ada",
        "projectOrganizationId": "acme",
        "userRoleId": role,
        "properties": { "hidden": "from lists" },
    });
    deployment.register_user(&key, &fields).await.data(200);
    let revoked = deployment.revoke_tokens(&tenant, &json!({ "user_id": member.user_id })).await;
    let row = rows(&deployment, &tenant).await[0].clone();
    assert!(row["updated_at"].as_str() >= expected["created_at"].as_str());
    expected["name"] = "Ada".into();
    expected["role_id"] = role.into();
    expected["updated_at"] = row["updated_at"].clone();
    expected["tokens_revoked_before"] = revoked.data(200)["revoked_before"].clone();
    assert_eq!(row, expected);
    assert!(!ask(&deployment, &tenant)("limit=1").send().await.text.contains("hidden"));
}

#[tokio::test]
async fn the_day_of_the_last_token_is_noted_once_a_day_whatever_the_user_is_called_by() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let member = deployment.member(&key, "acme", "ada").await;
    let noted = || async { rows(&deployment, &tenant).await[0]["last_token_on"].clone() };
    assert!(noted().await.is_null());
    let ask = |user: &str| {
        let body = json!({ "userId": user, "organizationId": "acme" });
        deployment.backend(&key, "POST", "/v1/api/projects/user-token").json(&body)
    };
    let writes = |user: String| {
        let call = ask(&user);
        async {
            let (answer, calls) = deployment.calls_of(call).await;
            answer.data(200);
            calls.iter().filter(|call| call.operation == "TransactWriteItems").count()
        }
    };
    // That of the user, and that of the organization.
    assert_eq!(writes("ada".to_owned()).await, 2);
    let day = noted().await;
    let organizations = deployment.get(&format!("/api/v1/fetch/organizations?tenant_id={}", tenant.id)).await;
    assert_eq!(organizations.data(200)["organizations"][0]["last_token_on"], day);
    // The answer's day, by the clock of whoever issued the token.
    let claims = deployment.introspect(&key, &deployment.token(&key, &member).await).await;
    let issued = shared::domain::Timestamp::from_millis(claims["iat"].as_i64().unwrap() * 1000).to_string();
    assert!(issued.starts_with(day.as_str().unwrap()), "{day} {issued}");
    for name in ["ada".to_owned(), member.user_id.clone()] {
        assert_eq!(writes(name).await, 0);
    }
    // On another day it is noted again, for both of its names.
    for item in
        deployment.items().await.iter().filter(|item| item["details"]["M"]["record_id"]["S"] == member.user_id.as_str())
    {
        let pk = item["pk"]["S"].as_str().unwrap();
        deployment.set(pk, "USER", "details.last_token_on", &json!({ "S": "2026-01-01" })).await;
    }
    assert_eq!(noted().await, "2026-01-01");
    assert_eq!(writes(member.user_id.clone()).await, 1);
    assert_eq!(writes("ada".to_owned()).await, 0);
    assert_ne!(noted().await, "2026-01-01");
}

#[tokio::test]
async fn cursors_of_other_lists_and_tenants_are_refused() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Other").await);
    for tenant in [&tenant, &other] {
        let key = deployment.api_key(tenant, "admin").await;
        for n in ["1", "2"] {
            deployment.member(&key, n, n).await;
        }
    }
    let own = next(&ask(&deployment, &tenant)("limit=1").send().await);
    ask(&deployment, &tenant)(&format!("cursor={own}")).send().await.data(200);
    let organizations = format!("/api/v1/fetch/organizations?tenant_id={}&limit=1", tenant.id);
    let foreign = [
        next(&ask(&deployment, &other)("limit=1").send().await),
        next(&deployment.get(&organizations).await),
        next(&deployment.get("/api/v1/fetch/tenants?limit=1").await),
    ];
    check_refusals(&foreign, ask(&deployment, &tenant)).await;
}

#[tokio::test]
async fn another_tenants_users_never_appear_and_an_unknown_tenant_has_no_list() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Other").await);
    let (key, others) = (deployment.api_key(&tenant, "admin").await, deployment.api_key(&other, "admin").await);
    let theirs = deployment.member(&others, "acme", "ada").await;
    assert!(rows(&deployment, &tenant).await.is_empty());
    let ours = deployment.member(&key, "acme", "ada").await;
    for (tenant, member) in [(&tenant, ours), (&other, theirs)] {
        let rows = rows(&deployment, tenant).await;
        assert_eq!(rows.iter().map(|row| row["id"].as_str().unwrap()).collect::<Vec<_>>(), [member.user_id]);
    }
    for id in ["tnt_unknown", "tnt_00000000000000000000000000000000"] {
        let ghost = Tenant { id: id.to_owned(), secret: String::new() };
        ask(&deployment, &ghost)("limit=1").send().await.refused(404, "tenant_not_found");
    }
}
