//! Entity types, their category and their icons.

use std::collections::BTreeSet;

use super::archive::Members;
use crate::definitions::{EntityDefinition, LAST_IN_ORDER, definitions};
use crate::icons::icons;
use crate::markup::document;
use crate::types::PropertyKind;

/// The size whose file bears no number.
const SMALLEST: u32 = 16;

/// Adds all of them.
pub(super) fn add(members: &mut Members) {
    for definition in definitions() {
        members.add("Entities", definition.entity.id, "entity", entity(definition));
    }
    let categories: BTreeSet<&str> = definitions().map(|one| one.category).collect();
    for category in categories {
        let content = document("EntityCategory", &[("name", category)], |_| {});
        members.add(
            "EntityCategories",
            &category.to_ascii_lowercase(),
            "category",
            content,
        );
    }
    for icon in icons() {
        let folder = format!("Icons/{}", icon.category);
        let content = document("Icon", &[], |markup| markup.empty("Aliases", &[]));
        members.add(&folder, icon.name, "xml", content);
        for (size, png) in icon.png {
            let stem = match size {
                SMALLEST => icon.name.to_owned(),
                size => format!("{}{size}", icon.name),
            };
            members.add(&folder, &stem, "png", png);
        }
    }
}

fn entity(definition: &EntityDefinition) -> String {
    let entity = definition.entity;
    let order = definition.conversion_order.unwrap_or(LAST_IN_ORDER).to_string();
    let attributes = [
        ("id", entity.id),
        ("displayName", entity.display_name),
        ("displayNamePlural", definition.plural),
        ("description", definition.about),
        ("category", definition.category),
        ("smallIconResource", definition.icon),
        ("largeIconResource", definition.icon),
        ("allowedRoot", "true"),
        ("conversionOrder", &order),
        ("visible", "true"),
    ];
    document("MaltegoEntity", &attributes, |markup| {
        markup.element("BaseEntities", &[], |markup| {
            for parent in definition.parents() {
                markup.text("BaseEntity", &[], parent);
            }
        });
        if let Some(converter) = definition.converter {
            markup.element("Converter", &[], |markup| {
                markup.cdata("Value", converter.regex);
                markup.element("RegexGroups", &[], |markup| {
                    for property in converter.groups {
                        markup.empty("RegexGroup", &[("property", property)]);
                    }
                });
            });
        }
        let shown = [
            ("value", entity.value_property.unwrap_or_default()),
            ("displayValue", entity.display_property.unwrap_or_default()),
        ];
        markup.element("Properties", &shown, |markup| {
            markup.empty("Groups", &[]);
            markup.element("Fields", &[], |markup| {
                for field in definition.fields() {
                    let attributes = [
                        ("name", field.property.name),
                        ("type", kind(field.property.kind)),
                        ("nullable", "true"),
                        ("hidden", "false"),
                        ("readonly", "false"),
                        ("description", field.about),
                        ("displayName", field.property.display_name),
                    ];
                    markup.element("Field", &attributes, |markup| {
                        markup.text("SampleValue", &[], field.sample);
                    });
                }
            });
        });
    })
}

/// Returns the name of a kind of property.
const fn kind(kind: PropertyKind) -> &'static str {
    match kind {
        PropertyKind::Text => "string",
        PropertyKind::Texts => "string[]",
        PropertyKind::Url => "url",
        PropertyKind::Int => "int",
        PropertyKind::Ints => "int[]",
        PropertyKind::Double => "double",
        PropertyKind::Boolean => "boolean",
        PropertyKind::DateTime => "datetime",
        PropertyKind::Color => "color",
    }
}
