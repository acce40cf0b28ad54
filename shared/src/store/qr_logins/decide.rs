//! What a device does: it scans a code, and decides.

use super::{QrLogins, check_origin, items, owe_outcome, stale};
use crate::domain::{
    AnswerDigest, BrowserNetwork, Choice, EventType, ExpectedStatement, FrameMac, FrameNumber, Issuer, MatchNumber,
    Proximity, PublicKey, QrDecision, QrDistant, QrNumberMatching, QrPhase, QrScan, QrSession, QrSessionId, ScanId,
    Scanner, Tenant, Timestamp, UnverifiedStatement,
};
use crate::error::{Error, Result};
use crate::store::devices::DeviceSession;
use crate::store::dynamodb::{Commit, Condition, Item, Transaction};
use crate::store::prefetch::Prefetched;

/// What a device is asked to consent to.
#[derive(Debug)]
pub struct QrConsent {
    pub session: QrSession,
    pub scan_id: ScanId,
    number: Option<MatchNumber>,
    proximity: Proximity,
    /// Whether the login is to be confirmed a second time.
    pub confirms: bool,
    is_first: bool,
}

impl QrConsent {
    /// Whether the number that the browser shows has to be typed.
    pub fn asks_number(&self) -> bool {
        self.number.is_some()
    }
}

impl QrLogins<'_> {
    /// What a scan leads to. It is the device's only once it was bound ([`QrLogins::bind`]). No call; one if the login
    /// is denied for its distance.
    ///
    /// # Errors
    /// If the code is none of ours or out of date, the login is over, or another device has scanned it.
    pub async fn look_at(
        &self,
        (tenant, device, prefetched): (&Tenant, &DeviceSession, &Prefetched),
        (id, frame, mac): (&QrSessionId, FrameNumber, &FrameMac),
        phone: Option<&BrowserNetwork>,
        now: Timestamp,
    ) -> Result<QrConsent> {
        let session = self.prefetched(prefetched, id)?.filter(|_| self.frames.is_mac(id, frame, mac));
        let session = session.ok_or(Error::QrLoginGone)?;
        let is_shown =
            if session.rotates { frame.is_good(now, session.created_at) } else { frame == FrameNumber::FIRST };
        if !is_shown {
            return Err(Error::QrLoginGone);
        }
        check_origin(tenant, &session.origin)?;
        let settings = tenant.configuration.qr_login;
        let random = self.tenants.random;
        let (scan_id, number, is_first) = match (session.scanned_by(&device.device_id, now), &session.scan) {
            (Scanner::First, _) => {
                let asks = settings.qr_number_matching == QrNumberMatching::Always;
                let number = asks.then(|| MatchNumber::generate(random)).transpose()?;
                (ScanId::generate(random)?, number, true)
            }
            (Scanner::Same, Some(scan)) => (scan.id.clone(), scan.number.clone(), false),
            (Scanner::Another, _) => return Err(Error::QrLoginTaken),
            _ => return Err(Error::QrLoginGone),
        };
        let proximity = Proximity::of(session.network.as_ref(), phone);
        let is_distant = proximity == Proximity::Distant;
        let confirms = is_distant && settings.qr_distant == QrDistant::Confirm;
        let consent = QrConsent { session, scan_id, number, proximity, confirms, is_first };
        if is_distant && settings.qr_distant == QrDistant::Deny {
            self.deny_distant((tenant, device), consent, now).await?;
            return Err(Error::QrLoginDistant);
        }
        Ok(consent)
    }

    /// Binds a login to the device that has scanned it, and notes what it was shown. One call.
    ///
    /// # Errors
    /// If another device was first, or the table fails.
    pub async fn bind(
        &self,
        device: &DeviceSession,
        mut consent: QrConsent,
        display: AnswerDigest,
        now: Timestamp,
    ) -> Result<()> {
        consent.session.phase = QrPhase::Scanned;
        let scan = consent.scan_by(device, display, now);
        let mut transaction = Transaction::new();
        let bound = transaction.update(items::scanned(self.tenant, &consent.session, &scan), consent.unchanged());
        match self.table.commit(transaction).await.map_err(stale)? {
            Commit::Done => Ok(()),
            Commit::Refused(refused) => Err(too_late(refused.item(bound).as_ref(), device, now)?),
        }
    }

    /// Denies a login for the distance of the device that has scanned it.
    async fn deny_distant(
        &self,
        (tenant, device): (&Tenant, &DeviceSession),
        mut consent: QrConsent,
        now: Timestamp,
    ) -> Result<()> {
        consent.session.phase = QrPhase::Denied;
        // Nothing was shown.
        let scan = consent.scan_by(device, AnswerDigest::of(&[]), now);
        let mut transaction = Transaction::new();
        let update = items::settled(items::scanned(self.tenant, &consent.session, &scan));
        let moved = transaction.update(update, consent.unchanged());
        consent.session.scan = Some(scan);
        owe_outcome(&mut transaction, self.tenants, tenant, &consent.session, (EventType::QrLoginDenied, now))?;
        match self.table.commit(transaction).await.map_err(stale)? {
            Commit::Done => Ok(()),
            Commit::Refused(refused) => Err(too_late(refused.item(moved).as_ref(), device, now)?),
        }
    }

    /// Decides a login by a device's statement. One call, and none if the same was decided before.
    ///
    /// # Errors
    /// If the statement is not in order, the login is over, or another device has scanned it.
    pub async fn decide(
        &self,
        (tenant, device, prefetched): (&Tenant, &DeviceSession, &Prefetched),
        (issuer, key): (&Issuer, &PublicKey),
        (id, statement): (&QrSessionId, &UnverifiedStatement<'_>),
        now: Timestamp,
    ) -> Result<Choice> {
        let mut session = self.prefetched(prefetched, id)?.ok_or(Error::QrLoginGone)?;
        let scan = match (&session.scan, session.scan_of(&device.device_id)) {
            _ if session.expires_at <= now => return Err(Error::QrLoginGone),
            (Some(_), None) => return Err(Error::QrLoginTaken),
            (_, Some(scan)) => scan.clone(),
            (None, None) => return Err(Error::QrLoginGone),
        };
        let expected = ExpectedStatement {
            issuer,
            session_id: id,
            scan_id: &scan.id,
            device_id: &device.device_id,
            origin: &session.origin,
            number: scan.number.as_ref(),
            display: &scan.display,
        };
        let verified = statement.verify(key, &expected).map_err(|flaw| Error::invalid("statement", flaw.into()))?;
        let outcome = verified.outcome();
        // An answer that was lost is given again; another decision comes too late.
        if let Some(decided) = session.decided() {
            return if decided == outcome { Ok(decided) } else { Err(Error::QrLoginGone) };
        }
        check_origin(tenant, &session.origin)?;
        let event_type = match outcome {
            Choice::Approve => EventType::QrLoginApproved,
            Choice::Deny => EventType::QrLoginDenied,
        };
        session.phase = if outcome == Choice::Approve { QrPhase::Approved } else { QrPhase::Denied };
        let decision = QrDecision { statement: verified.as_str().to_owned(), key: key.clone(), decided_at: now };
        let mut transaction = Transaction::new();
        let update = items::settled(items::decided(self.tenant, &session, &decision));
        let moved = transaction.update(update, items::is_undecided(&scan.id));
        session.decision = Some(decision);
        owe_outcome(&mut transaction, self.tenants, tenant, &session, (event_type, now))?;
        match self.table.commit(transaction).await.map_err(stale)? {
            Commit::Done => Ok(outcome),
            Commit::Refused(refused) => {
                let newer = refused.item(moved).as_ref().map(items::read).transpose()?;
                let decided = newer.and_then(|session| session.decided()).filter(|decided| *decided == outcome);
                decided.ok_or(Error::QrLoginGone)
            }
        }
    }

    /// The login that was read together with the device; `None` if there is none, or it is another tenant's.
    fn prefetched(&self, prefetched: &Prefetched, id: &QrSessionId) -> Result<Option<QrSession>> {
        if !id.is_of(self.tenant) {
            return Ok(None);
        }
        prefetched.at(&items::login_key(self.tenant, id))?.map(items::read).transpose()
    }
}

/// Why a scan came too late: what became of the login in the meantime.
fn too_late(newer: Option<&Item>, device: &DeviceSession, now: Timestamp) -> Result<Error> {
    let newer = newer.map(items::read).transpose()?;
    Ok(match newer.map(|session| session.scanned_by(&device.device_id, now)) {
        Some(Scanner::Another) => Error::QrLoginTaken,
        // The same device, twice at once: the next attempt finds its own scan.
        Some(Scanner::Same) => Error::unavailable("a device scans a code twice at once"),
        _ => Error::QrLoginGone,
    })
}

impl QrConsent {
    /// That nobody has scanned or decided the login since it was read.
    fn unchanged(&self) -> Condition {
        if self.is_first { items::is_waiting() } else { items::is_undecided(&self.scan_id) }
    }

    /// The scan that the login gets.
    fn scan_by(&self, device: &DeviceSession, display: AnswerDigest, now: Timestamp) -> QrScan {
        QrScan {
            id: self.scan_id.clone(),
            device_id: device.device_id.clone(),
            person: device.person.clone(),
            epochs: device.epochs,
            number: self.number.clone(),
            proximity: self.proximity,
            display,
            scanned_at: now,
        }
    }
}
