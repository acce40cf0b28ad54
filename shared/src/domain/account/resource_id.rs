//! Ids of resources.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use uuid::{Builder, Uuid};

use crate::domain::ids::external_id::parse_uuid;
use crate::domain::time::clock::Timestamp;
use crate::domain::values::random::{Random, RandomnessUnavailable, draw};

/// A new id: a version 7 UUID (RFC 9562 §5.7), which begins with the time. So ids sort by creation, and a list needs
/// nothing else to be in order.
///
/// # Errors
/// If no randomness is available.
pub fn new_resource_id(random: &dyn Random, at: Timestamp) -> Result<Uuid, RandomnessUnavailable> {
    let millis = u64::try_from(at.as_millis()).unwrap_or_default();
    Ok(Builder::from_unix_timestamp_millis(millis, &draw(random)?).into_uuid())
}

/// An id in a path. A malformed id is read as the nil UUID, which is never given out: it gets the same answer, for the
/// same work, as an unknown id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathId(Uuid);

impl PathId {
    pub fn get(self) -> Uuid {
        self.0
    }
}

impl<'de> Deserialize<'de> for PathId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self(parse_uuid(&text).unwrap_or_default()))
    }
}

impl JsonSchema for PathId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "PathId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uuid" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::values::random::SystemRandomness;

    #[test]
    fn ids_sort_by_the_time_they_were_made_at() {
        let random = SystemRandomness::new();
        let id = |millis| new_resource_id(&random, Timestamp::from_millis(millis)).unwrap();
        let ids: Vec<_> = [0, 1, 255, 256, 1_700_000_000_000, 1_700_000_000_001].map(id).into();
        assert!(ids.is_sorted());
        assert!(ids.iter().map(Uuid::to_string).is_sorted());
        assert_eq!(ids[0].get_version_num(), 7);
    }

    #[test]
    fn a_text_that_is_no_id_is_the_id_of_nothing() {
        let read = |text: &str| serde_json::from_value::<PathId>(text.into()).unwrap().get();
        let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
        assert_eq!(read(&id.to_string()), id);
        assert_eq!(read(&id.to_string().to_uppercase()), id);
        for text in ["x", "exec_01900000000070008000000000000001", "..", "#", "01900000000070008000000000000001", "%00"]
        {
            assert_eq!(read(text), Uuid::nil(), "{text}");
        }
    }
}
