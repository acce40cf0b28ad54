//! What the kernel says of a process: processor time and memory.

use std::fs;
use std::path::Path;
use std::time::Duration;

use stack::{Error, Result, Stack};

use crate::because;

/// The unit of processor time in `/proc/<pid>/stat`.
const TICK: Duration = Duration::from_millis(10);

/// A process so far: processor time of all that it was, memory in KiB.
#[derive(Debug)]
pub struct Usage {
    pub processor: Duration,
    pub resident: u32,
    pub anonymous: u32,
    pub peak: u32,
}

impl Usage {
    /// What the kernel says of the process of a function, if it says anything here.
    pub fn of(stack: &Stack, function: &str) -> Result<Option<Self>> {
        let processes = stack.processes(function);
        let [process] = processes.as_slice() else {
            return Err(Error::new(format!("{function} has {} processes", processes.len())));
        };
        Self::of_process(*process)
    }

    /// What the kernel says of a process, if it says anything here.
    pub fn of_process(number: u32) -> Result<Option<Self>> {
        let process = Path::new("/proc").join(number.to_string());
        if !process.exists() {
            return Ok(None);
        }
        let status = fs::read_to_string(process.join("status")).map_err(because("status"))?;
        let kib =
            |name: &str| field(&status, name).ok_or_else(|| Error::new(format!("no {name} in the process's status")));
        let processor = processor(&process)?;
        Ok(Some(Self { processor, resident: kib("VmRSS:")?, anonymous: kib("RssAnon:")?, peak: kib("VmHWM:")? }))
    }

    /// Its memory in a line.
    pub fn shown(&self) -> String {
        let mb = |kib: u32| format!("{:.2} MB", f64::from(kib) * 1024.0 / 1e6);
        let (resident, heap, peak) = (mb(self.resident), mb(self.anonymous), mb(self.peak));
        format!("{resident} resident, {heap} of it not from files; peak {peak}")
    }
}

/// In nanoseconds where the kernel counts them for each thread, and otherwise in its ticks.
fn processor(process: &Path) -> Result<Duration> {
    let mut precise = 0;
    for thread in fs::read_dir(process.join("task")).map_err(because("threads"))?.flatten() {
        let statistics = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        precise += statistics.split_whitespace().next().and_then(|time| time.parse::<u64>().ok()).unwrap_or_default();
    }
    if precise > 0 {
        return Ok(Duration::from_nanos(precise));
    }
    let stat = fs::read_to_string(process.join("stat")).map_err(because("stat"))?;
    // The name of the process, in parentheses, may have blanks. `utime` and `stime` are 11 fields after it.
    let times = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    Ok(TICK * times.map(|ticks| ticks.parse::<u32>().unwrap_or_default()).sum())
}

fn field(status: &str, name: &str) -> Option<u32> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}
