//! Query strings, forms and JSON to inputs, strictly, and errors that name the field.

use std::collections::BTreeSet;

use serde::de::{DeserializeOwned, IgnoredAny};

use super::places::{no_json, no_utf8, shortened};
use crate::api::{Input, Members, Operation};
use crate::auth::Request;
use crate::domain::{ExactJson, Problem};
use crate::error::{Error, IS_REQUIRED, IS_UNKNOWN, RequestPart, Result};

/// Names under which people put credentials into query strings, without the signs between their words.
const CREDENTIAL_PARAMETERS: [&str; 12] = [
    "adminkey",
    "xadminkey",
    "apikey",
    "xapikey",
    "authorization",
    "accesstoken",
    "token",
    "jwt",
    "tenantsecret",
    "secret",
    "password",
    "key",
];

/// Refuses a query string with a parameter that is named like a credential. Strict decoding would refuse it too, as a
/// field that nobody knows; this says what is really wrong.
pub fn refuse_credentials(query: &str) -> Result<()> {
    let is_credential = |(name, _): &(String, String)| {
        let plain = name.replace(['-', '_'], "").to_ascii_lowercase();
        CREDENTIAL_PARAMETERS.contains(&plain.as_str())
    };
    if pairs(query).iter().any(is_credential) { Err(Error::CredentialInQuery) } else { Ok(()) }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    serde_html_form::from_str(query).unwrap_or_default()
}

/// Reads the parameters of path and query.
pub fn query<O: Operation>(request: &Request) -> Result<O::Query> {
    let mut text = if O::IS_PUBLIC { String::new() } else { request.query.clone() };
    if !request.path_parameters.is_empty() {
        let path = serde_html_form::to_string(&request.path_parameters).map_err(Error::internal)?;
        text = [path, text].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("&");
    }
    form(&text).map_err(|error| {
        let in_path = error.field().is_some_and(|field| request.path_parameters.contains_key(field));
        error.in_part(if in_path { RequestPart::Path } else { RequestPart::Query })
    })
}

/// The refusal of a body; of a field that is a parameter of path or query string, with that.
pub fn misplaced<O: Operation>(request: &Request, error: Error) -> Error {
    let Error::Invalid { part, field, problem } = error else { return error };
    let is_parameter = || {
        let read = serde_html_form::to_string([(&field, "")]).map(|text| form::<O::Query>(&text));
        // Whatever else is wrong with it, its name is known.
        !matches!(read, Ok(Err(Error::Invalid { field: named, problem, .. }))
            if named == field && problem.to_string() == IS_UNKNOWN)
    };
    let problem = if problem.to_string() == IS_UNKNOWN && is_parameter() {
        let place = if request.path_parameters.contains_key(&field) { "path" } else { "query string" };
        Problem::new(format!("{IS_UNKNOWN}: it goes in the {place}"))
    } else {
        problem
    };
    Error::Invalid { part, field, problem }
}

/// Reads a form, or the parameters of a query string.
pub fn form<T: DeserializeOwned>(text: &str) -> Result<T> {
    // A parameter that is given twice reads to the decoder as a list.
    let mut names = BTreeSet::new();
    if let Some((name, _)) = pairs(text).into_iter().find(|(name, _)| !names.insert(name.clone())) {
        return Err(Error::invalid(shortened(&name), Problem::new("is given more than once")));
    }
    let deserializer = serde_html_form::Deserializer::from_bytes(text.as_bytes());
    serde_path_to_error::deserialize(deserializer)
        .map_err(|error| refusal(&error.path().to_string(), &error.inner().to_string()))
}

/// Reads a JSON object.
pub fn read<T: Input>(body: &[u8]) -> Result<T> {
    let text = std::str::from_utf8(body).map_err(|error| no_utf8(body, error))?;
    if !body.trim_ascii_start().starts_with(b"{") {
        // `undefined` or `[object Object]`, of a page that did not serialize its object, is no JSON at all.
        serde_json::from_str::<IgnoredAny>(text).map_err(|error| no_json(body, &error))?;
        return Err(Error::Malformed(Problem::new("body must be a JSON object")));
    }
    // A body that is no JSON is malformed as a whole, whatever its first fields are.
    let members = Members::parse(text, T::IS_PATCH).map_err(|error| no_json(body, &error))?;
    serde_path_to_error::deserialize(members)
        .map_err(|error| refusal(&error.path().to_string(), &error.inner().to_string()))
}

/// The refusal of a field, from what the decoder says of it.
///
/// Serde has errors as text only. Its texts quote the value at fault, which may be a credential in the wrong field, so
/// they are never passed on: what was expected is taken out of them, and the name of the field.
fn refusal(path: &str, message: &str) -> Error {
    // Position that JSON decoding appends.
    let message_only = message.rsplit_once(" at line ").map_or(message, |(text, _)| text);
    // Within an object of the client's own making, names are the client's. So it comes first: such a name may be one of
    // the texts below.
    if let Some((within, problem)) = ExactJson::flaw_within(message_only) {
        return Error::invalid(shortened(&format!("{path}{within}")), Problem::new(problem.to_owned()));
    }
    // The name of a field stands between the kind of error and what else there is to say; it may have backticks of its
    // own.
    let named = |kind: &str, end: &str| {
        let rest = message.strip_prefix(kind)?.strip_prefix(" `")?;
        Some(placed(path, rest.split_once(end).map_or(rest, |(name, _)| name)))
    };
    if let Some(name) = named("unknown field", "`, ") {
        return Error::invalid(name, Problem::new(IS_UNKNOWN));
    }
    if let Some(name) = named("missing field", "`") {
        return Error::invalid(name, Problem::new(IS_REQUIRED));
    }
    if let Some(name) = named("duplicate field", "`") {
        return Error::invalid(name, Problem::new("is given more than once"));
    }
    let path = shortened(path);
    if let Some((_, expected)) = message.rsplit_once("`, expected ").filter(|_| message.starts_with("unknown variant"))
    {
        let expected: Vec<_> = expected.split('`').skip(1).step_by(2).collect();
        return Error::invalid(path, Problem::new(format!("must be one of {}", expected.join(", "))));
    }
    if let Some((_, expected)) = message_only.rsplit_once(", expected ") {
        let expected = match expected {
            "a boolean" => "true or false",
            "a string" | "a borrowed string" | "a formatted string" => "a string",
            expected => expected,
        };
        return Error::invalid(path, Problem::new(format!("must be {expected}")));
    }
    let problem = if message_only == "expected value" {
        // All that the decoder says of what is no text, where one of several texts is expected.
        Problem::new("must be a string")
    } else if message_only.starts_with("invalid digit") || message_only.starts_with("number too") {
        // What the standard library says of a parameter that is no number, or none of its type.
        Problem::new("must be a whole number")
    } else if message_only.starts_with("must ") || message_only.starts_with("belongs ") {
        Problem::new(message_only.to_owned())
    } else {
        // Whatever else the decoders may come up with.
        Problem::new("has a value that can't be read")
    };
    Error::invalid(path, problem)
}

/// The name of a field together with where it is. The decoder's path ends with the field, or with the object that lacks
/// it.
fn placed(path: &str, name: &str) -> String {
    let is_whole = path == name || path.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
    match path {
        "." => shortened(name),
        _ if is_whole => shortened(path),
        _ => shortened(&format!("{path}.{name}")),
    }
}

#[cfg(test)]
mod tests {
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
        for body in [
            "",
            " ",
            "[]",
            "[\"name\"]",
            "null",
            "1",
            "\"text\"",
            "{",
            "{]",
            "{\"a\"}",
            "{\"tenant_name\":\"a\"}x",
            "nul",
        ] {
            assert_eq!(refused::<NewTenant>(body).0, "malformed_request", "{body}");
        }
        assert_eq!(
            read::<NewTenant>(b"{\"tenant_name\":\"\xff\"}").err().unwrap().code().as_str(),
            "malformed_request"
        );
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
        assert_eq!(
            field::<NewTenant>(r#"{"tenant_name":"a","tenant_name":"b"}"#).1,
            "tenant_name is given more than once"
        );
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
            (
                r#"{"tenant_name":"a","rate_limit_per_min":0}"#,
                "rate_limit_per_min must be a whole number from 1 to 10000",
            ),
            (
                r#"{"tenant_name":"a","rate_limit_per_min":-1}"#,
                "rate_limit_per_min must be a whole number from 1 to 10000",
            ),
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
        assert_eq!(parameter::<AuditQuery>("tenant_id=").0, "tenant_id");
    }

    #[test]
    fn credentials_in_a_query_string_are_seen_whatever_their_case() {
        for text in
            ["admin_key=x", "tenant_id=tnt_1&X-Admin-Key=x", "%61pi_key=x", "TOKEN", "admin-key=", "x_admin_key=x"]
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
}
