//! Where in a request something is wrong, in words: whoever sent a field to the wrong place learns which is the right
//! one.

use std::collections::BTreeMap;
use std::str::Utf8Error;

use serde::de::IgnoredAny;

use crate::api::Input;
use crate::domain::{Problem, near_miss};
use crate::error::{Error, IS_UNKNOWN, Result};

/// The longest name of an unknown field that is repeated in an answer, in characters.
const LONGEST_NAME: usize = 64;

/// The refusal of a body that is no JSON.
pub fn no_json(body: &[u8], error: &serde_json::Error) -> Error {
    let mut lines = body.split(|byte| *byte == b'\n');
    let line = lines.nth(error.line().saturating_sub(1)).unwrap_or_default();
    // Serde counts the byte at fault too, and at the end there is none.
    let before = if error.is_eof() { line } else { line.get(..error.column().saturating_sub(1)).unwrap_or(line) };
    malformed(error.line(), before)
}

/// The refusal of a body that is no text.
pub fn no_utf8(body: &[u8], error: Utf8Error) -> Error {
    let before = body.get(..error.valid_up_to()).unwrap_or_default();
    let last = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    malformed(before.split(|byte| *byte == b'\n').count(), last)
}

/// The place only, both from 1 and the column in characters, as editors count: what is there may be a credential.
fn malformed(line: usize, before: &[u8]) -> Error {
    let column = String::from_utf8_lossy(before).chars().count() + 1;
    Error::Malformed(Problem::new(format!("body must be valid JSON: it is not at line {line}, column {column}")))
}

/// A client's name for something, short enough to be repeated.
pub fn shortened(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}

/// The members of a JSON object, by name; none of what is no object, which is refused by who reads it. No value is
/// looked at, so none keeps a name from being seen: a number that no type holds would, and is ignored later.
#[expect(clippy::zero_sized_map_values, reason = "a map is what serde reads an object into")]
pub fn members(body: &[u8]) -> BTreeMap<String, IgnoredAny> {
    serde_json::from_slice(body).unwrap_or_default()
}

/// Refuses a field whose name is a near miss of one of the input's, where the input ignores what it does not know.
pub fn refuse_near_misses<T: Input>(body: &[u8]) -> Result<()> {
    if T::FIELDS.is_empty() {
        return Ok(());
    }
    let members = members(body);
    let near = members.keys().find_map(|name| near_miss(name, T::FIELDS).map(|field| (name, field)));
    match near {
        Some((name, field)) => Err(Error::invalid(shortened(name), Problem::new(format!("{IS_UNKNOWN}: {field} is")))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::projects::UserTokenInput;

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        for (body, line, column) in [
            ("{", 1, 2),
            ("{\"a\": 1", 1, 8),
            ("{\"a\":1,}", 1, 8),
            ("{\n  \"a\": 1\n  \"b\": 2\n}", 3, 3),
            ("{\"secret\": sk_value}", 1, 12),
            ("{}x", 1, 3),
            ("{\n\"näme\": ü}", 2, 9),
            ("undefined", 1, 1),
            ("{\n", 2, 1),
        ] {
            let error = serde_json::from_str::<serde_json::Value>(body).unwrap_err();
            let expected = format!("request body must be valid JSON: it is not at line {line}, column {column}");
            assert_eq!(no_json(body.as_bytes(), &error).to_string(), expected, "{body}");
        }
        for (body, line, column) in [(&b"\xff"[..], 1, 1), (b"{\"a\":\n \"\xff\"}", 2, 3), (b"{\n\xff", 2, 1)] {
            let error = std::str::from_utf8(body).unwrap_err();
            let expected = format!("it is not at line {line}, column {column}");
            assert!(no_utf8(body, error).to_string().ends_with(&expected), "{body:?}");
        }
    }

    #[test]
    fn a_near_miss_is_refused_by_its_name_with_the_right_one_and_before_what_is_missing() {
        let refused = |body: &str| refuse_near_misses::<UserTokenInput>(body.as_bytes()).err();
        let error = refused(r#"{"projectOrganizationId":"sk_value"}"#).unwrap();
        assert_eq!(error.field(), Some("projectOrganizationId"));
        let sentence = "projectOrganizationId is not a field of this operation's body: organizationId is";
        assert_eq!(error.to_string(), sentence);
        // Written with an escape it is the same name.
        assert_eq!(refused(r#"{"expires\u0049n":1}"#).unwrap().field(), Some("expiresIn"));
        let long = format!("{{\"expires{}\":1}}", "x".repeat(99));
        assert_eq!(refused(&long).unwrap().field().map(str::len), Some(LONGEST_NAME));
        for body in
            ["", "[]", "{", r#"{"userId":"a","organizationId":"b","email":"expiresIn"}"#, r#"{"a":{"user_id":1}}"#]
        {
            assert!(refused(body).is_none(), "{body}");
        }
    }
}
