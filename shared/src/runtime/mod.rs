//! HTTP in, HTTP out: what is the same in every function, written once.
//!
//! A function's `main` is one line: `serve(Operation, handler)`, or `serve_path([on(Operation, handler), …])` for a
//! path with several methods, or for several paths. For each request that is: find path and method, decode strictly,
//! authenticate, call the handler, answer, write one log line. What is wrong with an input is said only after
//! authentication, so that nobody without a credential learns what the rules for inputs are.

mod body;
mod call;
mod decode;
mod event;
mod events;
mod places;
mod refusals;
mod response;
mod schedule;
mod telemetry;

pub use call::Call;
pub use schedule::{Work, Written, on_event, on_schedule};

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lambda_runtime::{Context, LambdaEvent};
use tokio::time::Instant;

use crate::api::{Operation, Route, Surface};
use crate::app::App;
use crate::auth::{Trace, Traced};
use crate::config::Config;
use crate::domain::{Problem, draw};
use crate::error::{Error, Result};
use call::LogContext;
use event::HttpEvent;
use response::HttpResponse;
use telemetry::RequestLine;

/// How a function's process ends.
pub type Exit = ExitCode;

/// For how long a request is worked on: less than the function's timeout, so that a slow store is answered with 503 and
/// not by the platform.
pub const BUDGET: Duration = Duration::from_secs(9);

/// Runs a function: answers requests with `handler` until the platform ends the process.
pub fn serve<O, H, F>(operation: O, handler: H) -> Exit
where
    O: Operation,
    H: Fn(App, Call<O>) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = Result<O::Output>> + Send + 'static,
{
    serve_path([on(operation, handler)])
}

/// Runs the function of a path that has several methods.
pub fn serve_path<const N: usize>(methods: [Served; N]) -> Exit {
    const { assert!(N > 0, "a function serves something") };
    let methods = Arc::new(methods);
    run(move |app| async move {
        // Pages are compiled in.
        if surface_of(&*methods) != Surface::Pages {
            app.connect(methods.iter().any(|served| served.reads_secrets)).await;
        }
        let cold = AtomicBool::new(true);
        let answered = |event: LambdaEvent<events::Payload>| {
            let (app, methods, cold) = (app.clone(), Arc::clone(&methods), cold.swap(false, Ordering::Relaxed));
            async move { Ok(dispatch(&*methods, app, event, cold).await) }
        };
        events::answer_all(events::client(), answered).await
    })
}

type Answering = Pin<Box<dyn Future<Output = HttpResponse> + Send>>;

/// An operation and its handler.
pub struct Served {
    route: Route,
    surface: Surface,
    is_public: bool,
    reads_secrets: bool,
    answer: Box<dyn Fn(App, LambdaEvent<HttpEvent>, bool) -> Answering + Send + Sync>,
}

impl fmt::Debug for Served {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Served({})", self.route.name)
    }
}

/// What answers requests with the operation's method.
pub fn on<O, H, F>(_: O, handler: H) -> Served
where
    O: Operation,
    H: Fn(App, Call<O>) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = Result<O::Output>> + Send + 'static,
{
    Served {
        route: O::ROUTE,
        surface: O::SURFACE,
        is_public: O::IS_PUBLIC,
        reads_secrets: O::READS_SECRETS,
        answer: Box::new(move |app, event, cold| Box::pin(answer::<O, H, F>(app, handler, event, cold, BUDGET))),
    }
}

/// Answers a request with the operation of its method.
async fn dispatch(methods: &[Served], app: App, event: LambdaEvent<events::Payload>, cold: bool) -> HttpResponse {
    let LambdaEvent { payload, context } = event;
    let Some(event) = HttpEvent::read(&payload) else {
        let error = Error::Malformed(Problem::new("has a header or another part that can't be read"));
        return refuse(methods, &app, &context, cold, error);
    };
    let method = event.request_context.http.method.0.as_str();
    let at_path = at_path(methods, &event);
    // The gateway leaves out the body of an answer to HEAD, and tells its length: so it has to be handed over.
    let is_it = |served: &&&Served| served.route.method.as_str() == method || (method == "HEAD" && served.is_public);
    if let Some(served) = at_path.iter().find(is_it) {
        return (served.answer)(app, LambdaEvent { payload: event, context }, cold).await;
    }
    let mut names: Vec<_> = at_path.iter().map(|served| served.route.method.as_str()).collect();
    names.extend(is_public(methods).then_some("HEAD"));
    let allow = names.join(", ");
    if method == "OPTIONS" && surface_of(methods).is_shared(is_public(methods)) {
        let line = RequestLine { status: 200, ..line_of(methods, &context, cold) };
        line.write(app.now(), app.now(), None);
        return response::preflight(&context.request_id, allow);
    }
    refuse(methods, &app, &context, cold, Error::MethodNotAllowed { allow })
}

/// The operations at the path of a request, all of them if it is none of theirs. The gateway says by which route it
/// came. The path itself would not do: it is decoded, so a slash in it may be none. But `cargo lambda watch` names no
/// route.
fn at_path<'a>(served: &'a [Served], event: &HttpEvent) -> Vec<&'a Served> {
    let key = event.route_key.as_deref().and_then(|key| key.split_once(' ')).map(|(_, path)| path);
    let path = event.raw_path.as_deref().unwrap_or_default();
    let of_route = |served: &&Served| served.route.paths().any(|known| Some(known) == key);
    let of_path = |served: &&Served| served.route.is_at(path);
    let ways: [&dyn Fn(&&Served) -> bool; 2] = [&of_route, &of_path];
    let mut found = ways.into_iter().map(|is_it| served.iter().filter(is_it).collect::<Vec<_>>());
    found.find(|found| !found.is_empty()).unwrap_or_else(|| served.iter().collect())
}

/// Refuses a request that matches no operation.
fn refuse(methods: &[Served], app: &App, context: &Context, cold: bool, error: Error) -> HttpResponse {
    let surface = surface_of(methods);
    let line = RequestLine { status: surface.status(error.code()), ..line_of(methods, context, cold) };
    line.write(app.now(), app.now(), Some(&error));
    finished(surface, is_public(methods), false, app, response::make(surface, &context.request_id, None, Err(error)))
}

/// The response with what its surface adds that is of now. The registry takes another credential, too: there, who has
/// sent a proof gets the nonce for the next one.
fn finished(surface: Surface, is_public: bool, has_proof: bool, app: &App, response: HttpResponse) -> HttpResponse {
    match app.nonce_key() {
        Ok(key) if surface.takes_proofs() && (has_proof || surface != Surface::Registry) => {
            response::with_nonce(response, &key.issue(app.now()))
        }
        _ if surface.is_shared(is_public) => response::shared(response),
        _ => response,
    }
}

/// The surface of a function: all of its operations are of one.
fn surface_of(methods: &[Served]) -> Surface {
    methods.first().map_or(Surface::Registry, |first| first.surface)
}

/// Whether a function publishes something: then that is all it does.
fn is_public(methods: &[Served]) -> bool {
    methods.first().is_some_and(|first| first.is_public)
}

/// The line of a request that matches no operation, under the function's name.
fn line_of<'a>(methods: &[Served], context: &'a Context, cold: bool) -> RequestLine<'a> {
    let operation = methods.first().map_or("", |first| first.route.function);
    let (request_id, traced) = (context.request_id.as_str(), Traced::default());
    let surface = surface_of(methods);
    RequestLine {
        operation,
        surface,
        request_id,
        tenant_id: None,
        resource: None,
        traced,
        source_ip: None,
        cold,
        status: 0,
    }
}

/// Starts the process: configuration, clients, first random draw; then hands over to `main`, which opens the
/// connections and asks for the first event.
fn run<M, F>(main: M) -> Exit
where
    M: FnOnce(App) -> F,
    F: Future<Output = Result<(), lambda_runtime::Error>> + Send + 'static,
{
    telemetry::start();
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
    telemetry::of_stage(config.stage());
    let ended = runtime.block_on(async {
        let app = App::new(config)?;
        // The first draw seeds the generator, which takes a while: better now than in the first request. If it fails,
        // that request fails when it draws.
        let _: Result<[u8; 32], _> = draw(app.random());
        // A task of its own: whatever wakes the future that a runtime blocks on makes it ask the system for events
        // first, three times a request, and what wakes a task doesn't.
        tokio::spawn(main(app)).await?
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
    let source_ip = payload.request_context.http.source_ip.clone();
    let has_proof = payload.has_header("dpop");
    let trace = Trace::default();
    let started = app.now();
    // A task of its own, so that a panic ends the task and not the process. On the heap, because a task is moved
    // several times, and this one has more than ten thousand bytes.
    let handled = Box::pin(call::handle::<O, H, F>(app.clone(), handler, payload, context, trace.clone()));
    let (limited, deadline) = (app.clone(), Instant::now() + budget);
    let task = tokio::spawn(async move { limited.request_limit().until(deadline, handled).await });
    let (log, result) = match task.await {
        Ok(Some(handled)) => handled,
        Ok(None) => (LogContext::default(), Err(Error::unavailable("out of time"))),
        Err(_) => (LogContext::default(), Err(Error::internal("handler panicked"))),
    };
    // After the answer is decided, and beside its budget: what is noted here never changes it.
    if let Err(error) = &result {
        refusals::note(&app, (O::ROUTE.name, O::SURFACE), &trace, error).await;
    }
    let status = result.as_ref().map_or_else(|error| O::SURFACE.status(error.code()), |_| O::ROUTE.status);
    let (tenant_id, resource) = (log.tenant_id.as_deref(), log.resource);
    let (traced, source_ip) = (trace.taken(), source_ip.as_deref());
    let (operation, surface, request_id) = (O::ROUTE.name, O::SURFACE, request_id.as_str());
    let line = RequestLine { operation, surface, request_id, tenant_id, resource, traced, source_ip, cold, status };
    line.write(started, app.now(), result.as_ref().err());
    finished(O::SURFACE, O::IS_PUBLIC, has_proof, &app, response::make(O::SURFACE, request_id, log.quota, result))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the runtime of a test is its own")]
mod tests {
    use aws_config::{BehaviorVersion, SdkConfig};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use serde_json::{Value, json};

    use super::*;
    use crate::api::{BodyRule, Input, Output};
    use crate::auth::Anyone;
    use crate::domain::{RowQuotas, SigningVersion, SystemClock, SystemRandomness, TraceKey};

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
            trace_key: TraceKey::parse(&"a".repeat(48)).unwrap(),
            public_url: None,
            require_end_user: false,
            strikes_to_suspend: 0,
            default_signing_version: SigningVersion::V1,
            passkeys_enabled: false,
            row_quotas: RowQuotas::default(),
            region: String::new(),
            dynamodb_endpoint: None,
            secrets_manager_endpoint: None,
            ca_bundle: None,
        };
        let sdk = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
        let connector = crate::store::connector(&config).unwrap();
        let app = App::with(config, &sdk, connector, Box::new(SystemClock), Box::new(SystemRandomness::new()));
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
