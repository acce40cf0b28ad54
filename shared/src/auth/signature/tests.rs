use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;

use super::*;
use crate::auth::testing::{after, app, input, now, request};
use crate::domain::{LimitOf, Minute, RatePerMinute};
use crate::store::Shelf;

const MAC: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn each_header_goes_by_either_of_its_names_and_not_by_both() {
    let names = [TENANT_ID, TIMESTAMP, SIGNATURE];
    let values = ["tnt_1", "1782000000000", MAC];
    for chosen in 0..8 {
        let headers: Vec<_> = (0..3).map(|header| (names[header][chosen >> header & 1], values[header])).collect();
        let call = read(&request(&headers)).unwrap();
        assert_eq!((call.tenant_id.as_str(), call.timestamp.as_millis()), ("tnt_1", 1_782_000_000_000));
        assert_eq!((call.version, &call.nonce), (SigningVersion::V1, &None));
        for missing in 0..3 {
            let mut fewer = headers.clone();
            fewer.remove(missing);
            assert!(read(&request(&fewer)).is_err(), "{fewer:?}");
            for name in names[missing] {
                let twice: Vec<_> = headers.iter().copied().chain([(name, values[missing])]).collect();
                let is_repeated = headers.iter().any(|(known, _)| *known == name);
                assert!(is_repeated || read(&request(&twice)).is_err(), "{twice:?}");
            }
        }
    }
}

#[test]
fn a_call_of_the_second_version_has_a_nonce() {
    let signature = format!("v2={MAC}");
    let headers = [(TENANT_ID[0], "tnt_1"), (TIMESTAMP[0], "1"), (SIGNATURE[0], signature.as_str())];
    assert!(read(&request(&headers)).is_err());
    let call = read(&request(&[&headers[..], &[(NONCE, "0123456789abcdef")]].concat())).unwrap();
    assert_eq!(call.version, SigningVersion::V2);
    assert_eq!(call.nonce.map(|nonce| nonce.to_string()).as_deref(), Some("0123456789abcdef"));
}

#[tokio::test]
async fn a_call_of_another_time_is_refused_though_nothing_can_be_read() {
    for timestamp in ["1781999969999", "1782000030001"] {
        let headers = [(TENANT_ID[0], "tnt_1"), (TIMESTAMP[0], timestamp), (SIGNATURE[0], MAC)];
        let request = request(&headers);
        match SignedTenant::authenticate(&app(), &request, &input()).await {
            Err(Error::CredentialFault(CredentialFault::TimestampOutOfWindow { server_time_ms })) => {
                assert_eq!(server_time_ms, now().as_millis());
            }
            other => panic!("{other:?}"),
        }
        // Nobody is proven by what could not be looked at.
        assert_eq!((request.trace.noted().tenant_id, request.trace.noted().refused), (None, None));
    }
}

const CURRENT: (Uuid, &str) = (Uuid::from_u128(1), "sk_current");
const PREVIOUS: (Uuid, &str) = (Uuid::from_u128(2), "sk_previous");

fn tenant_id() -> TenantId {
    TenantId::of(&[7; 16])
}

/// A tenant whose secret was rotated, with an overlap of a minute.
fn rotated() -> Shelf {
    let mut shelf = Shelf::of_tenant(&tenant_id(), 0);
    shelf.rotate(CURRENT.0, PREVIOUS.0, after(60), SigningVersion::V2);
    shelf
}

/// A request of the first version, signed with the secret.
fn signed(secret: &str, body: &str) -> Request {
    signed_at(now().as_millis(), secret, body)
}

/// The same with this timestamp.
fn signed_at(timestamp: i64, secret: &str, body: &str) -> Request {
    let timestamp = timestamp.to_string();
    let text = format!("{timestamp}.{}", HEXLOWER.encode(digest(&SHA256, body.as_bytes()).as_ref()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = HEXLOWER.encode(hmac::sign(&key, text.as_bytes()).as_ref());
    let request =
        request(&[(TENANT_ID[0], tenant_id().as_str()), (TIMESTAMP[0], &timestamp), (SIGNATURE[0], &signature)]);
    Request { body: body.as_bytes().to_vec(), ..request }
}

#[tokio::test]
async fn a_call_is_signed_with_a_secret_in_force_and_with_one_that_is_known_nothing_is_read() {
    let (app, tenant_id) = (app(), tenant_id());
    let relay = app.relay(&tenant_id);
    rotated().remembered_by(&relay, &[CURRENT, PREVIOUS]);
    for (secret, at, expected) in [
        (CURRENT, after(0), true),
        (CURRENT, after(60), true),
        (PREVIOUS, after(59), true),
        (PREVIOUS, after(60), false),
        ((Uuid::nil(), "sk_other"), after(0), false),
    ] {
        let call = read(&signed(secret.1, "")).unwrap();
        let found = matching(&relay, &rotated().relay_state(), &call, at, &mut Vec::new()).await.unwrap();
        assert_eq!(found, Some(secret.0).filter(|_| expected), "{secret:?} {at}");
        // Else the table is asked, and there is none.
        assert_eq!(signer(&relay, &call, at).await.ok().flatten().map(|(version, _)| version), found);
    }
    let (mut tried, call) = (vec![CURRENT.0], read(&signed(CURRENT.1, "")).unwrap());
    assert_eq!(matching(&relay, &rotated().relay_state(), &call, now(), &mut tried).await.unwrap(), None);
    assert_eq!(tried, [CURRENT.0, PREVIOUS.0]);
}

#[tokio::test]
async fn a_call_of_another_time_is_noted_if_it_is_its_tenants() {
    let (off, unit) = (RefusalCause::ClockOff, RefusalCause::TimestampUnit);
    let now_ms = now().as_millis();
    for (secret, timestamp, cause) in [
        (CURRENT.1, now_ms - 600_000, Some(off)),
        (PREVIOUS.1, now_ms + 30_001, Some(off)),
        (CURRENT.1, now_ms / 1000, Some(unit)),
        ("sk_other", now_ms - 600_000, None),
    ] {
        let (app, tenant_id) = (app(), tenant_id());
        rotated().remembered_by(&app.relay(&tenant_id), &[CURRENT, PREVIOUS]);
        let request = signed_at(timestamp, secret, "");
        let outcome = SignedTenant::authenticate(&app, &request, &input()).await;
        assert!(matches!(outcome, Err(Error::CredentialFault(_))), "{outcome:?}");
        let noted = request.trace.noted();
        assert_eq!((noted.refused, noted.tenant_id), (cause, cause.map(|_| tenant_id)));
        assert_eq!(noted.ahead_ms, cause.map(|_| timestamp - now_ms));
    }
}

#[tokio::test]
async fn the_signature_is_noted_before_the_call_is_counted() {
    // One with a body has a nonce, which would be used first.
    for (secret, body, slot) in [(CURRENT, "", KeySlot::Current), (PREVIOUS, "{}", KeySlot::Previous)] {
        let (app, tenant_id, request) = (app(), tenant_id(), signed(secret.1, body));
        rotated().remembered_by(&app.relay(&tenant_id), &[CURRENT, PREVIOUS]);
        // There is no table to count it in.
        let outcome = SignedTenant::authenticate(&app, &request, &input()).await;
        assert!(matches!(outcome, Err(Error::Unavailable(_))), "{outcome:?}");
        assert_eq!(request.trace.noted().secret, Some(slot));
    }
}

#[test]
fn the_secret_of_before_is_the_previous_one() {
    let state = rotated().relay_state();
    for (version, used) in [(CURRENT.0, SecretUsed::Current), (PREVIOUS.0, SecretUsed::Previous)] {
        assert_eq!(SecretUsed::from(slot(&state, version)), used);
    }
}

#[test]
fn a_caller_that_signed_is_told_how_it_stands() {
    let quota = Quota::new(LimitOf::Relay, RatePerMinute::default(), 1, Minute::from(now()), now());
    let state = rotated().relay_state();
    let (signed_with, secret) = (SigningVersion::V2, SecretUsed::Previous);
    let change = ChangeContext {
        actor: Actor::TenantSecret,
        key_id: None,
        at: now(),
        request_id: "r".to_owned(),
        deadline: now(),
        idempotency_key: None,
        principal: None,
        label: None,
    };
    let base_url = "https://latchkey.example.com".to_owned();
    let caller = SignedTenant { tenant_id: tenant_id(), state, quota, signed_with, secret, change, base_url };
    assert_eq!((caller.id(), caller.tenant_id()), (&tenant_id(), Some(&tenant_id())));
    assert_eq!((caller.left(), caller.quota()), (quota, Some(quota)));
    assert_eq!((caller.name().as_str(), caller.secret()), ("Acme", secret));
    assert_eq!((caller.signed_with(), caller.signing_version()), (signed_with, SigningVersion::V2));
    assert_eq!((caller.change().actor, caller.base_url()), (Actor::TenantSecret, "https://latchkey.example.com"));
    assert_eq!(caller.previous_secret(), Some((after(60), None)));
    assert_eq!(format!("{caller:?}"), format!("SignedTenant({})", tenant_id()));
}
