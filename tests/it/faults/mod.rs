//! What goes wrong: processes that die at every call, stores that are gone, slow or wrong.

mod crash_points;
mod dead_store;
mod key_crash_points;
mod limit_crash_points;
mod pairing_crash_points;
mod passkey_crash_points;
mod qr_login_crash_points;
mod relay;
mod row_crash_points;
mod signing_key_crash_points;
