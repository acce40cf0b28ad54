//! What tests speak with: a deployment of their own, requests, and looks behind the scenes.

pub mod authenticator;
mod callbacks;
pub mod console;
mod curl;
mod deployment;
mod dice;
mod exact_json;
mod histories;
mod http;
mod library;
pub mod lists;
mod operations;
pub mod passkeys;
pub mod phone;
pub mod qr;
mod receiver;
mod signing;
mod stores;
mod witness;

pub use curl::curl;
pub use deployment::{ApiKey, Deployment, Member, ROLE, Tenant, event, naming, repository, with};
pub use dice::Dice;
pub use exact_json::{EXACT, INEXACT};
pub use histories::{played, setting};
pub use http::{Answer, Call, at_once};
pub use library::{HandClock, request};
pub use operations::{END_USER, World, page_files, takes};
pub use receiver::{Received, TestReceiver};
pub use signing::{Signing, WHOAMI, in_one_minute, now_ms};
pub use stores::SECRET_FOLDERS;
pub use witness::violation;
