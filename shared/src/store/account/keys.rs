//! Where the resources of the account surface are, and where a viewpoint finds them.
//!
//! | Item | `pk` | `sk` | What it holds |
//! |---|---|---|---|
//! | resource | `TENANT#<tenant>#<owner>#<kind>#<id>` | `RESOURCE` | its fields |
//! | content of a document | the same | `CONTENT` | Markdown |
//! | messages that are left | the same | `TOMBSTONE` | that a session was deleted; until its messages are too |
//! | entry | `TENANT#<tenant>#<owner>#<list>` | `<id>` | in the owner `ALL`: in which owner the resource is |
//! | counter | `TENANT#<tenant>#<owner>#<list>#COUNT` | `COUNT#<shard>` | how many entries the list has |
//! | default | `TENANT#<tenant>#<owner>#WORKSPACES#DEFAULT` | `DEFAULT` | which workspace is the default |
//!
//! An owner is whose resources they are: `OF@<digest of the external user id>`, or `GLOBAL` for those of nobody in
//! particular. A call made for an end user names partitions of its own owner, and reads those of `GLOBAL` where a kind
//! has shared resources. There is no key of a resource without an owner, so another user's resource can't be asked for.
//!
//! `ALL` has no resources, but an entry and a count for every one: it is how the account finds what any of its users
//! has. Resources, entries and counts are written in one transaction, so a total is exact. A list is its entries, which
//! are small: pages far back are found by passing over entries, never over resources.

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
    /// The documents of a workspace.
    DocumentsIn(Uuid),
}

impl List {
    const fn kind(self) -> ResourceKind {
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

/// What is kept of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemPart {
    Resource,
    Content,
    Tombstone,
}

impl ItemPart {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Resource => "RESOURCE",
            Self::Content => "CONTENT",
            Self::Tombstone => "TOMBSTONE",
        }
    }
}

/// A part of a resource.
pub fn resource(tenant: &TenantId, owner: &Owner, kind: ResourceKind, id: Uuid, part: ItemPart) -> Key {
    key(format!("{}#{owner}#{}#{id}", tenant_partition(tenant), kind.as_str()), part.as_str().to_owned())
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
    shard(tenant, owner, list, last % shards(owner, list))
}

/// Which workspace is the default one of an owner.
pub fn default_workspace(tenant: &TenantId, owner: &Owner) -> Key {
    let list = partition_of_list(tenant, owner, List::Of(ResourceKind::Workspace));
    key(format!("{list}#DEFAULT"), "DEFAULT".to_owned())
}

fn shard(tenant: &TenantId, owner: &Owner, list: List, number: u8) -> Key {
    key(format!("{}#COUNT", partition_of_list(tenant, owner, list)), format!("COUNT#{number}"))
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

fn shards(owner: &Owner, list: List) -> u8 {
    let is_busy = !matches!(owner, Owner::EndUser(_)) && matches!(list, List::Of(_));
    if is_busy { SHARDS } else { 1 }
}

/// All counters of a list as a viewpoint sees it.
pub fn counters(tenant: &TenantId, viewpoint: &Viewpoint, list: List) -> Vec<Key> {
    let owners = Owner::visible(viewpoint, list.kind());
    let of = |owner: &Owner| (0..shards(owner, list)).map(|number| shard(tenant, owner, list, number)).collect();
    owners.iter().flat_map::<Vec<_>, _>(of).collect()
}

/// Where a viewpoint finds a resource: the resource itself in each owner, or for the account the entry that says in
/// which owner it is.
pub fn candidate_keys(tenant: &TenantId, viewpoint: &Viewpoint, kind: ResourceKind, id: Uuid) -> Vec<Key> {
    let place = |owner: &Owner| match owner {
        Owner::Account => entry(tenant, owner, List::Of(kind), id),
        _ => resource(tenant, owner, kind, id, ItemPart::Resource),
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
    owners.map(|owner| resource(tenant, &owner, ResourceKind::Document, id, ItemPart::Content)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::{ExternalId, RowsPerTenant};

    fn tenant() -> TenantId {
        TenantId::of(&[7; 16])
    }

    fn user(id: &str) -> Viewpoint {
        Viewpoint::EndUser(ExternalId::parse(id).unwrap())
    }

    fn partitions(keys: &[Key]) -> BTreeSet<String> {
        keys.iter().map(|key| key["pk"].as_s().unwrap().clone()).collect()
    }

    #[test]
    fn two_end_users_have_no_partition_in_common_but_the_global_ones() {
        let ids = ["a", "A", "a#b", "a#b#c", "OF@a", "GLOBAL", "ALL", "é", "e\u{301}", "а", "😀", "a/", "TENANT#x"];
        let views = ids.map(user);
        for kind in
            [ResourceKind::AgentSession, ResourceKind::ToolExecution, ResourceKind::Workspace, ResourceKind::Document]
        {
            let row = Uuid::from_u128(1);
            let places = |viewpoint: &Viewpoint| {
                let lists = [List::Of(kind), List::MessagesOf(row), List::DocumentsIn(row)];
                let counters = lists.into_iter().flat_map(|list| counters(&tenant(), viewpoint, list));
                let keys: Vec<_> =
                    candidate_keys(&tenant(), viewpoint, kind, row).into_iter().chain(counters).collect();
                partitions(&keys)
            };
            for (number, one) in views.iter().enumerate() {
                for other in &views[number + 1..] {
                    let (one, other) = (places(one), places(other));
                    for shared in one.intersection(&other) {
                        let global = format!("TENANT#{}#GLOBAL#", tenant());
                        let kept = shared.strip_prefix(&global).unwrap();
                        assert!(kept.starts_with("WORKSPACE") || kept.starts_with("DOCUMENT"), "{shared}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_id_can_not_be_made_to_look_like_a_space() {
        for id in ["GLOBAL", "ALL", "OF@x", "x#SESSIONS"] {
            let Owner::EndUser(digest) = Owner::of(&user(id)) else { panic!("{id}") };
            assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        }
    }

    #[test]
    fn a_private_row_of_the_account_is_no_end_users() {
        for kind in [ResourceKind::AgentSession, ResourceKind::ToolExecution, ResourceKind::Message] {
            assert_eq!(Owner::visible(&user("a"), kind), [Owner::of(&user("a"))]);
        }
        assert_eq!(Owner::visible(&user("a"), ResourceKind::Document), [Owner::of(&user("a")), Owner::Global]);
    }

    #[test]
    fn the_session_of_a_partition_is_found() {
        let (id, owner) = (Uuid::from_u128(9), Owner::of(&user("a")));
        let partition = |kind| {
            let key = resource(&tenant(), &owner, kind, id, ItemPart::Tombstone);
            key["pk"].as_s().unwrap().clone()
        };
        let found = session_of(&partition(ResourceKind::AgentSession));
        assert_eq!(found, Some((tenant(), owner.clone(), id)));
        assert_eq!(session_of(&partition(ResourceKind::Document)), None);
        assert_eq!(session_of(&format!("{}#x", partition(ResourceKind::AgentSession))), None);
    }

    #[test]
    fn a_space_is_read_as_it_is_written() {
        for owner in [Owner::Global, Owner::of(&user("a"))] {
            assert_eq!(Owner::parse(&owner.to_string()), Some(owner));
        }
        assert_eq!(Owner::parse("ALL"), None);
    }

    #[test]
    fn a_row_is_counted_in_one_of_the_counters_that_are_read() {
        let list = List::Of(ResourceKind::Document);
        let read = counters(&tenant(), &Viewpoint::Account, list);
        assert_eq!(read.len(), usize::from(SHARDS));
        for number in 0..=255 {
            assert!(read.contains(&counter(&tenant(), &Owner::Account, list, Uuid::from_u128(number))));
        }
        assert_eq!(counters(&tenant(), &user("a"), list).len(), 1 + usize::from(SHARDS));
        assert_eq!(counters(&tenant(), &user("a"), List::Of(ResourceKind::AgentSession)).len(), 1);
    }

    fn quotas(per_tenant: u64) -> RowQuotas {
        RowQuotas { per_tenant: RowsPerTenant::new(per_tenant).unwrap(), ..RowQuotas::default() }
    }

    #[test]
    fn the_shares_of_a_tenants_counters_are_together_never_over_its_quota() {
        let list = List::Of(ResourceKind::Document);
        for per_tenant in [8, 9, 15, 16, 1000, 1_000_001, 100_000_000] {
            let share = u64::from(quota(&Owner::Account, list, quotas(per_tenant)).unwrap());
            let sum = share * u64::from(SHARDS);
            assert!(sum <= per_tenant && per_tenant - sum < u64::from(SHARDS), "{per_tenant}");
        }
        assert_eq!(quota(&Owner::Global, list, quotas(8)), None);
        assert_eq!(quota(&Owner::of(&user("a")), list, quotas(8)), Some(10_000));
        assert_eq!(quota(&Owner::Account, List::DocumentsIn(Uuid::nil()), quotas(8)), None);
    }

    /// How many rows of a tenant are accepted before the first is refused, which is when the first of its counters has
    /// its share: printed by `cargo test -p shared --lib spread_unevenly -- --nocapture`, and named in docs/limits.md.
    #[test]
    fn a_tenant_whose_rows_are_spread_unevenly_is_refused_a_little_early() {
        const ROUNDS: u64 = 100;
        let list = List::Of(ResourceKind::Document);
        println!("quota: accepted before the first refusal, in the worst and in the middle one of {ROUNDS} tenants");
        for (per_tenant, least) in [(1_000, 0.70), (10_000, 0.90), (100_000, 0.97), (1_000_000, 0.99)] {
            let share = quota(&Owner::Account, list, quotas(per_tenant)).unwrap();
            let mut accepted: Vec<u64> = (0..ROUNDS).map(|round| accepted(share, round)).collect();
            accepted.sort_unstable();
            let part = |accepted: u64| u32::try_from(accepted).map(f64::from).unwrap() / f64::from(share * 8);
            let (worst, middle) = (part(accepted[0]), part(accepted[accepted.len() / 2]));
            println!("{per_tenant}: {:.1} % {:.1} %", worst * 100.0, middle * 100.0);
            assert!(worst >= least && middle <= 1.0, "{per_tenant}: {worst}");
        }
    }

    /// How many rows with random ids have room, if each counter has this share.
    fn accepted(share: u32, seed: u64) -> u64 {
        let (mut counts, mut state) = ([0; SHARDS as usize], seed << 40);
        loop {
            // SplitMix64.
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            let count = &mut counts[usize::from((mixed >> 56) as u8 % SHARDS)];
            if *count == share {
                return counts.iter().map(|count| u64::from(*count)).sum();
            }
            *count += 1;
        }
    }
}
