//! The statement of a person's decision: what the key of the device signs, and the tenant gets as evidence.
//!
//! It is a compact JWS (RFC 7515) of the key that the device's session is bound to. Header and claims are exactly those
//! that are named here, so that nothing else that this key signs is a statement: the `typ` of a proof of possession is
//! another, and it has a `jwk`. `iat` is what the phone's clock said, which may be minutes off, and nothing is decided
//! by it: that a statement is of now follows from the scan that it names.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;

use super::answer_digest::AnswerDigest;
use super::ids::{QrSessionId, ScanId};
use super::number::MatchNumber;
use crate::domain::credentials::signing_key::{ALGORITHM_NAME, PublicKey};
use crate::domain::devices::DeviceId;
use crate::domain::tenants::origin::Origin;
use crate::domain::tokens::Issuer;
use crate::domain::values::members::Members;
use crate::domain::values::problem::Problem;

/// The `typ` of the header: no other JWT can be taken for a statement.
const TYPE: &str = "qr-decision+jwt";
const HEADER: [&str; 2] = ["alg", "typ"];
const CLAIMS: [&str; 9] =
    ["aud", "iat", "session_id", "scan_id", "device_id", "origin", "match_number", "decision", "display_sha256"];

/// The longest statement that is accepted, in bytes: that with the longest origin and address, and room.
const LONGEST: usize = 2048;

/// The first second that a double cannot tell from its neighbour: 2^53.
const TOO_LATE: u64 = 1 << 53;

/// Defines the enum with the sentence that a client is told of each.
macro_rules! flaws {
    ($($(#[doc = $doc:literal])* $name:ident = $sentence:literal,)*) => {
        /// What is wrong with a statement. The sentence follows the name of its field.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum StatementFlaw {
            $($(#[doc = $doc])* $name,)*
        }

        impl From<StatementFlaw> for Problem {
            fn from(flaw: StatementFlaw) -> Self {
                Self::new(match flaw {
                    $(StatementFlaw::$name => $sentence,)*
                })
            }
        }
    };
}

flaws! {
    /// Not three parts in base64url, or too long.
    Form = "must be a compact JWS of at most 2048 bytes",
    /// Another header.
    Header = "must have exactly the header members alg, ES256, and typ, qr-decision+jwt",
    /// A claim is missing, doubled or unknown.
    Claims = "must have exactly the claims aud, iat, session_id, scan_id, device_id, origin, match_number, decision \
              and display_sha256",
    /// A claim is of another type.
    Type = "has a claim that is not what it must be",
    /// Another key signed it.
    Signature = "must be signed by the key of the device's session",
    /// For another tenant.
    Audience = "has another aud than the tenant's issuer",
    /// About another login.
    Session = "has another session_id than the login",
    /// About another scan.
    Scan = "has another scan_id than the device's scan",
    /// Of another device.
    Device = "has another device_id than that of the session",
    /// About another origin.
    Origin = "has another origin than the login",
    /// Without the number, or with one where none was asked for.
    Number = "must have match_number as two digits if it was asked for, and null if not",
    /// About something that was not shown.
    Display = "has another display_sha256 than that of what scan answered",
}

/// What a person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    Approve,
    Deny,
}

/// What a statement has to say.
#[derive(Debug)]
pub struct ExpectedStatement<'a> {
    /// The tenant, as the `aud` names it.
    pub issuer: &'a Issuer,
    pub session_id: &'a QrSessionId,
    pub scan_id: &'a ScanId,
    pub device_id: &'a DeviceId,
    pub origin: &'a Origin,
    /// The number that the browser shows; `None` if none is asked for.
    pub number: Option<&'a MatchNumber>,
    /// What was shown.
    pub display: &'a AnswerDigest,
}

/// A statement of the right form. Nothing in it may be trusted before [`UnverifiedStatement::verify`].
pub struct UnverifiedStatement<'a> {
    text: &'a str,
    message: &'a str,
    signature: &'a str,
    claims: Claims,
}

impl fmt::Debug for UnverifiedStatement<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UnverifiedStatement")
    }
}

struct Claims {
    aud: String,
    session_id: String,
    scan_id: String,
    device_id: String,
    origin: String,
    match_number: Option<MatchNumber>,
    decision: Choice,
    display_sha256: String,
}

impl Claims {
    fn read(json: &str) -> Result<Self, StatementFlaw> {
        let claims = Members::read(json, StatementFlaw::Claims, StatementFlaw::Claims)?;
        if !claims.are(&CLAIMS) {
            return Err(StatementFlaw::Claims);
        }
        let text = |name| claims.required::<String, _>(name, StatementFlaw::Claims, StatementFlaw::Type);
        let iat: u64 = claims.required("iat", StatementFlaw::Claims, StatementFlaw::Type)?;
        if iat >= TOO_LATE {
            return Err(StatementFlaw::Type);
        }
        let number = claims.raw("match_number").unwrap_or_default();
        let number: Option<String> = serde_json::from_str(number).map_err(|_| StatementFlaw::Type)?;
        let number = number.as_deref().map(MatchNumber::parse).transpose();
        let decision = match text("decision")?.as_str() {
            "approve" => Choice::Approve,
            "deny" => Choice::Deny,
            _ => return Err(StatementFlaw::Type),
        };
        Ok(Self {
            aud: text("aud")?,
            session_id: text("session_id")?,
            scan_id: text("scan_id")?,
            device_id: text("device_id")?,
            origin: text("origin")?,
            match_number: number.map_err(|_| StatementFlaw::Number)?,
            decision,
            display_sha256: text("display_sha256")?,
        })
    }
}

impl<'a> UnverifiedStatement<'a> {
    /// Reads a statement.
    ///
    /// # Errors
    /// If it has not the form of one.
    pub fn parse(text: &'a str) -> Result<Self, StatementFlaw> {
        if text.len() > LONGEST {
            return Err(StatementFlaw::Form);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(StatementFlaw::Form)?;
        let (header, claims) = message.split_once('.').ok_or(StatementFlaw::Form)?;
        let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| StatementFlaw::Form);
        let (header, claims, _) = (decode(header)?, decode(claims)?, decode(signature)?);
        check_header(str::from_utf8(&header).map_err(|_| StatementFlaw::Header)?)?;
        let claims = Claims::read(str::from_utf8(&claims).map_err(|_| StatementFlaw::Claims)?)?;
        Ok(Self { text, message, signature, claims })
    }

    /// Judges the statement of a device that has this key.
    ///
    /// # Errors
    /// If another key signed it, or it is about anything else.
    pub fn verify(&self, key: &PublicKey, expected: &ExpectedStatement<'_>) -> Result<QrStatement, StatementFlaw> {
        if !key.verify(self.message.as_bytes(), self.signature) {
            return Err(StatementFlaw::Signature);
        }
        let Claims { aud, session_id, scan_id, device_id, origin, match_number, decision, display_sha256 } =
            &self.claims;
        for (claimed, expected, flaw) in [
            (aud, expected.issuer.as_str(), StatementFlaw::Audience),
            (session_id, expected.session_id.as_str(), StatementFlaw::Session),
            (scan_id, expected.scan_id.as_str(), StatementFlaw::Scan),
            (device_id, expected.device_id.as_str(), StatementFlaw::Device),
            (origin, expected.origin.as_str(), StatementFlaw::Origin),
            (display_sha256, expected.display.as_str(), StatementFlaw::Display),
        ] {
            if claimed != expected {
                return Err(flaw);
            }
        }
        let outcome = match (expected.number, match_number, decision) {
            (None, Some(_), _) | (Some(_), None, Choice::Approve) => return Err(StatementFlaw::Number),
            (_, _, Choice::Deny) => Choice::Deny,
            (None, None, Choice::Approve) => Choice::Approve,
            (Some(shown), Some(typed), Choice::Approve) => {
                if shown.is(typed) {
                    Choice::Approve
                } else {
                    Choice::Deny
                }
            }
        };
        Ok(QrStatement { text: self.text.to_owned(), outcome })
    }
}

fn check_header(json: &str) -> Result<(), StatementFlaw> {
    let flaw = StatementFlaw::Header;
    let header = Members::read(json, flaw, flaw)?;
    let is = |name, value: &str| header.required::<String, _>(name, flaw, flaw).is_ok_and(|found| found == value);
    if header.are(&HEADER) && is("alg", ALGORITHM_NAME) && is("typ", TYPE) { Ok(()) } else { Err(flaw) }
}

/// A statement that its device made about this scan of this login.
pub struct QrStatement {
    text: String,
    outcome: Choice,
}

impl fmt::Debug for QrStatement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("QrStatement")
    }
}

impl QrStatement {
    /// The statement as it was sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What follows from it: a wrong number denies, whatever was chosen.
    pub fn outcome(&self) -> Choice {
        self.outcome
    }
}

#[cfg(test)]
mod tests;
