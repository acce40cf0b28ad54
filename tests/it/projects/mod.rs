//! The projects surface as a whole; each of its endpoints is in `endpoints`.

pub mod registration_races;
