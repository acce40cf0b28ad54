//! Claims.

use super::*;

pub(super) fn add(table: &mut Table) {
    types(table);
    ids(table);
    times(table);
    table.claim(DpopCause::HtuMalformed, "htu", json!(""));
    for htu in ["/api/v1/device/refresh-token", "//auth.example.com/x", "auth.example.com", "https://", "https://a b/"]
    {
        table.claim(DpopCause::HtuMalformed, "htu", json!(htu));
    }
    for ath in ["", "A", &"A".repeat(42), &"A".repeat(44), &"/".repeat(43), &"B".repeat(43), TOKEN] {
        table.claim(DpopCause::AthMalformed, "ath", json!(ath));
    }
    let right = claims()["ath"].as_str().unwrap().to_owned();
    for ath in [format!("{right}="), format!(" {right}"), format!("{right}\n")] {
        table.claim(DpopCause::AthMalformed, "ath", json!(ath));
    }
}

fn types(table: &mut Table) {
    for (name, missing, malformed) in [
        ("jti", DpopCause::JtiMissing, DpopCause::JtiMalformed),
        ("htm", DpopCause::HtmMissing, DpopCause::HtmMalformed),
        ("htu", DpopCause::HtuMissing, DpopCause::HtuMalformed),
        ("iat", DpopCause::IatMissing, DpopCause::IatMalformed),
        ("ath", DpopCause::AthMissing, DpopCause::AthMalformed),
        ("nonce", DpopCause::NonceMissing, DpopCause::NonceMalformed),
    ] {
        let mut without = claims();
        without.remove(name);
        table.claims(missing, format!("no {name}"), text(&without));
        for value in no_strings().into_iter().filter(|value| name != "iat" || !value.is_number()) {
            table.claim(malformed, name, value);
        }
        for (place, doubled) in doubled(&claims(), name).into_iter().enumerate() {
            table.claims(DpopCause::ClaimDoubled, format!("two {name}, {place}"), doubled);
        }
        let capitals = text(&claims()).replace(&format!("\"{name}\":"), &format!("\"{}\":", name.to_uppercase()));
        table.claims(missing, format!("{name} in capitals"), capitals);
        let nested = json!({ "claims": claims()[name] }).to_string();
        let inside = text(&without).replacen('{', &format!("{{\"inner\":{nested},"), 1);
        table.claims(missing, format!("{name} inside of another"), inside);
    }
    // Those that are not looked at count too.
    let mut claims = claims();
    claims.insert("exp".to_owned(), json!(0));
    for (place, doubled) in doubled(&claims, "exp").into_iter().enumerate() {
        table.claims(DpopCause::ClaimDoubled, format!("two exp, {place}"), doubled);
    }
}

fn ids(table: &mut Table) {
    for jti in ["", &"a".repeat(129), &"é".repeat(65)] {
        table.claim(DpopCause::JtiMalformed, "jti", json!(jti));
    }
}

fn times(table: &mut Table) {
    for iat in [json!(-1), json!(-0.001), json!(1e30), json!("1782000000"), json!("2026-06-21T00:00:00Z")] {
        table.claim(DpopCause::IatMalformed, "iat", iat);
    }
    for number in ["1e999", "-1e999", "NaN", "Infinity", "01", "0x10", "+1", "1."] {
        let text = text(&claims()).replace(&format!("\"iat\":{}", NOW / 1000), &format!("\"iat\":{number}"));
        let is_json = number.ends_with("999");
        let because = if is_json { DpopCause::IatMalformed } else { DpopCause::ClaimsMalformed };
        table.claims(because, format!("iat = {number}"), text);
    }
}

#[test]
fn claims_that_are_not_looked_at_are_accepted() {
    let mut claims = claims();
    for (name, value) in [
        ("exp", json!(1)),
        ("nbf", json!(i64::MAX)),
        ("aud", json!(["https://other.example.com"])),
        ("iss", json!(null)),
        ("sub", json!(7)),
        ("client_id", json!({})),
    ] {
        claims.insert(name.to_owned(), value);
        assert!(SESSION.judge(&signed(text(&header()), text(&claims))).is_ok(), "{name}");
    }
}

#[test]
fn where_the_nonce_is_right_the_clock_of_the_device_does_not_count() {
    for iat in [json!(0), json!(0.5), json!(1_782_000_000.25), json!(NOW), json!(253_402_300_800_u64), json!(1e18)] {
        for judged in [SESSION, PLAIN] {
            let mut claims = if judged.is_plain() { plain_claims() } else { claims() };
            claims.insert("iat".to_owned(), iat.clone());
            claims.insert("nonce".to_owned(), nonce_of(NOW));
            assert!(judged.judge(&signed(text(&header()), text(&claims))).is_ok(), "{iat}");
        }
    }
}

#[test]
fn an_id_has_1_to_128_bytes() {
    for jti in ["a", &"a".repeat(128), "0e1f…", "\u{0}", " "] {
        let mut claims = claims();
        claims.insert("jti".to_owned(), json!(jti));
        assert!(SESSION.judge(&signed(text(&header()), text(&claims))).is_ok(), "{jti}");
    }
}
