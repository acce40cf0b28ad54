//! The projects surface as a whole; each of its endpoints is in `endpoints`.

pub mod ambiguous_ids;
pub mod registration_races;
