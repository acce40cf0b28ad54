//! What the functions print.
//!
//! A process writes into a file without a name, not into a pipe: whatever it has printed before its answer is there
//! when the answer arrives, so that a test which looks for a line never has to wait for it.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::Stdio;
use std::sync::Mutex;

use crate::callers::Caller;
use crate::system::lock;

/// How much is kept of all processes together.
const KEPT_BYTES: usize = 64 * 1024 * 1024;
/// How much may lie in a process's file that has been read already.
const FILE_BYTES: u64 = 1024 * 1024;

/// A line that a function printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputLine {
    /// The process.
    pub caller: Caller,
    /// The line without its end.
    pub text: String,
}

/// Is told every line as it is found.
pub(crate) type Echo = Box<dyn Fn(&OutputLine) + Send + Sync>;

/// The lines of all processes.
#[derive(Default)]
pub(crate) struct Output {
    kept: Mutex<Kept>,
    echo: Option<Echo>,
}

#[derive(Default)]
struct Kept {
    lines: VecDeque<OutputLine>,
    bytes: usize,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").finish_non_exhaustive()
    }
}

impl Output {
    pub(crate) fn new(echo: Option<Echo>) -> Self {
        Self { kept: Mutex::default(), echo }
    }

    /// Adds a line.
    pub(crate) fn add(&self, line: OutputLine) {
        if let Some(echo) = &self.echo {
            echo(&line);
        }
        let mut kept = lock(&self.kept);
        kept.bytes += line.text.len();
        kept.lines.push_back(line);
        while kept.bytes > KEPT_BYTES {
            let Some(oldest) = kept.lines.pop_front() else { break };
            kept.bytes -= oldest.text.len();
        }
    }

    /// The lines so far.
    pub(crate) fn lines(&self) -> Vec<OutputLine> {
        lock(&self.kept).lines.iter().cloned().collect()
    }
}

/// Where one process prints.
#[derive(Debug)]
pub(crate) struct Printout {
    file: File,
    read: Mutex<Read>,
}

#[derive(Debug, Default)]
struct Read {
    offset: u64,
    /// The beginning of a line whose end is not yet there.
    partial: Vec<u8>,
}

impl Printout {
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self { file: tempfile::tempfile()?, read: Mutex::default() })
    }

    /// A handle for the child. All handles share one position, so that lines follow each other.
    pub(crate) fn handle(&self) -> std::io::Result<Stdio> {
        self.file.try_clone().map(Stdio::from)
    }

    /// Moves what is new into `output`. At the end of a process, a last line needs no line end.
    pub(crate) fn collect(&self, caller: &Caller, output: &Output, at_end: bool) {
        let mut read = lock(&self.read);
        let mut buffer = [0; 16 * 1024];
        // The position that is shared with the child must not move, hence reading at an offset. What cannot be read is
        // lost.
        while let Ok(length @ 1..) = self.file.read_at(&mut buffer, read.offset) {
            read.offset += length as u64;
            read.partial.extend_from_slice(buffer.get(..length).unwrap_or_default());
        }
        let complete = match read.partial.iter().rposition(|byte| *byte == b'\n') {
            _ if at_end => read.partial.len(),
            Some(last) => last + 1,
            None => return,
        };
        let rest = read.partial.split_off(complete);
        let text = String::from_utf8_lossy(&std::mem::replace(&mut read.partial, rest)).into_owned();
        for line in text.lines() {
            output.add(OutputLine { caller: caller.clone(), text: line.to_owned() });
        }
        // The child goes on where it was; what lies before becomes a hole that takes no space.
        if self.file.metadata().is_ok_and(|file| file.len() == read.offset && file.len() > FILE_BYTES) {
            let _ = self.file.set_len(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Output, Printout};
    use crate::callers::Caller;
    use std::process::Command;

    #[test]
    fn lines_are_there_as_soon_as_they_are_written() {
        let output = Output::new(None);
        let caller = Caller { function: "f".to_owned(), instance: "f-1".to_owned() };
        let printout = Printout::new().unwrap();
        let mut echo = Command::new("sh");
        echo.args(["-c", "echo one; echo two >&2; printf three"]);
        echo.stdout(printout.handle().unwrap()).stderr(printout.handle().unwrap());
        assert!(echo.status().unwrap().success());

        printout.collect(&caller, &output, false);
        let texts = || output.lines().into_iter().map(|line| line.text).collect::<Vec<_>>();
        assert_eq!(texts(), ["one", "two"]);
        printout.collect(&caller, &output, true);
        assert_eq!(texts(), ["one", "two", "three"]);
    }
}
