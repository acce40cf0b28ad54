//! Which version of a tenant's secret is valid.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::clock::Timestamp;

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
    /// The version.
    pub version: SecretVersion,
    /// Valid before this time, and not at it.
    pub until: Timestamp,
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

    /// A label by number; any number gives one.
    pub fn new(number: u8) -> Self {
        Self(number % Self::COUNT)
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

impl SecretPointer {
    /// A label for a new version that no valid version has. Two rotations at once can only meet in one label if they draw the
    /// same of the fourteen that are free.
    pub fn free_label(&self, random: u8) -> SecretLabel {
        let taken = [Some(self.current.label), self.previous.as_ref().map(|previous| previous.version.label)];
        (0..SecretLabel::COUNT)
            .map(|step| SecretLabel::new((random % SecretLabel::COUNT) + step))
            .find(|label| !taken.contains(&Some(*label)))
            .unwrap_or(SecretLabel(0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(label: u8) -> SecretVersion {
        SecretVersion { id: Uuid::nil(), label: SecretLabel::new(label) }
    }

    #[test]
    fn a_label_survives_the_wire() {
        for number in 0..=255 {
            let label = SecretLabel::new(number);
            assert_eq!(SecretLabel::parse(&label.to_string()), Some(label));
        }
        for text in ["", "slot-", "slot-16", "slot--1", "AWSCURRENT"] {
            assert_eq!(SecretLabel::parse(text), None);
        }
    }

    proptest! {
        #[test]
        fn a_free_label_is_on_no_valid_version(current in 0..16_u8, previous in 0..16_u8, random in any::<u8>()) {
            let previous_secret = PreviousSecret { version: version(previous), until: Timestamp::from_millis(0) };
            let pointer = SecretPointer { current: version(current), previous: Some(previous_secret), rotated_at: None };
            let label = pointer.free_label(random);
            prop_assert!(label != SecretLabel::new(current) && label != SecretLabel::new(previous));
        }
    }
}
