//! How long a process takes from its start to its first answer, with TLS to AWS, on a whole processor and on the parts
//! that small functions have.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use stack::{Error, InvokeResult, Result, Stack};
use tempfile::NamedTempFile;

use crate::binaries::Binaries;
use crate::endpoint::Endpoint;
use crate::requests::{HOT, Operation, Requests, Tenant, preparing, send};
use crate::share::Share;
use crate::times::rank;
use crate::{in_time, say};

/// What is started of ours: what clients ask most, with a bearer key and with a signature.
pub const STARTED: [Operation; 3] = [HOT[0], HOT[2], HOT[4]];
/// The memory of functions whose parts of a processor are imitated, in MiB.
const MEMORY_MIB: [u32; 2] = [256, 128];
/// Fresh processes of each.
const STARTS: usize = 15;
/// Requests to each of them after the first. The last one is the warm one.
const WARM: usize = 4;

/// What is started, and how: what all have in common is measured by the same code.
#[derive(Debug)]
pub struct Subject {
    pub name: String,
    pub operation: Operation,
    /// The command before its binary; of a peer, the whole of it.
    pub command: Vec<OsString>,
    /// What is answered by a peer, whatever it is asked.
    pub is_peer: bool,
}

impl Subject {
    pub fn ours(operation: Operation) -> Self {
        Self { name: operation.name.to_owned(), operation, command: Vec::new(), is_peer: false }
    }
}

/// A subject that can be started.
struct Ready<'a> {
    subject: &'a Subject,
    stack: Stack,
    tenant: Tenant,
    times: Vec<Times>,
    /// Its clients trust what is in it.
    _roots: [NamedTempFile; 2],
}

#[derive(Debug, Clone, Copy)]
struct Times {
    init: Duration,
    first: Duration,
    warm: Duration,
}

/// Measures our own.
pub async fn measure(template: &Path, binaries: &Binaries, requests: &Requests) -> Result<()> {
    let measured = STARTED.into_iter().filter(|operation| binaries.measures(operation.function));
    let subjects: Vec<Subject> = measured.map(Subject::ours).collect();
    compare(template, binaries, requests, &subjects).await
}

/// Measures subjects in turn: whatever else a machine does, it does to all of them.
pub async fn compare(template: &Path, binaries: &Binaries, requests: &Requests, subjects: &[Subject]) -> Result<()> {
    say("\nStart of a process with TLS to AWS, without a session to resume: RSA 2048, two certificates");
    say("  trusted: by ours Amazon's roots, as deployed; by others all that are public; by all the one of this run");
    say("  init: until it asks for its first event; first: that event to its answer; warm: the same of a later one");
    say(&format!(
        "  medians of {STARTS} processes, in turn with the others; one hand-over more than in AWS, to end TLS"
    ));
    let shares = std::iter::once(Share::whole()).chain(MEMORY_MIB.into_iter().map(Share::of_memory));
    for share in shares {
        say(&format!("  {}", share.name()));
        say(&format!("    {:38}{:>12}{:>12}{:>16}{:>12}", "", "init", "first", "init + first", "warm"));
        let mut ready = Vec::new();
        for subject in subjects {
            ready.push(Ready::new(template, binaries, requests, subject, &share).await?);
        }
        for _ in 0..STARTS {
            for subject in &mut ready {
                in_time(subject.start(requests)).await?;
            }
        }
        for Ready { subject, stack, times, .. } in ready {
            let median = |of: fn(&Times) -> Duration| {
                let mut all: Vec<Duration> = times.iter().map(of).collect();
                all.sort_unstable();
                rank(&all, 50)
            };
            let (init, first) = (median(|times| times.init), median(|times| times.first));
            let (both, warm) = (median(|times| times.init + times.first), median(|times| times.warm));
            say(&format!("    {:38}{init:>12}{first:>12}{both:>16}{warm:>12}", subject.name));
            stack.shutdown().await;
        }
        share.end()?;
    }
    Ok(())
}

impl<'a> Ready<'a> {
    async fn new(
        template: &Path,
        binaries: &Binaries,
        requests: &Requests,
        subject: &'a Subject,
        share: &Share,
    ) -> Result<Self> {
        let endpoint = Endpoint::listen(template.parent().unwrap_or(Path::new("."))).await?;
        let (measured, is_peer) = (subject.operation.function, subject.is_peer);
        let command: Vec<OsString> = share.command().into_iter().chain(subject.command.clone()).collect();
        let limited = command.clone();
        let under = move |name: &str| if name == measured { limited.clone() } else { Vec::new() };
        let mut builder = binaries.stack_under(template, under).aws_url(endpoint.url.clone());
        if is_peer {
            builder = binaries.stack_for_peer(builder, measured, &command);
        }
        for (name, value) in endpoint.variables() {
            builder = builder.variable(name, &value);
        }
        let stack = builder.admin_key(Some(requests.operator_key.clone())).start().await?;
        let roots = endpoint.hand_on(&stack.aws_url());
        let tenant = requests.tenant(&stack, preparing(measured)).await?;
        Ok(Self { subject, stack, tenant, times: Vec::new(), _roots: roots })
    }

    /// Starts a process, and asks it.
    async fn start(&mut self, requests: &Requests) -> Result<()> {
        self.stack.restart(self.subject.operation.function).await;
        let cold = self.ask(requests).await?;
        if !cold.cold {
            return Err(Error::new(format!("{} was not started for its first event", self.subject.name)));
        }
        let mut warm = cold.duration;
        for _ in 0..WARM {
            let result = self.ask(requests).await?;
            warm = result.duration;
        }
        self.times.push(Times { init: cold.init, first: cold.duration.saturating_sub(cold.init), warm });
        Ok(())
    }

    async fn ask(&self, requests: &Requests) -> Result<InvokeResult> {
        let event = requests.next(&self.stack, self.subject.operation, &self.tenant).await?;
        send(&self.stack, self.subject.operation.function, event).await
    }
}
