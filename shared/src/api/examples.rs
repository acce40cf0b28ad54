//! The ids in the examples of bodies that stand for something of whoever sends them. A test that sends an example
//! replaces them by those of its own tenant.

/// The project of the API key.
pub const PROJECT_ID: &str = "5d1f6c0e-8a43-4b7f-9c52-1e7a90d3b684";
/// An organization that is registered.
pub const ORGANIZATION_ID: &str = "5f0c2d94-71be-4c1a-8d3f-b2a6e90c7415";
/// A user of that organization.
pub const USER_ID: &str = "9b2e4f17-30ad-4e86-a5c9-7d18f6b0e233";
/// A token of the tenant.
pub const TOKEN: &str = "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2lnbmF0dXJl";
/// The code of a console link, with what it is sent in.
pub const CONSOLE_CODE_BODY: &str = concat!(
    r#"{"code": "cl_"#,
    "aaaqeayeaudaoaaaaaaaaaaaaaaaaaaaaaaaaaaaaebagbaf",
    "aydqqcikbmga2dqpcaireeyuculbogazdinryhi6d5tpndsz",
    r#""}"#,
);

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{ORGANIZATION_ID, PROJECT_ID, TOKEN, USER_ID};
    use crate::api::{BodyRule, OPERATIONS, Surface};

    #[test]
    fn every_operation_that_needs_a_body_has_an_example_and_none_without_a_body_has() {
        for entry in OPERATIONS {
            let (route, has_example) = (&entry.route, !entry.route.body_example.is_empty());
            match route.body {
                BodyRule::Required | BodyRule::Form => {
                    assert!(has_example, "{}: give its route a body with .example(r#\"{{…}}\"#)", route.name);
                }
                BodyRule::None => assert!(!has_example, "{} takes no body: drop its .example(…)", route.name),
                BodyRule::Optional => {}
            }
        }
    }

    #[test]
    fn every_example_is_an_object_that_its_operation_takes() {
        for entry in OPERATIONS.iter().filter(|entry| !entry.route.body_example.is_empty()) {
            let (name, example) = (entry.route.name, entry.route.body_example);
            let value: Value = serde_json::from_str(example).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(value.is_object(), "{name}: an example is an object");
            let decoded = (entry.check_body)(example);
            assert!(decoded.is_ok(), "the example of {name} is refused: {decoded:?}");
            assert!((entry.check_body)("7").is_err(), "{name}: the check sees what is no body");
        }
    }

    #[test]
    fn an_unknown_field_is_refused_except_where_the_surface_ignores_it() {
        let mut seen = 0;
        for entry in OPERATIONS.iter().filter(|entry| !entry.route.body_example.is_empty()) {
            let mut body: Value = serde_json::from_str(entry.route.body_example).unwrap();
            body["a_field_that_nothing_has"] = 1.into();
            let is_taken = (entry.check_body)(&body.to_string()).is_ok();
            let ignores = matches!(entry.surface, Surface::Projects | Surface::Relay | Surface::Tokens);
            let hint = "put #[serde(deny_unknown_fields)] on its body, except on projects, relay and tokens";
            assert_eq!(is_taken, ignores, "{}: {hint}", entry.route.name);
            seen += 1;
        }
        assert!(seen > 15, "{seen}");
    }

    #[test]
    fn every_id_that_is_replaced_stands_in_an_example() {
        for id in [PROJECT_ID, ORGANIZATION_ID, USER_ID, TOKEN] {
            assert!(OPERATIONS.iter().any(|entry| entry.route.body_example.contains(id)), "{id} is in no example");
        }
    }
}
