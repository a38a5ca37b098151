//! Reads `[[transform.entity]]`: the mapping language, checked against the record type of the capability.

use std::collections::BTreeMap;

use super::problem::{Origin, did_you_mean, expected_of};
use super::reader::{Findings, Reader, flag, text, texts};
use super::sections::colour;
use super::transforms::entity_type;
use super::tree::{Data, Node};
use crate::domain::{Kind, Schema};
use crate::maltego::types;
use crate::mapping::{Condition, EntityRule, MarkRule, PropertyRule, Scale, Template, humanised};

/// Reads the rules of a transform; one without any is a fault.
pub(super) fn entities(
    findings: &Findings,
    transform: &Node,
    entities: Option<&Node>,
    schema: &'static Schema,
    scales: &BTreeMap<String, Scale>,
) -> Vec<EntityRule> {
    let nodes = match entities.map(|node| &node.data) {
        Some(Data::List(nodes)) if !nodes.is_empty() => nodes,
        _ => {
            findings.error(&transform.origin, "expected at least one [[transform.entity]]");
            return Vec::new();
        }
    };
    nodes
        .iter()
        .filter_map(|node| entity(findings, node, schema, scales))
        .collect()
}

/// Resolves the names of one rule: in the list that is walked first, then in the record.
struct Names<'a> {
    findings: &'a Findings,
    list: Option<&'static Schema>,
    schema: &'static Schema,
}

impl Names<'_> {
    fn kind(&self, name: &str) -> Option<Kind> {
        let field = self
            .list
            .and_then(|list| list.field(name))
            .or_else(|| self.schema.field(name));
        field.map(|field| field.kind)
    }

    /// Returns a field's kind, or says that there is no such field.
    fn check(&self, origin: &Origin, name: &str) -> Option<Kind> {
        let found = self.kind(name);
        if found.is_none() {
            let own = self.list.into_iter().flat_map(|list| list.fields);
            let names = own.chain(self.schema.fields).map(|field| field.name);
            let of = self.list.map_or(self.schema.name, |list| list.name);
            let hint = expected_of(name, names);
            self.findings
                .error(origin, format!("unknown field \"{name}\" of {of}{hint}"));
        }
        found
    }

    /// Checks a field that has to have a text of its own.
    fn check_text(&self, origin: &Origin, name: &str) -> Option<Kind> {
        let kind = self.check(origin, name)?;
        if matches!(kind, Kind::Records(_)) {
            let message = format!("field \"{name}\" is a list; walk it with each = \"{name}\"");
            self.findings.error(origin, message);
            return None;
        }
        Some(kind)
    }

    fn template(&self, node: &Node, bare_is_field: bool) -> Option<Template> {
        let fault = |message: String| self.findings.error(&node.origin, message);
        let given = text(node).map_err(fault).ok()?;
        if bare_is_field && !given.contains(['{', '}', '[', ']']) {
            self.check_text(&node.origin, &given)?;
            return Some(Template::of_field(&given));
        }
        if self.kind(&given).is_some() {
            fault(format!("\"{given}\" is a field; write \"{{{given}}}\""));
            return None;
        }
        let template = Template::parse(&given)
            .map_err(|error| fault(format!("template \"{given}\": {error}")))
            .ok()?;
        let unknown = template
            .fields()
            .filter(|name| self.check_text(&node.origin, name).is_none())
            .count();
        (unknown == 0).then_some(template)
    }

    fn when(&self, node: Option<&Node>) -> BTreeMap<String, Condition> {
        let Some(node) = node else { return BTreeMap::new() };
        let Data::Table(entries) = &node.data else {
            self.findings.error(
                &node.origin,
                format!(
                    "when: expected a table such as {{ role = \"registrant\" }}, found {}",
                    node.what()
                ),
            );
            return BTreeMap::new();
        };
        let mut when = BTreeMap::new();
        for entry in entries {
            if self.check(&entry.origin, &entry.name).is_none() {
                continue;
            }
            let condition = match &entry.node.data {
                Data::Flag(wanted) => Ok(Condition::Present(*wanted)),
                Data::Integer(number) => Ok(Condition::AnyOf(vec![number.to_string()])),
                _ => texts(&entry.node).map(Condition::AnyOf),
            };
            match condition {
                Ok(condition) => {
                    when.insert(entry.name.clone(), condition);
                }
                Err(message) => self
                    .findings
                    .error(&entry.node.origin, format!("{}: {message}", entry.name)),
            }
        }
        when
    }
}

fn entity(
    findings: &Findings,
    node: &Node,
    schema: &'static Schema,
    scales: &BTreeMap<String, Scale>,
) -> Option<EntityRule> {
    let reader = Reader::new(findings, "transform.entity", node);
    let each = reader.value("each", |node| {
        let name = text(node)?;
        if schema.list(&name).is_some() {
            return Ok(name);
        }
        let lists = schema
            .fields
            .iter()
            .filter(|field| matches!(field.kind, Kind::Records(_)));
        let lists: Vec<_> = lists.map(|field| field.name).collect();
        Err(format!(
            "{} has no list \"{name}\"{}",
            schema.name,
            expected_of(&name, lists)
        ))
    });
    let names = Names {
        findings,
        list: each.as_deref().and_then(|name| schema.list(name)),
        schema,
    };
    let on_input = reader.value("on", |node| match text(node)?.as_str() {
        "input" => Ok(true),
        other => Err(format!("expected \"input\", found \"{other}\"")),
    });
    let on_input = on_input.unwrap_or(false);
    let type_id = reader.get("type").and_then(|node| {
        let given = text(node)
            .map_err(|message| findings.error(&node.origin, format!("type: {message}")))
            .ok()?;
        entity_type(findings, &node.origin, &given).then_some(given)
    });
    let value = value(&reader, &names, on_input, type_id.is_some());
    let when = names.when(reader.get("when"));
    let link = reader.get("link").and_then(|node| names.template(node, false));
    let fields = reader
        .get("fields")
        .map(|node| fields(node, &names, type_id.as_deref()))
        .unwrap_or_default();
    let show = reader
        .get("show")
        .map(|node| show(node, &names))
        .unwrap_or_default();
    let band = reader.get("band").and_then(|node| band(node, &names, scales));
    let marks = reader
        .get("mark")
        .map(|node| marks(node, &names))
        .unwrap_or_default();
    reader.finish();
    Some(EntityRule {
        type_id,
        value: value?,
        each,
        when,
        link,
        fields,
        show,
        band,
        marks,
        on_input,
    })
}

fn value(reader: &Reader<'_>, names: &Names<'_>, on_input: bool, has_type: bool) -> Option<Template> {
    let Some(node) = reader.get("value") else {
        if !on_input {
            names.findings.error(reader.origin, "\"value\" is missing");
        }
        return on_input.then(|| Template { pieces: Vec::new() });
    };
    if on_input {
        names
            .findings
            .error(&node.origin, "value: an annotated input keeps its own");
        return None;
    }
    let template = names.template(node, true)?;
    let kind = template.single_field().and_then(|name| names.kind(name));
    if !has_type && kind.and_then(|kind| kind.entity_type()).is_none() {
        let why = if kind.is_some() {
            "this field has none of its own"
        } else {
            "a template has none of its own"
        };
        names
            .findings
            .error(&node.origin, format!("value: \"type\" is needed, since {why}"));
        return None;
    }
    Some(template)
}

fn fields(node: &Node, names: &Names<'_>, type_id: Option<&str>) -> Vec<PropertyRule> {
    let findings = names.findings;
    let Data::Table(entries) = &node.data else {
        findings.error(
            &node.origin,
            format!(
                "fields: expected a table such as {{ registrar = \"Registrar\" }}, found {}",
                node.what()
            ),
        );
        return Vec::new();
    };
    let mut rules = Vec::new();
    for entry in entries {
        if names.check(&entry.origin, &entry.name).is_none() {
            continue;
        }
        let rule = |property: Option<String>, title: Option<String>, strict| {
            let declared = property
                .as_deref()
                .and_then(|name| types::property(type_id?, name));
            let title = title.or_else(|| declared.map(|known| known.display_name.to_owned()));
            PropertyRule {
                field: entry.name.clone(),
                title: title.unwrap_or_else(|| humanised(&entry.name)),
                property,
                strict,
            }
        };
        match &entry.node.data {
            Data::Text(title) => rules.push(rule(None, Some(title.clone()), false)),
            Data::Table(_) => {
                let reader = Reader::new(findings, "fields", &entry.node);
                let property = reader
                    .value("property", text)
                    .filter(|name| !name.trim().is_empty());
                let title = reader.value("title", text);
                let strict = reader.value("strict", flag).unwrap_or(false);
                reader.finish();
                rules.push(rule(property, title, strict));
            }
            _ => {
                let message = format!(
                    "{}: expected a title or {{ property = \"…\", title = \"…\", strict = false }}, found {}",
                    entry.name,
                    entry.node.what()
                );
                findings.error(&entry.node.origin, message);
            }
        }
    }
    rules
}

fn show(node: &Node, names: &Names<'_>) -> Vec<String> {
    let nodes = match &node.data {
        Data::List(nodes) => nodes.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let name = |node: &Node| match text(node) {
        Ok(name) => names.check(&node.origin, &name).map(|_| name),
        Err(message) => {
            names.findings.error(&node.origin, format!("show: {message}"));
            None
        }
    };
    nodes.iter().filter_map(name).collect()
}

fn band(node: &Node, names: &Names<'_>, scales: &BTreeMap<String, Scale>) -> Option<(String, String)> {
    let reader = Reader::new(names.findings, "band", node);
    let by = reader.required("by");
    let scale = reader.required("scale");
    reader.finish();
    let ((by, by_origin), (scale, scale_origin)) = by.zip(scale)?;
    match names.check(by_origin, &by)? {
        Kind::Integer => {}
        _ => {
            names
                .findings
                .error(by_origin, format!("by: field \"{by}\" is no whole number"));
            return None;
        }
    }
    if !scales.contains_key(&scale) {
        let hint = did_you_mean(&scale, scales.keys().map(String::as_str));
        names.findings.error(
            scale_origin,
            format!("unknown scale \"{scale}\"{hint}; scales stand in [scales]"),
        );
        return None;
    }
    Some((by, scale))
}

fn marks(node: &Node, names: &Names<'_>) -> Vec<MarkRule> {
    let nodes = match &node.data {
        Data::List(nodes) => nodes.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mark = |node: &Node| {
        let reader = Reader::new(names.findings, "mark", node);
        let when = names.when(reader.get("when"));
        let overlay = reader.value("overlay", text);
        let bookmark = reader.value("bookmark", colour);
        if reader.get("overlay").is_none() && reader.get("bookmark").is_none() {
            names
                .findings
                .error(&node.origin, "mark: expected \"overlay\", \"bookmark\" or both");
        }
        reader.finish();
        MarkRule {
            when,
            overlay,
            bookmark,
        }
    };
    nodes.iter().map(mark).collect()
}
