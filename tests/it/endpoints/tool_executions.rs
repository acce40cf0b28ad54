//! `GET /api/v1/tool-executions`

use serde_json::{Value, json};

use super::execute_tool::{check_refusal, start};
use crate::support::{ApiKey, Call, Deployment, naming, with};

const EXECUTIONS: &str = "/api/v1/tool-executions";

/// The rows of a list on pages of 20, after checking what each page says of all of them; `ask` makes the request with a
/// query.
pub(super) async fn listed(ask: impl Fn(&str) -> Call) -> Vec<Value> {
    let (mut rows, mut page) = (Vec::new(), 1);
    loop {
        let answer = ask(&format!("page={page}")).send().await;
        let body = answer.document(200);
        let mut names: Vec<_> = body.as_object().unwrap().keys().collect();
        names.sort_unstable();
        assert_eq!(names, ["has_more", "items", "limit", "next_cursor", "page", "total"]);
        let items = body["items"].as_array().unwrap();
        rows.extend(items.iter().cloned());
        let (has_more, total) = (body["has_more"].as_bool().unwrap(), &body["total"]);
        assert_eq!((&body["page"], &body["limit"]), (&json!(page), &json!(20)));
        assert!(!has_more || items.len() == 20, "{}", answer.text);
        if !has_more {
            assert_eq!(*total, rows.len());
            let after = ask(&format!("page={}", page + 1)).send().await;
            let nothing = json!({
                "items": [], "total": total, "page": page + 1, "limit": 20, "has_more": false, "next_cursor": null,
            });
            assert_eq!(*after.document(200), nothing);
            return rows;
        }
        page += 1;
    }
}

/// The ids of rows.
pub(super) fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

/// Checks what a list takes as a page, and that the rest is refused by name.
pub(super) async fn check_pages(ask: impl Fn(&str) -> Call) {
    for (query, page, limit) in [
        ("", 1, 20),
        ("page=1", 1, 20),
        ("page=1000000", 1_000_000, 20),
        ("limit=1", 1, 1),
        ("limit=100", 1, 100),
        ("page=1000000&limit=100", 1_000_000, 100),
    ] {
        let answer = ask(query).send().await;
        assert_eq!((&answer.document(200)["page"], &answer.body["limit"]), (&json!(page), &json!(limit)), "{query}");
    }
    for (query, field, kind) in [
        ("page=0", "page", "value_error"),
        ("page=1000001", "page", "value_error"),
        ("page=-1", "page", "value_error"),
        ("page=1.5", "page", "value_error"),
        ("page=one", "page", "value_error"),
        ("page=", "page", "value_error"),
        ("page=1&page=1", "page", "value_error"),
        ("page=99999999999999999999", "page", "value_error"),
        ("limit=0", "limit", "value_error"),
        ("limit=101", "limit", "value_error"),
        ("limit=-1", "limit", "value_error"),
        ("limit=all", "limit", "value_error"),
        ("limit=", "limit", "value_error"),
        ("offset=1", "offset", "extra_forbidden"),
        ("cursor=x", "cursor", "value_error"),
        ("cursor=", "cursor", "value_error"),
        ("status=pending", "status", "extra_forbidden"),
        ("external_user_id=ada", "external_user_id", "extra_forbidden"),
    ] {
        check_refusal(&ask(query).send().await, &json!(["query", field]), kind);
    }
}

/// An execution for an end user, or for none: its id.
pub(super) async fn execute(deployment: &Deployment, key: &ApiKey, user: Option<&str>) -> String {
    let body = with(&json!({ "inputs": { "query": user } }), &naming(user));
    let answer = deployment.account(key, "POST", "/api/v1/tools/web_search/execute").json(&body).send().await;
    answer.document(202)["execution_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn forty_five_executions_are_three_pages_newest_first_and_each_is_shown_whole() {
    let (deployment, key) = start().await;
    let mut made = Vec::new();
    for _ in 0..45 {
        made.push(execute(&deployment, &key, Some("ada")).await);
    }
    made.reverse();
    let token = deployment.scoped_token(&key, Some("ada")).await;
    let rows = listed(|query| deployment.page(&token, "GET", &format!("{EXECUTIONS}?{query}"))).await;
    assert_eq!(ids(&rows), made);
    for row in [&rows[0], &rows[44]] {
        let path = format!("{EXECUTIONS}/{}", row["id"].as_str().unwrap());
        assert_eq!(deployment.page(&token, "GET", &path).send().await.document(200), row);
    }
    let three = deployment.page(&token, "GET", &format!("{EXECUTIONS}?page=15&limit=3")).send().await;
    assert_eq!(
        (ids(three.document(200)["items"].as_array().unwrap()), &three.body["has_more"]),
        (made[42..].iter().map(String::as_str).collect(), &json!(false))
    );
}

#[tokio::test]
async fn an_end_user_sees_its_own_executions_and_the_account_sees_all() {
    let (deployment, key) = start().await;
    let mut made = Vec::new();
    for number in 0..25 {
        let user = [Some("ada"), Some("bob"), None][number % 3];
        made.push((user, execute(&deployment, &key, user).await));
    }
    made.reverse();
    let of =
        |user| made.iter().filter(|(owner, _)| *owner == Some(user)).map(|(_, id)| id.as_str()).collect::<Vec<_>>();
    let everything: Vec<_> = made.iter().map(|(_, id)| id.as_str()).collect();
    for (user, expected) in
        [(Some("ada"), of("ada")), (Some("bob"), of("bob")), (Some("eve"), vec![]), (None, everything)]
    {
        let token = deployment.scoped_token(&key, user).await;
        let by_token = listed(|query| deployment.page(&token, "GET", &format!("{EXECUTIONS}?{query}"))).await;
        assert_eq!(ids(&by_token), expected);
        let ask = |query: &str| {
            let call = deployment.account(&key, "GET", &format!("{EXECUTIONS}?{query}"));
            user.into_iter().fold(call, |call, user| call.header("external_user_id", user))
        };
        assert_eq!(listed(ask).await, by_token);
    }
}

#[tokio::test]
async fn a_page_of_executions_has_a_number_and_a_limit_and_nothing_else() {
    let (deployment, key) = start().await;
    check_pages(|query| deployment.account(&key, "GET", &format!("{EXECUTIONS}?{query}"))).await;
}
