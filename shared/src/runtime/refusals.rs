//! Notes why a proven caller was refused, for the inspection of its tenant's set-up.

use std::time::Duration;

use crate::api::Surface;
use crate::app::App;
use crate::auth::{Trace, Traced};
use crate::domain::{PasskeyCause, Refusal, RefusalCause};
use crate::error::Error;

/// For how long a note may hold up its answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// Notes a refusal if its caller was proven to be a tenant's and its cause is one that a set-up can have. Best effort.
pub(super) async fn note(app: &App, (operation, surface): (&str, Surface), trace: &Trace, error: &Error) {
    let traced = trace.noted();
    let cause = cause(operation, surface, &traced, error);
    let Some((tenant, cause)) = traced.tenant_id.as_ref().zip(cause) else { return };
    let refusal = Refusal::new(cause, app.now(), operation);
    let refusal = match error {
        Error::MisspeltHeader(name) => refusal.with_header(name),
        _ => refusal,
    };
    let refusal = Refusal { key_id: traced.key_id.clone(), ahead_ms: traced.ahead_ms, ..refusal };
    let _ = tokio::time::timeout(PATIENCE, app.note_refusal(tenant, &refusal)).await;
}

/// The cause of a refusal. What the tenant's configuration says by itself, such as a suspension, is not noted.
fn cause(operation: &str, surface: Surface, traced: &Traced, error: &Error) -> Option<RefusalCause> {
    if traced.refused.is_some() {
        return traced.refused;
    }
    // A token is in the hands of an end user: what is wrong with where it is sent from is no mistake of the tenant's.
    if traced.jti.is_some() && matches!(error, Error::OriginNotAllowed(_) | Error::MisspeltHeader(_)) {
        return None;
    }
    match (surface, error) {
        (Surface::Projects | Surface::Account | Surface::Tokens, Error::KeyKindNotAllowed) => {
            Some(RefusalCause::KeyKind)
        }
        (Surface::Projects | Surface::Account | Surface::Tokens, Error::OriginNotAllowed(_)) => {
            Some(RefusalCause::KeyOrigin)
        }
        (Surface::Account, Error::MisspeltHeader(_)) => Some(RefusalCause::EndUserHeader),
        (Surface::Account, Error::EndUserRequired) => Some(RefusalCause::EndUserMissing),
        (Surface::Projects, Error::UserNotFound | Error::OrganizationNotFound)
            if matches!(operation, "user-token" | "register-tenant") =>
        {
            Some(RefusalCause::Unregistered)
        }
        (Surface::Relay, Error::OriginNotAllowed(_)) if operation.starts_with("qr-login") => {
            Some(RefusalCause::QrLoginOrigin)
        }
        (Surface::Relay, Error::OriginNotAllowed(_)) => Some(RefusalCause::PasskeyOrigin),
        (Surface::Relay, Error::CredentialRefused(refusal)) => match refusal.cause {
            PasskeyCause::WrongOrigin
            | PasskeyCause::CrossOrigin
            | PasskeyCause::TopOrigin
            | PasskeyCause::WrongRpIdHash => Some(RefusalCause::PasskeyPage),
            _ => None,
        },
        _ => None,
    }
}
