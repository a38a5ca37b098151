//! Reads the JSON of a request: whatever a template made of text that others wrote, and names the member that is wrong.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::domain::echo::{brief, echoed};

/// Reads a body.
///
/// # Errors
/// What is wrong, with the member where that is known.
pub(in crate::http) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let body = without_mark(body);
    // A list would be taken for the members in their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err("expected a JSON object".to_owned());
    }
    strictly(body).or_else(|error| match mended(body) {
        // What is wrong with the text itself tells more of the one that was sent.
        Some(mended) => strictly(mended.as_bytes()),
        None => Err(error),
    })
}

/// Reads a body; `what` names it.
///
/// # Errors
/// What is wrong, with the member where that is known.
pub(in crate::http) fn decoded<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T, String> {
    read(body).map_err(|error| format!("the body is not {what}: {error}"))
}

/// Takes off the mark with which some programs begin UTF-8.
fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

fn strictly<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    // To know the member takes longer, and is needed for what is wrong only.
    serde_json::from_slice(body).map_err(|error| fault::<T>(body).unwrap_or_else(|| error.to_string()))
}

/// Says what is wrong with a body, with the member where that is known; `None` where it is what is expected.
fn fault<T: DeserializeOwned>(body: &[u8]) -> Option<String> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut reader) else {
        return reader.end().err().map(|error| error.to_string());
    };
    let path = error.path().to_string();
    let inner = error.into_inner();
    // What is wrong with the JSON itself is of no member.
    let said = brief(&inner.to_string());
    Some(if path == "." || !inner.is_data() {
        said
    } else {
        at_member(&path, &said)
    })
}

/// Writes what is wrong with a member behind its path, which is said once.
pub(in crate::http) fn at_member(path: &str, said: &str) -> String {
    let path = echoed(path);
    if said.contains(&format!("`{path}`")) || said.starts_with(&format!("{path}: ")) {
        said.to_owned()
    } else {
        format!("{path}: {said}")
    }
}

/// Mends what stands in texts and no JSON has: bytes of another encoding and halves of surrogate pairs become U+FFFD,
/// control characters their escapes. An attacker writes what a template puts there, and must not stop a playbook by it.
/// `None` where nothing is to be mended.
fn mended(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let mut out = String::with_capacity(text.len() + 16);
    let mut is_changed = matches!(text, Cow::Owned(_));
    let mut in_text = false;
    let mut rest = text.as_ref();
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        match c {
            '"' => {
                in_text = !in_text;
                out.push(c);
            }
            '\\' if in_text => {
                let (length, good) = escape(rest);
                taken = length;
                let given = rest.get(..length).unwrap_or_default();
                out.push_str(if good { given } else { "\\ufffd" });
                is_changed |= !good;
            }
            c if in_text && u32::from(c) < 0x20 => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
                is_changed = true;
            }
            c => out.push(c),
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    is_changed.then_some(out)
}

/// Measures the escape at the start of a text: how long it is, and whether it is whole.
fn escape(text: &str) -> (usize, bool) {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    match unit(0) {
        Some(0xd800..=0xdbff) => match unit(6) {
            Some(0xdc00..=0xdfff) => (12, true),
            _ => (6, false),
        },
        Some(0xdc00..=0xdfff) => (6, false),
        Some(_) => (6, true),
        // Any other: the backslash and what it escapes.
        None => {
            let escaped = text.chars().nth(1).map_or(0, char::len_utf8);
            (1 + escaped, true)
        }
    }
}

/// How deep values stand in each other in requests, and deeper; each level writes its values once more.
const DEEPEST: u8 = 16;
/// How many members an object of a request has, and more; they are sorted in memory.
const MOST_MEMBERS: usize = 1_000;

/// Writes what a JSON text means, the same for equal meaning: without space between, members in order, texts without
/// needless escapes, whole numbers without a point. A text that is no JSON, that gives a member twice, or that is no request by
/// its depth or its members, stands for itself.
pub(in crate::http) fn meaning(body: &[u8]) -> Cow<'_, [u8]> {
    let body = without_mark(body);
    let read = |body: &[u8]| {
        let mut reader = serde_json::Deserializer::from_slice(body);
        let meaning = ValueWriter(DEEPEST).deserialize(&mut reader)?;
        reader.end().map(|()| meaning)
    };
    let read = read(body).or_else(|error| match mended(body) {
        Some(mended) => read(mended.as_bytes()),
        None => Err(error),
    });
    match read {
        Ok(meaning) => Cow::Owned(meaning),
        Err(_) => Cow::Borrowed(body),
    }
}

/// Writes what a value means, in which others stand so deep at most.
#[derive(Clone, Copy)]
struct ValueWriter(u8);

impl ValueWriter {
    fn inner<E: Error>(self) -> Result<Self, E> {
        let left = self.0.checked_sub(1);
        left.map(Self).ok_or_else(|| E::custom("values stand too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for ValueWriter {
    type Value = Vec<u8>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<u8>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueWriter {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(b"null".to_vec())
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(flag.to_string().into_bytes())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(number.to_string().into_bytes())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(number.to_string().into_bytes())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        // So far every whole number has a decimal of its own; -0.0 is 0.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let number = if number == 0.0 { 0.0 } else { number };
        Ok(if number.fract() == 0.0 && number.abs() < EXACT {
            format!("{number:.0}").into_bytes()
        } else {
            format!("{number:e}").into_bytes()
        })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        serde_json::to_vec(text).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
        let inner = self.inner()?;
        let mut out = b"[".to_vec();
        while let Some(value) = values.next_element_seed(inner)? {
            out.extend(value);
            out.push(b',');
        }
        out.push(b']');
        Ok(out)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let inner = self.inner()?;
        let mut all: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        while let Some(name) = members.next_key::<String>()? {
            if all.insert(name, members.next_value_seed(inner)?).is_some() {
                return Err(A::Error::custom("a member is given twice"));
            }
            if all.len() > MOST_MEMBERS {
                return Err(A::Error::custom("too many members"));
            }
        }
        let mut out = b"{".to_vec();
        for (name, value) in all {
            out.extend(serde_json::to_vec(&name).map_err(A::Error::custom)?);
            out.push(b':');
            out.extend(value);
            out.push(b',');
        }
        out.push(b'}');
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::Value;

    use super::*;
    use crate::http::soar::testing::any_json;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(default)]
        name: String,
        #[serde(default)]
        list: Vec<Inner>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        mark: u8,
    }

    #[test]
    fn what_is_wrong_is_said_with_its_member() {
        for (body, expected) in [
            (
                r#"{"list": [{"mark": 1}, {"mark": "x"}]}"#,
                "list[1].mark: invalid type",
            ),
            (r#"{"name": {}}"#, "name: invalid type"),
            (r#"{"nmae": "x"}"#, "unknown field `nmae`"),
            (r#"{"name": "x", "name": "y"}"#, "duplicate field `name`"),
            (r#"{"name": "x""#, "EOF while parsing"),
            (r#"{"name": "x"} x"#, "trailing characters"),
            ("[]", "expected a JSON object"),
            ("", "expected a JSON object"),
        ] {
            let error = read::<Sample>(body.as_bytes()).unwrap_err();
            assert!(error.contains(expected), "{body}: {error}");
        }
    }

    #[test]
    fn texts_that_others_wrote_do_not_stop_a_request() {
        for (given, name) in [
            (&br#"{"name": "caf\udce9"}"#[..], "caf\u{fffd}"),
            (br#"{"name": "\ud83dx\ud83d\ude00"}"#, "\u{fffd}x\u{1f600}"),
            (b"{\"name\": \"caf\xe9 \xff\"}", "caf\u{fffd} \u{fffd}"),
            (
                b"{\"name\": \"a.example\nb.example\t\x01\"}",
                "a.example\nb.example\t\u{1}",
            ),
            (br#"{"name": "\\ud800 \" \\"}"#, "\\ud800 \" \\"),
            (b"{\"name\": \"\\ud800\n\"}", "\u{fffd}\n"),
        ] {
            let read: Sample = read(given).unwrap();
            assert_eq!(read.name, name);
        }
    }

    #[test]
    fn equal_meaning_is_written_equally_and_other_meaning_otherwise() {
        let same = [
            r#"{"a": 1, "b": ["x", null], "c": {"d": "é", "e": 1.5}}"#,
            r#"{"c":{"e":15e-1,"d":"\u00e9"},"b":["\u0078",null],"a":1.0}"#,
            "\n{ \"b\" : [ \"x\" , null ], \"a\": 1e0 , \"c\": { \"d\": \"é\", \"e\": 1.50 } }\t",
        ];
        let meanings = same.map(|text| meaning(text.as_bytes()).into_owned());
        assert_eq!(meanings[0], meanings[1]);
        assert_eq!(meanings[0], meanings[2]);
        assert_eq!(meaning(b"{\"a\":-0.0}"), meaning(b"{\"a\":0}"));
        for (one, other) in [
            (r#"{"a": 1}"#, r#"{"a": "1"}"#),
            (r#"{"a": ["x", "y"]}"#, r#"{"a": ["y", "x"]}"#),
            (r#"{"a": ["x,y"]}"#, r#"{"a": ["x", "y"]}"#),
            (r#"{"a": null}"#, r#"{}"#),
            (r#"{"a": {}}"#, r#"{"a": []}"#),
            (r#"{"a": 9007199254740993}"#, r#"{"a": 9007199254740992}"#),
            (r#"{"a": "x", "a": "y"}"#, r#"{"a": "y"}"#),
            (r#"{"a": 1"#, r#"{"a": 1}"#),
        ] {
            assert_ne!(
                meaning(one.as_bytes()),
                meaning(other.as_bytes()),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn a_text_that_is_no_request_stands_for_itself() {
        let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        let many = |count: usize| {
            let members: Vec<String> = (0..count).map(|at| format!("\"{at}\": 1")).collect();
            format!("{{{}}}", members.join(", "))
        };
        for (text, is_read) in [
            (deep(usize::from(DEEPEST)), true),
            (deep(usize::from(DEEPEST) + 1), false),
            (many(MOST_MEMBERS), true),
            (many(MOST_MEMBERS + 1), false),
        ] {
            assert_eq!(
                matches!(meaning(text.as_bytes()), Cow::Owned(_)),
                is_read,
                "{} bytes",
                text.len()
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said_in_few_words_however_long_it_is() {
        let long = "x".repeat(1 << 20);
        for body in [
            format!(r#"{{"{long}": 1}}"#),
            format!(r#"{{"list": "{long}"}}"#),
            format!(r#"{{"list": [{{"mark": "{long}"}}]}}"#),
            format!(r#"{{"name": "x"}} {long}"#),
        ] {
            let error = read::<Sample>(body.as_bytes()).unwrap_err();
            assert!(error.len() < 300, "{} bytes: {:.300}", error.len(), error);
        }
        let error = read::<Sample>(format!(r#"{{"{long}": 1}}"#).as_bytes()).unwrap_err();
        assert!(error.contains("expected `name` or `list`"), "{error}");
    }

    proptest! {
        #[test]
        fn order_space_and_escapes_do_not_matter(value in any_json()) {
            fn turned(value: &Value) -> Value {
                match value {
                    Value::Array(values) => values.iter().map(turned).collect(),
                    Value::Object(members) => {
                        let turned = members.iter().rev().map(|(name, value)| (name.clone(), turned(value)));
                        Value::Object(turned.collect())
                    }
                    other => other.clone(),
                }
            }
            let plain = value.to_string();
            let other = serde_json::to_string_pretty(&turned(&value)).unwrap();
            let escaped: String = other
                .chars()
                .map(|c| if c.is_ascii() { c.to_string() } else {
                    let mut units = [0; 2];
                    c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04X}")).collect()
                })
                .collect();
            prop_assert_eq!(meaning(plain.as_bytes()), meaning(escaped.as_bytes()));
            // It is JSON again but for the commas at the end, so nothing of it is lost.
            let written = String::from_utf8(meaning(plain.as_bytes()).into_owned()).unwrap();
            prop_assert!(!written.is_empty());
        }

        #[test]
        fn no_bytes_panic_and_any_text_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..60), unit in 0_u16..=0xffff) {
            let _ = read::<Sample>(&bytes);
            let _ = meaning(&bytes);
            let inner: Vec<u8> = bytes.iter().copied().filter(|byte| !matches!(byte, b'"' | b'\\')).collect();
            let mut body = b"{\"name\": \"".to_vec();
            body.extend(inner);
            body.extend(format!("\\u{unit:04x}").bytes());
            body.extend(b"\"}");
            prop_assert!(read::<Sample>(&body).is_ok());
        }
    }
}
