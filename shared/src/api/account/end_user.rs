//! The end user of a call, in its body.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};

use crate::domain::ExternalId;

/// End user that a call is for, as the field `external_user_id` of a request body. Null is refused: a variable without
/// a value would otherwise make a call for one user a call for all.
// The field was read when the caller was authenticated, because it decides the caller's viewpoint. Nothing else is made
// of it.
#[derive(Debug, Default)]
pub struct EndUser(Option<ExternalId>);

impl EndUser {
    pub fn id(&self) -> Option<&ExternalId> {
        self.0.as_ref()
    }
}

impl<'de> Deserialize<'de> for EndUser {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ExternalId::deserialize(deserializer).map(|id| Self(Some(id)))
    }
}

impl JsonSchema for EndUser {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        ExternalId::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        ExternalId::json_schema(generator)
    }
}
