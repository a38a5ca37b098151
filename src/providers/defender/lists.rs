//! Answers everything that Graph gives as a list, page by page.
//!
//! A page names the next one by a URL. It is never gone to: what its query says of the place in the list goes into a
//! call of our own to the path that was asked before.

use url::form_urlencoded;

use super::{
    COMPONENTS, DESCRIPTOR, HOST_PAIRS, MAX_PAGES, PASSIVE_DNS, SUBDOMAINS, TRACKERS, WHOIS, call, whois,
};
use crate::domain::{Capability, Query, Record};
use crate::providers::facts::resolution;
use crate::providers::pages::{Page, Pages};
use crate::providers::tolerant::{Node, json, malformed};
use crate::providers::{Call, ProviderError, Reply, Step};

/// Parameters that say where in a list a page begins (Graph, paging).
const PLACES: &[&str] = &["$skiptoken", "$skip"];
/// The longest of them that is taken, in bytes.
const MAX_PLACE: usize = 4096;
const REVERSE: &str = "/passiveDnsReverse";

/// Starts a walk over the list, or the two lists, that answer a question.
///
/// # Errors
/// Those of the walk.
pub(super) fn start(query: Query, want: usize) -> Result<Step, ProviderError> {
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
    let most = MAX_PAGES * lists.len();
    let mut pages = Pages::new(&DESCRIPTOR, product, query, want, most, Box::new(page));
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
    let rows: Vec<Node<'_>> = value.many().collect();
    let records: Vec<Record> = rows.iter().filter_map(|row| read(query, call, *row)).collect();
    if query.capability == Capability::Subdomains && records.is_empty() && !rows.is_empty() {
        return expanded(call);
    }
    let link = root.get("@odata.nextLink").text();
    let next = link.as_deref().and_then(|link| following(call, link));
    let missing = (link.is_some() && next.is_none())
        .then(|| "further pages: Graph names them in a way that is not understood".to_owned());
    Ok(Page {
        records,
        rows: rows.len(),
        total: root.get("@odata.count").count(),
        next,
        missing,
    })
}

/// Asks for the same page again, with the hosts in it: Graph's own example of subdomains has none.
fn expanded(call: &Call) -> Result<Page, ProviderError> {
    const EXPAND: &str = "$expand";
    if call.query.iter().any(|(name, _)| name == EXPAND) {
        return Err(malformed("names of subdomains"));
    }
    Ok(Page {
        next: Some(call.clone().with(EXPAND, "host")),
        ..Page::default()
    })
}

/// Makes the call for the next page of the one that was asked for; `None` where the link does not say where it begins.
fn following(call: &Call, link: &str) -> Option<Call> {
    let (_, query) = link.split_once('?')?;
    let query = query.split('#').next().unwrap_or_default();
    let places: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, value)| PLACES.contains(&name.as_ref()) && value.len() <= MAX_PLACE)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .take(PLACES.len())
        .collect();
    let mut next = call.clone();
    next.query.retain(|(name, _)| !PLACES.contains(&name.as_str()));
    next.query.extend(places);
    // A link to where we are would lead in circles.
    (next.query != call.query && next.query.iter().any(|(name, _)| PLACES.contains(&name.as_str())))
        .then_some(next)
}

fn read(query: &Query, call: &Call, row: Node<'_>) -> Option<Record> {
    if query.capability == Capability::WhoisHistory {
        return whois::period(query.indicator.value(), row);
    }
    let host = row.get("host").get("id").host();
    let record = match query.capability {
        Capability::Resolutions => {
            let ends = ["parentHost", "artifact"].map(|end| row.get(end).get("id").text());
            let type_name = row.get("recordType").text();
            resolution(&query.indicator, ends, call.path.ends_with(REVERSE))?.with_some("type", type_name)
        }
        Capability::Subdomains => Record::new()
            .with("domain", query.indicator.value())
            .with("host", host.filter(|host| host != query.indicator.value())?),
        Capability::Components => Record::new()
            .with("component", row.get("name").text()?)
            .with_some("version", row.get("version").text())
            .with_some("category", row.get("category").text())
            .with_some("host", host),
        Capability::Trackers => Record::new()
            .with("tracker", row.get("value").text()?)
            .with_some("kind", row.get("kind").text())
            .with_some("host", host),
        _ => pair(query.indicator.value(), row)?,
    };
    Some(
        record
            .with_some("first_seen", row.get("firstSeenDateTime").day())
            .with_some("last_seen", row.get("lastSeenDateTime").day()),
    )
}

/// Reads a pair: whichever of the two is not the host that was asked about.
fn pair(asked: &str, row: Node<'_>) -> Option<Record> {
    let cause = row.get("linkKind").text();
    ["parent", "child"].into_iter().find_map(|side| {
        let end = row
            .get(if side == "parent" {
                "parentHost"
            } else {
                "childHost"
            })
            .get("id");
        let (ip, host) = (end.address(), end.host());
        if ip.is_none() && host.is_none() || ip.as_deref() == Some(asked) || host.as_deref() == Some(asked) {
            return None;
        }
        let record = Record::new().with("side", side).with_some("cause", cause.clone());
        Some(record.with_some("host", host).with_some("ip", ip))
    })
}
