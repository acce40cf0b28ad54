//! A device's session: checking what a call presents, and renewing it.

use super::record::DeviceSession;
use super::{Devices, SESSION, items, stale};
use crate::domain::{
    ChangeContext, DeviceSessionClaims, DeviceSessionToken, DpopCause, DpopProof, KeyHash, Tenant, Timestamp, Viewpoint,
};
use crate::error::{Error, Result};
use crate::store::dynamodb::{Commit, Condition, Transaction, Update, at, millis};
use crate::store::people::devices::{self as entries, EXPIRES_AT, LAST_USED_AT};
use crate::store::prefetch::Read;

impl Devices<'_> {
    /// The tenant, and the session that a token claims to be of; `None` if either is not there. With it what else of
    /// the tenant's the call needs. One call.
    ///
    /// # Errors
    /// If the table fails or an item can't be read.
    pub async fn session(
        &self,
        claims: &DeviceSessionClaims,
        reads: &[Read],
    ) -> Result<Option<(Tenant, DeviceSession)>> {
        let key = items::device_key(self.tenant, &claims.device_id);
        let beside = reads.iter().flat_map(|read| read.keys(self.tenant, &Viewpoint::Account));
        let (tenant, found) = self.tenants.read(self.tenant, [key.clone()].into_iter().chain(beside).collect()).await?;
        let session = at(&found, &key).map(items::read_device).transpose()?;
        Ok(tenant.zip(session.map(|session| DeviceSession { beside: found, ..session })))
    }

    /// Accepts a call of a session: uses up its proof, unless the person's tokens were revoked since the device was
    /// paired. Both in one write, so that a device's call costs no third one. Once a day it also notes the use, and
    /// once after a renewal that the new token has arrived.
    ///
    /// # Errors
    /// If the proof was used before, or tokens were revoked, or the table fails.
    pub async fn accept(
        &self,
        session: &DeviceSession,
        proof: &DpopProof,
        token: &KeyHash,
        now: Timestamp,
    ) -> Result<()> {
        let mut transaction = Transaction::new();
        let used = transaction.put(items::used_proof(self.tenant, proof), Condition::is_new());
        let revocations = items::revocations_key(self.tenant, &session.person);
        transaction.check(revocations, items::unrevoked(session.epochs.person));
        let is_first_today = session.last_used_at.day() != now.day();
        let has_arrived = session.previous.is_some() && token.is(&session.hash);
        if is_first_today || has_arrived {
            let key = items::device_key(self.tenant, &session.device_id);
            let update = Update::of(key).set(LAST_USED_AT, millis(now));
            let update = if has_arrived { items::settled(update) } else { update };
            transaction.update(update, Condition::exists());
            let noted = [(LAST_USED_AT, now)];
            entries::note(&mut transaction, self.tenant, &session.person, &session.device_id, &noted);
        }
        match self.table.commit(transaction).await.map_err(stale)? {
            Commit::Done => Ok(()),
            Commit::Refused(refused) if refused.failed(used) => Err(DpopCause::JtiSeen.into()),
            Commit::Refused(_) => Err(Error::Unauthenticated("device session was ended")),
        }
    }

    /// Gives a session another token, good for another 30 days. One call.
    ///
    /// # Errors
    /// If another renewal was first, the session was ended, or the table fails.
    pub async fn renew(
        &self,
        session: &DeviceSession,
        presented: &KeyHash,
        change: &ChangeContext,
    ) -> Result<(DeviceSessionToken, Timestamp)> {
        let claims = DeviceSessionClaims { tenant_id: self.tenant.clone(), device_id: session.device_id.clone() };
        let token = DeviceSessionToken::renew(&claims, self.tenants.random)?;
        let token = token.ok_or_else(|| Error::internal("a device of a tenant that is none of ours"))?;
        let expires_at = change.at.plus(SESSION);
        let (update, unchanged) = items::renewal(self.tenant, session, presented, &token.hash());
        let mut transaction = Transaction::new();
        transaction.update(update.set(EXPIRES_AT, millis(expires_at)), unchanged);
        let noted = [(EXPIRES_AT, expires_at)];
        entries::note(&mut transaction, self.tenant, &session.person, &session.device_id, &noted);
        match self.table.commit(transaction).await? {
            Commit::Done => Ok((token, expires_at)),
            Commit::Refused(_) => Err(Error::Unauthenticated("device session was renewed or ended")),
        }
    }
}
