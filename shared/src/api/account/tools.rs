//! Tool executions: each seen by its own end user alone, and by the account.

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

/// Asks for a tool to be run.
#[derive(Debug, Clone, Copy)]
pub struct ExecuteTool;

impl Operation for ExecuteTool {
    const ROUTE: Route = Route::post("execute-tool", EXECUTE, BodyRule::Optional)
        .answering(202)
        .about("Ask for a tool to be run; whoever runs it reports with an account key")
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
    const ROUTE: Route =
        Route::get("list-tool-executions", EXECUTIONS).of("tool-executions").about("Tool executions, newest first");
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
    const ROUTE: Route = Route::get("get-tool-execution", EXECUTION).of("tool-execution").about("A tool execution");
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = ExecutionPath;
    type Body = Empty;
    type Output = ToolExecution;

    fn prefetch(query: &ExecutionPath, _: &Empty) -> Vec<Read> {
        vec![Read::Resource(ResourceKind::ToolExecution, query.id.get())]
    }
}

/// Reports how far an execution is.
#[derive(Debug, Clone, Copy)]
pub struct ReportToolExecution;

impl Operation for ReportToolExecution {
    const ROUTE: Route = Route::patch("report-tool-execution", EXECUTION)
        .of("tool-execution")
        .about("Report status, outputs or error, with an account key")
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

/// Which tool.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolPath {
    /// The tool, by the id that it has elsewhere.
    pub tool_id: Label,
}

impl Input for ToolPath {}

/// Which execution.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecutionPath {
    /// Its id.
    pub id: ExecutionPathId,
}

impl Input for ExecutionPath {}

/// With what.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecutionInput {
    #[serde(default)]
    pub inputs: ToolData,
    /// The end user that the execution is for, if neither a header nor a token says so.
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

/// How far an execution is: what is absent stays as it is, null clears what can be cleared.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReportInput {
    /// Forward only: what is completed or failed stays so.
    #[serde(deserialize_with = "not_null_enum")]
    #[schemars(with = "ExecutionStatus")]
    pub status: Option<ExecutionStatus>,
    pub outputs: Patch<ToolData>,
    pub error: Patch<Failure>,
    /// The end user that the call is for, if no header says so.
    pub external_user_id: EndUser,
}

impl Input for ReportInput {
    fn end_user(&self) -> Option<&ExternalId> {
        self.external_user_id.id()
    }
}

impl From<ReportInput> for Report {
    fn from(input: ReportInput) -> Self {
        Self { status: input.status, outputs: input.outputs, error: input.error }
    }
}

/// It was accepted; nothing has run yet.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AcceptedExecution {
    execution_id: ExecutionId,
    status: ExecutionStatus,
    tool_id: Label,
    /// Where it can be followed.
    details_url: String,
}

impl AcceptedExecution {
    /// The answer for an execution, at the service's address.
    pub fn new(execution: ToolExecution, base_url: &str) -> Self {
        let details_url = format!("{base_url}{}", EXECUTION.replace("{id}", &execution.id.to_string()));
        Self { execution_id: execution.id, status: execution.status, tool_id: execution.tool_id, details_url }
    }
}

impl Output for AcceptedExecution {}

impl Output for ToolExecution {}
