//! The table for verifiers that are not this one.

use super::*;

/// Writes the rows to the file that is named in `LATCHKEY_REFUSED_TOKENS`, with what a verifier is told of the tenant
/// and a token that is valid at that time: `.ci/run examples` gives them to the verifiers of `examples/`.
pub(super) fn write(rows: &[(&str, String, String)]) {
    let Some(path) = std::env::var_os("LATCHKEY_REFUSED_TOKENS") else { return };
    let keys = TENANT.published().map(|published| {
        let PublishedKey { kid, key, .. } = published;
        json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid, "x": key.x, "y": key.y })
    });
    let table = json!({
        "issuer": TENANT.issuer.as_str(),
        "tenant_id": TENANT.issuer.tenant_id.as_str(),
        "now": NOW,
        "keys": keys,
        "valid": user_token(),
        "refused": rows,
    });
    std::fs::write(path, table.to_string()).unwrap();
}
