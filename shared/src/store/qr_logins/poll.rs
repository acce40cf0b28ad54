//! Reading what has become of a login.

use super::{QrLogins, items, stale};
use crate::domain::{KeyHash, Poll, QrScan, QrSession, QrSessionId, Timestamp};
use crate::error::{Error, Result};
use crate::store::devices::items as devices;
use crate::store::dynamodb::{Commit, Condition, Transaction, at};

impl QrLogins<'_> {
    /// What has become of a login, for whoever has its poll token. The result is handed out by the first poll that
    /// finds it, and to whoever asks again within ten seconds; unless the device or its person may not act any more.
    /// `tenant_epoch` is how often all of the tenant's tokens have been revoked. One call, and one more for a result.
    ///
    /// # Errors
    /// [`Error::QrLoginGone`] for every reason for which there is nothing to be told, and [`Error::SlowDown`].
    pub async fn poll(
        &self,
        id: &QrSessionId,
        token: Option<&KeyHash>,
        tenant_epoch: u64,
        now: Timestamp,
    ) -> Result<(Poll, QrSession)> {
        let token = token.filter(|_| id.is_of(self.tenant)).ok_or(Error::QrLoginGone)?;
        if self.pace.is_too_fast(id, token, now) {
            return Err(Error::SlowDown);
        }
        let item = self.table.get(items::login_key(self.tenant, id)).await?;
        let session = item.as_ref().map(items::read).transpose()?;
        let session = session.filter(|session| session.poll_token.is(token)).ok_or(Error::QrLoginGone)?;
        match session.polled(now) {
            Poll::Gone => Err(Error::QrLoginGone),
            Poll::Approved => self.hand_out(session, tenant_epoch, now).await,
            Poll::Repeated => self.repeat(session, tenant_epoch).await,
            found => {
                self.pace.note(id, token, now);
                Ok((found, session))
            }
        }
    }

    /// Hands out a result, once.
    async fn hand_out(&self, session: QrSession, tenant_epoch: u64, now: Timestamp) -> Result<(Poll, QrSession)> {
        let scan = scan_of(&session)?;
        if scan.epochs.tenant != tenant_epoch {
            return Err(Error::QrLoginGone);
        }
        let mut transaction = Transaction::new();
        let moved = transaction.update(items::consumed(self.tenant, &session.id, now), items::is_approved());
        transaction.check(devices::device_key(self.tenant, &scan.device_id), Condition::exists());
        let revocations = devices::revocations_key(self.tenant, &scan.person);
        transaction.check(revocations, devices::unrevoked(scan.epochs.person));
        match self.table.commit(transaction).await.map_err(stale)? {
            Commit::Done => Ok((Poll::Approved, session)),
            // Another poll was first: it is the same one, a moment later.
            Commit::Refused(refused) => match refused.item(moved).as_ref().map(items::read).transpose()? {
                Some(newer) if newer.polled(now) == Poll::Repeated => self.repeat(newer, tenant_epoch).await,
                _ => Err(Error::QrLoginGone),
            },
        }
    }

    /// Hands out a result again that was handed out a moment ago.
    async fn repeat(&self, session: QrSession, tenant_epoch: u64) -> Result<(Poll, QrSession)> {
        let scan = scan_of(&session)?;
        let device = devices::device_key(self.tenant, &scan.device_id);
        let revocations = devices::revocations_key(self.tenant, &scan.person);
        let found = self.table.get_all(&[device.clone(), revocations.clone()]).await?;
        let is_unrevoked = devices::revocations(at(&found, &revocations))? == scan.epochs.person;
        let may_act = at(&found, &device).is_some() && is_unrevoked && scan.epochs.tenant == tenant_epoch;
        if may_act { Ok((Poll::Approved, session)) } else { Err(Error::QrLoginGone) }
    }
}

fn scan_of(session: &QrSession) -> Result<&QrScan> {
    session.scan.as_ref().ok_or_else(|| Error::internal("a QR login was approved by nobody"))
}
