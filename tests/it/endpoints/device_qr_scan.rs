//! `POST /api/v1/device/qr-login/scan`

use serde_json::{Value, json};
use stack::Match;

use crate::support::qr::{ORIGIN, POLL, QrLogin, SCAN};
use crate::support::{Deployment, at_once, now_ms, with};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0";

/// The item of a login.
async fn item(deployment: &Deployment, login: &QrLogin) -> Value {
    let items = deployment.items().await;
    items.into_iter().find(|item| item["pk"]["S"] == login.place().as_str()).unwrap()
}

/// Makes a login older, so that it began that many milliseconds ago.
async fn age(deployment: &Deployment, login: &QrLogin, millis: i64) {
    let began = json!({ "N": (now_ms() - millis).to_string() });
    deployment.set(&login.place(), "QRLOGIN", "created_at", &began).await;
}

#[tokio::test]
async fn a_scan_shows_who_asks_and_is_the_same_again() {
    let deployment = Deployment::start().await;
    let settings = json!({ "branding_display_name": "Acme Inc.", "branding_logo_url": "https://example.com/logo.png" });
    let tenant = deployment.with_qr_logins(&settings).await;
    let phone = deployment.paired(&tenant, "ada").await;
    let login =
        deployment.qr_login(&tenant, &json!({ "browser_user_agent": FIREFOX, "browser_ip": "127.0.0.9" })).await;
    let first = deployment.scan(&phone, &login.read()).await.send().await;
    let data = first.data(200);
    let expected = json!({
        "scan_id": data["scan_id"],
        "tenant_id": tenant.id,
        "tenant_name": "Acme",
        "branding_display_name": "Acme Inc.",
        "branding_logo_url": "https://example.com/logo.png",
        "origin": ORIGIN,
        "browser": "Firefox",
        "system": "Linux",
        "initiated_at": data["initiated_at"],
        "number_matching": true,
        "confirm_distant": false,
    });
    assert_eq!(data, &expected);
    assert_eq!(data["scan_id"].as_str().unwrap().len(), 22);
    let number = item(&deployment, &login).await["match_number"]["S"].as_str().unwrap().to_owned();
    assert!(!first.text.contains(&format!("\"{number}\"")), "the phone is told the number that it has to type");
    // Its answer may have been lost.
    let again = deployment.scan(&phone, &login.read()).await.send().await;
    assert_eq!(again.text, first.text);
    assert_eq!(item(&deployment, &login).await["match_number"]["S"], number);
}

#[tokio::test]
async fn who_is_not_told_browser_or_number_is_told_so() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({ "qr_number_matching": "never" })).await;
    let phone = deployment.paired(&tenant, "ada").await;
    let login = deployment.qr_login(&tenant, &json!({ "browser_user_agent": "Your bank, call +1 555 0100" })).await;
    let scanned = deployment.scanned(&phone, &login).await;
    for name in ["browser", "system"] {
        assert_eq!(scanned.data[name], Value::Null);
    }
    assert_eq!(scanned.data["number_matching"], false);
    assert!(deployment.polled(&login).await.data(200).get("match_number").is_none());
    let statement = phone.states(&scanned.claims(&deployment, &phone, "approve", None));
    let decided = deployment.decide(&phone, &login.session_id, &statement).await.send().await;
    assert_eq!(decided.data(200)["phase"], "approved");
}

#[tokio::test]
async fn the_first_device_has_the_login_and_another_changes_nothing() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    let (one, two) = (deployment.paired(&tenant, "ada").await, deployment.paired(&tenant, "bob").await);
    let login = deployment.qr_login(&tenant, &json!({})).await;
    let scanned = deployment.scanned(&one, &login).await;
    let before = item(&deployment, &login).await;
    deployment.scan(&two, &login.read()).await.send().await.refused(409, "qr_login_taken");
    for decision in ["approve", "deny"] {
        let claims = scanned.claims(&deployment, &two, decision, Some("00"));
        let call = deployment.decide(&two, &login.session_id, &two.states(&claims)).await;
        call.send().await.refused(409, "qr_login_taken");
    }
    assert_eq!(item(&deployment, &login).await, before);
    assert_eq!(deployment.decides(&one, &scanned, "approve").await.data(200)["phase"], "approved");
    deployment.scan(&two, &login.read()).await.send().await.refused(409, "qr_login_taken");
}

#[tokio::test]
async fn of_many_that_scan_at_once_one_has_the_login() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    let login = deployment.qr_login(&tenant, &json!({})).await;
    let mut calls = Vec::new();
    for user in ["ada", "bob", "cleo", "dan"] {
        let phone = deployment.paired(&tenant, user).await;
        calls.push(deployment.scan(&phone, &login.read()).await);
    }
    let answers = at_once(calls).await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
    let winner = answers.iter().find(|answer| answer.status == 200).unwrap();
    assert_eq!(item(&deployment, &login).await["scan_id"]["S"], winner.data(200)["scan_id"]);
}

#[tokio::test]
async fn a_frame_that_rotates_is_good_for_fifteen_seconds_and_the_first_is_no_exception() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    let phone = deployment.paired(&tenant, "ada").await;
    let login = deployment.qr_login(&tenant, &json!({ "rotate": true })).await;
    for (began, number) in [(31_000, 3), (12_000, 1), (0, 0)] {
        age(&deployment, &login, began).await;
        let shown = deployment.polled(&login).await.data(200)["qr_code_str"].as_str().unwrap().to_owned();
        assert_eq!(crate::support::qr::read(&shown)["frame"], number);
        assert_eq!(shown == login.code, number == 0);
    }
    // Frame 1, which a poll showed while it was shown.
    age(&deployment, &login, 10_000).await;
    let shown = deployment.polled(&login).await.data(200)["qr_code_str"].as_str().unwrap().to_owned();
    let frame = crate::support::qr::read(&shown);
    for began in [25_000, 60_000] {
        age(&deployment, &login, began).await;
        deployment.scan(&phone, &frame).await.send().await.refused(410, "qr_login_gone");
    }
    // The first is no exception.
    age(&deployment, &login, 15_000).await;
    deployment.scan(&phone, &login.read()).await.send().await.refused(410, "qr_login_gone");
    age(&deployment, &login, 20_000).await;
    deployment.scan(&phone, &frame).await.send().await.data(200);
}

#[tokio::test]
async fn a_code_that_does_not_rotate_is_good_until_its_login_expires() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    let phone = deployment.paired(&tenant, "ada").await;
    let login = deployment.qr_login(&tenant, &json!({})).await;
    age(&deployment, &login, 110_000).await;
    assert_eq!(deployment.polled(&login).await.data(200)["qr_code_str"], login.code);
    let expires = json!({ "N": (now_ms() - 1).to_string() });
    let late = deployment.qr_login(&tenant, &json!({})).await;
    deployment.set(&late.place(), "QRLOGIN", "expires_at", &expires).await;
    deployment.scan(&phone, &late.read()).await.send().await.refused(410, "qr_login_gone");
    deployment.scan(&phone, &login.read()).await.send().await.data(200);
}

#[tokio::test]
async fn a_code_that_is_none_of_ours_is_refused_with_the_same_bytes() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.with_qr_logins(&json!({})).await, deployment.with_qr_logins(&json!({})).await);
    let phone = deployment.paired(&tenant, "ada").await;
    let login = deployment.qr_login(&tenant, &json!({})).await;
    let foreign = deployment.qr_login(&other, &json!({})).await;
    let second = deployment.qr_login(&tenant, &json!({})).await;
    let before = deployment.items_but_events().await.len();
    let read = login.read();
    let mut texts = Vec::new();
    for changed in [
        json!({ "mac": "AAAAAAAAAAAAAAAAAAAAAA" }),
        json!({ "mac": second.read()["mac"] }),
        json!({ "frame": 1 }),
        json!({ "session_id": second.session_id }),
        json!({ "session_id": format!("{}aaaaaaaaaa", &login.session_id[..22]) }),
        json!({ "session_id": "a".repeat(64) }),
        foreign.read(),
    ] {
        let answer = deployment.scan(&phone, &with(&read, &changed)).await.send().await;
        texts.push(answer.refused(410, "qr_login_gone").text.clone());
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
    for (field, value) in [
        ("session_id", json!("short")),
        ("session_id", json!("a".repeat(65))),
        ("session_id", json!("aaaaaaaaaaaaaaaa/..")),
        ("frame", json!(-1)),
        ("frame", json!(10_000)),
        ("frame", json!("0")),
        ("mac", json!("")),
        ("mac", json!(7)),
        ("more", json!(1)),
    ] {
        let answer = deployment.scan(&phone, &with(&read, &json!({ field: value }))).await.send().await;
        answer.names(field);
    }
    // Each call was accepted once, and has used a proof.
    let proofs = deployment.items_but_events().await;
    let proofs = proofs.iter().filter(|item| item["sk"]["S"] == "PROOF").count();
    assert_eq!(deployment.items_but_events().await.len() - before, proofs - 1);
    deployment.scan(&phone, &read).await.send().await.data(200);
}

#[tokio::test]
async fn a_distant_phone_is_told_of_confirmed_or_denied_as_its_tenant_wants() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let tenant = deployment.with_qr_logins(&json!({ "callback_url_base": "http://127.0.0.1:9" })).await;
    let phone = deployment.paired(&tenant, "ada").await;
    for (address, setting, confirms, proximity) in [
        ("127.0.0.200", "confirm", false, "same_network"),
        ("::ffff:127.0.0.1", "deny", false, "same_network"),
        ("192.0.2.1", "confirm", true, "distant"),
        ("192.0.2.1", "inform", false, "distant"),
        ("2001:db8::1", "deny", false, "unknown"),
    ] {
        deployment.update(&tenant, &json!({ "qr_distant": setting })).await.data(200);
        let login = deployment.qr_login(&tenant, &json!({ "browser_ip": address })).await;
        let scanned = deployment.scanned(&phone, &login).await;
        assert_eq!(scanned.data["confirm_distant"], confirms, "{address} {setting}");
        deployment.decides(&phone, &scanned, "approve").await.data(200);
        assert_eq!(deployment.poll(&login).send().await.data(200)["proximity"], proximity, "{address}");
    }
    deployment.update(&tenant, &json!({ "qr_distant": "deny" })).await.data(200);
    let login = deployment.qr_login(&tenant, &json!({ "browser_ip": "192.0.2.1" })).await;
    deployment.scan(&phone, &login.read()).await.send().await.refused(403, "qr_login_distant");
    let polled = deployment.polled(&login).await;
    assert_eq!((&polled.data(200)["status"], &polled.data(200)["phase"]), (&json!("pending"), &json!("denied")));
    deployment.scan(&phone, &login.read()).await.send().await.refused(410, "qr_login_gone");
    let path = format!("/api/v1/fetch/callbacks?tenant_id={}&type=qr_login.denied", tenant.id);
    assert_eq!(deployment.get(&path).await.data(200)["callbacks"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_origin_that_is_taken_from_the_list_ends_what_began_there() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    let phone = deployment.paired(&tenant, "ada").await;
    let (login, other) =
        (deployment.qr_login(&tenant, &json!({})).await, deployment.qr_login(&tenant, &json!({})).await);
    let scanned = deployment.scanned(&phone, &other).await;
    for (origins, code) in [(json!(["https://b.example"]), "origin_not_allowed"), (json!([]), "qr_login_disabled")] {
        deployment.update(&tenant, &json!({ "qr_login_allowed_origins": origins })).await.data(200);
        deployment.scan(&phone, &login.read()).await.send().await.refused(403, code);
        deployment.decides(&phone, &scanned, "approve").await.refused(403, code);
    }
}

#[tokio::test]
async fn looking_at_the_page_of_a_code_does_nothing() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    let login = deployment.qr_login(&tenant, &json!({})).await;
    let before = deployment.items().await;
    let page = deployment.anonymous("GET", &format!("/q/{}", login.session_id)).send_raw().await;
    assert_eq!(page.status, 200);
    assert_eq!(deployment.items().await, before);
    let polled = deployment.anonymous("GET", &format!("{POLL}?session_id={}", login.session_id)).send().await;
    polled.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_frame_alone_opens_nothing() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    let phone = deployment.paired(&tenant, "ada").await;
    let login = deployment.qr_login(&tenant, &json!({})).await;
    let before = item(&deployment, &login).await;
    let call = || deployment.anonymous("POST", SCAN).json(&login.read());
    call().send().await.refused(401, "unauthenticated");
    let claims = json!({ "htm": "POST", "htu": format!("{}{SCAN}", deployment.stack.url()),
        "nonce": deployment.dpop_nonce().await });
    call().header("dpop", &phone.proof(&claims)).send().await.refused(401, "unauthenticated");
    let token = format!("DPoP {}", phone.token);
    call().header("authorization", &token).send().await.refused(401, "unauthenticated");
    call().signed(&tenant.signing()).send().await.refused(401, "unauthenticated");
    assert_eq!(item(&deployment, &login).await, before);
    deployment.scan(&phone, &login.read()).await.send().await.data(200);
}

#[tokio::test]
async fn a_phone_that_has_moved_away_since_it_scanned_is_denied_when_it_scans_again() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let settings = json!({ "callback_url_base": "http://127.0.0.1:9", "qr_distant": "inform" });
    let tenant = deployment.with_qr_logins(&settings).await;
    let phone = deployment.paired(&tenant, "ada").await;
    let login = deployment.qr_login(&tenant, &json!({ "browser_ip": "192.0.2.1" })).await;
    let scanned = deployment.scanned(&phone, &login).await;
    deployment.update(&tenant, &json!({ "qr_distant": "deny" })).await.data(200);
    deployment.scan(&phone, &login.read()).await.send().await.refused(403, "qr_login_distant");
    assert_eq!(deployment.polled(&login).await.data(200)["phase"], "denied");
    let statement = phone.states(&scanned.claims(&deployment, &phone, "approve", None));
    deployment.decide(&phone, &login.session_id, &statement).await.send().await;
    assert_eq!(deployment.polled(&login).await.data(200)["phase"], "denied");
    let owed = deployment.owed(&tenant).await;
    assert_eq!(owed.iter().filter(|body| body["flow"] == "qr-login").count(), 1, "{owed:?}");
}

#[tokio::test]
async fn of_scans_of_a_distant_phone_at_once_one_denies_and_the_others_are_too_late() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({ "qr_distant": "deny" })).await;
    let phone = deployment.paired(&tenant, "ada").await;
    let login = deployment.qr_login(&tenant, &json!({ "browser_ip": "192.0.2.1" })).await;
    let write = Match::any().function("device-qr-scan").index(2);
    let held = deployment.stack.faults().hold(write);
    let calls = [deployment.scan(&phone, &login.read()).await, deployment.scan(&phone, &login.read()).await];
    let both_have_read = async {
        held.reached_by(2).await;
        held.release();
    };
    let (answers, ()) = tokio::join!(at_once(calls), both_have_read);
    let mut codes: Vec<_> = answers.iter().map(|answer| (answer.status, answer.code().unwrap())).collect();
    codes.sort_unstable();
    assert_eq!(codes, [(403, "qr_login_distant"), (410, "qr_login_gone")]);
}
