//! `cargo dev`: the whole service on this machine, with nothing installed but Rust.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use serde_json::{Value, json};
use stack::{Error, Invocation, Result, Stack, StackBuilder, pretty, scheduled_event};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

/// How often scheduled functions run. More often than in AWS, so that their effect is seen.
const SCHEDULE: Duration = Duration::from_mins(1);
/// How long an admin key is.
const KEY_LENGTH: usize = 48;
/// Where the local AWS alone is, unless an option says otherwise.
const AWS_ONLY_PORT: u16 = 9001;

/// Runs Latchkey on 127.0.0.1: HTTP API, functions, DynamoDB and Secrets Manager.
#[derive(Debug, Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev")]
struct Options {
    /// Port of the HTTP API.
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// Port of DynamoDB and Secrets Manager [default: any free one; 9001 with --aws-only].
    #[arg(long)]
    aws_port: Option<u16>,
    /// Operator's key: 48 ASCII letters and digits [default: a random one].
    #[arg(long, value_name = "KEY")]
    admin_key: Option<String>,
    /// Directory that keeps tenants, secrets and the admin key between starts [default: in memory].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Only DynamoDB and Secrets Manager; builds nothing, and prints the environment to export.
    #[arg(long)]
    aws_only: bool,
    /// Build the functions optimised.
    #[arg(long)]
    release: bool,
    /// How the log lines of the functions are shown.
    #[arg(long, value_enum, default_value_t = Log::Json)]
    log: Log,
}

/// How log lines are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Log {
    /// As they are written in AWS.
    Json,
    /// One short line a request.
    Pretty,
}

/// The key itself is not repeated in the error: terminals are recorded.
fn check_admin_key(key: &str) -> Result<()> {
    if key.len() == KEY_LENGTH && key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        Ok(())
    } else {
        Err(Error::new(format!("an admin key is exactly {KEY_LENGTH} ASCII letters and digits; the given one is not")))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<()> {
    // Before anything is started, so that no moment is left in which a signal would leave something behind.
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|e| Error::new(e.to_string()))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|e| Error::new(e.to_string()))?;
    let stopped = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    tokio::pin!(stopped);
    let stack = tokio::select! {
        stack = start(&options) => stack?,
        () = &mut stopped => return Ok(()),
    };
    if options.aws_only {
        print_environment(&stack);
        stopped.await;
    } else {
        print_usage(&stack, &console_link(&stack).await?);
        tokio::select! {
            () = schedules(&stack) => {}
            () = &mut stopped => {}
        }
    }
    stack.shutdown().await;
    Ok(())
}

async fn start(options: &Options) -> Result<Stack> {
    options.admin_key.as_deref().map_or(Ok(()), check_admin_key)?;
    let aws_port = options.aws_port.unwrap_or(if options.aws_only { AWS_ONLY_PORT } else { 0 });
    check_ports(options, aws_port)?;
    let root = root();
    let builder = Stack::builder()
        .template(root.join("template.yaml"))
        .aws_port(aws_port)
        .admin_key(options.admin_key.clone())
        .data(options.data.clone())
        .take_data()
        .await?;
    if options.aws_only {
        return builder.aws_only().start().await;
    }
    let built = build(&root, options.release).await?;
    let log = options.log;
    let echo = move |line: &stack::OutputLine| match log {
        Log::Json => say(&line.text),
        Log::Pretty => say(&pretty(&line.text)),
    };
    with_functions(builder, options.release, built)?.port(options.port).echo(echo).show_signed_texts().start().await
}

/// With what was built: a program a function as it is deployed, or one for all of them.
fn with_functions(builder: StackBuilder, release: bool, built: Vec<PathBuf>) -> Result<StackBuilder> {
    if release {
        return Ok(builder.binaries(move |name| {
            let binary = built.iter().find(|path| path.file_stem().is_some_and(|stem| stem == name));
            // One that was not built is reported by its name, when it is first called.
            binary.cloned().unwrap_or_else(|| PathBuf::from(name))
        }));
    }
    let program = built.into_iter().next().ok_or_else(|| Error::new("cargo build names no program"))?;
    Ok(builder.program(program))
}

/// The workspace in which this was compiled.
fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package).to_owned()
}

/// Building takes minutes the first time: a port that cannot be had is better known before.
fn check_ports(options: &Options, aws_port: u16) -> Result<()> {
    if !options.aws_only {
        if options.port == aws_port && aws_port != 0 {
            return Err(Error::new(format!("--port and --aws-port are both {aws_port}: each needs a port of its own")));
        }
        free(options.port, "--port")?;
    }
    free(aws_port, "--aws-port")
}

fn free(port: u16, option: &str) -> Result<()> {
    match std::net::TcpListener::bind(("127.0.0.1", port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Err(Error::new(format!(
            "port {port} on 127.0.0.1 is already in use: stop what listens there, or choose another with {option}"
        ))),
        Err(error) => Err(Error::new(format!("cannot listen on 127.0.0.1:{port}: {error}"))),
    }
}

/// Builds the functions and answers where Cargo has put them. Cargo shows its progress itself.
async fn build(root: &Path, release: bool) -> Result<Vec<PathBuf>> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The whole workspace, as `cargo dev` itself and the tests are built: for a package alone Cargo chooses other
    // features of the dependencies, and compiles them again.
    cargo
        .current_dir(root)
        .args(["build", "--message-format=json-render-diagnostics"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0);
    if release {
        // What is not deployed need not be optimised.
        cargo.args(["--release", "--package", "functions", "--bins"]);
    } else {
        // Callbacks may go to a receiver on this machine.
        cargo.args(["--bin", "functions", "--features", "functions/loopback-callbacks"]);
    }
    let failed = |cause: std::io::Error| Error::new(format!("cargo build: {cause}"));
    let mut child = cargo.spawn().map_err(failed)?;
    let mut compilers = Group(child.id());
    let mut binaries = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await.map_err(failed)? {
            let message: Value = serde_json::from_str(&line).unwrap_or_default();
            if let Some(path) = message.get("executable").and_then(Value::as_str) {
                binaries.push(PathBuf::from(path));
            }
        }
    }
    let status = child.wait().await.map_err(failed)?;
    // Nothing is left to end, and the number may soon be somebody else's.
    compilers.0 = None;
    if status.success() { Ok(binaries) } else { Err(Error::new("the functions do not build; see above")) }
}

/// Cargo and its compilers, which end when this is dropped: killing Cargo alone would leave the compilers at work.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let kill = format!("kill -KILL -{group} 2>/dev/null");
            let _ = std::process::Command::new("sh").args(["-c", &kill]).status();
        }
    }
}

/// Does what EventBridge does in AWS. Never ends.
async fn schedules(stack: &Stack) {
    let functions = &stack.template().functions;
    let scheduled: Vec<&str> = functions.iter().filter(|f| f.schedule).map(|f| f.binary.as_str()).collect();
    let mut clock = tokio::time::interval(SCHEDULE);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    clock.tick().await;
    loop {
        clock.tick().await;
        for binary in &scheduled {
            if let Err(error) = stack.invoke(binary, scheduled_event(), Invocation::default()).await {
                complain(&format!("{binary}: {error}"));
            }
        }
    }
}

fn print_environment(stack: &Stack) {
    for (name, value) in stack.environment() {
        say(&format!("export {name}={value}"));
    }
    say(&format!("# admin key: {}", stack.admin_key()));
    say(&format!("ready {}", stack.aws_url()));
}

/// What an operator does next, up to a first token, in the names that README and quickstart have. The lines run as they
/// are, pasted in this order. The comments have no signs that a shell would take for its own, because some shells read
/// comments that are typed in as commands.
fn print_usage(stack: &Stack, console: &str) {
    let (url, key) = (stack.url(), stack.admin_key());
    say(&format!("url={url}"));
    say("registry=$url/api/v1 projects=$url/v1/api/projects");
    say(&format!("admin='X-Admin-Key: {key}'"));
    say("json='Content-Type: application/json'");
    say(r#"take() { printf '%s\n' "$answer" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }"#);
    say("# 1. operator: a tenant, with its secret, which is in this answer and in no later one");
    say(r#"answer=$(curl -sS "$registry/provision/tenant" -H "$admin" -H "$json" -d '{"tenant_name":"Acme"}')"#);
    say(r#"printf '%s\n' "$answer""#);
    say("tenant=$(take tenant_id) project=$(take project_id)");
    say("# 2. operator: an API key for its backend");
    say(r#"key='{"name":"Backend","kind":"admin"}'"#);
    say(r#"answer=$(curl -sS "$registry/provision/api-key?tenant_id=$tenant" -H "$admin" -H "$json" -d "$key")"#);
    say(r#"printf '%s\n' "$answer""#);
    say(r#"bearer="Authorization: Bearer $(take api_key)""#);
    say("# 3. to 5. backend: an organization, a user, and a token at each login, as in the README");
    say("# what there is, and a tenant that is stopped at once and may go on");
    say(r#"curl -sS -w '\n' "$registry/fetch/tenants?limit=20" -H "$admin""#);
    say(r#"curl -sS -w '\n' "$registry/suspend/tenant?tenant_id=$tenant" -H "$admin" -H "$json" -d '{}'"#);
    say(r#"curl -sS -w '\n' "$registry/reactivate/tenant?tenant_id=$tenant" -X POST -H "$admin""#);
    say("# another link to the console: each opens once, within five minutes");
    say(r#"curl -sS -w '\n' "$registry/provision/console-link" -H "$admin" -H "$json" -d '{"label":"Ada Lovelace"}'"#);
    say(&format!("console {console}"));
    say(&format!("aws {}", stack.aws_url()));
    say(&format!("ready {url}"));
}

/// The address that opens the operator's console, once.
async fn console_link(stack: &Stack) -> Result<String> {
    let event = json!({
        "version": "2.0",
        "rawPath": "/api/v1/provision/console-link",
        "headers": { "content-type": "application/json", "x-admin-key": stack.admin_key() },
        "requestContext": { "domainName": "127.0.0.1", "http": { "method": "POST" } },
        "body": json!({ "label": "cargo dev" }).to_string(),
        "isBase64Encoded": false,
    });
    let invoked = stack.invoke("provision-console-link", event, Invocation::default()).await;
    let answer = invoked.map_err(|error| Error::new(error.to_string()))?.payload;
    let body = answer.get("body").and_then(Value::as_str).unwrap_or_default();
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let link = body.pointer("/data/link").and_then(Value::as_str).map(str::to_owned);
    link.ok_or_else(|| Error::new(format!("no link to the console was made: {answer}")))
}

/// A line on standard output. If nobody reads it any more, that is no reason to stop.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn complain(message: &impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "error: {message}");
}
