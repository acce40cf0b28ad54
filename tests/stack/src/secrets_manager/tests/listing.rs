use super::*;

/// Secrets with these names, created a second apart.
fn with(names: &[&str]) -> Fixture {
    let mut fixture = Fixture::new();
    for name in names {
        fixture.ok("CreateSecret", &json!({ "Name": name, "ClientRequestToken": id(1), "SecretString": "v" }));
        fixture.now += 1000;
    }
    fixture
}

fn names(answer: &Value) -> Vec<String> {
    answer["SecretList"].as_array().unwrap().iter().map(|secret| text(&secret["Name"])).collect()
}

fn list(fixture: &Fixture, input: &Value) -> Vec<String> {
    names(&fixture.ok("ListSecrets", input))
}

#[test]
fn secrets_are_listed_by_the_date_of_their_creation() {
    let fixture = with(&["b", "a", "c"]);
    assert_eq!(list(&fixture, &json!({})), ["b", "a", "c"]);
    assert_eq!(list(&fixture, &json!({ "SortOrder": "desc" })), ["c", "a", "b"]);
}

#[test]
fn an_entry_has_labels_and_dates_and_no_value() {
    let fixture = Fixture::with_secret();
    let arn = fixture.service.snapshot()[0].arn.clone();
    let entry = json!({
        "ARN": arn, "Name": "s", "CreatedDate": 1_767_268_800.0, "LastChangedDate": 1_767_268_800.0,
        "SecretVersionsToStages": { id(1): ["AWSCURRENT"] }
    });
    assert_eq!(fixture.ok("ListSecrets", &json!({})), json!({ "SecretList": [entry] }));
}

#[test]
fn pages_hold_everything_once_also_if_secrets_go_in_between() {
    for order in ["asc", "desc"] {
        let fixture = with(&["a", "b", "c", "d", "e"]);
        let first = fixture.ok("ListSecrets", &json!({ "MaxResults": 2, "SortOrder": order }));
        let mut seen = names(&first);
        fixture.ok("DeleteSecret", &json!({ "SecretId": seen[1] }));
        let mut token = first["NextToken"].clone();
        while !token.is_null() {
            let page = fixture.ok("ListSecrets", &json!({ "MaxResults": 2, "SortOrder": order, "NextToken": token }));
            seen.extend(names(&page));
            token = page["NextToken"].clone();
        }
        seen.sort();
        assert_eq!(seen, ["a", "b", "c", "d", "e"], "{order}");
    }
}

#[test]
fn a_page_has_1_to_100_results_and_a_token_of_ours() {
    let fixture = Fixture::with_secret();
    for operation in ["ListSecrets", "ListSecretVersionIds"] {
        for size in [0, 101] {
            let input = json!({ "SecretId": "s", "MaxResults": size });
            assert_eq!(fixture.refused(operation, &input), "ValidationException", "{operation} {size}");
        }
        let input = json!({ "SecretId": "s", "NextToken": "made up" });
        assert_eq!(fixture.refused(operation, &input), "InvalidNextTokenException", "{operation}");
    }
}

#[test]
fn secrets_scheduled_for_deletion_are_hidden_unless_asked_for() {
    let fixture = with(&["a", "b"]);
    let deleted = fixture.now;
    fixture.ok("DeleteSecret", &json!({ "SecretId": "a" }));
    assert_eq!(list(&fixture, &json!({})), ["b"]);
    let all = fixture.ok("ListSecrets", &json!({ "IncludePlannedDeletion": true }));
    assert_eq!(names(&all), ["a", "b"]);
    assert_eq!(all["SecretList"][0]["DeletedDate"], json!(f64::from(u32::try_from(deleted / 1000).unwrap())));
}

#[test]
fn the_name_filter_is_a_prefix_and_an_exclamation_mark_negates_it() {
    let fixture = with(&["dev/a", "dev/b", "prod/a", "Dev/c"]);
    let filter = |values: Value| list(&fixture, &json!({ "Filters": [{ "Key": "name", "Values": values }] }));
    assert_eq!(filter(json!(["dev/"])), ["dev/a", "dev/b"]);
    assert_eq!(filter(json!(["prod/", "Dev"])), ["prod/a", "Dev/c"]);
    assert_eq!(filter(json!(["!dev/"])), ["prod/a", "Dev/c"]);
    assert_eq!(filter(json!(["/a"])), [""; 0]);
    let both = json!([{ "Key": "name", "Values": ["dev/"] }, { "Key": "name", "Values": ["dev/b"] }]);
    assert_eq!(list(&fixture, &json!({ "Filters": both })), ["dev/b"]);
}

#[test]
fn what_a_list_cannot_do_is_refused_and_not_ignored() {
    let fixture = with(&["a"]);
    for input in [json!({ "Filters": [{ "Key": "tag-key", "Values": ["x"] }] }), json!({ "SortBy": "name" })] {
        assert_eq!(fixture.refused("ListSecrets", &input), "InvalidParameterException");
    }
}

#[test]
fn versions_without_labels_are_hidden_unless_asked_for() {
    let mut fixture = Fixture::with_secret();
    for number in [2, 3] {
        fixture.now += 1000;
        fixture.put(number, "v");
    }
    let ids = |input: Value| -> Vec<String> {
        let answer = fixture.ok("ListSecretVersionIds", &input);
        answer["Versions"].as_array().unwrap().iter().map(|version| text(&version["VersionId"])).collect()
    };
    assert_eq!(ids(json!({ "SecretId": "s" })), [id(2), id(3)]);
    assert_eq!(ids(json!({ "SecretId": "s", "IncludeDeprecated": true })), [id(1), id(2), id(3)]);
}

#[test]
fn versions_are_listed_in_pages() {
    let mut fixture = Fixture::with_secret();
    fixture.now += 1000;
    fixture.put(2, "two");
    let first = fixture.ok("ListSecretVersionIds", &json!({ "SecretId": "s", "MaxResults": 1 }));
    let input = json!({ "SecretId": "s", "MaxResults": 1, "NextToken": first["NextToken"] });
    let second = fixture.ok("ListSecretVersionIds", &input);
    assert_eq!(text(&first["Versions"][0]["VersionId"]), id(1));
    assert_eq!(first["Versions"][0]["VersionStages"], json!(["AWSPREVIOUS"]));
    assert_eq!(text(&second["Versions"][0]["VersionId"]), id(2));
    assert!(second.get("NextToken").is_none());
}
