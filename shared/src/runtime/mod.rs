//! HTTP in, HTTP out: what is the same in every function, written once.
//!
//! A function's `main` is one line, `serve::<Operation, _, _>(handler)`. For each request that is: check the method,
//! decode strictly, authenticate, call the handler, answer, write one log line. What is wrong with an input is said only
//! after authentication, so that nobody without a credential learns what the rules for inputs are.

mod decode;
mod event;
mod response;
mod schedule;
mod telemetry;

pub use schedule::on_schedule;

use std::fmt;
use std::future::Future;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lambda_runtime::{Context, LambdaEvent, service_fn};

use crate::api::{Input, Method, Operation, Output};
use crate::app::App;
use crate::auth::{Attempt, Caller};
use crate::config::Config;
use crate::domain::{Timestamp, draw};
use crate::error::{Error, Result};
use event::HttpEvent;
use response::{HttpResponse, Success};
use telemetry::Line;

/// How a function's process ends.
pub type Exit = ExitCode;

/// For how long a request is worked on: less than the function's timeout, so that a slow store is answered with 503 and not
/// by the platform.
pub const BUDGET: Duration = Duration::from_secs(9);

/// A request that was authenticated and decoded.
pub struct Call<O: Operation> {
    /// The proof of who calls.
    pub caller: O::Caller,
    pub query: O::Query,
    pub body: O::Body,
    /// What was read together with the credential.
    pub found: <O::Caller as Caller>::Found,
    /// For the store methods that change something: who asks for it, when, under which idempotency key.
    pub change: <O::Caller as Caller>::Change,
    /// When the request came, before anything was read for it.
    pub at: Timestamp,
    /// The service's address as clients see it, without a slash at its end.
    pub base_url: String,
}

impl<O: Operation> fmt::Debug for Call<O> {
    /// The operation only: everything else can hold a credential.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Call({})", O::ROUTE.name)
    }
}

/// Runs a function: answers requests with `handler` until the platform ends the process.
pub fn serve<O, H, F>(handler: H) -> Exit
where
    O: Operation,
    H: Fn(App, Call<O>) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = Result<O::Output>> + Send + 'static,
{
    run(move |app| async move {
        let cold = AtomicBool::new(true);
        let service = service_fn(|event: LambdaEvent<HttpEvent>| {
            let (app, cold) = (app.clone(), cold.swap(false, Ordering::Relaxed));
            async move { Ok::<_, lambda_runtime::Error>(answer::<O, H, F>(app, handler, event, cold, BUDGET).await) }
        });
        lambda_runtime::Runtime::new(service).run().await
    })
}

/// Starts the process: configuration, clients, first random draw; then hands over to `main`.
fn run<M, F>(main: M) -> Exit
where
    M: FnOnce(App) -> F,
    F: Future<Output = Result<(), lambda_runtime::Error>>,
{
    telemetry::report_panics();
    let config = match Config::from_environment() {
        Ok(config) => config,
        Err(missing) => return telemetry::failed_start(&missing.to_string()),
    };
    // One thread: a function has one request at a time.
    #[expect(clippy::disallowed_methods, reason = "the one place that starts the async runtime")]
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return telemetry::failed_start(&error.to_string()),
    };
    let ended = runtime.block_on(async {
        let app = App::new(config);
        // The first draw seeds the generator, which takes a while: better now than in the first request. If it fails, that
        // request fails when it draws.
        let _: Result<[u8; 32], _> = draw(app.random());
        main(app).await
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => telemetry::failed_start(&error.to_string()),
    }
}

/// Answers one request, whatever happens: a panic and a time-out are answers too.
async fn answer<O, H, F>(
    app: App,
    handler: H,
    event: LambdaEvent<HttpEvent>,
    cold: bool,
    budget: Duration,
) -> HttpResponse
where
    O: Operation,
    H: Fn(App, Call<O>) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = Result<O::Output>> + Send + 'static,
{
    let LambdaEvent { payload, context } = event;
    let request_id = context.request_id.clone();
    let started = app.now();
    // A task of its own, so that a panic ends the task and not the process.
    let task = tokio::spawn(tokio::time::timeout(budget, handle::<O, H, F>(app.clone(), handler, payload, context)));
    let (tenant_id, result) = match task.await {
        Ok(Ok(handled)) => handled,
        Ok(Err(_)) => (None, Err(Error::unavailable("out of time"))),
        Err(_) => (None, Err(Error::internal("handler panicked"))),
    };
    let status = result.as_ref().map_or_else(|error| O::DIALECT.status(error.code()), |_| O::ROUTE.status);
    let tenant_id = tenant_id.as_deref();
    let line = Line { operation: O::ROUTE.name, request_id: &request_id, tenant_id, cold, status };
    line.write(started, app.now(), result.as_ref().err());
    response::make(O::DIALECT, &request_id, result)
}

/// The tenant that a request is about, for the log, and what became of it.
type Handled = (Option<String>, Result<Success>);

async fn handle<O, H, F>(app: App, handler: H, event: HttpEvent, context: Context) -> Handled
where
    O: Operation,
    H: Fn(App, Call<O>) -> F,
    F: Future<Output = Result<O::Output>>,
{
    let call = match admit::<O>(&app, event, &context).await {
        Ok(call) => call,
        Err((tenant_id, error)) => return (tenant_id, Err(error)),
    };
    let tenant_id = call.query.tenant_id().or(call.caller.tenant_id()).map(str::to_owned);
    match handler(app, call).await {
        Ok(output) => {
            let tenant_id = tenant_id.or_else(|| output.tenant_id().map(str::to_owned));
            (tenant_id, Success::new(O::DIALECT, O::ROUTE.status, &output))
        }
        Err(error) => (tenant_id, Err(error)),
    }
}

/// Authenticates and decodes.
async fn admit<O: Operation>(
    app: &App,
    event: HttpEvent,
    context: &Context,
) -> Result<Call<O>, (Option<String>, Error)> {
    let nobody = |error| (None, error);
    let at = app.now();
    let request = event.into_request().map_err(nobody)?;
    if request.method != O::ROUTE.method.as_str() {
        return Err(nobody(Error::MethodNotAllowed { allow: O::ROUTE.method.as_str() }));
    }
    decode::refuse_credentials(&request.query).map_err(nobody)?;
    // Decoded first, so that what it is about can be read together with the credential; but what is wrong with it is said
    // only to those who have one.
    let query = decode::query::<O::Query>(&request);
    let body = decode::body::<O>(&request);
    let wanted = match (&query, &body) {
        (Ok(query), Ok(body)) => O::wanted(query, body),
        _ => Vec::new(),
    };
    let (caller, found) = O::Caller::authenticate(app, &request, &wanted).await.map_err(nobody)?;
    let owner = caller.tenant_id().map(str::to_owned);
    let query = query.map_err(|error| (owner.clone(), error))?;
    let tenant_id = query.tenant_id().map(str::to_owned).or(owner);
    let known = |error| (tenant_id.clone(), error);
    let body = body.map_err(known)?;
    let change = caller.change(&Attempt {
        at,
        request_id: &context.request_id,
        deadline: Timestamp::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX)),
        idempotency_key: request.header("idempotency-key").filter(|_| O::ROUTE.method == Method::Post),
        request: &[O::ROUTE.name.as_bytes(), request.query.as_bytes(), request.body.as_slice()],
    });
    let change = change.map_err(known)?;
    let base_url = match app.public_url() {
        Some(url) => url.to_owned(),
        None if request.host.is_empty() => {
            return Err(known(Error::internal("the gateway doesn't say its own address")));
        }
        None => format!("https://{}", request.host),
    };
    Ok(Call { caller, query, body, found, change, at, base_url })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the runtime of a test is its own")]
mod tests {
    use aws_config::{BehaviorVersion, SdkConfig};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use serde_json::{Value, json};

    use super::*;
    use crate::api::{BodyRule, Route};
    use crate::auth::Anyone;
    use crate::domain::{SystemClock, SystemRandomness};

    #[derive(Deserialize, Serialize, JsonSchema)]
    struct Empty {}

    impl Input for Empty {}

    impl Output for Empty {}

    struct Probe;

    impl Operation for Probe {
        const ROUTE: Route = Route::post("probe", "/probe", BodyRule::Optional);
        type Caller = Anyone;
        type Query = Empty;
        type Body = Empty;
        type Output = Empty;
    }

    async fn answered<H, F>(handler: H) -> Value
    where
        H: Fn(App, Call<Probe>) -> F + Copy + Send + Sync + 'static,
        F: Future<Output = Result<Empty>> + Send + 'static,
    {
        let config = Config {
            table: String::new(),
            admin_secret: String::new(),
            secret_prefix: String::new(),
            public_url: None,
            region: String::new(),
            dynamodb_endpoint: None,
            secrets_manager_endpoint: None,
        };
        let sdk = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
        let app = App::with(config, &sdk, Box::new(SystemClock), Box::new(SystemRandomness::new()));
        let event =
            json!({ "headers": {}, "requestContext": { "domainName": "localhost", "http": { "method": "POST" } } });
        let payload = serde_json::from_value(event).unwrap();
        let event = LambdaEvent { payload, context: Context::default() };
        serde_json::to_value(answer::<Probe, _, _>(app, handler, event, false, Duration::from_millis(50)).await)
            .unwrap()
    }

    fn code(answer: &Value) -> (u64, String) {
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        let code = body["error"]["code"].as_str().unwrap_or_default().to_owned();
        (answer["statusCode"].as_u64().unwrap(), code)
    }

    #[tokio::test]
    async fn a_handler_that_panics_is_answered_as_our_fault() {
        let panics = |_: App, _: Call<Probe>| async { panic!("secret") };
        let answer = answered(panics).await;
        assert_eq!(code(&answer), (500, "internal".to_owned()));
        assert!(!answer.to_string().contains("secret"));
    }

    #[tokio::test]
    async fn a_handler_that_takes_too_long_is_answered_in_time() {
        let answer = answered(|_, _| std::future::pending()).await;
        assert_eq!(code(&answer), (503, "temporarily_unavailable".to_owned()));
        assert_eq!(answer["headers"]["retry-after"], "1");
    }

    #[tokio::test]
    async fn a_handler_that_answers_is_answered() {
        assert_eq!(code(&answered(|_, _| async { Ok(Empty {}) }).await), (200, String::new()));
    }
}
