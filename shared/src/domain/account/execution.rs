//! Tool executions: private to the end user for whom they were requested.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::field_updates::FieldUpdates;
use super::label::Label;
use super::long_text::LongText;
use crate::domain::directory::properties::JsonObject;
use crate::domain::ids::external_id::ExternalId;
use crate::domain::time::clock::Timestamp;
use crate::domain::values::patch::Patch;

/// The inputs or the outputs of a tool.
pub type ToolData = JsonObject<16_384>;

/// The reason for which a tool failed.
pub type Failure = LongText<4096>;

/// The id of an execution: `exec_` and a UUID without hyphens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecutionId(Uuid);

impl ExecutionId {
    const PREFIX: &'static str = "exec_";

    pub fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Reads an id; `None` if the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(Self::PREFIX).filter(|digits| digits.len() == 32)?;
        Uuid::try_parse(digits).ok().map(Self)
    }

    pub fn get(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", Self::PREFIX, self.0.simple())
    }
}

impl Serialize for ExecutionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ExecutionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("must be the id of an execution"))
    }
}

impl JsonSchema for ExecutionId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ExecutionId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^exec_[0-9a-f]{32}$" })
    }
}

/// The id of an execution in a path. As with [`PathId`](super::PathId), a malformed id is treated as an unknown id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecutionPathId(Uuid);

impl ExecutionPathId {
    pub fn get(self) -> Uuid {
        self.0
    }
}

impl<'de> Deserialize<'de> for ExecutionPathId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self(ExecutionId::parse(&text).map(ExecutionId::get).unwrap_or_default()))
    }
}

impl JsonSchema for ExecutionPathId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ExecutionPathId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

/// Execution of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize, JsonSchema)]
pub struct ToolExecution {
    /// Id of the execution: `exec_` and 32 hexadecimal digits.
    pub id: ExecutionId,
    /// Id of the tool in the caller's own system.
    pub tool_id: Label,
    /// Status of the execution.
    pub status: ExecutionStatus,
    /// Inputs of the tool: a JSON object of at most 16384 bytes.
    pub inputs: ToolData,
    /// Outputs of the tool: a JSON object of at most 16384 bytes; null until they are reported.
    pub outputs: Option<ToolData>,
    /// Reason for which the tool failed; null if none was reported.
    pub error: Option<Failure>,
    /// External id of the end user that the execution is for; null if it belongs to the account, and no end user sees
    /// it.
    pub external_user_id: Option<ExternalId>,
    /// Time at which the execution was requested.
    pub created_at: Timestamp,
    /// Time at which the execution was first reported as running or finished; null until then.
    pub started_at: Option<Timestamp>,
    /// Time at which the execution was reported as completed or failed; null until then.
    pub completed_at: Option<Timestamp>,
}

/// Status of an execution: `pending` until the first report, then `running`, and finally `completed` or `failed`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExecutionStatus {
    #[default]
    Pending,
    Running,
    Completed,
    Failed,
}

impl ExecutionStatus {
    /// Whether nothing comes after it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }

    /// Whether an execution of this status can get the status `next`.
    fn can_become(self, next: Self) -> bool {
        !self.is_final() && (self == next || next != Self::Pending)
    }
}

/// A report on an execution by the backend that runs it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    pub status: Option<ExecutionStatus>,
    pub outputs: Patch<ToolData>,
    pub error: Patch<Failure>,
}

/// The execution has finished or started, and cannot go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished;

impl ToolExecution {
    /// The fields that a report changes.
    ///
    /// # Errors
    /// If the execution has finished, or would go back. A report that repeats what is known is accepted: one whose
    /// answer was lost can be made again.
    pub fn reported(&self, report: &Report, at: Timestamp) -> Result<FieldUpdates, Finished> {
        let next = report.status.unwrap_or(self.status);
        if next == self.status && report.outputs.leaves(&self.outputs) && report.error.leaves(&self.error) {
            return Ok(FieldUpdates::default());
        }
        if !self.status.can_become(next) {
            return Err(Finished);
        }
        let begins = self.started_at.is_none() && next != ExecutionStatus::Pending;
        let ends = self.completed_at.is_none() && next.is_final();
        Ok(FieldUpdates::default()
            .set_some("status", report.status.as_ref())
            .patch("outputs", &report.outputs)
            .patch("error", &report.error)
            .set_some("started_at", begins.then_some(&at))
            .set_some("completed_at", ends.then_some(&at)))
    }
}

#[cfg(test)]
mod tests {
    use super::ExecutionStatus::{Completed, Failed, Pending, Running};
    use super::*;

    fn execution(status: ExecutionStatus) -> ToolExecution {
        ToolExecution {
            id: ExecutionId::new(Uuid::from_u128(7)),
            tool_id: Label::parse("t").unwrap(),
            status,
            inputs: ToolData::default(),
            outputs: None,
            error: None,
            external_user_id: None,
            created_at: Timestamp::from_millis(1),
            started_at: (status != Pending).then_some(Timestamp::from_millis(2)),
            completed_at: status.is_final().then_some(Timestamp::from_millis(3)),
        }
    }

    fn written(status: ExecutionStatus, next: ExecutionStatus) -> Option<Vec<&'static str>> {
        let report = Report { status: Some(next), ..Report::default() };
        let changes = execution(status).reported(&report, Timestamp::from_millis(9)).ok()?;
        Some(changes.fields().map(|(name, _)| name).collect())
    }

    #[test]
    fn an_execution_goes_forward_only() {
        for (status, allowed) in [
            (Pending, &[Pending, Running, Completed, Failed][..]),
            (Running, &[Running, Completed, Failed]),
            (Completed, &[Completed]),
            (Failed, &[Failed]),
        ] {
            for next in [Pending, Running, Completed, Failed] {
                assert_eq!(written(status, next).is_some(), allowed.contains(&next), "{status:?} {next:?}");
            }
        }
    }

    #[test]
    fn the_times_of_beginning_and_end_are_written_once() {
        assert_eq!(written(Pending, Running).unwrap(), ["status", "started_at"]);
        assert_eq!(written(Pending, Failed).unwrap(), ["status", "started_at", "completed_at"]);
        assert_eq!(written(Running, Completed).unwrap(), ["status", "completed_at"]);
    }

    #[test]
    fn a_report_can_be_made_again_and_what_is_over_can_not_be_changed() {
        let outputs = |number: u8| serde_json::from_value(serde_json::json!({ "a": number })).unwrap();
        let mut over = execution(Completed);
        over.outputs = Some(outputs(1));
        let report = |outputs, status| {
            over.reported(&Report { status, outputs, ..Report::default() }, Timestamp::from_millis(9))
        };
        for status in [None, Some(Completed)] {
            assert_eq!(report(Patch::Value(outputs(1)), status), Ok(FieldUpdates::default()));
            assert_eq!(report(Patch::Absent, status), Ok(FieldUpdates::default()));
            assert_eq!(report(Patch::Value(outputs(2)), status), Err(Finished));
            assert_eq!(report(Patch::Null, status), Err(Finished));
        }
    }

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id = ExecutionId::new(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));
        assert_eq!(id.to_string(), "exec_01900000000070008000000000000001");
        assert_eq!(ExecutionId::parse(&id.to_string()), Some(id));
        for text in ["", "exec_", "exec_1", "01900000000070008000000000000001", "exec_0190000000007000800000000000000g"]
        {
            assert_eq!(ExecutionId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_id_in_a_body_must_be_one_and_one_in_a_path_need_not() {
        let id = ExecutionId::new(Uuid::from_u128(7));
        let text = serde_json::to_string(&id).unwrap();
        assert_eq!(text, r#""exec_00000000000000000000000000000007""#);
        assert_eq!(serde_json::from_str::<ExecutionId>(&text).unwrap(), id);
        assert!(serde_json::from_str::<ExecutionId>(r#""exec_7""#).is_err());
        let path = |text: &str| serde_json::from_str::<ExecutionPathId>(text).unwrap().get();
        assert_eq!((path(&text), path(r#""exec_7""#)), (Uuid::from_u128(7), Uuid::nil()));
    }
}
