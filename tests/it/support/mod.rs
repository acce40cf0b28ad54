//! What tests speak with: a deployment of their own, requests, and looks behind the scenes.

mod deployment;
mod http;
mod stores;

pub use deployment::{Deployment, Tenant, event, repository};
pub use http::{Answer, Call};
