//! Search by name and id. A tenant has two entries in one partition, whose sort keys begin with what is searched for:
//! its folded name, and its id. They are written in the transaction that provisions or renames it, and have nothing
//! but their keys: what a list shows is read from the tenants. Status and strikes change with a tenant's own calls,
//! which are not to write where all tenants meet.
//!
//! Not an index, which would have one of the two orders: see decision 48. Tenants of an older release have no entries
//! until `reconcile` has been there.

use std::collections::{BTreeSet, HashMap};

use super::{Tenants, items};
use crate::domain::{Cursor, CursorPage, PageLimit, StatusFilter, TenantId, TenantName, TenantSearch, TenantStatus};
use crate::domain::{TenantSummary, folded};
use crate::error::Result;
use crate::store::dynamodb::{Condition, Key, Place, Reader, SK, Transaction, key, text};
use crate::store::keys;
use crate::store::pages::{after_in, page, read_page};

/// The partition of all entries. It is written when a tenant is provisioned or renamed, which is seldom.
pub const SEARCHED: &str = "TENANTS";
const NAME: &str = "NAME#";
const ID: &str = "ID#";
/// What stands between name and id. No name has a control character, so nothing that is searched for reaches beyond.
const SEPARATOR: char = '\u{1}';

/// How many times a search by status goes on to look for tenants of that status, a hundred at a time. Then the page is
/// answered as it is, so that its cost has a bound.
const ROUNDS: usize = 5;

/// The entry of a tenant under a name.
pub fn by_name(name: &TenantName, id: &TenantId) -> Key {
    key(SEARCHED.to_owned(), format!("{NAME}{}{SEPARATOR}{id}", folded(name)))
}

/// The entry of a tenant under its id.
pub fn by_id(id: &TenantId) -> Key {
    key(SEARCHED.to_owned(), format!("{ID}{id}"))
}

/// Both entries of a tenant.
pub fn entries(tenant: &TenantSummary) -> [Key; 2] {
    [by_name(&tenant.name, &tenant.id), by_id(&tenant.id)]
}

/// Writes both entries. Without a condition: they say the same whoever writes them.
pub fn enter(transaction: &mut Transaction, tenant: &TenantSummary) {
    for entry in entries(tenant) {
        transaction.put(entry, Condition::none());
    }
}

/// Moves the entry of a tenant that had another name.
pub fn rename(transaction: &mut Transaction, tenant: &TenantSummary, old_name: &TenantName) {
    let (old, new) = (by_name(old_name, &tenant.id), by_name(&tenant.name, &tenant.id));
    if old != new {
        transaction.delete(old, Condition::none());
        transaction.put(new, Condition::none());
    }
}

impl TenantSearch {
    /// What the sort keys of the entries begin with.
    fn beginning(&self) -> String {
        match self {
            Self::Name(name) => format!("{NAME}{name}"),
            Self::Id(id) => format!("{ID}{id}"),
        }
    }
}

impl Tenants<'_> {
    /// Tenants whose name or id begins with what is searched for, in this order. Two calls for a page; with a status
    /// up to ten, and the page may be shorter than `limit` although it is not the last.
    ///
    /// # Errors
    /// If the cursor is of another list.
    pub async fn search(
        self,
        search: &TenantSearch,
        status: Option<StatusFilter>,
        cursor: Option<&Cursor>,
        limit: PageLimit,
    ) -> Result<CursorPage<TenantSummary>> {
        let beginning = search.beginning();
        let name = format!("tenants/search/{status:?}/{beginning}");
        let wanted = usize::try_from(limit.get()).unwrap_or(usize::MAX);
        let mut rows = Vec::new();
        let mut next = cursor.cloned();
        for _ in 0..if status.is_some() { ROUNDS } else { 1 } {
            let start = after_in(SEARCHED, next.as_ref(), &name, |position| position.starts_with(&beginning))?;
            let most = if status.is_some() { PageLimit::MOST } else { limit };
            let entries = self.entries(&name, &beginning, start, most).await?;
            let found = self.summaries(&entries.rows).await?;
            let last = entries.rows.last().map(|(position, _)| position);
            next = entries.next;
            for (position, id) in &entries.rows {
                let tenant = found.get(id).filter(|tenant| is_shown(tenant, position, status));
                rows.extend(tenant.cloned());
                // The next page reads again what follows in this round.
                if rows.len() == wanted && last != Some(position) {
                    return Ok(CursorPage { rows, next: Some(Cursor::new(&name, position)) });
                }
            }
            if rows.len() == wanted || next.is_none() {
                break;
            }
        }
        Ok(CursorPage { rows, next })
    }

    /// A page of entries: their sort keys, and whose they are.
    async fn entries(
        self,
        name: &str,
        beginning: &str,
        start: Option<Place>,
        limit: PageLimit,
    ) -> Result<CursorPage<(String, TenantId)>> {
        let query = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .consistent_read(true)
            .key_condition_expression("pk = :partition AND begins_with(sk, :beginning)")
            .expression_attribute_values(":partition", text(SEARCHED))
            .expression_attribute_values(":beginning", text(beginning))
            .set_exclusive_start_key(start);
        let page_read = read_page(query, limit).await?;
        page(&page_read, limit, name, SK, |entry| {
            let position = Reader::of(entry).text(SK)?;
            let id = position.rsplit([SEPARATOR, '#']).next().and_then(|id| TenantId::parse(id).ok());
            let id = id.ok_or_else(|| Reader::of(entry).unreadable(SK))?;
            Ok(Some((position.to_owned(), id)))
        })
    }

    /// The tenants of entries. One call, of which each tenant is a read unit.
    async fn summaries(self, entries: &[(String, TenantId)]) -> Result<HashMap<TenantId, TenantSummary>> {
        // Each once: DynamoDB refuses a key that is there twice, and a query that meets a renaming can see both names.
        let ids: BTreeSet<_> = entries.iter().map(|(_, id)| id).collect();
        let places: Vec<_> = ids.into_iter().map(keys::state).collect();
        let states = self.table.get_all(&places).await?;
        let summaries = states.iter().map(items::summary).filter_map(Result::transpose);
        summaries.map(|summary| summary.map(|summary| (summary.id.clone(), summary))).collect()
    }
}

/// Whether a tenant is one to show for an entry. Between the reads it may have got another name or status.
fn is_shown(tenant: &TenantSummary, position: &str, status: Option<StatusFilter>) -> bool {
    let is_entered = entries(tenant).iter().any(|entry| entry.sort == position);
    is_entered
        && match status {
            None => true,
            Some(StatusFilter::Active) => tenant.status == TenantStatus::Active,
            Some(StatusFilter::Suspended) => tenant.status != TenantStatus::Active,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_fits_into_a_sort_key() {
        let id = TenantId::of(&[7; 16]);
        let longest =
            (char::MIN..=char::MAX).max_by_key(|letter| folded(&TenantName::from_stored(&letter.to_string())).len());
        let name = TenantName::from_stored(&longest.unwrap().to_string().repeat(120));
        assert!(by_name(&name, &id).sort.len() <= 1024);
        assert_eq!(by_name(&name, &id).partition, SEARCHED);
    }
}
