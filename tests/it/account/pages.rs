//! How much a list reads: what is on its page, and the entries before it, however many rows there are.

use serde_json::{Value, json};
use shared::domain::ExternalId;

use crate::support::{Answer, ApiKey, Call, Deployment};

const DOCUMENTS: &str = "/api/v1/documents";

/// Rows of an account. One in fifty is another end user's; of all others the end user sees some that are its own and
/// some that all share.
const ROWS: usize = 51_050;

/// Whose a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Ada,
    Nobody,
    Grace,
}

/// An account with many documents, put into the table past the functions: all entries and counts, and those rows that
/// are read. All of them are in one workspace.
struct Account {
    deployment: Deployment,
    key: ApiKey,
    /// A document as it is stored, to make others from.
    pattern: Value,
    /// Ids and owners, newest first.
    all: Vec<(String, Owner)>,
}

impl Account {
    async fn start(rows: usize) -> Self {
        let deployment = Deployment::start_with(|builder| builder.without_stream().metered()).await;
        let tenant = deployment.provision("Acme").await;
        let key = deployment.api_key(&tenant, "account").await;
        let workspaces = deployment.account_for(&key, "ada", "POST", "/api/v1/workspaces");
        let workspace = workspaces.json(&json!({ "name": "Support" })).send().await.document(201)["id"].clone();
        let body = json!({ "name": "Handbook", "file_type": "md", "workspace_ids": [workspace] });
        let answer = deployment.account_for(&key, "ada", "POST", DOCUMENTS).json(&body).send().await;
        let path = format!("{DOCUMENTS}/{}", answer.document(201)["id"].as_str().unwrap());
        let items = deployment.items().await;
        deployment.account_for(&key, "ada", "DELETE", &path).send().await.document(200);
        let is_row = |item: &&Value| item["pk"]["S"].as_str().unwrap().ends_with("#DOCUMENT");
        let pattern = items.iter().find(is_row).unwrap().clone();
        let owner = |number: usize| match number % 50 {
            49 => Owner::Grace,
            // Not by turns, so that there is something to merge.
            place if matches!(place % 7, 0 | 1 | 4) => Owner::Ada,
            _ => Owner::Nobody,
        };
        let id = |number: usize| format!("01900000-{:04x}-7000-8000-{number:012x}", number / 16);
        let all = (0..rows).rev().map(|number| (id(number), owner(number))).collect();
        Self { deployment, key, pattern, all }
    }

    fn space(owner: Owner) -> String {
        let of = |id: &str| format!("OF@{}", ExternalId::parse(id).unwrap().digest());
        match owner {
            Owner::Ada => of("ada"),
            Owner::Grace => of("grace"),
            Owner::Nobody => "GLOBAL".to_owned(),
        }
    }

    fn list(&self, space: &str) -> String {
        format!("TENANT#{}#{space}#DOCUMENTS", self.key.tenant.id)
    }

    /// What a viewer sees, newest first.
    fn seen(&self, user: Option<&str>) -> Vec<&str> {
        let seen = self.all.iter().filter(|(_, owner)| user.is_none() || *owner != Owner::Grace);
        seen.map(|(id, _)| id.as_str()).collect()
    }

    /// Writes what those rows are listed by. Entries of the other end user's own list are left out: nobody reads it
    /// here.
    async fn enter(&self, rows: &[(String, Owner)]) {
        let entries = rows.iter().flat_map(|(id, owner)| {
            let space = Self::space(*owner);
            let own = json!({ "pk": { "S": self.list(&space) }, "sk": { "S": id } });
            let mut account = json!({ "pk": { "S": self.list("ALL") }, "sk": { "S": id } });
            account["owned_by"] = json!({ "S": space });
            [Some(account), Some(own).filter(|_| *owner != Owner::Grace)].into_iter().flatten()
        });
        self.deployment.write_items(entries.collect()).await;
    }

    /// Writes rows.
    async fn fill(&self, rows: &[(String, Owner)]) {
        let known = self.pattern["field_id"]["S"].as_str().unwrap().trim_matches('"');
        let rows = rows.iter().map(|(id, owner)| {
            let item =
                self.pattern.to_string().replace(known, id).replace(&Self::space(Owner::Ada), &Self::space(*owner));
            serde_json::from_str(&item).unwrap()
        });
        self.deployment.write_items(rows.collect()).await;
    }

    /// Writes how many entries the lists have.
    async fn count(&self, counts: [(&str, usize); 3]) {
        let counters = counts.map(|(space, count)| {
            let pk = format!("{}#COUNT", self.list(space));
            json!({ "pk": { "S": pk }, "sk": { "S": "COUNT#0" }, "resource_count": { "N": count.to_string() } })
        });
        self.deployment.write_items(counters.into()).await;
    }

    /// Adds to how many entries a list has.
    async fn count_more(&self, space: &str, count: usize) {
        let request = json!({
            "TableName": self.deployment.table(),
            "Key": { "pk": { "S": format!("{}#COUNT", self.list(space)) }, "sk": { "S": "COUNT#0" } },
            "UpdateExpression": "ADD resource_count :count",
            "ExpressionAttributeValues": { ":count": { "N": count.to_string() } },
        });
        self.deployment.dynamodb("UpdateItem", &request).await;
    }

    /// Goes on from `from` rows to `to`, with counts to match.
    async fn grow(&self, from: usize, to: usize) {
        self.enter(&self.all[from..to]).await;
        let of = |owner: Owner| self.all[..to].iter().filter(|(_, known)| *known == owner).count();
        let own = Self::space(Owner::Ada);
        self.count([("ALL", to), (&own, of(Owner::Ada)), ("GLOBAL", of(Owner::Nobody))]).await;
    }

    fn request(&self, user: Option<&str>, query: &str) -> Call {
        let path = format!("{DOCUMENTS}?{query}");
        match user {
            Some(user) => self.deployment.account_for(&self.key, user, "GET", &path),
            None => self.deployment.account(&self.key, "GET", &path),
        }
    }

    /// A page, the operations that it took, and what each consumed.
    async fn page(&self, user: Option<&str>, query: &str) -> (Answer, Vec<(String, f64)>) {
        let (answer, costs) = costs(&self.deployment, self.request(user, query)).await;
        answer.document(200);
        (answer, costs)
    }
}

/// The operations that a call took, and what each consumed; those that were made at once in no order.
pub async fn costs(deployment: &Deployment, call: Call) -> (Answer, Vec<(String, f64)>) {
    let (answer, calls) = deployment.calls_of(call).await;
    (answer, calls.into_iter().map(|call| (call.operation, call.consumed.unwrap())).collect())
}

pub fn units(costs: &[(String, f64)]) -> f64 {
    costs.iter().map(|(_, units)| units).sum()
}

fn ids(answer: &Answer) -> Vec<&str> {
    answer.body["items"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
}

/// In the order of their names: some are called at once.
fn operations(costs: &[(String, f64)]) -> Vec<&str> {
    let mut operations: Vec<_> = costs.iter().map(|(operation, _)| operation.as_str()).collect();
    operations.sort_unstable();
    operations
}

/// The numbers are those of the documentation: the credential, a query for the counts, a query for each space that is
/// looked into and one for the workspace; for the account a read of each row. A page with a number takes one more for
/// each five thousand entries that are passed over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_50_000_rows_a_page_costs_its_rows_and_what_is_passed_over() {
    let account = Account::start(ROWS).await;
    // What is on the pages that are looked at.
    for user in [Some("ada"), None] {
        let seen = account.seen(user);
        for (page, limit) in [(1, 20), (500, 20), (500, 100)] {
            let shown = &seen[(page - 1) * limit..page * limit];
            let shown = account.all.iter().filter(|(id, _)| shown.contains(&id.as_str()));
            account.fill(&shown.cloned().collect::<Vec<_>>()).await;
        }
    }
    let near = 200;
    account.grow(0, near).await;
    let mut few = Vec::new();
    for user in [Some("ada"), None] {
        few.push(account.page(user, "limit=20").await.1);
    }
    account.grow(near, account.all.len()).await;

    for (user, few) in [Some("ada"), None].into_iter().zip(&few) {
        let seen = account.seen(user);
        let (answer, costs) = account.page(user, "limit=20").await;
        assert_eq!(ids(&answer), seen[..20]);
        assert_eq!((&answer.body["total"], &answer.body["has_more"]), (&seen.len().into(), &true.into()));
        assert!((units(&costs) - units(few)).abs() < 0.1, "not as with a few rows: {costs:?}, {few:?}");
        // Of the account's rows, those of two owners are read by a query each, and the other end user's one by one.
        let reads = match user {
            Some(_) => [vec!["BatchGetItem"], vec!["Query"; 4]].concat(),
            None => [vec!["BatchGetItem"; 2], vec!["Query"; 5]].concat(),
        };
        assert_eq!((operations(&costs), operations(few)), (reads.clone(), reads));
        assert!(units(&costs) <= 12.0, "{costs:?}");

        for (limit, farther, most) in [(20, 4, 500.0), (100, 14, 1300.0)] {
            let offset = 499 * limit;
            let (answer, costs) = account.page(user, &format!("page=500&limit={limit}")).await;
            println!("{user:?}, page 500 of {limit}: {} calls, {} read units", costs.len(), units(&costs));
            assert_eq!(ids(&answer), seen[offset..offset + limit], "{user:?} {limit}");
            assert_eq!(answer.body["total"], seen.len());
            assert_eq!(answer.body["has_more"], offset + limit < seen.len());
            assert!(costs.len() <= few.len() + farther && units(&costs) <= most, "{user:?} {limit}: {costs:?}");
        }
        let past = account.page(user, "page=1000000&limit=100").await;
        assert_eq!((operations(&past.1), ids(&past.0).len()), (vec!["BatchGetItem", "Query"], 0));
        assert_eq!(past.0.body["total"], seen.len());
    }
}

/// With `LATCHKEY_LISTED`, of as many rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_cursor_a_page_costs_at_any_depth_what_it_costs_at_the_first() {
    let listed = std::env::var("LATCHKEY_LISTED").map_or(3_000, |listed| listed.parse().unwrap());
    let account = Account::start(listed).await;
    account.fill(&account.all).await;
    account.grow(0, account.all.len()).await;
    for user in [Some("ada"), None] {
        let seen = account.seen(user);
        let (mut cursor, mut measured) = (String::new(), Vec::new());
        for (number, expected) in seen.chunks(100).enumerate() {
            let here = format!("limit=20{cursor}");
            // The thousandth row, and the last that a page of 20 begins after.
            if number == 10 || (number + 1) * 100 >= seen.len() {
                measured.push((number * 100, account.page(user, &here).await));
            }
            let (answer, _) = account.page(user, &format!("limit=100{cursor}")).await;
            assert_eq!(ids(&answer), expected, "{user:?} {number}");
            assert_eq!(answer.body["total"], seen.len());
            let Some(next) = answer.body["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let [(1_000, (_, near)), (depth, (answer, far))] = &measured[..] else { panic!("{}", measured.len()) };
        println!("{user:?}, a page of 20 at row 1000: {} calls, {} read units", near.len(), units(near));
        println!("{user:?}, a page of 20 at row {depth}: {} calls, {} read units", far.len(), units(far));
        assert_eq!(ids(answer), seen[*depth..depth + 20]);
        assert!(*depth + 100 >= seen.len() && operations(far) == operations(near), "{depth} {far:?}");
        assert!(units(far) <= units(near) * 1.05, "{near:?} {far:?}");
    }
}

/// With `LATCHKEY_END_USERS`, of as many who have a document each. Of those who are on no page there are only the
/// entries that are in the way of others: what else they have is in partitions of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_costs_the_same_however_many_end_users_there_are() {
    let others: usize = std::env::var("LATCHKEY_END_USERS").map_or(2_000, |users| users.parse().unwrap());
    let account = Account::start(20).await;
    let (deployment, path) = (&account.deployment, format!("{DOCUMENTS}?limit=20"));
    let workspaces: Value =
        serde_json::from_str(account.pattern["field_workspace_ids"]["S"].as_str().unwrap()).unwrap();
    for _ in 0..20 {
        let body = json!({ "name": "Handbook", "workspace_ids": workspaces });
        deployment.account_for(&account.key, "ada", "POST", DOCUMENTS).json(&body).send().await.document(201);
    }
    let measure = async || {
        let mut measured = Vec::new();
        for call in
            [deployment.account_for(&account.key, "ada", "GET", &path), deployment.account(&account.key, "GET", &path)]
        {
            let (answer, costs) = costs(deployment, call).await;
            assert_eq!(ids(&answer).len(), 20);
            measured.push((answer.body["total"].as_u64().unwrap(), costs.len(), units(&costs)));
        }
        measured
    };
    let known = account.pattern["field_id"]["S"].as_str().unwrap().trim_matches('"');
    let ada = Account::space(Owner::Ada);
    let items = |user: &usize| {
        // The first twenty are newer than all others.
        let id = format!("01ff0000-0000-7000-8000-{:012x}", usize::MAX / 0x1_0000 - user);
        let space = format!("OF@{}", ExternalId::parse(&format!("user-{user}")).unwrap().digest());
        let row = account.pattern.to_string().replace(known, &id).replace(&ada, &space);
        let at = |space: &str| json!({ "pk": { "S": account.list(space) }, "sk": { "S": id } });
        let mut entry = at("ALL");
        entry["owned_by"] = json!({ "S": space });
        let counter = json!({
            "pk": { "S": format!("{}#COUNT", account.list(&space)) },
            "sk": { "S": "COUNT#0" },
            "resource_count": { "N": "1" },
        });
        if *user < 20 { vec![entry, serde_json::from_str(&row).unwrap(), at(&space), counter] } else { vec![entry] }
    };
    // The account's first page is of twenty end users' from the start.
    let mut measured = Vec::new();
    for users in [(0..20).collect::<Vec<_>>(), (20..others).collect()] {
        for users in users.chunks(1000) {
            deployment.write_items(users.iter().flat_map(items).collect()).await;
        }
        account.count_more("ALL", users.len()).await;
        measured.push(measure().await);
    }
    let [few, many] = &measured[..] else { panic!("{}", measured.len()) };
    println!("{} and {} calls, {} and {} read units among 20 end users", few[0].1, few[1].1, few[0].2, few[1].2);
    println!("{} and {} calls, {} and {} read units among {others}", many[0].1, many[1].1, many[0].2, many[1].2);
    let all = u64::try_from(others).unwrap() + 20;
    assert_eq!((few[0].0, few[1].0, many[0].0, many[1].0), (20, 40, 20, all));
    for (few, many) in few.iter().zip(many) {
        assert!(many.1 == few.1 && many.2 <= few.2 * 1.05, "{few:?} {many:?}");
    }
}

/// The total is not found by counting: here it says more than there is.
#[tokio::test]
async fn a_page_more_than_50_000_rows_back_is_refused_before_anything_is_passed_over() {
    let account = Account::start(20).await;
    let own = Account::space(Owner::Ada);
    account.count([("ALL", 60_000), (&own, 30_000), ("GLOBAL", 30_000)]).await;
    for user in [Some("ada"), None] {
        for (query, is_too_far) in [
            ("page=501&limit=100", false),
            ("page=502&limit=100", true),
            ("page=2501&limit=20", false),
            ("page=2502&limit=20", true),
            ("page=601&limit=100", false),
        ] {
            let (answer, calls) = account.deployment.calls_of(account.request(user, query)).await;
            if is_too_far {
                answer.invalid("query", "page");
                assert_eq!(calls.len(), 2, "{query}: the credential and the count");
            } else {
                assert_eq!(answer.document(200)["total"], 60_000, "{query}");
            }
        }
    }
}

#[tokio::test]
async fn with_cursors_no_row_comes_twice_and_none_is_missed_whatever_is_made_and_deleted_between_two_pages() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "account").await;
    let call = |user: Option<&str>, method: &str, path: &str| match user {
        Some(user) => deployment.account_for(&key, user, method, path),
        None => deployment.account(&key, method, path),
    };
    let make = async |owner: Option<&str>| {
        let answer = call(owner, "POST", DOCUMENTS).json(&json!({ "name": "Handbook" })).send().await;
        answer.document(201)["id"].as_str().unwrap().to_owned()
    };
    let owners = [Some("ada"), None, None, Some("grace"), Some("ada")];
    for viewer in [Some("ada"), Some("grace"), Some("nobody"), None] {
        for limit in [1, 3, 7] {
            let mut made = Vec::new();
            for owner in owners.iter().cycle().take(14) {
                made.push((make(*owner).await, *owner));
            }
            made.sort();
            let seen = |owner: Option<&str>| viewer.is_none() || owner.is_none() || owner == viewer;
            let mut expected: Vec<_> = made.iter().rev().filter(|(_, owner)| seen(*owner)).map(|(id, _)| id).collect();
            let (mut listed, mut query) = (Vec::new(), String::new());
            while listed.len() < expected.len() {
                let answer = call(viewer, "GET", &format!("{DOCUMENTS}?limit={limit}{query}")).send().await;
                assert_eq!((&answer.document(200)["page"], &answer.body["limit"]), (&json!(1), &json!(limit)));
                listed.extend(ids(&answer).into_iter().map(str::to_owned));
                assert_eq!(answer.body["has_more"], answer.body["next_cursor"].is_string());
                let Some(next) = answer.body["next_cursor"].as_str() else { break };
                query = format!("&cursor={next}");
                // The last row of the page is deleted, with which the cursor is made, and one that is still to come.
                for owner in owners {
                    make(owner).await;
                }
                let last = listed.last().unwrap().clone();
                call(None, "DELETE", &format!("{DOCUMENTS}/{last}")).send().await.document(200);
                if expected.len() > listed.len() + 1 {
                    let gone = expected.remove(listed.len());
                    call(None, "DELETE", &format!("{DOCUMENTS}/{gone}")).send().await.document(200);
                }
            }
            assert_eq!(listed.iter().take(expected.len()).collect::<Vec<_>>(), expected, "{viewer:?} {limit}");
        }
    }
}

#[tokio::test]
async fn a_cursor_is_of_one_list_as_one_caller_sees_it_and_goes_with_no_page_number() {
    let account = Account::start(20).await;
    account.fill(&account.all[..3]).await;
    account.grow(0, 3).await;
    let (answer, _) = account.page(None, "limit=1").await;
    let cursor = answer.body["next_cursor"].as_str().unwrap().to_owned();
    let (answer, costs) = account.page(None, &format!("limit=1&cursor={cursor}")).await;
    assert_eq!(
        (ids(&answer), operations(&costs)),
        (account.seen(None)[1..2].to_vec(), vec!["BatchGetItem", "BatchGetItem", "BatchGetItem", "Query", "Query"])
    );
    for (user, query, field) in [
        (None, format!("page=1&cursor={cursor}"), "page"),
        (None, "cursor=x".to_owned(), "cursor"),
        (None, format!("cursor={cursor}A"), "cursor"),
        (None, "cursor=".to_owned(), "cursor"),
        (Some("ada"), format!("cursor={cursor}"), "cursor"),
    ] {
        account.request(user, &query).send().await.invalid("query", field);
    }
    let elsewhere = account.deployment.account(&account.key, "GET", &format!("/api/v1/workspaces?cursor={cursor}"));
    elsewhere.send().await.invalid("query", "cursor");
}

#[tokio::test]
async fn the_pages_of_a_merged_list_are_all_rows_in_the_order_in_which_they_were_made() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "account").await;
    let call = |user: Option<&str>, method: &str, path: &str| match user {
        Some(user) => deployment.account_for(&key, user, method, path),
        None => deployment.account(&key, method, path),
    };
    let owners = [Some("ada"), None, None, Some("grace"), Some("ada"), Some("ada"), None, Some("grace")];
    let mut made = Vec::new();
    for owner in owners.iter().cycle().take(30) {
        let answer = call(*owner, "POST", DOCUMENTS).json(&json!({ "name": "Handbook" })).send().await;
        made.push((answer.document(201)["id"].as_str().unwrap().to_owned(), *owner));
    }
    // Ids have milliseconds; of the same one, either can be first.
    made.sort();
    for viewer in [Some("ada"), Some("grace"), Some("nobody"), None] {
        let seen = made.iter().rev().filter(|(_, owner)| viewer.is_none() || owner.is_none() || *owner == viewer);
        let seen: Vec<_> = seen.map(|(id, _)| id.as_str()).collect();
        for limit in [1, 3, 7, 100] {
            let mut listed = Vec::new();
            for page in 1..=seen.len().div_ceil(limit) + 1 {
                let answer = call(viewer, "GET", &format!("{DOCUMENTS}?page={page}&limit={limit}")).send().await;
                let length = seen.len().saturating_sub((page - 1) * limit).min(limit);
                assert_eq!((ids(&answer).len(), &answer.body["total"]), (length, &seen.len().into()));
                assert_eq!(answer.body["has_more"], page * limit < seen.len());
                listed.extend(ids(&answer).into_iter().map(str::to_owned));
            }
            assert_eq!(listed, seen, "{viewer:?} {limit}");
        }
    }
}
