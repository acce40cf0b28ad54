//! Callbacks as a whole; what each endpoint does, and the deliverer, is in `endpoints`.

mod histories;
mod races;
mod scale;
mod units;
mod world;

pub use world::{item, rows};
