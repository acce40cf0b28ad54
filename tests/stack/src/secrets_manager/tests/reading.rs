use super::*;

#[test]
fn a_value_is_read_with_its_version_and_labels() {
    let fixture = Fixture::with_secret();
    let arn = fixture.service.snapshot()[0].arn.clone();
    assert_eq!(
        fixture.ok("GetSecretValue", &json!({ "SecretId": "s" })),
        json!({
            "ARN": arn, "Name": "s", "VersionId": id(1), "SecretString": "one",
            "VersionStages": ["AWSCURRENT"], "CreatedDate": 1_767_268_800.0
        })
    );
}

#[test]
fn dates_are_seconds_with_a_fraction() {
    let mut fixture = Fixture::new();
    fixture.now += 250;
    fixture.ok("CreateSecret", &json!({ "Name": "s", "ClientRequestToken": id(1), "SecretString": "one" }));
    let created = &fixture.ok("GetSecretValue", &json!({ "SecretId": "s" }))["CreatedDate"];
    assert_eq!(created.to_string(), "1767268800.25");
}

#[test]
fn binary_comes_back_as_it_was_put() {
    let fixture = Fixture::new();
    fixture.ok("CreateSecret", &json!({ "Name": "s", "ClientRequestToken": id(1), "SecretBinary": "AP8=" }));
    let answer = fixture.ok("GetSecretValue", &json!({ "SecretId": "s" }));
    assert_eq!(text(&answer["SecretBinary"]), "AP8=");
    assert!(answer.get("SecretString").is_none());
}

#[test]
fn a_version_is_read_by_its_label_or_its_id() {
    let fixture = Fixture::with_secret();
    fixture.put(2, "two");
    for (key, value) in [("VersionStage", "AWSPREVIOUS".to_owned()), ("VersionId", id(1))] {
        let answer = fixture.ok("GetSecretValue", &json!({ "SecretId": "s", key: value }));
        assert_eq!(text(&answer["SecretString"]), "one", "{key}");
    }
}

#[test]
fn label_and_id_together_must_mean_the_same_version() {
    let fixture = Fixture::with_secret();
    fixture.put(2, "two");
    let both = |stage: &str| json!({ "SecretId": "s", "VersionId": id(1), "VersionStage": stage });
    assert_eq!(text(&fixture.ok("GetSecretValue", &both("AWSPREVIOUS"))["SecretString"]), "one");
    assert_eq!(fixture.refused("GetSecretValue", &both("AWSCURRENT")), "InvalidRequestException");
}

#[test]
fn a_version_without_labels_is_read_by_its_id() {
    let fixture = Fixture::with_secret();
    fixture.put(2, "two");
    fixture.put(3, "three");
    let answer = fixture.ok("GetSecretValue", &json!({ "SecretId": "s", "VersionId": id(1) }));
    assert_eq!(text(&answer["SecretString"]), "one");
    assert!(answer.get("VersionStages").is_none());
}

#[test]
fn what_does_not_exist_is_not_found() {
    let fixture = Fixture::with_secret();
    let missing = |input: Value| fixture.failure("GetSecretValue", &input);
    let not_found = |message: &str| ("ResourceNotFoundException".to_owned(), message.to_owned());
    assert_eq!(missing(json!({ "SecretId": "t" })), not_found("Secrets Manager can't find the specified secret."));
    assert_eq!(
        missing(json!({ "SecretId": "s", "VersionStage": "AWSPENDING" })),
        not_found("Secrets Manager can't find the specified secret value for staging label: AWSPENDING")
    );
    assert_eq!(
        missing(json!({ "SecretId": "s", "VersionId": id(2) })),
        not_found(&format!("Secrets Manager can't find the specified secret value for VersionId: {}", id(2)))
    );
}

#[test]
fn a_secret_is_found_by_name_by_arn_and_by_arn_without_its_suffix() {
    let fixture = Fixture::with_secret();
    let arn = fixture.service.snapshot()[0].arn.clone();
    let partial = arn.rsplit_once('-').unwrap().0;
    for found in ["s", &arn, partial] {
        assert_eq!(text(&fixture.ok("DescribeSecret", &json!({ "SecretId": found }))["ARN"]), arn, "{found}");
    }
    let with_suffix = arn.rsplit_once(':').unwrap().1;
    let elsewhere = arn.replace("us-east-1", "us-east-2");
    for missing in [with_suffix, &format!("{partial}-AAAAAA"), &format!("{partial}-"), &elsewhere, "arn:"] {
        let refused = fixture.refused("DescribeSecret", &json!({ "SecretId": missing }));
        assert_eq!(refused, "ResourceNotFoundException", "{missing}");
    }
}

#[test]
fn an_arn_that_ends_in_a_hyphen_and_six_characters_is_taken_to_be_whole() {
    let fixture = Fixture::new();
    fixture.ok("CreateSecret", &json!({ "Name": "n-abcdef", "ClientRequestToken": id(1), "SecretString": "one" }));
    let arn = fixture.service.snapshot()[0].arn.clone();
    let partial = arn.rsplit_once('-').unwrap().0;
    assert_eq!(fixture.refused("DescribeSecret", &json!({ "SecretId": partial })), "ResourceNotFoundException");
    fixture.ok("DescribeSecret", &json!({ "SecretId": arn }));
}

#[test]
fn the_date_of_last_access_has_no_time_and_is_absent_at_first() {
    let mut fixture = Fixture::with_secret();
    let accessed = |fixture: &Fixture| {
        fixture.ok("DescribeSecret", &json!({ "SecretId": "s" })).get("LastAccessedDate").and_then(Value::as_f64)
    };
    assert_eq!(accessed(&fixture), None);
    fixture.value();
    assert_eq!(accessed(&fixture), Some(1_767_225_600.0));
    fixture.now += 12 * HOUR;
    fixture.value();
    assert_eq!(accessed(&fixture), Some(1_767_312_000.0));
}

#[test]
fn describing_shows_labelled_versions_and_no_value() {
    let fixture = Fixture::with_secret();
    fixture.put(2, "two");
    fixture.put(3, "three");
    let secret = fixture.ok("DescribeSecret", &json!({ "SecretId": "s" }));
    assert_eq!(secret["VersionIdsToStages"], json!({ id(2): ["AWSPREVIOUS"], id(3): ["AWSCURRENT"] }));
    assert!(!secret.to_string().contains("three"));
}
