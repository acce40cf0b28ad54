//! Signed calls: which secret one was signed with, and whether it is accepted now.
//!
//! The process remembers what it saw of each tenant last, so that it knows which secrets to try and needs no read. What it
//! remembers never lets a call through: that is decided by the one conditional update that also counts the call. If the
//! memory is out of date, the condition fails, and the item comes back with the refusal. Only one thing is decided from memory, and
//! that is a refusal: a minute that was seen full stays full until it ends.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use super::item::{Item, Reader, text, time_to_live};
use super::keys::{self, Kind};
use super::relay_items::{self, Abuse, Decision, RelayState, Signed};
use super::secrets::Secrets;
use super::strikes::{STRUCK, StrikeResult};
use super::table::{ATTEMPTS, Inserted, Table, Updated};
use crate::domain::{Minute, Nonce, Quota, SecretPointer, SignedCall, TenantId, Timestamp};
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

/// What a process saw of tenants last. At most `MOST` of them, after which it starts anew.
#[derive(Clone, Default)]
pub struct RelayMemory(Arc<Mutex<HashMap<TenantId, Observed>>>);

#[derive(Clone)]
struct Observed {
    state: RelayState,
    /// The minute that has refused a call, and has been struck for it.
    refusing: Option<Minute>,
}

impl RelayMemory {
    const MOST: usize = 1000;

    fn of(&self, id: &TenantId) -> Option<Observed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn keep(&self, id: &TenantId, observed: Observed) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= Self::MOST && !kept.contains_key(id) {
            kept.clear();
        }
        kept.insert(id.clone(), observed);
    }
}

impl fmt::Debug for RelayMemory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RelayMemory")
    }
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

/// What came of an attempt to count a call, or to note that it is one too many.
enum Step {
    Accepted(RelayState),
    StrikeResult,
    /// The condition failed: the item as it is, if there is one.
    Refused(Option<Item>),
}

/// Who signed a call, as far as this process knows.
#[derive(Debug)]
pub struct Signer {
    /// The version of the secret that it was signed with.
    pub secret: Uuid,
    /// The tenant, as it was when it was last seen.
    observed: RelayState,
}

impl Relay<'_> {
    /// Who signed a call. `None` if it was signed with no secret that is in force, or if there is no such tenant. No call to AWS
    /// if it is a secret that the process has seen in force; else one read of the hot item, and one of each secret in force that
    /// the process hasn't read.
    ///
    /// # Errors
    /// If a store fails.
    pub async fn signer(&self, call: &SignedCall, now: Timestamp) -> Result<Option<Signer>> {
        let mut tried = Vec::new();
        if let Some(Observed { state, .. }) = self.memory.of(self.tenant)
            && let Some(secret) = self.matching(&state.secret, call, now, &mut tried).await?
        {
            return Ok(Some(Signer { secret, observed: state }));
        }
        let Some(item) = self.table.get(keys::state(self.tenant)).await? else { return Ok(None) };
        let Some(state) = RelayState::read(&item)? else { return Ok(None) };
        self.observe(state.clone());
        let secret = self.matching(&state.secret, call, now, &mut tried).await?;
        Ok(secret.map(|secret| Signer { secret, observed: state }))
    }

    /// Which of the secrets in force the call was signed with, but for those that were tried.
    async fn matching(
        &self,
        pointer: &SecretPointer,
        call: &SignedCall,
        now: Timestamp,
        tried: &mut Vec<Uuid>,
    ) -> Result<Option<Uuid>> {
        let previous = pointer.previous.as_ref().filter(|previous| now < previous.until);
        let in_force = [Some(&pointer.current), previous.map(|previous| &previous.version)];
        for version in in_force.into_iter().flatten() {
            if tried.contains(&version.id) {
                continue;
            }
            let secret = self.secrets.tenant_secret(self.tenant, version.id).await?;
            if call.is_signed_with(&secret) {
                return Ok(Some(version.id));
            }
            tried.push(version.id);
        }
        Ok(None)
    }

    /// The refusal of a call in a minute that this process has seen full: no call to AWS. A limit that is raised meanwhile
    /// counts from the next minute on.
    pub fn refusal(&self, at: Timestamp) -> Option<Verdict> {
        let Observed { state, refusing } = self.memory.of(self.tenant)?;
        let minute = state.minute(at);
        (refusing == Some(minute)).then(|| Verdict::OverLimit(over(&state, minute, at)))
    }

    /// Uses a nonce. Whether it was used before.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn is_replay(&self, nonce: &Nonce, signed: &Signed<'_>) -> Result<bool> {
        let mut item = keys::of_kind(self.tenant, Kind::Nonce, nonce);
        item.insert("used_by".to_owned(), text(signed.request_id));
        item.insert("purge_at".to_owned(), time_to_live(signed.at.plus(NONCE_KEPT)));
        let Inserted::Exists(before) = self.table.insert(item).await.map_err(stale)? else { return Ok(false) };
        let row = Reader(&before);
        // An answer was lost, and the second attempt has met the first.
        if row.optional_text("used_by")? == Some(signed.request_id) {
            return Ok(false);
        }
        // Whoever has recorded a call can send it again and again: a nonce is one strike at most.
        if row.optional_bool(STRUCK)? != Some(true) {
            self.strike(signed, &Abuse::Replay(nonce)).await?;
        }
        Ok(true)
    }

    /// Accepts a call and counts it, if its secret is in force, its tenant may act, and its minute has room, all of that now.
    /// One call to AWS; one more if the minute turned while the call was on its way, and for the first refusal of a full minute.
    ///
    /// An attempt whose answer was lost is made again and counts twice. So a call too many may be refused, and none is accepted
    /// that is not counted.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn accept(&self, signer: Signer, signed: &Signed<'_>) -> Result<Verdict> {
        let mut state = signer.observed;
        let mut minute = state.minute(signed.at);
        // It was this process that took the last call of the minute: nothing is left to count.
        let mut is_over = state.is_full(minute);
        for _ in 0..=ATTEMPTS {
            let step = if is_over {
                self.strike_minute(signed, minute).await?
            } else {
                self.count(&state, signed, minute).await?
            };
            let item = match step {
                Step::Accepted(state) => {
                    let quota = state.quota(minute, signed.at);
                    self.observe(state.clone());
                    return Ok(Verdict::Accepted(Box::new(Accepted { state, quota })));
                }
                Step::StrikeResult => return Ok(self.refuse(state, minute, signed.at)),
                Step::Refused(item) => item,
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

    async fn count(&self, state: &RelayState, signed: &Signed<'_>, minute: Minute) -> Result<Step> {
        let update = state.counting(self.tenant, signed, minute);
        match self.table.update(update, relay_items::has_room(signed, minute)).await.map_err(stale)? {
            Updated::Done(item) => {
                let state = RelayState::read(&item)?.ok_or_else(|| Error::internal("a call was counted for nobody"))?;
                Ok(Step::Accepted(state))
            }
            Updated::Refused(item) => Ok(Step::Refused(item)),
        }
    }

    async fn strike_minute(&self, signed: &Signed<'_>, minute: Minute) -> Result<Step> {
        Ok(match self.strike(signed, &Abuse::OverLimit(minute)).await? {
            StrikeResult::Yes => Step::StrikeResult,
            StrikeResult::No(item) => Step::Refused(item),
        })
    }

    fn refuse(&self, state: RelayState, minute: Minute, at: Timestamp) -> Verdict {
        let quota = over(&state, minute, at);
        self.memory.keep(self.tenant, Observed { state, refusing: Some(minute) });
        Verdict::OverLimit(quota)
    }

    fn observe(&self, state: RelayState) {
        let refusing = self.memory.of(self.tenant).and_then(|observed| observed.refusing);
        self.memory.keep(self.tenant, Observed { state, refusing });
    }
}

/// What is left of a full minute: nothing, whatever the limit has become since.
fn over(state: &RelayState, minute: Minute, at: Timestamp) -> Quota {
    Quota { remaining: 0, ..state.quota(minute, at) }
}

/// Transactions that kept getting in the way are no fault of the caller's, who did not ask for a change.
pub(super) fn stale(error: Error) -> Error {
    match error {
        Error::StaleUpdate => Error::unavailable("transactions on the tenant's item kept getting in the way"),
        other => other,
    }
}
