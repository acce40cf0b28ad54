//! One check of a set-up, and how it ended.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::domain::time::clock::{Day, Timestamp};

/// How a check ended: it `works`, it `fails`, it was `unseen` so far, or what it is about is `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    Works,
    Fails,
    Unseen,
    Off,
}

/// When something was last seen: a time, or the day where no more is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    At(Timestamp),
    On(Day),
}

impl fmt::Display for Seen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(moment) => moment.fmt(formatter),
            Self::On(day) => day.fmt(formatter),
        }
    }
}

impl Serialize for Seen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Seen {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Seen".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// A check of a set-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    pub state: CheckState,
    /// What was seen, in one sentence.
    pub says: String,
    /// When it was last seen.
    pub last_seen: Option<Seen>,
    /// What to change.
    pub mend: Option<String>,
    /// The line that proves it.
    pub curl: String,
}

impl Check {
    fn new(name: &'static str, state: CheckState, says: impl Into<String>) -> Self {
        Self { name, state, says: says.into(), last_seen: None, mend: None, curl: String::new() }
    }

    pub(super) fn works(name: &'static str, says: impl Into<String>) -> Self {
        Self::new(name, CheckState::Works, says)
    }

    pub(super) fn fails(name: &'static str, says: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(name, CheckState::Fails, says).mended(mend)
    }

    pub(super) fn unseen(name: &'static str, says: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(name, CheckState::Unseen, says).mended(mend)
    }

    pub(super) fn off(name: &'static str, says: impl Into<String>) -> Self {
        Self::new(name, CheckState::Off, says)
    }

    pub(super) fn mended(self, mend: impl Into<String>) -> Self {
        Self { mend: Some(mend.into()), ..self }
    }

    pub(super) fn at(self, moment: Option<Timestamp>) -> Self {
        Self { last_seen: moment.map(Seen::At), ..self }
    }

    pub(super) fn on(self, day: Option<&Day>) -> Self {
        Self { last_seen: day.copied().map(Seen::On), ..self }
    }

    pub(super) fn proven_by(self, curl: String) -> Self {
        Self { curl, ..self }
    }
}
