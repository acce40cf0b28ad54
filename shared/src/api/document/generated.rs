//! Files, and parts of files, that are generated from the list of operations.

use std::collections::BTreeSet;

use crate::api::{OPERATIONS, OperationInfo, Surface};
use crate::auth::CredentialLocation;
use crate::error::ErrorCode;

/// A file, or the part of one between two marker lines, that is made from the registry.
#[derive(Debug)]
pub struct Generated {
    /// Path of the file, from the root of the repository.
    pub path: &'static str,
    /// Marker lines around the generated part; `None` if the whole file is generated.
    pub between: Option<(&'static str, &'static str)>,
    /// Function that makes the text.
    pub text: fn() -> String,
}

/// Everything that is generated.
pub static GENERATED: [Generated; 4] = [
    Generated { path: "shared/openapi.json", between: None, text: openapi },
    Generated { path: "Cargo.toml", between: Some(("# <router>", "# </router>")), text: router },
    Generated { path: "README.md", between: Some(("<!-- <endpoints> -->", "<!-- </endpoints> -->")), text: endpoints },
    Generated { path: "README.md", between: Some(("<!-- <codes> -->", "<!-- </codes> -->")), text: codes },
];

impl Generated {
    /// The file's new text, given its present text. `None` if a marker is missing.
    pub fn renew(&self, present: &str) -> Option<String> {
        let Some((from, to)) = self.between else { return Some((self.text)()) };
        let (before, rest) = present.split_once(&format!("{from}\n"))?;
        let (_, after) = rest.split_once(to)?;
        Some(format!("{before}{from}\n{}{to}{after}", (self.text)()))
    }
}

fn openapi() -> String {
    format!("{:#}\n", super::document())
}

/// The routes for `cargo lambda watch`. Each with its method, because a route without one takes every method.
fn router() -> String {
    let mut seen = BTreeSet::new();
    let routes: Vec<_> = OPERATIONS
        .iter()
        .flat_map(|entry| entry.route.paths())
        .filter(|path| seen.insert(*path))
        .map(|path| {
            let of_path = OPERATIONS.iter().filter(|entry| entry.route.paths().any(|other| other == path));
            let methods: Vec<_> = of_path
                .map(|entry| {
                    let (method, function) = (entry.route.method.as_str(), entry.route.function);
                    format!("{{ method = \"{method}\", function = \"{function}\" }}")
                })
                .collect();
            format!("\"{path}\" = [{}]\n", methods.join(", "))
        })
        .collect();
    format!("[workspace.metadata.lambda.watch.router]\n{}", routes.concat())
}

fn endpoints() -> String {
    let row = |entry: &OperationInfo| {
        let (method, name, summary) = (entry.route.method.as_str(), entry.route.function, entry.route.summary);
        let paths: Vec<_> = entry.route.paths().map(|path| format!("`{path}`")).collect();
        let credential = match (entry.surface, entry.security.first().map(|scheme| scheme.location)) {
            (_, None) => "none".to_owned(),
            (Surface::Account, _) if entry.security.len() > 1 => "account key or scoped token".to_owned(),
            (Surface::Account, _) => "account key".to_owned(),
            (Surface::Relay, _) => "signature".to_owned(),
            (_, Some(CredentialLocation::Header(name))) => format!("`{name}`"),
            (_, Some(CredentialLocation::Bearer)) => "API key".to_owned(),
        };
        let paths = paths.join(", ");
        format!("| {method} {paths} | {summary} | {credential} | [`{name}`](functions/src/bin/{name}.rs) |\n")
    };
    let rows: Vec<_> = OPERATIONS.iter().map(row).collect();
    format!("| Method and path | What it does | Credential | Function |\n|---|---|---|---|\n{}", rows.concat())
}

fn codes() -> String {
    let row = |code: &ErrorCode| {
        let (status, elsewhere) = (code.status(), Surface::Projects.status(*code));
        let note = if status == elsewhere { String::new() } else { format!(" ({elsewhere} on projects and tokens)") };
        format!("| {status}{note} | `{}` | {} |\n", code.as_str(), code.meaning())
    };
    let rows: Vec<_> = ErrorCode::ALL.iter().map(row).collect();
    format!("| Status | Code | Meaning |\n|---|---|---|\n{}", rows.concat())
}
