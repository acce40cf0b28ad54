//! The versions of a tenant's secret that are valid.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::time::clock::Timestamp;

/// The versions of a tenant's secret that are in force. This pointer alone decides: the secret store keeps versions,
/// and has no say in which of them is valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretPointer {
    /// The version in force.
    pub current: SecretVersion,
    /// The version before, while an overlap lasts.
    pub previous: Option<PreviousSecret>,
    /// Time at which the version in force replaced another; `None` until the first rotation.
    pub rotated_at: Option<Timestamp>,
}

/// One version of a secret of a tenant's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretVersion {
    /// Id of the version, chosen by us before the version is stored.
    pub id: Uuid,
    /// Staging label that keeps the secret store from discarding the version.
    pub label: SecretLabel,
}

/// The version before, and the end of its validity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousSecret {
    pub version: SecretVersion,
    /// The end of its validity: it is valid before this time, and not at it.
    pub until: Timestamp,
    /// Time of the last accepted call that was signed with it, since it was replaced: once that no longer moves, every
    /// signer has moved.
    #[serde(default)]
    pub last_used_at: Option<Timestamp>,
}

/// One of the 16 staging labels that the versions of a tenant's secret, or of its signing key, take turns with.
///
/// AWS discards versions without a label. A fixed set of labels, of which a new version takes one that no valid version
/// has, needs no cleaning up: the label leaves the dead version by being given to the new one. (`AWSCURRENT` can't
/// serve: it would move before the table decides.) There may be 20 labels on a secret; this leaves room for AWS's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretLabel(u8);

impl SecretLabel {
    /// The number of labels.
    const COUNT: u8 = 16;

    /// The label of a turn: the labels are taken one after the other, in a circle.
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

/// The version that holds the key that signs a tenant's tokens: of a secret of its own, so that what verifies signed
/// calls, or signs callbacks, can't read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningPointer {
    pub version: SecretVersion,
    /// Key id of the key.
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

    #[test]
    fn a_pointer_has_the_labels_of_both_of_its_versions() {
        let version = |turn| SecretVersion { id: Uuid::nil(), label: SecretLabel::of_turn(turn) };
        let until = Timestamp::from_millis(1);
        let previous = |turn| PreviousSecret { version: version(turn), until, last_used_at: None };
        for (before, expected) in [(None, [true, false, false]), (Some(2), [true, true, false])] {
            let pointer = SecretPointer { current: version(1), previous: before.map(previous), rotated_at: None };
            assert_eq!([1, 2, 3].map(|turn| pointer.has_label(SecretLabel::of_turn(turn))), expected);
        }
    }
}
