//! How a stack is started.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::aws::Aws;
use crate::callers::Callers;
use crate::calls::{AwsCall, Calls, Witness};
use crate::conflicts::Conflicts;
use crate::data::Data;
use crate::dynamodb::DynamoDb;
use crate::error::{Context, Error, Result};
use crate::faults::Faults;
use crate::gateway;
use crate::http::{Server, listen};
use crate::lambda::{Lambda, Launcher, Settings};
use crate::output::{Echo, Output, OutputLine};
use crate::secrets_manager::SecretsManager;
use crate::stack::{Front, Stack};
use crate::streams::Streams;
use crate::system;
use crate::template::{Locals, Secret, Source};

/// The template's resource that holds the operator's key.
const ADMIN_SECRET: &str = "AdminKey";
/// The database itself takes less than a millisecond.
const TRANSACTION_HOLD: Duration = Duration::from_millis(10);

/// Collects how a [`Stack`] is to be started.
#[expect(clippy::struct_excessive_bools, reason = "options of a start, none of which depends on another")]
pub struct StackBuilder {
    template: Option<PathBuf>,
    parameters: Locals,
    binaries: Box<dyn Fn(&str) -> PathBuf + Send + Sync>,
    port: u16,
    aws_port: u16,
    aws_url: Option<String>,
    data: Option<PathBuf>,
    taken: Option<Data>,
    admin_key: Option<String>,
    variables: Vec<(String, String)>,
    launcher: Launcher,
    echo: Option<Echo>,
    shows_signed_texts: bool,
    is_throttled: bool,
    witness: Option<Witness>,
    transaction_hold: Duration,
    has_stream: bool,
    is_metered: bool,
    aws_only: bool,
}

impl Default for StackBuilder {
    fn default() -> Self {
        Self {
            template: None,
            parameters: Locals::default(),
            binaries: Box::new(|name| PathBuf::from(name)),
            port: 0,
            aws_port: 0,
            aws_url: None,
            data: None,
            taken: None,
            admin_key: None,
            variables: Vec::new(),
            launcher: Box::new(|_| Vec::new()),
            echo: None,
            shows_signed_texts: false,
            is_throttled: false,
            witness: None,
            transaction_hold: TRANSACTION_HOLD,
            has_stream: true,
            is_metered: false,
            aws_only: false,
        }
    }
}

impl fmt::Debug for StackBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackBuilder")
            .field("template", &self.template)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl StackBuilder {
    /// The SAM template. Required.
    #[must_use]
    pub fn template(mut self, path: impl Into<PathBuf>) -> Self {
        self.template = Some(path.into());
        self
    }

    /// A template parameter that does not have its default.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.parameters.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Where a function's binary is, by its name.
    #[must_use]
    pub fn binaries(mut self, binaries: impl Fn(&str) -> PathBuf + Send + Sync + 'static) -> Self {
        self.binaries = Box::new(binaries);
        self
    }

    /// One program that is every function: its first argument is the function's name.
    #[must_use]
    pub fn program(self, path: impl Into<OsString>) -> Self {
        let program = path.into();
        self.launcher(move |_| vec![program.clone()]).binaries(|name| PathBuf::from(name))
    }

    /// The port of the HTTP API; 0, the default, is any free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The port of DynamoDB and Secrets Manager; 0, the default, is any free one.
    #[must_use]
    pub fn aws_port(mut self, port: u16) -> Self {
        self.aws_port = port;
        self
    }

    /// Where the functions are told that DynamoDB and Secrets Manager are, if not at their own address: for what stands
    /// before them and ends TLS, as in AWS.
    #[must_use]
    pub fn aws_url(mut self, url: impl Into<String>) -> Self {
        self.aws_url = Some(url.into());
        self
    }

    /// A directory that keeps the state between starts. By default, state is in memory.
    #[must_use]
    pub fn data(mut self, directory: Option<PathBuf>) -> Self {
        self.data = directory;
        self.taken = None;
        self
    }

    /// Takes that directory now, so that what is wrong with it is known before the long work of building.
    ///
    /// # Errors
    /// It is in use by another stack, or is not a directory; in a sentence.
    pub async fn take_data(mut self) -> Result<Self> {
        if let (Some(directory), None) = (&self.data, &self.taken) {
            self.taken = Some(Data::take(directory).await?);
        }
        Ok(self)
    }

    /// The operator's key. By default the kept one, or a random one.
    #[must_use]
    pub fn admin_key(mut self, key: Option<String>) -> Self {
        self.admin_key = key;
        self
    }

    /// An environment variable for every function, beside those of the template.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The command that starts a function's processes, by the function's name: the binary's path is its last argument.
    /// An empty one, the default, starts the binary itself.
    #[must_use]
    pub fn launcher(mut self, launcher: impl Fn(&str) -> Vec<OsString> + Send + Sync + 'static) -> Self {
        self.launcher = Box::new(launcher);
        self
    }

    /// Is told each line that a function prints, at the latest when the invocation is over.
    #[must_use]
    pub fn echo(mut self, echo: impl Fn(&OutputLine) + Send + Sync + 'static) -> Self {
        self.echo = Some(Box::new(echo));
        self
    }

    /// Answers a signed call that is refused with the text that it had to sign, in a header. Not for tests: they see
    /// what is deployed.
    #[must_use]
    pub fn show_signed_texts(mut self) -> Self {
        self.shows_signed_texts = true;
        self
    }

    /// Refuses requests as the throttles of the template's APIs do. Not by default: tests are faster than an operator.
    #[must_use]
    pub fn throttled(mut self) -> Self {
        self.is_throttled = true;
        self
    }

    /// Is shown each call of a function when it arrives, before it is executed. Nothing of the call goes on until it
    /// returns.
    #[must_use]
    pub fn witness(mut self, witness: impl Fn(&AwsCall) + Send + Sync + 'static) -> Self {
        self.witness = Some(Box::new(witness));
        self
    }

    /// How long a transaction holds its items after it was executed: until then, others on the same items are refused.
    /// By default 10 ms, about what a transaction takes in DynamoDB. With zero, only those that arrive while it is
    /// executed are refused.
    #[must_use]
    pub fn transaction_hold(mut self, hold: Duration) -> Self {
        self.transaction_hold = hold;
        self
    }

    /// The table has no stream, whatever the template says: for tens of thousands of writes, each of which takes longer
    /// the more records the embedded DynamoDB has.
    #[must_use]
    pub fn without_stream(mut self) -> Self {
        self.has_stream = false;
        self
    }

    /// The record of calls has what each consumed in DynamoDB, whether or not the caller asked for it.
    #[must_use]
    pub fn metered(mut self) -> Self {
        self.is_metered = true;
        self
    }

    /// Only DynamoDB and Secrets Manager: no functions and no HTTP API.
    #[must_use]
    pub fn aws_only(mut self) -> Self {
        self.aws_only = true;
        self
    }

    /// Starts everything: the table exists, the admin key is in its secret, and requests are answered.
    ///
    /// # Errors
    /// A port is taken, the template cannot be used, or the kept state cannot be read; in a sentence.
    pub async fn start(mut self) -> Result<Stack> {
        let path = self.template.take().ok_or_else(|| Error::new("no template was named"))?;
        let source = Source::read(&path)?;
        // First, because a taken port is the most likely reason not to start.
        let front = if self.aws_only { None } else { Some(listen(self.port).await?) };
        let aws_listener = listen(self.aws_port).await?;

        self = self.take_data().await?;
        let (dynamodb, secrets) = open(self.taken.as_ref()).await?;
        let mut locals = self.parameters;
        // What API Gateway's own address is to a deployment.
        let address = front.as_ref().and_then(|listener| listener.local_addr().ok());
        let url = address.map_or_else(|| "http://127.0.0.1:9000".to_owned(), |address| format!("http://{address}"));
        locals.parameters.entry("PublicUrl".to_owned()).or_insert(url);
        let mut admin_key = None;
        for secret in source.secrets(&locals.parameters)? {
            let wanted = self.admin_key.as_deref().filter(|_| secret.logical_id == ADMIN_SECRET);
            let (arn, value) = ensure_secret(&secrets, &secret, wanted)?;
            if secret.logical_id == ADMIN_SECRET {
                admin_key = Some(value.clone());
            }
            locals.secret_values.insert((arn.clone(), secret.key), value);
            locals.secret_arns.insert(secret.logical_id, arn);
        }
        let admin_key =
            admin_key.ok_or_else(|| Error::new(format!("{} has no secret {ADMIN_SECRET}", path.display())))?;
        let mut template = source.resolve(&locals).context(path.display())?;
        if !self.has_stream {
            template.stream = None;
            template.functions.iter_mut().for_each(|function| function.mappings.clear());
        }
        dynamodb.create_table(&template).await?;

        let aws = Arc::new(Aws {
            dynamodb,
            secrets,
            callers: Callers::default(),
            faults: Faults::default(),
            conflicts: Conflicts::new(&template, self.transaction_hold),
            calls: Calls::new(self.witness),
            stream: template.stream.clone(),
            is_metered: self.is_metered,
            written: watch::Sender::default(),
            _data: self.taken,
        });
        let handler = Arc::clone(&aws);
        let aws_server = Server::spawn(aws_listener, move |request| Arc::clone(&handler).handle(request))?;
        let functions: Vec<_> = template.functions.iter().cloned().map(Arc::new).collect();
        let mut streams = Streams::none();
        let front = match front {
            None => None,
            Some(listener) => {
                let settings = Settings {
                    binaries: self.binaries,
                    launcher: self.launcher,
                    variables: self.variables.clone(),
                    aws_url: self.aws_url.take().unwrap_or_else(|| aws_server.url()),
                };
                let lambda = Lambda::start(Arc::clone(&aws), &functions, settings, Output::new(self.echo)).await?;
                streams = Streams::start_for(&aws, &functions, |binary| lambda.target(binary)).await?;
                let (signed_texts, is_throttled) = (self.shows_signed_texts, self.is_throttled);
                let gateway =
                    gateway::start(listener, &functions, &template.apis, lambda.clone(), signed_texts, is_throttled)?;
                Some(Front { lambda, gateway })
            }
        };
        let variables = self.variables;
        Ok(Stack { aws, aws_server, template, functions, admin_key, streams, front, variables })
    }
}

async fn open(data: Option<&Data>) -> Result<(DynamoDb, SecretsManager)> {
    let Some(data) = data else {
        return Ok((DynamoDb::start(None).await?, SecretsManager::in_memory()));
    };
    let secrets = data.secrets();
    let secrets = SecretsManager::open(secrets.clone()).context(secrets.display())?;
    Ok((DynamoDb::start(Some(&data.database()?)).await?, secrets))
}

/// Creates a secret of the template, or finds the kept one. Answers its ARN and the generated part of its value.
fn ensure_secret(secrets: &SecretsManager, secret: &Secret, wanted: Option<&str>) -> Result<(String, String)> {
    let call = |operation: &str, request: &Value| {
        let (status, answer) = secrets.handle(operation, request.to_string().as_bytes(), system::now_ms());
        if status == 200 { Ok(answer) } else { Err(Error::new(format!("{operation} of {}: {answer}", secret.name))) }
    };
    let text = |answer: &Value, key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let value = |generated: &str| {
        let mut value = secret.template.clone();
        value.insert(secret.key.clone(), generated.into());
        Value::Object(value).to_string()
    };
    if let Ok(kept) = call("GetSecretValue", &json!({"SecretId": secret.name})) {
        let content: Value = serde_json::from_str(&text(&kept, "SecretString")).context(&secret.name)?;
        let current = text(&content, &secret.key);
        if let Some(wanted) = wanted.filter(|wanted| *wanted != current) {
            let request = json!({
                "SecretId": secret.name, "SecretString": value(wanted), "ClientRequestToken": system::uuid(),
            });
            call("PutSecretValue", &request)?;
        }
        return Ok((text(&kept, "ARN"), wanted.map_or(current, str::to_owned)));
    }
    let generated = wanted.map_or_else(|| system::alphanumerics(secret.length), str::to_owned);
    let request = json!({"Name": secret.name, "SecretString": value(&generated), "ClientRequestToken": system::uuid()});
    Ok((text(&call("CreateSecret", &request)?, "ARN"), generated))
}
