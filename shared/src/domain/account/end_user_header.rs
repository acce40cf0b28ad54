//! The headers that name the end user of a call.

/// The names of the headers. Proxies make `external-user-id` of the first one.
pub const END_USER_HEADERS: [&str; 3] = ["external_user_id", "external-user-id", "X-End-User-ID"];

/// Whether a header has no such name but one that is taken for it: it differs in `-`, `_`, a leading `x` or an `id` at
/// the end. Such a header was meant to name an end user. To pass it over would make a call for one user a call for all.
pub fn is_misspelt_end_user_header(name: &str) -> bool {
    let is_known = END_USER_HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name));
    !is_known && STEMS.contains(&stem(name).as_str())
}

/// What proxies and people usually make of the names, as HTTP libraries send them.
const USUAL: [&str; 12] = [
    "end-user",
    "end-user-id",
    "end_user",
    "end_user_id",
    "external-user",
    "external_user",
    "externaluserid",
    "x-end-user",
    "x-external-user",
    "x-external-user-id",
    "x_end_user_id",
    "x_external_user_id",
];

/// The misspelt name from a list of ours: what a caller wrote is not to be stored. `None` if it is an unusual one.
pub fn known_misspelling(name: &str) -> Option<&'static str> {
    USUAL.into_iter().find(|usual| usual.eq_ignore_ascii_case(name))
}

/// What is left of the known names.
const STEMS: [&str; 2] = ["externaluser", "enduser"];

/// What is left of a name without all that spellings differ in.
fn stem(name: &str) -> String {
    let letters: String = name.chars().filter(|c| !matches!(c, '-' | '_')).collect();
    let lower = letters.to_ascii_lowercase();
    let stem = lower.trim_start_matches('x');
    stem.strip_suffix("id").unwrap_or(stem).to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_proxies_and_people_make_of_the_names_is_misspelt() {
        for name in [
            "x-external-user-id",
            "X-External-User-Id",
            "x_external_user_id",
            "external-user_id",
            "externaluserid",
            "ExternalUserId",
            "external-user",
            "x-end-user",
            "x_end_user_id",
            "end-user-id",
            "enduser",
            "xenduserid",
            "-end-user-id",
        ] {
            assert!(is_misspelt_end_user_header(name), "{name}");
        }
    }

    #[test]
    fn the_names_themselves_and_others_are_not() {
        for name in END_USER_HEADERS {
            assert!(STEMS.contains(&stem(name).as_str()), "{name}");
            assert!(!is_misspelt_end_user_header(name) && !is_misspelt_end_user_header(&name.to_uppercase()), "{name}");
        }
        for name in
            ["user-id", "x-user-id", "user-agent", "external-users", "x-end-users", "id", "x", "", "x-request-id"]
        {
            assert!(!is_misspelt_end_user_header(name), "{name}");
        }
    }

    #[test]
    fn a_usual_misspelling_is_named_in_our_letters_and_no_other_is() {
        for name in USUAL {
            assert!(is_misspelt_end_user_header(name), "{name}");
            assert_eq!(known_misspelling(&name.to_uppercase()), Some(name));
        }
        for name in ["x-xend-user", "external_user_id", "x-end-user-id", ""] {
            assert_eq!(known_misspelling(name), None, "{name}");
        }
    }

    proptest! {
        /// Every spelling is one of the names, or is seen.
        #[test]
        fn no_spelling_is_passed_over(
            words in prop_oneof![Just(vec!["external", "user"]), Just(vec!["end", "user"])],
            xs in 0_usize..3,
            id in any::<bool>(),
            gaps in proptest::collection::vec("[-_]{0,2}", 5),
            cases in proptest::collection::vec(any::<bool>(), 64),
        ) {
            let mut parts = vec!["x"; xs];
            parts.extend(words);
            parts.extend(id.then_some("id"));
            let parts = parts.iter().zip(gaps.iter().cycle());
            let name: String = parts.flat_map(|(part, gap)| [*part, gap.as_str()]).collect();
            let upper = |(c, upper): (char, &bool)| if *upper { c.to_ascii_uppercase() } else { c };
            let name: String = name.chars().zip(cases.iter().cycle()).map(upper).collect();
            let known = END_USER_HEADERS.iter().any(|known| known.eq_ignore_ascii_case(&name));
            prop_assert_eq!(is_misspelt_end_user_header(&name), !known);
        }
    }
}
