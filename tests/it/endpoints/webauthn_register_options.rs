//! `POST /api/v1/relay/webauthn/register/options`

use serde_json::{Value, json};

use crate::support::authenticator::Authenticator;
use crate::support::passkeys::{ORIGIN, RP_ID};
use crate::support::{Call, Deployment, Tenant, at_once, with};

const PATH: &str = "register/options";

fn body(fields: &Value) -> Value {
    let defaults = json!({ "backend_user_id": "ada", "username": "ada@example.com", "browser_origin": ORIGIN });
    with(&defaults, fields)
}

fn asking(deployment: &Deployment, tenant: &Tenant, fields: &Value) -> Call {
    deployment.webauthn(tenant, PATH, &body(fields))
}

/// Whether null is anywhere in it: a browser reads it as a value.
fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

#[tokio::test]
async fn the_options_are_those_of_the_standard_and_nothing_in_them_is_null() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let fields = json!({ "display_name": "Ada Lovelace", "hints": ["client-device", "hybrid"] });
    let answer = asking(&deployment, &tenant, &fields).send().await;
    let options = answer.data(200);
    let expected = json!({
        "rp": { "id": RP_ID, "name": "Acme" },
        "user": { "id": options["user"]["id"], "name": "ada@example.com", "displayName": "Ada Lovelace" },
        "challenge": options["challenge"],
        "pubKeyCredParams": [
            { "type": "public-key", "alg": -7 }, { "type": "public-key", "alg": -8 },
            { "type": "public-key", "alg": -257 },
        ],
        "timeout": 300_000,
        "excludeCredentials": [],
        "authenticatorSelection": {
            "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
        },
        "hints": ["client-device", "hybrid"],
        "attestation": "none",
    });
    assert_eq!(options, &expected);
    for text in [&options["challenge"], &options["user"]["id"]] {
        assert_eq!(text.as_str().unwrap().len(), 43);
    }
    let answer = asking(&deployment, &tenant, &json!({})).send().await;
    let second = answer.data(200);
    assert!(!has_null(second) && second.get("hints").is_none(), "{second}");
    assert_eq!(second["user"]["id"], options["user"]["id"]);
    assert_eq!(second["user"]["displayName"], "ada@example.com");
    assert_ne!(second["challenge"], options["challenge"]);
    deployment.update(&tenant, &json!({ "branding_display_name": "Acme Inc." })).await.data(200);
    let answer = asking(&deployment, &tenant, &json!({})).send().await;
    assert_eq!(answer.data(200)["rp"]["name"], "Acme Inc.");
}

#[tokio::test]
async fn passkeys_that_the_person_has_are_excluded_and_revoked_ones_are_not() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let first = deployment.enrol(&tenant, "ada", 0).await;
    let second = deployment.enrol(&tenant, "ada", 0).await;
    deployment.enrol(&tenant, "bob", 0).await;
    let excluded = async || {
        let options = deployment.creation_options(&tenant, "ada").await;
        let mut ids: Vec<_> = options["excludeCredentials"].as_array().unwrap().clone();
        ids.sort_by_key(|descriptor| descriptor["id"].as_str().unwrap().to_owned());
        ids
    };
    let transports = json!(["internal", "hybrid"]);
    let described = |passkey: &Authenticator| {
        let id = passkey.credential_id();
        json!({ "type": "public-key", "id": id, "transports": transports })
    };
    let mut expected = [described(&first), described(&second)];
    expected.sort_by_key(|descriptor| descriptor["id"].as_str().unwrap().to_owned());
    assert_eq!(excluded().await, expected);
    let revoke = json!({ "backend_user_id": "ada", "credential_id": first.credential_id() });
    deployment.webauthn(&tenant, "revoke/passkey", &revoke).send().await.data(200);
    assert_eq!(excluded().await, [described(&second)]);
}

#[tokio::test]
async fn a_person_is_made_once_whoever_names_it_first_and_however_many_at_once() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.with_passkeys("Acme").await, deployment.with_passkeys("Beta").await);
    let answers = at_once((0..6).map(|_| asking(&deployment, &tenant, &json!({})))).await;
    let handles: Vec<_> = answers.iter().map(|answer| answer.data(200)["user"]["id"].clone()).collect();
    assert!(handles.iter().all(|handle| *handle == handles[0]), "{handles:?}");
    asking(&deployment, &other, &json!({})).send().await.data(200);
    let items = deployment.items().await;
    let people = |tenant: &Tenant| {
        let own = format!("TENANT#{}#PERSON", tenant.id);
        let own = items.iter().filter(|item| item["pk"]["S"].as_str().unwrap().starts_with(&own));
        own.map(|item| item["linked_user_id"]["S"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (ours, theirs) = (people(&tenant), people(&other));
    assert_eq!((ours.len(), theirs.len()), (2, 2));
    assert!(ours[0] == ours[1] && theirs[0] == theirs[1] && ours[0] != theirs[0]);
    // By our id, by the tenant's, and by both if both are right.
    let named = |fields: &Value| deployment.webauthn(&tenant, PATH, fields);
    let plain = json!({ "username": "ada", "browser_origin": ORIGIN });
    for of in [
        json!({ "relay_user_linked_id": ours[0] }),
        json!({ "relay_user_linked_id": ours[0], "backend_user_id": "ada" }),
    ] {
        assert_eq!(named(&with(&plain, &of)).send().await.data(200)["user"]["id"], handles[0]);
    }
    for of in [
        json!({ "relay_user_linked_id": ours[0], "backend_user_id": "bob" }),
        json!({ "relay_user_linked_id": theirs[0] }),
        json!({ "relay_user_linked_id": "0".repeat(24), "backend_user_id": "ada" }),
    ] {
        named(&with(&plain, &of)).send().await.refused(404, "person_not_found");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_field_is_told_by_its_name_and_what_is_not_known_is_ignored() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let before = deployment.items().await.len();
    let long = "a".repeat(121);
    for (field, values) in [
        ("backend_user_id", vec![json!(""), json!("a".repeat(257)), json!(7)]),
        ("relay_user_linked_id", vec![json!("abc"), json!("A".repeat(24)), json!(7)]),
        ("username", vec![json!(""), json!(null), json!(long), json!("a\u{202e}b")]),
        ("display_name", vec![json!(""), json!(long)]),
        ("browser_origin", vec![json!(null), json!("https://app.example.com/"), json!("app.example.com"), json!("*")]),
        ("hints", vec![json!("hybrid")]),
        ("hints[0]", vec![json!(["phone"])]),
    ] {
        for value in values {
            let name = field.trim_end_matches("[0]");
            asking(&deployment, &tenant, &json!({ name: value })).send().await.names(field);
        }
    }
    let nobody = json!({ "username": "ada", "browser_origin": ORIGIN });
    deployment.webauthn(&tenant, PATH, &nobody).send().await.names("backend_user_id");
    for field in ["username", "browser_origin"] {
        let mut body = body(&json!({}));
        body.as_object_mut().unwrap().remove(field);
        deployment.webauthn(&tenant, PATH, &body).send().await.names(field);
    }
    let nonces = |items: &[Value]| items.iter().filter(|item| item["sk"]["S"] == "NONCE").count();
    let after = deployment.items().await;
    assert_eq!(after.len() - nonces(&after), before);
    asking(&deployment, &tenant, &json!({ "device": "phone" })).send().await.data(200);
}

#[tokio::test]
async fn a_person_has_at_most_twenty_passkeys_at_once() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let spare = deployment.creation_options(&tenant, "ada").await;
    let mut passkeys = Vec::new();
    for _ in 0..20 {
        passkeys.push(deployment.enrol(&tenant, "ada", 0).await);
    }
    asking(&deployment, &tenant, &json!({})).send().await.refused(409, "quota_exceeded");
    // Nor is one kept that had begun before.
    let (_, credential) = Authenticator::create(&spare, ORIGIN, 0);
    deployment.register(&tenant, &credential).send().await.refused(409, "quota_exceeded");
    assert_eq!(deployment.passkeys_of(&tenant, "ada").await.len(), 20);
    let revoke = json!({ "backend_user_id": "ada", "credential_id": passkeys[0].credential_id() });
    deployment.webauthn(&tenant, "revoke/passkey", &revoke).send().await.data(200);
    deployment.enrol(&tenant, "ada", 0).await;
}

#[tokio::test]
async fn a_person_is_one_whether_a_phone_or_a_passkey_named_it_first_and_either_goes_alone() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let prepared = deployment.prepared(&tenant, "ada").await["relay_user_linked_id"].clone();
    let mut of_ada = deployment.enrol(&tenant, "ada", 0).await;
    let mut of_bob = deployment.enrol(&tenant, "bob", 0).await;
    for (user, passkey) in [("ada", &mut of_ada), ("bob", &mut of_bob)] {
        let phone = deployment.paired(&tenant, user).await;
        let linked_id = deployment.prepared(&tenant, user).await["relay_user_linked_id"].clone();
        assert!(user != "ada" || linked_id == prepared);
        let logged_in = deployment.log_in(&tenant, passkey).await;
        assert_eq!(logged_in.data(200)["relay_user_linked_id"], linked_id, "{user}");
        // The last phone goes, and the passkey is good; the last passkey goes, and a phone is.
        deployment.phone(&phone, "POST", "/api/v1/device/unpair").await.send().await.data(200);
        deployment.log_in(&tenant, passkey).await.data(200);
        let phone = deployment.paired(&tenant, user).await;
        let of = json!({ "relay_user_linked_id": linked_id, "credential_id": passkey.credential_id() });
        deployment.webauthn(&tenant, "revoke/passkey", &of).send().await.data(200);
        deployment.log_in(&tenant, passkey).await.refused(401, "credential_refused");
        deployment.pairings(&phone).await.data(200);
    }
}
