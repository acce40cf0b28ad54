//! Headers: type, algorithm and extensions.

use aws_lc_rs::hmac;

use super::*;

pub(super) fn add(table: &mut Table) {
    members(table);
    types(table);
    algorithms(table);
    macs(table);
}

/// The proof of a session with this member in the place of its own.
fn member(table: &mut Table, because: DpopCause, name: &str, value: Value) {
    let label = format!("header {name} = {:.80}", value.to_string());
    let mut header = header();
    header.insert(name.to_owned(), value);
    table.header(because, label, text(&header));
}

fn members(table: &mut Table) {
    for (name, missing, malformed) in [
        ("typ", DpopCause::TypMissing, DpopCause::TypMalformed),
        ("alg", DpopCause::AlgMissing, DpopCause::AlgMalformed),
        ("jwk", DpopCause::JwkMissing, DpopCause::JwkMalformed),
    ] {
        let mut without = header();
        without.remove(name);
        table.header(missing, format!("header without {name}"), text(&without));
        for value in no_strings().into_iter().filter(|value| name != "jwk" || !value.is_object()) {
            member(table, malformed, name, value);
        }
        for (place, doubled) in doubled(&header(), name).into_iter().enumerate() {
            table.header(DpopCause::HeaderDoubled, format!("header with two {name}, {place}"), doubled);
        }
        let capitals = text(&header()).replace(&format!("\"{name}\":"), &format!("\"{}\":", name.to_uppercase()));
        table.header(missing, format!("header with {name} in capitals"), capitals);
    }
    member(table, DpopCause::JwkMalformed, "jwk", json!(jwk(&DEVICE).to_string()));
    member(table, DpopCause::JwkMalformed, "jwk", json!([jwk(&DEVICE)]));
    member(table, DpopCause::JwkMalformed, "jwk", json!(["EC", "P-256", DEVICE.public().x, DEVICE.public().y]));
    // Those that are not looked at count too.
    let header = fields(&json!({ "kid": "a", "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(&DEVICE) }));
    for (place, doubled) in doubled(&header, "kid").into_iter().enumerate() {
        table.header(DpopCause::HeaderDoubled, format!("header with two kid, {place}"), doubled);
    }
    for value in [json!(["b64"]), json!([]), json!(["exp"]), json!(null), json!("b64")] {
        member(table, DpopCause::CriticalExtension, "crit", value);
    }
}

fn types(table: &mut Table) {
    for typ in [
        "JWT",
        "jwt",
        "dpop",
        "DPoP",
        "dpop+JWT",
        "DPoP+jwt",
        "DPOP+JWT",
        "application/dpop+jwt",
        "application/jwt",
        "dpop+jwt ",
        " dpop+jwt",
        "dpop jwt",
        "dpop+jwt; v=1",
        "dpop%2Bjwt",
        "dpop+jwt\0",
        "at+jwt",
        "pairing+jwt",
        "qr-decision+jwt",
        "id+jwt",
        "",
    ] {
        member(table, DpopCause::TypWrong, "typ", json!(typ));
    }
}

fn algorithms(table: &mut Table) {
    for alg in [
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        " ",
        "es256",
        "Es256",
        " ES256",
        "ES256 ",
        "ES256\n",
        "ES256\0",
        "ES256,none",
        "ES256K",
        "ES384",
        "ES512",
        "RS256",
        "PS256",
        "HS256",
        "HS384",
        "HS512",
        "EdDSA",
        "Ed25519",
        "ML-DSA-44",
    ] {
        member(table, DpopCause::AlgWrong, "alg", json!(alg));
    }
    let with = |alg: &str| {
        let mut header = header();
        header.insert("alg".to_owned(), json!(alg));
        message(text(&header), text(&claims()))
    };
    for alg in ["none", "None", "NONE", "nOnE"] {
        table.add(DpopCause::AlgWrong, format!("{alg} without a signature"), format!("{}.", with(alg)), SESSION);
    }
    table.add(DpopCause::SignatureWrong, "ES256 without a signature", format!("{}.", with("ES256")), SESSION);
}

/// The public key as the secret of a MAC: what a library does that goes by the header.
fn macs(table: &mut Table) {
    let key = DEVICE.public();
    let [x, y] = [&key.x, &key.y].map(|text| BASE64URL_NOPAD.decode(text.as_bytes()).unwrap());
    let secrets = [
        ("JWK", jwk(&DEVICE).to_string().into_bytes()),
        ("point", [&[4][..], &x, &y].concat()),
        ("text of x", key.x.clone().into_bytes()),
        ("x", x),
        ("thumbprint", DEVICE.kid().as_bytes().to_vec()),
        ("nothing", Vec::new()),
    ];
    let macs = [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)];
    for (secret, bytes) in &secrets {
        for (alg, algorithm) in macs {
            for (named, because) in [(alg, DpopCause::AlgWrong), ("ES256", DpopCause::SignatureWrong)] {
                let mut header = header();
                header.insert("alg".to_owned(), json!(named));
                let message = message(text(&header), text(&claims()));
                let mac = hmac::sign(&hmac::Key::new(algorithm, bytes), message.as_bytes());
                let proof = format!("{message}.{}", encode(mac));
                table.add(because, format!("{named} in name, {alg} with {secret}"), proof, SESSION);
            }
        }
    }
}

#[test]
fn members_that_are_not_looked_at_are_accepted() {
    for (name, value) in [
        ("kid", json!("device")),
        ("jku", json!("https://evil.example.com/keys")),
        ("x5c", json!(["MII"])),
        ("b64", json!(false)),
        ("nested", json!({ "typ": "JWT", "jwk": { "d": "x" } })),
    ] {
        let mut header = header();
        header.insert(name.to_owned(), value);
        assert!(SESSION.judge(&signed(text(&header), text(&claims()))).is_ok(), "{name}");
    }
    let spaced = serde_json::to_string_pretty(&header()).unwrap();
    assert!(SESSION.judge(&signed(spaced, text(&claims()))).is_ok());
}
