//! Lists of what a tenant has registered.

use super::{Directory, items};
use crate::domain::{Cursor, CursorPage, Organization, PageLimit, User};
use crate::error::Result;
use crate::store::keys::Kind;

impl Directory<'_> {
    /// The organizations that are registered, newest first. One call.
    ///
    /// # Errors
    /// If the cursor is of another list.
    pub async fn organizations(self, cursor: Option<&Cursor>, limit: PageLimit) -> Result<CursorPage<Organization>> {
        self.table.list(self.tenant(), Kind::Organization, cursor, limit, items::organization).await
    }

    /// The users that are registered, newest first. One call.
    ///
    /// # Errors
    /// If the cursor is of another list.
    pub async fn users(self, cursor: Option<&Cursor>, limit: PageLimit) -> Result<CursorPage<User>> {
        self.table.list(self.tenant(), Kind::User, cursor, limit, items::user).await
    }
}
