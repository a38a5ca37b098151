//! Answers everything that Graph gives as a list, page by page.
//!
//! A page names the next one by a URL. It is never gone to: its query goes into a call of our own to the path that was
//! asked before, so that no answer decides where a call goes.

use url::form_urlencoded;

use super::{
    COMPONENTS, DESCRIPTOR, HOST_PAIRS, MAX_PAGES, PASSIVE_DNS, SUBDOMAINS, TRACKERS, WHOIS, call, whois,
};
use crate::kit::common::held;
use crate::kit::facts::{pair, resolution, tracker_kind};
use crate::kit::pages::{Page, Pages};
use crate::kit::rows::{Row, Rows};
use crate::kit::tolerant::{Node, json, malformed};
use crate::{Call, Lookup, ProviderError, Reply, Step};
use pivotd_domain::{Capability, Query, Record};

/// Asks for an object beside its id. It is ours: no link changes it.
const EXPAND: &str = "$expand";
/// The most parameters of a link that are taken, and the most bytes that they may have.
const MAX_PAIRS: usize = 16;
const MAX_BYTES: usize = 8192;
const REVERSE: &str = "/passiveDnsReverse";

/// Starts a walk over the list, or the two lists, that answer a question, or goes on with it.
///
/// # Errors
/// Those of the walk.
pub(super) fn start(query: Query, lookup: &Lookup) -> Result<Step, ProviderError> {
    if let Some(done) = held(lookup) {
        return Ok(done);
    }
    let lists: &[(&'static str, &str)] = match query.capability {
        Capability::Resolutions => &[("resolutions", "/passiveDns"), ("names that point here", REVERSE)],
        Capability::Subdomains => &[("subdomains", "/subdomains")],
        Capability::Components => &[("components", "/components")],
        Capability::Trackers => &[("trackers", "/trackers")],
        Capability::HostPairs => &[("pairs", "/hostPairs")],
        _ => &[("whois records", "/whois/history")],
    };
    let product = match query.capability {
        Capability::Resolutions => PASSIVE_DNS,
        Capability::Subdomains => SUBDOMAINS,
        Capability::Components => COMPONENTS,
        Capability::Trackers => TRACKERS,
        Capability::HostPairs => HOST_PAIRS,
        _ => WHOIS,
    };
    let host = query.indicator.clone();
    let max = MAX_PAGES * lists.len();
    let mut pages = Pages::new(&DESCRIPTOR, product, query, lookup.wanted, max, Box::new(page))
        .after(lookup.earlier.clone());
    for (what, below) in lists {
        pages = pages.list(what, call(product, &host, below));
    }
    pages.next()
}

fn page(query: &Query, call: &Call, reply: &Reply) -> Result<Page, ProviderError> {
    let body = json(reply)?;
    let root = Node::of(&body);
    let value = root.get("value");
    if !value.is_list() {
        return Err(malformed("value"));
    }
    let nameless = |row: Node<'_>| !row.get("host").get("id").exists();
    let is_bare = value.many().next().is_some() && value.many().all(nameless);
    let is_asked = call.query.iter().any(|(name, _)| name == EXPAND);
    if query.capability == Capability::Subdomains && is_bare && !is_asked {
        return Ok(expanded(call));
    }
    let rows = Rows::of(value, |row| read(query, call, row));
    let link = root.get("@odata.nextLink").text();
    let next = link.as_deref().and_then(|link| following(call, link));
    let missing = (link.is_some() && next.is_none())
        .then(|| "further pages: Graph names them in a way that is not understood".to_owned());
    Ok(Page {
        rows,
        total: root.get("@odata.count").count(),
        next,
        missing,
    })
}

/// Asks for the same page again, with the hosts in it: Graph's own example of subdomains has none.
fn expanded(call: &Call) -> Page {
    Page {
        next: Some(call.clone().with(EXPAND, "host")),
        ..Page::default()
    }
}

/// Makes the call for the next page of the one that was asked for, by all parameters of the link; `None` where they
/// are none, too many, or those that were asked with.
fn following(call: &Call, link: &str) -> Option<Call> {
    let (_, query) = link.split_once('?')?;
    let query = query.split('#').next().unwrap_or_default();
    if query.len() > MAX_BYTES {
        return None;
    }
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name != EXPAND)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .take(MAX_PAIRS + 1)
        .collect();
    if pairs.is_empty() || pairs.len() > MAX_PAIRS {
        return None;
    }
    let mut next = call.clone();
    next.query.retain(|(name, _)| name == EXPAND);
    next.query.extend(pairs);
    // A link to where we are would lead in circles.
    (next.query != call.query).then_some(next)
}

fn read(query: &Query, call: &Call, row: Node<'_>) -> Row {
    let asked = query.indicator.value();
    let read = match query.capability {
        Capability::WhoisHistory => return Row::from(whois::period(asked, row)),
        Capability::Resolutions => {
            let ends = ["parentHost", "artifact"].map(|end| row.get(end).get("id").text());
            let kind = row.get("recordType").text();
            resolution(&query.indicator, ends, call.path.ends_with(REVERSE), kind)
        }
        Capability::Subdomains => match host(row) {
            Some(host) if host == asked => Row::ITSELF,
            host => Row::from(host.map(|host| Record::new().with("domain", asked).with("host", host))),
        },
        Capability::Components => Row::from(component(row)),
        Capability::Trackers => Row::from(tracker(row)),
        _ => {
            let end = |name| {
                let id = row.get(name).get("id");
                id.address().or_else(|| id.host())
            };
            let cause = row.get("linkKind").text();
            pair(&query.indicator, end("parentHost"), end("childHost"), None)
                .map(|record| record.with_some("cause", cause))
        }
    };
    read.map(|record| {
        record
            .with_some("first_seen", row.get("firstSeenDateTime").day())
            .with_some("last_seen", row.get("lastSeenDateTime").day())
    })
}

fn host(row: Node<'_>) -> Option<String> {
    row.get("host").get("id").host()
}

fn component(row: Node<'_>) -> Option<Record> {
    let component = Record::new().with("component", row.get("name").text()?);
    let component = component
        .with_some("version", row.get("version").text())
        .with_some("category", row.get("category").text());
    Some(component.with_some("host", host(row)))
}

fn tracker(row: Node<'_>) -> Option<Record> {
    let tracker = Record::new().with("tracker", row.get("value").text()?);
    let tracker = tracker.with_some("kind", row.get("kind").text().map(|kind| tracker_kind(&kind)));
    Some(tracker.with_some("host", host(row)))
}
