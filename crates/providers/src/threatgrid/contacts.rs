//! Answers what a file contacted: hosts, addresses and URLs, and the user agents it showed.
//!
//! The network streams of its runs tell it; names are those it asked the DNS for and those of its requests. The feeds
//! of the vendor would give fewer, since they hold only what a behavior names. Annotations add the country and the
//! network of addresses.

use std::collections::{BTreeSet, HashMap};

use super::common::{MOST_RECORDS, cut, entries, left_out};
use super::files::told;
use super::indicators::{FEEDS, Feeds, Ratings, Threshold};
use super::reports::{self, Reports, parsed, report};
use super::search::Run;
use super::streams::{self, NetworkContact};
use crate::kit::json::Json;
use crate::kit::rows::{Row, Rows, SkipReason};
use crate::kit::tolerant::Node;
use crate::{Lookup, ProviderError, Replied, Step};
use pivotd_domain::Record;

/// Starts a look-up of contacts.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    reports::start(lookup, "network_streams", annotate)
}

/// Holds a contact with the runs that made it, as indices into the reports.
struct Contact {
    touch: NetworkContact,
    /// The hosts and addresses that a URL or a user agent went to.
    to: BTreeSet<String>,
    runs: Vec<usize>,
}

/// Asks for what is known of the addresses, and what the behaviors name.
fn annotate(mut reports: Reports) -> Result<Step, ProviderError> {
    let contacts = merge(&mut reports);
    let is_address = |contact: &&Contact| contact.touch.field == "ip";
    let addressed: Vec<usize> = (0..reports.read.len())
        .filter(|index| {
            contacts
                .iter()
                .filter(is_address)
                .any(|contact| contact.runs.contains(index))
        })
        .collect();
    let threshold = Threshold::of(&reports.query).filter(|_| !contacts.is_empty());
    let runs: Vec<&Run> = reports.read.iter().map(|(run, _)| run).collect();
    let feeds = threshold.map(|threshold| Feeds::new(threshold, &reports.query, &runs));
    let annotated = addressed.iter().filter_map(|index| runs.get(*index));
    let mut calls: Vec<_> = annotated.map(|run| report(run, "annotations")).collect();
    let annotations = calls.len();
    calls.extend(feeds.as_ref().map(Feeds::calls).unwrap_or_default());
    if calls.is_empty() {
        return finish(reports, contacts, &[], None);
    }
    Ok(Step::Calls {
        calls,
        then: Box::new(move |mut replies| {
            let rows = replies.split_off(annotations.min(replies.len()));
            let locations = locations(&mut reports, replies);
            match feeds {
                Some(mut feeds) => {
                    feeds.take(rows);
                    rate(reports, contacts, locations, feeds)
                }
                None => finish(reports, contacts, &locations, None),
            }
        }),
    })
}

/// Reads the feeds to their ends, then finishes.
fn rate(
    reports: Reports,
    contacts: Vec<Contact>,
    locations: Vec<AddressLocation>,
    mut feeds: Feeds,
) -> Result<Step, ProviderError> {
    let calls = feeds.calls();
    if calls.is_empty() {
        return finish(reports, contacts, &locations, Some(&feeds.ratings()));
    }
    Ok(Step::Calls {
        calls,
        then: Box::new(move |replies| {
            feeds.take(replies);
            rate(reports, contacts, locations, feeds)
        }),
    })
}

/// Merges what all runs contacted, in the order of the newest run. An address on two ports is two records.
fn merge(reports: &mut Reports) -> Vec<Contact> {
    let mut contacts: Vec<Contact> = Vec::new();
    let mut locations: HashMap<(&str, String, Option<i64>), usize> = HashMap::new();
    let (mut is_cut, mut too_long, mut others) = (false, 0, Rows::default());
    for (index, (_, body)) in reports.read.iter().enumerate() {
        let (long, passed) = streams::read(Node::of(body), &mut |touch| {
            let key = (touch.field, touch.value.clone(), touch.port);
            let place = match locations.get(&key) {
                Some(place) => *place,
                None if contacts.len() >= MOST_RECORDS => {
                    is_cut = true;
                    return;
                }
                None => {
                    locations.insert(key, contacts.len());
                    contacts.push(Contact {
                        touch: touch.clone(),
                        to: BTreeSet::new(),
                        runs: Vec::new(),
                    });
                    contacts.len() - 1
                }
            };
            let Some(contact) = contacts.get_mut(place) else {
                return;
            };
            if contact.runs.last() != Some(&index) {
                contact.runs.push(index);
            }
            contact.to.extend(touch.to);
        });
        too_long += long;
        others.join(passed);
    }
    reports.is_shown |= others.understood() + others.unread() > 0;
    reports.others.join(others);
    reports.missing.extend(is_cut.then(|| cut("contacts")));
    reports.missing.extend(left_out(too_long));
    contacts
}

/// Holds what annotations say of an address.
struct AddressLocation {
    address: String,
    country: Option<String>,
    asn: Option<String>,
}

/// Reads the annotations; what fails is missing.
fn locations(reports: &mut Reports, replies: Vec<Replied>) -> Vec<AddressLocation> {
    let mut locations = Vec::new();
    for replied in replies {
        match parsed(replied) {
            Ok(Some(body)) => locations.extend(annotated(&body)),
            Ok(None) => {}
            Err(error) => {
                let text = format!("country and network of addresses: {error}");
                if !reports.missing.contains(&text) {
                    reports.missing.push(text);
                }
            }
        }
    }
    locations
}

fn annotated(body: &Json) -> Vec<AddressLocation> {
    let items = Node::of(body).get("data").get("items");
    let place = |(name, node): (&str, Node<'_>)| {
        let asn = node.get("asn").text();
        let digits = asn
            .as_deref()
            .map(|asn| asn.trim_start_matches(['A', 'S', 'a', 's']));
        Some(AddressLocation {
            address: crate::kit::tolerant::address(name)?,
            country: node
                .get("country_name")
                .text()
                .or_else(|| node.get("country").text()),
            asn: digits
                .and_then(|digits| digits.parse::<u32>().ok())
                .filter(|asn| *asn > 0)
                .map(|asn| asn.to_string()),
        })
    };
    // An appliance may answer a list of such maps.
    let maps = if items.is_list() {
        entries(items)
    } else {
        vec![items]
    };
    maps.into_iter()
        .flat_map(|map| map.get("network").members())
        .filter_map(place)
        .collect()
}

fn finish(
    mut reports: Reports,
    mut contacts: Vec<Contact>,
    locations: &[AddressLocation],
    ratings: Option<&Ratings>,
) -> Result<Step, ProviderError> {
    let mut below = Rows::default();
    if let Some((ratings, threshold)) = ratings.zip(Threshold::of(&reports.query)) {
        let all = contacts.len();
        contacts.retain(|contact| ratings.pass(contact.touch.field, &contact.touch.value, &contact.to));
        let of = format!(
            "severity {}, confidence {}",
            threshold.severity, threshold.confidence
        );
        below.extend((contacts.len()..all).map(|_| Row::LeftOut(SkipReason::Below, Some(of.clone()))));
        reports.missing.extend(ratings.missing.iter().cloned());
    }
    let by_address: HashMap<&str, &AddressLocation> = locations
        .iter()
        .rev()
        .map(|place| (place.address.as_str(), place))
        .collect();
    let records = contacts
        .iter()
        .map(|contact| record(contact, &reports, &by_address, ratings));
    let mut rows: Rows = records.map(Row::Record).collect();
    rows.join(below);
    reports.done(rows)
}

fn record(
    contact: &Contact,
    reports: &Reports,
    locations: &HashMap<&str, &AddressLocation>,
    ratings: Option<&Ratings>,
) -> Record {
    let touch = &contact.touch;
    let read = contact.runs.iter().filter_map(|index| reports.read.get(*index));
    let runs: Vec<&Run> = read.map(|(run, _)| run).collect();
    let mut record = told(Record::new().with(touch.field, touch.value.as_str()), &runs)
        .with_some("port", touch.port)
        .with_some("protocol", touch.protocol.as_deref());
    if let Some(place) = locations
        .get(touch.value.as_str())
        .filter(|_| touch.field == "ip")
    {
        record = record
            .with_some("country", place.country.as_deref())
            .with_some("asn", place.asn.as_deref());
    }
    let field = FEEDS
        .iter()
        .map(|(.., field)| *field)
        .find(|field| *field == touch.field);
    if let Some(rating) = field.and_then(|field| ratings?.of(field, &touch.value)) {
        record = record
            .with_some("severity", rating.severity)
            .with_some("confidence", rating.confidence)
            .with("behaviors", rating.behaviors.clone());
    }
    record
}
