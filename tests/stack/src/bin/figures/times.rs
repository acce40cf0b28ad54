//! How long a cold and a warm request take, and what many requests leave in memory.

use std::path::Path;
use std::time::Duration;

use stack::Result;

use crate::binaries::Binaries;
use crate::memory::Usage;
use crate::requests::{Requests, preparing, send};
use crate::say;

/// The function that is measured. It does the least of its own, so that what all have in common shows.
pub const MEASURED: &str = "fetch-tenant";
/// Requests after which the memory is read for the first time: buffers, connections and caches are there by then.
pub const SETTLED: u32 = 1000;
/// Fresh processes for the cold start.
const COLD_STARTS: u32 = 20;
/// Tenants that the requests are spread over.
const TENANTS: u32 = 1000;

pub async fn measure(template: &Path, binaries: &Binaries, requests: &Requests, number: u32) -> Result<()> {
    let key = requests.operator_key.clone();
    let stack = binaries.stack(template).admin_key(Some(key)).start().await?;
    let mut events = Vec::new();
    for _ in 0..TENANTS {
        let tenant = requests.tenant(&stack, preparing(MEASURED)).await?;
        events.push(requests.event(MEASURED, &tenant)?);
    }
    let mut events = events.iter().cycle().cloned();
    let mut next = || events.next().unwrap_or_default();

    let mut times = Vec::new();
    for _ in 0..COLD_STARTS {
        stack.restart(MEASURED).await;
        times.push(send(&stack, MEASURED, next()).await?.duration);
    }
    times.sort_unstable();
    say(&format!("\nCold start of {MEASURED}: event to answer, process start included, {COLD_STARTS} processes"));
    say(&format!("  median {}, min {}, max {}", rank(&times, 50), rank(&times, 0), rank(&times, 100)));

    stack.restart(MEASURED).await;
    // The first of the requests, a cold one: from here on there is a process to look at.
    send(&stack, MEASURED, next()).await?;
    let mut times = Vec::new();
    let mut early = None;
    let mark = stack.mark();
    for request in 1..number {
        if request == SETTLED {
            early = Usage::of(&stack, MEASURED)?;
        }
        times.push(send(&stack, MEASURED, next()).await?.duration);
    }
    let late = Usage::of(&stack, MEASURED)?;
    let calls = stack.mark() - mark;
    times.sort_unstable();
    say(&format!("\nWarm request to {MEASURED}: event to answer, {} requests, {TENANTS} tenants", times.len()));
    say(&format!("  median {}, 99th percentile {}", rank(&times, 50), rank(&times, 99)));
    let mark = stack.mark();
    let made = send(&stack, MEASURED, next()).await?.aws_calls;
    let names: Vec<String> = stack.calls_since(mark).into_iter().map(|call| call.operation).collect();
    say(&format!("  calls to AWS: {made} a request ({}); {calls} in all, retries included", names.join(", ")));

    match early.zip(late) {
        Some((early, late)) => memory(&early, &late, number),
        None => say("\nProcessor time and memory: not measured, as /proc does not show the process"),
    }
    stack.shutdown().await;
    Ok(())
}

fn memory(early: &Usage, late: &Usage, requests: u32) {
    let each = late.processor.saturating_sub(early.processor) / (requests - SETTLED);
    say(&format!("  processor time of the process: {:.3} ms a request", each.as_secs_f64() * 1e3));
    say(&format!("\nMemory of one {MEASURED} process: /proc/<pid>/status, VmRSS, RssAnon, VmHWM"));
    for (after, usage) in [(SETTLED, early), (requests, late)] {
        say(&format!("  after {after:6} requests: {}", usage.shown()));
    }
    let growth = (f64::from(late.resident) / f64::from(early.resident) - 1.0) * 100.0;
    let bytes = (f64::from(late.resident) - f64::from(early.resident)) * 1024.0 / f64::from(requests - SETTLED);
    say(&format!("  growth over the last {}: {growth:.1} %, {bytes:.0} bytes a request", requests - SETTLED));
}

/// The smallest of the sorted times below or at which that many percent are.
pub fn rank(sorted: &[Duration], percent: usize) -> String {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    format!("{:.2} ms", sorted.get(place).copied().unwrap_or_default().as_secs_f64() * 1e3)
}
