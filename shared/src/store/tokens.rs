//! Revocation of tokens: by whom they speak for, and by what they were minted with.
//!
//! Each party counts how often its tokens were revoked, and a token carries the numbers of when it was issued (see
//! [`Epochs`](crate::domain::Epochs)). So one write revokes any number of tokens, and nothing has to know them.

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize};

use super::entries::DirectoryRecord;
use super::expression::{Condition, Update, check};
use super::idempotency::StoredResponse;
use super::item::{millis, text};
use super::keys::{self, Key, Kind};
use super::prefetch::Read;
use super::projects;
use super::table::ATTEMPTS;
use super::tenant_items;
use super::tenants::{Committed, Tenants};
use crate::domain::{
    Action, ApiKeyId, ChangeContext, ExternalId, Handle, Organization, TenantId, Timestamp, User, Viewpoint,
};
use crate::error::{Error, Result};
use uuid::Uuid;

/// Whose tokens are revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevokedTokens {
    /// A user's, whatever kind they are: also those that speak for it by the tenant's own id.
    User(Uuid),
    /// Those of all users of an organization.
    Organization(Uuid),
    /// Those that speak for an end user, by the tenant's own id of it: also those of the user that is registered under it.
    ExternalUser(ExternalId),
    /// Those that an API key minted. The key stays.
    Key(ApiKeyId),
    /// All of the tenant's.
    All,
}

/// What a revocation answers, as it is remembered under an idempotency key.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Facts {
    revoked_before: Timestamp,
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
    ) -> Result<Timestamp> {
        for _ in 0..ATTEMPTS {
            let mut writes = self.revocation(id, whose, change.at).await?;
            let (place, subject) = (writes.len(), subject(whose));
            let event = match &subject {
                Some(subject) => change.event_about(Action::TokensRevoked, subject),
                None => change.event(Action::TokensRevoked, Vec::new()),
            };
            writes.push(self.event(id, &event)?);
            if *whose != RevokedTokens::All {
                writes.push(check(&self.table.name, keys::state(id), tenant_items::provisioned())?);
            }
            let body = serde_json::to_string(&Facts { revoked_before: change.at }).map_err(Error::internal)?;
            match self.commit(change, writes, &StoredResponse { body, secret: None }).await? {
                Committed::Done => return Ok(change.at),
                Committed::Replay(replay) => return Ok(replay.read::<Facts>()?.revoked_before),
                Committed::Refused(refused) if refused.failed(place + 1) || *whose == RevokedTokens::All => {
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

    /// The writes that count: one for each item of the party.
    async fn revocation(self, id: &TenantId, whose: &RevokedTokens, at: Timestamp) -> Result<Vec<TransactWriteItem>> {
        let count = |key: Key, condition: Condition| {
            let update = Update::of(key).increment("epoch").set("tokens_revoked_at", millis(at));
            update.in_transaction(&self.table.name, condition)
        };
        match whose {
            RevokedTokens::All => {
                let update = Update::of(keys::state(id)).increment("epoch").set("tokens_revoked_at", millis(at));
                let update = update.set("updated_at", millis(at)).increment("revision");
                Ok(vec![update.in_transaction(&self.table.name, tenant_items::provisioned())?])
            }
            RevokedTokens::Key(key) => Ok(vec![count(keys::of_kind(id, Kind::ApiKey, key), Condition::exists())?]),
            RevokedTokens::Organization(uuid) => {
                let handle = Handle::Uuid(*uuid);
                let seen = self.table.prefetch(id, &Viewpoint::Account, &[Read::Organization(handle.clone())]).await?;
                seen.tenant_state()?.ok_or(Error::TenantNotFound)?;
                let organization: Organization = seen.organization(&handle)?.ok_or(Error::OrganizationNotFound)?;
                Self::under_each_name(id, &organization, count)
            }
            RevokedTokens::User(uuid) => {
                let handle = Handle::Uuid(*uuid);
                let seen = self.table.prefetch(id, &Viewpoint::Account, &[Read::User(handle.clone())]).await?;
                seen.tenant_state()?.ok_or(Error::TenantNotFound)?;
                let user: User = seen.user(&handle)?.ok_or(Error::UserNotFound)?;
                let mut writes = Self::under_each_name(id, &user, count)?;
                // The same user by the tenant's own id, under which tokens of other kinds speak for it.
                if let Some(external_id) = &user.external_id {
                    writes.push(count(keys::of_kind(id, Kind::ExternalUser, external_id.digest()), Condition::none())?);
                }
                Ok(writes)
            }
            RevokedTokens::ExternalUser(external_id) => {
                let handle = Handle::External(external_id.clone());
                let seen = self.table.prefetch(id, &Viewpoint::Account, &[Read::User(handle.clone())]).await?;
                let mut writes =
                    vec![count(keys::of_kind(id, Kind::ExternalUser, external_id.digest()), Condition::none())?];
                match seen.user(&handle)? {
                    Some(user) => writes.extend(Self::under_each_name(id, &user, count)?),
                    // Nobody may be registered under it until this is done: whoever is, was revoked too.
                    None => {
                        writes.push(check(
                            &self.table.name,
                            keys::named(id, Kind::User, &handle),
                            Condition::is_new(),
                        )?);
                    }
                }
                Ok(writes)
            }
        }
    }

    /// One write for each item of an entry, if it is still registered under these names.
    fn under_each_name<E: DirectoryRecord>(
        tenant: &TenantId,
        entry: &E,
        count: impl Fn(Key, Condition) -> Result<TransactWriteItem>,
    ) -> Result<Vec<TransactWriteItem>> {
        let names = projects::handles(Some(entry.id()), entry.external_id());
        names
            .map(|handle| {
                let same = match entry.external_id() {
                    Some(id) => Condition::new("external_id = :external_id", [(":external_id", text(id))]),
                    None => Condition::new("attribute_exists(pk) AND attribute_not_exists(external_id)", []),
                };
                count(keys::named(tenant, E::KIND, &handle), same)
            })
            .collect()
    }
}

/// What the audit event says was revoked.
fn subject(whose: &RevokedTokens) -> Option<String> {
    match whose {
        RevokedTokens::User(id) | RevokedTokens::Organization(id) => Some(id.to_string()),
        RevokedTokens::ExternalUser(id) => Some(id.to_string()),
        RevokedTokens::Key(id) => Some(id.to_string()),
        RevokedTokens::All => None,
    }
}
