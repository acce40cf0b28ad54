//! A tenant's items without a table, for tests of what is decided from them.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use uuid::Uuid;

use super::directory::items::{self as directory_items, DirectoryRecord};
use super::dynamodb::{Item, Key, NewItem, millis, number, primary_key, text};
use super::keys::{DETAILS, TENANT_STATUS};
use super::prefetch::{Prefetched, Read};
use super::relay::{Relay, RelayState};
use super::tenants::key_set::KeySet;
use super::tenants::{api_key_items, items as tenant_items};
use crate::domain::{
    ApiKey, ApiKeySecret, Configuration, ExternalId, Handle, PublishedKey, SecretLabel, SigningKey, SigningVersion,
    Tenant, TenantId, TenantSecret, Timestamp, Viewpoint,
};

/// The items of one tenant.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    tenant_id: TenantId,
    items: HashMap<Key, NewItem>,
}

impl Shelf {
    /// A tenant that may act, whose tokens were all revoked `epoch` times.
    pub fn of_tenant(tenant_id: &TenantId, epoch: u64) -> Self {
        let start = Timestamp::from_millis(0);
        let tenant = Tenant::example(tenant_id.clone(), "Acme", start, Configuration::default());
        let mut state = tenant_items::pending(&tenant, start);
        state.insert(TENANT_STATUS.to_owned(), text(tenant_items::ACTIVE));
        state.insert("epoch".to_owned(), number(epoch));
        let mut shelf = Self { tenant_id: tenant_id.clone(), items: HashMap::new() };
        shelf.put(state);
        shelf
    }

    fn put(&mut self, item: NewItem) {
        self.items.insert(primary_key(&item.clone().into()), item);
    }

    fn state(&mut self) -> &mut NewItem {
        self.items.get_mut(&super::keys::state(&self.tenant_id)).unwrap()
    }

    /// The tenant is suspended.
    pub fn suspend(&mut self) {
        let state = self.state();
        state.insert(TENANT_STATUS.to_owned(), text(tenant_items::SUSPENDED));
        state.insert("suspended_at".to_owned(), millis(Timestamp::from_millis(0)));
    }

    /// An API key with the secret in force, and the one from before a rotation.
    pub fn put_key(&mut self, key: &ApiKey, secret: &ApiKeySecret, previous: Option<&ApiKeySecret>) {
        let mut item = api_key_items::item(key, secret);
        item.extend(previous.map(|previous| ("previous_hash".to_owned(), text(previous.hash().to_text()))));
        let Some(AttributeValue::M(details)) = item.get_mut(DETAILS) else { panic!("no {DETAILS}") };
        details.insert("epoch".to_owned(), number(key.epoch));
        details.extend(key.revoked_at.map(|at| ("revoked_at".to_owned(), millis(at))));
        details.extend(key.previous_until.map(|at| ("previous_until".to_owned(), millis(at))));
        details.extend(key.last_used_on.as_ref().map(|day| ("last_used_on".to_owned(), text(day))));
        self.put(item);
    }

    /// An organization or a user, under its uuid.
    pub fn put_party(&mut self, party: &impl DirectoryRecord, read: fn(Handle) -> Read) {
        let mut item = NewItem::from(self.key(&read(Handle::Uuid(party.common().id))));
        item.extend(directory_items::new(party));
        self.put(item);
    }

    /// An end user whose tokens were revoked `epoch` times.
    pub fn put_external_user(&mut self, id: &ExternalId, epoch: u64) {
        let mut item = NewItem::from(self.key(&Read::ExternalUser(id.clone())));
        item.insert("epoch".to_owned(), number(epoch));
        self.put(item);
    }

    /// The token with this `jti` is revoked.
    pub fn revoke(&mut self, jti: Uuid) {
        self.put(self.key(&Read::Revocation(jti)).into());
    }

    /// The keys that tokens can be verified with.
    pub fn put_signing_keys(&mut self, keys: &[PublishedKey]) {
        let set = KeySet { keys: keys.to_vec(), standby: None };
        self.put(set.item(&self.tenant_id).unwrap());
    }

    /// The versions of the tenant's secret in force, the previous one until then, for calls of that signing version.
    pub fn rotate(&mut self, current: Uuid, previous: Uuid, until: Timestamp, signing: SigningVersion) {
        self.state().extend([
            ("secret_version".to_owned(), text(current)),
            ("previous_secret_version".to_owned(), text(previous)),
            ("previous_secret_label".to_owned(), text(SecretLabel::of_turn(1))),
            ("previous_secret_until".to_owned(), millis(until)),
            (tenant_items::SIGNING_VERSION.to_owned(), text(signing)),
        ]);
    }

    /// What a call to the tenant's relay finds.
    pub fn relay_state(&mut self) -> RelayState {
        RelayState::read(&self.state().clone().into()).unwrap().unwrap()
    }

    /// Lets a process have seen the tenant's state, and have read these versions of its secret.
    pub fn remembered_by(&mut self, relay: &Relay<'_>, secrets: &[(Uuid, &str)]) {
        relay.observe(self.relay_state());
        for (version, secret) in secrets {
            relay.secrets.tenant_secrets.keep(*version, Arc::new(TenantSecret::restore(secret).unwrap()));
        }
    }

    /// Lets a process have read the key that signs the tenant's tokens.
    pub fn signs_with(&mut self, relay: &Relay<'_>, key: SigningKey) {
        self.state().insert("token_kid".to_owned(), text(key.kid()));
        relay.secrets.signing_keys.keep(Uuid::nil(), Arc::new(key));
    }

    fn key(&self, read: &Read) -> Key {
        read.keys(&self.tenant_id, &Viewpoint::Account).remove(0)
    }

    /// What a read of these gives.
    pub fn read(&self, reads: &[Read]) -> Prefetched {
        let keys = reads.iter().map(|read| self.key(read));
        let keys = keys.chain([super::keys::state(&self.tenant_id)]);
        let items = keys.map(|key| (key.clone(), self.items.get(&key).cloned().map(Item::from))).collect();
        Prefetched { tenant_id: self.tenant_id.clone(), items, meant: Vec::new() }
    }
}
