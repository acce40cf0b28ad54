//! What a warm request costs: instructions, allocations, system calls; calls to AWS and their units; processor time and
//! the size of its log line.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use stack::profilers::Profiler;
use stack::speed::{COLUMNS, Row, shown};
use stack::{AwsCall, Error, Result, Service, Stack};

use crate::binaries::Binaries;
use crate::memory::Usage;
use crate::requests::{Operation, Requests, Tenant, preparing, send};
use crate::{because, in_time, say};

/// Tenants that the requests are spread over, in turn.
const TENANTS: usize = 8;
/// Requests before the counted ones: after five for each tenant, connections, buffers and caches are there.
const WARM_UP: usize = 5 * TENANTS;
/// The counted requests.
const REQUESTS: usize = 10 * TENANTS;

/// How often a machine that is too busy is asked.
const ATTEMPTS: usize = 3;

const PROFILERS: [Profiler; 2] = [Profiler::Callgrind, Profiler::Strace];

/// What one request consumes of what AWS bills by the piece.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Consumed {
    pub calls: f64,
    /// Those of them that read a secret.
    pub secrets: f64,
    /// Read units and write units of DynamoDB, those of indexes included.
    pub reads: f64,
    pub writes: f64,
}

impl Consumed {
    /// What calls consume, divided by the requests that made them.
    pub fn of(calls: &[AwsCall], requests: u32) -> Self {
        let each = |sum: f64| sum / f64::from(requests);
        let is_read = |call: &AwsCall| matches!(call.operation.as_str(), "BatchGetItem" | "GetItem" | "Query");
        let units = |reads: bool| {
            let consumed = calls.iter().filter(|call| is_read(call) == reads).filter_map(|call| call.consumed);
            // From zero: a sum of nothing is -0.
            each(consumed.fold(0.0, |sum, units| sum + units))
        };
        let count = |calls: usize| each(u32::try_from(calls).map_or(f64::INFINITY, f64::from));
        let secrets = calls.iter().filter(|call| call.service == Service::SecretsManager).count();
        Self { calls: count(calls.len()), secrets: count(secrets), reads: units(true), writes: units(false) }
    }
}

/// What one request costs.
#[derive(Debug)]
pub struct Cost {
    pub consumed: Consumed,
    /// None where the kernel does not say.
    pub processor: Option<Duration>,
    pub log_bytes: f64,
    /// None without the profilers.
    pub row: Option<Row>,
}

/// Counts costs.
pub struct Costs<'a> {
    template: &'a Path,
    binaries: &'a Binaries,
    requests: &'a Requests,
    /// Whether all of [`PROFILERS`] work here.
    profiled: bool,
}

impl<'a> Costs<'a> {
    pub fn new(template: &'a Path, binaries: &'a Binaries, requests: &'a Requests) -> Self {
        let missing: Vec<Profiler> = PROFILERS.into_iter().filter(|profiler| !profiler.works()).collect();
        say(&format!("\nCost of a warm request: {REQUESTS} after {WARM_UP} others, {TENANTS} tenants, all successes"));
        for profiler in &missing {
            let (counted, program) = (profiler.counted().join(", "), profiler.program());
            say(&format!("  {counted}: not measured, as {program} is missing or cannot run programs here"));
        }
        if missing.is_empty() {
            row("operation", COLUMNS.iter().chain(&["processor ms"]).map(|column| (*column).to_owned()));
        }
        Self { template, binaries, requests, profiled: missing.is_empty() }
    }

    /// Counts and says what one request for an operation costs.
    pub async fn measure(&self, operation: Operation) -> Result<Cost> {
        let mut cost = in_time(self.plain(operation)).await?;
        let processor =
            cost.processor.map_or_else(|| "-".to_owned(), |time| format!("{:.3}", time.as_secs_f64() * 1e3));
        if !self.profiled {
            let Consumed { calls, reads, writes, .. } = cost.consumed;
            say(&format!(
                "  {}: {calls} calls to AWS, {reads} read units, {writes} write units, {} log bytes, {processor} ms of \
                 a processor",
                operation.name,
                shown(cost.log_bytes)
            ));
            return Ok(cost);
        }
        let mut counts = Vec::new();
        for profiler in PROFILERS {
            let few = self.patiently(profiler, operation, WARM_UP).await?;
            let many = self.patiently(profiler, operation, WARM_UP + REQUESTS).await?;
            for (few, many) in few.iter().zip(&many) {
                counts.push(each(*few, *many, operation)?);
            }
        }
        let Consumed { calls, reads, writes, .. } = cost.consumed;
        counts.extend([calls, reads, writes, cost.log_bytes, f64::from(self.binaries.size(operation.function)?)]);
        // As the table has them, which may not differ by what it does not show.
        let counts = counts.iter().map(|count| shown(*count).parse().unwrap_or(*count)).collect();
        let counted = Row { operation: operation.name.to_owned(), counts };
        row(operation.name, counted.counts.iter().map(|count| shown(*count)).chain([processor]));
        cost.row = Some(counted);
        Ok(cost)
    }

    /// What shows without a profiler.
    async fn plain(&self, operation: Operation) -> Result<Cost> {
        let key = self.requests.operator_key.clone();
        let stack = self.binaries.stack(self.template).admin_key(Some(key)).metered().start().await?;
        let function = operation.function;
        let tenants = self.tenants(&stack, function).await?;
        let counted = u32::try_from(REQUESTS).map_err(because("requests"))?;
        let (mut log_bytes, mut calls) = (0, Vec::new());
        let mut early = None;
        for (number, tenant) in tenants.iter().cycle().take(WARM_UP + REQUESTS).enumerate() {
            let event = self.requests.next(&stack, operation, tenant).await?;
            if number == WARM_UP {
                early = Usage::of(&stack, function)?;
            }
            let mark = stack.mark();
            let result = send(&stack, function, event).await?;
            if number >= WARM_UP {
                let of = |call: &AwsCall| call.invocation.as_ref() == Some(&result.request_id);
                calls.extend(stack.calls_since(mark).into_iter().filter(of));
            }
        }
        let late = Usage::of(&stack, function)?;
        for line in stack.output_lines().iter().filter(|line| line.caller.function == function).rev().take(REQUESTS) {
            // With its end.
            log_bytes += line.text.len() + 1;
        }
        stack.shutdown().await;
        let spent = late.zip(early).map(|(late, early)| late.processor.saturating_sub(early.processor) / counted);
        let log_bytes = f64::from(u32::try_from(log_bytes).map_err(because("log bytes"))?) / f64::from(counted);
        Ok(Cost { consumed: Consumed::of(&calls, counted), processor: spent, log_bytes, row: None })
    }

    /// What a profiler counts of a process that answers so many requests.
    async fn under(&self, profiler: Profiler, operation: Operation, requests: usize) -> Result<Vec<u64>> {
        let folder = tempfile::tempdir().map_err(because("a temporary directory"))?;
        let report = folder.path().join("report");
        let (measured, launcher) = (operation.function, profiler.launcher(&report));
        let command = move |name: &str| if name == measured { launcher.clone() } else { Vec::<OsString>::new() };
        let key = self.requests.operator_key.clone();
        let stack = self.binaries.stack_under(self.template, command).admin_key(Some(key)).start().await?;
        let tenants = self.tenants(&stack, operation.function).await?;
        self.first(&stack, operation, &tenants).await?;
        let mark = stack.mark();
        for tenant in tenants.iter().cycle().take(requests) {
            let event = self.requests.next(&stack, operation, tenant).await?;
            send(&stack, operation.function, event).await?;
        }
        if stack.calls_since(mark).iter().any(|call| call.attempt > 1) {
            return Err(Error::new(format!("{measured} asked AWS again: this machine is too busy to count")));
        }
        stack.retire(operation.function).await?;
        let report = fs::read_to_string(&report).map_err(because(report.display()))?;
        stack.shutdown().await;
        profiler.read(&report)
    }

    /// The first request of a process. Under a profiler it takes seconds of a processor, for which its calls do not
    /// wait if the machine has other work: then it is asked again. It is not among those that are counted.
    async fn first(&self, stack: &Stack, operation: Operation, tenants: &[Tenant]) -> Result<()> {
        let mut outcome = Err(Error::new("no tenant"));
        for tenant in tenants {
            let event = self.requests.next(stack, operation, tenant).await?;
            outcome = send(stack, operation.function, event).await.map(|_| ());
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    /// The same counted once more if the machine was too busy.
    async fn patiently(&self, profiler: Profiler, operation: Operation, requests: usize) -> Result<Vec<u64>> {
        let mut outcome = Err(Error::new("not counted"));
        for _ in 0..ATTEMPTS {
            outcome = in_time(self.under(profiler, operation, requests)).await;
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    async fn tenants(&self, stack: &Stack, function: &str) -> Result<Vec<Tenant>> {
        let mut tenants = Vec::new();
        for _ in 0..TENANTS {
            tenants.push(self.requests.tenant(stack, preparing(function)).await?);
        }
        Ok(tenants)
    }
}

fn row(name: &str, cells: impl Iterator<Item = String>) {
    let cells: Vec<String> = cells.map(|cell| format!("{cell:>14}")).collect();
    say(&format!("  {name:30}{}", cells.concat()));
}

/// The difference for one request.
fn each(few: u64, many: u64, operation: Operation) -> Result<f64> {
    let name = operation.name;
    let more = many.checked_sub(few).ok_or_else(|| Error::new(format!("{name} counts less for more requests")))?;
    let more = u32::try_from(more).map_err(because(name))?;
    Ok(f64::from(more) / f64::from(u32::try_from(REQUESTS).map_err(because(name))?))
}
