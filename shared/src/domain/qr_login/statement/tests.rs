use serde_json::{Value, json};

use super::*;
use crate::domain::credentials::signing_key::SigningKey;
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::values::random::SystemRandomness;

const TENANT: &str = "tnt_01010101010101010101010101010101";
const SESSION: &str = "AQEBAQEBAQEBAQEBAQEBAQaaaaaaaaaa";
const SCAN: &str = "AAECAwQFBgcICQoLDA0ODw";
const DEVICE: &str = "dev_0123456789abcdef";
const ORIGIN: &str = "https://app.example.com";
const HEADER: &str = r#"{"alg":"ES256","typ":"qr-decision+jwt"}"#;

/// What a login expects, with the number 07.
struct Login {
    key: SigningKey,
    issuer: Issuer,
    session_id: QrSessionId,
    scan_id: ScanId,
    device_id: DeviceId,
    origin: Origin,
    number: Option<MatchNumber>,
    display: AnswerDigest,
}

impl Login {
    fn new() -> Self {
        Self {
            key: SigningKey::generate(&SystemRandomness::new()).unwrap(),
            issuer: Issuer::new("https://auth.example.com", &TenantId::parse(TENANT).unwrap()),
            session_id: QrSessionId::parse(SESSION).unwrap(),
            scan_id: ScanId::parse(SCAN).unwrap(),
            device_id: DeviceId::parse(DEVICE).unwrap(),
            origin: Origin::parse(ORIGIN).unwrap(),
            number: Some(MatchNumber::parse("07").unwrap()),
            display: AnswerDigest::of(b"what was shown"),
        }
    }

    fn claims(&self) -> Value {
        json!({
            "aud": self.issuer.as_str(),
            "iat": 1_718_966_400,
            "session_id": SESSION,
            "scan_id": SCAN,
            "device_id": DEVICE,
            "origin": ORIGIN,
            "match_number": "07",
            "decision": "approve",
            "display_sha256": self.display.as_str(),
        })
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        let message = [header, claims].map(|part| BASE64URL_NOPAD.encode(part.as_bytes())).join(".");
        let signature = self.key.sign(message.as_bytes()).unwrap();
        format!("{message}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    fn judge(&self, text: &str) -> Result<Choice, StatementFlaw> {
        let expected = ExpectedStatement {
            issuer: &self.issuer,
            session_id: &self.session_id,
            scan_id: &self.scan_id,
            device_id: &self.device_id,
            origin: &self.origin,
            number: self.number.as_ref(),
            display: &self.display,
        };
        let statement = UnverifiedStatement::parse(text)?.verify(self.key.public(), &expected)?;
        assert_eq!((statement.as_str(), format!("{statement:?}").as_str()), (text, "QrStatement"));
        Ok(statement.outcome())
    }

    fn judge_claims(&self, claims: &str) -> Result<Choice, StatementFlaw> {
        self.judge(&self.sign(HEADER, claims))
    }

    /// The claims with another value in the place of one.
    fn with(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims();
        claims[name] = value;
        claims.to_string()
    }
}

#[test]
fn a_statement_decides_as_its_person_chose_and_a_wrong_number_denies() {
    let login = Login::new();
    for (decision, number, outcome) in [
        ("approve", json!("07"), Choice::Approve),
        ("approve", json!("70"), Choice::Deny),
        ("deny", json!("07"), Choice::Deny),
        ("deny", json!("70"), Choice::Deny),
        ("deny", json!(null), Choice::Deny),
    ] {
        let mut claims = login.claims();
        claims["decision"] = decision.into();
        claims["match_number"] = number.clone();
        assert_eq!(login.judge_claims(&claims.to_string()), Ok(outcome), "{decision} {number}");
    }
    let login = Login { number: None, ..login };
    for (decision, outcome) in [("approve", Choice::Approve), ("deny", Choice::Deny)] {
        let mut claims = login.claims();
        claims["decision"] = decision.into();
        claims["match_number"] = Value::Null;
        assert_eq!(login.judge_claims(&claims.to_string()), Ok(outcome));
    }
}

#[test]
fn the_order_of_members_and_spaces_do_not_matter() {
    let login = Login::new();
    let mut spaced = serde_json::to_string_pretty(&login.claims()).unwrap();
    spaced.push('\n');
    let header = "{ \"typ\": \"qr-decision+jwt\", \"alg\": \"ES256\" }";
    assert_eq!(login.judge(&login.sign(header, &spaced)), Ok(Choice::Approve));
}

#[test]
fn each_claim_has_to_be_there_once_and_no_other_may_be() {
    let login = Login::new();
    for name in CLAIMS {
        let mut claims = login.claims();
        let value = claims.as_object_mut().unwrap().remove(name).unwrap();
        let missing = claims.to_string();
        assert_eq!(login.judge_claims(&missing), Err(StatementFlaw::Claims), "{name} is missing");
        let rest = missing.trim_start_matches('{');
        let twice = format!(r#"{{"{name}":{value},"{name}":{value},{rest}"#);
        assert_eq!(login.judge_claims(&twice), Err(StatementFlaw::Claims), "{name} is there twice");
        // The first letter as an escape is the same name.
        let escaped = format!("\\u{:04x}{}", u32::from(name.as_bytes()[0]), &name[1..]);
        let hidden = format!(r#"{{"{name}":{value},"{escaped}":{value},{rest}"#);
        assert_eq!(login.judge_claims(&hidden), Err(StatementFlaw::Claims), "{name} is there twice, once escaped");
        let renamed = format!(r#"{{"{}":{value},{rest}"#, name.to_uppercase());
        assert_eq!(login.judge_claims(&renamed), Err(StatementFlaw::Claims), "{name} in capitals");
    }
    for name in ["exp", "jti", "nonce", "htm", "htu", "ath", "sub", "iss"] {
        assert_eq!(login.judge_claims(&login.with(name, json!("x"))), Err(StatementFlaw::Claims), "{name} besides");
    }
}

#[test]
fn each_claim_has_to_be_of_its_type() {
    let login = Login::new();
    for name in CLAIMS.into_iter().filter(|name| *name != "iat") {
        for value in [json!(7), json!(true), json!([login.claims()[name]]), json!({}), json!(null)] {
            if name == "match_number" && value.is_null() {
                continue;
            }
            let judged = login.judge_claims(&login.with(name, value.clone()));
            assert_eq!(judged, Err(StatementFlaw::Type), "{name} {value}");
        }
    }
    for iat in ["\"1718966400\"", "1718966400.5", "-1", "1e300", "9007199254740992", "null", "[]", "true"] {
        let claims = login.claims().to_string().replace("1718966400", iat);
        assert_eq!(login.judge_claims(&claims), Err(StatementFlaw::Type), "iat {iat}");
    }
    // A phone's clock may say anything.
    for iat in ["0", "9007199254740991"] {
        let claims = login.claims().to_string().replace("1718966400", iat);
        assert_eq!(login.judge_claims(&claims), Ok(Choice::Approve), "iat {iat}");
    }
}

#[test]
fn each_claim_has_to_have_its_value() {
    let login = Login::new();
    let other = AnswerDigest::of(b"something else");
    for (name, value, flaw) in [
        ("aud", "https://auth.example.com/t/tnt_02020202020202020202020202020202", StatementFlaw::Audience),
        ("aud", "https://other.example.com/t/tnt_01010101010101010101010101010101", StatementFlaw::Audience),
        ("aud", "https://auth.example.com/t/tnt_01010101010101010101010101010101/", StatementFlaw::Audience),
        ("aud", "", StatementFlaw::Audience),
        ("session_id", "AQEBAQEBAQEBAQEBAQEBAQaaaaaaaaab", StatementFlaw::Session),
        ("session_id", "", StatementFlaw::Session),
        ("scan_id", "BAECAwQFBgcICQoLDA0ODw", StatementFlaw::Scan),
        ("scan_id", "", StatementFlaw::Scan),
        ("device_id", "dev_0123456789abcdee", StatementFlaw::Device),
        ("device_id", "DEV_0123456789abcdef", StatementFlaw::Device),
        ("origin", "https://app.example.com/", StatementFlaw::Origin),
        ("origin", "https://app.example.com.evil.example", StatementFlaw::Origin),
        ("origin", "https://APP.example.com", StatementFlaw::Origin),
        ("match_number", "7", StatementFlaw::Number),
        ("match_number", "007", StatementFlaw::Number),
        ("match_number", " 07", StatementFlaw::Number),
        ("match_number", "", StatementFlaw::Number),
        ("match_number", "0x", StatementFlaw::Number),
        ("decision", "Approve", StatementFlaw::Type),
        ("decision", "approved", StatementFlaw::Type),
        ("decision", "", StatementFlaw::Type),
        ("display_sha256", other.as_str(), StatementFlaw::Display),
        ("display_sha256", "", StatementFlaw::Display),
    ] {
        assert_eq!(login.judge_claims(&login.with(name, value.into())), Err(flaw), "{name} {value}");
    }
    // Approved without the number that was asked for, and with one that was not.
    assert_eq!(login.judge_claims(&login.with("match_number", Value::Null)), Err(StatementFlaw::Number));
    let login = Login { number: None, ..login };
    assert_eq!(login.judge_claims(&login.claims().to_string()), Err(StatementFlaw::Number));
    assert_eq!(login.judge_claims(&login.with("decision", json!("deny"))), Err(StatementFlaw::Number));
}

#[test]
fn the_header_has_to_be_the_one() {
    let login = Login::new();
    let claims = login.claims().to_string();
    let public = login.key.public();
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": public.x, "y": public.y });
    let proof = json!({ "alg": "ES256", "typ": "dpop+jwt", "jwk": jwk }).to_string();
    let with_key = json!({ "alg": "ES256", "typ": "qr-decision+jwt", "jwk": jwk }).to_string();
    for header in [
        proof.as_str(),
        with_key.as_str(),
        "{}",
        "[]",
        "null",
        "",
        r#"{"alg":"ES256"}"#,
        r#"{"typ":"qr-decision+jwt"}"#,
        r#"{"alg":"none","typ":"qr-decision+jwt"}"#,
        r#"{"alg":"HS256","typ":"qr-decision+jwt"}"#,
        r#"{"alg":"es256","typ":"qr-decision+jwt"}"#,
        r#"{"alg":["ES256"],"typ":"qr-decision+jwt"}"#,
        r#"{"alg":"ES256","typ":"JWT"}"#,
        r#"{"alg":"ES256","typ":"QR-DECISION+JWT"}"#,
        r#"{"alg":"ES256","typ":"application/qr-decision+jwt"}"#,
        r#"{"alg":"ES256","typ":null}"#,
        r#"{"alg":"ES256","alg":"ES256","typ":"qr-decision+jwt"}"#,
        r#"{"alg":"ES256","typ":"qr-decision+jwt","typ":"qr-decision+jwt"}"#,
        r#"{"alg":"ES256","typ":"qr-decision+jwt","kid":"1"}"#,
        r#"{"alg":"ES256","typ":"qr-decision+jwt","crit":[]}"#,
        r#"{"alg":"ES256","typ":"qr-decision+jwt","b64":false}"#,
    ] {
        assert_eq!(login.judge(&login.sign(header, &claims)), Err(StatementFlaw::Header), "{header}");
    }
}

#[test]
fn the_signature_has_to_be_that_of_the_key_over_these_bytes() {
    let login = Login::new();
    let text = login.sign(HEADER, &login.claims().to_string());
    assert_eq!(login.judge(&text), Ok(Choice::Approve));
    let (message, signature) = text.rsplit_once('.').unwrap();
    let other = Login::new().sign(HEADER, &login.claims().to_string());
    let zeros = BASE64URL_NOPAD.encode(&[0; 64]);
    let cut = BASE64URL_NOPAD.encode(&BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap()[..63]);
    let denied = login.sign(HEADER, &login.with("decision", json!("deny")));
    let (_, of_denied) = denied.rsplit_once('.').unwrap();
    let moved = |signature: &str| format!("{message}.{signature}");
    for text in [other, moved(&zeros), moved(&cut), moved(""), moved(of_denied)] {
        assert_eq!(login.judge(&text), Err(StatementFlaw::Signature), "{text}");
    }
    let header = BASE64URL_NOPAD.encode(HEADER.as_bytes());
    for text in [
        String::new(),
        "..".to_owned(),
        message.to_owned(),
        format!("{text}.{signature}"),
        format!("{text}="),
        format!(" {text}"),
        format!("{text}\n"),
        text.replacen('.', ".=", 1),
        format!("{header}.{}.{signature}", "/".repeat(40)),
        format!("{message}.{}", "A".repeat(4000)),
        json!({ "protected": header, "payload": "e30", "signature": signature }).to_string(),
    ] {
        let judged = login.judge(&text);
        assert!(matches!(judged, Err(StatementFlaw::Form | StatementFlaw::Header)), "{text}: {judged:?}");
    }
    let not_utf8 = format!("{header}.{}.{signature}", BASE64URL_NOPAD.encode(&[0xff, 0xfe]));
    assert_eq!(login.judge(&not_utf8), Err(StatementFlaw::Claims));
}

#[test]
fn a_statement_prints_nothing_of_itself() {
    let login = Login::new();
    let text = login.sign(HEADER, &login.claims().to_string());
    assert_eq!(format!("{:?}", UnverifiedStatement::parse(&text).unwrap()), "UnverifiedStatement");
    let told = Problem::from(StatementFlaw::Session).to_string();
    assert_eq!(told, "has another session_id than the login");
}
