//! The only reader of environment variables.

use std::fmt;

/// What the deployment tells every function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Name of the DynamoDB table (`LATCHKEY_TABLE`).
    pub table: String,
    /// Name or ARN of the secret with the admin keys (`LATCHKEY_ADMIN_SECRET`).
    pub admin_secret: String,
    /// What the names of tenants' secrets start with, before `/<tenant id>` (`LATCHKEY_SECRET_PREFIX`).
    pub secret_prefix: String,
}

/// Variables that are not set.
#[derive(Debug, PartialEq, Eq)]
pub struct Missing(Vec<&'static str>);

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "environment variables are not set: {}", self.0.join(", "))
    }
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// All variables that are missing or empty, at once.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_environment() -> Result<Self, Missing> {
        Self::read(|name| std::env::var(name).ok())
    }

    fn read(variable: impl Fn(&'static str) -> Option<String>) -> Result<Self, Missing> {
        let mut missing = Vec::new();
        let mut required = |name| {
            variable(name).filter(|value| !value.is_empty()).unwrap_or_else(|| {
                missing.push(name);
                String::new()
            })
        };
        let config = Self {
            table: required("LATCHKEY_TABLE"),
            admin_secret: required("LATCHKEY_ADMIN_SECRET"),
            secret_prefix: required("LATCHKEY_SECRET_PREFIX"),
        };
        if missing.is_empty() { Ok(config) } else { Err(Missing(missing)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        let error = Config::read(|name| (name == "LATCHKEY_TABLE").then(String::new)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "environment variables are not set: LATCHKEY_TABLE, LATCHKEY_ADMIN_SECRET, LATCHKEY_SECRET_PREFIX"
        );
    }
}
