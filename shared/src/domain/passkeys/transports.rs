//! How a browser reaches an authenticator.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a browser said of how it reaches an authenticator (`internal`, `hybrid`, `usb`, …), for the next browser that
/// looks for it.
///
/// Texts rather than a closed list: a browser may know more than we do, and ignores what it does not know (§5.8.4).
/// Kept are the first eight that could be a transport at all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Transports(Vec<String>);

impl Transports {
    const MOST: usize = 8;
    /// The longest name that is kept, in bytes.
    const LONGEST: usize = 32;

    /// Keeps what could be transports.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut kept: Vec<String> = Vec::new();
        for name in names {
            let shaped = (1..=Self::LONGEST).contains(&name.len())
                && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
            if shaped && kept.len() < Self::MOST && !kept.iter().any(|other| other == name) {
                kept.push(name.to_owned());
            }
        }
        Self(kept)
    }

    /// In the order in which the browser gave them.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// Whether the browser said nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
