//! As whom a call sees and writes.

use crate::domain::ids::external_id::ExternalId;

/// As whom a call of the account surface sees and writes: what it can reach follows from this alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewpoint {
    /// As one of the tenant's end users: its own rows, and those of nobody in particular where a kind has such.
    EndUser(ExternalId),
    /// As the account itself: everything.
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
