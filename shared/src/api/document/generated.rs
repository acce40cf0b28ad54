//! Files, and parts of files, that are generated: from the list of operations, and from other files.

use std::collections::BTreeSet;
use std::fmt;

use super::audience::Audience;
use super::index::{Page, index};
use crate::api::{OPERATIONS, OperationInfo, Surface};
use crate::auth::CredentialLocation;
use crate::domain::CredentialFault;
use crate::error::ErrorCode;

/// A file, or the part of one between two marker lines, that is made from the registry or from other files.
#[derive(Debug)]
pub struct Generated {
    /// Path of the file, from the root of the repository.
    pub path: &'static str,
    /// Marker lines around the generated part; `None` if the whole file is generated.
    pub between: Option<(&'static str, &'static str)>,
    /// Function that makes the text. It is given the pages, because this module reads no files.
    pub text: fn(&[Page]) -> String,
}

/// Everything that is generated.
pub static GENERATED: [Generated; 9] = [
    Generated { path: Audience::Everyone.path(), between: None, text: |_| openapi(Audience::Everyone) },
    Generated { path: Audience::Operator.path(), between: None, text: |_| openapi(Audience::Operator) },
    Generated { path: Audience::Developer.path(), between: None, text: |_| openapi(Audience::Developer) },
    Generated { path: "Cargo.toml", between: Some(("# <router>", "# </router>")), text: |_| router() },
    Generated {
        path: "docs/api/endpoints.md",
        between: Some(("<!-- <endpoints> -->", "<!-- </endpoints> -->")),
        text: |_| endpoints(),
    },
    Generated {
        path: "docs/api/errors.md",
        between: Some(("<!-- <codes> -->", "<!-- </codes> -->")),
        text: |_| codes(),
    },
    Generated {
        path: "docs/api/errors.md",
        between: Some(("<!-- <reasons> -->", "<!-- </reasons> -->")),
        text: |_| reasons(),
    },
    Generated {
        path: "docs/architecture.md",
        between: Some(("<!-- <keys> -->", "<!-- </keys> -->")),
        text: |_| keys(),
    },
    Generated { path: "llms.txt", between: None, text: index },
];

/// A file has no such line, so there is no place for what is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingMarker(pub &'static str);

impl fmt::Display for MissingMarker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the marker line `{}` is missing, or stands before the one that begins the part", self.0)
    }
}

impl std::error::Error for MissingMarker {}

impl Generated {
    /// The file's new text, given its present text.
    ///
    /// # Errors
    /// If a marker is missing.
    pub fn renew(&self, present: &str, pages: &[Page]) -> Result<String, MissingMarker> {
        let Some((from, to)) = self.between else { return Ok((self.text)(pages)) };
        let (before, rest) = present.split_once(&format!("{from}\n")).ok_or(MissingMarker(from))?;
        let (_, after) = rest.split_once(to).ok_or(MissingMarker(to))?;
        Ok(format!("{before}{from}\n{}{to}{after}", (self.text)(pages)))
    }
}

fn openapi(audience: Audience) -> String {
    format!("{:#}\n", super::document(audience))
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
            (Surface::Registry, _) => "`X-Admin-Key` or console session".to_owned(),
            (_, None) => "none".to_owned(),
            (Surface::Account, _) if entry.security.len() > 1 => "account key or scoped token".to_owned(),
            (Surface::Account, _) => "account key".to_owned(),
            (Surface::Relay, _) => "signature".to_owned(),
            (Surface::Console, Some(CredentialLocation::Header(_))) => "console link".to_owned(),
            (_, Some(CredentialLocation::Header(name))) => format!("`{name}`"),
            (Surface::Console, _) => "console session".to_owned(),
            (_, Some(CredentialLocation::Dpop)) => "device session".to_owned(),
            (Surface::Device, _) => "pairing proof or handle".to_owned(),
            (_, Some(CredentialLocation::Bearer | CredentialLocation::Basic)) => "API key".to_owned(),
        };
        let paths = paths.join(", ");
        format!("| {method} {paths} | {summary} | {credential} | [`{name}`](../../functions/src/bin/{name}.rs) |\n")
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

fn reasons() -> String {
    let rows: Vec<_> =
        CredentialFault::ALL.iter().map(|(name, meaning)| format!("| `{name}` | {meaning} |\n")).collect();
    format!("| `reason` | What is wrong |\n|---|---|\n{}", rows.concat())
}

/// The tables of the key layout, from where they stand beside the code: those of items, then those of indexes.
fn keys() -> String {
    let mut tables =
        [include_str!("../../store/keys.rs"), include_str!("../../store/account/keys.rs")].map(tables).concat();
    tables.sort_by_key(|table| table.starts_with("| Index |"));
    tables.join("\n")
}

/// The tables in the comment at the head of a source.
fn tables(source: &str) -> Vec<String> {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim_start);
    let mut tables = vec![String::new()];
    for line in lines {
        match tables.last_mut() {
            Some(table) if line.starts_with('|') => table.extend([line, "\n"]),
            Some(table) if !table.is_empty() => tables.push(String::new()),
            _ => {}
        }
    }
    tables.retain(|table| !table.is_empty());
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: Generated =
        Generated { path: "a.md", between: Some(("<!-- <a> -->", "<!-- </a> -->")), text: |_| "new\n".to_owned() };

    #[test]
    fn what_is_between_the_markers_is_renewed_and_nothing_else() {
        let present = "before\n<!-- <a> -->\nold\n<!-- </a> -->\nafter\n";
        let due = "before\n<!-- <a> -->\nnew\n<!-- </a> -->\nafter\n";
        assert_eq!(PART.renew(present, &[]).unwrap(), due);
        assert_eq!(PART.renew(due, &[]).unwrap(), due);
    }

    #[test]
    fn a_marker_that_is_missing_is_named() {
        for (present, missing) in [
            ("", "<!-- <a> -->"),
            ("<!-- </a> -->\n", "<!-- <a> -->"),
            ("<!-- <a> -->\nold\n", "<!-- </a> -->"),
            ("<!-- </a> -->\n<!-- <a> -->\nold\n", "<!-- </a> -->"),
        ] {
            let refused = PART.renew(present, &[]).unwrap_err();
            assert!(refused.to_string().contains(&format!("`{missing}`")), "{refused}");
        }
    }

    #[test]
    fn a_table_ends_with_its_lines_and_code_has_none() {
        let source = "//! Text.\n//!\n//! | A |\n//! |---|\n//!\n//! | B |\n//! More.\n\nuse x;\n//! | C |\n";
        assert_eq!(tables(source), ["| A |\n|---|\n", "| B |\n"]);
    }

    #[test]
    fn the_key_layout_has_both_tables_of_items_and_that_of_indexes() {
        let keys = keys();
        let heads: Vec<_> =
            keys.lines().filter(|line| line.contains("What it holds") || line.contains("Who is")).collect();
        assert_eq!(heads.len(), 3, "{keys}");
        assert!(heads[2].starts_with("| Index |"));
    }
}
