//! The form of a proof as a whole, and its signature.

use super::*;

pub(super) fn add(table: &mut Table) {
    parts(table);
    encodings(table);
    no_objects(table);
    signatures(table);
}

fn proof() -> String {
    signed(text(&header()), text(&claims()))
}

fn parts(table: &mut Table) {
    let [proof, other] = [proof(), proof()];
    let (message, signature) = proof.rsplit_once('.').unwrap();
    for (label, text) in [
        ("nothing", String::new()),
        ("a word", "dpop".to_owned()),
        ("two parts", message.to_owned()),
        ("one part", signature.to_owned()),
        ("four parts", format!("{proof}.")),
        ("five parts", format!("{proof}.{message}")),
        ("two proofs as the gateway joins them", format!("{proof},{other}")),
        ("two proofs with a space", format!("{proof}, {other}")),
    ] {
        table.add(DpopCause::NotThreeParts, label, text, SESSION);
    }
    let json = json!({ "protected": "", "payload": "", "signature": "" }).to_string();
    table.add(DpopCause::NotThreeParts, "the JSON serialization", json, SESSION);
    table.add(DpopCause::HeaderMalformed, "only dots", "..", SESSION);
    let long = 2049 - proof.len();
    table.add(DpopCause::TooLong, "one byte too long", format!("{proof}{}", "A".repeat(long)), SESSION);
    table.add(DpopCause::TooLong, "a megabyte", ".".repeat(1 << 20), SESSION);
}

fn encodings(table: &mut Table) {
    let proof = proof();
    let parts: Vec<_> = proof.split('.').collect();
    for place in 0..3 {
        for (label, part) in [
            ("padding", format!("{}=", parts[place])),
            ("a space before", format!(" {}", parts[place])),
            ("a space behind", format!("{} ", parts[place])),
            ("a line feed", format!("{}\n", parts[place])),
            ("a NUL", format!("{}\0", parts[place])),
            ("the other alphabet", format!("{}++//", parts[place])),
            ("a letter of no alphabet", format!("{}é", parts[place])),
            ("an escape", format!("{}%2E", parts[place])),
        ] {
            let mut parts: Vec<_> = parts.iter().map(|part| (*part).to_owned()).collect();
            parts[place] = part;
            table.add(DpopCause::NotBase64url, format!("part {place} with {label}"), parts.join("."), SESSION);
        }
    }
    for prefix in ["DPoP ", "Bearer "] {
        table.add(DpopCause::NotBase64url, format!("{prefix}before it"), format!("{prefix}{proof}"), SESSION);
    }
}

fn no_objects(table: &mut Table) {
    let wrap = |text: &str| {
        [
            String::new(),
            "null".to_owned(),
            "[]".to_owned(),
            "\"\"".to_owned(),
            "7".to_owned(),
            format!("[{text}]"),
            format!("{text}{text}"),
            format!("{text},"),
            format!("\u{feff}{text}"),
            text.replace('"', "'"),
            text.replacen('{', "{,", 1),
            text.replacen('}', ",}", 1),
            text.trim_end_matches('}').to_owned(),
            format!("/**/{text}"),
            json!(text).to_string(),
            text.replacen('{', &format!("{{\"deep\":{},", "[".repeat(300)), 1),
        ]
    };
    for (place, header) in wrap(&text(&header())).into_iter().enumerate() {
        table.header(DpopCause::HeaderMalformed, format!("header {place}"), header);
    }
    for (place, claims) in wrap(&text(&claims())).into_iter().enumerate() {
        table.claims(DpopCause::ClaimsMalformed, format!("claims {place}"), claims);
    }
    let invalid = |text: String| [&text.as_bytes()[..1], b"\"\xff\":0,", &text.as_bytes()[1..]].concat();
    table.header(DpopCause::HeaderMalformed, "header in no UTF-8", invalid(text(&header())));
    table.claims(DpopCause::ClaimsMalformed, "claims in no UTF-8", invalid(text(&claims())));
}

fn signatures(table: &mut Table) {
    let own = message(text(&header()), text(&claims()));
    let mut add = |label: &str, signature: &[u8]| {
        table.add(DpopCause::SignatureWrong, label, format!("{own}.{}", encode(signature)), SESSION);
    };
    let right = DEVICE.sign(own.as_bytes()).unwrap();
    let (r, s) = right.split_at(32);
    add("63 bytes", &right[..63]);
    add("65 bytes", &[&right[..], &[0]].concat());
    add("r only", r);
    add("zeros", &[0; 64]);
    add("ones", &[255; 64]);
    add("r and nothing", &[r, &[0; 32]].concat());
    add("nothing and s", &[&[0; 32], s].concat());
    add("s and r", &[s, r].concat());
    // The same numbers as ASN.1 has them, which other libraries make by default.
    let der = [&[0x30, 0x44, 0x02, 0x20][..], r, &[0x02, 0x20], s].concat();
    add("DER", &der);
    for bit in [0, 7, 255, 256, 511] {
        let mut flipped = right.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        add(&format!("bit {bit} flipped"), &flipped);
    }
    add("that of another key", &new_key().sign(own.as_bytes()).unwrap());
    add("that of the claims only", &DEVICE.sign(text(&claims()).as_bytes()).unwrap());
    add("that of the next proof", &DEVICE.sign(message(text(&header()), text(&plain_claims())).as_bytes()).unwrap());
    let spaced = serde_json::to_string_pretty(&claims()).unwrap();
    let (_, signature) = proof().rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let other = format!("{}.{signature}", message(text(&header()), spaced));
    table.add(DpopCause::SignatureWrong, "claims written anew", other, SESSION);
}

#[test]
fn a_proof_has_at_most_2048_bytes() {
    let of = |filling: usize| {
        let mut header = header();
        header.insert("kid".to_owned(), json!("k".repeat(filling)));
        signed(text(&header), text(&claims()))
    };
    // Three bytes are four characters.
    let filling = (2048 - of(0).len()) * 3 / 4;
    let proof = of(filling);
    assert!((2045..=2048).contains(&proof.len()), "{}", proof.len());
    assert!(SESSION.judge(&proof).is_ok());
    assert_eq!(SESSION.judge(&of(filling + 4)), Err(DpopCause::TooLong));
}

#[test]
fn the_length_is_looked_at_first() {
    for (length, cause) in [(LONGEST_PROOF, DpopCause::NotThreeParts), (LONGEST_PROOF + 1, DpopCause::TooLong)] {
        assert_eq!(UnverifiedDpopProof::parse(&"a".repeat(length)).err(), Some(cause));
    }
}
