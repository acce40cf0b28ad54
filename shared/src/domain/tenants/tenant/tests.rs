use serde_json::{Value, json};

use super::*;

/// A value for each field of an update, in the order of the contract.
fn all_fields() -> Value {
    json!({
        "tenant_name": "Acme",
        "rate_limit_per_min": 7,
        "qr_login_allowed_origins": ["https://qr.example.com"],
        "qr_rotation": "required",
        "qr_number_matching": "never",
        "qr_distant": "deny",
        "qr_expiry_seconds": 60,
        "qr_sessions_per_address": 7,
        "callback_url_base": "https://example.com/callbacks", "callback_types": ["tenant.*"],
        "branding_display_name": "Acme Inc",
        "branding_logo_url": "https://example.com/logo.png",
        "webauthn_rp_id": "example.com",
        "webauthn_origins": ["https://login.example.com"],
        "passkeys_enabled": true,
        "require_end_user": true,
        "signing_version": "v2",
        "rows_per_end_user": 11,
        "rows_per_tenant": 12,
        "calls_per_min_per_key": 13,
        "calls_per_min_per_end_user": 14,
    })
}

fn patch(fields: &Value) -> TenantPatch {
    serde_json::from_value(fields.clone()).unwrap()
}

fn configuration(fields: &Value) -> Configuration {
    let new: NewTenant = serde_json::from_value(fields.clone()).unwrap();
    new.configuration(SigningVersion::V1)
}

/// A tenant with that configuration.
fn tenant(configuration: Configuration) -> Tenant {
    Tenant::example(TenantId::of(&[0; 16]), "Before", Timestamp::from_millis(0), configuration)
}

/// The field at fault in a configuration, if one is.
fn fault(fields: &Value) -> Option<String> {
    let mut all = json!({ "tenant_name": "Acme" });
    all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    configuration(&all).check().err().map(|problem| problem.field)
}

#[test]
fn passkeys_need_a_relying_party_that_covers_their_origins() {
    assert_eq!(fault(&json!({})), None);
    assert_eq!(fault(&json!({ "passkeys_enabled": false })), None);
    assert_eq!(fault(&json!({ "webauthn_rp_id": "example.com", "passkeys_enabled": true })), None);
    let missing = Some("webauthn_rp_id".to_owned());
    assert_eq!(fault(&json!({ "passkeys_enabled": true })), missing);
    assert_eq!(fault(&json!({ "webauthn_origins": ["https://example.com"] })), missing);
    assert_eq!(fault(&json!({ "webauthn_origins": ["https://example.com"], "passkeys_enabled": true })), missing);
    let with = |origins| fault(&json!({ "webauthn_rp_id": "example.com", "webauthn_origins": origins }));
    assert_eq!(with(json!(["https://example.com", "https://login.example.com"])), None);
    let app = format!("android:apk-key-hash:{}", "A".repeat(43));
    assert_eq!(with(json!([app])), None);
    assert_eq!(fault(&json!({ "webauthn_origins": [app] })), missing);
    assert_eq!(with(json!(["https://example.com", "https://example.org"])).as_deref(), Some("webauthn_origins[1]"));
}

#[test]
fn a_new_tenant_has_what_was_said_and_the_deployments_version_otherwise() {
    let all = all_fields();
    let said = serde_json::to_value(configuration(&all)).unwrap();
    for (name, value) in said.as_object().unwrap() {
        assert_eq!(value, &all[name], "{name}");
    }
    let least: NewTenant = serde_json::from_value(json!({ "tenant_name": "Acme" })).unwrap();
    for version in [SigningVersion::V1, SigningVersion::V2] {
        let expected = Configuration { signing_version: version, ..Configuration::default() };
        assert_eq!(least.configuration(version), expected);
    }
}

#[test]
fn an_update_names_the_fields_that_it_has() {
    let all = all_fields();
    let names: Vec<_> = patch(&all).fields();
    assert_eq!(names.len(), all.as_object().unwrap().len());
    assert_eq!(names[..3], ["tenant_name", "rate_limit_per_min", "qr_login_allowed_origins"]);
    assert!(patch(&json!({})).fields().is_empty());
    for (name, value) in all.as_object().unwrap() {
        assert_eq!(patch(&json!({ name: value })).fields(), [name.as_str()]);
    }
    assert_eq!(patch(&json!({ "callback_url_base": null })).fields(), ["callback_url_base"]);
}

#[test]
fn an_update_changes_what_it_names_and_nothing_else() {
    let all = all_fields();
    let mut changed = tenant(Configuration::default());
    patch(&all).apply(&mut changed).unwrap();
    assert_eq!(changed.configuration, configuration(&all));
    assert_eq!((changed.summary.name.as_str(), changed.summary.rate_limit_per_min.get()), ("Acme", 7));
    let before = changed.clone();
    patch(&json!({})).apply(&mut changed).unwrap();
    assert_eq!(changed, before);
    patch(&json!({ "branding_display_name": null })).apply(&mut changed).unwrap();
    assert_eq!(changed.configuration, Configuration { branding_display_name: None, ..before.configuration });
}

#[test]
fn an_update_is_checked_if_it_has_a_field_that_is_tied_to_others() {
    // As it may have become by a change of the public suffix list.
    let broken = || tenant(Configuration { passkeys_enabled: Some(true), ..Configuration::default() });
    let outcome = |fields| patch(&fields).apply(&mut broken()).map_err(|problem| problem.field);
    assert_eq!(outcome(json!({ "tenant_name": "Acme" })), Ok(()));
    for fields in
        [json!({ "webauthn_rp_id": null }), json!({ "webauthn_origins": [] }), json!({ "passkeys_enabled": true })]
    {
        assert_eq!(outcome(fields), Err("webauthn_rp_id".to_owned()));
    }
    assert_eq!(outcome(json!({ "passkeys_enabled": false })), Ok(()));
}

#[test]
fn a_list_has_at_most_50_origins() {
    let origins = |count: u32| (0..count).map(|number| format!("https://a{number}.example.com")).collect::<Vec<_>>();
    let read = |count| serde_json::from_value::<Origins>(json!(origins(count)));
    assert_eq!(read(50).unwrap().as_slice().len(), 50);
    assert!(read(51).unwrap_err().to_string().contains("at most 50 web origins"));
    let error = serde_json::from_value::<Origins>(json!("https://a.b")).unwrap_err().to_string();
    assert!(error.contains("expected a list of at most 50 web origins"), "{error}");
    let read = |count| serde_json::from_value::<WebauthnOrigins>(json!(origins(count)));
    assert_eq!(read(50).unwrap().as_slice().len(), 50);
    assert!(read(51).is_err());
}

#[test]
fn the_audit_has_each_setting_by_the_name_of_its_field() {
    let mut tenant = tenant(configuration(&all_fields()));
    tenant.summary.name = TenantName::parse("Acme").unwrap();
    tenant.summary.rate_limit_per_min = serde_json::from_value(7.into()).unwrap();
    assert_eq!(Value::Object(tenant.settings()), all_fields());
}
