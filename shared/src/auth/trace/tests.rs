use super::*;
use crate::auth::testing::{Tenant, external_id, now, trace_key};
use crate::domain::{KeyKind, SystemRandomness, TokenLifetime, TokenRequest};

#[test]
fn every_clone_writes_into_the_same_notes_and_none_prints_them() {
    let tenant = Tenant::new(KeyKind::Account);
    let (trace, key) = (Trace::default(), &tenant.key.claims.id);
    assert_eq!(trace.noted(), Traced::default());
    trace.clone().key(&tenant.id, key, KeySlot::Previous);
    let noted = trace.noted();
    assert_eq!((noted.tenant_id.as_ref(), noted.key_id.as_ref()), (Some(&tenant.id), Some(key)));
    assert_eq!((noted.secret, noted.scope, noted.jti, noted.view), (Some(KeySlot::Previous), None, None, None));
    assert_eq!(format!("{trace:?}"), "Trace");
}

#[test]
fn a_refusal_is_noted_with_its_cause_and_a_clock_with_how_far_it_is_off() {
    let trace = Trace::default();
    trace.refused(RefusalCause::KeyExpired);
    assert_eq!((trace.noted().refused, trace.noted().ahead_ms), (Some(RefusalCause::KeyExpired), None));
    trace.clock_is_off(RefusalCause::ClockOff, -31_000);
    assert_eq!((trace.noted().refused, trace.noted().ahead_ms), (Some(RefusalCause::ClockOff), Some(-31_000)));
}

#[test]
fn a_signature_is_the_tenants_and_an_operators_key_nobodys() {
    let tenant = Tenant::new(KeyKind::Account);
    let trace = Trace::default();
    trace.operator(KeySlot::Previous);
    assert_eq!((trace.noted().tenant_id, trace.noted().secret), (None, Some(KeySlot::Previous)));
    trace.signer(&tenant.id, KeySlot::Current);
    let noted = trace.noted();
    assert_eq!((noted.tenant_id, noted.key_id, noted.secret), (Some(tenant.id), None, Some(KeySlot::Current)));
}

#[test]
fn a_token_that_opens_a_call_is_its_callers_and_one_that_is_minted_is_not() {
    let tenant = Tenant::new(KeyKind::Account);
    let request = TokenRequest::for_end_user(external_id("ada"), 5, TokenLifetime::HOUR, now());
    let claims = request.claims(&tenant.issuer, &tenant.key, 1, &SystemRandomness::new()).unwrap();
    let [minted, bearer] = [Trace::token, Trace::bearer].map(|note| {
        let trace = Trace::default();
        note(&trace, &trace_key(), &claims);
        trace.noted()
    });
    for noted in [&minted, &bearer] {
        assert_eq!((noted.scope, noted.jti), (Some(Scope::EndUser), Some(claims.jti)));
        assert_eq!(noted.subject, Some(trace_key().person(&tenant.id, Person::EndUser(&external_id("ada")))));
    }
    assert_eq!((minted.tenant_id, minted.key_id), (None, None));
    assert_eq!((bearer.tenant_id, bearer.key_id), (Some(tenant.id), Some(tenant.key.claims.id)));
}

#[test]
fn a_view_is_of_one_end_user_or_of_the_account() {
    let tenant = Tenant::new(KeyKind::Account);
    let ada = external_id("ada");
    let person = trace_key().person(&tenant.id, Person::EndUser(&ada));
    for (viewpoint, view, end_user) in
        [(Some(ada).into(), "end_user", Some(person)), (Viewpoint::Account, "account", None)]
    {
        let trace = Trace::default();
        trace.view(&trace_key(), &tenant.id, &viewpoint);
        assert_eq!((trace.noted().view, trace.noted().end_user), (Some(view), end_user));
    }
}

#[test]
fn whom_a_call_is_about_is_noted_as_a_digest() {
    let tenant = Tenant::new(KeyKind::Admin);
    let (trace, person) = (Trace::default(), Person::User(tenant.user.id));
    trace.subject(&trace_key(), &tenant.id, person);
    assert_eq!(trace.noted().subject, Some(trace_key().person(&tenant.id, person)));
}

#[test]
fn a_session_of_the_console_is_noted_with_its_tenant_if_it_has_one() {
    let tenant = Tenant::new(KeyKind::Account);
    let session = ConsoleId::parse("con_0123456789abcdef").unwrap();
    for party in [None, Some(&tenant.id)] {
        let trace = Trace::default();
        trace.console(party, &session);
        assert_eq!((trace.noted().tenant_id.as_ref(), trace.noted().console), (party, Some(session.clone())));
    }
}

#[test]
fn a_device_is_noted_by_its_tenant_and_the_digest_of_its_person() {
    let (tenant, trace) = (Tenant::new(KeyKind::Account), Trace::default());
    let person = RelayPerson::new(external_id("ada"), &SystemRandomness::new()).unwrap();
    trace.device(&trace_key(), &tenant.id, &person);
    let digest = trace_key().person(&tenant.id, Person::EndUser(&external_id("ada")));
    assert_eq!((trace.noted().tenant_id, trace.noted().subject), (Some(tenant.id), Some(digest)));
}
