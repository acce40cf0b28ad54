//! QR logins: how they begin, how a device decides them, and how their result is handed out.
//!
//! | Call | Reads | Writes |
//! |---|---|---|
//! | initiate | tenant and live logins of the browser, together; those, if too many | login, and that it is live |
//! | poll | login | none; once, that the result was handed out, if device and person still may act |
//! | scan | with the device | that it is the device's |
//! | decide | with the device | decision and event |
//! | expire | login; tenant | that it has expired, and the event |
//!
//! What a step writes is one transaction. It moves a login on the condition that it is in the phase from which it may
//! be moved. What was decided takes the login out of the index from which the sweep tells expiries, by the same write:
//! so a login is either decided or expired, and its callback tells which.

mod decide;
mod expire;
mod initiate;
mod items;
mod pace;
mod poll;

pub use decide::QrConsent;
pub use initiate::{QrLoginRequest, StartedQrLogin};
pub use pace::PollPace;

pub(super) use items::login_key;

use std::fmt;

use super::callbacks::owe;
use super::dynamodb::{Table, Transaction};
use super::tenants::Tenants;
use crate::domain::{EventId, EventType, FrameKey, NewEvent, Origin, QrSession, Tenant, TenantId, Timestamp};
use crate::error::{Error, Result};

/// The QR logins of one tenant.
#[derive(Clone, Copy)]
pub struct QrLogins<'a> {
    pub(crate) table: &'a Table,
    pub(crate) tenants: Tenants<'a>,
    pub(crate) tenant: &'a TenantId,
    pub(crate) frames: &'a FrameKey,
    pub(crate) pace: &'a PollPace,
}

impl fmt::Debug for QrLogins<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "QrLogins({})", self.tenant)
    }
}

/// Who only asks, scans or decides has asked for no change that others could get in the way of.
fn stale(error: Error) -> Error {
    match error {
        Error::StaleUpdate => Error::unavailable("others kept getting in the way of a QR login"),
        other => other,
    }
}

/// Owes the tenant the event of what became of a login. It has one event in all.
fn owe_outcome(
    transaction: &mut Transaction,
    tenants: Tenants<'_>,
    tenant: &Tenant,
    session: &QrSession,
    (event_type, created_at): (EventType, Timestamp),
) -> Result<Option<EventId>> {
    let data = session.state();
    let event = NewEvent { event_type, tenant_id: &tenant.summary.id, created_at, sequence: 1, data };
    owe(transaction, &tenant.configuration, tenants.random, event)
}

/// Whether the tenant lets pages of that origin begin a login now.
fn check_origin(tenant: &Tenant, origin: &Origin) -> Result<()> {
    let origins = tenant.configuration.qr_login_allowed_origins.as_slice();
    if origins.is_empty() {
        return Err(Error::QrLoginDisabled);
    }
    if origins.contains(origin) {
        return Ok(());
    }
    Err(Error::OriginNotAllowed("browser_origin is not in qr_login_allowed_origins"))
}
