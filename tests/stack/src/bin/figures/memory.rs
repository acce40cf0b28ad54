//! What the kernel says of a process: processor time and memory.

use std::fs;
use std::path::{Path, PathBuf};

use stack::{Error, Result};

use crate::because;

/// A process so far: processor time in ticks, memory in KiB.
pub struct Usage {
    pub ticks: u32,
    pub resident: u32,
    pub anonymous: u32,
    pub peak: u32,
}

impl Usage {
    /// Its memory in a line.
    pub fn shown(&self) -> String {
        let mb = |kib: u32| format!("{:.2} MB", f64::from(kib) * 1024.0 / 1e6);
        let (resident, heap, peak) = (mb(self.resident), mb(self.anonymous), mb(self.peak));
        format!("{resident} resident, {heap} of it not from files; peak {peak}")
    }
}

pub fn usage(process: &Path) -> Result<Usage> {
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
pub fn process(binary: &Path) -> Option<PathBuf> {
    fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path()).find(|process| {
        let status = fs::read_to_string(process.join("status")).unwrap_or_default();
        field(&status, "PPid:") == Some(std::process::id())
            && fs::read_link(process.join("exe")).is_ok_and(|exe| exe == binary)
    })
}
