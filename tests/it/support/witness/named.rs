//! What a call to AWS names.

use std::fmt;

use serde_json::Value;
use stack::{AwsCall, Service};

/// What is done to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

/// Something that a call names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A partition of the table, or of the index of what tenants have.
    Partition(Access, String),
    /// A partition of the indexes of tenants.
    List(String),
    /// A secret, by its name.
    Secret(String),
    /// Whatever this check does not know, such as what a Scan reads.
    Unknown,
}

/// The partition keys of the table, and of the index of what tenants have.
const OF_TENANTS: [&str; 2] = ["pk", "tenant_listing"];
/// The partition keys of the indexes of tenants.
const LISTS: [&str; 2] = ["listing", "tenant_status"];

/// Everything that a call names. Not empty: a call that names nothing names what is not known.
pub fn in_call(call: &AwsCall) -> Vec<Named> {
    let request = &call.request;
    let mut named = match (call.service, call.operation.as_str()) {
        (Service::Dynamodb, "GetItem") => key(Access::Read, &request["Key"]),
        (Service::Dynamodb, "PutItem") => item(&request["Item"]),
        (Service::Dynamodb, "UpdateItem") => update(request),
        (Service::Dynamodb, "DeleteItem") => key(Access::Write, &request["Key"]),
        (Service::Dynamodb, "Query") => query(request),
        (Service::Dynamodb, "BatchGetItem") => {
            let keys = fields(&request["RequestItems"]).flat_map(|(_, table)| list(&table["Keys"]));
            keys.flat_map(|wanted| key(Access::Read, wanted)).collect()
        }
        (Service::Dynamodb, "TransactWriteItems") => {
            list(&request["TransactItems"]).flat_map(fields).flat_map(part).collect()
        }
        (Service::SecretsManager, _) => match (request["SecretId"].as_str(), request["Name"].as_str()) {
            (Some(secret), None) | (None, Some(secret)) => vec![Named::Secret(name(secret).to_owned())],
            _ => Vec::new(),
        },
        (Service::Dynamodb, _) => Vec::new(),
    };
    if named.is_empty() {
        named.push(Named::Unknown);
    }
    named
}

/// A part of a transaction.
fn part((kind, part): (&String, &Value)) -> Vec<Named> {
    match kind.as_str() {
        "ConditionCheck" => key(Access::Read, &part["Key"]),
        "Put" => item(&part["Item"]),
        "Update" => update(part),
        "Delete" => key(Access::Write, &part["Key"]),
        _ => vec![Named::Unknown],
    }
}

/// A search entry is as good as a partition of its tenant, whose id it ends with.
fn key(access: Access, key: &Value) -> Vec<Named> {
    match (key["pk"]["S"].as_str(), key["sk"]["S"].as_str()) {
        (Some("TENANTS"), Some(entry)) => {
            let tenant = entry.rsplit(['#', '\u{1}']).next();
            vec![partition(access, tenant.map(|tenant| format!("TENANT#{tenant}#SEARCH")).as_deref())]
        }
        (pk, _) => vec![partition(access, pk)],
    }
}

fn partition(access: Access, value: Option<&str>) -> Named {
    value.map_or(Named::Unknown, |value| Named::Partition(access, value.to_owned()))
}

/// An item is written into the list that it names, too.
fn item(item: &Value) -> Vec<Named> {
    let listing = item.get("tenant_listing").map(|list| partition(Access::Write, list["S"].as_str()));
    key(Access::Write, item).into_iter().chain(listing).collect()
}

fn update(request: &Value) -> Vec<Named> {
    let listing = assigned(request, "UpdateExpression", "tenant_listing");
    let listing = listing.into_iter().map(|value| partition(Access::Write, value));
    key(Access::Write, &request["Key"]).into_iter().chain(listing).collect()
}

/// The one partition that is asked for, and where its rows start.
fn query(request: &Value) -> Vec<Named> {
    let asked = |attributes: [&str; 2]| -> Vec<_> {
        attributes.into_iter().flat_map(|name| assigned(request, "KeyConditionExpression", name)).collect()
    };
    let start = |attributes: [&str; 2]| -> Vec<_> {
        let values = attributes.into_iter().filter_map(|name| request["ExclusiveStartKey"].get(name));
        values.map(|value| value["S"].as_str()).collect()
    };
    let read = |value: Option<&str>| partition(Access::Read, value);
    let list = |value: Option<&str>| value.map_or(Named::Unknown, |value| Named::List(value.to_owned()));
    let (partitions, lists) = (asked(OF_TENANTS), asked(LISTS));
    let unclear = (partitions.len() + lists.len() != 1).then_some(Named::Unknown);
    let partitions = partitions.into_iter().chain(start(OF_TENANTS)).map(read);
    partitions.chain(lists.into_iter().chain(start(LISTS)).map(list)).chain(unclear).collect()
}

/// The values that an expression compares an attribute with, or sets it to: `name = :value`, or
/// `name = if_not_exists(name, :value)`. `None` for one that is no text, or comes from elsewhere.
fn assigned<'a>(request: &'a Value, expression: &str, attribute: &str) -> Vec<Option<&'a str>> {
    let signs = ['=', '<', '>', '(', ')', ','];
    let expression = request[expression].as_str().unwrap_or_default();
    let spaced = signs.iter().fold(expression.to_owned(), |text, sign| text.replace(*sign, &format!(" {sign} ")));
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let resolved = |word: &str| request["ExpressionAttributeNames"][word].as_str().unwrap_or(word) == attribute;
    let positions = (0..words.len()).filter(|at| resolved(words[*at]) && words.get(at + 1) == Some(&"="));
    let value = |at: usize| {
        let (["if_not_exists", "(", _, ",", value, ..] | [value, ..]) = &words[at + 2..] else { return None };
        request["ExpressionAttributeValues"][*value]["S"].as_str()
    };
    positions.map(value).collect()
}

/// A secret's name, of which an ARN has six random characters more.
fn name(secret: &str) -> &str {
    let name = secret.starts_with("arn:").then(|| secret.split_once(":secret:")).flatten();
    name.and_then(|(_, name)| name.rsplit_once('-')).map_or(secret, |(name, _)| name)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partition(Access::Read, partition) => write!(f, "reads {partition}"),
            Self::Partition(Access::Write, partition) => write!(f, "writes {partition}"),
            Self::List(list) => write!(f, "lists {list}"),
            Self::Secret(name) => write!(f, "uses the secret {name}"),
            Self::Unknown => f.write_str("names what is not known here"),
        }
    }
}
