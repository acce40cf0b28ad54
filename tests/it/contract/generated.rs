//! What is made from the registry is as the registry would make it now.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::api::{
    Audience, BodyRule, GENERATED, Method, OPERATIONS, PAGE_ROOTS, Page, Surface, document, is_foreign, is_page,
};
use shared::error::ErrorCode;
use stack::speed;

use crate::support::repository;

/// The pages at and below a path.
fn pages(path: &str) -> Vec<Page> {
    let file = repository().join(path);
    if file.is_dir() {
        let names = std::fs::read_dir(&file).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        return names.filter(|name| !is_foreign(name)).flat_map(|name| pages(&format!("{path}/{name}"))).collect();
    }
    if is_page(path) { vec![(path.to_owned(), std::fs::read_to_string(file).unwrap())] } else { Vec::new() }
}

#[test]
fn generated_files_are_up_to_date() {
    let pages: Vec<_> = PAGE_ROOTS.into_iter().flat_map(pages).collect();
    for generated in &GENERATED {
        let path = generated.path;
        let present = std::fs::read_to_string(repository().join(path))
            .unwrap_or_else(|error| panic!("{path} cannot be read: {error}: run `cargo sync`"));
        let due = generated.renew(&present, &pages).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(due == present, "{path} is out of date: run `cargo sync`");
    }
}

/// What is promised of speed is what `.ci/run speed` compares.
#[test]
fn the_page_shows_the_table_of_what_hot_requests_cost() {
    let read = |path: &str| std::fs::read_to_string(repository().join(path)).unwrap();
    let (text, page) = (read(speed::PATH), read(speed::PAGE));
    let table = speed::Table::parse(&text).unwrap();
    assert_eq!(table.text(), text, "written by hand: run `cargo figures speed --write`");
    assert!(table.rows.len() >= 7, "the table lacks operations");
    assert!(
        table.shown_in(&page).unwrap() == page,
        "{} is out of date: run `cargo figures speed --write`",
        speed::PAGE
    );
}

/// In a generated table, paths are from the folder of its file.
#[test]
fn links_of_generated_files_lead_to_files() {
    let mut seen = 0;
    for path in GENERATED.iter().map(|generated| generated.path) {
        let text = std::fs::read_to_string(repository().join(path)).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let is_elsewhere = target.is_empty() || target.contains("://");
            let file = repository().join(path).parent().unwrap().join(target);
            assert!(is_elsewhere || file.exists(), "{path} links to {target}");
            seen += 1;
        }
    }
    assert!(seen > OPERATIONS.len(), "{seen}");
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
    let document = document(Audience::Everyone);
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
        // Those whose answer is a token, or that are about one, remember nothing.
        let of_tokens = ["user-token", "auth-token", "register-tenant", "introspect", "revoke-token"];
        let of_tokens = [&of_tokens[..], &["open-console-session"]].concat();
        // A signed call, and a device's proof, are good once by themselves.
        let forgets =
            of_tokens.contains(&entry.route.name) || matches!(entry.surface, Surface::Relay | Surface::Device);
        let changes = entry.route.method == Method::Post && !forgets;
        assert_eq!(takes_key, changes, "{}", entry.route.name);
        assert_eq!(operation["tags"], json!([entry.surface.name()]), "{}", entry.route.name);
    }
}

#[test]
fn only_four_answers_can_show_a_secret() {
    let document = document(Audience::Everyone);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let secret = "\"#/components/schemas/RevealedSecret\"";
    let showing = schemas.iter().filter(|(_, schema)| schema.to_string().contains(secret));
    let names: Vec<_> = showing.map(|(name, _)| name.as_str()).collect();
    let known = ["ProvisionedApiKey", "ProvisionedTenant", "RotatedApiKey", "RotatedSecret"];
    assert_eq!(names, known, "a new place where a secret leaves is a decision");
}

#[test]
fn every_operation_is_for_operators_or_for_developers_and_is_described_alike_everywhere() {
    let [whole, operator, developer] = Audience::ALL.map(|audience| document(audience)["paths"].clone());
    let listed =
        |paths: &Value| paths.as_object().unwrap().values().map(|path| path.as_object().unwrap().len()).sum::<usize>();
    let mut seen = 0;
    for entry in OPERATIONS {
        let method = entry.route.method.as_str().to_lowercase();
        for path in entry.route.paths() {
            let described = |paths: &Value| paths.get(path).and_then(|path| path.get(&method)).cloned();
            let (operators, developers) = (described(&operator), described(&developer));
            assert_eq!(operators.is_some(), entry.surface == Surface::Registry, "{}", entry.route.name);
            assert_ne!(operators.is_some(), developers.is_some(), "{}: in one of the two", entry.route.name);
            assert_eq!(operators.or(developers), described(&whole), "{}", entry.route.name);
            seen += 1;
        }
    }
    assert_eq!((listed(&whole), listed(&operator) + listed(&developer)), (seen, seen), "and nothing else");
}

/// What is referred to anywhere below.
fn references(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(fields) => {
            let own =
                fields.get("$ref").and_then(Value::as_str).map(|name| name.rsplit('/').next().unwrap().to_owned());
            own.into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(values) => values.iter().flat_map(references).collect(),
        _ => BTreeSet::new(),
    }
}

#[test]
fn a_document_has_the_schemas_credentials_and_tags_that_its_operations_use_and_no_others() {
    let whole = document(Audience::Everyone);
    for audience in Audience::ALL {
        let document = document(audience);
        let components = &document["components"];
        let schemas = components["schemas"].as_object().unwrap();
        let mut used = references(&document["paths"]);
        loop {
            let more: BTreeSet<_> = used.iter().flat_map(|name| references(&schemas[name])).collect();
            if more.is_subset(&used) {
                break;
            }
            used.extend(more);
        }
        assert_eq!(used, schemas.keys().cloned().collect(), "{audience:?}");
        for (name, schema) in schemas {
            assert_eq!(schema, &whole["components"]["schemas"][name], "{audience:?}: {name}");
        }
        let operations =
            || document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
        let credentials: BTreeSet<_> = operations()
            .flat_map(|operation| operation["security"].as_array().unwrap())
            .flat_map(|scheme| scheme.as_object().unwrap().keys())
            .collect();
        assert_eq!(credentials, components["securitySchemes"].as_object().unwrap().keys().collect(), "{audience:?}");
        let callbacks = document.get("webhooks").and_then(Value::as_object).into_iter().flat_map(|all| all.values());
        let callbacks = callbacks.flat_map(|path| path.as_object().unwrap().values());
        let tagged = operations().chain(callbacks).flat_map(|operation| operation["tags"].as_array().unwrap());
        let tags: BTreeSet<_> = tagged.map(Value::as_str).collect();
        let declared = document["tags"].as_array().unwrap();
        assert_eq!(tags, declared.iter().map(|tag| tag["name"].as_str()).collect(), "{audience:?}");
        for text in declared.iter().map(|tag| &tag["description"]).chain([&document["info"]["description"]]) {
            assert!(text.as_str().is_some_and(|text| text.trim_end().ends_with('.')), "{audience:?}: {text}");
        }
    }
}

#[test]
fn the_document_shows_the_example_of_a_route_wherever_its_body_may_be() {
    let document = document(Audience::Everyone);
    let mut seen = 0;
    for entry in OPERATIONS.iter().filter(|entry| entry.has_body()) {
        let operation = &document["paths"][entry.route.path][&entry.route.method.as_str().to_lowercase()];
        let content = operation["requestBody"]["content"].as_object().unwrap();
        let is_form = entry.route.body == BodyRule::Form;
        let expected = if is_form { "application/x-www-form-urlencoded" } else { "application/json" };
        assert_eq!(content.keys().collect::<Vec<_>>(), [expected], "{}", entry.route.name);
        let example: Option<Value> = serde_json::from_str(entry.route.body_example).ok();
        assert_eq!(example.is_none(), entry.route.body_example.is_empty(), "{}", entry.route.name);
        for media in content.values() {
            assert_eq!(media.get("example"), example.as_ref(), "{}", entry.route.name);
        }
        seen += usize::from(example.is_some());
    }
    assert!(seen > 20, "{seen}");
}

/// What an object, a variant or a property is, in a sentence of more than three words. A reference has it at its
/// schema.
fn check_described(name: &str, schema: &Value) {
    let words = schema["description"].as_str().unwrap_or_default().split_whitespace().count();
    assert!(words > 3 || schema.get("$ref").is_some(), "{name} is not described: {schema}");
    for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
        check_described(&format!("{name}.{field}"), schema);
    }
}

#[test]
fn every_schema_and_every_field_is_described() {
    let document = document(Audience::Everyone);
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        check_described(name, schema);
    }
}
