//! Lambda: starts a function's processes on demand, keeps them warm, and gives each one event at a time.
//!
//! A process that has died is never handed an event; one that dies with an event fails that event only. When the local
//! AWS itself is killed, the processes' requests to the Runtime API break off, at which the Rust runtime ends.

mod instance;
mod runtime_api;

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use serde_json::Value;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use crate::aws::Aws;
use crate::callers::Caller;
use crate::error::{Error, Result};
use crate::http::{Server, listen};
use crate::output::{Output, OutputLine};
use crate::streams::Target;
use crate::system::{self, lock};
use crate::template::Function;
use instance::{Instance, Job, Reply};

/// How many processes a function has at most.
const PROCESSES: usize = 16;
/// How many events of a function may wait for a process.
const QUEUE: usize = 256;
/// How long a process may take from its start to its first request for an event. Lambda gives ten seconds; a machine
/// that is compiling needs longer.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How long a process may take to end by itself. A tool that it runs under may have much to write.
const END_LIMIT: Duration = Duration::from_secs(30);

/// How an invocation differs from the usual.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invocation {
    /// The deadline that the function is told, in Unix milliseconds; it may lie in the past. When the process is really
    /// stopped stays with the template's timeout.
    pub deadline: Option<i64>,
}

/// An invocation that was answered.
#[derive(Debug, Clone)]
pub struct InvokeResult {
    /// What the function answered. Null if that is not JSON.
    pub payload: Value,
    /// The same, as it came.
    pub raw: Vec<u8>,
    /// Lambda's id of the invocation, which is also in [`AwsCall::invocation`](crate::AwsCall::invocation).
    pub request_id: String,
    /// The process that answered.
    pub instance: String,
    /// Whether the process was started for it.
    pub cold: bool,
    /// From the event to the answer, the start of the process included.
    pub duration: Duration,
    /// The part of it until the process fetched the event: of a process that was started for it, its initialization.
    pub init: Duration,
    /// How many calls to AWS it made, the SDK's retries not counted.
    pub aws_calls: usize,
}

/// Why an invocation has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvokeError {
    /// The template has no function with this binary.
    Unknown(String),
    /// Too many events are waiting already.
    Busy,
    /// The process cannot be started.
    Start(String),
    /// The time was up, and the process was killed.
    Timeout,
    /// The process ended without an answer.
    Crashed,
    /// The function reported an error.
    Failed {
        /// The type of the error.
        kind: String,
        /// The error's text.
        message: String,
    },
}

impl fmt::Display for InvokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(binary) => write!(f, "no function has the binary {binary}"),
            Self::Busy => f.write_str("too many events are waiting"),
            Self::Start(cause) => write!(f, "the function does not start: {cause}"),
            Self::Timeout => f.write_str("the function timed out"),
            Self::Crashed => f.write_str("the function's process ended without an answer"),
            Self::Failed { kind, message } => write!(f, "the function failed: {kind}: {message}"),
        }
    }
}

impl std::error::Error for InvokeError {}

/// The command that starts a function's processes, before the binary's path.
pub(crate) type Launcher = Box<dyn Fn(&str) -> Vec<OsString> + Send + Sync>;

/// How processes are started.
pub(crate) struct Settings {
    pub(crate) binaries: Box<dyn Fn(&str) -> PathBuf + Send + Sync>,
    pub(crate) launcher: Launcher,
    /// Environment variables beside those of the template.
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) aws_url: String,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("aws_url", &self.aws_url).finish_non_exhaustive()
    }
}

/// The functions. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Lambda {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    aws: Arc<Aws>,
    settings: Settings,
    output: Output,
    /// Where the Runtime API listens, as host and port.
    runtime_api: String,
    server: OnceLock<Server>,
    pools: BTreeMap<String, Pool>,
    instances: Mutex<HashMap<String, Arc<Instance>>>,
    started: AtomicUsize,
}

#[derive(Debug)]
struct Pool {
    function: Arc<Function>,
    idle: Mutex<Vec<Arc<Instance>>>,
    slots: Semaphore,
    waiting: AtomicUsize,
}

impl Lambda {
    /// Starts the Runtime API. Processes start with the first event.
    pub(crate) async fn start(
        aws: Arc<Aws>,
        functions: &[Arc<Function>],
        settings: Settings,
        output: Output,
    ) -> Result<Self> {
        let listener = listen(0).await?;
        let runtime_api = listener.local_addr().map(|address| address.to_string()).unwrap_or_default();
        let pool = |function: &Arc<Function>| Pool {
            function: Arc::clone(function),
            idle: Mutex::default(),
            slots: Semaphore::new(PROCESSES),
            waiting: AtomicUsize::new(0),
        };
        let inner = Arc::new(Inner {
            aws,
            settings,
            output,
            runtime_api,
            server: OnceLock::new(),
            pools: functions.iter().map(|function| (function.binary.clone(), pool(function))).collect(),
            instances: Mutex::default(),
            started: AtomicUsize::new(0),
        });
        // The server must not keep alive what keeps the server alive.
        let weak = Arc::downgrade(&inner);
        let server = Server::spawn(listener, move |request| {
            let inner = weak.upgrade();
            async move { runtime_api::handle(inner, request).await }
        })?;
        // It was empty until now.
        let _ = inner.server.set(server);
        Ok(Self { inner })
    }

    /// Gives an event to a function and waits for the answer. The event is worked on even if nobody waits any more.
    pub(crate) async fn invoke(
        &self,
        binary: &str,
        payload: Bytes,
        invocation: Invocation,
    ) -> Result<InvokeResult, InvokeError> {
        let inner = Arc::clone(&self.inner);
        let name = binary.to_owned();
        let work = tokio::spawn(async move { inner.invoke(&name, payload, invocation).await });
        let result = work.await.unwrap_or(Err(InvokeError::Crashed));
        if let Err(error) = &result {
            self.note(binary, &error.to_string());
        }
        result
    }

    /// The function as whoever reads a stream for it has it.
    pub(crate) fn target(&self, binary: &str) -> Target {
        let (lambda, binary) = (self.clone(), binary.to_owned());
        Arc::new(move |payload| {
            let (lambda, binary) = (lambda.clone(), binary.clone());
            Box::pin(async move {
                lambda.invoke(&binary, payload, Invocation::default()).await.map(|answered| answered.payload)
            })
        })
    }

    /// Adds a line of Lambda's own to what the function has printed: the client learns no more than a status.
    pub(crate) fn note(&self, binary: &str, text: &str) {
        let caller = Caller { function: binary.to_owned(), instance: format!("{binary}-lambda") };
        self.inner.output.add(OutputLine { caller, text: format!("{binary}: {text}") });
    }

    /// What the functions have printed.
    pub(crate) fn output(&self) -> &Output {
        let running: Vec<_> = lock(&self.inner.instances).values().cloned().collect();
        for instance in running {
            instance.printout.collect(&instance.caller, &self.inner.output, false);
        }
        &self.inner.output
    }

    /// Kills the processes of a function, or of all, and waits until they have ended.
    pub(crate) async fn stop(&self, binary: Option<&str>) {
        let running = self.instances(binary);
        for instance in &running {
            instance.kill();
        }
        for instance in &running {
            instance.gone().await;
        }
    }

    /// The kernel's numbers of the processes of a function.
    pub(crate) fn processes(&self, binary: &str) -> Vec<u32> {
        self.instances(Some(binary)).iter().filter_map(|instance| instance.process()).collect()
    }

    /// Lets the processes of a function end by themselves, and waits until they have ended. One that does not end in
    /// time is killed.
    pub(crate) async fn retire(&self, binary: &str) -> Result<()> {
        let running = self.instances(Some(binary));
        for instance in &running {
            instance.retire();
        }
        let mut killed = false;
        for instance in &running {
            if timeout(END_LIMIT, instance.gone()).await.is_err() {
                instance.kill();
                instance.gone().await;
                killed = true;
            }
        }
        let seconds = END_LIMIT.as_secs();
        if killed { Err(Error::new(format!("{binary} does not end by itself within {seconds} s"))) } else { Ok(()) }
    }

    /// The processes of a function, or of all.
    fn instances(&self, binary: Option<&str>) -> Vec<Arc<Instance>> {
        let instances = lock(&self.inner.instances);
        let of = |instance: &&Arc<Instance>| binary.is_none_or(|binary| binary == instance.caller.function);
        instances.values().filter(of).cloned().collect()
    }

    /// Kills every process without waiting.
    pub(crate) fn kill_all(&self) {
        for instance in lock(&self.inner.instances).values() {
            instance.kill();
        }
    }
}

impl Inner {
    async fn invoke(
        self: &Arc<Self>,
        binary: &str,
        payload: Bytes,
        invocation: Invocation,
    ) -> Result<InvokeResult, InvokeError> {
        let begun = Instant::now();
        let pool = self.pools.get(binary).ok_or_else(|| InvokeError::Unknown(binary.to_owned()))?;
        let _slot = pool.slot().await?;
        loop {
            let (instance, cold) = match pool.warm() {
                Some(instance) => (instance, false),
                None => (self.cold(pool)?, true),
            };
            let request_id = system::uuid();
            let limit = Duration::from_secs(pool.function.timeout_seconds);
            let (started, has_started) = oneshot::channel();
            let (reply, answer) = oneshot::channel();
            let job = Job {
                request_id: request_id.clone(),
                payload: payload.clone(),
                deadline_ms: invocation.deadline,
                trace: trace_id(),
                started,
                reply,
            };
            if instance.give(job).is_err() {
                if cold {
                    return Err(InvokeError::Crashed);
                }
                continue;
            }
            match timeout(START_LIMIT, has_started).await {
                Ok(Ok(())) => {}
                // It died before it took the event, which is as good as new.
                Ok(Err(_)) if !cold => continue,
                Ok(Err(_)) => return Err(InvokeError::Crashed),
                Err(_) => {
                    instance.kill();
                    return Err(InvokeError::Timeout);
                }
            }
            let init = begun.elapsed();
            return match timeout(limit, answer).await {
                Ok(Ok(Reply::Answer { payload, aws_calls })) => {
                    let result = InvokeResult {
                        payload: serde_json::from_slice(&payload).unwrap_or_default(),
                        raw: payload.to_vec(),
                        request_id,
                        instance: instance.caller.instance.clone(),
                        cold,
                        duration: begun.elapsed(),
                        init,
                        aws_calls,
                    };
                    lock(&pool.idle).push(instance);
                    Ok(result)
                }
                Ok(Ok(Reply::Failed { kind, message })) => {
                    lock(&pool.idle).push(instance);
                    Err(InvokeError::Failed { kind, message })
                }
                Ok(Err(_)) => Err(InvokeError::Crashed),
                Err(_) => {
                    instance.kill();
                    instance.gone().await;
                    Err(InvokeError::Timeout)
                }
            };
        }
    }

    fn cold(self: &Arc<Self>, pool: &Pool) -> Result<Arc<Instance>, InvokeError> {
        let number = self.started.fetch_add(1, Ordering::SeqCst) + 1;
        Instance::start(self, &pool.function, number).map_err(|cause| {
            let path = (self.settings.binaries)(&pool.function.binary);
            InvokeError::Start(format!("{}: {cause}", path.display()))
        })
    }
}

impl Pool {
    async fn slot(&self) -> Result<tokio::sync::SemaphorePermit<'_>, InvokeError> {
        if let Ok(permit) = self.slots.try_acquire() {
            return Ok(permit);
        }
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= QUEUE {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            return Err(InvokeError::Busy);
        }
        let permit = self.slots.acquire().await;
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        // The semaphore is never closed.
        permit.map_err(|_| InvokeError::Busy)
    }

    /// The process that was used last, as Lambda does.
    fn warm(&self) -> Option<Arc<Instance>> {
        let mut idle = lock(&self.idle);
        while let Some(instance) = idle.pop() {
            if lock(&instance.state).takes_events() {
                return Some(instance);
            }
        }
        None
    }
}

/// In the shape of an X-Ray header. Nothing is ever sent to X-Ray.
fn trace_id() -> String {
    let (root, parent) = (system::uuid().replace('-', ""), system::uuid().replace('-', ""));
    let seconds = system::now_ms() / 1000;
    let part = |text: &str, length: usize| text.chars().take(length).collect::<String>();
    format!("Root=1-{seconds:08x}-{};Parent={};Sampled=0", part(&root, 24), part(&parent, 16))
}
