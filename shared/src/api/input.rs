//! What every input says of itself, whatever operation it is of.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::domain::{ExternalId, Person};

/// Input of an operation, from the query or the body. Decoding is strict: the type says `deny_unknown_fields`,
/// but for bodies of the surfaces that ignore what they do not know.
pub trait Input: DeserializeOwned + JsonSchema + Send + 'static {
    /// The names of its fields, where unknown ones are ignored and near misses of these are refused all the same; else
    /// none.
    const FIELDS: &'static [&'static str] = &[];
    /// Whether it changes some fields of something. There, null clears a field or is refused; in every other input, a
    /// field that is null is one that was left out.
    const IS_PATCH: bool = false;

    /// The end user that the input names.
    fn end_user(&self) -> Option<&ExternalId> {
        None
    }

    /// The API key in the body, on the surfaces that accept one there.
    fn api_key(&self) -> Option<&Zeroizing<String>> {
        None
    }

    /// The id of that API key, if the body says it.
    fn client_id(&self) -> Option<&str> {
        None
    }

    /// The tenant that the input is about, for the log line.
    fn tenant_id(&self) -> Option<&str> {
        None
    }

    /// The person that the input is about, for the log line.
    fn person(&self) -> Option<Person<'_>> {
        None
    }

    /// The resource that the input names, for the log line.
    fn resource(&self) -> Option<Uuid> {
        None
    }
}
