//! Signatures that others computed: the vectors of Project Wycheproof for ECDSA on P-256 with SHA-256, in the form that
//! JWS uses (IEEE P1363: r and s, 32 bytes each). They aim at what implementations got wrong: numbers out of range,
//! points at infinity, special hashes, other lengths.

use std::collections::BTreeMap;

use ::wycheproof::TestResult;
use ::wycheproof::ecdsa::{TestName, TestSet};
use data_encoding::BASE64URL_NOPAD;

use super::PublicKey;

#[test]
fn every_signature_of_others_is_judged_as_they_say() {
    let set = TestSet::load(TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let mut judged = BTreeMap::new();
    for group in &set.test_groups {
        let key = PublicKey::of_point(&group.key.key).unwrap();
        // The set gives most keys as JSON Web Keys too, which is how others write the same point.
        if let Some(jwk) = &group.jwk {
            let spelled = [&jwk.affine_x, &jwk.affine_y].map(|coordinate| BASE64URL_NOPAD.encode(coordinate));
            assert_eq!(spelled, [key.x.clone(), key.y.clone()]);
        }
        for test in &group.tests {
            // There is nothing "acceptable" among these, which an implementation may judge either way. Should a new
            // version have some, somebody has to decide on them.
            assert_ne!(test.result, TestResult::Acceptable, "{}: {}", test.tc_id, test.comment);
            let valid = test.result == TestResult::Valid;
            assert_eq!(
                key.verify(&test.msg, &BASE64URL_NOPAD.encode(&test.sig)),
                valid,
                "{}: {} {:?}",
                test.tc_id,
                test.comment,
                test.flags
            );
            *judged.entry(valid).or_insert(0) += 1;
        }
    }
    assert!(judged[&true] >= 170 && judged[&false] >= 85, "{judged:?}");
}
