//! Callbacks of a tenant, as its operator and the tenant itself see them.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Committed, Tenants, items as tenant_items};
use crate::domain::{
    Action, CallbackDetails, CallbackFilter, CallbackState, CallbackSummary, ChangeContext, Configuration, Cursor,
    CursorPage, EventId, EventType, Flow, NewEvent, PageLimit, Problem, TenantId,
};
use crate::error::{Error, Result};
use crate::store::audit::put_event;
use crate::store::callbacks::{items, owe, receivers};
use crate::store::dynamodb::{Condition, Item, Place, Transaction, failed, found, primary_key, text};
use crate::store::pages::after_in;
use crate::store::{idempotency, keys};

/// How many queries look for callbacks at most: each looks at a megabyte, and all of them together have to end in time.
const QUERIES: usize = 10;

/// What a reactivation answers, as it is stored under an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// How many callbacks waited, and are due now.
    pub resumed: u32,
}

/// What a test answers, as it is stored under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinged {
    /// The event that tests the receiver.
    pub event_id: EventId,
}

/// Part of a tenant's callbacks.
pub(super) struct Range {
    pub filter: CallbackFilter,
    /// The least and the greatest position.
    pub between: Option<(String, String)>,
    pub is_newest_first: bool,
    /// After which key it begins.
    pub after: Option<Place>,
    /// How many are wanted.
    pub most: usize,
}

/// What was found of a [`Range`].
pub(super) struct Found {
    /// At most as many as were wanted.
    pub items: Vec<Item>,
    /// The position up to which was looked, unless that was the end.
    pub looked_to: Option<String>,
}

impl Tenants<'_> {
    /// A tenant's callbacks, newest first, without their bodies. With a filter a page can have fewer rows than `limit`
    /// and not be the last: so far was looked.
    ///
    /// # Errors
    /// If there is no such tenant, or the cursor is of another list.
    pub async fn callbacks(
        self,
        id: &TenantId,
        filter: CallbackFilter,
        cursor: Option<&Cursor>,
        limit: PageLimit,
    ) -> Result<CursorPage<CallbackSummary>> {
        let CallbackFilter { state, event_type } = filter;
        let wanted = [state.map(CallbackState::as_str), event_type.map(EventType::as_str)];
        let name = wanted.into_iter().flatten().fold(format!("callbacks/{id}"), |name, of| format!("{name}/{of}"));
        let after = after_in(&keys::callbacks(id), cursor, &name, |position| EventId::parse(position).is_ok())?;
        let limit = usize::try_from(limit.get()).unwrap_or(usize::MAX);
        // One more tells whether there is a next page.
        let most = limit.saturating_add(1);
        let range = Range { filter, between: None, is_newest_first: true, after, most };
        let Found { items, looked_to } = self.find_callbacks(id, range).await?;
        let rows = items.iter().take(limit).map(items::summary).collect::<Result<Vec<_>>>()?;
        let last = if items.len() > limit { rows.last().map(|row| row.event_id.to_string()) } else { looked_to };
        let next = last.map(|position| Cursor::new(&name, &position));
        self.of_tenant(id, CursorPage { rows, next }).await
    }

    /// The first callbacks of a range.
    pub(super) async fn find_callbacks(self, id: &TenantId, range: Range) -> Result<Found> {
        let CallbackFilter { state, event_type } = range.filter;
        let filters = [state.map(|_| "callback_state = :state"), event_type.map(|_| "event_type = :type")];
        let filters: Vec<_> = filters.into_iter().flatten().collect();
        let within = if range.between.is_some() { " AND sk BETWEEN :from AND :to" } else { "" };
        let mut query = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .consistent_read(true)
            .key_condition_expression(format!("pk = :partition{within}"))
            .expression_attribute_values(":partition", text(keys::callbacks(id)))
            .scan_index_forward(!range.is_newest_first)
            .set_filter_expression((!filters.is_empty()).then(|| filters.join(" AND ")));
        let (from, to) = range.between.unzip();
        let values = [
            (":state", state.map(|state| state.as_str().to_owned())),
            (":type", event_type.map(|of| of.as_str().to_owned())),
            (":from", from),
            (":to", to),
        ];
        for (name, value) in values {
            query = value.into_iter().fold(query, |query, value| query.expression_attribute_values(name, text(value)));
        }
        let (mut items, mut from) = (Vec::new(), range.after);
        for _ in 0..QUERIES {
            // A limit counts what is looked at, which with a filter is not what is found.
            let left = i32::try_from(range.most.saturating_sub(items.len())).unwrap_or(i32::MAX);
            let limit = filters.is_empty().then_some(left);
            let answer = query.clone().set_limit(limit).set_exclusive_start_key(from.take()).send().await;
            let answer = answer.map_err(failed)?;
            items.append(&mut found(answer.items));
            from = answer.last_evaluated_key;
            if from.is_none() || items.len() >= range.most {
                break;
            }
        }
        let is_cut = items.len() > range.most;
        items.truncate(range.most);
        let of_item = |item: &Item| primary_key(item).sort;
        let looked_to = if is_cut { items.last().map(of_item) } else { from.map(|key| of_item(&key.into())) };
        Ok(Found { items, looked_to })
    }

    /// One of a tenant's callbacks.
    ///
    /// # Errors
    /// If there is no such tenant, or no such callback of it.
    pub async fn callback(self, id: &TenantId, event: &EventId) -> Result<CallbackDetails> {
        if let Some(item) = self.table.get(keys::callback(id, event)).await? {
            return items::details(&item);
        }
        let none = CursorPage { rows: Vec::<()>::new(), next: None };
        self.of_tenant(id, none).await.and(Err(Error::CallbackNotFound))
    }

    /// Owes a tenant a ping, with which it can test its receiver.
    ///
    /// # Errors
    /// If there is no such tenant, or it gets no pings.
    pub async fn test_callback(self, id: &TenantId, change: &ChangeContext) -> Result<Pinged> {
        let key = change.idempotency_key.as_ref().map(keys::stored_response);
        let (tenant, stored) = self.read(id, key.into_iter().collect()).await?;
        if let Some(replay) = stored.first().map(|item| idempotency::stored(item, change)).transpose()?.flatten() {
            return replay.read();
        }
        let tenant = tenant.ok_or(Error::TenantNotFound)?;
        has_base(&tenant.configuration)?;
        let event = NewEvent {
            event_type: EventType::Ping,
            tenant_id: id,
            created_at: change.at,
            // Its subject is the test itself, which has one state.
            sequence: 1,
            data: json!({}),
        };
        let mut transaction = Transaction::new();
        let owed = owe(&mut transaction, &tenant.configuration, self.random, event)?;
        let event_id = owed.ok_or(Error::CallbackNotWanted(Problem::new("has no ping in its callback_types")))?;
        let pinged = Pinged { event_id };
        match self.commit(change, transaction, &pinged, None).await? {
            Committed::Done => Ok(pinged),
            Committed::Replay(replay) => replay.read(),
            Committed::Refused(_) => Err(Error::StaleUpdate),
        }
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
            for item in found(answer.items) {
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

/// That callbacks of the tenant have somewhere to go.
pub(super) fn has_base(configuration: &Configuration) -> Result<()> {
    match configuration.callback_url_base {
        Some(_) => Ok(()),
        None => Err(Error::CallbackNotWanted(Problem::new("has no callback_url_base"))),
    }
}
