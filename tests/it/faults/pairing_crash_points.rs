//! Every point at which a process can die while a phone is paired, renewed or removed. Each of the three is one
//! transaction, so that a device is in its own item, in its person's, in the audit and in what is owed, or in none.

use serde_json::json;
use stack::CrashMode;

use crate::support::phone::{Phone, handle_of};
use crate::support::{Call, Deployment, Tenant};

const MODES: [CrashMode; 2] = [CrashMode::NotSent, CrashMode::DoneButNoAnswer];

/// Where a process can die: at each of its first eight calls to AWS, before or after.
fn points() -> impl Iterator<Item = (usize, CrashMode)> {
    (0..8).flat_map(|index| MODES.map(|mode| (index, mode)))
}

/// How many devices the tenant's people have, after checking that all items agree and that the audit tells of each.
async fn devices(deployment: &Deployment, tenant: &Tenant, label: &str) -> usize {
    let items = deployment.items().await;
    let own = format!("TENANT#{}#", tenant.id);
    let of = |beginning: &str| {
        let beginning = format!("{own}{beginning}");
        items.iter().filter(move |item| item["pk"]["S"].as_str().unwrap().starts_with(&beginning))
    };
    let devices = of("DEVICE#").count();
    for beginning in ["PERSON#", "PERSON@"] {
        let known: usize = of(beginning).map(|item| item["devices"]["M"].as_object().unwrap().len()).sum();
        assert_eq!(known, devices, "{label}: {beginning}");
    }
    let trail = deployment.audit_trail(tenant).await;
    let told = |action: &str| trail.iter().filter(|told| *told == action).count();
    assert_eq!(told("device.paired") - told("device.removed"), devices, "{label}");
    let owed = deployment.owed(tenant).await;
    let of = |event: &str| owed.iter().filter(|body| body["type"] == event).count();
    let events = ["pairing.created", "pairing.removed"].map(of);
    assert_eq!(events, ["device.paired", "device.removed"].map(told), "{label}");
    devices
}

/// A tenant that wants to know of its people's devices.
async fn tenant(deployment: &Deployment) -> Tenant {
    deployment.stack.streams().stop().await;
    let tenant = deployment.provision("Acme").await;
    deployment.update(&tenant, &json!({ "callback_url_base": "http://127.0.0.1:9" })).await.data(200);
    tenant
}

/// Sends a call while the function dies at its call to AWS of that number. Whether it died.
async fn interrupted(deployment: &Deployment, function: &str, call: Call, (index, mode): (usize, CrashMode)) -> bool {
    let injected = deployment.stack.faults().kill(function, index, mode);
    call.send_raw().await;
    deployment.stack.faults().clear();
    injected.fired() > 0
}

#[tokio::test]
async fn a_pairing_is_prepared_whole_or_not_at_all_and_may_be_repeated() {
    let deployment = Deployment::start().await;
    let mut crashes = 0;
    for point in points() {
        let tenant = tenant(&deployment).await;
        let call = deployment.prepare(&tenant, "ada");
        crashes += usize::from(interrupted(&deployment, "relay-prepare-pairing", call, point).await);
        let phone = deployment.paired(&tenant, "ada").await;
        deployment.pairings(&phone).await.data(200);
        let items = deployment.items().await;
        let own = format!("TENANT#{}#PERSON", tenant.id);
        let people = items.iter().filter(|item| item["pk"]["S"].as_str().unwrap().starts_with(&own)).count();
        assert_eq!(people, 2, "{point:?}: one person, under both names");
    }
    assert!(crashes >= 8, "{crashes}");
}

#[tokio::test]
async fn a_phone_is_paired_whole_or_not_at_all_and_its_handle_still_good_if_it_is_not() {
    let deployment = Deployment::start().await;
    let mut crashes = 0;
    for point in points() {
        let label = format!("{point:?}");
        let tenant = tenant(&deployment).await;
        let handle = handle_of(&deployment.prepared(&tenant, "ada").await);
        let call = deployment.register_phone(&Phone::default(), &handle).await;
        crashes += usize::from(interrupted(&deployment, "device-register-token", call, point).await);
        let paired = devices(&deployment, &tenant, &label).await;
        let retry = deployment.register_phone(&Phone::default(), &handle).await.send().await;
        assert_eq!(retry.status, if paired == 0 { 201 } else { 404 }, "{label}: {}", retry.text);
        assert_eq!(devices(&deployment, &tenant, &label).await, 1, "{label}");
    }
    assert!((6..16).contains(&crashes), "{crashes}");
}

#[tokio::test]
async fn a_phone_is_removed_whole_or_not_at_all_from_either_side() {
    let deployment = Deployment::start().await;
    let mut crashes = 0;
    for (point, by_tenant) in points().flat_map(|point| [false, true].map(|by_tenant| (point, by_tenant))) {
        let label = format!("{point:?} {by_tenant}");
        let tenant = tenant(&deployment).await;
        let phone = deployment.paired(&tenant, "ada").await;
        let body = json!({ "backend_user_id": "ada", "device_id": phone.device_id });
        let (function, call) = if by_tenant {
            ("relay-revoke-device", deployment.relay(&tenant, "revoke/device", &body))
        } else {
            ("device-unpair", deployment.phone(&phone, "POST", "/api/v1/device/unpair").await)
        };
        crashes += usize::from(interrupted(&deployment, function, call, point).await);
        let left = devices(&deployment, &tenant, &label).await;
        let answer = deployment.pairings(&phone).await;
        assert_eq!(answer.status, if left == 1 { 200 } else { 401 }, "{label}: {}", answer.text);
        if left == 1 {
            deployment.relay(&tenant, "revoke/device", &body).send().await.data(200);
        }
        assert_eq!(devices(&deployment, &tenant, &label).await, 0, "{label}");
    }
    assert!(crashes >= 16, "{crashes}");
}

#[tokio::test]
async fn a_renewal_whose_answer_is_lost_leaves_the_phone_paired() {
    let deployment = Deployment::start().await;
    let mut crashes = 0;
    for point in points() {
        let label = format!("{point:?}");
        let tenant = tenant(&deployment).await;
        let phone = deployment.paired(&tenant, "ada").await;
        let path = "/api/v1/device/refresh-token";
        let call = deployment.phone(&phone, "POST", path).await;
        crashes += usize::from(interrupted(&deployment, "device-refresh-token", call, point).await);
        let again = deployment.phone(&phone, "POST", path).await.send().await;
        let token = again.data(200)["device_session_token"].as_str().unwrap().to_owned();
        deployment.pairings(&Phone { token, ..phone }).await.data(200);
        assert_eq!(devices(&deployment, &tenant, &label).await, 1, "{label}");
    }
    assert!((4..16).contains(&crashes), "{crashes}");
}

#[tokio::test]
async fn a_proof_is_used_up_with_what_was_done_by_it_or_not_at_all() {
    let deployment = Deployment::start().await;
    let (mut crashes, mut repeated) = (0, 0);
    for (point, path) in points().flat_map(|point| ["pairings", "refresh-token", "rename"].map(|path| (point, path))) {
        let label = format!("{point:?} {path}");
        let tenant = tenant(&deployment).await;
        let phone = deployment.paired(&tenant, "ada").await;
        let method = if path == "pairings" { "GET" } else { "POST" };
        let call = deployment.phone(&phone, method, &format!("/api/v1/device/{path}")).await;
        let call = if path == "rename" { call.json(&json!({ "name": "Ada's Pixel" })) } else { call };
        let function = format!("device-{path}");
        let before = used_proofs(&deployment, &tenant).await;
        crashes += usize::from(interrupted(&deployment, &function, call.clone(), point).await);
        let is_used = used_proofs(&deployment, &tenant).await > before;
        let again = call.send().await;
        assert_eq!(again.status, if is_used { 401 } else { 200 }, "{label}: {}", again.text);
        repeated += usize::from(!is_used);
    }
    assert!(crashes >= 12 && repeated >= 6, "{crashes} {repeated}");
}

async fn used_proofs(deployment: &Deployment, tenant: &Tenant) -> usize {
    let own = format!("TENANT#{}#PROOF#", tenant.id);
    deployment.items().await.iter().filter(|item| item["pk"]["S"].as_str().unwrap().starts_with(&own)).count()
}
