use super::*;
use crate::auth::testing::{app, input, request};

const MAC: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn each_header_goes_by_either_of_its_names_and_not_by_both() {
    let names = [TENANT_ID, TIMESTAMP, SIGNATURE];
    let values = ["tnt_1", "1782000000000", MAC];
    for chosen in 0..8 {
        let headers: Vec<_> = (0..3).map(|header| (names[header][chosen >> header & 1], values[header])).collect();
        let call = read(&request(&headers)).unwrap();
        assert_eq!((call.tenant_id.as_str(), call.timestamp.as_millis()), ("tnt_1", 1_782_000_000_000));
        assert_eq!((call.version, &call.nonce), (SigningVersion::V1, &None));
        for missing in 0..3 {
            let mut fewer = headers.clone();
            fewer.remove(missing);
            assert!(read(&request(&fewer)).is_err(), "{fewer:?}");
            for name in names[missing] {
                let twice: Vec<_> = headers.iter().copied().chain([(name, values[missing])]).collect();
                let is_repeated = headers.iter().any(|(known, _)| *known == name);
                assert!(is_repeated || read(&request(&twice)).is_err(), "{twice:?}");
            }
        }
    }
}

#[test]
fn a_call_of_the_second_version_has_a_nonce() {
    let signature = format!("v2={MAC}");
    let headers = [(TENANT_ID[0], "tnt_1"), (TIMESTAMP[0], "1"), (SIGNATURE[0], signature.as_str())];
    assert!(read(&request(&headers)).is_err());
    let call = read(&request(&[&headers[..], &[(NONCE, "0123456789abcdef")]].concat())).unwrap();
    assert_eq!(call.version, SigningVersion::V2);
    assert_eq!(call.nonce.map(|nonce| nonce.to_string()).as_deref(), Some("0123456789abcdef"));
}

#[tokio::test]
async fn a_call_of_another_time_is_refused_before_anything_is_read() {
    for timestamp in ["1781999969999", "1782000030001"] {
        let headers = [(TENANT_ID[0], "tnt_1"), (TIMESTAMP[0], timestamp), (SIGNATURE[0], MAC)];
        match SignedTenant::authenticate(&app(), &request(&headers), &input()).await {
            Err(Error::Unauthenticated(reason)) => assert_eq!(reason, "timestamp is more than 30 s off"),
            other => panic!("{other:?}"),
        }
    }
}
