//! Makes one text of what several records say in a field.

use std::borrow::Cow;

use smol_str::{SmolStr, ToSmolStr, format_smolstr};

use pivotd_domain::{Schema, Value, privacy};
use pivotd_maltego::visible;

/// The most differing texts that are joined into one property.
const MAX_JOINED: usize = 30;
/// The longest text of a property and of a row in the detail view, in bytes.
const MAX_TEXT: usize = 16 * 1024;

/// Says how the values of a field are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// What the items are, where it is a list of records.
    list: Option<&'static Schema>,
    /// Whether a notice of redaction is no value: it is no registrant.
    is_registrant: bool,
}

impl Reading {
    /// Returns how a field of a capability's records is read.
    pub(super) fn of(schema: &'static Schema, name: &str) -> Self {
        Self {
            list: schema.list(name),
            is_registrant: name == "registrant",
        }
    }

    /// Joins the differing texts of values, in their order.
    pub(super) fn join<'a>(self, values: impl Iterator<Item = &'a Value>, separator: &str) -> SmolStr {
        let mut texts = Texts::default();
        values.for_each(|value| self.add(value, &mut texts));
        let text = texts.join(separator);
        if text.is_ascii() {
            return text;
        }
        visible(Cow::Borrowed(&text)).to_smolstr()
    }

    /// Does the same for one value: mostly a plain text, which is borrowed.
    pub(super) fn one<'a>(self, value: &'a Value, separator: &str) -> Cow<'a, str> {
        match value {
            Value::Text(text) if !self.is_registrant && text.len() <= MAX_TEXT && text.is_ascii() => {
                Cow::Borrowed(if text.trim().is_empty() { "" } else { text })
            }
            Value::Flag(_) | Value::Integer(_) | Value::Day(_) => value.text().unwrap_or_default(),
            other => Cow::Owned(self.join(std::iter::once(other), separator).into()),
        }
    }

    fn add<'a>(self, value: &'a Value, texts: &mut Texts<'a>) {
        match value {
            Value::Texts(several) => several.iter().for_each(|text| texts.add(Cow::Borrowed(text))),
            Value::Records(records) => {
                for record in records {
                    let fields = self.list.into_iter().flat_map(|schema| schema.fields);
                    let words: Vec<_> = fields.filter_map(|field| record.text(field.name)).collect();
                    texts.add(Cow::Owned(words.join(" ")));
                }
            }
            Value::Text(text) if self.is_registrant && privacy::is_private_name(text) => {}
            value => value.text().into_iter().for_each(|text| texts.add(text)),
        }
    }
}

/// Gathers differing texts. Mostly there is one, which costs no list.
#[derive(Default)]
struct Texts<'a> {
    first: Option<Cow<'a, str>>,
    others: Vec<Cow<'a, str>>,
}

impl<'a> Texts<'a> {
    fn add(&mut self, text: Cow<'a, str>) {
        if text.trim().is_empty() || self.others.len() >= MAX_JOINED {
            return;
        }
        match &self.first {
            None => self.first = Some(text),
            Some(first) if *first != text && !self.others.contains(&text) => self.others.push(text),
            Some(_) => {}
        }
    }

    fn join(mut self, separator: &str) -> SmolStr {
        let Some(first) = self.first else {
            return SmolStr::default();
        };
        let text = if self.others.is_empty() {
            first
        } else {
            if let Some(beyond) = self.others.get_mut(MAX_JOINED - 1) {
                *beyond = Cow::Borrowed("…");
            }
            self.others.insert(0, first);
            Cow::Owned(self.others.join(separator))
        };
        if text.len() <= MAX_TEXT {
            return text.into();
        }
        let end = text.floor_char_boundary(MAX_TEXT);
        format_smolstr!("{}…", text.get(..end).unwrap_or_default())
    }
}
