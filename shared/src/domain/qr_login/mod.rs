//! QR logins: a browser shows a code, and a paired phone says who sits in front of it.
//!
//! | File | What is in it |
//! |---|---|
//! | `ids` | the names of a session and of a scan, and the token of its polls |
//! | `frame` | what a code shows, and for how long it is good |
//! | `number` | the number that the browser shows and the phone types |
//! | `network` | how near phone and browser are |
//! | `user_agent` | what a person is told of the browser |
//! | `answer_digest` | what stands for what was shown |
//! | `statement` | the decision that the device's key signs |
//! | `session` | the states of a session, and what moves it |
//! | `settings` | what a tenant decides |

pub(super) mod answer_digest;
pub(super) mod frame;
pub(super) mod ids;
pub(super) mod network;
pub(super) mod number;
pub(super) mod session;
pub(super) mod settings;
pub(super) mod statement;
pub(super) mod user_agent;

pub use answer_digest::AnswerDigest;
pub use frame::{FrameKey, FrameMac, QrLoginUrl};
pub use ids::{BrowserKey, PollToken, QrSessionId, RevealedPollToken, ScanId};
pub use network::{BrowserAddress, BrowserNetwork, Proximity};
pub use number::MatchNumber;
pub use session::{Poll, QrDecision, QrPhase, QrScan, QrSession, Scanner};
pub use settings::{QrDistant, QrLoginSettings, QrNumberMatching, QrRotation};
pub use statement::{Choice, ExpectedStatement, QrStatement, StatementFlaw, UnverifiedStatement};
pub use user_agent::{BrowserName, UserAgent};
