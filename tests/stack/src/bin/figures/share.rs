//! A part of a processor, as a function has it by its memory.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use stack::Result;

use crate::because;

/// The memory with which a function has one whole processor, in MiB (AWS Lambda Developer Guide, "Configure Lambda
/// function memory").
pub const WHOLE_MIB: u32 = 1769;
/// The period in which a function has its part, in microseconds: that of Lambda, as its throttling shows.
const PERIOD_US: u32 = 20_000;
/// Longer where signals do it: waking up in time is then not exact enough for less.
const SIGNALS_PERIOD_US: u32 = 100_000;

/// Stops and continues itself until there is nobody to stop.
const BY_SIGNALS: &str = r#"
exec 3<> <(:)
(while kill -STOP $$ && ! read -rt "$1" -u 3; do kill -CONT $$; read -rt "$2" -u 3; done) >/dev/null 2>&1 &
shift 2
exec "$@" 3>&-"#;

static NUMBERS: AtomicU32 = AtomicU32::new(0);

/// A part of a processor for the processes that are started by its command.
#[derive(Debug)]
pub struct Share {
    /// None is a whole processor, and a second one if there is one.
    mib: Option<u32>,
    group: Option<PathBuf>,
}

impl Share {
    /// No limit.
    pub fn whole() -> Self {
        Self { mib: None, group: None }
    }

    /// The part that a function has with this memory.
    pub fn of_memory(mib: u32) -> Self {
        Self { mib: Some(mib), group: group(quota(mib, PERIOD_US)) }
    }

    pub fn name(&self) -> String {
        let mechanism = if self.group.is_some() { "cgroup" } else { "SIGSTOP and SIGCONT" };
        self.mib.map_or_else(
            || "whole processors".to_owned(),
            |mib| format!("{:.1} % of a processor, as with {mib} MiB, by {mechanism}", share(mib) * 100.0),
        )
    }

    /// The command with which a process is started that has this share.
    pub fn command(&self) -> Vec<OsString> {
        let words = match (self.mib, &self.group) {
            (None, _) => return Vec::new(),
            (Some(_), Some(group)) => {
                let enter = format!("echo $$ >'{}/cgroup.procs' && exec \"$@\"", group.display());
                vec!["sh".to_owned(), "-c".to_owned(), enter, "sh".to_owned()]
            }
            (Some(mib), None) => {
                let on = f64::from(quota(mib, SIGNALS_PERIOD_US)) / 1e6;
                let off = f64::from(SIGNALS_PERIOD_US) / 1e6 - on;
                ["bash", "-c", BY_SIGNALS, "bash"]
                    .map(str::to_owned)
                    .into_iter()
                    .chain([off, on].map(|time| time.to_string()))
                    .collect()
            }
        };
        words.into_iter().map(OsString::from).collect()
    }

    /// Gives the group back. Its processes must have ended.
    pub fn end(self) -> Result<()> {
        self.group.map_or(Ok(()), |group| fs::remove_dir(&group).map_err(because(group.display())))
    }
}

fn share(mib: u32) -> f64 {
    f64::from(mib) / f64::from(WHOLE_MIB)
}

fn quota(mib: u32, period_us: u32) -> u32 {
    period_us * mib / WHOLE_MIB
}

/// A control group with this quota, of version 2 or 1, if we may have one.
fn group(quota: u32) -> Option<PathBuf> {
    let name = format!("latchkey-figures-{}-{}", std::process::id(), NUMBERS.fetch_add(1, Ordering::Relaxed));
    let period = PERIOD_US.to_string();
    // Version 2 has the controller in a group only if the one above hands it down. It may do so already.
    let _ = fs::write("/sys/fs/cgroup/cgroup.subtree_control", "+cpu");
    for (root, settings) in [
        ("/sys/fs/cgroup", vec![("cpu.max", format!("{quota} {period}"))]),
        ("/sys/fs/cgroup/cpu", vec![("cpu.cfs_period_us", period.clone()), ("cpu.cfs_quota_us", quota.to_string())]),
    ] {
        let group = PathBuf::from(root).join(&name);
        if fs::create_dir(&group).is_err() {
            continue;
        }
        let set = |(file, value): &(&str, String)| {
            // A file that the kernel did not put there is none of a control group.
            let path = group.join(file);
            path.exists() && fs::write(path, value).is_ok()
        };
        if settings.iter().all(set) {
            return Some(group);
        }
        // It is empty, as nothing has been put there.
        let _ = fs::remove_dir(&group);
    }
    None
}
