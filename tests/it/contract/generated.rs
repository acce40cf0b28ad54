//! What is made from the registry is as the registry would make it now.

use shared::api::{GENERATED, OPERATIONS};
use shared::error::ErrorCode;

use crate::support::repository;

#[test]
fn generated_files_are_up_to_date() {
    for generated in &GENERATED {
        let present = std::fs::read_to_string(repository().join(generated.path)).unwrap();
        let due = generated.renew(&present).expect("a marker line is missing");
        assert!(due == present, "{} is out of date: run `cargo sync`", generated.path);
    }
}

#[test]
fn the_router_of_cargo_lambda_has_each_route_with_its_method() {
    let manifest: toml::Value =
        std::fs::read_to_string(repository().join("Cargo.toml")).unwrap().parse::<toml::Table>().unwrap().into();
    let router = manifest["workspace"]["metadata"]["lambda"]["watch"]["router"].as_table().unwrap();
    let routes: usize = router.values().map(|routes| routes.as_array().unwrap().len()).sum();
    assert_eq!(routes, OPERATIONS.iter().map(|entry| entry.route.paths().count()).sum::<usize>());
    for (entry, path) in OPERATIONS.iter().flat_map(|entry| entry.route.paths().map(move |path| (entry, path))) {
        let routes = router[path].as_array().unwrap();
        let found = routes.iter().any(|route| {
            route["method"].as_str() == Some(entry.route.method.as_str())
                && route["function"].as_str() == Some(entry.route.function)
        });
        assert!(found, "{}", entry.route.name);
    }
}

#[test]
fn the_document_has_every_operation_with_its_credential_and_its_refusals() {
    let document = shared::api::document();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    for entry in OPERATIONS {
        let operation = &paths[entry.route.path][&entry.route.method.as_str().to_lowercase()];
        for (number, scheme) in entry.security.iter().enumerate() {
            assert!(operation["security"][number].get(scheme.name).is_some());
        }
        let refused = entry.surface.status(ErrorCode::InvalidField).to_string();
        for status in [entry.route.status.to_string().as_str(), "400", &refused, "405", "500", "503"] {
            assert!(operation["responses"].get(status).is_some(), "{} {status}", entry.route.name);
        }
        assert_eq!(operation["responses"].get("401").is_some(), !entry.security.is_empty(), "{}", entry.route.name);
        for path in entry.route.paths() {
            assert!(paths.contains_key(path), "{path}");
        }
        let headers = operation["parameters"].as_array().unwrap();
        let takes_key = headers.iter().any(|parameter| parameter["name"] == "Idempotency-Key");
        assert_eq!(takes_key, entry.is_change(), "{}", entry.route.name);
    }
}

#[test]
fn only_four_answers_can_show_a_secret() {
    let document = shared::api::document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let secret = "\"#/components/schemas/RevealedSecret\"";
    let showing = schemas.iter().filter(|(_, schema)| schema.to_string().contains(secret));
    let names: Vec<_> = showing.map(|(name, _)| name.as_str()).collect();
    let known = ["ProvisionedApiKey", "ProvisionedTenant", "RotatedApiKey", "RotatedSecret"];
    assert_eq!(names, known, "a new place where a secret leaves is a decision");
}
