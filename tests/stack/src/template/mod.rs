//! `template.yaml` as the local AWS needs it: the table, the secrets, and each function with its routes and
//! permissions.
//!
//! Nothing is repeated here that the template says, so what runs locally is what will be deployed: a forgotten route is
//! a 404 and a forgotten permission an `AccessDeniedException`.

mod dynamic;
mod filters;
mod functions;
mod mappings;
mod resolve;
#[cfg(test)]
mod tests;
mod yaml;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use crate::error::{Context, Error, Result};
use crate::iam::Statement;
pub use filters::Filters;
pub use mappings::{Mapping, StartingPosition};
use resolve::Resolver;

/// The region of every local resource.
pub const REGION: &str = "us-east-1";
/// The account of every local resource.
pub const ACCOUNT: &str = "123456789012";
/// The ARN partition of every local resource.
pub const PARTITION: &str = "aws";
/// The name of the local CloudFormation stack.
pub const STACK_NAME: &str = "latchkey";

/// A template as read, before anything is resolved.
#[derive(Debug, Clone)]
pub struct Source {
    template: Value,
}

/// What a template cannot say by itself.
#[derive(Debug, Clone, Default)]
pub struct Locals {
    /// Parameters whose value is not the default.
    pub parameters: BTreeMap<String, String>,
    /// The ARN of each secret by logical id: its last six characters are random and known only after its creation.
    pub secret_arns: BTreeMap<String, String>,
    /// What dynamic references to secrets are resolved to, by ARN and member of the JSON.
    pub secret_values: BTreeMap<(String, String), String>,
}

/// A secret of the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its key in `Resources`.
    pub logical_id: String,
    /// Its name in Secrets Manager.
    pub name: String,
    /// The other members of the generated JSON.
    pub template: Map<String, Value>,
    /// The member that holds the generated text.
    pub key: String,
    /// How long the generated text is.
    pub length: usize,
}

/// The resolved template.
#[derive(Debug, Clone)]
pub struct Template {
    /// The body of a DynamoDB `CreateTable` request.
    pub table: Value,
    /// The name in that request.
    pub table_name: String,
    /// The attribute by which DynamoDB removes expired items.
    pub ttl_attribute: Option<String>,
    /// The table's stream, if it has one.
    pub stream: Option<Stream>,
    /// The functions, in the order of their logical ids.
    pub functions: Vec<Function>,
    /// The HTTP APIs by their logical ids.
    pub apis: BTreeMap<String, Api>,
}

/// An HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// How many requests a second each of its routes sustains, and how many it takes at once; `None` if it doesn't say.
    pub throttle: Option<Throttle>,
    /// Whether requests have to be signed by a principal of IAM.
    pub needs_principal: bool,
}

/// `DefaultRouteSettings` of an HTTP API: a bucket of tokens for each route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    /// Tokens that come back in a second.
    pub rate: u64,
    /// Tokens that fit in.
    pub burst: u64,
}

/// The stream of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its ARN.
    pub arn: String,
    /// What a record has of its item, as in `KEYS_ONLY`.
    pub view: String,
}

/// A Lambda function.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its key in `Resources`.
    pub logical_id: String,
    /// Its name in Lambda.
    pub name: String,
    /// The Cargo binary that it runs.
    pub binary: String,
    /// Its environment variables, the template's global ones included.
    pub environment: BTreeMap<String, String>,
    /// Its memory in MiB.
    pub memory_mb: u64,
    /// How long an invocation may take.
    pub timeout_seconds: u64,
    /// The HTTP routes that lead to it.
    pub routes: Vec<Route>,
    /// Whether a schedule starts it.
    pub schedule: bool,
    /// The streams that are read for it.
    pub mappings: Vec<Mapping>,
    /// What it may do in AWS.
    pub statements: Vec<Statement>,
}

/// A route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// A method in capitals, or `ANY`.
    pub method: String,
    /// The path with its variables: `/a/{id}`, `/b/{proxy+}`, or `$default`.
    pub path: String,
    /// The logical id of its API; empty if it is the one that SAM makes by itself.
    pub api: String,
}

impl Source {
    /// Reads a template file.
    ///
    /// # Errors
    /// The file cannot be read, or is not YAML.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).context(path.display())?;
        Self::parse(&text).context(path.display())
    }

    /// Reads a template from its text.
    ///
    /// # Errors
    /// The text is not YAML.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self { template: yaml::parse(text)? })
    }

    /// The secrets, so that they can be created before the template is resolved.
    ///
    /// # Errors
    /// A secret's definition cannot be resolved.
    pub fn secrets(&self, parameters: &BTreeMap<String, String>) -> Result<Vec<Secret>> {
        let no_arns = BTreeMap::new();
        let resolver = Resolver::new(&self.template, parameters, &no_arns);
        self.of_type(&resolver, "AWS::SecretsManager::Secret")?
            .into_iter()
            .map(|(logical_id, resource)| secret(&resolver, logical_id, resource).context(logical_id))
            .collect()
    }

    /// The template with everything resolved.
    ///
    /// # Errors
    /// There is not exactly one table, or something the local AWS needs cannot be resolved; the error names the
    /// resource.
    pub fn resolve(&self, locals: &Locals) -> Result<Template> {
        let resolver = Resolver::new(&self.template, &locals.parameters, &locals.secret_arns);
        let tables = self.of_type(&resolver, "AWS::DynamoDB::Table")?;
        let [(table_id, table)] = tables.as_slice() else {
            return Err(Error::new(format!("expected one AWS::DynamoDB::Table, found {}", tables.len())));
        };
        let table_name = resolver.name(table_id)?;
        let stream = stream(&resolver, table_id, table).context(table_id)?;
        let (table, ttl_attribute) = create_table(&resolver, &table_name, table).context(table_id)?;
        let hash = |key: &&Value| key.get("KeyType").and_then(Value::as_str) == Some("HASH");
        let partition_key = table.get("KeySchema").and_then(Value::as_array).into_iter().flatten().find(hash);
        let partition_key = partition_key.and_then(|key| key.get("AttributeName")).and_then(Value::as_str);
        let partition_key = partition_key.unwrap_or_default().to_owned();
        let (functions, references): (Vec<_>, Vec<_>) = self
            .of_type(&resolver, "AWS::Serverless::Function")?
            .into_iter()
            .map(|(logical_id, resource)| {
                let values = &locals.secret_values;
                functions::function(&resolver, &self.template, values, logical_id, resource, &partition_key)
                    .context(logical_id)
            })
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .unzip();
        let mut references: usize = references.into_iter().sum();
        for (logical_id, parameter) in self.of_type(&resolver, "AWS::SSM::Parameter")? {
            let value = properties(&resolver, parameter).context(logical_id)?.remove("Value").unwrap_or_default();
            references += value.as_str().unwrap_or_default().matches(dynamic::START).count();
        }
        if references > dynamic::MOST {
            let most = dynamic::MOST;
            return Err(Error::new(format!(
                "CloudFormation takes {most} dynamic references, and here are {references}"
            )));
        }
        for function in &functions {
            fits(function, &table, stream.as_ref()).context(&function.logical_id)?;
        }
        let apis = self.of_type(&resolver, "AWS::Serverless::HttpApi")?.into_iter();
        let apis = apis.map(|(id, resource)| Ok((id.to_owned(), api(&resolver, resource).context(id)?)));
        let apis = apis.collect::<Result<_>>()?;
        Ok(Template { table, table_name, ttl_attribute, stream, functions, apis })
    }

    fn of_type(&self, resolver: &Resolver<'_>, kind: &str) -> Result<Vec<(&str, &Value)>> {
        let resources = self.template.get("Resources").and_then(Value::as_object);
        let resources = resources.ok_or_else(|| Error::new("the template has no Resources"))?;
        let mut found = Vec::new();
        for (logical_id, resource) in resources {
            if resource.get("Type").and_then(Value::as_str) == Some(kind) && resolver.exists(resource)? {
                found.push((logical_id.as_str(), resource));
            }
        }
        Ok(found)
    }
}

/// A resource's properties, resolved.
fn properties(resolver: &Resolver<'_>, resource: &Value) -> Result<Map<String, Value>> {
    match resource.get("Properties") {
        None => Ok(Map::new()),
        Some(value) => match resolver.resolve(value)? {
            Some(Value::Object(properties)) => Ok(properties),
            _ => Err(Error::new("Properties is not an object")),
        },
    }
}

fn api(resolver: &Resolver<'_>, resource: &Value) -> Result<Api> {
    let properties = properties(resolver, resource)?;
    // Better no start than a throttle that is not imitated.
    if properties.contains_key("RouteSettings") {
        return Err(Error::new(
            "RouteSettings is not supported locally: an API has one throttle for each of its routes",
        ));
    }
    let settings = properties.get("DefaultRouteSettings");
    let setting = |name: &str| settings.and_then(|settings| settings.get(name)).and_then(number);
    let throttle = setting("ThrottlingRateLimit").zip(setting("ThrottlingBurstLimit"));
    if throttle.is_none() && settings.is_some() {
        return Err(Error::new("a throttle is a whole ThrottlingRateLimit and a whole ThrottlingBurstLimit locally"));
    }
    let authorizer = properties.get("Auth").and_then(|auth| auth.get("DefaultAuthorizer"));
    match authorizer.and_then(Value::as_str) {
        None | Some("AWS_IAM") => Ok(Api {
            throttle: throttle.map(|(rate, burst)| Throttle { rate, burst }),
            needs_principal: authorizer.is_some(),
        }),
        Some(other) => Err(Error::new(format!("the authorizer {other} is not supported locally"))),
    }
}

fn secret(resolver: &Resolver<'_>, logical_id: &str, resource: &Value) -> Result<Secret> {
    let properties = properties(resolver, resource)?;
    let generate = properties.get("GenerateSecretString").unwrap_or(&Value::Null);
    let text = |key: &str| generate.get(key).and_then(Value::as_str);
    let template =
        serde_json::from_str(text("SecretStringTemplate").unwrap_or("{}")).context("SecretStringTemplate")?;
    Ok(Secret {
        logical_id: logical_id.to_owned(),
        name: resolver.name(logical_id)?,
        template,
        key: text("GenerateStringKey").unwrap_or("value").to_owned(),
        length: generate.get("PasswordLength").and_then(number).and_then(|n| usize::try_from(n).ok()).unwrap_or(32),
    })
}

/// The properties that CloudFormation and `CreateTable` share, as a request; and the TTL attribute, which is a call of
/// its own.
fn create_table(resolver: &Resolver<'_>, name: &str, resource: &Value) -> Result<(Value, Option<String>)> {
    let mut properties = properties(resolver, resource)?;
    let mut request = Map::from_iter([("TableName".to_owned(), Value::from(name))]);
    for key in [
        "AttributeDefinitions",
        "KeySchema",
        "GlobalSecondaryIndexes",
        "LocalSecondaryIndexes",
        "BillingMode",
        "ProvisionedThroughput",
    ] {
        if let Some(value) = properties.remove(key) {
            request.insert(key.to_owned(), value);
        }
    }
    let ttl = properties.get("TimeToLiveSpecification").filter(|ttl| ttl.get("Enabled").is_none_or(is_true));
    let ttl = ttl.and_then(|ttl| ttl.get("AttributeName")).and_then(Value::as_str);
    Ok((Value::Object(request), ttl.map(str::to_owned)))
}

fn stream(resolver: &Resolver<'_>, logical_id: &str, resource: &Value) -> Result<Option<Stream>> {
    const VIEWS: [&str; 4] = ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"];
    let properties = properties(resolver, resource)?;
    let Some(specification) = properties.get("StreamSpecification") else { return Ok(None) };
    let view = specification.get("StreamViewType").and_then(Value::as_str).filter(|view| VIEWS.contains(view));
    match (view, specification.as_object().map(Map::len)) {
        (Some(view), Some(1)) => Ok(Some(Stream { arn: resolver.stream_arn(logical_id)?, view: view.to_owned() })),
        _ => Err(Error::new(format!("StreamSpecification {specification} is not supported locally"))),
    }
}

/// Whether what a function is to be given from a stream can come from there.
fn fits(function: &Function, table: &Value, stream: Option<&Stream>) -> Result<()> {
    for mapping in &function.mappings {
        if stream.is_none_or(|stream| stream.arn != mapping.stream) {
            return Err(Error::new(format!("{} is not the stream of the table", mapping.stream)));
        }
        let keys = || table.get("KeySchema").and_then(Value::as_array).into_iter().flatten();
        let is_key = |name: &str| keys().any(|key| key.get("AttributeName").and_then(Value::as_str) == Some(name));
        if let Some(other) = mapping.filters.attributes().find(|name| !is_key(name)) {
            return Err(Error::new(format!("a filter on {other}, which is no key attribute and so never there")));
        }
    }
    Ok(())
}

/// CloudFormation takes booleans as text, too.
fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_str() == Some("true"))
}

/// CloudFormation takes numbers as text, too.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}
