//! Which function a request goes to, by the rules of an HTTP API.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::percent;
use crate::template::{Api, Function, Route};

/// The routes, the most specific first.
#[derive(Debug)]
pub(super) struct Routes {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    route: Route,
    pattern: Vec<Segment>,
    function: Arc<Function>,
}

/// A part of a route's path.
#[derive(Debug)]
enum Segment {
    Literal(String),
    Variable(String),
    Greedy(String),
}

/// A route that a request matches.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Matched {
    /// The binary of its function.
    pub(super) binary: String,
    /// As in `ANY /a/{id}`.
    pub(super) route_key: String,
    /// The path variables, decoded.
    pub(super) parameters: BTreeMap<String, String>,
    /// The logical id of its API.
    pub(super) api: String,
}

impl Routes {
    /// The routes of all functions. Those of an API that needs a principal of IAM are left out: signatures of AWS are
    /// verified by nobody here.
    pub(super) fn new(functions: &[Arc<Function>], apis: &BTreeMap<String, Api>) -> Self {
        let is_open = |route: &Route| !apis.get(&route.api).is_some_and(|api| api.needs_principal);
        let mut entries: Vec<Entry> = functions
            .iter()
            .flat_map(|function| function.routes.iter().map(move |route| (function, route)))
            .filter(|(_, route)| is_open(route))
            .map(|(function, route)| Entry {
                route: route.clone(),
                pattern: pattern(&route.path),
                function: Arc::clone(function),
            })
            .collect();
        entries.sort_by_key(rank);
        Self { entries }
    }

    /// The route of a request. `path` is as it was sent, without the query.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<Matched> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        self.entries.iter().filter(|entry| entry.route.method == "ANY" || entry.route.method == method).find_map(
            |entry| {
                let parameters = capture(&entry.pattern, &segments)?;
                let (binary, api) = (entry.function.binary.clone(), entry.route.api.clone());
                Some(Matched { binary, route_key: route_key(&entry.route), parameters, api })
            },
        )
    }
}

fn route_key(route: &Route) -> String {
    if route.path == "$default" { route.path.clone() } else { format!("{} {}", route.method, route.path) }
}

fn pattern(path: &str) -> Vec<Segment> {
    if path == "$default" {
        return vec![Segment::Greedy(String::new())];
    }
    path.trim_start_matches('/')
        .split('/')
        .map(|segment| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Segment::Greedy(name.to_owned()),
                None => Segment::Variable(name.to_owned()),
            },
            None => Segment::Literal(segment.to_owned()),
        })
        .collect()
}

/// Literals before variables before greedy ones, segment by segment; then a method of its own before `ANY`; `$default`
/// comes last of all.
fn rank(entry: &Entry) -> (bool, Vec<u8>, bool) {
    let kinds = entry.pattern.iter().map(|segment| match segment {
        Segment::Literal(_) => 0,
        Segment::Variable(_) => 1,
        Segment::Greedy(_) => 2,
    });
    (entry.route.path == "$default", kinds.collect(), entry.route.method == "ANY")
}

fn capture(pattern: &[Segment], segments: &[&str]) -> Option<BTreeMap<String, String>> {
    let mut parameters = BTreeMap::new();
    let mut rest = segments;
    for expected in pattern {
        match expected {
            Segment::Greedy(name) => {
                // It takes at least one character, but for `$default`, which has no name.
                let all = rest.join("/");
                if name.is_empty() {
                    return Some(parameters);
                }
                parameters.insert(name.clone(), percent::decode(&all, false));
                return (!all.is_empty()).then_some(parameters);
            }
            Segment::Literal(literal) => {
                let (segment, others) = rest.split_first()?;
                if percent::decode(segment, false) != *literal {
                    return None;
                }
                rest = others;
            }
            Segment::Variable(name) => {
                let (segment, others) = rest.split_first()?;
                if segment.is_empty() {
                    return None;
                }
                parameters.insert(name.clone(), percent::decode(segment, false));
                rest = others;
            }
        }
    }
    rest.is_empty().then_some(parameters)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::Routes;
    use crate::template::{Function, Route};

    fn routes(list: &[(&str, &str)]) -> Routes {
        let functions: Vec<_> = list
            .iter()
            .map(|(method, path)| {
                Arc::new(Function {
                    logical_id: String::new(),
                    name: String::new(),
                    binary: format!("{method} {path}"),
                    environment: BTreeMap::new(),
                    memory_mb: 128,
                    timeout_seconds: 3,
                    routes: vec![Route { method: (*method).to_owned(), path: (*path).to_owned(), api: String::new() }],
                    schedule: false,
                    mappings: Vec::new(),
                    statements: Vec::new(),
                })
            })
            .collect();
        Routes::new(&functions, &BTreeMap::new())
    }

    #[test]
    fn the_most_specific_route_wins() {
        let routes = routes(&[
            ("ANY", "$default"),
            ("ANY", "/a/{rest+}"),
            ("ANY", "/a/{id}"),
            ("GET", "/a/{id}"),
            ("ANY", "/a/b"),
            ("POST", "/only/post"),
        ]);
        for (method, path, expected) in [
            ("POST", "/a/b", "ANY /a/b"),
            ("GET", "/a/c", "GET /a/{id}"),
            ("POST", "/a/c", "ANY /a/{id}"),
            ("POST", "/a/c/d", "ANY /a/{rest+}"),
            ("GET", "/only/post", "$default"),
            ("GET", "/", "$default"),
            ("GET", "/a/", "$default"),
        ] {
            assert_eq!(routes.find(method, path).unwrap().route_key, expected, "{method} {path}");
        }
    }

    #[test]
    fn variables_are_decoded_and_a_missing_route_is_none() {
        let routes = routes(&[("GET", "/t/{id}/x"), ("GET", "/g/{all+}")]);
        assert_eq!(routes.find("GET", "/t/a%20b/x").unwrap().parameters["id"], "a b");
        assert_eq!(routes.find("GET", "/g/a/b%2Fc").unwrap().parameters["all"], "a/b/c");
        for (method, path) in [("POST", "/t/a/x"), ("GET", "/t/a/x/"), ("GET", "/t//x"), ("GET", "*"), ("GET", "/g/")] {
            assert_eq!(routes.find(method, path), None, "{method} {path}");
        }
    }
}
