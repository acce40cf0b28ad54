//! QR logins: those that a tenant begins and polls, and what phones do with their codes.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde_json::{Value, json};
use shared::domain::TenantId;

use super::deployment::{Deployment, Tenant, with};
use super::http::{Answer, Call};
use super::phone::Phone;
use super::signing::now_ms;

pub const POLL: &str = "/api/v1/relay/qr-login/poll";
pub const SCAN: &str = "/api/v1/device/qr-login/scan";
pub const DECIDE: &str = "/api/v1/device/qr-login/decide";

/// Where the page is that shows codes.
pub const ORIGIN: &str = "https://app.example.com";

/// A login that has begun.
#[derive(Debug, Clone)]
pub struct QrLogin {
    pub tenant: Tenant,
    pub session_id: String,
    pub poll_token: String,
    /// Text of the code.
    pub code: String,
}

impl QrLogin {
    pub fn of(tenant: &Tenant, data: &Value) -> Self {
        let text = |name: &str| data[name].as_str().unwrap().to_owned();
        let (session_id, poll_token, code) = (text("session_id"), text("poll_token"), text("qr_code_str"));
        Self { tenant: tenant.clone(), session_id, poll_token, code }
    }

    /// Partition key of its item.
    pub fn place(&self) -> String {
        format!("TENANT#{}#QRLOGIN#{}", self.tenant.id, self.session_id)
    }

    /// What a phone sends that has read its code.
    pub fn read(&self) -> Value {
        read(&self.code)
    }
}

/// What a phone sends that has read this code.
pub fn read(code: &str) -> Value {
    let (address, fragment) = code.split_once('#').unwrap();
    let (frame, mac) = fragment.split_once('.').unwrap();
    let session_id = address.rsplit('/').next().unwrap();
    json!({ "session_id": session_id, "frame": frame.parse::<u64>().unwrap(), "mac": mac })
}

/// What a phone has scanned, and so what its statement has to say.
#[derive(Debug, Clone)]
pub struct Scanned {
    pub login: QrLogin,
    pub data: Value,
    /// SHA-256 of the answer's bytes.
    pub display: String,
}

impl Scanned {
    pub fn of(login: &QrLogin, answer: &Answer) -> Self {
        let display = BASE64URL_NOPAD.encode(digest(&SHA256, answer.text.as_bytes()).as_ref());
        Self { login: login.clone(), data: answer.data(200).clone(), display }
    }

    /// The claims of the statement of a phone that decides so, with the number that was typed.
    pub fn claims(&self, deployment: &Deployment, phone: &Phone, decision: &str, number: Option<&str>) -> Value {
        json!({
            "aud": format!("{}/t/{}", deployment.stack.url(), self.login.tenant.id),
            "iat": now_ms() / 1000,
            "session_id": self.login.session_id,
            "scan_id": self.data["scan_id"],
            "device_id": phone.device_id,
            "origin": self.data["origin"],
            "match_number": number,
            "decision": decision,
            "display_sha256": self.display,
        })
    }
}

impl Phone {
    /// A compact JWS over these texts, whatever they are.
    pub fn signs(&self, header: &str, claims: &str) -> String {
        let message = [header, claims].map(|part| BASE64URL_NOPAD.encode(part.as_bytes())).join(".");
        format!("{message}.{}", BASE64URL_NOPAD.encode(&self.key.sign(message.as_bytes()).unwrap()))
    }

    /// A statement with these claims.
    pub fn states(&self, claims: &Value) -> String {
        self.signs(r#"{"alg":"ES256","typ":"qr-decision+jwt"}"#, &claims.to_string())
    }
}

impl Deployment {
    /// A tenant that lets the page begin logins, and makes as many calls as a test needs.
    pub async fn with_qr_logins(&self, settings: &Value) -> Tenant {
        let tenant = self.provision("Acme").await;
        let all = json!({ "qr_login_allowed_origins": [ORIGIN], "rate_limit_per_min": 10_000 });
        self.update(&tenant, &with(&all, settings)).await.data(200);
        tenant
    }

    /// The call that begins a login, with these fields.
    pub fn initiate(&self, tenant: &Tenant, fields: &Value) -> Call {
        self.relay(tenant, "qr-login/initiate", &with(&json!({ "browser_origin": ORIGIN }), fields))
    }

    /// A login that has begun.
    pub async fn qr_login(&self, tenant: &Tenant, fields: &Value) -> QrLogin {
        QrLogin::of(tenant, self.initiate(tenant, fields).send().await.data(200))
    }

    /// The call that polls a login.
    pub fn poll(&self, login: &QrLogin) -> Call {
        self.poll_with(&login.tenant, &login.session_id, Some(&login.poll_token))
    }

    /// The call of that tenant that polls a login by its id and this token.
    pub fn poll_with(&self, tenant: &Tenant, session_id: &str, token: Option<&str>) -> Call {
        let call = self.anonymous("GET", &format!("{POLL}?session_id={session_id}"));
        let call = call.signed(&tenant.signing());
        match token {
            Some(token) => call.header("x-qr-poll-token", token),
            None => call,
        }
    }

    /// What a process answers to a poll that has not answered one before.
    pub async fn polled(&self, login: &QrLogin) -> Answer {
        self.stack.restart("qr-login-poll").await;
        self.poll(login).send().await
    }

    /// The call by which a phone scans what it has read.
    pub async fn scan(&self, phone: &Phone, read: &Value) -> Call {
        self.phone(phone, "POST", SCAN).await.json(read)
    }

    /// The call by which a phone decides.
    pub async fn decide(&self, phone: &Phone, session_id: &str, statement: &str) -> Call {
        let body = json!({ "session_id": session_id, "statement": statement });
        self.phone(phone, "POST", DECIDE).await.json(&body)
    }

    /// A login that a phone has scanned.
    pub async fn scanned(&self, phone: &Phone, login: &QrLogin) -> Scanned {
        let answer = self.scan(phone, &login.read()).await.send().await;
        Scanned::of(login, &answer)
    }

    /// The number that the browser of a login shows.
    pub async fn number_of(&self, login: &QrLogin) -> String {
        let number = self.polled(login).await.data(200)["match_number"].as_str().unwrap().to_owned();
        // So that the next poll need not wait for a second.
        self.stack.restart("qr-login-poll").await;
        number
    }

    /// The answer to a phone that decides what it has scanned, with the right number.
    pub async fn decides(&self, phone: &Phone, scanned: &Scanned, decision: &str) -> Answer {
        let number = self.number_of(&scanned.login).await;
        let statement = phone.states(&scanned.claims(self, phone, decision, Some(&number)));
        self.decide(phone, &scanned.login.session_id, &statement).await.send().await
    }

    /// A login that a phone has approved.
    pub async fn approved(&self, phone: &Phone, login: &QrLogin) {
        let scanned = self.scanned(phone, login).await;
        assert_eq!(self.decides(phone, &scanned, "approve").await.data(200)["phase"], "approved");
    }

    /// Logins that have begun, written into the table: they cost no call of their tenant, and are live for a year.
    pub async fn put_qr_logins(&self, tenant: &Tenant, count: usize) -> Vec<QrLogin> {
        let uuid = TenantId::parse(&tenant.id).unwrap().project_id().unwrap();
        let (now, mut logins, mut puts) = (now_ms(), Vec::new(), Vec::new());
        for number in 0..count {
            let session_id = format!("{}{number:010}", BASE64URL_NOPAD.encode(uuid.as_bytes()));
            let code = format!("{}/q/{session_id}#0.AAAAAAAAAAAAAAAAAAAAAA", self.stack.url());
            let login = QrLogin { tenant: tenant.clone(), session_id, poll_token: format!("qrp_{number}"), code };
            let hash = HEXLOWER.encode(digest(&SHA256, login.poll_token.as_bytes()).as_ref());
            let item = json!({
                "pk": { "S": login.place() }, "sk": { "S": "QRLOGIN" }, "session_id": { "S": login.session_id },
                "qr_phase": { "S": "waiting" }, "created_at": { "N": now.to_string() },
                "expires_at": { "N": (now + 31_536_000_000).to_string() }, "rotates": { "BOOL": false },
                "poll_hash": { "S": hash }, "browser_origin": { "S": ORIGIN },
            });
            puts.push(json!({ "PutRequest": { "Item": item } }));
            logins.push(login);
        }
        for puts in puts.chunks(25) {
            self.dynamodb("BatchWriteItem", &json!({ "RequestItems": { self.table(): puts } })).await;
        }
        logins
    }
}
