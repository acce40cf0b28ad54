//! The binaries that are measured, the others that a measurement needs, and their sizes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use stack::{Error, Result, Stack, StackBuilder};

use crate::requests::preparing;
use crate::{because, say};

/// Where the functions' binaries are.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// What is measured, in the order of the template.
    measured: Vec<String>,
    release: PathBuf,
    /// Where those lie that only prepare what is measured.
    others: PathBuf,
}

impl Binaries {
    /// Those of a directory: the named ones, or without names all that are there.
    pub fn given(directory: &Path, functions: &[String], named: &[String]) -> Result<Self> {
        let there = |name: &String| directory.join(name).is_file();
        if let Some(missing) = named.iter().find(|name| !there(name)) {
            return Err(Error::new(format!("{} has no binary {missing}", directory.display())));
        }
        let wanted = |name: &&String| there(name) && (named.is_empty() || named.contains(name));
        let measured = functions.iter().filter(wanted).cloned().collect();
        // As the kernel names it, for finding the process.
        let release = directory.canonicalize().map_err(because(directory.display()))?;
        Ok(Self { measured, others: release.clone(), release })
    }

    /// Builds functions as they are deployed, and the others that they need with the development profile.
    pub fn build(root: &Path, measured: &[String]) -> Result<Self> {
        let prepare = measured.iter().flat_map(|name| preparing(name)).copied().map(str::to_owned);
        let others: Vec<String> = prepare.filter(|name| !measured.contains(name)).collect();
        let release = cargo(root, &["--release", "--package", "functions"], measured)?;
        // Of the whole workspace, as `cargo dev` and the tests build it: for a package alone Cargo chooses other
        // features of the dependencies, and compiles them again.
        let others = if others.is_empty() { release.clone() } else { cargo(root, &[], &others)? };
        Ok(Self { measured: measured.to_owned(), release, others })
    }

    /// Builds functions with the development profile, where receivers on this machine are allowed.
    pub fn development(root: &Path, functions: &[&str]) -> Result<Self> {
        let functions: Vec<String> = functions.iter().map(|name| (*name).to_owned()).collect();
        let directory = cargo(root, &["--features", "functions/loopback-callbacks"], &functions)?;
        Ok(Self { measured: functions, others: directory.clone(), release: directory })
    }

    pub fn measures(&self, function: &str) -> bool {
        self.measured.iter().any(|name| name == function)
    }

    pub fn path(&self, function: &str) -> PathBuf {
        if self.measures(function) { self.release.join(function) } else { self.others.join(function) }
    }

    /// A stack with these functions. Its transactions take no longer than they have to: what is measured is the
    /// functions.
    pub fn stack(&self, template: &Path) -> StackBuilder {
        let binaries = self.clone();
        let builder = Stack::builder().template(template).transaction_hold(Duration::ZERO).without_stream();
        builder.binaries(move |name| binaries.path(name))
    }

    /// Says how large each is, and by how much larger than the smallest.
    pub fn sizes(&self) -> Result<()> {
        say("\nSize of the release binaries, as on the disk, and how much that is over the smallest");
        let mut sizes = Vec::new();
        for name in &self.measured {
            let file = fs::metadata(self.path(name)).map_err(because(name))?;
            sizes.push((name.as_str(), u32::try_from(file.len()).map_err(because(name))?));
        }
        let smallest = sizes.iter().map(|(_, bytes)| *bytes).min().unwrap_or_default();
        let largest = sizes.iter().map(|(_, bytes)| *bytes).max().map(|bytes| ("largest", bytes));
        for (name, bytes) in sizes.into_iter().chain(largest) {
            let (all, over) = (f64::from(bytes) / 1e6, f64::from(bytes - smallest) / 1e6);
            say(&format!("  {name:30} {bytes:9} bytes, {all:.2} MB, {over:+.2} MB"));
        }
        Ok(())
    }
}

/// Builds binaries and answers with the directory where Cargo has put them.
fn cargo(root: &Path, options: &[&str], names: &[String]) -> Result<PathBuf> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(["build", "--message-format=json-render-diagnostics"])
        .args(options)
        .args(names.iter().flat_map(|name| ["--bin", name]))
        .stderr(Stdio::inherit())
        .output()
        .map_err(because("cargo build"))?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let message = |line| serde_json::from_str::<Value>(line).unwrap_or_default();
    let executable = |line| message(line).get("executable").and_then(Value::as_str).map(PathBuf::from);
    let built = messages.lines().find_map(executable).and_then(|path| path.parent().map(Path::to_owned));
    built.filter(|_| output.status.success()).ok_or_else(|| Error::new("the functions do not build; see above"))
}
