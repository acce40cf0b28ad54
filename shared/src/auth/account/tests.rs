use super::*;
use crate::auth::testing::{external_id, input, request};

fn named(headers: &[(&str, &str)], body: Option<&str>) -> Result<Option<ExternalId>> {
    named_end_user(&request(headers), &InputSummary { end_user: body.map(external_id), ..input() })
}

#[test]
fn the_end_user_is_named_in_headers_or_body_and_everywhere_the_same() {
    for (headers, body, expected) in [
        (&[][..], None, None),
        (&[], Some("ada"), Some("ada")),
        (&[("external_user_id", "ada")], None, Some("ada")),
        (&[("external-user-id", "ada")], None, Some("ada")),
        (&[("x-end-user-id", "ada")], None, Some("ada")),
        (&[("x-end-user-id", "ada"), ("external_user_id", "ada")], Some("ada"), Some("ada")),
        (&[("user-agent", "x-end-user")], None, None),
    ] {
        assert_eq!(named(headers, body).unwrap(), expected.map(external_id), "{headers:?} {body:?}");
    }
    for (headers, body) in [
        (&[("external_user_id", "ada")][..], Some("bob")),
        (&[("external_user_id", "ada"), ("x-end-user-id", "bob")], None),
        (&[("external_user_id", "ada"), ("x-end-user-id", "bob")], Some("bob")),
    ] {
        assert!(matches!(named(headers, body), Err(Error::EndUsersDiffer)), "{headers:?} {body:?}");
    }
}

#[test]
fn a_header_that_is_taken_for_one_of_them_is_refused_and_shown_up_to_64_characters() {
    let refusal = |name: &str| match named(&[(name, "ada"), ("external_user_id", "ada")], Some("ada")) {
        Err(Error::MisspeltHeader(shown)) => shown,
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal("x-external-user-id"), "x-external-user-id");
    let long = format!("x-end-user{}", "-".repeat(90));
    assert_eq!(refusal(&long), long[..64]);
}

#[test]
fn a_header_has_an_id_of_ascii_without_commas() {
    for id in ["ada", " a~", "a b", &"a".repeat(256)] {
        assert_eq!(in_header(id), Ok(external_id(id)), "{id}");
    }
    for id in ["", "a,b", "é", "a\u{7f}", "a\tb", "\0", &"a".repeat(257)] {
        assert!(in_header(id).is_err(), "{id:?}");
    }
    match named(&[("x-end-user-id", "a,b")], None) {
        Err(Error::Invalid { part, field, .. }) => {
            assert_eq!((part, field.as_str()), (RequestPart::Header, "X-End-User-ID"));
        }
        other => panic!("{other:?}"),
    }
}
