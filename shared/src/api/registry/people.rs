//! A tenant's people, as the operator sees them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::common::Empty;
use crate::api::operation::{Input, Operation, Output, Route};
use crate::api::relay::pairing::PairingView;
use crate::api::relay::passkey_outputs::PasskeyView;
use crate::api::relay::passkeys::person;
use crate::auth::Operator;
use crate::domain::{ExternalId, LinkedUserId, Person, PersonRef, TenantId};
use crate::error::Result;
use crate::store::WholePerson;

/// Shows the devices and passkeys of a person.
#[derive(Debug, Clone, Copy)]
pub struct FetchPerson;

impl Operation for FetchPerson {
    const ROUTE: Route = Route::get("fetch-person", "/api/v1/fetch/person")
        .about("Get the devices and passkeys of one of a tenant's people");
    type Caller = Operator;
    type Query = PersonQuery;
    type Body = Empty;
    type Output = PersonView;
}

/// Query parameters that name a tenant and one of its people.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonQuery {
    /// Id of the tenant: `tnt_` and 32 hexadecimal digits.
    pub tenant_id: TenantId,
    /// Latchkey's id of the person. It or `backend_user_id` is required.
    pub relay_user_linked_id: Option<LinkedUserId>,
    /// The tenant's own id of the person.
    pub backend_user_id: Option<ExternalId>,
}

impl PersonQuery {
    /// The person that the query names.
    ///
    /// # Errors
    /// If it names nobody.
    pub fn person_ref(&self) -> Result<PersonRef> {
        person(self.relay_user_linked_id.as_ref(), self.backend_user_id.as_ref())
    }
}

impl Input for PersonQuery {
    fn tenant_id(&self) -> Option<&str> {
        Some(self.tenant_id.as_str())
    }

    fn person(&self) -> Option<Person<'_>> {
        self.backend_user_id.as_ref().map(Person::EndUser)
    }
}

/// Person of a tenant, with what the person logs in with.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PersonView {
    /// Latchkey's id of the person.
    pub relay_user_linked_id: LinkedUserId,
    /// The tenant's own id of the person.
    pub backend_user_id: ExternalId,
    /// Devices of the person, oldest first; at most 10.
    pub devices: Vec<PairingView>,
    /// Passkeys in use, and the last 20 that were revoked, oldest first.
    pub passkeys: Vec<PasskeyView>,
}

impl From<WholePerson> for PersonView {
    fn from(WholePerson { person, devices, passkeys }: WholePerson) -> Self {
        Self {
            relay_user_linked_id: person.linked_id,
            backend_user_id: person.backend_user_id,
            devices: devices.into_iter().map(PairingView::from).collect(),
            passkeys: passkeys.into_iter().map(PasskeyView::from).collect(),
        }
    }
}

impl Output for PersonView {}
