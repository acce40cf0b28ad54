//! Values that everything else is made of.

pub(super) mod exact_json;
pub(super) mod limits;
pub(super) mod members;
pub(super) mod near_miss;
pub(super) mod newtype;
pub(super) mod page;
pub(super) mod patch;
pub(super) mod problem;
pub(super) mod qr_code;
pub(super) mod random;
pub(super) mod serde_rules;
pub(super) mod text;

pub use exact_json::ExactJson;
pub use limits::{FrameNumber, QrExpirySeconds, QrSessionsPerAddress, RowsPerEndUser, RowsPerTenant};
pub use limits::{KeyLifetime, Minutes, Offset, OverlapSeconds, PageLimit, PageNumber, RatePerMinute};
pub use near_miss::near_miss;
pub use page::{Cursor, CursorPage, OffsetPage, PageRequest};
pub use patch::Patch;
pub use problem::Problem;
pub use qr_code::QrCode;
pub use random::{Random, RandomnessUnavailable, SystemRandomness, draw};
pub use serde_rules::{not_null, not_null_enum, string_enum};
pub use text::{
    AccountName, ConsoleLabel, DeviceName, DisplayName, KeyName, PartyName, PasskeyName, Reason, TenantName,
};
