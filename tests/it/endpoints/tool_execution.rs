//! `/api/v1/tool-executions/{id}`

use serde_json::{Value, json};
use stack::Match;

use super::execute_tool::{check_exactness, check_refusals, nested, object, start};
use super::tool_executions::execute;
use crate::support::{Answer, ApiKey, Call, Deployment, EXACT, with};

const STATUSES: [&str; 4] = ["pending", "running", "completed", "failed"];

fn path(id: &str) -> String {
    format!("/api/v1/tool-executions/{id}")
}

async fn report(deployment: &Deployment, key: &ApiKey, id: &str, body: &Value) -> Answer {
    deployment.account(key, "PATCH", &path(id)).json(body).send().await
}

async fn shown(deployment: &Deployment, key: &ApiKey, id: &str) -> Value {
    deployment.account(key, "GET", &path(id)).send().await.document(200).clone()
}

/// An execution that has got so far.
async fn with_status(deployment: &Deployment, key: &ApiKey, status: &str) -> String {
    let id = execute(deployment, key, Some("ada")).await;
    if status != "pending" {
        report(deployment, key, &id, &json!({ "status": status })).await.document(200);
    }
    id
}

#[tokio::test]
async fn an_execution_goes_forward_only_whatever_is_reported() {
    let (deployment, key) = start().await;
    for before in STATUSES {
        for next in STATUSES {
            let id = with_status(&deployment, &key, before).await;
            let old = shown(&deployment, &key, &id).await;
            let answer = report(&deployment, &key, &id, &json!({ "status": next, "outputs": { "n": 1 } })).await;
            let forward = match before {
                "pending" => true,
                "running" => next != "pending",
                // With what was not reported with the end.
                _ => false,
            };
            if !forward {
                answer.refused(409, "execution_finished");
                assert_eq!(shown(&deployment, &key, &id).await, old, "{before} {next}");
                continue;
            }
            let new = answer.document(200);
            let is_set = |field: &str| !new[field].is_null();
            assert_eq!((&new["status"], &new["outputs"]), (&json!(next), &json!({ "n": 1 })));
            assert_eq!(
                (is_set("started_at"), is_set("completed_at")),
                (next != "pending", ["completed", "failed"].contains(&next))
            );
            // What has a time keeps it.
            for field in ["created_at", "started_at", "completed_at"] {
                assert!(old[field].is_null() || old[field] == new[field], "{before} {next} {field}");
            }
            let mut expected = old.clone();
            for field in ["status", "outputs", "started_at", "completed_at"] {
                expected[field] = new[field].clone();
            }
            assert_eq!(*new, expected);
            assert_eq!(shown(&deployment, &key, &id).await, *new);
        }
    }
}

#[tokio::test]
async fn times_are_set_once_and_in_order() {
    let (deployment, key) = start().await;
    let id = execute(&deployment, &key, None).await;
    let mut last = shown(&deployment, &key, &id).await;
    let time = |row: &Value, field: &str| row[field].as_str().map(str::to_owned);
    for (status, started, completed) in [
        ("pending", false, false),
        ("running", true, false),
        ("running", true, false),
        ("failed", true, true),
        ("failed", true, true),
    ] {
        let row = report(&deployment, &key, &id, &json!({ "status": status })).await.document(200).clone();
        assert_eq!((row["started_at"].is_string(), row["completed_at"].is_string()), (started, completed));
        for field in ["created_at", "started_at", "completed_at"] {
            assert!(last[field].is_null() || last[field] == row[field], "{status}: {field}");
        }
        last = row;
    }
    let times = ["created_at", "started_at", "completed_at"].map(|field| time(&last, field).unwrap());
    assert!(times.is_sorted(), "{times:?}");
}

#[tokio::test]
async fn outputs_and_error_are_written_kept_and_cleared() {
    let (deployment, key) = start().await;
    let id = with_status(&deployment, &key, "running").await;
    let largest = "\"".repeat(2048);
    let steps = [
        (json!({ "outputs": { "rows": [1, { "a": null }] } }), json!({ "rows": [1, { "a": null }] }), Value::Null),
        (json!({ "error": "timed out" }), json!({ "rows": [1, { "a": null }] }), json!("timed out")),
        (json!({ "outputs": {} }), json!({}), json!("timed out")),
        (json!({ "outputs": null }), Value::Null, json!("timed out")),
        (json!({ "outputs": { "b": 2 }, "error": null }), json!({ "b": 2 }), Value::Null),
        (json!({ "error": "" }), json!({ "b": 2 }), json!("")),
        (json!({ "status": "failed", "outputs": null, "error": largest }), Value::Null, json!(largest)),
        // The same again.
        (json!({ "status": "failed", "outputs": null, "error": largest }), Value::Null, json!(largest)),
        (json!({ "error": largest }), Value::Null, json!(largest)),
    ];
    for (body, outputs, error) in steps {
        let answer = report(&deployment, &key, &id, &body).await;
        assert_eq!((&answer.document(200)["outputs"], &answer.body["error"]), (&outputs, &error), "{body}");
        assert_eq!(shown(&deployment, &key, &id).await, answer.body);
    }
    let over = shown(&deployment, &key, &id).await;
    for body in [json!({ "error": null }), json!({ "error": "other" }), json!({ "outputs": {} })] {
        report(&deployment, &key, &id, &body).await.refused(409, "execution_finished");
    }
    assert_eq!(shown(&deployment, &key, &id).await, over);
}

#[tokio::test]
async fn a_report_of_nothing_changes_nothing() {
    let (deployment, key) = start().await;
    for status in STATUSES {
        let id = with_status(&deployment, &key, status).await;
        let before = (shown(&deployment, &key, &id).await, deployment.items().await);
        for body in [json!({}), json!({ "external_user_id": "ada" })] {
            assert_eq!(*report(&deployment, &key, &id, &body).await.document(200), before.0);
        }
        assert_eq!(deployment.items().await, before.1);
    }
}

/// Sends both reports, and lets them write when both have read. Which writes first is not said.
async fn at_once(deployment: &Deployment, key: &ApiKey, id: &str, bodies: [&Value; 2]) -> [Answer; 2] {
    let held = deployment.stack.faults().hold(Match::any().function("tool-execution").operation("UpdateItem"));
    let release = async {
        held.reached_by(2).await;
        held.release();
    };
    let [one, other] = bodies.map(|body| report(deployment, key, id, body));
    let (one, other, ()) = tokio::join!(one, other, release);
    [one, other]
}

#[tokio::test]
async fn of_two_ends_reported_at_once_one_is_written_and_the_other_refused() {
    let (deployment, key) = start().await;
    for status in ["pending", "running"] {
        let id = with_status(&deployment, &key, status).await;
        let bodies = [
            json!({ "status": "completed", "outputs": { "found": 3 } }),
            json!({ "status": "failed", "error": "timed out" }),
        ];
        let answers = at_once(&deployment, &key, &id, [&bodies[0], &bodies[1]]).await;
        let won = usize::from(answers[0].status != 200);
        answers[1 - won].refused(409, "execution_finished");
        let row = shown(&deployment, &key, &id).await;
        assert_eq!(row, *answers[won].document(200));
        let outcome = [
            (json!("completed"), json!({ "found": 3 }), Value::Null),
            (json!("failed"), Value::Null, json!("timed out")),
        ];
        assert_eq!(
            (&row["status"], &row["outputs"], &row["error"]),
            (&outcome[won].0, &outcome[won].1, &outcome[won].2)
        );
    }
}

#[tokio::test]
async fn a_report_that_is_sent_again_before_it_was_answered_is_written_once() {
    let (deployment, key) = start().await;
    let id = with_status(&deployment, &key, "running").await;
    let body = json!({ "status": "completed", "outputs": { "n": 1 } });
    let answers = at_once(&deployment, &key, &id, [&body, &body]).await;
    let row = shown(&deployment, &key, &id).await;
    assert_eq!((&row["status"], &row["outputs"]), (&json!("completed"), &json!({ "n": 1 })));
    for answer in &answers {
        assert_eq!(*answer.document(200), row);
    }
}

/// The one that begins is late: it must not take back the end, and the end must have a beginning.
#[tokio::test]
async fn a_beginning_and_an_end_reported_at_once_are_an_end() {
    let (deployment, key) = start().await;
    let id = execute(&deployment, &key, None).await;
    let bodies = [json!({ "status": "running" }), json!({ "status": "completed" })];
    let [began, ended] = at_once(&deployment, &key, &id, [&bodies[0], &bodies[1]]).await;
    if began.status != 200 {
        began.refused(409, "execution_finished");
    }
    let row = shown(&deployment, &key, &id).await;
    assert_eq!(row, *ended.document(200));
    assert!(row["status"] == "completed" && row["started_at"].is_string() && row["completed_at"].is_string());
}

#[tokio::test]
async fn reports_are_for_account_keys_and_never_for_a_token() {
    let (deployment, key) = start().await;
    let mut tokens = Vec::new();
    for user in [Some("ada"), Some("bob"), None] {
        tokens.push(deployment.scoped_token(&key, user).await);
    }
    let id = execute(&deployment, &key, Some("ada")).await;
    let before = deployment.items().await;
    // Its own, another's, or none that there is: a token does not learn which.
    for token in &tokens {
        for id in [&id, "exec_00000000000000000000000000000000"] {
            for body in [json!({ "status": "completed" }), json!({})] {
                let answer = deployment.page(token, "PATCH", &path(id)).json(&body).send().await;
                answer.refused(403, "insufficient_scope");
            }
        }
    }
    let unknown = |call: Call| async {
        call.json(&json!({ "status": "running" })).send().await.refused(404, "not_found").text.clone()
    };
    let of_another = unknown(deployment.account_for(&key, "bob", "PATCH", &path(&id))).await;
    assert_eq!(unknown(deployment.account_for(&key, "bob", "PATCH", &path("exec_1"))).await, of_another);
    assert_eq!(unknown(deployment.account(&key, "PATCH", &path("x"))).await, of_another);
    assert_eq!(deployment.items().await, before);
    for (call, status) in [
        (deployment.account_for(&key, "ada", "PATCH", &path(&id)), "pending"),
        (deployment.account(&key, "PATCH", &path(&id)), "completed"),
    ] {
        let answer = call.json(&json!({ "status": status })).send().await;
        assert_eq!(
            (&answer.document(200)["status"], &answer.body["external_user_id"]),
            (&json!(status), &json!("ada"))
        );
    }
}

#[tokio::test]
async fn an_execution_is_seen_by_its_end_user_and_the_account_alone() {
    let (deployment, key) = start().await;
    let users = [Some("ada"), Some("bob"), None];
    let mut tokens = Vec::new();
    for user in users {
        tokens.push(deployment.scoped_token(&key, user).await);
    }
    let nowhere = deployment.page(&tokens[0], "GET", &path("exec_00000000000070008000000000000000")).send().await;
    nowhere.refused(404, "not_found");
    for owner in users {
        let id = execute(&deployment, &key, owner).await;
        for (viewer, token) in users.iter().zip(&tokens) {
            let answer = deployment.page(token, "GET", &path(&id)).send().await;
            if viewer.is_none() || *viewer == owner {
                assert_eq!(
                    (&answer.document(200)["id"], &answer.body["external_user_id"]),
                    (&json!(id), &json!(owner))
                );
            } else {
                assert_eq!((answer.status, &answer.text), (404, &nowhere.text), "{viewer:?} sees that of {owner:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_report_is_within_bounds_or_changes_nothing() {
    let (deployment, key) = start().await;
    let id = execute(&deployment, &key, Some("ada")).await;
    let at = |field: &str| json!(["body", field]);
    let mut cases: Vec<_> = [
        ("status", json!("done")),
        ("status", json!("Completed")),
        ("status", json!("")),
        ("status", Value::Null),
        ("status", json!(1)),
        ("outputs", object(16_385)),
        ("outputs", nested(33)),
        ("outputs", json!([])),
        ("outputs", json!("text")),
        ("error", json!("x".repeat(4097))),
        ("error", json!("é".repeat(2049))),
        ("error", json!("\"".repeat(2049))),
        ("error", json!({ "message": "timed out" })),
        ("error", json!(500)),
        ("external_user_id", json!("")),
        ("external_user_id", json!(7)),
    ]
    .into_iter()
    .map(|(field, value)| (with(&json!({ "status": "running" }), &json!({ field: value })), at(field), "value_error"))
    .collect();
    for field in ["inputs", "tool_id", "id", "output", "started_at", "completed_at", "created_at"] {
        cases.push((json!({ "status": "running", field: null }), at(field), "extra_forbidden"));
    }
    check_refusals(&deployment, || deployment.account(&key, "PATCH", &path(&id)), cases).await;
    for fields in [
        json!({ "outputs": object(16_384), "error": "x".repeat(4096) }),
        json!({ "outputs": nested(32), "error": "é".repeat(2048) }),
    ] {
        let answer = report(&deployment, &key, &id, &fields).await;
        assert_eq!(*answer.document(200), with(&answer.body, &fields));
        assert_eq!(shown(&deployment, &key, &id).await, answer.body);
    }
}

#[tokio::test]
async fn outputs_are_kept_as_they_were_sent_or_refused() {
    let (deployment, key) = start().await;
    let id = execute(&deployment, &key, None).await;
    let ask = || deployment.account(&key, "PATCH", &path(&id));
    check_exactness(&deployment, ask, "outputs").await;
    let answer = ask().body("application/json", format!(r#"{{"outputs":{EXACT}}}"#)).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let shown = deployment.account(&key, "GET", &path(&id)).send().await;
    assert!(shown.text.contains(&format!(r#""outputs":{EXACT}"#)), "{}", shown.text);
}
