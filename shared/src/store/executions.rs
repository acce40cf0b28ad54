//! What is reported of tool executions.

use serde_json::json;
use uuid::Uuid;

use super::expression::Condition;
use super::item::text;
use super::resources::{self, Resources, Stored};
use super::table::{ATTEMPTS, pause};
use crate::domain::{Report, Timestamp, ToolExecution};
use crate::error::{Error, Result};

impl Resources<'_> {
    /// Writes down a report. Read, decide, write if the status is still the one that was read. One call, or two for the account.
    ///
    /// # Errors
    /// If the view sees no such execution, or it is past that status.
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
                return resources::read(&item);
            }
            stored = self.read_again(stored).await?;
        }
        Err(Error::StaleUpdate)
    }
}
