//! Callbacks of a tenant, as its operator sees them.

use serde::{Deserialize, Serialize};

use super::{Committed, Tenants, items as tenant_items};
use crate::domain::{
    Action, CallbackState, CallbackSummary, ChangeContext, Cursor, CursorPage, EventId, Flow, PageLimit, TenantId,
};
use crate::error::{Error, Result};
use crate::store::audit::put_event;
use crate::store::callbacks::{items, receivers};
use crate::store::dynamodb::{Condition, SK, Transaction, failed, text};
use crate::store::keys;
use crate::store::pages::{after_in, page, read_page};

/// What a reactivation answers, as it is stored under an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// How many callbacks waited, and are due now.
    pub resumed: u32,
}

impl Tenants<'_> {
    /// A tenant's callbacks, newest first, without their bodies.
    ///
    /// # Errors
    /// If there is no such tenant, or the cursor is of another list.
    pub async fn callbacks(
        self,
        id: &TenantId,
        cursor: Option<&Cursor>,
        limit: PageLimit,
    ) -> Result<CursorPage<CallbackSummary>> {
        let partition = keys::callbacks(id);
        let name = format!("callbacks/{id}");
        let start = after_in(&partition, cursor, &name, |position| EventId::parse(position).is_ok())?;
        let query = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .consistent_read(true)
            .key_condition_expression("pk = :partition")
            .expression_attribute_values(":partition", text(&partition))
            .scan_index_forward(false)
            .set_exclusive_start_key(start);
        let page_read = read_page(query, limit).await?;
        let callbacks = page(&page_read, limit, &name, SK, |item| items::summary(item).map(Some))?;
        self.of_tenant(id, callbacks).await
    }

    /// Lets callbacks through to a tenant's receivers again, of one flow or of all, and makes due what waited for it.
    /// Nothing is lost if it ends half way: the same call again makes the rest due.
    ///
    /// # Errors
    /// If there is no such tenant.
    pub async fn reactivate_callbacks(
        self,
        id: &TenantId,
        flow: Option<Flow>,
        change: &ChangeContext,
    ) -> Result<Resumed> {
        let flows = flow.map_or_else(|| Flow::ALL.to_vec(), |flow| vec![flow]);
        let mut transaction = Transaction::new();
        let exists = transaction.check(keys::state(id), tenant_items::provisioned());
        for flow in &flows {
            transaction.update(receivers::reactivated(id, *flow), Condition::none());
        }
        let event = change.event(Action::CallbacksReactivated, Vec::new()).with("flow", flow);
        put_event(&mut transaction, id, &event)?;
        match self.commit(change, transaction, &(), None).await? {
            Committed::Refused(refused) if refused.failed(exists) => return Err(Error::TenantNotFound),
            Committed::Refused(_) => return Err(Error::StaleUpdate),
            Committed::Done | Committed::Replay(_) => {}
        }
        let mut resumed = 0;
        for event in self.waiting(id, &flows).await? {
            let (update, waiting) = items::resumed(id, &event, change.at);
            resumed += u32::from(self.table.update(update, waiting).await?.done().is_some());
        }
        Ok(Resumed { resumed })
    }

    /// The callbacks of these flows that are pending and not due.
    async fn waiting(self, id: &TenantId, flows: &[Flow]) -> Result<Vec<EventId>> {
        let mut waiting = Vec::new();
        let mut from = None;
        loop {
            let query = self
                .table
                .client
                .query()
                .table_name(&self.table.name)
                .consistent_read(true)
                .key_condition_expression("pk = :partition")
                .filter_expression("callback_state = :pending AND attribute_not_exists(due_at)")
                .expression_attribute_values(":partition", text(keys::callbacks(id)))
                .expression_attribute_values(":pending", text(CallbackState::Pending.as_str()))
                .set_exclusive_start_key(from);
            let answer = query.send().await.map_err(failed)?;
            for item in answer.items.unwrap_or_default() {
                let callback = items::summary(&item)?;
                waiting.extend(flows.contains(&callback.event_type.flow()).then_some(callback.event_id));
            }
            from = answer.last_evaluated_key;
            if from.is_none() {
                return Ok(waiting);
            }
        }
    }
}
