//! What tests speak with: a deployment of their own, requests, and looks behind the scenes.

mod curl;
mod deployment;
mod http;
pub mod lists;
pub mod numbered_pages;
mod operations;
mod stores;

pub use curl::curl;
pub use deployment::{ApiKey, Deployment, Member, ROLE, Tenant, event, repository, with};
pub use http::{Answer, Call};
pub use operations::{END_USER, Rows, World, takes};
