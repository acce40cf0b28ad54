//! What holds for every list.

use serde_json::Value;

use super::http::{Answer, Call};

/// The pages of a list; `ask` makes the request with more of a query string. Every page but the last is full.
pub async fn pages(name: &str, limit: usize, ask: impl Fn(&str) -> Call) -> Vec<Vec<Value>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = ask(&format!("limit={limit}{cursor}")).send().await;
        let data = answer.data(200);
        assert_eq!(data["limit"], limit);
        let rows = data[name].as_array().unwrap().clone();
        let is_last = data["next_cursor"].is_null();
        assert!(rows.len() == limit || is_last && rows.len() < limit, "{}", rows.len());
        pages.push(rows);
        match data["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return pages,
        }
    }
}

/// Checks that pages of 20 of a list of 45 are all of it, newest first. `field` is what tells the rows apart, and
/// `expected` has its values, oldest first.
pub async fn check_forty_five(name: &str, field: &str, expected: &[String], ask: impl Fn(&str) -> Call) {
    let pages = pages(name, 20, ask).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [20, 20, 5]);
    let listed: Vec<_> = pages.iter().flatten().map(|row| row[field].as_str().unwrap()).collect();
    assert!(listed.into_iter().eq(expected.iter().rev().map(String::as_str)));
}

/// Checks that what is no page of the list is refused by name; `foreign` are cursors of other lists.
pub async fn check_refusals(foreign: &[String], ask: impl Fn(&str) -> Call) {
    for cursor in foreign {
        ask(&format!("cursor={cursor}")).send().await.names("cursor");
    }
    let cases = [
        ("cursor=x", "cursor"),
        ("cursor=", "cursor"),
        ("cursor=AAAAAAAAAAAAAAAAAAAA", "cursor"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=1.5", "limit"),
        ("offset=1", "offset"),
        ("limit=1&limit=2", "limit"),
    ];
    for (query, field) in cases {
        ask(query).send().await.names(field);
    }
}

/// The cursor to the second page of a list.
pub fn next(answer: &Answer) -> String {
    answer.data(200)["next_cursor"].as_str().unwrap().to_owned()
}
