//! Passkeys across endpoints: events, races, the relying party.

mod events;
mod party;
mod races;
