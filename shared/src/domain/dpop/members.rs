//! JSON objects of which every member counts.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::cause::DpopCause;
use crate::domain::values::exact_json::Fields;

/// The members of a JSON object, each as the text that was sent. No name is there twice: readers disagree on which of
/// the two counts (RFC 7515 §4, RFC 7519 §4). Names are compared as decoded, so that an escape doesn't hide one.
pub struct Members<'a>(BTreeMap<String, &'a RawValue>);

/// Why a text is not the members of an object: the causes to refuse a proof for.
#[derive(Clone, Copy)]
pub struct Causes {
    pub malformed: DpopCause,
    pub doubled: DpopCause,
}

impl<'a> Members<'a> {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// If the text is no JSON object, or one with a member twice.
    pub fn read(json: &'a str, causes: Causes) -> Result<Self, DpopCause> {
        let Fields(fields) = serde_json::from_str(json).map_err(|_| causes.malformed)?;
        let count = fields.len();
        let members: BTreeMap<_, _> = fields.into_iter().collect();
        if members.len() == count { Ok(Self(members)) } else { Err(causes.doubled) }
    }

    /// The text of a member.
    pub fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|value| value.get())
    }

    /// A member that may be left out, but not be null.
    ///
    /// # Errors
    /// If it is of another type.
    pub fn optional<T: Deserialize<'a>>(&self, name: &str, malformed: DpopCause) -> Result<Option<T>, DpopCause> {
        self.raw(name).map(|text| serde_json::from_str(text).map_err(|_| malformed)).transpose()
    }

    /// A member that has to be there.
    ///
    /// # Errors
    /// If it is missing, or of another type.
    pub fn required<T: Deserialize<'a>>(
        &self,
        name: &str,
        missing: DpopCause,
        malformed: DpopCause,
    ) -> Result<T, DpopCause> {
        self.optional(name, malformed)?.ok_or(missing)
    }
}
