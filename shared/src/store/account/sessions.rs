//! Agent sessions: their messages, and what is left of a deleted one.

use uuid::Uuid;

use super::keys::{self, ItemPart, List, ResourceKind, TOMBSTONE};
use super::pages::View;
use super::{RESOURCE_COUNT, Resources, Stored, has_room};
use crate::domain::{AgentSession, FieldUpdates, Message, OffsetPage, PageRequest, Problem, Timestamp};
use crate::error::{Error, Result};
use crate::store::dynamodb::{Condition, NewItem, Reader, Transaction, Update, text};
use crate::store::keys::{LISTING_ORDER, TENANT_STATUS, list_position};

impl Resources<'_> {
    /// Makes a session. One call.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn create_session(self, session: AgentSession) -> Result<AgentSession> {
        self.create(session).await
    }

    /// A session. No call for an end user, one for the account.
    ///
    /// # Errors
    /// If the viewpoint sees no such session.
    pub async fn session(self, id: Uuid) -> Result<AgentSession> {
        Ok(self.get(id).await?.resource)
    }

    /// A page of the sessions that the viewpoint sees, newest first. One call, or three for the account.
    ///
    /// # Errors
    /// If the page is more than 50 000 resources back.
    pub async fn sessions(self, request: PageRequest) -> Result<OffsetPage<AgentSession>> {
        self.list(request).await
    }

    /// Writes some fields of a session. One call, or two for the account.
    ///
    /// # Errors
    /// If the viewpoint sees no such session.
    pub async fn change_session(self, id: Uuid, updates: &FieldUpdates, at: Timestamp) -> Result<AgentSession> {
        Ok(self.write_fields(id, updates, at).await?.resource)
    }

    /// Adds a message to a session. One call, or two for the account.
    ///
    /// # Errors
    /// If the viewpoint sees no such session, or the message answers one that the session doesn't have.
    pub async fn add_message(self, session: Uuid, message: Message) -> Result<Message> {
        self.or_earlier(self.added(session, message).await).await
    }

    async fn added(self, session: Uuid, message: Message) -> Result<Message> {
        let Stored { owner, .. } = self.get::<AgentSession>(session).await?;
        let list = List::MessagesOf(session);
        let touch = Update::of(self.resource_key(&owner, List::Of(ResourceKind::AgentSession), session))
            .set("field_updated_at", text(serde_json::json!(message.created_at)))
            .add(RESOURCE_COUNT, 1);
        // A session is the counter of its own messages. There is no list of those of several, and no quota of theirs.
        let room = has_room(self.quotas.per_end_user.get()).and("attribute_exists(pk)", []);
        let mut transaction = Transaction::new();
        let touched = transaction.update(touch, room);
        self.put_resource(&mut transaction, &owner, list, &message)?;
        transaction.put(keys::entry(self.tenant(), &owner, list, message.id), Condition::is_new());
        if let Some(parent) = message.parent_id {
            transaction.check(keys::entry(self.tenant(), &owner, list, parent), Condition::exists());
        }
        match self.commit_once(transaction, message).await? {
            Ok(message) => Ok(message),
            Err(refused) if refused.item(touched).is_some() => Err(Error::QuotaExceeded),
            Err(refused) if refused.failed(touched) => Err(Error::ResourceNotFound),
            Err(_) => Err(Error::invalid("parent_id", Problem::new("must be the id of a message of this session"))),
        }
    }

    /// The messages of a session, newest first. One call, or two for the account.
    ///
    /// # Errors
    /// If the viewpoint sees no such session.
    pub async fn messages(self, session: Uuid, request: PageRequest) -> Result<OffsetPage<Message>> {
        let Stored { owner, item, .. } = self.get::<AgentSession>(session).await?;
        // A session counts its own messages: it is read anyway, and nobody lists those of several.
        let total = Reader::of(&item).optional_number(RESOURCE_COUNT)?.unwrap_or_default();
        let view = View::of_one(owner, List::MessagesOf(session), total);
        let page = self.page_of::<Message>(view, request).await?;
        Ok(page.map(|stored| stored.resource))
    }

    /// Deletes a session. Its messages can't be reached any more; the reconciler deletes them.
    ///
    /// # Errors
    /// If the viewpoint sees no such session.
    pub async fn delete_session(self, id: Uuid, at: Timestamp) -> Result<()> {
        let stored = self.changeable::<AgentSession>(id).await?;
        let mut transaction = Transaction::new();
        self.delete_stored(&mut transaction, &stored)?;
        let mark = keys::part(self.tenant(), &stored.owner, ResourceKind::AgentSession, id, ItemPart::Tombstone);
        let mut tombstone = NewItem::from(mark);
        tombstone.extend([
            (TENANT_STATUS.to_owned(), text(TOMBSTONE)),
            (LISTING_ORDER.to_owned(), text(list_position(at, id))),
        ]);
        transaction.put(tombstone, Condition::none());
        self.commit_deletion(transaction).await
    }
}
