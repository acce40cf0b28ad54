//! The idempotency key of a request, by the header `Idempotency-Key`.

use super::{InputSummary, Request};
use crate::domain::{IdempotencyKey, IdempotencyScope, Problem};
use crate::error::{Error, RequestPart, Result};

/// The idempotency key of a request whose caller is known; `None` if it has none, or its operation remembers nothing.
/// `credential` is the secret that the caller presented.
///
/// # Errors
/// If the header breaks its rule.
pub(super) fn key(
    request: &Request,
    input: &InputSummary,
    scope: IdempotencyScope,
    credential: &[u8],
) -> Result<Option<IdempotencyKey>> {
    let Some(text) = request.header("idempotency-key").filter(|_| input.is_remembered) else {
        return Ok(None);
    };
    // The parts that must be the same when the key is sent again.
    let parts = [input.operation.as_bytes(), request.query.as_bytes(), request.body.as_slice()];
    let in_path = request.path_parameters.values().map(String::as_bytes);
    let repeated: Vec<_> = parts.into_iter().chain(in_path).collect();
    let read = IdempotencyKey::new(text, scope, &repeated, credential, request.at);
    let problem = Problem::new("must be 1 to 255 visible ASCII characters");
    read.map(Some).ok_or_else(|| Error::invalid("Idempotency-Key", problem).in_part(RequestPart::Header))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::testing;

    const HEADER: (&str, &str) = ("idempotency-key", "1");

    fn read(request: &Request, operation: &'static str, is_remembered: bool) -> Result<Option<IdempotencyKey>> {
        let input = InputSummary { operation, is_remembered, ..testing::input() };
        key(request, &input, IdempotencyScope::Operator, b"credential")
    }

    #[test]
    fn a_key_is_read_where_the_outcome_is_remembered() {
        let request = testing::request(&[HEADER]);
        let key = read(&request, "one", true).unwrap().unwrap();
        assert_eq!((key.scope(), key.at()), (&IdempotencyScope::Operator, request.at));
        assert!(read(&request, "one", false).unwrap().is_none());
        assert!(read(&testing::request(&[]), "one", true).unwrap().is_none());
        match read(&testing::request(&[("idempotency-key", "a b")]), "one", true) {
            Err(Error::Invalid { part, field, .. }) => {
                assert_eq!((part, field.as_str()), (RequestPart::Header, "Idempotency-Key"));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn another_operation_query_body_or_path_is_another_request() {
        let request = || testing::request(&[HEADER]);
        let fingerprint =
            |request: &Request, operation| read(request, operation, true).unwrap().unwrap().fingerprint().to_owned();
        let same = fingerprint(&request(), "one");
        assert_eq!(fingerprint(&request(), "one"), same);
        let path_parameters = [("id".to_owned(), "1".to_owned())].into();
        for (other, operation) in [
            (request(), "other"),
            (Request { query: "a=1".to_owned(), ..request() }, "one"),
            (Request { body: b"{}".to_vec(), ..request() }, "one"),
            (Request { path_parameters, ..request() }, "one"),
        ] {
            assert_ne!(fingerprint(&other, operation), same);
        }
    }
}
