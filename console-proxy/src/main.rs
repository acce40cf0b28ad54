//! `cargo console`: the operator's console where the API asks for a signature of IAM.

use std::io::Write;
use std::process::ExitCode;
use std::time::SystemTime;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use clap::Parser;
use console_proxy::{Api, Proxy};
use tokio::net::TcpListener;
use tokio::signal::ctrl_c;

/// Opens the operator's console on 127.0.0.1, where the API asks for a signature of IAM. Signs with the credentials
/// that the AWS CLI has: of the environment, a profile, or the machine's role.
#[derive(Debug, Parser)]
#[command(name = "cargo console", bin_name = "cargo console", long_about = None)]
struct Options {
    /// Address of the API: the stack's output `OperatorIamApiUrl`.
    api: String,
    /// Region of the API, if its address does not say it.
    #[arg(long)]
    region: Option<String>,
    /// Profile of the AWS CLI.
    #[arg(long)]
    profile: Option<String>,
    /// Port on 127.0.0.1.
    #[arg(long, default_value_t = 9080)]
    port: u16,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&mut std::io::stderr(), &format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), String> {
    let api = Api::parse(&options.api, options.region.as_deref())?;
    let mut chain = DefaultCredentialsChain::builder();
    if let Some(profile) = &options.profile {
        chain = chain.profile_name(profile);
    }
    let credentials = SharedCredentialsProvider::new(chain.build().await);
    // Before anybody waits for an answer: without them there will be none.
    credentials.provide_credentials().await.map_err(|error| format!("no AWS credentials were found: {error}"))?;
    let proxy = Proxy::new(api, credentials, now, complain).map_err(|error| error.to_string())?;
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await;
    let listener = listener.map_err(|error| format!("port {} of 127.0.0.1 can't be used: {error}", options.port))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    say(
        &mut std::io::stdout(),
        &format!(
            "http://{address}/console\n\
             In a link to the console, replace everything before the # with this. Ctrl-C ends it."
        ),
    );
    tokio::select! {
        ended = proxy.serve(listener) => ended.map(|never| match never {}).map_err(|error| error.to_string()),
        _ = ctrl_c() => Ok(()),
    }
}

/// The clock of the machine, as signatures need it.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn complain(cause: &str) {
    say(&mut std::io::stderr(), cause);
}

/// Nobody may be there to read it, which is no reason to end.
fn say(to: &mut impl Write, text: &str) {
    writeln!(to, "{text}").ok();
}
