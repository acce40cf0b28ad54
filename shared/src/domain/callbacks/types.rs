//! The types of events, and which of them a tenant wants.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;

/// What a group of callbacks is about. Each has its own path below the tenant's base, and its own breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// QR logins.
    QrLogin,
    /// Pairings of phones.
    Pairing,
    /// Passkeys.
    Passkey,
    /// The tenant itself.
    Tenant,
    /// Tests of a receiver.
    Test,
}

impl Flow {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::QrLogin, Self::Pairing, Self::Passkey, Self::Tenant, Self::Test];

    /// Its name in a body, and the last segment of its path.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QrLogin => "qr-login",
            Self::Pairing => "pairing",
            Self::Passkey => "passkey",
            Self::Tenant => "tenant",
            Self::Test => "test",
        }
    }

    /// Reads what [`Flow::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flow| flow.as_str() == text)
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Type of an event of which a callback tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum EventType {
    /// A QR login was approved.
    #[serde(rename = "qr_login.approved")]
    QrLoginApproved,
    /// A QR login was denied.
    #[serde(rename = "qr_login.denied")]
    QrLoginDenied,
    /// A QR login ran out of time.
    #[serde(rename = "qr_login.expired")]
    QrLoginExpired,
    /// A phone was paired.
    #[serde(rename = "pairing.created")]
    PairingCreated,
    /// A pairing was removed.
    #[serde(rename = "pairing.removed")]
    PairingRemoved,
    /// A passkey was registered.
    #[serde(rename = "passkey.registered")]
    PasskeyRegistered,
    /// Somebody logged in with a passkey.
    #[serde(rename = "passkey.used")]
    PasskeyUsed,
    /// A passkey got another name.
    #[serde(rename = "passkey.renamed")]
    PasskeyRenamed,
    /// A passkey was revoked.
    #[serde(rename = "passkey.revoked")]
    PasskeyRevoked,
    /// A passkey was used that seems to be a copy of another.
    #[serde(rename = "passkey.clone_suspected")]
    PasskeyCloneSuspected,
    /// The tenant was suspended.
    #[serde(rename = "tenant.suspended")]
    TenantSuspended,
    /// The suspension of the tenant was lifted.
    #[serde(rename = "tenant.reactivated")]
    TenantReactivated,
    /// The tenant got a new secret, which is not in the callback.
    #[serde(rename = "tenant.secret_rotated")]
    TenantSecretRotated,
    /// Somebody tests the receiver.
    #[serde(rename = "ping")]
    Ping,
}

impl EventType {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::QrLoginApproved,
        Self::QrLoginDenied,
        Self::QrLoginExpired,
        Self::PairingCreated,
        Self::PairingRemoved,
        Self::PasskeyRegistered,
        Self::PasskeyUsed,
        Self::PasskeyRenamed,
        Self::PasskeyRevoked,
        Self::PasskeyCloneSuspected,
        Self::TenantSuspended,
        Self::TenantReactivated,
        Self::TenantSecretRotated,
        Self::Ping,
    ];

    /// Its name, as bodies have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QrLoginApproved => "qr_login.approved",
            Self::QrLoginDenied => "qr_login.denied",
            Self::QrLoginExpired => "qr_login.expired",
            Self::PairingCreated => "pairing.created",
            Self::PairingRemoved => "pairing.removed",
            Self::PasskeyRegistered => "passkey.registered",
            Self::PasskeyUsed => "passkey.used",
            Self::PasskeyRenamed => "passkey.renamed",
            Self::PasskeyRevoked => "passkey.revoked",
            Self::PasskeyCloneSuspected => "passkey.clone_suspected",
            Self::TenantSuspended => "tenant.suspended",
            Self::TenantReactivated => "tenant.reactivated",
            Self::TenantSecretRotated => "tenant.secret_rotated",
            Self::Ping => "ping",
        }
    }

    /// Reads what [`EventType::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event_type| event_type.as_str() == text)
    }

    /// The flow that it belongs to.
    pub fn flow(self) -> Flow {
        match self {
            Self::QrLoginApproved | Self::QrLoginDenied | Self::QrLoginExpired => Flow::QrLogin,
            Self::PairingCreated | Self::PairingRemoved => Flow::Pairing,
            Self::PasskeyRegistered
            | Self::PasskeyUsed
            | Self::PasskeyRenamed
            | Self::PasskeyRevoked
            | Self::PasskeyCloneSuspected => Flow::Passkey,
            Self::TenantSuspended | Self::TenantReactivated | Self::TenantSecretRotated => Flow::Tenant,
            Self::Ping => Flow::Test,
        }
    }

    /// Whether it is delivered while the tenant is suspended, too: it tells of the suspension and of what ends it.
    pub fn is_delivered_while_suspended(self) -> bool {
        self.flow() == Flow::Tenant
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A type of event, such as `passkey.revoked`, or all types that begin alike, such as `qr_login.*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypePattern(String);

impl TypePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// If it is neither a type nor the beginning of one and `.*`. A type that will come to exist is not one yet: a
    /// typing error would otherwise silence a receiver without a word.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let is_beginning = text.strip_suffix('*').is_some_and(|beginning| {
            beginning.ends_with('.')
                && EventType::ALL.iter().any(|event_type| event_type.as_str().starts_with(beginning))
        });
        if is_beginning || EventType::parse(text).is_some() {
            Ok(Self(text.to_owned()))
        } else {
            Err(Problem::new("must be a type of callback such as passkey.revoked, or several such as qr_login.*"))
        }
    }

    /// Restores a stored value. It is not checked again: a type that is given up later must not make a tenant
    /// unreadable.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether it names this type.
    pub fn matches(&self, event_type: EventType) -> bool {
        let name = event_type.as_str();
        self.0.strip_suffix('*').map_or(self.0 == name, |beginning| name.starts_with(beginning))
    }
}

string_newtype! { TypePattern, expected: "a type of callback", schema: {
    "type": "string",
    "description": "A type of callback such as `passkey.revoked`, or all that begin alike, such as `qr_login.*`.",
} }

/// The types of callbacks that a tenant wants: no other is written down, let alone sent. Empty: none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct CallbackTypes(#[schemars(length(max = 20))] Vec<TypePattern>);

impl CallbackTypes {
    /// The most patterns: all there are, and some room.
    const MOST: usize = 20;

    /// What a receiver of the original interface has a path for. It answers 404 to any other flow, and 404 is a
    /// failure: so what it does not know is not sent unless a tenant asks for it.
    const DEFAULT: [&str; 6] =
        ["qr_login.*", "pairing.*", "passkey.registered", "passkey.revoked", "passkey.clone_suspected", "ping"];

    /// Takes back patterns that were stored, however many there are.
    pub fn from_stored(patterns: Vec<TypePattern>) -> Self {
        Self(patterns)
    }

    /// The patterns, in the order in which they were given.
    pub fn as_slice(&self) -> &[TypePattern] {
        &self.0
    }

    /// Whether the tenant wants callbacks of this type.
    pub fn wants(&self, event_type: EventType) -> bool {
        self.0.iter().any(|pattern| pattern.matches(event_type))
    }
}

impl Default for CallbackTypes {
    fn default() -> Self {
        Self(Self::DEFAULT.map(TypePattern::from_stored).into())
    }
}

impl<'de> Deserialize<'de> for CallbackTypes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = CallbackTypes;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "a list of at most {} types of callbacks", CallbackTypes::MOST)
            }

            // Stops at the first pattern too many instead of reading them all and counting then.
            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<CallbackTypes, A::Error> {
                let mut patterns = Vec::new();
                while let Some(pattern) = sequence.next_element()? {
                    if patterns.len() == CallbackTypes::MOST {
                        let most = CallbackTypes::MOST;
                        return Err(de::Error::custom(format_args!(
                            "must be a list of at most {most} types of callbacks"
                        )));
                    }
                    patterns.push(pattern);
                }
                Ok(CallbackTypes(patterns))
            }
        }

        deserializer.deserialize_seq(List)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Flow, and its types.
    const TABLE: &str = "
        qr-login qr_login.approved qr_login.denied qr_login.expired
        pairing pairing.created pairing.removed
        passkey passkey.registered passkey.used passkey.renamed passkey.revoked passkey.clone_suspected
        tenant tenant.suspended tenant.reactivated tenant.secret_rotated
        test ping
    ";

    #[test]
    fn types_and_flows_have_the_names_of_the_contract() {
        let mut all = Vec::new();
        for row in TABLE.trim().lines() {
            let (flow, types) = row.trim().split_once(' ').unwrap();
            let flow = Flow::parse(flow).unwrap();
            assert_eq!(serde_json::to_value(flow).unwrap(), flow.as_str());
            for name in types.split(' ') {
                let event_type = EventType::parse(name).unwrap();
                assert_eq!(event_type.flow(), flow);
                assert_eq!(serde_json::to_value(event_type).unwrap(), name);
                assert_eq!(serde_json::from_value::<EventType>(name.into()).unwrap(), event_type);
                assert_eq!(event_type.is_delivered_while_suspended(), name.starts_with("tenant."), "{name}");
                all.push(event_type);
            }
        }
        assert_eq!(all, EventType::ALL);
    }

    #[test]
    fn what_is_no_list_is_told_what_it_should_be() {
        let refused = serde_json::from_value::<CallbackTypes>("ping".into()).unwrap_err().to_string();
        assert!(refused.contains(&format!("a list of at most {} types", CallbackTypes::MOST)), "{refused}");
    }

    #[test]
    fn by_default_a_tenant_gets_what_a_receiver_of_the_original_knows() {
        let types = CallbackTypes::default();
        let unwanted: Vec<_> = EventType::ALL.into_iter().filter(|event_type| !types.wants(*event_type)).collect();
        let names: Vec<_> = unwanted.into_iter().map(EventType::as_str).collect();
        assert_eq!(
            names,
            ["passkey.used", "passkey.renamed", "tenant.suspended", "tenant.reactivated", "tenant.secret_rotated"]
        );
        let parsed: CallbackTypes = serde_json::from_value(serde_json::to_value(&types).unwrap()).unwrap();
        assert_eq!(parsed, types);
    }

    #[test]
    fn a_pattern_is_a_type_or_the_beginning_of_some() {
        for text in ["qr_login.*", "pairing.*", "passkey.*", "tenant.*", "ping", "tenant.suspended"] {
            assert_eq!(TypePattern::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            "*",
            ".*",
            "*.*",
            "q*",
            "qr_login*",
            "qr_login.",
            "qr_login.a*",
            "qr-login.*",
            "QR_LOGIN.*",
            "ping.*",
            "pin*",
            "test.*",
            "test",
            "*.approved",
            "qr_login.*.*",
            "qr_login.* ",
            " ping",
            "qr_login",
            "passkey.deleted",
        ] {
            assert!(TypePattern::parse(text).is_err(), "{text}");
        }
        let types = |json: &str| serde_json::from_str::<CallbackTypes>(json);
        assert!(EventType::ALL.iter().all(|event_type| !types("[]").unwrap().wants(*event_type)));
        assert!(types(r#"["tenant.*"]"#).unwrap().wants(EventType::TenantSuspended));
        assert!(!types(r#"["passkey.used"]"#).unwrap().wants(EventType::PasskeyRenamed));
        for json in [r#""ping""#, "null", "{}", "[null]", r#"["pong"]"#] {
            assert!(types(json).is_err(), "{json}");
        }
        assert!(types(&serde_json::to_string(&["ping"; 20]).unwrap()).is_ok());
        assert!(types(&serde_json::to_string(&["ping"; 21]).unwrap()).unwrap_err().to_string().contains("at most 20"));
    }

    #[test]
    fn a_stored_pattern_of_a_type_that_is_gone_matches_nothing() {
        let types =
            CallbackTypes::from_stored(vec![TypePattern::from_stored("gone.*"), TypePattern::from_stored("pin")]);
        assert!(EventType::ALL.iter().all(|event_type| !types.wants(*event_type)));
    }
}
