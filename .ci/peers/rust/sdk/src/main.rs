//! A function that reads one item with the AWS SDK as its documentation sets it up.

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let client = Client::new(&config);
    let table = std::env::var("LATCHKEY_TABLE")?;
    let (client, table) = (&client, table.as_str());
    run(service_fn(move |_: LambdaEvent<Value>| async move {
        let key = |text: &str| AttributeValue::S(text.to_owned());
        client.get_item().table_name(table).key("pk", key("TENANT#none")).key("sk", key("STATE")).send().await?;
        Ok::<Value, Error>(json!({ "statusCode": 200, "body": "{}" }))
    }))
    .await
}
