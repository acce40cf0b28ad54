//! Signature algorithms of passkeys.

/// An algorithm that is offered, and therefore accepted (IANA COSE Algorithms).
///
/// The three that Web Authentication Level 3 §5.4 recommends. Browsers also make keys of others (ML-DSA in Chromium),
/// which is why the list is enforced at verification too: a registration under an algorithm that no login can be
/// verified with would lock its owner out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PasskeyAlgorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl PasskeyAlgorithm {
    /// In the order in which they are offered; authenticators take the first that they have.
    pub const ALL: [Self; 3] = [Self::Es256, Self::EdDsa, Self::Rs256];

    /// Its COSE identifier.
    pub fn cose_id(self) -> i32 {
        match self {
            Self::Es256 => -7,
            Self::EdDsa => -8,
            Self::Rs256 => -257,
        }
    }

    /// Reads what [`PasskeyAlgorithm::cose_id`] gives.
    pub fn from_cose_id(id: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| i64::from(algorithm.cose_id()) == id)
    }
}
