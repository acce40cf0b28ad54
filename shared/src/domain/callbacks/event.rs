//! An event, its id, and the body that every attempt to deliver it sends.
//!
//! Receivers read a body with `JSON.parse`, and some check the signature over what `JSON.stringify` makes of that. So a
//! body is the very text that these two leave as it is: no spaces, no escape that is not needed (ECMA-262
//! §25.5.2, `QuoteJSONString`, which `serde_json` writes too), integers that a double holds, and no member that
//! Node would move to the front.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::types::{EventType, Flow};
use crate::domain::account::new_resource_id;
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::time::clock::Timestamp;
use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;
use crate::domain::values::random::{Random, RandomnessUnavailable};

/// The largest body, in bytes: Express reads 100 kB by default, and refuses more.
const LARGEST: usize = 64 * 1024;

/// The first integer that a double cannot tell from its neighbour: 2^53.
const TOO_LARGE: u64 = 1 << 53;

/// What each body begins with, and no call of a tenant's does: a body with a member `event_id` is refused.
const BEGINNING: &[u8] = br#"{"event_id":"evt_"#;

/// The time after the end of its session for which a callback of a QR login is of use.
const USEFUL: Duration = Duration::from_mins(15);

/// Whether bytes begin as the body of an event does.
pub fn is_event_body(body: &[u8]) -> bool {
    body.starts_with(BEGINNING)
}

/// The id of an event: `evt_` and the 32 hexadecimal digits of a version 7 UUID, so that ids sort by their time. It is
/// the same at each attempt, and the receiver's means to tell a repetition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(String);

impl EventId {
    const PREFIX: &'static str = "evt_";

    /// A new id.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn generate(random: &dyn Random, at: Timestamp) -> Result<Self, RandomnessUnavailable> {
        Ok(Self(format!("{}{}", Self::PREFIX, new_resource_id(random, at)?.simple())))
    }

    /// What the ids of events begin with that were made at that time: less than any of them, and more than any earlier
    /// one (RFC 9562 §5.7: the first 48 bits are the Unix time in milliseconds).
    pub fn beginning(at: Timestamp) -> String {
        format!("{}{:012x}", Self::PREFIX, at.as_millis())
    }

    /// Reads an id.
    ///
    /// # Errors
    /// If it is not `evt_` and 32 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let digits = text.strip_prefix(Self::PREFIX).unwrap_or_default();
        // The other spellings of the same UUID are other texts, and keys are texts.
        let is_id = Uuid::try_parse(digits).is_ok_and(|uuid| uuid.simple().to_string() == digits);
        if is_id { Ok(Self(text.to_owned())) } else { Err(Problem::new("must be an event id, which starts with evt_")) }
    }
}

string_newtype! { EventId, expected: "an event id", schema: {
    "type": "string",
    "pattern": "^evt_[0-9a-f]{32}$",
    "description": "Id of an event, the same at each attempt to deliver it.",
} }

/// What a new event tells of.
#[derive(Debug, Clone)]
pub struct NewEvent<'a> {
    pub event_type: EventType,
    pub tenant_id: &'a TenantId,
    pub created_at: Timestamp,
    /// Number of this state among those of its subject (a session, a passkey, …), under 2^53: a receiver ignores what
    /// is older than what it has.
    pub sequence: u64,
    /// The full state of the subject: a JSON object.
    pub data: Value,
}

/// An event, and the bytes that tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub id: EventId,
    pub event_type: EventType,
    pub tenant_id: TenantId,
    pub created_at: Timestamp,
    pub sequence: u64,
    /// Compact JSON of at most 64 KiB.
    pub body: String,
}

/// What a body cannot carry. All of them are errors of whoever makes the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventFlaw {
    /// `data` is no JSON object.
    NoObject,
    /// A number with a fraction or an exponent: each reader writes it in its own way.
    Float,
    /// An integer of 2^53 or more, on either side of zero.
    LargeInteger,
    /// A member whose name is a whole number: Node moves it to the front.
    NumericName,
    /// The body has more than 64 KiB.
    TooLarge,
}

impl fmt::Display for EventFlaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoObject => "data of an event is no object",
            Self::Float => "event has a number that is no integer",
            Self::LargeInteger => "event has an integer of 2^53 or more",
            Self::NumericName => "event has a member whose name is a number",
            Self::TooLarge => "body of an event is longer than 64 KiB",
        })
    }
}

impl std::error::Error for EventFlaw {}

/// The body, in the order of its members.
#[derive(Serialize)]
struct Body<'a> {
    event_id: &'a EventId,
    #[serde(rename = "type")]
    event_type: EventType,
    flow: &'a str,
    tenant_id: &'a TenantId,
    created_at: Timestamp,
    sequence: u64,
    data: &'a Map<String, Value>,
}

impl Event {
    /// Makes the event and its body.
    ///
    /// # Errors
    /// What the body cannot carry.
    pub fn new(id: EventId, event: NewEvent<'_>) -> Result<Self, EventFlaw> {
        let NewEvent { event_type, tenant_id, created_at, sequence, data } = event;
        let Value::Object(members) = &data else { return Err(EventFlaw::NoObject) };
        if sequence >= TOO_LARGE {
            return Err(EventFlaw::LargeInteger);
        }
        check(&data)?;
        let flow = event_type.flow().as_str();
        let body = Body { event_id: &id, event_type, flow, tenant_id, created_at, sequence, data: members };
        // Fails for maps with other keys than texts and for values that refuse to be written: there are none here.
        let body = serde_json::to_string(&body).map_err(|_| EventFlaw::NoObject)?;
        if body.len() > LARGEST {
            return Err(EventFlaw::TooLarge);
        }
        Ok(Self { id, event_type, tenant_id: tenant_id.clone(), created_at, sequence, body })
    }
}

/// The moment from which an event is of no use to anybody, and discarded: for a QR login, 15 minutes after its session
/// ended, since nobody waits for that login any longer. Each event of a QR login tells of that end, and is made then.
/// `None`: never.
pub fn useless_from(event_type: EventType, created_at: Timestamp) -> Option<Timestamp> {
    (event_type.flow() == Flow::QrLogin).then(|| created_at.plus(USEFUL))
}

fn check(value: &Value) -> Result<(), EventFlaw> {
    match value {
        Value::Number(number) if number.is_f64() => Err(EventFlaw::Float),
        Value::Number(number) => {
            let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
            if magnitude.is_some_and(|magnitude| magnitude < TOO_LARGE) { Ok(()) } else { Err(EventFlaw::LargeInteger) }
        }
        Value::Array(values) => values.iter().try_for_each(check),
        Value::Object(members) => members.iter().try_for_each(|(name, value)| {
            let is_numeric = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
            if is_numeric { Err(EventFlaw::NumericName) } else { check(value) }
        }),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::values::random::SystemRandomness;

    const ID: &str = "evt_019039e8b80070008000000000000001";

    fn event(event_type: EventType, sequence: u64, data: Value) -> Result<Event, EventFlaw> {
        let tenant_id = &TenantId::parse("tnt_0a0a0a0a0a0a4a0a8a0a0a0a0a0a0a0a").unwrap();
        let created_at = Timestamp::from_millis(1_718_966_400_000);
        Event::new(EventId::parse(ID).unwrap(), NewEvent { event_type, tenant_id, created_at, sequence, data })
    }

    fn ping(data: Value) -> Result<Event, EventFlaw> {
        event(EventType::Ping, 1, data)
    }

    #[test]
    fn an_id_sorts_by_its_time_and_has_one_spelling() {
        let id = |millis| EventId::generate(&SystemRandomness::new(), Timestamp::from_millis(millis)).unwrap();
        let ids = [0, 1, 1_718_966_400_000].map(id);
        assert!(ids.is_sorted());
        assert!(ids.iter().all(|id| EventId::parse(id.as_str()).as_ref() == Ok(id)));
        for text in ["", "evt_", "evt_1", &ID[4..], &ID.to_uppercase(), &format!("{ID}0"), &format!("{ID} "), "EVT_"] {
            assert!(EventId::parse(text).is_err(), "{text}");
        }
        assert!(EventId::parse("evt_019039e8-b800-7000-8000-000000000001").is_err());
    }

    #[test]
    fn ids_of_a_time_begin_alike_and_lie_between_their_neighbours() {
        let at = |millis| Timestamp::from_millis(millis);
        let id = EventId::generate(&SystemRandomness::new(), at(1_718_966_400_000)).unwrap();
        assert!(id.as_str().starts_with(&EventId::beginning(at(1_718_966_400_000))));
        assert!(EventId::beginning(at(1_718_966_399_999)).as_str() < id.as_str());
        assert!(id.as_str() < EventId::beginning(at(1_718_966_400_001)).as_str());
        assert_eq!(EventId::beginning(at(i64::MIN)), "evt_000000000000");
        assert_eq!(EventId::beginning(at(i64::MAX)).len(), 16);
    }

    /// The vectors were written by Python, and Node's `JSON.stringify(JSON.parse(body))` left each of them as it is.
    #[test]
    fn a_body_is_the_text_that_a_javascript_receiver_would_write() {
        let file: Value = serde_json::from_str(include_str!("../../../../tests/vectors/callbacks.json")).unwrap();
        let vectors = file["vectors"].as_array().unwrap();
        assert_eq!(vectors.len(), 4);
        for vector in vectors {
            let body: Value = serde_json::from_str(vector["body"].as_str().unwrap()).unwrap();
            let event_type = EventType::parse(body["type"].as_str().unwrap()).unwrap();
            let mut event = event(event_type, body["sequence"].as_u64().unwrap(), body["data"].clone()).unwrap();
            event.body = event.body.replace(ID, vector["event_id"].as_str().unwrap());
            assert_eq!(event.body, vector["body"].as_str().unwrap());
            assert!(is_event_body(event.body.as_bytes()));
        }
    }

    #[test]
    fn what_readers_would_write_in_another_way_is_refused() {
        for (data, flaw) in [
            (json!(null), EventFlaw::NoObject),
            (json!([{}]), EventFlaw::NoObject),
            (json!({"a": 1.5}), EventFlaw::Float),
            (json!({"a": 1.0}), EventFlaw::Float),
            (json!({"a": [{"b": 1e2}]}), EventFlaw::Float),
            (json!({"a": -0.0}), EventFlaw::Float),
            (json!({"a": 9_007_199_254_740_992_u64}), EventFlaw::LargeInteger),
            (json!({"a": -9_007_199_254_740_992_i64}), EventFlaw::LargeInteger),
            (json!({"a": [u64::MAX, i64::MIN]}), EventFlaw::LargeInteger),
            (json!({"a": {"0": 1}}), EventFlaw::NumericName),
            (json!({"4294967295": 1}), EventFlaw::NumericName),
        ] {
            assert_eq!(ping(data.clone()), Err(flaw), "{data}");
        }
        assert_eq!(event(EventType::Ping, 1 << 53, json!({})), Err(EventFlaw::LargeInteger));
        assert!(
            event(EventType::Ping, (1 << 53) - 1, json!({"a": -9_007_199_254_740_991_i64, "": 0, "1a": 1})).is_ok()
        );
    }

    #[test]
    fn a_body_has_at_most_64_kib() {
        let overhead = ping(json!({"a": ""})).unwrap().body.len();
        let longest = ping(json!({"a": "a".repeat(LARGEST - overhead)})).unwrap();
        assert_eq!(longest.body.len(), 65_536);
        assert_eq!(ping(json!({"a": "a".repeat(LARGEST - overhead + 1)})), Err(EventFlaw::TooLarge));
    }

    #[test]
    fn a_flaw_says_what_it_is() {
        use EventFlaw::{Float, LargeInteger, NoObject, NumericName, TooLarge};
        let told = [NoObject, Float, LargeInteger, NumericName, TooLarge].map(|flaw| flaw.to_string());
        assert!(told.iter().all(|text| text.contains("event")) && told[1].contains("integer"));
    }

    #[test]
    fn only_a_qr_login_becomes_useless() {
        let end = Timestamp::from_millis(1_718_966_400_000);
        for event_type in EventType::ALL {
            let expected =
                event_type.as_str().starts_with("qr_login.").then_some(Timestamp::from_millis(1_718_967_300_000));
            assert_eq!(useless_from(event_type, end), expected, "{event_type}");
        }
    }
}
