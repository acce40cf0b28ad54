//! `POST /api/v1/relay/prepare-pairing`

use serde_json::{Value, json};

use crate::support::phone::handle_of;
use crate::support::{Deployment, with};

fn body() -> Value {
    json!({
        "user_socket_hash": "socket", "backend_user_id": "ada", "display_name": "Ada Lovelace",
        "user_email": "ada@example.com",
    })
}

#[tokio::test]
async fn a_pairing_has_an_address_a_code_and_a_proof_and_the_person_keeps_its_id() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Beta").await);
    let first = deployment.prepared(&tenant, "ada").await;
    let url = first["pairing_url"].as_str().unwrap();
    assert!(url.starts_with(&format!("{}/p#", deployment.stack.url())) && url.len() <= 120, "{url}");
    assert_eq!((handle_of(&first).len(), &first["expires_in"]), (22, &json!(300)));
    let svg = first["pairing_qr_svg"].as_str().unwrap();
    assert!(svg.starts_with("<svg ") && !svg.contains("style") && !svg.contains("script"));
    let linked = first["relay_user_linked_id"].as_str().unwrap();
    assert_eq!(linked.len(), 24);
    let proof = first["pairing_proof"].as_str().unwrap();
    assert_eq!(proof.split('.').count(), 3);
    let second = deployment.prepared(&tenant, "ada").await;
    assert_eq!(second["relay_user_linked_id"], linked);
    assert_ne!(second["pairing_url"], first["pairing_url"]);
    for (tenant, user) in [(&tenant, "bob"), (&other, "ada")] {
        assert_ne!(deployment.prepared(tenant, user).await["relay_user_linked_id"], linked);
    }
}

#[tokio::test]
async fn an_address_is_kept_masked_only() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let contact = json!({ "user_phone": "+44 20 7946 0034", "first_name": "Augusta", "last_name": "King" });
    deployment.relay(&tenant, "prepare-pairing", &with(&body(), &contact)).send().await.data(201);
    let items = serde_json::to_string(&deployment.items().await).unwrap();
    for kept in ["a***@e***.com", "***34", "Ada Lovelace"] {
        assert!(items.contains(kept), "{kept}");
    }
    for gone in ["ada@example.com", "7946", "Augusta", "King"] {
        assert!(!items.contains(gone) && !deployment.stack.output().contains(gone), "{gone}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_field_is_told_by_its_name() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let before = deployment.items().await.len();
    for (field, value) in [
        ("user_socket_hash", json!("")),
        ("user_socket_hash", json!(null)),
        ("backend_user_id", json!("")),
        ("backend_user_id", json!(7)),
        ("display_name", json!("")),
        ("display_name", json!("a".repeat(121))),
        ("user_email", json!("ada")),
        ("user_email", json!(null)),
        ("user_phone", json!("12")),
        ("display_logo_url", json!("http://example.com/logo.png")),
    ] {
        let body = with(&body(), &json!({ field: value }));
        deployment.relay(&tenant, "prepare-pairing", &body).send().await.names(field);
    }
    let items = deployment.items().await;
    let nonces = items.iter().filter(|item| item["pk"]["S"].as_str().unwrap().contains("#NONCE#")).count();
    assert_eq!(items.len() - nonces, before);
}
