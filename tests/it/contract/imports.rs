//! No file of `shared` uses, by way of others, a file that uses it.
//!
//! A name that a `mod.rs` only hands on counts as of the file that has it.

use std::collections::{BTreeMap, BTreeSet};

use super::layers::sources;
use crate::support::repository;

/// A path of a module or of a name in one, from the crate's root.
type Path = Vec<String>;

/// What a file names of the others.
#[derive(Default)]
struct Uses {
    imports: Vec<Path>,
    /// What it hands on, by the name it has there.
    handed_on: BTreeMap<String, Path>,
}

struct Files(BTreeMap<Path, Uses>);

impl Files {
    fn read() -> Self {
        let root = repository().join("shared/src");
        let mut texts = BTreeMap::new();
        for path in sources(&root) {
            let relative = path.strip_prefix(&root).unwrap().with_extension("");
            let mut module: Path = relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            module.pop_if(|name| name == "mod" || name == "lib");
            if !module.iter().any(|part| part == "bin" || part == "tests") {
                texts.insert(module, code(&std::fs::read_to_string(path).unwrap()));
            }
        }
        let modules: BTreeSet<_> = texts.keys().cloned().collect();
        Self(texts.iter().map(|(module, text)| (module.clone(), uses(module, text, &modules))).collect())
    }

    /// The file that has what a path names.
    fn file_of(&self, path: &[String]) -> Path {
        let module = (0..=path.len()).rev().map(|end| &path[..end]).find(|start| self.0.contains_key(*start)).unwrap();
        let handed_on = path.get(module.len()).and_then(|name| self.0[module].handed_on.get(name));
        handed_on.map_or_else(|| module.to_vec(), |path| self.file_of(path))
    }

    /// The files that a file uses.
    fn used_by(&self, module: &Path) -> BTreeSet<Path> {
        let mut files: BTreeSet<_> = self.0[module].imports.iter().map(|path| self.file_of(path)).collect();
        files.remove(module);
        files
    }
}

/// The text without tests and comments.
fn code(text: &str) -> String {
    let outside_tests = text.split("#[cfg(test)]\nmod ").next().unwrap();
    let lines = outside_tests.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn uses(module: &Path, text: &str, modules: &BTreeSet<Path>) -> Uses {
    let mut uses = Uses::default();
    let mut rest = String::new();
    for statement in text.split_inclusive(';') {
        let Some((before, tree)) = statement.rsplit_once("use ").filter(|(before, _)| {
            let line = before.lines().last().unwrap_or_default().trim_start();
            before.is_empty() || before.ends_with('\n') || line.starts_with("pub")
        }) else {
            rest += statement;
            continue;
        };
        rest += before;
        for path in paths(tree.trim_end_matches(';')) {
            let Some(path) = from_root(module, &path, modules) else { continue };
            if before.trim_end().ends_with("pub") || before.trim_end().ends_with(')') {
                uses.handed_on.insert(path.last().unwrap().clone(), path);
            } else {
                uses.imports.push(path);
            }
        }
    }
    for root in ["crate::", "super::"] {
        for named in rest.split(root).skip(1) {
            let path: String = named.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':')).collect();
            uses.imports.extend(from_root(module, &format!("{root}{}", path.trim_end_matches(':')), modules));
        }
    }
    uses
}

/// The paths of a tree such as `a::{b, c::{self, d}}`.
fn paths(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((start, branches)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap();
        return vec![path.strip_suffix("::self").unwrap_or(path).to_owned()];
    };
    let mut depth = 0;
    let branches = branches.strip_suffix('}').unwrap().split(|c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let branches = branches.filter(|branch| !branch.trim().is_empty());
    branches.flat_map(paths).map(|path| format!("{start}{path}").replace("::self", "")).collect()
}

/// A path from the crate's root; `None` for one of another crate.
fn from_root(module: &Path, path: &str, modules: &BTreeSet<Path>) -> Option<Path> {
    let mut parts: Vec<_> = path.split("::").map(str::to_owned).collect();
    let mut start = module.clone();
    match parts[0].as_str() {
        "crate" => return Some(parts.split_off(1)),
        "super" => {
            while parts.first().is_some_and(|part| part == "super") {
                parts.remove(0);
                start.pop();
            }
        }
        child => {
            start.push(child.to_owned());
            if !modules.contains(&start) {
                return None;
            }
            start.pop();
        }
    }
    start.extend(parts);
    Some(start)
}

#[test]
fn no_files_use_each_other() {
    let files = Files::read();
    let mut left: BTreeMap<_, _> = files.0.keys().map(|module| (module.clone(), files.used_by(module))).collect();
    let uses: usize = left.values().map(BTreeSet::len).sum();
    assert!(uses > 300, "the test reads imports no more: {uses}");
    // Whoever uses nothing that is left is in no circle.
    loop {
        let free: BTreeSet<_> =
            left.iter().filter(|(_, used)| used.is_empty()).map(|(module, _)| module.clone()).collect();
        if free.is_empty() {
            break;
        }
        left.retain(|module, _| !free.contains(module));
        for used in left.values_mut() {
            used.retain(|module| !free.contains(module));
        }
    }
    // And whom nothing uses that is left, neither.
    loop {
        let used: BTreeSet<_> = left.values().flatten().cloned().collect();
        let before = left.len();
        left.retain(|module, _| used.contains(module));
        if left.len() == before {
            break;
        }
    }
    assert!(left.is_empty(), "these use each other: {left:#?}");
}

#[test]
fn a_circle_is_found_through_names_that_are_handed_on() {
    let of = |text: &str| text.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect::<Path>();
    let modules = BTreeSet::from([of(""), of("a"), of("a::b"), of("c")]);
    let text = |module: &str, text: &str| (of(module), uses(&of(module), text, &modules));
    let files = Files(BTreeMap::from([
        text("", ""),
        text("a", "pub use b::{\n    B, d::{self, D as E},\n};\n"),
        text("a::b", "use std::fmt;\nuse crate::c::C;\nfn f() { super::g() }\n"),
        text("c", "use crate::{a::B};\n"),
    ]));
    assert_eq!(files.used_by(&of("c")), BTreeSet::from([of("a::b")]));
    assert_eq!(files.used_by(&of("a::b")), BTreeSet::from([of("a"), of("c")]));
    assert!(files.used_by(&of("a")).is_empty());
}
