//! Partitions of owners, counters and quotas.

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
    keys.iter().map(|key| key.partition.clone()).collect()
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
            let keys: Vec<_> = candidate_keys(&tenant(), viewpoint, kind, row)
                .into_iter()
                .chain(counters)
                .chain(default_workspaces(&tenant(), viewpoint))
                .collect();
            let owners =
                |list: List| Owner::visible(viewpoint, list.kind()).into_iter().map(move |owner| (owner, list));
            let read = lists.into_iter().flat_map(owners).flat_map(|(owner, list)| {
                [partition_of_list, partition_of_resources, partition_of_counters].map(|of| of(&tenant(), &owner, list))
            });
            partitions(&keys).into_iter().chain(read).collect::<BTreeSet<_>>()
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
fn an_id_can_not_be_made_to_look_like_an_owner() {
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
        let key = part(&tenant(), &owner, kind, id, ItemPart::Tombstone);
        key.partition.clone()
    };
    let found = session_of(&partition(ResourceKind::AgentSession));
    assert_eq!(found, Some((tenant(), owner.clone(), id)));
    assert_eq!(session_of(&partition(ResourceKind::Document)), None);
    assert_eq!(session_of(&format!("{}#x", partition(ResourceKind::AgentSession))), None);
}

#[test]
fn an_owner_is_read_as_it_is_written() {
    for owner in [Owner::Global, Owner::of(&user("a"))] {
        assert_eq!(Owner::parse(&owner.to_string()), Some(owner));
    }
    assert_eq!(Owner::parse("ALL"), None);
}

#[test]
fn a_row_is_counted_in_one_of_the_counters_that_are_read() {
    let list = List::Of(ResourceKind::Document);
    let divided = partition_of_counters(&tenant(), &Owner::Account, list);
    let all: Vec<_> =
        (0..=255).map(|number| counter(&tenant(), &Owner::Account, list, Uuid::from_u128(number))).collect();
    assert_eq!(partitions(&all), BTreeSet::from([divided]));
    let sort_keys: BTreeSet<_> = all.iter().map(|key| &key.sort).collect();
    assert_eq!(sort_keys.len(), usize::from(SHARDS));
    let ada = user("a");
    let own = |list| counter(&tenant(), &Owner::of(&ada), list, Uuid::from_u128(7));
    assert_eq!(counters(&tenant(), &ada, list), [own(list)], "the others are one query");
    let sessions = List::Of(ResourceKind::AgentSession);
    assert_eq!(counters(&tenant(), &ada, sessions), [own(sessions)]);
    assert!(counters(&tenant(), &Viewpoint::Account, list).is_empty());
    let workspace = List::DocumentsIn(Uuid::from_u128(8));
    assert_eq!(counters(&tenant(), &ada, workspace).len(), 2);
    assert_eq!(partitions(&[own(workspace)]), BTreeSet::from([documents_in_workspaces(&tenant(), &Owner::of(&ada))]));
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
