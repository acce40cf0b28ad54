//! `GET /api/v1/relay/qr-login/poll`

use serde_json::json;

use super::device_qr_decide::end;
use crate::support::qr::ORIGIN;
use crate::support::{Deployment, at_once};

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

#[tokio::test]
async fn the_number_is_shown_by_the_browser_once_the_code_was_scanned() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    let phone = deployment.paired(&tenant, "ada").await;
    let login = deployment.qr_login(&tenant, &json!({})).await;
    assert!(deployment.polled(&login).await.data(200).get("match_number").is_none());
    deployment.scanned(&phone, &login).await;
    let number = deployment.number_of(&login).await;
    assert!(number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit()), "{number}");
    assert_eq!(deployment.number_of(&login).await, number);
}

#[tokio::test]
async fn whatever_is_over_or_never_was_is_gone_with_the_same_bytes() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.with_qr_logins(&json!({})).await, deployment.with_qr_logins(&json!({})).await);
    let phone = deployment.paired(&tenant, "ada").await;
    let login = deployment.qr_login(&tenant, &json!({})).await;
    let (id, token) = (login.session_id.as_str(), login.poll_token.as_str());
    let consumed = deployment.qr_login(&tenant, &json!({})).await;
    deployment.approved(&phone, &consumed).await;
    deployment.poll(&consumed).send().await.data(200);
    deployment.set(&consumed.place(), "QRLOGIN", "consumed_at", &json!({ "N": "1" })).await;
    let unread = deployment.qr_login(&tenant, &json!({})).await;
    deployment.approved(&phone, &unread).await;
    let expired = deployment.qr_login(&tenant, &json!({})).await;
    for login in [&unread, &expired] {
        deployment.set(&login.place(), "QRLOGIN", "expires_at", &json!({ "N": "1" })).await;
    }
    let swept = deployment.qr_login(&tenant, &json!({})).await;
    deployment.set(&swept.place(), "QRLOGIN", "qr_phase", &json!({ "S": "expired" })).await;
    let orphaned = deployment.qr_login(&tenant, &json!({})).await;
    let removed = deployment.paired(&tenant, "ada").await;
    deployment.approved(&removed, &orphaned).await;
    end(&deployment, &tenant, &removed, "device").await;
    let unknown = format!("{}aaaaaaaaaa", &id[..22]);
    let wrong = format!("qrp_{}", "A".repeat(43));
    let calls = [
        ("no token", deployment.poll_with(&tenant, id, None)),
        ("an empty token", deployment.poll_with(&tenant, id, Some(""))),
        ("a wrong token", deployment.poll_with(&tenant, id, Some(&wrong))),
        ("a part of the token", deployment.poll_with(&tenant, id, Some(&token[..46]))),
        ("another login's token", deployment.poll_with(&tenant, id, Some(&expired.poll_token))),
        ("the session id", deployment.poll_with(&tenant, id, Some(id))),
        ("unknown", deployment.poll_with(&tenant, &unknown, Some(token))),
        ("not ours", deployment.poll_with(&tenant, "aaaaaaaaaa", Some(token))),
        ("another tenant's", deployment.poll_with(&other, id, Some(token))),
        ("expired", deployment.poll(&expired)),
        ("expired after it was approved", deployment.poll(&unread)),
        ("consumed", deployment.poll(&consumed)),
        ("ended by the sweep", deployment.poll(&swept)),
        ("approved by a device that was removed", deployment.poll(&orphaned)),
    ];
    let mut texts = Vec::new();
    for (label, call) in calls {
        let answer = call.send().await;
        assert_eq!(answer.status, 410, "{label}: {}", answer.text);
        texts.push(answer.refused(410, "qr_login_gone").text.clone());
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
    deployment.poll(&login).send().await.data(200);
    for id in ["", "short", &"a".repeat(65)] {
        deployment.poll_with(&tenant, id, Some(token)).send().await.names("session_id");
    }
}

#[tokio::test]
async fn a_login_is_polled_once_a_second_and_another_is_not_slowed_down() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    let two = deployment.qr_login(&tenant, &json!({})).await;
    let mut refused = None;
    // On a machine that stands still for a second the second poll is no longer too early: then anew.
    for _ in 0..5 {
        let one = deployment.qr_login(&tenant, &json!({})).await;
        assert_eq!(deployment.poll(&one).send().await.data(200)["retry_after_ms"], 2000);
        let (answer, calls) = deployment.calls_of(deployment.poll(&one)).await;
        if answer.status == 429 {
            refused = Some((one, answer, calls));
            break;
        }
    }
    let (one, answer, calls) = refused.expect("a second poll is let through");
    assert_eq!(answer.refused(429, "slow_down").headers["retry-after"], "1");
    assert_eq!(calls.len(), 1, "{calls:?}");
    // A wrong token does not learn that somebody polls it.
    deployment.poll_with(&tenant, &one.session_id, Some("qrp_wrong")).send().await.refused(410, "qr_login_gone");
    // With a wrong token nobody slows down the others either.
    deployment.poll_with(&tenant, &two.session_id, Some("qrp_wrong")).send().await.refused(410, "qr_login_gone");
    deployment.poll(&two).send().await.data(200);
    // What is refused is no abuse: it is not a call of the minute.
    assert_eq!(deployment.fetch(&tenant).await["abuse_strikes"], 0);
}

#[tokio::test]
async fn a_poll_writes_nothing_while_a_login_waits_whatever_signs_it() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    let phone = deployment.paired(&tenant, "ada").await;
    let login = deployment.qr_login(&tenant, &json!({})).await;
    for is_scanned in [false, true] {
        if is_scanned {
            deployment.scanned(&phone, &login).await;
        }
        let before = deployment.items().await;
        deployment.polled(&login).await.data(200);
        deployment.stack.restart("qr-login-poll").await;
        let path = format!("/api/v1/relay/qr-login/poll?session_id={}", login.session_id);
        let signing = tenant.signing().nonce("0123456789abcdef-poll");
        let call = deployment.anonymous("GET", &path).signed(&signing).header("x-qr-poll-token", &login.poll_token);
        call.send().await.data(200);
        assert_eq!(deployment.items().await, before);
    }
}

#[tokio::test]
async fn polls_at_once_hand_out_one_and_the_same_result() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    let phone = deployment.paired(&tenant, "ada").await;
    for _ in 0..3 {
        let login = deployment.qr_login(&tenant, &json!({})).await;
        deployment.approved(&phone, &login).await;
        let answers = at_once((0..5).map(|_| deployment.poll(&login))).await;
        let texts: Vec<_> = answers.iter().map(|answer| answer.data(200).to_string()).collect();
        assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    }
}

#[tokio::test]
async fn a_browsers_key_comes_back_with_the_result() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    let phone = deployment.paired(&tenant, "ada").await;
    let key = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let login = deployment.qr_login(&tenant, &json!({ "browser_key": key })).await;
    deployment.approved(&phone, &login).await;
    assert_eq!(deployment.poll(&login).send().await.data(200)["cnf"], json!({ "jkt": key }));
}

#[tokio::test]
async fn no_result_is_handed_out_of_whom_may_not_act_any_more_first_or_again() {
    let deployment = Deployment::start().await;
    for (case, is_again) in
        ["suspended", "device", "person", "all"].into_iter().flat_map(|case| [(case, false), (case, true)])
    {
        let tenant = deployment.with_qr_logins(&json!({})).await;
        let phone = deployment.paired(&tenant, "ada").await;
        let login = deployment.qr_login(&tenant, &json!({})).await;
        deployment.approved(&phone, &login).await;
        if is_again {
            deployment.poll(&login).send().await.data(200);
        }
        end(&deployment, &tenant, &phone, case).await;
        let answer = deployment.poll(&login).send().await;
        match case {
            "suspended" => answer.refused(403, "tenant_suspended"),
            _ => answer.refused(410, "qr_login_gone"),
        };
    }
}

#[tokio::test]
async fn a_poll_token_alone_opens_nothing() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({})).await;
    let login = deployment.qr_login(&tenant, &json!({})).await;
    let path = format!("/api/v1/relay/qr-login/poll?session_id={}", login.session_id);
    let call = || deployment.anonymous("GET", &path).header("x-qr-poll-token", &login.poll_token);
    call().send().await.refused(401, "unauthenticated");
    call().signed(&tenant.with_secret("sk_wrong").signing()).send().await.refused(401, "unauthenticated");
    let rotated = deployment.rotate(&tenant, 0).await;
    deployment.poll(&login).send().await.refused(401, "unauthenticated");
    let tenant = tenant.with_secret(rotated.data(200)["tenant_secret"].as_str().unwrap());
    call().signed(&tenant.signing()).send().await.data(200);
}

#[tokio::test]
async fn a_tenant_that_takes_v2_only_polls_with_v2() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_qr_logins(&json!({ "signing_version": "v2" })).await;
    let login = deployment.qr_login(&tenant, &json!({})).await;
    deployment.poll(&login).send().await.refused(401, "unauthenticated");
    // The set-up check tells of it, as of any other call.
    let setup = deployment.get(&format!("/api/v1/fetch/setup?tenant_id={}", tenant.id)).await.data(200).clone();
    let version = setup["checks"].as_array().unwrap().iter().find(|check| check["check"] == "signature_version");
    assert_eq!(version.unwrap()["state"], "fails");
    let path = format!("/api/v1/relay/qr-login/poll?session_id={}", login.session_id);
    let signing = tenant.signing().nonce("0123456789abcdef-poll");
    let call = deployment.anonymous("GET", &path).signed(&signing).header("x-qr-poll-token", &login.poll_token);
    call.send().await.data(200);
}
