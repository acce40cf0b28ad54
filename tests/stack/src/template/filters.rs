//! `FilterCriteria` of an event source mapping: which records of a stream a function is given.
//!
//! Patterns are those of "Lambda event filtering" as far as keys can be told apart by them: `eventName` and
//! `dynamodb.Keys.<attribute>.S`, each with the texts and prefixes that match. All others are refused: a filter that is
//! read half would let through what AWS holds back, or the other way round.

use serde_json::Value;

use crate::error::{Context, Error, Result};

/// The filters of a mapping: a record passes if any of them matches, or if there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters(Vec<Pattern>);

/// What a record must have, all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern(Vec<Field>);

/// A text in the record, by its JSON pointer, and the rules of which one must match.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    pointer: String,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Equals(String),
    Prefix(String),
}

/// AWS's quota.
const MOST_FILTERS: usize = 5;

impl Filters {
    /// Reads the property `FilterCriteria`.
    pub(super) fn read(criteria: &Value) -> Result<Self> {
        let filters = criteria.get("Filters").and_then(Value::as_array).filter(|filters| !filters.is_empty());
        let filters = filters.ok_or_else(|| Error::new("Filters is missing or empty"))?;
        if filters.len() > MOST_FILTERS {
            return Err(Error::new(format!("more than {MOST_FILTERS} filters")));
        }
        let pattern = |filter: &Value| {
            let text = filter.get("Pattern").and_then(Value::as_str);
            let text = text.ok_or_else(|| Error::new("a filter's Pattern must be JSON in a text"))?;
            pattern(&serde_json::from_str(text).context(text)?).context(text)
        };
        filters.iter().map(pattern).collect::<Result<_>>().map(Self)
    }

    /// The key attributes that are asked for.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &str> {
        let fields = self.0.iter().flat_map(|pattern| &pattern.0);
        fields.filter_map(|field| field.pointer.strip_prefix("/dynamodb/Keys/")?.strip_suffix("/S"))
    }

    /// Whether a record of a stream is handed over.
    pub fn pass(&self, record: &Value) -> bool {
        self.0.is_empty() || self.0.iter().any(|pattern| pattern.0.iter().all(|field| field.matches(record)))
    }
}

impl Field {
    fn matches(&self, record: &Value) -> bool {
        let found = record.pointer(&self.pointer).and_then(Value::as_str);
        found.is_some_and(|found| {
            self.rules.iter().any(|rule| match rule {
                Rule::Equals(text) => found == text,
                Rule::Prefix(prefix) => found.starts_with(prefix.as_str()),
            })
        })
    }
}

fn pattern(pattern: &Value) -> Result<Pattern> {
    let mut fields = Vec::new();
    collect(pattern, &mut Vec::new(), &mut fields)?;
    if fields.is_empty() { Err(Error::new("an empty pattern")) } else { Ok(Pattern(fields)) }
}

fn collect(value: &Value, path: &mut Vec<String>, into: &mut Vec<Field>) -> Result<()> {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                path.push(name.clone());
                collect(member, path, into)?;
                path.pop();
            }
            Ok(())
        }
        Value::Array(rules) if !rules.is_empty() && is_text(path) => {
            let rules = rules.iter().map(rule).collect::<Result<_>>()?;
            let mut pointer = String::new();
            for name in path.iter() {
                pointer.extend(["/", &name.replace('~', "~0").replace('/', "~1")]);
            }
            into.push(Field { pointer, rules });
            Ok(())
        }
        _ => Err(Error::new(format!("a filter on {} is not supported locally", path.join(".")))),
    }
}

/// Whether what is there is a text in every record, and known here.
fn is_text(path: &[String]) -> bool {
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    matches!(path.as_slice(), ["eventName"] | ["dynamodb", "Keys", _, "S"])
}

fn rule(rule: &Value) -> Result<Rule> {
    let only = rule.as_object().filter(|object| object.len() == 1).and_then(|object| object.get("prefix"));
    match (rule, only) {
        (Value::String(text), _) => Ok(Rule::Equals(text.clone())),
        (_, Some(Value::String(prefix))) => Ok(Rule::Prefix(prefix.clone())),
        _ => Err(Error::new(format!("the filter rule {rule} is not supported locally"))),
    }
}
