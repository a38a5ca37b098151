//! The shapes in which templates write values: one or many, with nothing between, as one text with separators, as a list
//! that is a text.
//!
//! Only a shape that no value has is refused. What a value means is read elsewhere, each by itself, so that one that
//! cannot be read costs no other.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::lines::{labelled, links, mailboxes, separated, unescaped, words};
use super::read_budget::{MOST_BYTES, MOST_VALUES, MOST_WORDS, ReadBudget, head};
use super::score_options::Names;
use crate::domain::indicator::is_bare;
use crate::reputation::Kind;

/// How deep lists may stand in lists, as texts too.
const DEEPEST: usize = 4;

/// Holds the values of a member: one, or several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OneOrMany {
    items: Vec<Item>,
    /// Before which item an element of a list holds nothing, in order.
    gaps: Vec<usize>,
}

/// Is one value as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// A text, or a number as a text.
    Text(String),
    /// What no value is; the word for it.
    Other(&'static str),
    /// The start of a text that is longer than is looked at.
    Long(String),
    /// Stands for the values behind the most that are looked at.
    More,
    /// Stands for the rest of texts behind the most that is looked at.
    Rest,
}

impl Item {
    /// Says why it is no value; `Ok` is its text.
    ///
    /// # Errors
    /// What stands there, and what was expected.
    pub(super) fn text(&self) -> Result<&str, (&'static str, String)> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Other(word) => Err((word, format!("expected a text, found {word}"))),
            Self::Long(_) => Err((
                "a long text",
                format!("a text of more than {MOST_BYTES} bytes is no value"),
            )),
            Self::More => Err((
                "more values",
                format!("only the first {MOST_VALUES} values of a member are looked at"),
            )),
            Self::Rest => Err((
                "the rest of a text",
                format!(
                    "only the first {MOST_BYTES} bytes of a member's texts, and {MOST_WORDS} words in them that could be values, are looked at; send fewer, each an element of a list"
                ),
            )),
        }
    }

    /// Tells what stands for values that were not looked at.
    pub(super) fn is_more(&self) -> bool {
        matches!(self, Self::More | Self::Rest)
    }
}

impl Item {
    /// Returns a text that is what templates write for nothing, as a whole.
    pub(super) fn word_for_none(&self) -> Option<&str> {
        const WORDS: [&str; 6] = ["none", "null", "undefined", "nan", "n/a", "-"];
        let text = self.text().ok()?.trim();
        WORDS
            .iter()
            .any(|word| word.eq_ignore_ascii_case(text))
            .then_some(text)
    }
}

/// Describes the values as they are documented.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = OneOrMany)]
#[expect(dead_code, reason = "it is only described")]
enum ValueSchema {
    /// One value.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl PartialSchema for OneOrMany {
    fn schema() -> RefOr<Schema> {
        ValueSchema::schema()
    }
}

impl ToSchema for OneOrMany {
    fn name() -> Cow<'static, str> {
        ValueSchema::name()
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (mut items, mut gaps) = (Vec::new(), Vec::new());
        let shape = deserializer.deserialize_any(Shape {
            items: &mut items,
            gaps: &mut gaps,
            depth: 0,
        })?;
        match shape {
            Some(_) => Err(D::Error::custom("expected a text or a list of texts")),
            None => Ok(Self { items, gaps }),
        }
    }
}

/// Reads a value or a list; gives the word for what is neither.
struct Shape<'a> {
    items: &'a mut Vec<Item>,
    gaps: &'a mut Vec<usize>,
    depth: usize,
}

impl Shape<'_> {
    fn text(self, text: &str) {
        if text.len() > MOST_BYTES {
            self.put(Item::Long(head(text, MOST_BYTES).to_owned()));
        } else if text.trim().is_empty() {
            self.skip();
        } else {
            self.put(Item::Text(text.to_owned()));
        }
    }

    /// Notes that an element holds nothing, as far as elements are looked at.
    fn skip(self) {
        if self.depth > 0 && self.gaps.len() < MOST_VALUES {
            self.gaps.push(self.items.len());
        }
    }

    /// Puts an item behind the others: `More` behind the most, and nothing behind that.
    fn put(self, item: Item) {
        match self.items.len() {
            0..MOST_VALUES => self.items.push(item),
            MOST_VALUES => self.items.push(Item::More),
            _ => {}
        }
    }
}

impl<'de> Visitor<'de> for Shape<'_> {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        self.text(text);
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        self.skip();
        Ok(None)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        self.text(&number.to_string());
        Ok(None)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        self.text(&number.to_string());
        Ok(None)
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        /// Above it not every whole number has a float of its own, and digits are lost.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if number.abs() > EXACT {
            self.put(Item::Other("a number of more digits than are exact"));
        } else {
            self.text(&number.to_string());
        }
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Some("true or false"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Some("an object"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
        if self.depth >= DEEPEST {
            while values.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Some("a list in lists"));
        }
        let depth = self.depth + 1;
        while let Some(other) = values.next_element_seed(Seed(Shape {
            items: &mut *self.items,
            gaps: &mut *self.gaps,
            depth,
        }))? {
            if let Some(word) = other {
                let (items, gaps) = (&mut *self.items, &mut *self.gaps);
                Shape { items, gaps, depth }.put(Item::Other(word));
            }
        }
        Ok(None)
    }
}

/// Reads an element of a list.
struct Seed<'a>(Shape<'a>);

impl<'de> serde::de::DeserializeSeed<'de> for Seed<'_> {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self.0)
    }
}

impl OneOrMany {
    /// Returns the values of a kind, each by itself; `None` for any kind. Behind the most that are looked at stands
    /// `More` or `Rest`.
    pub(super) fn values(&self, kind: Option<Kind>) -> impl Iterator<Item = Item> + use<> {
        let budget = ReadBudget::default();
        let mut all = Vec::new();
        for item in &self.items {
            if kind.is_some() && item.word_for_none().is_some() {
                continue;
            }
            if budget.is_cut() || all.len() > MOST_VALUES {
                budget.cut();
                break;
            }
            match item {
                Item::Text(text) => {
                    let apart = apart(kind, budget.text(text), &budget);
                    all.extend(apart.into_iter().map(Item::Text));
                }
                Item::Long(start) => {
                    let apart = apart(kind, budget.text(start), &budget);
                    all.extend(apart.into_iter().map(Item::Text));
                    budget.cut();
                }
                other => all.push(other.clone()),
            }
        }
        if all.len() > MOST_VALUES {
            all.truncate(MOST_VALUES);
            all.push(Item::More);
        } else if budget.is_cut() && all.last() != Some(&Item::More) {
            all.push(Item::Rest);
        }
        all.into_iter()
    }

    /// Returns the words that stand where a value should and say that there is none.
    pub(super) fn absent(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter_map(Item::word_for_none)
    }

    /// Returns the values as they were given, each with its place: each element of a list is one, and one that holds nothing
    /// has a place, too. What is one text is taken apart.
    pub(super) fn elements(&self) -> Vec<(usize, Item)> {
        match self.items.as_slice() {
            [Item::Text(_) | Item::Long(_)] if self.gaps.is_empty() => {
                self.values(None).enumerate().collect()
            }
            items => {
                let placed = items.iter().cloned().enumerate();
                let place = |at: usize| at + self.gaps.partition_point(|gap| *gap <= at);
                placed.map(|(at, item)| (place(at), item)).collect()
            }
        }
    }

    /// Returns the one value, where there is one.
    pub(super) fn only(&self) -> Option<&Item> {
        match self.items.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Counts the values as they were given.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }
}

impl Names for Option<OneOrMany> {
    fn names(&self) -> Vec<String> {
        let items = self.iter().flat_map(|values| values.items.iter());
        // What is no text is no source's name, and is refused as one.
        let texts = items.map(|item| match item {
            Item::Text(text) => text.as_str(),
            other => other.text().err().map_or("", |(word, _)| word),
        });
        let mut names: Vec<String> = texts
            .flat_map(|text| listed(text, 0).unwrap_or_else(|| vec![text.to_owned()]))
            .flat_map(|text| separated(&text))
            .take(MOST_VALUES)
            .collect();
        if names.len() == MOST_VALUES {
            names.push("more values".to_owned());
        }
        names
    }
}

/// Takes a text apart at whatever templates put between values: into one more at most than are looked at.
pub(super) fn apart(kind: Option<Kind>, text: &str, budget: &ReadBudget) -> Vec<String> {
    apart_at(kind, text, 0, budget)
}

fn apart_at(kind: Option<Kind>, text: &str, depth: usize, budget: &ReadBudget) -> Vec<String> {
    if matches!(kind, Some(Kind::Domain | Kind::Ip)) && is_bare(text) && budget.word() {
        return vec![text.to_owned()];
    }
    if let Some(texts) = listed(text, depth) {
        return texts
            .iter()
            .flat_map(|text| apart_at(kind, text, depth + 1, budget))
            .take(MOST_VALUES + 1)
            .collect();
    }
    let text = unescaped(text, budget);
    if let Some(values) = labelled(&text, budget) {
        return values;
    }
    let lines = text.split(['\n', '\r', '\t']);
    let lines = lines.map(str::trim).filter(|line| !line.is_empty());
    let values = lines.flat_map(|line| match kind {
        Some(Kind::Url) => links(line, budget),
        Some(Kind::Email) => mailboxes(line, budget),
        None if line.contains("//") => links(line, budget),
        None if line.matches('@').count() > 1 || line.contains('<') => mailboxes(line, budget),
        _ => words(kind, line, budget),
    });
    values.take(MOST_VALUES + 1).collect()
}

/// Reads a list that is a text: as JSON writes it, or as Python shows it.
fn listed(text: &str, depth: usize) -> Option<Vec<String>> {
    let text = text.trim();
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    if depth >= DEEPEST {
        return None;
    }
    if let Ok(values) = serde_json::from_str::<Vec<serde_json::Value>>(text) {
        let text = |value: serde_json::Value| match value {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(text),
            other => Some(other.to_string()),
        };
        return Some(values.into_iter().filter_map(text).collect());
    }
    let quoted = |piece: &str| {
        let piece = piece.trim();
        let inner = ['\'', '"'].into_iter().find_map(|quote| {
            let rest = piece.strip_prefix(quote)?.strip_suffix(quote)?;
            (!rest.contains(quote)).then_some(rest)
        })?;
        Some(inner.to_owned())
    };
    inner.split(", ").map(quoted).collect()
}

#[cfg(test)]
#[path = "shapes_tests.rs"]
mod tests;
