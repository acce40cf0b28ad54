//! Lists of resources, by page number or by cursor: newest first, with their exact length.
//!
//! A page with a number is found by passing over the entries before it. They are small, so one call passes over some
//! five thousand; the resources themselves are read for the page alone. A cursor is the id of the last resource of the
//! page before: whatever is made or deleted meanwhile, no resource comes twice and none is missed.

use std::collections::{HashMap, VecDeque};

use uuid::Uuid;

use super::keys::{self, List, Owner};
use super::{OWNED_BY, RESOURCE_COUNT, Resource, Resources, Stored, read};
use crate::domain::{Cursor, OffsetPage, PageRequest, Problem, parse_uuid};
use crate::error::{Error, RequestPart, Result};
use crate::store::dynamodb::{Item, Key, Reader, SK, Table, failed, primary_key, text};

/// How many entries are passed over at most, so that a page is at most some ten calls. Who asks for what is farther
/// back gets an error instead of an answer that takes too long and that all others' reads of the list wait for.
const FARTHEST: u64 = 50_000;

/// Pages that begin farther back are read with eventual consistency, which is half the work: nobody looks there for
/// what was written a moment ago.
const NEAR: u64 = 1000;

impl Resources<'_> {
    /// A page of all resources of a kind that the viewpoint sees. Two calls, and one more for each five thousand
    /// resources before the page.
    ///
    /// # Errors
    /// If the page is more than 50 000 resources back.
    pub(super) async fn list<R: Resource>(self, request: PageRequest) -> Result<OffsetPage<R>> {
        Ok(self.page::<R>(List::Of(R::KIND), request).await?.map(|stored| stored.resource))
    }

    /// A page of a list, as the viewpoint sees it.
    pub(super) async fn page<R: Resource>(self, list: List, request: PageRequest) -> Result<OffsetPage<Stored<R>>> {
        let counters = keys::counters(self.tenant(), self.viewpoint, list);
        let counts = counters.iter().filter_map(|key| self.prefetched.at(key).transpose());
        let total = counts.map(|counter| resource_count(counter?)).sum::<Result<u64>>()?;
        self.page_in(&Owner::visible(self.viewpoint, R::KIND), list, total, request).await
    }

    /// A page of what the list has in these owners, `total` resources together.
    pub(super) async fn page_in<R: Resource>(
        self,
        owners: &[Owner],
        list: List,
        total: u64,
        request: PageRequest,
    ) -> Result<OffsetPage<Stored<R>>> {
        let (offset, limit) = (request.offset(), u64::from(request.limit.get()));
        let name = self.name(owners, list);
        let after = request.cursor.as_ref().map(|cursor| position(cursor, &name)).transpose()?;
        if after.is_none() && offset >= total {
            return Ok(OffsetPage { items: Vec::new(), total, next: None, request });
        }
        if offset > FARTHEST {
            let problem = Problem::new("is more than 50000 rows back");
            return Err(Error::invalid("page", problem).in_part(RequestPart::Query));
        }
        // One more after a cursor tells whether there is a next page; else the list's length does.
        let asked = if after.is_some() { limit + 1 } else { limit };
        let mut entries = self.entries(owners, list, after, offset, asked).await?;
        let is_over = if after.is_some() { count(&entries) <= limit } else { offset + limit >= total };
        entries.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let last = entries.last().filter(|_| !is_over);
        let next = last.map(|(id, _)| Cursor::new(&name, &id.to_string()));
        let keys: Vec<Key> = entries.iter().map(|(id, owner)| self.resource_key(owner, R::KIND, *id)).collect();
        let items = self.table.get_all(keys.clone()).await?;
        let mut items: HashMap<_, _> = items.into_iter().map(|item| (primary_key(&item), item)).collect();
        // A resource that was deleted since its entry was read is left out.
        let stored = entries.into_iter().zip(keys).filter_map(|((_, owner), key)| {
            let item = items.remove(&primary_key(&key))?;
            Some(read(&item).map(|row| Stored { resource: row, owner, item }))
        });
        Ok(OffsetPage { items: stored.collect::<Result<_>>()?, total, next, request })
    }

    /// What binds a cursor to a list as it is seen from here.
    fn name(self, owners: &[Owner], list: List) -> String {
        let partitions = owners.iter().map(|owner| keys::partition_of_list(self.tenant(), owner, list));
        partitions.collect::<Vec<_>>().join(" ")
    }

    /// The entries of one page, newest first, of all owners together: those that come `offset` entries after an id.
    async fn entries(
        self,
        owners: &[Owner],
        list: List,
        after: Option<Uuid>,
        offset: u64,
        limit: u64,
    ) -> Result<Vec<(Uuid, Owner)>> {
        let stream = |owner| Stream {
            owner,
            partition: keys::partition_of_list(self.tenant(), owner, list),
            is_consistent: offset <= NEAR,
            entries: VecDeque::new(),
            // A key that no entry of this owner has is a place between two of them.
            from: after.map(|id| keys::entry(self.tenant(), owner, list, id)),
            is_over: false,
        };
        let mut streams: Vec<_> = owners.iter().map(stream).collect();
        let mut chosen = Vec::new();
        for position in 0..offset + limit {
            let left = offset + limit - position;
            for stream in &mut streams {
                stream.fill(self.table, left).await?;
            }
            // Ids begin with the time: the greatest is the newest.
            let newest = streams.iter_mut().max_by_key(|stream| stream.entries.front().map(|(id, _)| *id));
            let Some(entry) = newest.and_then(|stream| stream.entries.pop_front()) else { break };
            if position >= offset {
                chosen.push(entry);
            }
        }
        Ok(chosen)
    }
}

/// The entries of a list in one owner, newest first, read as they are needed.
struct Stream<'a> {
    owner: &'a Owner,
    partition: String,
    is_consistent: bool,
    entries: VecDeque<(Uuid, Owner)>,
    /// After which key the rest begins.
    from: Option<Key>,
    is_over: bool,
}

impl Stream<'_> {
    /// Has the next entry at hand, unless there is none. `most` is how many are needed of it at most.
    async fn fill(&mut self, table: &Table, most: u64) -> Result<()> {
        while self.entries.is_empty() && !self.is_over {
            let query = table
                .client
                .query()
                .table_name(&table.name)
                .consistent_read(self.is_consistent)
                .key_condition_expression("pk = :partition")
                .expression_attribute_values(":partition", text(&self.partition))
                .projection_expression("sk, owned_by")
                .scan_index_forward(false)
                .limit(i32::try_from(most).unwrap_or(i32::MAX))
                .set_exclusive_start_key(self.from.take());
            let answer = query.send().await.map_err(failed)?;
            self.from = answer.last_evaluated_key;
            self.is_over = self.from.is_none();
            for item in answer.items.unwrap_or_default() {
                self.entries.push_back(self.entry(&item)?);
            }
        }
        Ok(())
    }

    fn entry(&self, item: &Item) -> Result<(Uuid, Owner)> {
        let reader = Reader::of(item);
        let owned_by = |text: &str| Owner::parse(text).ok_or_else(|| Problem::new("is no owner"));
        let owner = if *self.owner == Owner::Account { reader.parsed(OWNED_BY, owned_by)? } else { self.owner.clone() };
        Ok((reader.parsed(SK, parse_uuid)?, owner))
    }
}

/// The id that a cursor of the list named `name` is.
fn position(cursor: &Cursor, name: &str) -> Result<Uuid> {
    let id = cursor.position(name).and_then(parse_uuid);
    id.map_err(|problem| Error::invalid("cursor", problem).in_part(RequestPart::Query))
}

fn count<T>(rows: &[T]) -> u64 {
    u64::try_from(rows.len()).unwrap_or(u64::MAX)
}

/// What a counter says.
pub fn resource_count(counter: &Item) -> Result<u64> {
    Reader::of(counter).number(RESOURCE_COUNT)
}
