//! A secret leaves a process once, in one answer: not in a log, not in an item, not in an error.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::api::{OPERATIONS, Surface};

use crate::support::{Deployment, Tenant, repository};

#[tokio::test]
async fn no_secret_body_or_attempt_is_in_the_output_at_any_level() {
    // No variable makes a difference: what is written is a constant.
    let loud =
        |builder: stack::StackBuilder| builder.variable("RUST_LOG", "trace").variable("AWS_LAMBDA_LOG_LEVEL", "TRACE");
    let deployment = Deployment::start_with(loud).await;
    let marker = "marker-7c1e";
    let mut secrets = vec![deployment.key().to_owned()];
    let body = json!({ "tenant_name": marker, "callback_url_base": format!("https://{marker}.example.com") });
    let call = deployment.operator("POST", "/api/v1/provision/tenant").header("idempotency-key", marker).json(&body);
    let provisioned = call.send().await;
    let tenant = Tenant::of(&provisioned);
    let rotated = deployment.rotate(&tenant, 60).await;
    for shown in [provisioned.data(201), rotated.data(200)] {
        secrets.extend(["tenant_secret", "webhook_secret"].map(|name| shown[name].as_str().unwrap().to_owned()));
    }
    let path = format!("/api/v1/suspend/tenant?tenant_id={}", tenant.id);
    deployment.post(&path, &json!({ "reason": marker })).await.data(200);
    for entry in OPERATIONS.iter().filter(|entry| entry.surface == Surface::Registry) {
        let path = format!("{}?tenant_id={marker}&{marker}={marker}", entry.route.path);
        let call = deployment.operator(entry.route.method.as_str(), &path).header("authorization", marker);
        assert_eq!(call.json(&json!({ marker: marker })).send().await.status, 422);
        let call = deployment.anonymous(entry.route.method.as_str(), entry.route.path).header("x-admin-key", marker);
        assert_eq!(call.send().await.status, 401);
    }
    let faults = deployment.stack.faults();
    faults.inject(stack::Fault::new(stack::Match::any(), stack::Effect::Status(500, "InternalServerError".to_owned())));
    deployment.get("/api/v1/fetch/tenants").await.refused(503, "temporarily_unavailable");
    let output = deployment.stack.output();
    assert!(output.lines().count() > 10, "{output}");
    for secret in &secrets {
        assert!(!output.contains(secret.as_str()), "a secret is in the output");
    }
    assert!(!output.contains(marker), "what a client sent is in the output");
}

#[tokio::test]
async fn no_secret_is_in_the_table_in_any_form_that_could_be_read() {
    let deployment = Deployment::start().await;
    let call = deployment.operator("POST", "/api/v1/provision/tenant").header("idempotency-key", "k");
    let provisioned = call.json(&json!({ "tenant_name": "Acme" })).send().await;
    let tenant = Tenant::of(&provisioned);
    let webhook_secret = provisioned.data(201)["webhook_secret"].as_str().unwrap();
    deployment.rotate(&tenant, 60).await.data(200);
    let items = Value::from(deployment.items().await).to_string();
    let stored: Value = serde_json::from_str(&deployment.stored_signing_key(&tenant.id).versions[0].2).unwrap();
    let private = stored["signing_key"]["d"].as_str().unwrap();
    assert_eq!(private.len(), 43, "32 bytes in base64url");
    for secret in [tenant.secret.as_str(), webhook_secret, deployment.key(), private] {
        let body = secret.trim_start_matches("sk_").trim_start_matches("whsec_");
        assert!(!items.contains(body));
    }
}

#[tokio::test]
async fn each_request_writes_one_line_and_nothing_else() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    deployment.fetch(&tenant).await;
    deployment.get("/api/v1/fetch/tenant?tenant_id=tnt_unknown").await.refused(404, "tenant_not_found");
    let answer = deployment.anonymous("GET", "/api/v1/fetch/tenants").send().await;
    let lines: Vec<Value> = deployment.stack.output().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    for line in &lines {
        assert_eq!((&line["stage"], &line["surface"]), (&json!("dev"), &json!("registry")));
        assert!(line["request_id"].is_string() && line["operation"].is_string() && line["latency_ms"].is_u64());
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
        assert!(!line.as_object().unwrap().values().any(Value::is_null), "{line}");
        assert_eq!(line.get("failures"), None, "none of them is a failure of ours");
    }
    // What it counts makes metrics, and the others need none.
    assert!(lines[..3].iter().all(|line| line.get("_aws").is_none()));
    let metrics = &lines[3]["_aws"]["CloudWatchMetrics"];
    assert_eq!(
        metrics,
        &json!([{
            "Namespace": "Latchkey",
            "Dimensions": [["stage", "surface"]],
            "Metrics": [{ "Name": "unauthorized" }],
        }])
    );
    assert!(lines[3]["_aws"]["Timestamp"].as_u64().unwrap() > 1_700_000_000_000);
    let facts = |line: &Value| {
        (line["operation"].clone(), line["status"].clone(), line["tenant_id"].clone(), line.get("cold_start").is_some())
    };
    assert_eq!(facts(&lines[0]), (json!("provision-tenant"), json!(201), json!(tenant.id), true));
    assert_eq!(facts(&lines[1]), (json!("fetch-tenant"), json!(200), json!(tenant.id), true));
    assert_eq!(facts(&lines[2]), (json!("fetch-tenant"), json!(404), json!("tnt_unknown"), false));
    assert_eq!((&lines[2]["code"], &lines[3]["code"]), (&json!("tenant_not_found"), &json!("unauthenticated")));
    assert_eq!(lines[3]["request_id"], answer.headers["x-request-id"].as_str());
}

/// All of them in a request's line, and not in that of a run by schedule.
#[tokio::test]
async fn the_metric_filter_reads_fields_that_a_line_has() {
    let deployment = Deployment::start().await;
    deployment.get("/api/v1/fetch/tenants").await.data(200);
    deployment.sweep().await;
    let template = std::fs::read_to_string(repository().join("template.yaml")).unwrap();
    let filter = template.split("\n  RequestLatency:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let names = filter.split("$.").skip(1).map(|rest| rest.split(|letter| !is_of_name(letter)).next().unwrap());
    let names: BTreeSet<_> = names.collect();
    assert_eq!(names, BTreeSet::from(["latency_ms", "operation", "stage", "surface"]));
    let lines: Vec<Value> = deployment.stack.output().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let has_all = |line: &Value| names.iter().all(|name| line.get(name).is_some());
    let counted: Vec<_> = lines.iter().filter(|line| has_all(line)).map(|line| &line["operation"]).collect();
    assert_eq!(counted, ["fetch-tenants"]);
    assert!(lines.len() > 1, "the sweep has a line too");
}

/// What alarms of the template count, by surface.
#[tokio::test]
async fn a_line_counts_what_alarms_are_for() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.key().to_owned();
    let wrong = "w".repeat(48);
    let call = |key: &str| deployment.anonymous("GET", "/api/v1/fetch/tenants").header("x-admin-key", key);
    call(&wrong).send().await.refused(401, "unauthenticated");
    call("of another shape").send().await;
    deployment.put_admin_keys(&json!({ "current": wrong, "previous": key }), '1');
    deployment.fetch(&tenant).await;
    let lines: Vec<Value> = deployment.stack.output().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let counted = |line: &Value| -> Vec<String> {
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten();
        let of_surface = directives.filter(|directive| directive["Dimensions"] == json!([["stage", "surface"]]));
        let metrics = of_surface.flat_map(|directive| directive["Metrics"].as_array().unwrap());
        let names = metrics.map(|metric| metric["Name"].as_str().unwrap().to_owned());
        names.inspect(|name| assert_eq!(line[name], 1)).collect()
    };
    let counted: Vec<_> = lines.iter().map(counted).collect();
    assert_eq!(counted[0], [""; 0]);
    assert_eq!(counted[1], ["unauthorized", "wrong_operator_key"]);
    assert_eq!(counted[2], ["unauthorized"]);
    assert_eq!(counted[3], ["previous_operator_key"]);
}
