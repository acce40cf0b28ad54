//! Near misses of names of fields, in every body of the surface.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use crate::api::{Audience, OPERATIONS, OperationInfo, Surface, document};
use crate::domain::near_miss;

/// The operations of the surface that take a body.
fn with_bodies() -> impl Iterator<Item = &'static OperationInfo> {
    OPERATIONS.iter().filter(|entry| entry.surface == Surface::Projects && entry.has_body())
}

#[test]
fn the_fields_of_which_near_misses_are_refused_are_all_that_the_document_shows() {
    let document = document(Audience::Everyone);
    for entry in with_bodies() {
        let body = &document["paths"][entry.route.path]["post"]["requestBody"]["content"]["application/json"]["schema"];
        let name = body["$ref"].as_str().unwrap().strip_prefix("#/components/schemas/").unwrap();
        let shown = document["components"]["schemas"][name]["properties"].as_object().unwrap();
        let shown: BTreeSet<_> = shown.keys().map(String::as_str).collect();
        assert_eq!(entry.fields.iter().copied().collect::<BTreeSet<_>>(), shown, "{}", entry.route.name);
        assert_eq!(entry.fields.len(), shown.len(), "{}", entry.route.name);
    }
    assert_eq!(with_bodies().count(), 5);
    assert!(OPERATIONS.iter().all(|entry| entry.fields.is_empty() || entry.surface == Surface::Projects));
}

/// What clients of the service that this surface stands in for may send beside: none of it is near anything.
#[test]
fn fields_of_other_services_are_still_ignored() {
    for entry in with_bodies() {
        for name in ["email", "metadata", "locale", "avatarUrl", "createdAt", "tags", "projectName", "isActive", "type"]
        {
            assert_eq!(near_miss(name, entry.fields), None, "{name} of {}", entry.route.name);
        }
        let example: Value = serde_json::from_str(entry.route.body_example).unwrap();
        for name in example.as_object().unwrap().keys() {
            assert_eq!(near_miss(name, entry.fields), None, "{name} of {}", entry.route.name);
        }
    }
}

/// A name written in another way: its words cut at capitals, in any case, joined by any signs.
fn respelt(field: &str, cases: &[bool], gaps: &[String]) -> String {
    let mut gaps = gaps.iter().cycle();
    let mut cases = cases.iter().cycle();
    let mut name = String::new();
    for letter in field.chars() {
        if letter.is_ascii_uppercase() {
            name.extend(gaps.next().map(String::as_str));
        }
        let upper = cases.next().is_some_and(|upper| *upper);
        name.push(if upper { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() });
    }
    name
}

proptest! {
    /// Every spelling of a field is the field, or is refused with its name.
    #[test]
    fn no_spelling_of_a_field_is_ignored(
        cases in proptest::collection::vec(any::<bool>(), 1..24),
        gaps in proptest::collection::vec("[-_. ]{0,2}", 1..4),
        plural in any::<bool>(),
    ) {
        for entry in with_bodies() {
            for field in entry.fields {
                let mut name = respelt(field, &cases, &gaps);
                if plural && !name.ends_with(['s', 'S']) {
                    name.push('s');
                }
                let near = near_miss(&name, entry.fields);
                prop_assert!(name == *field || near == Some(*field), "{name} of {}: {near:?}", entry.route.name);
            }
        }
    }

    /// Any name at all is judged without a panic, and the same each time.
    #[test]
    fn any_name_is_near_one_field_at_most(name in "\\PC{0,40}") {
        for entry in with_bodies() {
            let near = near_miss(&name, entry.fields);
            prop_assert_eq!(near, near_miss(&name, entry.fields));
            prop_assert!(near.is_none_or(|field| entry.fields.contains(&field) && field != name));
        }
    }
}
