//! The body of a run, as a client sends it.

use std::fmt;

use serde_json::Value;

use super::detail::{Fault, Refusal, Step};
use super::reader::Reader;

/// How many results a client wants that does not say.
const LIMIT: i64 = 12;
const BOOKMARKS: std::ops::RangeInclusive<i64> = -1..=4;
const SOURCES: [&str; 3] = ["SET", "MACHINE", "DIRECT"];

/// Says how much a body may hold beside its bytes.
#[derive(Clone, Copy, Debug)]
pub struct RunLimits {
    /// Entities.
    pub entities: usize,
    /// Links.
    pub links: usize,
    /// Properties of all entities and links together.
    pub properties: usize,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self {
            entities: 2_000,
            links: 10_000,
            properties: 100_000,
        }
    }
}

/// Holds what a client asks of a transform.
#[derive(Clone, Default, PartialEq)]
pub struct RunRequest {
    /// What it says of its graph.
    pub metadata: Metadata,
    /// The entities.
    pub entities: Vec<RunEntity>,
    /// The links between them.
    pub links: Vec<RunLink>,
    /// The settings, in their order.
    pub settings: Vec<(String, Value)>,
    /// How many results are wanted.
    pub limit: u32,
}

impl fmt::Debug for RunRequest {
    /// Leaves out the values of settings: keys and tokens are among them.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings: Vec<&str> = self.settings.iter().map(|(name, _)| name.as_str()).collect();
        formatter
            .debug_struct("RunRequest")
            .field("metadata", &self.metadata)
            .field("entities", &self.entities)
            .field("links", &self.links)
            .field("settings", &settings)
            .field("limit", &self.limit)
            .finish()
    }
}

/// Holds what a request says of its own graph.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Metadata {
    /// How many entities there are of each type, base types counted too.
    pub types: Vec<(String, i64)>,
    /// How many entities there are; `None` where that is left out.
    pub entities: Option<i64>,
}

/// Is an entity of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunEntity {
    /// The id by which links and events name it.
    pub id: String,
    /// The full id of its type.
    pub type_id: Option<String>,
    /// The property that holds the value.
    pub value_ref: Option<String>,
    /// The weight.
    pub weight: i64,
    /// The properties.
    pub properties: Vec<RunProperty>,
    /// The types that its type stands on.
    pub base_entities: Vec<String>,
}

/// Is a property of an entity of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct RunProperty {
    /// The id.
    pub name: String,
    /// The value.
    pub value: Value,
    /// The name for people, where one came.
    pub display_name: Option<String>,
    /// The name of the type of the value.
    pub kind: String,
    /// Whether entities merge only if this property agrees.
    pub strict: bool,
}

/// Is a link of a request.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RunLink {
    /// The id.
    pub id: String,
    /// The entity where it begins.
    pub source: Option<String>,
    /// The entity where it ends.
    pub target: Option<String>,
}

/// Reads the body of a run.
///
/// # Errors
/// [`Refusal`] for what is no such body, or has too many parts.
pub fn read(body: &[u8], limits: &RunLimits) -> Result<RunRequest, Refusal> {
    let value = json(body)?;
    let mut reader = Reader::new("body");
    let read = run(&mut reader, &value, limits)?;
    reader.finish(read).map_err(Refusal::Unreadable)
}

/// Reads a body as JSON.
pub(super) fn json(body: &[u8]) -> Result<Value, Refusal> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Refusal::Unreadable(vec![Fault::missing(vec![Step::Member(
            "body",
        )])]));
    }
    if std::str::from_utf8(body).is_err() {
        return Err(Refusal::Wrong("There was an error parsing the body"));
    }
    serde_json::from_slice(body).map_err(|error| {
        let before = body
            .split_inclusive(|byte| *byte == b'\n')
            .take(error.line().saturating_sub(1));
        let place = before.map(<[u8]>::len).sum::<usize>() + error.column();
        let error = error.to_string();
        // The library names the place, too, in words.
        let error = error.split(" at line ").next().unwrap_or_default();
        Refusal::Unreadable(vec![Fault::no_json(place.min(body.len()), error)])
    })
}

fn run(reader: &mut Reader, value: &Value, limits: &RunLimits) -> Result<Option<RunRequest>, Refusal> {
    let Some(body) = reader.object(value) else {
        return Ok(None);
    };
    bounded(value, limits)?;
    let input = reader.member(body, "input", |reader, input| {
        let input = reader.object(input)?;
        let metadata = reader.member(input, "metadata", metadata);
        let graph = reader.member(input, "graph", |reader, graph| {
            let graph = reader.object(graph)?;
            let entities = reader.member(graph, "entities", |reader, all| reader.list(all, entity));
            let links = reader.member(graph, "links", |reader, all| reader.list(all, link));
            Some((entities?, links?))
        });
        let (entities, links) = graph?;
        Some((metadata?, entities, links))
    });
    let settings = reader.member(body, "transformsettings", |reader, all| reader.list(all, setting));
    let limit = reader.optional(body, "limit", Reader::integer).unwrap_or(LIMIT);
    reader.optional(body, "transformrunexecutioncontext", context);
    let (Some((metadata, entities, links)), Some(settings)) = (input, settings) else {
        return Ok(None);
    };
    // What is no number of results stands for the usual one.
    let limit = if limit <= 0 { LIMIT } else { limit };
    Ok(Some(RunRequest {
        metadata,
        entities,
        links,
        settings,
        limit: u32::try_from(limit).unwrap_or(u32::MAX),
    }))
}

/// Refuses a body of too many parts before they are read one by one.
fn bounded(body: &Value, limits: &RunLimits) -> Result<(), Refusal> {
    let items = |name: &str| {
        let list = body.pointer("/input/graph")?.get(name)?.as_array()?;
        Some(list.as_slice())
    };
    let (entities, links) = (
        items("entities").unwrap_or_default(),
        items("links").unwrap_or_default(),
    );
    let properties: usize = entities
        .iter()
        .chain(links)
        .filter_map(|one| one.get("properties")?.as_array())
        .map(Vec::len)
        .sum();
    for (what, count, max) in [
        ("entities", entities.len(), limits.entities),
        ("links", links.len(), limits.links),
        ("properties", properties, limits.properties),
    ] {
        if count > max {
            return Err(Refusal::TooLarge(format!(
                "a run takes at most {max} {what}, and {count} were sent; nothing was looked up"
            )));
        }
    }
    Ok(())
}

fn metadata(reader: &mut Reader, value: &Value) -> Option<Metadata> {
    let object = reader.object(value)?;
    let types = reader.member(object, "entitiesTypesStat", |reader, value| {
        let counts = reader.object(value)?;
        let mut types = Vec::with_capacity(counts.len());
        for (name, count) in counts {
            types.push((name.clone(), reader.integer(count)?));
        }
        Some(types)
    });
    let entities = reader.optional(object, "entitiesTotalCount", Reader::integer);
    for name in ["linksTotalCount", "rootEntitiesCount"] {
        reader.optional(object, name, Reader::integer);
    }
    Some(Metadata {
        types: types?,
        entities,
    })
}

fn entity(reader: &mut Reader, value: &Value) -> Option<RunEntity> {
    let object = reader.object(value)?;
    let id = reader.member(object, "id", Reader::text);
    let type_id = reader.optional(object, "type", Reader::text);
    let value_ref = reader.optional(object, "valueRef", Reader::text);
    for name in ["version", "note"] {
        reader.optional(object, name, Reader::text);
    }
    let weight = reader.optional(object, "weight", Reader::integer);
    let properties = reader.optional(object, "properties", |reader, all| reader.list(all, property));
    reader.optional(object, "displayInformation", |reader, all| {
        reader.list(all, |reader, one| {
            members(reader, one, &["name", "value", "type"])
        })
    });
    reader.optional(object, "bookmark", |reader, value| {
        if !value.as_i64().is_some_and(|number| BOOKMARKS.contains(&number)) {
            reader.note(|way| Fault::not_of("enum", way, "-1, 0, 1, 2, 3 or 4", value));
        }
        Some(())
    });
    reader.optional(object, "overlays", |reader, all| {
        reader.list(all, |reader, one| {
            members(reader, one, &["propertyName", "position", "type"])
        })
    });
    let base_entities = reader.optional(object, "baseEntities", Reader::texts);
    Some(RunEntity {
        id: id?,
        type_id,
        value_ref,
        weight: weight.unwrap_or(0),
        properties: properties.unwrap_or_default(),
        base_entities: base_entities.unwrap_or_default(),
    })
}

/// Reads members that are texts and have to be there, and are of no further use.
fn members(reader: &mut Reader, value: &Value, names: &[&'static str]) -> Option<()> {
    let object = reader.object(value)?;
    for name in names {
        reader.member(object, name, Reader::text);
    }
    Some(())
}

fn property(reader: &mut Reader, value: &Value) -> Option<RunProperty> {
    let object = reader.object(value)?;
    let name = reader.member(object, "name", Reader::text);
    let kind = reader.member(object, "type", Reader::text);
    let display_name = reader.optional(object, "displayName", Reader::text);
    let strict = reader.optional(object, "matchingRule", |reader, value| match value.as_str() {
        Some("strict") => Some(true),
        Some("loose") => Some(false),
        _ => {
            reader.note(|way| Fault::not_of("literal_error", way, "'loose' or 'strict'", value));
            None
        }
    });
    Some(RunProperty {
        name: name?,
        value: object.get("value").cloned().unwrap_or_default(),
        display_name,
        kind: kind?,
        strict: strict.unwrap_or(false),
    })
}

fn link(reader: &mut Reader, value: &Value) -> Option<RunLink> {
    let object = reader.object(value)?;
    let id = reader.member(object, "id", Reader::text);
    let source = reader.optional(object, "sourceId", Reader::text);
    let target = reader.optional(object, "targetId", Reader::text);
    reader.optional(object, "properties", |reader, all| reader.list(all, property));
    Some(RunLink {
        id: id?,
        source,
        target,
    })
}

fn setting(reader: &mut Reader, value: &Value) -> Option<(String, Value)> {
    let object = reader.object(value)?;
    let name = reader.member(object, "name", Reader::text);
    // It may be null, and has to be there.
    let value = reader.member(object, "value", |_, value| Some(value.clone()));
    Some((name?, value?))
}

/// Looks at what says where the run was started; nothing hangs on it.
fn context(reader: &mut Reader, value: &Value) -> Option<()> {
    let object = reader.object(value)?;
    for name in ["graphId", "runSource", "sourceName"] {
        let read = reader.member(object, name, |_, value| Some(value.clone()));
        match read {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => {
                if name == "runSource" && !SOURCES.contains(&text.as_str()) {
                    let value = Value::String(text);
                    reader.at(Step::Member(name), |reader| {
                        reader.note(|way| {
                            Fault::not_of("literal_error", way, "'SET', 'MACHINE' or 'DIRECT'", &value)
                        });
                    });
                }
            }
            Some(other) => reader.at(Step::Member(name), |reader| {
                reader.note(|way| Fault::no_text(way, &other));
            }),
        }
    }
    Some(())
}
