//! What opens the console: the code of a link, and the token of the session that comes of it.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::session::{ConsoleId, ConsoleParty};
use crate::domain::credentials::key_hash::KeyHash;
use crate::domain::credentials::key_text::{self, ID, KeyText, TENANT};
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::values::newtype::Text;
use crate::domain::values::problem::Problem;
use crate::domain::values::random::{Random, RandomnessUnavailable, draw};

/// What the codes of links start with.
pub(in crate::domain) const LINK: &str = "cl_";
/// What the tokens of sessions start with.
pub(in crate::domain) const SESSION: &str = "cs_";

/// In the place of the tenant where a text is the operator's. No tenant has it: theirs are random, with the bits of a
/// version (RFC 9562 §4) that are not all ones.
const OPERATOR: [u8; TENANT] = [0xff; TENANT];

/// Whose a text is: the id that link and session share, and the party.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    id: ConsoleId,
    party: ConsoleParty,
}

impl Named {
    fn read(prefix: &str, text: &str) -> Option<Self> {
        let KeyText { id, tenant } = key_text::read::<ID>(prefix, text)?;
        let party =
            if tenant == OPERATOR { ConsoleParty::Operator } else { ConsoleParty::Tenant(TenantId::of(&tenant)) };
        Some(Self { id: ConsoleId::of(id), party })
    }

    /// A new text; `None` if the tenant's id was not made by us.
    fn write(&self, prefix: &str, random: &dyn Random) -> Result<Option<String>, RandomnessUnavailable> {
        let tenant = match &self.party {
            ConsoleParty::Operator => Some(OPERATOR),
            ConsoleParty::Tenant(id) => id.project_id().map(uuid::Uuid::into_bytes),
        };
        let Some((id, tenant)) = self.id.bytes().zip(tenant) else { return Ok(None) };
        key_text::write(prefix, KeyText::<ID> { id, tenant }, random).map(Some)
    }
}

/// Defines a text that names its party and can't be printed, as its prefix and its first line say.
macro_rules! console_secret {
    ($(#[$doc:meta])* $name:ident: $prefix:expr) => {
        $(#[$doc])*
        #[derive(ZeroizeOnDrop)]
        pub struct $name {
            text: String,
            #[zeroize(skip)]
            named: Named,
        }

        impl $name {
            /// Reads a text: `None` if it has not the shape of one, or its checksum is wrong.
            pub fn parse(text: &str) -> Option<Self> {
                Some(Self { named: Named::read($prefix, text)?, text: text.to_owned() })
            }

            /// The id that a link and its session share. It may not be trusted before what is stored was compared.
            pub fn id(&self) -> &ConsoleId {
                &self.named.id
            }

            /// Whose console it claims to open.
            pub fn party(&self) -> &ConsoleParty {
                &self.named.party
            }

            /// SHA-256 of the text, which is what is stored.
            pub fn hash(&self) -> KeyHash {
                KeyHash::of(&self.text)
            }

            /// The text, for the places that seal it or compare it with a proof. Answers to a caller use `reveal`.
            pub fn expose(&self) -> &str {
                &self.text
            }

            /// Shows it to the caller, once.
            pub fn reveal(mut self) -> RevealedConsoleSecret {
                RevealedConsoleSecret(std::mem::take(&mut self.text))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(stringify!($name))
            }
        }
    };
}

console_secret! {
    /// The code of a link, made like an API key: `cl_` and 96 characters. It opens one session, once.
    ConsoleCode: LINK
}

console_secret! {
    /// The token of a session: `cs_` and 96 characters. It opens nothing without the key that it is bound to.
    ConsoleToken: SESSION
}

impl ConsoleCode {
    /// The code of a new link; `None` if the tenant's id was not made by us.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn generate(party: ConsoleParty, random: &dyn Random) -> Result<Option<Self>, RandomnessUnavailable> {
        let named = Named { id: ConsoleId::of(draw(random)?), party };
        Ok(named.write(LINK, random)?.map(|text| Self { text, named }))
    }
}

impl ConsoleToken {
    /// The token of the session that a link opens; `None` if the tenant's id was not made by us.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn generate(link: &ConsoleCode, random: &dyn Random) -> Result<Option<Self>, RandomnessUnavailable> {
        let named = link.named.clone();
        Ok(named.write(SESSION, random)?.map(|text| Self { text, named }))
    }
}

impl<'de> Deserialize<'de> for ConsoleCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(deserializer.deserialize_str(Text("a string"))?);
        let problem = || Problem::new("must be the code of a console link, which starts with cl_");
        Self::parse(&text).ok_or_else(|| de::Error::custom(problem()))
    }
}

impl JsonSchema for ConsoleCode {
    fn schema_name() -> Cow<'static, str> {
        "ConsoleCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^cl_[a-z2-7]{96}$",
            "description": "Code of a console link, from the fragment of its address.",
        })
    }
}

/// A code or a token on its way into one response body.
#[derive(Serialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct RevealedConsoleSecret(String);

impl RevealedConsoleSecret {
    /// The address that opens it, at the service's address, which has no slash at its end. The code is in the fragment,
    /// which no browser sends to a server and none writes into a `Referer`.
    #[must_use]
    pub fn link(&self, base_url: &str) -> Self {
        Self(format!("{base_url}/console#{}", self.0))
    }
}

impl fmt::Debug for RevealedConsoleSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RevealedConsoleSecret")
    }
}

impl JsonSchema for RevealedConsoleSecret {
    fn schema_name() -> Cow<'static, str> {
        "RevealedConsoleSecret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "password",
            "pattern": "^(https?://[^#]+#)?c[ls]_[a-z2-7]{96}$",
            "description": "Code of a console link (`cl_` and 96 characters), an address with it in its fragment, or \
                            the token of a console session (`cs_` and 96 characters). It is in this answer only.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::values::random::SystemRandomness;
    use crate::domain::{ApiKeySecret, KeyKind};

    fn parties() -> [ConsoleParty; 2] {
        let tenant = TenantId::generate(&SystemRandomness::new()).unwrap();
        [ConsoleParty::Operator, ConsoleParty::Tenant(tenant)]
    }

    #[test]
    fn link_and_session_have_one_id_and_one_party_and_are_two_secrets() {
        let random = SystemRandomness::new();
        for party in parties() {
            let code = ConsoleCode::generate(party.clone(), &random).unwrap().unwrap();
            let token = ConsoleToken::generate(&code, &random).unwrap().unwrap();
            let (read_code, read_token) =
                (ConsoleCode::parse(code.expose()).unwrap(), ConsoleToken::parse(token.expose()).unwrap());
            for (id, of) in [(read_code.id(), read_code.party()), (read_token.id(), read_token.party())] {
                assert_eq!((id, of), (code.id(), &party));
            }
            assert!(!code.hash().is(&token.hash()) && read_token.hash().is(&token.hash()));
            assert!(ConsoleToken::parse(code.expose()).is_none() && ConsoleCode::parse(token.expose()).is_none());
            assert!(ConsoleToken::parse(&code.expose().replacen(LINK, SESSION, 1)).is_none());
            assert!(ApiKeySecret::parse(token.expose()).is_none());
        }
    }

    #[test]
    fn a_changed_character_is_noticed_and_a_foreign_tenant_has_no_link() {
        let random = SystemRandomness::new();
        let code = ConsoleCode::generate(ConsoleParty::Operator, &random).unwrap().unwrap();
        for position in 0..code.expose().len() {
            let mut changed = code.expose().to_owned();
            let other = if changed[position..].starts_with('a') { "b" } else { "a" };
            changed.replace_range(position..=position, other);
            assert!(ConsoleCode::parse(&changed).is_none(), "{position}");
        }
        let foreign = ConsoleParty::Tenant(TenantId::parse("tnt_foreign").unwrap());
        assert!(ConsoleCode::generate(foreign, &random).unwrap().is_none());
        let tenant = TenantId::generate(&random).unwrap();
        let key = ApiKeySecret::generate(&tenant, KeyKind::Account, &random).unwrap().unwrap();
        assert!(ConsoleCode::parse(key.expose()).is_none());
    }

    #[test]
    fn neither_prints_itself_and_both_are_shown_once() {
        let random = SystemRandomness::new();
        let code = ConsoleCode::generate(ConsoleParty::Operator, &random).unwrap().unwrap();
        let token = ConsoleToken::generate(&code, &random).unwrap().unwrap();
        assert_eq!(format!("{code:?} {token:?}"), "ConsoleCode ConsoleToken");
        let revealed = code.reveal();
        let link = serde_json::to_value(revealed.link("https://a.example")).unwrap();
        assert!(link.as_str().unwrap().starts_with("https://a.example/console#cl_"));
        assert_eq!(format!("{revealed:?}"), "RevealedConsoleSecret");
        let shown = serde_json::to_value(token.reveal()).unwrap();
        assert_eq!(shown.as_str().unwrap().len(), 99);
    }

    #[test]
    fn a_code_is_read_from_json_and_refused_by_its_rule() {
        let refused = serde_json::from_str::<ConsoleCode>("\"cl_x\"").unwrap_err().to_string();
        assert!(refused.starts_with("must be the code of a console link"), "{refused}");
    }
}
