//! probe

use serde_json::json;

use crate::support::Deployment;

#[tokio::test]
async fn probe_seeding() {
    let deployment = Deployment::start().await;
    let mut said = Vec::new();
    let item = |n: usize| json!({ "pk": { "S": "TENANT#x#ALL#DOCUMENTS" }, "sk": { "S": format!("{n:032}") }, "kept_in": { "S": "GLOBAL" } });
    let begun = std::time::Instant::now();
    for batch in 0..100 {
        let requests: Vec<_> = (0..25).map(|n| json!({ "PutRequest": { "Item": item(batch * 25 + n)} })).collect();
        deployment.dynamodb("BatchWriteItem", &json!({ "RequestItems": { deployment.table(): requests } })).await;
    }
    said.push(begun.elapsed());
    let begun = std::time::Instant::now();
    for batch in 0..25 {
        let requests: Vec<_> = (0..100)
            .map(|n| json!({ "Put": { "TableName": deployment.table(), "Item": item(100000 + batch * 100 + n)} }))
            .collect();
        deployment.dynamodb("TransactWriteItems", &json!({ "TransactItems": requests })).await;
    }
    said.push(begun.elapsed());
    panic!("{said:?}");
}
