//! What is wrong with a credential that whoever sent it can see without asking anybody: its shape, its place, its time.
//!
//! It is told, because it is no secret and because nobody finds it by trial. It is decided before any store is asked,
//! from the request and the clock alone: so it says nothing of whom or what there is.

use std::fmt;

use super::api_key_secret::KeyKind;
use super::secrets::{OperatorKey, TenantSecret};
use crate::domain::console::secrets::{LINK as CONSOLE_LINK, SESSION as CONSOLE_SESSION};
use crate::domain::devices::session_token::PREFIX as DEVICE_SESSION;

/// Defines the enum with the name and the meaning of each fault.
macro_rules! faults {
    ($($name:ident $( ( $type:ty ) )? $( { $field:ident: $field_type:ty } )? = $text:literal $meaning:literal,)*) => {
        /// A fault of a credential that its sender can see. `Display` is the sentence for the sender; it never has
        /// anything in it that was sent.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum CredentialFault {
            $( #[doc = $meaning] $name $( ($type) )? $( { $field: $field_type } )?, )*
        }

        impl CredentialFault {
            /// The names of all faults and what they mean, for the documentation.
            pub const ALL: &'static [(&'static str, &'static str)] = &[$( ($text, $meaning) ),*];

            /// Its name, as clients see it. None is ever renamed.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $( Self::$name { .. } => $text, )*
                }
            }
        }
    };
}

faults! {
    Missing(&'static str) = "credential_missing"
        "no credential was sent, or a header of a signature is missing: `message` says which is wanted",
    Several = "several_credentials"
        "two different credentials were sent, a key with the id of another, or a header of a signature under both of \
         its names",
    WrongHeader(&'static str) = "key_on_the_wrong_header"
        "a credential of another kind, or in the header of another: `message` says where it goes. A tenant secret is \
         never sent: consider it leaked",
    KeyMalformed(&'static str) = "key_malformed"
        "the key is malformed, or stands in `Authorization` without its scheme",
    KeyChecksumWrong = "key_checksum_wrong"
        "the key was cut, mistyped or relabelled: its length or checksum is wrong",
    TokenMalformed = "token_malformed"
        "the bearer is not a token of this service, or was cut",
    TenantIdMalformed = "tenant_id_malformed"
        "`X-Latchkey-Tenant-Id` is not `tnt_` and letters or digits: the project's uuid is not it",
    TimestampNotMilliseconds = "timestamp_not_milliseconds"
        "`X-Latchkey-Timestamp` is no whole number of milliseconds since 1970, which has 13 digits: seconds have 10",
    TimestampOutOfWindow { server_time_ms: i64 } = "timestamp_out_of_window"
        "`X-Latchkey-Timestamp` is more than 30 seconds off; the refusal has the server's time as `server_time_ms`",
    SignatureNotLowerHex = "signature_not_lower_hex"
        "`X-Latchkey-Signature` is not 64 lower-case hexadecimal digits, with `v2=` before them or nothing: no \
         base64, no capitals",
    VersionPrefixMissing = "version_prefix_missing"
        "there is a nonce, which only v2 has, and no `v2=` before the signature",
    NonceMalformed = "nonce_malformed"
        "`X-Latchkey-Nonce` is missing, or is not 16 to 64 letters, digits, `+`, `/`, `=`, `-` and `_`",
    BodyOfCallback = "body_of_a_callback"
        "the body is that of a callback, which is no call",
}

impl fmt::Display for CredentialFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(wanted) => write!(formatter, "credential is missing: send {wanted}"),
            Self::Several => formatter.write_str(
                "more than one credential was sent, a key with the id of another, or one header under two names",
            ),
            Self::WrongHeader(advice) => formatter.write_str(advice),
            Self::KeyMalformed(form) => write!(formatter, "the key is malformed: {form}"),
            Self::KeyChecksumWrong => formatter.write_str("the key was cut or mistyped: length or checksum is wrong"),
            Self::TokenMalformed => formatter.write_str("the bearer is not a token of this service, or was cut"),
            Self::TenantIdMalformed => {
                formatter.write_str("X-Latchkey-Tenant-Id must be the tenant's id, which starts with tnt_")
            }
            Self::TimestampNotMilliseconds => {
                formatter.write_str("X-Latchkey-Timestamp must be Unix time in milliseconds: 13 digits and no more")
            }
            Self::TimestampOutOfWindow { server_time_ms } => {
                write!(formatter, "X-Latchkey-Timestamp is more than 30 s off: it is {server_time_ms} here")
            }
            Self::SignatureNotLowerHex => formatter.write_str(
                "X-Latchkey-Signature must be 64 lower-case hexadecimal digits, with v2= before them if it is of v2",
            ),
            Self::VersionPrefixMissing => formatter
                .write_str("X-Latchkey-Signature must begin with v2= if there is a nonce; v1 has none, and no prefix"),
            Self::NonceMalformed => formatter.write_str(
                "X-Latchkey-Nonce must be 16 to 64 letters, digits, +, /, =, - or _ if the signature is of v2",
            ),
            Self::BodyOfCallback => formatter.write_str("the body is that of a callback, and no call's"),
        }
    }
}

/// What a text looks like that was sent as a credential. It says nothing of whether there is such a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialForm {
    ApiKey,
    OperatorKey,
    Token,
    DeviceSession,
    ConsoleSession,
    ConsoleLink,
    TenantSecret,
}

impl CredentialForm {
    /// The form that a text has; `None` if it has none of them.
    pub fn of(text: &str) -> Option<Self> {
        if KeyKind::ALL.iter().any(|kind| text.starts_with(kind.prefix())) {
            return Some(Self::ApiKey);
        }
        if text.starts_with(TenantSecret::PREFIX) {
            return Some(Self::TenantSecret);
        }
        if text.starts_with(DEVICE_SESSION) {
            return Some(Self::DeviceSession);
        }
        if text.starts_with(CONSOLE_SESSION) {
            return Some(Self::ConsoleSession);
        }
        if text.starts_with(CONSOLE_LINK) {
            return Some(Self::ConsoleLink);
        }
        // The header of every token is a JSON object (RFC 7515 §3.1).
        if text.starts_with("eyJ") && text.split('.').count() == 3 {
            return Some(Self::Token);
        }
        OperatorKey::parse(text).map(|_| Self::OperatorKey)
    }

    /// What is wrong with a text that was sent where a credential of this form is wanted, and is none.
    pub fn fault(self, text: &str) -> CredentialFault {
        match (Self::of(text), self) {
            (Some(Self::Token) | None, Self::Token) => CredentialFault::TokenMalformed,
            (None, Self::OperatorKey) => CredentialFault::KeyMalformed("X-Admin-Key is 48 letters and digits"),
            (None, Self::DeviceSession) => CredentialFault::KeyMalformed("a device session begins with ds_"),
            (None, Self::ConsoleSession) => CredentialFault::KeyMalformed("a console session begins with cs_"),
            (None, _) => CredentialFault::KeyMalformed(
                "Authorization: Bearer or X-API-KEY, and a text that begins with up_embed_, up_admin_ or ak_",
            ),
            (Some(form), wanted) if form == wanted => CredentialFault::KeyChecksumWrong,
            (Some(form), _) => CredentialFault::WrongHeader(form.advice()),
        }
    }

    /// Where a credential of this form goes.
    pub fn advice(self) -> &'static str {
        match self {
            Self::ApiKey => "an API key goes in X-API-KEY, and opens no endpoint of the operator or of a device",
            Self::OperatorKey => "the operator's key goes in X-Admin-Key, and opens the registry alone",
            Self::Token => "a token goes in Authorization: Bearer, and is no key",
            Self::DeviceSession => "a device session goes in Authorization: DPoP",
            Self::ConsoleSession => {
                "a console session goes in Authorization: DPoP, and opens the registry or a tenant's console alone"
            }
            Self::ConsoleLink => "the code of a console link opens a session, at /api/v1/console/session, and no more",
            Self::TenantSecret => "a tenant secret signs calls of the relay and is never sent: rotate it",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_fault_has_a_name_of_its_own_in_snake_case() {
        let names: BTreeSet<_> = CredentialFault::ALL.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), CredentialFault::ALL.len());
        for name in names {
            assert!(name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_')), "{name}");
        }
    }

    #[test]
    fn every_fault_says_what_to_do_in_a_sentence_of_its_own() {
        use CredentialForm::{ApiKey, ConsoleLink, ConsoleSession, DeviceSession, OperatorKey, TenantSecret, Token};
        let advice = [ApiKey, OperatorKey, Token, DeviceSession, ConsoleSession, ConsoleLink, TenantSecret]
            .map(CredentialForm::advice);
        let headers = ["X-API-KEY", "X-Admin-Key", "Bearer", "DPoP", "DPoP", "/api/v1/console/session", "never sent"];
        for (sentence, header) in advice.iter().zip(headers) {
            assert!(sentence.contains(header), "{sentence}");
        }
        let faults = [
            CredentialFault::Missing("X-Admin-Key"),
            CredentialFault::Several,
            CredentialFault::WrongHeader(ApiKey.advice()),
            CredentialFault::KeyMalformed("X-Admin-Key is 48 letters and digits"),
            CredentialFault::KeyChecksumWrong,
            CredentialFault::TokenMalformed,
            CredentialFault::TenantIdMalformed,
            CredentialFault::TimestampNotMilliseconds,
            CredentialFault::TimestampOutOfWindow { server_time_ms: 7 },
            CredentialFault::SignatureNotLowerHex,
            CredentialFault::VersionPrefixMissing,
            CredentialFault::NonceMalformed,
            CredentialFault::BodyOfCallback,
        ];
        let sentences: BTreeSet<_> = faults.iter().map(ToString::to_string).collect();
        assert_eq!((faults.len(), sentences.len()), (CredentialFault::ALL.len(), faults.len()));
        assert!(sentences.iter().all(|sentence| sentence.len() > 30), "{sentences:?}");
    }

    #[test]
    fn a_credential_in_the_place_of_another_is_told_where_it_goes() {
        use CredentialForm::{ApiKey, ConsoleLink, ConsoleSession, DeviceSession, OperatorKey, TenantSecret, Token};
        let operator = "a".repeat(48);
        let cases = [
            ("ak_x", ApiKey),
            ("up_admin_x", ApiKey),
            ("up_embed_x", ApiKey),
            ("sk_x", TenantSecret),
            ("ds_x", DeviceSession),
            ("cs_x", ConsoleSession),
            ("cl_x", ConsoleLink),
            ("eyJh.e30.x", Token),
            (operator.as_str(), OperatorKey),
        ];
        for (text, form) in cases {
            assert_eq!(CredentialForm::of(text), Some(form), "{text}");
            for wanted in [ApiKey, OperatorKey, DeviceSession, ConsoleSession, Token] {
                let name = wanted.fault(text).as_str();
                let expected = match (form == wanted, wanted) {
                    (false, _) => "key_on_the_wrong_header",
                    (true, Token) => "token_malformed",
                    (true, _) => "key_checksum_wrong",
                };
                assert_eq!(name, expected, "{text} for {wanted:?}");
            }
        }
        for text in ["", "x", "ak", "UP_ADMIN_x", "a.b.c", "eyJh.e30", &"a".repeat(47), &"!".repeat(48)] {
            assert_eq!(CredentialForm::of(text), None, "{text}");
            assert_eq!(ApiKey.fault(text).as_str(), "key_malformed");
            assert_eq!(OperatorKey.fault(text).as_str(), "key_malformed");
            assert_eq!(Token.fault(text), CredentialFault::TokenMalformed);
        }
    }

    proptest! {
        #[test]
        fn no_sentence_repeats_what_was_sent(text in "[a-z]{3}_SENT[a-zA-Z0-9.]{0,60}") {
            for wanted in [CredentialForm::ApiKey, CredentialForm::OperatorKey, CredentialForm::Token] {
                prop_assert!(!wanted.fault(&text).to_string().contains("SENT"));
            }
        }
    }
}
