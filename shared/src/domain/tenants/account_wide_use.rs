//! When a tenant's whole account was last used by a caller that named no end user.

use serde::{Deserialize, Serialize};

use crate::domain::time::clock::Day;

/// The last days on which something of the account surface was for the whole account, because it named no end user. For
/// the inspection of a set-up: a backend that means to name one each time shows up here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountWideUse {
    /// The last day of such a call.
    pub call_on: Option<Day>,
    /// The last day on which such a token was issued.
    pub token_on: Option<Day>,
}
