//! CloudFormation's dynamic references to a generated member of a secret of the template (CloudFormation User Guide,
//! "Get a secret or secret value from Secrets Manager").

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// How many of them CloudFormation takes in a template. The transform copies those of `Globals` into each function
/// before they are counted.
pub(super) const MOST: usize = 60;

/// What a reference begins with.
pub(super) const START: &str = "{{resolve:";

/// What it begins with where it came by `Fn::GetAtt` from a parameter of the template, in which it was counted.
pub(super) const BY_PARAMETER: &str = "{{resolved-in-parameter:";

/// The text with the values of the secrets in place of its references, and how many of its own there were. `values` is
/// by ARN and member.
pub(super) fn resolve(text: &str, values: &BTreeMap<(String, String), String>) -> Result<(String, usize)> {
    let count = text.matches(START).count();
    let text = &text.replace(BY_PARAMETER, START);
    let (mut resolved, mut rest) = (String::new(), text.as_str());
    while let Some((before, after)) = rest.split_once(START) {
        let broken = || Error::new(format!("a dynamic reference that a local run can't resolve: {text}"));
        let (reference, after) = after.split_once("}}").ok_or_else(broken)?;
        let reference = reference.strip_prefix("secretsmanager:").ok_or_else(broken)?;
        // An ARN has colons of its own.
        let (arn, member) = reference.split_once(":SecretString:").ok_or_else(broken)?;
        resolved.push_str(before);
        resolved.push_str(values.get(&(arn.to_owned(), member.to_owned())).ok_or_else(broken)?);
        rest = after;
    }
    resolved.push_str(rest);
    Ok((resolved, count))
}
