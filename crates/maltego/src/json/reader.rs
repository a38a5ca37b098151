//! Reads members out of JSON, and gathers all faults with their places.

use serde_json::{Map, Value};

use super::detail::{Fault, MOST_FAULTS, Step};

/// Gathers faults while a body is read. The way to the place that is read is kept, so that it is written down for faults alone.
#[derive(Debug)]
pub(super) struct Reader {
    way: Vec<Step>,
    faults: Vec<Fault>,
}

impl Reader {
    pub(super) fn new(root: &'static str) -> Self {
        Self {
            way: vec![Step::Member(root)],
            faults: Vec::new(),
        }
    }

    /// Returns what was read, or the faults.
    pub(super) fn finish<T>(self, read: Option<T>) -> Result<T, Vec<Fault>> {
        match read {
            Some(read) if self.faults.is_empty() => Ok(read),
            _ => Err(self.faults),
        }
    }

    /// Notes a fault at the place that is read.
    pub(super) fn note(&mut self, fault: impl FnOnce(Vec<Step>) -> Fault) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault(self.way.clone()));
        }
    }

    /// Reads something one step further.
    pub(super) fn at<T>(&mut self, step: Step, read: impl FnOnce(&mut Self) -> T) -> T {
        self.way.push(step);
        let read = read(self);
        self.way.pop();
        read
    }

    /// Takes an object.
    pub(super) fn object<'a>(&mut self, value: &'a Value) -> Option<&'a Map<String, Value>> {
        let object = value.as_object();
        if object.is_none() {
            self.note(|way| Fault::no_object(way, value));
        }
        object
    }

    /// Reads a member that has to be there.
    pub(super) fn member<T>(
        &mut self,
        object: &Map<String, Value>,
        name: &'static str,
        read: impl FnOnce(&mut Self, &Value) -> Option<T>,
    ) -> Option<T> {
        let value = found(object, name);
        self.at(Step::Member(name), |reader| match value {
            Some(value) => read(reader, value),
            None => {
                reader.note(Fault::missing);
                None
            }
        })
    }

    /// Reads a member that may be missing, or `null`.
    pub(super) fn optional<T>(
        &mut self,
        object: &Map<String, Value>,
        name: &'static str,
        read: impl FnOnce(&mut Self, &Value) -> Option<T>,
    ) -> Option<T> {
        let value = found(object, name).filter(|value| !value.is_null())?;
        self.at(Step::Member(name), |reader| read(reader, value))
    }

    pub(super) fn text(&mut self, value: &Value) -> Option<String> {
        let text = value.as_str();
        if text.is_none() {
            self.note(|way| Fault::no_text(way, value));
        }
        text.map(str::to_owned)
    }

    /// Reads a whole number, also from a text, and from a number with nothing behind the point.
    pub(super) fn integer(&mut self, value: &Value) -> Option<i64> {
        let read = match value {
            Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        if read.is_none() {
            self.note(|way| Fault::no_integer(way, value));
        }
        read
    }

    /// Reads each item of a list.
    pub(super) fn list<T>(
        &mut self,
        value: &Value,
        mut read: impl FnMut(&mut Self, &Value) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(items) = value.as_array() else {
            self.note(|way| Fault::no_list(way, value));
            return None;
        };
        let mut all = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let item = self.at(Step::Place(at), |reader| read(reader, item));
            all.extend(item);
        }
        Some(all)
    }

    pub(super) fn texts(&mut self, value: &Value) -> Option<Vec<String>> {
        self.list(value, Self::text)
    }
}

/// Finds a member by its name: as the protocol spells it, or with underscores, or all in small letters, as generated clients do.
fn found<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = object.get(name) {
        return Some(value);
    }
    if name.bytes().all(|byte| !byte.is_ascii_uppercase()) {
        // The protocol's own spelling of two members is all in small letters.
        let wanted = match name {
            "transformsettings" => "transformSettings",
            "transformrunexecutioncontext" => "transformRunExecutionContext",
            _ => return None,
        };
        return object.get(wanted);
    }
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    object.get(&snake)
}

fn whole(number: f64) -> Option<i64> {
    const MOST: f64 = 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is whole, and no larger than what a double counts exactly"
    )]
    (number.fract() == 0.0 && number.abs() <= MOST).then_some(number as i64)
}
