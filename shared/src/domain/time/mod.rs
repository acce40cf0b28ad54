//! Time, as a parameter.

pub(super) mod clock;

pub use clock::{Clock, Day, SystemClock, Timestamp};
