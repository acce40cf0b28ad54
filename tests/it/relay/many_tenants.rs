//! Signed calls of many tenants that come in turn to one process.

use serde_json::{Value, json};

use crate::support::{Deployment, Tenant, now_ms};

/// With `LATCHKEY_TENANTS_IN_TURN`, of as many tenants.
#[tokio::test]
async fn a_process_reads_the_secret_of_each_of_a_thousand_tenants_once() {
    let count = std::env::var("LATCHKEY_TENANTS_IN_TURN").map_or(1050, |count| count.parse().unwrap());
    let deployment = Deployment::start_with(stack::StackBuilder::without_stream).await;
    let model = deployment.provision("Acme").await;
    let mut items = deployment.items().await;
    items.retain(|item| item["pk"]["S"] == format!("TENANT#{}", model.id) && item["sk"]["S"] == "STATE");
    let [state] = &items[..] else { panic!("{items:?}") };
    let stored = deployment.stored_tenant_secret(&model.id);
    let (version, _, value) = &stored.versions[0];
    let secret = json!({ "Name": stored.name, "SecretString": value, "ClientRequestToken": version });
    let tenants: Vec<_> =
        (0..count).map(|number| Tenant { id: format!("tnt_{number:032x}"), ..model.clone() }).collect();
    let copied = |what: &Value, number: usize| {
        let versions = format!("00000000-0000-4000-8000-{number:012x}");
        what.to_string().replace(&model.id, &tenants[number].id).replace(version, &versions)
    };
    for number in 0..count {
        let request = copied(&secret, number);
        let (status, answer) = deployment.stack.secrets().handle("CreateSecret", request.as_bytes(), now_ms());
        assert_eq!(status, 200, "{answer}");
    }
    let states = (0..count).map(|number| serde_json::from_str(&copied(state, number)).unwrap());
    deployment.write_items(states.collect()).await;

    for reads in [count, 0] {
        let mark = deployment.stack.mark();
        for tenant in &tenants {
            deployment.whoami(&tenant.signing()).send().await.data(200);
        }
        let calls = deployment.stack.calls_since(mark);
        let made = |operation: &str| calls.iter().filter(|call| call.operation == operation).count();
        assert_eq!((made("GetItem"), made("GetSecretValue")), (reads, reads));
        // A call that is on its way as the minute turns takes another.
        assert!((count..=count + count / 100).contains(&made("UpdateItem")), "{}", made("UpdateItem"));
        assert_eq!(made("UpdateItem") + 2 * reads, calls.len());
    }
}
