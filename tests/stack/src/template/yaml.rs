//! YAML with CloudFormation's short tags, as JSON with the long function names.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Number, Value};

use crate::error::{Context, Error, Result};

/// Reads one YAML document.
pub(super) fn parse(text: &str) -> Result<Value> {
    let documents = Yaml::load_from_str(text).context("not YAML")?;
    match documents.as_slice() {
        [document] => to_json(document),
        other => Err(Error::new(format!("expected one YAML document, found {}", other.len()))),
    }
}

fn to_json(yaml: &Yaml<'_>) -> Result<Value> {
    match yaml {
        Yaml::Value(scalar) => scalar_to_json(scalar),
        Yaml::Sequence(items) => items.iter().map(to_json).collect::<Result<Vec<_>>>().map(Value::Array),
        Yaml::Mapping(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                object.insert(key_text(key)?, to_json(value)?);
            }
            Ok(Value::Object(object))
        }
        Yaml::Tagged(tag, node) if tag.handle == "!" => short_form(&tag.suffix, to_json(node)?),
        Yaml::Tagged(_, node) => to_json(node),
        Yaml::Alias(_) => Err(Error::new("YAML aliases are not part of CloudFormation")),
        Yaml::Representation(..) | Yaml::BadValue => Err(Error::new("a YAML value that cannot be read")),
    }
}

fn scalar_to_json(scalar: &Scalar<'_>) -> Result<Value> {
    Ok(match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(flag) => Value::Bool(*flag),
        Scalar::Integer(number) => Value::Number((*number).into()),
        Scalar::FloatingPoint(number) => Number::from_f64(number.into_inner())
            .map(Value::Number)
            .ok_or_else(|| Error::new("a number that JSON does not know"))?,
        Scalar::String(text) => Value::String(text.to_string()),
    })
}

fn key_text(key: &Yaml<'_>) -> Result<String> {
    match to_json(key)? {
        Value::String(text) => Ok(text),
        other @ (Value::Number(_) | Value::Bool(_)) => Ok(other.to_string()),
        _ => Err(Error::new("a YAML key that is not text")),
    }
}

/// `!Sub x` is `{"Fn::Sub": x}`; `!Ref` and `!Condition` have no prefix; `!GetAtt a.b` is a list in the long form.
fn short_form(name: &str, argument: Value) -> Result<Value> {
    let long = match name {
        "Ref" | "Condition" => name.to_owned(),
        _ => format!("Fn::{name}"),
    };
    let argument = match (name, argument) {
        ("GetAtt", Value::String(text)) => {
            let (resource, attribute) =
                text.split_once('.').ok_or_else(|| Error::new(format!("!GetAtt {text} names no attribute")))?;
            Value::Array(vec![resource.into(), attribute.into()])
        }
        (_, argument) => argument,
    };
    Ok(Value::Object(Map::from_iter([(long, argument)])))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::parse;

    #[test]
    fn short_tags_become_long_functions() {
        let parsed =
            parse("a: !Ref X\nb: !GetAtt T.Arn\nc: !If [C, !Sub '${X}', 3]\nd: !Equals\n  - 1\n  - \"1\"\n").unwrap();
        assert_eq!(
            parsed,
            json!({
                "a": {"Ref": "X"},
                "b": {"Fn::GetAtt": ["T", "Arn"]},
                "c": {"Fn::If": ["C", {"Fn::Sub": "${X}"}, 3]},
                "d": {"Fn::Equals": [1, "1"]},
            })
        );
    }

    #[test]
    fn a_broken_document_is_an_error() {
        assert!(parse("a: [1").is_err());
        assert!(parse("a: 1\n---\nb: 2\n").is_err());
    }
}
