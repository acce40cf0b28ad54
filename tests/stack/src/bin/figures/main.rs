//! `cargo figures`: measures what the documentation says about sizes, costs, times and memory.
//!
//! Everything is measured on the machine that it runs on, with the release binaries of the functions and the local AWS
//! of this crate. Nothing here says how fast AWS is. This tool is to be a release build too: with an unoptimised local
//! AWS, a request takes more than three times as long.
//!
//! Each part has a name, and `cargo figures NAME…` prints those alone:
//!
//! - **`sizes`**: each function's binary as it lies on the disk.
//! - **`costs`**: instructions and allocations of a warm request are what Callgrind counts, a part of Valgrind.
//!   An allocation is a call of the C library's `malloc`, `calloc` or one of the aligned kinds, a reallocation one of
//!   `realloc`. The processor that Valgrind simulates has AVX2, but neither SHA instructions nor AVX-512: AWS-LC hashes
//!   and signs with other code there than on a real processor, which executes fewer instructions. System calls are what
//!   strace counts; calls to AWS and their units what the local DynamoDB says; processor time what the kernel accounts
//!   to the function's process; log bytes what the function has printed. And what a million such requests cost in USD.
//! - **`speed`**: those of `costs` that do not depend on how busy the machine is, of the operations that clients ask
//!   most, compared with `docs/operate/speed.txt`.
//! - **`starts`**: from the start of a process to its first answer, over TLS, with whole processors and with the part
//!   of one that Lambda gives a function of 256 and 128 MiB: by a control group's quota where one may be made, and
//!   otherwise by stopping and continuing the process.
//! - **`times`**: a cold start (from the event to the answer of a process that does not exist yet), warm requests,
//!   processor time and memory of one function.
//! - **`scale`**: calls to AWS, units and memory with more tenants, and of pages of long lists.
//! - **`callbacks`**: what a sweep with nothing due and what an event consume in DynamoDB, as the local one counts it,
//!   and the memory of the process that delivers. With functions of the development profile, because those of the
//!   release profile call no receiver on this machine. It fails if one of them is over what it may be.
//! - **`qr-logins`**: what a code costs that is polled until it expires, from what its requests consume in DynamoDB. It
//!   fails if that is over what it may be, or if a poll writes anything.
//! - **`peers`**: starts of functions that others write, and mints of servers that others wrote, beside ours.
//!
//! What is measured is the deployed configuration: the log line, tracing, and no TLS session to resume. The HTTP API in
//! front of the functions is not part of any time; calls to the local AWS are.
//!
//! Counts are taken over two processes, each with a local AWS of its own. One answers some requests, the other more;
//! the difference divided by their number is the cost of one request, without start and end. Repeated on the same
//! binaries, the instructions and allocations stay within 1 %.
//!
//! The requests are those of `events/`, one after the other, as a function gets them, with ids, credentials and
//! signatures of tenants that were made for it; the end of a login answers the challenge of a beginning of its own, and
//! a phone's call has a proof of its own. Each has to succeed. Functions that only make those tenants are taken
//! from the development profile, because each binary of the release profile takes a minute to build.
//!
//! Processor time and memory are measured on Linux only: elsewhere there is no `/proc`. A figure of
//! `costs`, `times` or `callbacks` whose program is missing is left out, and the output says so; `speed` and `peers`
//! fail. An MB is 1 000 000 bytes.

mod binaries;
mod callbacks;
mod costs;
mod dollars;
mod endpoint;
mod memory;
mod peers;
mod people;
mod qr_logins;
mod requests;
mod scale;
mod share;
mod speed;
mod starts;
mod times;

use std::fmt::Display;
use std::future::Future;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use stack::{Error, Result, Stack};

use binaries::Binaries;
use costs::Costs;
use requests::{HOT, OTHERS, Operation, Requests};

/// How long one kind of measurement of one function may take.
const LIMIT: Duration = Duration::from_mins(3);

/// One more than after which the memory is read for the first time.
const AT_LEAST: i64 = times::SETTLED as i64 + 1;

/// Prints the figures of this machine: sizes, starts, costs, memory, dollars, and peers.
#[derive(Debug, Parser)]
#[command(name = "cargo figures", bin_name = "cargo figures")]
struct Options {
    /// What to print [default: all but `speed`, whose rows are some of `costs`].
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Directory with the functions' release binaries [default: builds them].
    #[arg(long, value_name = "DIR")]
    binaries: Option<PathBuf>,
    /// Requests to the one process whose memory is measured, and deliveries of the one that delivers.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(AT_LEAST..))]
    requests: u32,
    /// How many tenants there are in turn when it is counted what a request takes with so many.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 1000, 10_000])]
    tenants: Vec<usize>,
    /// Rows of the list whose pages are counted.
    #[arg(long, default_value_t = 50_000)]
    rows: usize,
    /// Functions to build and measure, separated by commas [default: those of the parts].
    #[arg(long, value_name = "FUNCTIONS", value_delimiter = ',')]
    only: Vec<String>,
    /// With `speed`: writes the table instead of comparing it. With `sizes`: writes them into the page.
    #[arg(long)]
    write: bool,
}

/// What can be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Size of each function's binary.
    Sizes,
    /// What the hot operations cost, compared with the committed table. Fails if it differs.
    Speed,
    /// What a warm request costs, and what a million of them cost in USD.
    Costs,
    /// Start to first answer with TLS, with the processor share of small functions too.
    Starts,
    /// Cold and warm times of one function, and its memory after many requests.
    Times,
    /// Calls to AWS, units and memory by the number of tenants and of rows.
    Scale,
    /// What callbacks consume.
    Callbacks,
    /// What a QR login consumes.
    QrLogins,
    /// Others beside it: functions in Rust and Node, and servers that mint.
    Peers,
}

impl Part {
    /// The functions that it measures, of these.
    fn functions(self, all: &[String]) -> Vec<String> {
        let of = |operations: &[Operation]| operations.iter().map(|operation| operation.function.to_owned()).collect();
        match self {
            Self::Sizes => all.to_vec(),
            Self::Speed => of(&HOT),
            Self::Costs => of(&[&HOT[..], &OTHERS[..]].concat()),
            Self::Starts => of(&starts::STARTED),
            Self::Times => vec![times::MEASURED.to_owned()],
            Self::Scale => of(&scale::MEASURED),
            Self::Peers => of(&peers::OURS),
            Self::Callbacks | Self::QrLogins => Vec::new(),
        }
    }
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
    let all: Vec<String> = stack.template().functions.iter().map(|function| function.binary.clone()).collect();
    if let Some(unknown) = options.only.iter().find(|name| !all.contains(name)) {
        return Err(Error::new(format!("the template has no function with the binary {unknown}")));
    }
    let parts = match options.parts.as_slice() {
        [] => Part::value_variants().iter().copied().filter(|part| *part != Part::Speed).collect(),
        parts => parts.to_vec(),
    };
    if options.write && !options.parts.iter().any(|part| matches!(part, Part::Speed | Part::Sizes)) {
        return Err(Error::new("--write is for `speed` and `sizes`: name one of them"));
    }
    let wanted: Vec<String> = parts.iter().flat_map(|part| part.functions(&all)).collect();
    let is_wanted = |name: &&String| {
        if options.only.is_empty() { wanted.contains(name) } else { options.only.contains(name) }
    };
    let measured: Vec<String> = all.iter().filter(is_wanted).cloned().collect();
    let binaries = match &options.binaries {
        Some(directory) => Binaries::given(root, directory, &measured, &options.only)?,
        None => Binaries::build(root, &measured)?,
    };
    let requests = Requests::new(root.join("events"))?;

    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    say(&format!("Machine: {} {}, {processors} processors", std::env::consts::OS, std::env::consts::ARCH));
    if cfg!(debug_assertions) {
        say("The local AWS is NOT optimised: the times are its own.");
    }
    for part in parts {
        match part {
            Part::Sizes => binaries.sizes(root, options.write)?,
            Part::Speed => speed::check(root, &template, &binaries, &requests, options.write).await?,
            Part::Costs => costs(&template, &binaries, &requests).await?,
            Part::Starts => starts::measure(&template, &binaries, &requests).await?,
            Part::Times if binaries.measures(times::MEASURED) => {
                in_time(times::measure(&template, &binaries, &requests, options.requests)).await?;
            }
            Part::Times => say(&format!("\nTimes: not measured, as they are those of {}", times::MEASURED)),
            Part::Scale => scale::measure(&template, &binaries, &requests, &options.tenants, options.rows).await?,
            Part::Callbacks => {
                callbacks::measure(&template, &binaries.development(), &requests, options.requests).await?;
            }
            Part::QrLogins => qr_logins::measure(&template, &binaries.development(), &requests).await?,
            Part::Peers => peers::measure(root, &template, &binaries, &requests).await?,
        }
    }
    Ok(())
}

/// What each operation costs, and then what a million of it cost.
async fn costs(template: &Path, binaries: &Binaries, requests: &Requests) -> Result<()> {
    let costs = Costs::new(template, binaries, requests);
    let mut counted = Vec::new();
    for operation in HOT.into_iter().chain(OTHERS).filter(|operation| binaries.measures(operation.function)) {
        counted.push((operation, costs.measure(operation).await?));
    }
    dollars::heading();
    for (operation, cost) in &counted {
        dollars::print(*operation, cost);
    }
    Ok(())
}

async fn in_time<T>(measurement: impl Future<Output = Result<T>>) -> Result<T> {
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
