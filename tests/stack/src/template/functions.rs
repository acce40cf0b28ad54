//! An `AWS::Serverless::Function` with what `Globals` adds to it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::mappings::{Mapping, mapping};
use super::resolve::Resolver;
use super::{Function, Route, dynamic, number, properties};
use crate::error::{Context, Error, Result};
use crate::iam::{self, LeadingKeys, Need, Statement};

/// Lambda's own defaults.
const DEFAULT_TIMEOUT_SECONDS: u64 = 3;
const DEFAULT_MEMORY_MB: u64 = 128;

/// The function, and how many dynamic references it has.
pub(super) fn function(
    resolver: &Resolver<'_>,
    template: &Value,
    secret_values: &BTreeMap<(String, String), String>,
    logical_id: &str,
    resource: &Value,
    partition_key: &str,
) -> Result<(Function, usize)> {
    let binary = resource
        .pointer("/Metadata/BuildProperties/Binary")
        .and_then(Value::as_str)
        .ok_or_else(|| Error::new("Metadata.BuildProperties.Binary is missing"))?;
    let own = properties(resolver, resource)?;
    let global = match template.pointer("/Globals/Function") {
        Some(value) => resolver.resolve(value)?.unwrap_or_default(),
        None => Value::Null,
    };
    let setting = |name: &str| own.get(name).or_else(|| global.get(name)).and_then(number);

    let mut environment = BTreeMap::new();
    for source in [global.get("Environment"), own.get("Environment")].into_iter().flatten() {
        variables(source, &mut environment)?;
    }
    let mut references = 0;
    for text in environment.values_mut() {
        let (resolved, count) = dynamic::resolve(text, secret_values)?;
        *text = resolved;
        references += count;
    }
    let mut routes = Vec::new();
    let mut schedule = false;
    let mut mappings = Vec::new();
    for (name, event) in own.get("Events").and_then(Value::as_object).into_iter().flatten() {
        match event.get("Type").and_then(Value::as_str) {
            Some("HttpApi") => {
                let id = resource.pointer(&format!("/Properties/Events/{name}/Properties/ApiId/Ref"));
                routes.push(route(event, id.and_then(Value::as_str).unwrap_or_default()));
            }
            Some("Schedule" | "ScheduleV2") => schedule = true,
            Some("DynamoDB") => {
                mappings.push(mapping(event.get("Properties").unwrap_or(&Value::Null)).context(name)?);
            }
            other => return Err(Error::new(format!("an event of type {} is not supported", other.unwrap_or("?")))),
        }
    }
    let statements = policies(resolver, template, resource, &own, partition_key)?;
    // To a role that it makes itself, SAM adds what Lambda needs.
    if resource.pointer("/Properties/Role").is_some() {
        mappings.iter().try_for_each(|mapping| readable(mapping, &statements))?;
    }
    let function = Function {
        logical_id: logical_id.to_owned(),
        name: resolver.name(logical_id)?,
        binary: binary.to_owned(),
        environment,
        memory_mb: setting("MemorySize").unwrap_or(DEFAULT_MEMORY_MB),
        timeout_seconds: setting("Timeout").unwrap_or(DEFAULT_TIMEOUT_SECONDS),
        routes,
        schedule,
        mappings,
        statements,
    };
    Ok((function, references))
}

fn variables(environment: &Value, into: &mut BTreeMap<String, String>) -> Result<()> {
    for (name, value) in environment.get("Variables").and_then(Value::as_object).into_iter().flatten() {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return Err(Error::new(format!("environment variable {name} is not text"))),
        };
        into.insert(name.clone(), text);
    }
    Ok(())
}

fn route(event: &Value, api: &str) -> Route {
    let api = api.to_owned();
    let property = |name: &str| event.pointer(&format!("/Properties/{name}")).and_then(Value::as_str);
    match property("Path") {
        Some(path) => {
            let method = property("Method").unwrap_or("ANY").to_ascii_uppercase();
            Route { method, path: path.to_owned(), api }
        }
        // Without a path, SAM makes the route that takes what no other one takes.
        None => Route { method: "ANY".to_owned(), path: "$default".to_owned(), api },
    }
}

/// The statements of the function's own policies, or of those of the role that it names: inline ones, and managed ones
/// of this template.
fn policies(
    resolver: &Resolver<'_>,
    template: &Value,
    resource: &Value,
    own: &Map<String, Value>,
    partition_key: &str,
) -> Result<Vec<Statement>> {
    let role = resource.pointer("/Properties/Role/Fn::GetAtt/0").and_then(Value::as_str);
    let role = role.and_then(|role| template.pointer(&format!("/Resources/{role}")));
    let of_role = role.map(|role| properties(resolver, role)).transpose()?.unwrap_or_default();

    let mut statements = Vec::new();
    for policy in list(own.get("Policies")).chain(list(of_role.get("Policies"))) {
        // AWS's managed policies are named by text or written as a SAM template. Those give rights that nothing local
        // checks.
        let document = policy.get("PolicyDocument").unwrap_or(policy);
        for entry in list(document.get("Statement")) {
            statements.push(statement(entry, partition_key)?);
        }
    }
    let managed = role.and_then(|role| role.pointer("/Properties/ManagedPolicyArns"));
    let named = list(resource.pointer("/Properties/Policies")).chain(list(managed));
    for policy in named.filter_map(|policy| policy.get("Ref")?.as_str()) {
        let managed = template.pointer(&format!("/Resources/{policy}"));
        let managed = managed.ok_or_else(|| Error::new(format!("there is no policy {policy}")))?;
        let document = properties(resolver, managed)?;
        for entry in list(document.get("PolicyDocument").and_then(|document| document.get("Statement"))) {
            statements.push(statement(entry, partition_key)?);
        }
    }
    Ok(statements)
}

/// Whether the role lets Lambda read the stream and tell the queue: without that, no mapping can be made.
fn readable(mapping: &Mapping, statements: &[Statement]) -> Result<()> {
    for (action, resource) in mapping.needs() {
        let need = Need { action, resource, items: Vec::new() };
        if !iam::permitted(statements, &need) {
            return Err(Error::new(format!("the role does not allow {} on {}", need.action, need.resource)));
        }
    }
    Ok(())
}

fn statement(entry: &Value, partition_key: &str) -> Result<Statement> {
    // Better no start than a permission that is wider here than in AWS.
    for unsupported in ["NotAction", "NotResource", "NotPrincipal"] {
        if entry.get(unsupported).is_some() {
            return Err(Error::new(format!("a policy statement with {unsupported} is not supported locally")));
        }
    }
    let texts = |key: &str| -> Result<Vec<String>> {
        list(entry.get(key))
            .map(|value| value.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .filter(|texts| !texts.is_empty())
            .ok_or_else(|| Error::new(format!("a policy statement without a readable {key}")))
    };
    Ok(Statement {
        allow: entry.get("Effect").and_then(Value::as_str) == Some("Allow"),
        actions: texts("Action")?,
        resources: texts("Resource")?,
        leading_keys: entry.get("Condition").map(|condition| leading_keys(condition, partition_key)).transpose()?,
    })
}

/// The one kind of condition that is understood here.
fn leading_keys(condition: &Value, partition_key: &str) -> Result<LeadingKeys> {
    let unsupported =
        || Error::new(format!("the Condition {condition} of a policy statement is not supported locally"));
    let only = |value: &Value, name: &str| {
        value.as_object().filter(|object| object.len() == 1).and_then(|object| object.get(name)).cloned()
    };
    let of = |operator: &str| only(condition, operator).and_then(|like| only(&like, "dynamodb:LeadingKeys"));
    let (some, every) = (of("ForAnyValue:StringLike"), of("ForAllValues:StringLike"));
    let all = every.is_some();
    let keys = some.or(every).ok_or_else(unsupported)?;
    let patterns = list(Some(&keys)).map(|pattern| pattern.as_str().map(str::to_owned)).collect::<Option<_>>();
    Ok(LeadingKeys { all, attribute: partition_key.to_owned(), patterns: patterns.ok_or_else(unsupported)? })
}

/// CloudFormation takes a list of one without its brackets.
fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    match value {
        Some(Value::Array(items)) => items.as_slice(),
        Some(single) => std::slice::from_ref(single),
        None => &[],
    }
    .iter()
}
