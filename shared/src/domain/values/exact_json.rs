//! JSON of the client's own making, which is kept and signed as it was sent, or refused.
//!
//! What a row filter says decides who sees which rows, so none may come out as another. A decoder on its own takes the
//! last of two fields of one name, and rounds a number that fits into none of its types.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use super::problem::Problem;

/// The largest depth of objects and arrays. JSON readers have limits of their own, ours has 127: what goes into a token
/// must stay well within the limit of its readers.
pub const DEEPEST: usize = 32;

/// What the text of an error within client-made JSON begins with. The place in it follows, then [`PROBLEM`].
const WITHIN: &str = "within ";
/// What stands between the place and the problem, which has no colon of its own; a name in the place may have one.
const PROBLEM: &str = ": ";

/// A JSON value that is written again as it was sent: each number is the same one, and no object has two fields of one
/// name.
#[derive(Debug, Clone, PartialEq)]
pub struct ExactJson(Value);

impl ExactJson {
    pub fn into_value(self) -> Value {
        self.0
    }

    /// Takes an error of its decoder apart again: the place within the value, such as `.filters[0].id`, and what is
    /// wrong there. `None` if it is none of those, or is about the value as a whole.
    pub fn flaw_within(message: &str) -> Option<(&str, &str)> {
        message.strip_prefix(WITHIN)?.rsplit_once(PROBLEM)
    }
}

/// What is wrong in a value, and where.
#[derive(Debug)]
enum Flaw {
    /// At a place, written as it follows the name of the field; empty for the value itself.
    At(String, Problem),
    /// The value as a whole has too many levels. Its place would be the longest one of all.
    TooDeep,
}

impl Flaw {
    fn new(problem: &'static str) -> Self {
        Self::At(String::new(), Problem::new(problem))
    }

    /// The flaw, seen from one level further out.
    fn under(self, step: fmt::Arguments<'_>) -> Self {
        match self {
            Self::At(place, problem) => Self::At(format!("{step}{place}"), problem),
            Self::TooDeep => Self::TooDeep,
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(place, problem) if place.is_empty() => problem.fmt(formatter),
            Self::At(place, problem) => write!(formatter, "{WITHIN}{place}{PROBLEM}{problem}"),
            Self::TooDeep => formatter.write_str("must not have more than 32 objects and lists within each other"),
        }
    }
}

impl<'de> Deserialize<'de> for ExactJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Decoders hand out a number as what they made of it. Only the text says what was sent.
        let text = Box::<RawValue>::deserialize(deserializer)?;
        read(text.get(), DEEPEST).map(Self).map_err(de::Error::custom)
    }
}

/// Reads valid JSON with at most `levels` objects and arrays within each other.
fn read(text: &str, levels: usize) -> Result<Value, Flaw> {
    let unreadable = |_| Flaw::new("has a value that can't be read");
    let inner = || levels.checked_sub(1).ok_or(Flaw::TooDeep);
    match text.as_bytes().first() {
        Some(b'{') => {
            let (inner, Fields(fields)) = (inner()?, serde_json::from_str(text).map_err(unreadable)?);
            let mut object = Map::new();
            for (name, value) in fields {
                if object.contains_key(&name) {
                    return Err(Flaw::new("is given more than once").under(format_args!(".{name}")));
                }
                let value = read(value.get(), inner).map_err(|flaw| flaw.under(format_args!(".{name}")))?;
                object.insert(name, value);
            }
            Ok(Value::Object(object))
        }
        Some(b'[') => {
            let (inner, values) = (inner()?, serde_json::from_str::<Vec<&RawValue>>(text).map_err(unreadable)?);
            let value = |(index, value): (usize, &RawValue)| {
                read(value.get(), inner).map_err(|flaw| flaw.under(format_args!("[{index}]")))
            };
            values.into_iter().enumerate().map(value).collect::<Result<_, _>>().map(Value::Array)
        }
        Some(b'-' | b'0'..=b'9') => {
            let inexact = "must be a number that can be kept exactly, or a string";
            number(text).map(Value::Number).ok_or(Flaw::new(inexact))
        }
        _ => serde_json::from_str(text).map_err(unreadable),
    }
}

/// The fields of an object in the order in which they were sent, all of them.
pub(in crate::domain) struct Fields<'a>(pub Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some((name, value)) = fields.next_entry::<String, &'de RawValue>()? {
                    all.push((name, value));
                }
                Ok(Fields(all))
            }
        }

        deserializer.deserialize_map(All)
    }
}

/// The number that is written as what was sent. `None` if there is none: an integer outside of 64 bits, or a decimal
/// that a double can't tell from another.
fn number(text: &str) -> Option<Number> {
    let is_integer = !text.contains(['.', 'e', 'E']);
    if is_integer && text.parse::<i64>().is_err() && text.parse::<u64>().is_err() {
        return None;
    }
    let number: Number = serde_json::from_str(text).ok()?;
    let is_same = Decimal::parse(text)? == Decimal::parse(&number.to_string())?;
    is_same.then_some(number)
}

/// A decimal number in its only form: no zeros at the ends of its digits, and zero has none and no sign.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    digits: String,
    /// The power of ten by which the digits, as a whole number, are multiplied.
    exponent: i64,
}

impl Decimal {
    /// Reads a JSON number. `None` if its exponent is out of all bounds.
    fn parse(text: &str) -> Option<Self> {
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, fraction].concat();
        let digits = all.trim_end_matches('0');
        let dropped = i64::try_from(all.len() - digits.len()).ok()?;
        let digits = digits.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self { is_negative: false, digits, exponent: 0 });
        }
        let places = i64::try_from(fraction.len()).ok()?;
        let exponent = exponent.parse::<i64>().ok()?.checked_sub(places)?.checked_add(dropped)?;
        Some(Self { is_negative, digits, exponent })
    }
}

#[cfg(test)]
mod tests;
