//! Checks what a request says of itself, and finds the entities that a transform runs on.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::detail::Refusal;
use super::request::{RunEntity, RunProperty, RunRequest};
use super::values;
use crate::constraint::KnownProperty;
use crate::listing::ListedTransform;
use crate::request::{InputEntity, UNKNOWN};
use crate::types;

/// The type of a property whose value is the id of another entity.
const REFERENCE: &str = "ENTITY";

/// Is an entity that a transform runs on.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// The id by which events name it.
    pub id: String,
    /// The entity.
    pub entity: InputEntity,
}

/// Finds the entities that a transform runs on, in the order of their ids: those to which no other entity refers.
///
/// # Errors
/// [`Refusal::Wrong`] where ids repeat, references lead nowhere or in a circle, or a link has no end.
pub fn inputs(request: &RunRequest) -> Result<Vec<Input>, Refusal> {
    const MALFORMED: Refusal = Refusal::Wrong("Invalid request: malformed input entities");
    let mut places: HashMap<&str, usize> = HashMap::with_capacity(request.entities.len());
    for (at, entity) in request.entities.iter().enumerate() {
        if places.insert(&entity.id, at).is_some() {
            return Err(MALFORMED);
        }
    }
    let mut leads_to: Vec<Vec<usize>> = Vec::with_capacity(request.entities.len());
    let mut referred = HashSet::new();
    for entity in &request.entities {
        let targets = references(entity)
            .map(|id| places.get(id).copied())
            .collect::<Option<Vec<usize>>>()
            .ok_or(MALFORMED)?;
        referred.extend(targets.iter().copied());
        leads_to.push(targets);
    }
    if has_circle(&leads_to) {
        return Err(MALFORMED);
    }
    let is_known = |id: &Option<String>| id.as_deref().is_some_and(|id| places.contains_key(id));
    if !request
        .links
        .iter()
        .all(|link| is_known(&link.source) && is_known(&link.target))
    {
        return Err(Refusal::Wrong("Invalid input."));
    }
    let own = request.entities.iter().enumerate();
    let mut inputs: Vec<Input> = own
        .filter(|(at, _)| !referred.contains(at))
        .map(|(_, entity)| Input {
            id: entity.id.clone(),
            entity: input(entity),
        })
        .collect();
    inputs.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(inputs)
}

/// Keeps those inputs that are of one of these types, or of a type that stands on one. Where none is, all are kept of a client
/// that cannot know which types it may send, so that the run says what is wrong with each.
///
/// # Errors
/// [`Refusal::Wrong`] where none is left.
pub fn fitting(inputs: Vec<Input>, types: &[String], client_knows: bool) -> Result<Vec<Input>, Refusal> {
    let fits = |input: &Input| {
        types
            .iter()
            .any(|wanted| input.entity.is_a(wanted) || wanted == UNKNOWN)
    };
    let any = inputs.iter().any(fits);
    if inputs.is_empty() || !any && client_knows {
        return Err(Refusal::Wrong("No input entity matches the transforms signature"));
    }
    Ok(inputs.into_iter().filter(|input| !any || fits(input)).collect())
}

/// Parts the inputs on which a transform runs from those that do not satisfy its constraint, and says of these why it does not.
#[must_use]
pub fn constrained(
    listed: &ListedTransform,
    request: &RunRequest,
    inputs: Vec<Input>,
) -> (Vec<Input>, Vec<(Input, String)>) {
    let Some(constraint) = &listed.constraint else {
        return (inputs, Vec::new());
    };
    let sent: HashMap<&str, &RunEntity> = request
        .entities
        .iter()
        .map(|entity| (entity.id.as_str(), entity))
        .collect();
    let (mut kept, mut rejected) = (Vec::new(), Vec::new());
    for input in inputs {
        let own = sent.get(input.id.as_str());
        let own = own.into_iter().flat_map(|entity| &entity.properties);
        let properties: Vec<_> = own.map(known_property).collect();
        match constraint.rejection(&listed.title, &input.entity, &properties) {
            Some(why) => rejected.push((input, why)),
            None => kept.push(input),
        }
    }
    (kept, rejected)
}

fn known_property(property: &RunProperty) -> KnownProperty<'_> {
    // Of the entities to which a property refers, the value is not looked at.
    let is_known = property.kind != REFERENCE;
    let values = match &property.value {
        Value::Array(all) => all.iter().filter_map(values::text).collect(),
        value => values::text(value).into_iter().collect(),
    };
    KnownProperty {
        name: Some(&property.name),
        display_name: property.display_name.as_deref(),
        kind: Some(&property.kind),
        values: is_known.then_some(values),
    }
}

/// Says in which words a request contradicts its own graph; nothing where it does not.
#[must_use]
pub fn contradictions(request: &RunRequest) -> &'static [&'static str] {
    let Some(total) = request.metadata.entities else {
        return &["Malformed request body"];
    };
    if i64::try_from(request.entities.len()).ok() != Some(total) {
        return &["Mismatch between number of entities in request and number of entities in metadata"];
    }
    let mut counted: HashMap<&str, i64> = HashMap::new();
    for entity in &request.entities {
        let own = entity.type_id.as_deref().into_iter();
        for id in own.chain(entity.base_entities.iter().map(String::as_str)) {
            *counted.entry(id).or_default() += 1;
        }
    }
    let said = request.metadata.types.iter().filter(|(_, count)| *count != 0);
    let said: HashMap<&str, i64> = said.map(|(id, count)| (id.as_str(), *count)).collect();
    if counted == said {
        &[]
    } else {
        &[
            "Metadata validation failed",
            "Mismatch between request metadata and actual content",
        ]
    }
}

/// Lists the ids of the entities to which one refers.
fn references(entity: &RunEntity) -> impl Iterator<Item = &str> {
    let properties = entity
        .properties
        .iter()
        .filter(|property| property.kind == REFERENCE);
    properties.flat_map(|property| {
        let (one, many): (Option<&Value>, &[Value]) = match &property.value {
            Value::Array(all) => (None, all),
            value => (Some(value), &[]),
        };
        one.into_iter().chain(many).filter_map(Value::as_str)
    })
}

/// Tells whether references lead back to where they began.
fn has_circle(leads_to: &[Vec<usize>]) -> bool {
    let mut referred = vec![0_usize; leads_to.len()];
    for at in leads_to.iter().flatten() {
        if let Some(count) = referred.get_mut(*at) {
            *count += 1;
        }
    }
    let counts = referred.iter().enumerate();
    let mut free: Vec<usize> = counts
        .filter(|(_, count)| **count == 0)
        .map(|(at, _)| at)
        .collect();
    let mut seen = 0;
    while let Some(at) = free.pop() {
        seen += 1;
        for next in leads_to.get(at).into_iter().flatten() {
            if let Some(count) = referred.get_mut(*next) {
                *count -= 1;
                if *count == 0 {
                    free.push(*next);
                }
            }
        }
    }
    seen < leads_to.len()
}

/// Makes an entity of the model that all protocols share.
fn input(entity: &RunEntity) -> InputEntity {
    let type_id = entity.type_id.clone().unwrap_or_default();
    let bases = entity.base_entities.iter().map(|id| (id.clone(), String::new()));
    let genealogy = std::iter::once((type_id.clone(), String::new()))
        .chain(bases)
        .collect();
    let said = entity
        .properties
        .iter()
        .filter(|property| property.kind != REFERENCE);
    let mut fields: Vec<(String, String)> = Vec::with_capacity(entity.properties.len());
    let mut strict_fields = Vec::new();
    for property in said {
        let Some(text) = values::text(&property.value) else {
            continue;
        };
        match fields.iter_mut().find(|(name, _)| *name == property.name) {
            Some((_, value)) => *value = text,
            None => fields.push((property.name.clone(), text)),
        }
        if property.strict {
            strict_fields.push(property.name.clone());
        }
    }
    let named = entity
        .value_ref
        .as_deref()
        .or_else(|| types::value_property(&type_id));
    let value = named.and_then(|name| fields.iter().find(|(known, _)| known == name));
    let mut input = InputEntity {
        value: value.map(|(_, value)| value.clone()).unwrap_or_default(),
        weight: u32::try_from(entity.weight.max(0)).unwrap_or(u32::MAX),
        fields,
        strict_fields,
        declared_type: type_id,
        ..InputEntity::default()
    };
    input.resolve(genealogy);
    input
}
