//! Whether more tenants, or more rows, make an operation cost more.

use std::path::Path;

use futures_util::future::try_join_all;
use serde_json::{Value, json};
use stack::{Error, Result, Stack};

use crate::binaries::Binaries;
use crate::costs::Consumed;
use crate::memory::Usage;
use crate::requests::{HOT, Operation, Requests, Tenant, body, preparing, send};
use crate::{because, in_time, say};

/// What is asked with few and with many tenants.
pub const MEASURED: [Operation; 4] = [HOT[0], HOT[1], HOT[2], HOT[3]];
/// What makes tenants with a user and a token: that of introspection.
const INTROSPECT: &str = "introspect";
/// The function of [`MEASURED`] that mints.
const MINTING: Operation = HOT[0];
/// Tenants that are made at once.
const AT_ONCE: usize = 16;
/// Tenants whose requests are counted, spread over all.
const SAMPLE: usize = 10;
/// Rows that DynamoDB takes at once.
const BATCH: usize = 25;

pub async fn measure(
    template: &Path,
    binaries: &Binaries,
    requests: &Requests,
    counts: &[usize],
    rows: usize,
) -> Result<()> {
    let key = requests.operator_key.clone();
    let stack = binaries.stack(template).admin_key(Some(key)).metered().start().await?;
    let mut tenants: Vec<Tenant> = Vec::new();
    say("\nBy the number of tenants: one request, by processes that know the tenant");
    say(&format!(
        "  {:22}{:>10}{:>16}{:>14}{:>14}",
        "operation", "tenants", "calls to AWS", "read units", "write units"
    ));
    for &count in counts {
        while tenants.len() < count {
            let more = AT_ONCE.min(count - tenants.len());
            let made = try_join_all((0..more).map(|_| requests.tenant(&stack, preparing(INTROSPECT))));
            tenants.extend(in_time(made).await?);
        }
        for operation in MEASURED.into_iter().filter(|operation| binaries.measures(operation.function)) {
            in_time(units(&stack, requests, operation, &tenants)).await?;
        }
        if count > 1 && binaries.measures(MINTING.function) {
            mints(&stack, requests, &tenants).await?;
        }
    }
    let Some(first) = tenants.first() else { return Err(Error::new("no tenant")) };
    fill(&stack, requests, first, rows).await?;
    let all = format!("{} tenants", tenants.len());
    for (function, rows) in [("fetch-tenants", all), ("project-users", format!("{rows} users of a tenant"))] {
        in_time(pages(&stack, requests, function, &rows, first)).await?;
    }
    stack.shutdown().await;
    Ok(())
}

/// What a request consumes.
async fn units(stack: &Stack, requests: &Requests, operation: Operation, tenants: &[Tenant]) -> Result<()> {
    let sample: Vec<&Tenant> = tenants.iter().step_by(tenants.len().div_ceil(SAMPLE)).collect();
    let mut calls = Vec::new();
    for is_counted in [false, true] {
        for tenant in &sample {
            let event = requests.next(stack, operation, tenant).await?;
            let mark = stack.mark();
            send(stack, operation.function, event).await?;
            if is_counted {
                calls.extend(stack.calls_since(mark));
            }
        }
    }
    let each = Consumed::of(&calls, u32::try_from(sample.len()).map_err(because("tenants"))?);
    let count = tenants.len();
    say(&format!("  {:22}{count:>10}{:>16}{:>14}{:>14}", operation.name, each.calls, each.reads, each.writes));
    Ok(())
}

/// What one process that mints for all tenants in turn asks AWS, and has in memory.
async fn mints(stack: &Stack, requests: &Requests, tenants: &[Tenant]) -> Result<()> {
    let count = tenants.len();
    stack.restart(MINTING.function).await;
    for round in ["first", "second"] {
        let mut calls = Vec::new();
        for part in tenants.chunks(1000) {
            let mark = stack.mark();
            in_time(async {
                for tenant in part {
                    let event = requests.next(stack, MINTING, tenant).await?;
                    send(stack, MINTING.function, event).await?;
                }
                Ok(())
            })
            .await?;
            calls.extend(stack.calls_since(mark));
        }
        let each = Consumed::of(&calls, u32::try_from(count).map_err(because("tenants"))?);
        let memory =
            Usage::of(stack, MINTING.function)?.map_or_else(|| "not shown by /proc".to_owned(), |usage| usage.shown());
        let (name, calls, secrets) = (MINTING.name, each.calls, each.secrets);
        say(&format!(
            "  one process of {name}, {count} tenants in turn, {round} round: {calls} calls to AWS a request, \
             {secrets} of them to Secrets Manager; {memory}"
        ));
    }
    Ok(())
}

/// Gives a tenant many users: copies of the one that it has, each with an id of its own.
async fn fill(stack: &Stack, requests: &Requests, tenant: &Tenant, rows: usize) -> Result<()> {
    let event = requests.event("project-users", tenant)?;
    let users = body(&send(stack, "project-users", event).await?)?;
    let id = id_of(&users).ok_or_else(|| Error::new(format!("no id of a user in {users}")))?;
    let table = stack.environment().into_iter().find(|(name, _)| name == "LATCHKEY_TABLE").unwrap_or_default().1;
    let request = json!({
        "TableName": table, "IndexName": "of-tenants", "KeyConditionExpression": "tenant_listing = :list",
        "ExpressionAttributeValues": { ":list": { "S": format!("TENANT#{}#USER", tenant.id) } },
    });
    let listed = stack.dynamodb("Query", &request).await?;
    let key = |name: &str| listed.pointer(&format!("/Items/0/{name}")).cloned().unwrap_or_default();
    let request = json!({ "TableName": table, "Key": { "pk": key("pk"), "sk": key("sk") } });
    let item = stack.dynamodb("GetItem", &request).await?.get("Item").cloned().unwrap_or_default().to_string();
    if !item.contains(&id) {
        return Err(Error::new("the item of a user has not its id"));
    }
    let (Some(head), pk) = (id.get(..24), key("pk")) else {
        return Err(Error::new("an id of another form"));
    };
    let numbers: Vec<usize> = (1..rows).collect();
    for batch in numbers.chunks(BATCH) {
        let mut puts = Vec::new();
        for number in batch {
            let copy = item.replace(&id, &format!("{head}{number:012x}"));
            let mut copy: Value = serde_json::from_str(&copy).map_err(because("an item"))?;
            // Of those with an external id, the partition has a digest of it.
            if copy.get("pk") == Some(&pk)
                && let Some(text) = copy.pointer_mut("/pk/S")
            {
                *text = format!("{}-{number}", text.as_str().unwrap_or_default()).into();
            }
            puts.push(json!({ "PutRequest": { "Item": copy } }));
        }
        stack.dynamodb("BatchWriteItem", &json!({ "RequestItems": { &table: puts } })).await?;
    }
    Ok(())
}

/// The first id in a list's answer.
fn id_of(list: &Value) -> Option<String> {
    let data = list.get("data")?;
    let rows = data.as_array().or_else(|| data.as_object()?.values().find_map(Value::as_array))?;
    let row = rows.first()?;
    ["user_id", "id"].iter().find_map(|name| row.get(*name)?.as_str()).map(str::to_owned)
}

/// What the first page of a list consumes, and the one after it.
async fn pages(stack: &Stack, requests: &Requests, function: &str, rows: &str, tenant: &Tenant) -> Result<()> {
    let mut cursor: Option<String> = None;
    say(&format!("\nPages of {function}, 20 rows each of {rows}"));
    for page in ["first", "second", "third"] {
        let mut event = requests.event(function, tenant)?;
        let query = cursor.as_ref().map_or_else(|| "limit=20".to_owned(), |cursor| format!("limit=20&cursor={cursor}"));
        if let Some(place) = event.pointer_mut("/rawQueryString") {
            *place = query.into();
        }
        let mark = stack.mark();
        let answer = send(stack, function, event).await?;
        let each = Consumed::of(&stack.calls_since(mark), 1);
        let bytes = answer.raw.len();
        say(&format!("  {page}: {} calls to AWS, {} read units, {bytes} bytes of answer", each.calls, each.reads));
        cursor = cursor_of(&body(&answer)?);
        if cursor.is_none() {
            // Of a short list, by `--tenants` or `--rows`.
            break;
        }
    }
    Ok(())
}

/// The cursor of a list's answer, wherever it is in it.
fn cursor_of(answer: &Value) -> Option<String> {
    match answer {
        Value::Object(members) => {
            let own = members.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
            own.or_else(|| members.values().find_map(cursor_of))
        }
        _ => None,
    }
}
