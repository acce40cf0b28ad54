//! Callbacks of many tenants, and of many events.

mod scale;
mod units;
