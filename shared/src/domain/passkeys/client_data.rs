//! The client data: what the browser says of the page that asked (§5.8.1).

use super::cause::{PasskeyCause, first_broken};
use super::ids::Challenge;
use super::records::Rules;
use crate::domain::tenants::webauthn_origin::WebauthnOrigin;
use crate::domain::values::members::Members;

/// Which ceremony a response is of, by the `type` of its client data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientDataType {
    Registration,
    Login,
}

impl ClientDataType {
    /// Its `type` in client data.
    fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "webauthn.create",
            Self::Login => "webauthn.get",
        }
    }
}

/// Client data that could be read. Members that are not named here are the future's: Chromium makes some up, so that
/// nobody relies on there being none.
#[derive(Debug)]
pub struct ClientData {
    kind: String,
    challenge: String,
    origin: String,
    /// Whether the page was in a frame of another origin, or may have been: `crossOrigin` is something else than false.
    /// Safari and apps on Android leave it out, which is their false.
    is_framed: bool,
    has_top_origin: bool,
}

impl ClientData {
    /// Reads client data from the bytes that the authenticator signed.
    ///
    /// Readers differ in which of two members of one name they take, so none may be there twice.
    pub fn read(bytes: &[u8]) -> Result<Self, PasskeyCause> {
        let malformed = PasskeyCause::MalformedClientData;
        let text = str::from_utf8(bytes).map_err(|_| malformed)?;
        let members = Members::read(text, malformed, PasskeyCause::DoubleMember)?;
        let text = |name| members.required(name, malformed, malformed);
        Ok(Self {
            kind: text("type")?,
            challenge: text("challenge")?,
            origin: text("origin")?,
            is_framed: members.raw("crossOrigin").is_some_and(|value| value != "false"),
            has_top_origin: members.raw("topOrigin").is_some(),
        })
    }

    /// The challenge. `None` if it can't be one of ours.
    pub fn challenge(&self) -> Option<Challenge> {
        Challenge::parse(&self.challenge).ok()
    }

    /// Holds it against its ceremony.
    pub fn check(
        &self,
        ceremony: ClientDataType,
        challenge: &Challenge,
        origin: &WebauthnOrigin,
        rules: Rules,
    ) -> Result<(), PasskeyCause> {
        let may_be_framed = rules.top_origin.is_some();
        let rules = [
            (self.kind == ceremony.as_str(), PasskeyCause::WrongType),
            (self.challenge == challenge.as_str(), PasskeyCause::WrongChallenge),
            (self.origin == origin.as_str(), PasskeyCause::WrongOrigin),
            (!self.is_framed || may_be_framed, PasskeyCause::CrossOrigin),
            (!self.has_top_origin || may_be_framed, PasskeyCause::TopOrigin),
        ];
        first_broken(rules)
    }
}
