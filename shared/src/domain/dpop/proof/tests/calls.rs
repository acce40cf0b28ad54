//! Proofs for other calls: another method, address, token, time or session, and the same proof once more.

use super::*;

impl Judged {
    pub(super) fn is_plain(&self) -> bool {
        self.freshness == Freshness::NonceOrClock
    }

    fn presenting(self, presented: Presented<'static>) -> Self {
        Self { presented, ..self }
    }
}

pub(super) fn add(table: &mut Table) {
    methods(table);
    addresses(table);
    tokens(table);
    nonces(table);
    clocks(table);
    let proof = signed(text(&header()), text(&claims()));
    table.add(DpopCause::KeyWrong, "a stolen token", proof.clone(), Judged { is_bound: false, ..SESSION });
    table.add(DpopCause::JtiSeen, "the same proof again", proof, Judged { is_first: false, ..SESSION });
    let proof = signed(text(&header()), text(&plain_claims()));
    table.add(
        DpopCause::JtiSeen,
        "the same proof again, without a session",
        proof,
        Judged { is_first: false, ..PLAIN },
    );
}

fn methods(table: &mut Table) {
    for htm in ["", "GET", "PUT", "post", "Post", " POST", "POST ", "POST\0", "*", "POST,GET"] {
        table.claim(DpopCause::HtmWrong, "htm", json!(htm));
    }
}

fn addresses(table: &mut Table) {
    for htu in [
        "https://auth.example.com",
        "https://auth.example.com/",
        "https://auth.example.com/api/v1/device/refresh-token/",
        "https://auth.example.com//api/v1/device/refresh-token",
        "https://auth.example.com/api/v1//device/refresh-token",
        "https://auth.example.com/api/v1/device/refresh-token;x",
        "https://auth.example.com/api/v1/device/refresh%2Dtoken",
        "https://auth.example.com/api/v1/device%2Frefresh-token",
        "https://auth.example.com/API/v1/device/refresh-token",
        "https://auth.example.com/api/v1/device/refresh-token%20",
        "https://auth.example.com/api/v1/device/refresh-token%00",
        "https://auth.example.com/api/v1/device/refresh-tokens",
        "https://auth.example.com/api/v1/device/unpair",
        "https://auth.example.com/stage/api/v1/device/refresh-token",
        "http://auth.example.com/api/v1/device/refresh-token",
        "wss://auth.example.com/api/v1/device/refresh-token",
        "https://auth.example.com:8443/api/v1/device/refresh-token",
        "https://auth.example.com:80/api/v1/device/refresh-token",
        "https://auth.example.com./api/v1/device/refresh-token",
        "https://example.com/api/v1/device/refresh-token",
        "https://auth.example.com.evil.com/api/v1/device/refresh-token",
        "https://evil.com/https://auth.example.com/api/v1/device/refresh-token",
        "https://auth.example.com@evil.com/api/v1/device/refresh-token",
        "https://evil.com@auth.example.com/api/v1/device/refresh-token",
        "https://u:p@auth.example.com/api/v1/device/refresh-token",
        "https://\u{430}uth.example.com/api/v1/device/refresh-token",
        "https://127.0.0.1/api/v1/device/refresh-token",
        "file:///api/v1/device/refresh-token",
        "urn:latchkey:refresh-token",
        "data:,https://auth.example.com/api/v1/device/refresh-token",
        "javascript:1",
    ] {
        table.claim(DpopCause::HtuWrong, "htu", json!(htu));
    }
    // The same proof at another place.
    let proof = || signed(text(&header()), text(&claims()));
    for (base_url, path) in [
        ("https://other.example.com", PATH),
        ("http://auth.example.com", PATH),
        ("https://auth.example.com:8443", PATH),
        ("https://auth.example.com/stage", PATH),
        (BASE, "/api/v1/device/unpair"),
        (BASE, "/api/v1/device/refresh-token/"),
        (BASE, "/api/v1/device/./refresh-token"),
        (BASE, ""),
        ("", PATH),
        ("auth.example.com", PATH),
    ] {
        let label = format!("called at {base_url}{path}");
        table.add(DpopCause::HtuWrong, label, proof(), Judged { base_url, path, ..SESSION });
    }
    table.add(DpopCause::HtmWrong, "called by GET", proof(), Judged { method: "GET", ..SESSION });
}

fn tokens(table: &mut Table) {
    let with = signed(text(&header()), text(&claims()));
    let mut claims = claims();
    claims.remove("ath");
    let without = signed(text(&header()), text(&claims));
    for other in ["", "another", &TOKEN[1..], "kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"] {
        for presented in [Presented::Bound(other), Presented::Unbound(other)] {
            let label = format!("{presented:?} {other}");
            table.add(DpopCause::AthWrong, label, with.clone(), SESSION.presenting(presented));
        }
    }
    table.add(DpopCause::AthUnexpected, "no token", with, SESSION.presenting(Presented::Nothing));
    table.add(DpopCause::AthMissing, "any token", without, SESSION);
    let hashes = [("SHA-512", "SHA-512 of it".repeat(3)), ("another", "another".to_owned())];
    for (label, text) in hashes {
        claims.insert("ath".to_owned(), json!(encode(digest(&SHA256, text.as_bytes()))));
        let proof = signed(self::text(&header()), self::text(&claims));
        table.add(DpopCause::AthWrong, format!("ath of {label}"), proof, SESSION);
    }
}

fn nonces(table: &mut Table) {
    let own = nonce_of(NOW);
    let own = own.as_str().unwrap();
    let foreign = nonce_key("AnotherTraceKey00000000000000000000000000000000A").issue(now());
    let mut bytes = BASE64URL_NOPAD.decode(own.as_bytes()).unwrap();
    bytes[7] ^= 1;
    let later = encode(&bytes);
    for nonce in [
        "",
        "nonce",
        "eyJ7S_zG.eyJH0-Z.HX4w-7v",
        &own[1..],
        &own[..31],
        &format!("{own}A"),
        &format!("{own}="),
        &format!(" {own}"),
        &own.to_lowercase(),
        &"A".repeat(32),
        &later,
        foreign.as_str(),
    ] {
        table.claim(DpopCause::NonceUnknown, "nonce", json!(nonce));
    }
    for (label, millis) in [
        ("one millisecond too old", NOW - 300_001),
        ("an hour old", NOW - 3_600_000),
        ("of 1970", 0),
        ("of a clock that is ahead", NOW + 5001),
        ("of 9999", i64::MAX),
    ] {
        for (mut claims, judged) in [(claims(), SESSION), (plain_claims(), PLAIN)] {
            claims.insert("nonce".to_owned(), nonce_of(millis));
            let proof = signed(text(&header()), text(&claims));
            table.add(DpopCause::NonceStale, format!("nonce {label}"), proof, judged);
        }
    }
}

fn clocks(table: &mut Table) {
    for (because, iat) in [
        (DpopCause::IatPast, json!(0)),
        (DpopCause::IatPast, json!(1_782_000_000 - 3600)),
        (DpopCause::IatPast, json!(1_782_000_000 - 60)),
        (DpopCause::IatPast, json!(1_781_999_940.499)),
        (DpopCause::IatFuture, json!(1_782_000_030.502)),
        (DpopCause::IatFuture, json!(1_782_000_000 + 31)),
        (DpopCause::IatFuture, json!(1_782_000_000 + 3600)),
        // Milliseconds, which JavaScript counts in.
        (DpopCause::IatFuture, json!(NOW)),
        (DpopCause::IatFuture, json!(1e18)),
    ] {
        let label = format!("iat = {iat} without a nonce");
        let mut claims = plain_claims();
        claims.insert("iat".to_owned(), iat);
        table.add(because, label, signed(text(&header()), text(&claims)), PLAIN);
    }
    let proof = signed(text(&header()), text(&plain_claims()));
    let judged = Judged { freshness: Freshness::Nonce, ..PLAIN };
    table.add(DpopCause::NonceMissing, "a right clock is not enough", proof, judged);
}

fn judge_with(judged: &Judged, name: &str, value: Value) -> Result<DpopProof, DpopCause> {
    let mut claims = if judged.is_plain() { plain_claims() } else { claims() };
    claims.insert(name.to_owned(), value);
    judged.verify(&signed(text(&header()), text(&claims)))
}

#[test]
fn an_address_is_read_as_a_client_would() {
    for htu in [
        "https://auth.example.com/api/v1/device/refresh-token?x=1",
        "https://auth.example.com/api/v1/device/refresh-token?",
        "https://auth.example.com/api/v1/device/refresh-token#x",
        "https://auth.example.com/api/v1/device/refresh-token?x#y?z",
        "https://auth.example.com:443/api/v1/device/refresh-token",
        "HTTPS://AUTH.EXAMPLE.COM/api/v1/device/refresh-token",
        "https://auth.example.com/api/./v1/x/../device/refresh-token",
        "https://auth.example.com/api/v1/device/%2e/refresh-token",
    ] {
        assert!(judge_with(&SESSION, "htu", json!(htu)).is_ok(), "{htu}");
    }
    for base_url in ["https://auth.example.com/", "https://AUTH.example.com:443"] {
        assert!(judge_with(&Judged { base_url, ..SESSION }, "x", json!(0)).is_ok(), "{base_url}");
    }
    let local = Judged { base_url: "http://127.0.0.1:9000", ..SESSION };
    assert!(judge_with(&local, "htu", json!(format!("http://127.0.0.1:9000{PATH}"))).is_ok());
}

#[test]
fn a_proof_goes_with_a_token_or_with_none() {
    let is_accepted = |presented, has_ath: bool| {
        let mut claims = claims();
        if !has_ath {
            claims.remove("ath");
        }
        SESSION.presenting(presented).judge(&signed(text(&header()), text(&claims))).is_ok()
    };
    assert!(is_accepted(Presented::Bound(TOKEN), true) && !is_accepted(Presented::Bound(TOKEN), false));
    assert!(is_accepted(Presented::Unbound(TOKEN), true) && is_accepted(Presented::Unbound(TOKEN), false));
    assert!(!is_accepted(Presented::Nothing, true) && is_accepted(Presented::Nothing, false));
}

/// The times at which a proof is accepted, and until when it must not be forgotten: 5 s longer than any machine of ours
/// accepts it.
#[test]
fn a_proof_is_remembered_for_as_long_as_it_is_accepted() {
    for issued in [NOW - 300_000, NOW - 1, NOW, NOW + 5000] {
        let proof = judge_with(&SESSION, "nonce", nonce_of(issued)).unwrap();
        assert_eq!(proof.remember_until(), at(issued + 305_000));
    }
    for iat in [1_781_999_940.5, 1_781_999_999.0, 1_782_000_000.0, 1_782_000_030.5] {
        let proof = judge_with(&PLAIN, "iat", json!(iat)).unwrap();
        assert_eq!(proof.remember_until(), Timestamp::from_millis(0).plus(Duration::from_secs_f64(iat + 65.0)));
    }
}

#[test]
fn a_proof_is_remembered_by_its_key_and_its_id() {
    let name = |key: &SigningKey, jti: &str, iat: i64| {
        let header = fields(&json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(key) }));
        let mut claims = claims();
        claims.insert("jti".to_owned(), json!(jti));
        claims.insert("iat".to_owned(), json!(iat));
        let proof = SESSION.verify(&signed_by(key, &message(text(&header), text(&claims)))).unwrap();
        assert_eq!(proof.replay_key().to_string(), proof.replay_key().as_str());
        proof.replay_key().to_string()
    };
    let other = new_key();
    // Another signature, and another proof, with the same id.
    assert_eq!(name(&DEVICE, "a", 1), name(&DEVICE, "a", 1));
    assert_eq!(name(&DEVICE, "a", 1), name(&DEVICE, "a", 2));
    let names = [name(&DEVICE, "a", 1), name(&DEVICE, "b", 1), name(&DEVICE, "A", 1), name(&other, "a", 1)];
    assert_eq!(BTreeSet::from(names.clone()).len(), 4);
    assert!(names.iter().all(|name| name.len() == 43));
    assert_eq!(name(&DEVICE, "a", 1), encode(digest(&SHA256, format!("{}a", DEVICE.kid()).as_bytes())));
}

#[test]
fn nonces_are_those_that_others_compute() {
    let key = nonce_key("LatchkeyTestTraceKey000000000000000000000000000A");
    assert_eq!(key.issue(now()).to_string(), PYTHON);
    assert_eq!(key.issued_at(PYTHON), Some(now()));
}

/// Computed with Python's `hmac`, as RFC 5869 §2 and the table in `nonce.rs` have it.
const PYTHON: &str = "AAABnud6HfQmrlcL3VGBcnRmok2YKKXh";
