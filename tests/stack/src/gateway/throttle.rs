//! The throttles of HTTP APIs, by what AWS says of them: a bucket of tokens for each route, which all callers share,
//! and from which a request takes one before anybody looks at its credential ("Throttle requests to your HTTP APIs",
//! API Gateway Developer Guide). A gateway of AWS is many machines, and its buckets are not exact; this one is.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use super::route::Matched;
use crate::system::lock;
use crate::template::{Api, Throttle};

/// A token in what buckets count in: tokens come back by the millisecond.
const TOKEN: u64 = 1000;

/// The buckets of all routes.
#[derive(Debug)]
pub(super) struct Throttles {
    apis: BTreeMap<String, Throttle>,
    buckets: Mutex<HashMap<(String, String), Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    left: u64,
    at_ms: i64,
}

impl Throttles {
    pub(super) fn new(apis: &BTreeMap<String, Api>) -> Self {
        let apis = apis.iter().filter_map(|(id, api)| Some((id.clone(), api.throttle?))).collect();
        Self { apis, buckets: Mutex::default() }
    }

    /// Takes a token for a request to this route, if there is one.
    pub(super) fn admits(&self, route: &Matched, now_ms: i64) -> bool {
        let Some(throttle) = self.apis.get(&route.api) else { return true };
        let full = throttle.burst * TOKEN;
        let mut buckets = lock(&self.buckets);
        let bucket = buckets
            .entry((route.api.clone(), route.route_key.clone()))
            .or_insert_with(|| Bucket { left: full, at_ms: now_ms });
        // The clock of a machine can be set back.
        let since = u64::try_from(now_ms - bucket.at_ms).unwrap_or_default();
        bucket.left = full.min(bucket.left.saturating_add(since.saturating_mul(throttle.rate)));
        bucket.at_ms = now_ms;
        let is_enough = bucket.left >= TOKEN;
        if is_enough {
            bucket.left -= TOKEN;
        }
        is_enough
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Throttles;
    use crate::gateway::route::Matched;
    use crate::template::{Api, Throttle};

    fn route(api: &str, path: &str) -> Matched {
        let route_key = format!("ANY {path}");
        Matched { binary: String::new(), route_key, parameters: BTreeMap::new(), api: api.to_owned() }
    }

    #[test]
    fn a_route_has_its_burst_and_then_its_rate_and_no_other_route_pays_for_it() {
        let api = Api { throttle: Some(Throttle { rate: 2, burst: 3 }), needs_principal: false };
        let throttles = Throttles::new(&BTreeMap::from([("Api".to_owned(), api)]));
        let (busy, quiet) = (route("Api", "/a"), route("Api", "/b"));
        let admitted = |at| (0..10).filter(|_| throttles.admits(&busy, at)).count();
        assert_eq!(admitted(0), 3);
        assert_eq!(admitted(499), 0);
        assert_eq!(admitted(500), 1);
        assert_eq!(admitted(60_000), 3);
        assert!(throttles.admits(&quiet, 0) && throttles.admits(&route("Other", "/a"), 0));
    }
}
