//! A device's session: checking what a call presents, accepting the call, and renewing the session.

use aws_sdk_dynamodb::types::AttributeValue;

use super::record::DeviceSession;
use super::{Devices, SESSION, items, stale};
use crate::domain::{
    ChangeContext, DeviceSessionClaims, DeviceSessionToken, DpopCause, DpopProof, KeyHash, PairedDevice, PersonRef,
    Tenant, Timestamp, Viewpoint,
};
use crate::error::{Error, Result};
use crate::store::dynamodb::{Commit, Condition, Refused, Transaction, Update, Write, at, millis};
use crate::store::people::devices::{self as entries, EXPIRES_AT, LAST_USED_AT};
use crate::store::people::{self, StoredPerson};
use crate::store::prefetch::{Prefetched, Read};

/// What a session's token claims to be of, as it was read in one call.
#[derive(Debug)]
pub struct FoundSession {
    pub tenant: Tenant,
    pub session: DeviceSession,
    /// The devices of its person, oldest first.
    pub devices: Vec<PairedDevice>,
    /// What else was asked for.
    pub prefetched: Prefetched,
}

/// A call whose session is right and whose proof is not used up yet. Whatever is written for it is written in one
/// transaction with the use of the proof, so that no two calls are accepted by one proof: what takes it takes it whole.
#[derive(Debug)]
pub struct ProvenCall {
    pub session: DeviceSession,
    pub proof: DpopProof,
    /// The token that was presented.
    pub token: KeyHash,
    pub at: Timestamp,
}

impl ProvenCall {
    /// Whether the token before is of no use any more: the new one has arrived.
    fn has_arrived(&self) -> bool {
        self.session.previous.is_some() && self.token.is(&self.session.hash)
    }

    /// Whether nothing is to be noted: its use of today is, and so is that its new token has arrived.
    fn is_noted(&self) -> bool {
        self.session.last_used_at.day() == self.at.day() && !self.has_arrived()
    }
}

/// The use of a proof, among the writes of a transaction.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProofUse(Write);

impl ProofUse {
    /// Why a transaction was refused: the proof was used before, or else the session was ended.
    fn refusal(self, refused: &Refused, ended: &'static str) -> Error {
        if refused.failed(self.0) { DpopCause::JtiSeen.into() } else { Error::Unauthenticated(ended) }
    }
}

impl Devices<'_> {
    /// The tenant, the session that a token claims to be of, and its person's devices; `None` if there is no such
    /// session. With it what else of the tenant's the call needs. One call.
    ///
    /// # Errors
    /// If the table fails or an item can't be read.
    pub async fn session(&self, claims: &DeviceSessionClaims, reads: &[Read]) -> Result<Option<FoundSession>> {
        let key = items::device_key(self.tenant, &claims.device_id);
        let of = PersonRef::Linked(claims.linked_id.clone());
        let mut keys = vec![key.clone(), people::key(self.tenant, &of)];
        keys.extend(reads.iter().flat_map(|read| read.keys(self.tenant, &Viewpoint::Account)));
        let (tenant, found) = self.tenants.read(self.tenant, keys.clone()).await?;
        let Some((tenant, session)) = tenant.zip(at(&found, &key).map(items::read_device).transpose()?) else {
            return Ok(None);
        };
        // Whoever makes tokens up may name a person that is another's or nobody's.
        if session.person.linked_id != claims.linked_id {
            return Ok(None);
        }
        match people::find(self.tenant, &of, &found) {
            Ok(Some(StoredPerson { devices, .. })) => {
                let prefetched = Prefetched::of(self.tenant, &keys, found);
                Ok(Some(FoundSession { tenant, session, devices, prefetched }))
            }
            Ok(None) | Err(Error::PersonNotFound) => Err(Error::internal("a person that has a device is not there")),
            Err(error) => Err(error),
        }
    }

    /// Begins the transaction that accepts a call: it uses up the proof, unless the person's tokens were revoked since
    /// the device was paired.
    pub(super) fn accepting(&self, call: &ProvenCall) -> (Transaction, ProofUse) {
        let mut transaction = Transaction::new();
        let used = transaction.put(items::used_proof(self.tenant, &call.proof), Condition::is_new());
        let revocations = items::revocations_key(self.tenant, &call.session.person.backend_user_id);
        transaction.check(revocations, items::unrevoked(call.session.epochs.person));
        (transaction, ProofUse(used))
    }

    /// Accepts a call that changes nothing. Once a day it also notes the use, and once after a renewal that the new
    /// token has arrived. One call.
    ///
    /// # Errors
    /// If the proof was used before, or tokens were revoked, or the table fails.
    pub async fn accept(&self, call: &ProvenCall) -> Result<()> {
        let (mut transaction, used) = self.accepting(call);
        self.note(&mut transaction, call, Vec::new());
        self.commit_accepting(transaction, used, "device session was ended").await.map_err(stale)
    }

    /// Writes what accepts a call, with all that the call changes. `ended` says for the log what else can have been in
    /// the way.
    pub(super) async fn commit_accepting(
        &self,
        transaction: Transaction,
        used: ProofUse,
        ended: &'static str,
    ) -> Result<()> {
        match self.table.commit(transaction).await? {
            Commit::Done => Ok(()),
            Commit::Refused(refused) => Err(used.refusal(&refused, ended)),
        }
    }

    /// Notes what is new of a device in its person's items, and its use if it is due.
    pub(super) fn note(
        &self,
        transaction: &mut Transaction,
        call: &ProvenCall,
        mut noted: Vec<(&str, AttributeValue)>,
    ) {
        let ProvenCall { session, at, .. } = call;
        if !call.is_noted() {
            let update = Update::of(items::device_key(self.tenant, &session.device_id)).set(LAST_USED_AT, millis(*at));
            let update = if call.has_arrived() { items::settled(update) } else { update };
            transaction.update(update, Condition::exists());
            noted.push((LAST_USED_AT, millis(*at)));
        }
        if !noted.is_empty() {
            entries::note(transaction, self.tenant, &session.person, &session.device_id, &noted);
        }
    }

    /// Accepts the call, and gives the session another token, good for another 30 days. One call.
    ///
    /// # Errors
    /// If the proof was used before, another renewal was first, the session was ended, or the table fails.
    pub async fn renew(&self, call: &ProvenCall, change: &ChangeContext) -> Result<(DeviceSessionToken, Timestamp)> {
        let ProvenCall { session, token: presented, .. } = call;
        let claims = DeviceSessionClaims {
            tenant_id: self.tenant.clone(),
            device_id: session.device_id.clone(),
            linked_id: session.person.linked_id.clone(),
        };
        let token = DeviceSessionToken::renew(&claims, self.tenants.random)?;
        let token = token.ok_or_else(|| Error::internal("a device of a tenant that is none of ours"))?;
        let (used_at, expires_at) = (millis(change.at), millis(change.at.plus(SESSION)));
        let (update, unchanged) = items::renewal(self.tenant, session, presented, &token.hash());
        let update = update.set(EXPIRES_AT, expires_at.clone()).set(LAST_USED_AT, used_at.clone());
        let (mut transaction, used) = self.accepting(call);
        transaction.update(update, unchanged);
        let noted = [(EXPIRES_AT, expires_at), (LAST_USED_AT, used_at)];
        entries::note(&mut transaction, self.tenant, &session.person, &session.device_id, &noted);
        self.commit_accepting(transaction, used, "device session was renewed or ended").await?;
        Ok((token, change.at.plus(SESSION)))
    }
}
