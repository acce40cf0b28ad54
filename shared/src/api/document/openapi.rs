//! The OpenAPI 3.1 documents, made from [`OPERATIONS`]: the whole one, and one for each audience.

use std::collections::{BTreeMap, BTreeSet};

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::audience::{Audience, CALLBACKS, description};
use super::parameters::parameters;
use super::plain::{allow_null, plain};
use super::refusals::refusals;
use super::responses::responses;
use super::webhooks::{TAG, webhooks};
use crate::api::OPERATIONS;
use crate::api::operation::{BodyRule, OperationInfo, Surface};
use crate::auth::{CredentialLocation, SecurityScheme};

/// The document for an audience: what it calls, with the schemas and credentials of that and no others. The schemas are
/// JSON Schema 2020-12, as OpenAPI 3.1 requires.
pub fn document(audience: Audience) -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into());
    // A field that may be absent from an input is always present in an output.
    let mut inputs = settings.clone().for_deserialize().into_generator();
    let mut outputs = settings.for_serialize().into_generator();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    let mut security = Map::new();
    // Inputs in which null is a field that was left out.
    let mut nulls_left_out = BTreeSet::new();
    for entry in OPERATIONS.iter().filter(|entry| audience.calls(entry.surface)) {
        let method = entry.route.method.as_str().to_lowercase();
        for (number, path) in entry.route.paths().enumerate() {
            let described = operation(entry, number, &mut inputs, &mut outputs);
            paths.entry(path).or_default().insert(method.clone(), described);
        }
        if entry.has_body() && !entry.is_patch {
            nulls_left_out.extend(name((entry.body)(&mut inputs).as_value()));
        }
        for scheme in entry.security {
            security.insert(scheme.name.to_owned(), security_scheme(scheme));
        }
    }
    // Who signs calls is who is called.
    let webhooks = audience.calls(Surface::Relay).then(|| webhooks(&mut outputs));
    let mut schemas = inputs.take_definitions(true);
    for name in nulls_left_out {
        schemas.get_mut(&name).into_iter().for_each(allow_null);
    }
    schemas.extend(outputs.take_definitions(true));
    for (name, schema) in audience.surfaces().flat_map(refusals) {
        schemas.insert(name.to_owned(), schema);
    }
    let surfaces = audience.surfaces().map(|surface| (surface.name(), description(surface)));
    let callbacks = webhooks.is_some().then_some((TAG, CALLBACKS));
    let tag = |(name, description): (&str, &str)| json!({ "name": name, "description": description });
    let tags: Vec<_> = surfaces.chain(callbacks).map(tag).collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": audience.title(),
            "description": audience.introduction(),
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "http://127.0.0.1:9000", "description": "Local server (`cargo dev`)" }],
        "tags": tags,
        "paths": paths,
        "components": { "schemas": schemas, "securitySchemes": security },
    });
    if let (Some(document), Some(webhooks)) = (document.as_object_mut(), webhooks) {
        document.insert("webhooks".to_owned(), webhooks.into());
    }
    plain(&mut document);
    document
}

/// The name of the schema that a reference is to.
fn name(reference: &Value) -> Option<String> {
    Some(reference.get("$ref")?.as_str()?.rsplit('/').next()?.to_owned())
}

fn security_scheme(scheme: &SecurityScheme) -> Value {
    let description = scheme.description;
    match scheme.location {
        CredentialLocation::Header(name) => {
            json!({ "type": "apiKey", "in": "header", "name": name, "description": description })
        }
        CredentialLocation::Bearer => json!({ "type": "http", "scheme": "bearer", "description": description }),
        CredentialLocation::Basic => json!({ "type": "http", "scheme": "basic", "description": description }),
        CredentialLocation::Dpop => json!({ "type": "http", "scheme": "dpop", "description": description }),
    }
}

/// An operation at its main path (0), or at one of its other paths, under an operation id of its own.
fn operation(
    entry: &OperationInfo,
    number: usize,
    inputs: &mut SchemaGenerator,
    outputs: &mut SchemaGenerator,
) -> Value {
    let alias = if number == 0 { String::new() } else { format!("Alias{number}") };
    let security: Vec<_> = entry.security.iter().map(|scheme| json!({ scheme.name: [] })).collect();
    let mut operation = json!({
        "operationId": format!("{}{alias}", camel_case(entry.route.name)),
        "summary": entry.route.summary,
        "tags": [entry.surface.name()],
        "security": security,
        "parameters": parameters(entry, inputs),
        "responses": responses(entry, outputs),
    });
    if let (Some(operation), true) = (operation.as_object_mut(), entry.has_body()) {
        let example = serde_json::from_str::<Value>(entry.route.body_example).ok();
        let mut media = json!({ "schema": (entry.body)(inputs) });
        if let (Some(media), Some(example)) = (media.as_object_mut(), example) {
            media.insert("example".to_owned(), example);
        }
        // What the RFCs define. JSON is taken there as well: with two forms of one body, some generators make code that
        // does not run.
        let is_form = entry.route.body == BodyRule::Form;
        let content = if is_form { "application/x-www-form-urlencoded" } else { "application/json" };
        let content = json!({ content: media });
        let body = json!({ "required": entry.route.body != BodyRule::Optional, "content": content });
        operation.insert("requestBody".to_owned(), body);
    }
    operation
}

/// `provision-tenant` is `provisionTenant`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| {
        let (initial, rest) = word.split_at_checked(1).unwrap_or_default();
        text + &initial.to_uppercase() + rest
    })
}
