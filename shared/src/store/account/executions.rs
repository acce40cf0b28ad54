//! What is reported of tool executions.

use serde_json::json;
use uuid::Uuid;

use super::{Resources, Stored, read};
use crate::domain::{OffsetPage, PageRequest, Report, Timestamp, ToolExecution};
use crate::error::{Error, Result};
use crate::store::dynamodb::{ATTEMPTS, Condition, pause, text};

impl Resources<'_> {
    /// Makes an execution. One call.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn create_execution(self, execution: ToolExecution) -> Result<ToolExecution> {
        self.create(execution).await
    }

    /// An execution. No call for an end user, one for the account.
    ///
    /// # Errors
    /// If the viewpoint sees no such execution.
    pub async fn execution(self, id: Uuid) -> Result<ToolExecution> {
        Ok(self.get(id).await?.resource)
    }

    /// A page of the executions that the viewpoint sees, newest first. One call, or three for the account.
    ///
    /// # Errors
    /// If the page is more than 50 000 resources back.
    pub async fn executions(self, request: PageRequest) -> Result<OffsetPage<ToolExecution>> {
        self.list(request).await
    }

    /// Writes down a report. Read, decide, write if the status is still the one that was read. One call, or two for the
    /// account.
    ///
    /// # Errors
    /// If the viewpoint sees no such execution, or it is past that status.
    pub async fn report(self, id: Uuid, report: &Report, at: Timestamp) -> Result<ToolExecution> {
        let mut stored: Stored<ToolExecution> = self.get(id).await?;
        for attempt in 0..ATTEMPTS {
            pause(attempt).await;
            let changes = stored.resource.reported(report, at).map_err(|_| Error::ExecutionFinished)?;
            let status = text(json!(stored.resource.status));
            let unchanged = Condition::new("field_status = :status", [(":status", status)]);
            if changes.fields().next().is_none() {
                return Ok(stored.resource);
            }
            if let Some(item) = self.write(&stored, &changes, unchanged).await? {
                return read(&item);
            }
            stored = self.read_again(stored).await?;
        }
        Err(Error::StaleUpdate)
    }
}
