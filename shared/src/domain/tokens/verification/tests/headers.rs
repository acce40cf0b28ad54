//! Headers.

use super::*;

pub(super) fn add(table: &mut Table) {
    algorithms(table);
    header_members(table);
    header_texts(table);
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
        "RS384",
        "RS512",
        "PS256",
        "PS384",
        "PS512",
        "HS256",
        "HS384",
        "HS512",
        "EdDSA",
        "Ed25519",
        "ECDSA",
        "SHA256withECDSA",
        "ecdsa-p256-sha256",
        "dir",
        "A128KW",
        "RSA-OAEP-256",
    ] {
        table.member(ALG, "alg", json!(alg));
    }
    for alg in [json!(null), json!(256), json!(-7), json!(true), json!(["ES256"]), json!({ "name": "ES256" })] {
        table.member(HEADER, "alg", alg);
    }
    let with = |alg: &str| {
        let mut header = TENANT.header();
        header.insert("alg".to_owned(), json!(alg));
        message(text(&header), text(&TENANT.user()))
    };
    for alg in ["none", "None", "NONE", "nOnE", "ES256"] {
        table.add(SIGNATURE_LENGTH, format!("{alg} without a signature"), format!("{}.", with(alg)));
        table.add(PARTS, format!("{alg} without the last part"), with(alg).replace('.', ""));
    }
    // The public key as the secret of a MAC: what a library does that goes by the header.
    let key = TENANT.key.public();
    let [x, y] = [&key.x, &key.y].map(|text| BASE64URL_NOPAD.decode(text.as_bytes()).unwrap());
    let point = [&[4][..], &x, &y].concat();
    let prefix = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
    let der = [HEXLOWER.decode(prefix.as_bytes()).unwrap(), point.clone()].concat();
    let base64 = BASE64.encode(&der);
    let (first, second) = base64.split_at(64);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{first}\n{second}\n-----END PUBLIC KEY-----\n");
    let jwk = format!(r#"{{"kty":"EC","crv":"P-256","x":"{}","y":"{}"}}"#, key.x, key.y);
    let secrets = [
        ("PEM", pem.clone().into_bytes()),
        ("PEM without its last line end", pem.trim_end().as_bytes().to_vec()),
        ("DER", der),
        ("point", point),
        ("JWK", jwk.into_bytes()),
        ("text of x", key.x.clone().into_bytes()),
        ("x", x),
        ("kid", TENANT.key.kid().as_bytes().to_vec()),
        ("nothing", Vec::new()),
    ];
    let macs = [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)];
    for (secret, bytes) in &secrets {
        for (alg, algorithm) in macs {
            let mac = |message: &str| hmac::sign(&hmac::Key::new(algorithm, bytes), message.as_bytes());
            let message = with(alg);
            // One of the three is as long as a signature, and so comes further.
            let because = if alg == "HS512" { ALG } else { SIGNATURE_LENGTH };
            table.add(because, format!("{alg} with {secret}"), format!("{message}.{}", encode(mac(&message))));
            if alg == "HS512" {
                let message = with("ES256");
                let label = format!("ES256 in name, {alg} with {secret}");
                table.add(FORGED, label, format!("{message}.{}", encode(mac(&message))));
            }
        }
    }
}

fn header_members(table: &mut Table) {
    for typ in [
        "JWT",
        "jwt",
        "at+JWT",
        "AT+JWT",
        "At+Jwt",
        "application/at+jwt",
        "application/jwt",
        "at+jwt ",
        " at+jwt",
        "at jwt",
        "at+jwt; v=1",
        "at%2Bjwt",
        "id+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "token-introspection+jwt",
        "",
    ] {
        table.member(TYP, "typ", json!(typ));
    }
    let kid = TENANT.key.kid();
    for kid in [
        "",
        "../../../../../../dev/null",
        "/proc/sys/kernel/randomize_va_space",
        "' OR '1'='1",
        "x' UNION SELECT 'secret';--",
        "$(id)",
        "https://attacker.example/jwks.json",
        "TENANT#tnt_1#KEY#key_1",
        "\0",
        "😀",
        OTHER.key.kid(),
        &kid.to_uppercase(),
        &format!("{kid} "),
        &format!("{kid}\0"),
        &format!("{kid}="),
        &kid[..42],
        &"k".repeat(4000),
    ] {
        table.member(KID, "kid", json!(kid));
    }
    for name in ["typ", "kid"] {
        for value in [json!(null), json!(1), json!(true), json!([]), json!([TENANT.header()[name]]), json!({})] {
            table.member(HEADER, name, value);
        }
    }
    for name in ["alg", "typ", "kid"] {
        table.header(HEADER, format!("header without {name}"), without(TENANT.header(), name));
    }
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": OTHER.key.public().x, "y": OTHER.key.public().y });
    let certificate = BASE64.encode(b"certificate");
    for (name, value) in [
        ("jwk", jwk.clone()),
        ("jku", json!("https://attacker.example/jwks.json")),
        ("x5u", json!("https://attacker.example/certificate.pem")),
        ("x5c", json!([certificate])),
        ("x5t", json!("AA")),
        ("x5t#S256", json!("AA")),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!(null)),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("enc", json!("A128GCM")),
        ("epk", jwk.clone()),
        ("nonce", json!("1")),
        ("iss", json!(TENANT.issuer.as_str())),
        ("Alg", json!("none")),
        ("ALG", json!("none")),
        ("__proto__", json!({ "alg": "none" })),
        ("", json!("")),
    ] {
        table.member(HEADER, name, value);
    }
    // What the embedded key is for: a signature that fits it.
    let mut header = TENANT.header();
    header.insert("jwk".to_owned(), jwk);
    let message = message(text(&header), text(&TENANT.user()));
    table.add(HEADER, "header with the key that signed", signed(&message, &OTHER.key));
}

fn header_texts(table: &mut Table) {
    let kid = TENANT.key.kid();
    let header = text(&TENANT.header());
    let rest = &header[1..];
    let array = json!(["ES256", "at+jwt", kid]).to_string();
    let utf_16: Vec<u8> = header.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (label, bytes) in [
        ("alg twice", format!(r#"{{"alg":"ES256",{rest}"#).into_bytes()),
        ("alg none, then the right one", format!(r#"{{"alg":"none",{rest}"#).into_bytes()),
        ("alg twice, once escaped", format!(r#"{{"\u0061lg":"ES256",{rest}"#).into_bytes()),
        ("typ twice", format!(r#"{{"typ":"at+jwt",{rest}"#).into_bytes()),
        ("kid twice", format!(r#"{{"kid":"{kid}",{rest}"#).into_bytes()),
        ("array of its values", array.into_bytes()),
        ("array of the object", format!("[{header}]").into_bytes()),
        ("text of the object", json!(header).to_string().into_bytes()),
        ("null", b"null".to_vec()),
        ("number", b"1".to_vec()),
        ("empty object", b"{}".to_vec()),
        ("nothing", Vec::new()),
        ("no JSON", b"alg=ES256&typ=at+jwt".to_vec()),
        ("cut short", header.as_bytes()[..header.len() - 1].to_vec()),
        ("something behind it", format!("{header}x").into_bytes()),
        ("a second object behind it", format!("{header}{header}").into_bytes()),
        ("NUL behind it", format!("{header}\0").into_bytes()),
        ("white space before it", format!(" {header}").into_bytes()),
        ("byte order mark before it", format!("\u{feff}{header}").into_bytes()),
        ("comma at its end", header.replace('}', ",}").into_bytes()),
        ("comment in it", header.replacen('{', "{/**/", 1).into_bytes()),
        ("single quotes", header.replace('"', "'").into_bytes()),
        ("control character in a text", header.replace("at+jwt", "at+jwt\n").into_bytes()),
        ("half of a surrogate pair", header.replace("at+jwt", r"\ud83d").into_bytes()),
        ("UTF-16", utf_16),
        ("invalid UTF-8", [&header.as_bytes()[..8], b"\xff", &header.as_bytes()[8..]].concat()),
        ("overlong UTF-8", [b"{\"\xc0\x80\":1,", rest.as_bytes()].concat()),
        ("a thousand arrays", [vec![b'['; 1000], vec![b']'; 1000]].concat()),
        ("a thousand objects", br#"{"a":"#.repeat(1000)),
    ] {
        table.header(HEADER, format!("header: {label}"), bytes);
    }
}
