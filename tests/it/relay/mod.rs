//! The relay surface as a whole; each of its endpoints is in `endpoints`.

mod histories;
mod limits;
mod races;
mod suspension;
mod time;
