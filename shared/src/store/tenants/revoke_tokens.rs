//! Revocation of tokens: by whom they speak for, and by what they were minted with.
//!
//! Each party counts how often its tokens were revoked, and a token carries the numbers of when it was issued (see
//! [`Epochs`](crate::domain::Epochs)). So one write revokes any number of tokens, and nothing has to know them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Committed, Tenants, items};
use crate::domain::{Action, ApiKeyId, ChangeContext, ExternalId, Handle, Person, TenantId, Timestamp, Viewpoint};
use crate::error::{Error, Result};
use crate::store::audit::put_event;
use crate::store::directory::items::{Common, DirectoryRecord};
use crate::store::dynamodb::{ATTEMPTS, Condition, Key, Transaction, Update, millis, text};
use crate::store::keys::{self, Kind};
use crate::store::prefetch::Read;

/// Whose tokens are revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevokedTokens {
    /// A user's, whatever kind they are: also those that speak for it by the tenant's own id.
    User(Uuid),
    /// Those of all users of an organization.
    Organization(Uuid),
    /// Those that speak for an end user, by the tenant's own id of it: also those of the user that is registered under
    /// it.
    ExternalUser(ExternalId),
    /// Those that an API key minted. The key stays.
    Key(ApiKeyId),
    /// All of the tenant's.
    All,
}

/// What a revocation answers, as it is stored under an idempotency key.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Revocation {
    /// Tokens from before are refused.
    pub revoked_before: Timestamp,
    /// Whether anything is kept of whom it names. A typo in an id of the tenant's own names nobody.
    #[serde(default)]
    pub known: bool,
}

impl Tenants<'_> {
    /// Revokes tokens that were issued until now. Every endpoint that takes a token refuses them from the answer on.
    ///
    /// # Errors
    /// If there is no such tenant, user, organization or key.
    pub async fn revoke_tokens(
        self,
        id: &TenantId,
        whose: &RevokedTokens,
        change: &ChangeContext,
    ) -> Result<Revocation> {
        for _ in 0..ATTEMPTS {
            let (mut transaction, known) = self.revocation(id, whose, change.at).await?;
            let subject = self.subject(id, whose);
            let event = match &subject {
                Some(subject) => change.event_about(Action::TokensRevoked, subject),
                None => change.event(Action::TokensRevoked, Vec::new()),
            };
            put_event(&mut transaction, id, &event.with("whose", kind_of(whose)))?;
            // All of a tenant's are revoked by a write of its item, which has this condition itself.
            let exists =
                (*whose != RevokedTokens::All).then(|| transaction.check(keys::state(id), items::provisioned()));
            let revocation = Revocation { revoked_before: change.at, known };
            match self.commit(change, transaction, &revocation, None).await? {
                Committed::Done => return Ok(revocation),
                Committed::Replay(replay) => return replay.read(),
                Committed::Refused(refused) if exists.is_none_or(|exists| refused.failed(exists)) => {
                    return Err(Error::TenantNotFound);
                }
                // The external id became another's between the read and the write, or there is no such key.
                Committed::Refused(_) => {
                    if let RevokedTokens::Key(_) = whose {
                        return Err(Error::ApiKeyNotFound);
                    }
                }
            }
        }
        Err(Error::StaleUpdate)
    }

    /// What the audit event says was revoked.
    fn subject(self, tenant: &TenantId, whose: &RevokedTokens) -> Option<String> {
        let person = |person| self.trace_key.person(tenant, person).to_string();
        match whose {
            RevokedTokens::User(id) => Some(person(Person::User(*id))),
            RevokedTokens::ExternalUser(id) => Some(person(Person::EndUser(id))),
            RevokedTokens::Organization(id) => Some(id.to_string()),
            RevokedTokens::Key(id) => Some(id.to_string()),
            RevokedTokens::All => None,
        }
    }

    /// The writes that count, one for each item of the party, and whether anything is kept of it.
    async fn revocation(self, id: &TenantId, whose: &RevokedTokens, at: Timestamp) -> Result<(Transaction, bool)> {
        let (mut transaction, mut known) = (Transaction::new(), true);
        match whose {
            RevokedTokens::All => {
                let update = Update::of(keys::state(id)).increment("epoch").set("tokens_revoked_at", millis(at));
                let update = update.set("updated_at", millis(at)).increment("revision");
                transaction.update(update, items::provisioned());
            }
            RevokedTokens::Key(key) => {
                transaction.update(counted(keys::of_kind(id, Kind::ApiKey, key), at), Condition::exists());
            }
            RevokedTokens::Organization(uuid) => {
                let handle = Handle::Uuid(*uuid);
                let seen =
                    self.table.prefetch(id, &Viewpoint::Account, vec![Read::Organization(handle.clone())]).await?;
                seen.tenant_state()?.ok_or(Error::TenantNotFound)?;
                let organization = seen.organization(&handle)?.ok_or(Error::OrganizationNotFound)?;
                count_each(&mut transaction, id, &organization, at);
            }
            RevokedTokens::User(uuid) => {
                let handle = Handle::Uuid(*uuid);
                let seen = self.table.prefetch(id, &Viewpoint::Account, vec![Read::User(handle.clone())]).await?;
                seen.tenant_state()?.ok_or(Error::TenantNotFound)?;
                let user = seen.user(&handle)?.ok_or(Error::UserNotFound)?;
                count_each(&mut transaction, id, &user, at);
                // The same user by the tenant's own id, under which tokens of other kinds speak for it.
                if let Some(external_id) = &user.external_id {
                    count_external_user(&mut transaction, id, external_id, at);
                }
            }
            RevokedTokens::ExternalUser(external_id) => {
                let handle = Handle::External(external_id.clone());
                // By the call that looks for the user: what else there may be of it costs no other.
                let reads = [Read::User(handle.clone()), Read::Traces(external_id.clone())];
                let seen = self.table.prefetch(id, &Viewpoint::Account, reads.into()).await?;
                count_external_user(&mut transaction, id, external_id, at);
                let user = seen.user(&handle)?;
                known = user.is_some() || seen.has_traces(external_id)?;
                match user {
                    Some(user) => count_each(&mut transaction, id, &user, at),
                    // Nobody may be registered under it until this is done: whoever is, was revoked too.
                    None => {
                        transaction.check(keys::of_handle(id, Kind::User, &handle), Condition::is_new());
                    }
                }
            }
        }
        Ok((transaction, known))
    }
}

/// One more revocation, in the record of a party.
fn counted(key: Key, at: Timestamp) -> Update {
    Update::of(key).increment("details.epoch").set("details.tokens_revoked_at", millis(at))
}

/// One more revocation of an end user, who has an item only if there was one.
fn count_external_user(transaction: &mut Transaction, tenant: &TenantId, id: &ExternalId, at: Timestamp) {
    let update = Update::of(keys::of_kind(tenant, Kind::ExternalUser, id.digest()));
    transaction.update(update.increment("epoch").set("tokens_revoked_at", millis(at)), Condition::none());
}

/// One more revocation in each item of a record, if it is still registered under these handles.
fn count_each<R: DirectoryRecord>(transaction: &mut Transaction, tenant: &TenantId, record: &R, at: Timestamp) {
    let Common { id, external_id, .. } = record.common();
    for handle in Handle::of(Some(id), external_id) {
        let same = match external_id {
            Some(id) => Condition::new("details.external_id = :external_id", [(":external_id", text(id))]),
            None => Condition::new("attribute_exists(pk) AND attribute_not_exists(details.external_id)", []),
        };
        transaction.update(counted(keys::of_handle(tenant, R::KIND, &handle), at), same);
    }
}

/// Whose tokens the audit event says were revoked, by the name of the field that named them.
fn kind_of(whose: &RevokedTokens) -> &'static str {
    match whose {
        RevokedTokens::User(_) => "user_id",
        RevokedTokens::Organization(_) => "organization_id",
        RevokedTokens::ExternalUser(_) => "external_user_id",
        RevokedTokens::Key(_) => "key_id",
        RevokedTokens::All => "all",
    }
}
