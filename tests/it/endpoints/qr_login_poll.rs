//! `GET /api/v1/relay/qr-login/poll`

use serde_json::json;

use crate::support::Deployment;
use crate::support::qr::ORIGIN;

#[tokio::test]
async fn a_login_is_shown_scanned_approved_and_its_result_handed_out_once() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    let phone = deployment.paired(&tenant, "ada").await;
    let login = deployment.qr_login(&tenant, &json!({})).await;
    let waiting = deployment.polled(&login).await;
    let data = waiting.data(200);
    assert_eq!((&data["status"], &data["phase"]), (&json!("pending"), &json!("waiting")));
    assert_eq!(data["qr_code_str"], login.code);
    assert!(data["qr_svg"].as_str().unwrap().starts_with("<svg "));
    let scanned = deployment.scanned(&phone, &login).await;
    let shown = deployment.polled(&login).await;
    assert_eq!((&shown.data(200)["status"], &shown.data(200)["phase"]), (&json!("pending"), &json!("scanned")));
    assert!(shown.data(200)["qr_code_str"].is_null());
    assert_eq!(deployment.decides(&phone, &scanned, "approve").await.data(200), &json!({ "phase": "approved" }));
    let result = deployment.poll(&login).send().await;
    let data = result.data(200);
    assert_eq!((&data["status"], &data["backend_user_id"]), (&json!("approved"), &json!("ada")));
    assert_eq!((&data["device_id"], scanned.data["origin"].as_str()), (&json!(phone.device_id), Some(ORIGIN)));
    assert!(data.get("cnf").is_none() && data["decision"].as_str().unwrap().split('.').count() == 3);
    // The answer may have been lost.
    assert_eq!(deployment.poll(&login).send().await.text, result.text);
    let long_ago = json!({ "N": "1" });
    deployment.set(&login.place(), "QRLOGIN", "consumed_at", &long_ago).await;
    deployment.poll(&login).send().await.refused(410, "qr_login_gone");
}
