//! When and how a tenant last signed a call, on its hot item.

use crate::domain::{Day, Minute, SignedUse, SigningVersion};
use crate::error::Result;
use crate::store::dynamodb::Reader;

/// The minute that a signed call was counted in last.
pub const COUNTED_MINUTE: &str = "counted_minute";
/// The last day on which a call was signed with v1, and with v2.
const SIGNED_V1_ON: &str = "signed_v1_on";
const SIGNED_V2_ON: &str = "signed_v2_on";
/// How far the signer's clock was ahead when such a day was noted last, in milliseconds.
pub const SIGNED_AHEAD: &str = "signed_ahead_ms";

/// The attribute that has the last day on which a call was signed with that version.
pub fn signed_on(version: SigningVersion) -> &'static str {
    match version {
        SigningVersion::V1 => SIGNED_V1_ON,
        SigningVersion::V2 => SIGNED_V2_ON,
    }
}

/// When and how it last signed a call.
pub fn signed_use(state: Reader<'_>) -> Result<SignedUse> {
    let day = |version| -> Result<_> { Ok(state.optional_text(signed_on(version))?.map(Day::from_stored)) };
    let minute = Some(state.number(COUNTED_MINUTE)?).filter(|minute| *minute > 0).map(Minute::from_number);
    Ok(SignedUse {
        last_minute: minute.map(Minute::start),
        v1_on: day(SigningVersion::V1)?,
        v2_on: day(SigningVersion::V2)?,
        ahead_ms: state.optional_number(SIGNED_AHEAD)?,
    })
}
