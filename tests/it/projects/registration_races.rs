//! Registrations at once: an external id belongs to one organization or user, no change is lost, and what is stored
//! under uuid and external id is the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use shared::domain::ExternalId;
use stack::Match;

use crate::support::{Answer, ApiKey, Deployment, ROLE, at_once, with};

const REGISTER_ORGANIZATION: &str = "/v1/api/projects/register-organization";
const REGISTER_USER: &str = "/v1/api/projects/register-user";

/// What two rows of one organization or user may differ in: the key, and the place in the list.
const OWN: [&str; 4] = ["pk", "sk", "tenant_listing", "listing_order"];

/// Checks every organization and user of a deployment: it has one item under its uuid, one under its external id if it
/// has one and none under another, and they agree attribute by attribute. Their attributes, by uuid.
pub async fn entries(deployment: &Deployment, sort_key: &str) -> BTreeMap<String, Map<String, Value>> {
    entries_of(&deployment.items().await, sort_key)
}

/// The same, of items that were read already.
pub fn entries_of(items: &[Value], sort_key: &str) -> BTreeMap<String, Map<String, Value>> {
    let mut by_uuid = BTreeMap::new();
    let mut copies = 0;
    let entries: Vec<_> = items.iter().filter(|item| item["sk"]["S"] == sort_key).collect();
    for entry in &entries {
        let (tenant, place) = split(entry["pk"]["S"].as_str().unwrap());
        let uuid = entry["details"]["M"]["record_id"]["S"].as_str().unwrap();
        if place != format!("{sort_key}#{uuid}") {
            continue;
        }
        let whole = attributes(entry);
        assert_eq!(entry["tenant_listing"]["S"], format!("TENANT#{tenant}#{sort_key}"), "{uuid} is in no list");
        if let Some(external_id) = entry["details"]["M"]["external_id"]["S"].as_str() {
            let digest = ExternalId::parse(external_id).unwrap().digest();
            let pk = format!("TENANT#{tenant}#{sort_key}@{digest}");
            let copy = entries.iter().find(|item| item["pk"]["S"] == pk.as_str()).unwrap();
            assert_eq!(attributes(copy), whole, "the rows of {uuid}");
            assert!(copy.get("tenant_listing").is_none(), "a list has each once");
            copies += 1;
        }
        by_uuid.insert(uuid.to_owned(), whole);
    }
    assert_eq!(entries.len(), by_uuid.len() + copies, "an item under an external id that nobody has");
    by_uuid
}

fn split(pk: &str) -> (&str, &str) {
    pk.strip_prefix("TENANT#").unwrap().split_once('#').unwrap()
}

fn attributes(item: &Value) -> Map<String, Value> {
    let record = item["details"]["M"].as_object().unwrap().iter();
    let item = item.as_object().unwrap().iter().filter(|(name, _)| *name != "details" && !OWN.contains(&name.as_str()));
    item.chain(record).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A deployment, and a key that registers.
async fn start() -> (Deployment, ApiKey) {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    (deployment, key)
}

/// Registers all at once.
async fn all(
    deployment: &Deployment,
    key: &ApiKey,
    path: &str,
    bodies: impl IntoIterator<Item = Value>,
) -> Vec<Answer> {
    let common = json!({ "projectId": key.tenant.project_id() });
    let calls = bodies.into_iter().map(|body| deployment.backend(key, "POST", path).json(&with(&common, &body)));
    at_once(calls).await
}

fn uuid(answer: &Answer, field: &str) -> String {
    answer.data(200)[field].as_str().unwrap().to_owned()
}

/// A user's fields, in an organization.
fn user(organization: &str, fields: &Value) -> Value {
    let defaults =
        json!({ "name": "ada", "userRoleId": ROLE, "properties": {}, "projectOrganizationId": organization });
    with(&defaults, fields)
}

#[tokio::test]
async fn eight_first_registrations_of_one_external_id_are_one_organization_or_user() {
    let (deployment, key) = start().await;
    let organization = json!({ "name": "Acme", "externalId": "acme" });
    let answers = all(&deployment, &key, REGISTER_ORGANIZATION, vec![organization; 8]).await;
    let told: BTreeSet<_> = answers.iter().map(|answer| uuid(answer, "projectOrganizationId")).collect();
    assert_eq!((told.len(), entries(&deployment, "ORG").await.into_keys().collect()), (1, told));

    let answers = all(&deployment, &key, REGISTER_USER, vec![user("acme", &json!({ "externalId": "ada" })); 8]).await;
    let told: BTreeSet<_> = answers.iter().map(|answer| uuid(answer, "userId")).collect();
    assert_eq!((told.len(), entries(&deployment, "USER").await.into_keys().collect()), (1, told));
}

/// Of more than a few changes at once some are told to try again, and have changed nothing.
#[tokio::test]
async fn changes_at_once_are_counted_each_and_the_last_one_stays_whole() {
    let (deployment, key) = start().await;
    deployment.member(&key, "acme", "ada").await;
    for round in 0..3 {
        let before = [entries(&deployment, "ORG").await, entries(&deployment, "USER").await];
        let name = |n: i32| format!("round {round}, change {n}");
        let organizations =
            (0..8).map(|n| json!({ "name": name(n), "externalId": "acme", "properties": { "n": name(n) } }));
        let users = (0..8)
            .map(|n| user("acme", &json!({ "name": name(n), "externalId": "ada", "properties": { "n": name(n) } })));
        let (organizations, users) = tokio::join!(
            all(&deployment, &key, REGISTER_ORGANIZATION, organizations),
            all(&deployment, &key, REGISTER_USER, users)
        );
        for ((answers, sort_key), before) in [(organizations, "ORG"), (users, "USER")].into_iter().zip(before) {
            let mut names = BTreeSet::new();
            for (n, answer) in (0..8).zip(&answers) {
                if answer.status == 200 {
                    names.insert(name(n));
                } else {
                    answer.refused(409, "stale_update");
                }
            }
            let after = entries(&deployment, sort_key).await;
            assert_eq!(after.len(), 1);
            let (before, after) = (before.values().next().unwrap(), after.values().next().unwrap());
            let revision = |row: &Map<String, Value>| row["revision"]["N"].as_str().unwrap().parse::<usize>().unwrap();
            assert_eq!(revision(after), revision(before) + names.len(), "{sort_key}");
            let last = after["display_name"]["S"].as_str().unwrap();
            assert!(names.contains(last), "{last}");
            assert_eq!(
                after["properties"]["S"],
                json!({ "n": last }).to_string(),
                "half of one change and half of another"
            );
        }
    }
}

#[tokio::test]
async fn of_two_that_take_one_external_id_at_once_one_gets_it() {
    let (deployment, key) = start().await;
    for round in 0..5 {
        let external_id = format!("wanted {round}");
        let mut ids = Vec::new();
        for name in ["one", "other"] {
            let answer = deployment.register_organization(&key, &json!({ "name": name })).await;
            ids.push(uuid(&answer, "projectOrganizationId"));
        }
        let writes = Match::any().function("register-organization").operation("TransactWriteItems");
        let held = deployment.stack.faults().hold(writes);
        let wishes = ids.iter().map(|id| json!({ "name": "n", "organizationId": id, "externalId": external_id }));
        let release = async {
            held.reached_by(2).await;
            held.release();
        };
        let (answers, ()) = tokio::join!(all(&deployment, &key, REGISTER_ORGANIZATION, wishes), release);
        one_got_it(&deployment, "ORG", &external_id, &ids, &answers).await;

        let organization = ids[0].clone();
        let mut ids = Vec::new();
        for name in ["one", "other"] {
            let fields = json!({ "name": name, "projectOrganizationId": organization });
            ids.push(uuid(&deployment.register_user(&key, &fields).await, "userId"));
        }
        let held =
            deployment.stack.faults().hold(Match::any().function("register-user").operation("TransactWriteItems"));
        let wishes =
            ids.iter().map(|id| user(&organization, &json!({ "name": "n", "userId": id, "externalId": external_id })));
        let release = async {
            held.reached_by(2).await;
            held.release();
        };
        let (answers, ()) = tokio::join!(all(&deployment, &key, REGISTER_USER, wishes), release);
        one_got_it(&deployment, "USER", &external_id, &ids, &answers).await;
    }
}

/// One was answered 200 and has the external id; the other was refused and has none.
async fn one_got_it(deployment: &Deployment, sort_key: &str, external_id: &str, ids: &[String], answers: &[Answer]) {
    let entries = entries(deployment, sort_key).await;
    let mut winners = 0;
    for (id, answer) in ids.iter().zip(answers) {
        if answer.status == 200 {
            assert_eq!(entries[id]["external_id"]["S"], external_id);
            winners += 1;
        } else {
            answer.refused(409, "external_id_taken");
            assert!(!entries[id].contains_key("external_id"), "{id}");
        }
    }
    assert_eq!(winners, 1);
}

#[tokio::test]
async fn a_new_user_that_meets_another_of_its_external_id_becomes_a_change_of_it_or_is_refused() {
    let (deployment, key) = start().await;
    let organization = deployment.member(&key, "acme", "first").await.organization_id;
    for round in 0..5 {
        let chosen = format!("00000000-0000-4000-8000-{round:012}");
        let external_id = format!("ada {round}");
        let held =
            deployment.stack.faults().hold(Match::any().function("register-user").operation("TransactWriteItems"));
        let bodies = [
            user(&organization, &json!({ "name": "one", "userId": chosen, "externalId": external_id })),
            user(&organization, &json!({ "name": "other", "externalId": external_id })),
        ];
        let release = async {
            held.reached_by(2).await;
            held.release();
        };
        let (answers, ()) = tokio::join!(all(&deployment, &key, REGISTER_USER, bodies), release);
        let of_it = entries(&deployment, "USER").await;
        let of_it: Vec<_> = of_it.into_iter().filter(|(_, row)| row["external_id"]["S"] == external_id).collect();
        assert_eq!(of_it.len(), 1, "never two users with one external id");
        let (id, row) = &of_it[0];
        assert_eq!(&uuid(&answers[1], "userId"), id);
        if *id == chosen {
            // The one that chose a uuid came first, and the other changed it.
            answers[0].data(200);
            assert_eq!(row["display_name"]["S"], "other");
        } else {
            answers[0].refused(409, "external_id_taken");
        }
    }
}

#[tokio::test]
async fn a_uuid_that_two_choose_at_once_is_one_user() {
    let (deployment, key) = start().await;
    let organization = deployment.member(&key, "acme", "first").await.organization_id;
    let chosen = "00000000-0000-4000-8000-000000000001";
    let bodies = (0..4).map(|n| user(&organization, &json!({ "userId": chosen, "externalId": format!("ada {n}") })));
    let answers = all(&deployment, &key, REGISTER_USER, bodies).await;
    for answer in answers {
        if answer.status != 200 {
            answer.refused(409, "stale_update");
        }
    }
    let users = entries(&deployment, "USER").await;
    assert_eq!(users.len(), 2);
    assert!(users.contains_key(chosen));
}

/// The item under a new external id is made from what was read before: what happened in between must be in it.
#[tokio::test]
async fn a_revocation_in_the_middle_of_a_change_of_external_id_is_not_undone() {
    let (deployment, key) = start().await;
    let member = deployment.member(&key, "acme", "ada").await;
    let token = deployment.token(&key, &member).await;
    let cases = [
        (
            REGISTER_USER,
            user(&member.organization_id, &json!({ "userId": member.user_id, "externalId": "lovelace" })),
            json!({ "user_id": member.user_id }),
        ),
        (
            REGISTER_ORGANIZATION,
            json!({ "name": "acme", "organizationId": member.organization_id, "externalId": "acme inc." }),
            json!({ "organization_id": member.organization_id }),
        ),
    ];
    for (path, body, whose) in cases {
        let function = path.rsplit_once('/').unwrap().1;
        let writes = Match::any().function(function).operation("TransactWriteItems");
        let held = deployment.stack.faults().hold(writes);
        let overtake = async {
            held.reached().await;
            deployment.revoke_tokens(&key.tenant, &whose).await.data(200);
            held.release();
        };
        let (answers, ()) = tokio::join!(all(&deployment, &key, path, [body]), overtake);
        answers[0].data(200);
        for sort_key in ["ORG", "USER"] {
            entries(&deployment, sort_key).await;
        }
        assert!(!deployment.is_active(&key, &token).await);
    }
    // Under its new names the user is given tokens that are valid: they know of both revocations.
    let answer = deployment.user_token(&key, &json!({ "userId": "lovelace", "organizationId": "acme inc." })).await;
    assert!(deployment.is_active(&key, answer.data(200)["token"].as_str().unwrap()).await);
}

#[tokio::test]
async fn a_user_that_changes_or_appears_in_the_middle_of_a_revocation_does_not_escape_it() {
    let (deployment, key) = start().await;
    let member = deployment.member(&key, "acme", "ada").await;
    let hold =
        || deployment.stack.faults().hold(Match::any().function("revoke-tokens").operation("TransactWriteItems"));

    // It is called something else when the revocation, which has read it already, is written.
    let token = deployment.token(&key, &member).await;
    let held = hold();
    let overtake = async {
        held.reached().await;
        let fields = json!({ "userId": member.user_id, "externalId": "lovelace" });
        all(&deployment, &key, REGISTER_USER, [user(&member.organization_id, &fields)]).await[0].data(200);
        held.release();
    };
    let whose = json!({ "user_id": member.user_id });
    let (answer, ()) = tokio::join!(deployment.revoke_tokens(&key.tenant, &whose), overtake);
    answer.data(200);
    entries(&deployment, "USER").await;
    assert!(!deployment.is_active(&key, &token).await);

    // Nobody was registered under the external id when it was read.
    let held = hold();
    let overtake = async {
        held.reached().await;
        let member = deployment.member(&key, "acme", "grace").await;
        let token = deployment.token(&key, &member).await;
        held.release();
        token
    };
    let whose = json!({ "external_user_id": "grace" });
    let (answer, token) = tokio::join!(deployment.revoke_tokens(&key.tenant, &whose), overtake);
    answer.data(200);
    entries(&deployment, "USER").await;
    assert!(!deployment.is_active(&key, &token).await);
}

#[tokio::test]
async fn a_user_keeps_the_day_of_its_last_token_under_a_new_external_id() {
    let (deployment, key) = start().await;
    let member = deployment.member(&key, "acme", "ada").await;
    deployment.token(&key, &member).await;
    let body = user(&member.organization_id, &json!({ "userId": member.user_id, "externalId": "lovelace" }));
    all(&deployment, &key, REGISTER_USER, [body]).await[0].data(200);
    let users = entries(&deployment, "USER").await;
    assert!(users[&member.user_id].contains_key("last_token_on"));
    // So the day is not noted again at each login.
    let body = json!({ "userId": "lovelace", "organizationId": "acme" });
    let call = deployment.backend(&key, "POST", "/v1/api/projects/user-token").json(&body);
    let (answer, calls) = deployment.calls_of(call).await;
    answer.data(200);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["BatchGetItem"]);
}
