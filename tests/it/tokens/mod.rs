//! Tokens as a whole; each of their endpoints is in `endpoints`.

mod revocation;
