//! `GET /api/v1/relay/whoami`

use serde_json::json;

use crate::support::{Answer, Call, Deployment, Signing, Tenant};

fn whoami(deployment: &Deployment, signing: &Signing) -> Call {
    deployment.anonymous("GET", "/api/v1/relay/whoami").signed(signing)
}

async fn ask(deployment: &Deployment, tenant: &Tenant) -> Answer {
    whoami(deployment, &tenant.signing()).send().await
}

#[tokio::test]
async fn a_tenant_learns_who_it_is_and_what_is_left() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for used in 1..=3 {
        let answer = ask(&deployment, &tenant).await;
        let data = answer.data(200);
        assert_eq!((&data["tenant_id"], &data["tenant_name"]), (&json!(tenant.id), &json!("Acme")));
        assert_eq!((&data["rate_limit_per_min"], &data["remaining"]), (&json!(60), &json!(60 - used)));
        assert_eq!(
            (&data["signing_version"], &data["signed_with"], &data["secret"]),
            (&json!("v1"), &json!("v1"), &json!("current"))
        );
        assert!(data["previous_secret_valid_until"].is_null());
        assert_eq!(answer.headers["ratelimit-policy"], "\"relay\";q=60;w=60");
    }
    println!("{:?}", deployment.state(&tenant.id).await);
}
