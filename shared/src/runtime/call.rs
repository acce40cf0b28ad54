//! One request: authenticated, decoded, handled.

use std::fmt;
use std::future::Future;

use lambda_runtime::Context;

use super::decode;
use super::event::HttpEvent;
use super::response::Success;
use crate::api::{Input, Method, Operation, Output};
use crate::app::App;
use crate::auth::{Attempt, Caller, Needs};
use crate::domain::{Quota, Timestamp};
use crate::error::{Error, Result};

/// A request that was authenticated and decoded.
pub struct Call<O: Operation> {
    /// The proof of who calls.
    pub caller: O::Caller,
    pub query: O::Query,
    pub body: O::Body,
    /// What was read together with the credential.
    pub found: <O::Caller as Caller>::Found,
    /// For the store methods that change something: who asks for it, when, under which idempotency key.
    pub change: <O::Caller as Caller>::ChangeContext,
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

/// What became of a request.
#[derive(Default)]
pub(super) struct About {
    /// The tenant that it is about, as far as known, for the log.
    pub tenant_id: Option<String>,
    /// What its caller has left of a limit.
    pub quota: Option<Quota>,
}

impl About {
    /// What a refusal says of whom it refuses.
    fn refused(error: &Error) -> Self {
        let tenant_quota = error.tenant_quota();
        Self {
            tenant_id: tenant_quota.map(|tenant_quota| tenant_quota.tenant_id.to_string()),
            quota: tenant_quota.map(|tenant_quota| tenant_quota.quota),
        }
    }
}

/// Authenticates, decodes, and hands over to the handler.
pub(super) async fn handle<O, H, F>(
    app: App,
    handler: H,
    event: HttpEvent,
    context: Context,
) -> (About, Result<Success>)
where
    O: Operation,
    H: Fn(App, Call<O>) -> F,
    F: Future<Output = Result<O::Output>>,
{
    let call = match admit::<O>(&app, event, &context).await {
        Ok(call) => call,
        Err((about, error)) => return (about, Err(error)),
    };
    let tenant_id = call.query.tenant_id().or(call.caller.tenant_id()).map(str::to_owned);
    let mut about = About { tenant_id, quota: call.caller.quota() };
    match handler(app, call).await {
        Ok(output) => {
            about.tenant_id = about.tenant_id.or_else(|| output.tenant_id().map(str::to_owned));
            (about, Success::new(O::SURFACE, O::ROUTE.status, &output))
        }
        Err(error) => (about, Err(error)),
    }
}

/// Authenticates and decodes.
async fn admit<O: Operation>(app: &App, event: HttpEvent, context: &Context) -> Result<Call<O>, (About, Error)> {
    let nobody = |error: Error| (About::refused(&error), error);
    let at = app.now();
    let request = event.into_request(app.public_url(), &context.request_id).map_err(nobody)?;
    decode::refuse_credentials(&request.query).map_err(nobody)?;
    // Decoded first, so that what it is about can be read together with the credential; but what is wrong with it is said
    // only to those who have one.
    let query = decode::query::<O::Query>(&request);
    let body = decode::body::<O>(&request);
    let end_user = body.as_ref().ok().and_then(|body| body.end_user().cloned());
    let reads = match (&query, &body) {
        (Ok(query), Ok(body)) => O::prefetch(query, body),
        _ => Vec::new(),
    };
    let needs = Needs { reads, end_user, is_readable: query.is_ok() && body.is_ok() };
    let (caller, found) = O::Caller::authenticate(app, &request, &needs).await.map_err(nobody)?;
    let (owner, quota) = (caller.tenant_id().map(str::to_owned), caller.quota());
    let query = query.map_err(|error| (About { tenant_id: owner.clone(), quota }, error))?;
    let tenant_id = query.tenant_id().map(str::to_owned).or(owner);
    let known = |error| (About { tenant_id: tenant_id.clone(), quota }, error);
    let body = body.map_err(known)?;
    let change = caller.change(&Attempt {
        at,
        request_id: &context.request_id,
        deadline: Timestamp::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX)),
        idempotency_key: request.header("idempotency-key").filter(|_| O::ROUTE.method == Method::Post),
        request: &[O::ROUTE.name.as_bytes(), request.query.as_bytes(), request.body.as_slice()],
    });
    let change = change.map_err(known)?;
    Ok(Call { caller, query, body, found, change, at, base_url: request.base_url })
}
