//! The end user of a call, in its body.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::domain::ExternalId;

/// End user that a call is for, as the field `external_user_id` of a request body.
// The field was read when the caller was authenticated, because it decides the caller's viewpoint. Nothing else is made
// of it.
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
