//! The key that signs next: it is published long before it signs.

use std::time::Duration;

use crate::domain::credentials::secret_pointer::SigningPointer;
use crate::domain::time::clock::Timestamp;

/// How long a key is published before it signs: until no verifier that fetches the set by itself can lack it. The
/// slowest of those that were measured, Envoy 1.40, keeps a set for 600 s whatever key ids it meets, and an HTTP cache
/// may hand it one that is 300 s old (`max-age` of the set).
pub const PUBLISHED_BEFORE: Duration = Duration::from_mins(15);

/// A key that is published and has not signed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandbyKey {
    /// Where its private half is, and its key id.
    pub pointer: SigningPointer,
    /// Time at which it entered the key set.
    pub published_at: Timestamp,
}

impl StandbyKey {
    /// From when it may sign.
    pub fn promotable_at(&self) -> Timestamp {
        known_everywhere_at(self.published_at)
    }
}

/// From when no cache can lack a key that entered the set at that time.
pub fn known_everywhere_at(published_at: Timestamp) -> Timestamp {
    published_at.plus(PUBLISHED_BEFORE)
}

/// How a tenant's signing key is to be rotated.
#[derive(Debug, Clone, Copy)]
pub struct KeyRotation {
    /// Whether the keys of before leave the set at once, the standby key among them: whoever has read the one can have
    /// read the other.
    pub drop_previous: bool,
    /// Whether a key signs that caches may lack.
    pub force: bool,
}

/// What a rotation does.
#[derive(Debug, PartialEq, Eq)]
pub enum KeyRotationStep<'a> {
    /// The standby key signs, and a new one stands by.
    Promote(&'a StandbyKey),
    /// A new key signs, and another new one stands by.
    Replace,
    /// A new key stands by, of a tenant that has none: it was provisioned before there were standby keys.
    Publish,
}

impl KeyRotationStep<'_> {
    /// The number of keys that it needs.
    pub fn new_keys(&self) -> usize {
        match self {
            Self::Promote(_) | Self::Publish => 1,
            Self::Replace => 2,
        }
    }
}

/// A standby key may not sign yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandbyTooYoung {
    /// For how many seconds more.
    pub retry_after: u64,
}

impl StandbyTooYoung {
    /// Of a key that may sign from then on.
    pub fn until(promotable_at: Timestamp, now: Timestamp) -> Self {
        Self { retry_after: now.seconds_until(promotable_at) }
    }
}

impl KeyRotation {
    /// What is to be done at `now`, with that standby key.
    ///
    /// # Errors
    /// If the standby key has to be published for longer first.
    pub fn step(self, standby: Option<&StandbyKey>, now: Timestamp) -> Result<KeyRotationStep<'_>, StandbyTooYoung> {
        match standby {
            _ if self.drop_previous => Ok(KeyRotationStep::Replace),
            None if self.force => Ok(KeyRotationStep::Replace),
            None => Ok(KeyRotationStep::Publish),
            Some(standby) if self.force || standby.promotable_at() <= now => Ok(KeyRotationStep::Promote(standby)),
            Some(standby) => Err(StandbyTooYoung::until(standby.promotable_at(), now)),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::credentials::secret_pointer::{SecretLabel, SecretVersion};

    const PUBLISHED: i64 = 1_000_000;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn standby() -> StandbyKey {
        let version = SecretVersion { id: Uuid::nil(), label: SecretLabel::of_turn(1) };
        StandbyKey { pointer: SigningPointer { version, kid: "next".to_owned() }, published_at: at(PUBLISHED) }
    }

    fn rotation(drop_previous: bool, force: bool) -> KeyRotation {
        KeyRotation { drop_previous, force }
    }

    #[test]
    fn a_standby_key_signs_when_it_was_published_for_fifteen_minutes() {
        let (standby, plain) = (standby(), rotation(false, false));
        assert_eq!(standby.promotable_at(), at(PUBLISHED + 900_000));
        for (age, retry_after) in [(-5000, 905), (0, 900), (1, 900), (1000, 899), (899_001, 1), (899_999, 1)] {
            let refused = plain.step(Some(&standby), at(PUBLISHED + age));
            assert_eq!(refused, Err(StandbyTooYoung { retry_after }), "{age}");
        }
        for age in [900_000, 900_001, 86_400_000] {
            let promoted = plain.step(Some(&standby), at(PUBLISHED + age));
            assert_eq!(promoted, Ok(KeyRotationStep::Promote(&standby)), "{age}");
        }
    }

    #[test]
    fn a_key_that_nothing_stands_in_for_comes_with_one_that_stands_by() {
        let standby = standby();
        let steps = [KeyRotationStep::Promote(&standby), KeyRotationStep::Publish, KeyRotationStep::Replace];
        assert_eq!(steps.map(|step| step.new_keys()), [1, 1, 2]);
    }

    #[test]
    fn force_does_not_wait() {
        let standby = standby();
        let step = rotation(false, true).step(Some(&standby), at(PUBLISHED));
        assert_eq!(step, Ok(KeyRotationStep::Promote(&standby)));
    }

    #[test]
    fn keys_that_are_dropped_go_with_the_standby_key_however_old_it_is() {
        let standby = standby();
        for force in [false, true] {
            for (standby, now) in [(None, 0), (Some(&standby), PUBLISHED), (Some(&standby), PUBLISHED + 900_000)] {
                assert_eq!(rotation(true, force).step(standby, at(now)), Ok(KeyRotationStep::Replace));
            }
        }
    }

    #[test]
    fn a_tenant_without_a_standby_key_gets_one_before_anything_new_signs_unless_forced() {
        assert_eq!(rotation(false, false).step(None, at(0)), Ok(KeyRotationStep::Publish));
        assert_eq!(rotation(false, true).step(None, at(0)), Ok(KeyRotationStep::Replace));
    }
}
