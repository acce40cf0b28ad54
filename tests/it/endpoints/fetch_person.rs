//! `GET /api/v1/fetch/person`

use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Tenant};

async fn person(deployment: &Deployment, tenant: &Tenant, query: &str) -> Answer {
    deployment.get(&format!("/api/v1/fetch/person?tenant_id={}{query}", tenant.id)).await
}

#[tokio::test]
async fn a_person_has_the_devices_and_passkeys_that_its_tenant_sees_by_either_id() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let phones = [deployment.paired(&tenant, "ada").await, deployment.paired(&tenant, "ada").await];
    let first = deployment.enrol(&tenant, "ada", 0).await;
    deployment.enrol(&tenant, "ada", 0).await;
    deployment.enrol(&tenant, "bob", 0).await;
    let revoke = json!({ "backend_user_id": "ada", "credential_id": first.credential_id() });
    deployment.webauthn(&tenant, "revoke/passkey", &revoke).send().await.data(200);
    let ada = json!({ "backend_user_id": "ada" });
    let pairings = deployment.relay(&tenant, "fetch/pairings", &ada).send().await.data(200).clone();
    let passkeys = deployment.webauthn(&tenant, "fetch/passkeys", &ada).send().await.data(200).clone();
    let answer = person(&deployment, &tenant, "&backend_user_id=ada").await;
    let linked = pairings["relay_user_linked_id"].as_str().unwrap();
    let expected = json!({
        "relay_user_linked_id": linked,
        "backend_user_id": "ada",
        "devices": pairings["pairings"],
        "passkeys": passkeys["passkeys"],
    });
    assert_eq!(answer.data(200), &expected);
    assert_eq!(expected["devices"].as_array().unwrap().len(), 2);
    assert_eq!(expected["passkeys"].as_array().unwrap().len(), 2);
    for phone in &phones {
        assert!(answer.text.contains(&phone.device_id));
    }
    for query in
        [format!("&relay_user_linked_id={linked}"), format!("&relay_user_linked_id={linked}&backend_user_id=ada")]
    {
        assert_eq!(person(&deployment, &tenant, &query).await.data(200), &expected);
    }
    // What it logs in with is there for the operator to see while its tenant may not call.
    deployment.suspend(&tenant).await.data(200);
    assert_eq!(person(&deployment, &tenant, "&backend_user_id=ada").await.data(200), &expected);
}

#[tokio::test]
async fn somebody_who_has_neither_is_there_once_the_tenant_has_named_the_person() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    person(&deployment, &tenant, "&backend_user_id=ada").await.refused(404, "person_not_found");
    let prepared = deployment.prepared(&tenant, "ada").await;
    let answer = person(&deployment, &tenant, "&backend_user_id=ada").await;
    let expected = json!({
        "relay_user_linked_id": prepared["relay_user_linked_id"],
        "backend_user_id": "ada",
        "devices": [],
        "passkeys": [],
    });
    assert_eq!(answer.data(200), &expected);
}

#[tokio::test]
async fn nobody_of_another_tenant_is_found_and_what_names_nobody_is_refused() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Beta").await);
    let of = async |tenant: &Tenant, user: &str| -> Value {
        deployment.prepared(tenant, user).await["relay_user_linked_id"].clone()
    };
    let (ada, bob) = (of(&tenant, "ada").await, of(&tenant, "bob").await);
    let (ada, bob) = (ada.as_str().unwrap(), bob.as_str().unwrap());
    for query in [
        "&backend_user_id=ada".to_owned(),
        format!("&relay_user_linked_id={ada}"),
        format!("&relay_user_linked_id={ada}&backend_user_id=ada"),
    ] {
        person(&deployment, &other, &query).await.refused(404, "person_not_found");
        person(&deployment, &tenant, &query).await.data(200);
        for id in ["tnt_unknown", "tnt_00000000000000000000000000000000"] {
            let ghost = Tenant { id: id.to_owned(), secret: String::new() };
            person(&deployment, &ghost, &query).await.refused(404, "tenant_not_found");
        }
    }
    let mixed = format!("&relay_user_linked_id={bob}&backend_user_id=ada");
    person(&deployment, &tenant, &mixed).await.refused(404, "person_not_found");
    for (query, field) in [
        ("", "backend_user_id"),
        ("&backend_user_id=", "backend_user_id"),
        ("&relay_user_linked_id=ada", "relay_user_linked_id"),
        ("&user=ada", "user"),
    ] {
        person(&deployment, &tenant, query).await.names(field);
    }
}
