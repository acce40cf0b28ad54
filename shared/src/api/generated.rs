//! What is written from the registry into files of the repository, and how.

use super::OPERATIONS;
use crate::error::ErrorCode;

/// A file, or the part of one between two marker lines, that is made from the registry.
#[derive(Debug)]
pub struct Generated {
    /// The file, from the root of the repository.
    pub path: &'static str,
    /// The lines that the part is between; `None` is the whole file.
    pub between: Option<(&'static str, &'static str)>,
    /// Makes it.
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
    /// The file's text as it has to be, given the text that it has. `None` if a marker is missing.
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
    let mut text = "[workspace.metadata.lambda.watch.router]\n".to_owned();
    for entry in &OPERATIONS {
        let (path, method, name) = (entry.route.path, entry.route.method.as_str(), entry.route.name);
        text.push_str(&format!("\"{path}\" = [{{ method = \"{method}\", function = \"{name}\" }}]\n"));
    }
    text
}

fn endpoints() -> String {
    let mut text = "| Method and path | What it does | Credential | Function |\n|---|---|---|---|\n".to_owned();
    for entry in &OPERATIONS {
        let route = &entry.route;
        text.push_str(&format!(
            "| {} `{}` | {} | `{}` | [`{name}`](functions/src/bin/{name}.rs) |\n",
            route.method.as_str(),
            route.path,
            route.summary,
            entry.security.header,
            name = route.name,
        ));
    }
    text
}

fn codes() -> String {
    let mut text = "| Status | Code | Meaning |\n|---|---|---|\n".to_owned();
    for code in ErrorCode::ALL {
        text.push_str(&format!("| {} | `{}` | {} |\n", code.status(), code.as_str(), code.meaning()));
    }
    text
}
