//! The contract: every endpoint with its inputs and outputs. It performs nothing.
//!
//! [`OPERATIONS`] is the one list of endpoints. The OpenAPI document, the local router and the tables of the README are made
//! from it; the template, the binaries, the events and the tests are compared with it.

mod generated;
mod openapi;
mod operation;
pub mod tenant_outputs;
pub mod tenants;

pub use generated::{GENERATED, Generated};
pub use openapi::document;
pub use operation::{BodyRule, Entry, Input, Method, Operation, Output, Route};

use tenants::{
    FetchAuditEvents, FetchTenant, FetchTenants, ProvisionTenant, ReactivateTenant, RotateTenantSecret, SuspendTenant,
    UpdateTenant,
};

/// Every endpoint, in the order of the documentation.
pub static OPERATIONS: [Entry; 8] = [
    Entry::of::<ProvisionTenant>(),
    Entry::of::<UpdateTenant>(),
    Entry::of::<RotateTenantSecret>(),
    Entry::of::<SuspendTenant>(),
    Entry::of::<ReactivateTenant>(),
    Entry::of::<FetchTenant>(),
    Entry::of::<FetchTenants>(),
    Entry::of::<FetchAuditEvents>(),
];

/// Functions that no client calls: they are started by a schedule.
pub static SCHEDULED: [&str; 1] = ["reconcile"];
