//! One module for each function, by its name.

mod fetch_audit_events;
mod fetch_tenant;
mod fetch_tenants;
mod provision_tenant;
mod reactivate_tenant;
mod reconcile;
mod rotate_tenant_secret;
mod suspend_tenant;
mod update_tenant;
