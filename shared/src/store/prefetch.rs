//! What a request needs of a tenant, read in one call.
//!
//! The credential, the state of its tenant and what the request is about come with one strongly consistent read: a
//! revocation of any of them that was answered before is stored, and it costs one call.

use uuid::Uuid;

use super::account::keys::{self as account_keys, List, Owner, ResourceKind};
use super::directory::items::{self as directory_items, DirectoryRecord, Standing};
use super::dynamodb::{Item, Key, Reader, Table, is_at};
use super::keys::{self, Kind};
use super::qr_logins;
use super::tenants::api_key_items;
use super::tenants::items::{self as tenant_items, ACTIVE};
use super::tenants::key_set::KeySet;
use crate::domain::{
    AccountWideUse, ApiKey, ApiKeyId, ExternalId, Handle, KeyHashes, Limits, Organization, PublishedKey, QrSessionId,
    Reference, RegisteredKey, RegisteredTenant, SigningPointer, TenantId, Timestamp, User, Viewpoint,
};
use crate::error::{Error, Result};

/// Something of a tenant's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    ApiKey(ApiKeyId),
    Organization(Handle),
    User(Handle),
    RegisteredTenant(RegisteredKey),
    ExternalUser(ExternalId),
    /// What is kept of an end user whom nobody has to register: rows, passkeys, devices.
    Traces(ExternalId),
    /// The revocation of the token with this `jti`.
    Revocation(Uuid),
    SigningKeys,
    /// A resource of the account surface, and for the account whose it is if that is all that can be found at first.
    Resource(ResourceKind, Uuid),
    /// The content of a document.
    Content(Uuid),
    /// How many resources a list has, as far as that is one item in an owner.
    Total(List),
    /// Which workspace is the default, as an end user sees it.
    DefaultWorkspace,
    /// How often the tokens of the viewpoint's end user were revoked.
    EndUser,
    /// A QR login. Of another tenant than the one that is read for it is none.
    QrLogin(QrSessionId),
}

impl Read {
    /// Whatever organization `reference` can mean.
    pub fn organization(reference: &Reference) -> impl Iterator<Item = Self> {
        reference.meanings().map(Self::Organization)
    }

    /// Whatever user `reference` can mean.
    pub fn user(reference: &Reference) -> impl Iterator<Item = Self> {
        reference.meanings().map(Self::User)
    }

    pub(super) fn keys(&self, tenant: &TenantId, viewpoint: &Viewpoint) -> Vec<Key> {
        let key = match self {
            Self::ApiKey(id) => keys::of_kind(tenant, Kind::ApiKey, id),
            Self::Organization(handle) => keys::of_handle(tenant, Kind::Organization, handle),
            Self::User(handle) => keys::of_handle(tenant, Kind::User, handle),
            Self::RegisteredTenant(key) => keys::of_kind(tenant, Kind::RegisteredTenant, key.digest()),
            Self::ExternalUser(id) => external_user(tenant, id),
            Self::Traces(id) => return traces(tenant, id),
            Self::Revocation(jti) => keys::of_kind(tenant, Kind::Token, jti),
            Self::SigningKeys => keys::key_set(tenant),
            Self::Resource(kind, id) => return account_keys::candidate_keys(tenant, viewpoint, *kind, *id),
            Self::Content(id) => return account_keys::contents(tenant, viewpoint, *id),
            Self::Total(list) => return account_keys::counters(tenant, viewpoint, *list),
            Self::DefaultWorkspace => return account_keys::default_workspaces(tenant, viewpoint),
            Self::QrLogin(id) if id.is_of(tenant) => qr_logins::login_key(tenant, id),
            Self::QrLogin(_) => return Vec::new(),
            Self::EndUser => {
                return viewpoint.external_user_id().map(|id| external_user(tenant, id)).into_iter().collect();
            }
        };
        vec![key]
    }
}

/// One counter of each kind of rows, and the person.
fn traces(tenant: &TenantId, id: &ExternalId) -> Vec<Key> {
    let owner = Owner::of(&Viewpoint::from(Some(id.clone())));
    // An end user's rows of a kind are counted in one item, whatever their ids.
    let counter = |kind| account_keys::counter(tenant, &owner, List::Of(kind), Uuid::nil());
    let kinds =
        [ResourceKind::AgentSession, ResourceKind::ToolExecution, ResourceKind::Workspace, ResourceKind::Document];
    kinds.map(counter).into_iter().chain([keys::person_of(tenant, id)]).collect()
}

fn external_user(tenant: &TenantId, id: &ExternalId) -> Key {
    keys::of_kind(tenant, Kind::ExternalUser, id.digest())
}

/// What was found of what was read. It remembers what was asked for: asking it for anything else is our fault and an
/// error, because "not read" would otherwise be taken for "not there", and a revocation that nobody read for one that
/// never was.
#[derive(Debug, Clone)]
pub struct Prefetched {
    pub(super) tenant_id: TenantId,
    /// All that was asked for, each place once; `None` is what is not there. A list, because a request asks for few.
    pub(super) items: Vec<(Key, Option<Item>)>,
    /// Which of them is what a read meant, if it is one item: so that its key is not made anew to find it.
    pub(super) meant: Vec<(Read, usize)>,
}

/// Whether a tenant may act, and with what its tokens are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantState {
    pub is_active: bool,
    /// How often all of its tokens have been revoked.
    pub epoch: u64,
    pub signing: SigningPointer,
    /// Whether calls of the account surface have to name an end user; unset = the deployment's default.
    pub require_end_user: Option<bool>,
    /// When it last did without naming an end user.
    pub account_wide: AccountWideUse,
    /// What bounds its rows and calls.
    pub limits: Limits,
}

impl Table {
    /// Reads the tenant's state and everything in `reads`, strongly consistent, in one call: of resources those that
    /// can be seen from `viewpoint`.
    pub async fn prefetch(&self, tenant_id: &TenantId, viewpoint: &Viewpoint, reads: Vec<Read>) -> Result<Prefetched> {
        let mut asked = Asked::default();
        let mut meant = Vec::with_capacity(reads.len());
        for read in reads {
            let places: Vec<_> = read.keys(tenant_id, viewpoint).into_iter().map(|key| asked.add(key)).collect();
            if let &[place] = places.as_slice() {
                meant.push((read, place));
            }
        }
        asked.add(keys::state(tenant_id));
        let found = self.get_all(&asked.0).await?;
        Ok(Prefetched { meant, ..Prefetched::at_places(tenant_id, asked.0, found) })
    }
}

/// What is asked for: DynamoDB refuses a request with the same key twice.
#[derive(Default)]
struct Asked(Vec<Key>);

impl Asked {
    /// Asks for a key, and answers which place it is.
    fn add(&mut self, key: Key) -> usize {
        self.0.iter().position(|known| *known == key).unwrap_or_else(|| {
            self.0.push(key);
            self.0.len() - 1
        })
    }
}

impl Prefetched {
    /// What was found of a tenant's items of which these were asked for.
    pub(super) fn of(tenant_id: &TenantId, asked: &[Key], found: Vec<Item>) -> Self {
        Self::at_places(tenant_id, asked.to_vec(), found)
    }

    fn at_places(tenant_id: &TenantId, places: Vec<Key>, found: Vec<Item>) -> Self {
        let mut items: Vec<_> = places.into_iter().map(|place| (place, None)).collect();
        for item in found {
            if let Some((_, at)) = items.iter_mut().find(|(place, _)| is_at(&item, place)) {
                *at = Some(item);
            }
        }
        Self { tenant_id: tenant_id.clone(), items, meant: Vec::new() }
    }

    /// Whose items they are.
    pub fn tenant_id(&self) -> &TenantId {
        &self.tenant_id
    }

    fn item(&self, read: &Read) -> Result<Option<&Item>> {
        let meant = self.meant.iter().find(|(known, _)| known == read).and_then(|(_, place)| self.items.get(*place));
        if let Some((_, item)) = meant {
            return Ok(item.as_ref());
        }
        // What is not a resource has the same key from every viewpoint, and always one.
        let keys = read.keys(&self.tenant_id, &Viewpoint::Account);
        self.at(keys
            .first()
            .ok_or_else(|| Error::internal("what depends on the viewpoint is asked for without one"))?)
    }

    /// What was read at a key; `None` if there is no such item.
    ///
    /// # Errors
    /// If the key was not read.
    pub(super) fn at(&self, key: &Key) -> Result<Option<&Item>> {
        let unread = || {
            let Key { partition, sort } = key;
            Error::internal(format!("item {partition} {sort} is asked for and was not read"))
        };
        self.items.iter().find(|(place, _)| place == key).map(|(_, item)| item.as_ref()).ok_or_else(unread)
    }

    /// Whether a key was read.
    pub(super) fn was_read(&self, key: &Key) -> bool {
        self.items.iter().any(|(place, _)| place == key)
    }

    /// The tenant's state; `None` if there is no such tenant.
    pub fn tenant_state(&self) -> Result<Option<TenantState>> {
        let Some(state) = self.at(&keys::state(&self.tenant_id))? else { return Ok(None) };
        if tenant_items::summary(state)?.is_none() {
            return Ok(None);
        }
        let reader = Reader::of(state);
        Ok(Some(TenantState {
            is_active: reader.text(keys::TENANT_STATUS)? == ACTIVE,
            epoch: reader.number("epoch")?,
            signing: tenant_items::signing_pointer(state)?,
            require_end_user: reader.optional_bool(tenant_items::REQUIRE_END_USER)?,
            account_wide: tenant_items::account_wide_use(reader)?,
            limits: tenant_items::limits(reader)?,
        }))
    }

    /// An API key and the hashes of its secrets.
    pub fn api_key(&self, id: &ApiKeyId) -> Result<Option<(ApiKey, KeyHashes)>> {
        let item = self.item(&Read::ApiKey(id.clone()))?;
        item.map(|item| Ok((api_key_items::read(item)?, api_key_items::hashes(item)?))).transpose()
    }

    /// How often the tokens of an API key were revoked; `None` if the key was, or is not there.
    pub fn epoch_in_force(&self, id: &ApiKeyId) -> Result<Option<u64>> {
        let epoch = self.item(&Read::ApiKey(id.clone()))?.map(api_key_items::epoch_in_force).transpose()?;
        Ok(epoch.flatten())
    }

    /// How the organization of this uuid stands.
    pub fn organization_standing(&self, id: Uuid) -> Result<Option<Standing>> {
        self.item(&Read::Organization(Handle::Uuid(id)))?.map(directory_items::standing).transpose()
    }

    /// How the user of this uuid stands.
    pub fn user_standing(&self, id: Uuid) -> Result<Option<Standing>> {
        self.item(&Read::User(Handle::Uuid(id)))?.map(directory_items::standing).transpose()
    }

    /// The organization of this name.
    pub fn organization(&self, handle: &Handle) -> Result<Option<Organization>> {
        self.item(&Read::Organization(handle.clone()))?.map(directory_items::organization).transpose()
    }

    /// The user of this name.
    pub fn user(&self, handle: &Handle) -> Result<Option<User>> {
        self.item(&Read::User(handle.clone()))?.map(directory_items::user).transpose()
    }

    /// The organization that a reference means.
    ///
    /// # Errors
    /// [`Error::AmbiguousId`] if it is the uuid of one and the external id of another.
    pub fn organization_of(&self, reference: &Reference) -> Result<Option<Organization>> {
        the_one(reference, |handle| self.organization(handle))
    }

    /// The user that a reference means.
    ///
    /// # Errors
    /// [`Error::AmbiguousId`] if it is the uuid of one and the external id of another.
    pub fn user_of(&self, reference: &Reference) -> Result<Option<User>> {
        the_one(reference, |handle| self.user(handle))
    }

    /// The registered tenant of this key.
    pub fn registered_tenant(&self, key: &RegisteredKey) -> Result<Option<RegisteredTenant>> {
        self.item(&Read::RegisteredTenant(key.clone()))?.map(directory_items::registered_tenant).transpose()
    }

    /// How often the tokens of an external user have been revoked.
    pub fn external_epoch(&self, id: &ExternalId) -> Result<u64> {
        let epoch = self.item(&Read::ExternalUser(id.clone()))?.map(|item| Reader::of(item).number("epoch"));
        Ok(epoch.transpose()?.unwrap_or_default())
    }

    /// Whether anything is kept of an end user, apart from how often its tokens were revoked.
    ///
    /// # Errors
    /// If it was not read.
    pub fn has_traces(&self, id: &ExternalId) -> Result<bool> {
        let found: Result<Vec<_>> = traces(&self.tenant_id, id).iter().map(|key| self.at(key)).collect();
        Ok(found?.into_iter().any(|item| item.is_some()))
    }

    /// Whether the token with this `jti` was revoked.
    pub fn is_revoked(&self, jti: Uuid) -> Result<bool> {
        Ok(self.item(&Read::Revocation(jti))?.is_some())
    }

    /// The keys that tokens of ours can be signed with at that time.
    pub fn signing_keys(&self, now: Timestamp) -> Result<Vec<PublishedKey>> {
        let set = self.item(&Read::SigningKeys)?.map(|item| KeySet::read(item, now));
        Ok(set.transpose()?.map(KeySet::signers).unwrap_or_default())
    }
}

/// The one party that a reference means. The first that is found would not do: a uuid that somebody chose as an
/// external id would speak for whoever has that uuid.
fn the_one<R: DirectoryRecord>(
    reference: &Reference,
    find: impl Fn(&Handle) -> Result<Option<R>>,
) -> Result<Option<R>> {
    let mut meant: Option<R> = None;
    for handle in reference.meanings() {
        let Some(found) = find(&handle)? else { continue };
        if meant.as_ref().is_some_and(|meant| meant.common().id != found.common().id) {
            return Err(Error::AmbiguousId);
        }
        meant = Some(found);
    }
    Ok(meant)
}
