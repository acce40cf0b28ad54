//! Callbacks: events, the attempts to deliver them, and their signatures.
//!
//! What decides when an event is attempted again ([`Next`]) and what decides whether its receiver is tried at all
//! ([`Breaker`]) know nothing of each other: an event that fails is not in the way of the next.

pub(super) mod address;
pub(super) mod breaker;
pub(super) mod event;
pub(super) mod receiver;
pub(super) mod schedule;
pub(super) mod signature;
pub(super) mod summary;
pub(super) mod types;

pub use address::{NotPublic, check_public};
pub use breaker::{Admission, Breaker, Change, DisableCause};
pub use event::{Event, EventFlaw, EventId, NewEvent, useless_from};
pub use receiver::{LastFailure, ReceiverState, ReceiverSummary};
pub use schedule::{Attempted, ErrorClass, Jitter, Next, Outcome, RetryAfter};
pub use signature::{CallbackHeaders, CallbackSigner};
pub use summary::{
    CallbackAttempt, CallbackDetails, CallbackFilter, CallbackState, CallbackSummary, NotReplayed, ReplayScope,
    SkippedCallback,
};
pub use types::{CallbackTypes, EventType, Flow, TypePattern};
