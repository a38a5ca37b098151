//! What clients import beside transforms: entity types, icons, machines and sets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::listing;
use crate::definitions::{self, EntityDefinition, LAST_IN_ORDER};
use crate::icons::{self, Icon};
use crate::listing::Listing;
use crate::machine;
use crate::types::PropertyKind;

/// The version of entity types and icons, which says nothing where it never changes.
const VERSION: &str = "1.0.0";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Assets {
    entities: Vec<EntityType>,
    icons: Vec<IconData>,
    machines: Vec<Machine>,
    transform_sets: Vec<Set>,
    o_auth_service: [(); 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntityType {
    id: &'static str,
    version: &'static str,
    display_name: &'static str,
    display_name_plural: &'static str,
    icon_resource: &'static str,
    description: &'static str,
    category: &'static str,
    visible: bool,
    allowed_root: bool,
    conversion_order: u32,
    base_entities: &'static [&'static str],
    overlays: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Properties>,
    #[serde(skip_serializing_if = "Option::is_none")]
    regex_converter: Option<Converter>,
    actions: [(); 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    value: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_value: Option<&'static str>,
    fields: Vec<Field>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Field {
    name: &'static str,
    matching_rule: &'static str,
    r#type: &'static str,
    display_name: &'static str,
    nullable: bool,
    hidden: bool,
    readonly: bool,
    description: &'static str,
    is_array: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample_value: Option<&'static str>,
}

#[derive(Serialize)]
struct Converter {
    regex: &'static str,
    groups: &'static [&'static str],
}

#[derive(Serialize)]
struct IconData {
    name: &'static str,
    format: &'static str,
    category: &'static str,
    version: &'static str,
    data: Vec<Pixels>,
}

#[derive(Serialize)]
struct Pixels {
    size: u32,
    blob: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Machine {
    name: &'static str,
    favorite: bool,
    enabled: bool,
    read_only: bool,
    code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refs: Option<References>,
}

/// Lists what a machine needs of a client.
#[derive(Serialize)]
struct References {
    transforms: Vec<String>,
    entities: Vec<String>,
    indeterminate: bool,
}

#[derive(Serialize)]
struct Set {
    name: String,
    transforms: Vec<String>,
}

/// Writes all assets.
#[must_use]
pub fn all(listing: &Listing) -> Vec<u8> {
    super::bytes(&Assets {
        entities: types(),
        icons: drawn(),
        machines: written(listing, false),
        transform_sets: grouped(listing),
        o_auth_service: [],
    })
}

/// Writes the entity types.
#[must_use]
pub fn entities() -> Vec<u8> {
    super::bytes(&types())
}

/// Writes the icons.
#[must_use]
pub fn icons() -> Vec<u8> {
    super::bytes(&drawn())
}

/// Writes the machines, with what each needs where that is asked for.
#[must_use]
pub fn machines(listing: &Listing, with_references: bool) -> Vec<u8> {
    super::bytes(&written(listing, with_references))
}

/// Writes the sets of transforms.
#[must_use]
pub fn sets(listing: &Listing) -> Vec<u8> {
    super::bytes(&grouped(listing))
}

/// Writes the services by which clients get tokens for providers: there are none.
#[must_use]
pub fn oauth_services() -> Vec<u8> {
    super::bytes(&[(); 0])
}

/// Counts entity types, their categories, icons and machines.
#[must_use]
pub fn counts(listing: &Listing) -> [usize; 4] {
    let categories: std::collections::HashSet<_> =
        definitions::definitions().map(|one| one.category).collect();
    [
        definitions::definitions().count(),
        categories.len(),
        icons::icons().count(),
        written(listing, false).len(),
    ]
}

fn types() -> Vec<EntityType> {
    definitions::definitions().map(entity_type).collect()
}

fn entity_type(definition: &'static EntityDefinition) -> EntityType {
    let entity = definition.entity;
    let fields = definition.fields().map(|field| Field {
        name: field.property.name,
        matching_rule: if field.property.strict { "strict" } else { "loose" },
        r#type: field_type(field.property.kind),
        display_name: field.property.display_name,
        nullable: true,
        hidden: false,
        readonly: false,
        description: field.about,
        is_array: matches!(field.property.kind, PropertyKind::Texts | PropertyKind::Ints),
        sample_value: Some(field.sample).filter(|sample| !sample.is_empty()),
    });
    EntityType {
        id: entity.id,
        version: VERSION,
        display_name: entity.display_name,
        display_name_plural: definition.plural,
        icon_resource: definition.icon,
        description: definition.about,
        category: definition.category,
        visible: true,
        allowed_root: true,
        conversion_order: definition.conversion_order.unwrap_or(LAST_IN_ORDER),
        base_entities: definition.parents(),
        overlays: [],
        properties: entity.value_property.map(|value| Properties {
            value,
            display_value: entity.display_property,
            fields: fields.collect(),
        }),
        regex_converter: definition.converter.map(|one| Converter {
            regex: one.regex,
            groups: one.groups,
        }),
        actions: [],
    }
}

const fn field_type(kind: PropertyKind) -> &'static str {
    match kind {
        PropertyKind::Text | PropertyKind::Texts => "STRING",
        PropertyKind::Url => "URL",
        PropertyKind::Int | PropertyKind::Ints => "INT",
        PropertyKind::Double => "DOUBLE",
        PropertyKind::Boolean => "BOOLEAN",
        PropertyKind::DateTime => "DATE_TIME",
        PropertyKind::Color => "COLOR",
    }
}

fn drawn() -> Vec<IconData> {
    let data = |icon: &'static Icon| {
        let sizes = icon.png.iter();
        sizes
            .map(|(size, png)| Pixels {
                size: *size,
                blob: STANDARD.encode(png),
            })
            .collect()
    };
    let icons = icons::icons();
    icons
        .map(|icon| IconData {
            name: icon.name,
            format: "png",
            category: icon.category,
            version: VERSION,
            data: data(icon),
        })
        .collect()
}

fn written(listing: &Listing, with_references: bool) -> Vec<Machine> {
    let written = machine::machines().filter_map(|machine| {
        let code = machine.code(listing, |entry| listing::id(&entry.transform.name))?;
        Some(Machine {
            name: machine.id,
            favorite: false,
            enabled: true,
            read_only: false,
            refs: with_references.then(|| references(&code)),
            code,
        })
    });
    written.collect()
}

/// Finds what the text of a machine names.
fn references(code: &str) -> References {
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let (mut transforms, mut entities) = (Vec::new(), Vec::new());
    let mut runs = 0;
    for line in lines.map(str::trim_start) {
        for (start, names) in [("run(\"", &mut transforms), ("type(\"", &mut entities)] {
            let named = line.strip_prefix(start).and_then(|rest| rest.split('"').next());
            if let Some(name) = named.filter(|name| !names.iter().any(|known| known == name)) {
                names.push(name.to_owned());
            }
        }
        runs += usize::from(line.starts_with("run("));
    }
    References {
        indeterminate: runs > 0 && transforms.is_empty(),
        transforms,
        entities,
    }
}

fn grouped(listing: &Listing) -> Vec<Set> {
    let mut sets: Vec<Set> = Vec::new();
    for transform in listing.offered() {
        let id = listing::id(&transform.name);
        match sets.iter_mut().find(|set| set.name == transform.set) {
            Some(set) => set.transforms.push(id),
            None => sets.push(Set {
                name: transform.set.clone(),
                transforms: vec![id],
            }),
        }
    }
    sets
}
