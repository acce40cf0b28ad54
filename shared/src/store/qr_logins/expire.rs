//! Telling that a login has expired, which no call waits for: the sweep of the callbacks finds it.

use super::{items, owe_outcome};
use crate::domain::{EventType, QrPhase, QrSession, TenantId, Timestamp};
use crate::error::{Error, Result};
use crate::store::dynamodb::{Commit, Key, PK, Reader, Transaction};
use crate::store::keys;
use crate::store::tenants::Tenants;

impl Tenants<'_> {
    /// Ends the login at a place that is due, and owes its tenant the event. Where the event is, if one is owed. Three
    /// calls.
    ///
    /// # Errors
    /// If the table fails, or an item can't be read.
    pub(in crate::store) async fn expire_qr_login(self, place: Key, now: Timestamp) -> Result<Option<Key>> {
        let found = self.table.get_all(&[place]).await?;
        let Some(item) = found.first() else { return Ok(None) };
        let session = items::read(item)?;
        let partition = Reader::of(item).text(PK)?;
        let id = keys::tenant_of(partition).ok_or_else(|| Error::internal("a QR login of no tenant"))?;
        if now < session.expires_at || !matches!(session.phase, QrPhase::Waiting | QrPhase::Scanned) {
            return Ok(None);
        }
        self.end_qr_login(&id, session).await
    }

    async fn end_qr_login(self, id: &TenantId, mut session: QrSession) -> Result<Option<Key>> {
        let read_in = session.phase;
        session.phase = QrPhase::Expired;
        let mut transaction = Transaction::new();
        transaction.update(items::expired(id, &session.id), items::in_phase(read_in));
        let tells = (EventType::QrLoginExpired, session.expires_at);
        let owed = match self.get(id).await? {
            Some(tenant) => owe_outcome(&mut transaction, self, &tenant, &session, tells)?,
            None => None,
        };
        // Refused: it was scanned since, and the next sweep finds it as it is then.
        match self.table.commit(transaction).await? {
            Commit::Done => Ok(owed.map(|event| keys::callback(id, &event))),
            Commit::Refused(_) => Ok(None),
        }
    }
}
