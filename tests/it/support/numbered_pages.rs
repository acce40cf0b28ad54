//! What holds for every list of the account surface, whose pages have numbers.

use serde_json::{Value, json};

use super::http::{Answer, Call};

/// A page, after checking what it says of itself.
pub async fn page(call: Call, number: usize, limit: usize, total: usize) -> Vec<Value> {
    let answer = call.send().await;
    let mut page = answer.document(200).clone();
    let items = page.as_object_mut().unwrap().remove("items").unwrap();
    let has_more = number * limit < total;
    assert_eq!(page, json!({ "total": total, "page": number, "limit": limit, "has_more": has_more }));
    items.as_array().unwrap().clone()
}

/// Checks that a list is these 45 rows, newest first, however it is divided; `ask` makes the request with that query string.
pub async fn check_forty_five(oldest_first: &[Value], ask: impl Fn(&str) -> Call) {
    let expected: Vec<_> = oldest_first.iter().rev().cloned().collect();
    assert_eq!(expected.len(), 45);
    assert_eq!(page(ask(""), 1, 20, 45).await, expected[..20], "20 unless the request says how many");
    for limit in [1, 7, 20, 44, 45, 46, 100] {
        let mut found = Vec::new();
        for number in 1..=45_usize.div_ceil(limit) {
            let rows = page(ask(&format!("page={number}&limit={limit}")), number, limit, 45).await;
            assert!(!rows.is_empty() && rows.len() == limit.min(45 - found.len()), "page {number} of {limit}");
            found.extend(rows);
        }
        assert_eq!(found, expected, "{limit} a page");
    }
    for number in [4, 5, 1_000_000] {
        assert!(page(ask(&format!("page={number}")), number, 20, 45).await.is_empty(), "past the end");
    }
}

/// Checks that what is no page is refused, and says where.
pub async fn check_refusals(ask: impl Fn(&str) -> Call) {
    let cases = [
        ("page=0", "page", "value_error"),
        ("page=1000001", "page", "value_error"),
        ("page=-1", "page", "value_error"),
        ("page=1.5", "page", "value_error"),
        ("page=x", "page", "value_error"),
        ("page=", "page", "value_error"),
        ("page=1&page=2", "page", "value_error"),
        ("limit=0", "limit", "value_error"),
        ("limit=101", "limit", "value_error"),
        ("limit=-1", "limit", "value_error"),
        ("limit=99999999999999999999", "limit", "value_error"),
        ("limit=1&limit=1", "limit", "value_error"),
        ("cursor=x", "cursor", "extra_forbidden"),
        ("offset=0", "offset", "extra_forbidden"),
        ("external_user_id=user_456", "external_user_id", "extra_forbidden"),
    ];
    for (query, field, kind) in cases {
        ask(query).send().await.refuses_at(&json!(["query", field]), kind);
    }
}

impl Answer {
    /// Checks that it is the account surface's refusal of what is at this place, and of that kind.
    pub fn refuses_at(&self, place: &Value, kind: &str) -> &Self {
        assert_eq!(self.status, 422, "{place}: {}", self.text);
        let [problem] = self.body["detail"].as_array().unwrap().as_slice() else { panic!("{}", self.text) };
        assert_eq!((&problem["loc"], &problem["type"]), (place, &json!(kind)), "{}", self.text);
        self
    }
}
