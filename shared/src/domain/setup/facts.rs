//! What is known of a tenant's set-up, and what all checks ask of it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::lines::Lines;
use super::refusal::{Refusal, RefusalCause};
use crate::domain::callbacks::receiver::ReceiverSummary;
use crate::domain::callbacks::types::Flow;
use crate::domain::credentials::api_key::ApiKey;
use crate::domain::tenants::tenant::Tenant;
use crate::domain::time::clock::Timestamp;

/// For how long a refusal counts if nothing shows that it was mended.
const COUNTS: Duration = Duration::from_hours(24);

/// By how much a later success shows that a refusal was mended. A second signer with the same mistake is refused again
/// within that time, and noted again within a minute of that.
const SETTLED: Duration = Duration::from_mins(5);

/// What is known of a set-up.
#[derive(Debug, Clone)]
pub struct SetupFacts {
    pub tenant: Tenant,
    /// Its newest API keys, whatever their state.
    pub keys: Vec<ApiKey>,
    /// Time at which the newest organization was registered.
    pub organization: Option<Timestamp>,
    /// Time at which the newest user was registered.
    pub user: Option<Timestamp>,
    /// Time at which the newest customer of the legacy registration was registered.
    pub registered_tenant: Option<Timestamp>,
    /// Receivers of its callbacks.
    pub receivers: BTreeMap<Flow, ReceiverSummary>,
    /// Its last refusal of each cause.
    pub refusals: BTreeMap<RefusalCause, Refusal>,
}

/// What the deployment says where a tenant's configuration says nothing.
#[derive(Debug, Clone, Copy)]
pub struct SetupDefaults {
    pub require_end_user: bool,
    pub passkeys_enabled: bool,
}

/// What a check looks at.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub facts: &'a SetupFacts,
    pub defaults: SetupDefaults,
    pub lines: &'a Lines<'a>,
    pub now: Timestamp,
}

impl Look<'_> {
    /// The latest refusal of these causes that still counts.
    pub fn refused(&self, causes: &[RefusalCause]) -> Option<&Refusal> {
        let since = self.now.minus(COUNTS);
        let found = causes.iter().filter_map(|cause| self.facts.refusals.get(cause));
        found.filter(|refusal| refusal.at >= since).max_by_key(|refusal| refusal.at)
    }

    /// The same of signed calls, of which it is known when one was last accepted.
    pub fn refused_signer(&self, causes: &[RefusalCause]) -> Option<&Refusal> {
        let accepted = self.facts.tenant.signed.last_minute;
        self.refused(causes).filter(|refusal| accepted.is_none_or(|accepted| accepted < refusal.at.plus(SETTLED)))
    }
}
