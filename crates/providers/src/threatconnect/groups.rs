//! Lists groups: incidents by name or owner, and the incidents, adversaries and campaigns that hold an indicator.

use super::{GROUPS, pages, tql};
use crate::kit::common::one_query;
use crate::kit::tolerant::{Node, clean, distinct};
use crate::{Lookup, ProviderError, Step};
use pivotd_domain::indicator::HashType;
use pivotd_domain::{IndicatorKind, Query, Record};

/// The most tags that are kept of one item.
const MAX_TAGS: usize = 100;

/// Starts a list of incidents by text, or of a community.
pub(super) fn incidents(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?;
    list(query, tql::incidents(&query.indicator), lookup)
}

/// Starts a list of the groups that hold an indicator.
///
/// # Errors
/// [`ProviderError::Unsupported`] for a hash that the vendor keeps of no file.
pub(super) fn holding(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?;
    known_hash(query)?;
    list(query, tql::holding(&query.indicator), lookup)
}

/// Refuses a SHA-512, which the vendor keeps of no file.
///
/// # Errors
/// [`ProviderError::Unsupported`].
pub(super) fn known_hash(query: &Query) -> Result<(), ProviderError> {
    let is_hash = query.indicator.kind() == IndicatorKind::Hash;
    if is_hash && HashType::of(query.indicator.value()) == Some(HashType::Sha512) {
        return Err(ProviderError::Unsupported(
            "ThreatConnect knows files by MD5, SHA-1 and SHA-256 only".to_owned(),
        ));
    }
    Ok(())
}

fn list(query: &Query, tql: String, lookup: &Lookup) -> Result<Step, ProviderError> {
    let list = pages::List {
        product: GROUPS,
        path: "/v3/groups",
        tql: Some(tql),
        fields: &["tags", "attributes"],
        read: group,
        of: None,
    };
    pages::start(list, query.clone(), lookup)
}

/// Reads a group. What it is about happened on the event's date, where it has one; else it is dated when it was added.
fn group(node: Node<'_>) -> Option<Record> {
    let day = |name: &str| node.get(name).day();
    let (event, added) = (day("eventDate"), day("dateAdded"));
    let (first, last) = match (day("firstSeen"), day("lastSeen")) {
        (None, None) => (event.or(added), event.or(added)),
        seen => seen,
    };
    Some(
        Record::new()
            .with("id", node.get("id").text()?)
            .with("type", node.get("type").text()?)
            .with("name", node.get("name").text()?)
            .with_some("owner", owner(node))
            .with_some("status", node.get("status").text())
            .with_some("date", event)
            .with_some("first_seen", first)
            .with_some("last_seen", last)
            .with_some("added", added)
            .with_some("updated", day("lastModified"))
            .with("tags", tags(node))
            .with_some("description", description(node).map(|text| clean(&text)))
            .with_some("link", link(node)),
    )
}

/// Returns the description: groups have it as an attribute, the default one first where there are several.
fn description(node: Node<'_>) -> Option<String> {
    let named = |attribute: &Node<'_>| attribute.get("type").text().as_deref() == Some("Description");
    let all: Vec<Node<'_>> = node.get("attributes").get("data").many().filter(named).collect();
    let default = |attribute: &&Node<'_>| attribute.get("default").flag() == Some(true);
    let first = all.iter().filter(default).chain(&all);
    node.get("description")
        .text()
        .or_else(|| first.filter_map(|attribute| attribute.get("value").text()).next())
}

/// Returns who owns an item: lists of version 3 have the name, single items of version 2 an object.
pub(super) fn owner(node: Node<'_>) -> Option<String> {
    node.get("ownerName")
        .text()
        .or_else(|| node.get("owner").get("name").text())
}

/// Returns the names of an item's tags.
pub(super) fn tags(node: Node<'_>) -> Vec<String> {
    let tags = node.get("tags");
    let list = if tags.get("data").exists() {
        tags.get("data")
    } else {
        tags
    };
    let names = list
        .many()
        .filter_map(|tag| tag.get("name").text().or_else(|| tag.text()));
    distinct(names.take(MAX_TAGS))
}

/// Returns the address of an item's page. Its fragment names the item, so it is kept; some answers have a path only.
pub(super) fn link(node: Node<'_>) -> Option<String> {
    ["webLink", "legacyLink"].iter().find_map(|name| {
        let text = node.get(name).text().filter(|text| text.len() <= 2048)?;
        let url = url::Url::parse(&text).ok()?;
        (matches!(url.scheme(), "http" | "https") && url.username().is_empty()).then(|| url.to_string())
    })
}
