//! The problem with a value, in words that follow the name of its field.

use std::borrow::Cow;
use std::fmt;

/// A rule that a value breaks, such as "must be a whole number from 1 to 100". The sentence continues the field's name
/// and never repeats the value, which may be a credential that somebody pasted into the wrong field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(Cow<'static, str>);

impl Problem {
    /// A problem from its sentence: lower case, no full stop.
    pub fn new(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Problem {}
