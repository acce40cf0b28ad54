//! `cargo figures`: measures what the documentation says about sizes, costs, times and memory.
//!
//! Everything is measured on the machine that it runs on, with the release binaries of the functions and the local AWS
//! of this crate. Nothing here says how fast AWS is. This tool is to be a release build too: with an unoptimised local
//! AWS, a request takes more than three times as long.
//!
//! - **Size**: of each function's binary as it lies on the disk.
//! - **Instructions and allocations** of a warm request: what Callgrind counts, which is a part of Valgrind. An
//!   allocation is a call of the C library's `malloc`, `calloc` or one of the aligned kinds, a reallocation one of
//!   `realloc`. The processor that Valgrind simulates has AVX2, but neither SHA instructions nor AVX-512: where a
//!   request hashes and signs, a real processor executes fewer.
//! - **System calls** of a warm request: what strace counts.
//! - **Cold start**: from the event to the answer of a process that does not exist yet, 20 times.
//! - **Warm request**: the same of a process that has answered before. The calls to the local AWS are part of both
//!   times; the HTTP API in front of the functions is not.
//! - **Processor time**: what the kernel accounts to the function's process, which leaves the local AWS out.
//! - **Memory**: what the kernel says in `/proc/<pid>/status` of one process that has the requests of many tenants.
//!
//! Counts are taken over two processes, each with a local AWS of its own. One answers some requests, the other 200
//! more; the difference divided by 200 is the cost of one request, without start and end. Repeated on the same
//! binaries, the instructions and allocations stay within 1 %, the system calls within 5 %: how many there are
//! depends on when answers arrive.
//!
//! The requests are those of `events/`, one after the other, as a function gets them, with ids, credentials and
//! signatures of tenants that were made for it; the end of a login answers the challenge of a beginning of its own, and
//! a phone's call has a proof of its own. Each has to succeed. Functions that only make those tenants are taken
//! from the development profile, because each binary of the release profile takes a minute to build; with `--binaries`
//! they are taken from the same directory as the others.
//!
//! - **Callbacks**: what a sweep with nothing due and what an event consume in DynamoDB, as the local one counts it,
//!   and the memory of the process that delivers. Always with functions of the development profile, because those of
//!   the release profile call no receiver on this machine. It fails if one of them is over what it may be.
//!
//! - **QR logins**: what a code costs that is polled until it expires, from what its requests consume in DynamoDB. It
//!   fails if that is over what it may be, or if a poll writes anything.
//!
//! Processor time and memory are measured on Linux only: elsewhere there is no `/proc`. A figure whose program is
//! missing is left out, and the output says so. An MB is 1 000 000 bytes.

mod binaries;
mod callbacks;
mod costs;
mod memory;
mod people;
mod qr_logins;
mod requests;
mod times;

use std::fmt::Display;
use std::future::Future;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use stack::{Error, Result, Stack};

use binaries::Binaries;
use costs::Costs;
use requests::{COUNTED, Requests};

/// How long one kind of measurement of one function may take.
const LIMIT: Duration = Duration::from_mins(3);

/// One more than after which the memory is read for the first time.
const AT_LEAST: i64 = times::SETTLED as i64 + 1;

/// Prints the figures of this machine: sizes, costs, cold start, warm requests, memory.
#[derive(Debug, Parser)]
#[command(name = "cargo figures", bin_name = "cargo figures")]
struct Options {
    /// Directory with the functions' release binaries [default: builds them].
    #[arg(long, value_name = "DIR")]
    binaries: Option<PathBuf>,
    /// Requests to the one process whose memory is measured, and deliveries of the one that delivers.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(AT_LEAST..))]
    requests: u32,
    /// Functions to build and measure, separated by commas [default: all].
    #[arg(long, value_name = "FUNCTIONS", value_delimiter = ',')]
    only: Vec<String>,
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
    let template = root.join("template.yaml");
    let stack = Stack::builder().template(&template).aws_only().start().await?;
    let functions: Vec<String> = stack.template().functions.iter().map(|function| function.binary.clone()).collect();
    if let Some(unknown) = options.only.iter().find(|name| !functions.contains(name)) {
        return Err(Error::new(format!("the template has no function with the binary {unknown}")));
    }
    let binaries = match options.binaries {
        Some(directory) => Binaries::given(&directory, &functions, &options.only)?,
        None => Binaries::build(root, if options.only.is_empty() { &functions } else { &options.only })?,
    };
    let requests = Requests::new(root.join("events"))?;

    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    say(&format!("Machine: {} {}, {processors} processors", std::env::consts::OS, std::env::consts::ARCH));
    if cfg!(debug_assertions) {
        say("The local AWS is NOT optimised: the times are its own.");
    }
    binaries.sizes()?;
    let costs = Costs::new(&template, &binaries, &requests);
    let counted: Vec<_> = COUNTED.into_iter().filter(|function| binaries.measures(function)).collect();
    if costs.heading(&counted) {
        for function in counted {
            in_time(costs.measure(function)).await?;
        }
    }
    if binaries.measures(times::MEASURED) {
        in_time(times::measure(&template, &binaries, &requests, options.requests)).await?;
    } else {
        say(&format!("\nTimes and memory: not measured, as they are those of {}", times::MEASURED));
    }
    if binaries.measures(callbacks::MEASURED) {
        let development = Binaries::development(root, &callbacks::FUNCTIONS)?;
        callbacks::measure(&template, &development, &requests, options.requests).await?;
    }
    if binaries.measures(qr_logins::MEASURED) {
        let development = Binaries::development(root, &qr_logins::FUNCTIONS)?;
        qr_logins::measure(&template, &development, &requests).await?;
    }
    Ok(())
}

async fn in_time(measurement: impl Future<Output = Result<()>>) -> Result<()> {
    let late = |_| Error::new(format!("a measurement was not done after {} s", LIMIT.as_secs()));
    tokio::time::timeout(LIMIT, measurement).await.map_err(late)?
}

fn because<E: Display>(doing: impl Display) -> impl FnOnce(E) -> Error {
    move |cause| Error::new(format!("{doing}: {cause}"))
}

/// A line on standard output. If nobody reads it any more, that is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
