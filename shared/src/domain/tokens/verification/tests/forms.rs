//! The three parts, and the signature.

use super::*;

pub(super) fn add(table: &mut Table) {
    parts(table);
    signatures(table);
}

fn parts(table: &mut Table) {
    let token = user_token();
    let parts: Vec<_> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("three parts") };
    table.add(PARTS, "nothing", "");
    table.add(PARTS, "one word", "token");
    table.add(PARTS, "one dot", ".");
    table.add(PARTS, "header only", header);
    table.add(PARTS, "header and a dot", format!("{header}."));
    table.add(PARTS, "header and claims", format!("{header}.{claims}"));
    table.add(PARTS, "an API key", "up_embed_aaaaaaaaaaaaaaaaaaaaaaaa");
    table.add(SIGNATURE_LENGTH, "two dots", "..");
    table.add(SIGNATURE_LENGTH, "header and two dots", format!("{header}.."));
    table.add(SIGNATURE_LENGTH, "without its signature", format!("{header}.{claims}."));
    table.add(SIGNATURE_LENGTH, "claims, header, header", format!("{claims}.{header}.{header}"));
    table.add(SIGNATURE_LENGTH, "signature first", format!("{signature}.{header}.{claims}"));
    table.add(HEADER, "header and claims swapped", format!("{claims}.{header}.{signature}"));
    table.add(HEADER, "without its header", format!(".{claims}.{signature}"));
    table.add(CLAIMS, "without its claims", format!("{header}..{signature}"));
    table.add(CLAIMS, "its header twice", format!("{header}.{header}.{signature}"));
    for (label, text) in [
        ("four parts", format!("{token}.{signature}")),
        ("four parts, the last empty", format!("{token}.")),
        ("four parts, the first empty", format!(".{token}")),
        ("five parts, as of an encrypted one", format!("{header}.{signature}.{signature}.{claims}.{signature}")),
        ("two tokens", format!("{token}.{token}")),
        ("two tokens and a comma", format!("{token},{token}")),
        ("padding behind the header", format!("{header}=.{claims}.{signature}")),
        ("padding behind the claims", format!("{header}.{claims}=.{signature}")),
        ("padding behind the signature", format!("{token}==")),
        ("all padded", parts.iter().map(|part| padded(part)).collect::<Vec<_>>().join(".")),
        ("white space before it", format!(" {token}")),
        ("white space behind it", format!("{token} ")),
        ("line end behind it", format!("{token}\n")),
        ("NUL behind it", format!("{token}\0")),
        ("white space in it", format!("{header} .{claims}.{signature}")),
        ("folded", format!("{header}.\r\n {claims}.{signature}")),
        ("a scheme before it", format!("Bearer {token}")),
        ("quotes around it", format!("\"{token}\"")),
        ("a fragment behind it", format!("{token}#a")),
        ("a letter of another script", format!("{header}.{claims}.\u{430}{}", &signature[1..])),
        ("full-width dots", token.replace('.', "\u{ff0e}.")),
        ("a byte order mark before it", format!("\u{feff}{token}")),
        ("a zero-width space in it", format!("{header}.\u{200b}{claims}.{signature}")),
        ("bits behind the end of the signature", format!("{header}.{claims}.{}", &next_character(signature))),
        ("a character more", format!("{token}AAA")),
        ("a character less", token[..token.len() - 1].to_owned()),
        ("percent-encoded", format!("{header}.{claims}.{signature}%3D")),
    ] {
        table.add(ENCODING, label, text);
    }
    table.add(PARTS, "percent-encoded dots", token.replace('.', "%2E"));
    // The other alphabet, where it differs: with a character that has another spelling there.
    let mut odd = TENANT.user();
    set(&mut odd, "properties.region", json!("?>?>?>~~~\u{7f}\u{ff}"));
    let odd = signed(&message(text(&TENANT.header()), text(&odd)), &TENANT.key);
    assert!(TENANT.check(&odd).is_ok() && odd.contains(['-', '_']));
    table.add(ENCODING, "the other base64 alphabet", odd.replace('-', "+").replace('_', "/"));
    // Four bytes are six characters, of which the last has bits to spare.
    let spare = encode("{  }");
    table.add(
        ENCODING,
        "bits behind the end of the header",
        format!("{}.{claims}.{signature}", next_character(&spare)),
    );
    let json = json!({ "protected": header, "payload": claims, "signature": signature });
    table.add(PARTS, "flattened JSON", json.to_string());
    let json = json!({ "payload": claims, "signatures": [{ "protected": header, "signature": signature }] });
    table.add(PARTS, "general JSON", json.to_string());

    let mut long = TENANT.registered();
    set(&mut long, "data.displayName", json!("x".repeat(8000)));
    table.claims(LENGTH, "over 8 KB", text(&long));
    table.add(LENGTH, "over 8 KB of nothing", "A".repeat(LONGEST_TOKEN + 1));
    table.add(LENGTH, "a megabyte of dots", ".".repeat(1 << 20));
}

/// With the padding that base64 has elsewhere.
fn padded(part: &str) -> String {
    BASE64URL.encode(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap())
}

/// The same bytes with one of the bits set that stand for nothing.
fn next_character(part: &str) -> String {
    let (rest, last) = part.split_at(part.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let position = alphabet.find(last).unwrap();
    format!("{rest}{}", &alphabet[position + 1..position + 2])
}

/// The order of the curve's group (SEC 2 §2.4.2).
pub(super) const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

fn signatures(table: &mut Table) {
    let whole = message(text(&TENANT.header()), text(&TENANT.user()));
    let sign = |message: &[u8]| TENANT.key.sign(message).unwrap();
    let right = sign(whole.as_bytes());
    let (r, s) = right.split_at(32);
    let order = HEXLOWER.decode(ORDER.as_bytes()).unwrap();
    let (zero, one) = (vec![0; 32], [vec![0; 31], vec![1]].concat());
    for (label, signature) in [
        ("r and s swapped", [s, r].concat()),
        ("all zero", vec![0; 64]),
        ("all ones", vec![0xff; 64]),
        ("r is zero", [&zero, s].concat()),
        ("s is zero", [r, &zero].concat()),
        ("r and s are one", [&*one, &one].concat()),
        ("r is the order", [&order, s].concat()),
        ("s is the order", [r, &order].concat()),
        ("both are the order", [&*order, &order].concat()),
        ("r twice", [r, r].concat()),
        ("first bit flipped", flipped(&right, 0, 0x80)),
        ("last bit flipped", flipped(&right, 63, 1)),
        ("a bit in the middle flipped", flipped(&right, 32, 1)),
        ("of the claims only", sign(encode(text(&TENANT.user())).as_bytes())),
        ("of the message and a dot", sign(format!("{whole}.").as_bytes())),
        (
            "of the message's hash",
            sign(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, whole.as_bytes()).as_ref()),
        ),
        ("of another token", sign(b"message")),
        ("of the other tenant's key", OTHER.key.sign(whole.as_bytes()).unwrap()),
        ("of the key of before", TENANT.retired.sign(whole.as_bytes()).unwrap()),
    ] {
        table.signature(FORGED, format!("signature: {label}"), &signature);
    }
    for (label, signature) in [
        ("DER", [vec![0x30, 70], integer(r), integer(s)].concat()),
        ("63 bytes", right[..63].to_vec()),
        ("65 bytes", [&right[..], &[0]].concat()),
        ("65 bytes, a zero first", [&[0], &right[..]].concat()),
        ("r only", r.to_vec()),
        ("twice", [&right[..], &right].concat()),
        ("hexadecimal", HEXLOWER.encode(&right).into_bytes()),
        ("a byte", vec![0]),
    ] {
        table.signature(SIGNATURE_LENGTH, format!("signature: {label}"), &signature);
    }
    // Pieces of two valid tokens.
    let (one, other) =
        (user_token(), signed(&message(text(&TENANT.header()), text(&TENANT.registered())), &TENANT.key));
    let [one, other]: [Vec<_>; 2] = [&one, &other].map(|token| token.split('.').collect());
    table.add(FORGED, "the claims of another token", format!("{}.{}.{}", one[0], other[1], one[2]));
    table.add(FORGED, "the signature of another token", format!("{}.{}.{}", one[0], one[1], other[2]));

    // Of the other tenant.
    let theirs = signed(&message(text(&OTHER.header()), text(&OTHER.user())), &OTHER.key);
    assert!(OTHER.check(&theirs).is_ok());
    table.add(KID, "the other tenant's token", theirs);
    let under_our_kid = message(text(&TENANT.header()), text(&OTHER.user()));
    table.add(FORGED, "the other tenant's token under our kid", signed(&under_our_kid, &OTHER.key));
    table.add(AUD, "the other tenant's claims, signed by us", signed(&under_our_kid, &TENANT.key));
    let under_theirs = message(text(&OTHER.header()), text(&TENANT.user()));
    table.add(KID, "our claims under the other tenant's kid", signed(&under_theirs, &OTHER.key));
    table.add(KID, "our claims under the other tenant's kid, signed by us", signed(&under_theirs, &TENANT.key));
}

fn flipped(bytes: &[u8], position: usize, bits: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[position] ^= bits;
    bytes
}

/// A positive integer in DER.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let bytes: Vec<_> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    let bytes = if bytes[0] & 0x80 == 0 { bytes } else { [vec![0], bytes].concat() };
    [vec![2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}
