//! The console: people in a browser, with a session that a link of one use has opened.
//!
//! No page ever takes the operator's key or a tenant's secret. Who has the operator's key makes a link; whoever opens
//! it first gets a session for an hour, which is bound to a key that no page can read.

pub(super) mod secrets;
pub(super) mod session;

pub use secrets::{ConsoleCode, ConsoleToken, RevealedConsoleSecret};
pub use session::{ConsoleId, ConsoleLink, ConsoleParty, ConsoleSession, LINK_LIFETIME, PartyKind, SESSION_LIFETIME};
