//! Every point at which a process can die while a passkey is registered or revoked. Each of the two is one transaction,
//! so that a passkey is in its own item, in its person's, in the count, in the audit and in what is owed, or in none of
//! them.

use serde_json::{Value, json};
use stack::CrashMode;

use crate::support::authenticator::Authenticator;
use crate::support::passkeys::ORIGIN;
use crate::support::{Call, Deployment, Tenant};

/// How many passkeys of the tenant are in use, after checking that all items agree, and how many audit events say so.
async fn in_use(deployment: &Deployment, tenant: &Tenant, label: &str) -> (usize, usize) {
    let items = deployment.items().await;
    let own = format!("TENANT#{}", tenant.id);
    let of = |beginning: &str| {
        let beginning = format!("{own}#{beginning}");
        items.iter().filter(move |item| item["pk"]["S"].as_str().unwrap().starts_with(&beginning)).collect::<Vec<_>>()
    };
    let passkeys = of("PASSKEY#");
    let live = passkeys.iter().filter(|item| item.get("revoked_at").is_none()).count();
    let counts = of("PASSKEYS").into_iter().map(|item| item["passkeys_in_use"]["N"].as_str().unwrap().to_owned());
    assert_eq!(counts.map(|count| count.parse::<usize>().unwrap()).sum::<usize>(), live, "{label}");
    for (beginning, map, expected) in [
        ("PERSON#", "passkeys", live),
        ("PERSON@", "passkeys", live),
        ("PERSON#", "revoked_passkeys", passkeys.len() - live),
        ("PERSON@", "revoked_passkeys", passkeys.len() - live),
    ] {
        let known = of(beginning).into_iter().map(|item| item[map]["M"].as_object().unwrap().len());
        assert_eq!(known.sum::<usize>(), expected, "{label}: {beginning} {map}");
    }
    let trail = deployment.audit_trail(tenant).await;
    let audited: Vec<_> = trail.into_iter().filter(|action| action.starts_with("passkey.")).collect();
    let owed = deployment.owed(tenant).await;
    let told: Vec<_> = owed.iter().map(|body| body["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, audited, "{label}");
    (live, audited.len())
}

/// A tenant that wants to know of what it has audit events of.
async fn tenant(deployment: &Deployment) -> Tenant {
    deployment.stack.streams().stop().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let types = ["passkey.registered", "passkey.revoked"];
    let wanted = json!({ "callback_url_base": "http://127.0.0.1:9", "callback_types": types });
    deployment.update(&tenant, &wanted).await.data(200);
    tenant
}

/// Sends a call while the function dies at its call to AWS of that number. Whether it died.
async fn interrupted(deployment: &Deployment, function: &str, call: Call, index: usize, mode: CrashMode) -> bool {
    let injected = deployment.stack.faults().kill(function, index, mode);
    call.send_raw().await;
    deployment.stack.faults().clear();
    injected.fired() > 0
}

const MODES: [CrashMode; 2] = [CrashMode::NotSent, CrashMode::DoneButNoAnswer];

#[tokio::test]
async fn a_registration_is_whole_or_not_at_all_and_its_response_still_good_if_it_is_not() {
    let deployment = Deployment::start().await;
    let mut crashes = 0;
    for (index, mode) in (0..8).flat_map(|index| MODES.map(|mode| (index, mode))) {
        let label = format!("{index} {mode:?}");
        let tenant = tenant(&deployment).await;
        let options = deployment.creation_options(&tenant, "ada").await;
        let (mut passkey, credential) = Authenticator::create(&options, ORIGIN, 0);
        let call = deployment.register(&tenant, &credential);
        crashes += usize::from(interrupted(&deployment, "webauthn-register-verify", call, index, mode).await);
        let (live, events) = in_use(&deployment, &tenant, &label).await;
        assert_eq!(live, events, "{label}");
        let retry = deployment.register(&tenant, &credential).send().await;
        // What took effect without an answer is there, and its response is used up.
        retry_is(&retry.body, live == 0, &label);
        assert_eq!(in_use(&deployment, &tenant, &label).await, (1, 1), "{label}");
        deployment.log_in(&tenant, &mut passkey).await.data(200);
    }
    assert!((8..16).contains(&crashes), "{crashes}");
}

fn retry_is(body: &Value, accepted: bool, label: &str) {
    assert_eq!(body["success"], accepted, "{label}: {body}");
    assert!(accepted || body["error"]["code"] == "credential_refused", "{label}: {body}");
}

#[tokio::test]
async fn a_revocation_is_whole_or_not_at_all_and_may_be_repeated() {
    let deployment = Deployment::start().await;
    let mut crashes = 0;
    for (index, mode) in (0..8).flat_map(|index| MODES.map(|mode| (index, mode))) {
        let label = format!("{index} {mode:?}");
        let tenant = tenant(&deployment).await;
        let mut passkey = deployment.enrol(&tenant, "ada", 0).await;
        let body = json!({ "backend_user_id": "ada", "credential_id": passkey.credential_id() });
        let revoke = || deployment.webauthn(&tenant, "revoke/passkey", &body);
        crashes += usize::from(interrupted(&deployment, "webauthn-revoke-passkey", revoke(), index, mode).await);
        let (live, events) = in_use(&deployment, &tenant, &label).await;
        assert_eq!(live + events, 2, "{label}");
        revoke().send().await.data(200);
        assert_eq!(in_use(&deployment, &tenant, &label).await, (0, 2), "{label}");
        deployment.log_in(&tenant, &mut passkey).await.refused(401, "credential_refused");
    }
    assert!((8..16).contains(&crashes), "{crashes}");
}
