//! One of a tenant's people, and how a call names one.

use super::linked_id::LinkedUserId;
use crate::domain::ids::external_id::ExternalId;
use crate::domain::passkeys::ids::UserHandle;
use crate::domain::values::random::{Random, RandomnessUnavailable};

/// One of a tenant's people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayPerson {
    /// The tenant's own id.
    pub backend_user_id: ExternalId,
    /// Ours.
    pub linked_id: LinkedUserId,
    /// That of authenticators.
    pub user_handle: UserHandle,
}

impl RelayPerson {
    /// A person that nothing was known of.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn new(backend_user_id: ExternalId, random: &dyn Random) -> Result<Self, RandomnessUnavailable> {
        let (linked_id, user_handle) = (LinkedUserId::generate(random)?, UserHandle::generate(random)?);
        Ok(Self { backend_user_id, linked_id, user_handle })
    }
}

/// How a call names a person: by our id, by the tenant's own, or by both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonRef {
    Linked(LinkedUserId),
    Backend(ExternalId),
    Both(LinkedUserId, ExternalId),
}

impl PersonRef {
    /// The person that these fields name; `None` if they name nobody.
    pub fn of(linked_id: Option<LinkedUserId>, backend_user_id: Option<ExternalId>) -> Option<Self> {
        match (linked_id, backend_user_id) {
            (None, None) => None,
            (Some(linked_id), None) => Some(Self::Linked(linked_id)),
            (None, Some(backend_user_id)) => Some(Self::Backend(backend_user_id)),
            (Some(linked_id), Some(backend_user_id)) => Some(Self::Both(linked_id, backend_user_id)),
        }
    }

    /// Our id, if the call has it.
    pub fn linked_id(&self) -> Option<&LinkedUserId> {
        match self {
            Self::Linked(linked_id) | Self::Both(linked_id, _) => Some(linked_id),
            Self::Backend(_) => None,
        }
    }

    /// The tenant's own id, if the call has it.
    pub fn backend_user_id(&self) -> Option<&ExternalId> {
        match self {
            Self::Backend(backend_user_id) | Self::Both(_, backend_user_id) => Some(backend_user_id),
            Self::Linked(_) => None,
        }
    }

    /// Whether it names this person. If it has both ids, both have to be right.
    pub fn names(&self, person: &RelayPerson) -> bool {
        self.linked_id().is_none_or(|id| *id == person.linked_id)
            && self.backend_user_id().is_none_or(|id| *id == person.backend_user_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::values::random::SystemRandomness;

    #[test]
    fn a_person_is_named_by_either_id_and_by_both_only_if_both_are_right() {
        let random = SystemRandomness::new();
        let person = |id: &str| RelayPerson::new(ExternalId::parse(id).unwrap(), &random).unwrap();
        let (ada, bob) = (person("ada"), person("bob"));
        let of = |linked: Option<&RelayPerson>, backend: Option<&RelayPerson>| {
            let (linked, backend) =
                (linked.map(|of| of.linked_id.clone()), backend.map(|of| of.backend_user_id.clone()));
            PersonRef::of(linked, backend)
        };
        assert_eq!(of(None, None), None);
        for (linked, backend, is_named) in [
            (Some(&ada), None, true),
            (None, Some(&ada), true),
            (Some(&ada), Some(&ada), true),
            (Some(&bob), None, false),
            (None, Some(&bob), false),
            (Some(&ada), Some(&bob), false),
            (Some(&bob), Some(&ada), false),
        ] {
            assert_eq!(of(linked, backend).unwrap().names(&ada), is_named, "{linked:?} {backend:?}");
        }
    }
}
