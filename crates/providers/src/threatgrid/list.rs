//! Reads one of the vendor's lists page by page, by `limit` and `offset`.

use crate::kit::json::Json;
use crate::kit::tolerant::{Node, malformed};
use crate::{Call, ProviderError};

/// How many rows a page is asked for; the vendor's default of these lists.
const PAGE: usize = 100;

/// Walks one list.
pub(super) struct List {
    call: Call,
    /// How many more pages may be asked for.
    pages: usize,
    rows: usize,
    /// How many rows there are, where the vendor says.
    total: Option<u64>,
    /// Whether rows are unread, as far as is known.
    more: bool,
    /// Whether asking on would bring nothing.
    stuck: bool,
    /// The rows of the page before, so that a vendor who gives the same page again is seen through.
    before: Option<String>,
}

impl List {
    /// Begins a list of which at most so many pages are read.
    pub(super) fn new(call: Call, pages: usize) -> Self {
        Self {
            call,
            pages,
            rows: 0,
            total: None,
            more: true,
            stuck: false,
            before: None,
        }
    }

    /// Returns the call for the next page; `None` where all is read, or no more may be asked.
    pub(super) fn next(&self) -> Option<Call> {
        if !self.more || self.stuck || self.pages == 0 {
            return None;
        }
        let mut call = self.call.clone().with("limit", PAGE.to_string());
        if self.rows > 0 {
            call.add("offset", self.rows.to_string());
        }
        Some(call)
    }

    /// Takes the next page in, and returns its rows.
    ///
    /// # Errors
    /// [`ProviderError::Malformed`] where it has no list.
    pub(super) fn take<'a>(&mut self, body: &'a Json) -> Result<Vec<Node<'a>>, ProviderError> {
        self.pages = self.pages.saturating_sub(1);
        let data = Node::of(body).get("data");
        let rows = if data.is_list() { data } else { data.get("items") };
        let is_empty = data.get("current_item_count").count() == Some(0);
        if !rows.is_list() && !rows.is_object() && !is_empty {
            return Err(malformed("items"));
        }
        let written = rows.written();
        if written.is_some() && self.before == written {
            self.stuck = true;
            return Ok(Vec::new());
        }
        self.before = written;
        let rows: Vec<Node<'a>> = rows.rows().collect();
        self.rows += rows.len();
        self.total = data.get("total").count().or(self.total);
        self.more = match self.total {
            Some(total) => (self.rows as u64) < total,
            // A server may give shorter pages than it is asked for.
            None => match data.get("items_per_page").count() {
                Some(size @ 1..) => rows.len() as u64 >= size.min(PAGE as u64),
                _ => rows.len() >= PAGE,
            },
        };
        self.stuck = rows.is_empty();
        Ok(rows)
    }

    /// Asks for nothing more; what is not read stays unread.
    pub(super) fn stop(&mut self) {
        self.stuck = true;
    }

    /// Returns how many rows were read.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Says how much of `what` was read; `None` where all was.
    pub(super) fn unread(&self, what: &str) -> Option<String> {
        let rows = self.rows;
        let of = self.total.filter(|_| self.more);
        of.map(|total| format!("{rows} of {total} {what}"))
            .or_else(|| {
                self.more
                    .then(|| format!("the first {rows} {what}, there may be more"))
            })
            .filter(|_| rows > 0 || self.total.is_some())
    }
}
