//! The token of a device's session: opaque, and bound to the device's key.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::device::DeviceId;
use crate::domain::credentials::key_hash::KeyHash;
use crate::domain::credentials::key_text::{self, KeyText};
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::people::{LinkedUserId, linked_id};
use crate::domain::values::random::{Random, RandomnessUnavailable, draw};

/// What tokens start with.
pub(in crate::domain) const PREFIX: &str = "ds_";

/// The bytes that name a device and its person.
const NAMED: usize = key_text::ID + linked_id::BYTES;

/// The token of a device's session: `ds_` and 116 characters, made like an API key. It names its tenant, its device and
/// its person, so that all that a device's call is about is read at once. What is stored is its SHA-256.
#[derive(ZeroizeOnDrop)]
pub struct DeviceSessionToken {
    text: String,
    #[zeroize(skip)]
    claims: DeviceSessionClaims,
}

/// The claims in a token's text. None of them may be trusted before the stored session has been compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceSessionClaims {
    pub tenant_id: TenantId,
    pub device_id: DeviceId,
    pub linked_id: LinkedUserId,
}

impl DeviceSessionToken {
    /// The token of a new device of a tenant's person; `None` if the tenant's id was not made by us.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn generate(
        tenant_id: &TenantId,
        linked_id: &LinkedUserId,
        random: &dyn Random,
    ) -> Result<Option<Self>, RandomnessUnavailable> {
        let device_id = DeviceId::of(draw(random)?);
        Self::renew(
            &DeviceSessionClaims { tenant_id: tenant_id.clone(), device_id, linked_id: linked_id.clone() },
            random,
        )
    }

    /// Another token for the device of these claims.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn renew(claims: &DeviceSessionClaims, random: &dyn Random) -> Result<Option<Self>, RandomnessUnavailable> {
        let named = claims.device_id.bytes().zip(claims.linked_id.bytes());
        let id = named.and_then(|(device, person)| [device.as_slice(), &person].concat().try_into().ok());
        let Some((id, tenant)) = id.zip(claims.tenant_id.project_id()) else { return Ok(None) };
        let text = key_text::write(PREFIX, KeyText::<NAMED> { id, tenant: tenant.into_bytes() }, random)?;
        Ok(Some(Self { text, claims: claims.clone() }))
    }

    /// Reads a token: `None` if it has not the shape of one, or its checksum is wrong.
    pub fn parse(text: &str) -> Option<Self> {
        let KeyText { id, tenant } = key_text::read::<NAMED>(PREFIX, text)?;
        let (device, person) = id.split_first_chunk()?;
        let claims = DeviceSessionClaims {
            tenant_id: TenantId::of(&tenant),
            device_id: DeviceId::of(*device),
            linked_id: LinkedUserId::of(*person.first_chunk()?),
        };
        Some(Self { text: text.to_owned(), claims })
    }

    /// The claims in the token's text.
    pub fn claims(&self) -> &DeviceSessionClaims {
        &self.claims
    }

    /// SHA-256 of the text, which is what is stored. No salt and no stretching: there is nothing to guess in 256 random
    /// bits.
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(&self.text)
    }

    /// The text, for comparing it with what a proof says. Answers to a caller use [`DeviceSessionToken::reveal`].
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Shows the token to the caller, once.
    pub fn reveal(mut self) -> RevealedSessionToken {
        RevealedSessionToken(std::mem::take(&mut self.text))
    }
}

impl fmt::Debug for DeviceSessionToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DeviceSessionToken")
    }
}

/// A token on its way into one response body.
#[derive(Serialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct RevealedSessionToken(String);

impl fmt::Debug for RevealedSessionToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RevealedSessionToken")
    }
}

impl JsonSchema for RevealedSessionToken {
    fn schema_name() -> Cow<'static, str> {
        "RevealedSessionToken".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "password",
            "pattern": "^ds_[a-z2-7]{116}$",
            "description": "Token of a device's session, good for nothing without the device's key.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::values::random::SystemRandomness;
    use crate::domain::{ApiKeySecret, KeyKind};

    fn tenant() -> TenantId {
        TenantId::generate(&SystemRandomness::new()).unwrap()
    }

    fn token(tenant: &TenantId) -> DeviceSessionToken {
        let random = SystemRandomness::new();
        let person = LinkedUserId::generate(&random).unwrap();
        DeviceSessionToken::generate(tenant, &person, &random).unwrap().unwrap()
    }

    #[test]
    fn a_token_names_its_tenant_its_device_and_its_person() {
        let tenant = tenant();
        let person = LinkedUserId::parse("0123456789abcdef01234567").unwrap();
        let token = DeviceSessionToken::generate(&tenant, &person, &SystemRandomness::new()).unwrap().unwrap();
        assert_eq!(token.claims().linked_id, person);
        let read = DeviceSessionToken::parse(token.expose()).unwrap();
        assert_eq!((read.claims(), &read.claims().tenant_id), (token.claims(), &tenant));
        assert!(read.hash().is(&token.hash()));
        assert_eq!(DeviceId::parse(read.claims().device_id.as_str()), Ok(read.claims().device_id.clone()));
        let shown = serde_json::to_value(token.reveal()).unwrap();
        assert!(shown.as_str().unwrap().starts_with("ds_") && shown.as_str().unwrap().len() == 119);
        let schema = serde_json::to_value(schemars::schema_for!(RevealedSessionToken)).unwrap();
        let shape = (&"RevealedSessionToken".into(), &"^ds_[a-z2-7]{116}$".into());
        assert_eq!((&schema["title"], &schema["pattern"]), shape);
    }

    #[test]
    fn a_renewed_token_is_another_of_the_same_device() {
        let old = token(&tenant());
        let new = DeviceSessionToken::renew(old.claims(), &SystemRandomness::new()).unwrap().unwrap();
        assert_eq!(new.claims(), old.claims());
        assert!(!new.hash().is(&old.hash()) && new.expose() != old.expose());
    }

    #[test]
    fn one_changed_character_anywhere_is_noticed() {
        let token = token(&tenant());
        for position in 0..token.expose().len() {
            for replacement in ['a', '7', 'A', '_', '1', ' '] {
                let mut changed = token.expose().to_owned();
                changed.replace_range(position..=position, &replacement.to_string());
                assert!(changed == token.expose() || DeviceSessionToken::parse(&changed).is_none(), "{position}");
            }
        }
    }

    #[test]
    fn a_token_is_no_api_key_and_an_api_key_no_token() {
        let tenant = tenant();
        let key = ApiKeySecret::generate(&tenant, KeyKind::Account, &SystemRandomness::new()).unwrap().unwrap();
        let token = token(&tenant);
        let relabelled = [key.expose().replacen("ak_", "ds_", 1), token.expose().replacen("ds_", "ak_", 1)];
        for text in [key.expose(), &relabelled[0]] {
            assert!(DeviceSessionToken::parse(text).is_none());
        }
        for text in [token.expose(), &relabelled[1]] {
            assert!(ApiKeySecret::parse(text).is_none());
        }
        let foreign = TenantId::parse("tnt_foreign").unwrap();
        let person = LinkedUserId::generate(&SystemRandomness::new()).unwrap();
        assert!(DeviceSessionToken::generate(&foreign, &person, &SystemRandomness::new()).unwrap().is_none());
    }

    #[test]
    fn a_token_does_not_print_itself() {
        let token = token(&tenant());
        assert_eq!(format!("{token:?} {:?}", token.hash()), "DeviceSessionToken KeyHash");
        assert_eq!(format!("{:?}", token.reveal()), "RevealedSessionToken");
    }
}
