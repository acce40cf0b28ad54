//! What is owed to tenants, and the sweep that delivers it.

use serde_json::{Value, json};
use stack::{Invocation, scheduled_event};

use super::deployment::{Deployment, Tenant};

impl Deployment {
    /// Delivers all that is due, as the schedule does each minute. What the run answers.
    pub async fn sweep(&self) -> Value {
        self.stack.invoke("deliver-callbacks", scheduled_event(), Invocation::default()).await.unwrap().payload
    }

    /// The callbacks of a tenant in the table, oldest first.
    pub async fn callbacks(&self, tenant: &Tenant) -> Vec<Value> {
        let request = json!({
            "TableName": self.table(),
            "KeyConditionExpression": "pk = :partition",
            "ExpressionAttributeValues": { ":partition": { "S": format!("TENANT#{}#CALLBACKS", tenant.id) } },
            "ConsistentRead": true,
        });
        let page = self.dynamodb("Query", &request).await;
        assert!(page["LastEvaluatedKey"].is_null(), "more than a page");
        page["Items"].as_array().unwrap().clone()
    }

    /// Their bodies.
    pub async fn owed(&self, tenant: &Tenant) -> Vec<Value> {
        let callbacks = self.callbacks(tenant).await;
        callbacks.iter().map(|item| serde_json::from_str(item["body"]["S"].as_str().unwrap()).unwrap()).collect()
    }
}
