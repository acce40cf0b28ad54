//! Keys in headers.

use super::*;

pub(super) fn add(table: &mut Table) {
    private_members(table);
    types(table);
    points(table);
    for name in ["kty", "crv", "x", "y"] {
        for (place, doubled) in doubled(&fields(&jwk(&DEVICE)), name).into_iter().enumerate() {
            with_jwk(table, DpopCause::JwkDoubled, &format!("two {name}, {place}"), &doubled);
        }
    }
}

/// A header with this key.
fn header_of(jwk: &str) -> String {
    format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk}}}"#)
}

fn with_jwk(table: &mut Table, because: DpopCause, label: &str, jwk: &str) {
    table.header(because, format!("jwk with {label}"), header_of(jwk));
}

/// The device's key with this member in the place of its own.
fn member(table: &mut Table, because: DpopCause, name: &str, value: Value) {
    let label = format!("{name} = {:.80}", value.to_string());
    let mut jwk = jwk(&DEVICE);
    jwk[name] = value;
    with_jwk(table, because, &label, &jwk.to_string());
}

fn private_members(table: &mut Table) {
    let jwk = serde_json::to_string(&DEVICE.to_jwk().unwrap()).unwrap();
    with_jwk(table, DpopCause::JwkPrivate, "its own private number", &jwk);
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        for value in [json!("AQAB"), json!(""), json!(null)] {
            member(table, DpopCause::JwkPrivate, name, value);
        }
    }
    let escaped = jwk.replace(r#""d""#, r#""\u0064""#);
    with_jwk(table, DpopCause::JwkPrivate, "its own private number, in an escape", &escaped);
    let symmetric = json!({ "kty": "oct", "k": "AQAB" }).to_string();
    with_jwk(table, DpopCause::JwkPrivate, "a symmetric key", &symmetric);
}

fn types(table: &mut Table) {
    for (name, others) in [
        ("kty", ["ec", "EC ", "RSA", "OKP", "oct", ""].as_slice()),
        ("crv", &["P-384", "P-521", "p-256", "P256", "secp256k1", "secp256r1", "prime256v1", "Ed25519", ""]),
    ] {
        for other in others {
            member(table, DpopCause::JwkNotP256, name, json!(other));
        }
        for value in no_strings() {
            member(table, DpopCause::JwkNotP256, name, value);
        }
        let mut jwk = fields(&jwk(&DEVICE));
        jwk.remove(name);
        with_jwk(table, DpopCause::JwkNotP256, &format!("no {name}"), &text(&jwk));
    }
    with_jwk(table, DpopCause::JwkNotP256, "nothing", "{}");
    let rsa = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" }).to_string();
    with_jwk(table, DpopCause::JwkNotP256, "an RSA key", &rsa);
}

fn points(table: &mut Table) {
    for name in ["x", "y"] {
        let mut jwk = fields(&jwk(&DEVICE));
        let own = jwk.remove(name).unwrap();
        let own = own.as_str().unwrap();
        with_jwk(table, DpopCause::JwkNoPoint, &format!("no {name}"), &text(&jwk));
        for value in no_strings() {
            member(table, DpopCause::JwkNoPoint, name, value);
        }
        let bytes = BASE64URL_NOPAD.decode(own.as_bytes()).unwrap();
        // The last character has two bits that belong to no byte.
        let spelled = [own.strip_suffix(own.chars().last().unwrap()).unwrap(), "B"].concat();
        for other in [
            "",
            &own[1..],
            &format!("{own}A"),
            &format!("{own}="),
            &format!(" {own}"),
            &format!("{own}\n"),
            &spelled,
            &encode([&[0][..], &bytes].concat()),
            &encode(&bytes[1..]),
            &"/".repeat(43),
        ] {
            member(table, DpopCause::JwkNoPoint, name, json!(other));
        }
        // Points that are on no curve, and such as have no other half.
        for bytes in [[0; 32], [255; 32], [1; 32]] {
            member(table, DpopCause::SignatureWrong, name, json!(encode(bytes)));
        }
    }
    let swapped = json!({ "kty": "EC", "crv": "P-256", "x": DEVICE.public().y, "y": DEVICE.public().x });
    with_jwk(table, DpopCause::SignatureWrong, "its halves swapped", &swapped.to_string());
    let zero = encode([0; 32]);
    let nothing = json!({ "kty": "EC", "crv": "P-256", "x": zero, "y": zero });
    with_jwk(table, DpopCause::SignatureWrong, "the point at zero", &nothing.to_string());
    with_jwk(table, DpopCause::SignatureWrong, "another key", &jwk(&new_key()).to_string());
}

/// What `WebCrypto` exports, and what other libraries add.
#[test]
fn a_key_has_more_members() {
    let mut exported = fields(&jwk(&DEVICE));
    for (name, value) in [
        ("ext", json!(true)),
        ("key_ops", json!([])),
        ("alg", json!("ES256")),
        ("use", json!("sig")),
        ("kid", json!("device")),
        ("iat", json!(1)),
        ("D", json!("no private number")),
    ] {
        exported.insert(name.to_owned(), value);
        let key = SESSION.judge(&signed(header_of(&text(&exported)), text(&claims())));
        assert_eq!(key.as_ref().map(Thumbprint::as_str), Ok(DEVICE.kid()), "{name}");
    }
}

#[test]
fn a_session_is_bound_to_one_key() {
    let (one, other) = (new_key(), new_key());
    let header = text(&fields(&json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(&one) })));
    let proof = signed_by(&one, &message(header, text(&claims())));
    let proof = SESSION.verify(&proof).unwrap();
    assert_eq!(proof.check_bound_to(&Thumbprint::of(one.public())), Ok(()));
    assert_eq!(proof.check_bound_to(&Thumbprint::of(other.public())), Err(DpopCause::KeyWrong));
}
