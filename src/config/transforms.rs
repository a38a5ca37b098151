//! Reads `[[transform]]` and checks it against what providers can do and what records hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::constraint;
use super::entities;
use super::problem::{Origin, expected_of};
use super::reader::{Findings, Reader, flag, text};
use super::settings::ProviderSettings;
use super::tree::{Data, Node};
use super::values;
use crate::catalogue::{self, InputSpec, OWN, TransformSource, TransformSpec, own};
use crate::domain::{Capability, IndicatorKind};
use crate::maltego::types;
use crate::mapping::{Plan, Scale};
use crate::providers::{Descriptor, Name, Offer, Providers, Values};

/// What transforms are checked against.
pub(super) struct TransformContext<'a> {
    pub(super) providers: &'a Providers,
    pub(super) settings: &'a BTreeMap<String, ProviderSettings>,
    pub(super) scales: &'a BTreeMap<String, Scale>,
}

/// Reads all transforms, in the order of the file.
pub(super) fn transforms(root: &Reader<'_>, known: &TransformContext<'_>) -> Vec<TransformSpec> {
    let Some(node) = root.get("transform") else {
        return Vec::new();
    };
    let Data::List(nodes) = &node.data else {
        root.findings.error(
            &node.origin,
            format!("transform: expected [[transform]] tables, found {}", node.what()),
        );
        return Vec::new();
    };
    let mut specs: Vec<TransformSpec> = Vec::new();
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    for node in nodes {
        // Transforms are told as a whole, so their parts are not listed as effective values.
        let quiet = Findings::default();
        let spec = transform(&quiet, node, known, &mut lines);
        let (errors, warnings, _) = quiet.into_parts();
        let is_whole = errors.is_empty();
        errors
            .into_iter()
            .for_each(|problem| root.findings.error(&problem.origin, problem.message));
        warnings
            .into_iter()
            .for_each(|problem| root.findings.warn(&problem.origin, problem.message));
        specs.extend(spec.filter(|_| is_whole));
    }
    specs
}

fn transform(
    findings: &Findings,
    node: &Node,
    known: &TransformContext<'_>,
    lines: &mut BTreeMap<String, usize>,
) -> Option<TransformSpec> {
    let reader = Reader::new(findings, "transform", node);
    let name = name(&reader, lines);
    let title = reader.required("title").map(|(title, _)| title);
    let about = reader.required("about").map(|(about, _)| about);
    let set = reader.required("set").map(|(set, _)| set);
    let example = reader.required("example").map(|(example, _)| example);
    let answerers = answerers(&reader, known);
    let capability = capability(&reader);
    let offers = offers(&reader, &answerers, capability);
    let widen = reader.value_or("widen", true, "true", flag);
    let inputs = inputs(&reader, &offers, widen);
    let constraint = reader
        .get("constraint")
        .and_then(|node| constraint::constraint(findings, node));
    let params = params(&reader, &offers);
    let ttl = reader.value("ttl", |node| values::duration(&text(node)?));
    let entities = reader.get("entity");
    reader.finish();
    let capability = capability?.0;
    let entities = entities::entities(findings, node, entities, capability.schema(), known.scales);
    let names: Vec<_> = answerers
        .iter()
        .map(|(descriptor, _)| descriptor.name.to_string())
        .collect();
    let title = title?;
    let plan = Plan::compile(capability.schema(), &title, &entities, &names);
    let answerer = if names == [OWN] {
        TransformSource::Own
    } else {
        TransformSource::Providers(names)
    };
    Some(TransformSpec {
        name: name?,
        title,
        about: about?,
        answerer,
        capability,
        inputs,
        constraint,
        set: set?,
        example: example?,
        params,
        ttl,
        entities,
        plan: Arc::new(plan),
        line: node.origin.line(),
    })
}

fn name(reader: &Reader<'_>, lines: &mut BTreeMap<String, usize>) -> Option<String> {
    let (name, origin) = reader.required("name")?;
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    if !name.chars().all(is_plain) || name.len() > 100 {
        let message = format!("name: expected lower-case letters, digits, dots and dashes, found \"{name}\"");
        reader.findings.error(origin, message);
        return None;
    }
    if let Some(line) = lines.get(&name) {
        reader.findings.error(
            origin,
            format!("name: \"{name}\" is already the name of the transform in line {line}"),
        );
        return None;
    }
    lines.insert(name.clone(), origin.line());
    Some(name)
}

fn answerers<'a>(reader: &Reader<'_>, known: &TransformContext<'a>) -> Vec<(&'a Descriptor, Origin)> {
    let Some(node) = reader.get("provider") else {
        reader.findings.error(reader.origin, "\"provider\" is missing");
        return Vec::new();
    };
    let nodes = match &node.data {
        Data::List(nodes) => nodes.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if nodes.is_empty() {
        reader
            .findings
            .error(&node.origin, "provider: expected a provider's name");
    }
    let mut found: Vec<(&Descriptor, Origin)> = Vec::new();
    for node in nodes {
        let name = match text(node) {
            Ok(name) => name,
            Err(message) => {
                reader
                    .findings
                    .error(&node.origin, format!("provider: {message}"));
                continue;
            }
        };
        let mut all = known.providers.descriptors().chain([&*own::DESCRIPTOR]);
        let Some(descriptor) = all.find(|descriptor| descriptor.name == name) else {
            let all = known.providers.descriptors().chain([&*own::DESCRIPTOR]);
            let hint = expected_of(&name, all.map(|descriptor| descriptor.name.as_str()));
            reader
                .findings
                .error(&node.origin, format!("unknown provider \"{name}\"{hint}"));
            continue;
        };
        if name != OWN && !known.settings.contains_key(&name) {
            reader.findings.error(
                &node.origin,
                format!("provider \"{name}\" has no table [providers.{name}]"),
            );
        }
        if name == OWN && nodes.len() > 1 {
            reader
                .findings
                .error(&node.origin, format!("provider: \"{OWN}\" stands alone"));
        } else if found.iter().any(|(known, _)| known.name == name) {
            reader
                .findings
                .error(&node.origin, format!("provider: \"{name}\" is named twice"));
        } else {
            found.push((descriptor, node.origin.clone()));
        }
    }
    found
}

fn capability<'a>(reader: &Reader<'a>) -> Option<(Capability, &'a Origin)> {
    let (name, origin) = reader.required("capability")?;
    let names = || Capability::ALL.iter().map(|capability| capability.name());
    match name.parse() {
        Ok(capability) => Some((capability, origin)),
        Err(()) => {
            let hint = expected_of(&name, names().collect::<Vec<_>>());
            reader
                .findings
                .error(origin, format!("unknown capability \"{name}\"{hint}"));
            None
        }
    }
}

fn offers<'a>(
    reader: &Reader<'_>,
    answerers: &[(&'a Descriptor, Origin)],
    capability: Option<(Capability, &Origin)>,
) -> Vec<&'a Offer> {
    let Some((capability, origin)) = capability else {
        return Vec::new();
    };
    let offer = |(descriptor, _): &(&'a Descriptor, Origin)| {
        let found = descriptor.offer(capability);
        if found.is_none() {
            let names: Vec<_> = descriptor
                .offers
                .iter()
                .map(|offer| offer.capability.name())
                .collect();
            let hint = expected_of(capability.name(), names);
            reader.findings.error(
                origin,
                format!("{} cannot answer \"{capability}\"{hint}", descriptor.name),
            );
        }
        found
    };
    answerers.iter().filter_map(offer).collect()
}

fn inputs(reader: &Reader<'_>, offers: &[&Offer], widen: bool) -> Vec<InputSpec> {
    let Some(node) = reader.get("input") else {
        reader.findings.error(reader.origin, "\"input\" is missing");
        return Vec::new();
    };
    let nodes = match &node.data {
        Data::List(nodes) => nodes.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if nodes.is_empty() {
        reader.findings.error(
            &node.origin,
            "input: expected an entity type such as \"maltego.Domain\"",
        );
    }
    let mut offered: Vec<IndicatorKind> = offers
        .iter()
        .flat_map(|offer| offer.inputs.iter().copied())
        .collect();
    offered.sort_unstable();
    offered.dedup();
    let mut inputs: Vec<InputSpec> = Vec::new();
    for node in nodes {
        let Some((type_id, query)) = input(reader.findings, node) else {
            continue;
        };
        if inputs.iter().any(|known| known.type_id == type_id) {
            reader
                .findings
                .error(&node.origin, format!("input: {type_id} is named twice"));
            continue;
        }
        match catalogue::input(&type_id, query.as_deref(), &offered, true) {
            Some(input) => inputs.push(input),
            None if offers.is_empty() => {}
            None => {
                let kinds: Vec<_> = offered.iter().map(|kind| kind.name()).collect();
                let message = format!(
                    "input: a {type_id} cannot be asked here; the provider takes {}",
                    kinds.join(", ")
                );
                reader.findings.error(&node.origin, message);
            }
        }
    }
    if widen {
        catalogue::widen(&mut inputs, &offered);
    }
    inputs
}

fn input(findings: &Findings, node: &Node) -> Option<(String, Option<String>)> {
    if !matches!(node.data, Data::Table(_)) {
        let type_id = text(node)
            .map_err(|message| findings.error(&node.origin, format!("input: {message}")))
            .ok()?;
        return entity_type(findings, &node.origin, &type_id).then_some((type_id, None));
    }
    let reader = Reader::new(findings, "input", node);
    let type_id = reader.required("type");
    let query = reader
        .value("query", text)
        .filter(|query| !query.trim().is_empty());
    reader.finish();
    let (type_id, origin) = type_id?;
    entity_type(findings, origin, &type_id).then_some((type_id, query))
}

/// Tells whether an entity type exists; says so if it does not.
pub(super) fn entity_type(findings: &Findings, origin: &Origin, type_id: &str) -> bool {
    if types::lookup(type_id).is_some() {
        return true;
    }
    let message = if let Some(known) = types::by_any_name(type_id) {
        format!(
            "unknown entity type \"{type_id}\", did you mean \"{}\"?",
            known.id
        )
    } else if type_id.starts_with("pivotd.") {
        format!("entity type \"{type_id}\" is not declared")
    } else {
        let hint = super::problem::did_you_mean(type_id, types::all().map(|known| known.id));
        format!("unknown entity type \"{type_id}\"{hint}")
    };
    findings.error(origin, message);
    false
}

fn params(reader: &Reader<'_>, offers: &[&Offer]) -> BTreeMap<String, String> {
    let mut params = BTreeMap::new();
    let Some(node) = reader.get("params") else {
        return params;
    };
    let Data::Table(entries) = &node.data else {
        reader.findings.error(
            &node.origin,
            format!("params: expected a table, found {}", node.what()),
        );
        return params;
    };
    let all: Vec<_> = offers.iter().flat_map(|offer| &offer.params).collect();
    for entry in entries {
        let Some(param) = all.iter().find(|param| param.name == entry.name) else {
            let hint = expected_of(&entry.name, all.iter().map(|param| param.name.as_str()));
            reader.findings.error(
                &entry.origin,
                format!("unknown parameter \"{}\"{hint}", entry.name),
            );
            continue;
        };
        let given = match &entry.node.data {
            Data::Integer(number) => Ok(number.to_string()),
            _ => text(&entry.node),
        };
        match given.map(|given| (param.values.read(&given), given)) {
            Ok((Ok(value), _)) => {
                params.insert(entry.name.clone(), value);
            }
            Ok((Err(expected), given)) => {
                let hint = match &param.values {
                    Values::OneOf(words) => expected_of(&given, words.iter().map(Name::as_str)),
                    Values::Number { .. } => format!("; expected {expected}"),
                };
                reader
                    .findings
                    .error(&entry.node.origin, format!("unknown value \"{given}\"{hint}"));
            }
            Err(message) => reader
                .findings
                .error(&entry.node.origin, format!("{}: {message}", entry.name)),
        }
    }
    params
}
