//! What a tenant's credential asks for is the tenant's own: every key of every call to DynamoDB, whatever the request says.

use serde_json::{Value, json};
use shared::api::{Dialect, OPERATIONS};
use stack::AwsCall;

use crate::support::{Deployment, World};

/// Every value in a call to DynamoDB that names a partition: keys, items, and what queries ask for.
fn partitions(call: &AwsCall) -> Vec<String> {
    fn walk(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if let (true, Some(partition)) = (name == "pk" || name == ":value", value["S"].as_str()) {
                        found.push(partition.to_owned());
                    }
                    walk(value, found);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| walk(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(&call.request, &mut found);
    found
}

/// Whether a call stays within the tenant.
fn is_within(call: &AwsCall, tenant_id: &str) -> bool {
    let own = format!("TENANT#{tenant_id}");
    let of_tenant = |partition: &String| *partition == own || partition.starts_with(&format!("{own}#"));
    if let Some(secret) = call.request["SecretId"].as_str() {
        return secret.ends_with(&format!("/{tenant_id}"));
    }
    let partitions = partitions(call);
    !partitions.is_empty() && partitions.iter().all(of_tenant)
}

#[tokio::test]
async fn every_call_to_aws_that_a_key_causes_is_about_its_tenant_even_if_all_ids_are_anothers() {
    let deployment = Deployment::start().await;
    let (ours, theirs) = (deployment.world().await, deployment.world().await);
    // Our key, and everything else theirs.
    let mixed = World { key: ours.key.clone(), ..theirs.clone() };
    let mut seen = 0;
    for world in [&ours, &mixed] {
        for entry in OPERATIONS.iter().filter(|entry| entry.dialect != Dialect::Registry && !entry.security.is_empty())
        {
            let (answer, calls) = deployment.calls_of(deployment.authorized(entry, world)).await;
            for call in &calls {
                assert!(is_within(call, &ours.tenant.id), "{}: {:?}", entry.route.name, call.request);
                assert!(!is_within(call, &theirs.tenant.id), "the check sees the difference");
            }
            assert!(!answer.text.contains(&theirs.tenant.id), "{}: {}", entry.route.name, answer.text);
            seen += calls.len();
        }
    }
    assert!(seen > 16, "{seen}");
}

#[tokio::test]
async fn names_that_look_like_keys_of_the_table_lead_nowhere() {
    let deployment = Deployment::start().await;
    let (ours, theirs) = (deployment.world().await, deployment.world().await);
    let member = &theirs.member;
    for name in [
        format!("TENANT#{}#USER#{}", theirs.tenant.id, member.user_id),
        format!("../{}", member.user_id),
        format!("{}#{}", theirs.tenant.id, member.user_id),
        format!("@{}", member.user_id),
        "#".to_owned(),
        "STATE".to_owned(),
    ] {
        let body = json!({ "userId": name });
        let call = deployment.backend(&ours.key, "POST", "/v1/api/projects/user-token").json(&body);
        let (answer, calls) = deployment.calls_of(call).await;
        answer.refused(404, "user_not_found");
        assert!(calls.iter().all(|call| is_within(call, &ours.tenant.id)), "{name}");
    }
}
