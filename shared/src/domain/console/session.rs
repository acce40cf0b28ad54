//! Links and sessions of the console.

use std::time::Duration;

use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::credentials::key_hash::KeyHash;
use crate::domain::credentials::key_text;
use crate::domain::dpop::Thumbprint;
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::time::clock::Timestamp;
use crate::domain::values::ConsoleLabel;
use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;

/// How long a link may be opened.
pub const LINK_LIFETIME: Duration = Duration::from_mins(5);
/// How long a session lasts. It is never renewed: whoever goes on needs another link.
pub const SESSION_LIFETIME: Duration = Duration::from_hours(1);

/// The id of a link and of the session that it opens: `con_` and 16 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConsoleId(String);

impl ConsoleId {
    const PREFIX: &'static str = "con_";

    /// The id of these bytes.
    pub(super) fn of(bytes: [u8; key_text::ID]) -> Self {
        Self(format!("{}{}", Self::PREFIX, HEXLOWER.encode(&bytes)))
    }

    /// The bytes of the id.
    pub(super) fn bytes(&self) -> Option<[u8; key_text::ID]> {
        let digits = self.0.strip_prefix(Self::PREFIX)?;
        HEXLOWER.decode(digits.as_bytes()).ok()?.try_into().ok()
    }

    /// Takes an id back from its text.
    ///
    /// # Errors
    /// If the text is not `con_` and 16 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let id = Self(text.to_owned());
        let problem = || Problem::new("must be the id of a console session, which starts with con_");
        if id.bytes().is_some() { Ok(id) } else { Err(problem()) }
    }
}

string_newtype! { ConsoleId, expected: "a string", schema: {
    "type": "string",
    "pattern": "^con_[0-9a-f]{16}$",
    "description": "Id of a console link, and of the session that it opens.",
} }

/// Whose console it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsoleParty {
    /// The operator's. Its sessions open the registry.
    Operator,
    /// A tenant's. Its sessions open what is that tenant's own.
    Tenant(TenantId),
}

impl ConsoleParty {
    /// The tenant, if it is a tenant's.
    pub fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Operator => None,
            Self::Tenant(id) => Some(id),
        }
    }
}

/// A link that was made and is not opened yet, as it is stored.
#[derive(Debug)]
pub struct ConsoleLink {
    pub id: ConsoleId,
    pub party: ConsoleParty,
    /// Who is to open it, as whoever made it wrote.
    pub label: ConsoleLabel,
    pub hash: KeyHash,
    /// The operator's key with which it was made, if it is the operator's: its session ends with that key.
    pub made_with: Option<KeyHash>,
    /// How often all of the tenant's tokens had been revoked when it was made: the next time ends it.
    pub epoch: u64,
    pub expires_at: Timestamp,
}

impl ConsoleLink {
    /// Whether a code with this hash opens it now, of a tenant whose tokens were revoked that often.
    pub fn opens_with(&self, code: &KeyHash, epoch: u64, now: Timestamp) -> bool {
        code.is(&self.hash) && self.epoch == epoch && now < self.expires_at
    }
}

/// A session, as it is stored.
#[derive(Debug)]
pub struct ConsoleSession {
    pub id: ConsoleId,
    pub party: ConsoleParty,
    pub label: ConsoleLabel,
    /// SHA-256 of its token.
    pub hash: KeyHash,
    /// The key that it is bound to.
    pub thumbprint: Thumbprint,
    /// As of its link.
    pub made_with: Option<KeyHash>,
    /// As of its link.
    pub epoch: u64,
    pub expires_at: Timestamp,
}

impl ConsoleSession {
    /// Whether a token with this hash is its own, and it is not over, of a tenant whose tokens were revoked that often.
    pub fn is_of(&self, token: &KeyHash, epoch: u64, now: Timestamp) -> bool {
        token.is(&self.hash) && self.epoch == epoch && now < self.expires_at
    }
}

/// What sort of console a session opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PartyKind {
    /// The operator's.
    Operator,
    /// A tenant's.
    Tenant,
}

impl From<&ConsoleParty> for PartyKind {
    fn from(party: &ConsoleParty) -> Self {
        match party {
            ConsoleParty::Operator => Self::Operator,
            ConsoleParty::Tenant(_) => Self::Tenant,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = ConsoleId::of([0xab; 8]);
        assert_eq!(id.as_str(), "con_abababababababab");
        assert_eq!(ConsoleId::parse(id.as_str()), Ok(id));
        for text in ["", "con_", "con_ABABABABABABABAB", "con_abababababababa", "dev_abababababababab"] {
            assert!(ConsoleId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_link_and_a_session_end_at_their_time_and_not_later() {
        let at = Timestamp::from_millis(1_000);
        let label = ConsoleLabel::parse("Ada").unwrap();
        let (hash, other) = (KeyHash::of("a"), KeyHash::of("b"));
        let link = ConsoleLink {
            id: ConsoleId::of([1; 8]),
            party: ConsoleParty::Operator,
            label,
            hash: KeyHash::of("a"),
            made_with: None,
            epoch: 2,
            expires_at: at,
        };
        let before = Timestamp::from_millis(999);
        assert!(link.opens_with(&hash, 2, before));
        assert!(!link.opens_with(&hash, 2, at) && !link.opens_with(&other, 2, before));
        assert!(!link.opens_with(&hash, 3, before), "after a revocation");
        let session = ConsoleSession {
            id: ConsoleId::of([1; 8]),
            party: ConsoleParty::Operator,
            label: link.label,
            hash: KeyHash::of("a"),
            thumbprint: Thumbprint::parse(&"A".repeat(43)).unwrap(),
            made_with: None,
            epoch: 2,
            expires_at: at,
        };
        assert!(session.is_of(&hash, 2, before));
        assert!(!session.is_of(&hash, 2, at) && !session.is_of(&hash, 2, Timestamp::from_millis(1_001)));
        assert!(!session.is_of(&other, 2, before) && !session.is_of(&hash, 3, before));
        assert_eq!((LINK_LIFETIME.as_secs(), SESSION_LIFETIME.as_secs()), (300, 3600));
    }
}
