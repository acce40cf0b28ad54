//! `POST /api/v1/relay/qr-login/initiate`

use serde_json::json;

use crate::support::qr::{ORIGIN, QrLogin};
use crate::support::{Deployment, at_once, with};

#[tokio::test]
async fn a_login_has_an_id_that_names_its_tenant_a_code_and_a_token_that_is_not_in_it() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    let answer = deployment.initiate(&tenant, &json!({})).send().await;
    let data = answer.data(200);
    let id = data["session_id"].as_str().unwrap();
    let (code, mac) = (data["qr_code_str"].as_str().unwrap(), data["signature"].as_str().unwrap());
    assert_eq!(id.len(), 32);
    assert_eq!(code, format!("{}/q/{id}#0.{mac}", deployment.stack.url()));
    assert!(code.len() <= 120 && mac.len() == 22);
    let payload = &data["qr_payload"];
    assert_eq!((&payload["session_id"], &payload["tenant_id"]), (&json!(id), &json!(tenant.id)));
    assert_eq!((&payload["frame"], &payload["expires"]), (&json!(0), &data["expires"]));
    let token = data["poll_token"].as_str().unwrap();
    assert!(token.len() == 47 && !code.contains(token));
    let svg = data["qr_svg"].as_str().unwrap();
    assert!(svg.starts_with("<svg ") && !svg.contains("style") && !svg.contains("script"));
    let other = deployment.qr_login(&tenant, &json!({})).await;
    assert!(other.session_id != id && other.session_id[..22] == id[..22] && other.poll_token != token);
    let items = serde_json::to_string(&deployment.items().await).unwrap();
    assert!(!items.contains(token) && !items.contains(mac), "a secret is in an item");
    assert!(!deployment.stack.output().contains(token), "a token is in the log");
}

#[tokio::test]
async fn a_login_expires_when_its_tenant_says() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({ "qr_expiry_seconds": 60 })).await;
    for seconds in [60, 300, 120] {
        deployment.update(&tenant, &json!({ "qr_expiry_seconds": seconds })).await.data(200);
        let login = deployment.qr_login(&tenant, &json!({})).await;
        let items = deployment.items().await;
        let item = items.iter().find(|item| item["pk"]["S"] == login.place().as_str()).unwrap();
        let time = |name: &str| item[name]["N"].as_str().unwrap().parse::<i64>().unwrap();
        assert_eq!(time("expires_at") - time("created_at"), seconds * 1000);
        // Clean-up only: long after the login is of any use.
        assert!(time("purge_at") * 1000 > time("expires_at") + 900_000);
    }
}

#[tokio::test]
async fn a_page_begins_a_login_only_where_its_tenant_lets_it() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    deployment.initiate(&tenant, &json!({})).send().await.refused(403, "qr_login_disabled");
    deployment.update(&tenant, &json!({ "qr_login_allowed_origins": ["https://b.example"] })).await.data(200);
    for origin in [ORIGIN, "https://b.example:8443", "https://sub.b.example"] {
        let call = deployment.initiate(&tenant, &json!({ "browser_origin": origin }));
        call.send().await.refused(403, "origin_not_allowed");
    }
    deployment.initiate(&tenant, &json!({ "browser_origin": "https://b.example" })).send().await.data(200);
    let items = deployment.items().await;
    let logins = items.iter().filter(|item| item["sk"]["S"] == "QRLOGIN").count();
    assert_eq!(logins, 1, "a login that was refused is stored");
}

#[tokio::test]
async fn a_tenant_whose_codes_have_to_change_begins_no_other() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({ "qr_rotation": "required" })).await;
    for fields in [json!({}), json!({ "rotate": false })] {
        deployment.initiate(&tenant, &fields).send().await.names("rotate");
    }
    deployment.initiate(&tenant, &json!({ "rotate": true })).send().await.data(200);
}

#[tokio::test]
async fn what_is_wrong_with_a_field_is_told_by_its_name_and_nothing_begins() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    for (field, value) in [
        ("browser_origin", json!(null)),
        ("browser_origin", json!("app.example.com")),
        ("browser_origin", json!("https://app.example.com/login")),
        ("browser_ip", json!("localhost")),
        ("browser_ip", json!("192.0.2.256")),
        ("browser_ip", json!(7)),
        ("browser_user_agent", json!("a".repeat(2049))),
        ("browser_user_agent", json!([])),
        ("browser_key", json!("short")),
        ("browser_key", json!("=".repeat(43))),
        ("rotate", json!("yes")),
        ("rotate", json!(1)),
    ] {
        deployment.initiate(&tenant, &json!({ field: value })).send().await.names(field);
    }
    for field in ["browser_ip", "browser_user_agent", "browser_key"] {
        deployment.initiate(&tenant, &json!({ field: null })).send().await.data(200);
    }
    let items = deployment.items().await;
    assert_eq!(items.iter().filter(|item| item["sk"]["S"] == "QRLOGIN").count(), 3);
}

#[tokio::test]
async fn of_a_browsers_address_its_network_is_kept_and_nothing_more() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    let fields = json!({ "browser_ip": "::ffff:203.0.113.77", "browser_user_agent": "Private/1.0 Firefox/127.0" });
    deployment.qr_login(&tenant, &fields).await;
    let items = serde_json::to_string(&deployment.items().await).unwrap();
    assert!(items.contains("203.0.113.0/24") && items.contains("Firefox"));
    for gone in ["203.0.113.77", "cb00:714d", "Private"] {
        assert!(!items.contains(gone) && !deployment.stack.output().contains(gone), "{gone}");
    }
}

#[tokio::test]
async fn logins_of_one_address_are_limited_and_those_that_are_over_do_not_count() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({ "qr_sessions_per_address": 2 })).await;
    let phone = deployment.paired(&tenant, "ada").await;
    let of = |address: &str| deployment.initiate(&tenant, &json!({ "browser_ip": address }));
    let mut logins = Vec::new();
    for address in ["192.0.2.1", "::ffff:192.0.2.1"] {
        logins.push(QrLogin::of(&tenant, of(address).send().await.data(200)));
    }
    for address in ["192.0.2.1", "::ffff:c000:201"] {
        let refused = of(address).send().await;
        let seconds: u64 = refused.refused(429, "too_many_qr_logins").headers["retry-after"].parse().unwrap();
        assert!((100..=120).contains(&seconds), "{seconds}");
    }
    // Another address, and one that is not known.
    of("192.0.2.2").send().await.data(200);
    deployment.initiate(&tenant, &json!({})).send().await.data(200);
    // Another tenant's browsers at that address.
    let other = deployment.with_qr_logins(&json!({ "qr_sessions_per_address": 2 })).await;
    deployment.initiate(&other, &json!({ "browser_ip": "192.0.2.1" })).send().await.data(200);
    let scanned = deployment.scanned(&phone, &logins[0]).await;
    of("192.0.2.1").send().await.refused(429, "too_many_qr_logins");
    deployment.decides(&phone, &scanned, "deny").await.data(200);
    of("192.0.2.1").send().await.data(200);
    of("192.0.2.1").send().await.refused(429, "too_many_qr_logins");
    deployment.update(&tenant, &json!({ "qr_sessions_per_address": 3 })).await.data(200);
    of("192.0.2.1").send().await.data(200);
}

#[tokio::test]
async fn an_address_has_fifty_logins_at_once_unless_its_tenant_says_otherwise() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    let call = || deployment.initiate(&tenant, &json!({ "browser_ip": "192.0.2.1" }));
    for _ in 0..50 {
        call().send().await.data(200);
    }
    call().send().await.refused(429, "too_many_qr_logins");
}

#[tokio::test]
async fn a_browsers_key_has_three_logins_at_once() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    let key = json!({ "browser_key": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" });
    let mut logins = Vec::new();
    for address in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
        logins.push(deployment.qr_login(&tenant, &with(&key, &json!({ "browser_ip": address }))).await);
    }
    deployment.initiate(&tenant, &key).send().await.refused(429, "too_many_qr_logins");
    // One that has expired makes room, whether anybody has noticed or not.
    let place = deployment.items().await;
    let of_key = place.iter().find(|item| item["live"]["M"].as_object().is_some_and(|live| live.len() == 3)).unwrap();
    let expired = json!({ "N": "1" });
    let mut live = of_key["live"].clone();
    live["M"][&logins[0].session_id] = expired;
    deployment.set(of_key["pk"]["S"].as_str().unwrap(), "QRLOGINS", "live", &live).await;
    deployment.initiate(&tenant, &key).send().await.data(200);
    deployment.initiate(&tenant, &key).send().await.refused(429, "too_many_qr_logins");
}

#[tokio::test]
async fn logins_that_begin_at_once_are_never_more_than_the_limit() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({ "qr_sessions_per_address": 3 })).await;
    let call = |_| deployment.initiate(&tenant, &json!({ "browser_ip": "192.0.2.1" }));
    let answers = at_once((0..8).map(call)).await;
    let accepted = answers.iter().filter(|answer| answer.status == 200).count();
    let refused = answers.iter().filter(|answer| answer.status == 429).count();
    assert_eq!((accepted, refused), (3, 5), "{answers:?}");
}

#[tokio::test]
async fn beginning_a_login_is_counted_and_polling_is_not() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    let limit = 10_000;
    let left = deployment.initiate(&tenant, &json!({})).send().await.quota();
    assert_eq!(left.remaining, limit - 1);
    let login = deployment.qr_login(&tenant, &json!({})).await;
    let polled = deployment.polled(&login).await.quota();
    assert_eq!((left.limit, polled.limit), (limit, limit));
    let again = deployment.polled(&login).await.quota();
    // Unless the minute turned.
    if polled.remaining < left.remaining {
        assert_eq!((polled.remaining, again.remaining), (left.remaining - 1, left.remaining - 1));
    }
}
