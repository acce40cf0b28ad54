//! The end user of a call, in its body.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::domain::ExternalId;

/// For whom a call is. In a body it is the field `external_user_id`; it was read when the caller was authenticated, whose view
/// it decides, and nothing else is made of it.
#[derive(Debug, Default, JsonSchema)]
#[schemars(inline)]
pub struct EndUser(Option<ExternalId>);

impl EndUser {
    pub fn id(&self) -> Option<&ExternalId> {
        self.0.as_ref()
    }
}

impl<'de> Deserialize<'de> for EndUser {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self)
    }
}
