//! Agent sessions: their messages, and what is left of a deleted one.

use uuid::Uuid;

use super::expression::{Condition, Update, check, put};
use super::item::text;
use super::keys::{self, LISTING_ORDER, TENANT_STATUS};
use super::resources::{RESOURCE_COUNT, Resources, Stored};
use super::row_keys::{self, ItemPart, List, ResourceKind};
use super::row_lists::resource_count;
use super::tenant_items::TOMBSTONE;
use crate::domain::{AgentSession, Message, OffsetPage, PageRequest, Problem, Timestamp};
use crate::error::{Error, Result};

impl Resources<'_> {
    /// Adds a message to a session. One call, or two for the account.
    ///
    /// # Errors
    /// If the view sees no such session, or the message answers one that the session doesn't have.
    pub async fn add_message(self, session: Uuid, message: &Message) -> Result<()> {
        let Stored { owner, .. } = self.get::<AgentSession>(session).await?;
        let list = List::MessagesOf(session);
        let touch = Update::of(self.resource_key(&owner, ResourceKind::AgentSession, session))
            .set("field_updated_at", text(serde_json::json!(message.created_at)))
            .add(RESOURCE_COUNT, 1);
        let table = &self.table.name;
        let mut writes = vec![
            touch.in_transaction(table, Condition::exists())?,
            self.put_resource(&owner, message)?,
            put(table, row_keys::entry(self.tenant(), &owner, list, message.id), Condition::is_new())?,
        ];
        if let Some(parent) = message.parent_id {
            writes.push(check(table, row_keys::entry(self.tenant(), &owner, list, parent), Condition::exists())?);
        }
        match self.commit(writes).await? {
            None => Ok(()),
            Some(refused) if refused.failed(0) => Err(Error::ResourceNotFound),
            Some(_) => Err(Error::invalid("parent_id", Problem::new("must be the id of a message of this session"))),
        }
    }

    /// The messages of a session, newest first. Two calls, or three for the account.
    ///
    /// # Errors
    /// If the view sees no such session.
    pub async fn messages(self, session: Uuid, paging: PageRequest) -> Result<OffsetPage<Message>> {
        let Stored { owner, item, .. } = self.get::<AgentSession>(session).await?;
        // A session counts its own messages: it is read anyway, and nobody lists those of several.
        let total = if item.contains_key(RESOURCE_COUNT) { resource_count(&item)? } else { 0 };
        let page = self.page_in::<Message>(&[owner], List::MessagesOf(session), total, paging).await?;
        Ok(page.map(|stored| stored.resource))
    }

    /// Deletes a session. Its messages can't be reached any more; the reconciler deletes them.
    ///
    /// # Errors
    /// If the view sees no such session.
    pub async fn delete_session(self, id: Uuid, at: Timestamp) -> Result<()> {
        let stored = self.changeable::<AgentSession>(id).await?;
        let mut writes = self.deletion(&stored)?;
        let mut tombstone =
            row_keys::resource(self.tenant(), &stored.owner, ResourceKind::AgentSession, id, ItemPart::Tombstone);
        tombstone.extend([
            (TENANT_STATUS.to_owned(), text(TOMBSTONE)),
            (LISTING_ORDER.to_owned(), text(keys::listed(at, id))),
        ]);
        writes.push(put(&self.table.name, tombstone, Condition::none())?);
        self.commit_deletion(writes).await
    }
}
