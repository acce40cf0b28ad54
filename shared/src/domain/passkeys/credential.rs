//! The JSON that `PublicKeyCredential.toJSON()` gives (§5.1).

use serde_json::Value;

use super::cause::PasskeyCause;
use super::ids::{CredentialId, decode};

/// A credential whose outer members are in order.
#[derive(Debug, Clone, Copy)]
pub struct Credential<'a> {
    response: &'a Value,
    id: &'a str,
}

impl<'a> Credential<'a> {
    /// Reads a credential. Members that are not named here say nothing that the signed ones do not.
    pub fn read(value: &'a Value) -> Result<Self, PasskeyCause> {
        if text(value, "type")? != "public-key" {
            return Err(PasskeyCause::WrongCredentialType);
        }
        let (id, raw_id) = (text(value, "id")?, text(value, "rawId")?);
        if id != raw_id {
            return Err(PasskeyCause::IdMismatch);
        }
        let response = value.get("response").filter(|response| response.is_object());
        Ok(Self { response: response.ok_or(PasskeyCause::MalformedCredential)?, id })
    }

    /// Its id.
    pub fn id(&self) -> Result<CredentialId, PasskeyCause> {
        decode(self.id).ok_or(PasskeyCause::MalformedBase64url)?;
        CredentialId::parse(self.id).map_err(|_| PasskeyCause::CredentialIdLength)
    }

    /// A member of the response, decoded.
    pub fn bytes(&self, name: &str) -> Result<Vec<u8>, PasskeyCause> {
        decode(text(self.response, name)?).ok_or(PasskeyCause::MalformedBase64url)
    }

    /// Who the response says it is of, decoded. Some libraries of pages write null for nobody.
    pub fn user_handle(&self) -> Result<Option<Vec<u8>>, PasskeyCause> {
        match self.response.get("userHandle") {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.bytes("userHandle").map(Some),
        }
    }

    /// The names of transports of a registration.
    pub fn transports(&self) -> Result<Vec<&'a str>, PasskeyCause> {
        match self.response.get("transports") {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(names)) => {
                names.iter().map(|name| name.as_str().ok_or(PasskeyCause::MalformedCredential)).collect()
            }
            Some(_) => Err(PasskeyCause::MalformedCredential),
        }
    }
}

fn text<'a>(object: &'a Value, name: &str) -> Result<&'a str, PasskeyCause> {
    object.get(name).and_then(Value::as_str).ok_or(PasskeyCause::MalformedCredential)
}
