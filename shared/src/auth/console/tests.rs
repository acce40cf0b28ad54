use super::*;
use crate::auth::Operator;
use crate::auth::testing::{BASE_URL, after, app, dpop_proof, input, now, request, tenant};
use crate::domain::{ConsoleLabel, CredentialFault, DpopCause, SigningKey, SystemRandomness, TenantStatus, Thumbprint};

/// The token of a session of that party's.
fn session_token_of(party: ConsoleParty) -> ConsoleToken {
    let random = SystemRandomness::new();
    let code = ConsoleCode::generate(party, &random).unwrap().unwrap();
    ConsoleToken::generate(&code, &random).unwrap().unwrap()
}

fn tenants() -> ConsoleParty {
    ConsoleParty::Tenant(TenantId::generate(&SystemRandomness::new()).unwrap())
}

fn person(party: ConsoleParty, made_with: Option<KeyHash>) -> ConsolePerson {
    let tenant = party.tenant().map(|_| tenant());
    let token = session_token_of(party.clone());
    let session = ConsoleSession {
        id: token.id().clone(),
        party,
        label: ConsoleLabel::parse("Ada").unwrap(),
        hash: token.hash(),
        thumbprint: Thumbprint::parse(&"A".repeat(43)).unwrap(),
        made_with,
        epoch: 0,
        expires_at: after(60),
    };
    ConsolePerson { session, tenant, change: request(&[]).change(Actor::OperatorConsole, None) }
}

fn suspended() -> Tenant {
    let mut tenant = tenant();
    tenant.summary.status = TenantStatus::Suspended { since: now(), reason: None };
    tenant
}

#[tokio::test]
async fn a_token_of_another_party_is_refused_before_its_proof_is_looked_at() {
    let (operators, tenants) = (session_token_of(ConsoleParty::Operator), session_token_of(tenants()));
    let with = |token: &ConsoleToken| request(&[("authorization", &format!("DPoP {}", token.expose()))]);
    let expected = "console session is another party's";
    for refused in [
        Operator::authenticate(&app(), &with(&tenants), &input()).await.map(drop),
        ConsoleTenant::authenticate(&app(), &with(&operators), &input()).await.map(drop),
    ] {
        assert!(matches!(refused, Err(Error::Unauthenticated(cause)) if cause == expected), "{refused:?}");
    }
    for refused in [
        Operator::authenticate(&app(), &with(&operators), &input()).await.map(drop),
        ConsoleTenant::authenticate(&app(), &with(&tenants), &input()).await.map(drop),
        ConsolePerson::authenticate(&app(), &with(&operators), &input()).await.map(drop),
        ConsolePerson::authenticate(&app(), &with(&tenants), &input()).await.map(drop),
    ] {
        let fault = CredentialFault::Missing("a proof of a key in DPoP").as_str();
        assert!(matches!(&refused, Err(Error::CredentialFault(found)) if found.as_str() == fault), "{refused:?}");
    }
}

#[tokio::test]
async fn pages_of_the_service_and_of_the_registry_may_call_and_no_others() {
    let mut request = request(&[("origin", "https://registry.example.com")]);
    let outcome = ConsoleGuest::authenticate(&app(), &request, &input()).await;
    assert!(matches!(outcome, Err(Error::OriginNotAllowed(_))), "{outcome:?}");
    "https://registry.example.com".clone_into(&mut request.called_url);
    assert_eq!(addresses(&request), [BASE_URL, "https://registry.example.com"]);
    let outcome = ConsoleGuest::authenticate(&app(), &request, &input()).await;
    assert!(matches!(outcome, Err(Error::CredentialFault(_))), "{outcome:?}");
}

#[tokio::test]
async fn who_opens_a_link_has_proven_a_key_for_one_of_the_addresses() {
    let device = SigningKey::generate(&SystemRandomness::new()).unwrap();
    let registry = "https://registry.example.com";
    for base_url in [BASE_URL, registry] {
        let mut request = request(&[("dpop", &dpop_proof(&device, base_url, None))]);
        registry.clone_into(&mut request.called_url);
        let guest = ConsoleGuest::authenticate(&app(), &request, &input()).await.unwrap();
        assert_eq!(guest.proof.key().thumbprint(), device.public().thumbprint());
        assert_eq!(guest.change.actor, Actor::OperatorConsole);
        assert_eq!(format!("{guest:?}"), "ConsoleGuest");
    }
    let elsewhere = request(&[("dpop", &dpop_proof(&device, "https://elsewhere.example.com", None))]);
    let refused = ConsoleGuest::authenticate(&app(), &elsewhere, &input()).await;
    assert!(matches!(refused, Err(Error::DpopProofRefused(DpopCause::HtuWrong))), "{refused:?}");
}

#[test]
fn a_session_stands_in_authorization_or_beside_a_signature_of_iam() {
    let (own, beside) = ("DPoP cs_own", "DPoP cs_beside");
    assert_eq!(sent_token(&request(&[("authorization", own)])), Some("cs_own"));
    assert_eq!(sent_token(&request(&[("x-forwarded-authorization", beside)])), None);
    let mut signed = request(&[("authorization", "AWS4-HMAC-SHA256 x"), ("x-forwarded-authorization", beside)]);
    assert_eq!(sent_token(&signed), None);
    signed.principal = Some("arn:aws:iam::123456789012:user/ada".to_owned());
    assert_eq!(sent_token(&signed), Some("cs_beside"));
}

#[test]
fn a_tenants_session_acts_for_its_tenant_until_that_is_suspended() {
    let party = tenants();
    let mut ada = person(party.clone(), None);
    assert_eq!(Caller::tenant_id(&ada), party.tenant());
    assert_eq!(ada.tenant().map(|tenant| &tenant.summary.id), Some(&tenant().summary.id));
    assert!(ada.refuse_suspended().is_ok());
    ada.tenant = Some(suspended());
    assert!(matches!(ada.refuse_suspended(), Err(Error::TenantSuspended(_))));
    assert_eq!(actor(&party), Actor::TenantConsole);
}

#[test]
fn the_operators_session_has_no_tenant_and_the_key_that_it_came_of() {
    let key = KeyHash::parse(&"a".repeat(64)).unwrap();
    let operator = person(ConsoleParty::Operator, Some(key.clone()));
    assert!(Caller::tenant_id(&operator).is_none() && operator.tenant().is_none());
    assert!(operator.refuse_suspended().is_ok());
    assert_eq!(operator.into_operator().unwrap().1.to_text(), key.to_text());
    assert!(person(ConsoleParty::Operator, None).into_operator().is_err());
    assert!(person(tenants(), Some(key)).into_operator().is_err());
    assert_eq!(actor(&ConsoleParty::Operator), Actor::OperatorConsole);
}

#[test]
fn a_session_counts_the_revocations_of_its_tenant_and_the_operators_none() {
    let tenant = Tenant { epoch: 7, ..tenant() };
    assert_eq!((epoch(Some(&tenant)), epoch(None)), (7, 0));
}

#[test]
fn what_is_printed_of_a_person_is_the_sessions_id() {
    let ada = person(tenants(), None);
    assert_eq!(format!("{ada:?}"), format!("ConsolePerson({})", ada.session().id));
    let tenant = ConsoleTenant { tenant: tenant(), change: ada.change };
    assert_eq!(format!("{tenant:?}"), format!("ConsoleTenant({})", tenant.id()));
    assert_eq!(Caller::tenant_id(&tenant), Some(tenant.id()));
}
