use super::*;

const NO_VERSION: Option<u32> = None;

fn stage(stage: &str, from: Option<u32>, to: Option<u32>) -> Value {
    let mut input = json!({ "SecretId": "s", "VersionStage": stage });
    if let Some(from) = from {
        input["RemoveFromVersionId"] = json!(id(from));
    }
    if let Some(to) = to {
        input["MoveToVersionId"] = json!(id(to));
    }
    input
}

const MOVE: &str = "UpdateSecretVersionStage";

#[test]
fn moving_current_moves_previous_to_the_version_that_lost_it() {
    let fixture = Fixture::with_secret();
    fixture.put_as(2, &["AWSPENDING"]);
    let answer = fixture.ok(MOVE, &stage("AWSCURRENT", Some(1), Some(2)));
    assert_eq!(text(&answer["Name"]), "s");
    fixture.assert_labels([(1, "AWSPREVIOUS"), (2, "AWSCURRENT,AWSPENDING")]);
}

#[test]
fn moving_current_back_swaps_current_and_previous() {
    let fixture = Fixture::with_secret();
    fixture.put(2, "two");
    fixture.ok(MOVE, &stage("AWSCURRENT", Some(2), Some(1)));
    fixture.assert_labels([(1, "AWSCURRENT"), (2, "AWSPREVIOUS")]);
    assert_eq!(fixture.value(), "one");
}

#[test]
fn moving_another_label_leaves_current_and_previous_alone() {
    let fixture = Fixture::with_secret();
    fixture.put(2, "two");
    fixture.put_as(3, &["MINE"]);
    fixture.ok(MOVE, &stage("MINE", Some(3), Some(1)));
    fixture.assert_labels([(1, "AWSPREVIOUS,MINE"), (2, "AWSCURRENT"), (3, "")]);
}

#[test]
fn a_label_that_is_on_no_version_is_attached_without_naming_one() {
    let fixture = Fixture::with_secret();
    fixture.ok(MOVE, &stage("MINE", NO_VERSION, Some(1)));
    fixture.assert_labels([(1, "AWSCURRENT,MINE")]);
}

#[test]
fn a_label_that_is_elsewhere_moves_only_if_that_version_is_named() {
    let fixture = Fixture::with_secret();
    fixture.put_as(2, &["MINE"]);
    fixture.put_as(3, &["OTHER"]);
    let (kind, message) = fixture.failure(MOVE, &stage("AWSCURRENT", NO_VERSION, Some(2)));
    assert_eq!(kind, "InvalidParameterException");
    assert!(message.contains(&format!("Staging label AWSCURRENT is currently attached to version {}", id(1))));
    assert_eq!(fixture.refused(MOVE, &stage("MINE", NO_VERSION, Some(1))), "InvalidParameterException");
    assert_eq!(fixture.refused(MOVE, &stage("MINE", Some(3), Some(1))), "InvalidParameterException");
    assert_eq!(fixture.refused(MOVE, &stage("NOWHERE", Some(3), Some(1))), "InvalidParameterException");
}

#[test]
fn a_label_that_is_already_there_stays_and_nothing_else_moves() {
    let fixture = Fixture::with_secret();
    fixture.put(2, "two");
    fixture.ok(MOVE, &stage("AWSCURRENT", NO_VERSION, Some(2)));
    fixture.assert_labels([(1, "AWSPREVIOUS"), (2, "AWSCURRENT")]);
}

#[test]
fn a_label_other_than_current_can_be_taken_away() {
    let fixture = Fixture::with_secret();
    fixture.put_as(2, &["MINE"]);
    fixture.ok(MOVE, &stage("MINE", Some(2), NO_VERSION));
    fixture.assert_labels([(1, "AWSCURRENT"), (2, "")]);
}

#[test]
fn current_cannot_be_taken_away() {
    let fixture = Fixture::with_secret();
    assert_eq!(fixture.refused(MOVE, &stage("AWSCURRENT", Some(1), NO_VERSION)), "InvalidParameterException");
}

#[test]
fn a_move_from_and_to_nowhere_is_refused() {
    assert_eq!(
        Fixture::with_secret().refused(MOVE, &stage("MINE", NO_VERSION, NO_VERSION)),
        "InvalidParameterException"
    );
}

#[test]
fn a_version_that_does_not_exist_is_not_found() {
    let fixture = Fixture::with_secret();
    assert_eq!(fixture.refused(MOVE, &stage("AWSCURRENT", Some(1), Some(2))), "ResourceNotFoundException");
    assert_eq!(fixture.refused(MOVE, &stage("AWSCURRENT", Some(2), Some(1))), "ResourceNotFoundException");
}

#[test]
fn a_label_beyond_the_twentieth_is_refused() {
    let fixture = Fixture::with_secret();
    for label in 0..19 {
        fixture.ok(MOVE, &stage(&label.to_string(), NO_VERSION, Some(1)));
    }
    assert_eq!(fixture.refused(MOVE, &stage("19", NO_VERSION, Some(1))), "LimitExceededException");
}
