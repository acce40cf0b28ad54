//! `cargo sync`: writes what is generated from the registry of operations.

use std::path::Path;
use std::process::ExitCode;

use shared::api::GENERATED;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for generated in &GENERATED {
        let path = root.join(generated.path);
        let present = std::fs::read_to_string(&path).unwrap_or_default();
        let written = generated.renew(&present).map(|text| std::fs::write(&path, text));
        if !matches!(written, Some(Ok(()))) {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
