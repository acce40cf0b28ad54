//! The one error of this crate: a sentence for the person at the terminal.

use std::fmt;

/// What went wrong while the local AWS was set up or used, in one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(String);

/// A result whose error is a sentence.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with this text.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Says what was being done when a foreign error came up.
pub(crate) trait Context<T> {
    /// Puts `doing` and a colon before the error's own text.
    fn context(self, doing: impl fmt::Display) -> Result<T>;
}

impl<T, E: fmt::Display> Context<T> for std::result::Result<T, E> {
    fn context(self, doing: impl fmt::Display) -> Result<T> {
        self.map_err(|cause| Error(format!("{doing}: {cause}")))
    }
}
