use proptest::prelude::*;

use super::*;
use crate::api::account::sessions::UpdateAgentSession;
use crate::api::common::TenantQuery;
use crate::api::projects::register_tenant::RegisterTenantInput;
use crate::api::registry::tenants::{AuditQuery, Rotation, SuspendTenant, TenantsQuery};
use crate::domain::{NewTenant, Patch, TenantPatch};

fn refused<T: Input>(body: &str) -> (String, String, String) {
    let error = read::<T>(body.as_bytes()).err().unwrap();
    (error.code().as_str().to_owned(), error.field().unwrap_or_default().to_owned(), error.to_string())
}

fn field<T: Input>(body: &str) -> (String, String) {
    let (code, field, message) = refused::<T>(body);
    assert_eq!(code, "invalid_field", "{message}");
    (field, message)
}

fn parameter<T: DeserializeOwned>(text: &str) -> (String, String) {
    let error = form::<T>(text).err().unwrap().in_part(RequestPart::Query);
    (error.field().unwrap_or_default().to_owned(), error.to_string())
}

#[test]
fn what_is_no_json_object_is_malformed() {
    for body in
        ["", " ", "[]", "[\"name\"]", "null", "1", "\"text\"", "{", "{]", "{\"a\"}", "{\"tenant_name\":\"a\"}x", "nul"]
    {
        assert_eq!(refused::<NewTenant>(body).0, "malformed_request", "{body}");
    }
    assert_eq!(read::<NewTenant>(b"{\"tenant_name\":\"\xff\"}").err().unwrap().code().as_str(), "malformed_request");
}

#[test]
fn an_unknown_field_is_refused_by_name() {
    let (field, message) = field::<NewTenant>(r#"{"tenant_name":"a","tenant_nam":1}"#);
    assert_eq!(
        (field.as_str(), message.as_str()),
        ("tenant_nam", "tenant_nam is not a field of this operation's body")
    );
    assert_eq!(self::field::<NewTenant>(r#"{"a`b":1}"#).0, "a`b");
    assert_eq!(self::field::<NewTenant>(&format!("{{\"{}\":1}}", "x".repeat(1000))).0, "x".repeat(64));
}

#[test]
fn a_missing_field_is_named() {
    assert_eq!(field::<NewTenant>("{}").1, "tenant_name is required");
    assert_eq!(parameter::<TenantQuery>("").1, "tenant_id is required in the query string");
}

#[test]
fn a_field_within_another_is_named_with_it() {
    let within =
        |text: &str| field::<RegisterTenantInput>(&format!(r#"{{"displayName":"a","prefilters":{{}},{text}}}"#)).1;
    let name = "connectionOverride.connectionId";
    assert_eq!(within(r#""connectionOverride":{}"#), format!("{name} is required"));
    assert_eq!(within(r#""connectionOverride":{"connectionId":1}"#), format!("{name} must be a uuid"));
    let unknown = within(r#""tenantEditingPermissions":{"addChat":true}"#);
    assert_eq!(unknown, format!("tenantEditingPermissions.addChat {IS_UNKNOWN}"));
}

#[test]
fn a_parameter_in_the_body_is_told_where_it_goes() {
    fn told<O: Operation>(request: &Request, body: &str) -> String {
        misplaced::<O>(request, read::<O::Body>(body.as_bytes()).err().unwrap()).to_string()
    }
    let mut sent = crate::auth::testing::request(&[]);
    let elsewhere = |place: &str| format!("it goes in the {place}");
    let body = r#"{"tenant_id":"tnt_1"}"#;
    assert!(told::<SuspendTenant>(&sent, body).ends_with(&elsewhere("query string")));
    let unknown = "tenant is not a field of this operation's body";
    assert_eq!(told::<SuspendTenant>(&sent, r#"{"tenant":"tnt_1"}"#), unknown);
    sent.path_parameters = [("id".to_owned(), "1".to_owned())].into();
    assert!(told::<UpdateAgentSession>(&sent, r#"{"id":"1"}"#).ends_with(&elsewhere("path")));
}

#[test]
fn a_field_given_twice_is_refused() {
    assert_eq!(field::<NewTenant>(r#"{"tenant_name":"a","tenant_name":"b"}"#).1, "tenant_name is given more than once");
    assert_eq!(parameter::<TenantsQuery>("limit=1&limit=2").1, "limit in the query string is given more than once");
}

#[test]
fn a_wrong_type_says_what_is_expected_and_never_what_came() {
    let cases = [
        (r#"{"tenant_name":17}"#, "tenant_name must be a text of 1 to 120 characters"),
        (r#"{"tenant_name":null}"#, "tenant_name is required"),
        (r#"{"tenant_name":{"sk_secret":1}}"#, "tenant_name must be a text of 1 to 120 characters"),
        (
            r#"{"tenant_name":"a","rate_limit_per_min":"sk_secret"}"#,
            "rate_limit_per_min must be a whole number from 1 to 10000",
        ),
        (r#"{"tenant_name":"a","rate_limit_per_min":0}"#, "rate_limit_per_min must be a whole number from 1 to 10000"),
        (r#"{"tenant_name":"a","rate_limit_per_min":-1}"#, "rate_limit_per_min must be a whole number from 1 to 10000"),
        (
            r#"{"tenant_name":"a","rate_limit_per_min":1.5}"#,
            "rate_limit_per_min must be a whole number from 1 to 10000",
        ),
        (r#"{"tenant_name":"a","signing_version":1}"#, "signing_version must be a string"),
        (r#"{"tenant_name":"a","signing_version":"v3"}"#, "signing_version must be one of v1, v2"),
        (r#"{"tenant_name":"a","passkeys_enabled":"sk_secret"}"#, "passkeys_enabled must be true or false"),
        (
            r#"{"tenant_name":"a","qr_login_allowed_origins":"sk_secret"}"#,
            "qr_login_allowed_origins must be a list of at most 50 web origins",
        ),
    ];
    for (body, message) in cases {
        assert_eq!(field::<NewTenant>(body).1, message, "{body}");
    }
}

#[test]
fn an_element_of_a_list_is_named_with_its_index() {
    let body = r#"{"tenant_name":"a","qr_login_allowed_origins":["https://a.example","https://b.example/path"]}"#;
    assert_eq!(field::<NewTenant>(body).0, "qr_login_allowed_origins[1]");
    assert_eq!(field::<NewTenant>(r#"{"tenant_name":"a","webauthn_origins":[7]}"#).0, "webauthn_origins[0]");
}

#[test]
fn a_flaw_within_json_of_the_clients_own_is_named_with_its_place_and_never_with_the_value() {
    let body = |field: &str| format!(r#"{{"displayName":"a","prefilters":{{}},{field}}}"#);
    let exactly = "must be a number that can be kept exactly, or a string";
    let cases = [
        (r#""schemaPreFilter":{"t":[{"a":1,"a":2}]}"#, "schemaPreFilter.t[0].a", "is given more than once"),
        (r#""schemaPreFilter":1e400"#, "schemaPreFilter", exactly),
        (r#""customMetadata":{"a":{"b":18446744073709551616}}"#, "customMetadata.a.b", exactly),
        (r#""customMetadata":{", expected x: y":1e400}"#, "customMetadata., expected x: y", exactly),
        (r#""customMetadata":{"unknown field `a`, ":1e400}"#, "customMetadata.unknown field `a`, ", exactly),
        (r#""customMetadata":[1]"#, "customMetadata", "must be a JSON object"),
    ];
    for (fields, path, problem) in cases {
        let (field, message) = field::<RegisterTenantInput>(&body(fields));
        assert_eq!((field.as_str(), message), (path, format!("{path} {problem}")));
    }
    let (field, _) =
        field::<RegisterTenantInput>(&body(&format!(r#""customMetadata":{{"{}":1e400}}"#, "x".repeat(99))));
    assert_eq!(field.len(), 64);
}

#[test]
fn null_clears_what_can_be_cleared_and_nothing_else() {
    assert_eq!(read::<TenantPatch>(br#"{"callback_url_base":null}"#).unwrap().callback_url_base, Patch::Null);
    for name in ["tenant_name", "rate_limit_per_min", "qr_login_allowed_origins", "webauthn_origins"] {
        assert_eq!(field::<TenantPatch>(&format!("{{\"{name}\":null}}")).0, name);
    }
}

#[test]
fn query_parameters_are_read_strictly() {
    assert_eq!(form::<TenantsQuery>("limit=5&status=suspended").unwrap().limit.get(), 5);
    assert_eq!(
        parameter::<TenantsQuery>("limit=0").1,
        "limit in the query string must be a whole number from 1 to 100"
    );
    for limit in ["x", "1.5", "-1", "99999999999"] {
        let told = parameter::<TenantsQuery>(&format!("limit={limit}")).1;
        assert!(told.starts_with("limit in the query string must be a whole number"), "{told}");
    }
    assert_eq!(
        parameter::<TenantsQuery>("offset=10001").1,
        "offset in the query string must be a whole number from 0 to 10000"
    );
    for status in ["dead", "a`sk_secret`b", "`, expected `x"] {
        let message = parameter::<TenantsQuery>(&format!("status={status}")).1;
        assert_eq!(message, "status in the query string must be one of active, suspended");
    }
    assert_eq!(
        parameter::<TenantsQuery>("cursor=x").1,
        "cursor in the query string must be the next_cursor of an earlier answer"
    );
    assert_eq!(parameter::<TenantsQuery>("page=2").1, "page is not a parameter of this operation's query string");
    assert_eq!(parameter::<AuditQuery>("tenant_id=tnt_1&since=now").0, "since");
    for text in ["limit=5&limit=5", "limit=5&&l%69mit", "limit=5&status=active&limit=6=7"] {
        assert_eq!(parameter::<TenantsQuery>(text).1, "limit in the query string is given more than once", "{text}");
    }
    assert_eq!(parameter::<AuditQuery>("tenant_id=").0, "tenant_id");
}

#[test]
fn credentials_in_a_query_string_are_seen_whatever_their_case() {
    for text in
        ["admin_key=x", "tenant_id=tnt_1&X-Admin-Key=x", "%61pi_key=x", "TOKEN", "admin-key=", "a=b=c&&x_admin_key=x"]
    {
        assert!(refuse_credentials(text).is_err(), "{text}");
    }
    assert!(refuse_credentials("tenant_id=tnt_1&limit=2").is_ok());
}

proptest! {
    #[test]
    fn no_body_and_no_query_string_panics_or_is_quoted(text in "\\PC{0,60}") {
        let _ = read::<NewTenant>(text.as_bytes());
        let _ = form::<TenantsQuery>(&text);
        let _ = refuse_credentials(&text);
        let body = serde_json::json!({ "tenant_name": "a", "rate_limit_per_min": format!("sk_{text}") });
        if let Err(error) = read::<NewTenant>(body.to_string().as_bytes()) {
            prop_assert!(!error.to_string().contains("sk_"));
        }
        let _ = read::<Rotation>(format!("{{\"overlap_seconds\":{text}}}").as_bytes());
    }
}
