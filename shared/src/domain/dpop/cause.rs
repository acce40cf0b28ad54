//! Why a proof is refused.

/// Defines the enum with the name of each cause in the log.
macro_rules! causes {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal,)*) => {
        /// The cause for which a DPoP proof is refused. For the log: the client learns only whether another nonce would
        /// help.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DpopCause {
            $($(#[doc = $doc])* $name,)*
        }

        impl DpopCause {
            /// All causes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name, which never changes: searches of the log stand on it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

causes! {
    /// More than 2048 bytes.
    TooLong = "dpop_too_long",
    /// Not three parts with dots between them (RFC 7515 §3.1). Two proofs that the gateway joined are this, too.
    NotThreeParts = "dpop_not_three_parts",
    /// A part is not base64url without padding, in its only spelling.
    NotBase64url = "dpop_not_base64url",
    /// The header is no JSON object.
    HeaderMalformed = "dpop_header_malformed",
    /// The header has a member twice.
    HeaderDoubled = "dpop_header_member_doubled",
    /// The header has no `typ`.
    TypMissing = "dpop_typ_missing",
    /// `typ` is no string.
    TypMalformed = "dpop_typ_malformed",
    /// `typ` is not `dpop+jwt`.
    TypWrong = "dpop_typ_wrong",
    /// The header has no `alg`.
    AlgMissing = "dpop_alg_missing",
    /// `alg` is no string.
    AlgMalformed = "dpop_alg_malformed",
    /// `alg` is not `ES256`.
    AlgWrong = "dpop_alg_wrong",
    /// The header has `crit`: an extension that must not be ignored, and we know none (RFC 7515 §4.1.11).
    CriticalExtension = "dpop_critical_extension",
    /// The header has no `jwk`.
    JwkMissing = "dpop_jwk_missing",
    /// `jwk` is no JSON object.
    JwkMalformed = "dpop_jwk_malformed",
    /// `jwk` has a member twice.
    JwkDoubled = "dpop_jwk_member_doubled",
    /// `jwk` has a member of a private or symmetric key.
    JwkPrivate = "dpop_jwk_private",
    /// `kty` and `crv` of `jwk` are not `EC` and `P-256`.
    JwkNotP256 = "dpop_jwk_not_p256",
    /// `x` and `y` of `jwk` are not 32 bytes each, in base64url.
    JwkNoPoint = "dpop_jwk_no_point",
    /// The claims are no JSON object.
    ClaimsMalformed = "dpop_claims_malformed",
    /// A claim is there twice.
    ClaimDoubled = "dpop_claim_doubled",
    /// There is no `jti`.
    JtiMissing = "dpop_jti_missing",
    /// `jti` is no string of 1 to 128 bytes.
    JtiMalformed = "dpop_jti_malformed",
    /// There is no `htm`.
    HtmMissing = "dpop_htm_missing",
    /// `htm` is no string.
    HtmMalformed = "dpop_htm_malformed",
    /// There is no `htu`.
    HtuMissing = "dpop_htu_missing",
    /// `htu` is no string with a URL.
    HtuMalformed = "dpop_htu_malformed",
    /// There is no `iat`.
    IatMissing = "dpop_iat_missing",
    /// `iat` is no number, or a negative one.
    IatMalformed = "dpop_iat_malformed",
    /// `ath` is no SHA-256 in base64url.
    AthMalformed = "dpop_ath_malformed",
    /// `nonce` is no string.
    NonceMalformed = "dpop_nonce_malformed",
    /// The signature is not that of the key in the header over this proof.
    SignatureWrong = "dpop_signature_wrong",
    /// `htm` is another method.
    HtmWrong = "dpop_htm_wrong",
    /// `htu` is another address.
    HtuWrong = "dpop_htu_wrong",
    /// There is no `ath`, and a token that is bound to a key is presented.
    AthMissing = "dpop_ath_missing",
    /// `ath` is of another token.
    AthWrong = "dpop_ath_wrong",
    /// There is an `ath`, and no token is presented.
    AthUnexpected = "dpop_ath_unexpected",
    /// There is no `nonce`.
    NonceMissing = "dpop_nonce_missing",
    /// We did not make the nonce.
    NonceUnknown = "dpop_nonce_unknown",
    /// The nonce is too old.
    NonceStale = "dpop_nonce_stale",
    /// There is no `nonce`, and `iat` is too old.
    IatPast = "dpop_iat_past",
    /// There is no `nonce`, and `iat` is in the future.
    IatFuture = "dpop_iat_future",
    /// The session is bound to another key.
    KeyWrong = "dpop_key_wrong",
    /// The key has signed a proof with this `jti` before.
    JtiSeen = "dpop_jti_seen",
}

impl DpopCause {
    /// Whether the proof would do with a nonce of now: the answer is then `use_dpop_nonce` (RFC 9449 §8, §9), and
    /// else `invalid_dpop_proof` (§12.2).
    pub fn wants_nonce(self) -> bool {
        matches!(self, Self::NonceMissing | Self::NonceUnknown | Self::NonceStale | Self::IatPast | Self::IatFuture)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_cause_has_a_name_of_its_own_in_snake_case() {
        let names: BTreeSet<_> = DpopCause::ALL.iter().map(|cause| cause.as_str()).collect();
        assert_eq!(names.len(), DpopCause::ALL.len());
        for name in names {
            let is_snake_case = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
            assert!(is_snake_case && name.starts_with("dpop_"), "{name}");
        }
    }

    #[test]
    fn a_nonce_is_asked_for_where_one_would_help() {
        let asking: Vec<_> = DpopCause::ALL.iter().filter(|cause| cause.wants_nonce()).map(|c| c.as_str()).collect();
        let names = ["nonce_missing", "nonce_unknown", "nonce_stale", "iat_past", "iat_future"];
        assert_eq!(asking, names.map(|name| format!("dpop_{name}")));
    }
}
