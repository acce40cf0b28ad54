//! A QR login: its states, and what moves it from one to the next.
//!
//! | From | To | By |
//! |---|---|---|
//! | `waiting` | `scanned` | the first scan, which binds it to its device |
//! | `waiting`, `scanned` | `denied` | a scan from another network, where the tenant does not want one |
//! | `scanned` | `approved`, `denied` | the statement of that device |
//! | `approved` | `consumed` | the poll that reads it |
//! | `waiting`, `scanned` | `expired` | the sweep, for the callback: no call waits for it |
//!
//! Whether a login has expired is decided by comparing times, so that no state is needed for that. Each move is one
//! conditional write, so that of two at once one is made.

use std::time::Duration;

use serde_json::{Value, json};

use super::answer_digest::AnswerDigest;
use super::ids::{BrowserKey, QrSessionId, ScanId};
use super::network::{BrowserNetwork, Proximity};
use super::number::MatchNumber;
use super::statement::Choice;
use crate::domain::credentials::key_hash::KeyHash;
use crate::domain::credentials::signing_key::PublicKey;
use crate::domain::devices::{DeviceEpochs, DeviceId};
use crate::domain::people::RelayPerson;
use crate::domain::tenants::origin::Origin;
use crate::domain::time::clock::Timestamp;
use crate::domain::values::problem::Problem;

/// For how long the poll that got the result gets it again: its answer may have been lost.
const RESULT_REPEATED: Duration = Duration::from_secs(10);

/// The state of a login, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QrPhase {
    Waiting,
    Scanned,
    Approved,
    Denied,
    Consumed,
    Expired,
}

impl QrPhase {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Waiting, Self::Scanned, Self::Approved, Self::Denied, Self::Consumed, Self::Expired];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Scanned => "scanned",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Consumed => "consumed",
            Self::Expired => "expired",
        }
    }

    /// Reads what [`QrPhase::as_str`] gave.
    ///
    /// # Errors
    /// If it is no such name.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let found = Self::ALL.into_iter().find(|phase| phase.as_str() == text);
        found.ok_or_else(|| Problem::new("is no phase of a QR login"))
    }
}

/// A scan of a login.
#[derive(Debug, Clone)]
pub struct QrScan {
    pub id: ScanId,
    pub device_id: DeviceId,
    pub person: RelayPerson,
    /// Of the device, when it scanned: other numbers now mean that tokens were revoked since.
    pub epochs: DeviceEpochs,
    /// What the browser shows; `None` if none is asked for.
    pub number: Option<MatchNumber>,
    pub proximity: Proximity,
    /// Of what the device was answered.
    pub display: AnswerDigest,
    pub scanned_at: Timestamp,
}

/// A decision about a login.
#[derive(Debug, Clone)]
pub struct QrDecision {
    /// As the device signed it.
    pub statement: String,
    /// The key that signed it.
    pub key: PublicKey,
    pub decided_at: Timestamp,
}

/// A login as it is stored.
#[derive(Debug, Clone)]
pub struct QrSession {
    pub id: QrSessionId,
    pub phase: QrPhase,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// Whether its code changes.
    pub rotates: bool,
    pub poll_token: KeyHash,
    pub origin: Origin,
    pub network: Option<BrowserNetwork>,
    pub browser: Option<String>,
    pub system: Option<String>,
    pub browser_key: Option<BrowserKey>,
    pub scan: Option<QrScan>,
    pub decision: Option<QrDecision>,
    pub consumed_at: Option<Timestamp>,
}

/// What a poll finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poll {
    /// Nobody has scanned the code.
    Waiting,
    /// A device has, and its person has not decided.
    Scanned,
    /// The login was denied.
    Denied,
    /// It was approved, and nobody was told.
    Approved,
    /// It was approved, and the answer may have been lost.
    Repeated,
    /// It is over, or was never.
    Gone,
}

/// Who scans, as seen from the login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scanner {
    /// The first one.
    First,
    /// The one that has scanned before, and has not decided.
    Same,
    /// Another one than has scanned before.
    Another,
    /// It is too late.
    Late,
}

impl QrSession {
    /// What a poll with the right token finds at that time.
    pub fn polled(&self, now: Timestamp) -> Poll {
        match (self.phase, self.consumed_at) {
            (QrPhase::Consumed, Some(at)) if now < at.plus(RESULT_REPEATED) => Poll::Repeated,
            _ if self.expires_at <= now => Poll::Gone,
            (QrPhase::Waiting, _) => Poll::Waiting,
            (QrPhase::Scanned, _) => Poll::Scanned,
            (QrPhase::Denied, _) => Poll::Denied,
            (QrPhase::Approved, _) => Poll::Approved,
            (QrPhase::Consumed | QrPhase::Expired, _) => Poll::Gone,
        }
    }

    /// Whether it counts against the limits at that time: nobody has decided it, and it has not expired.
    pub fn is_live(&self, now: Timestamp) -> bool {
        matches!(self.phase, QrPhase::Waiting | QrPhase::Scanned) && now < self.expires_at
    }

    /// Who the device is that scans at that time.
    pub fn scanned_by(&self, device: &DeviceId, now: Timestamp) -> Scanner {
        if self.expires_at <= now {
            return Scanner::Late;
        }
        match (&self.scan, self.phase) {
            (None, QrPhase::Waiting) => Scanner::First,
            (Some(scan), _) if scan.device_id != *device => Scanner::Another,
            (Some(_), QrPhase::Scanned) => Scanner::Same,
            _ => Scanner::Late,
        }
    }

    /// The scan of this device, if it is the one that scanned first.
    pub fn scan_of(&self, device: &DeviceId) -> Option<&QrScan> {
        self.scan.as_ref().filter(|scan| scan.device_id == *device)
    }

    /// What has become of it, if it was decided and nothing can change that any more.
    pub fn decided(&self) -> Option<Choice> {
        match self.phase {
            QrPhase::Approved | QrPhase::Consumed => Some(Choice::Approve),
            QrPhase::Denied => Some(Choice::Deny),
            QrPhase::Waiting | QrPhase::Scanned | QrPhase::Expired => None,
        }
    }

    /// Its complete state, as its event tells of it.
    pub fn state(&self) -> Value {
        let (scan, decision) = (self.scan.as_ref(), self.decision.as_ref());
        let person = scan.map(|scan| &scan.person);
        json!({
            "session_id": self.id,
            "phase": self.phase.as_str(),
            "browser_origin": self.origin,
            "initiated_at": self.created_at,
            "expires": self.expires_at,
            "backend_user_id": person.map(|person| &person.backend_user_id),
            "relay_user_linked_id": person.map(|person| &person.linked_id),
            "device_id": scan.map(|scan| &scan.device_id),
            "proximity": scan.map(|scan| scan.proximity),
            "decided_at": decision.map(|decision| decision.decided_at),
            "decision": decision.map(|decision| &decision.statement),
            "cnf": self.browser_key.as_ref().map(|key| json!({ "jkt": key })),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::external_id::ExternalId;
    use crate::domain::qr_login::ids::PollToken;
    use crate::domain::values::random::SystemRandomness;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn device(number: u8) -> DeviceId {
        DeviceId::parse(&format!("dev_{number:016x}")).unwrap()
    }

    /// A login from 0 to 120 s, scanned by the first device unless it waits.
    fn session(phase: QrPhase) -> QrSession {
        let random = SystemRandomness::new();
        let scan = QrScan {
            id: ScanId::generate(&random).unwrap(),
            device_id: device(1),
            person: RelayPerson::new(ExternalId::parse("ada").unwrap(), &random).unwrap(),
            epochs: DeviceEpochs { tenant: 0, person: 0 },
            number: None,
            proximity: Proximity::Unknown,
            display: AnswerDigest::of(b"shown"),
            scanned_at: at(1000),
        };
        QrSession {
            id: QrSessionId::parse("AQEBAQEBAQEBAQEBAQEBAQaaaaaaaaaa").unwrap(),
            phase,
            created_at: at(0),
            expires_at: at(120_000),
            rotates: true,
            poll_token: PollToken::hash_of("token"),
            origin: Origin::parse("https://app.example.com").unwrap(),
            network: None,
            browser: None,
            system: None,
            browser_key: None,
            scan: (phase != QrPhase::Waiting).then_some(scan),
            decision: None,
            consumed_at: (phase == QrPhase::Consumed).then_some(at(119_000)),
        }
    }

    #[test]
    fn what_a_poll_finds_follows_from_phase_and_time() {
        for (phase, before, after) in [
            (QrPhase::Waiting, Poll::Waiting, Poll::Gone),
            (QrPhase::Scanned, Poll::Scanned, Poll::Gone),
            (QrPhase::Approved, Poll::Approved, Poll::Gone),
            (QrPhase::Denied, Poll::Denied, Poll::Gone),
            (QrPhase::Expired, Poll::Gone, Poll::Gone),
            // The result was handed out a second before, and is handed out again for ten.
            (QrPhase::Consumed, Poll::Repeated, Poll::Repeated),
        ] {
            let session = session(phase);
            assert_eq!(session.polled(at(119_999)), before, "{phase:?}");
            assert_eq!(session.polled(at(120_000)), after, "{phase:?}");
            assert_eq!(QrPhase::parse(phase.as_str()), Ok(phase));
        }
        let consumed = session(QrPhase::Consumed);
        assert_eq!((consumed.polled(at(128_999)), consumed.polled(at(129_000))), (Poll::Repeated, Poll::Gone));
        assert!(QrPhase::parse("pending").is_err());
    }

    #[test]
    fn the_first_device_that_scans_has_the_login() {
        for (phase, own, others) in [
            (QrPhase::Waiting, Scanner::First, Scanner::First),
            (QrPhase::Scanned, Scanner::Same, Scanner::Another),
            (QrPhase::Approved, Scanner::Late, Scanner::Another),
            (QrPhase::Denied, Scanner::Late, Scanner::Another),
            (QrPhase::Consumed, Scanner::Late, Scanner::Another),
        ] {
            let session = session(phase);
            assert_eq!(session.scanned_by(&device(1), at(119_999)), own, "{phase:?}");
            assert_eq!(session.scanned_by(&device(2), at(119_999)), others, "{phase:?}");
            assert_eq!(session.scanned_by(&device(1), at(120_000)), Scanner::Late);
            assert_eq!(session.scanned_by(&device(2), at(120_000)), Scanner::Late);
            assert_eq!(session.scan_of(&device(1)).is_some(), phase != QrPhase::Waiting);
            assert!(session.scan_of(&device(2)).is_none());
        }
    }

    #[test]
    fn a_login_is_live_until_it_is_decided_or_expires() {
        for phase in QrPhase::ALL {
            let session = session(phase);
            let is_live = matches!(phase, QrPhase::Waiting | QrPhase::Scanned);
            assert_eq!(session.is_live(at(119_999)), is_live, "{phase:?}");
            assert!(!session.is_live(at(120_000)));
            let decided = match phase {
                QrPhase::Approved | QrPhase::Consumed => Some(Choice::Approve),
                QrPhase::Denied => Some(Choice::Deny),
                _ => None,
            };
            assert_eq!(session.decided(), decided, "{phase:?}");
        }
    }

    #[test]
    fn an_event_tells_the_whole_state_and_no_secret() {
        let state = session(QrPhase::Denied).state();
        assert_eq!((&state["phase"], &state["backend_user_id"]), (&"denied".into(), &"ada".into()));
        let text = state.to_string();
        assert!(!text.contains("number") && !text.contains("token"), "{text}");
        let waiting = session(QrPhase::Waiting).state();
        assert_eq!(waiting["device_id"], Value::Null);
    }
}
