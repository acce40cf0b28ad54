use super::*;

fn schedule(fixture: &Fixture) {
    fixture.ok("DeleteSecret", &json!({ "SecretId": "s", "RecoveryWindowInDays": 7 }));
}

fn recreate(fixture: &Fixture) -> Value {
    fixture.ok("CreateSecret", &json!({ "Name": "s", "ClientRequestToken": id(2), "SecretString": "new" }))
}

#[test]
fn the_window_is_30_days_unless_the_request_says_otherwise() {
    for (days, input) in [(30, json!({ "SecretId": "s" })), (7, json!({ "SecretId": "s", "RecoveryWindowInDays": 7 }))]
    {
        let fixture = Fixture::with_secret();
        let due = Some(1_767_268_800.0 + f64::from(days) * 86_400.0);
        assert_eq!(fixture.ok("DeleteSecret", &input)["DeletionDate"].as_f64(), due);
        let secret = fixture.ok("DescribeSecret", &json!({ "SecretId": "s" }));
        assert_eq!(secret["DeletedDate"].as_f64(), due);
        assert_eq!(fixture.service.snapshot()[0].deleted_at_ms, Some(NOON));
    }
}

#[test]
fn the_window_has_7_to_30_days() {
    let fixture = Fixture::with_secret();
    for days in [-1, 0, 6, 31] {
        let input = json!({ "SecretId": "s", "RecoveryWindowInDays": days });
        assert_eq!(fixture.refused("DeleteSecret", &input), "InvalidParameterException", "{days}");
    }
}

#[test]
fn a_scheduled_secret_refuses_every_use() {
    let fixture = Fixture::with_secret();
    schedule(&fixture);
    let token = id(2);
    for (operation, input) in [
        ("GetSecretValue", json!({ "SecretId": "s" })),
        ("GetSecretValue", json!({ "SecretId": "s", "VersionId": id(1) })),
        ("PutSecretValue", json!({ "SecretId": "s", "ClientRequestToken": token, "SecretString": "v" })),
        ("PutSecretValue", json!({ "SecretId": "s", "ClientRequestToken": id(1), "SecretString": "one" })),
        ("UpdateSecret", json!({ "SecretId": "s", "ClientRequestToken": token, "SecretString": "v" })),
        ("UpdateSecretVersionStage", json!({ "SecretId": "s", "VersionStage": "A", "MoveToVersionId": id(1) })),
        ("TagResource", json!({ "SecretId": "s", "Tags": [{ "Key": "k", "Value": "v" }] })),
        ("DeleteSecret", json!({ "SecretId": "s" })),
    ] {
        let (kind, message) = fixture.failure(operation, &input);
        assert_eq!(kind, "InvalidRequestException", "{operation}");
        assert_eq!(
            message, "You can't perform this operation on the secret because it was marked for deletion.",
            "{operation}"
        );
    }
}

#[test]
fn a_scheduled_secret_is_still_described_and_its_versions_listed() {
    let fixture = Fixture::with_secret();
    schedule(&fixture);
    fixture.ok("DescribeSecret", &json!({ "SecretId": "s" }));
    fixture.ok("ListSecretVersionIds", &json!({ "SecretId": "s" }));
}

#[test]
fn the_name_is_taken_until_the_window_ends() {
    let mut fixture = Fixture::with_secret();
    let arn = fixture.service.snapshot()[0].arn.clone();
    schedule(&fixture);
    fixture.now += 7 * DAY - 1;
    for token in [1, 2] {
        let input = json!({ "Name": "s", "ClientRequestToken": id(token), "SecretString": "one" });
        let (kind, message) = fixture.failure("CreateSecret", &input);
        assert_eq!(kind, "InvalidRequestException");
        assert!(message.ends_with("is already scheduled for deletion."), "{message}");
    }
    fixture.now += 1;
    assert_eq!(fixture.call("RestoreSecret", &json!({ "SecretId": "s" })).0, 400);
    assert_ne!(text(&recreate(&fixture)["ARN"]), arn, "another ARN");
    assert_eq!(fixture.refused("DescribeSecret", &json!({ "SecretId": arn })), "ResourceNotFoundException");
}

#[test]
fn restoring_brings_everything_back() {
    let fixture = Fixture::with_secret();
    fixture.put(2, "two");
    let before = fixture.service.snapshot();
    schedule(&fixture);
    let answer = fixture.ok("RestoreSecret", &json!({ "SecretId": "s" }));
    assert_eq!(text(&answer["Name"]), "s");
    assert!(before == fixture.service.snapshot());
    assert_eq!(fixture.value(), "two");
    assert!(fixture.ok("DescribeSecret", &json!({ "SecretId": "s" })).get("DeletedDate").is_none());
}

#[test]
fn restoring_what_is_not_deleted_changes_nothing() {
    let fixture = Fixture::with_secret();
    fixture.ok("RestoreSecret", &json!({ "SecretId": "s" }));
    assert_eq!(fixture.value(), "one");
}

#[test]
fn force_deletes_at_once_and_frees_the_name() {
    for scheduled in [false, true] {
        let fixture = Fixture::with_secret();
        if scheduled {
            schedule(&fixture);
        }
        let arn = fixture.service.snapshot()[0].arn.clone();
        let answer = fixture.ok("DeleteSecret", &json!({ "SecretId": arn, "ForceDeleteWithoutRecovery": true }));
        assert_eq!((text(&answer["Name"]), text(&answer["ARN"])), ("s".to_owned(), arn.clone()));
        assert_eq!(fixture.service.snapshot(), []);
        assert_eq!(fixture.refused("RestoreSecret", &json!({ "SecretId": "s" })), "ResourceNotFoundException");
        assert_ne!(text(&recreate(&fixture)["ARN"]), arn);
    }
}

#[test]
fn force_deleting_what_does_not_exist_succeeds() {
    let fixture = Fixture::new();
    let answer = fixture.ok("DeleteSecret", &json!({ "SecretId": "t", "ForceDeleteWithoutRecovery": true }));
    assert_eq!(text(&answer["Name"]), "t");
    assert_eq!(answer["DeletionDate"].as_f64(), Some(1_767_268_800.0));
    assert!(text(&answer["ARN"]).contains(":secret:t-"));
}

#[test]
fn force_deleting_by_an_old_arn_spares_the_secret_that_has_the_name_now() {
    let fixture = Fixture::with_secret();
    let old = fixture.service.snapshot()[0].arn.clone();
    fixture.ok("DeleteSecret", &json!({ "SecretId": old, "ForceDeleteWithoutRecovery": true }));
    recreate(&fixture);
    fixture.ok("DeleteSecret", &json!({ "SecretId": old, "ForceDeleteWithoutRecovery": true }));
    assert_eq!(fixture.value(), "new");
}

#[test]
fn deleting_what_does_not_exist_without_force_is_not_found() {
    assert_eq!(Fixture::new().refused("DeleteSecret", &json!({ "SecretId": "t" })), "ResourceNotFoundException");
}

#[test]
fn force_and_a_window_exclude_each_other() {
    let input = json!({ "SecretId": "s", "ForceDeleteWithoutRecovery": true, "RecoveryWindowInDays": 7 });
    assert_eq!(Fixture::with_secret().refused("DeleteSecret", &input), "InvalidParameterException");
}
