//! Writes the modules of `functions.rs`: one for each file of `functions/src/bin`, so that none can be forgotten.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

#[expect(clippy::disallowed_methods, reason = "where to write to is known only when Cargo runs this")]
fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions/src/bin").canonicalize()?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names = Vec::new();
    for file in fs::read_dir(&folder)? {
        let name = file?.file_name();
        names.extend(name.to_str().and_then(|name| name.strip_suffix(".rs")).map(str::to_owned));
    }
    names.sort();
    let (mut modules, mut arms) = (String::new(), String::new());
    for name in names {
        let module = name.replace('-', "_");
        writeln!(modules, "#[path = \"{}/{name}.rs\"]\nmod {module};", folder.display())?;
        writeln!(arms, "        {name:?} => {module}::main,")?;
    }
    let signature = "/// What the function of this name does.\nfn function(name: &str) -> Option<fn() -> Exit>";
    let text =
        format!("{modules}\n{signature} {{\n    Some(match name {{\n{arms}        _ => return None,\n    }})\n}}\n");
    fs::write(Path::new(&std::env::var("OUT_DIR")?).join("functions.rs"), text)?;
    Ok(())
}
