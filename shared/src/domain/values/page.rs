//! One page of a list, and the opaque cursor of the next.

use std::borrow::Cow;
use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};

use super::limits::{PageLimit, PageNumber};
use super::problem::Problem;

/// The rows of one page, and the start of the next page if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorPage<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Cursor of the next page; `None` on the last.
    pub next: Option<Cursor>,
}

/// The page of a list that is asked for: by number, or by the cursor at which it begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// Number of the page, counted from the cursor.
    pub page: PageNumber,
    /// Where to count from; `None` for the beginning of the list.
    pub cursor: Option<Cursor>,
    pub limit: PageLimit,
}

impl PageRequest {
    /// The number of rows before the page.
    pub fn offset(&self) -> u64 {
        (u64::from(self.page.get()) - 1) * u64::from(self.limit.get())
    }
}

/// One page of a list whose length is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetPage<T> {
    /// The rows of the page, newest first.
    pub items: Vec<T>,
    /// The number of rows in the list.
    pub total: u64,
    /// Cursor of the next page; `None` on the last.
    pub next: Option<Cursor>,
    pub request: PageRequest,
}

impl<T> OffsetPage<T> {
    /// Whether another page follows. Of a page that was asked for by its number, the list's length tells.
    pub fn has_more(&self) -> bool {
        if self.request.cursor.is_some() {
            return self.next.is_some();
        }
        self.request.offset() + u64::from(self.request.limit.get()) < self.total
    }

    /// The same page with other rows: those that were made of its own.
    pub fn with<U>(self, items: Vec<U>) -> OffsetPage<U> {
        OffsetPage { items, total: self.total, next: self.next, request: self.request }
    }

    /// The same page, with each row converted.
    pub fn map<U>(mut self, change: impl FnMut(T) -> U) -> OffsetPage<U> {
        let items = std::mem::take(&mut self.items).into_iter().map(change).collect();
        self.with(items)
    }
}

/// Bytes of the tag that binds a cursor to its query.
const TAG: usize = 8;

/// The start of a page. It carries a tag of its query, so that a cursor of one list is refused by another list, by
/// another tenant's and under another filter. It names a position within a partition and never the partition, which
/// comes from the caller's proof: so it needs no signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    tag: Vec<u8>,
    position: String,
}

impl Cursor {
    /// The longest text that is looked at: that of the longest sort key, which has 1024 bytes, and of the tag.
    const LONGEST: usize = 1376;

    /// A cursor to just after `position`, for `query`.
    pub fn new(query: &str, position: &str) -> Self {
        Self { tag: tag(query), position: position.to_owned() }
    }

    /// The position, if the cursor belongs to `query`.
    ///
    /// # Errors
    /// If it belongs to another query.
    pub fn position(&self, query: &str) -> Result<&str, Problem> {
        if self.tag == tag(query) { Ok(&self.position) } else { Err(Problem::new("belongs to another list or filter")) }
    }

    /// Reads a cursor.
    ///
    /// # Errors
    /// If the text is no cursor of this service.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let problem = || Problem::new("must be the next_cursor of an earlier answer");
        if text.len() > Self::LONGEST {
            return Err(problem());
        }
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| problem())?;
        let (tag, position) = bytes.split_at_checked(TAG).ok_or_else(problem)?;
        let position = String::from_utf8(position.to_vec()).map_err(|_| problem())?;
        Ok(Self { tag: tag.to_vec(), position })
    }
}

fn tag(query: &str) -> Vec<u8> {
    digest(&SHA256, query.as_bytes()).as_ref().iter().copied().take(TAG).collect()
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.tag.as_slice(), self.position.as_bytes()].concat();
        formatter.write_str(&BASE64URL_NOPAD.encode(&bytes))
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl JsonSchema for Cursor {
    fn schema_name() -> Cow<'static, str> {
        "Cursor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "maxLength": Self::LONGEST,
            "pattern": "^[0-9A-Za-z_-]{11,}$",
            "description": "The place at which the next page begins, good for the same list only.",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cursor_of_another_query_is_refused() {
        let cursor = Cursor::new("tenants", "17#a");
        assert_eq!(cursor.position("tenants"), Ok("17#a"));
        assert!(cursor.position("tenants/suspended").is_err());
    }

    proptest! {
        #[test]
        fn a_cursor_survives_the_wire(query in ".{0,40}", position in ".{0,80}") {
            let cursor = Cursor::new(&query, &position);
            prop_assert_eq!(Cursor::parse(&cursor.to_string()), Ok(cursor));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,600}") {
            if let Ok(cursor) = Cursor::parse(&text) {
                prop_assert_eq!(cursor.to_string(), text);
            }
        }
    }

    #[test]
    fn a_page_begins_where_the_one_before_ends_and_the_last_one_has_no_more() {
        let request = |page, limit| PageRequest {
            page: PageNumber::new(page).unwrap(),
            cursor: None,
            limit: PageLimit::new(limit).unwrap(),
        };
        for (page, limit, offset, more) in
            [(1, 20, 0, true), (2, 20, 20, true), (3, 20, 40, false), (3, 19, 38, true), (4, 20, 60, false)]
        {
            let page = OffsetPage { items: vec![1], total: 60, next: None, request: request(page, limit) };
            assert_eq!((page.request.offset(), page.has_more()), (offset, more), "{page:?}");
            let texts = page.clone().map(|number| number.to_string());
            assert_eq!((texts.items, texts.total, texts.request), (vec!["1".to_owned()], 60, page.request));
        }
        let cursor = Cursor::new("a", "b");
        let request = PageRequest { cursor: Some(cursor.clone()), ..PageRequest::default() };
        for next in [Some(cursor), None] {
            let page = OffsetPage { items: vec![1], total: 60, next: next.clone(), request: request.clone() };
            assert_eq!((page.has_more(), page.map(|_| 2).next), (next.is_some(), next));
        }
    }

    #[test]
    fn a_cursor_is_a_text_of_11_to_1376_characters() {
        let cursor = Cursor::new("tenants", &"x".repeat(1024));
        let text = serde_json::to_string(&cursor).unwrap();
        assert_eq!(text.len(), 1376 + 2);
        assert_eq!(serde_json::from_str::<Cursor>(&text).unwrap(), cursor);
        assert!(Cursor::parse(&Cursor::new("tenants", &"x".repeat(1025)).to_string()).is_err());
        assert_eq!(Cursor::parse("AAAAAAAAAAA").map(|cursor| cursor.position), Ok(String::new()));
        for text in ["", "AAAAAAAAAA", "AAAAAAAAAAA=", "AAAAAAAAAAD_"] {
            assert!(Cursor::parse(text).is_err(), "{text}");
        }
    }
}
