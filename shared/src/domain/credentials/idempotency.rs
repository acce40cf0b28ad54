//! Repeating a change safely: the caller's idempotency key, what is remembered under it, and the seal on remembered
//! secrets.
//!
//! The header is that of the IETF draft "The Idempotency-Key HTTP Header Field". A key belongs to its caller and to one
//! request: the fingerprint tells another request under the same key apart.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::api_key_secret::ApiKeyId;
use crate::domain::account::viewpoint::Viewpoint;
use crate::domain::console::session::ConsoleId;
use crate::domain::ids::external_id::ExternalId;
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::time::clock::Timestamp;
use crate::domain::values::random::{Random, RandomnessUnavailable, draw};

/// The time for which an outcome is remembered.
pub const REMEMBERED: Duration = Duration::from_hours(24);

/// The time for which a remembered secret can be opened: long enough for a client's retries, short enough that a key
/// which ends up in a log opens nothing.
pub const SECRET_REMEMBERED: Duration = Duration::from_mins(10);

/// Whose an idempotency key is: two callers that see different things never share an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdempotencyScope {
    /// The operator's, whichever of its keys it has.
    Operator,
    /// A caller's of a tenant.
    Caller {
        tenant: TenantId,
        /// The API key of the call; `None` if a token opened it.
        api_key: Option<ApiKeyId>,
        /// What the call sees.
        viewpoint: Viewpoint,
    },
    /// That of a tenant's people in a session of the console.
    Console { tenant: TenantId, session: ConsoleId },
}

impl IdempotencyScope {
    /// What tells it from every other: ids have no slash, and a digest is not `*`.
    fn name(&self) -> String {
        match self {
            Self::Operator => "operator".to_owned(),
            Self::Caller { tenant, api_key, viewpoint } => {
                let credential = api_key.as_ref().map_or("token", ApiKeyId::as_str);
                let seen = viewpoint.external_user_id().map_or_else(|| "*".to_owned(), ExternalId::digest);
                format!("{tenant}/{credential}/{seen}")
            }
            Self::Console { tenant, session } => format!("{tenant}/{session}"),
        }
    }
}

/// One request under an idempotency key, as far as the server may remember it: a digest of the key, a digest of the
/// request, and (in this process's memory only) the key that seals a secret answer.
pub struct IdempotencyKey {
    scope: IdempotencyScope,
    digest: String,
    fingerprint: String,
    at: Timestamp,
    seal: LessSafeKey,
}

impl IdempotencyKey {
    /// Reads the header: 1 to 255 visible ASCII characters.
    ///
    /// `scope` names whose key it is, so that two callers' equal keys never meet. `request` is what has to be the same
    /// when the key comes again, and `at` when it came. `credential` is the secret that authenticated the caller; with
    /// it in the derivation, a copy of the table is not enough to open a sealed answer even when the idempotency key is
    /// as guessable as "1".
    ///
    /// `None` if the header breaks the rule.
    pub fn new(
        key: &str,
        scope: IdempotencyScope,
        request: &[&[u8]],
        credential: &[u8],
        at: Timestamp,
    ) -> Option<Self> {
        if !(1..=255).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let material = Salt::new(HKDF_SHA256, credential).extract(key.as_bytes());
        let name = scope.name();
        let info = [b"latchkey idempotency seal".as_slice(), name.as_bytes()];
        let seal = LessSafeKey::new(UnboundKey::from(material.expand(&info, &AES_256_GCM).ok()?));
        Some(Self {
            digest: hash(&[b"latchkey idempotency key", name.as_bytes(), key.as_bytes()]),
            scope,
            fingerprint: hash(request),
            at,
            seal,
        })
    }

    /// The caller that the key belongs to.
    pub fn scope(&self) -> &IdempotencyScope {
        &self.scope
    }

    /// When the request came.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The name under which the outcome is stored: a digest of scope and key.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// A digest of the request.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Seals `secret` (AES-256-GCM, random nonce in front), so that only a request with the same key can open it.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn seal(&self, secret: &str, random: &dyn Random) -> Result<Vec<u8>, RandomnessUnavailable> {
        let nonce = draw::<NONCE_LEN>(random)?;
        let mut sealed = secret.as_bytes().to_vec();
        self.seal
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&self.digest), &mut sealed)
            .map_err(|_| RandomnessUnavailable)?;
        Ok([nonce.as_slice(), sealed.as_slice()].concat())
    }

    /// Opens what [`IdempotencyKey::seal`] made under the same key. `None` if it was made under another, or was
    /// changed.
    pub fn open(&self, sealed: &[u8]) -> Option<String> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = self.seal.open_in_place(nonce, Aad::from(&self.digest), &mut sealed).ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IdempotencyKey")
    }
}

/// SHA-256 over parts, each preceded by its length so that no two lists of parts give the same bytes; lower-case
/// hexadecimal.
fn hash(parts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part);
    }
    HEXLOWER.encode(context.finish().as_ref())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::IdempotencyScope::Operator;
    use super::*;
    use crate::domain::values::random::SystemRandomness;

    fn now() -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000)
    }

    fn idempotency_key(key: &str, scope: IdempotencyScope, credential: &[u8]) -> IdempotencyKey {
        IdempotencyKey::new(key, scope, &[b"POST", b"{}"], credential, now()).unwrap()
    }

    fn caller(tenant: u8, api_key: Option<&str>, end_user: Option<&str>) -> IdempotencyScope {
        IdempotencyScope::Caller {
            tenant: TenantId::of(&[tenant; 16]),
            api_key: api_key.map(|id| ApiKeyId::parse(id).unwrap()),
            viewpoint: end_user.map(|id| ExternalId::parse(id).unwrap()).into(),
        }
    }

    #[test]
    fn a_key_is_1_to_255_visible_ascii_characters() {
        for key in ["1", &"k".repeat(255), "8e03978e-40d5-43dd-bc93-6894a57f9324", "!~"] {
            assert!(IdempotencyKey::new(key, Operator, &[], b"c", now()).is_some(), "{key}");
        }
        for key in ["", &"k".repeat(256), "a b", "é", "a\tb", "a\u{7f}"] {
            assert!(IdempotencyKey::new(key, Operator, &[], b"c", now()).is_none(), "{key}");
        }
    }

    #[test]
    fn equal_keys_of_two_callers_never_meet() {
        let (one, other) = (Some("key_0000000000000001"), Some("key_0000000000000002"));
        let scopes = [
            Operator,
            caller(1, one, None),
            caller(2, one, None),
            caller(1, other, None),
            caller(1, one, Some("a")),
            caller(1, one, Some("*")),
            caller(1, one, Some("A")),
            caller(1, None, None),
            caller(1, None, Some("a")),
            caller(1, None, Some("token")),
        ];
        let digests: BTreeSet<_> =
            scopes.iter().map(|scope| idempotency_key("1", scope.clone(), b"c").digest().to_owned()).collect();
        assert_eq!(digests.len(), scopes.len());
    }

    #[test]
    fn parts_of_a_request_cannot_run_into_each_other() {
        let fingerprint =
            |parts: &[&[u8]]| IdempotencyKey::new("1", Operator, parts, b"c", now()).unwrap().fingerprint().to_owned();
        assert_ne!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"a", b"bc"]));
        assert_eq!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"ab", b"c"]));
    }

    #[test]
    fn a_sealed_secret_opens_only_under_the_same_key_scope_and_credential() {
        let sealed = idempotency_key("1", Operator, b"admin").seal("sk_secret", &SystemRandomness::new()).unwrap();
        assert_eq!(idempotency_key("1", Operator, b"admin").open(&sealed).as_deref(), Some("sk_secret"));
        for other in [
            idempotency_key("2", Operator, b"admin"),
            idempotency_key("1", caller(1, None, None), b"admin"),
            idempotency_key("1", Operator, b"stolen"),
        ] {
            assert_eq!(other.open(&sealed), None);
        }
    }

    #[test]
    fn a_sealed_secret_that_was_changed_does_not_open() {
        let idempotency_key = idempotency_key("1", Operator, b"admin");
        let sealed = idempotency_key.seal("sk_secret", &SystemRandomness::new()).unwrap();
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert_eq!(idempotency_key.open(&changed), None, "byte {position}");
        }
        assert_eq!(idempotency_key.open(&sealed[..11]), None);
        assert!(!String::from_utf8_lossy(&sealed).contains("secret"));
    }

    #[test]
    fn a_key_does_not_print_itself() {
        assert_eq!(format!("{:?}", idempotency_key("1", Operator, b"admin")), "IdempotencyKey");
    }
}
