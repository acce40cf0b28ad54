//! API keys as their holders have them: the prefix of their kind, and what [`super::key_text`] says.

use std::fmt;

use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use serde::Serialize;
use zeroize::ZeroizeOnDrop;

use super::key_hash::KeyHash;
use super::key_text::{self, ID, KeyText};
use super::secrets::RevealedSecret;
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;
use crate::domain::values::random::{Random, RandomnessUnavailable, draw};

/// Kind of an API key, which decides what it may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// Issues tokens on the projects surface. Such keys start with `up_embed_`.
    Embed,
    /// Does what an `embed` key does, and registers and lists organizations and users. Such keys start with
    /// `up_admin_`.
    Admin,
    /// Opens the account surface. Such keys start with `ak_`.
    Account,
}

impl KeyKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Embed, Self::Admin, Self::Account];

    /// The prefix of its keys.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Embed => "up_embed_",
            Self::Admin => "up_admin_",
            Self::Account => "ak_",
        }
    }

    /// The kind's name, as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Embed => "embed",
            Self::Admin => "admin",
            Self::Account => "account",
        }
    }

    /// Reads what [`KeyKind::as_str`] gave.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// An API key's id: `key_` and 16 hexadecimal digits, unique within its tenant and never reused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiKeyId(String);

impl ApiKeyId {
    const PREFIX: &'static str = "key_";

    fn of(bytes: [u8; ID]) -> Self {
        Self(format!("{}{}", Self::PREFIX, HEXLOWER.encode(&bytes)))
    }

    /// Reads an id.
    ///
    /// # Errors
    /// If the text is not `key_` and 16 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let bytes = text.strip_prefix(Self::PREFIX).and_then(|digits| HEXLOWER.decode(digits.as_bytes()).ok());
        match bytes {
            Some(bytes) if bytes.len() == ID => Ok(Self(text.to_owned())),
            _ => Err(Problem::new("must be an API key's id, which starts with key_")),
        }
    }
}

string_newtype! { ApiKeyId, expected: "a string", schema: {
    "type": "string",
    "pattern": "^key_[0-9a-f]{16}$",
    "description": "Id of an API key. It is part of the key's text and stays the same when the key is rotated.",
} }

/// An API key as its holder has it.
#[derive(ZeroizeOnDrop)]
pub struct ApiKeySecret {
    text: String,
    #[zeroize(skip)]
    claims: ApiKeyClaims,
}

/// The claims in a key's text. None of them may be trusted before the stored key has been compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyClaims {
    pub kind: KeyKind,
    pub id: ApiKeyId,
    pub tenant_id: TenantId,
}

impl ApiKeySecret {
    /// A new key of `kind` for a tenant; `None` if the tenant's id was not made by us.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn generate(
        tenant_id: &TenantId,
        kind: KeyKind,
        random: &dyn Random,
    ) -> Result<Option<Self>, RandomnessUnavailable> {
        let claims = ApiKeyClaims { kind, id: ApiKeyId::of(draw(random)?), tenant_id: tenant_id.clone() };
        Self::regenerate(&claims, random)
    }

    /// A new secret for the key of these claims: its id stays.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn regenerate(claims: &ApiKeyClaims, random: &dyn Random) -> Result<Option<Self>, RandomnessUnavailable> {
        let digits = claims.id.as_str().strip_prefix(ApiKeyId::PREFIX).unwrap_or_default();
        let id = HEXLOWER.decode(digits.as_bytes()).ok().and_then(|id| <[u8; ID]>::try_from(id).ok());
        let Some((id, tenant)) = id.zip(claims.tenant_id.project_id()) else { return Ok(None) };
        let text = key_text::write(claims.kind.prefix(), KeyText { id, tenant: tenant.into_bytes() }, random)?;
        Ok(Some(Self { text, claims: claims.clone() }))
    }

    /// Reads a key: `None` if it has not the shape of one, or its checksum is wrong.
    pub fn parse(text: &str) -> Option<Self> {
        let kind = KeyKind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()))?;
        let KeyText { id, tenant } = key_text::read::<ID>(kind.prefix(), text)?;
        let claims = ApiKeyClaims { kind, id: ApiKeyId::of(id), tenant_id: TenantId::of(&tenant) };
        Some(Self { text: text.to_owned(), claims })
    }

    /// The claims in the key's text.
    pub fn claims(&self) -> &ApiKeyClaims {
        &self.claims
    }

    /// SHA-256 of the text, which is what is stored. No salt and no stretching: there is nothing to guess in 256 random
    /// bits.
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(&self.text)
    }

    /// Prefix and next four characters: enough for a person to recognize a key by. They are part of the key's id and
    /// reveal nothing of the secret.
    pub fn start(&self) -> String {
        self.text.chars().take(self.claims.kind.prefix().len() + 4).collect()
    }

    /// The text, for sealing it. Answers to a caller use [`ApiKeySecret::reveal`].
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Shows the key to the caller, once.
    pub fn reveal(mut self) -> RevealedSecret {
        RevealedSecret::new(std::mem::take(&mut self.text))
    }
}

impl fmt::Debug for ApiKeySecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKeySecret")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::values::random::SystemRandomness;

    fn tenant() -> TenantId {
        TenantId::generate(&SystemRandomness::new()).unwrap()
    }

    fn key(kind: KeyKind) -> ApiKeySecret {
        ApiKeySecret::generate(&tenant(), kind, &SystemRandomness::new()).unwrap().unwrap()
    }

    #[test]
    fn a_key_says_its_kind_its_tenant_and_its_id() {
        for kind in KeyKind::ALL {
            let tenant = tenant();
            let key = ApiKeySecret::generate(&tenant, kind, &SystemRandomness::new()).unwrap().unwrap();
            assert_eq!(key.expose().len(), kind.prefix().len() + 96);
            let read = ApiKeySecret::parse(key.expose()).unwrap();
            assert_eq!(read.claims(), key.claims());
            assert_eq!((read.claims().kind, &read.claims().tenant_id), (kind, &tenant));
            assert_eq!(ApiKeyId::parse(read.claims().id.as_str()), Ok(read.claims().id.clone()));
            assert!(read.start().starts_with(kind.prefix()) && read.start().len() == kind.prefix().len() + 4);
        }
    }

    #[test]
    fn a_new_secret_keeps_the_id() {
        let old = key(KeyKind::Admin);
        let new = ApiKeySecret::regenerate(old.claims(), &SystemRandomness::new()).unwrap().unwrap();
        assert_eq!((new.claims(), new.start()), (old.claims(), old.start()));
        assert_ne!(new.expose(), old.expose());
    }

    #[test]
    fn one_changed_character_anywhere_is_noticed() {
        let key = key(KeyKind::Embed);
        let text = key.expose();
        for position in 0..text.len() {
            for replacement in [b'a', b'7', b'A', b'_', b'1', b' '] {
                let mut changed = text.as_bytes().to_vec();
                changed[position] = replacement;
                let changed = String::from_utf8(changed).unwrap();
                assert!(changed == text || ApiKeySecret::parse(&changed).is_none(), "position {position}");
            }
        }
    }

    #[test]
    fn a_relabelled_key_is_garbage() {
        let key = key(KeyKind::Embed);
        let body = key.expose().strip_prefix("up_embed_").unwrap();
        for prefix in ["up_admin_", "ak_", "", "sk_", "up_embed_up_embed_", "UP_EMBED_"] {
            assert!(ApiKeySecret::parse(&format!("{prefix}{body}")).is_none());
        }
    }

    #[test]
    fn a_key_does_not_print_itself() {
        let key = key(KeyKind::Account);
        assert_eq!(format!("{key:?} {:?}", key.hash()), "ApiKeySecret KeyHash");
        assert_eq!(format!("{:?}", key.reveal()), "RevealedSecret");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,120}") {
            if let Some(key) = ApiKeySecret::parse(&text) {
                prop_assert_eq!(key.expose(), text.as_str());
            }
        }

        #[test]
        fn noise_of_the_right_shape_is_refused(body in "[a-z2-7]{96}") {
            // One in 2^32 would not be.
            let text = format!("ak_{body}");
            prop_assert!(ApiKeySecret::parse(&text).is_none());
        }
    }

    #[test]
    fn a_hash_survives_the_wire_and_is_no_other() {
        let (one, other) = (key(KeyKind::Embed).hash(), key(KeyKind::Embed).hash());
        let text = one.to_text();
        assert!(text.len() == 64 && KeyHash::parse(&text).unwrap().is(&one) && !one.is(&other));
        for text in ["", "00", &text[2..], &format!("{text}00"), &"A".repeat(64), &"g".repeat(64)] {
            assert!(KeyHash::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_kind_and_an_id_have_one_spelling() {
        for (kind, name, prefix) in [
            (KeyKind::Embed, "embed", "up_embed_"),
            (KeyKind::Admin, "admin", "up_admin_"),
            (KeyKind::Account, "account", "ak_"),
        ] {
            assert_eq!((kind.as_str(), kind.prefix(), KeyKind::parse(name)), (name, prefix, Some(kind)));
        }
        assert_eq!(KeyKind::parse("Admin"), None);
        assert_eq!(ApiKeyId::of([0xa; 8]).as_str(), "key_0a0a0a0a0a0a0a0a");
        for text in
            ["", "key_", "0a0a0a0a0a0a0a0a", "key_0a0a0a0a0a0a0a", "key_0a0a0a0a0a0a0a0a0a", "key_0A0A0A0A0A0A0A0A"]
        {
            assert!(ApiKeyId::parse(text).is_err(), "{text}");
        }
    }
}
