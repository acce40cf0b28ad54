//! Responses that are in order, though they look odd.

use ciborium::Value as Cbor;
use serde_json::{Value, json};

use super::super::cbor::write;
use super::super::client_data::ClientDataType;
use super::super::records::CounterChange;
use super::super::{CredentialId, challenge_of, credential_id_of};
use super::soft::{AT, BE, BS, ED, SYNCED, Scene, UP, UV, edit, encode};
use super::{ES256, keys};
use crate::domain::WebauthnOrigin;

fn registration(change: impl FnOnce(&mut Scene<'_>)) -> super::super::NewPasskey {
    let mut scene = Scene::new(ClientDataType::Registration, &ES256);
    change(&mut scene);
    scene.register().unwrap()
}

fn login(change: impl FnOnce(&mut Scene<'_>)) -> super::super::VerifiedLogin {
    let mut scene = Scene::new(ClientDataType::Login, &ES256);
    change(&mut scene);
    scene.log_in().unwrap()
}

#[test]
fn a_registration_says_what_is_kept() {
    for key in keys() {
        let mut scene = Scene::new(ClientDataType::Registration, key);
        scene.counter = 0x0102_0304;
        let passkey = scene.register().unwrap();
        assert_eq!(passkey.credential_id, scene.stored.credential_id);
        assert_eq!(passkey.public_key, scene.stored.public_key);
        assert_eq!(passkey.algorithm, scene.stored.algorithm);
        assert_eq!(passkey.counter, 0x0102_0304);
        assert_eq!(passkey.aaguid.as_str(), "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa");
        assert_eq!(passkey.transports.as_slice(), ["internal", "hybrid"]);
        assert!(passkey.backup_eligible && passkey.backup_state && passkey.user_verified);
    }
    let bound = registration(|scene| scene.flags = UP | UV | AT);
    assert!(!bound.backup_eligible && !bound.backup_state && bound.user_verified);
    let unsynced = registration(|scene| scene.flags = UP | UV | BE | AT);
    assert!(unsynced.backup_eligible && !unsynced.backup_state);
}

#[test]
fn what_was_registered_logs_in() {
    for key in keys() {
        let passkey = Scene::new(ClientDataType::Registration, key).register().unwrap();
        let mut scene = Scene::new(ClientDataType::Login, key);
        scene.stored.public_key = passkey.public_key;
        scene.stored.algorithm = passkey.algorithm;
        scene.stored.counter = passkey.counter;
        let login = scene.log_in().unwrap();
        assert_eq!(login.counter, CounterChange::Advanced { from: 0, to: 8 });
        assert!(login.user_verified && login.backup_state && login.backup_eligible);
    }
}

/// iCloud Keychain: not eligible at the registration, eligible after its first sync.
#[test]
fn a_passkey_may_become_eligible_for_backup() {
    let later = login(|scene| scene.stored.backup_eligible = false);
    assert!(later.backup_eligible && later.backup_state);
    let never = login(|scene| {
        scene.stored.backup_eligible = false;
        scene.flags = UP | UV;
    });
    assert!(!never.backup_eligible && !never.backup_state);
    let no_longer_synced = login(|scene| scene.flags &= !BS);
    assert!(no_longer_synced.backup_eligible && !no_longer_synced.backup_state);
}

#[test]
fn a_counter_grows_or_is_not_there() {
    let change = |stored, answered| login(|scene| (scene.stored.counter, scene.counter) = (stored, answered)).counter;
    assert_eq!(change(0, 0), CounterChange::NotCounted);
    assert_eq!(change(0, 2), CounterChange::Advanced { from: 0, to: 2 });
    assert_eq!(change(7, 8), CounterChange::Advanced { from: 7, to: 8 });
    assert_eq!(change(1, u32::MAX), CounterChange::Advanced { from: 1, to: u32::MAX });
}

#[test]
fn a_named_person_need_not_be_answered() {
    login(|scene| scene.named = Some(scene.stored.user_handle.clone()));
    login(|scene| {
        scene.named = Some(scene.stored.user_handle.clone());
        scene.after = |json| drop(json["response"].as_object_mut().unwrap().remove("userHandle"));
    });
    login(|scene| {
        scene.named = Some(scene.stored.user_handle.clone());
        scene.after = |json| json["response"]["userHandle"] = Value::Null;
    });
}

#[test]
fn client_data_may_say_more_and_leave_out_cross_origin() {
    let grease = r#""do not compare clientDataJSON against a template. See https://goo.gl/yabPex""#;
    for ceremony in [ClientDataType::Registration, ClientDataType::Login] {
        let mut scene = Scene::new(ceremony, &ES256);
        scene.add("other_keys_can_be_added_here", grease);
        scene.add("androidPackageName", r#""com.example""#);
        scene.add("nested", r#"{"a":[1,2,{"a":null}],"b":1e40}"#);
        assert_eq!(scene.cause(), None);
        scene.remove("crossOrigin");
        assert_eq!(scene.cause(), None);
        scene.members.reverse();
        assert_eq!(scene.cause(), None);
        let spaced =
            String::from_utf8(scene.client_data()).unwrap().replace(',', " ,\n\t").replace("origin", r"\u006frigin");
        scene.client_data = Some(spaced.into_bytes());
        assert_eq!(scene.cause(), None);
    }
}

#[test]
fn an_app_is_an_origin() {
    let app = format!("android:apk-key-hash:{}", encode(&[7; 32]));
    for ceremony in [ClientDataType::Registration, ClientDataType::Login] {
        let mut scene = Scene::new(ceremony, &ES256);
        scene.origin = WebauthnOrigin::parse(&app).unwrap();
        scene.set("origin", &format!("\"{app}\""));
        assert_eq!(scene.cause(), None);
    }
}

#[test]
fn the_statement_of_an_attestation_is_not_looked_at() {
    let statement = Cbor::Map(vec![
        ("alg".into(), (-7).into()),
        ("sig".into(), Cbor::Bytes(vec![0; 70])),
        ("x5c".into(), Cbor::Array(vec![Cbor::Bytes(b"no certificate".to_vec())])),
    ]);
    for format in ["packed", "tpm", "android-key", "android-safetynet", "fido-u2f", "apple", "compound", "x", ""] {
        registration(|scene| scene.object = vec![("fmt".into(), format.into()), ("attStmt".into(), statement.clone())]);
    }
    // Members in another order, and one that nobody knows.
    registration(|scene| {
        scene.object.reverse();
        scene.object.push(("epAtt".into(), false.into()));
    });
}

#[test]
fn extensions_are_skipped_to_their_end() {
    let outputs = Cbor::Map(vec![
        ("credProtect".into(), 2.into()),
        ("minPinLength".into(), 4.into()),
        ("hmac-secret".into(), Cbor::Bytes(vec![1; 64])),
        ("nested".into(), Cbor::Array(vec![Cbor::Map(vec![(1.into(), Cbor::Null)])])),
    ]);
    for tail in [write(&outputs).unwrap(), vec![0xa0], vec![0xbf, 0xff]] {
        registration(|scene| (scene.flags, scene.tail) = (SYNCED | AT | ED, tail.clone()));
        login(|scene| (scene.flags, scene.tail) = (SYNCED | ED, tail.clone()));
    }
}

/// The CBOR of some password managers has longer numbers and lengths than it needs. What is stored has not.
#[test]
fn a_key_is_stored_in_its_shortest_spelling() {
    let key = registration(|_| ()).public_key;
    let longer = |head: &[u8], tail: &[u8]| [head, &key[1..], tail].concat();
    for cose in [longer(&[0xb8, 5], &[]), longer(&[0xb9, 0, 5], &[]), longer(&[0xbf], &[0xff])] {
        assert_eq!(registration(|scene| scene.cose_bytes = Some(cose.clone())).public_key, key);
    }
    let reversed = registration(|scene| scene.cose.reverse()).public_key;
    assert_eq!(reversed, key);
}

#[test]
fn ids_of_1_to_1023_bytes_are_accepted() {
    for length in [1, 16, 255, 256, 1023] {
        let id = vec![0x11; length];
        assert_eq!(registration(|scene| scene.id.clone_from(&id)).credential_id.to_bytes(), id);
        login(|scene| {
            scene.id.clone_from(&id);
            scene.stored.credential_id = CredentialId::parse(&encode(&id)).unwrap();
        });
    }
}

#[test]
fn reserved_flags_are_the_futures() {
    registration(|scene| scene.flags |= 0b0010_0010);
    login(|scene| scene.flags |= 0b0010_0010);
}

#[test]
fn transports_are_kept_as_texts_and_few() {
    let kept = |transports: Value| {
        let mut scene = Scene::new(ClientDataType::Registration, &ES256);
        scene.after = |json| drop(json["response"].as_object_mut().unwrap().remove("transports"));
        let mut response = scene.response();
        if !transports.is_null() {
            response["response"]["transports"] = transports;
        }
        let passkey = super::super::verify_registration(&scene.expected(), &response).unwrap();
        passkey.transports.as_slice().join(" ")
    };
    assert_eq!(kept(Value::Null), "");
    assert_eq!(kept(json!(["ble", "hybrid"])), "ble hybrid");
    assert_eq!(kept(json!(["usb", "usb", "teleport", "", "USB", "a b", "x".repeat(33)])), "usb teleport");
    assert_eq!(kept(json!(["a", "b", "c", "d", "e", "f", "g", "h", "i"])), "a b c d e f g h");
}

#[test]
fn challenge_and_id_are_found_before_anything_is_verified() {
    for ceremony in [ClientDataType::Registration, ClientDataType::Login] {
        let scene = Scene::new(ceremony, &ES256);
        let mut response = scene.response();
        assert_eq!(challenge_of(&response), Ok(scene.challenge.clone()));
        assert_eq!(credential_id_of(&response), Ok(scene.stored.credential_id.clone()));
        edit(&mut response, "clientDataJSON", |bytes| {
            *bytes = br#"{"type":"","challenge":"AAAA","origin":""}"#.to_vec();
        });
        assert_eq!(challenge_of(&response), Err(super::PasskeyCause::UnknownCeremony));
    }
}

/// However a registration is cut off, it is refused and nothing panics.
#[test]
fn no_part_of_a_registration_is_one() {
    for key in keys() {
        let scene = Scene::new(ClientDataType::Registration, key);
        let whole = scene.authenticator_data().len();
        for length in 0..whole {
            let cut = Scene { length: Some(length), ..Scene::new(ClientDataType::Registration, key) };
            assert!(cut.register().is_err(), "{length}");
        }
        let cut = Scene { length: Some(whole), ..Scene::new(ClientDataType::Registration, key) };
        assert!(cut.register().is_ok());
    }
}
