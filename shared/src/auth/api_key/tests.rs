use super::*;
use crate::auth::testing::{Tenant, after, app, external_id, input, now, request, trace_key};
use crate::domain::{ApiKeySecret, LimitOf, Minute, Origin, Origins, RatePerMinute, SystemRandomness, TokenLifetime};

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{user}:{password}").as_bytes()))
}

/// The reason for which the key of a request is refused; `None` if it is taken.
fn refusal<P: Purpose>(headers: &[(&str, &str)], body: Option<&str>) -> Option<&'static str> {
    let input = InputSummary { api_key: body.map(|key| Zeroizing::new(key.to_owned())), ..input() };
    match presented::<P>(&request(headers), &input) {
        Ok(_) => None,
        Err(Error::CredentialFault(fault)) => Some(fault.as_str()),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn a_key_is_where_its_purpose_allows_it() {
    let tenant = Tenant::new(KeyKind::Admin);
    let (key, id) = (tenant.secret.expose(), tenant.key.claims.id.as_str());
    let (bearer, password) = (format!("Bearer {key}"), basic(id, key));
    for headers in [[("authorization", bearer.as_str())], [("x-api-key", key)]] {
        assert_eq!(refusal::<MintsTokens>(&headers, None), None);
        assert_eq!(refusal::<Registers>(&headers, None), None);
        assert_eq!(refusal::<InspectsTokens>(&headers, None), None);
    }
    let none = Some("credential_missing");
    assert_eq!(refusal::<MintsTokens>(&[], Some(key)), None);
    assert_eq!(refusal::<Registers>(&[], Some(key)), None);
    assert_eq!(refusal::<InspectsTokens>(&[], Some(key)), None);
    let password = [("authorization", password.as_str())];
    assert_eq!(refusal::<MintsTokens>(&password, None), none);
    assert_eq!(refusal::<Registers>(&password, None), none);
    assert_eq!(refusal::<InspectsTokens>(&password, None), None);
    assert_eq!(refusal::<MintsTokens>(&[], None), none);
}

#[test]
fn a_key_that_is_sent_twice_is_the_same_one() {
    let (one, other) = (Tenant::new(KeyKind::Admin), Tenant::new(KeyKind::Admin));
    let bearer = format!("Bearer {}", one.secret.expose());
    for (key, refused) in [(&one, None), (&other, Some("several_credentials"))] {
        let key = key.secret.expose();
        assert_eq!(refusal::<MintsTokens>(&[("authorization", &bearer), ("x-api-key", key)], None), refused);
        assert_eq!(refusal::<MintsTokens>(&[("authorization", &bearer)], Some(key)), refused);
    }
}

#[test]
fn the_password_goes_with_the_id_of_its_key() {
    let tenant = Tenant::new(KeyKind::Admin);
    let (key, id) = (tenant.secret.expose(), tenant.key.claims.id.as_str());
    for (user, password, refused) in [
        (id, key, None),
        ("key_0000000000000000", key, Some("several_credentials")),
        ("", key, Some("several_credentials")),
        (id, "", Some("key_malformed")),
        (id, &key[1..], Some("key_malformed")),
        (id, &key[..key.len() - 1], Some("key_checksum_wrong")),
        (id, "sk_x", Some("key_on_the_wrong_header")),
    ] {
        let header = basic(user, password);
        assert_eq!(refusal::<InspectsTokens>(&[("authorization", &header)], None), refused, "{user}");
    }
    let encoded = |text: &str| text.replace('_', "%5F");
    for (user, password, refused) in [
        (encoded(id), encoded(key), None),
        (id.replace('_', "%5f"), key.to_owned(), None),
        (id.to_owned(), format!("%{:02X}{}", key.as_bytes()[0], &key[1..]), None),
        (encoded("key_0000000000000000"), encoded(key), Some("several_credentials")),
        // Decoded once: what an encoded text encodes is no id.
        (encoded(id).replace('%', "%25"), encoded(key), Some("several_credentials")),
        (format!("{id}%FF"), key.to_owned(), Some("credential_missing")),
    ] {
        let header = basic(&user, &password);
        assert_eq!(refusal::<InspectsTokens>(&[("authorization", &header)], None), refused, "{user}");
    }
    for header in ["Basic", "Basic =", "Basic YTpi=", &format!("Basic {}", BASE64.encode(b"no colon"))] {
        assert!(refusal::<InspectsTokens>(&[("authorization", header)], None).is_some(), "{header}");
    }
}

#[test]
fn the_scheme_is_taken_in_any_case_and_an_unknown_one_was_meant_to_be_a_credential() {
    for (header, expected) in [
        ("Bearer x", Some("x")),
        ("bEARER   x y", Some("x y")),
        ("Bearer ", Some("")),
        ("Bearer", Some("")),
        ("Token x", Some("")),
        ("x", Some("")),
        ("Basic x", None),
        ("basic  x", None),
    ] {
        assert_eq!(bearer(&request(&[("authorization", header)])), expected, "{header}");
    }
    assert_eq!(bearer(&request(&[])), None);
}

/// What comes of a key that was read: its kind, or the refusal.
async fn accepted(tenant: &Tenant, presented: &ApiKeySecret, headers: &[(&str, &str)]) -> Result<KeyKind> {
    let kinds = [KeyKind::Admin, KeyKind::Account];
    let prefetched = tenant.shelf.read(&[Read::ApiKey(presented.claims().id.clone())]);
    let request = request(headers);
    let outcome = accept(&app(), &request, presented, &kinds, &prefetched).await;
    // Why, of a key that was ours: what the answer says by itself isn't noted twice.
    let refused = match &outcome {
        Err(Error::Unauthenticated("API key has expired")) => Some(RefusalCause::KeyExpired),
        Err(Error::Unauthenticated("API key was revoked")) => Some(RefusalCause::KeyRevoked),
        Err(Error::Unauthenticated("API key was rotated, and this secret has ended")) => Some(RefusalCause::KeyRotated),
        _ => None,
    };
    assert_eq!(request.trace.noted().refused, refused);
    let (key, state) = outcome?;
    assert!(state.is_active);
    assert_eq!(request.trace.noted().key_id.as_ref(), Some(&key.claims.id));
    Ok(key.claims.kind)
}

fn reason(outcome: Result<KeyKind>) -> &'static str {
    match outcome {
        Err(Error::Unauthenticated(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_key_in_force_of_a_kind_that_is_asked_for_is_accepted() {
    for kind in [KeyKind::Admin, KeyKind::Account] {
        let tenant = Tenant::new(kind);
        assert_eq!(accepted(&tenant, &tenant.secret, &[]).await.unwrap(), kind);
    }
    let embed = Tenant::new(KeyKind::Embed);
    assert!(matches!(accepted(&embed, &embed.secret, &[]).await, Err(Error::KeyKindNotAllowed)));
}

#[tokio::test]
async fn a_key_that_nobody_gave_out_is_refused() {
    let tenant = Tenant::new(KeyKind::Admin);
    let random = SystemRandomness::new();
    let other = ApiKeySecret::generate(&tenant.id, KeyKind::Admin, &random).unwrap().unwrap();
    assert_eq!(reason(accepted(&tenant, &other, &[]).await), "unknown API key");
    let guessed = ApiKeySecret::regenerate(tenant.secret.claims(), &random).unwrap().unwrap();
    assert_eq!(reason(accepted(&tenant, &guessed, &[]).await), "wrong API key");
}

#[tokio::test]
async fn the_secret_of_before_is_accepted_while_the_overlap_lasts() {
    let mut tenant = Tenant::new(KeyKind::Admin);
    let new = ApiKeySecret::regenerate(tenant.secret.claims(), &SystemRandomness::new()).unwrap().unwrap();
    for (until, is_over) in [(1, false), (0, true), (-1, true)] {
        let key = ApiKey { previous_until: Some(after(until)), ..tenant.key.clone() };
        tenant.shelf.put_key(&key, &new, Some(&tenant.secret));
        let outcome = accepted(&tenant, &tenant.secret, &[]).await;
        if is_over {
            assert_eq!(reason(outcome), "API key was rotated, and this secret has ended");
        } else {
            assert!(outcome.is_ok());
        }
        assert!(accepted(&tenant, &new, &[]).await.is_ok());
    }
}

#[tokio::test]
async fn a_dead_key_and_one_of_a_suspended_tenant_open_nothing() {
    let mut tenant = Tenant::new(KeyKind::Admin);
    for (key, expected) in [
        (ApiKey { expires_at: Some(now()), ..tenant.key.clone() }, "API key has expired"),
        (ApiKey { revoked_at: Some(now()), ..tenant.key.clone() }, "API key was revoked"),
    ] {
        tenant.shelf.put_key(&key, &tenant.secret, None);
        assert_eq!(reason(accepted(&tenant, &tenant.secret, &[]).await), expected);
    }
    let key = ApiKey { expires_at: Some(after(1)), ..tenant.key.clone() };
    tenant.shelf.put_key(&key, &tenant.secret, None);
    assert!(accepted(&tenant, &tenant.secret, &[]).await.is_ok());
    tenant.shelf.suspend();
    assert!(matches!(accepted(&tenant, &tenant.secret, &[]).await, Err(Error::TenantSuspended(None))));
}

#[tokio::test]
async fn a_key_with_origins_is_sent_from_them_or_from_no_page() {
    let mut tenant = Tenant::new(KeyKind::Admin);
    let allowed_origins = Origins::from_stored(vec![Origin::from_stored("https://app.example.com")]);
    let key = ApiKey { allowed_origins, ..tenant.key.clone() };
    tenant.shelf.put_key(&key, &tenant.secret, None);
    assert!(accepted(&tenant, &tenant.secret, &[]).await.is_ok());
    assert!(accepted(&tenant, &tenant.secret, &[("origin", "https://app.example.com")]).await.is_ok());
    let elsewhere = accepted(&tenant, &tenant.secret, &[("origin", "https://evil.example")]).await;
    assert!(matches!(elsewhere, Err(Error::OriginNotAllowed(_))));
}

/// A holder of the tenant's key, with what the token needs.
fn holder(tenant: &Tenant, token: &PresentedToken) -> KeyHolder<InspectsTokens> {
    let prefetched = tenant.shelf.read(&token.reads());
    KeyHolder {
        key: tenant.key.clone(),
        tenant: prefetched.tenant_state().unwrap().unwrap(),
        issuer: tenant.issuer.clone(),
        quota: Some(Quota::new(LimitOf::ApiKey, RatePerMinute::default(), 1, Minute::from(now()), now())),
        change: request(&[]).change(Actor::ApiKey, Some(&tenant.key.claims.id)),
        prefetched,
        trace: Trace::default(),
        purpose: PhantomData,
    }
}

fn token(tenant: &Tenant, epoch: u64) -> (Claims, String) {
    let request = TokenRequest::for_end_user(external_id("ada"), epoch, TokenLifetime::HOUR, now());
    let claims = request.claims(&tenant.issuer, &tenant.key, 1, &SystemRandomness::new()).unwrap();
    let token = claims.sign(&tenant.signing).unwrap().expose().to_owned();
    (claims, token)
}

#[test]
fn a_tenant_learns_of_its_own_tokens_whether_they_are_valid_now() {
    let (mut tenant, other) = (Tenant::new(KeyKind::Admin), Tenant::new(KeyKind::Admin));
    let (claims, valid) = token(&tenant, 5);
    let (_, revoked) = token(&tenant, 4);
    let (_, foreign) = token(&other, 5);
    let asked = |tenant: &Tenant, token: &str, now| {
        let token = PresentedToken::new(token);
        let holder = holder(tenant, &token);
        let active = holder.active_claims(&trace_key(), token, now).unwrap();
        (active, holder.trace.noted().jti)
    };
    assert_eq!(asked(&tenant, &valid, now()), (Some(claims.clone()), Some(claims.jti)));
    assert_eq!(asked(&tenant, &valid, after(3599)).0, Some(claims));
    for (token, at) in [(valid.as_str(), 3600), (&revoked, 0), (&foreign, 0), ("x", 0)] {
        assert_eq!(asked(&tenant, token, after(at)).0, None);
    }
    tenant.shelf.suspend();
    assert_eq!(asked(&tenant, &valid, now()).0, None);
}

#[test]
fn a_tenant_can_revoke_its_own_tokens_until_they_expire() {
    let (tenant, other) = (Tenant::new(KeyKind::Admin), Tenant::new(KeyKind::Admin));
    for epoch in [5, 4] {
        let (claims, token) = token(&tenant, epoch);
        let token = PresentedToken::new(&token);
        for (seconds, can) in [(-3600, true), (0, true), (3599, true), (3600, false), (3601, false)] {
            let revocable = holder(&tenant, &token).revocable_claims(&trace_key(), &token, after(seconds)).unwrap();
            assert_eq!(revocable.as_ref(), Some(&claims).filter(|_| can), "after {seconds} s");
        }
    }
    for token in [&token(&other, 5).1, "x"].map(PresentedToken::new) {
        assert_eq!(holder(&tenant, &token).revocable_claims(&trace_key(), &token, now()).unwrap(), None);
    }
}

#[test]
fn an_idempotency_key_is_of_the_api_key_that_sent_it() {
    let tenant = Tenant::new(KeyKind::Account);
    let input = InputSummary { is_remembered: true, ..input() };
    let change = change(&request(&[("idempotency-key", "1")]), &input, &tenant.secret).unwrap();
    let scope = IdempotencyScope::Caller {
        tenant: tenant.id.clone(),
        api_key: Some(tenant.key.claims.id.clone()),
        viewpoint: Viewpoint::Account,
    };
    assert_eq!(change.idempotency_key.unwrap().scope(), &scope);
}

#[test]
fn a_holder_is_of_the_tenant_of_its_key_and_prints_the_id() {
    let tenant = Tenant::new(KeyKind::Admin);
    let holder = holder(&tenant, &PresentedToken::new("x"));
    assert_eq!((holder.tenant_id(), Caller::tenant_id(&holder)), (&tenant.id, Some(&tenant.id)));
    assert!(holder.quota.is_some() && holder.quota() == holder.quota);
    assert_eq!(format!("{holder:?}"), format!("KeyHolder({})", tenant.key.claims.id));
}
