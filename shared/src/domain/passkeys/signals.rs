//! What a page tells the browser about passkeys (Web Authentication Level 3 §5.1.10): each is the argument of the
//! method of its name, as it is.

use schemars::JsonSchema;
use serde::Serialize;

use super::ids::{CredentialId, UserHandle};
use crate::domain::tenants::rp_id::RpId;

/// For `PublicKeyCredential.signalUnknownCredential()`: the browser hides this passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnknownCredential {
    /// Relying party id of the passkey.
    pub rp_id: RpId,
    /// Id of the passkey.
    pub credential_id: CredentialId,
}

/// For `PublicKeyCredential.signalAllAcceptedCredentials()`: the browser hides all other passkeys of the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllAcceptedCredentials {
    /// Relying party id of the passkeys.
    pub rp_id: RpId,
    /// What authenticators know the person by.
    pub user_id: UserHandle,
    /// Ids of all passkeys that the person can log in with.
    pub all_accepted_credential_ids: Vec<CredentialId>,
}

/// For `PublicKeyCredential.signalCurrentUserDetails()`: the browser shows these names from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CurrentUserDetails {
    /// Relying party id of the passkeys.
    pub rp_id: RpId,
    /// What authenticators know the person by.
    pub user_id: UserHandle,
    /// Name of the account, such as an e-mail address.
    pub name: String,
    /// Name of the person.
    pub display_name: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_is_the_argument_of_its_method() {
        let rp_id = RpId::parse("example.com").unwrap();
        let user_id = UserHandle::parse(&"A".repeat(43)).unwrap();
        let credential_id = CredentialId::parse("AAEC").unwrap();
        let unknown = UnknownCredential { rp_id: rp_id.clone(), credential_id: credential_id.clone() };
        assert_eq!(serde_json::to_value(unknown).unwrap(), json!({ "rpId": "example.com", "credentialId": "AAEC" }));
        let accepted = AllAcceptedCredentials {
            rp_id: rp_id.clone(),
            user_id: user_id.clone(),
            all_accepted_credential_ids: vec![credential_id],
        };
        let expected = json!({ "rpId": "example.com", "userId": "A".repeat(43), "allAcceptedCredentialIds": ["AAEC"] });
        assert_eq!(serde_json::to_value(accepted).unwrap(), expected);
        let details = CurrentUserDetails { rp_id, user_id, name: "a".to_owned(), display_name: "A".to_owned() };
        let expected = json!({ "rpId": "example.com", "userId": "A".repeat(43), "name": "a", "displayName": "A" });
        assert_eq!(serde_json::to_value(details).unwrap(), expected);
    }
}
