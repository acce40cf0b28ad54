//! The committed table of what hot requests cost: compared with what is counted now, or written anew.

use std::fs;
use std::path::Path;
use std::process::Command;

use stack::speed::{PAGE, PATH, Table};
use stack::{Error, Result};

use crate::binaries::Binaries;
use crate::costs::Costs;
use crate::requests::{HOT, Requests};
use crate::{because, say};

/// Counts, and compares or writes.
///
/// # Errors
/// Something differs by more than it may, was not counted, or cannot be counted here.
pub async fn check(
    root: &Path,
    template: &Path,
    binaries: &Binaries,
    requests: &Requests,
    is_written: bool,
) -> Result<()> {
    let costs = Costs::new(template, binaries, requests);
    let mut rows = Vec::new();
    for operation in HOT.into_iter().filter(|operation| binaries.measures(operation.function)) {
        let cost = costs.measure(operation).await?;
        rows.push(cost.row.ok_or_else(|| Error::new("without Valgrind and strace the table cannot be compared"))?);
    }
    let counted = Table { made_with: made_with()?, rows };
    let (path, page) = (root.join(PATH), root.join(PAGE));
    if is_written {
        let shown = counted.shown_in(&fs::read_to_string(&page).map_err(because(PAGE))?)?;
        fs::write(&path, counted.text()).map_err(because(PATH))?;
        fs::write(&page, shown).map_err(because(PAGE))?;
        say(&format!("\nwritten: {PATH}, and the table in {PAGE}"));
        return Ok(());
    }
    let table = Table::parse(&fs::read_to_string(&path).map_err(because(PATH))?)?;
    let differences = table.differences(&counted);
    if differences.is_empty() {
        say(&format!("\nas in {PATH}"));
        return Ok(());
    }
    say(&format!("\nnot as in {PATH}:"));
    for difference in differences {
        say(&format!("  {difference}"));
    }
    if table.made_with != counted.made_with {
        let (before, now) = (&table.made_with, &counted.made_with);
        say(&format!("  the table was made with {before}, and this with {now}"));
    }
    say("If that is meant, `cargo figures speed --write` writes the table anew: say in the commit why.");
    Err(Error::new("requests cost other than the table says"))
}

/// What instructions depend on beside the code.
fn made_with() -> Result<String> {
    let version = |program: &str| {
        let output = Command::new(program).arg("--version").output().map_err(because(program))?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
    };
    let compiler = version("rustc")?;
    let profiler = version("valgrind")?;
    Ok(format!("{}, {compiler}, {}", std::env::consts::ARCH, profiler.trim_end()))
}
