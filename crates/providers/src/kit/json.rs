//! Holds JSON in about as many bytes as it is written in.
//!
//! A tree of maps takes ten times that, and a vendor's answer may have hundreds of thousands of rows. Here, all values lie
//! in one list, in the order in which they are written, and their texts in another; names of members that come again and
//! again are kept once.

use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::Error;

/// Names up to this length are kept once, as long as there are no more than so many.
const MOST_NAMES: usize = 4096;
const LONGEST_NAME: usize = 64;
/// An object with more members than this is searched for repeated names by a map.
const FEW: usize = 32;

/// Is a JSON text that was read.
#[derive(Debug, Clone)]
pub struct Json {
    items: Vec<Item>,
    texts: String,
}

/// Is one value, or the name of a member, which stands before the member's value.
#[derive(Debug, Clone, Copy)]
enum Item {
    Null,
    Flag(bool),
    Whole(i64),
    Natural(u64),
    Decimal(f64),
    Text {
        at: u32,
        length: u32,
    },
    /// Is followed by its values; the first item behind them stands at `end`.
    List {
        end: u32,
    },
    /// Is followed by its members.
    Object {
        end: u32,
    },
    /// Stands where the name of a member was that is written again further on.
    Gone,
}

/// Says what a value is; where it is a list or an object, its place tells what is in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A whole number that is too large for the former.
    Natural(u64),
    /// A number with a fraction, or too large for a whole one.
    Decimal(f64),
    /// A text.
    Text(&'a str),
    /// A list.
    List,
    /// An object.
    Object,
}

/// Is the place of a value.
#[derive(Debug, Clone, Copy)]
pub struct JsonValueSpan<'a> {
    json: &'a Json,
    at: usize,
}

/// Walks values that stand one behind the other.
#[derive(Debug, Clone)]
pub struct JsonValues<'a> {
    json: &'a Json,
    at: usize,
    end: usize,
}

/// Walks the members of an object.
#[derive(Debug, Clone)]
pub struct Members<'a>(JsonValues<'a>);

impl Json {
    /// Reads JSON.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let mut source = serde_json::Deserializer::from_slice(bytes);
        // Memory that is never written to is none: most answers need less.
        let mut writer = Writer {
            json: Self {
                items: Vec::with_capacity(bytes.len() / 8 + 1),
                texts: String::with_capacity(bytes.len() / 2),
            },
            names: HashMap::new(),
        };
        Value(&mut writer).deserialize(&mut source)?;
        source.end()?;
        Ok(writer.json)
    }

    /// Returns the place of the whole.
    pub fn root(&self) -> JsonValueSpan<'_> {
        JsonValueSpan { json: self, at: 0 }
    }

    fn item(&self, at: usize) -> Item {
        self.items.get(at).copied().unwrap_or(Item::Null)
    }

    fn text(&self, at: u32, length: u32) -> &str {
        let at = at as usize;
        self.texts.get(at..at + length as usize).unwrap_or_default()
    }

    /// Returns where the item behind a value stands.
    fn behind(&self, at: usize) -> usize {
        match self.item(at) {
            Item::List { end } | Item::Object { end } => end as usize,
            _ => at + 1,
        }
    }
}

impl<'a> JsonValueSpan<'a> {
    /// Says what stands here.
    pub fn shape(self) -> Shape<'a> {
        match self.json.item(self.at) {
            Item::Null | Item::Gone => Shape::Null,
            Item::Flag(flag) => Shape::Flag(flag),
            Item::Whole(number) => Shape::Whole(number),
            Item::Natural(number) => Shape::Natural(number),
            Item::Decimal(number) => Shape::Decimal(number),
            Item::Text { at, length } => Shape::Text(self.json.text(at, length)),
            Item::List { .. } => Shape::List,
            Item::Object { .. } => Shape::Object,
        }
    }

    /// Walks the values of a list; none where it is no list.
    pub fn values(self) -> JsonValues<'a> {
        let end = match self.json.item(self.at) {
            Item::List { end } => end as usize,
            _ => self.at + 1,
        };
        JsonValues {
            json: self.json,
            at: self.at + 1,
            end,
        }
    }

    /// Walks this value alone.
    pub fn alone(self) -> JsonValues<'a> {
        JsonValues {
            json: self.json,
            at: self.at,
            end: self.json.behind(self.at),
        }
    }

    /// Walks the members of an object in the order in which they are written; none where it is no object. Of members of
    /// one name the last counts.
    pub fn members(self) -> Members<'a> {
        let end = match self.json.item(self.at) {
            Item::Object { end } => end as usize,
            _ => self.at + 1,
        };
        Members(JsonValues {
            json: self.json,
            at: self.at + 1,
            end,
        })
    }

    /// Returns a member of an object.
    pub fn member(self, name: &str) -> Option<Self> {
        self.members()
            .find_map(|(found, value)| (found == name).then_some(value))
    }
}

impl Serialize for JsonValueSpan<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.shape() {
            Shape::Null => serializer.serialize_unit(),
            Shape::Flag(flag) => serializer.serialize_bool(flag),
            Shape::Whole(number) => serializer.serialize_i64(number),
            Shape::Natural(number) => serializer.serialize_u64(number),
            Shape::Decimal(number) => serializer.serialize_f64(number),
            Shape::Text(text) => serializer.serialize_str(text),
            Shape::List => serializer.collect_seq(self.values()),
            Shape::Object => serializer.collect_map(self.members()),
        }
    }
}

impl<'a> Iterator for JsonValues<'a> {
    type Item = JsonValueSpan<'a>;

    fn next(&mut self) -> Option<JsonValueSpan<'a>> {
        if self.at >= self.end {
            return None;
        }
        let place = JsonValueSpan {
            json: self.json,
            at: self.at,
        };
        self.at = self.json.behind(self.at);
        Some(place)
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, JsonValueSpan<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let name = self.0.next()?;
            let value = self.0.next()?;
            if let Shape::Text(name) = name.shape() {
                return Some((name, value));
            }
        }
    }
}

/// Writes what is read.
struct Writer {
    json: Json,
    /// Where the texts of names lie.
    names: HashMap<Box<str>, (u32, u32)>,
}

impl Writer {
    /// Writes a text.
    fn text<E: serde::de::Error>(&mut self, text: &str) -> Result<Item, E> {
        let at = small(self.json.texts.len())?;
        let length = small(text.len())?;
        self.json.texts.push_str(text);
        Ok(Item::Text { at, length })
    }

    /// Writes a name, whose text may be there.
    fn name<E: serde::de::Error>(&mut self, name: &str) -> Result<Item, E> {
        if let Some((at, length)) = self.names.get(name).copied() {
            return Ok(Item::Text { at, length });
        }
        let item = self.text(name)?;
        if let Item::Text { at, length } = item
            && name.len() <= LONGEST_NAME
            && self.names.len() < MOST_NAMES
        {
            self.names.insert(name.into(), (at, length));
        }
        Ok(item)
    }

    /// Begins a list or an object; returns where it stands.
    fn begin(&mut self) -> usize {
        self.json.items.push(Item::Null);
        self.json.items.len() - 1
    }

    /// Ends it.
    fn end<E: serde::de::Error>(&mut self, at: usize, item: fn(u32) -> Item) -> Result<(), E> {
        let end = small(self.json.items.len())?;
        if let Some(place) = self.json.items.get_mut(at) {
            *place = item(end);
        }
        Ok(())
    }

    /// Takes out the names of an object's members that are written again.
    fn settle(&mut self, names: &[usize]) {
        let json = &mut self.json;
        let again = |json: &Json, one: usize, other: usize| match (json.item(one), json.item(other)) {
            (Item::Text { at, length }, Item::Text { at: to, length: long }) => {
                length == long && (at == to || json.text(at, length) == json.text(to, long))
            }
            _ => false,
        };
        let mut gone = Vec::new();
        if names.len() <= FEW {
            for (at, name) in names.iter().enumerate() {
                let rest = names.get(at + 1..).unwrap_or_default();
                if rest.iter().any(|other| again(json, *name, *other)) {
                    gone.push(*name);
                }
            }
        } else {
            let mut last = HashMap::with_capacity(names.len());
            for name in names {
                if let Item::Text { at, length } = json.item(*name) {
                    gone.extend(last.insert(json.text(at, length), *name));
                }
            }
        }
        for name in gone {
            if let Some(item) = json.items.get_mut(name) {
                *item = Item::Gone;
            }
        }
    }
}

fn small<E: serde::de::Error>(number: usize) -> Result<u32, E> {
    u32::try_from(number).map_err(|_| E::custom("it is larger than 4 GiB"))
}

/// Reads a value.
struct Value<'w>(&'w mut Writer);

impl Value<'_> {
    fn put<E>(self, item: Item) -> Result<(), E> {
        self.0.json.items.push(item);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.put(Item::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<(), E> {
        self.put(Item::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.put(Item::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.put(i64::try_from(number).map_or(Item::Natural(number), Item::Whole))
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.put(Item::Decimal(number))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        let item = self.0.text(text)?;
        self.put(item)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let at = self.0.begin();
        while list.next_element_seed(Value(self.0))?.is_some() {}
        self.0.end(at, |end| Item::List { end })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let at = self.0.begin();
        let mut names = Vec::new();
        while object.next_key_seed(Name(self.0))?.is_some() {
            names.push(self.0.json.items.len() - 1);
            object.next_value_seed(Value(self.0))?;
        }
        self.0.settle(&names);
        self.0.end(at, |end| Item::Object { end })
    }
}

/// Reads the name of a member.
struct Name<'w>(&'w mut Writer);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a member")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<(), E> {
        let item = self.0.name(name)?;
        self.0.json.items.push(item);
        Ok(())
    }
}

#[cfg(any(test, feature = "testing"))]
#[expect(clippy::unwrap_used, reason = "tests alone call this, with what is right")]
impl From<&serde_json::Value> for Json {
    fn from(value: &serde_json::Value) -> Self {
        Self::read(value.to_string().as_bytes()).unwrap()
    }
}

#[cfg(any(test, feature = "testing"))]
#[expect(clippy::unwrap_used, reason = "tests alone call this, with what is right")]
impl Json {
    /// Returns the whole as a tree.
    pub fn tree(&self) -> serde_json::Value {
        serde_json::to_value(self.root()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// Makes any JSON, deep and wide.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i16>().prop_map(|number| Value::from(f64::from(number) / 8.0)),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 200, 40, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..40).prop_map(Value::from),
                prop::collection::vec(("[a-c]{0,2}|\\PC{0,80}", inner), 0..40)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_a_tree_holds(value in any_json()) {
            prop_assert_eq!(Json::from(&value).tree(), value);
        }

        #[test]
        fn whatever_bytes_come_the_same_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let tree: Result<Value, _> = serde_json::from_slice(&bytes);
            match (Json::read(&bytes), tree) {
                (Ok(read), Ok(tree)) => prop_assert_eq!(read.tree(), tree),
                (Err(error), Err(other)) => prop_assert_eq!(error.to_string(), other.to_string()),
                (read, tree) => prop_assert!(false, "{read:?}, not {tree:?}"),
            }
        }

        /// Of members of one name the last counts, as in the maps of most languages, however many there are.
        #[test]
        fn of_members_of_one_name_the_last_counts(names in prop::collection::vec("[a-f]{1,2}|x{65}", 0..90)) {
            let members: Vec<String> = names.iter().enumerate().map(|(at, name)| format!("\"{name}\":[{at}]")).collect();
            let text = format!("{{{}}}", members.join(","));
            let tree: Value = serde_json::from_str(&text).unwrap();
            let read = Json::read(text.as_bytes()).unwrap();
            prop_assert_eq!(read.tree(), tree);
            for (at, name) in names.iter().enumerate() {
                let last = names.iter().rposition(|other| other == name).unwrap_or(at);
                let value = read.root().member(name).and_then(|list| list.values().next());
                prop_assert_eq!(value.map(JsonValueSpan::shape), Some(Shape::Whole(i64::try_from(last).unwrap())));
            }
        }
    }

    #[test]
    fn it_takes_about_as_much_memory_as_bytes() {
        let row =
            r#"{"post_ip":"198.18.0.1","pre_ip":null,"action":"N","actiondate":"1990-01-01","count":17}"#;
        let text = format!("[{}]", vec![row; 10_000].join(","));
        let json = Json::read(text.as_bytes()).unwrap();
        let held = json.items.len() * size_of::<Item>() + json.texts.len();
        assert_eq!(size_of::<Item>(), 16);
        assert!(held < text.len() * 5 / 2, "{held} for {}", text.len());
        assert!(json.items.len() <= json.items.capacity());
    }

    #[test]
    fn what_is_none_of_a_kind_has_nothing_of_it() {
        let read = Json::from(&json!({"list": [1, [2], {"a": 3}], "text": "x", "empty": {}}));
        let root = read.root();
        let list = root.member("list").unwrap();
        assert_eq!(list.values().count(), 3);
        assert_eq!(list.members().count(), 0);
        assert_eq!(root.values().count(), 0);
        let text = root.member("text").unwrap();
        assert!(text.values().next().is_none() && text.members().next().is_none());
        assert_eq!(root.member("empty").unwrap().members().count(), 0);
        assert!(root.member("none").is_none());
        assert_eq!(root.alone().count(), 1);
        assert_eq!(
            root.members().map(|(name, _)| name).collect::<Vec<_>>(),
            ["list", "text", "empty"]
        );
    }
}
