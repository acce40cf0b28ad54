use super::*;
use crate::auth::testing::{BASE_URL, app, dpop_proof, input, request};
use crate::domain::{LinkedUserId, SigningKey, SystemRandomness};

#[tokio::test]
async fn pages_of_other_origins_and_prefetches_are_refused_before_anything_is_looked_at() {
    for origin in ["https://evil.example.com", "null", "", "https://latchkey.example.com.evil.example", "\u{fc}"] {
        let request = request(&[("origin", origin)]);
        let refused = PairingGuest::authenticate(&app(), &request, &input()).await.unwrap_err();
        assert!(matches!(refused, Error::OriginNotAllowed(_)), "{origin}");
        let refused = PairingDevice::authenticate(&app(), &request, &input()).await.unwrap_err();
        assert!(matches!(refused, Error::OriginNotAllowed(_)), "{origin}");
        let refused = Device::authenticate(&app(), &request, &input()).await.unwrap_err();
        assert!(matches!(refused, Error::OriginNotAllowed(_)), "{origin}");
    }
    let prefetch = request(&[("sec-purpose", "prefetch;prerender")]);
    assert!(matches!(refuse_foreign_pages(&prefetch, &[BASE_URL]), Err(Error::Malformed(_))));
    assert!(refuse_foreign_pages(&request(&[("origin", BASE_URL)]), &[BASE_URL]).is_ok());
    assert!(refuse_foreign_pages(&request(&[]), &[BASE_URL]).is_ok());
}

#[tokio::test]
async fn without_a_session_or_a_proof_nobody_gets_in_and_aws_is_not_asked() {
    let random = app();
    let random = random.random();
    let (tenant, person) = (TenantId::generate(random).unwrap(), LinkedUserId::generate(random).unwrap());
    let token = DeviceSessionToken::generate(&tenant, &person, random).unwrap().unwrap();
    let dpop = format!("DPoP {}", token.expose());
    let bearer = format!("Bearer {}", token.expose());
    let wrong = format!("DPoP x{}", token.expose());
    for headers in [
        vec![],
        vec![("authorization", "DPoP")],
        vec![("authorization", bearer.as_str())],
        vec![("authorization", wrong.as_str())],
        vec![("authorization", dpop.as_str())],
    ] {
        let refused = Device::authenticate(&app(), &request(&headers), &input()).await.unwrap_err();
        let cause = if headers == [("authorization", bearer.as_str())] {
            "key_on_the_wrong_header"
        } else if headers == [("authorization", wrong.as_str())] {
            "key_malformed"
        } else {
            "credential_missing"
        };
        assert!(
            matches!(&refused, Error::CredentialFault(fault) if fault.as_str() == cause),
            "{headers:?}: {refused:?}"
        );
    }
    let headers = [("authorization", dpop.as_str()), ("dpop", "a.b.c")];
    let refused = Device::authenticate(&app(), &request(&headers), &input()).await.unwrap_err();
    assert!(matches!(refused, Error::DpopProofRefused(_)), "{refused:?}");
    let refused = PairingDevice::authenticate(&app(), &request(&[]), &input()).await.unwrap_err();
    assert!(matches!(refused, Error::CredentialFault(_)), "{refused:?}");
}

#[tokio::test]
async fn a_device_that_brings_a_handle_needs_a_proof_of_its_key_and_nothing_else() {
    let device = SigningKey::generate(&SystemRandomness::new()).unwrap();
    let request = request(&[("dpop", &dpop_proof(&device, BASE_URL, None))]);
    let pairing = PairingDevice::authenticate(&app(), &request, &input()).await.unwrap();
    assert_eq!(pairing.proof.key().thumbprint(), device.public().thumbprint());
    assert!(pairing.pairing.is_none());
    assert_eq!((pairing.change.actor, format!("{pairing:?}")), (Actor::Device, "PairingDevice".to_owned()));
}
