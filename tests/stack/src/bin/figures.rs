//! `cargo figures`: measures what the README says about sizes, times and memory.
//!
//! Everything is measured on the machine that it runs on, which it names, with the release binaries of the functions and
//! the local AWS of this crate. Nothing here says how fast AWS is.
//!
//! - **Size**: of each function's binary as it lies on the disk.
//! - **Cold start**: from the event to the answer of a process that does not exist yet, 20 times.
//! - **Warm request**: from the event to the answer of a process that has answered before. The calls to the local AWS are
//!   part of both times; the HTTP API in front of the functions is not.
//! - **Processor time**: what the kernel has accounted to the function's process alone, with all its threads. Whatever the
//!   local AWS costs is not part of it.
//! - **Memory**: what the kernel says in `/proc/<pid>/status` of one process that has the requests of many tenants. As there
//!   is no such file elsewhere, processor time and memory are measured on Linux only.
//!
//! The requests are those of `events/`, one after the other, as a function gets them. MB are 1 000 000 bytes.

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
/// The kernel's unit of processor time towards programs: the same on every Linux.
const TICK_MS: f64 = 10.0;
/// The function that is measured: the shortest of the common requests, so that what all have in common shows.
const MEASURED: &str = "fetch-tenant";

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
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr().lock(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<()> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.ancestors().nth(2).unwrap_or(package);
    let binaries = match options.binaries {
        Some(directory) => directory,
        None => build(root)?,
    };
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
    if !output.status.success() {
        return Err(Error::new("the functions do not build; see above"));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let message = |line| serde_json::from_str::<Value>(line).unwrap_or_default();
    let executable = |line| message(line).get("executable").and_then(Value::as_str).map(PathBuf::from);
    let built = messages.lines().find_map(executable).and_then(|path| path.parent().map(Path::to_owned));
    built.ok_or_else(|| Error::new("cargo build names no executable"))
}

async fn measure(root: &Path, binaries: &Path, requests: u32) -> Result<()> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let optimised = if cfg!(debug_assertions) { "not optimised" } else { "optimised" };
    say(&format!("Machine: {} {}, {processors} processors", std::env::consts::OS, std::env::consts::ARCH));
    say(&format!("The local AWS is {optimised}; the functions are release builds."));

    let provision = event(root, "provision-tenant")?;
    let fetch = event(root, MEASURED)?;
    let directory = binaries.to_owned();
    let stack = Stack::builder()
        .template(root.join("template.yaml"))
        .binaries(move |name| directory.join(name))
        .admin_key(text(&provision, "/headers/x-admin-key"))
        .start()
        .await?;
    sizes(&stack, binaries)?;

    let mut tenants = Vec::new();
    for _ in 0..TENANTS {
        let answer = request(&stack, "provision-tenant", provision.clone()).await?;
        let body = text(&answer.payload, "/body").unwrap_or_default();
        let body: Value = serde_json::from_str(&body).map_err(because("provision-tenant"))?;
        tenants.push(text(&body, "/data/tenant_id").ok_or_else(|| Error::new("no tenant_id in the answer"))?);
    }
    // Else it would have its share of the machine while another is measured.
    stack.restart("provision-tenant").await;
    let mut events = tenants.iter().map(|tenant| fetch_of(&fetch, tenant)).cycle();
    let mut next = || events.next().unwrap_or_default();

    let mut times = Vec::new();
    for _ in 0..COLD_STARTS {
        stack.restart(MEASURED).await;
        times.push(request(&stack, MEASURED, next()).await?.duration);
    }
    times.sort_unstable();
    say(&format!(
        "\nCold start of {MEASURED}: event to answer, start of the process included, {COLD_STARTS} processes"
    ));
    say(&format!("  median {}, min {}, max {}", rank(&times, 50), rank(&times, 0), rank(&times, 100)));

    stack.restart(MEASURED).await;
    request(&stack, MEASURED, next()).await?;
    // A process of this one's own: others may be running the same binary.
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
        None => say("\nProcessor time and memory: not measured, because this is not Linux or /proc is not readable"),
    }
    stack.shutdown().await;
    Ok(())
}

fn sizes(stack: &Stack, binaries: &Path) -> Result<()> {
    say("\nSize of the release binaries, as on the disk");
    let mut largest = 0;
    for function in &stack.template().functions {
        let name = &function.binary;
        // Not all need to be in a directory that was given.
        let Ok(file) = fs::metadata(binaries.join(name)) else {
            say(&format!("  {name:22} not there"));
            continue;
        };
        let bytes = u32::try_from(file.len()).map_err(because(name))?;
        say(&format!("  {name:22} {bytes:9} bytes, {:.2} MB", f64::from(bytes) / 1e6));
        largest = largest.max(bytes);
    }
    say(&format!("  largest                {largest:9} bytes, {:.2} MB", f64::from(largest) / 1e6));
    Ok(())
}

fn memory(early: &Usage, late: &Usage, requests: u32) {
    let each = f64::from(late.ticks.saturating_sub(early.ticks)) * TICK_MS / f64::from(requests - SETTLED);
    say(&format!("  processor time of the process: {each:.3} ms a request"));
    say(&format!("\nMemory of one {MEASURED} process: /proc/<pid>/status, VmRSS and its parts, VmHWM"));
    for (after, usage) in [(SETTLED, early), (requests, late)] {
        let mb = |kib: u32| format!("{:.2} MB", f64::from(kib) * 1024.0 / 1e6);
        let parts = format!("{} its own, {} of files", mb(usage.anonymous), mb(usage.file));
        let (resident, peak) = (mb(usage.resident), mb(usage.peak));
        say(&format!("  after {after:6} requests: {resident} resident ({parts}), peak {peak}"));
    }
    let growth = (f64::from(late.resident) / f64::from(early.resident) - 1.0) * 100.0;
    say(&format!("  growth over the last {}: {growth:.1} %", requests - SETTLED));
}

/// A process so far: processor time in ticks, memory in KiB.
struct Usage {
    ticks: u32,
    resident: u32,
    anonymous: u32,
    file: u32,
    peak: u32,
}

fn usage(process: &Path) -> Result<Usage> {
    let status = fs::read_to_string(process.join("status")).map_err(because("status"))?;
    let stat = fs::read_to_string(process.join("stat")).map_err(because("stat"))?;
    let kib = |name: &str| field(&status, name).ok_or_else(|| Error::new(format!("no {name} in the process's status")));
    // The name of the process, in parentheses, may have blanks. `utime` and `stime` are 11 fields after it.
    let times = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    let ticks = times.map(|ticks| ticks.parse::<u32>().unwrap_or_default()).sum();
    let (anonymous, file) = (kib("RssAnon:")?, kib("RssFile:")?);
    Ok(Usage { ticks, resident: kib("VmRSS:")?, anonymous, file, peak: kib("VmHWM:")? })
}

fn field(status: &str, name: &str) -> Option<u32> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// The directory in `/proc` of the child that runs this binary. There is only one.
fn process(binary: &Path) -> Option<PathBuf> {
    fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path()).find(|process| {
        let status = || fs::read_to_string(process.join("status")).unwrap_or_default();
        // The name is compared first: it is the cheaper question.
        fs::read_link(process.join("exe")).is_ok_and(|exe| exe == binary)
            && field(&status(), "PPid:") == Some(std::process::id())
    })
}

/// An event of the repository.
fn event(root: &Path, name: &str) -> Result<Value> {
    let path = root.join("events").join(name).with_extension("json");
    let content = fs::read(&path).map_err(because(path.display()))?;
    serde_json::from_slice(&content).map_err(because(path.display()))
}

fn fetch_of(event: &Value, tenant: &str) -> Value {
    let mut event = event.clone();
    for (place, value) in
        [("/rawQueryString", format!("tenant_id={tenant}")), ("/queryStringParameters/tenant_id", tenant.to_owned())]
    {
        if let Some(old) = event.pointer_mut(place) {
            *old = value.into();
        }
    }
    event
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
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
