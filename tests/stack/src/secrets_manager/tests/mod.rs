//! One test per rule of the module documentation.

mod creating;
mod deleting;
mod keeping;
mod labels;
mod listing;
mod passwords;
mod reading;
mod values;

use serde_json::{Value, json};

use super::SecretsManager;

const HOUR: i64 = 60 * 60 * 1000;
const DAY: i64 = 24 * HOUR;
/// 2026-01-01T12:00:00Z.
const NOON: i64 = 1_767_268_800_000;

/// The service and a clock that stands still unless a test moves it.
struct Fixture {
    service: SecretsManager,
    now: i64,
}

impl Fixture {
    fn new() -> Self {
        Self { service: SecretsManager::in_memory(), now: NOON }
    }

    /// With a secret `s` whose first version is `id(1)`, value "one".
    fn with_secret() -> Self {
        let fixture = Self::new();
        fixture.ok("CreateSecret", &json!({ "Name": "s", "ClientRequestToken": id(1), "SecretString": "one" }));
        fixture
    }

    fn call(&self, operation: &str, input: &Value) -> (u16, Value) {
        self.service.handle(operation, input.to_string().as_bytes(), self.now)
    }

    #[track_caller]
    fn ok(&self, operation: &str, input: &Value) -> Value {
        let (status, answer) = self.call(operation, input);
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    /// The error's type. Also proves that nothing has changed.
    #[track_caller]
    fn refused(&self, operation: &str, input: &Value) -> String {
        self.failure(operation, input).0
    }

    /// The error's type and message.
    #[track_caller]
    fn failure(&self, operation: &str, input: &Value) -> (String, String) {
        let before = self.service.snapshot();
        let (status, answer) = self.call(operation, input);
        assert_eq!(status, 400, "{operation}: {answer}");
        assert!(before == self.service.snapshot(), "{operation} was refused and changed something");
        (text(&answer["__type"]), text(&answer["Message"]))
    }

    fn put(&self, number: u32, value: &str) -> Value {
        self.ok("PutSecretValue", &json!({ "SecretId": "s", "ClientRequestToken": id(number), "SecretString": value }))
    }

    fn put_as(&self, number: u32, stages: &[&str]) -> Value {
        self.ok(
            "PutSecretValue",
            &json!({
                "SecretId": "s", "ClientRequestToken": id(number), "SecretString": "v", "VersionStages": stages
            }),
        )
    }

    fn value(&self) -> String {
        text(&self.ok("GetSecretValue", &json!({ "SecretId": "s" }))["SecretString"])
    }

    /// The labels of a version of `s`, joined by a comma; `None` if there is no such version.
    fn labels(&self, number: u32) -> Option<String> {
        let secrets = self.service.snapshot();
        let secret = secrets.iter().find(|secret| secret.name == "s").unwrap();
        secret.versions.iter().find(|version| version.id == id(number)).map(|version| version.stages.join(","))
    }

    /// The same for versions that exist.
    #[track_caller]
    fn assert_labels<const N: usize>(&self, expected: [(u32, &str); N]) {
        for (number, labels) in expected {
            assert_eq!(self.labels(number).as_deref(), Some(labels), "version {number}");
        }
    }
}

/// A version id that shows its number.
fn id(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn an_operation_that_does_not_exist_is_an_unknown_operation() {
    assert_eq!(Fixture::new().refused("RotateEverything", &json!({})), "UnknownOperationException");
}

#[test]
fn a_body_that_is_not_json_or_has_a_wrong_type_is_a_serialization_error_that_quotes_nothing() {
    let fixture = Fixture::new();
    for body in ["{", "[]", r#"{"SecretString":["hunter2"]}"#, r#"{"Name":"n","SecretString":"hunter2"#] {
        let (status, answer) = fixture.service.handle("CreateSecret", body.as_bytes(), NOON);
        assert_eq!((status, text(&answer["__type"]).as_str()), (400, "SerializationException"), "{body}");
        assert!(!answer.to_string().contains("hunter2"));
    }
}

#[test]
fn a_parameter_that_must_be_there_and_is_not_is_a_validation_error() {
    let fixture = Fixture::new();
    for operation in ["GetSecretValue", "DescribeSecret", "DeleteSecret", "RestoreSecret", "ListSecretVersionIds"] {
        assert_eq!(fixture.refused(operation, &json!({})), "ValidationException", "{operation}");
    }
}

#[test]
fn debug_shows_no_value() {
    let fixture = Fixture::with_secret();
    fixture.put(2, "hunter2");
    let shown = format!("{:?} {:?}", fixture.service, fixture.service.snapshot());
    assert!(shown.contains("AWSCURRENT") && !shown.contains("hunter2"), "{shown}");
}
