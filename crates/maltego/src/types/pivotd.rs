//! Types of our own, for what no standard type fits. Each stands on a standard one, so that transforms for that one
//! take it too; what identifies it is strict.

use super::{EntityType, PropertyKind as Kind, loose, strict};

/// A group of a threat-intelligence platform is the same only by its id and owner: names repeat.
const GROUP: &[super::PropertyType] = &[
    strict("threatconnect.id", "ThreatConnect ID", Kind::Text),
    strict("threatconnect.owner", "ThreatConnect owner", Kind::Text),
];

pub(super) static TYPES: &[EntityType] = &[
    EntityType {
        id: "pivotd.Adversary",
        display_name: "Adversary",
        bases: &["maltego.Organization"],
        value_property: Some("title"),
        display_property: Some("title"),
        properties: GROUP,
    },
    EntityType {
        id: "pivotd.Campaign",
        display_name: "Campaign",
        bases: &["maltego.Event", "maltego.Location"],
        value_property: Some("title"),
        display_property: Some("title"),
        properties: GROUP,
    },
    EntityType {
        id: "pivotd.Community",
        display_name: "Intelligence community",
        bases: &["maltego.Phrase"],
        value_property: Some("text"),
        display_property: Some("text"),
        properties: &[
            loose("threatconnect.owner-id", "ThreatConnect owner ID", Kind::Text),
            loose("threatconnect.owner-type", "Kind of owner", Kind::Text),
        ],
    },
    EntityType {
        id: "pivotd.Incident",
        display_name: "Incident report",
        bases: &["maltego.Incident", "maltego.Event", "maltego.Location"],
        value_property: Some("title"),
        display_property: Some("title"),
        properties: GROUP,
    },
    EntityType {
        id: "pivotd.Mutex",
        display_name: "Mutex",
        bases: &["maltego.Phrase"],
        value_property: Some("text"),
        display_property: Some("text"),
        properties: &[],
    },
    EntityType {
        id: "pivotd.RegistryKey",
        display_name: "Registry key",
        bases: &["maltego.Phrase"],
        value_property: Some("text"),
        display_property: Some("text"),
        properties: &[],
    },
    EntityType {
        id: "pivotd.Tracker",
        display_name: "Web tracker",
        bases: &["maltego.Phrase"],
        value_property: Some("text"),
        display_property: Some("text"),
        properties: &[strict("pivotd.tracker-kind", "Kind of tracker", Kind::Text)],
    },
    EntityType {
        id: "pivotd.UserAgent",
        display_name: "User agent",
        bases: &["maltego.Phrase"],
        value_property: Some("text"),
        display_property: Some("text"),
        properties: &[],
    },
    EntityType {
        id: "pivotd.WebComponent",
        display_name: "Web component",
        bases: &["maltego.Phrase"],
        value_property: Some("text"),
        display_property: Some("text"),
        properties: &[],
    },
];
