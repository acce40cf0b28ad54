use super::*;

fn create(number: u32, value: &str) -> Value {
    json!({ "Name": "s", "ClientRequestToken": id(number), "SecretString": value })
}

#[test]
fn the_token_becomes_the_version_id_and_the_version_is_current() {
    let fixture = Fixture::new();
    let answer = fixture.ok("CreateSecret", &create(1, "one"));
    assert_eq!((text(&answer["Name"]), text(&answer["VersionId"])), ("s".to_owned(), id(1)));
    fixture.assert_labels([(1, "AWSCURRENT")]);
}

#[test]
fn the_arn_is_the_name_and_six_random_alphanumerics() {
    let answer = Fixture::new().ok("CreateSecret", &create(1, "one"));
    let arn = text(&answer["ARN"]);
    let suffix = arn.strip_prefix("arn:aws:secretsmanager:us-east-1:123456789012:secret:s-").unwrap();
    assert!(suffix.len() == 6 && suffix.chars().all(|c| c.is_ascii_alphanumeric()), "{arn}");
}

#[test]
fn the_same_token_and_value_again_succeeds_with_the_same_answer() {
    let fixture = Fixture::new();
    let first = fixture.ok("CreateSecret", &create(1, "one"));
    let again = json!({
        "Name": "s", "ClientRequestToken": id(1), "SecretString": "one", "Description": "not compared"
    });
    assert_eq!(fixture.ok("CreateSecret", &again), first);
    assert_eq!(fixture.service.snapshot()[0].versions.len(), 1);
    assert!(fixture.ok("DescribeSecret", &json!({ "SecretId": "s" })).get("Description").is_none());
}

#[test]
fn the_same_token_and_value_again_succeeds_after_a_rotation_and_does_not_undo_it() {
    let fixture = Fixture::with_secret();
    fixture.put(2, "two");
    let answer = fixture.ok("CreateSecret", &create(1, "one"));
    assert_eq!(text(&answer["VersionId"]), id(1));
    fixture.assert_labels([(1, "AWSPREVIOUS"), (2, "AWSCURRENT")]);
}

#[test]
fn the_same_token_with_another_value_already_exists() {
    let (kind, message) = Fixture::with_secret().failure("CreateSecret", &create(1, "other"));
    assert_eq!(kind, "ResourceExistsException");
    assert!(message.starts_with(&format!("You can't use ClientRequestToken {} because", id(1))), "{message}");
}

#[test]
fn another_token_with_the_same_value_already_exists() {
    let (kind, message) = Fixture::with_secret().failure("CreateSecret", &create(2, "one"));
    assert_eq!(kind, "ResourceExistsException");
    assert_eq!(message, "The operation failed because the secret s already exists.");
}

#[test]
fn a_secret_without_a_value_has_no_version_until_one_is_put() {
    let fixture = Fixture::new();
    let answer = fixture.ok("CreateSecret", &json!({ "Name": "s", "ClientRequestToken": id(1) }));
    assert!(answer.get("VersionId").is_none());
    assert!(fixture.ok("DescribeSecret", &json!({ "SecretId": "s" })).get("VersionIdsToStages").is_none());
    let (kind, message) = fixture.failure("GetSecretValue", &json!({ "SecretId": "s" }));
    assert_eq!(kind, "ResourceNotFoundException");
    assert_eq!(message, "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT");
}

#[test]
fn every_operation_that_makes_a_version_needs_a_token_of_32_to_64_characters() {
    let fixture = Fixture::with_secret();
    for (operation, key) in [("CreateSecret", "Name"), ("PutSecretValue", "SecretId"), ("UpdateSecret", "SecretId")] {
        let with = |token: Value| json!({ key: "s", "SecretString": "v", "ClientRequestToken": token });
        assert_eq!(fixture.refused(operation, &with(Value::Null)), "InvalidRequestException", "{operation}");
        for length in [31, 65] {
            let input = with(json!("t".repeat(length)));
            assert_eq!(fixture.refused(operation, &input), "InvalidParameterException", "{operation} {length}");
        }
    }
    for length in [32, 64] {
        let input = json!({ "SecretId": "s", "SecretString": "v", "ClientRequestToken": "t".repeat(length) });
        fixture.ok("PutSecretValue", &input);
    }
}

#[test]
fn a_name_has_1_to_512_letters_digits_and_certain_signs() {
    let fixture = Fixture::new();
    let with = |name: &str| json!({ "Name": name, "ClientRequestToken": id(1), "SecretString": "v" });
    for name in ["", "with space", "star*", "colon:", "exclamation!", "ümlaut", &"n".repeat(513)] {
        assert_eq!(fixture.refused("CreateSecret", &with(name)), "ValidationException", "{name}");
    }
    for name in ["Az09/_+=.@-", &"n".repeat(512)] {
        fixture.ok("CreateSecret", &with(name));
    }
}

#[test]
fn description_key_and_tags_are_kept() {
    let fixture = Fixture::new();
    fixture.ok(
        "CreateSecret",
        &json!({
            "Name": "s", "ClientRequestToken": id(1), "SecretString": "one", "Description": "why",
            "KmsKeyId": "alias/own", "Tags": [{ "Key": "tenant", "Value": "a" }]
        }),
    );
    fixture.ok("TagResource", &json!({ "SecretId": "s", "Tags": [{ "Key": "stage", "Value": "dev" }] }));
    fixture.ok("TagResource", &json!({ "SecretId": "s", "Tags": [{ "Key": "tenant", "Value": "b" }] }));
    let secret = fixture.ok("DescribeSecret", &json!({ "SecretId": "s" }));
    assert_eq!((text(&secret["Description"]), text(&secret["KmsKeyId"])), ("why".into(), "alias/own".into()));
    let tags = json!([{ "Key": "stage", "Value": "dev" }, { "Key": "tenant", "Value": "b" }]);
    assert_eq!(secret["Tags"], tags);
}

#[test]
fn a_secret_has_at_most_50_tags() {
    let fixture = Fixture::with_secret();
    let tags = |n: u32| (0..n).map(|n| json!({ "Key": n.to_string(), "Value": "" })).collect::<Vec<_>>();
    assert_eq!(fixture.refused("TagResource", &json!({ "SecretId": "s", "Tags": tags(51) })), "LimitExceededException");
    assert!(fixture.ok("DescribeSecret", &json!({ "SecretId": "s" })).get("Tags").is_none());
    fixture.ok("TagResource", &json!({ "SecretId": "s", "Tags": tags(50) }));
}
