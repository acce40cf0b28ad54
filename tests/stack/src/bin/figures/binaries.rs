//! The binaries that are measured, the others that a measurement needs, and their sizes.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use stack::speed::{PAGE, between};
use stack::{Error, Result, Stack, StackBuilder};

use crate::{because, say};

/// Where the functions' binaries are.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// What is measured, in the order of the template.
    measured: Vec<String>,
    release: PathBuf,
    /// The program, of the development profile, that is all functions. Those that only prepare what is measured are
    /// taken from it: a binary of the release profile takes a minute to build.
    program: PathBuf,
}

impl Binaries {
    /// Those of a directory: the named ones, or without names all that are there.
    pub fn given(root: &Path, directory: &Path, functions: &[String], named: &[String]) -> Result<Self> {
        let there = |name: &String| directory.join(name).is_file();
        if let Some(missing) = named.iter().find(|name| !there(name)) {
            return Err(Error::new(format!("{} has no binary {missing}", directory.display())));
        }
        let wanted = |name: &&String| there(name) && (named.is_empty() || named.contains(name));
        let measured = functions.iter().filter(wanted).cloned().collect();
        let release = directory.canonicalize().map_err(because(directory.display()))?;
        Ok(Self { measured, release, program: program(root)? })
    }

    /// Builds functions as they are deployed.
    pub fn build(root: &Path, measured: &[String]) -> Result<Self> {
        let options = ["--release", "--package", "functions"];
        let options = options.into_iter().chain(measured.iter().flat_map(|name| ["--bin", name]));
        let first = match measured {
            [] => root.to_owned(),
            _ => cargo(root, options)?,
        };
        let release = first.parent().unwrap_or(root).to_owned();
        Ok(Self { measured: measured.to_owned(), release, program: program(root)? })
    }

    /// All functions with the development profile, where receivers on this machine are allowed.
    pub fn development(&self) -> Self {
        Self { measured: Vec::new(), ..self.clone() }
    }

    pub fn measures(&self, function: &str) -> bool {
        self.measured.iter().any(|name| name == function)
    }

    /// Where a function is that is measured.
    pub fn path(&self, function: &str) -> PathBuf {
        self.release.join(function)
    }

    /// The size of the binary of a function that is measured, in bytes.
    pub fn size(&self, function: &str) -> Result<u32> {
        let file = fs::metadata(self.path(function)).map_err(because(function))?;
        u32::try_from(file.len()).map_err(because(function))
    }

    /// A stack with these functions. Its transactions take no longer than they have to: what is measured is the
    /// functions.
    pub fn stack(&self, template: &Path) -> StackBuilder {
        self.stack_under(template, |_| Vec::new())
    }

    /// The same, with the command under which each of those that are measured runs.
    pub fn stack_under(
        &self,
        template: &Path,
        command: impl Fn(&str) -> Vec<OsString> + Send + Sync + 'static,
    ) -> StackBuilder {
        let (binaries, others) = (self.clone(), self.clone());
        let builder = Stack::builder().template(template).transaction_hold(Duration::ZERO).without_stream();
        builder
            .binaries(move |name| if binaries.measures(name) { binaries.path(name) } else { PathBuf::from(name) })
            .launcher(
                move |name| if others.measures(name) { command(name) } else { vec![others.program.clone().into()] },
            )
    }

    /// A stack in which a peer stands for a function: it is all of this command.
    pub fn stack_for_peer(&self, builder: StackBuilder, function: &str, command: &[OsString]) -> StackBuilder {
        let Some((last, before)) = command.split_last() else { return builder };
        let (last, before) = (PathBuf::from(last), before.to_vec());
        let (replaced, binaries, peer) = (function.to_owned(), self.clone(), function.to_owned());
        builder
            .binaries(move |name| if name == replaced { last.clone() } else { PathBuf::from(name) })
            .launcher(move |name| if name == peer { before.clone() } else { vec![binaries.program.clone().into()] })
    }

    /// Says how large each is, and by how much larger than the smallest. Writes it into the page, if it is to.
    pub fn sizes(&self, root: &Path, is_written: bool) -> Result<()> {
        say("\nSize of the release binaries, as on the disk, and how much that is over the smallest");
        let mut sizes = Vec::new();
        for name in &self.measured {
            sizes.push((name.as_str(), self.size(name)?));
        }
        let smallest = sizes.iter().map(|(_, bytes)| *bytes).min().unwrap_or_default();
        let mut rows = vec!["| Function | Binary, MB |\n|---|---:|\n".to_owned()];
        for (name, bytes) in &sizes {
            let (all, over) = (f64::from(*bytes) / 1e6, f64::from(bytes - smallest) / 1e6);
            say(&format!("  {name:30} {bytes:9} bytes, {all:.2} MB, {over:+.2} MB"));
            rows.push(format!("| `{name}` | {all:.2} |\n"));
        }
        if let Some((name, bytes)) = sizes.iter().max_by_key(|(_, bytes)| bytes) {
            say(&format!("  largest: {name}, {:.2} MB", f64::from(*bytes) / 1e6));
        }
        if is_written {
            let page = root.join(PAGE);
            let text = fs::read_to_string(&page).map_err(because(PAGE))?;
            fs::write(&page, between(&text, "sizes", &rows.concat())?).map_err(because(PAGE))?;
        }
        Ok(())
    }
}

/// Builds the program that is all functions. Of the whole workspace, as `cargo dev` and the tests build it: for a
/// package alone Cargo chooses other features of the dependencies, and compiles them again.
fn program(root: &Path) -> Result<PathBuf> {
    cargo(root, ["--bin", "functions", "--features", "functions/loopback-callbacks"])
}

/// Builds binaries and answers where Cargo has put one of them.
fn cargo<'a>(root: &Path, options: impl IntoIterator<Item = &'a str>) -> Result<PathBuf> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(["build", "--message-format=json-render-diagnostics"])
        .args(options)
        .stderr(Stdio::inherit())
        .output()
        .map_err(because("cargo build"))?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let message = |line| serde_json::from_str::<Value>(line).unwrap_or_default();
    let executable = |line| message(line).get("executable").and_then(Value::as_str).map(PathBuf::from);
    let built = messages.lines().find_map(executable);
    built.filter(|_| output.status.success()).ok_or_else(|| Error::new("the functions do not build; see above"))
}
