//! The attestation object: authenticator data, and a statement about the authenticator's model (§6.5.4).

use ciborium::Value;

use super::cause::PasskeyCause;
use super::cbor::{self, CborMap};

/// The authenticator data of an attestation object.
///
/// The statement is not looked at, whatever its format: none was asked for, nobody here decides by the model, and a
/// format that is not known, or a statement that does not verify, must lock nobody out (§7.1 leaves what is
/// not trusted to the relying party).
pub fn authenticator_data(object: &[u8]) -> Result<Vec<u8>, PasskeyCause> {
    let Some((map, [])) = CborMap::read(object) else { return Err(PasskeyCause::MalformedAttestation) };
    let has_statement = map.named("fmt").is_some_and(Value::is_text) && map.named("attStmt").is_some_and(Value::is_map);
    let data = map.named("authData").and_then(Value::as_bytes).filter(|_| has_statement);
    data.cloned().ok_or(PasskeyCause::MalformedAttestation)
}

/// The same authenticator data in an attestation object without a statement. `None` if it can't be written.
pub fn without_statement(authenticator_data: Vec<u8>) -> Option<Vec<u8>> {
    let text = |name: &str| Value::from(name);
    cbor::write(&Value::Map(vec![
        (text("fmt"), text("none")),
        (text("attStmt"), Value::Map(Vec::new())),
        (text("authData"), Value::Bytes(authenticator_data)),
    ]))
}
