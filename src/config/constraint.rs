//! Reads what a transform's input has to be: `constraint` of `[[transform]]`.

use super::problem::Origin;
use super::reader::{Findings, Reader, flag, text};
use super::transforms::entity_type;
use super::tree::{Data, Node};
use crate::maltego::constraint::{
    InputConstraint, MatchPlace, Operation, Pattern, PropertyConstraint, PropertyPart,
};

/// The most tables within tables.
const MOST_DEPTH: usize = 8;
/// The most parts of a composite constraint.
const MOST_PARTS: usize = 32;
const OPERATIONS: [(&str, Operation); 3] = [
    ("all", Operation::All),
    ("any", Operation::Any),
    ("none", Operation::None),
];
const PLACES: [(&str, MatchPlace); 3] = [
    ("contains", MatchPlace::Contains),
    ("starts_with", MatchPlace::StartsWith),
    ("ends_with", MatchPlace::EndsWith),
];

/// Reads a constraint of an entity.
pub(super) fn constraint(findings: &Findings, node: &Node) -> Option<InputConstraint> {
    of_entity(findings, node, 0)
}

fn of_entity(findings: &Findings, node: &Node, depth: usize) -> Option<InputConstraint> {
    let reader = Reader::new(findings, "constraint", node);
    let keys = ["type", "property", "all", "any", "none"];
    if !has_one(&reader, &keys, depth) {
        return None;
    }
    let read = if reader.has("type") {
        let (id, origin) = reader.required("type")?;
        entity_type(findings, origin, &id).then_some(InputConstraint::Type(id))
    } else if let Some(node) = reader.get("property") {
        of_property(findings, node, depth + 1).map(InputConstraint::Property)
    } else {
        composite(&reader, |node| of_entity(findings, node, depth + 1))
            .map(|(operation, parts)| InputConstraint::Composite(operation, parts))
    };
    reader.finish();
    read
}

fn of_property(findings: &Findings, node: &Node, depth: usize) -> Option<PropertyConstraint> {
    let reader = Reader::new(findings, "constraint", node);
    let keys = [
        "equals",
        "contains",
        "starts_with",
        "ends_with",
        "matches",
        "all",
        "any",
        "none",
    ];
    if !has_one(&reader, &keys, depth) {
        return None;
    }
    let read = if OPERATIONS.iter().any(|(name, _)| reader.has(name)) {
        composite(&reader, |node| of_property(findings, node, depth + 1))
            .map(|(operation, parts)| PropertyConstraint::Composite(operation, parts))
    } else {
        leaf(&reader)
    };
    reader.finish();
    read
}

/// Reads what one part of a property has to be.
fn leaf(reader: &Reader<'_>) -> Option<PropertyConstraint> {
    let (of, origin) = reader.required("of")?;
    let part = match of.as_str() {
        "value" => Some(PropertyPart::Value),
        "display_name" => Some(PropertyPart::DisplayName),
        "name" => Some(PropertyPart::Name),
        "type" => None,
        _ => {
            let hint = super::problem::expected_of(&of, ["value", "display_name", "name", "type"]);
            reader
                .findings
                .error(origin, format!("of: unknown part \"{of}\"{hint}"));
            return None;
        }
    };
    let Some(part) = part else {
        if !reader.has("equals") {
            reader
                .findings
                .error(origin, "of: a type is compared as a whole; expected \"equals\"");
        }
        let value = reader.value("equals", text)?;
        let ignore_case = reader.value("ignore_case", flag).unwrap_or(false);
        return Some(PropertyConstraint::TypeEquals { value, ignore_case });
    };
    if reader.has("matches") {
        let pattern = reader.value("matches", |node| Pattern::try_from(text(node)?))?;
        return Some(PropertyConstraint::Regex { part, pattern });
    }
    let ignore_case = reader.value("ignore_case", flag).unwrap_or(false);
    if reader.has("equals") {
        let value = reader.value("equals", text)?;
        return Some(PropertyConstraint::Equals {
            part,
            value,
            ignore_case,
        });
    }
    let (name, place) = PLACES.into_iter().find(|(name, _)| reader.has(name))?;
    let value = reader.value(name, text)?;
    Some(PropertyConstraint::Matches {
        part,
        place,
        value,
        ignore_case,
    })
}

/// Reads the parts of a composite constraint.
fn composite<T>(
    reader: &Reader<'_>,
    mut read: impl FnMut(&Node) -> Option<T>,
) -> Option<(Operation, Vec<T>)> {
    let (name, operation) = OPERATIONS.into_iter().find(|(name, _)| reader.has(name))?;
    let node = reader.get(name)?;
    let Data::List(nodes) = &node.data else {
        let message = format!("{name}: expected a list of tables, found {}", node.what());
        reader.findings.error(&node.origin, message);
        return None;
    };
    if nodes.is_empty() || nodes.len() > MOST_PARTS {
        let message = format!("{name}: expected 1 to {MOST_PARTS} tables, found {}", nodes.len());
        reader.findings.error(&node.origin, message);
        return None;
    }
    // All of them are read, so that all faults are told at once.
    let parts: Vec<Option<T>> = nodes.iter().map(&mut read).collect();
    let parts = parts.into_iter().collect::<Option<Vec<T>>>()?;
    Some((operation, parts))
}

/// Tells whether a table says one thing; says so if it does not.
fn has_one(reader: &Reader<'_>, keys: &[&str], depth: usize) -> bool {
    let error = |origin: &Origin, message: String| reader.findings.error(origin, message);
    if depth > MOST_DEPTH {
        error(
            reader.origin,
            format!("constraint: at most {MOST_DEPTH} tables within tables are taken"),
        );
        return false;
    }
    let given: Vec<&str> = keys.iter().copied().filter(|key| reader.has(key)).collect();
    match given.as_slice() {
        [_] => true,
        [] => {
            error(
                reader.origin,
                format!("constraint: expected one of {}", keys.join(", ")),
            );
            false
        }
        several => {
            error(
                reader.origin,
                format!(
                    "constraint: {} cannot stand in one table; put each into a table of a list `all`",
                    several.join(" and ")
                ),
            );
            false
        }
    }
}
