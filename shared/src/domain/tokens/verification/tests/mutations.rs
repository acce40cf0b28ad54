//! Whatever comes: one other character, a piece, any text, any value of a claim.

use proptest::prelude::*;

use super::*;

static VALID: LazyLock<String> = LazyLock::new(user_token);

/// Any JSON, not too deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("\\PC{0,8}", inner), 0..4).prop_map(|fields| fields.into_iter().collect::<Value>()),
        ]
    })
}

proptest! {
    /// Its last character too: the bits behind the end of the signature have to be zero.
    #[test]
    fn one_other_character_anywhere_is_refused(position in 0..VALID.len(), other in any::<char>()) {
        let mut changed = VALID.clone();
        changed.replace_range(position..=position, other.encode_utf8(&mut [0; 4]));
        prop_assume!(changed != *VALID);
        prop_assert!(TENANT.check(&changed).is_err());
    }

    #[test]
    fn one_other_character_of_the_alphabet_anywhere_is_refused(position in 0..VALID.len(), other in "[A-Za-z0-9._=-]") {
        let mut changed = VALID.clone();
        changed.replace_range(position..=position, &other);
        prop_assume!(changed != *VALID);
        prop_assert!(TENANT.check(&changed).is_err());
    }

    #[test]
    fn a_piece_of_a_token_is_refused(cut in 0..VALID.len()) {
        prop_assert!(TENANT.check(&VALID[..cut]).is_err());
        prop_assert!(cut == 0 || TENANT.check(&VALID[cut..]).is_err());
    }

    #[test]
    fn no_text_panics(
        text in prop_oneof!["\\PC{0,300}", "[A-Za-z0-9_.=-]{0,400}", "\\PC{0,9}\\.\\PC{0,9}\\.\\PC{0,9}"],
    ) {
        prop_assert!(TENANT.check(&text).is_err());
    }

    #[test]
    fn no_bytes_in_its_parts_panic(header: Vec<u8>, claims: Vec<u8>, signature: [u8; 32]) {
        let unsigned = format!("{}.{}", message(&header, &claims), encode([signature, signature].concat()));
        prop_assert!(TENANT.check(&unsigned).is_err());
        prop_assert!(TENANT.check(&signed(&message(&header, &claims), &TENANT.key)).is_err());
        prop_assert!(TENANT.check(&signed(&message(text(&TENANT.header()), &claims), &TENANT.key)).is_err());
    }

    /// The tenant's own signature makes nothing right.
    #[test]
    fn no_claim_of_any_value_panics(kind in 0..4_usize, place in 0..claims::TYPES.len(), value in any_json()) {
        let mut claims = TENANT.all()[kind].1.clone();
        set(&mut claims, claims::TYPES[place].0, value.clone());
        let answer = TENANT.check(&signed(&message(text(&TENANT.header()), text(&claims)), &TENANT.key));
        if let Ok(read) = answer {
            prop_assert_eq!(fields(&serde_json::to_value(read).unwrap()), claims);
        }
    }
}
