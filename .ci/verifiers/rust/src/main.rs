//! Verifiers of the crate registry. Arguments: which of them, then issuer, audience, the key set, the key in use as
//! PEM, its id. Prints the claims of each token on standard input, or why it is refused.

use std::error::Error;
use std::io::stdin;

use serde_json::Value;

type Verified = Result<Value, Box<dyn Error>>;

/// What a verifier is told.
struct Setting {
    issuer: String,
    audience: String,
    set: String,
    pem: String,
    kid: String,
}

/// The two versions have the same names.
macro_rules! by_jsonwebtoken {
    ($name:ident, $crate_:ident) => {
        fn $name(token: &str, setting: &Setting) -> Verified {
            use $crate_::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
            let keys: JwkSet = serde_json::from_str(&setting.set)?;
            let kid = decode_header(token)?.kid.ok_or("no kid")?;
            let key = DecodingKey::from_jwk(keys.find(&kid).ok_or("an unknown key")?)?;
            let mut rules = Validation::new(Algorithm::ES256);
            rules.set_issuer(&[&setting.issuer]);
            rules.set_audience(&[&setting.audience]);
            rules.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
            rules.leeway = 5;
            Ok(decode::<Value>(token, &key, &rules)?.claims)
        }
    };
}
by_jsonwebtoken!(by_jsonwebtoken_10, jsonwebtoken_10);
by_jsonwebtoken!(by_jsonwebtoken_12, jsonwebtoken_12);

fn by_jwt_simple(token: &str, setting: &Setting) -> Verified {
    use jwt_simple::prelude::*;
    let key = ES256PublicKey::from_pem(&setting.pem)?.with_key_id(&setting.kid);
    let rules = VerificationOptions {
        required_key_id: Some(setting.kid.clone()),
        allowed_issuers: Some(HashSet::from([setting.issuer.clone()])),
        allowed_audiences: Some(HashSet::from([setting.audience.clone()])),
        time_tolerance: Some(Duration::from_secs(5)),
        ..VerificationOptions::default()
    };
    let claims = key.verify_token::<Value>(token, Some(rules))?;
    let mut all = claims.custom.as_object().cloned().unwrap_or_default();
    let times = [("exp", claims.expires_at), ("iat", claims.issued_at)];
    all.extend(times.into_iter().filter_map(|(name, time)| Some((name.to_owned(), time?.as_secs().into()))));
    all.extend(claims.subject.map(|subject| ("sub".to_owned(), subject.into())));
    all.extend(claims.issuer.map(|issuer| ("iss".to_owned(), issuer.into())));
    all.extend(claims.audiences.map(|audiences| {
        let one = audiences.into_set().into_iter().next();
        ("aud".to_owned(), one.into())
    }));
    Ok(all.into())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut values = std::env::args().skip(1);
    let mut next = || values.next().ok_or("an argument is missing");
    let verify = match next()?.as_str() {
        "jsonwebtoken-10" => by_jsonwebtoken_10,
        "jsonwebtoken-12" => by_jsonwebtoken_12,
        _ => by_jwt_simple,
    };
    let (issuer, audience) = (next()?, next()?);
    let set = std::fs::read_to_string(next()?)?;
    let pem = std::fs::read_to_string(next()?)?;
    let setting = Setting { issuer, audience, set, pem, kid: next()? };
    for token in stdin().lines() {
        match verify(&token?, &setting) {
            Ok(claims) => println!("{claims}"),
            Err(error) => println!("refused: {}", error.to_string().replace('\n', " ")),
        }
    }
    Ok(())
}
