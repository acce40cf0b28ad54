//! JSON objects of which every member counts.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::exact_json::Fields;

/// The members of a JSON object, each as the text that was sent. No name is there twice: readers disagree on which of
/// the two counts (RFC 7515 §4, RFC 7519 §4). Names are compared as decoded, so that an escape doesn't hide one. The
/// causes to refuse it for are the reader's.
pub struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Members<'a> {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// If the text is no JSON object, or one with a member twice.
    pub fn read<C>(json: &'a str, malformed: C, doubled: C) -> Result<Self, C> {
        let Ok(Fields(fields)) = serde_json::from_str(json) else { return Err(malformed) };
        let count = fields.len();
        let members: BTreeMap<_, _> = fields.into_iter().collect();
        if members.len() == count { Ok(Self(members)) } else { Err(doubled) }
    }

    /// The text of a member.
    pub fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|value| value.get())
    }

    /// Whether these are its members, all of them and no others.
    pub fn are(&self, names: &[&str]) -> bool {
        self.0.len() == names.len() && names.iter().all(|name| self.0.contains_key(*name))
    }

    /// A member that may be left out, but not be null.
    ///
    /// # Errors
    /// If it is of another type.
    pub fn optional<T: Deserialize<'a>, C>(&self, name: &str, malformed: C) -> Result<Option<T>, C> {
        self.raw(name).map(serde_json::from_str).transpose().map_err(|_| malformed)
    }

    /// A member that has to be there.
    ///
    /// # Errors
    /// If it is missing, or of another type.
    pub fn required<T: Deserialize<'a>, C>(&self, name: &str, missing: C, malformed: C) -> Result<T, C> {
        self.optional(name, malformed)?.ok_or(missing)
    }
}
