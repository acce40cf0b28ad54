//! Programs that count what a process does: Callgrind, which is a part of Valgrind, and strace.
//!
//! A process runs under one of them from its start ([`StackBuilder::launcher`](crate::StackBuilder::launcher)). The
//! report is written when the process has ended by itself ([`Stack::retire`](crate::Stack::retire)).

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{Error, Result};

/// The functions of the C library that Rust's allocator and C code get memory from.
const ALLOCATING: [&str; 5] = ["malloc", "calloc", "aligned_alloc", "posix_memalign", "memalign"];
/// The one with which they ask for more of it, or less. The memory may stay where it is.
const REALLOCATING: &str = "realloc";

/// A program that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profiler {
    /// Counts instructions, and calls of the C library's allocator.
    Callgrind,
    /// Counts system calls.
    Strace,
}

impl Profiler {
    /// What it counts, in the order in which [`read`](Self::read) answers.
    pub fn counted(self) -> &'static [&'static str] {
        match self {
            Self::Callgrind => &["instructions", "allocations", "reallocations"],
            Self::Strace => &["system calls"],
        }
    }

    /// The command's name, which is also that of the package in Debian.
    pub fn program(self) -> &'static str {
        match self {
            Self::Callgrind => "valgrind",
            Self::Strace => "strace",
        }
    }

    /// Whether a program can be run under it here: it may be missing, or may not trace processes.
    pub fn works(self) -> bool {
        let null = || Stdio::null();
        let mut command = self.launcher(Path::new("/dev/null")).into_iter();
        let program = command.next().unwrap_or_default();
        let status =
            Command::new(program).args(command).arg("true").stdin(null()).stdout(null()).stderr(null()).status();
        status.is_ok_and(|status| status.success())
    }

    /// The command that runs a program under it; the program is what comes last. The report is written to `report`.
    pub fn launcher(self, report: &Path) -> Vec<OsString> {
        let arguments: &[&str] = match self {
            Self::Callgrind => &["valgrind", "--quiet", "--tool=callgrind"],
            Self::Strace => &["strace", "--follow-forks", "--summary-only", "--summary-columns=calls,name"],
        };
        let mut command: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let mut output = OsString::from(match self {
            Self::Callgrind => "--callgrind-out-file=",
            Self::Strace => "--output=",
        });
        output.push(report);
        command.push(output);
        command
    }

    /// What a report says was counted, over the process's whole life.
    ///
    /// # Errors
    /// The report is not complete, or is not one.
    pub fn read(self, report: &str) -> Result<Vec<u64>> {
        match self {
            Self::Callgrind => callgrind(report),
            Self::Strace => strace(report),
        }
    }
}

/// Its file has a line `calls=<number> …` for each pair of a calling and a called function, after the line `cfn=`
/// with the called one. A name is written out once, `(<id>) <name>`, and only `(<id>)` after that.
fn callgrind(report: &str) -> Result<Vec<u64>> {
    let after = |prefix: &str| report.lines().find_map(|line| line.strip_prefix(prefix));
    if after("events: ") != Some("Ir") {
        return Err(Error::new("Callgrind's report does not count instructions and nothing else"));
    }
    let instructions = number(after("totals: ")).ok_or_else(|| Error::new("Callgrind's report has no end"))?;
    let mut names = HashMap::new();
    let mut called = "";
    let (mut allocations, mut reallocations) = (0, 0);
    for line in report.lines() {
        if let Some(calls) = line.strip_prefix("calls=") {
            let calls = number(calls.split(' ').next());
            let calls = calls.ok_or_else(|| Error::new(format!("Callgrind's report has the line {line}")))?;
            match names.get(called) {
                Some(name) if ALLOCATING.contains(name) => allocations += calls,
                Some(&REALLOCATING) => reallocations += calls,
                _ => {}
            }
        } else if let Some((key, function)) = line.split_once("fn=").filter(|(key, _)| matches!(*key, "" | "c")) {
            let (id, name) = function.split_once(' ').unwrap_or((function, ""));
            if !name.is_empty() {
                names.insert(id, name);
            }
            if key == "c" {
                called = id;
            }
        }
    }
    // Every process allocates. One that has an allocator of its own would pass for one that does not.
    if allocations == 0 {
        return Err(Error::new("Callgrind's report has no call of the C library's allocator"));
    }
    Ok(vec![instructions, allocations, reallocations])
}

/// A table with the columns `calls` and `syscall`. Its last line is the sum.
fn strace(report: &str) -> Result<Vec<u64>> {
    let total = report.lines().find_map(|line| number(line.trim().strip_suffix(" total")));
    total.map(|calls| vec![calls]).ok_or_else(|| Error::new("strace's report has no total"))
}

fn number(text: Option<&str>) -> Option<u64> {
    text?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::Profiler;

    /// Shortened, but for the lines that matter.
    const CALLGRIND: &str = "# callgrind format
version: 1
creator: callgrind-3.19.0
positions: line
events: Ir
summary: 1214578

ob=(4) /usr/lib/libc.so.6
fl=(175) ./malloc/arena.c
fn=(644) malloc
32 7
cfn=(656) _int_malloc
calls=40 12
0 900

fn=(12) main
0 2
cob=(4)
cfi=(175)
cfn=(644)
calls=3 30
0 71
cfn=(904) calloc
calls=1 30
0 71
cfn=(905) malloc_usable_size
calls=500 30
0 71

fn=(13) next
0 2
cfn=(644)
calls=20 30
0 71
cfn=(750) realloc
calls=100 +3
0 71

totals: 1214578
";

    const STRACE: &str = "    calls syscall
--------- ----------------
        2 wait4
       69 newfstatat
--------- ----------------
       71 total
";

    #[test]
    fn callgrind_counts_calls_of_the_allocator_from_wherever_they_come() {
        assert_eq!(Profiler::Callgrind.read(CALLGRIND).unwrap(), [1_214_578, 24, 100]);
    }

    #[test]
    fn strace_counts_calls_of_all_kinds() {
        assert_eq!(Profiler::Strace.read(STRACE).unwrap(), [71]);
    }

    #[test]
    fn a_report_that_is_not_complete_is_no_report() {
        let cut = |report: &str, from: &str| report.split(from).next().unwrap().to_owned();
        for (profiler, report) in [
            (Profiler::Callgrind, String::new()),
            (Profiler::Callgrind, cut(CALLGRIND, "totals")),
            (Profiler::Callgrind, CALLGRIND.replace("events: Ir", "events: Ir Dr")),
            (Profiler::Callgrind, CALLGRIND.replace("calls=3 30", "calls=three 30")),
            (Profiler::Callgrind, CALLGRIND.replace("alloc\n", "alloc_of_mine\n")),
            (Profiler::Strace, String::new()),
            (Profiler::Strace, cut(STRACE, "       71")),
        ] {
            assert!(profiler.read(&report).is_err(), "{profiler:?}: {report}");
        }
    }

    /// Where they work, they understand their options and their reports are understood.
    #[test]
    fn a_real_program_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        for profiler in [Profiler::Callgrind, Profiler::Strace].into_iter().filter(|profiler| profiler.works()) {
            let report = folder.path().join(profiler.program());
            let command = profiler.launcher(&report);
            let mut list = Command::new(&command[0]);
            list.args(&command[1..]).args(["ls", "/"]).stdout(Stdio::null());
            assert!(list.status().unwrap().success(), "{profiler:?}");
            let counts = profiler.read(&std::fs::read_to_string(&report).unwrap()).unwrap();
            assert_eq!(counts.len(), profiler.counted().len(), "{profiler:?}");
            assert!(counts[0] > 10, "{profiler:?}: {counts:?}");
        }
    }
}
