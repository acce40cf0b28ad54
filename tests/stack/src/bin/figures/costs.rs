//! What a warm request costs: instructions, allocations, system calls.

use std::fmt::Display;
use std::fs;
use std::path::Path;

use stack::profilers::Profiler;
use stack::{Error, Result};

use crate::binaries::Binaries;
use crate::requests::{COUNTED, Requests, preparing, send};
use crate::{because, say};

/// Tenants that the requests are spread over, in turn.
const TENANTS: usize = 8;
/// Requests before the counted ones: after five for each tenant, connections, buffers and caches are there.
const WARM_UP: usize = 5 * TENANTS;
/// The counted requests.
const REQUESTS: usize = 25 * TENANTS;

const PROFILERS: [Profiler; 2] = [Profiler::Callgrind, Profiler::Strace];

/// Counts costs.
pub struct Costs<'a> {
    template: &'a Path,
    binaries: &'a Binaries,
    requests: &'a Requests,
    /// Those of [`PROFILERS`] that work here.
    profilers: Vec<Profiler>,
}

impl<'a> Costs<'a> {
    pub fn new(template: &'a Path, binaries: &'a Binaries, requests: &'a Requests) -> Self {
        let profilers = PROFILERS.into_iter().filter(|profiler| profiler.works()).collect();
        Self { template, binaries, requests, profilers }
    }

    /// Says what is counted of which functions, and answers whether anything is.
    pub fn heading(&self, functions: &[&str]) -> bool {
        say(&format!("\nCost of a warm request: {REQUESTS} after {WARM_UP} others, {TENANTS} tenants, all successes"));
        if functions.is_empty() {
            say(&format!("  not measured, as none of the functions is one of {}", COUNTED.join(", ")));
            return false;
        }
        for missing in PROFILERS.into_iter().filter(|profiler| !self.profilers.contains(profiler)) {
            let (counted, program) = (missing.counted().join(", "), missing.program());
            say(&format!("  {counted}: not measured, as {program} is missing or cannot run programs here"));
        }
        if self.profilers.is_empty() {
            return false;
        }
        let counted = self.profilers.iter().flat_map(|profiler| profiler.counted());
        row("function", counted.chain(&["calls to AWS"]));
        true
    }

    /// Says what one request to a function costs.
    pub async fn measure(&self, function: &str) -> Result<()> {
        let mut costs = Vec::new();
        let mut calls = None;
        for profiler in &self.profilers {
            let few = self.count(*profiler, function, WARM_UP).await?;
            let many = self.count(*profiler, function, WARM_UP + REQUESTS).await?;
            let mut differences = many.iter().zip(&few).map(|(many, few)| each(*few, *many, function));
            calls = differences.next().transpose()?;
            costs.extend(differences.collect::<Result<Vec<_>>>()?);
        }
        row(function, costs.iter().chain(&calls));
        Ok(())
    }

    /// What a process counts that answers so many requests: its calls to AWS, and what the profiler counts.
    async fn count(&self, profiler: Profiler, function: &str, requests: usize) -> Result<Vec<u64>> {
        let folder = tempfile::tempdir().map_err(because("a temporary directory"))?;
        let report = folder.path().join("report");
        let (measured, launcher) = (function.to_owned(), profiler.launcher(&report));
        let stack = self
            .binaries
            .stack(self.template)
            .admin_key(Some(self.requests.operator_key.clone()))
            .launcher(move |name| if name == measured { launcher.clone() } else { Vec::new() })
            .start()
            .await?;
        let mut tenants = Vec::new();
        for _ in 0..TENANTS {
            tenants.push(self.requests.tenant(&stack, preparing(function)).await?);
        }
        let mut calls = 0;
        for tenant in tenants.iter().cycle().take(requests) {
            let event = self.requests.next(&stack, function, tenant).await?;
            calls += send(&stack, function, event).await?.aws_calls;
        }
        stack.retire(function).await?;
        let report = fs::read_to_string(&report).map_err(because(report.display()))?;
        stack.shutdown().await;
        let mut counts = vec![u64::try_from(calls).map_err(because("calls to AWS"))?];
        counts.extend(profiler.read(&report)?);
        Ok(counts)
    }
}

fn row(name: &str, cells: impl Iterator<Item = impl Display>) {
    let cells: Vec<String> = cells.map(|cell| format!("{cell:>14}")).collect();
    say(&format!("  {name:30}{}", cells.concat()));
}

/// The difference for one request, to a tenth.
fn each(few: u64, many: u64, function: &str) -> Result<String> {
    let requests = REQUESTS as u64;
    let more = many.checked_sub(few).ok_or_else(|| Error::new(format!("{function} counts less for more requests")))?;
    let tenths = (more * 10 + requests / 2) / requests;
    Ok(if tenths >= 1_000_000 { (tenths / 10).to_string() } else { format!("{}.{}", tenths / 10, tenths % 10) })
}
