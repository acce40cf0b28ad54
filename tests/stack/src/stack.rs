//! All parts put together.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::builder::StackBuilder;
use crate::callers::{Caller, Kill};
use crate::calls::AwsCall;
use crate::error::{Error, Result};
use crate::faults::Faults;
use crate::http::Server;
use crate::lambda::{Invocation, InvokeError, InvokeResult, Lambda};
use crate::output::OutputLine;
use crate::secrets_manager::SecretsManager;
use crate::streams::Streams;
use crate::system;
use crate::template::{ACCOUNT, Function, REGION, Template};

/// The access key id of whoever is not a function.
const DEVELOPER: &str = "AKIADEVELOPER";

/// A running local AWS with the functions in it. Dropping it ends everything that it started.
pub struct Stack {
    pub(crate) aws: Arc<Aws>,
    pub(crate) aws_server: Server,
    pub(crate) template: Template,
    pub(crate) functions: Vec<Arc<Function>>,
    pub(crate) admin_key: String,
    pub(crate) streams: Streams,
    pub(crate) front: Option<Front>,
    pub(crate) variables: Vec<(String, String)>,
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack").field("url", &self.url()).field("aws_url", &self.aws_url()).finish_non_exhaustive()
    }
}

/// What `aws_only` leaves out.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) lambda: Lambda,
    pub(crate) gateway: Server,
}

impl Stack {
    /// How a stack is started.
    pub fn builder() -> StackBuilder {
        StackBuilder::default()
    }

    /// The base address of the HTTP API, without a slash at the end; empty with `aws_only`.
    pub fn url(&self) -> String {
        self.front.as_ref().map(|front| front.gateway.url()).unwrap_or_default()
    }

    /// The port of the HTTP API; 0 with `aws_only`.
    pub fn port(&self) -> u16 {
        self.front.as_ref().map_or(0, |front| front.gateway.address().port())
    }

    /// The address of DynamoDB and Secrets Manager.
    pub fn aws_url(&self) -> String {
        self.aws_server.url()
    }

    /// The operator's key.
    pub fn admin_key(&self) -> &str {
        &self.admin_key
    }

    /// The template, resolved.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// The calls to AWS so far; of very many, the last ones.
    pub fn calls(&self) -> Vec<AwsCall> {
        self.calls_since(0)
    }

    /// A mark for [`calls_since`](Self::calls_since): what comes after now.
    pub fn mark(&self) -> u64 {
        self.aws.calls.mark()
    }

    /// The calls to AWS after a mark.
    pub fn calls_since(&self, mark: u64) -> Vec<AwsCall> {
        self.aws.calls.since(mark)
    }

    /// What goes wrong on purpose.
    pub fn faults(&self) -> &Faults {
        &self.aws.faults
    }

    /// The streams that are read for functions.
    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    /// The secrets, for a look into them.
    pub fn secrets(&self) -> &SecretsManager {
        &self.aws.secrets
    }

    /// All that the functions have printed.
    pub fn output(&self) -> String {
        self.output_lines().into_iter().map(|line| line.text + "\n").collect()
    }

    /// The same, by line and process.
    pub fn output_lines(&self) -> Vec<OutputLine> {
        self.front.as_ref().map(|front| front.lambda.output().lines()).unwrap_or_default()
    }

    /// Asks DynamoDB itself, past permissions, faults and the record of calls: for what a test puts into the table.
    ///
    /// # Errors
    /// It refuses, and says why.
    pub async fn dynamodb(&self, operation: &str, request: &Value) -> Result<Value> {
        let (status, answer) = self.aws.dynamodb.call(operation, request).await?;
        if status.is_success() { Ok(answer) } else { Err(Error::new(format!("{operation}: {answer}"))) }
    }

    /// Gives an event to a function, past the HTTP API.
    ///
    /// # Errors
    /// The function did not answer; the error says why.
    pub async fn invoke(
        &self,
        binary: &str,
        event: Value,
        invocation: Invocation,
    ) -> Result<InvokeResult, InvokeError> {
        match &self.front {
            Some(front) => front.lambda.invoke(binary, Bytes::from(event.to_string()), invocation).await,
            None => Err(InvokeError::Unknown(binary.to_owned())),
        }
    }

    /// Ends the processes of a function, so that its next invocation is a cold one.
    pub async fn restart(&self, binary: &str) {
        if let Some(front) = &self.front {
            front.lambda.stop(Some(binary)).await;
        }
    }

    /// The kernel's numbers of the running processes of a function. Under a launcher they are the launcher's.
    pub fn processes(&self, binary: &str) -> Vec<u32> {
        self.front.as_ref().map(|front| front.lambda.processes(binary)).unwrap_or_default()
    }

    /// Lets the processes of a function end by themselves, as they do when the Runtime API goes away, and waits for
    /// their end. What they run under ([`StackBuilder::launcher`]) has then written what it had to say.
    ///
    /// # Errors
    /// A process did not end in time and was killed.
    pub async fn retire(&self, binary: &str) -> Result<()> {
        match &self.front {
            Some(front) => front.lambda.retire(binary).await,
            None => Ok(()),
        }
    }

    /// The environment of a developer: what any function has in its own, and unrestricted access to the local AWS.
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut environment = BTreeMap::new();
        for function in self.functions.iter().rev() {
            environment.extend(function.environment.clone());
        }
        environment.extend(self.variables.iter().cloned());
        environment.extend(client_environment(&self.aws_url(), DEVELOPER));
        environment.into_iter().collect()
    }

    /// The environment with which an AWS client is taken for this function: held to its policies, and met by faults.
    ///
    /// # Errors
    /// The template has no function with this binary.
    pub fn aws_environment(&self, binary: &str) -> Result<Vec<(String, String)>> {
        let function = self
            .functions
            .iter()
            .find(|function| function.binary == binary)
            .ok_or_else(|| Error::new(format!("no function has the binary {binary}")))?;
        let letters = binary.replace(|character: char| !character.is_ascii_alphanumeric(), "").to_ascii_uppercase();
        let access_key = format!("AKIA{letters}CLIENT");
        let caller = Caller { function: binary.to_owned(), instance: format!("{binary}-client") };
        self.aws.callers.register(&access_key, caller, Arc::clone(function), Kill::default());
        let mut environment: Vec<_> = function.environment.clone().into_iter().collect();
        environment.extend(client_environment(&self.aws_url(), &access_key));
        Ok(environment)
    }

    /// Ends every process and waits for its end.
    pub async fn shutdown(self) {
        self.streams.end();
        if let Some(front) = &self.front {
            front.lambda.stop(None).await;
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // A call that is still held back would keep its process waiting.
        self.aws.faults.clear();
        self.streams.end();
        if let Some(front) = &self.front {
            front.lambda.kill_all();
        }
    }
}

/// What an AWS client needs to find the local AWS and to be known there.
pub(crate) fn client_environment(aws_url: &str, access_key: &str) -> Vec<(String, String)> {
    [
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", access_key),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_ENDPOINT_URL_DYNAMODB", aws_url),
        ("AWS_ENDPOINT_URL_DYNAMODB_STREAMS", aws_url),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", aws_url),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// The event with which a schedule starts a function.
pub fn scheduled_event() -> Value {
    let now =
        time::OffsetDateTime::from_unix_timestamp(system::now_ms() / 1000).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    json!({
        "version": "0",
        "id": system::uuid(),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT,
        "time": now.format(&time::format_description::well_known::Rfc3339).unwrap_or_default(),
        "region": REGION,
        "resources": [format!("arn:aws:scheduler:{REGION}:{}:schedule/default/local", ACCOUNT)],
        "detail": "{}",
    })
}
