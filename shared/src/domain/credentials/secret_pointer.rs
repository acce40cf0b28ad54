//! Which version of a tenant's secret is valid.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::time::clock::Timestamp;

/// Which version of a tenant's secret is in force. Only this decides: the secret store keeps versions, and has no say in
/// which of them is valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretPointer {
    /// The version in force.
    pub current: SecretVersion,
    /// The version before, while a declared overlap lasts.
    pub previous: Option<PreviousSecret>,
    /// When the version in force replaced another; `None` until the first rotation.
    pub rotated_at: Option<Timestamp>,
}

/// One version of a tenant's secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretVersion {
    /// The version id, chosen by us before the version is stored.
    pub id: Uuid,
    /// The staging label that keeps the secret store from discarding the version.
    pub label: SecretLabel,
}

/// The version before, and when it stops being valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousSecret {
    pub version: SecretVersion,
    /// Valid before this time, and not at it.
    pub until: Timestamp,
    /// When a call was last accepted with it, since it was replaced: once that stays as it is, every signer has moved.
    #[serde(default)]
    pub last_used_at: Option<Timestamp>,
}

/// One of the 16 staging labels that versions of a tenant's secret take turns with.
///
/// AWS discards versions without a label. A fixed set of labels, of which a new version takes one that no valid version
/// has, needs no cleaning up: the label leaves the dead version by being given to the new one. (`AWSCURRENT` can't serve:
/// it would move before the table decides.) There may be 20 labels on a secret; this leaves room for AWS's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretLabel(u8);

impl SecretLabel {
    /// How many labels there are.
    const COUNT: u8 = 16;

    /// The label of a turn: they are taken one after the other, again and again.
    pub fn of_turn(turn: u64) -> Self {
        Self(u8::try_from(turn % u64::from(Self::COUNT)).unwrap_or_default())
    }

    /// Reads what [`SecretLabel`] displays as.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix("slot-")?.parse().ok().filter(|number| *number < Self::COUNT).map(Self)
    }
}

impl fmt::Display for SecretLabel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "slot-{}", self.0)
    }
}

/// Which version of the tenant's secret holds the key that signs its tokens. The first version holds the signing key and the
/// secret; after that each has versions of its own, so that the one is replaced without reading the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningPointer {
    pub version: SecretVersion,
    /// The id of the key.
    pub kid: String,
}

impl SecretPointer {
    /// Whether a version that the pointer names has this label.
    pub fn has_label(&self, label: SecretLabel) -> bool {
        let previous = self.previous.as_ref().map(|previous| previous.version.label);
        self.current.label == label || previous == Some(label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_survives_the_wire_and_comes_again_after_all_others() {
        for turn in 0..100 {
            let label = SecretLabel::of_turn(turn);
            assert_eq!(SecretLabel::parse(&label.to_string()), Some(label));
            for other in 1..16 {
                assert_ne!(SecretLabel::of_turn(turn + other), label);
            }
            assert_eq!(SecretLabel::of_turn(turn + 16), label);
        }
        for text in ["", "slot-", "slot-16", "slot--1", "AWSCURRENT"] {
            assert_eq!(SecretLabel::parse(text), None);
        }
    }
}
