//! What a page tells the browser about passkeys (Web Authentication Level 3 §5.1.10): each is the argument of the method
//! of its name, as it is.

use schemars::JsonSchema;
use serde::Serialize;

use super::ids::{CredentialId, UserHandle};
use crate::domain::tenants::rp_id::RpId;

/// For `PublicKeyCredential.signalUnknownCredential()`: the browser hides this passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnknownCredential {
    pub rp_id: RpId,
    pub credential_id: CredentialId,
}

/// For `PublicKeyCredential.signalAllAcceptedCredentials()`: the browser hides all other passkeys of the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllAcceptedCredentials {
    pub rp_id: RpId,
    pub user_id: UserHandle,
    pub all_accepted_credential_ids: Vec<CredentialId>,
}

/// For `PublicKeyCredential.signalCurrentUserDetails()`: the browser shows these names from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CurrentUserDetails {
    pub rp_id: RpId,
    pub user_id: UserHandle,
    pub name: String,
    pub display_name: String,
}
