//! What others need for the same: functions that start, and servers that mint a token. Their sources are in
//! `.ci/peers/`; they are built in `target/ci/peers`, in fixed versions from the package registries.
//!
//! A peer's mint keeps its client and its keys in its process, where ours reads tenant, key, user and organization from
//! the local AWS for each token.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use stack::{Error, Result, Stack};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::binaries::Binaries;
use crate::memory::Usage;
use crate::requests::{HOT, Operation, Requests, preparing, send};
use crate::starts::{self, Subject};
use crate::{because, in_time, say};

/// What peers stand beside: a signed call, which reads as much as they do, and a mint.
pub const OURS: [Operation; 2] = [HOT[2], HOT[0]];
/// The client that the servers know, as `Authorization` has it: `bench:bench-secret`.
const CLIENT: &str = "Basic YmVuY2g6YmVuY2gtc2VjcmV0";
/// Rounds of mints, and mints of each server in one.
const ROUNDS: usize = 11;
const MINTS: u32 = 100;

pub async fn measure(root: &Path, template: &Path, binaries: &Binaries, requests: &Requests) -> Result<()> {
    let peers = Peers::build(root).await?;
    let mut subjects = peers.functions();
    subjects.extend(OURS.into_iter().filter(|operation| binaries.measures(operation.function)).map(Subject::ours));
    starts::compare(template, binaries, requests, &subjects).await?;
    let [_, mint] = OURS;
    if !binaries.measures(mint.function) {
        return Ok(());
    }
    let stack = binaries.stack(template).admin_key(Some(requests.operator_key.clone())).start().await?;
    let outcome = in_time(peers.mints(&stack, requests, mint)).await;
    stack.shutdown().await;
    outcome
}

/// The peers, built.
struct Peers {
    rust: PathBuf,
    node: PathBuf,
    python: PathBuf,
}

impl Peers {
    async fn build(root: &Path) -> Result<Self> {
        let (sources, built) = (root.join(".ci/peers"), root.join("target/ci/peers"));
        let peers = Self { rust: built.join("rust"), node: built.join("node"), python: built.join("python") };
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let manifest = sources.join("rust/Cargo.toml");
        let options =
            ["build".into(), "--release".into(), "--locked".into(), "--manifest-path".into(), manifest.into()];
        done(&cargo, options.into_iter().chain(["--target-dir".into(), peers.rust.clone().into()]), root).await?;
        for folder in ["node", "python"] {
            fs::create_dir_all(built.join(folder)).map_err(because(folder))?;
            for file in fs::read_dir(sources.join(folder)).map_err(because(folder))?.flatten() {
                fs::copy(file.path(), built.join(folder).join(file.file_name())).map_err(because(folder))?;
            }
        }
        done("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"].map(OsString::from), &peers.node).await?;
        let bundle =
            "function.mjs --bundle --minify --log-level=warning --platform=node --format=cjs --outfile=function.cjs";
        done("node_modules/.bin/esbuild", bundle.split(' ').map(OsString::from), &peers.node).await?;
        done("python3", ["-m", "venv", "venv"].map(OsString::from), &peers.python).await?;
        let install = ["install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"];
        done("venv/bin/pip", install.map(OsString::from), &peers.python).await?;
        Ok(peers)
    }

    /// Each stands for a function that may read the same item.
    fn functions(&self) -> Vec<Subject> {
        let [operation, _] = OURS;
        let release = self.rust.join("release");
        let peers: [(&str, Vec<OsString>); 3] = [
            ("Rust, lambda_runtime alone", vec![release.join("hello").into()]),
            ("Rust, SDK with default features", vec![release.join("sdk").into()]),
            ("Node, SDK v3 bundled", vec!["node".into(), self.node.join("function.cjs").into()]),
        ];
        let subject = |(name, command): (&str, _)| Subject { name: name.to_owned(), operation, command, is_peer: true };
        peers.into_iter().map(subject).collect()
    }

    /// What a token takes of a processor, in turn with the others.
    async fn mints(&self, stack: &Stack, requests: &Requests, ours: Operation) -> Result<()> {
        let tenant = requests.tenant(stack, preparing(ours.function)).await?;
        let mut node = Command::new("node");
        node.arg(self.node.join("mint.mjs"));
        let mut python = Command::new(self.python.join("venv/bin/python"));
        python.arg(self.python.join("mint.py"));
        let servers = [
            Server::start("oidc-provider (Node)", node).await?,
            Server::start("FastAPI and joserfc (Python)", python).await?,
        ];
        let mut times = vec![Vec::new(); servers.len() + 1];
        let mint = async || -> Result<()> {
            let event = requests.next(stack, ours, &tenant).await?;
            send(stack, ours.function, event).await.map(|_| ())
        };
        // The first round is not counted: connections and compiled code are there after it.
        for round in 0..=ROUNDS {
            for (server, times) in servers.iter().zip(&mut times) {
                let before = server.usage()?;
                for _ in 0..MINTS {
                    server.mint().await?;
                }
                let after = server.usage()?;
                times.extend((round > 0).then(|| each(&before, &after)));
            }
            if let Some(times) = times.last_mut() {
                if round == 0 {
                    mint().await?;
                }
                let before = known(Usage::of(stack, ours.function)?)?;
                for _ in 0..MINTS {
                    mint().await?;
                }
                if round > 0 {
                    times.push(each(&before, &known(Usage::of(stack, ours.function)?)?));
                }
            }
        }
        say(&format!(
            "\nMint of a token: processor time of the server's process, medians of {ROUNDS} rounds of {MINTS}"
        ));
        let usages = servers.iter().map(|server| Ok((server.name, server.usage()?)));
        let own = known(Usage::of(stack, ours.function)?).map(|usage| (ours.name, usage));
        for (line, mut times) in usages.chain([own]).zip(times) {
            let (name, usage) = line?;
            times.sort_unstable();
            let median = times.get(times.len() / 2).copied().unwrap_or_default().as_secs_f64() * 1e3;
            say(&format!("  {name:38}{median:8.3} ms; {}", usage.shown()));
        }
        Ok(())
    }
}

/// A server that mints, until this is dropped.
struct Server {
    name: &'static str,
    process: Child,
    url: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Server {
    async fn start(name: &'static str, mut command: Command) -> Result<Self> {
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn().map_err(because(name))?;
        let output = process.stdout.take().ok_or_else(|| Error::new(format!("{name} prints nothing")))?;
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next_line().await.map_err(because(name))? {
            if let Some(port) = line.strip_prefix("port ") {
                let client = Client::builder(TokioExecutor::new()).build_http();
                return Ok(Self { name, process, url: format!("http://127.0.0.1:{port}/token"), client });
            }
        }
        Err(Error::new(format!("{name} does not start")))
    }

    /// One token.
    async fn mint(&self) -> Result<()> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.url)
            .header("authorization", CLIENT)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from_static(b"grant_type=client_credentials")))
            .map_err(because(self.name))?;
        let answer = self.client.request(request).await.map_err(because(self.name))?;
        let body = answer.into_body().collect().await.map_err(because(self.name))?.to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        // A token of three parts, as ours is.
        let token = body.get("access_token").and_then(Value::as_str).unwrap_or_default();
        if token.split('.').count() == 3 { Ok(()) } else { Err(Error::new(format!("{} answers {body}", self.name))) }
    }

    fn usage(&self) -> Result<Usage> {
        let process = self.process.id().ok_or_else(|| Error::new(format!("{} has ended", self.name)))?;
        known(Usage::of_process(process)?)
    }
}

fn known(usage: Option<Usage>) -> Result<Usage> {
    usage.ok_or_else(|| Error::new("/proc does not show the process"))
}

fn each(before: &Usage, after: &Usage) -> Duration {
    after.processor.saturating_sub(before.processor) / MINTS
}

/// Runs a command to its end.
async fn done(
    program: impl AsRef<std::ffi::OsStr>,
    options: impl IntoIterator<Item = OsString>,
    folder: &Path,
) -> Result<()> {
    let program = program.as_ref();
    // A relative program is looked for in the folder in which it runs, where the standard library does not say which.
    let path = if folder.join(program).is_file() { folder.join(program) } else { PathBuf::from(program) };
    let name = path.display().to_string();
    let mut command = Command::new(path);
    let status = command.args(options).current_dir(folder).stdout(Stdio::null()).kill_on_drop(true).status().await;
    let status = status.map_err(because(&name))?;
    if status.success() { Ok(()) } else { Err(Error::new(format!("{name} failed; see above"))) }
}
