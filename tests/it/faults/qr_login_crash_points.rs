//! Every point at which a process can die while a QR login begins, is scanned, decided, handed out or ended. Each is
//! one transaction, so that a login is in the phase that its callback tells of, and a call that is made again comes to
//! an end.

use serde_json::{Value, json};
use stack::{CrashMode, Invocation, scheduled_event};

use crate::support::qr::QrLogin;
use crate::support::{Call, Deployment, Tenant};

const MODES: [CrashMode; 2] = [CrashMode::NotSent, CrashMode::DoneButNoAnswer];

/// Where a process can die: at each of its first seven calls to AWS, before or after.
fn points() -> impl Iterator<Item = (usize, CrashMode)> {
    (0..7).flat_map(|index| MODES.map(|mode| (index, mode)))
}

/// Sends a call while the function dies at its call to AWS of that number. Whether it died.
async fn interrupted(deployment: &Deployment, function: &str, call: Call, (index, mode): (usize, CrashMode)) -> bool {
    let injected = deployment.stack.faults().kill(function, index, mode);
    call.send_raw().await;
    deployment.stack.faults().clear();
    injected.fired() > 0
}

/// The phase of a login, after checking that the callbacks tell of it and of nothing else.
async fn phase(deployment: &Deployment, login: &QrLogin, label: &str) -> String {
    let items = deployment.items().await;
    let item = items.iter().find(|item| item["pk"]["S"] == login.place().as_str()).unwrap();
    let phase = item["qr_phase"]["S"].as_str().unwrap().to_owned();
    let about = |item: &&Value| item["body"]["S"].as_str().is_some_and(|body| body.contains(&login.session_id));
    let told: Vec<_> = items.iter().filter(about).map(|item| item["event_type"]["S"].as_str().unwrap()).collect();
    let expected: &[&str] = match phase.as_str() {
        "approved" | "consumed" => &["qr_login.approved"],
        "denied" => &["qr_login.denied"],
        "expired" => &["qr_login.expired"],
        _ => &[],
    };
    assert_eq!(told, expected, "{label}: {phase}");
    // What is decided is not to be ended by the sweep, and everything else is.
    assert_eq!(item.get("due_at").is_some(), matches!(phase.as_str(), "waiting" | "scanned"), "{label}: {phase}");
    phase
}

async fn tenant(deployment: &Deployment) -> Tenant {
    deployment.stack.streams().stop().await;
    deployment.with_qr_logins(&json!({ "callback_url_base": "http://127.0.0.1:9", "qr_sessions_per_address": 2 })).await
}

#[tokio::test]
async fn a_login_begins_whole_or_not_at_all() {
    let deployment = Deployment::start().await;
    let mut crashes = 0;
    for point in points() {
        let tenant = tenant(&deployment).await;
        let call = deployment.initiate(&tenant, &json!({ "browser_ip": "192.0.2.1" }));
        crashes += usize::from(interrupted(&deployment, "qr-login-initiate", call, point).await);
        let items = deployment.items().await;
        let own = format!("TENANT#{}#", tenant.id);
        let of = |sort: &str| {
            let is_own = |item: &&Value| item["pk"]["S"].as_str().unwrap().starts_with(&own);
            items.iter().filter(is_own).find(|item| item["sk"]["S"] == sort)
        };
        let (login, live) = (of("QRLOGIN"), of("QRLOGINS"));
        assert_eq!(login.is_some(), live.is_some(), "{point:?}: a login and its place among the live ones");
        // Whoever did not hear of one begins another.
        deployment.qr_login(&tenant, &json!({ "browser_ip": "192.0.2.1" })).await;
    }
    assert!((8..14).contains(&crashes), "{crashes}");
}

#[tokio::test]
async fn a_scan_whose_answer_is_lost_is_made_again() {
    let deployment = Deployment::start().await;
    let tenant = tenant(&deployment).await;
    let phone = deployment.paired(&tenant, "ada").await;
    let mut crashes = 0;
    for point in points() {
        let label = format!("{point:?}");
        let login = deployment.qr_login(&tenant, &json!({})).await;
        let call = deployment.scan(&phone, &login.read()).await;
        crashes += usize::from(interrupted(&deployment, "device-qr-scan", call, point).await);
        assert!(["waiting", "scanned"].contains(&phase(&deployment, &login, &label).await.as_str()));
        let scanned = deployment.scanned(&phone, &login).await;
        assert_eq!(phase(&deployment, &login, &label).await, "scanned");
        assert_eq!(deployment.decides(&phone, &scanned, "approve").await.data(200)["phase"], "approved", "{label}");
    }
    assert!((6..14).contains(&crashes), "{crashes}");
}

#[tokio::test]
async fn a_decision_whose_answer_is_lost_is_made_again_and_told_once() {
    let deployment = Deployment::start().await;
    let tenant = tenant(&deployment).await;
    let phone = deployment.paired(&tenant, "ada").await;
    let mut crashes = 0;
    for (point, decision) in points().flat_map(|point| ["approve", "deny"].map(|decision| (point, decision))) {
        let label = format!("{point:?} {decision}");
        let login = deployment.qr_login(&tenant, &json!({})).await;
        let scanned = deployment.scanned(&phone, &login).await;
        let number = deployment.number_of(&login).await;
        let statement = phone.states(&scanned.claims(&deployment, &phone, decision, Some(&number)));
        let call = deployment.decide(&phone, &login.session_id, &statement).await;
        crashes += usize::from(interrupted(&deployment, "device-qr-decide", call, point).await);
        let left = phase(&deployment, &login, &label).await;
        let outcome = if decision == "approve" { "approved" } else { "denied" };
        assert!([outcome, "scanned"].contains(&left.as_str()), "{label}: {left}");
        let again = deployment.decide(&phone, &login.session_id, &statement).await.send().await;
        assert_eq!(again.data(200)["phase"], outcome, "{label}");
        assert_eq!(phase(&deployment, &login, &label).await, outcome);
    }
    assert!((12..28).contains(&crashes), "{crashes}");
}

#[tokio::test]
async fn a_result_whose_answer_is_lost_is_handed_out_again() {
    let deployment = Deployment::start().await;
    let tenant = tenant(&deployment).await;
    let phone = deployment.paired(&tenant, "ada").await;
    let mut crashes = 0;
    for point in points() {
        let label = format!("{point:?}");
        let login = deployment.qr_login(&tenant, &json!({})).await;
        deployment.approved(&phone, &login).await;
        crashes += usize::from(interrupted(&deployment, "qr-login-poll", deployment.poll(&login), point).await);
        assert!(["approved", "consumed"].contains(&phase(&deployment, &login, &label).await.as_str()));
        let again = deployment.poll(&login).send().await;
        assert_eq!(again.data(200)["backend_user_id"], "ada", "{label}");
        assert_eq!(phase(&deployment, &login, &label).await, "consumed");
        assert_eq!(deployment.poll(&login).send().await.text, again.text);
    }
    assert!((4..14).contains(&crashes), "{crashes}");
}

#[tokio::test]
async fn a_login_is_ended_and_told_whole_or_not_at_all() {
    let deployment = Deployment::start().await;
    let tenant = tenant(&deployment).await;
    let mut crashes = 0;
    for point in (0..20).flat_map(|index| MODES.map(|mode| (index, mode))) {
        let label = format!("{point:?}");
        let login = deployment.qr_login(&tenant, &json!({})).await;
        for attribute in ["expires_at", "due_at"] {
            deployment.set(&login.place(), "QRLOGIN", attribute, &json!({ "N": "1" })).await;
        }
        let injected = deployment.stack.faults().kill("deliver-callbacks", point.0, point.1);
        let _ = deployment.stack.invoke("deliver-callbacks", scheduled_event(), Invocation::default()).await;
        deployment.stack.faults().clear();
        crashes += usize::from(injected.fired() > 0);
        assert!(["waiting", "expired"].contains(&phase(&deployment, &login, &label).await.as_str()));
        deployment.sweep().await;
        assert_eq!(phase(&deployment, &login, &label).await, "expired", "{label}");
    }
    assert!(crashes >= 20, "{crashes}");
}
