use super::*;
use crate::auth::testing::{BASE_URL, Tenant, after, app, external_id, input, now, request, trace_key};
use crate::domain::{LimitOf, Minute, Origin, Origins, RatePerMinute, SystemRandomness};

fn named(headers: &[(&str, &str)], body: Option<&str>) -> Result<Option<ExternalId>> {
    named_end_user(&request(headers), &InputSummary { end_user: body.map(external_id), ..input() })
}

#[test]
fn the_end_user_is_named_in_headers_or_body_and_everywhere_the_same() {
    for (headers, body, expected) in [
        (&[][..], None, None),
        (&[], Some("ada"), Some("ada")),
        (&[("external_user_id", "ada")], None, Some("ada")),
        (&[("external-user-id", "ada")], None, Some("ada")),
        (&[("x-end-user-id", "ada")], None, Some("ada")),
        (&[("x-end-user-id", "ada"), ("external_user_id", "ada")], Some("ada"), Some("ada")),
        (&[("user-agent", "x-end-user")], None, None),
    ] {
        assert_eq!(named(headers, body).unwrap(), expected.map(external_id), "{headers:?} {body:?}");
    }
    for (headers, body) in [
        (&[("external_user_id", "ada")][..], Some("bob")),
        (&[("external_user_id", "ada"), ("x-end-user-id", "bob")], None),
        (&[("external_user_id", "ada"), ("x-end-user-id", "bob")], Some("bob")),
    ] {
        assert!(matches!(named(headers, body), Err(Error::EndUsersDiffer)), "{headers:?} {body:?}");
    }
}

#[tokio::test]
async fn one_key_in_both_places_is_one_key_and_two_are_refused() {
    for (bearer, cause) in [("Bearer ak_x", "key_checksum_wrong"), ("Bearer ak_y", "several_credentials")] {
        let request = request(&[("x-api-key", "ak_x"), ("authorization", bearer)]);
        match Viewer::authenticate(&app(), &request, &input()).await {
            Err(Error::CredentialFault(fault)) => assert_eq!(fault.as_str(), cause),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_header_that_is_taken_for_one_of_them_is_refused_and_shown_up_to_64_characters() {
    let refusal = |name: &str| match named(&[(name, "ada"), ("external_user_id", "ada")], Some("ada")) {
        Err(Error::MisspeltHeader(shown)) => shown,
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal("x-external-user-id"), "x-external-user-id");
    let long = format!("x-end-user{}", "-".repeat(90));
    assert_eq!(refusal(&long), long[..64]);
}

#[test]
fn a_header_has_an_id_of_ascii_without_commas() {
    for id in ["ada", " a~", "a b", &"a".repeat(256)] {
        assert_eq!(in_header(id), Ok(external_id(id)), "{id}");
    }
    for id in ["", "a,b", "é", "a\u{7f}", "a\tb", "\0", &"a".repeat(257)] {
        assert!(in_header(id).is_err(), "{id:?}");
    }
    match named(&[("x-end-user-id", "a,b")], None) {
        Err(Error::Invalid { part, field, .. }) => {
            assert_eq!((part, field.as_str()), (RequestPart::Header, "X-End-User-ID"));
        }
        other => panic!("{other:?}"),
    }
}

/// A caller with the tenant's key, as far as the key goes.
fn viewer(tenant: &Tenant, end_user: Option<&str>) -> Viewer {
    let prefetched = tenant.shelf.read(&[]);
    let minute = Minute::from(now());
    Viewer {
        tenant: prefetched.tenant_state().unwrap().unwrap(),
        viewpoint: end_user.map(external_id).into(),
        key: Some(tenant.key.clone()),
        change: request(&[]).change(Actor::ApiKey, Some(&tenant.key.claims.id)),
        base_url: BASE_URL.to_owned(),
        quota: Some(Quota::new(LimitOf::ApiKey, RatePerMinute::default(), 1, minute, now())),
        prefetched,
        trace: Trace::default(),
    }
}

#[test]
fn a_call_is_for_one_end_user_or_for_the_whole_account() {
    let tenant = Tenant::new(KeyKind::Account);
    for (end_user, scope) in [(Some("ada"), Scope::EndUser), (None, Scope::Account)] {
        let (named, key) = (end_user.map(external_id), tenant.key.clone());
        let caller = AccountKey { viewer: viewer(&tenant, end_user), key };
        assert_eq!((caller.viewer.external_user_id(), caller.scope()), (named.as_ref(), scope));
        assert_eq!(caller.viewer.is_account_wide(&input()), end_user.is_none());
        assert!(!caller.viewer.is_account_wide(&InputSummary::default()), "what was not read may have named one");
        assert_eq!((caller.tenant_id(), caller.viewer.tenant_id()), (Some(&tenant.id), Some(&tenant.id)));
        assert_eq!((caller.quota(), caller.viewer.quota()), (caller.viewer.quota, caller.viewer.quota));
        assert!(caller.quota().is_some());
        assert_eq!(caller.viewer.base_url(), BASE_URL);
        assert_eq!(format!("{:?}", caller.viewer), format!("Viewer({})", tenant.id));
    }
}

#[test]
fn idempotency_keys_are_of_the_key_and_the_viewpoint() {
    let tenant = Tenant::new(KeyKind::Account);
    let scope = |key: Option<&ApiKey>, end_user: Option<&str>| IdempotencyScope::Caller {
        tenant: tenant.id.clone(),
        api_key: key.map(|key| key.claims.id.clone()),
        viewpoint: end_user.map(external_id).into(),
    };
    for end_user in [None, Some("ada")] {
        let by_key = viewer(&tenant, end_user);
        assert_eq!(by_key.scope(), scope(Some(&tenant.key), end_user));
        assert_eq!(Viewer { key: None, ..by_key }.scope(), scope(None, end_user));
    }
}

#[tokio::test]
async fn what_is_no_credential_or_two_is_refused_before_anything_is_read() {
    let tenant = Tenant::new(KeyKind::Account);
    let key = tenant.secret.expose();
    for (headers, expected) in [
        (&[][..], "credential_missing"),
        (&[("x-api-key", key), ("authorization", "Bearer x")], "several_credentials"),
        (&[("x-api-key", "ak_")], "key_checksum_wrong"),
        (&[("x-api-key", "eyJh.e30.x")], "key_on_the_wrong_header"),
        (&[("authorization", "Bearer ak_")], "key_on_the_wrong_header"),
        (&[("authorization", &format!("Bearer {key}"))], "key_on_the_wrong_header"),
        (&[("authorization", "Bearer x")], "token_malformed"),
    ] {
        match Viewer::authenticate(&app(), &request(headers), &input()).await {
            Err(Error::CredentialFault(fault)) => assert_eq!(fault.as_str(), expected),
            other => panic!("{other:?}"),
        }
    }
}

/// What comes of a token for that end user in a request that names `named`: its end user, or the refusal.
fn opened(tenant: &Tenant, headers: &[(&str, &str)], named: Option<&str>, seconds: i64) -> Result<Option<ExternalId>> {
    let request = TokenRequest::for_end_user(external_id("ada"), 5, TokenLifetime::HOUR, now());
    opened_by(tenant, request, headers, Ok(named.map(external_id)), seconds)
}

fn opened_by(
    tenant: &Tenant,
    token: TokenRequest,
    headers: &[(&str, &str)],
    named: Result<Option<ExternalId>>,
    seconds: i64,
) -> Result<Option<ExternalId>> {
    let claims = token.claims(&tenant.issuer, &tenant.key, 1, &SystemRandomness::new()).unwrap();
    let token = PresentedToken::new(claims.sign(&tenant.signing).unwrap().expose());
    let prefetched = tenant.shelf.read(&token.reads());
    let request = request(headers);
    let (state, claims) = accept_token(&request, &trace_key(), &token, named, &prefetched, after(seconds))?;
    assert!(state.is_active && request.trace.noted().jti == Some(claims.jti));
    Ok(claims.external_user_id.clone())
}

#[test]
fn a_token_opens_the_account_surface_to_its_own_end_user() {
    let tenant = Tenant::new(KeyKind::Account);
    let ada = Some(external_id("ada"));
    assert_eq!(opened(&tenant, &[], None, 0).unwrap(), ada);
    assert_eq!(opened(&tenant, &[], Some("ada"), 0).unwrap(), ada);
    assert!(matches!(opened(&tenant, &[], Some("bob"), 0), Err(Error::AnotherEndUser)));
    let of_account = || TokenRequest::for_account(TokenLifetime::HOUR, now());
    assert_eq!(opened_by(&tenant, of_account(), &[], Ok(None), 0).unwrap(), None);
    assert!(matches!(opened_by(&tenant, of_account(), &[], Ok(ada), 0), Err(Error::AnotherEndUser)));
    for (named, is_told) in [(Error::MisspeltHeader("x-end-user".into()), true), (Error::EndUsersDiffer, false)] {
        match opened_by(&tenant, of_account(), &[], Err(named), 0) {
            Err(Error::MisspeltHeader(_)) => assert!(is_told),
            Err(Error::AnotherEndUser) => assert!(!is_told),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_token_that_is_over_or_of_another_scope_does_not_open_it() {
    let mut tenant = Tenant::new(KeyKind::Account);
    let expired = opened(&tenant, &[], None, 3600);
    assert!(matches!(expired, Err(Error::Unauthenticated("token is not valid"))));
    let user = TokenRequest::for_user(&tenant.user, &tenant.organization, TokenLifetime::HOUR, now()).unwrap();
    assert!(matches!(opened_by(&tenant, user, &[], Ok(None), 0), Err(Error::InsufficientScope(_))));
    let revoked = TokenRequest::for_end_user(external_id("ada"), 4, TokenLifetime::HOUR, now());
    let revoked = opened_by(&tenant, revoked, &[], Ok(None), 0);
    assert!(matches!(revoked, Err(Error::Unauthenticated("token was revoked"))));
    tenant.shelf.suspend();
    assert!(matches!(opened(&tenant, &[], None, 0), Err(Error::TenantSuspended(None))));
}

#[test]
fn a_token_is_sent_from_the_origins_of_its_key() {
    let mut tenant = Tenant::new(KeyKind::Account);
    let allowed_origins = Origins::from_stored(vec![Origin::from_stored("https://app.example.com")]);
    let key = ApiKey { allowed_origins, ..tenant.key.clone() };
    tenant.shelf.put_key(&key, &tenant.secret, None);
    assert!(opened(&tenant, &[("origin", "https://app.example.com")], None, 0).is_ok());
    let elsewhere = opened(&tenant, &[("origin", "https://evil.example")], None, 0);
    assert!(matches!(elsewhere, Err(Error::OriginNotAllowed(_))));
}

#[test]
fn nothing_is_read_while_the_end_user_is_in_doubt() {
    let input = InputSummary { reads: vec![Read::EndUser, Read::SigningKeys], ..input() };
    assert_eq!(reads(&input, false).collect::<Vec<_>>(), input.reads);
    assert_eq!(reads(&input, true).count(), 0);
}
