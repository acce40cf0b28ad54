//! A tenant with the receivers of its callbacks and its standby key, as its operator sees them.

use std::collections::BTreeMap;

use super::{Tenants, key_set};
use crate::domain::{CallbackState, Flow, ReceiverSummary, StandbyKey, Tenant, TenantId, Timestamp};
use crate::error::Result;
use crate::store::callbacks::{items, receivers};
use crate::store::dynamodb::{Item, at, failed, found, text};
use crate::store::keys;

/// How many callbacks of a tenant are looked at for those that are pending, the newest first. What is pending is of the
/// last days unless its flow is disabled, and what is delivered stays for thirty. The alternatives, a counter or an
/// index by tenant, cost writes at each event, for a number that is seldom asked for.
const LOOKED_AT: i32 = 500;

/// The receivers of a tenant.
#[derive(Debug)]
pub struct Receivers {
    /// One for each flow.
    pub by_flow: BTreeMap<Flow, ReceiverSummary>,
    /// The time of the oldest callback that was looked at, if there may be older ones; `None` if all were.
    pub counted_since: Option<Timestamp>,
}

impl Tenants<'_> {
    /// A tenant with the receivers of its callbacks and its standby key; `None` if there is no such tenant. Two calls.
    /// What is pending is read with eventual consistency, at half the price: it changes all the time.
    ///
    /// # Errors
    /// If the table fails or an item can't be read.
    pub async fn with_receivers(self, id: &TenantId) -> Result<Option<(Tenant, Receivers, Option<StandbyKey>)>> {
        let deliveries: Vec<_> = Flow::ALL.into_iter().map(|flow| keys::delivery(id, flow)).collect();
        let extra = deliveries.iter().cloned().chain([keys::key_set(id)]).collect();
        let (Some(tenant), found) = self.read(id, extra).await? else { return Ok(None) };
        let standby = at(&found, &keys::key_set(id)).map(key_set::standby).transpose()?.flatten();
        let mut by_flow = BTreeMap::new();
        for (flow, key) in Flow::ALL.into_iter().zip(&deliveries) {
            by_flow.insert(flow, receivers::summary(at(&found, key).unwrap_or(&Item::default()))?);
        }
        let query = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .key_condition_expression("pk = :partition")
            .expression_attribute_values(":partition", text(keys::callbacks(id)))
            .projection_expression(items::SUMMARY)
            .scan_index_forward(false)
            .limit(LOOKED_AT);
        let answer = query.send().await.map_err(failed)?;
        let is_cut = answer.last_evaluated_key.is_some();
        let mut counted_since = None;
        for item in self::found(answer.items) {
            // One that can't be read is a failure of its delivery, and in the way of its own list only.
            let Ok(callback) = items::summary(&item) else { continue };
            counted_since = is_cut.then_some(callback.created_at);
            if callback.state == CallbackState::Pending
                && let Some(receiver) = by_flow.get_mut(&callback.event_type.flow())
            {
                receiver.count_pending(callback.created_at);
            }
        }
        Ok(Some((tenant, Receivers { by_flow, counted_since }, standby)))
    }
}
