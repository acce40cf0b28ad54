//! Modules of `shared` use those to their left and none to their right.

use std::path::Path;

use crate::support::repository;

/// From left to right.
const LAYERS: [&str; 8] = ["domain", "error", "config", "store", "app", "auth", "api", "runtime"];

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == module)
}

/// The modules that a source names by `crate::`. No layer is named in another way: `super` stays within one.
fn used(text: &str) -> Vec<String> {
    let outside_tests = text.split("#[cfg(test)]").next().unwrap();
    let code = outside_tests.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n");
    let paths = code.split("crate::").skip(1);
    paths.map(|path| path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()).collect()
}

/// The Rust sources in a folder.
pub fn sources(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn imports_run_one_way() {
    let root = repository().join("shared/src");
    let mut seen = 0;
    for path in sources(&root) {
        let relative = path.strip_prefix(&root).unwrap().with_extension("");
        let layer = relative.components().next().unwrap().as_os_str().to_str().unwrap().to_owned();
        let Some(own) = rank(&layer) else { continue };
        let text = std::fs::read_to_string(&path).unwrap();
        for module in used(&text) {
            let other = rank(&module).unwrap_or_else(|| panic!("{}: crate::{module} is no layer", relative.display()));
            assert!(other <= own, "{} may not use {module}", relative.display());
            seen += 1;
        }
    }
    assert!(seen > 50, "the test reads imports no more: {seen}");
}

/// What dials addresses of strangers is linked by the function whose role can do least. Cargo hands a dependency to all
/// binaries of a package, so a test has to say which of them use it.
#[test]
fn only_what_delivers_callbacks_dials_out() {
    for folder in ["functions/src", "shared/src"] {
        for path in sources(&repository().join(folder)) {
            let delivers = path.file_stem().is_some_and(|name| name == "deliver-callbacks");
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(delivers || !text.contains("outbound::"), "{} may not dial out", path.display());
        }
    }
}

#[test]
fn only_its_module_knows_a_service() {
    let root = repository().join("shared/src");
    let rules = [
        ("aws_sdk_", &["store", "app"][..]),
        ("lambda_runtime", &["runtime"]),
        ("lambda_http::", &["auth", "runtime"]),
        ("jsonwebtoken::", &["domain/credentials/signing_key", "domain/tokens"]),
        ("tracing", &["error/report", "runtime"]),
        ("async fn", &["store", "app", "auth", "runtime"]),
        // The second writes a table of its tests for other programs; a test of the third looks that nothing is set.
        ("std::env", &["config", "domain/tokens/verification/tests/export", "runtime/events"]),
        // The second hands it to the SDK's signer, which takes nothing else.
        ("SystemTime", &["domain/time/clock", "store/dynamodb/direct/tests/signatures"]),
        ("serde_html_form", &["runtime"]),
    ];
    for path in sources(&root) {
        let relative = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for (name, allowed) in rules {
            let known = allowed.iter().any(|layer| relative.starts_with(layer));
            assert!(known || !code.contains(name) || relative.starts_with("bin/"), "{relative} may not know {name}");
        }
    }
    for name in std::fs::read_dir(repository().join("functions/src/bin")).unwrap() {
        let text = std::fs::read_to_string(name.unwrap().path()).unwrap();
        for foreign in ["aws_", "lambda_", "serde_json", "std::env", "http"] {
            assert!(!text.contains(foreign), "a function may not know {foreign}");
        }
    }
}
