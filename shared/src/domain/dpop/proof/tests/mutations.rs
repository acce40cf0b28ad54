//! Proofs that were changed somewhere, and texts that are none.

use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_proof_with_one_other_character_is_none(place in any::<prop::sample::Index>(), other in "[A-Za-z0-9_.=-]") {
        let proof = signed(text(&header()), text(&claims()));
        let place = place.index(proof.len());
        let changed = [&proof[..place], &other, &proof[place + 1..]].concat();
        prop_assert_eq!(SESSION.judge(&changed).is_ok(), changed == proof);
    }

    #[test]
    fn no_text_is_a_proof(text in "[A-Za-z0-9_.=-]{0,300}|\\PC{0,80}") {
        prop_assert!(UnverifiedDpopProof::parse(&text).is_err());
    }

    #[test]
    fn no_signed_text_panics(header in "\\PC{0,60}", claims in "[\\[{\",:0-9a-zA-Z}\\]\\\\ -]{0,60}") {
        prop_assert!(SESSION.judge(&signed(&header, &claims)).is_err());
        prop_assert!(SESSION.judge(&signed(text(&super::header()), &claims)).is_err());
    }
}

/// With (r, s), (r, n - s) is a signature of the same message too, and takes no key to make.
#[test]
fn a_second_signature_of_a_proof_is_the_same_proof_once_more() {
    let order = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
    let order = data_encoding::HEXUPPER.decode(order.as_bytes()).unwrap();
    let proof = signed(text(&header()), text(&claims()));
    let (message, signature) = proof.rsplit_once('.').unwrap();
    let mut signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    let mut borrow = 0;
    for place in (0..32).rev() {
        let difference = i32::from(order[place]) - i32::from(signature[32 + place]) - borrow;
        borrow = i32::from(difference < 0);
        signature[32 + place] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    let twin = format!("{message}.{}", encode(signature));
    let [one, other] = [&proof, &twin].map(|proof| SESSION.verify(proof).unwrap());
    assert!(twin != proof && one.replay_key() == other.replay_key());
}
