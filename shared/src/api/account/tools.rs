//! Tool executions: visible to their own end user and to the account only.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{EndUser, ListPage, PageQuery};
use crate::api::common::Empty;
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::auth::{AccountKey, Viewer};
use crate::domain::{
    ExecutionId, ExecutionPathId, ExecutionStatus, ExternalId, Failure, Label, Patch, Report, Timestamp, ToolData,
    ToolExecution, not_null_enum,
};
use crate::store::{List, Read, ResourceKind};

const EXECUTE: &str = "/api/v1/tools/{tool_id}/execute";
const EXECUTIONS: &str = "/api/v1/tool-executions";
const EXECUTION: &str = "/api/v1/tool-executions/{id}";

/// Requests the execution of a tool.
#[derive(Debug, Clone, Copy)]
pub struct ExecuteTool;

impl Operation for ExecuteTool {
    const ROUTE: Route = Route::post("execute-tool", EXECUTE, BodyRule::Optional)
        .answering(202)
        .about("Request the execution of a tool; the backend that runs it reports with an account key")
        .example(r#"{"inputs": {"query": "opening hours"}, "external_user_id": "user_456"}"#);
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = ToolPath;
    type Body = ExecutionInput;
    type Output = AcceptedExecution;
}

/// Lists executions.
#[derive(Debug, Clone, Copy)]
pub struct ListToolExecutions;

impl Operation for ListToolExecutions {
    const ROUTE: Route = Route::get("list-tool-executions", EXECUTIONS)
        .of("tool-executions")
        .about("List tool executions, newest first");
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = PageQuery;
    type Body = Empty;
    type Output = ListPage<ToolExecution>;

    fn prefetch(_: &PageQuery, _: &Empty) -> Vec<Read> {
        vec![Read::Total(List::Of(ResourceKind::ToolExecution))]
    }
}

/// Shows an execution.
#[derive(Debug, Clone, Copy)]
pub struct GetToolExecution;

impl Operation for GetToolExecution {
    const ROUTE: Route = Route::get("get-tool-execution", EXECUTION).of("tool-execution").about("Get a tool execution");
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = ExecutionPath;
    type Body = Empty;
    type Output = ToolExecution;

    fn prefetch(query: &ExecutionPath, _: &Empty) -> Vec<Read> {
        vec![Read::Resource(ResourceKind::ToolExecution, query.id.get())]
    }
}

/// Reports the progress or the outcome of an execution.
#[derive(Debug, Clone, Copy)]
pub struct ReportToolExecution;

impl Operation for ReportToolExecution {
    const ROUTE: Route = Route::patch("report-tool-execution", EXECUTION)
        .of("tool-execution")
        .about("Report the status, outputs or error of a tool execution, with an account key")
        .example(r#"{"status": "completed", "outputs": {"answer": "9 to 17"}}"#);
    const SURFACE: Surface = Surface::Account;
    type Caller = AccountKey;
    type Query = ExecutionPath;
    type Body = ReportInput;
    type Output = ToolExecution;

    fn prefetch(query: &ExecutionPath, _: &ReportInput) -> Vec<Read> {
        vec![Read::Resource(ResourceKind::ToolExecution, query.id.get())]
    }
}

/// Path parameters that name a tool.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolPath {
    /// Id of the tool in the caller's own system, 1 to 200 characters.
    pub tool_id: Label,
}

impl Input for ToolPath {}

/// Path parameters that name a tool execution.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecutionPath {
    /// Id of the execution: `exec_` and 32 hexadecimal digits. A malformed id is treated as an unknown id.
    pub id: ExecutionPathId,
}

impl Input for ExecutionPath {
    fn resource(&self) -> Option<Uuid> {
        Some(self.id.get())
    }
}

/// Request body for executing a tool.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecutionInput {
    /// Inputs of the tool: a JSON object of at most 16384 bytes and 32 levels. Absent: an empty object.
    #[serde(default)]
    pub inputs: ToolData,
    /// External id of the end user that the execution is for. It may be given here, in a header or by a scoped token.
    /// Without it, the execution belongs to the account, and no end user sees it.
    #[serde(default)]
    pub external_user_id: EndUser,
}

impl Input for ExecutionInput {
    fn end_user(&self) -> Option<&ExternalId> {
        self.external_user_id.id()
    }
}

impl ExecutionInput {
    /// The execution, for that end user.
    pub fn execution(
        self,
        id: Uuid,
        tool_id: Label,
        external_user_id: Option<&ExternalId>,
        at: Timestamp,
    ) -> ToolExecution {
        ToolExecution {
            id: ExecutionId::new(id),
            tool_id,
            status: ExecutionStatus::default(),
            inputs: self.inputs,
            outputs: None,
            error: None,
            external_user_id: external_user_id.cloned(),
            created_at: at,
            started_at: None,
            completed_at: None,
        }
    }
}

/// Request body for reporting on a tool execution. An absent field stays as it is; null clears a field that can be
/// cleared.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReportInput {
    /// New status of the execution. It only moves forward: an execution that is completed or failed is not changed any
    /// more, and none becomes `pending` again. Null is refused.
    #[serde(deserialize_with = "not_null_enum")]
    #[schemars(with = "ExecutionStatus")]
    pub status: Option<ExecutionStatus>,
    /// Outputs of the tool: a JSON object of at most 16384 bytes and 32 levels; null clears them.
    pub outputs: Patch<ToolData>,
    /// Reason for which the tool failed, at most 4096 bytes, counted as a JSON string without its quotes; null clears
    /// it.
    pub error: Patch<Failure>,
    /// External id of the end user that the call is for. It may be given here or in a header.
    pub external_user_id: EndUser,
}

impl Input for ReportInput {
    const IS_PATCH: bool = true;

    fn end_user(&self) -> Option<&ExternalId> {
        self.external_user_id.id()
    }
}

impl From<ReportInput> for Report {
    fn from(input: ReportInput) -> Self {
        Self { status: input.status, outputs: input.outputs, error: input.error }
    }
}

/// Tool execution that was accepted and has not run yet.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AcceptedExecution {
    /// Id of the execution: `exec_` and 32 hexadecimal digits.
    execution_id: ExecutionId,
    /// Status of the execution: always `pending`.
    status: ExecutionStatus,
    /// Id of the tool, as it was requested.
    tool_id: Label,
    /// URL at which the status of the execution can be fetched.
    details_url: String,
}

impl AcceptedExecution {
    /// The answer for an execution, at the service's address.
    pub fn new(execution: ToolExecution, base_url: &str) -> Self {
        let details_url = format!("{base_url}{}", EXECUTION.replace("{id}", &execution.id.to_string()));
        Self { execution_id: execution.id, status: execution.status, tool_id: execution.tool_id, details_url }
    }
}

impl Output for AcceptedExecution {
    fn resource(&self) -> Option<Uuid> {
        Some(self.execution_id.get())
    }
}

impl Output for ToolExecution {}
