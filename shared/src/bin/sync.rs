//! `cargo sync`: writes what is generated from the registry of operations, and the index of the documents.

#![expect(clippy::print_stderr, reason = "what failed is for whoever runs it; no function has this code")]

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use shared::api::{GENERATED, Generated, PAGE_ROOTS, Page, is_foreign, is_page};

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut pages = Vec::new();
    for path in PAGE_ROOTS {
        if let Err(error) = read(&root, path, &mut pages) {
            eprintln!("sync: {error}");
            return ExitCode::FAILURE;
        }
    }
    let mut outcome = ExitCode::SUCCESS;
    for generated in &GENERATED {
        // Not ended here: one file without its marker must not keep the others from being up to date.
        if let Err(error) = renew(&root, generated, &pages) {
            eprintln!("sync: {}: {error}", generated.path);
            outcome = ExitCode::FAILURE;
        }
    }
    outcome
}

/// Reads the pages at and below a path.
fn read(root: &Path, path: &str, pages: &mut Vec<Page>) -> Result<(), Box<dyn Error>> {
    let file = root.join(path);
    if file.is_dir() {
        let entries = std::fs::read_dir(&file).map_err(|error| format!("{path}: cannot be listed: {error}"))?;
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !is_foreign(&name) {
                read(root, &format!("{path}/{name}"), pages)?;
            }
        }
    } else if is_page(path) {
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{path}: cannot be read: {error}"))?;
        pages.push((path.to_owned(), text));
    }
    Ok(())
}

/// Writes a file anew, if that changes it.
fn renew(root: &Path, generated: &Generated, pages: &[Page]) -> Result<(), Box<dyn Error>> {
    let path = root.join(generated.path);
    // A file that is generated as a whole need not be there yet.
    let present = match generated.between {
        Some(_) => std::fs::read_to_string(&path).map_err(|error| format!("cannot be read: {error}"))?,
        None => std::fs::read_to_string(&path).unwrap_or_default(),
    };
    let due = generated.renew(&present, pages)?;
    if due != present {
        std::fs::write(&path, due).map_err(|error| format!("cannot be written: {error}"))?;
    }
    Ok(())
}
