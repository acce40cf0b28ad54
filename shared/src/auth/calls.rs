//! The limits of calls by API key and by end user: asked only once the credential was accepted, so that nobody without
//! one can use them up.

use crate::app::App;
use crate::domain::{ApiKeyId, ExternalId, Quota, TenantId};
use crate::error::Result;
use crate::store::{Counted, TenantState};

/// Accepts a call of an API key, for an end user, or both, and counts it where the tenant has a limit. What is left,
/// of the limit with less left. No call to AWS without a limit, and one for each.
///
/// The end user comes first: one that calls too often must not use up the key's minute for all others.
///
/// # Errors
/// If a limit is used up, or the table fails.
pub(super) async fn count(
    app: &App,
    tenant_id: &TenantId,
    tenant: &TenantState,
    end_user: Option<&ExternalId>,
    key: Option<&ApiKeyId>,
) -> Result<Option<Quota>> {
    let limits = &tenant.limits;
    let of_user = limits.calls_per_min_per_end_user.zip(end_user).map(|(limit, id)| (limit, Counted::EndUser(id)));
    let of_key = limits.calls_per_min_per_key.zip(key).map(|(limit, id)| (limit, Counted::ApiKey(id)));
    let mut least: Option<Quota> = None;
    for (limit, counted) in [of_user, of_key].into_iter().flatten() {
        let quota = app.count_call(tenant_id, counted, limit).await?;
        least = Some(least.map_or(quota, |least| tighter(least, quota)));
    }
    Ok(least)
}

/// The one with less left.
fn tighter(one: Quota, other: Quota) -> Quota {
    if one.remaining <= other.remaining { one } else { other }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the runtime of a test is its own")]
mod tests {
    use super::*;
    use crate::auth::testing::{Tenant, app, external_id, now};
    use crate::domain::{KeyKind, LimitOf, Minute, RatePerMinute};
    use crate::error::Error;

    #[test]
    fn of_two_limits_the_one_with_less_left_is_told_and_the_first_of_equals() {
        let quota = |of, used| Quota::new(of, RatePerMinute::default(), used, Minute::from(now()), now());
        for (of_user, of_key, told) in [(2, 1, LimitOf::EndUser), (1, 2, LimitOf::ApiKey), (1, 1, LimitOf::EndUser)] {
            let told_of = tighter(quota(LimitOf::EndUser, of_user), quota(LimitOf::ApiKey, of_key)).of;
            assert_eq!(told_of, told, "{of_user} {of_key}");
        }
    }

    #[tokio::test]
    async fn a_call_that_is_limited_and_cannot_be_counted_is_refused() {
        let tenant = Tenant::new(KeyKind::Account);
        let mut state = tenant.shelf.read(&[]).tenant_state().unwrap().unwrap();
        let (user, key) = (external_id("ada"), tenant.key.claims.id.clone());
        let limit = Some(RatePerMinute::default());
        for (of_user, of_key, is_counted) in
            [(None, None, false), (limit, None, true), (None, limit, true), (limit, limit, true)]
        {
            state.limits.calls_per_min_per_end_user = of_user;
            state.limits.calls_per_min_per_key = of_key;
            // There is no table to count it in.
            let outcome = count(&app(), &tenant.id, &state, Some(&user), Some(&key)).await;
            assert_eq!(matches!(outcome, Err(Error::Unavailable(_))), is_counted);
            assert_eq!(matches!(outcome, Ok(None)), !is_counted);
            assert!(matches!(count(&app(), &tenant.id, &state, None, None).await, Ok(None)));
        }
    }
}
