use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::auth::testing::{Tenant, after, app, external_id, now};
use crate::domain::{KeyKind, RegisteredData, RegisteredKey, SigningKey, SystemRandomness, TokenLifetime};
use crate::store::Shelf;

/// The claims of a user's token.
fn of_user(tenant: &Tenant) -> Claims {
    let request = TokenRequest::for_user(&tenant.user, &tenant.organization, TokenLifetime::HOUR, now()).unwrap();
    claims(tenant, request)
}

/// The claims of a customer's token, which has an organization and an end user.
fn of_customer(tenant: &Tenant) -> Claims {
    let data = RegisteredData {
        parent_org_id: tenant.organization.id,
        display_name: "Acme".to_owned(),
        payload: tenant.organization.properties.clone(),
    };
    let key = RegisteredKey::Key(external_id("acme"));
    let (user, organization) = (Some((external_id("ada"), 5)), Some(&tenant.organization));
    claims(tenant, TokenRequest::for_registered_tenant(key, user, organization, data, TokenLifetime::HOUR, now()))
}

/// The claims of an end user's token.
fn of_end_user(tenant: &Tenant) -> Claims {
    claims(tenant, TokenRequest::for_end_user(external_id("ada"), 5, TokenLifetime::HOUR, now()))
}

fn of_account(tenant: &Tenant) -> Claims {
    claims(tenant, TokenRequest::for_account(TokenLifetime::HOUR, now()))
}

fn claims(tenant: &Tenant, request: TokenRequest) -> Claims {
    request.claims(&tenant.issuer, &tenant.key, 1, &SystemRandomness::new()).unwrap()
}

fn presented(tenant: &Tenant, claims: &Claims) -> PresentedToken {
    PresentedToken::new(claims.sign(&tenant.signing).unwrap().expose())
}

/// Whether a token with these claims is unrevoked, after what its own reads find.
fn is_unrevoked_now(tenant: &Tenant, claims: &Claims) -> bool {
    let prefetched = tenant.shelf.read(&presented(tenant, claims).reads());
    is_unrevoked(claims, &prefetched.tenant_state().unwrap().unwrap(), &prefetched).unwrap()
}

#[test]
fn a_token_is_verified_with_what_it_names_and_a_malformed_one_with_nothing() {
    let tenant = Tenant::new(KeyKind::Admin);
    let always = |claims: &Claims| {
        vec![Read::SigningKeys, Read::ApiKey(tenant.key.claims.id.clone()), Read::Revocation(claims.jti)]
    };
    let organization = Read::Organization(Handle::Uuid(tenant.organization.id));
    let (user, end_user) = (Read::User(Handle::Uuid(tenant.user.id)), Read::ExternalUser(external_id("ada")));
    for (claims, also) in [
        (of_user(&tenant), vec![organization.clone(), user]),
        (of_customer(&tenant), vec![organization, end_user.clone()]),
        (of_end_user(&tenant), vec![end_user]),
        (of_account(&tenant), vec![]),
    ] {
        assert_eq!(presented(&tenant, &claims).reads(), [always(&claims), also].concat(), "{}", claims.sub);
    }
    let malformed: PresentedToken = serde_json::from_str(r#""x.y.z""#).unwrap();
    assert!(malformed.parsed().is_none() && malformed.reads().is_empty());
    assert_eq!(format!("{malformed:?}"), "PresentedToken");
}

#[test]
fn a_customer_whose_key_is_a_uuid_is_no_user() {
    let tenant = Tenant::new(KeyKind::Admin);
    let mut claims = of_customer(&tenant);
    claims.sub = tenant.user.id.to_string();
    let reads = presented(&tenant, &claims).reads();
    assert!(!reads.is_empty() && !reads.iter().any(|read| matches!(read, Read::User(_))));
}

#[test]
fn a_token_is_valid_if_its_tenant_signed_it_and_its_time_has_come() {
    let (tenant, other) = (Tenant::new(KeyKind::Admin), Tenant::new(KeyKind::Admin));
    let claims = of_user(&tenant);
    let [token, forged] = [&tenant, &other].map(|signer| presented(signer, &claims));
    let malformed = PresentedToken::new("x");
    let prefetched = tenant.shelf.read(&token.reads());
    let verified = |token, now| verified_claims(token, &tenant.issuer, &prefetched, now).unwrap();
    assert_eq!(verified(&token, now()), Some(&claims));
    assert_eq!(verified(&token, after(3600)), None);
    assert_eq!(verified(&forged, now()), None);
    assert_eq!(verified(&malformed, now()), None);
}

/// The claims of a token, and whether it has an organization, a user and an end user.
type Shape = (fn(&Tenant) -> Claims, [bool; 3]);

#[test]
fn a_revocation_of_anybody_that_a_token_speaks_for_ends_it() {
    let tenant = Tenant::new(KeyKind::Admin);
    let shapes: [Shape; 4] = [
        (of_user, [true, true, false]),
        (of_customer, [true, false, true]),
        (of_end_user, [false, false, true]),
        (of_account, [false, false, false]),
    ];
    for (claims, has) in shapes {
        let claims = claims(&tenant);
        assert!(is_unrevoked_now(&tenant, &claims), "{}", claims.sub);
        let with = |change: fn(&mut Claims)| {
            let mut older = claims.clone();
            change(&mut older);
            // Not by `is_unrevoked_now`: its claims would be of no token.
            let prefetched = tenant.shelf.read(&presented(&tenant, &claims).reads());
            is_unrevoked(&older, &prefetched.tenant_state().unwrap().unwrap(), &prefetched).unwrap()
        };
        assert!(!with(|claims| claims.epochs.tenant = 0) && !with(|claims| claims.epochs.key = 1));
        assert_eq!(with(|claims| claims.epochs.organization = claims.epochs.organization.map(|_| 2)), !has[0]);
        assert_eq!(with(|claims| claims.epochs.user = claims.epochs.user.map(|_| 3)), !has[1]);
        assert_eq!(with(|claims| claims.epochs.external_user = claims.epochs.external_user.map(|_| 4)), !has[2]);
        let mut revoked = Tenant { shelf: tenant.shelf.clone(), ..Tenant::new(KeyKind::Admin) };
        revoked.shelf.revoke(claims.jti);
        assert!(!is_unrevoked_now(&revoked, &claims), "{}", claims.sub);
    }
}

#[test]
fn a_token_ends_with_its_key_and_with_its_user_s_place() {
    let claims_of = |change: fn(&mut Tenant)| {
        let mut tenant = Tenant::new(KeyKind::Admin);
        let claims = of_user(&tenant);
        change(&mut tenant);
        is_unrevoked_now(&tenant, &claims)
    };
    assert!(claims_of(|_| ()));
    assert!(!claims_of(|tenant| {
        let key = ApiKey { revoked_at: Some(now()), ..tenant.key.clone() };
        tenant.shelf.put_key(&key, &tenant.secret, None);
    }));
    assert!(!claims_of(|tenant| {
        tenant.user.organization_id = Uuid::from_u128(9);
        tenant.shelf.put_party(&tenant.user, Read::User);
    }));
    // An own id that was replaced is free for another.
    assert!(!claims_of(|tenant| {
        tenant.user.external_id = Some(external_id("renamed"));
        tenant.shelf.put_party(&tenant.user, Read::User);
    }));
    assert!(!claims_of(|tenant| {
        tenant.organization.external_id = None;
        tenant.shelf.put_party(&tenant.organization, Read::Organization);
    }));
    // What is not there was never registered with this tenant.
    assert!(!claims_of(|tenant| {
        tenant.shelf = Shelf::of_tenant(&tenant.id, 1);
        tenant.shelf.put_key(&tenant.key, &tenant.secret, None);
    }));
    assert!(!claims_of(|tenant| tenant.shelf = Shelf::of_tenant(&tenant.id, 1)));
}

#[tokio::test]
async fn a_token_of_8192_bytes_is_issued_and_noted_and_a_longer_one_is_not() {
    let (mut tenant, app) = (Tenant::new(KeyKind::Admin), app());
    let key = SigningKey::from_jwk(&tenant.signing.to_jwk().unwrap()).unwrap();
    tenant.shelf.signs_with(&app.relay(&tenant.id), key);
    let state = tenant.shelf.read(&[]).tenant_state().unwrap().unwrap();
    // A customer with the longest names: other tokens are shorter whatever is in them.
    let request = |filler| {
        let data = RegisteredData {
            parent_org_id: tenant.organization.id,
            display_name: "\u{1f600}".repeat(120),
            payload: serde_json::from_value(json!({ "a": "x".repeat(filler) })).unwrap(),
        };
        let longest = external_id(&"\u{1f600}".repeat(256));
        let (key, user) = (RegisteredKey::Key(longest.clone()), Some((longest, 5)));
        TokenRequest::for_registered_tenant(key, user, None, data, TokenLifetime::HOUR, now())
    };
    let size = |filler| claims(&tenant, request(filler)).sign(&tenant.signing).unwrap().expose().len();
    let close = (LONGEST_TOKEN - size(0)) * 3 / 4;
    let largest = (close - 4..close + 4).find(|filler| size(*filler) == LONGEST_TOKEN).unwrap();
    for (filler, is_issued) in [(0, true), (largest, true), (largest + 1, false), (4000, false)] {
        let trace = Trace::default();
        match mint(&app, &tenant.issuer, &state, &tenant.key, request(filler), &trace).await {
            Ok(token) => assert!(is_issued && UnverifiedToken::parse(token.expose()).is_ok(), "{filler}"),
            Err(Error::PropertiesTooLarge) => assert!(!is_issued, "{filler}"),
            Err(other) => panic!("{other:?}"),
        }
        assert_eq!(trace.noted().jti.is_some(), is_issued);
    }
}

#[test]
fn the_api_document_shows_a_presented_token_as_text_in_its_place() {
    let schema = schemars::schema_for!(Vec<PresentedToken>);
    assert_eq!(schema.get("items"), Some(&json!({ "type": "string" })));
}
