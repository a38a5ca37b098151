//! The listing of transforms.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::client::{Capability, Client};
use super::values;
use crate::constraint::InputConstraint;
use crate::listing::{ListedTransform, Listing, OWNER, TransformSetting};

/// The namespace of transforms whose names have none.
const NAMESPACE: &str = "pivotd.";
const GLOBAL: &str = "global#";
/// Ends the name of the setting that buys.
const BUY: &str = ".buy";
const INPUT_CONSTRAINTS: &str = "inputConstraints";
/// The capabilities of transforms by which clients can ask for them.
const TRANSFORM_CAPABILITIES: [&str; 4] = [
    "interactive",
    INPUT_CONSTRAINTS,
    "compositeEntities",
    "propertyTransform",
];

#[derive(Serialize)]
struct Transforms<'a> {
    transforms: Vec<Transform<'a>>,
    oauth: [(); 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Transform<'a> {
    name: String,
    display_name: &'a str,
    input: Ends<'a>,
    output: Ends<'a>,
    description: &'a str,
    author: &'a str,
    owner: &'a str,
    version: &'a str,
    sets: [&'a str; 1],
    max_entity_input_count: u32,
    max_entity_output_count: u32,
    transform_settings: Vec<Setting<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    transform_capabilities: &'static [&'static str],
}

/// Says what a transform takes, or gives.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ends<'a> {
    r#type: &'static str,
    type_ids: &'a [String],
    /// No version of a type is asked for.
    type_versions: BTreeMap<&'a str, ()>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_constraint: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Setting<'a> {
    display_name: &'a str,
    r#type: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_value: Option<Value>,
    optional: bool,
    popup: bool,
    is_global: bool,
    auth: bool,
}

/// Returns the id of a transform: its name, which has to have a namespace.
#[must_use]
pub fn id(name: &str) -> String {
    if name.contains('.') {
        name.to_owned()
    } else {
        format!("{NAMESPACE}{name}")
    }
}

/// Finds a transform by its id, or by its name.
#[must_use]
pub fn find<'a>(listing: &'a Listing, id: &str) -> Option<&'a ListedTransform> {
    let id = id.trim_matches('.');
    let named = |name: &str| {
        let mut all = listing.transforms().iter();
        all.find(|one| one.name.eq_ignore_ascii_case(name))
    };
    named(id).or_else(|| named(id.strip_prefix(NAMESPACE)?))
}

/// Writes the transforms that are offered. `wanted` is the client's list of capabilities that each must have, if there is one.
#[must_use]
pub fn transforms(listing: &Listing, client: Client, wanted: Option<&str>, version: &str) -> Vec<u8> {
    let wanted: Vec<&str> = wanted.unwrap_or_default().split(',').map(str::trim).collect();
    let is_wanted = |one: &ListedTransform| {
        let mut known = TRANSFORM_CAPABILITIES
            .iter()
            .filter(|known| wanted.contains(known));
        known.all(|known| capabilities(one).contains(known))
    };
    let knows_it =
        |one: &ListedTransform| one.constraint.is_none() || client.can(Capability::InputConstraints);
    let offered = listing.offered().filter(|one| is_wanted(one) && knows_it(one));
    super::bytes(&Transforms {
        transforms: offered.map(|one| described(one, client, version)).collect(),
        oauth: [],
    })
}

/// Writes one transform.
#[must_use]
pub fn transform(transform: &ListedTransform, client: Client, version: &str) -> Vec<u8> {
    super::bytes(&described(transform, client, version))
}

/// Lists what a client has to know so that a transform is offered to it.
fn capabilities(transform: &ListedTransform) -> &'static [&'static str] {
    match transform.constraint {
        Some(_) => &[INPUT_CONSTRAINTS],
        None => &[],
    }
}

fn described<'a>(transform: &'a ListedTransform, client: Client, version: &'a str) -> Transform<'a> {
    // A client that can ask its user is asked when it comes to that.
    let prompts = client.can(Capability::PromptBase);
    let settings = transform.settings.iter();
    Transform {
        name: id(&transform.name),
        display_name: &transform.title,
        input: Ends {
            input_constraint: transform.constraint.as_ref().map(InputConstraint::json),
            ..ends("ENTITY", &transform.inputs)
        },
        output: ends("ENTITIES", &transform.outputs),
        description: &transform.about,
        author: OWNER,
        owner: OWNER,
        version,
        sets: [&transform.set],
        max_entity_input_count: 0,
        max_entity_output_count: 0,
        transform_settings: settings.map(|one| setting(one, prompts)).collect(),
        transform_capabilities: capabilities(transform),
    }
}

fn ends<'a>(kind: &'static str, types: &'a [String]) -> Ends<'a> {
    Ends {
        r#type: kind,
        type_ids: types,
        type_versions: types.iter().map(|id| (id.as_str(), ())).collect(),
        input_constraint: None,
    }
}

fn setting(setting: &TransformSetting, prompts: bool) -> Setting<'_> {
    Setting {
        display_name: &setting.display,
        r#type: values::setting_type(setting.kind),
        name: &setting.name,
        default_value: setting
            .default
            .as_deref()
            .map(|text| values::starting(text, setting.kind)),
        optional: setting.optional,
        popup: setting.popup && !(prompts && setting.name.ends_with(BUY)),
        is_global: setting.name.starts_with(GLOBAL),
        auth: setting.secret,
    }
}
