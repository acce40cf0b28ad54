//! The only reader of environment variables.

use std::fmt;

use url::Url;

use crate::domain::{Problem, RowQuotas, RowsPerEndUser, RowsPerTenant, SigningVersion, TraceKey};

/// What the deployment tells every function.
#[derive(Debug)]
pub struct Config {
    /// Name of the DynamoDB table (`LATCHKEY_TABLE`).
    pub table: String,
    /// Name or ARN of the secret with the operator's keys (`LATCHKEY_ADMIN_SECRET`).
    pub admin_secret: String,
    /// What the names of tenants' secrets start with, before `/tenants/<tenant id>` and `/signing-keys/<tenant id>`
    /// (`LATCHKEY_SECRET_PREFIX`).
    pub secret_prefix: String,
    /// The key to the digests of people in logs and audit events (`LATCHKEY_TRACE_KEY`).
    pub trace_key: TraceKey,
    /// The service's public address without a slash at its end (`LATCHKEY_PUBLIC_URL`); unset, it is the gateway's own.
    pub public_url: Option<PublicUrl>,
    /// Whether calls of the account surface have to name an end user, where a tenant's configuration doesn't say
    /// (`LATCHKEY_REQUIRE_END_USER`; unset or `false` is no, and everything else yes).
    pub require_end_user: bool,
    /// How many strikes suspend a tenant (`LATCHKEY_STRIKES_TO_SUSPEND`; unset or 0 = none do).
    pub strikes_to_suspend: u32,
    /// The signature version of a new tenant for which none is named (`LATCHKEY_DEFAULT_SIGNING_VERSION`; unset, it is
    /// v1).
    pub default_signing_version: SigningVersion,
    /// Whether tenants have passkeys whose configuration doesn't say (`LATCHKEY_PASSKEYS_ENABLED`; unset or anything
    /// but `true` is no).
    pub passkeys_enabled: bool,
    /// How many rows of each kind are kept, where a tenant's configuration doesn't say (`LATCHKEY_ROWS_PER_END_USER`
    /// and `LATCHKEY_ROWS_PER_TENANT`; unset = generous defaults).
    pub row_quotas: RowQuotas,
    /// The AWS region (`AWS_REGION`, which Lambda sets).
    pub region: String,
    /// Where DynamoDB is, if not where it is for the region: `AWS_ENDPOINT_URL_DYNAMODB`, or else `AWS_ENDPOINT_URL`,
    /// and neither if `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is `true` (AWS SDKs and Tools Reference Guide,
    /// "Service-specific endpoints").
    pub dynamodb_endpoint: Option<String>,
    /// Where Secrets Manager is: the same, with `AWS_ENDPOINT_URL_SECRETS_MANAGER`.
    pub secrets_manager_endpoint: Option<String>,
    /// A file with the certificates, in PEM, of the authorities that AWS is trusted by, instead of those that are known
    /// (`AWS_CA_BUNDLE`; AWS SDKs and Tools Reference Guide, "General configuration", `ca_bundle`).
    pub ca_bundle: Option<String>,
}

/// Variables that are not set, or not to what they have to be.
#[derive(Debug, PartialEq, Eq)]
pub struct Missing(Vec<&'static str>);

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "environment variables are not set, or can't be read: {}", self.0.join(", "))
    }
}

/// The service's address, as the deployment says it.
#[derive(Debug)]
pub struct PublicUrl {
    url: String,
    /// Found once, and not with each request that is compared with it.
    host: Option<String>,
}

impl PublicUrl {
    fn new(url: &str) -> Self {
        let url = url.trim_end_matches('/').to_owned();
        let host = Url::parse(&url).ok().and_then(|url| url.host_str().map(str::to_owned));
        Self { url, host }
    }

    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Whether this is its host.
    pub fn is_at(&self, host: &str) -> bool {
        self.host.as_deref() == Some(host)
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

    /// The deployment's stage: the last part of `LATCHKEY_SECRET_PREFIX`.
    pub fn stage(&self) -> &str {
        self.secret_prefix.rsplit('/').next().unwrap_or_default()
    }

    fn read(variable: impl Fn(&'static str) -> Option<String>) -> Result<Self, Missing> {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        let ignored =
            variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let endpoint = |name| variable(name).or_else(|| variable("AWS_ENDPOINT_URL")).filter(|_| !ignored);
        let mut missing = Vec::new();
        let strikes = variable("LATCHKEY_STRIKES_TO_SUSPEND").map_or(Ok(0), |text| text.parse());
        let strikes_to_suspend = strikes.unwrap_or_else(|_| {
            missing.push("LATCHKEY_STRIKES_TO_SUSPEND");
            0
        });
        let signing = variable("LATCHKEY_DEFAULT_SIGNING_VERSION");
        let signing = signing.map_or(Some(SigningVersion::default()), |text| SigningVersion::parse(&text));
        let default_signing_version = signing.unwrap_or_else(|| {
            missing.push("LATCHKEY_DEFAULT_SIGNING_VERSION");
            SigningVersion::default()
        });
        let row_quotas = RowQuotas {
            per_end_user: quota(variable("LATCHKEY_ROWS_PER_END_USER"), RowsPerEndUser::new).unwrap_or_else(|| {
                missing.push("LATCHKEY_ROWS_PER_END_USER");
                RowsPerEndUser::default()
            }),
            per_tenant: quota(variable("LATCHKEY_ROWS_PER_TENANT"), RowsPerTenant::new).unwrap_or_else(|| {
                missing.push("LATCHKEY_ROWS_PER_TENANT");
                RowsPerTenant::default()
            }),
        };
        let mut required = |name| {
            variable(name).unwrap_or_else(|| {
                missing.push(name);
                String::new()
            })
        };
        let names = ["LATCHKEY_TABLE", "LATCHKEY_ADMIN_SECRET", "LATCHKEY_SECRET_PREFIX", "AWS_REGION"];
        let [table, admin_secret, secret_prefix, region] = names.map(&mut required);
        let trace_key = variable("LATCHKEY_TRACE_KEY").as_deref().and_then(TraceKey::parse);
        if trace_key.is_none() {
            missing.push("LATCHKEY_TRACE_KEY");
        }
        let Some(trace_key) = trace_key.filter(|_| missing.is_empty()) else { return Err(Missing(missing)) };
        Ok(Self {
            table,
            admin_secret,
            secret_prefix,
            trace_key,
            public_url: variable("LATCHKEY_PUBLIC_URL").map(|url| PublicUrl::new(&url)),
            require_end_user: variable("LATCHKEY_REQUIRE_END_USER").is_some_and(|value| value != "false"),
            strikes_to_suspend,
            default_signing_version,
            passkeys_enabled: variable("LATCHKEY_PASSKEYS_ENABLED").is_some_and(|value| value == "true"),
            row_quotas,
            region,
            dynamodb_endpoint: endpoint("AWS_ENDPOINT_URL_DYNAMODB"),
            secrets_manager_endpoint: endpoint("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
            ca_bundle: variable("AWS_CA_BUNDLE"),
        })
    }
}

/// A quota that a variable says, or the default if it says none; `None` if it can't be read.
fn quota<T: Default>(variable: Option<String>, new: fn(u64) -> Result<T, Problem>) -> Option<T> {
    let Some(text) = variable else { return Some(T::default()) };
    new(text.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        let error = Config::read(|name| (name == "LATCHKEY_TABLE").then(String::new)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "environment variables are not set, or can't be read: LATCHKEY_TABLE, LATCHKEY_ADMIN_SECRET, \
             LATCHKEY_SECRET_PREFIX, AWS_REGION, LATCHKEY_TRACE_KEY"
        );
    }

    /// With all that is required, and one variable that is not.
    fn read_with(variable: &'static str, value: &'static str) -> Result<Config, Missing> {
        Config::read(|name| match name {
            _ if name == variable => Some(value.to_owned()),
            "LATCHKEY_STRIKES_TO_SUSPEND"
            | "LATCHKEY_ROWS_PER_END_USER"
            | "LATCHKEY_ROWS_PER_TENANT"
            | "LATCHKEY_DEFAULT_SIGNING_VERSION" => None,
            _ => Some("a".repeat(48)),
        })
    }

    #[test]
    fn a_trace_key_that_is_short_or_was_not_resolved_stops_the_process() {
        let reference = "{{resolve:secretsmanager:latchkey/dev/trace-key:SecretString:key}}";
        for text in ["", "short", reference] {
            assert_eq!(
                read_with("LATCHKEY_TRACE_KEY", text).unwrap_err(),
                Missing(vec!["LATCHKEY_TRACE_KEY"]),
                "{text}"
            );
        }
    }

    #[test]
    fn the_services_address_knows_its_host_and_has_no_slash_at_its_end() {
        for (text, url, host) in [
            ("https://API.example.com/", "https://API.example.com", "api.example.com"),
            ("http://127.0.0.1:9300", "http://127.0.0.1:9300", "127.0.0.1"),
        ] {
            let address = read_with("LATCHKEY_PUBLIC_URL", text).unwrap().public_url.unwrap();
            assert_eq!((address.as_str(), address.is_at(host), address.is_at("")), (url, true, false));
        }
        assert!(!read_with("LATCHKEY_PUBLIC_URL", "no address").unwrap().public_url.unwrap().is_at("no address"));
    }

    #[test]
    fn a_quota_that_is_no_number_or_out_of_bounds_stops_the_process() {
        let (users, tenants) = ("LATCHKEY_ROWS_PER_END_USER", "LATCHKEY_ROWS_PER_TENANT");
        assert_eq!(read_with(users, "").unwrap().row_quotas, RowQuotas::default());
        assert_eq!(read_with(users, "3").unwrap().row_quotas.per_end_user.get(), 3);
        assert_eq!(read_with(tenants, "80").unwrap().row_quotas.per_tenant.get(), 80);
        for (name, text) in [(users, "0"), (users, "many"), (tenants, "7"), (tenants, "100000001")] {
            assert_eq!(read_with(name, text).unwrap_err(), Missing(vec![name]), "{text}");
        }
    }

    #[test]
    fn endpoints_are_read_as_the_sdks_read_them() {
        let endpoints = |set: &[(&str, &str)]| {
            let set: Vec<_> = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let other = |name: &str| {
                let required = ["LATCHKEY_TABLE", "LATCHKEY_ADMIN_SECRET", "LATCHKEY_SECRET_PREFIX", "AWS_REGION"];
                (required.contains(&name) || name == "LATCHKEY_TRACE_KEY").then(|| "a".repeat(48))
            };
            let read = Config::read(move |name| {
                set.iter().find(|(set, _)| set == name).map(|(_, value)| value.clone()).or_else(|| other(name))
            });
            let Config { dynamodb_endpoint, secrets_manager_endpoint, .. } = read.unwrap();
            [dynamodb_endpoint, secrets_manager_endpoint].map(Option::unwrap_or_default)
        };
        let all = ("AWS_ENDPOINT_URL", "http://all");
        let one = ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://one");
        assert_eq!(endpoints(&[]), ["", ""]);
        assert_eq!(endpoints(&[all]), ["http://all", "http://all"]);
        assert_eq!(endpoints(&[all, one]), ["http://all", "http://one"]);
        assert_eq!(endpoints(&[all, ("AWS_ENDPOINT_URL_DYNAMODB", "")]), ["http://all", "http://all"]);
        for (ignored, expected) in [("true", ""), ("TRUE", ""), ("false", "http://all"), ("1", "http://all")] {
            let [dynamodb, _] = endpoints(&[all, ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", ignored)]);
            assert_eq!(dynamodb, expected, "{ignored}");
        }
    }

    #[test]
    fn a_signing_version_that_is_none_stops_the_process() {
        let read = |version: &'static str| read_with("LATCHKEY_DEFAULT_SIGNING_VERSION", version);
        for (text, version) in [("", SigningVersion::V1), ("v1", SigningVersion::V1), ("v2", SigningVersion::V2)] {
            assert_eq!(read(text).unwrap().default_signing_version, version, "{text}");
        }
        for text in ["V2", "2", "v3", " v2"] {
            assert_eq!(read(text).unwrap_err(), Missing(vec!["LATCHKEY_DEFAULT_SIGNING_VERSION"]), "{text}");
        }
    }

    #[test]
    fn passkeys_are_on_if_the_deployment_says_so_and_nothing_else_does() {
        for (text, is_on) in [("true", true), ("false", false), ("", false), ("TRUE", false), ("1", false)] {
            assert_eq!(read_with("LATCHKEY_PASSKEYS_ENABLED", text).unwrap().passkeys_enabled, is_on, "{text}");
        }
    }

    #[test]
    fn a_threshold_that_is_no_number_stops_the_process() {
        let read = |strikes: &'static str| read_with("LATCHKEY_STRIKES_TO_SUSPEND", strikes);
        assert_eq!(read("3").unwrap().strikes_to_suspend, 3);
        assert_eq!(read("").unwrap().strikes_to_suspend, 0);
        for text in ["-1", "three", "1.5"] {
            assert_eq!(read(text).unwrap_err(), Missing(vec!["LATCHKEY_STRIKES_TO_SUSPEND"]), "{text}");
        }
    }
}
