//! Signed calls: which secrets are in force, and whether a call is accepted now.
//!
//! The process remembers what it saw of each tenant last, so that it knows which secrets to try and needs no read. What
//! it remembers never lets a call through: that is decided by the one conditional update that also counts the call. If
//! the memory is out of date, the condition fails, and the item comes back with the refusal. Only one thing is decided
//! from memory, and that is a refusal: a minute that was seen full stays full until it ends.

mod items;
mod strikes;

pub use items::{RelayState, Signed};

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use self::items::{Abuse, Attempt, Decision, STRUCK, stale};
use super::dynamodb::{ATTEMPTS, Inserted, NewItem, Reader, Table, Updated, text, time_to_live};
use super::keys::{self, Kind};
use super::memory::Memory;
use super::secrets_manager::Secrets;

use crate::domain::{Minute, Nonce, Quota, TenantId, TenantSecret, Timestamp};
use crate::error::{Error, Result};

/// For how long a nonce is kept at least: much longer than the timestamp that was signed with it is accepted.
const NONCE_KEPT: std::time::Duration = std::time::Duration::from_mins(10);

/// How a signed call ended at the guard.
#[derive(Debug)]
pub enum Verdict {
    /// It is accepted and counted.
    Accepted(Box<Accepted>),
    /// The secret is not in force any more, or what was signed is less than the tenant's calls have to cover.
    Dead,
    /// The tenant is suspended.
    Suspended(Quota),
    /// The minute is full.
    OverLimit(Quota),
}

/// A call that was accepted.
#[derive(Debug)]
pub struct Accepted {
    /// The tenant, as it was when the call was counted.
    pub state: RelayState,
    /// What is left of the minute, this call counted.
    pub quota: Quota,
}

/// What a process saw of tenants last.
pub type RelayMemory = Memory<TenantId, Observed>;

/// What it saw of one.
#[derive(Debug, Clone)]
pub struct Observed {
    state: RelayState,
    /// The minute that has refused a call, and has been struck for it.
    refusing: Option<Minute>,
}

/// The signed calls of one tenant.
#[derive(Clone, Copy)]
pub struct Relay<'a> {
    pub(crate) table: &'a Table,
    pub(crate) secrets: &'a Secrets,
    pub(crate) memory: &'a RelayMemory,
    pub(crate) tenant: &'a TenantId,
    /// How many strikes suspend a tenant; 0 = none do.
    pub(crate) strikes_to_suspend: u32,
}

impl fmt::Debug for Relay<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Relay({})", self.tenant)
    }
}

impl Relay<'_> {
    /// The tenant as this process saw it last, if it did.
    pub fn remembered(&self) -> Option<RelayState> {
        self.memory.get(self.tenant).map(|observed| observed.state)
    }

    /// The tenant as it is now; `None` if there is no such tenant. One call.
    ///
    /// # Errors
    /// If the table fails or the item can't be read.
    pub async fn current(&self) -> Result<Option<RelayState>> {
        let Some(item) = self.table.get(keys::state(self.tenant)).await? else { return Ok(None) };
        let state = RelayState::read(&item)?;
        if let Some(state) = &state {
            self.observe(state.clone());
        }
        Ok(state)
    }

    /// A version of the tenant's secret. One call, if the process hasn't read it.
    ///
    /// # Errors
    /// If the secret store fails, or the version can't be read.
    pub async fn secret(&self, version: Uuid) -> Result<Arc<TenantSecret>> {
        self.secrets.tenant_secret(self.tenant, version).await
    }

    /// The refusal of a call in a minute that this process has seen full: no call to AWS. A limit that is raised
    /// meanwhile counts from the next minute on.
    pub fn refusal(&self, at: Timestamp) -> Option<Verdict> {
        let Observed { state, refusing } = self.memory.get(self.tenant)?;
        let minute = state.minute(at);
        (refusing == Some(minute)).then(|| Verdict::OverLimit(over(&state, minute, at)))
    }

    /// Uses a nonce. Whether it was used before.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn is_replay(&self, nonce: &Nonce, signed: &Signed<'_>) -> Result<bool> {
        let mut item = NewItem::from(keys::of_kind(self.tenant, Kind::Nonce, nonce));
        item.insert("used_by".to_owned(), text(signed.request_id));
        item.insert("purge_at".to_owned(), time_to_live(signed.at.plus(NONCE_KEPT)));
        let Inserted::Exists(before) = self.table.insert(item).await.map_err(stale)? else { return Ok(false) };
        let reader = Reader::of(&before);
        // An answer was lost, and the second attempt has met the first.
        if reader.optional_text("used_by")? == Some(signed.request_id) {
            return Ok(false);
        }
        // Whoever has recorded a call can send it again and again: a nonce is one strike at most.
        if reader.optional_bool(STRUCK)? != Some(true) {
            self.strike(signed, &Abuse::Replay(nonce)).await?;
        }
        Ok(true)
    }

    /// Accepts a call and counts it, if its secret is in force, its tenant may act, and its minute has room, all of
    /// that now. One call to AWS; one more if the minute turned while the call was on its way, and for the first
    /// refusal of a full minute. `seen` is the tenant as it was when the secret was found.
    ///
    /// | The minute | What is done | If its condition fails |
    /// |---|---|---|
    /// | has room, as far as known | the call is counted | the item says what is true instead |
    /// | is full, and not struck | a strike is noted, the call refused | the item says what is true instead |
    /// | is full, and struck | the call is refused | |
    /// | is over: a later one is counted | the call is counted in that one | as above |
    ///
    /// An attempt whose answer was lost is made again and counts twice. So a call too many may be refused, and none is
    /// accepted that is not counted.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn accept(&self, seen: RelayState, signed: &Signed<'_>) -> Result<Verdict> {
        let mut state = seen;
        let mut minute = state.minute(signed.at);
        // It was this process that took the last call of the minute: nothing is left to count.
        let mut is_over = state.is_full(minute);
        for _ in 0..=ATTEMPTS {
            let attempt = if is_over {
                self.strike(signed, &Abuse::OverLimit(minute)).await?
            } else {
                self.count(&state, signed, minute).await?
            };
            let item = match attempt {
                Attempt::Counted(state) => {
                    let quota = state.quota(minute, signed.at);
                    self.observe((*state).clone());
                    return Ok(Verdict::Accepted(Box::new(Accepted { state: *state, quota })));
                }
                Attempt::Struck => return Ok(self.refuse(state, minute, signed.at)),
                Attempt::Refused(item) => item,
            };
            let Some(newer) = item.map(|item| RelayState::read(&item)).transpose()?.flatten() else {
                return Ok(Verdict::Dead);
            };
            self.observe(newer.clone());
            state = newer;
            is_over = match state.decision(signed, minute) {
                Decision::Dead => return Ok(Verdict::Dead),
                Decision::Suspended => return Ok(Verdict::Suspended(state.quota(minute, signed.at))),
                Decision::Full { is_struck: true } => return Ok(self.refuse(state, minute, signed.at)),
                Decision::Full { is_struck: false } => true,
                Decision::Later(later) => {
                    minute = later;
                    false
                }
                Decision::Open => false,
            };
        }
        Err(Error::unavailable("the tenant's item kept changing"))
    }

    async fn count(&self, state: &RelayState, signed: &Signed<'_>, minute: Minute) -> Result<Attempt> {
        let update = state.counting(self.tenant, signed, minute);
        match self.table.update(update, items::has_room(signed, minute)).await.map_err(stale)? {
            Updated::Done(item) => {
                let state = RelayState::read(&item)?.ok_or_else(|| Error::internal("a call was counted for nobody"))?;
                Ok(Attempt::Counted(Box::new(state)))
            }
            Updated::Refused(item) => Ok(Attempt::Refused(item)),
        }
    }

    fn refuse(&self, state: RelayState, minute: Minute, at: Timestamp) -> Verdict {
        let quota = over(&state, minute, at);
        self.memory.keep(self.tenant.clone(), Observed { state, refusing: Some(minute) });
        Verdict::OverLimit(quota)
    }

    pub(super) fn observe(&self, state: RelayState) {
        let refusing = self.memory.get(self.tenant).and_then(|observed| observed.refusing);
        self.memory.keep(self.tenant.clone(), Observed { state, refusing });
    }
}

/// What is left of a full minute: nothing, whatever the limit has become since.
fn over(state: &RelayState, minute: Minute, at: Timestamp) -> Quota {
    Quota { remaining: 0, ..state.quota(minute, at) }
}
