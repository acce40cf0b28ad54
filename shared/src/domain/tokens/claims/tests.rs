use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::{
    ApiKeySecret, KeyKind, KeyName, OrganizationFields, Origins, PartyName, SystemRandomness, UserFields, parse_uuid,
};

proptest! {
    /// Whatever an id looks like: nobody can be registered under a name with which a token would speak for another.
    #[test]
    fn the_subject_of_an_end_user_is_nobody_elses(
        id in prop_oneof!["\\PC{1,40}", "(external|key|name):[a-z]{1,3}", "key_[0-9a-f]{16}"],
        other in prop_oneof!["\\PC{1,40}", "(external|key|name):[a-z]{1,3}", "key_[0-9a-f]{16}"],
    ) {
        let [id, other] = [id, other].map(|id| ExternalId::parse(&id).unwrap());
        let subject = end_user_subject(&id);
        prop_assert!(parse_uuid(&subject).is_err() && ApiKeyId::parse(&subject).is_err());
        prop_assert_eq!(end_user_subject(&other) == subject, id == other);
        for key in [&id, &other] {
            prop_assert_ne!(RegisteredKey::Key(key.clone()).subject(), subject.as_str());
        }
    }
}

const BASE_URL: &str = "https://latchkey.example.com";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1000 * seconds)
}

fn issuer() -> Issuer {
    Issuer::new(BASE_URL, &TenantId::of(&[0; 16]))
}

fn external_id(text: &str) -> ExternalId {
    ExternalId::parse(text).unwrap()
}

/// The claims of a token that the key mints, which was revoked twice, as JSON.
fn minted(request: TokenRequest) -> Value {
    let random = SystemRandomness::new();
    let secret = ApiKeySecret::generate(&TenantId::of(&[0; 16]), KeyKind::Admin, &random).unwrap().unwrap();
    let key = ApiKey {
        claims: secret.claims().clone(),
        name: KeyName::from_stored("Backend"),
        start: secret.start(),
        allowed_origins: Origins::default(),
        origins_apply_to_tokens: true,
        created_at: at(0),
        expires_at: None,
        rotated_at: None,
        previous_until: None,
        revoked_at: None,
        epoch: 2,
        tokens_revoked_at: None,
        last_used_on: None,
        last_token_on: None,
        last_introspected_on: None,
    };
    let claims = request.claims(&issuer(), &key, 1, &random).unwrap();
    assert_eq!((&claims.key_id, &claims.client_id), (&key.claims.id, &key.claims.id));
    assert_eq!(claims.expires_at(), at(1060));
    let mut claims = serde_json::to_value(claims).unwrap();
    assert_eq!(claims["iss"], json!(format!("{BASE_URL}/t/{}", issuer().tenant_id)));
    assert_eq!((&claims["iat"], &claims["exp"], &claims["aud"]), (&json!(1000), &json!(1060), &claims["tenant_id"]));
    if claims["sub"] == claims["key_id"] {
        claims["sub"] = json!("the key");
    }
    let every = ["iss", "aud", "iat", "exp", "jti", "tenant_id", "key_id", "client_id"];
    claims.as_object_mut().unwrap().retain(|name, _| !every.contains(&name.as_str()));
    claims
}

#[test]
fn a_token_says_whom_it_speaks_for_and_how_often_each_was_revoked() {
    let lifetime = TokenLifetime::new(60).unwrap();
    let name = |text| PartyName::parse(text).unwrap();
    let of = |fields: Value| serde_json::from_value::<Properties>(fields).unwrap();
    let properties = Some(of(json!({ "region": "north", "plan": 1 })));
    let fields =
        OrganizationFields { id: None, external_id: Some(external_id("acme")), name: name("Acme"), properties };
    let mut organization = Organization::new(Uuid::from_u128(1), fields, at(0));
    organization.record.epoch = 3;
    let fields = UserFields {
        id: None,
        external_id: Some(external_id("ada")),
        organization: external_id("acme").into(),
        role_id: Uuid::from_u128(2),
        name: name("Ada"),
        properties: of(json!({ "region": "south" })),
    };
    let mut user = User::new(Uuid::from_u128(4), organization.id, fields, at(0));
    user.record.epoch = 4;
    assert_eq!(
        minted(TokenRequest::for_user(&user, &organization, lifetime, at(1000)).unwrap()),
        json!({
            "scope": "project_user",
            "sub": user.id,
            "external_user_id": "ada",
            "org_id": organization.id,
            "org_external_id": "acme",
            "role_id": user.role_id,
            "properties": { "region": "south", "plan": 1 },
            "epochs": { "tenant": 1, "key": 2, "organization": 3, "user": 4 },
        })
    );
    let data = RegisteredData {
        parent_org_id: organization.id,
        display_name: "Acme".to_owned(),
        payload: of(json!({ "prefilters": {} })),
    };
    let key = RegisteredKey::Key(external_id("acme"));
    let (ada, of_organization) = (Some((external_id("ada"), 5)), Some(&organization));
    assert_eq!(
        minted(TokenRequest::for_registered_tenant(key, ada, of_organization, data.clone(), lifetime, at(1000))),
        json!({
            "scope": "registered_tenant",
            "sub": "key:acme",
            "org_id": organization.id,
            "org_external_id": "acme",
            "external_user_id": "ada",
            "data": data,
            "epochs": { "tenant": 1, "key": 2, "organization": 3, "external_user": 5 },
        })
    );
    assert_eq!(
        minted(TokenRequest::for_end_user(external_id("ada"), 5, lifetime, at(1000))),
        json!({
            "scope": "end_user",
            "sub": "external:ada",
            "external_user_id": "ada",
            "epochs": { "tenant": 1, "key": 2, "external_user": 5 },
        })
    );
    assert_eq!(
        minted(TokenRequest::for_account(lifetime, at(1000))),
        json!({ "scope": "account", "sub": "the key", "epochs": { "tenant": 1, "key": 2 } })
    );
}

#[test]
fn a_token_is_its_header_its_claims_and_the_signature_over_both() {
    let random = SystemRandomness::new();
    let key = SigningKey::generate(&random).unwrap();
    let claims: Claims = serde_json::from_value(json!({
        "iss": "i", "aud": "a", "sub": "s", "iat": 1, "exp": 2, "jti": Uuid::nil(), "tenant_id": "tnt_1",
        "key_id": "key_0000000000000000", "client_id": "key_0000000000000000", "scope": "account",
        "epochs": { "tenant": 0, "key": 0 },
    }))
    .unwrap();
    let token = claims.sign(&key).unwrap();
    let (message, signature) = token.expose().rsplit_once('.').unwrap();
    let (header, body) = message.split_once('.').unwrap();
    let json =
        |part: &str| -> Value { serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap() };
    assert_eq!(json(header), json!({ "alg": "ES256", "typ": "at+jwt", "kid": key.kid() }));
    assert_eq!(json(body), serde_json::to_value(&claims).unwrap());
    assert!(key.public().verify(message.as_bytes(), signature));
    assert_eq!(format!("{token:?} {}", json!(token)), format!("SignedToken {:?}", token.expose()));
}

#[test]
fn a_scope_has_one_name() {
    for scope in [Scope::ProjectUser, Scope::RegisteredTenant, Scope::EndUser, Scope::Account] {
        assert_eq!(json!(scope), json!(scope.as_str()));
    }
}
