//! Tenants: reading, updating, suspending, reactivating. Everything else about one is in a file of its own.

pub(super) mod api_key_items;
mod api_keys;
mod callbacks;
mod console_link;
pub(super) mod items;
pub(super) mod key_set;
mod pages;
mod person;
mod provision;
mod receivers;
mod replay_callbacks;
mod revoke_tokens;
mod rotate_secret;
mod rotate_signing_key;
pub(super) mod search;
pub(super) mod signed_use;

pub use api_keys::{IssuedApiKey, IssuedKeySummary, NewApiKey};
pub use callbacks::{Pinged, Resumed};
pub use console_link::{ConsoleLinkSummary, IssuedConsoleLink};
pub use pages::Start;
pub use person::WholePerson;
pub use provision::Provisioned;
pub use receivers::Receivers;
pub use replay_callbacks::Replayed;
pub use revoke_tokens::{Revocation, RevokedTokens};
pub use rotate_secret::{Rotated, SecretRotation};
pub use rotate_signing_key::RotatedSigningKey;

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use self::items::{ACTIVE, SUSPENDED};
use super::audit::{put_event, put_event_of};
use super::dynamodb::{
    ATTEMPTS, CONFLICT_ATTEMPTS, Commit, Condition, Item, Key, Reader, Refused, Table, Transaction, Update, Updated,
};
use super::dynamodb::{at, is_at, millis, number, pause, text};
use super::idempotency::{self, Replay};
use super::keys::{self, TENANT_STATUS};
use super::passkeys::items as passkeys;
use super::secrets_manager::Secrets;
use crate::domain::{
    AccountWideUse, Action, AuditEvent, ChangeContext, Day, EventType, Random, Reason, SigningVersion, Tenant,
    TenantId, TenantPatch, TraceKey,
};
use crate::error::{Error, Result};

/// The tenants in the stores.
#[derive(Clone, Copy)]
pub struct Tenants<'a> {
    pub(crate) table: &'a Table,
    pub(crate) secrets: &'a Secrets,
    pub(crate) random: &'a dyn Random,
    /// The signature version of a new tenant for which none is named.
    pub(crate) default_signing_version: SigningVersion,
    pub(crate) trace_key: &'a TraceKey,
}

impl fmt::Debug for Tenants<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tenants")
    }
}

impl Tenants<'_> {
    /// A tenant; `None` if there is no such one. One call.
    ///
    /// # Errors
    /// If the table fails or an item can't be read.
    pub async fn get(self, id: &TenantId) -> Result<Option<Tenant>> {
        self.read(id, Vec::new()).await.map(|(tenant, _)| tenant)
    }

    /// A tenant, and in the same call the items at `extra`. Its key set may be among them, and is of the same moment
    /// then.
    pub(super) async fn read(self, id: &TenantId, extra: Vec<Key>) -> Result<(Option<Tenant>, Vec<Item>)> {
        let [state_key, configuration_key] = [keys::state(id), keys::configuration(id)];
        let keys: Vec<Key> = [state_key.clone(), configuration_key.clone()].into_iter().chain(extra).collect();
        for attempt in 0..ATTEMPTS {
            pause(attempt).await;
            let items = self.table.get_all(&keys).await?;
            let own = [&state_key, &configuration_key];
            let is_own = |item: &Item| own.iter().any(|place| is_at(item, place));
            let (own, extra): (Vec<_>, Vec<_>) = items.into_iter().partition(is_own);
            let (Some(state), configuration) = (at(&own, &state_key), at(&own, &configuration_key)) else {
                return Ok((None, extra));
            };
            if items::summary(state)?.is_none() {
                return Ok((None, extra));
            }
            let configuration = configuration.ok_or_else(|| Reader::of(state).unreadable("configuration"))?;
            let (in_force, set) = (items::signing_pointer(state)?, at(&extra, &keys::key_set(id)));
            if items::are_of_one_moment(state, configuration)? && key_set::is_of_one_moment(set, &in_force)? {
                return Ok((items::tenant(state, configuration)?, extra));
            }
        }
        Err(Error::unavailable("the tenant's items stayed of two moments"))
    }

    /// Writes exactly the fields that `patch` has. Read, decide, write if nobody else has written since; so two updates
    /// at once lose nothing, and rules that tie fields together hold for the whole tenant as it is then.
    ///
    /// # Errors
    /// If there is no such tenant, if it would break a rule, if passkeys of its relying party are in use and it would
    /// have another one, or if others kept getting in between.
    pub async fn update(self, id: &TenantId, update: TenantUpdate, change: &ChangeContext) -> Result<Tenant> {
        let TenantUpdate { patch, ends_passkeys } = update;
        let guards_passkeys = patch.webauthn_rp_id.is_present() && !ends_passkeys;
        let counts = if guards_passkeys { keys::passkey_counts(id) } else { Vec::new() };
        for _ in 0..ATTEMPTS {
            let stored = change.idempotency_key.as_ref().map(keys::stored_response);
            let (tenant, extra) = self.read(id, counts.iter().cloned().chain(stored).collect()).await?;
            let (counts, stored): (Vec<_>, Vec<_>) = extra.into_iter().partition(passkeys::is_count);
            // Before the rules: a request that was carried out is answered as it was then, even if it would break one
            // now.
            if let Some(replay) = stored.first().map(|item| idempotency::stored(item, change)).transpose()?.flatten() {
                return replay.read();
            }
            let mut tenant = tenant.ok_or(Error::TenantNotFound)?;
            let party = tenant.configuration.webauthn_rp_id.clone();
            let transaction = patched(&mut tenant, &patch, change)?;
            // A passkey that is registered at this very moment may be missed. To exclude that, each registration would
            // have to lock the configuration, and all of them would wait for each other.
            if tenant.configuration.webauthn_rp_id != party && passkeys::are_in_use(&counts)? {
                return Err(Error::PasskeysInUse);
            }
            match self.commit(change, transaction, &tenant, None).await? {
                Committed::Done => return Ok(tenant),
                Committed::Replay(replay) => return replay.read(),
                Committed::Refused(_) => {}
            }
        }
        Err(Error::StaleUpdate)
    }

    /// Suspends a tenant. From the answer on, every call that it signs is refused, because every such call asks for the
    /// item that is written here. Suspending twice changes nothing, not even the reason. A configuration that can't be
    /// read costs the event, which an error line says, and not the suspension.
    ///
    /// # Errors
    /// If there is no such tenant.
    pub async fn suspend(self, id: &TenantId, reason: Option<Reason>, change: &ChangeContext) -> Result<()> {
        let update = Update::of(keys::state(id))
            .set(TENANT_STATUS, text(SUSPENDED))
            .set("suspended_at", millis(change.at))
            .set_or_remove("suspended_reason", reason.as_ref().map(text));
        let event = change.event(Action::TenantSuspended, Vec::new()).with("reason", reason);
        self.change_status(id, update, (&event, EventType::TenantSuspended), change).await
    }

    /// Undoes a suspension and forgets the strikes that may have led to it. Reactivating an active tenant without
    /// strikes changes nothing.
    ///
    /// # Errors
    /// If there is no such tenant.
    pub async fn reactivate(self, id: &TenantId, change: &ChangeContext) -> Result<()> {
        let update = Update::of(keys::state(id))
            .set(TENANT_STATUS, text(ACTIVE))
            .set("abuse_strikes", number(0))
            .remove("suspended_at")
            .remove("suspended_reason");
        let event = change.event(Action::TenantReactivated, Vec::new());
        self.change_status(id, update, (&event, EventType::TenantReactivated), change).await
    }

    /// Changes the status, if that is due, and owes the tenant an event that says so. As often as it takes, within the
    /// request's time: nobody is to hold up a suspension by changes at the same moment. What is in the way has changed
    /// the status, as a rule, so it is read again and not written again: of fifty at once, those that find nothing left
    /// to change then write nothing and are in nobody's way.
    async fn change_status(
        self,
        id: &TenantId,
        update: Update,
        (event, tells): (&AuditEvent, EventType),
        change: &ChangeContext,
    ) -> Result<()> {
        let update = update.set("updated_at", millis(change.at)).increment("revision");
        for attempt in 0..CONFLICT_ATTEMPTS {
            self.table.jitter.give_way(attempt).await;
            let (state, subscription) = self.table.subscription(id).await?.ok_or(Error::TenantNotFound)?;
            if !is_due(&state, tells)? {
                return self.commit_nothing(change).await;
            }
            // Each change of the status is a new revision.
            let unchanged = Condition::new("revision = :before", [(":before", number(subscription.revision))]);
            let mut transaction = Transaction::new();
            transaction.update(update.clone(), unchanged);
            put_event(&mut transaction, id, event)?;
            subscription.owe_status(&mut transaction, self.random, id, (tells, change.at))?;
            let stored = idempotency::store(&mut transaction, change, None, &(), None, self.random)?;
            let Some(commit) = self.table.commit_once(transaction).await? else { continue };
            match committed(commit, &stored, change)? {
                Committed::Done => {
                    subscription.report_suspension(id, &change.request_id);
                    return Ok(());
                }
                Committed::Replay(_) => return Ok(()),
                Committed::Refused(_) => {}
            }
        }
        Err(Error::StaleUpdate)
    }

    /// Stores the response to a request that found nothing to change: the same idempotency key must not change anything
    /// later.
    async fn commit_nothing(self, change: &ChangeContext) -> Result<()> {
        self.commit(change, Transaction::new(), &(), None).await.map(|_| ())
    }

    /// Records that a stored response went out again, if there is a secret in it: whoever has it now is as much to be
    /// known as who had it first.
    ///
    /// # Errors
    /// If it can't be recorded. The secret must not go out then.
    pub(super) async fn note_replay(self, id: &TenantId, event: AuditEvent, replay: &Replay) -> Result<()> {
        self.note_replay_of(Some(id), event, replay).await
    }

    /// The same of what may be of no tenant: the operator's own.
    async fn note_replay_of(self, of: Option<&TenantId>, event: AuditEvent, replay: &Replay) -> Result<()> {
        if replay.secret.is_none() {
            return Ok(());
        }
        let mut transaction = Transaction::new();
        put_event_of(&mut transaction, of, &event.with("replayed", true))?;
        match self.table.commit(transaction).await? {
            Commit::Done => Ok(()),
            Commit::Refused(_) => Err(Error::unavailable("a request has an audit event already")),
        }
    }

    /// Commits a transaction, and with it the response under the change's idempotency key, if there is one.
    async fn commit(
        self,
        change: &ChangeContext,
        mut transaction: Transaction,
        body: &impl Serialize,
        secret: Option<&str>,
    ) -> Result<Committed> {
        let stored = idempotency::store(&mut transaction, change, None, body, secret, self.random)?;
        if transaction.is_empty() {
            return Ok(Committed::Done);
        }
        committed(self.table.commit(transaction).await?, &stored, change)
    }
}

/// How a transaction ended that stores the response under the change's idempotency key, if there is one.
fn committed(commit: Commit, stored: &idempotency::Stored, change: &ChangeContext) -> Result<Committed> {
    match commit {
        Commit::Done => Ok(Committed::Done),
        // The key first: a request that was already carried out is answered as it was then, whatever is true now.
        Commit::Refused(refused) => Ok(match stored.replay(&refused, change)? {
            Some(replay) => Committed::Replay(replay),
            None => Committed::Refused(refused),
        }),
    }
}

/// Whether the change of status that an event tells of has anything to change: the status, or the strikes, which a
/// reactivation forgets.
fn is_due(state: &Item, tells: EventType) -> Result<bool> {
    let reader = Reader::of(state);
    let suspends = tells == EventType::TenantSuspended;
    match reader.text(TENANT_STATUS)? {
        ACTIVE => Ok(suspends || reader.number::<u64>("abuse_strikes")? > 0),
        SUSPENDED => Ok(!suspends),
        _ => Err(reader.unreadable(TENANT_STATUS)),
    }
}

/// What an update is to do.
#[derive(Debug, Clone)]
pub struct TenantUpdate {
    pub patch: TenantPatch,
    /// Whether the relying party may become another one although passkeys of it are in use.
    pub ends_passkeys: bool,
}

/// Makes `tenant` what the patch makes of it. The writes for that: none, if the patch is empty.
fn patched(tenant: &mut Tenant, patch: &TenantPatch, change: &ChangeContext) -> Result<Transaction> {
    let mut transaction = Transaction::new();
    let fields = patch.fields();
    let (old, old_name) = (tenant.settings(), tenant.summary.name.clone());
    patch.clone().apply(tenant)?;
    if fields.is_empty() {
        return Ok(transaction);
    }
    let unchanged = Condition::new("revision = :before", [(":before", number(tenant.revision))]);
    tenant.summary.updated_at = Some(change.at);
    tenant.revision += 1;
    let (state, configuration) = items::patched(patch, tenant);
    transaction.update(state.set("updated_at", millis(change.at)), unchanged);
    let new = tenant.settings();
    let changes = fields.iter().map(|name| (name, Change { old: old.get(name), new: new.get(name) }));
    let event = change.event(Action::TenantUpdated, fields.clone());
    let event = changes.fold(event, |event, (name, change)| event.with(name, change));
    put_event(&mut transaction, &tenant.summary.id, &event)?;
    search::rename(&mut transaction, &tenant.summary, &old_name);
    if let Some(configuration) = configuration {
        transaction.update(configuration, Condition::exists());
    }
    Ok(transaction)
}

/// What an update made of a field.
#[derive(Serialize)]
struct Change<'a> {
    old: Option<&'a Value>,
    new: Option<&'a Value>,
}

/// How a change of a tenant ended.
enum Committed {
    /// It is made.
    Done,
    /// It was made before, under the same idempotency key.
    Replay(Replay),
    /// It was not made, because of a condition.
    Refused(Refused),
}

impl Table {
    /// Notes at a tenant that something was for its whole account on that day: in `attribute`, which last said `noted`.
    /// Best effort: a failure is ignored.
    async fn note_day(&self, id: &TenantId, attribute: &'static str, noted: Option<&Day>, day: &Day) {
        if noted == Some(day) {
            return;
        }
        let due = Condition::new(
            format!("attribute_exists(pk) AND (attribute_not_exists({attribute}) OR {attribute} < :today)"),
            [(":today", text(day))],
        );
        let _: Result<Updated> = self.update(Update::of(keys::state(id)).set(attribute, text(day)), due).await;
    }

    /// Notes that a call was for the whole account, if that is not noted of that day yet.
    pub async fn note_account_wide_call(&self, id: &TenantId, noted: &AccountWideUse, day: &Day) {
        self.note_day(id, items::ACCOUNT_WIDE_CALL, noted.call_on.as_ref(), day).await;
    }

    /// Notes that a token for the whole account was issued, if that is not noted of that day yet.
    pub async fn note_account_wide_token(&self, id: &TenantId, noted: &AccountWideUse, day: &Day) {
        self.note_day(id, items::ACCOUNT_WIDE_TOKEN, noted.token_on.as_ref(), day).await;
    }
}
