use std::{fs, path::Path};

use super::*;

fn open(path: &Path) -> Fixture {
    Fixture { service: SecretsManager::open(path.to_owned()).unwrap(), now: NOON }
}

fn create(fixture: &Fixture) -> (u16, Value) {
    fixture.call("CreateSecret", &json!({ "Name": "s", "ClientRequestToken": id(1), "SecretBinary": "AP8=" }))
}

#[test]
fn the_state_survives_and_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new folder").join("secrets.json");
    let fixture = open(&path);
    assert_eq!(fixture.service.snapshot(), []);
    assert_eq!(create(&fixture).0, 200);
    fixture.put(2, "two");
    fixture.ok("DeleteSecret", &json!({ "SecretId": "s" }));
    let again = open(&path);
    assert!(again.service.snapshot() == fixture.service.snapshot());
    again.ok("RestoreSecret", &json!({ "SecretId": "s" }));
    assert_eq!(again.value(), "two");
    let names: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["secrets.json"], "no temporary file is left");
}

#[test]
fn what_is_not_a_state_is_refused_without_quoting_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets.json");
    fs::write(&path, r#"{"secrets":"hunter2"}"#).unwrap();
    let error = SecretsManager::open(path).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn a_change_that_cannot_be_written_is_an_internal_error_and_does_not_happen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gone").join("secrets.json");
    let fixture = open(&path);
    // A file where the folder would have to be.
    fs::write(path.parent().unwrap(), "").unwrap();
    let (status, answer) = create(&fixture);
    assert_eq!((status, text(&answer["__type"]).as_str()), (500, "InternalServiceError"));
    assert_eq!(fixture.service.snapshot(), []);
    fs::remove_file(path.parent().unwrap()).unwrap();
    assert_eq!(create(&fixture).0, 200);
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets.json");
    create(&open(&path));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}
