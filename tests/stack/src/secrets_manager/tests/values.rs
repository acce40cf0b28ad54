use super::*;

#[test]
fn a_new_version_becomes_current_and_the_one_before_previous() {
    let fixture = Fixture::with_secret();
    let answer = fixture.put(2, "two");
    assert_eq!((text(&answer["VersionId"]), &answer["VersionStages"]), (id(2), &json!(["AWSCURRENT"])));
    fixture.assert_labels([(1, "AWSPREVIOUS"), (2, "AWSCURRENT")]);
    assert_eq!(fixture.value(), "two");
}

#[test]
fn the_version_before_the_previous_one_loses_its_label() {
    let fixture = Fixture::with_secret();
    fixture.put(2, "two");
    fixture.put(3, "three");
    fixture.assert_labels([(1, ""), (2, "AWSPREVIOUS"), (3, "AWSCURRENT")]);
}

#[test]
fn the_same_token_and_value_again_succeeds_and_changes_nothing() {
    let fixture = Fixture::with_secret();
    fixture.put(2, "two");
    fixture.put(3, "three");
    let before = fixture.service.snapshot();
    let answer = fixture.put(2, "two");
    assert_eq!((text(&answer["VersionId"]), &answer["VersionStages"]), (id(2), &json!(["AWSPREVIOUS"])));
    assert!(fixture.put(1, "one").get("VersionStages").is_none());
    assert!(before == fixture.service.snapshot());
}

#[test]
fn the_same_token_and_value_again_does_not_attach_other_labels() {
    let fixture = Fixture::with_secret();
    fixture.ok(
        "PutSecretValue",
        &json!({
            "SecretId": "s", "ClientRequestToken": id(1), "SecretString": "one", "VersionStages": ["MINE"]
        }),
    );
    fixture.assert_labels([(1, "AWSCURRENT")]);
}

#[test]
fn the_same_token_with_another_value_already_exists() {
    let fixture = Fixture::with_secret();
    let input = json!({ "SecretId": "s", "ClientRequestToken": id(1), "SecretString": "other" });
    assert_eq!(fixture.refused("PutSecretValue", &input), "ResourceExistsException");
}

#[test]
fn a_string_and_the_same_bytes_as_binary_are_different_values() {
    let fixture = Fixture::new();
    fixture.ok("CreateSecret", &json!({ "Name": "s", "ClientRequestToken": id(1), "SecretString": "b25l" }));
    let input = json!({ "SecretId": "s", "ClientRequestToken": id(1), "SecretBinary": "b25l" });
    assert_eq!(fixture.refused("PutSecretValue", &input), "ResourceExistsException");
}

#[test]
fn a_version_with_other_labels_leaves_the_current_one_alone() {
    let fixture = Fixture::with_secret();
    fixture.put_as(2, &["AWSPENDING"]);
    fixture.assert_labels([(1, "AWSCURRENT"), (2, "AWSPENDING")]);
    assert_eq!(fixture.value(), "one");
}

#[test]
fn the_first_version_is_current_whatever_labels_it_asks_for() {
    let fixture = Fixture::new();
    fixture.ok("CreateSecret", &json!({ "Name": "s", "ClientRequestToken": id(9) }));
    fixture.put_as(1, &["AWSPENDING"]);
    fixture.assert_labels([(1, "AWSCURRENT,AWSPENDING")]);
}

#[test]
fn a_label_that_another_version_has_moves_to_the_new_one() {
    let fixture = Fixture::with_secret();
    fixture.put_as(2, &["one", "two"]);
    fixture.put_as(3, &["two", "three"]);
    fixture.assert_labels([(1, "AWSCURRENT"), (2, "one"), (3, "three,two")]);
}

#[test]
fn a_version_that_asks_for_current_and_more_gets_both() {
    let fixture = Fixture::with_secret();
    fixture.put_as(2, &["AWSCURRENT", "MINE"]);
    fixture.assert_labels([(1, "AWSPREVIOUS"), (2, "AWSCURRENT,MINE")]);
}

#[test]
fn labels_are_1_to_20_to_a_request_and_at_most_20_to_a_secret() {
    let fixture = Fixture::with_secret();
    let with = |number: u32, labels: Vec<String>| {
        json!({
            "SecretId": "s", "ClientRequestToken": id(number), "SecretString": "v", "VersionStages": labels
        })
    };
    let labels = |from: u32, count: u32| (from..from + count).map(|n| n.to_string()).collect::<Vec<_>>();
    assert_eq!(fixture.refused("PutSecretValue", &with(2, vec![])), "ValidationException");
    assert_eq!(fixture.refused("PutSecretValue", &with(2, labels(0, 21))), "ValidationException");
    // One label is on the first version.
    assert_eq!(fixture.refused("PutSecretValue", &with(2, labels(0, 20))), "LimitExceededException");
    fixture.ok("PutSecretValue", &with(2, labels(0, 19)));
    // Labels that move are no more than there were.
    fixture.ok("PutSecretValue", &with(3, labels(0, 19)));
    assert_eq!(fixture.refused("PutSecretValue", &with(4, labels(18, 2))), "LimitExceededException");
}

#[test]
fn a_value_is_a_string_or_binary_and_not_both_or_neither() {
    let fixture = Fixture::with_secret();
    let token = id(2);
    for input in [
        json!({ "SecretId": "s", "ClientRequestToken": token, "SecretString": "a", "SecretBinary": "YQ==" }),
        json!({ "SecretId": "s", "ClientRequestToken": token }),
    ] {
        assert_eq!(fixture.refused("PutSecretValue", &input), "InvalidParameterException");
    }
}

#[test]
fn a_value_has_1_to_65536_bytes() {
    let fixture = Fixture::with_secret();
    let string = |value: String| json!({ "SecretId": "s", "ClientRequestToken": id(2), "SecretString": value });
    // Two bytes a character: the limit is on bytes.
    for value in [String::new(), "v".repeat(65_537), "ü".repeat(32_769)] {
        assert_eq!(fixture.refused("PutSecretValue", &string(value)), "ValidationException");
    }
    fixture.ok("PutSecretValue", &string("ü".repeat(32_768)));
    let binary = |bytes: usize| {
        let value = data_encoding::BASE64.encode(&vec![0; bytes]);
        json!({ "SecretId": "s", "ClientRequestToken": id(3), "SecretBinary": value })
    };
    assert_eq!(fixture.refused("PutSecretValue", &binary(0)), "ValidationException");
    assert_eq!(fixture.refused("PutSecretValue", &binary(65_537)), "ValidationException");
    fixture.ok("PutSecretValue", &binary(65_536));
}

#[test]
fn update_makes_a_new_current_version() {
    let fixture = Fixture::with_secret();
    let answer =
        fixture.ok("UpdateSecret", &json!({ "SecretId": "s", "ClientRequestToken": id(2), "SecretString": "two" }));
    assert_eq!(text(&answer["VersionId"]), id(2));
    fixture.assert_labels([(1, "AWSPREVIOUS"), (2, "AWSCURRENT")]);
}

#[test]
fn update_refuses_a_token_that_exists_even_with_the_same_value() {
    let fixture = Fixture::with_secret();
    let input = json!({ "SecretId": "s", "ClientRequestToken": id(1), "SecretString": "one" });
    assert_eq!(fixture.refused("UpdateSecret", &input), "ResourceExistsException");
}

#[test]
fn update_without_a_value_changes_the_description_only() {
    let fixture = Fixture::with_secret();
    let input = json!({ "SecretId": "s", "ClientRequestToken": id(2), "Description": "new" });
    assert!(fixture.ok("UpdateSecret", &input).get("VersionId").is_none());
    assert_eq!(text(&fixture.ok("DescribeSecret", &json!({ "SecretId": "s" }))["Description"]), "new");
    fixture.assert_labels([(1, "AWSCURRENT")]);
}

/// Has 100 versions: `id(1)` to `id(100)`, the second of which has a label of its own.
fn full() -> Fixture {
    let fixture = Fixture::with_secret();
    fixture.put_as(2, &["KEEP"]);
    for number in 3..=100 {
        fixture.put(number, "v");
    }
    fixture
}

fn versions(fixture: &Fixture) -> usize {
    fixture.service.snapshot()[0].versions.len()
}

#[test]
fn beyond_100_versions_the_oldest_without_labels_go_once_they_are_24_hours_old() {
    let mut fixture = full();
    fixture.now += DAY;
    fixture.put(101, "v");
    fixture.put(102, "v");
    assert_eq!(versions(&fixture), 100);
    fixture.assert_labels([(2, "KEEP"), (101, "AWSPREVIOUS"), (102, "AWSCURRENT"), (4, "")]);
    assert_eq!(fixture.labels(1), None);
    assert_eq!(fixture.labels(3), None);
}

#[test]
fn a_101st_version_is_refused_while_none_of_the_others_is_24_hours_old() {
    let mut fixture = full();
    assert_eq!(versions(&fixture), 100);
    let mut refused = |after| {
        fixture.now = NOON + after;
        let input = json!({ "SecretId": "s", "ClientRequestToken": id(101), "SecretString": "new" });
        for operation in ["PutSecretValue", "UpdateSecret"] {
            assert_eq!(fixture.refused(operation, &input), "LimitExceededException", "{operation}");
        }
    };
    refused(0);
    refused(DAY - 1);
    // What makes no version is not held back: a repeated request, and one without a value.
    fixture.put(100, "v");
    fixture.ok("UpdateSecret", &json!({ "SecretId": "s", "ClientRequestToken": id(101), "Description": "new" }));

    fixture.now = NOON + DAY;
    fixture.ok("UpdateSecret", &json!({ "SecretId": "s", "ClientRequestToken": id(101), "SecretString": "new" }));
    assert_eq!((versions(&fixture), fixture.labels(1)), (100, None));
}

#[test]
fn versions_with_labels_make_no_room() {
    let mut fixture = Fixture::with_secret();
    // The third takes the label of the first, which then is the only one without.
    for (number, stages) in [(2, ["AWSPREVIOUS"]), (3, ["AWSCURRENT"])] {
        fixture.put_as(number, &stages);
    }
    fixture.now += DAY;
    for number in 4..=100 {
        fixture.put_as(number, &["NEW"]);
    }
    fixture.put_as(101, &["NEW"]);
    assert_eq!((versions(&fixture), fixture.labels(2)), (100, None));
    let input = json!({
        "SecretId": "s", "ClientRequestToken": id(102), "SecretString": "v", "VersionStages": ["NEW"]
    });
    assert_eq!(fixture.refused("PutSecretValue", &input), "LimitExceededException");
    fixture.assert_labels([(1, "AWSPREVIOUS"), (3, "AWSCURRENT"), (101, "NEW")]);
}
