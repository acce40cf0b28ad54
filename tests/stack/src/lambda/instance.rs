//! One process of a function.

use std::process::Stdio;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use hyper::body::Bytes;
use tokio::process::{Child, Command};
use tokio::sync::{Notify, oneshot, watch};

use super::Inner;
use crate::callers::{Caller, Kill};
use crate::output::Printout;
use crate::system::lock;
use crate::template::Function;

/// An event on its way into a process.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) request_id: String,
    pub(super) payload: Bytes,
    /// The deadline to tell; none is the usual one, counted from when the process fetches the event.
    pub(super) deadline_ms: Option<i64>,
    pub(super) trace: String,
    /// Told when the process has fetched the event.
    pub(super) started: oneshot::Sender<()>,
    pub(super) reply: oneshot::Sender<Reply>,
}

/// What a process says about an event.
#[derive(Debug)]
pub(super) enum Reply {
    Answer { payload: Bytes, aws_calls: usize },
    Failed { kind: String, message: String },
}

/// An event that a process is working on.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) request_id: String,
    pub(super) reply: oneshot::Sender<Reply>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) job: Option<Job>,
    pub(super) running: Option<Running>,
    /// It is told that the Runtime API goes away, at which it ends.
    pub(super) retired: bool,
    pub(super) dead: bool,
}

impl State {
    pub(super) fn takes_events(&self) -> bool {
        !self.dead && !self.retired
    }
}

/// A process, from its start until it has ended.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) caller: Caller,
    pub(super) access_key: String,
    pub(super) function: Arc<Function>,
    pub(super) state: Mutex<State>,
    /// Wakes the process's request for the next event.
    pub(super) wake: Notify,
    pub(super) printout: Printout,
    /// The kernel's number of it, which is that of what it runs under if there is such a program.
    process: OnceLock<u32>,
    kill: Kill,
    gone: watch::Sender<bool>,
}

impl Instance {
    /// Starts a process.
    pub(super) fn start(inner: &Arc<Inner>, function: &Arc<Function>, number: usize) -> std::io::Result<Arc<Self>> {
        let caller = Caller { function: function.binary.clone(), instance: format!("{}-{number}", function.binary) };
        let access_key = access_key(&function.binary, number);
        let printout = Printout::new()?;
        let kill = Kill::default();
        let mut command = inner.command(&function.binary);
        command
            .env_clear()
            .envs(inner.environment(function, &caller, &access_key))
            .stdin(Stdio::null())
            .stdout(printout.handle()?)
            .stderr(printout.handle()?)
            .kill_on_drop(true);
        let instance = Arc::new(Self {
            caller,
            access_key,
            function: Arc::clone(function),
            state: Mutex::default(),
            wake: Notify::new(),
            printout,
            process: OnceLock::new(),
            kill,
            gone: watch::channel(false).0,
        });
        // Known before it can call: a process that asks for its first event may be faster than its parent.
        inner.know(&instance);
        let child = command.spawn().inspect_err(|_| inner.forget(&instance))?;
        // It is set here only, and a child that nobody has waited for has a number.
        let _ = child.id().map(|id| instance.process.set(id));
        tokio::spawn(watch_over(Arc::clone(inner), Arc::clone(&instance), child));
        Ok(instance)
    }

    /// The kernel's number of the process.
    pub(super) fn process(&self) -> Option<u32> {
        self.process.get().copied()
    }

    /// Hands over an event. A process that takes none any more gives it back.
    pub(super) fn give(&self, job: Job) -> Result<(), Job> {
        let mut state = lock(&self.state);
        if !state.takes_events() {
            return Err(job);
        }
        state.job = Some(job);
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// Lets the process end by itself, after the event that it is working on. Not by a signal: a process that was ended
    /// by one has not written what it writes at its end.
    pub(super) fn retire(&self) {
        lock(&self.state).retired = true;
        self.wake.notify_one();
    }

    /// Ends the process without asking it.
    pub(super) fn kill(&self) {
        self.kill.send_replace(true);
    }

    /// Returns when the process has ended and everything about it is cleaned up.
    pub(super) async fn gone(&self) {
        // The sender lives in `self`, so this cannot fail.
        let _ = self.gone.subscribe().wait_for(|gone| *gone).await;
    }
}

async fn watch_over(inner: Arc<Inner>, instance: Arc<Instance>, mut child: Child) {
    let mut kill = instance.kill.subscribe();
    tokio::select! {
        _ = child.wait() => {}
        // Its value is a lock on the channel, not to be kept over an await.
        () = async { drop(kill.wait_for(|kill| *kill).await) } => {
            // An error means that it has ended by itself.
            let _ = child.start_kill();
            // A killed process may linger in the kernel. Nobody waits for that for ever.
            let _ = tokio::time::timeout(Duration::from_secs(5), child.wait()).await;
        }
    }
    inner.forget(&instance);
    instance.printout.collect(&instance.caller, &inner.output, true);
    let (job, running) = {
        let mut state = lock(&instance.state);
        state.dead = true;
        (state.job.take(), state.running.take())
    };
    if let Some(running) = &running {
        inner.aws.faults.end(&running.request_id);
    }
    // Dropping them tells whoever waits for the answer.
    drop((job, running));
    instance.gone.send_replace(true);
}

/// Has to be unique, and to pass for an access key id.
fn access_key(binary: &str, number: usize) -> String {
    let letters: String = binary.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("AKIA{}{number:04}", letters.to_ascii_uppercase())
}

impl Inner {
    /// Lets a process call.
    fn know(&self, instance: &Arc<Instance>) {
        let (caller, function) = (instance.caller.clone(), Arc::clone(&instance.function));
        self.aws.callers.register(&instance.access_key, caller, function, Arc::clone(&instance.kill));
        lock(&self.instances).insert(instance.caller.instance.clone(), Arc::clone(instance));
    }

    /// From now on what the process calls is of nobody.
    fn forget(&self, instance: &Instance) {
        self.aws.callers.forget(&instance.access_key);
        lock(&self.instances).remove(&instance.caller.instance);
    }

    fn command(&self, name: &str) -> Command {
        let binary = (self.settings.binaries)(name);
        let mut launcher = (self.settings.launcher)(name).into_iter();
        let Some(program) = launcher.next() else { return Command::new(binary) };
        let mut command = Command::new(program);
        command.args(launcher).arg(binary);
        command
    }

    /// The environment of a process: what Lambda sets, and what the template says. Nothing of our own comes through.
    fn environment(&self, function: &Function, caller: &Caller, access_key: &str) -> Vec<(String, String)> {
        let mut environment: Vec<(String, String)> = function.environment.clone().into_iter().collect();
        environment.extend(self.settings.variables.iter().cloned());
        environment.extend(crate::stack::client_environment(&self.settings.aws_url, access_key));
        let version = "$LATEST";
        for (name, value) in [
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("TZ", ":UTC".to_owned()),
            ("_HANDLER", "bootstrap".to_owned()),
            ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string()),
            ("AWS_LAMBDA_FUNCTION_VERSION", version.to_owned()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name)),
            ("AWS_LAMBDA_LOG_STREAM_NAME", format!("local/[{version}]{}", caller.instance)),
            // Lambda gives host and port only. The Rust runtime takes a base URL as well, if it has a scheme.
            ("AWS_LAMBDA_RUNTIME_API", format!("http://{}/{}", self.runtime_api, caller.instance)),
        ] {
            environment.push((name.to_owned(), value));
        }
        environment
    }
}
