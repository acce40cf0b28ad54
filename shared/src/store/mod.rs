//! The only module that knows DynamoDB and Secrets Manager.
//!
//! What a store promises: absence is `None` or an error of its own and never an empty value; a condition that failed
//! becomes the result that it means; a failure of AWS becomes [`Error::Unavailable`](crate::error::Error), or
//! [`Error::Internal`](crate::error::Error) where trying again cannot help, and nothing is let through then.
//!
//! | Room | What is in it |
//! |---|---|
//! | `dynamodb` | reads, conditional updates, transactions, attributes |
//! | `secrets_manager` | versions of secrets |
//! | `aws` | whom AWS is trusted to be, how long is waited, the first connections |
//! | `memory` | what a process remembers from one call to the next |
//! | `keys` | the key layout of the table |
//! | `pages` | lists: one Query a page |
//! | `prefetch` | what a request reads together with its credential |
//! | `idempotency` | stored responses |
//! | `tenants` | tenants, their secrets, keys and API keys, revocation |
//! | `audit` | audit events, and the seals on them |
//! | `directory` | organizations, users, registered tenants |
//! | `account` | resources of end users |
//! | `callbacks` | what is owed to tenants' receivers, and delivering it |
//! | `console` | sessions of people in a browser |
//! | `calls` | limits of API keys and end users |
//! | `people` | a tenant's people behind the relay |
//! | `devices` | their devices, and how they are paired |
//! | `qr_logins` | logins by a code that their devices scan |
//! | `passkeys` | their passkeys, and the ceremonies with them |
//! | `relay` | the limit and the strikes of signed calls |
//! | `setup` | what the set-up of a tenant shows |
//! | `reconcile` | what requests left behind |

mod account;
mod audit;
mod aws;
mod callbacks;
mod calls;
mod console;
mod devices;
mod directory;
mod dynamodb;
mod idempotency;
mod keys;
mod memory;
mod pages;
mod passkeys;
mod people;
mod prefetch;
mod qr_logins;
mod reconcile;
mod relay;
mod secrets_manager;
mod setup;
mod tenants;

pub use account::{List, ResourceKind, Resources};
pub use audit::Sealed;
pub use aws::{TimeLimit, connect, connector, sdk};
pub use callbacks::{Callbacks, Delivered, Delivery, Receiver};
pub use calls::Counted;
pub use console::{Console, FoundConsoleSession, FoundLink};
pub use devices::{DeviceSession, Devices, FoundSession, NewDevice, Paired, PairingHost, PairingRequest, ProvenCall};
pub use directory::organization_cache::OrganizationHints;
pub use directory::{Directory, Party, Registration};
pub use dynamodb::{Direct, Jitter, Table, Wire};
pub use passkeys::{BrowserAnswer, LoggedIn, PasskeyList, Passkeys, RegistrationRequest, RevokedPasskey};
pub use prefetch::{Prefetched, Read, TenantState};
pub use qr_logins::{PollPace, QrConsent, QrLoginRequest, QrLogins, StartedQrLogin};
pub use reconcile::Reconciled;
pub use relay::{Accepted, Relay, RelayMemory, RelayState, Signed, Verdict};
pub use secrets_manager::{Secrets, VersionCache};
pub use setup::RefusalMemory;
pub use tenants::{
    ConsoleLinkSummary, IssuedApiKey, IssuedConsoleLink, IssuedKeySummary, NewApiKey, Pinged, Provisioned, Receivers,
    Replayed, Resumed, Revocation, RevokedTokens, Rotated, RotatedSigningKey, SecretRotation, Start, TenantUpdate,
    Tenants, WholePerson,
};

#[cfg(test)]
mod shelf;
#[cfg(test)]
pub(crate) use shelf::Shelf;
