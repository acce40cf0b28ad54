//! The account surface: a backend with an account key, or a page with a scoped token, works with the resources of an
//! end user.

pub mod documents;
mod end_user;
mod listing;
pub mod sessions;
pub mod token;
pub mod tools;
pub mod workspaces;

pub use end_user::EndUser;
pub use listing::{Deleted, ListPage, PageQuery, ResourcePath};
