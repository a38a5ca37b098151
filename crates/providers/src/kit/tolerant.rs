//! Reads the vendor's JSON whatever shape a value has.
//!
//! Recordings of the DomainTools API show numbers as strings, one object where other answers have a
//! list, `""` for "missing", names in upper case and dates in several forms. All of that is met here,
//! so that no other file of this folder knows of it.

use std::net::IpAddr;

use jiff::civil::Date;

use super::dates;
use super::json::{Json, JsonValueSpan, Shape};
use crate::{ProviderError, Reply};
use pivotd_domain::{Indicator, IndicatorKind, privacy};

/// Wraps a JSON value that may be missing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Node<'a>(Option<JsonValueSpan<'a>>);

impl<'a> Node<'a> {
    /// Wraps the whole of what was read.
    pub fn of(json: &'a Json) -> Self {
        Self(Some(json.root()))
    }

    fn shape(self) -> Option<Shape<'a>> {
        self.0.map(JsonValueSpan::shape)
    }

    /// Wraps a value, unless it is `null`.
    fn some(place: JsonValueSpan<'a>) -> Self {
        Self(Some(place).filter(|place| place.shape() != Shape::Null))
    }

    /// Returns a member of an object; a missing node where there is none.
    pub fn get(self, name: &str) -> Self {
        self.0
            .and_then(|place| place.member(name))
            .map_or_else(Self::default, Self::some)
    }

    /// Tells whether there is a value at all (`null` is none).
    pub fn exists(self) -> bool {
        self.0.is_some()
    }

    /// Tells whether the value is a list.
    pub fn is_list(self) -> bool {
        self.shape() == Some(Shape::List)
    }

    /// Tells whether the value is a text, be it empty.
    pub fn is_text(self) -> bool {
        matches!(self.shape(), Some(Shape::Text(_)))
    }

    /// Tells whether the value is an object.
    pub fn is_object(self) -> bool {
        self.shape() == Some(Shape::Object)
    }

    /// Walks a list, or the one value that stands in its place; `null`, `""` and missing are none.
    pub fn many(self) -> impl Iterator<Item = Node<'a>> {
        self.rows().filter(|row| row.exists())
    }

    /// Walks the rows of a list, or the one that stands in its place. One that is `null` is a row that says nothing, not
    /// one that is not there; `null`, `""` and missing in place of the list are no rows.
    pub fn rows(self) -> impl Iterator<Item = Node<'a>> {
        let items = self.0.and_then(|place| match place.shape() {
            Shape::List => Some(place.values()),
            Shape::Null => None,
            Shape::Text(text) if text.trim().is_empty() => None,
            _ => Some(place.alone()),
        });
        items.into_iter().flatten().map(Self::some)
    }

    /// Walks a list as it is, `null` and `""` included, where the place in it says what a value is.
    pub fn raw(self) -> impl Iterator<Item = Node<'a>> {
        self.0.into_iter().flat_map(JsonValueSpan::values).map(Self::some)
    }

    /// Walks the members of an object.
    pub fn members(self) -> impl Iterator<Item = (&'a str, Node<'a>)> {
        self.0
            .into_iter()
            .flat_map(JsonValueSpan::members)
            .map(|(name, value)| (name, Self(Some(value))))
    }

    /// Returns the value as JSON.
    pub fn written(self) -> Option<String> {
        serde_json::to_string(&self.0?).ok()
    }

    /// Returns text without surrounding white space, numbers included; `""` is missing.
    pub fn text(self) -> Option<String> {
        match self.shape()? {
            Shape::Text(text) => Some(text.trim())
                .filter(|text| !text.is_empty())
                .map(str::to_owned),
            Shape::Whole(number) => Some(number.to_string()),
            Shape::Natural(number) => Some(number.to_string()),
            Shape::Decimal(number) => serde_json::Number::from_f64(number).map(|number| number.to_string()),
            _ => None,
        }
    }

    /// Returns a number.
    fn number(self) -> Option<f64> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "what is too large to be exact is nonsense here"
        )]
        match self.shape()? {
            Shape::Whole(number) => Some(number as f64),
            Shape::Natural(number) => Some(number as f64),
            Shape::Decimal(number) => Some(number),
            _ => None,
        }
    }

    /// Returns a whole number, written as a number or as text.
    pub fn integer(self) -> Option<i64> {
        match self.shape()? {
            Shape::Whole(number) => Some(number),
            Shape::Text(text) => text.trim().replace(',', "").parse().ok(),
            _ => whole(self.number()?),
        }
    }

    /// Returns the whole number at or below a decimal one, written as a number or as text.
    pub fn floor(self) -> Option<i64> {
        self.decimal().and_then(|number| whole(number.floor()))
    }

    /// Returns a count: a whole number that is not negative.
    pub fn count(self) -> Option<u64> {
        self.integer().and_then(|number| u64::try_from(number).ok())
    }

    /// Returns a score from 0 to `max`, rounded up, so that what is over a threshold never reads as if it were not;
    /// `None` where it is none of that scale.
    pub fn score(self, max: u16) -> Option<i64> {
        let number = self.decimal()?;
        if !(0.0..=f64::from(max)).contains(&number) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "within the scale")]
        Some(number.ceil() as i64)
    }

    /// Returns a decimal number, written as a number or as text.
    pub fn decimal(self) -> Option<f64> {
        match self.shape()? {
            Shape::Text(text) => text.trim().parse().ok(),
            _ => self.number(),
        }
        .filter(|number| number.is_finite())
    }

    /// Returns a flag, written as `true`, `1`, `"1"` or `"true"` and their opposites.
    pub fn flag(self) -> Option<bool> {
        match self.shape()? {
            Shape::Flag(flag) => Some(flag),
            Shape::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "1" | "true" | "yes" => Some(true),
                "0" | "false" | "no" => Some(false),
                _ => None,
            },
            _ => self.number().map(|number| number != 0.0),
        }
    }

    /// Returns the calendar day of a date or time.
    pub fn day(self) -> Option<Date> {
        self.text().and_then(|text| dates::day(&text))
    }

    /// Returns the point in time of a date or time, or the day where no more is said.
    pub fn when(self) -> Option<pivotd_domain::Value> {
        let text = self.text()?;
        dates::time(&text)
            .map(Into::into)
            .or_else(|| dates::day(&text).map(Into::into))
    }

    /// Returns a host name in canonical form.
    pub fn host(self) -> Option<String> {
        self.text().and_then(|text| host(&text))
    }

    /// Returns an address in canonical form.
    pub fn address(self) -> Option<String> {
        self.text().and_then(|text| address(&text))
    }

    /// Returns the texts of a list (or of the one text in its place), in order, without repeats.
    pub fn texts(self) -> Vec<String> {
        distinct(self.many().filter_map(Node::text))
    }
}

fn whole(number: f64) -> Option<i64> {
    // Whole numbers up to 2^53 are exact in a double; a larger one is nonsense here.
    #[expect(clippy::cast_possible_truncation, reason = "bounded by the check")]
    (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(number as i64)
}

/// Keeps the first of equal texts.
pub fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for text in texts {
        if seen.insert(text.clone()) {
            kept.push(text);
        }
    }
    kept
}

/// Returns a host name in canonical form.
pub fn host(text: &str) -> Option<String> {
    let name = text.trim().trim_end_matches('.');
    // A bare label or an address is no host name that another question could be asked about.
    if name.is_empty() || !name.contains('.') || name.contains(['@', ':', ' ']) || address(name).is_some() {
        return None;
    }
    Indicator::parse(IndicatorKind::Hostname, name)
        .ok()
        .map(|host| host.value().to_owned())
}

/// Returns an address in canonical form.
pub fn address(text: &str) -> Option<String> {
    let text = text.trim();
    text.parse::<IpAddr>()
        .ok()
        .or_else(|| padded(text))
        .map(|address| address.to_canonical().to_string())
}

/// Reads an IPv4 address whose numbers are padded to three digits, as ARIN writes bounds: `192.000.002.000`.
///
/// Fewer digits behind a zero could be octal, and are no address.
fn padded(text: &str) -> Option<IpAddr> {
    let mut parts = text.split('.');
    let mut octet = || {
        let part = parts.next()?;
        let is_padded = part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit());
        is_padded.then(|| part.parse::<u8>().ok()).flatten()
    };
    let octets = [octet()?, octet()?, octet()?, octet()?];
    parts.next().is_none().then(|| IpAddr::from(octets))
}

/// Returns any other contact value (a street, a postal code) unless it is a redaction.
pub fn public_text(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && !privacy::is_private_name(text)).then(|| text.to_owned())
}

/// Reads a reply's JSON.
///
/// # Errors
/// [`ProviderError::Malformed`] where the body is no JSON; serde's depth limit bounds the recursion.
pub fn json(reply: &Reply) -> Result<Json, ProviderError> {
    super::lenient::value(&reply.body)
        .map_err(|error| ProviderError::Malformed(format!("the answer is no JSON: {error}")))
}

/// Makes the error for an answer that lacks `what`.
pub fn malformed(what: &str) -> ProviderError {
    ProviderError::Malformed(format!("the answer has no {what}"))
}

/// Shortens the vendor's text for people: no markup, no control characters, at most 300 characters.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::new();
    let mut inside = false;
    for letter in text.chars() {
        match letter {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                cleaned.push(' ');
            }
            _ if inside => {}
            _ if letter.is_control() || letter.is_whitespace() => cleaned.push(' '),
            _ => cleaned.push(letter),
        }
        if cleaned.len() > 4096 {
            break;
        }
    }
    let words: Vec<&str> = cleaned.split_whitespace().collect();
    words.join(" ").chars().take(300).collect()
}
