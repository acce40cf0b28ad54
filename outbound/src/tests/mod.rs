//! The client against servers that each test writes for itself, byte by byte.

mod addresses;
mod answers;
#[cfg(feature = "loopback-callbacks")]
mod loopback;
mod support;
