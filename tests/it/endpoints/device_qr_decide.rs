//! `POST /api/v1/device/qr-login/decide`

use serde_json::{Value, json};

use crate::support::phone::Phone;
use crate::support::qr::{DECIDE, QrLogin, Scanned};
use crate::support::{Answer, Deployment, Tenant, at_once, with};

/// A tenant, a phone that was paired, and a login that it has scanned, with its number.
struct Scene {
    tenant: Tenant,
    phone: Phone,
    login: QrLogin,
    scanned: Scanned,
    number: String,
}

impl Scene {
    async fn new(deployment: &Deployment) -> Self {
        let tenant = deployment.with_qr_logins(&json!({ "callback_url_base": "http://127.0.0.1:9" })).await;
        let phone = deployment.paired(&tenant, "ada").await;
        let login = deployment.qr_login(&tenant, &json!({})).await;
        let scanned = deployment.scanned(&phone, &login).await;
        let number = deployment.number_of(&login).await;
        Self { tenant, phone, login, scanned, number }
    }

    fn claims(&self, deployment: &Deployment, decision: &str) -> Value {
        self.scanned.claims(deployment, &self.phone, decision, Some(&self.number))
    }

    async fn send(&self, deployment: &Deployment, statement: &str) -> Answer {
        deployment.decide(&self.phone, &self.login.session_id, statement).await.send().await
    }

    async fn phase(&self, deployment: &Deployment) -> String {
        let items = deployment.items().await;
        let item = items.iter().find(|item| item["pk"]["S"] == self.login.place().as_str()).unwrap();
        item["qr_phase"]["S"].as_str().unwrap().to_owned()
    }

    /// The types of the callbacks about logins.
    async fn told(&self, deployment: &Deployment) -> Vec<String> {
        let answer = deployment.get(&format!("/api/v1/fetch/callbacks?tenant_id={}", self.tenant.id)).await;
        let rows = answer.data(200)["callbacks"].as_array().unwrap().clone();
        let types = rows.iter().map(|row| row["type"].as_str().unwrap().to_owned());
        types.filter(|name| name.starts_with("qr_login.")).collect()
    }
}

#[tokio::test]
async fn a_decision_is_kept_as_evidence_and_told() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let scene = Scene::new(&deployment).await;
    let statement = scene.phone.states(&scene.claims(&deployment, "approve"));
    let answer = scene.send(&deployment, &statement).await;
    assert_eq!(answer.data(200), &json!({ "phase": "approved" }));
    assert_eq!(scene.told(&deployment).await, ["qr_login.approved"]);
    let polled = deployment.poll(&scene.login).send().await;
    let data = polled.data(200);
    assert_eq!(data["decision"], statement);
    let public = scene.phone.key.public();
    let key = json!({ "kty": "EC", "crv": "P-256", "x": public.x, "y": public.y });
    assert_eq!(data["device_key"], key);
    let items = deployment.items().await;
    let event = items.iter().find(|item| item["event_type"]["S"] == "qr_login.approved").unwrap();
    let body: Value = serde_json::from_str(event["body"]["S"].as_str().unwrap()).unwrap();
    assert_eq!((&body["type"], &body["flow"]), (&json!("qr_login.approved"), &json!("qr-login")));
    let told = &body["data"];
    assert_eq!((&told["session_id"], &told["decision"]), (&json!(scene.login.session_id), &json!(statement)));
    assert_eq!((&told["backend_user_id"], &told["phase"]), (&json!("ada"), &json!("approved")));
    assert_eq!(told["decided_at"], data["approved_at"]);
    assert!(!deployment.stack.output().contains(&statement), "a statement is in the log");
}

#[tokio::test]
async fn a_wrong_number_denies_and_the_right_one_comes_too_late() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let scene = Scene::new(&deployment).await;
    let wrong = if scene.number == "00" { "01" } else { "00" };
    let claims = scene.scanned.claims(&deployment, &scene.phone, "approve", Some(wrong));
    let answer = scene.send(&deployment, &scene.phone.states(&claims)).await;
    assert_eq!(answer.data(200)["phase"], "denied");
    let statement = scene.phone.states(&scene.claims(&deployment, "approve"));
    scene.send(&deployment, &statement).await.refused(410, "qr_login_gone");
    assert_eq!(deployment.polled(&scene.login).await.data(200)["phase"], "denied");
    assert_eq!(scene.told(&deployment).await, ["qr_login.denied"]);
}

#[tokio::test]
async fn a_decision_is_final_and_the_same_again_changes_nothing() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    for (first, second, phase) in [("approve", "deny", "approved"), ("deny", "approve", "denied")] {
        let scene = Scene::new(&deployment).await;
        let statement = scene.phone.states(&scene.claims(&deployment, first));
        let answer = scene.send(&deployment, &statement).await;
        assert_eq!(answer.data(200)["phase"], phase);
        let item = |items: Vec<Value>| items.into_iter().find(|item| item["pk"]["S"] == scene.login.place().as_str());
        let before = item(deployment.items().await);
        // The same statement, recorded or not, and another that says the same.
        let repeated = scene.phone.states(&with(&scene.claims(&deployment, first), &json!({ "iat": 1 })));
        for statement in [&statement, &repeated] {
            assert_eq!(scene.send(&deployment, statement).await.text, answer.text);
        }
        let other = scene.phone.states(&scene.claims(&deployment, second));
        scene.send(&deployment, &other).await.refused(410, "qr_login_gone");
        assert_eq!(item(deployment.items().await), before);
        assert_eq!(scene.told(&deployment).await.len(), 1);
    }
}

#[tokio::test]
async fn of_two_decisions_at_once_one_is_made() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    for _ in 0..4 {
        let scene = Scene::new(&deployment).await;
        let mut calls = Vec::new();
        for decision in ["approve", "deny", "approve", "deny"] {
            let statement = scene.phone.states(&scene.claims(&deployment, decision));
            calls.push(deployment.decide(&scene.phone, &scene.login.session_id, &statement).await);
        }
        let answers = at_once(calls).await;
        let made: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert!(!made.is_empty() && made.len() <= 2, "{answers:?}");
        let phase = scene.phase(&deployment).await;
        assert!(made.iter().all(|answer| answer.data(200)["phase"] == phase.as_str()), "{answers:?} {phase}");
        assert!(answers.iter().all(|answer| [200, 410].contains(&answer.status)), "{answers:?}");
        assert_eq!(scene.told(&deployment).await, [format!("qr_login.{phase}")]);
    }
}

/// Each rule of statements has unit tests; here that each flaw is told, by the name of the field, and changes nothing.
#[tokio::test]
async fn a_statement_that_is_not_in_order_is_refused_and_its_twin_accepted() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let scene = Scene::new(&deployment).await;
    let (claims, phone) = (scene.claims(&deployment, "approve"), &scene.phone);
    let before = scene.phase(&deployment).await;
    let changed = |name: &str, value: Value| phone.states(&with(&claims, &json!({ name: value })));
    let second = deployment.qr_login(&scene.tenant, &json!({})).await;
    let other = deployment.scanned(phone, &second).await;
    let header = r#"{"alg":"ES256","typ":"qr-decision+jwt"}"#;
    let twice = claims.to_string().replacen('{', r#"{"decision":"approve","#, 1);
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        phone.states(&claims)
    };
    let statements = [
        String::new(),
        "a.b.c".to_owned(),
        phone.states(&claims).replace('.', "~"),
        changed("aud", json!(deployment.stack.url())),
        changed("iat", json!("now")),
        changed("session_id", json!(second.session_id)),
        changed("scan_id", other.data["scan_id"].clone()),
        changed("device_id", json!("dev_0000000000000000")),
        changed("origin", json!("https://evil.example")),
        changed("match_number", json!(null)),
        changed("match_number", json!("7")),
        changed("decision", json!("maybe")),
        changed("display_sha256", json!(other.display)),
        changed("exp", json!(9_999_999_999_u64)),
        without("iat"),
        without("display_sha256"),
        without("match_number"),
        phone.signs(header, &twice),
        phone.signs(r#"{"alg":"ES256","typ":"dpop+jwt"}"#, &claims.to_string()),
        phone.signs(r#"{"alg":"none","typ":"qr-decision+jwt"}"#, &claims.to_string()),
        // The statement of another key.
        Phone::default().states(&claims),
        // The statement that was made about another login.
        phone.states(&other.claims(&deployment, phone, "approve", Some(&scene.number))),
    ];
    for statement in &statements {
        scene.send(&deployment, statement).await.names("statement");
    }
    assert_eq!(scene.phase(&deployment).await, before);
    assert_eq!(scene.told(&deployment).await, Vec::<String>::new());
    assert_eq!(scene.send(&deployment, &phone.states(&claims)).await.data(200)["phase"], "approved");
}

#[tokio::test]
async fn a_proof_is_no_statement_and_a_statement_is_no_proof() {
    let deployment = Deployment::start().await;
    let scene = Scene::new(&deployment).await;
    let url = format!("{}{DECIDE}", deployment.stack.url());
    let nonce = deployment.dpop_nonce().await;
    let proof = json!({ "htm": "POST", "htu": url, "nonce": nonce, "ath": scene.phone.ath() });
    // A proof with all that a statement says, and a statement with all that a proof says.
    let claims = scene.claims(&deployment, "approve");
    let as_statement = scene.phone.proof(&with(&proof, &claims));
    scene.send(&deployment, &as_statement).await.names("statement");
    let statement = scene.phone.states(&claims);
    let public = scene.phone.key.public();
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": public.x, "y": public.y });
    let header = json!({ "alg": "ES256", "typ": "qr-decision+jwt", "jwk": jwk }).to_string();
    let as_proof = scene.phone.signs(&header, &with(&claims, &with(&proof, &json!({ "jti": "1" }))).to_string());
    for proof in [&statement, &as_proof] {
        let body = json!({ "session_id": scene.login.session_id, "statement": statement });
        let call = deployment.anonymous("POST", DECIDE).header("authorization", &format!("DPoP {}", scene.phone.token));
        call.header("dpop", proof).json(&body).send().await.refused(401, "invalid_dpop_proof");
    }
    assert_eq!(scene.phase(&deployment).await, "scanned");
    assert_eq!(scene.send(&deployment, &statement).await.data(200)["phase"], "approved");
}

#[tokio::test]
async fn a_recorded_decision_alone_opens_nothing() {
    let deployment = Deployment::start().await;
    let scene = Scene::new(&deployment).await;
    let statement = scene.phone.states(&scene.claims(&deployment, "approve"));
    let body = json!({ "session_id": scene.login.session_id, "statement": statement });
    let recorded = deployment.decide(&scene.phone, &scene.login.session_id, &statement).await;
    // Without a session, with a session that is another's, and the whole call again.
    deployment.anonymous("POST", DECIDE).json(&body).send().await.refused(401, "unauthenticated");
    let thief = deployment.paired(&scene.tenant, "eve").await;
    let call = deployment.decide(&thief, &scene.login.session_id, &statement).await;
    call.send().await.refused(409, "qr_login_taken");
    assert_eq!(recorded.clone().send().await.data(200)["phase"], "approved");
    recorded.send().await.refused(401, "invalid_dpop_proof");
    // For another login of the same person on the same phone.
    let second = deployment.qr_login(&scene.tenant, &json!({})).await;
    deployment.scanned(&scene.phone, &second).await;
    let call = deployment.decide(&scene.phone, &second.session_id, &statement).await;
    call.send().await.names("statement");
}

#[tokio::test]
async fn another_tenants_device_finds_nothing() {
    let deployment = Deployment::start().await;
    let scene = Scene::new(&deployment).await;
    let other = deployment.with_qr_logins(&json!({})).await;
    let foreign = deployment.paired(&other, "ada").await;
    deployment.scan(&foreign, &scene.login.read()).await.send().await.refused(410, "qr_login_gone");
    let claims = scene.scanned.claims(&deployment, &foreign, "approve", Some(&scene.number));
    let call = deployment.decide(&foreign, &scene.login.session_id, &foreign.states(&claims)).await;
    let refused = call.send().await;
    let unknown = format!("{}aaaaaaaaaa", &scene.login.session_id[..22]);
    let call = deployment.decide(&foreign, &unknown, &foreign.states(&claims)).await;
    assert_eq!(refused.refused(410, "qr_login_gone").text, call.send().await.text);
    assert_eq!(scene.phase(&deployment).await, "scanned");
}

#[tokio::test]
async fn whoever_has_not_scanned_decides_nothing() {
    let deployment = Deployment::start().await;
    let scene = Scene::new(&deployment).await;
    let waiting = deployment.qr_login(&scene.tenant, &json!({})).await;
    let claims = with(&scene.claims(&deployment, "approve"), &json!({ "session_id": waiting.session_id }));
    let call = deployment.decide(&scene.phone, &waiting.session_id, &scene.phone.states(&claims)).await;
    call.send().await.refused(410, "qr_login_gone");
    assert_eq!(deployment.polled(&waiting).await.data(200)["phase"], "waiting");
}

#[tokio::test]
async fn a_login_that_has_expired_is_not_decided() {
    let deployment = Deployment::start().await;
    let scene = Scene::new(&deployment).await;
    deployment.set(&scene.login.place(), "QRLOGIN", "expires_at", &json!({ "N": "1" })).await;
    let statement = scene.phone.states(&scene.claims(&deployment, "approve"));
    scene.send(&deployment, &statement).await.refused(410, "qr_login_gone");
    assert_eq!(scene.phase(&deployment).await, "scanned");
}

#[tokio::test]
async fn suspension_and_revocation_end_a_decision_that_was_not_made() {
    let deployment = Deployment::start().await;
    for case in ["suspended", "device", "person", "all"] {
        let scene = Scene::new(&deployment).await;
        let statement = scene.phone.states(&scene.claims(&deployment, "approve"));
        end(&deployment, &scene.tenant, &scene.phone, case).await;
        let answer = scene.send(&deployment, &statement).await;
        match case {
            "suspended" => answer.refused(403, "tenant_suspended"),
            _ => answer.refused(401, "unauthenticated"),
        };
        assert_eq!(scene.phase(&deployment).await, "scanned", "{case}");
        let waiting = scene.login.read();
        let status = deployment.scan(&scene.phone, &waiting).await.send().await.status;
        assert_eq!(status, if case == "suspended" { 403 } else { 401 });
    }
}

/// Suspends the tenant, ends the device, or revokes the tokens of its person or of everybody.
pub async fn end(deployment: &Deployment, tenant: &Tenant, phone: &Phone, case: &str) {
    match case {
        "suspended" => deployment.suspend(tenant).await.data(200).clone(),
        "device" => {
            let body = json!({ "backend_user_id": "ada", "device_id": phone.device_id });
            deployment.relay(tenant, "revoke/device", &body).send().await.data(200).clone()
        }
        "person" => deployment.revoke_tokens(tenant, &json!({ "external_user_id": "ada" })).await.data(200).clone(),
        _ => deployment.revoke_tokens(tenant, &json!({ "all": true })).await.data(200).clone(),
    };
}
