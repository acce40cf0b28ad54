//! Where the resources of the account surface are, and where a viewpoint finds them.
//!
//! | Item | `pk` | `sk` | What it holds |
//! |---|---|---|---|
//! | resource | `TENANT#<tenant>#<owner>#<kind>` | `<id>` | its fields |
//! | message | `TENANT#<tenant>#<owner>#MESSAGE#<session>` | `<id>` | its fields |
//! | content of a document | `TENANT#<tenant>#<owner>#DOCUMENT#<id>` | `CONTENT` | Markdown |
//! | messages left | `TENANT#<tenant>#<owner>#SESSION#<id>` | `TOMBSTONE` | that their session was deleted |
//! | entry | `TENANT#<tenant>#<owner>#<list>` | `<id>` | in the owner `ALL`: in which owner the resource is |
//! | of a workspace | `TENANT#<tenant>#<owner>#DOCUMENTS#<workspace>` | `<id>` | that and the fields |
//! | counter | `TENANT#<tenant>#<owner>#<list>#COUNT` | `COUNT#<shard>` | how many entries the list has |
//! | of a workspace | `TENANT#<tenant>#<owner>#DOCUMENTS#IN#COUNT` | `COUNT#<workspace>` | the same |
//! | default | `TENANT#<tenant>#<owner>#WORKSPACES#DEFAULT` | `DEFAULT` | which workspace is the default |
//!
//! An owner is whose resources they are: `OF@<digest of the external user id>`, or `GLOBAL` for those of nobody in
//! particular. A call made for an end user names partitions of its own owner, and reads those of `GLOBAL` where a kind
//! has shared resources. There is no key of a resource without an owner, so another user's resource can't be asked for.
//!
//! `ALL` has no resources, but an entry and a count for every one: it is how the account finds what any of its users
//! has. Resources, entries and counts are written in one transaction, so a total is exact.
//!
//! The resources of an owner lie in one partition, newest last, so a page of them is one query, which costs what they
//! have in bytes and not a read each. Entries are small: where a numbered page far back begins is found by passing over
//! entries, never over resources. In a list across partitions, which a workspace's is, an entry shows the resource.

use std::fmt;

use uuid::Uuid;

use crate::domain::{RowQuotas, TenantId, Viewpoint, parse_uuid};
use crate::store::dynamodb::{Key, key};
use crate::store::keys::{OF_END_USER, TENANT, tenant_partition};

/// Into how many items the counts of a whole account, and of what all share, are divided: each takes part in the
/// transactions of many, and DynamoDB refuses two at once on one item.
const SHARDS: u8 = 8;

/// A kind of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResourceKind {
    AgentSession,
    Message,
    ToolExecution,
    Workspace,
    Document,
}

impl ResourceKind {
    /// Its name in audit events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AgentSession => "agent_session",
            Self::Message => "message",
            Self::ToolExecution => "tool_execution",
            Self::Workspace => "workspace",
            Self::Document => "document",
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::AgentSession => "SESSION",
            Self::Message => "MESSAGE",
            Self::ToolExecution => "EXECUTION",
            Self::Workspace => "WORKSPACE",
            Self::Document => "DOCUMENT",
        }
    }

    /// Whether resources of nobody in particular are for all end users to see. Those of a private kind are the
    /// account's alone.
    const fn is_shared(self) -> bool {
        matches!(self, Self::Workspace | Self::Document)
    }
}

/// A list of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum List {
    /// All of a kind.
    Of(ResourceKind),
    /// The messages of a session.
    MessagesOf(Uuid),
    /// The documents of a workspace. Its entries have the documents' fields, which nothing changes: an operation that
    /// did would have to write them here, too.
    DocumentsIn(Uuid),
}

impl List {
    pub const fn kind(self) -> ResourceKind {
        match self {
            Self::Of(kind) => kind,
            Self::MessagesOf(_) => ResourceKind::Message,
            Self::DocumentsIn(_) => ResourceKind::Document,
        }
    }
}

impl fmt::Display for List {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}S", self.kind().as_str())?;
        match self {
            Self::Of(_) => Ok(()),
            Self::MessagesOf(id) | Self::DocumentsIn(id) => write!(formatter, "#{id}"),
        }
    }
}

/// Whose resources.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    /// One end user's, by the digest of its id.
    EndUser(String),
    /// Nobody's in particular.
    Global,
    /// Everybody's: entries and counts only.
    Account,
}

impl Owner {
    /// Where a viewpoint writes what it makes.
    pub fn of(viewpoint: &Viewpoint) -> Self {
        match viewpoint {
            Viewpoint::EndUser(id) => Self::EndUser(id.digest()),
            Viewpoint::Account => Self::Global,
        }
    }

    /// Where a viewpoint finds resources of a kind.
    pub fn visible(viewpoint: &Viewpoint, kind: ResourceKind) -> Vec<Self> {
        match viewpoint {
            Viewpoint::EndUser(_) if kind.is_shared() => vec![Self::of(viewpoint), Self::Global],
            Viewpoint::EndUser(_) => vec![Self::of(viewpoint)],
            Viewpoint::Account => vec![Self::Account],
        }
    }

    /// Reads what [`Owner`] is written as, of an owner that has resources.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix(OF_END_USER) {
            Some(digest) => Some(Self::EndUser(digest.to_owned())),
            None => (text == "GLOBAL").then_some(Self::Global),
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EndUser(digest) => write!(formatter, "{OF_END_USER}{digest}"),
            Self::Global => formatter.write_str("GLOBAL"),
            Self::Account => formatter.write_str("ALL"),
        }
    }
}

/// What the index of tenants by status has a deleted session under, while messages of it are left.
pub const TOMBSTONE: &str = "tombstone";

/// What is kept of a resource beside its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemPart {
    Content,
    Tombstone,
}

impl ItemPart {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Content => "CONTENT",
            Self::Tombstone => "TOMBSTONE",
        }
    }
}

/// A part of a resource.
pub fn part(tenant: &TenantId, owner: &Owner, kind: ResourceKind, id: Uuid, part: ItemPart) -> Key {
    key(format!("{}#{owner}#{}#{id}", tenant_partition(tenant), kind.as_str()), part.as_str().to_owned())
}

/// A resource. A message is asked for by the list of its session, all others by the list of their kind.
pub fn resource(tenant: &TenantId, owner: &Owner, list: List, id: Uuid) -> Key {
    key(partition_of_resources(tenant, owner, list), id.to_string())
}

/// Where the resources of a list can be read one after the other, in an owner that has any. For `ALL` that is the lists
/// of workspaces only: the account finds in its other lists whose each resource is.
pub fn partition_of_resources(tenant: &TenantId, owner: &Owner, list: List) -> String {
    let kind = list.kind().as_str();
    match list {
        List::Of(_) => format!("{}#{owner}#{kind}", tenant_partition(tenant)),
        List::MessagesOf(session) => format!("{}#{owner}#{kind}#{session}", tenant_partition(tenant)),
        List::DocumentsIn(_) => partition_of_list(tenant, owner, list),
    }
}

/// The partition of a list in an owner.
pub fn partition_of_list(tenant: &TenantId, owner: &Owner, list: List) -> String {
    format!("{}#{owner}#{list}", tenant_partition(tenant))
}

/// A resource's entry in a list.
pub fn entry(tenant: &TenantId, owner: &Owner, list: List, id: Uuid) -> Key {
    key(partition_of_list(tenant, owner, list), id.to_string())
}

/// The counter that a resource of this id is counted in.
pub fn counter(tenant: &TenantId, owner: &Owner, list: List, id: Uuid) -> Key {
    let [.., last] = id.into_bytes();
    let shard = if is_divided(owner, list) { last % SHARDS } else { 0 };
    match list {
        // Side by side, so that those of several workspaces are one query.
        List::DocumentsIn(workspace) => key(documents_in_workspaces(tenant, owner), counter_of_workspace(workspace)),
        _ => key(partition_of_counters(tenant, owner, list), format!("COUNT#{shard}")),
    }
}

/// The counters of a list in an owner.
pub fn partition_of_counters(tenant: &TenantId, owner: &Owner, list: List) -> String {
    format!("{}#COUNT", partition_of_list(tenant, owner, list))
}

/// The counters of all workspaces that have documents of an owner.
pub fn documents_in_workspaces(tenant: &TenantId, owner: &Owner) -> String {
    format!("{}#IN#COUNT", partition_of_list(tenant, owner, List::Of(ResourceKind::Document)))
}

/// The sort key of a workspace's counter.
pub fn counter_of_workspace(workspace: Uuid) -> String {
    format!("COUNT#{workspace}")
}

/// Which workspace is the default one of an owner.
pub fn default_workspace(tenant: &TenantId, owner: &Owner) -> Key {
    let list = partition_of_list(tenant, owner, List::Of(ResourceKind::Workspace));
    key(format!("{list}#DEFAULT"), "DEFAULT".to_owned())
}

/// How many entries one counter of a list may come to; `None` if nothing bounds it. Each of a tenant's counters has its
/// share of the tenant's quota, so that the sum of all is never over it: an item of their own for the sum would be one
/// that all of a tenant's writes meet at. What is nobody's counts against the tenant's quota only.
pub fn quota(owner: &Owner, list: List, quotas: RowQuotas) -> Option<u32> {
    match (owner, list) {
        (Owner::EndUser(_), List::Of(_)) => Some(quotas.per_end_user.get()),
        (Owner::Account, List::Of(_)) => Some(quotas.per_tenant.get() / u32::from(SHARDS)),
        (Owner::Global, _) | (_, List::MessagesOf(_) | List::DocumentsIn(_)) => None,
    }
}

/// Whether a list is counted in several items.
pub fn is_divided(owner: &Owner, list: List) -> bool {
    !matches!(owner, Owner::EndUser(_)) && matches!(list, List::Of(_))
}

/// The counters of a list that are one item, in each owner that a viewpoint sees: those of a kind are read with the
/// credential. Those of a divided list are one query, which costs one read and not eight.
pub fn counters(tenant: &TenantId, viewpoint: &Viewpoint, list: List) -> Vec<Key> {
    let owners = Owner::visible(viewpoint, list.kind()).into_iter().filter(|owner| !is_divided(owner, list));
    owners.map(|owner| counter(tenant, &owner, list, Uuid::nil())).collect()
}

/// Which workspace is the default, in each owner that a viewpoint sees; of the account's there can be many.
pub fn default_workspaces(tenant: &TenantId, viewpoint: &Viewpoint) -> Vec<Key> {
    let owners = Owner::visible(viewpoint, ResourceKind::Workspace).into_iter();
    owners.filter(|owner| *owner != Owner::Account).map(|owner| default_workspace(tenant, &owner)).collect()
}

/// Where a viewpoint finds a resource: the resource itself in each owner, or for the account the entry that says in
/// which owner it is.
pub fn candidate_keys(tenant: &TenantId, viewpoint: &Viewpoint, kind: ResourceKind, id: Uuid) -> Vec<Key> {
    let place = |owner: &Owner| match owner {
        Owner::Account => entry(tenant, owner, List::Of(kind), id),
        _ => resource(tenant, owner, List::Of(kind), id),
    };
    Owner::visible(viewpoint, kind).iter().map(place).collect()
}

/// The session that a partition is of.
pub fn session_of(partition: &str) -> Option<(TenantId, Owner, Uuid)> {
    let mut parts = partition.strip_prefix(TENANT)?.split('#');
    let tenant = TenantId::parse(parts.next()?).ok()?;
    let owner = Owner::parse(parts.next()?)?;
    let kind = parts.next()?;
    let id = parse_uuid(parts.next()?).ok()?;
    (kind == ResourceKind::AgentSession.as_str() && parts.next().is_none()).then_some((tenant, owner, id))
}

/// Where a viewpoint finds the content of a document; nowhere yet, if it has to find out the owner first.
pub fn contents(tenant: &TenantId, viewpoint: &Viewpoint, id: Uuid) -> Vec<Key> {
    let owners = Owner::visible(viewpoint, ResourceKind::Document).into_iter().filter(|owner| *owner != Owner::Account);
    owners.map(|owner| part(tenant, &owner, ResourceKind::Document, id, ItemPart::Content)).collect()
}

#[cfg(test)]
mod tests;
