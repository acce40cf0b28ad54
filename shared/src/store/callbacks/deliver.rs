//! Delivering what is owed.
//!
//! Callbacks are delivered at least once: an attempt is made before it is noted, so a process that dies in between
//! leaves a callback that is attempted again. The stream of the table says at once what is new; a sweep finds
//! everything that is due, and is what the promise stands on.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};

use super::items::{self, Fate, Owed};
use super::receivers::{self, Leased};
use crate::domain::{
    Admission, Attempted, CallbackHeaders, CallbackSigner, CallbackState, CallbackUrl, Clock, Flow, Jitter, Next,
    Random, Tenant, TenantSecret, TenantStatus, Timestamp, random_uuid, useless_from,
};
use crate::error::Result;
use crate::store::dynamodb::{Item, Key, Reader, Table, Transaction, failed, found, key, millis, primary_key, text};
use crate::store::keys::{self, CALLBACKS_DUE, DUE_AT, DUE_SHARD, DUE_SHARDS};
use crate::store::secrets_manager::Secrets;
use crate::store::tenants::Tenants;

/// How long a run goes on: less than the function's timeout by one attempt.
const RUN: Duration = Duration::from_secs(40);
/// To how many tenants a run delivers at once: each that does not answer holds a place for ten seconds, and a function
/// may have a thousand connections. As many QR logins are ended at once.
pub(super) const AT_ONCE: usize = 256;
/// How many callbacks and QR logins of a shard one sweep takes up: what a page of the index has room for. The next one
/// goes on.
const MOST: i32 = 2500;
/// How many callbacks of a tenant are in memory at once.
const READ: usize = 100;
/// How long callbacks of a suspended tenant wait before it is asked again whether they may go.
const SUSPENDED_FOR: Duration = Duration::from_mins(10);

/// Makes attempts.
pub trait Receiver: Sync {
    /// Makes one attempt.
    fn post(&self, delivery: &Delivery<'_>) -> impl Future<Output = Attempted> + Send;
}

/// An attempt that is to be made.
pub struct Delivery<'a> {
    /// The base of the tenant's callbacks.
    pub base: &'a CallbackUrl,
    pub flow: Flow,
    pub body: &'a str,
    owed: &'a Owed,
    signer: CallbackSigner<'a>,
    at: Timestamp,
}

impl fmt::Debug for Delivery<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Delivery({})", self.owed.id)
    }
}

impl Delivery<'_> {
    /// The headers, of which a signature covers the path as it is sent. `None` if the cryptographic library fails.
    pub fn headers(&self, path: &str) -> Option<CallbackHeaders> {
        self.signer.headers(&self.owed.id, self.body, path, self.at)
    }
}

/// What a run did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Callbacks that a receiver has now.
    pub delivered: usize,
    /// Attempts that failed.
    pub unsuccessful: usize,
    /// Callbacks that were given up.
    pub given_up: usize,
    /// How long the oldest callback that was due had been waiting, in milliseconds.
    pub oldest_ms: u64,
    /// Why a store failed, for the log; the next sweep tries again.
    pub failures: Vec<String>,
}

impl Delivered {
    /// What two runs did together.
    fn and(mut self, other: Self) -> Self {
        self.delivered += other.delivered;
        self.unsuccessful += other.unsuccessful;
        self.given_up += other.given_up;
        self.oldest_ms = self.oldest_ms.max(other.oldest_ms);
        self.failures.extend(other.failures);
        self
    }
}

/// What all deliveries of a run have in common.
struct Run<'a, R> {
    receiver: &'a R,
    /// What is due later is left to the next.
    started: Timestamp,
    /// No attempt begins from then on.
    until: Timestamp,
}

/// The callbacks of all tenants.
#[derive(Clone, Copy)]
pub struct Callbacks<'a> {
    pub(crate) table: &'a Table,
    pub(crate) secrets: &'a Secrets,
    pub(crate) tenants: Tenants<'a>,
    pub(crate) random: &'a dyn Random,
    pub(crate) clock: &'a dyn Clock,
}

impl fmt::Debug for Callbacks<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Callbacks")
    }
}

impl Callbacks<'_> {
    /// Ends the QR logins that have expired, and delivers all that is due, what has been due for longest first.
    ///
    /// # Errors
    /// If the table can't be asked what is due.
    async fn sweep(self, receiver: &impl Receiver) -> Result<Delivered> {
        let now = self.clock.now();
        let (mut due, mut logins) = (Vec::new(), Vec::new());
        for shard in 0..DUE_SHARDS {
            let query = self
                .table
                .client
                .query()
                .table_name(&self.table.name)
                .index_name(CALLBACKS_DUE)
                .key_condition_expression(format!("{DUE_SHARD} = :shard AND {DUE_AT} <= :now"))
                .expression_attribute_values(":shard", text(keys::due_shard_number(shard)))
                .expression_attribute_values(":now", millis(now))
                .limit(MOST);
            for item in found(query.send().await.map_err(failed)?.items) {
                let due_at = Reader::of(&item).millis(DUE_AT)?;
                let place = primary_key(&item);
                if keys::is_qr_login(&place) { logins.push(place) } else { due.push((due_at, place)) }
            }
        }
        due.sort_by_key(|(due_at, _)| *due_at);
        let (ended, expired) = self.end_qr_logins(logins, now).await;
        let places = due.into_iter().map(|(_, place)| place).chain(expired).collect();
        Ok(ended.and(self.deliver(places, receiver).await))
    }

    /// Delivers those of the callbacks at these places that are due, or all that are due.
    ///
    /// # Errors
    /// If the table can't be asked what is due.
    pub async fn on(self, written: Option<Vec<(String, String)>>, receiver: &impl Receiver) -> Result<Delivered> {
        let Some(written) = written else { return self.sweep(receiver).await };
        let places = written.into_iter().map(|(partition, sort)| key(partition, sort)).collect();
        Ok(self.deliver(places, receiver).await)
    }

    /// Delivers those of the callbacks at these places that are due.
    async fn deliver(self, places: Vec<Key>, receiver: &impl Receiver) -> Delivered {
        let started = self.clock.now();
        let run = &Run { receiver, started, until: started.plus(RUN) };
        // Many tenants at once: a receiver that does not answer costs ten seconds, and nobody else waits for it.
        let runs = by_partition(places).into_iter().map(|places| self.deliver_to_tenant(places, run));
        let all = stream::iter(runs).buffer_unordered(AT_ONCE);
        all.fold(Delivered::default(), |sum, run| std::future::ready(sum.and(run))).await
    }

    /// Delivers callbacks of one tenant, the oldest first, and those of its flows at once.
    async fn deliver_to_tenant(self, mut places: Vec<Key>, run: &Run<'_, impl Receiver>) -> Delivered {
        places.sort();
        let mut done = Delivered::default();
        for places in places.chunks(READ) {
            if run.until <= self.clock.now() {
                break;
            }
            let read = match self.table.get_all(places).await {
                Ok(items) => pending(&items, &mut done),
                Err(error) => {
                    done.failures.extend(error.cause());
                    continue;
                }
            };
            let mut flows: BTreeMap<&'static str, Vec<Owed>> = BTreeMap::new();
            for owed in read {
                let Some(due_at) = owed.due_at.filter(|due_at| *due_at <= run.started) else { continue };
                let waiting = run.started.as_millis().saturating_sub(due_at.as_millis());
                done.oldest_ms = done.oldest_ms.max(u64::try_from(waiting).unwrap_or_default());
                flows.entry(owed.event_type.flow().as_str()).or_default().push(owed);
            }
            let runs = join_all(flows.into_values().map(|owed| self.deliver_to(owed, run))).await;
            done = runs.into_iter().fold(done, Delivered::and);
        }
        done
    }

    /// Delivers callbacks of one flow of a tenant, unless somebody else does.
    async fn deliver_to(self, owed: Vec<Owed>, run: &Run<'_, impl Receiver>) -> Delivered {
        let mut done = Delivered::default();
        let outcome = self.deliver_unless_leased(owed, run, &mut done).await;
        done.failures.extend(outcome.err().and_then(|error| error.cause()));
        done
    }

    async fn deliver_unless_leased(
        self,
        owed: Vec<Owed>,
        run: &Run<'_, impl Receiver>,
        done: &mut Delivered,
    ) -> Result<()> {
        let Some((tenant, flow)) = owed.first().map(|owed| (owed.tenant_id.clone(), owed.event_type.flow())) else {
            return Ok(());
        };
        let holder = random_uuid(self.random)?;
        let Some(mut leased) = self.table.lease_receiver(tenant, flow, holder, self.clock.now()).await? else {
            return Ok(());
        };
        let delivered = self.deliver_leased(owed, run, &mut leased, done).await;
        self.table.release_receiver(&leased).await?;
        // Not before everybody can see that the flow is disabled: there must be something to reactivate.
        self.set_aside(&leased, delivered?).await
    }

    /// Lets callbacks wait for the reactivation of their flow, if it is disabled still. Whoever has reactivated it has
    /// looked for what waits after that, and nobody would look again.
    async fn set_aside(self, leased: &Leased, waiting: Vec<Owed>) -> Result<()> {
        for owed in waiting {
            let (update, unchanged) = items::decided(&owed, None, Fate::Waiting, self.clock.now());
            let mut transaction = Transaction::new();
            transaction.update(update, unchanged);
            transaction.check(keys::delivery(&leased.tenant, leased.flow), receivers::is_disabled());
            // If it was refused, the callback is due as it was, or somebody else has decided.
            self.table.commit(transaction).await?;
        }
        Ok(())
    }

    /// Delivers callbacks of a flow under its lease. Gives back those that wait for the reactivation of the flow.
    async fn deliver_leased(
        self,
        owed: Vec<Owed>,
        run: &Run<'_, impl Receiver>,
        leased: &mut Leased,
        done: &mut Delivered,
    ) -> Result<Vec<Owed>> {
        let (mut tenant, mut waiting) = (self.tenants.get(&leased.tenant).await?, Vec::new());
        for (number, owed) in owed.into_iter().enumerate() {
            // A receiver can hold an attempt for ten seconds. What was rotated, suspended or moved meanwhile holds for
            // the next one.
            if number > 0 {
                tenant = self.tenants.get(&leased.tenant).await?;
            }
            let now = self.clock.now();
            if run.until <= now {
                break;
            }
            let sendable = match held(tenant.as_ref(), &owed, leased, now) {
                Ok(sendable) => sendable,
                Err(Fate::Waiting) => {
                    waiting.push(owed);
                    continue;
                }
                Err(fate) => {
                    self.decide(&owed, None, fate, done).await?;
                    continue;
                }
            };
            let (tenant, base) = sendable;
            let (current, previous) = self.secrets_in_force(tenant, now).await?;
            let signer = CallbackSigner {
                tenant_id: &owed.tenant_id,
                version: tenant.configuration.signing_version,
                current: &current,
                previous: previous.as_deref(),
            };
            let delivery = Delivery { base, flow: leased.flow, body: &owed.body, owed: &owed, signer, at: now };
            let attempted = run.receiver.post(&delivery).await;
            let after = self.clock.now();
            leased.note(attempted.outcome, base, after);
            let useless = useless_from(owed.event_type, owed.created_at);
            let next = Next::after(attempted, owed.attempts + 1, useless, after, Jitter::draw(self.random)?);
            let fate = match next {
                Next::Delivered => Fate::Over(CallbackState::Delivered),
                Next::Retry(at) => Fate::Due(at),
                Next::Failed | Next::Gone => Fate::Over(CallbackState::Failed),
                Next::Discarded => Fate::Over(CallbackState::Discarded),
            };
            self.decide(&owed, Some((now, attempted)), fate, done).await?;
        }
        Ok(waiting)
    }

    async fn secrets_in_force(
        self,
        tenant: &Tenant,
        now: Timestamp,
    ) -> Result<(Arc<TenantSecret>, Option<Arc<TenantSecret>>)> {
        let id = &tenant.summary.id;
        let current = self.secrets.tenant_secret(id, tenant.secret.current.id).await?;
        let previous = match &tenant.secret.previous {
            Some(previous) if now < previous.until => Some(self.secrets.tenant_secret(id, previous.version.id).await?),
            _ => None,
        };
        Ok((current, previous))
    }

    async fn decide(
        self,
        owed: &Owed,
        attempted: Option<(Timestamp, Attempted)>,
        fate: Fate,
        done: &mut Delivered,
    ) -> Result<()> {
        match fate {
            Fate::Over(CallbackState::Delivered) => done.delivered += 1,
            Fate::Over(_) => done.given_up += 1,
            Fate::Due(_) | Fate::Waiting => {}
        }
        if attempted.is_some_and(|(_, attempted)| !attempted.outcome.is_success()) {
            done.unsuccessful += 1;
        }
        let attempted = attempted.map(|(at, attempted)| (at, attempted.outcome));
        let (update, unchanged) = items::decided(owed, attempted, fate, self.clock.now());
        // If it is not as it was read, somebody else has decided.
        self.table.update(update, unchanged).await.map(|_| ())
    }
}

/// The keys of each partition, in their order; the partitions in that of their first keys.
fn by_partition(keys: Vec<Key>) -> Vec<Vec<Key>> {
    let mut partitions: Vec<Vec<Key>> = Vec::new();
    let mut numbers = HashMap::new();
    for key in keys {
        let number = *numbers.entry(key.partition.clone()).or_insert(partitions.len());
        match partitions.get_mut(number) {
            Some(partition) => partition.push(key),
            None => partitions.push(vec![key]),
        }
    }
    partitions
}

/// Whether a callback may go now: with the tenant and its base, or else what becomes of it instead.
fn held<'t>(
    tenant: Option<&'t Tenant>,
    owed: &Owed,
    leased: &Leased,
    now: Timestamp,
) -> Result<(&'t Tenant, &'t CallbackUrl), Fate> {
    let discarded = Fate::Over(CallbackState::Discarded);
    // No tenant, or no base any more: nobody wants it.
    let tenant = tenant.ok_or(discarded)?;
    let base = tenant.configuration.callback_url_base.as_ref().ok_or(discarded)?;
    if useless_from(owed.event_type, owed.created_at).is_some_and(|end| end <= now) {
        return Err(discarded);
    }
    let is_suspended = !matches!(tenant.summary.status, TenantStatus::Active);
    if is_suspended && !owed.event_type.is_delivered_while_suspended() {
        return Err(Fate::Due(now.plus(SUSPENDED_FOR)));
    }
    match leased.breaker.admission(now) {
        Admission::All | Admission::Probe => Ok((tenant, base)),
        Admission::After(at) => Err(Fate::Due(at)),
        Admission::Disabled => Err(Fate::Waiting),
    }
}

/// Those of the items that are pending, oldest first: their ids begin with their time. One that can't be read is a
/// failure, and not in the way of the others.
fn pending(found: &[Item], done: &mut Delivered) -> Vec<Owed> {
    let mut pending = Vec::new();
    for item in found {
        match items::pending(item) {
            Ok(owed) => pending.extend(owed),
            Err(error) => done.failures.extend(error.cause()),
        }
    }
    pending.sort_by(|one, other| one.id.as_str().cmp(other.id.as_str()));
    pending
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_a_partition_stay_together_where_its_first_one_was() {
        let keys = [("b", "1"), ("a", "1"), ("b", "2")].map(|(partition, sort)| key(partition.into(), sort.into()));
        let [first, second, third] = keys.clone();
        assert_eq!(by_partition(keys.into()), [vec![first, third], vec![second]]);
    }
}
