//! Organizations, users and registered tenants.

pub(super) mod parties;
pub(super) mod properties;

pub use parties::{
    Organization, OrganizationFields, Record, RegisteredKey, RegisteredTenant, RegisteredTenantFields, User, UserFields,
};
pub use properties::{JsonObject, Properties};
