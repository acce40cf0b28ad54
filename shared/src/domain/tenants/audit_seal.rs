//! Seals on audit events: a chain of digests, so that one that is missing, changed or moved later can be found.
//!
//! The chain is not made in the transactions of the changes: all changes would meet at its head. It is made
//! afterwards, by a scheduled step, and each seal has many events.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::domain::time::clock::Timestamp;

/// What the first seal has in place of the digest of one before it.
const NOTHING_BEFORE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An audit event in a seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedEvent {
    /// Partition key of the event's item.
    pub pk: String,
    /// Its sort key.
    pub sk: String,
    /// SHA-256 of partition key, sort key and the text of the event, with line feeds between them; in lower-case
    /// hexadecimal.
    pub digest: String,
}

impl SealedEvent {
    /// An event, by its place in the table and its text there.
    pub fn new(pk: &str, sk: &str, event: &str) -> Self {
        Self { pk: pk.to_owned(), sk: sk.to_owned(), digest: hex_digest(&format!("{pk}\n{sk}\n{event}")) }
    }
}

/// The seal on some audit events, and on the seal before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// Its place in the chain, from 1.
    pub number: u64,
    /// When it was made.
    pub sealed_at: Timestamp,
    /// The position of its last event among those of all tenants. The next seal begins after it.
    pub through: String,
    /// The digest of the seal before it; zeros if there is none.
    pub previous: String,
    /// The events, oldest first.
    pub events: Vec<SealedEvent>,
    /// SHA-256 of the digest before it, its number, its time and the digests of its events, with
    /// line feeds between them; in lower-case hexadecimal.
    pub digest: String,
}

impl Seal {
    /// The seal on `events`, after the seal `previous`.
    pub fn after(previous: Option<&Self>, through: String, events: Vec<SealedEvent>, sealed_at: Timestamp) -> Self {
        let number = previous.map_or(1, |seal| seal.number + 1);
        let previous = previous.map_or(NOTHING_BEFORE, |seal| &seal.digest).to_owned();
        let mut sealed = format!("{previous}\n{number}\n{sealed_at}");
        for event in &events {
            sealed.push('\n');
            sealed.push_str(&event.digest);
        }
        Self { number, sealed_at, through, previous, events, digest: hex_digest(&sealed) }
    }
}

fn hex_digest(text: &str) -> String {
    HEXLOWER.encode(digest(&SHA256, text.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> Vec<SealedEvent> {
        vec![
            SealedEvent::new("AUDIT#TENANT#a", "AUDIT#1#r", "{}"),
            SealedEvent::new("AUDIT#TENANT#b", "AUDIT#2#s", "{}"),
        ]
    }

    /// With coreutils: `printf 'AUDIT#TENANT#a\nAUDIT#1#r\n{}' | sha256sum`, and so on.
    #[test]
    fn digests_are_those_that_another_tool_makes_of_the_same_text() {
        let seal = Seal::after(None, "2".to_owned(), events(), Timestamp::from_millis(5));
        assert_eq!(seal.events[0].digest, "3f7a208f49c84f1628ba002de9842bc538e683fc5e601ce302d444542b5dbcd3");
        assert_eq!(seal.events[1].digest, "e8cff1759e82fc31bf8ec8db8909c76ff5bb313df35902cf26c1f3acd2096401");
        assert_eq!(seal.digest, "64682f3f7b7586e9e228a35fc58f93c8691116196014098c7537c7952a652745");
    }

    #[test]
    fn a_seal_depends_on_everything_before_it_and_on_the_order_of_its_events() {
        let at = Timestamp::from_millis(5);
        let first = Seal::after(None, "2".to_owned(), events(), at);
        let second = Seal::after(Some(&first), "2".to_owned(), events(), at);
        assert_eq!((second.number, second.previous.as_str()), (2, first.digest.as_str()));
        let reordered = Seal::after(None, "2".to_owned(), events().into_iter().rev().collect(), at);
        let shorter = Seal::after(None, "2".to_owned(), events().into_iter().take(1).collect(), at);
        let later = Seal::after(None, "2".to_owned(), events(), Timestamp::from_millis(6));
        for other in [second, reordered, shorter, later] {
            assert_ne!(other.digest, first.digest);
        }
    }
}
