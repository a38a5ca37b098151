//! Transforms with their settings, and sets of transforms.

use super::archive::Members;
use super::client_name;
use crate::listing::{Listing, ListingEntry, OWNER, TransformSetting};
use crate::markup::{Markup, document};

const REMOTE: &str = "TransformRepositories/Remote";
const SETS: &str = "TransformSets";

/// Adds the transforms that are offered, each as one that a v2 server runs.
pub(super) fn add_remote(members: &mut Members, listing: &Listing, version: &str) {
    for entry in listing.offered_entries() {
        let name = client_name(entry);
        let stem = members.stem(REMOTE, &name);
        members.add(REMOTE, &stem, "transform", remote(entry, &name, version));
        members.add(REMOTE, &stem, "transformsettings", settings(|_| {}));
    }
}

/// Adds the sets of the transforms that are offered.
pub(super) fn add_sets(
    members: &mut Members,
    listing: &Listing,
    name_of: &dyn Fn(ListingEntry<'_>) -> String,
) {
    for (set, entries) in listing.sets() {
        let stem = members.stem(SETS, &set.to_lowercase());
        let content = document(
            "TransformSet",
            &[("name", set), ("description", OWNER)],
            |markup| {
                markup.element("Transforms", &[], |markup| {
                    for entry in entries {
                        markup.empty("Transform", &[("name", &name_of(entry))]);
                    }
                });
            },
        );
        members.add(SETS, &stem, "set", content);
    }
}

fn remote(entry: ListingEntry<'_>, name: &str, version: &str) -> String {
    let transform = entry.transform;
    let attributes = [
        ("name", name),
        ("displayName", &transform.title),
        ("abstract", "false"),
        ("template", "false"),
        ("visibility", "public"),
        ("description", &transform.about),
        ("author", OWNER),
        ("owner", OWNER),
        ("locationRelevance", "global"),
        ("version", version),
        ("requireDisplayInfo", "false"),
    ];
    document("MaltegoTransform", &attributes, |markup| {
        markup.element("Properties", &[], |markup| {
            markup.element("Fields", &[], |markup| {
                for setting in &transform.settings {
                    property(markup, &Property::of(setting));
                }
            });
        });
        markup.element("InputConstraints", &[], |markup| {
            markup.empty("Entity", &[("type", entry.input)]);
        });
        outputs(markup, entry);
        markup.cdata("Help", &transform.about);
        markup.cdata("Disclaimer", "");
        default_sets(markup, entry);
        markup.text("StealthLevel", &[], "0");
        markup.text("ProtocolVersion", &[], "2.0");
    })
}

/// Writes the types of what a transform can give.
pub(super) fn outputs(markup: &mut Markup, entry: ListingEntry<'_>) {
    markup.element("OutputEntities", &[], |markup| {
        for output in &entry.transform.outputs {
            markup.empty("Entity", &[("type", output)]);
        }
    });
}

/// Writes the set that a transform belongs to.
pub(super) fn default_sets(markup: &mut Markup, entry: ListingEntry<'_>) {
    markup.element("defaultSets", &[], |markup| {
        markup.empty("Set", &[("name", &entry.transform.set)]);
    });
}

/// Writes what a client keeps of its user's wishes for a transform.
pub(super) fn settings(properties: impl FnOnce(&mut Markup)) -> String {
    let attributes = [
        ("enabled", "true"),
        ("disclaimerAccepted", "false"),
        ("showHelp", "true"),
        ("runWithAll", "true"),
        ("favorite", "false"),
    ];
    document("TransformSettings", &attributes, properties)
}

/// Describes a property of a transform.
#[derive(Debug)]
pub(super) struct Property<'a> {
    pub(super) name: &'a str,
    pub(super) kind: &'a str,
    pub(super) is_optional: bool,
    pub(super) about: &'a str,
    pub(super) popup: bool,
    pub(super) is_secret: bool,
    pub(super) display: &'a str,
    pub(super) default: Option<&'a str>,
    pub(super) sample: &'a str,
}

impl<'a> Property<'a> {
    fn of(setting: &'a TransformSetting) -> Self {
        Self {
            name: &setting.name,
            kind: setting.kind.id(),
            is_optional: setting.optional,
            about: &setting.display,
            popup: setting.popup,
            is_secret: setting.secret,
            display: &setting.display,
            default: setting.default.as_deref(),
            sample: "",
        }
    }
}

/// Writes a property.
pub(super) fn property(markup: &mut Markup, property: &Property<'_>) {
    let attributes = [
        ("name", property.name),
        ("type", property.kind),
        ("nullable", word(property.is_optional)),
        ("hidden", "false"),
        ("readonly", "false"),
        ("description", property.about),
        ("popup", word(property.popup)),
        ("abstract", "false"),
        ("visibility", "public"),
        ("auth", word(property.is_secret)),
        ("displayName", property.display),
    ];
    markup.element("Property", &attributes, |markup| {
        if let Some(default) = property.default {
            markup.text("DefaultValue", &[], default);
        }
        markup.text("SampleValue", &[], property.sample);
    });
}

const fn word(is: bool) -> &'static str {
    if is { "true" } else { "false" }
}
