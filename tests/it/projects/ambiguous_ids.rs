//! One text never means two organizations or users: neither by what is registered, in any order or at once, nor by what
//! is stored all the same.

use serde_json::{Value, json};
use shared::domain::ExternalId;
use stack::Match;

use crate::support::{Answer, ApiKey, Deployment, ROLE, World, with};

const THEIRS: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

/// One of the two kinds of parties.
#[derive(Clone, Copy)]
struct Party {
    path: &'static str,
    function: &'static str,
    /// The field of the uuid.
    id: &'static str,
    sort_key: &'static str,
}

const PARTIES: [Party; 2] = [
    Party {
        path: "/v1/api/projects/register-organization",
        function: "register-organization",
        id: "organizationId",
        sort_key: "ORG",
    },
    Party { path: "/v1/api/projects/register-user", function: "register-user", id: "userId", sort_key: "USER" },
];

impl Party {
    async fn register(self, deployment: &Deployment, key: &ApiKey, fields: Value) -> Answer {
        let common = json!({ "name": "n", "projectId": key.tenant.project_id(), "properties": {} });
        let own = match self.sort_key {
            "USER" => json!({ "projectOrganizationId": "acme", "userRoleId": ROLE }),
            _ => json!({}),
        };
        let body = with(&with(&common, &own), &fields);
        deployment.backend(key, "POST", self.path).json(&body).send().await
    }
}

fn spellings(uuid: &str) -> [String; 3] {
    let mixed = uuid.char_indices().map(|(n, c)| if n % 2 == 0 { c.to_ascii_uppercase() } else { c }).collect();
    [uuid.to_owned(), uuid.to_uppercase(), mixed]
}

#[tokio::test]
async fn an_external_id_is_nobody_elses_uuid_in_any_spelling() {
    let deployment = Deployment::start().await;
    let World { key, .. } = deployment.world().await;
    for party in PARTIES {
        party.register(&deployment, &key, json!({ party.id: THEIRS })).await.data(200);
        let before = deployment.items().await;
        for external_id in spellings(THEIRS) {
            let answer = party.register(&deployment, &key, json!({ "externalId": external_id })).await;
            answer.refused(409, "ambiguous_id");
            let ours = "11111111-0000-4000-8000-000000000000";
            let answer = party.register(&deployment, &key, json!({ "externalId": external_id, party.id: ours })).await;
            answer.refused(409, "ambiguous_id");
        }
        assert_eq!(deployment.items().await, before, "{}", party.function);
        // Nor by a change of one that is registered already.
        party.register(&deployment, &key, json!({ party.id: "22222222-0000-4000-8000-000000000000" })).await.data(200);
        let fields = json!({ party.id: "22222222-0000-4000-8000-000000000000", "externalId": THEIRS });
        party.register(&deployment, &key, fields).await.refused(409, "ambiguous_id");
    }
}

#[tokio::test]
async fn a_chosen_uuid_is_nobody_elses_external_id_in_any_spelling() {
    let deployment = Deployment::start().await;
    let World { key, .. } = deployment.world().await;
    for party in PARTIES {
        for (n, external_id) in spellings(THEIRS).into_iter().enumerate() {
            let ours = format!("33333333-0000-4000-8000-00000000000{n}");
            party.register(&deployment, &key, json!({ party.id: ours, "externalId": external_id })).await.data(200);
            let before = deployment.items().await;
            let answer = party.register(&deployment, &key, json!({ party.id: THEIRS })).await;
            answer.refused(409, "ambiguous_id");
            // A third party can't have the same uuid in another spelling, either.
            let answer = party.register(&deployment, &key, json!({ "externalId": THEIRS.to_uppercase() })).await;
            if external_id == THEIRS.to_uppercase() {
                answer.data(200);
            } else {
                answer.refused(409, "ambiguous_id");
            }
            assert_eq!(deployment.items().await.len(), before.len());
            // Once it is given up, it is free.
            party.register(&deployment, &key, json!({ party.id: ours, "externalId": format!("x{n}") })).await.data(200);
        }
        party.register(&deployment, &key, json!({ party.id: THEIRS })).await.data(200);
    }
}

#[tokio::test]
async fn ones_own_uuid_may_be_ones_external_id() {
    let deployment = Deployment::start().await;
    let World { key, member, .. } = deployment.world().await;
    for party in PARTIES {
        let both = json!({ party.id: THEIRS, "externalId": THEIRS });
        party.register(&deployment, &key, both.clone()).await.data(200);
        party.register(&deployment, &key, with(&both, &json!({ "name": "other" }))).await.data(200);
    }
    let token = deployment.user_token(&key, &json!({ "userId": THEIRS })).await;
    assert!(token.data(200)["token"].is_string());
    let own = json!({ "userId": member.user_id, "externalId": member.user_id });
    PARTIES[1].register(&deployment, &key, own).await.data(200);
    deployment.user_token(&key, &json!({ "userId": member.user_id.to_uppercase() })).await.data(200);
}

/// Both are let go at once, again and again: one of them is refused each time, and nothing of it is stored.
#[tokio::test]
async fn of_two_at_once_that_would_make_a_text_ambiguous_one_is_refused() {
    let deployment = Deployment::start().await;
    let World { key, .. } = deployment.world().await;
    for party in PARTIES {
        for round in 0..4 {
            let uuid = format!("44444444-0000-4000-8000-00000000000{round}");
            let writes = Match::any().function(party.function).operation("TransactWriteItems");
            let held = deployment.stack.faults().hold(writes);
            let release = async {
                held.reached_by(2).await;
                held.release();
            };
            let (one, other, ()) = tokio::join!(
                party.register(&deployment, &key, json!({ party.id: uuid })),
                party.register(&deployment, &key, json!({ "externalId": uuid.to_uppercase() })),
                release
            );
            let (won, lost) = if one.status == 200 { (one, other) } else { (other, one) };
            won.data(200);
            lost.refused(409, "ambiguous_id");
        }
    }
}

/// An item that was there before there were claims.
#[tokio::test]
async fn what_is_ambiguous_all_the_same_is_refused_and_nothing_is_minted() {
    let deployment = Deployment::start().await;
    let World { key, member, .. } = deployment.world().await;
    let other = deployment.member(&key, "globex", "grace").await;
    for (party, victim) in [(PARTIES[0], &member.organization_id), (PARTIES[1], &member.user_id)] {
        let name = if party.sort_key == "ORG" { "globex" } else { "grace" };
        let at = |id: &str| {
            let digest = ExternalId::parse(id).unwrap().digest();
            format!("TENANT#{}#{}@{digest}", key.tenant.id, party.sort_key)
        };
        deployment.copy(&at(name), party.sort_key, &at(victim)).await;
    }
    let before = deployment.items().await;
    let (user, organization) = (&member.user_id, &member.organization_id);
    for body in [
        json!({ "userId": user }),
        json!({ "userId": user, "organizationId": "acme" }),
        json!({ "userId": "ada", "organizationId": organization }),
        json!({ "userId": other.user_id, "organizationId": organization }),
    ] {
        deployment.user_token(&key, &body).await.refused(409, "ambiguous_id");
    }
    for body in [json!({ "userId": user }), json!({ "organizationId": organization })] {
        let call = deployment.backend(&key, "POST", "/v1/api/projects/revoke-tokens").json(&body);
        call.send().await.refused(409, "ambiguous_id");
    }
    let fields = json!({ "name": "new", "externalId": "new", "projectOrganizationId": organization });
    deployment.register_user(&key, &fields).await.refused(409, "ambiguous_id");
    assert_eq!(deployment.items().await, before);
    // By what means one only, they are found.
    deployment.user_token(&key, &json!({ "userId": "ada", "organizationId": "acme" })).await.data(200);
}
