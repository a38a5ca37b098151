//! Types of our own, for what no standard type fits. Each stands on a standard one, so that transforms for that one
//! take it too; what identifies it is strict.

use super::{EntityType, PropertyKind as Kind, loose, strict};

/// A group of a threat-intelligence platform is the same only by its id and owner: names repeat.
const GROUP: &[super::PropertyType] = &[
    strict("threatconnect.id", "ThreatConnect ID", Kind::Text),
    strict("threatconnect.owner", "ThreatConnect owner", Kind::Text),
];

/// `pivotd.Adversary`.
pub(crate) static ADVERSARY: EntityType = EntityType {
    id: "pivotd.Adversary",
    display_name: "Adversary",
    bases: &["maltego.Organization"],
    value_property: Some("title"),
    display_property: Some("title"),
    properties: GROUP,
};

/// `pivotd.Campaign`.
pub(crate) static CAMPAIGN: EntityType = EntityType {
    id: "pivotd.Campaign",
    display_name: "Campaign",
    bases: &["maltego.Event", "maltego.Location"],
    value_property: Some("title"),
    display_property: Some("title"),
    properties: GROUP,
};

/// `pivotd.Community`.
pub(crate) static COMMUNITY: EntityType = EntityType {
    id: "pivotd.Community",
    display_name: "Intelligence community",
    bases: &["maltego.Phrase"],
    value_property: Some("text"),
    display_property: Some("text"),
    properties: &[
        loose("threatconnect.owner-id", "ThreatConnect owner ID", Kind::Text),
        loose("threatconnect.owner-type", "Kind of owner", Kind::Text),
    ],
};

/// `pivotd.Incident`.
pub(crate) static INCIDENT: EntityType = EntityType {
    id: "pivotd.Incident",
    display_name: "Incident report",
    bases: &["maltego.Incident", "maltego.Event", "maltego.Location"],
    value_property: Some("title"),
    display_property: Some("title"),
    properties: GROUP,
};

/// `pivotd.Mutex`.
pub(crate) static MUTEX: EntityType = EntityType {
    id: "pivotd.Mutex",
    display_name: "Mutex",
    bases: &["maltego.Phrase"],
    value_property: Some("text"),
    display_property: Some("text"),
    properties: &[],
};

/// `pivotd.RegistryKey`.
pub(crate) static REGISTRY_KEY: EntityType = EntityType {
    id: "pivotd.RegistryKey",
    display_name: "Registry key",
    bases: &["maltego.Phrase"],
    value_property: Some("text"),
    display_property: Some("text"),
    properties: &[],
};

/// `pivotd.Tracker`.
pub(crate) static TRACKER: EntityType = EntityType {
    id: "pivotd.Tracker",
    display_name: "Web tracker",
    bases: &["maltego.Phrase"],
    value_property: Some("text"),
    display_property: Some("text"),
    properties: &[strict("pivotd.tracker-kind", "Kind of tracker", Kind::Text)],
};

/// `pivotd.UserAgent`.
pub(crate) static USER_AGENT: EntityType = EntityType {
    id: "pivotd.UserAgent",
    display_name: "User agent",
    bases: &["maltego.Phrase"],
    value_property: Some("text"),
    display_property: Some("text"),
    properties: &[],
};

/// `pivotd.WebComponent`.
pub(crate) static WEB_COMPONENT: EntityType = EntityType {
    id: "pivotd.WebComponent",
    display_name: "Web component",
    bases: &["maltego.Phrase"],
    value_property: Some("text"),
    display_property: Some("text"),
    properties: &[],
};

pub(super) static TYPES: [&EntityType; 9] = [
    &ADVERSARY,
    &CAMPAIGN,
    &COMMUNITY,
    &INCIDENT,
    &MUTEX,
    &REGISTRY_KEY,
    &TRACKER,
    &USER_AGENT,
    &WEB_COMPONENT,
];
