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
