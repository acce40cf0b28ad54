//! Sessions of the console: how a link becomes one, and what their calls are checked with.
//!
//! | Call | Reads | Writes |
//! |---|---|---|
//! | open a link | the link; a tenant's with its tenant, together | the session; it deletes the link |
//! | a call with a session | the session; a tenant's with its tenant, together | that its proof is used |
//! | end a session | the same | it deletes the session |
//!
//! A link is deleted by the write of the session that it opens, so that of two browsers one gets in. Whether something
//! has expired is decided by comparing times.

pub(super) mod items;
mod keys;

use std::fmt;

use super::audit::put_event_of;
use super::dynamodb::{Commit, Condition, Item, Key, Table, Transaction, number};
use super::keys::state;
use super::tenants::Tenants;
use crate::domain::{
    Action, ChangeContext, ConsoleCode, ConsoleLink, ConsoleParty, ConsoleSession, ConsoleToken, DpopCause, DpopProof,
    SESSION_LIFETIME, Tenant,
};
use crate::error::{Error, Result};

/// Links and sessions of the console.
#[derive(Clone, Copy)]
pub struct Console<'a> {
    pub(crate) table: &'a Table,
    pub(crate) tenants: Tenants<'a>,
}

impl fmt::Debug for Console<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Console")
    }
}

/// A link as it was found, and its tenant, if it is a tenant's.
#[derive(Debug)]
pub struct FoundLink {
    pub link: ConsoleLink,
    pub tenant: Option<Tenant>,
}

/// A session as it was found, and its tenant, if it is a tenant's.
#[derive(Debug)]
pub struct FoundConsoleSession {
    pub session: ConsoleSession,
    pub tenant: Option<Tenant>,
}

impl Console<'_> {
    /// The link that a code names; `None` if there is none, or it was opened. Whether the code opens it is for the
    /// caller to say. One call.
    ///
    /// # Errors
    /// If the table fails or an item can't be read.
    pub async fn link(self, code: &ConsoleCode) -> Result<Option<FoundLink>> {
        let (item, tenant) = self.find(code.party(), keys::link(code.party(), code.id())).await?;
        let link = item.as_ref().map(|item| items::read_link(code.party(), item)).transpose()?;
        Ok(link.map(|link| FoundLink { link, tenant }))
    }

    /// The session that a token names; `None` if there is none, or it was ended. Whether it is the token's is for the
    /// caller to say. One call.
    ///
    /// # Errors
    /// If the table fails or an item can't be read.
    pub async fn session(self, token: &ConsoleToken) -> Result<Option<FoundConsoleSession>> {
        let (item, tenant) = self.find(token.party(), keys::session(token.party(), token.id())).await?;
        let session = item.as_ref().map(|item| items::read_session(token.party(), item)).transpose()?;
        Ok(session.map(|session| FoundConsoleSession { session, tenant }))
    }

    /// An item of that party, and its tenant with it. A tenant that is not there has neither.
    async fn find(self, party: &ConsoleParty, key: Key) -> Result<(Option<Item>, Option<Tenant>)> {
        let Some(id) = party.tenant() else { return Ok((self.table.get(key).await?, None)) };
        let (tenant, found) = self.tenants.read(id, vec![key]).await?;
        Ok(if tenant.is_some() { (found.into_iter().next(), tenant) } else { (None, None) })
    }

    /// Opens a link: its session is bound to the key of the proof. One call.
    ///
    /// # Errors
    /// If the link was opened before, or the proof was used before.
    pub async fn open(
        self,
        found: &FoundLink,
        code: &ConsoleCode,
        proof: &DpopProof,
        change: &ChangeContext,
    ) -> Result<(ConsoleToken, ConsoleSession)> {
        let link = &found.link;
        let token = ConsoleToken::generate(code, self.tenants.random)?;
        let token = token.ok_or_else(|| Error::internal("a console link of a tenant that is none of ours"))?;
        let session = ConsoleSession {
            id: link.id.clone(),
            party: link.party.clone(),
            label: link.label.clone(),
            hash: token.hash(),
            thumbprint: proof.thumbprint().clone(),
            made_with: link.made_with.clone(),
            epoch: link.epoch,
            expires_at: change.at.plus(SESSION_LIFETIME),
        };
        let event = change.event_about(Action::ConsoleSessionOpened, &session.id).with("label", &session.label);
        let mut transaction = Transaction::new();
        let opened = transaction.delete(keys::link(&link.party, &link.id), Condition::exists());
        transaction.put(items::session(&session), Condition::is_new());
        transaction.put(items::used_proof(&session, proof), Condition::is_new());
        put_event_of(&mut transaction, link.party.tenant(), &event)?;
        match self.table.commit(transaction).await? {
            Commit::Done => Ok((token, session)),
            Commit::Refused(refused) if refused.failed(opened) => Err(Error::ConsoleLinkNotFound),
            Commit::Refused(_) => Err(DpopCause::JtiSeen.into()),
        }
    }

    /// Accepts a call with a session: uses up its proof, unless the session was ended since it was read. One call.
    ///
    /// # Errors
    /// If the proof was used before, the session was ended, or the table fails.
    pub async fn accept(self, session: &ConsoleSession, proof: &DpopProof) -> Result<()> {
        let mut transaction = Transaction::new();
        let used = transaction.put(items::used_proof(session, proof), Condition::is_new());
        transaction.check(keys::session(&session.party, &session.id), Condition::exists());
        if let Some(tenant) = session.party.tenant() {
            let unrevoked = Condition::new("epoch = :epoch", [(":epoch", number(session.epoch))]);
            transaction.check(state(tenant), unrevoked);
        }
        match self.table.commit(transaction).await? {
            Commit::Done => Ok(()),
            Commit::Refused(refused) if refused.failed(used) => Err(DpopCause::JtiSeen.into()),
            Commit::Refused(_) => Err(Error::Unauthenticated("console session was ended")),
        }
    }

    /// Ends a session: from the answer on it opens nothing. One call.
    ///
    /// # Errors
    /// If it was ended at the same moment, or the table fails.
    pub async fn end(self, session: &ConsoleSession, change: &ChangeContext) -> Result<()> {
        let event = change.event_about(Action::ConsoleSessionEnded, &session.id).with("label", &session.label);
        let mut transaction = Transaction::new();
        transaction.delete(keys::session(&session.party, &session.id), Condition::exists());
        put_event_of(&mut transaction, session.party.tenant(), &event)?;
        match self.table.commit(transaction).await? {
            Commit::Done => Ok(()),
            Commit::Refused(_) => Err(Error::Unauthenticated("console session was ended")),
        }
    }
}
