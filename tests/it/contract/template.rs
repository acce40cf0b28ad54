//! The template, function by function, against the registry.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use shared::api::{OPERATIONS, SCHEDULED, Surface};
use stack::template::{Api, Throttle};

use crate::support::{Deployment, SECRET_FOLDERS, repository};

/// `provision-tenant` is `ProvisionTenant`.
fn pascal_case(name: &str) -> String {
    name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

#[tokio::test]
async fn each_operation_has_exactly_one_function_with_its_name_binary_and_path() {
    let deployment = Deployment::start().await;
    let functions = &deployment.stack.template().functions;
    let by_binary: BTreeMap<_, _> = functions.iter().map(|function| (function.binary.as_str(), function)).collect();
    let names: BTreeSet<_> =
        OPERATIONS.iter().map(|entry| entry.route.function).chain(SCHEDULED.iter().copied()).collect();
    let deployed: BTreeSet<_> = by_binary.keys().copied().collect();
    let missing: Vec<_> = names.difference(&deployed).collect();
    assert!(missing.is_empty(), "template.yaml has no function for {missing:?}");
    assert_eq!(deployed, names, "template.yaml has a function that OPERATIONS has not");
    assert_eq!(functions.len(), names.len());
    for entry in OPERATIONS {
        let function = by_binary[entry.route.function];
        assert_eq!(function.logical_id, format!("{}Function", pascal_case(entry.route.function)));
        let paths: BTreeSet<_> = function.routes.iter().map(|route| route.path.as_str()).collect();
        let of_function = OPERATIONS.iter().filter(|other| other.route.function == entry.route.function);
        assert_eq!(paths, of_function.flat_map(|other| other.route.paths()).collect(), "{}", entry.route.name);
        // A wrong method reaches the function, which says 405; the gateway alone would say 404.
        assert!(function.routes.iter().all(|route| route.method == "ANY"));
        assert!(!function.schedule);
    }
    for &name in SCHEDULED {
        let function = by_binary[name];
        assert!(function.schedule && function.routes.is_empty());
        assert_eq!(function.logical_id, format!("{}Function", pascal_case(name)));
    }
}

#[tokio::test]
async fn no_permission_is_for_everything() {
    let deployment = Deployment::start().await;
    for function in &deployment.stack.template().functions {
        for statement in &function.statements {
            for action in &statement.actions {
                assert!(!action.contains('*'), "{} may do {action}", function.binary);
            }
            for resource in &statement.resources {
                let ours = resource.contains("latchkey");
                assert!(ours && resource.starts_with("arn:aws:"), "{} may reach {resource}", function.binary);
                let secrets = SECRET_FOLDERS.iter().any(|folder| resource.ends_with(&format!("/{folder}/*")));
                // A table has a stream of another name each time that its stream is turned on.
                let streams = statement.actions.iter().any(|action| action == "dynamodb:ListStreams");
                let prefix =
                    (secrets || streams && resource.ends_with("/stream/*")) && resource.matches('*').count() == 1;
                assert!(prefix || !resource.contains('*'), "{} may reach {resource}", function.binary);
            }
        }
    }
}

#[tokio::test]
async fn only_the_functions_that_need_it_may_reach_a_tenants_secret() {
    let deployment = Deployment::start().await;
    let mut given: BTreeMap<(&str, String), BTreeSet<String>> = BTreeMap::new();
    for function in &deployment.stack.template().functions {
        for statement in &function.statements {
            let scan = statement.actions.iter().any(|action| action == "dynamodb:Scan");
            assert!(!scan, "{} may scan", function.binary);
            for folder in SECRET_FOLDERS {
                let reaches = |resource: &String| resource.contains(&format!("/{folder}/"));
                for action in statement.actions.iter().filter(|_| statement.resources.iter().any(reaches)) {
                    given.entry((folder, action.clone())).or_default().insert(function.binary.clone());
                }
            }
        }
    }
    // What makes or verifies signatures of calls and callbacks must not read what signs tokens, nor the other way
    // round. A pairing proof is a token that a signed call asks for.
    let relay = OPERATIONS.iter().filter(|entry| entry.surface == Surface::Relay);
    let verify: Vec<_> = relay.map(|entry| entry.route.function).chain(["deliver-callbacks"]).collect();
    let issue = ["auth-token", "register-tenant", "relay-prepare-pairing", "user-token"];
    let expected = [
        ("tenants", "CreateSecret", &["provision-tenant"][..]),
        ("tenants", "TagResource", &["provision-tenant"]),
        ("tenants", "DeleteSecret", &["reconcile"]),
        ("tenants", "GetSecretValue", &verify),
        ("tenants", "PutSecretValue", &["console-rotate-tenant-secret", "rotate-tenant-secret"]),
        ("signing-keys", "CreateSecret", &["provision-tenant"]),
        ("signing-keys", "TagResource", &["provision-tenant"]),
        ("signing-keys", "DeleteSecret", &["reconcile"]),
        ("signing-keys", "GetSecretValue", &issue),
        ("signing-keys", "PutSecretValue", &["rotate-signing-key"]),
    ];
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let expected: BTreeMap<_, _> = expected
        .iter()
        .map(|(folder, action, functions)| ((*folder, format!("secretsmanager:{action}")), owned(functions)))
        .collect();
    assert_eq!(given, expected);
}

#[tokio::test]
async fn every_function_has_the_trace_key_and_none_may_read_its_secret() {
    let deployment = Deployment::start().await;
    let secrets = deployment.stack.secrets().snapshot();
    let secret = secrets.iter().find(|secret| secret.name == "latchkey/dev/trace-key").unwrap();
    let stored: serde_json::Value = serde_json::from_str(&secret.versions[0].value).unwrap();
    for function in &deployment.stack.template().functions {
        assert_eq!(function.environment["LATCHKEY_TRACE_KEY"], stored["key"], "{}", function.binary);
        for statement in &function.statements {
            let reaches = statement.resources.iter().any(|resource| resource.contains("trace-key"));
            assert!(!reaches, "{} may read the trace key's secret", function.binary);
        }
    }
    assert_ne!(stored["key"], deployment.key());
}

#[tokio::test]
async fn a_function_answers_before_its_timeout() {
    let deployment = Deployment::start().await;
    for function in &deployment.stack.template().functions {
        let timeout = Duration::from_secs(u64::from(u32::try_from(function.timeout_seconds).unwrap()));
        assert!(timeout > shared::runtime::BUDGET, "{}", function.binary);
    }
}

#[test]
fn the_table_and_the_secret_are_kept_safe() {
    let text = std::fs::read_to_string(repository().join("template.yaml")).unwrap();
    for line in [
        "BillingMode: PAY_PER_REQUEST",
        "PointInTimeRecoveryEnabled: true",
        "SSEEnabled: true",
        "DeletionProtectionEnabled: !Ref DeletionProtection",
        "AttributeName: purge_at",
        "PasswordLength: 48",
        "ThrottlingRateLimit: !Ref ThrottleRate",
        "Tracing: !Ref Tracing",
        "Architectures: [!Ref Architecture]",
    ] {
        assert!(text.contains(line), "{line}");
    }
    let groups = text.matches("Type: AWS::Logs::LogGroup").count();
    assert_eq!(
        text.matches("RetentionInDays: !Ref LogRetentionDays").count(),
        groups,
        "each log group has a retention"
    );
}

/// The operator's routes are on APIs of their own, and no others are there: a throttle counts all callers of a route
/// together, and before anybody looks at a credential.
#[tokio::test]
async fn each_route_is_on_the_apis_of_its_surface_and_has_their_rate() {
    let deployment = Deployment::start().await;
    let template = deployment.stack.template();
    let text = std::fs::read_to_string(repository().join("template.yaml")).unwrap();
    let rate = |name: &str| {
        let (_, parameter) = text.split_once(&format!("\n  {name}:\n")).unwrap();
        let (_, rest) = parameter.split_once("Default: ").unwrap();
        rest.lines().next().unwrap().parse::<u64>().unwrap()
    };
    let throttle = |kind: &str| {
        let [rate, burst] = ["Rate", "Burst"].map(|part| rate(&format!("{kind}Throttle{part}")));
        Some(Throttle { rate, burst })
    };
    let expected = [("Api", "Tenant", false), ("OperatorApi", "", false), ("OperatorIamApi", "", true)];
    let expected =
        expected.map(|(id, kind, needs_principal)| (id.to_owned(), Api { throttle: throttle(kind), needs_principal }));
    assert_eq!(template.apis, BTreeMap::from(expected));
    for entry in OPERATIONS {
        let function = template.functions.iter().find(|function| function.binary == entry.route.function).unwrap();
        let of_path = function.routes.iter().filter(|route| entry.route.paths().any(|path| path == route.path));
        let apis: BTreeSet<_> = of_path.clone().map(|route| route.api.as_str()).collect();
        let expected = match entry.surface {
            Surface::Registry => BTreeSet::from(["OperatorApi", "OperatorIamApi"]),
            // Whose console it is, the link's code says. A page calls its own origin only, which has the registry then.
            _ if ["/api/v1/console/session", "/console", "/pages/{version}/{file}"].contains(&entry.route.path) => {
                BTreeSet::from(["Api", "OperatorApi", "OperatorIamApi"])
            }
            _ => BTreeSet::from(["Api"]),
        };
        assert_eq!(apis, expected, "{}", entry.route.name);
        let routes = expected.len() * entry.route.paths().count();
        assert_eq!(of_path.count(), routes, "{}: each of its APIs has each of its paths", entry.route.name);
    }
}

/// The access log has values without names, so a filter finds them by their places. With a column too many before
/// `status` the alarm would count something else, and nobody would notice.
#[test]
fn the_filter_of_throttled_requests_and_the_documents_have_the_columns_of_the_access_log() {
    let template = std::fs::read_to_string(repository().join("template.yaml")).unwrap();
    let format = template.split("Format: >-").nth(1).unwrap().split("\n\n").next().unwrap();
    let columns = [
        ("$context.requestId", "request_id"),
        ("$context.integration.requestId", "function_request_id"),
        ("$context.identity.sourceIp", "ip"),
        ("$context.httpMethod", "method"),
        ("$context.status", "status"),
        ("$context.integration.integrationStatus", "function_status"),
        ("$context.error.responseType", "error"),
        ("$context.responseLatency", "latency_ms"),
        ("$context.integration.latency", "function_latency_ms"),
        ("$context.responseLength", "response_bytes"),
        ("\"$context.routeKey\"", "route"),
    ];
    assert_eq!(format.split_whitespace().collect::<Vec<_>>(), columns.map(|(value, _)| value));
    let conditions = columns.iter().map(|(_, name)| match *name {
        "function_request_id" => r#"function_request_id = "-""#,
        "status" => "status = 429",
        name => name,
    });
    // The others follow unnamed (decision 0050).
    let filter = format!("FilterPattern: '[{}, ...]'", conditions.take(5).collect::<Vec<_>>().join(", "));
    assert!(template.contains(&filter), "{filter}");
    let observability = std::fs::read_to_string(repository().join("docs/operate/observability.md")).unwrap();
    let named = columns.map(|(_, name)| name);
    let query = format!("parse @message '{}\"*\"' as {}\n", "* ".repeat(named.len() - 1), named.join(", "));
    let query = query.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(observability.split_whitespace().collect::<Vec<_>>().join(" ").contains(&query), "{query}");
}
