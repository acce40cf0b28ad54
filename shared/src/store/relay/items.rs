//! What a tenant's hot item says about its signed calls, and the conditions and updates that are made of it.
//!
//! Calls are counted in a map, `accepted_calls`, by calendar minute. So one and the same update counts the first call
//! of a minute and every later one, where a single counter would have to be reset, by an update that is right only if
//! nobody else has been first. A minute before the one that was counted last takes no more calls (`counted_minute` only
//! rises), so its entry can go, and the next call takes it away.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::domain::{
    LimitOf, Minute, Nonce, Quota, RatePerMinute, SecretPointer, SigningVersion, TenantId, TenantName, Timestamp,
};
use crate::error::{Error, Result};
use crate::store::dynamodb::{Condition, Item, Reader, Update, Value, millis, number, text};
use crate::store::keys::{self, TENANT_STATUS};
use crate::store::tenants::items::{
    self as tenant_items, ACCEPTED_CALLS, ACTIVE, PREVIOUS_USED, SIGNING_VERSION, STRUCK_MINUTE,
};
use crate::store::tenants::signed_use::{COUNTED_MINUTE, SIGNED_AHEAD, SignedDays, day_number, signed_on};

/// How often the tenant was seen to abuse its secret.
pub const STRIKES: &str = "abuse_strikes";

/// The place of a minute's count. A letter in front, because a name in an expression can't begin with a digit.
fn count(minute: Minute) -> String {
    format!("{ACCEPTED_CALLS}.m{}", minute.number())
}

/// A call whose signature is right under one of its tenant's secrets.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The version of the secret.
    pub secret: Uuid,
    /// What the signature covers.
    pub signing: SigningVersion,
    /// When the call came.
    pub at: Timestamp,
    /// How far the signer's clock is ahead, in milliseconds; negative if it is behind.
    pub ahead_ms: i64,
    pub request_id: &'a str,
}

/// What a hot item says about signed calls, as it was at one moment.
#[derive(Debug, Clone)]
pub struct RelayState {
    pub is_active: bool,
    pub name: TenantName,
    pub secret: SecretPointer,
    pub signing: SigningVersion,
    pub limit: RatePerMinute,
    /// How often all of its tokens have been revoked.
    pub epoch: u64,
    signed_days: SignedDays,
    counted: Minute,
    calls: BTreeMap<Minute, u32>,
    struck: Minute,
}

/// What came of an attempt to count a call, or to note that it is one too many.
#[derive(Debug)]
pub enum Attempt {
    /// The call is counted: the state as it is now.
    Counted(Box<RelayState>),
    /// The strike is noted.
    Struck,
    /// The condition failed: the hot item as it is, if that is why.
    Refused(Option<Item>),
}

/// On a nonce: that its second use was noted as a strike.
pub const STRUCK: &str = "struck";

/// Transactions that kept getting in the way are no fault of the caller's, who did not ask for a change.
pub fn stale(error: Error) -> Error {
    match error {
        Error::StaleUpdate => Error::unavailable("transactions on the tenant's item kept getting in the way"),
        other => other,
    }
}

/// What the state means for a call that was to be counted in a certain minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing stands in its way.
    Open,
    /// The secret is not in force any more, or what was signed is less than the tenant's calls have to cover.
    Dead,
    Suspended,
    /// The minute is full.
    Full {
        /// Whether that was noted as a strike.
        is_struck: bool,
    },
    /// Calls are counted in this later minute already.
    Later(Minute),
}

impl RelayState {
    /// The versions of the secrets that are in force at that time, the current one first.
    pub fn secrets_in_force(&self, now: Timestamp) -> impl Iterator<Item = Uuid> {
        let previous = self.secret.previous.as_ref().filter(|previous| now < previous.until);
        [Some(self.secret.current.id), previous.map(|previous| previous.version.id)].into_iter().flatten()
    }

    /// Reads an item. `None` if there is no tenant yet, or never was.
    pub fn read(item: &Item) -> Result<Option<Self>> {
        let Some(summary) = tenant_items::summary(item)? else { return Ok(None) };
        let reader = Reader::of(item);
        let minute = |name| reader.number(name).map(Minute::from_number);
        Ok(Some(Self {
            is_active: reader.text(TENANT_STATUS)? == ACTIVE,
            name: summary.name,
            secret: tenant_items::secret_pointer(item)?,
            signing: tenant_items::signing_version(reader)?,
            limit: summary.rate_limit_per_min,
            epoch: reader.number("epoch")?,
            signed_days: SignedDays::read(reader)?,
            counted: minute(COUNTED_MINUTE)?,
            calls: calls(reader)?,
            struck: minute(STRUCK_MINUTE)?,
        }))
    }

    /// The minute in which a call at that time is counted: the time's own, unless a later one was counted already,
    /// which only a call sees that was on its way while the minute turned, or a machine whose clock is behind.
    pub fn minute(&self, at: Timestamp) -> Minute {
        self.counted.max(Minute::from(at))
    }

    /// How many calls were accepted in a minute.
    pub fn used(&self, minute: Minute) -> u32 {
        self.calls.get(&minute).copied().unwrap_or_default()
    }

    /// What is left of a minute.
    pub fn quota(&self, minute: Minute, now: Timestamp) -> Quota {
        Quota::new(LimitOf::Relay, self.limit, self.used(minute), minute, now)
    }

    /// Whether a minute has no room for another call.
    pub fn is_full(&self, minute: Minute) -> bool {
        self.used(minute) >= self.limit.get()
    }

    /// What is to become of a call, in the order of the contract: signature, state, limit.
    pub fn decision(&self, signed: &Signed<'_>, minute: Minute) -> Decision {
        let in_force = self.secrets_in_force(signed.at).any(|version| version == signed.secret);
        if !in_force || !self.signing.takes(signed.signing) {
            Decision::Dead
        } else if !self.is_active {
            Decision::Suspended
        } else if self.counted > minute {
            Decision::Later(self.counted)
        } else if self.is_full(minute) {
            Decision::Full { is_struck: self.struck >= minute }
        } else {
            Decision::Open
        }
    }

    /// The update that counts a call: for an item that was like this when it was last seen.
    pub fn counting(&self, id: &TenantId, signed: &Signed<'_>, minute: Minute) -> Update {
        let update = Update::of(keys::state(id))
            .set(COUNTED_MINUTE, number(i128::from(minute.number())))
            .increment(count(minute));
        let past = self.calls.keys().filter(|counted| **counted < minute);
        let update = past.fold(update, |update, past| update.remove(count(*past)));
        // Once a day, with what is written anyway: for the inspection of the set-up.
        let today = day_number(signed.at);
        let update = if self.signed_days.last(signed.signing) == Some(today) {
            update
        } else {
            update.set(signed_on(signed.signing), number(today)).set(SIGNED_AHEAD, number(signed.ahead_ms))
        };
        let is_previous = self.secret.current.id != signed.secret;
        if is_previous { update.set(PREVIOUS_USED, millis(signed.at)) } else { update }
    }
}

fn calls(reader: Reader<'_>) -> Result<BTreeMap<Minute, u32>> {
    let unreadable = || reader.unreadable(ACCEPTED_CALLS);
    let calls = reader.map(ACCEPTED_CALLS)?;
    let entry = |(minute, count): (&str, &Value)| {
        let minute = minute.strip_prefix('m')?.parse().ok().map(Minute::from_number)?;
        Some((minute, count.as_n()?.parse().ok()?))
    };
    calls.iter().map(|call| entry(call).ok_or_else(unreadable)).collect()
}

/// That the tenant may act and the call's signature is one that counts: what [`RelayState::decision`] asks first, in
/// DynamoDB's words.
fn in_force(signed: &Signed<'_>) -> Condition {
    let secret = "(secret_version = :secret OR (previous_secret_version = :secret AND previous_secret_until > :at))";
    let values = [(":active", text(ACTIVE)), (":secret", text(signed.secret)), (":at", millis(signed.at))];
    let condition = Condition::new(format!("{TENANT_STATUS} = :active AND {secret}"), values);
    match signed.signing {
        SigningVersion::V1 => condition.and(format!("{SIGNING_VERSION} = :v1"), [(":v1", text(SigningVersion::V1))]),
        SigningVersion::V2 => condition,
    }
}

/// That the call can be counted in this minute.
pub fn has_room(signed: &Signed<'_>, minute: Minute) -> Condition {
    let count = count(minute);
    in_force(signed)
        .and(format!("{COUNTED_MINUTE} <= :minute"), [(":minute", number(i128::from(minute.number())))])
        .and(format!("(attribute_not_exists({count}) OR {count} < rate_limit_per_min)"), [])
}

/// Abuse by somebody who has the secret.
#[derive(Debug)]
pub enum Abuse<'a> {
    /// A call too many, the first of its minute.
    OverLimit(Minute),
    /// A nonce for the second time.
    Replay(&'a Nonce),
}

/// The update that adds a strike for it.
pub fn strike(id: &TenantId, abuse: &Abuse<'_>) -> Update {
    let update = Update::of(keys::state(id)).increment(STRIKES);
    match abuse {
        Abuse::OverLimit(minute) => update.set(STRUCK_MINUTE, number(i128::from(minute.number()))),
        Abuse::Replay(_) => update,
    }
}

/// That the abuse is one, and was not noted.
pub fn is_unstruck(signed: &Signed<'_>, abuse: &Abuse<'_>) -> Condition {
    match abuse {
        Abuse::OverLimit(minute) => in_force(signed)
            .and(format!("{STRUCK_MINUTE} < :minute"), [(":minute", number(i128::from(minute.number())))])
            .and(format!("{} >= rate_limit_per_min", count(*minute)), []),
        // The nonce's own item says whether it was noted.
        Abuse::Replay(_) => in_force(signed),
    }
}
