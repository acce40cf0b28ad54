//! CloudFormation's intrinsic functions, as far as a local run needs them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::dynamic::{BY_PARAMETER, START};
use super::{ACCOUNT, PARTITION, REGION, STACK_NAME};
use crate::error::{Error, Result};

/// The end of a stream's ARN: in AWS the time at which it was made.
const STREAM_LABEL: &str = "2026-01-01T00:00:00.000";

/// Resolves values of one template against its parameters' defaults and the local resources.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    template: &'a Value,
    parameters: &'a BTreeMap<String, String>,
    secret_arns: &'a BTreeMap<String, String>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(
        template: &'a Value,
        parameters: &'a BTreeMap<String, String>,
        secret_arns: &'a BTreeMap<String, String>,
    ) -> Self {
        Self { template, parameters, secret_arns }
    }

    /// The value without intrinsic functions. `None` is `AWS::NoValue`: the property is as if it were not there.
    pub(super) fn resolve(&self, value: &Value) -> Result<Option<Value>> {
        match value {
            Value::Object(object) => {
                if let Some((name, argument)) = only_entry(object)
                    && (name == "Ref" || name.starts_with("Fn::"))
                {
                    return self.call(name, argument);
                }
                let mut resolved = Map::new();
                for (key, value) in object {
                    if let Some(value) = self.resolve(value)? {
                        resolved.insert(key.clone(), value);
                    }
                }
                Ok(Some(Value::Object(resolved)))
            }
            Value::Array(items) => {
                let mut resolved = Vec::with_capacity(items.len());
                for item in items {
                    resolved.extend(self.resolve(item)?);
                }
                Ok(Some(Value::Array(resolved)))
            }
            plain => Ok(Some(plain.clone())),
        }
    }

    /// The value as text: CloudFormation turns numbers and booleans into text wherever text is wanted.
    pub(super) fn text(&self, value: &Value) -> Result<String> {
        match self.resolve(value)? {
            Some(Value::String(text)) => Ok(text),
            Some(other @ (Value::Number(_) | Value::Bool(_))) => Ok(other.to_string()),
            other => Err(Error::new(format!("expected text, found {}", other.unwrap_or_default()))),
        }
    }

    /// The local ARN of a resource.
    pub(super) fn arn(&self, logical_id: &str) -> Result<String> {
        self.attribute(logical_id, "Arn")
    }

    /// The local ARN of a table's stream.
    pub(super) fn stream_arn(&self, logical_id: &str) -> Result<String> {
        self.attribute(logical_id, "StreamArn")
    }

    /// The local name of a resource.
    pub(super) fn name(&self, logical_id: &str) -> Result<String> {
        let (kind, property, default) = match self.kind(logical_id)? {
            kind @ "AWS::DynamoDB::Table" => (kind, "TableName", format!("{STACK_NAME}-{logical_id}")),
            kind @ "AWS::SecretsManager::Secret" => (kind, "Name", format!("{STACK_NAME}-{logical_id}")),
            kind @ "AWS::Serverless::Function" => (kind, "FunctionName", format!("{STACK_NAME}-{logical_id}")),
            kind @ "AWS::Logs::LogGroup" => (kind, "LogGroupName", format!("{STACK_NAME}-{logical_id}")),
            kind @ "AWS::SQS::Queue" => (kind, "QueueName", format!("{STACK_NAME}-{logical_id}")),
            kind => (kind, "", logical_id.to_owned()),
        };
        match self.template.pointer(&format!("/Resources/{logical_id}/Properties/{property}")) {
            Some(name) if !property.is_empty() => {
                self.text(name).map_err(|e| Error::new(format!("{property} of {kind} {logical_id}: {e}")))
            }
            _ => Ok(default),
        }
    }

    fn kind(&self, logical_id: &str) -> Result<&str> {
        self.template
            .pointer(&format!("/Resources/{logical_id}/Type"))
            .and_then(Value::as_str)
            .ok_or_else(|| Error::new(format!("{logical_id} is no parameter and no resource")))
    }

    fn reference(&self, name: &str) -> Result<Option<Value>> {
        let text = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::Region" => REGION.to_owned(),
            "AWS::AccountId" => ACCOUNT.to_owned(),
            "AWS::StackName" => STACK_NAME.to_owned(),
            "AWS::Partition" => PARTITION.to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            _ => {
                if let Some(given) = self.parameters.get(name) {
                    return Ok(Some(Value::String(given.clone())));
                }
                if let Some(parameter) = self.template.pointer(&format!("/Parameters/{name}")) {
                    let default = parameter.get("Default");
                    return default
                        .map(|value| Some(value.clone()))
                        .ok_or_else(|| Error::new(format!("parameter {name} has no default")));
                }
                // A secret's Ref is its ARN, unlike most.
                match self.kind(name)? {
                    "AWS::SecretsManager::Secret" => self.arn(name)?,
                    _ => self.name(name)?,
                }
            }
        };
        Ok(Some(Value::String(text)))
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<String> {
        let name = self.name(logical_id)?;
        let prefix = |service: &str| format!("arn:{PARTITION}:{service}:{REGION}:{ACCOUNT}");
        Ok(match (self.kind(logical_id)?, attribute) {
            ("AWS::SSM::Parameter", "Value") => {
                let value = self.template.pointer(&format!("/Resources/{logical_id}/Properties/Value"));
                let value = value.ok_or_else(|| Error::new(format!("{logical_id} has no Value")))?;
                self.text(value)?.replace(START, BY_PARAMETER)
            }
            ("AWS::DynamoDB::Table", "Arn") => format!("{}:table/{name}", prefix("dynamodb")),
            ("AWS::DynamoDB::Table", "StreamArn") => {
                let specification = format!("/Resources/{logical_id}/Properties/StreamSpecification");
                if self.template.pointer(&specification).is_none() {
                    return Err(Error::new(format!("{logical_id} has no StreamSpecification, so no StreamArn")));
                }
                format!("{}:table/{name}/stream/{STREAM_LABEL}", prefix("dynamodb"))
            }
            ("AWS::SQS::Queue", "Arn") => format!("{}:{name}", prefix("sqs")),
            ("AWS::SecretsManager::Secret", "Arn" | "Id") => self
                .secret_arns
                .get(logical_id)
                .cloned()
                // What a pattern for "this secret, whatever its suffix" looks like.
                .unwrap_or_else(|| format!("{}:secret:{name}-??????", prefix("secretsmanager"))),
            ("AWS::Serverless::Function", "Arn") => format!("{}:function:{name}", prefix("lambda")),
            ("AWS::Logs::LogGroup", "Arn") => format!("{}:log-group:{name}:*", prefix("logs")),
            // Nothing local stands behind it: a name that says so is enough.
            (_, _) => format!("{name}.{attribute}"),
        })
    }

    fn call(&self, function: &str, argument: &Value) -> Result<Option<Value>> {
        let broken = || Error::new(format!("{function} with arguments that it does not take: {argument}"));
        let items = argument.as_array().map(Vec::as_slice);
        match (function, items) {
            ("Ref", _) => self.reference(argument.as_str().ok_or_else(broken)?),
            ("Fn::GetAtt", Some([resource, attribute])) => {
                let resource = resource.as_str().ok_or_else(broken)?;
                self.attribute(resource, &self.text(attribute)?).map(|text| Some(text.into()))
            }
            ("Fn::Sub", None) => self.substitute(argument.as_str().ok_or_else(broken)?, &Map::new()),
            ("Fn::Sub", Some([text, names])) => {
                self.substitute(text.as_str().ok_or_else(broken)?, names.as_object().ok_or_else(broken)?)
            }
            ("Fn::If", Some([condition, yes, no])) => {
                let holds = self.condition(condition.as_str().ok_or_else(broken)?)?;
                self.resolve(if holds { yes } else { no })
            }
            ("Fn::Join", Some([separator, Value::Array(parts)])) => {
                let parts = parts.iter().map(|part| self.text(part)).collect::<Result<Vec<_>>>()?;
                Ok(Some(parts.join(&self.text(separator)?).into()))
            }
            ("Fn::Select", Some([index, Value::Array(choices)])) => {
                let index: usize = self.text(index)?.parse().map_err(|_| broken())?;
                self.resolve(choices.get(index).ok_or_else(broken)?)
            }
            ("Fn::FindInMap", Some([map, first, second])) => {
                let path = format!("/Mappings/{}/{}/{}", self.text(map)?, self.text(first)?, self.text(second)?);
                self.resolve(self.template.pointer(&path).ok_or_else(broken)?)
            }
            _ => Err(Error::new(format!("{function} is not supported in a local run"))),
        }
    }

    /// `${Name}`, `${Resource.Attribute}` and `${!Literal}`.
    fn substitute(&self, text: &str, names: &Map<String, Value>) -> Result<Option<Value>> {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) =
                after.split_once('}').ok_or_else(|| Error::new(format!("an unclosed ${{ in {text}")))?;
            result.push_str(before);
            if let Some(literal) = name.strip_prefix('!') {
                result.extend(["${", literal, "}"]);
            } else if let Some(value) = names.get(name) {
                result.push_str(&self.text(value)?);
            } else if let Some((resource, attribute)) = name.split_once('.') {
                result.push_str(&self.attribute(resource, attribute)?);
            } else {
                result.push_str(&self.text(&Value::Object(Map::from_iter([("Ref".to_owned(), name.into())])))?);
            }
            rest = after;
        }
        result.push_str(rest);
        Ok(Some(result.into()))
    }

    fn condition(&self, name: &str) -> Result<bool> {
        let expression = self
            .template
            .pointer(&format!("/Conditions/{name}"))
            .ok_or_else(|| Error::new(format!("no condition {name}")))?;
        self.holds(expression)
    }

    fn holds(&self, expression: &Value) -> Result<bool> {
        let broken = || Error::new(format!("a condition that cannot be read: {expression}"));
        let (function, argument) = expression.as_object().and_then(only_entry).ok_or_else(broken)?;
        let items = argument.as_array().map(Vec::as_slice);
        match (function, items) {
            ("Condition", None) => self.condition(argument.as_str().ok_or_else(broken)?),
            ("Fn::Equals", Some([left, right])) => Ok(self.text(left)? == self.text(right)?),
            ("Fn::Not", Some([inner])) => self.holds(inner).map(|holds| !holds),
            ("Fn::And", Some(all)) => all.iter().try_fold(true, |so_far, inner| Ok(so_far & self.holds(inner)?)),
            ("Fn::Or", Some(any)) => any.iter().try_fold(false, |so_far, inner| Ok(so_far | self.holds(inner)?)),
            _ => Err(broken()),
        }
    }

    /// Whether the resource is part of the stack at all.
    pub(super) fn exists(&self, resource: &Value) -> Result<bool> {
        resource.get("Condition").and_then(Value::as_str).map_or(Ok(true), |name| self.condition(name))
    }
}

fn only_entry(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut entries = object.iter();
    match (entries.next(), entries.next()) {
        (Some((key, value)), None) => Some((key.as_str(), value)),
        _ => None,
    }
}
