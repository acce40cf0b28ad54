use super::*;
use crate::auth::testing::{self, BASE_URL, app, dpop_proof, external_id, input, now, request, tenant};
use crate::domain::{
    DeviceEpochs, DeviceName, DisplayName, Introduction, KeyKind, LinkedUserId, RelayPerson, SigningKey,
    SystemRandomness, Thumbprint,
};

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

#[test]
fn a_device_is_its_tenants_and_has_what_was_read_with_its_session() {
    let (app, of) = (app(), testing::Tenant::new(KeyKind::Account));
    let random = SystemRandomness::new();
    let person = RelayPerson::new(external_id("ada"), &random).unwrap();
    let token = DeviceSessionToken::generate(&of.id, &person.linked_id, &random).unwrap().unwrap();
    let key = SigningKey::generate(&random).unwrap();
    let session = || {
        let thumbprint = Thumbprint::parse(&key.public().thumbprint()).unwrap();
        DeviceSession::example(token.claims().device_id.clone(), person.clone(), token.hash(), thumbprint)
    };
    let paired = |id: &DeviceId| PairedDevice {
        id: id.clone(),
        name: DeviceName::parse("Phone").unwrap(),
        platform: None,
        introduction: Introduction {
            user_socket_hash: external_id("socket"),
            display_name: DisplayName::parse("Ada").unwrap(),
            email: None,
            phone: None,
        },
        created_at: now(),
        last_used_at: now(),
        session_expires_at: now(),
        epochs: DeviceEpochs { tenant: 0, person: 0 },
    };
    let called = request(&[("dpop", &dpop_proof(&key, BASE_URL, Some(token.expose())))]);
    let device = Device {
        tenant_id: of.id.clone(),
        tenant: tenant(),
        session: session(),
        devices: vec![paired(&token.claims().device_id)],
        prefetched: of.shelf.read(&[]),
        key: key.public().clone(),
        change: called.change(Actor::Device, None),
        base_url: BASE_URL.to_owned(),
        source_ip: None,
    };
    let printed = format!("{} {}", of.id, token.claims().device_id);
    assert_eq!(Caller::tenant_id(&device), Some(&of.id));
    assert_eq!(format!("{device:?}"), format!("Device({printed})"));
    assert_eq!(device.pairings(), [paired(&token.claims().device_id)]);

    let bound = Presented::Bound(token.expose());
    let proof = proof(&app, &called, &[BASE_URL], bound, Freshness::Nonce).unwrap();
    let call = ProvenCall { session: session(), proof, token: token.hash(), at: now() };
    let change = called.change(Actor::Device, None);
    let mut changing = ChangingDevice { tenant_id: of.id.clone(), tenant: tenant(), devices: Vec::new(), call, change };
    assert_eq!(Caller::tenant_id(&changing), Some(&of.id));
    assert_eq!(format!("{changing:?}"), format!("ChangingDevice({printed})"));
    let other = DeviceSessionToken::generate(&of.id, &person.linked_id, &random).unwrap().unwrap();
    changing.devices = vec![paired(&other.claims().device_id)];
    assert!(matches!(changing.device(), Err(Error::Unauthenticated("device session was ended"))));
    changing.devices.push(paired(&token.claims().device_id));
    assert_eq!(changing.device().unwrap().id, token.claims().device_id);
}
