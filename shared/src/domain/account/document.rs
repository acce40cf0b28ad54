//! Documents: an end user's own, and shared ones, which all end users of the account see.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::label::Label;
use crate::domain::ids::external_id::{ExternalId, UuidText};
use crate::domain::time::clock::Timestamp;
use crate::domain::values::problem::Problem;

/// The largest content of a document, in bytes of UTF-8.
const LARGEST: usize = 48 * 1024;

/// The largest number of workspaces that a document is in: each costs two more writes in the transactions that create
/// and delete the document.
const MOST_WORKSPACES: usize = 10;

/// Metadata of a document, without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
pub struct Document {
    /// UUID of the document.
    pub id: Uuid,
    /// Name of the document, 1 to 200 characters.
    pub name: Label,
    /// Whether the content of the document is stored.
    pub status: DocumentStatus,
    /// Type of the document's file, as it was given; null if none was.
    pub file_type: Option<Label>,
    /// UUIDs of the workspaces that contain the document. Deleted workspaces, and those that the caller may not see,
    /// are left out.
    pub workspace_ids: WorkspaceIds,
    /// External id of the end user that owns the document; null if it is shared, so that all end users of the account
    /// see it.
    pub external_user_id: Option<ExternalId>,
    /// Time at which the document was stored.
    pub created_at: Timestamp,
    /// Time at which the document last changed.
    pub updated_at: Timestamp,
}

/// Status of a document: whether its content is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DocumentStatus {
    /// Only the metadata is stored.
    Pending,
    /// The content is stored.
    Ready,
}

/// The content of a document, up to 48 KiB. Kept apart from the metadata, so that no list reads it.
#[derive(Clone, PartialEq, Eq)]
pub struct Markdown(String);

impl Markdown {
    /// Checks the length.
    ///
    /// # Errors
    /// If the text is longer.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if text.len() <= LARGEST { Ok(Self(text.to_owned())) } else { Err(Problem::new("must be at most 49152 bytes")) }
    }

    /// Takes back what was stored.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Markdown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Markdown({} bytes)", self.0.len())
    }
}

impl Serialize for Markdown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Markdown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl JsonSchema for Markdown {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Markdown".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": LARGEST })
    }
}

/// UUIDs of the workspaces that contain a document, at most 10 and each once.
// Each is kept with its first position in the list that named it, for refusals.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema)]
#[schemars(transparent)]
pub struct WorkspaceIds(#[schemars(with = "Vec<Uuid>", length(max = 10))] Vec<(usize, Uuid)>);

impl WorkspaceIds {
    pub fn iter(&self) -> impl Iterator<Item = Uuid> {
        self.positions().map(|(_, id)| id)
    }

    /// The ids with their positions, for refusals.
    pub fn positions(&self) -> impl Iterator<Item = (usize, Uuid)> {
        self.0.iter().copied()
    }

    /// The ids for which `keep` is true.
    #[must_use]
    pub fn only(&self, keep: impl Fn(Uuid) -> bool) -> Self {
        Self(self.positions().filter(|(_, id)| keep(*id)).collect())
    }
}

impl Serialize for WorkspaceIds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for WorkspaceIds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = WorkspaceIds;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "a list of at most {MOST_WORKSPACES} workspace ids")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<WorkspaceIds, A::Error> {
                let mut ids: Vec<(usize, Uuid)> = Vec::new();
                for position in 0.. {
                    let Some(id) = sequence.next_element::<UuidText>()? else { break };
                    if ids.iter().any(|(_, known)| *known == id.get()) {
                        continue;
                    }
                    if ids.len() == MOST_WORKSPACES {
                        let problem = format_args!("must be a list of at most {MOST_WORKSPACES} workspace ids");
                        return Err(de::Error::custom(problem));
                    }
                    ids.push((position, id.get()));
                }
                Ok(WorkspaceIds(ids))
            }
        }

        deserializer.deserialize_seq(List)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn content_of_48_kibibytes_is_taken_and_a_byte_more_is_not() {
        let content = Markdown::parse(&"x".repeat(49_152)).unwrap();
        assert_eq!(format!("{content:?}"), "Markdown(49152 bytes)");
        assert!(Markdown::parse(&"x".repeat(49_153)).is_err());
        assert!(Markdown::parse(&"é".repeat(24_577)).is_err());
    }

    #[test]
    fn a_workspace_counts_once() {
        let ids: Vec<_> = (0..11).map(|number| Uuid::from_u128(number).to_string()).collect();
        let read = |ids: &[String]| serde_json::from_value::<WorkspaceIds>(json!(ids));
        let repeated = read(&[ids[3].clone(), ids[3].to_uppercase(), ids[2].clone()]).unwrap();
        assert_eq!(json!(repeated), json!([ids[3], ids[2]]));
        assert_eq!(repeated.positions().map(|(position, _)| position).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(read(&ids[..10]).unwrap().iter().count(), 10);
        assert!(read(&ids).unwrap_err().to_string().contains("at most 10 workspace ids"));
    }

    #[test]
    fn content_is_read_and_stored_as_it_is() {
        let content: Markdown = serde_json::from_str(r##""# \u00e9""##).unwrap();
        assert_eq!((content.as_str(), json!(content)), ("# é", json!("# é")));
        assert_eq!(Markdown::from_stored("# é"), content);
        assert!(serde_json::from_value::<Markdown>(json!("x".repeat(49_153))).is_err());
    }

    #[test]
    fn workspaces_are_a_list_of_ids_of_which_some_can_be_left_out() {
        let [one, other] = [1, 2].map(Uuid::from_u128);
        let ids: WorkspaceIds = serde_json::from_value(json!([one, other])).unwrap();
        assert_eq!(ids.only(|id| id == other).positions().collect::<Vec<_>>(), [(1, other)]);
        let error = serde_json::from_value::<WorkspaceIds>(json!("x")).unwrap_err().to_string();
        assert!(error.contains("expected a list of at most 10 workspace ids"), "{error}");
    }
}
