//! What is reported of tool executions.

use serde_json::json;
use uuid::Uuid;

use super::expression::Condition;
use super::item::text;
use super::rows::{self, Rows, Seen};
use super::table::{ATTEMPTS, pause};
use crate::domain::{Report, Timestamp, ToolExecution};
use crate::error::{Error, Result};

impl Rows<'_> {
    /// Writes down a report. Read, decide, write if the status is still the one that was read. One call, or two for the account.
    ///
    /// # Errors
    /// If the view sees no such execution, or it is past that status.
    pub async fn report(self, id: Uuid, report: &Report, at: Timestamp) -> Result<ToolExecution> {
        let mut seen: Seen<ToolExecution> = self.get(id).await?;
        for attempt in 0..ATTEMPTS {
            pause(attempt).await;
            let changes = seen.row.reported(report, at).map_err(|_| Error::ExecutionFinished)?;
            let status = text(json!(seen.row.status));
            let unchanged = Condition::new("field_status = :status", [(":status", status)]);
            if changes.fields().next().is_none() {
                return Ok(seen.row);
            }
            if let Some(item) = self.write(&seen, &changes, unchanged).await? {
                return rows::read(&item);
            }
            seen = self.read_again(seen).await?;
        }
        Err(Error::StaleUpdate)
    }
}
