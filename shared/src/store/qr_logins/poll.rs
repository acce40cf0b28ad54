//! Reading what has become of a login.

use super::{QrLogins, items, stale};
use crate::domain::{DeviceEpochs, KeyHash, Poll, QrSession, QrSessionId, TenantStatus, Timestamp};
use crate::error::{Error, Result};
use crate::store::devices::items as devices;
use crate::store::dynamodb::{Updated, at};

impl QrLogins<'_> {
    /// What has become of a login, for whoever has its poll token. The result is handed out by the first poll that
    /// finds it, and to whoever asks again within ten seconds; unless the device or its person may not act any more.
    /// One call, and two more for a result.
    ///
    /// # Errors
    /// [`Error::QrLoginGone`] for every reason for which there is nothing to be told, and [`Error::SlowDown`].
    pub async fn poll(&self, id: &QrSessionId, token: Option<&KeyHash>, now: Timestamp) -> Result<(Poll, QrSession)> {
        let token = token.filter(|_| id.is_of(self.tenant)).ok_or(Error::QrLoginGone)?;
        if self.pace.is_too_fast(id, token, now) {
            return Err(Error::SlowDown);
        }
        let item = self.table.get(items::login_key(self.tenant, id)).await?;
        let session = item.as_ref().map(items::read).transpose()?;
        let session = session.filter(|session| session.poll_token.is(token)).ok_or(Error::QrLoginGone)?;
        match session.polled(now) {
            Poll::Gone => Err(Error::QrLoginGone),
            Poll::Approved => self.hand_out(session, now).await,
            Poll::Repeated => self.result(session).await,
            found => {
                self.pace.note(id, token, now);
                Ok((found, session))
            }
        }
    }

    /// Hands out a result, once.
    async fn hand_out(&self, session: QrSession, now: Timestamp) -> Result<(Poll, QrSession)> {
        let consumed = items::consumed(self.tenant, &session.id, now);
        match self.table.update(consumed, items::is_approved()).await.map_err(stale)? {
            Updated::Done(_) => self.result(session).await,
            // Another poll was first: it is the same one, a moment later.
            Updated::Refused(found) => match found.as_ref().map(items::read).transpose()? {
                Some(newer) if newer.polled(now) == Poll::Repeated => self.result(newer).await,
                _ => Err(Error::QrLoginGone),
            },
        }
    }

    /// The result of a login that is used up, if tenant, person and device may act still. What decides is read after
    /// that write, so that a revocation which was answered before is seen. (Conditions in one transaction would see it,
    /// too; but one on the tenant would get in the way of the counts of its calls.)
    async fn result(&self, session: QrSession) -> Result<(Poll, QrSession)> {
        let scan = session.scan.as_ref().ok_or_else(|| Error::internal("a QR login was approved by nobody"))?;
        let device = devices::device_key(self.tenant, &scan.device_id);
        let revocations = devices::revocations_key(self.tenant, &scan.person.backend_user_id);
        let (tenant, found) = self.tenants.read(self.tenant, vec![device.clone(), revocations.clone()]).await?;
        let tenant = tenant.ok_or(Error::QrLoginGone)?;
        if !matches!(tenant.summary.status, TenantStatus::Active) {
            return Err(Error::TenantSuspended(None));
        }
        let person = devices::revocations(at(&found, &revocations))?;
        let is_unrevoked = scan.epochs == DeviceEpochs { tenant: tenant.epoch, person };
        if at(&found, &device).is_some() && is_unrevoked {
            Ok((Poll::Approved, session))
        } else {
            Err(Error::QrLoginGone)
        }
    }
}
