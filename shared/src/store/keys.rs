//! The whole key layout of the table, but for the resources of the account surface, which are in [`super::account`].
//! The keys of the console are made in [`super::console`].
//!
//! | Item | `pk` | `sk` | What it holds |
//! |---|---|---|---|
//! | hot item | `TENANT#<tenant>` | `STATE` | status, name, limit, strikes, secret and signing key in force |
//! | configuration | `TENANT#<tenant>` | `CONFIG` | what no relay call needs |
//! | key set | `TENANT#<tenant>` | `SIGNING` | public keys that tokens can be verified with; which of them stands by |
//! | audit event | `AUDIT#TENANT#<tenant>`, `AUDIT#OPERATOR` | `AUDIT#<Unix ms>#<request id>` | one successful change |
//! | search entry | `TENANTS` | `NAME#<folded name>U+0001<tenant>`, `ID#<tenant>` | that there is this tenant |
//! | seal | `SEALS` | `SEAL#<number>` | digests of audit events, chained |
//! | API key | `TENANT#<tenant>#KEY#<key id>` | `KEY` | hash, kind, expiry, origins |
//! | organization | `TENANT#<tenant>#ORG#<uuid>`, `…#ORG@<digest of external id>` | `ORG` | what was registered |
//! | user | `TENANT#<tenant>#USER#<uuid>`, `…#USER@<digest of external id>` | `USER` | what was registered |
//! | claim | `TENANT#<tenant>#ORG=<uuid>`, `…#USER=<uuid>` | `CLAIM` | who has that uuid as its external id |
//! | registered tenant | `TENANT#<tenant>#REGISTERED#<digest of its key>` | `REGISTERED` | what was registered |
//! | external user | `TENANT#<tenant>#EXTERNAL#<digest of its id>` | `EXTERNAL` | how often its tokens were revoked |
//! | revoked token | `TENANT#<tenant>#TOKEN#<jti>` | `TOKEN` | that it was revoked; until it expires |
//! | person | `TENANT#<tenant>#PERSON#<our id>`, `…#PERSON@<digest of its own>` | `PERSON` | passkeys, devices |
//! | passkey | `TENANT#<tenant>#PASSKEY#<digest of its id>` | `PASSKEY` | its key, counter, name and owner |
//! | passkeys in use | `TENANT#<tenant>#PASSKEYS` | `COUNT#<shard>` | how many are not revoked |
//! | ceremony | `TENANT#<tenant>#CEREMONY#<challenge>` | `CEREMONY` | what a response has to match |
//! | device | `TENANT#<tenant>#DEVICE#<device id>` | `DEVICE` | hash and key of its session, and whose it is |
//! | proof | `TENANT#<tenant>#PROOF#<digest of key and jti>` | `PROOF` | that a device has used it |
//! | pairing | `PAIRING#<digest of its handle>` | `PAIRING` | who may pair a device, until one is |
//! | console link, session | `TENANT#<tenant>#CONSOLE#<id>` | `LINK`, `SESSION` | for whom; hash and key |
//! | the operator's | `CONSOLE#<id>` | `LINK`, `SESSION` | the same |
//! | a session's proof | that of its session | `PROOF#<digest of key and jti>` | that the session has used it |
//! | QR login | `TENANT#<tenant>#QRLOGIN#<session id>` | `QRLOGIN` | its state, and what was decided |
//! | live QR logins | `TENANT#<tenant>#QRLOGINS#<digest>` | `QRLOGINS` | those of an address or a browser's key |
//! | nonce | `TENANT#<tenant>#NONCE#<nonce>` | `NONCE` | that a signed call has used it |
//! | calls of a minute | `TENANT#<tenant>#CALLS#<key id, or OF@<digest>>` | `CALLS#<minute>` | how many, if limited |
//! | callback | `TENANT#<tenant>#CALLBACKS` | `<event id>` | an event that is owed, and what came of it |
//! | delivery | `TENANT#<tenant>#DELIVERY#<flow>` | `DELIVERY` | lease and breaker of a receiver |
//! | refusals | `TENANT#<tenant>#SETUP` | `SETUP` | the last of each cause, of callers that were proven |
//! | stored response | `IDEMPOTENCY#operator#<digest>` | `IDEMPOTENCY` | an answer, by its idempotency key |
//! | of a tenant's caller | `TENANT#<tenant>#IDEMPOTENCY#<digest>`, `…#<owner>#…` | `IDEMPOTENCY` | the same |
//!
//! A person, and an organization or user with an external id, is there twice, once under each name, and both items are
//! written in one transaction. So either name finds everything with one read, where an index (which can be behind) or
//! an item that only points to another would cost a second one, or the truth.
//!
//! A text that is a uuid could be the uuid of one and the external id of another. So who takes a uuid as its external
//! id claims it, in any spelling, and nobody is registered under a uuid that another has claimed.
//!
//! Everything of a tenant begins with `TENANT#<tenant>`, and ids have no `#`. Its audit events do not: they and the
//! seals are in partitions of their own, where the functions' roles may neither update nor delete. Nor does a pairing,
//! whose handle is too short to name its tenant (it is in a code that cameras have to read), nor the entries that
//! tenants are searched by.
//!
//! What each login asks for has a partition of its own: many users of a tenant share no partition's throughput.
//!
//! | Index | Partition key | Sort key | Who is in it |
//! |---|---|---|---|
//! | `tenants` | `listing` = `tenants` | `listing_order` = `<created, Unix ms>#<its id>` | provisioned tenants |
//! | `of-tenants` | `tenant_listing` = `TENANT#<tenant>#<KEY, ORG, …>` | `listing_order` | what a tenant has |
//! | `tenants-by-status` | `tenant_status` | `listing_order` | tenants, and deleted sessions with messages |
//! | `callbacks-due` | `due_shard` = `DUE#<0 to 7>` | `due_at` | callbacks to attempt, QR logins to end |
//! | `audit-events` | `audit_shard` = `AUDIT#<0 to 3>` | `listing_order` | audit events of all tenants |
//!
//! Indexes are for lists and for the reconciler. They are read with eventual consistency (DynamoDB has no other for
//! them), so nothing is decided from them: every decision reads, or conditions on, the item itself.

use std::fmt::{self, Write};

use uuid::Uuid;

use super::dynamodb::{Item, Key, SK, Value, key};
use crate::domain::{
    AuditEvent, CredentialDigest, EventId, ExternalId, Flow, Handle, IdempotencyKey, IdempotencyScope, LinkedUserId,
    Minute, PairingId, QrSessionId, RelayPerson, TenantId, Timestamp, Viewpoint,
};

/// The index of all tenants.
pub const TENANTS: &str = "tenants";
/// The index of what tenants have.
pub const OF_TENANTS: &str = "of-tenants";
/// The index of tenants by status.
pub const TENANTS_BY_STATUS: &str = "tenants-by-status";
/// Partition key attribute of [`TENANTS`], whose only value is [`ALL`].
pub const LISTING: &str = "listing";
/// The one list of [`TENANTS`].
pub const ALL: &str = "tenants";
/// Partition key attribute of [`OF_TENANTS`].
pub const TENANT_LISTING: &str = "tenant_listing";
/// Sort key attribute of all indexes.
pub const LISTING_ORDER: &str = "listing_order";
/// Partition key attribute of [`TENANTS_BY_STATUS`].
pub const TENANT_STATUS: &str = "tenant_status";
/// The index of all tenants' audit events.
pub const AUDIT_EVENTS: &str = "audit-events";
/// Partition key attribute of [`AUDIT_EVENTS`].
pub const AUDIT_SHARD: &str = "audit_shard";
/// What partition keys and sort keys of audit events start with.
pub const AUDIT: &str = "AUDIT#";
/// The partition of the seals.
pub const SEALS: &str = "SEALS";
/// What sort keys of seals start with.
const SEAL: &str = "SEAL#";
/// In how many partitions of [`AUDIT_EVENTS`] events are: DynamoDB takes 1000 writes a second in each, and what it
/// can't write into an index holds up the table.
pub const AUDIT_SHARDS: u32 = 4;

/// The map of an item that lists show: all that [`OF_TENANTS`] has of it. A map and not attributes of their own,
/// because an index projects twenty attributes at most.
pub const DETAILS: &str = "details";

/// Sort key of hot items.
pub const STATE: &str = "STATE";
/// Sort key of configuration items.
pub const CONFIGURATION: &str = "CONFIG";
/// Sort key of claims.
const CLAIM: &str = "CLAIM";
/// Sort key of key sets.
const SIGNING: &str = "SIGNING";

/// Sort key of QR logins.
const QR_LOGIN: &str = "QRLOGIN";

/// Bytes that most partition keys have at most.
const PARTITION: usize = 128;

/// What the partitions of tenants begin with.
pub const TENANT: &str = "TENANT#";

/// What the owner of an end user's items begins with, before the digest of its id.
pub const OF_END_USER: &str = "OF@";

/// The partition of a tenant.
pub fn tenant_partition(id: &TenantId) -> String {
    [TENANT, id.as_str()].concat()
}

/// The tenant that a partition key belongs to.
pub fn tenant_of(partition: &str) -> Option<TenantId> {
    let id = partition.strip_prefix(TENANT)?.split('#').next().unwrap_or_default();
    TenantId::parse(id).ok()
}

/// What a tenant has many of, each with items of its own. Its name is the items' sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    ApiKey,
    Organization,
    User,
    RegisteredTenant,
    ExternalUser,
    Token,
    Nonce,
    Person,
    Passkey,
    Ceremony,
    Device,
    Proof,
    QrLogin,
    LiveQrLogins,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "KEY",
            Self::Organization => "ORG",
            Self::User => "USER",
            Self::RegisteredTenant => "REGISTERED",
            Self::ExternalUser => "EXTERNAL",
            Self::Token => "TOKEN",
            Self::Nonce => "NONCE",
            Self::Person => "PERSON",
            Self::Passkey => "PASSKEY",
            Self::Ceremony => "CEREMONY",
            Self::Device => "DEVICE",
            Self::Proof => "PROOF",
            Self::QrLogin => QR_LOGIN,
            Self::LiveQrLogins => "QRLOGINS",
        }
    }
}

/// What a tenant's proven callers were last refused for. Of a partition of its own: whoever calls may be the one that
/// notes it, and nobody who does is to write where the tenant's state is.
pub fn setup(tenant: &TenantId) -> Key {
    key(format!("{TENANT}{tenant}#SETUP"), "SETUP".to_owned())
}

/// The item of something that a tenant has, by its id.
pub fn of_kind(tenant: &TenantId, kind: Kind, id: impl fmt::Display) -> Key {
    named(tenant, kind, '#', id)
}

/// The partition is written in room for it: a text that grows is moved.
fn named(tenant: &TenantId, kind: Kind, sign: char, name: impl fmt::Display) -> Key {
    let mut partition = String::with_capacity(PARTITION);
    partition.extend([TENANT, tenant.as_str(), "#", kind.as_str()]);
    // Writing into a text does not fail.
    let _: fmt::Result = write!(partition, "{sign}{name}");
    key(partition, kind.as_str().to_owned())
}

/// The item of an organization or a user, by one of its names.
pub fn of_handle(tenant: &TenantId, kind: Kind, handle: &Handle) -> Key {
    match handle {
        Handle::Uuid(uuid) => of_kind(tenant, kind, uuid),
        Handle::External(id) => named(tenant, kind, '@', id.digest()),
    }
}

/// The item of a person, by our id.
pub fn person(tenant: &TenantId, id: &LinkedUserId) -> Key {
    of_kind(tenant, Kind::Person, id)
}

/// The item of a person, by the tenant's id.
pub fn person_of(tenant: &TenantId, id: &ExternalId) -> Key {
    named(tenant, Kind::Person, '@', id.digest())
}

/// Both items of a person.
pub fn both_of_person(tenant: &TenantId, of: &RelayPerson) -> [Key; 2] {
    [person(tenant, &of.linked_id), person_of(tenant, &of.backend_user_id)]
}

/// A pairing that was prepared.
pub fn pairing(id: &PairingId) -> Key {
    key(format!("PAIRING#{id}"), "PAIRING".to_owned())
}

/// Into how many items the count of a tenant's passkeys is divided: each takes part in the transactions of many, and
/// DynamoDB refuses two at once on one item.
const PASSKEY_SHARDS: u32 = 8;

/// The count that a passkey is part of.
pub fn passkey_count(tenant: &TenantId, digest: &CredentialDigest) -> Key {
    passkey_shard(tenant, crc32fast::hash(digest.as_str().as_bytes()) % PASSKEY_SHARDS)
}

/// All counts of a tenant's passkeys.
pub fn passkey_counts(tenant: &TenantId) -> Vec<Key> {
    (0..PASSKEY_SHARDS).map(|shard| passkey_shard(tenant, shard)).collect()
}

fn passkey_shard(tenant: &TenantId, shard: u32) -> Key {
    key(format!("{TENANT}{tenant}#PASSKEYS"), format!("COUNT#{shard}"))
}

/// The claim of an organization or user whose external id is this uuid.
pub fn claim(tenant: &TenantId, kind: Kind, uuid: Uuid) -> Key {
    key(format!("{TENANT}{tenant}#{}={uuid}", kind.as_str()), CLAIM.to_owned())
}

/// The list of all that a tenant has of one kind.
pub fn partition_of_list(tenant: &TenantId, kind: Kind) -> String {
    format!("{TENANT}{tenant}#{}", kind.as_str())
}

/// Sort key of such a list: by creation, then by id, so that it is unique.
pub fn list_position(created_at: Timestamp, id: impl fmt::Display) -> String {
    format!("{:015}#{id}", created_at.as_millis())
}

/// When what is at a position of a list was created. `None` if that is no position.
pub fn created_at(position: &str) -> Option<Timestamp> {
    position.split_once('#')?.0.parse().ok().map(Timestamp::from_millis)
}

/// The id at a position of a list. `None` if that is no position.
pub fn id_at(position: &str) -> Option<&str> {
    let (created, id) = position.split_once('#')?;
    let shaped = created.len() == 15 && created.bytes().all(|byte| byte.is_ascii_digit());
    (shaped && !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'))
        .then_some(id)
}

/// The public keys of a tenant.
pub fn key_set(id: &TenantId) -> Key {
    key(tenant_partition(id), SIGNING.to_owned())
}

/// Whether an item has this sort key.
pub fn has_sort_key(item: &Item, sort_key: &str) -> bool {
    item.get(SK).and_then(Value::as_s) == Some(sort_key)
}

/// The tenant's hot item.
pub fn state(id: &TenantId) -> Key {
    key(tenant_partition(id), STATE.to_owned())
}

/// The tenant's configuration.
pub fn configuration(id: &TenantId) -> Key {
    key(tenant_partition(id), CONFIGURATION.to_owned())
}

/// Where the audit events of a tenant are, or those that are of no tenant: the operator's own.
pub fn audit_partition(of: Option<&TenantId>) -> String {
    format!("{AUDIT}{}", of.map_or_else(|| "OPERATOR".to_owned(), tenant_partition))
}

/// An audit event of the tenant, or of none. One request makes one change, so its id tells two events of one
/// millisecond apart.
pub fn audit(of: Option<&TenantId>, event: &AuditEvent) -> Key {
    key(audit_partition(of), format!("{}#{}", audit_from(event.at), event.request_id))
}

/// The shard of [`AUDIT_EVENTS`] with the event of this request.
pub fn audit_shard(request_id: &str) -> String {
    audit_shard_number(crc32fast::hash(request_id.as_bytes()) % AUDIT_SHARDS)
}

/// A shard of [`AUDIT_EVENTS`] by its number.
pub fn audit_shard_number(number: u32) -> String {
    format!("{AUDIT}{number}")
}

/// The index of callbacks that are to be attempted.
pub const CALLBACKS_DUE: &str = "callbacks-due";
/// Partition key attribute of [`CALLBACKS_DUE`].
pub const DUE_SHARD: &str = "due_shard";
/// Sort key attribute of [`CALLBACKS_DUE`]: Unix milliseconds.
pub const DUE_AT: &str = "due_at";
/// In how many partitions of [`CALLBACKS_DUE`] callbacks are. A sweep asks all of them, at half a read unit each.
pub const DUE_SHARDS: u32 = 8;

/// Where the callbacks of a tenant are. Their ids sort by their time.
pub fn callbacks(tenant: &TenantId) -> String {
    format!("{TENANT}{tenant}#CALLBACKS")
}

/// A callback.
pub fn callback(tenant: &TenantId, id: &EventId) -> Key {
    key(callbacks(tenant), id.to_string())
}

/// The shard of [`CALLBACKS_DUE`] with a callback.
pub fn due_shard(id: &EventId) -> String {
    due_shard_number(crc32fast::hash(id.as_str().as_bytes()) % DUE_SHARDS)
}

/// The shard of [`CALLBACKS_DUE`] with a QR login, which is in it until it was decided or its expiry was told.
pub fn due_shard_of_login(id: &QrSessionId) -> String {
    due_shard_number(crc32fast::hash(id.as_str().as_bytes()) % DUE_SHARDS)
}

/// Whether what is at a place is a QR login.
pub fn is_qr_login(place: &Key) -> bool {
    place.sort == QR_LOGIN
}

/// A shard of [`CALLBACKS_DUE`] by its number.
pub fn due_shard_number(number: u32) -> String {
    format!("DUE#{number}")
}

/// Lease and breaker of the receiver of a tenant's flow. Only the deliverer writes it while it delivers, so that no
/// change waits for a delivery.
pub fn delivery(tenant: &TenantId, flow: Flow) -> Key {
    key(format!("{TENANT}{tenant}#DELIVERY#{flow}"), "DELIVERY".to_owned())
}

/// A seal by its number.
pub fn seal(number: u64) -> Key {
    key(SEALS.to_owned(), format!("{SEAL}{number:015}"))
}

/// Where the sort keys of events at or after `moment` begin.
pub fn audit_from(moment: Timestamp) -> String {
    format!("{AUDIT}{:015}", moment.as_millis())
}

/// What counts the calls of an API key or for an end user in a calendar minute. Apart from the key and the end user
/// themselves, whose items most calls read and never write.
pub fn calls(tenant: &TenantId, counted: impl fmt::Display, minute: Minute) -> Key {
    key(format!("{TENANT}{tenant}#CALLS#{counted}"), format!("CALLS#{}", minute.number()))
}

/// What is stored under an idempotency key: of a tenant's caller with what is the tenant's, and of an end user's with
/// what is the end user's.
pub fn stored_response(idempotency_key: &IdempotencyKey) -> Key {
    let digest = idempotency_key.digest();
    let partition = match idempotency_key.scope() {
        IdempotencyScope::Operator => format!("IDEMPOTENCY#operator#{digest}"),
        IdempotencyScope::Caller { tenant, viewpoint, .. } => {
            let owner = match viewpoint {
                Viewpoint::EndUser(id) => format!("#{OF_END_USER}{}", id.digest()),
                Viewpoint::Account => String::new(),
            };
            format!("{}{owner}#IDEMPOTENCY#{digest}", tenant_partition(tenant))
        }
        IdempotencyScope::Console { tenant, .. } => format!("{}#IDEMPOTENCY#{digest}", tenant_partition(tenant)),
    };
    key(partition, "IDEMPOTENCY".to_owned())
}

#[cfg(test)]
mod tests;
