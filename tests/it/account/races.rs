//! Rows of the account surface changed at the same time: no change is lost, nothing that was deleted comes back, and
//! every total is what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value, json};
use stack::{Invocation, Match, scheduled_event};

use crate::support::{Answer, ApiKey, Call, Deployment, at_once};

const SESSIONS: &str = "/api/v1/agent-sessions";
const EXECUTIONS: &str = "/api/v1/tool-executions";
const WORKSPACES: &str = "/api/v1/workspaces";
const DOCUMENTS: &str = "/api/v1/documents";

/// The entries of lists: by the list's partition, ids and in which owner the resource is.
type Entries = BTreeMap<String, BTreeMap<String, Option<String>>>;

/// What rows, entries and counts have to say of each other, read off a whole table.
#[derive(Default)]
struct Kept<'a> {
    /// Rows by tenant and space, kind and id.
    rows: BTreeMap<(String, &'a str, &'a str), &'a Value>,
    contents: BTreeSet<(String, &'a str)>,
    /// Sessions that were deleted with their messages still there.
    remains: BTreeSet<(String, &'a str)>,
    /// In which session a message is, by its place and id.
    sessions: BTreeMap<(String, &'a str), &'a str>,
    entries: Entries,
    /// Entries that show a row, with the space that it is in.
    shown: Vec<(String, &'a Value)>,
    counts: BTreeMap<String, i64>,
}

/// Checks, of all tenants: every row has its entry in the list of its space and in the account's, every entry its row,
/// and every count is how many entries there are. How many rows there are.
pub fn check_rows(items: &[Value]) -> usize {
    let kept = Kept::of(items);
    let (mut expected, mut messages) = (Entries::new(), 0);
    for ((space, kind, id), row) in &kept.rows {
        let mut lists = vec![format!("{kind}S")];
        match *kind {
            "MESSAGE" => {
                messages += 1;
                continue;
            }
            "DOCUMENT" => {
                lists
                    .extend(texts(row, "field_workspace_ids").iter().map(|workspace| format!("DOCUMENTS#{workspace}")));
                let is_ready = row["field_status"]["S"] == "\"ready\"";
                assert_eq!(kept.contents.contains(&(space.clone(), id)), is_ready, "the content of {id}");
            }
            _ => {}
        }
        let (tenant, name) = space.split_once('#').unwrap();
        for list in lists {
            let mut enter = |space: &str, owned_by: Option<&str>| {
                let partition = format!("TENANT#{tenant}#{space}#{list}");
                expected.entry(partition).or_default().insert((*id).to_owned(), owned_by.map(str::to_owned));
            };
            enter(name, None);
            enter("ALL", Some(name));
        }
    }
    check_shown(&kept);
    for (space, id) in &kept.contents {
        assert!(kept.rows.contains_key(&(space.clone(), "DOCUMENT", *id)), "the content of no document: {id}");
    }
    let of_messages = |partition: &str| partition.contains("#MESSAGES#");
    let (conversations, mut lists): (Entries, Entries) =
        kept.entries.clone().into_iter().partition(|(partition, _)| of_messages(partition));
    let none = Vec::<String>::new();
    assert_eq!(differing(&lists, &expected), none, "entries as found, and as the rows would have them");
    assert_eq!(conversations.values().map(BTreeMap::len).sum::<usize>(), messages, "each message is in one session");
    for (partition, entries) in conversations {
        let [_, tenant, space, _, session] = partition.split('#').collect::<Vec<_>>()[..] else {
            panic!("{partition}")
        };
        let space = format!("{tenant}#{space}");
        for id in entries.keys() {
            assert!(kept.rows.contains_key(&(space.clone(), "MESSAGE", id)), "an entry of no message: {id}");
            assert_eq!(kept.sessions[&(space.clone(), id.as_str())], session, "{id}");
        }
        if kept.rows.contains_key(&(space.clone(), "SESSION", session)) {
            lists.insert(partition, entries);
        } else {
            assert!(kept.remains.contains(&(space, session)), "messages that nobody will delete: {partition}");
        }
    }
    let counted = kept.counts.into_iter().filter(|(_, count)| *count != 0).collect::<BTreeMap<_, _>>();
    let lengths = lists.iter().map(|(partition, entries)| (partition.clone(), i64::try_from(entries.len()).unwrap()));
    assert_eq!(differing(&counted, &lengths.collect()), none, "counts as found, and how many entries there are");
    kept.rows.len()
}

/// Checks the entries that show a document: all of a workspace's do, no others, and they show what the document is.
fn check_shown(kept: &Kept<'_>) {
    let in_workspaces = kept.entries.iter().filter(|(partition, _)| partition.contains("#DOCUMENTS#"));
    assert_eq!(kept.shown.len(), in_workspaces.map(|(_, entries)| entries.len()).sum::<usize>());
    let fields = |item: &Value| -> Map<String, Value> {
        let fields = item.as_object().unwrap().clone().into_iter();
        fields.filter(|(name, _)| name.starts_with("field_")).collect()
    };
    for (space, entry) in &kept.shown {
        let (pk, id) = (entry["pk"]["S"].as_str().unwrap(), entry["sk"]["S"].as_str().unwrap());
        let tenant = pk.split('#').nth(1).unwrap();
        let row = kept.rows[&(format!("{tenant}#{space}"), "DOCUMENT", id)];
        assert_eq!(fields(entry), fields(row), "{pk} {id}");
    }
}

/// Where two maps differ: what is at that place in the one, and in the other.
fn differing<T: PartialEq + fmt::Debug>(one: &BTreeMap<String, T>, other: &BTreeMap<String, T>) -> Vec<String> {
    let places: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let differ = places.into_iter().filter(|place| one.get(*place) != other.get(*place));
    differ.map(|place| format!("{place}: {:?}, {:?}", one.get(place), other.get(place))).collect()
}

impl<'a> Kept<'a> {
    fn of(items: &'a [Value]) -> Self {
        let mut kept = Self::default();
        for item in items {
            let (pk, sk) = (item["pk"]["S"].as_str().unwrap(), item["sk"]["S"].as_str().unwrap());
            let parts: Vec<_> = pk.split('#').collect();
            let ["TENANT", tenant, space, list, rest @ ..] = &parts[..] else { continue };
            if !matches!(*space, "ALL" | "GLOBAL") && !space.starts_with("OF@") {
                continue;
            }
            let place = format!("{tenant}#{space}");
            match (rest, sk) {
                ([id], "CONTENT") => drop(kept.contents.insert((place, id))),
                ([id], "TOMBSTONE") => drop(kept.remains.insert((place, id))),
                // Which workspace is the default one: of one that is deleted it means nothing.
                // Nor what is stored under an idempotency key.
                (["DEFAULT"], "DEFAULT") | (_, "IDEMPOTENCY") => {}
                // Lists have the plural.
                ([] | [_], id) if !list.ends_with('S') => {
                    if let (&"SESSION", Some(count)) = (list, item.get("resource_count")) {
                        kept.counts.insert(format!("TENANT#{place}#MESSAGES#{id}"), number(count));
                    }
                    if let [session] = rest {
                        assert_eq!(*list, "MESSAGE");
                        kept.sessions.insert((place.clone(), id), session);
                    }
                    assert_eq!(item["field_id"]["S"].as_str().map(plain), Some(id.replace('-', "")), "{pk} {sk}");
                    kept.rows.insert((place, list, id), item);
                }
                _ if sk.starts_with("COUNT#") => {
                    let count = item.get("resource_count").map(number).unwrap_or_default();
                    assert!(count >= 0, "{pk} {sk}");
                    let counted = match pk.strip_suffix("#IN#COUNT") {
                        Some(documents) => format!("{documents}#{}", sk.strip_prefix("COUNT#").unwrap()),
                        None => pk.strip_suffix("#COUNT").unwrap().to_owned(),
                    };
                    *kept.counts.entry(counted).or_default() += count;
                }
                _ => {
                    let owned_by = item.get("owned_by").map(|space| space["S"].as_str().unwrap().to_owned());
                    if item.get("field_id").is_some() {
                        kept.shown.push((owned_by.clone().unwrap_or_else(|| (*space).to_owned()), item));
                    }
                    kept.entries.entry(pk.to_owned()).or_default().insert(sk.to_owned(), owned_by);
                }
            }
        }
        kept
    }
}

/// The digits of a row's id.
fn plain(id: &str) -> String {
    id.trim_matches('"').trim_start_matches("exec_").replace('-', "")
}

fn number(value: &Value) -> i64 {
    value["N"].as_str().unwrap().parse().unwrap()
}

/// A field of a row that is a list of texts.
fn texts(row: &Value, field: &str) -> Vec<String> {
    serde_json::from_str(row[field]["S"].as_str().unwrap()).unwrap()
}

impl Deployment {
    /// Checks every row of the deployment, as [`check_rows`].
    pub async fn check_rows(&self) -> usize {
        check_rows(&self.items_but_events().await)
    }

    /// One run of the reconciler, after which nothing that has this id in its key is left.
    async fn check_gone(&self, id: &str) {
        self.stack.invoke("reconcile", scheduled_event(), Invocation::default()).await.unwrap();
        for item in self.items_but_events().await {
            let of_it = [&item["pk"]["S"], &item["sk"]["S"]].iter().any(|part| part.as_str().unwrap().contains(id));
            // What is left of a list is that nothing is in it.
            let is_zero = item["resource_count"]["N"] == "0" && item.as_object().unwrap().len() == 3;
            assert!(!of_it || is_zero, "{item}");
        }
    }
}

/// A deployment, and an account key.
async fn start() -> (Deployment, ApiKey) {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "account").await;
    (deployment, key)
}

/// Makes a row for an end user; its id.
async fn made(deployment: &Deployment, key: &ApiKey, path: &str, body: &Value) -> String {
    let answer = deployment.account_for(key, "ada", "POST", path).json(body).send().await;
    answer.document(201)["id"].as_str().unwrap().to_owned()
}

/// Lets one call to AWS of a request wait until something else is done.
async fn overtaken<T>(deployment: &Deployment, held: Match, request: Call, between: impl Future<Output = T>) -> Answer {
    let held = deployment.stack.faults().hold(held);
    let mut answer = tokio::spawn(request.send());
    tokio::select! {
        () = held.reached() => {}
        answer = &mut answer => panic!("it made no such call: {}", answer.unwrap().text),
    }
    between.await;
    held.release();
    answer.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_32_changes_of_one_session_at_once_none_is_lost() {
    let (deployment, key) = start().await;
    let id = made(&deployment, &key, SESSIONS, &json!({})).await;
    let path = format!("{SESSIONS}/{id}");
    let change = |number: usize| {
        let text = format!("number {number}");
        let (field, value) = match number % 6 {
            0 => ("title", json!(text)),
            1 => ("assistant_id", json!(text)),
            2 => ("model_name", json!(text)),
            3 => ("initial_system_prompt", json!(text)),
            4 => ("tool_ids", json!([text])),
            _ => ("status", json!("completed")),
        };
        (field, value)
    };
    let patch = |number: usize| {
        let (field, value) = change(number);
        deployment.account_for(&key, "ada", "PATCH", &path).json(&json!({ field: value }))
    };
    let mark = deployment.stack.mark();
    let answers = at_once((0..32).map(patch)).await;
    let calls = deployment.stack.calls_since(mark).into_iter().filter_map(|call| call.caller);
    assert!(calls.map(|caller| caller.instance).collect::<BTreeSet<_>>().len() > 2, "several processes");
    let mut written: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (number, answer) in answers.iter().enumerate() {
        let (field, value) = change(number);
        assert_eq!(answer.document(200)[field], value, "each is answered with what it wrote");
        written.entry(field).or_default().push(value);
    }
    let session = deployment.account_for(&key, "ada", "GET", &path).send().await.document(200).clone();
    for (field, values) in &written {
        assert!(values.contains(&session[field]), "{field}: {}", session[field]);
    }

    // And if each of them has read the session before any of them writes.
    let held = deployment.stack.faults().hold(Match::any().function("agent-session").operation("UpdateItem"));
    let release = async {
        held.reached_by(6).await;
        held.release();
    };
    let (answers, ()) = tokio::join!(at_once((60..66).map(patch)), release);
    let session = deployment.account_for(&key, "ada", "GET", &path).send().await.document(200).clone();
    for (number, answer) in (60..66).zip(answers) {
        let (field, value) = change(number);
        assert_eq!((&answer.document(200)[field], &session[field]), (&value, &value));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_deleted_is_not_brought_back_by_a_change_that_was_under_way() {
    let (deployment, key) = start().await;
    let call = |method: &str, path: &str| deployment.account_for(&key, "ada", method, path);
    for (path, function, body, patch, together) in [
        (SESSIONS, "agent-session", json!({}), json!({ "title": "Support" }), json!({ "status": "completed" })),
        (WORKSPACES, "workspace", json!({ "name": "a" }), json!({ "name": "b" }), json!({ "is_default": true })),
    ] {
        for round in 0..4 {
            let id = made(&deployment, &key, path, &body).await;
            let path = format!("{path}/{id}");
            let change = || call("PATCH", &path).json(if round % 2 == 0 { &patch } else { &together });
            if round == 0 {
                let writes = Match::any().function(function).operation("UpdateItem");
                let delete = deleted(call("DELETE", &path));
                overtaken(&deployment, writes, change(), delete).await.refused(404, "not_found");
            } else {
                let calls = (0..8).map(|number| if number == 2 * round { call("DELETE", &path) } else { change() });
                for (number, answer) in at_once(calls).await.iter().enumerate() {
                    if number == 2 * round {
                        assert_eq!(*answer.document(200), json!({ "deleted": true }));
                    } else if answer.status != 200 {
                        answer.refused(404, "not_found");
                    }
                }
            }
            call("GET", &path).send().await.refused(404, "not_found");
            deployment.check_gone(&id).await;
            assert_eq!(deployment.check_rows().await, 0);
        }
    }
}

/// Deletes a row that is there.
async fn deleted(call: Call) {
    assert_eq!(*call.send().await.document(200), json!({ "deleted": true }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_ends_that_are_reported_at_once_one_is_the_end() {
    let (deployment, key) = start().await;
    let path = "/api/v1/tools/web_search/execute";
    let answer = deployment.account_for(&key, "ada", "POST", path).json(&json!({})).send().await;
    let path = format!("{EXECUTIONS}/{}", answer.document(202)["execution_id"].as_str().unwrap());
    let report = |status: &str| {
        let body = json!({ "status": status, "outputs": { "by": status } });
        deployment.account(&key, "PATCH", &path).json(&body)
    };
    let held = deployment.stack.faults().hold(Match::any().function("tool-execution").operation("UpdateItem"));
    let release = async {
        held.reached_by(2).await;
        held.release();
    };
    let (answers, ()) = tokio::join!(at_once(["completed", "failed"].map(report)), release);
    let execution = deployment.account(&key, "GET", &path).send().await.document(200).clone();
    let (won, lost) = if answers[0].status == 200 { (&answers[0], &answers[1]) } else { (&answers[1], &answers[0]) };
    lost.refused(409, "execution_finished");
    assert_eq!(*won.document(200), execution);
    assert_eq!(execution["outputs"]["by"], execution["status"]);

    let again = at_once((0..16).map(|_| report(execution["status"].as_str().unwrap()))).await;
    assert!(
        again.iter().all(|answer| *answer.document(200) == execution),
        "a report that is made again changes nothing"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_viewers_total_is_exact_after_many_users_made_and_deleted_rows_at_once() {
    let (deployment, key) = start().await;
    let viewers: Vec<_> = (0..5).map(|number| Some(format!("user {number}"))).chain([None]).collect();
    let call = |viewer: &Option<String>, method: &str, path: &str| match viewer {
        Some(user) => deployment.account_for(&key, user, method, path),
        None => deployment.account(&key, method, path),
    };
    let shared = made_by_account(&deployment, &key).await;
    let kinds = [
        (SESSIONS, json!({})),
        (WORKSPACES, json!({ "name": "Contracts" })),
        (DOCUMENTS, json!({ "name": "Handbook", "workspace_ids": [shared], "markdown_content": "# Handbook" })),
    ];
    // Rows by viewer and kind.
    let mut there: Vec<Vec<BTreeSet<String>>> = vec![vec![BTreeSet::new(); kinds.len()]; viewers.len()];
    there.last_mut().unwrap()[1].insert(shared.clone());
    for _ in 0..2 {
        let (mut calls, mut places) = (Vec::new(), Vec::new());
        for (place, viewer) in viewers.iter().enumerate() {
            for (kind, (path, body)) in kinds.iter().enumerate() {
                calls.extend((0..4).map(|_| call(viewer, "POST", path).json(body)));
                places.extend((0..4).map(|_| (place, kind, None)));
                let old = there[place][kind].iter().filter(|id| **id != shared).take(3).cloned();
                for id in old.collect::<Vec<_>>() {
                    calls.push(call(viewer, "DELETE", &format!("{path}/{id}")));
                    there[place][kind].remove(&id);
                    places.push((place, kind, Some(id)));
                }
            }
        }
        // More at once only wait for each other: a function has sixteen processes at most.
        let mut answers = Vec::new();
        for calls in calls.chunks(8) {
            answers.extend(at_once(calls.to_vec()).await);
        }
        for ((place, kind, deleted), answer) in places.iter().zip(answers) {
            if deleted.is_some() {
                assert_eq!(*answer.document(200), json!({ "deleted": true }));
            } else {
                there[*place][*kind].insert(answer.document(201)["id"].as_str().unwrap().to_owned());
            }
        }
        assert_eq!(deployment.check_rows().await, there.iter().flatten().map(BTreeSet::len).sum::<usize>());
        for (place, viewer) in viewers.iter().enumerate() {
            for (kind, (path, _)) in kinds.iter().enumerate() {
                let sees =
                    |owner: usize| viewer.is_none() || owner == place || (kind > 0 && owner == viewers.len() - 1);
                let seen = (0..viewers.len()).filter(|owner| sees(*owner)).flat_map(|owner| &there[owner][kind]);
                let seen: Vec<_> = seen.collect::<BTreeSet<_>>().into_iter().rev().collect();
                let answer = call(viewer, "GET", &format!("{path}?limit=100")).send().await;
                let listed = answer.document(200)["items"].as_array().unwrap().iter().map(|row| row["id"].as_str());
                assert!(listed.eq(seen.iter().map(|id| Some(id.as_str()))), "{viewer:?} {path}: {}", answer.text);
                assert_eq!(answer.body["total"], seen.len());
            }
            let answer = call(viewer, "GET", &format!("{WORKSPACES}/{shared}")).send().await;
            let documents = call(viewer, "GET", DOCUMENTS).send().await;
            assert_eq!(answer.document(200)["document_count"], documents.body["total"]);
        }
    }
}

async fn made_by_account(deployment: &Deployment, key: &ApiKey) -> String {
    let answer = deployment.account(key, "POST", WORKSPACES).json(&json!({ "name": "Shared" })).send().await;
    answer.document(201)["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_deletions_at_once_one_did_it_and_it_is_counted_once() {
    let (deployment, key) = start().await;
    let workspace = made(&deployment, &key, WORKSPACES, &json!({ "name": "Contracts" })).await;
    let document = json!({ "name": "Handbook", "workspace_ids": [workspace], "markdown_content": "# Handbook" });
    for (path, function, body) in [
        (SESSIONS, "agent-session", json!({})),
        (DOCUMENTS, "document", document),
        (WORKSPACES, "workspace", json!({ "name": "Invoices" })),
    ] {
        let total = async || {
            let answer = deployment.account_for(&key, "ada", "GET", path).send().await;
            answer.document(200)["total"].as_u64().unwrap()
        };
        made(&deployment, &key, path, &body).await;
        let before = total().await;
        let id = made(&deployment, &key, path, &body).await;
        let delete = || deployment.account_for(&key, "ada", "DELETE", &format!("{path}/{id}"));
        // Both have seen the row when they delete it.
        let writes = Match::any().function(function).operation("TransactWriteItems");
        let held = deployment.stack.faults().hold(writes);
        let release = async {
            held.reached_by(2).await;
            held.release();
        };
        let (mut answers, ()) = tokio::join!(at_once([delete(), delete()]), release);
        answers.sort_by_key(|answer| answer.status);
        assert_eq!(*answers[0].document(200), json!({ "deleted": true }));
        answers[1].refused(404, "not_found");
        assert_eq!(total().await, before, "{path}");
        deployment.check_rows().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_outlives_its_session() {
    let (deployment, key) = start().await;
    for round in 0..4 {
        let id = made(&deployment, &key, SESSIONS, &json!({})).await;
        let (session, messages) = (format!("{SESSIONS}/{id}"), format!("{SESSIONS}/{id}/messages"));
        let delete = || deployment.account_for(&key, "ada", "DELETE", &session);
        let say = || {
            let body = json!({ "role": "user", "content": "Where is my order?" });
            deployment.account_for(&key, "ada", "POST", &messages).json(&body)
        };
        let mut said = vec![say().send().await.document(201)["id"].as_str().unwrap().to_owned()];
        if round == 0 {
            let writes = Match::any().function("agent-session-messages").operation("TransactWriteItems");
            overtaken(&deployment, writes, say(), deleted(delete())).await.refused(404, "not_found");
        } else {
            let calls = (0..10).map(|number| if number == 3 * round { delete() } else { say() });
            for (number, answer) in at_once(calls).await.iter().enumerate() {
                if number == 3 * round {
                    assert_eq!(*answer.document(200), json!({ "deleted": true }));
                } else if answer.status == 201 {
                    said.push(answer.body["id"].as_str().unwrap().to_owned());
                } else {
                    answer.refused(404, "not_found");
                }
            }
        }
        for method in ["GET", "POST"] {
            let call = deployment.account_for(&key, "ada", method, &messages);
            let call = if method == "POST" { call.json(&json!({ "role": "user", "content": "?" })) } else { call };
            call.send().await.refused(404, "not_found");
        }
        deployment.check_rows().await;
        for id in [&id].into_iter().chain(&said) {
            deployment.check_gone(id).await;
        }
        assert_eq!(deployment.check_rows().await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_is_put_into_a_workspace_while_that_is_deleted_is_refused_or_goes_on_without_it() {
    let (deployment, key) = start().await;
    for round in 0..4 {
        let workspace = made(&deployment, &key, WORKSPACES, &json!({ "name": "Contracts" })).await;
        let path = format!("{WORKSPACES}/{workspace}");
        let delete = || deployment.account_for(&key, "ada", "DELETE", &path);
        let store = || {
            let body = json!({ "name": "Handbook", "workspace_ids": [workspace] });
            deployment.account_for(&key, "ada", "POST", DOCUMENTS).json(&body)
        };
        let mut stored = vec![store().send().await];
        if round == 0 {
            let writes = Match::any().function("documents").operation("TransactWriteItems");
            let answer = overtaken(&deployment, writes, store(), deleted(delete())).await;
            answer.invalid("body", "workspace_ids");
        } else {
            let calls = (0..10).map(|number| if number == 3 * round { delete() } else { store() });
            let mut answers = at_once(calls).await;
            assert_eq!(*answers.remove(3 * round).document(200), json!({ "deleted": true }));
            stored.append(&mut answers);
        }
        deployment.account_for(&key, "ada", "GET", &path).send().await.refused(404, "not_found");
        deployment.check_rows().await;
        for answer in stored {
            if answer.status != 201 {
                answer.invalid("body", "workspace_ids");
                continue;
            }
            let document = format!("{DOCUMENTS}/{}", answer.body["id"].as_str().unwrap());
            let call = |method: &str| deployment.account_for(&key, "ada", method, &document);
            assert_eq!(call("GET").send().await.document(200)["workspace_ids"], json!([]));
            deleted(call("DELETE")).await;
        }
        deployment.check_gone(&workspace).await;
        assert_eq!(deployment.check_rows().await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_that_are_made_the_default_at_once_one_is() {
    let (deployment, key) = start().await;
    let body = json!({ "name": "Contracts", "is_default": true });
    let calls = (0..12).map(|number| {
        let user = if number % 2 == 0 { "ada" } else { "grace" };
        deployment.account_for(&key, user, "POST", WORKSPACES).json(&body)
    });
    for answer in at_once(calls).await {
        answer.document(201);
    }
    for user in ["ada", "grace"] {
        let answer = deployment.account_for(&key, user, "GET", WORKSPACES).send().await;
        let items = answer.document(200)["items"].as_array().unwrap();
        let defaults = items.iter().filter(|workspace| workspace["is_default"] == true);
        assert_eq!((items.len(), defaults.count()), (6, 1));
    }
}

/// So that the checks above can be trusted: each finds what is wrong by one item.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_count_an_entry_or_a_row_too_many_or_too_few_is_noticed() {
    let (deployment, key) = start().await;
    let workspace = made(&deployment, &key, WORKSPACES, &json!({ "name": "Contracts" })).await;
    let body = json!({ "name": "Handbook", "workspace_ids": [workspace], "markdown_content": "# Handbook" });
    made(&deployment, &key, DOCUMENTS, &body).await;
    let session = made(&deployment, &key, SESSIONS, &json!({})).await;
    let message = json!({ "role": "user", "content": "?" });
    let path = format!("{SESSIONS}/{session}/messages");
    deployment.account_for(&key, "ada", "POST", &path).json(&message).send().await.document(201);
    let items = deployment.items_but_events().await;
    assert_eq!(check_rows(&items), 4);
    let of_rows =
        |item: &Value| item["pk"]["S"].as_str().unwrap().split('#').nth(2).is_some_and(|space| space != "KEY");
    let mut checked = 0;
    for (place, item) in items.iter().enumerate().filter(|(_, item)| of_rows(item)) {
        let mut without = items.clone();
        without.remove(place);
        let mut miscounted = items.clone();
        if let Some(count) =
            miscounted[place].as_object_mut().and_then(|item: &mut Map<_, _>| item.get_mut("resource_count"))
        {
            count["N"] = json!((number(count) + 1).to_string());
            assert!(std::panic::catch_unwind(|| check_rows(&miscounted)).is_err(), "{item}");
        }
        assert!(std::panic::catch_unwind(|| check_rows(&without)).is_err(), "{item}");
        checked += 1;
    }
    // Four rows, a content, entries and counts of three lists and of the workspace's, twice each, and a message's
    // entry.
    assert_eq!(checked, 4 + 1 + 8 + 8 + 1);
}
