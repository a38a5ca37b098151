//! Answers components, trackers and pairs of a host, which come in numbered pages.

use super::dns::results;
use super::{DESCRIPTOR, HOST_ATTRIBUTES, MAX_PAGES, call};
use crate::kit::common::held;
use crate::kit::facts::{pair, tracker_kind};
use crate::kit::pages::{Page, Pages};
use crate::kit::rows::{Row, Rows};
use crate::kit::tolerant::{Node, json};
use crate::{Call, Lookup, ProviderError, Reply, Step};
use pivotd_domain::{Capability, Query, Record};

/// The parameter that says which side of its pairs is asked for.
const DIRECTION: &str = "direction";

/// Starts a walk over host attributes, or goes on with it, until as many records are there as are wanted.
///
/// # Errors
/// Those of the walk.
pub(super) fn start(query: Query, lookup: &Lookup) -> Result<Step, ProviderError> {
    if let Some(done) = held(lookup) {
        return Ok(done);
    }
    let host = query.indicator.value().to_owned();
    let first = |path| call(HOST_ATTRIBUTES, path, &host).with("page", "0");
    let capability = query.capability;
    let pages = Pages::new(
        &DESCRIPTOR,
        HOST_ATTRIBUTES,
        query,
        lookup.wanted,
        MAX_PAGES,
        Box::new(page),
    )
    .after(lookup.earlier.clone());
    let pairs = "/host-attributes/pairs";
    match capability {
        Capability::Components => pages.list("components", first("/host-attributes/components")),
        Capability::Trackers => pages.list("trackers", first("/host-attributes/trackers")),
        _ => pages
            .list("children", first(pairs).with(DIRECTION, "children"))
            .list("parents", first(pairs).with(DIRECTION, "parents")),
    }
    .next()
}

fn page(query: &Query, call: &Call, reply: &Reply) -> Result<Page, ProviderError> {
    let body = json(reply)?;
    let root = Node::of(&body);
    let list = results(root)?;
    let rows = Rows::of(list, |row| read(query, call, row));
    let total = root.get("totalRecords").count();
    // How long a page is, is not told: the next one is asked for only where the total says that there is one.
    let next = (list.rows().next().is_some() && total.is_some()).then(|| following(call));
    Ok(Page {
        rows,
        total,
        next,
        missing: None,
    })
}

/// Makes the call for the page behind the one that was asked for.
fn following(call: &Call) -> Call {
    let mut next = call.clone();
    for (name, value) in &mut next.query {
        if name == "page" {
            *value = value
                .parse::<u32>()
                .map_or(1, |page| page.saturating_add(1))
                .to_string();
        }
    }
    next
}

fn read(query: &Query, call: &Call, row: Node<'_>) -> Row {
    let read = match query.capability {
        Capability::Components => Row::from(component(row)),
        Capability::Trackers => Row::from(tracker(row)),
        _ => {
            let end = |name| row.get(name).host().or_else(|| row.get(name).address());
            let direction = call.query.iter().find(|(name, _)| name == DIRECTION);
            let direction = direction.map(|(_, direction)| direction.as_str());
            let cause = row.get("cause").text();
            pair(&query.indicator, end("parent"), end("child"), direction)
                .map(|record| record.with_some("cause", cause))
        }
    };
    read.map(|record| {
        record
            .with_some("first_seen", row.get("firstSeen").day())
            .with_some("last_seen", row.get("lastSeen").day())
    })
}

fn component(row: Node<'_>) -> Option<Record> {
    let component = Record::new().with("component", row.get("label").text()?);
    let component = component
        .with_some("version", row.get("version").text())
        .with_some("category", row.get("category").text());
    Some(component.with_some("host", row.get("hostname").host()))
}

fn tracker(row: Node<'_>) -> Option<Record> {
    let tracker = Record::new().with("tracker", row.get("attributeValue").text()?);
    let tracker = tracker.with_some(
        "kind",
        row.get("attributeType").text().map(|kind| tracker_kind(&kind)),
    );
    Some(tracker.with_some("host", row.get("hostname").host()))
}
