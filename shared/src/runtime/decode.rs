//! Query strings, forms and JSON to inputs, strictly, and errors that name the field.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::de::{DeserializeOwned, IgnoredAny};
use url::form_urlencoded;

use super::places::{no_json, no_utf8, shortened};
use crate::api::{Input, Members, Operation};
use crate::auth::Request;
use crate::domain::{ExactJson, Problem};
use crate::error::{Error, IS_REQUIRED, IS_UNKNOWN, RequestPart, Result};

/// Names under which people put credentials into query strings, without the signs between their words.
const CREDENTIAL_PARAMETERS: [&str; 20] = [
    "adminkey",
    "xadminkey",
    "apikey",
    "xapikey",
    "authorization",
    "bearer",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "sessiontoken",
    "devicesessiontoken",
    "polltoken",
    "token",
    "jwt",
    "tenantsecret",
    "webhooksecret",
    "clientsecret",
    "secret",
    "password",
    "key",
];

/// Refuses a query string with a parameter that is named like a credential. Strict decoding would refuse it too, as a
/// field that nobody knows; this says what is really wrong.
pub fn refuse_credentials(query: &str) -> Result<()> {
    let is_credential = |name: Cow<'_, str>| {
        let plain = name.replace(['-', '_'], "").to_ascii_lowercase();
        CREDENTIAL_PARAMETERS.contains(&plain.as_str())
    };
    if names(query).any(is_credential) { Err(Error::CredentialInQuery) } else { Ok(()) }
}

/// The names of parameters, in their order. Their values, of which one can be a token, are left as they are.
fn names(query: &str) -> impl Iterator<Item = Cow<'_, str>> {
    query.split('&').flat_map(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        form_urlencoded::parse(name.as_bytes()).map(|(name, _)| name)
    })
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
    let mut known = BTreeSet::new();
    if let Some(name) = names(text).find(|name| !known.insert(name.clone())) {
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
mod tests;
