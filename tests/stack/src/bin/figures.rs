//! `cargo figures`: measures what the README says about sizes, times and memory.
//!
//! Everything is measured on the machine that it runs on, with the release binaries of the functions and the local AWS
//! of this crate. Nothing here says how fast AWS is. This tool is to be a release build too: with an unoptimised local
//! AWS, a request takes more than three times as long.
//!
//! - **Size**: of each function's binary as it lies on the disk.
//! - **Cold start**: from the event to the answer of a process that does not exist yet, 20 times.
//! - **Warm request**: the same of a process that has answered before. The calls to the local AWS are part of both
//!   times; the HTTP API in front of the functions is not.
//! - **Processor time**: what the kernel accounts to the function's process, which leaves the local AWS out.
//! - **Memory**: what the kernel says in `/proc/<pid>/status` of one process that has the requests of many tenants.
//!
//! The requests are those of `events/`, one after the other, as a function gets them. Processor time and memory are
//! measured on Linux only: elsewhere there is no `/proc`. An MB is 1 000 000 bytes.

use std::fmt::Display;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use clap::Parser;
use serde_json::Value;
use stack::{Error, Invocation, InvokeResult, Result, Stack};

/// Fresh processes for the cold start.
const COLD_STARTS: u32 = 20;
/// Tenants that the requests are spread over.
const TENANTS: u32 = 1000;
/// Requests after which the memory is read for the first time: buffers, connections and caches are there by then.
const SETTLED: u32 = 1000;
/// How long all measurements may take.
const LIMIT: Duration = Duration::from_mins(3);
/// The unit of processor time in `/proc`.
const TICK_MS: f64 = 10.0;
/// The function that is measured. It does the least of its own, so that what all have in common shows.
const MEASURED: &str = "fetch-tenant";
/// The tenant in the event that is sent for each tenant.
const PLACEHOLDER: &str = "tnt_00000000000000000000000000000000";

/// Prints the figures of this machine: sizes, cold start, warm requests, memory.
#[derive(Debug, Parser)]
#[command(name = "cargo figures", bin_name = "cargo figures")]
struct Options {
    /// Directory with the functions' release binaries [default: builds them].
    #[arg(long, value_name = "DIR")]
    binaries: Option<PathBuf>,
    /// Requests to one process.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(i64::from(SETTLED) + 1..))]
    requests: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    if let Err(error) = run(Options::parse()).await {
        let _ = writeln!(std::io::stderr().lock(), "error: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

async fn run(options: Options) -> Result<()> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.ancestors().nth(2).unwrap_or(package);
    let binaries = options.binaries.map_or_else(|| build(root), Ok)?;
    // As the kernel names it, for finding the process.
    let binaries = binaries.canonicalize().map_err(because(binaries.display()))?;
    tokio::time::timeout(LIMIT, measure(root, &binaries, options.requests))
        .await
        .map_err(|_| Error::new(format!("not done after {} s: try fewer --requests", LIMIT.as_secs())))?
}

/// Builds the functions as they are deployed, and answers with the directory where Cargo has put them.
fn build(root: &Path) -> Result<PathBuf> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(["build", "--release", "--package", "functions", "--bins", "--message-format=json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()
        .map_err(because("cargo build"))?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let message = |line| serde_json::from_str::<Value>(line).unwrap_or_default();
    let executable = |line| message(line).get("executable").and_then(Value::as_str).map(PathBuf::from);
    let built = messages.lines().find_map(executable).and_then(|path| path.parent().map(Path::to_owned));
    built.filter(|_| output.status.success()).ok_or_else(|| Error::new("the functions do not build; see above"))
}

async fn measure(root: &Path, binaries: &Path, requests: u32) -> Result<()> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    say(&format!("Machine: {} {}, {processors} processors", std::env::consts::OS, std::env::consts::ARCH));
    if cfg!(debug_assertions) {
        say("The local AWS is NOT optimised: the times are its own.");
    }

    let event = |name| fs::read_to_string(root.join("events").join(name).with_extension("json")).map_err(because(name));
    let provision = parsed(&event("provision-tenant")?)?;
    let fetch = event(MEASURED)?;
    let directory = binaries.to_owned();
    let stack = Stack::builder()
        .template(root.join("template.yaml"))
        .binaries(move |name| directory.join(name))
        .admin_key(text(&provision, "/headers/x-admin-key"))
        .start()
        .await?;
    sizes(&stack, binaries)?;

    let mut events = Vec::new();
    for _ in 0..TENANTS {
        let answer = request(&stack, "provision-tenant", provision.clone()).await?;
        let body = parsed(&text(&answer.payload, "/body").unwrap_or_default())?;
        let tenant = text(&body, "/data/tenant_id").ok_or_else(|| Error::new("no tenant_id in the answer"))?;
        events.push(parsed(&fetch.replace(PLACEHOLDER, &tenant))?);
    }
    let mut events = events.iter().cycle().cloned();
    let mut next = || events.next().unwrap_or_default();

    let mut times = Vec::new();
    for _ in 0..COLD_STARTS {
        stack.restart(MEASURED).await;
        times.push(request(&stack, MEASURED, next()).await?.duration);
    }
    times.sort_unstable();
    say(&format!("\nCold start of {MEASURED}: event to answer, process start included, {COLD_STARTS} processes"));
    say(&format!("  median {}, min {}, max {}", rank(&times, 50), rank(&times, 0), rank(&times, 100)));

    stack.restart(MEASURED).await;
    // The first of the requests, a cold one: from here on there is a process to look at.
    request(&stack, MEASURED, next()).await?;
    let process = process(&binaries.join(MEASURED));
    let mut times = Vec::new();
    let mut early = None;
    let mark = stack.mark();
    for number in 1..requests {
        if number == SETTLED {
            early = process.as_deref().map(usage).transpose()?;
        }
        times.push(request(&stack, MEASURED, next()).await?.duration);
    }
    let late = process.as_deref().map(usage).transpose()?;
    let calls = stack.mark() - mark;
    times.sort_unstable();
    say(&format!("\nWarm request to {MEASURED}: event to answer, {} requests, {TENANTS} tenants", times.len()));
    say(&format!("  median {}, 99th percentile {}", rank(&times, 50), rank(&times, 99)));
    let mark = stack.mark();
    let made = request(&stack, MEASURED, next()).await?.aws_calls;
    let names: Vec<String> = stack.calls_since(mark).into_iter().map(|call| call.operation).collect();
    say(&format!("  calls to AWS: {made} a request ({}); {calls} in all, retries included", names.join(", ")));

    match early.zip(late) {
        Some((early, late)) => memory(&early, &late, requests),
        None => say("\nProcessor time and memory: not measured, as /proc does not show the process"),
    }
    stack.shutdown().await;
    Ok(())
}

fn sizes(stack: &Stack, binaries: &Path) -> Result<()> {
    say("\nSize of the release binaries, as on the disk");
    let line = |name: &str, bytes| say(&format!("  {name:22} {bytes:9} bytes, {:.2} MB", f64::from(bytes) / 1e6));
    let mut largest = 0;
    for name in stack.template().functions.iter().map(|function| &function.binary) {
        // Not all need to be in a directory that was given.
        let Ok(file) = fs::metadata(binaries.join(name)) else { continue };
        let bytes = u32::try_from(file.len()).map_err(because(name))?;
        line(name, bytes);
        largest = largest.max(bytes);
    }
    line("largest", largest);
    Ok(())
}

fn memory(early: &Usage, late: &Usage, requests: u32) {
    let each = f64::from(late.ticks.saturating_sub(early.ticks)) * TICK_MS / f64::from(requests - SETTLED);
    say(&format!("  processor time of the process: {each:.3} ms a request"));
    say(&format!("\nMemory of one {MEASURED} process: /proc/<pid>/status, VmRSS, RssAnon, VmHWM"));
    for (after, usage) in [(SETTLED, early), (requests, late)] {
        let mb = |kib: u32| format!("{:.2} MB", f64::from(kib) * 1024.0 / 1e6);
        let (resident, heap, peak) = (mb(usage.resident), mb(usage.anonymous), mb(usage.peak));
        say(&format!("  after {after:6} requests: {resident} resident, {heap} of it not from files; peak {peak}"));
    }
    let growth = (f64::from(late.resident) / f64::from(early.resident) - 1.0) * 100.0;
    say(&format!("  growth over the last {}: {growth:.1} %", requests - SETTLED));
}

/// A process so far: processor time in ticks, memory in KiB.
struct Usage {
    ticks: u32,
    resident: u32,
    anonymous: u32,
    peak: u32,
}

fn usage(process: &Path) -> Result<Usage> {
    let status = fs::read_to_string(process.join("status")).map_err(because("status"))?;
    let stat = fs::read_to_string(process.join("stat")).map_err(because("stat"))?;
    let kib = |name: &str| field(&status, name).ok_or_else(|| Error::new(format!("no {name} in the process's status")));
    // The name of the process, in parentheses, may have blanks. `utime` and `stime` are 11 fields after it.
    let times = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    let ticks = times.map(|ticks| ticks.parse::<u32>().unwrap_or_default()).sum();
    Ok(Usage { ticks, resident: kib("VmRSS:")?, anonymous: kib("RssAnon:")?, peak: kib("VmHWM:")? })
}

fn field(status: &str, name: &str) -> Option<u32> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// The directory in `/proc` of the child that runs this binary; others may be running it too.
fn process(binary: &Path) -> Option<PathBuf> {
    fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path()).find(|process| {
        let status = fs::read_to_string(process.join("status")).unwrap_or_default();
        field(&status, "PPid:") == Some(std::process::id())
            && fs::read_link(process.join("exe")).is_ok_and(|exe| exe == binary)
    })
}

fn parsed(json: &str) -> Result<Value> {
    serde_json::from_str(json).map_err(because("no JSON"))
}

/// Only an answer that is a success counts: a refusal would be quicker.
async fn request(stack: &Stack, binary: &str, event: Value) -> Result<InvokeResult> {
    let result = stack.invoke(binary, event, Invocation::default()).await.map_err(because(binary))?;
    match result.payload.get("statusCode").and_then(Value::as_u64) {
        Some(200..300) => Ok(result),
        _ => Err(Error::new(format!("{binary} answers {}", result.payload))),
    }
}

fn text(value: &Value, place: &str) -> Option<String> {
    value.pointer(place).and_then(Value::as_str).map(str::to_owned)
}

/// The smallest of the sorted times below or at which that many percent are.
fn rank(sorted: &[Duration], percent: usize) -> String {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    format!("{:.2} ms", sorted.get(place).copied().unwrap_or_default().as_secs_f64() * 1e3)
}

fn because<E: Display>(doing: impl Display) -> impl FnOnce(E) -> Error {
    move |cause| Error::new(format!("{doing}: {cause}"))
}

/// A line on standard output. If nobody reads it any more, that is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
