//! Reads TOML with positions, and lays environment variables over it.

use std::sync::Arc;

use config::Source as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::SECTIONS;
use super::problem::{Origin, Problem};

/// Prefix of the variables that are laid over the file.
pub(super) const PREFIX: &str = "PIVOTD";
const SEPARATOR: &str = "__";

/// Holds a value and where it came from.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) origin: Origin,
    pub(super) data: Data,
}

/// Holds a value.
#[derive(Debug, Clone)]
pub(super) enum Data {
    Text(String),
    Integer(i64),
    Float(f64),
    Flag(bool),
    Moment(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// Holds a key with its value, in the order of the file.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) origin: Origin,
    pub(super) node: Node,
}

impl Node {
    /// Returns the value at a path.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        let Some((step, rest)) = path.split_first() else {
            return Some(self);
        };
        let Data::Table(entries) = &self.data else {
            return None;
        };
        let entry = entries.iter().find(|entry| entry.name == *step)?;
        entry.node.at(rest)
    }

    /// Says what it is, for messages.
    pub(super) fn what(&self) -> &'static str {
        match &self.data {
            Data::Text(text) if self.is_written(text) => "what is no list or table of TOML",
            Data::Text(_) => "a text",
            Data::Integer(_) => "a whole number",
            Data::Float(_) => "a number",
            Data::Flag(_) => "true or false",
            Data::Moment(_) => "a date",
            Data::List(_) => "a list",
            Data::Table(_) => "a table",
        }
    }

    /// Returns the value as it would be written in the file.
    pub(super) fn shown(&self) -> String {
        match &self.data {
            Data::Text(text) => format!("{text:?}"),
            Data::Integer(number) => number.to_string(),
            Data::Float(number) => number.to_string(),
            Data::Flag(flag) => flag.to_string(),
            Data::Moment(text) => text.clone(),
            Data::List(nodes) => {
                let shown: Vec<_> = nodes.iter().map(Self::shown).collect();
                format!("[{}]", shown.join(", "))
            }
            Data::Table(entries) => {
                let shown: Vec<_> = entries
                    .iter()
                    .map(|entry| format!("{} = {}", entry.name, entry.node.shown()))
                    .collect();
                format!("{{ {} }}", shown.join(", "))
            }
        }
    }

    /// Tells whether the text of a variable is written as a list or a table.
    fn is_written(&self, text: &str) -> bool {
        self.origin.is_variable() && text.trim_start().starts_with(['[', '{'])
    }

    /// Returns the value of a variable as a list or table, where it is written as one.
    fn expanded(&self) -> Option<Self> {
        let Data::Text(text) = &self.data else { return None };
        if !self.is_written(text) {
            return None;
        }
        let document = format!("v = {text}");
        let table = DeTable::parse(&document).ok()?;
        let (_, value) = table.get_ref().iter().next()?;
        Some(Positions::variable(self.origin.clone()).node(value))
    }
}

/// Finds line and column of byte offsets; of a variable's text all places are the variable.
struct Positions {
    file: Arc<str>,
    starts: Vec<usize>,
    text: String,
    fixed: Option<Origin>,
}

impl Positions {
    fn new(file: &str, text: &str) -> Self {
        let after = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            file: Arc::from(file),
            starts: std::iter::once(0).chain(after).collect(),
            text: text.to_owned(),
            fixed: None,
        }
    }

    fn variable(origin: Origin) -> Self {
        Self {
            file: Arc::from(""),
            starts: Vec::new(),
            text: String::new(),
            fixed: Some(origin),
        }
    }

    fn at(&self, offset: usize) -> Origin {
        if let Some(origin) = &self.fixed {
            return origin.clone();
        }
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let column = self
            .text
            .get(start..offset)
            .map_or(0, |before| before.chars().count())
            + 1;
        Origin::File {
            file: self.file.clone(),
            line: line.max(1),
            column,
        }
    }

    fn node(&self, value: &Spanned<DeValue<'_>>) -> Node {
        let data = match value.get_ref() {
            DeValue::String(text) => Data::Text(text.clone().into_owned()),
            DeValue::Integer(number) => {
                let digits = number.as_str().replace('_', "");
                match i64::from_str_radix(&digits, number.radix()) {
                    Ok(number) => Data::Integer(number),
                    Err(_) => Data::Float(digits.parse().unwrap_or(f64::INFINITY)),
                }
            }
            DeValue::Float(number) => {
                Data::Float(number.as_str().replace('_', "").parse().unwrap_or(f64::NAN))
            }
            DeValue::Boolean(flag) => Data::Flag(*flag),
            DeValue::Datetime(moment) => Data::Moment(moment.to_string()),
            DeValue::Array(values) => Data::List(values.iter().map(|value| self.node(value)).collect()),
            DeValue::Table(table) => Data::Table(self.table(table)),
        };
        Node {
            origin: self.at(value.span().start),
            data,
        }
    }

    fn root(&self, table: &DeTable<'_>) -> Node {
        Node {
            origin: self.at(0),
            data: Data::Table(self.table(table)),
        }
    }

    fn table(&self, table: &DeTable<'_>) -> Vec<Entry> {
        let mut entries: Vec<_> = table.iter().collect();
        // The map is sorted by name; people wrote it in an order that means something to them.
        entries.sort_by_key(|(key, _)| key.span().start);
        let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
            let name: &std::borrow::Cow<'_, str> = key.get_ref();
            Entry {
                name: name.clone().into_owned(),
                origin: self.at(key.span().start),
                node: self.node(value),
            }
        };
        entries.into_iter().map(entry).collect()
    }
}

/// Reads a file's text.
///
/// # Errors
/// Every place where it is not TOML.
pub(super) fn parse(file: &str, text: &str) -> Result<Node, Vec<Problem>> {
    let positions = Positions::new(file, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(positions.root(table.get_ref()));
    }
    let problem = |error: &toml::de::Error| Problem {
        origin: positions.at(error.span().map_or(0, |span| span.start)),
        message: error.message().lines().collect::<Vec<_>>().join(", "),
    };
    Err(errors.iter().map(problem).collect())
}

/// Reads of a file's text what can be read.
pub(super) fn parse_leniently(file: &str, text: &str) -> Node {
    let (table, _) = DeTable::parse_recoverable(text);
    Positions::new(file, text).root(table.get_ref())
}

/// Lays the variables `PIVOTD__SECTION__KEY` over the file. Returns those that cannot stand anywhere.
pub(super) fn overlay(root: &mut Node, variables: &[(String, String)]) -> Vec<Problem> {
    let source = config::Environment::with_prefix(PREFIX)
        .prefix_separator(SEPARATOR)
        .separator(SEPARATOR)
        .source(Some(variables.iter().cloned().collect()));
    let Ok(found) = source.collect() else {
        return Vec::new();
    };
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by(|(left, _), (right, _)| left.cmp(right));
    let mut lost: Vec<_> = variables.iter().filter_map(|(name, _)| misspelt(name)).collect();
    for (path, value) in found {
        let spelled = format!("{PREFIX}{SEPARATOR}{}", path.replace('.', SEPARATOR));
        let given = variables
            .iter()
            .map(|(name, _)| name)
            .find(|name| name.eq_ignore_ascii_case(&spelled));
        let origin = Origin::Variable(Arc::from(
            given.map_or_else(|| spelled.to_ascii_uppercase(), Clone::clone),
        ));
        let Ok(text) = value.into_string() else { continue };
        let steps: Vec<&str> = path.split('.').collect();
        if !place(root, &steps, &text, &origin) {
            lost.push(Problem {
                origin,
                message: "matches no setting; it is ignored".to_owned(),
            });
        }
    }
    lost
}

/// Settings that are named without their section, as variables of other programs are.
const BARE: [(&str, &str); 6] = [
    ("DATA", "server"),
    ("LISTEN", "server"),
    ("PUBLIC_URL", "server"),
    ("WORKERS", "server"),
    ("LEVEL", "log"),
    ("THRESHOLD", "reputation"),
];

/// Tells a variable that was meant to be a setting, `PIVOTD_LOG`, `PIVOTD_LOG_LEVEL` or `PIVOTD_LISTEN`.
fn misspelt(name: &str) -> Option<Problem> {
    let rest = name.strip_prefix(PREFIX)?.strip_prefix('_')?;
    let bare = BARE.iter().find(|(key, _)| key.eq_ignore_ascii_case(rest));
    let (section, key) = match bare {
        Some((_, section)) => (section.to_ascii_uppercase(), rest),
        None => {
            let (section, key) = rest.split_once('_').unwrap_or((rest, ""));
            let is_section = SECTIONS.iter().any(|known| known.eq_ignore_ascii_case(section));
            let key = match key.trim_matches('_') {
                "" if section.eq_ignore_ascii_case("log") => "LEVEL",
                "" => "KEY",
                key => key,
            };
            (is_section.then(|| section.to_owned())?, key)
        }
    };
    Some(Problem {
        origin: Origin::Variable(Arc::from(name)),
        message: format!("is no setting and is ignored, did you mean \"{PREFIX}__{section}__{key}\"?"),
    })
}

/// Puts a variable's text where its path leads; tells whether there was a place.
fn place(node: &mut Node, steps: &[&str], text: &str, origin: &Origin) -> bool {
    let (Some((step, rest)), Data::Table(entries)) = (steps.split_first(), &mut node.data) else {
        return false;
    };
    if step.is_empty() {
        return false;
    }
    let at = match entries.iter().position(|entry| is_named(&entry.name, step)) {
        Some(at) => at,
        None => {
            let node = Node {
                origin: origin.clone(),
                data: Data::Table(Vec::new()),
            };
            entries.push(Entry {
                name: (*step).to_owned(),
                origin: origin.clone(),
                node,
            });
            entries.len() - 1
        }
    };
    let Some(entry) = entries.get_mut(at) else {
        return false;
    };
    if !rest.is_empty() {
        return place(&mut entry.node, rest, text, origin);
    }
    entry.origin = origin.clone();
    let node = Node {
        origin: origin.clone(),
        data: Data::Text(text.to_owned()),
    };
    // Its reader finds a list or a table, wherever the file may have one.
    entry.node = node.expanded().unwrap_or(node);
    true
}

/// Returns the name that an entry means: a variable cannot write every letter of it.
pub(super) fn meant<'a>(entry: &'a Entry, mut known: impl Iterator<Item = &'a str>) -> &'a str {
    let is_meant = |name: &&str| entry.origin.is_variable() && is_named(name, &entry.name);
    known.find(is_meant).unwrap_or(&entry.name)
}

/// Compares names as variables can write them: letters of any case, and `_` for `-`.
pub(super) fn is_named(name: &str, given: &str) -> bool {
    name.len() == given.len()
        && name.bytes().zip(given.bytes()).all(|(a, b)| {
            let plain = |c: u8| if c == b'-' { b'_' } else { c.to_ascii_lowercase() };
            plain(a) == plain(b)
        })
}
