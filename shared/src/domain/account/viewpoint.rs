//! The viewpoint of a call.

use crate::domain::external_id::ExternalId;

/// The viewpoint of a call on the account surface. It alone decides which resources the call can read and write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewpoint {
    /// One of the tenant's end users: its own resources, and the shared ones where a kind has such.
    EndUser(ExternalId),
    /// The account itself: all resources.
    Account,
}

impl Viewpoint {
    /// The end user, if it is one.
    pub fn external_user_id(&self) -> Option<&ExternalId> {
        match self {
            Self::EndUser(id) => Some(id),
            Self::Account => None,
        }
    }
}

impl From<Option<ExternalId>> for Viewpoint {
    fn from(external_user_id: Option<ExternalId>) -> Self {
        external_user_id.map_or(Self::Account, Self::EndUser)
    }
}
