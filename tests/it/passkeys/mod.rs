//! Passkeys across endpoints: events, races, the relying party, and thousands of people.

mod events;
mod party;
mod people;
mod races;
