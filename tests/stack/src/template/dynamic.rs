//! CloudFormation's dynamic references to a generated member of a secret of the template (CloudFormation User Guide,
//! "Get a secret or secret value from Secrets Manager").

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// How many of them CloudFormation takes in a template. The transform copies those of `Globals` into each function
/// before they are counted.
pub(super) const MOST: usize = 60;

const START: &str = "{{resolve:";

/// The text with the values of the secrets in place of its references, and how many there were. `values` is by ARN and
/// member.
pub(super) fn resolve(text: &str, values: &BTreeMap<(String, String), String>) -> Result<(String, usize)> {
    let mut resolved = String::new();
    let (mut rest, mut count) = (text, 0);
    while let Some((before, after)) = rest.split_once(START) {
        let broken = || Error::new(format!("a dynamic reference that a local run can't resolve: {text}"));
        let (reference, after) = after.split_once("}}").ok_or_else(broken)?;
        let reference = reference.strip_prefix("secretsmanager:").ok_or_else(broken)?;
        // An ARN has colons of its own.
        let (arn, member) = reference.split_once(":SecretString:").ok_or_else(broken)?;
        resolved.push_str(before);
        resolved.push_str(values.get(&(arn.to_owned(), member.to_owned())).ok_or_else(broken)?);
        rest = after;
        count += 1;
    }
    resolved.push_str(rest);
    Ok((resolved, count))
}
