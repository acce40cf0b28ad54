//! The account surface as a whole; each of its endpoints is in `endpoints`.

mod data_isolation;
mod histories;
mod page_costs;
mod pages;
mod quotas;
pub mod races;
mod sizes;
