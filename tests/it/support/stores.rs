//! Looks into the stores, past the functions: what is really there.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};
use shared::domain::{PublicKey, PublishedKey, SystemRandomness, random_uuid};

use super::Tenant;
use super::deployment::Deployment;
use super::http::Call;
use super::signing::now_ms;

/// What the names of tenants' secrets have before the tenant's id.
pub const SECRET_FOLDERS: [&str; 2] = ["tenants", "signing-keys"];

/// A secret of a tenant's as Secrets Manager has it.
#[derive(Debug, Clone)]
pub struct StoredSecret {
    /// Its name.
    pub name: String,
    /// Version ids, staging labels and values.
    pub versions: Vec<(String, Vec<String>, String)>,
}

/// The hot item of a tenant, without DynamoDB's type names.
pub type State = Map<String, Value>;

impl Deployment {
    /// A call to DynamoDB, as a developer would make it.
    pub async fn dynamodb(&self, operation: &str, request: &Value) -> Value {
        let authorization = "AWS4-HMAC-SHA256 Credential=developer/20260101/us-east-1/dynamodb/aws4_request, \
                             SignedHeaders=host, Signature=0";
        let answer = Call::new("POST", self.stack.aws_url())
            .header("x-amz-target", &format!("DynamoDB_20120810.{operation}"))
            .header("authorization", authorization)
            .header("x-amz-date", "20260101T000000Z")
            .body("application/x-amz-json-1.0", request.to_string())
            .send_raw()
            .await;
        assert_eq!(answer.status, 200, "{operation}: {}", answer.text);
        answer.body
    }

    pub fn table(&self) -> String {
        self.variable("LATCHKEY_TABLE")
    }

    pub fn variable(&self, name: &str) -> String {
        let environment = self.stack.environment();
        environment.into_iter().find(|(known, _)| known == name).unwrap().1
    }

    /// Replaces the operator's keys; `token` tells this version of the secret from others.
    pub fn put_admin_keys(&self, value: &Value, token: char) {
        let request = json!({
            "SecretId": self.variable("LATCHKEY_ADMIN_SECRET"),
            "SecretString": value.to_string(),
            "ClientRequestToken": token.to_string().repeat(32),
        });
        assert_eq!(self.stack.secrets().handle("PutSecretValue", request.to_string().as_bytes(), 0).0, 200);
    }

    /// The digest of a person in logs and audit events, made as an operator can make it, and not by the library.
    pub fn person(&self, tenant: &Tenant, kind: &str, id: &str) -> String {
        let key = Key::new(HMAC_SHA256, self.variable("LATCHKEY_TRACE_KEY").as_bytes());
        let mac = sign(&key, format!("{}\n{kind}\n{id}", tenant.id).as_bytes());
        HEXLOWER.encode(&mac.as_ref()[..16])
    }

    /// Every item of the table, as DynamoDB writes it, but for those that say that a session of the console has used a
    /// proof: each call with one leaves one, whatever becomes of it.
    pub async fn items(&self) -> Vec<Value> {
        let mut items = self.all_items().await;
        items.retain(|item| !item["sk"]["S"].as_str().unwrap_or_default().starts_with("PROOF#"));
        items
    }

    /// Every item of the table, as DynamoDB writes it.
    pub async fn all_items(&self) -> Vec<Value> {
        let mut items = Vec::new();
        let mut request = json!({ "TableName": self.table(), "ConsistentRead": true });
        loop {
            let page = self.dynamodb("Scan", &request).await;
            items.extend(page["Items"].as_array().unwrap().iter().cloned());
            if page["LastEvaluatedKey"].is_null() {
                return items;
            }
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
        }
    }

    /// Writes items past the functions, in batches of 25.
    pub async fn write_items(&self, items: Vec<Value>) {
        let requests: Vec<_> = items.into_iter().map(|item| json!({ "PutRequest": { "Item": item } })).collect();
        for batch in requests.chunks(25) {
            let request = json!({ "RequestItems": { self.table(): batch } });
            self.dynamodb("BatchWriteItem", &request).await;
        }
    }

    /// All of them but what proven callers were refused for, which a refusal changes and which nothing is decided by.
    pub async fn items_but_notes(&self) -> Vec<Value> {
        let mut items = self.items().await;
        items.retain(|item| item["sk"]["S"] != "SETUP");
        items
    }

    /// All of them but audit events, which also say what is gone, and what was shown again.
    pub async fn items_but_events(&self) -> Vec<Value> {
        let mut items = self.items().await;
        items.retain(|item| !item["pk"]["S"].as_str().unwrap().starts_with("AUDIT#"));
        items
    }

    /// The hot items of all tenants, also of those that never became one.
    pub async fn states(&self) -> Vec<State> {
        let items = self.items().await;
        items.iter().filter(|item| item["sk"]["S"] == "STATE").map(plain).collect()
    }

    /// The hot item of a tenant.
    pub async fn state(&self, tenant_id: &str) -> Option<State> {
        self.states().await.into_iter().find(|state| state["pk"] == format!("TENANT#{tenant_id}"))
    }

    /// Sets an attribute of an item: for making time pass.
    pub async fn set(&self, pk: &str, sk: &str, attribute: &str, value: &Value) {
        let request = json!({
            "TableName": self.table(),
            "Key": { "pk": { "S": pk }, "sk": { "S": sk } },
            "UpdateExpression": format!("SET {attribute} = :value"),
            "ExpressionAttributeValues": { ":value": value },
        });
        self.dynamodb("UpdateItem", &request).await;
    }

    /// Takes an attribute of an item away.
    pub async fn remove(&self, pk: &str, sk: &str, attribute: &str) {
        let request = json!({
            "TableName": self.table(),
            "Key": { "pk": { "S": pk }, "sk": { "S": sk } },
            "UpdateExpression": format!("REMOVE {attribute}"),
        });
        self.dynamodb("UpdateItem", &request).await;
    }

    /// Writes an item again under another partition key.
    pub async fn copy(&self, pk: &str, sk: &str, to: &str) {
        let key = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
        let found = self.dynamodb("GetItem", &json!({ "TableName": self.table(), "Key": key })).await;
        let mut item = found["Item"].clone();
        item["pk"] = json!({ "S": to });
        self.dynamodb("PutItem", &json!({ "TableName": self.table(), "Item": item })).await;
    }

    /// The name of a secret of a tenant's.
    pub fn secret_name(&self, folder: &str, tenant_id: &str) -> String {
        format!("{}/{folder}/{tenant_id}", self.variable("LATCHKEY_SECRET_PREFIX"))
    }

    /// The tenants' secrets, of both kinds.
    pub fn stored_secrets(&self) -> Vec<StoredSecret> {
        let beginnings = SECRET_FOLDERS.map(|folder| self.secret_name(folder, ""));
        let secrets = self.stack.secrets().snapshot().into_iter();
        secrets
            .filter(|secret| beginnings.iter().any(|beginning| secret.name.starts_with(beginning)))
            .filter(|secret| secret.deleted_at_ms.is_none())
            .map(|secret| StoredSecret {
                name: secret.name,
                versions: secret.versions.into_iter().map(|v| (v.id, v.stages, v.value)).collect(),
            })
            .collect()
    }

    /// The one with what a tenant signs its calls with.
    pub fn stored_tenant_secret(&self, tenant_id: &str) -> StoredSecret {
        self.stored_secret("tenants", tenant_id)
    }

    /// The one with what a tenant's tokens are signed with.
    pub fn stored_signing_key(&self, tenant_id: &str) -> StoredSecret {
        self.stored_secret("signing-keys", tenant_id)
    }

    fn stored_secret(&self, folder: &str, tenant_id: &str) -> StoredSecret {
        let name = self.secret_name(folder, tenant_id);
        self.stored_secrets().into_iter().find(|secret| secret.name == name).unwrap()
    }

    /// The secrets of a tenant that are valid now: those that the hot item points to, read by version id as a verifier
    /// would.
    pub async fn valid_secrets(&self, tenant_id: &str) -> Vec<String> {
        let state = self.state(tenant_id).await.unwrap();
        let stored = self.stored_tenant_secret(tenant_id);
        let value = |version: &Value| {
            let (_, labels, value) = stored.versions.iter().find(|(id, ..)| version == id).unwrap();
            assert!(!labels.is_empty(), "a valid version without a label may be discarded: {stored:?}");
            let value: Value = serde_json::from_str(value).unwrap();
            value["tenant_secret"].as_str().unwrap().to_owned()
        };
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
        let mut valid = vec![value(&state["secret_version"])];
        if state.get("previous_secret_until").is_some_and(|until| u128::from(until.as_u64().unwrap()) > now) {
            valid.push(value(&state["previous_secret_version"]));
        }
        valid
    }

    /// The id of the key that signs a tenant's tokens: its private half is stored under the version that the hot item
    /// names, with a label, and it is the one key of the set that was not replaced, but for that which stands by. The
    /// private half of that one is stored with a label, too.
    pub async fn signing_kid(&self, tenant_id: &str) -> String {
        let state = self.state(tenant_id).await.unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let kid = text(&state["token_kid"]);
        self.has_private_half(tenant_id, &text(&state["token_key_version"]), &kid);
        let item = self.key_set_item(tenant_id).await;
        let standby = self.standby_kid(tenant_id).await;
        if let Some(standby) = &standby {
            self.has_private_half(tenant_id, &text(&item["standby_version"]["S"]), standby);
        }
        let set = self.stored_key_set(tenant_id).await;
        let not_replaced: Vec<_> = set.into_iter().filter(|key| key.retired_at.is_none()).map(|key| key.kid).collect();
        assert_eq!(not_replaced, [&kid].into_iter().chain(&standby).cloned().collect::<Vec<_>>());
        assert_eq!(item["kid"]["S"], kid.as_str());
        kid
    }

    /// The id of a tenant's standby key, if it has one.
    pub async fn standby_kid(&self, tenant_id: &str) -> Option<String> {
        self.key_set_item(tenant_id).await["standby_kid"]["S"].as_str().map(str::to_owned)
    }

    fn has_private_half(&self, tenant_id: &str, version: &str, kid: &str) {
        let stored = self.stored_signing_key(tenant_id);
        let (_, labels, value) = stored.versions.iter().find(|(id, ..)| id == version).unwrap();
        assert!(!labels.is_empty(), "a version that is needed may be discarded without a label");
        let keys: Map<String, Value> = serde_json::from_str(value).unwrap();
        let coordinate = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
        let public = |key: &Value| PublicKey { x: coordinate(key, "x"), y: coordinate(key, "y") };
        assert!(keys.values().any(|key| public(key).thumbprint() == kid), "{kid} is not in {version}");
    }

    /// Lets a tenant's standby key have been published this long ago.
    pub async fn age_standby_key(&self, tenant_id: &str, seconds: u64) {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
        let published = json!({ "N": (now - u128::from(seconds) * 1000).to_string() });
        self.set(&format!("TENANT#{tenant_id}"), "SIGNING", "standby_published_at", &published).await;
    }

    /// The sort keys of a tenant's search entries.
    pub async fn search_entries(&self, tenant: &Tenant) -> Vec<String> {
        let items = self.items().await;
        let entries = items.iter().filter(|item| item["pk"]["S"] == "TENANTS");
        let keys = entries.map(|entry| entry["sk"]["S"].as_str().unwrap().to_owned());
        keys.filter(|key| key.ends_with(&tenant.id)).collect()
    }

    /// Makes a tenant what it would be if it had been provisioned an hour ago by a release that knew no search.
    pub async fn make_old(&self, tenant: &Tenant) {
        self.provisioned_at(tenant, now_ms() - 3_600_000).await;
        for entry in self.search_entries(tenant).await {
            let key = json!({ "pk": { "S": "TENANTS" }, "sk": { "S": entry } });
            self.dynamodb("DeleteItem", &json!({ "TableName": self.table(), "Key": key })).await;
        }
    }

    /// Lets a tenant have been provisioned at that time, in Unix milliseconds.
    pub async fn provisioned_at(&self, tenant: &Tenant, at: i64) {
        let pk = format!("TENANT#{}", tenant.id);
        self.set(&pk, "STATE", "created_at", &json!({ "N": at.to_string() })).await;
        self.set(&pk, "STATE", "listing_order", &json!({ "S": format!("{at:015}#{}", tenant.id) })).await;
    }

    /// Makes a tenant what it would be if it had been provisioned before there were standby keys: the one key, in the
    /// set and in the secret, as they were written then.
    pub async fn take_standby_key_away(&self, tenant_id: &str) {
        let state = self.state(tenant_id).await.unwrap();
        let old = self.stored_key_set(tenant_id).await.remove(0);
        let set = json!([{ "kid": old.kid, "x": old.key.x, "y": old.key.y, "retired_at": null }]);
        let item = json!({
            "pk": { "S": format!("TENANT#{tenant_id}") },
            "sk": { "S": "SIGNING" },
            "kid": { "S": old.kid },
            "key_set": { "S": set.to_string() },
        });
        self.dynamodb("PutItem", &json!({ "TableName": self.table(), "Item": item })).await;
        let stored = self.stored_signing_key(tenant_id);
        let version = stored.versions.iter().find(|(id, ..)| state["token_key_version"] == id.as_str()).unwrap();
        let value: Value = serde_json::from_str(&version.2).unwrap();
        let id = random_uuid(&SystemRandomness::new()).unwrap().to_string();
        let put = json!({
            "SecretId": stored.name,
            "SecretString": json!({ "signing_key": value["signing_key"] }).to_string(),
            "ClientRequestToken": id,
            "VersionStages": ["AWSCURRENT"],
        });
        assert_eq!(self.stack.secrets().handle("PutSecretValue", put.to_string().as_bytes(), 0).0, 200);
        self.set(&format!("TENANT#{tenant_id}"), "STATE", "token_key_version", &json!({ "S": id })).await;
        assert_eq!(self.signing_kid(tenant_id).await, old.kid);
    }

    /// A tenant's public keys as they are stored, also those that are not served any more.
    pub async fn stored_key_set(&self, tenant_id: &str) -> Vec<PublishedKey> {
        let item = self.key_set_item(tenant_id).await;
        serde_json::from_str(item["key_set"]["S"].as_str().unwrap()).unwrap()
    }

    /// The item with a tenant's public keys.
    pub async fn key_set_item(&self, tenant_id: &str) -> Value {
        let key = json!({ "pk": { "S": format!("TENANT#{tenant_id}") }, "sk": { "S": "SIGNING" } });
        self.dynamodb("GetItem", &json!({ "TableName": self.table(), "Key": key })).await["Item"].clone()
    }
}

/// An item without DynamoDB's type names.
fn plain(item: &Value) -> State {
    let value = |value: &Value| match value.as_object().and_then(|typed| typed.iter().next()) {
        Some((kind, number)) if kind == "N" => number.as_str().unwrap().parse::<i64>().map(Value::from).unwrap(),
        Some((_, value)) => value.clone(),
        None => Value::Null,
    };
    item.as_object().unwrap().iter().map(|(name, typed)| (name.clone(), value(typed))).collect()
}
