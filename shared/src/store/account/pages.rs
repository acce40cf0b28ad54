//! Lists of resources, by page number or by cursor: newest first, with their exact length.
//!
//! The resources of an owner lie in the order of a list, so a page is one query in each owner that is looked into, and
//! costs the bytes that are on it. The account's lists are of resources in many owners: there a page is its entries, a
//! query for each owner of several resources, and a read of each of the others. Copies beside those entries would make
//! that one query, too, and each change of a resource a transaction in a partition where all of a tenant's would meet.
//!
//! A cursor is the id of the last resource of the page before: whatever is made or deleted meanwhile, no resource comes
//! twice and none is missed, and a page costs the same at any depth. Where a page with a number begins is found by
//! passing over the entries before it. They are small, so one call passes over some five thousand.

use std::collections::{BTreeSet, HashMap, VecDeque};

use futures_util::future::{try_join, try_join_all};
use uuid::Uuid;

use super::keys::{self, List, Owner};
use super::{OWNED_BY, RESOURCE_COUNT, Resource, Resources, Stored, read};
use crate::domain::{Cursor, OffsetPage, PageRequest, Problem, parse_uuid};
use crate::error::{Error, RequestPart, Result};
use crate::store::dynamodb::{Item, Key, Place, Reader, SK, Table, failed, found, key, primary_key, text};

/// How many entries are passed over at most, so that a page is at most some ten calls. Who asks for what is farther
/// back gets an error instead of an answer that takes too long and that all others' reads of the list wait for.
const FARTHEST: u64 = 50_000;

/// To pages that begin farther back the way is read with eventual consistency, which is half the work: nobody looks
/// there for what was written a moment ago.
const NEAR: u64 = 1000;

/// How many resources of one owner a page of the account's has at least, for these to be read by a query: for fewer,
/// another call would save too little.
const SEVERAL: usize = 4;

/// A list as it is seen from somewhere.
pub(super) struct View {
    list: List,
    /// Whose resources it has.
    owners: Vec<Owner>,
    /// Those of them who may have any.
    filled: Vec<Owner>,
    /// How many there are, as far as that was read already.
    known: u64,
    /// Who has more, counted in several items.
    divided: Option<Owner>,
}

impl View {
    /// One owner's list, of this length.
    pub fn of_one(owner: Owner, list: List, length: u64) -> Self {
        let filled = if length == 0 { Vec::new() } else { vec![owner.clone()] };
        Self { list, owners: vec![owner], filled, known: length, divided: None }
    }
}

/// What a list has: an entry, or a resource.
struct Listed {
    id: Uuid,
    owner: Owner,
    item: Item,
}

impl Resources<'_> {
    /// A page of all resources of a kind that the viewpoint sees. One query for each owner that is looked into and one
    /// for a divided count, all at once; for the account, another call reads the resources. A page with a number takes
    /// one call more for each five thousand resources before it.
    ///
    /// # Errors
    /// If the page is more than 50 000 resources back.
    pub(super) async fn list<R: Resource>(self, request: PageRequest) -> Result<OffsetPage<R>> {
        Ok(self.page::<R>(List::Of(R::KIND), request).await?.map(|stored| stored.resource))
    }

    /// A page of a list, as the viewpoint sees it.
    pub(super) async fn page<R: Resource>(self, list: List, request: PageRequest) -> Result<OffsetPage<Stored<R>>> {
        self.page_of(self.view(list)?, request).await
    }

    fn view(self, list: List) -> Result<View> {
        let owners = Owner::visible(self.viewpoint, list.kind());
        let mut view = View { list, owners: owners.clone(), filled: Vec::new(), known: 0, divided: None };
        for owner in owners {
            if keys::is_divided(&owner, list) {
                view.divided = Some(owner.clone());
            } else {
                let counter = self.prefetched.at(&keys::counter(self.tenant(), &owner, list, Uuid::nil()))?;
                let count = counter.map(resource_count).transpose()?.unwrap_or_default();
                if count == 0 {
                    continue;
                }
                view.known += count;
            }
            view.filled.push(owner);
        }
        Ok(view)
    }

    /// A page of what is seen.
    pub(super) async fn page_of<R: Resource>(self, view: View, request: PageRequest) -> Result<OffsetPage<Stored<R>>> {
        let (offset, limit) = (request.offset(), u64::from(request.limit.get()));
        let name = self.name(&view);
        let after = request.cursor.as_ref().map(|cursor| position(cursor, &name)).transpose()?;
        // One more tells whether there is a next page. The length would not: it is of another moment.
        let asked = limit + 1;
        let (total, mut listed) = if offset == 0 {
            try_join(self.total(&view), self.listed(&view, after, asked)).await?
        } else {
            let total = self.total(&view).await?;
            (total, if offset < total { self.listed_from(&view, offset, asked).await? } else { Vec::new() })
        };
        let is_over = count(&listed) <= limit;
        listed.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let last = listed.last().filter(|_| !is_over);
        let next = last.map(|listed| Cursor::new(&name, &listed.id.to_string()));
        let items = self.resources(view.list, listed).await?;
        Ok(OffsetPage { items, total, next, request })
    }

    /// How many resources a list has.
    async fn total(self, view: &View) -> Result<u64> {
        let Some(owner) = &view.divided else { return Ok(view.known) };
        let query = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .consistent_read(true)
            .key_condition_expression("pk = :partition")
            .expression_attribute_values(
                ":partition",
                text(keys::partition_of_counters(self.tenant(), owner, view.list)),
            );
        let counters = found(query.send().await.map_err(failed)?.items);
        Ok(view.known + counters.iter().map(resource_count).sum::<Result<u64>>()?)
    }

    /// What binds a cursor to a list as it is seen from here.
    fn name(self, view: &View) -> String {
        let partitions = view.owners.iter().map(|owner| keys::partition_of_list(self.tenant(), owner, view.list));
        partitions.collect::<Vec<_>>().join(" ")
    }

    /// What comes `offset` entries after the newest.
    async fn listed_from(self, view: &View, offset: u64, most: u64) -> Result<Vec<Listed>> {
        if offset > FARTHEST {
            let problem = Problem::new("is more than 50000 rows back");
            return Err(Error::invalid("page", problem).in_part(RequestPart::Query));
        }
        let entries = |owner: &Owner| Stream {
            // Where to go on is all that is wanted.
            projection: Some("sk"),
            is_consistent: offset <= NEAR,
            ..Stream::new(owner, keys::partition_of_list(self.tenant(), owner, view.list))
        };
        let mut entries = Merged { table: self.table, streams: view.filled.iter().map(entries).collect() };
        let mut last = None;
        for passed in 0..offset {
            let Some(entry) = entries.next(offset - passed).await? else { break };
            last = Some(entry.id);
        }
        if last.is_none() { Ok(Vec::new()) } else { self.listed(view, last, most).await }
    }

    /// What comes after an id, newest first, of all owners together: resources, or entries where the owner has none.
    async fn listed(self, view: &View, after: Option<Uuid>, most: u64) -> Result<Vec<Listed>> {
        let stream = |owner: &Owner| {
            let partition = if has_resources(owner, view.list) {
                keys::partition_of_resources(self.tenant(), owner, view.list)
            } else {
                keys::partition_of_list(self.tenant(), owner, view.list)
            };
            // A key that nothing of this owner has is a place between two of them.
            let from = after.map(|id| key(partition.clone(), id.to_string()).into());
            Stream { from, ..Stream::new(owner, partition) }
        };
        let mut streams = Merged { table: self.table, streams: view.filled.iter().map(stream).collect() };
        let mut listed = Vec::new();
        while count(&listed) < most {
            let Some(next) = streams.next(most - count(&listed)).await? else { break };
            listed.push(next);
        }
        Ok(listed)
    }

    /// The resources that are listed.
    async fn resources<R: Resource>(self, list: List, listed: Vec<Listed>) -> Result<Vec<Stored<R>>> {
        if listed.iter().all(|listed| has_resources(&listed.owner, list)) {
            let stored = |listed: Listed| {
                let owner = if listed.owner == Owner::Account { owned_by(&listed.item)? } else { listed.owner };
                Ok(Stored { resource: read(&listed.item)?, owner, item: listed.item })
            };
            return listed.into_iter().map(stored).collect();
        }
        let place = |entry: &Listed| Ok((owned_by(&entry.item)?, entry.id.to_string()));
        let places = listed.iter().map(place).collect::<Result<Vec<_>>>()?;
        let mut items = self.items(list, &places).await?;
        // A resource that was deleted since its entry was read is left out.
        let stored = places.into_iter().filter_map(|(owner, id)| {
            let partition = keys::partition_of_resources(self.tenant(), &owner, list);
            let item = items.remove(&key(partition, id))?;
            Some(read(&item).map(|resource| Stored { resource, owner, item }))
        });
        stored.collect()
    }

    /// What there is at these places, by primary key. All that an owner has between two resources of a page is on the
    /// page, so who has several of them is asked with one query.
    async fn items(self, list: List, places: &[(Owner, String)]) -> Result<HashMap<Key, Item>> {
        let mut owners: HashMap<String, BTreeSet<String>> = HashMap::new();
        for (owner, id) in places {
            let partition = keys::partition_of_resources(self.tenant(), owner, list);
            owners.entry(partition).or_default().insert(id.clone());
        }
        let (several, few): (Vec<_>, Vec<_>) = owners.into_iter().partition(|(_, ids)| ids.len() >= SEVERAL);
        let few =
            few.into_iter().flat_map(|(partition, ids)| ids.into_iter().map(move |id| key(partition.clone(), id)));
        let few: Vec<_> = few.collect();
        let several = try_join_all(several.iter().map(|(partition, ids)| self.table.get_near(partition, ids)));
        let (several, few) = try_join(several, self.table.get_all(&few)).await?;
        Ok(several.into_iter().flatten().chain(few).map(|item| (primary_key(&item), item)).collect())
    }
}

/// Whether an owner's resources are where the list is, so that they need not be read one by one.
fn has_resources(owner: &Owner, list: List) -> bool {
    *owner != Owner::Account || matches!(list, List::DocumentsIn(_))
}

/// In which owner the resource of an entry of the account is.
pub(super) fn owned_by(entry: &Item) -> Result<Owner> {
    Reader::of(entry).parsed(OWNED_BY, |text| Owner::parse(text).ok_or_else(|| Problem::new("is no owner")))
}

/// A list in several owners.
struct Merged<'a> {
    table: &'a Table,
    streams: Vec<Stream>,
}

impl Merged<'_> {
    /// The newest that is left. `most` is how many are needed from here on at most.
    async fn next(&mut self, most: u64) -> Result<Option<Listed>> {
        try_join_all(self.streams.iter_mut().map(|stream| stream.fill(self.table, most))).await?;
        // Ids begin with the time: the greatest is the newest.
        let newest = self.streams.iter_mut().max_by_key(|stream| stream.listed.front().map(|listed| listed.id));
        Ok(newest.and_then(|stream| stream.listed.pop_front()))
    }
}

/// A list in one owner, newest first, read as it is needed.
struct Stream {
    owner: Owner,
    partition: String,
    projection: Option<&'static str>,
    is_consistent: bool,
    listed: VecDeque<Listed>,
    /// After which key the rest begins.
    from: Option<Place>,
    is_over: bool,
}

impl Stream {
    fn new(owner: &Owner, partition: String) -> Self {
        Self {
            owner: owner.clone(),
            partition,
            projection: None,
            is_consistent: true,
            listed: VecDeque::new(),
            from: None,
            is_over: false,
        }
    }

    /// Has the next one at hand, unless there is none. `most` is how many are needed of it at most.
    async fn fill(&mut self, table: &Table, most: u64) -> Result<()> {
        while self.listed.is_empty() && !self.is_over {
            let query = table
                .client
                .query()
                .table_name(&table.name)
                .consistent_read(self.is_consistent)
                .key_condition_expression("pk = :partition")
                .expression_attribute_values(":partition", text(&self.partition))
                .set_projection_expression(self.projection.map(str::to_owned))
                .scan_index_forward(false)
                .limit(i32::try_from(most).unwrap_or(i32::MAX))
                .set_exclusive_start_key(self.from.take());
            let answer = query.send().await.map_err(failed)?;
            self.from = answer.last_evaluated_key;
            self.is_over = self.from.is_none();
            for item in found(answer.items) {
                let id = Reader::of(&item).parsed(SK, parse_uuid)?;
                self.listed.push_back(Listed { id, owner: self.owner.clone(), item });
            }
        }
        Ok(())
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
