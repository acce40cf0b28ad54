//! One request: authenticated, decoded, handled.

use std::fmt;
use std::future::Future;

use lambda_runtime::Context;
use uuid::Uuid;

use super::event::{self, HttpEvent};
use super::response::Success;
use super::{body, decode};
use crate::api::{BodyRule, Input, Operation, Output, Surface};
use crate::app::App;
use crate::auth::{Caller, InputSummary, Request, Trace};
use crate::domain::{AnswerDigest, Person, Quota, TenantId, Timestamp};
use crate::error::{Error, RequestPart, Result};

/// A request that was authenticated and decoded.
pub struct Call<O: Operation> {
    /// The proof of who calls, with what was read together with the credential.
    pub caller: O::Caller,
    pub query: O::Query,
    pub body: O::Body,
    /// When the request came, before anything was read for it.
    pub at: Timestamp,
}

impl<O: Operation> Call<O> {
    /// The digest of the body that an answer will have, for who has to know what was shown before it is.
    ///
    /// # Errors
    /// If the answer can't be written.
    pub fn digest_of(&self, answer: &O::Output) -> Result<AnswerDigest> {
        Ok(AnswerDigest::of(Success::new(O::SURFACE, O::ROUTE.status, answer)?.body()))
    }
}

impl<O: Operation> fmt::Debug for Call<O> {
    /// The operation only: everything else can hold a credential.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Call({})", O::ROUTE.name)
    }
}

/// What the log and the answer's headers say of a request's caller.
#[derive(Default)]
pub(super) struct LogContext {
    /// The tenant that the request is about, as far as known.
    pub tenant_id: Option<String>,
    /// The resource that the request names, or has made.
    pub resource: Option<Uuid>,
    /// What its caller has left of a limit.
    pub quota: Option<Quota>,
}

impl LogContext {
    /// What a refusal says of whom it refuses.
    fn refused(error: &Error) -> Self {
        let tenant_quota = error.tenant_quota();
        let tenant_id = tenant_quota.map(|of| of.tenant_id.to_string());
        Self { tenant_id, resource: None, quota: tenant_quota.map(|of| of.quota) }
    }
}

/// Authenticates, decodes, and hands over to the handler.
pub(super) async fn handle<O, H, F>(
    app: App,
    handler: H,
    event: HttpEvent,
    context: Context,
    trace: Trace,
) -> (LogContext, Result<Success>)
where
    O: Operation,
    H: Fn(App, Call<O>) -> F,
    F: Future<Output = Result<O::Output>>,
{
    let call = match admit::<O>(&app, event, &context, trace.clone()).await {
        Ok(call) => call,
        Err((log, error)) => return (log, Err(error)),
    };
    let tenant_id = call.query.tenant_id().or(call.caller.tenant_id().map(TenantId::as_str)).map(str::to_owned);
    // A malformed id is read as the nil UUID.
    let resource = call.query.resource().filter(|id| !id.is_nil());
    let mut log = LogContext { tenant_id, resource, quota: call.caller.quota() };
    note_person(&app, &trace, &log, call.query.person().or(call.body.person()));
    match handler(app.clone(), call).await {
        Ok(output) => {
            log.tenant_id = log.tenant_id.or_else(|| output.tenant_id().map(str::to_owned));
            log.resource = log.resource.or_else(|| output.resource());
            note_person(&app, &trace, &log, output.person());
            (log, Success::new(O::SURFACE, O::ROUTE.status, &output))
        }
        // Without a body, what is wrong is a parameter.
        Err(error) if O::ROUTE.body == BodyRule::None => (log, Err(error.in_part(RequestPart::Query))),
        Err(error) => (log, Err(error)),
    }
}

/// Notes whom the call is about, if it says so.
fn note_person(app: &App, trace: &Trace, log: &LogContext, person: Option<Person<'_>>) {
    let tenant = log.tenant_id.as_deref().and_then(|id| TenantId::parse(id).ok());
    if let Some((tenant, person)) = tenant.zip(person) {
        trace.subject(app.trace_key(), &tenant, person);
    }
}

/// Decodes and authenticates. Decoding comes first, so that what the request is about can be read together with the
/// credential; but what is wrong with the input is said only to those who have one:
///
/// | Credential | Input | Answer |
/// |---|---|---|
/// | refused | whatever it is | the refusal of the credential |
/// | accepted | can't be decoded | what is wrong with it; nothing was read for it |
/// | accepted | decoded | the handler's |
async fn admit<O: Operation>(
    app: &App,
    event: HttpEvent,
    context: &Context,
    trace: Trace,
) -> Result<Call<O>, (LogContext, Error)> {
    let nobody = |error: Error| (LogContext::refused(&error), error);
    let at = app.now();
    let request = event::request(event, app.public_address(), context, at, trace).map_err(nobody)?;
    // Key sets and metadata take no credential, and look at no query string. A page's address is seen by many.
    if !O::IS_PUBLIC || O::SURFACE == Surface::Pages {
        decode::refuse_credentials(&request.query).map_err(nobody)?;
    }
    let query = decode::query::<O>(&request);
    let body = body::body::<O>(&request);
    let caller =
        O::Caller::authenticate(app, &request, &summary::<O>(&request, &query, &body)).await.map_err(nobody)?;
    let (owner, quota) = (caller.tenant_id().map(TenantId::to_string), caller.quota());
    let query = query.map_err(|error| (LogContext { tenant_id: owner.clone(), resource: None, quota }, error))?;
    let tenant_id = query.tenant_id().map(str::to_owned).or(owner);
    let body = body.map_err(|error| (LogContext { tenant_id, resource: None, quota }, error))?;
    Ok(Call { caller, query, body, at })
}

/// What decoding tells those who authenticate the request.
fn summary<O: Operation>(request: &Request, query: &Result<O::Query>, body: &Result<O::Body>) -> InputSummary {
    let reads = match (query, body) {
        (Ok(query), Ok(body)) => O::prefetch(query, body),
        _ => Vec::new(),
    };
    InputSummary {
        operation: O::ROUTE.name,
        reads,
        end_user: body.as_ref().ok().and_then(|body| body.end_user().cloned()),
        api_key: match body {
            Ok(body) => body.api_key().cloned(),
            Err(_) => body::api_key(request),
        },
        client_id: body.as_ref().ok().and_then(|body| body.client_id().map(str::to_owned)),
        is_remembered: O::IS_REMEMBERED,
        is_readable: query.is_ok() && body.is_ok(),
    }
}
