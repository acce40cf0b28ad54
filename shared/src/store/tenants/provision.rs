//! Provisioning: two stores, one commit point.
//!
//! 1. The table: the tenant as `pending`, with the version ids of the two secrets to come, and a lease. If there is an
//!    idempotency key it is reserved in the same transaction.
//! 2. Secrets Manager: the tenant secret, with its version id.
//! 3. Secrets Manager: the signing key and the one that stands by, as one version, with its own.
//! 4. The table: `pending` becomes `active`, and with it come configuration, key set, search entries, audit
//!    event and stored response.
//!
//! Only the fourth makes a tenant. A crash before it leaves a pending item, which no list shows and no call finds, and
//! maybe one secret or both, which nobody was told: the reconciler removes all of it. It finds the secrets through the
//! item, so the item is written first.

use uuid::Uuid;

use super::items::{self, ACTIVE, PENDING};
use super::key_set::KeySet;
use super::{Tenants, search};
use crate::domain::{
    AccountWideUse, Action, ChangeContext, NewTenant, PublishedKey, SecretLabel, SecretPointer, SecretVersion,
    SignedUse, SigningKey, SigningPointer, StandbyKey, Tenant, TenantId, TenantSecret, TenantStatus, TenantSummary,
    random_uuid,
};
use crate::error::{Error, Result};
use crate::store::audit::put_event;
use crate::store::dynamodb::{Commit, Condition, Transaction, Update, text};
use crate::store::idempotency;
use crate::store::keys::{self, ALL, LISTING, TENANT_STATUS};
use crate::store::secrets_manager::NewVersion;

/// A tenant that was registered, and its secret.
#[derive(Debug)]
pub struct Provisioned {
    pub tenant: Tenant,
    /// Its secret. `None` when the answer is a replay and the secret can't be shown again.
    pub secret: Option<TenantSecret>,
}

impl Tenants<'_> {
    /// Registers a tenant.
    ///
    /// # Errors
    /// If fields that are tied together don't fit, or a store fails: then nothing of the tenant can be seen.
    pub async fn provision(self, new: NewTenant, change: &ChangeContext) -> Result<Provisioned> {
        let signing_keys = [SigningKey::generate(self.random)?, SigningKey::generate(self.random)?];
        let tenant = self.registered(new, signing_keys[0].kid(), change)?;
        let secret = TenantSecret::generate(self.random)?;
        let attempt = random_uuid(self.random)?;
        if let Some(earlier) = self.begin(&tenant, change, attempt).await? {
            return Ok(earlier);
        }
        let finished = self.finish(&tenant, &secret, &signing_keys, change, attempt).await;
        idempotency::give_back(self.table, change, attempt, finished).await?;
        Ok(Provisioned { tenant, secret: Some(secret) })
    }

    /// Steps 2 to 4.
    async fn finish(
        self,
        tenant: &Tenant,
        secret: &TenantSecret,
        [signing, standby]: &[SigningKey; 2],
        change: &ChangeContext,
        attempt: Uuid,
    ) -> Result<()> {
        let id = &tenant.summary.id;
        self.secrets.create(id, tenant.secret.current.id, NewVersion::TenantSecret(secret)).await?;
        // Both in one version: another version would be a call more, and another secret 0.40 a month.
        let version = &tenant.signing.version;
        self.secrets.create(id, version.id, NewVersion::SigningKeys(signing, Some(standby))).await?;
        let pointer = SigningPointer { version: version.clone(), kid: standby.kid().to_owned() };
        let set = KeySet {
            keys: vec![PublishedKey::of(signing), PublishedKey::of(standby)],
            standby: Some(StandbyKey { pointer, published_at: change.at }),
        };
        self.activate(tenant, secret, &set, change, attempt).await
    }

    fn registered(self, new: NewTenant, kid: &str, change: &ChangeContext) -> Result<Tenant> {
        let configuration = new.configuration(self.default_signing_version);
        configuration.check()?;
        // Creation labels each of the two AWSCURRENT in its secret, and nothing takes that away from it.
        let first = || random_uuid(self.random).map(|id| SecretVersion { id, label: SecretLabel::of_turn(0) });
        let (secret_version, key_version) = (first()?, first()?);
        Ok(Tenant {
            account_wide: AccountWideUse::default(),
            signed: SignedUse::default(),
            summary: TenantSummary {
                id: TenantId::generate(self.random)?,
                name: new.tenant_name,
                status: TenantStatus::Active,
                rate_limit_per_min: new.rate_limit_per_min,
                abuse_strikes: 0,
                created_at: change.at,
                updated_at: None,
            },
            revision: 0,
            secret: SecretPointer { current: secret_version, previous: None, rotated_at: None },
            signing: SigningPointer { version: key_version, kid: kid.to_owned() },
            epoch: 0,
            tokens_revoked_at: None,
            configuration,
        })
    }

    /// Step 1. The earlier response, if there is one under the same idempotency key.
    async fn begin(self, tenant: &Tenant, change: &ChangeContext, attempt: Uuid) -> Result<Option<Provisioned>> {
        let mut transaction = Transaction::new();
        transaction.put(items::pending(tenant, change.deadline), Condition::is_new());
        let reserved = idempotency::reserve(&mut transaction, change, attempt);
        let Commit::Refused(refused) = self.table.commit(transaction).await? else { return Ok(None) };
        let Some(replay) = reserved.replay(&refused, change)? else {
            return Err(Error::unavailable("a new tenant id was taken already"));
        };
        let earlier: Tenant = replay.read()?;
        let event = change.event(Action::TenantProvisioned, Vec::new());
        self.note_replay(&earlier.summary.id, event, &replay).await?;
        let secret = replay.secret.as_deref().and_then(|text| TenantSecret::restore(text));
        Ok(Some(Provisioned { tenant: earlier, secret }))
    }

    /// Step 4.
    async fn activate(
        self,
        tenant: &Tenant,
        secret: &TenantSecret,
        set: &KeySet,
        change: &ChangeContext,
        attempt: Uuid,
    ) -> Result<()> {
        let id = &tenant.summary.id;
        let state =
            Update::of(keys::state(id)).set(TENANT_STATUS, text(ACTIVE)).set(LISTING, text(ALL)).remove("lease_until");
        let mut transaction = Transaction::new();
        transaction.update(state, Condition::new("tenant_status = :pending", [(":pending", text(PENDING))]));
        transaction.put(items::configuration(tenant), Condition::is_new());
        transaction.put(set.item(id)?, Condition::is_new());
        search::enter(&mut transaction, &tenant.summary);
        put_event(&mut transaction, id, &change.event(Action::TenantProvisioned, Vec::new()))?;
        let secret = Some(secret.expose());
        idempotency::store(&mut transaction, change, Some(attempt), tenant, secret, self.random)?;
        match self.table.commit(transaction).await? {
            Commit::Done => Ok(()),
            // The lease ran out: the reconciler has removed the pending tenant, or another attempt has taken over the
            // key.
            Commit::Refused(_) => Err(Error::unavailable("provisioning took longer than its lease")),
        }
    }
}
