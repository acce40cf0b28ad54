//! DynamoDB and Secrets Manager without a server: a call is a function call, made whole before the next one. For tests
//! that decide themselves in which order the calls of many processes arrive.

use std::fmt;
use std::path::Path;

use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Context, Error, Result};
use crate::secrets_manager::SecretsManager;
use crate::system;
use crate::template::{Locals, Source};

/// Both services, empty but for the table.
pub struct Offline {
    database: Database,
    secrets: SecretsManager,
    table: String,
}

impl fmt::Debug for Offline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offline").field("table", &self.table).finish_non_exhaustive()
    }
}

impl Offline {
    /// With the table of this template.
    ///
    /// # Errors
    /// The template cannot be used; in a sentence.
    pub fn start(template: &Path) -> Result<Self> {
        let source = Source::read(template)?;
        let mut locals = Locals::default();
        for secret in source.secrets(&locals.parameters)? {
            // Nothing here asks for them: a name stands for the ARN, and any text for the value.
            locals.secret_values.insert((secret.name.clone(), secret.key), system::alphanumerics(secret.length));
            locals.secret_arns.insert(secret.logical_id, secret.name);
        }
        let template = source.resolve(&locals).context(template.display())?;
        let database = Database::memory().context("the local DynamoDB does not start")?;
        let offline = Self { database, secrets: SecretsManager::in_memory(), table: template.table_name };
        let (status, answer) = offline.dynamodb("CreateTable", template.table.to_string().as_bytes());
        if status == 200 { Ok(offline) } else { Err(Error::new(format!("no table from the template: {answer}"))) }
    }

    /// The name of the table.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Answers a call by its `x-amz-target`: the status and the body.
    pub fn answer(&self, target: &str, body: &[u8], now_ms: i64) -> (u16, String) {
        match target.split_once('.') {
            Some(("DynamoDB_20120810", operation)) => self.dynamodb(operation, body),
            Some(("secretsmanager", operation)) => {
                let (status, answer) = self.secrets.handle(operation, body, now_ms);
                (status, answer.to_string())
            }
            _ => (400, r#"{"__type":"UnknownOperationException"}"#.to_owned()),
        }
    }

    fn dynamodb(&self, operation: &str, body: &[u8]) -> (u16, String) {
        let database = &self.database;
        match operation {
            "CreateTable" => answered(body, |request| database.create_table(request)),
            "GetItem" => answered(body, |request| database.get_item(request)),
            "PutItem" => answered(body, |request| database.put_item(request)),
            "UpdateItem" => answered(body, |request| database.update_item(request)),
            "Query" => answered(body, |request| database.query(request)),
            "BatchGetItem" => answered(body, |request| database.batch_get_item(request)),
            "TransactWriteItems" => answered(body, |request| database.transact_write_items(request)),
            _ => (400, r#"{"__type":"UnknownOperationException"}"#.to_owned()),
        }
    }
}

fn answered<Q, A>(body: &[u8], call: impl FnOnce(Q) -> dynoxide::Result<A>) -> (u16, String)
where
    Q: DeserializeOwned,
    A: Serialize,
{
    let answer = serde_json::from_slice::<Q>(body)
        .map_err(|error| DynoxideError::SerializationException(error.to_string()))
        .and_then(call)
        .map(|answer| serde_json::to_value(answer).unwrap_or(Value::Null).to_string());
    answer.map_or_else(|error| (error.status_code(), error.to_json()), |answer| (200, answer))
}
