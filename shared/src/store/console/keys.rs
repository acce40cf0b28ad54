//! Where links and sessions of the console are.

use crate::domain::{ConsoleId, ConsoleParty, ReplayKey};
use crate::store::dynamodb::{Key, key};
use crate::store::keys::tenant_partition;

/// A link to the console.
pub fn link(party: &ConsoleParty, id: &ConsoleId) -> Key {
    key(partition(party, id), "LINK".to_owned())
}

/// A session of the console.
pub fn session(party: &ConsoleParty, id: &ConsoleId) -> Key {
    key(partition(party, id), "SESSION".to_owned())
}

/// The use of a proof by a session of the console.
pub fn proof(party: &ConsoleParty, id: &ConsoleId, proof: &ReplayKey) -> Key {
    key(partition(party, id), format!("PROOF#{proof}"))
}

/// Where all of a console's link and session is. The operator's is in no tenant's partitions, so that the roles of the
/// registry's functions can be given these and no more.
fn partition(party: &ConsoleParty, id: &ConsoleId) -> String {
    match party {
        ConsoleParty::Operator => format!("CONSOLE#{id}"),
        ConsoleParty::Tenant(tenant) => format!("{}#CONSOLE#{id}", tenant_partition(tenant)),
    }
}
