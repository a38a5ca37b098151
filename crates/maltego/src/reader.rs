//! Reads a request as a stream of XML events.
//!
//! Elements are known by local name and by what encloses them; the root may have any name, order does not matter,
//! and unknown elements are skipped with their content.

mod builder;

use super::decode;
use super::request::TransformRequest;
use super::text::{self, Reference};
use builder::Builder;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;
use std::fmt;

/// Bounds what a request may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReadLimits {
    /// The whole body in bytes, as it was sent. Its text takes at most three times as many in UTF-8.
    pub bytes: usize,
    /// Nested elements.
    pub depth: usize,
    /// Input entities.
    pub entities: usize,
    /// Fields of one entity, and settings, each with every repetition; genealogy entries count alike.
    pub fields: usize,
    /// Attributes of one tag.
    pub attributes: usize,
    /// All values together, in bytes.
    pub text: usize,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            bytes: 1 << 20,
            depth: 16,
            entities: 256,
            fields: 512,
            attributes: 64,
            text: 1 << 20,
        }
    }
}

/// Says what kept a request from being read.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// Nothing but blanks. Some distribution servers probe like this.
    Empty,
    /// More bytes than [`ReadLimits::bytes`].
    TooLarge,
    /// Not well-formed; the text says how.
    Malformed(&'static str),
    /// A document type declaration, which is never read.
    Doctype,
    /// A reference to an entity that only a document type could declare; at most 16 characters of its name.
    UnknownEntity(String),
    /// More of something than the limits allow; the text says of what.
    TooMany(&'static str),
    /// A document without any `Entity`.
    NoEntity,
}

/// Tells why a request was refused and where. Never holds more of the input than an entity's name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{kind} (line {line}, column {column})")]
pub struct ReadError {
    /// What was wrong.
    pub kind: ReadErrorKind,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for ReadErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the request is empty"),
            Self::TooLarge => f.write_str("the request is too large"),
            Self::Malformed(how) => write!(f, "the XML is malformed: {how}"),
            Self::Doctype => f.write_str("a document type declaration is not accepted"),
            Self::UnknownEntity(name) => write!(f, "the entity reference &{name}; is not known"),
            Self::TooMany(what) => write!(f, "too many {what}"),
            Self::NoEntity => f.write_str("the request holds no entity"),
        }
    }
}

/// Reads a v2 request from the bytes of a body.
///
/// # Errors
/// [`ReadError`] if the document is empty, too large, malformed, hostile or without an entity. Missing or odd parts
/// are no errors: an absent weight is 0, an absent limit is `None`, a field without a name is left out, characters
/// that XML forbids are dropped, and an ampersand that is not escaped is taken as one.
pub fn read(bytes: &[u8], limits: &ReadLimits) -> Result<TransformRequest, ReadError> {
    if bytes.len() > limits.bytes {
        return Err(ReadError {
            kind: ReadErrorKind::TooLarge,
            line: 1,
            column: 1,
        });
    }
    let decoded = decode::decode(bytes);
    let source: &str = &decoded.text;
    let mut position = 0;
    let outcome = if source.is_empty() {
        Err(ReadErrorKind::Empty)
    } else {
        read_events(source, limits, &mut position)
    };
    outcome.map_err(|kind| locate(kind, source, position, decoded.skipped_lines))
}

fn locate(kind: ReadErrorKind, source: &str, position: usize, skipped_lines: u32) -> ReadError {
    let before = source
        .get(..source.floor_char_boundary(position))
        .unwrap_or_default();
    let lines = before.bytes().filter(|byte| *byte == b'\n').count();
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count());
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1);
    ReadError {
        kind,
        line: number(lines).saturating_add(skipped_lines),
        column: number(column),
    }
}

/// Walks the events; `position` is left at the event that failed.
fn read_events(
    source: &str,
    limits: &ReadLimits,
    position: &mut usize,
) -> Result<TransformRequest, ReadErrorKind> {
    let mut reader = Reader::from_str(source);
    let config = reader.config_mut();
    config.allow_dangling_amp = true;
    config.check_end_names = true;
    let mut builder = Builder::new(*limits);
    loop {
        *position = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => {
                *position = usize::try_from(reader.error_position()).unwrap_or(usize::MAX);
                return Err(ReadErrorKind::Malformed(explain(&error)));
            }
        };
        match event {
            Event::Start(tag) => open(&mut builder, &tag, limits)?,
            Event::Empty(tag) => {
                open(&mut builder, &tag, limits)?;
                builder.close();
            }
            Event::End(_) => builder.close(),
            Event::Text(text) => builder.text(&text)?,
            Event::CData(text) => builder.text(&text)?,
            Event::GeneralRef(name) => match text::resolve(&name) {
                Reference::Char(c) => builder.character(c)?,
                Reference::Forbidden => {}
                Reference::Unknown(name) => return Err(unknown_entity(name)),
                Reference::Literal => {
                    builder.character('&')?;
                    builder.text(&name)?;
                    builder.character(';')?;
                }
            },
            Event::DocType(_) => return Err(ReadErrorKind::Doctype),
            Event::Eof => return builder.finish(),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
        }
    }
}

fn open(builder: &mut Builder, tag: &BytesStart<'_>, limits: &ReadLimits) -> Result<(), ReadErrorKind> {
    builder.open(tag.local_name().as_ref())?;
    // Without quick-xml's own check for duplicates: it compares each pair, and the first one counts here anyway.
    for (count, attribute) in tag.attributes().with_checks(false).enumerate() {
        if count >= limits.attributes {
            return Err(ReadErrorKind::TooMany("attributes"));
        }
        let attribute = attribute.map_err(|_| ReadErrorKind::Malformed("a broken attribute"))?;
        let name = attribute.key.local_name();
        if builder.wants(name.as_ref()) {
            let value = attribute_value(&attribute.value)?;
            builder.attribute(name.as_ref(), value)?;
        }
    }
    builder.opened()
}

/// Resolves references, and turns line ends and tabs into blanks as XML 1.0 section 3.3.3 has it.
fn attribute_value(raw: &str) -> Result<Cow<'_, str>, ReadErrorKind> {
    if raw.bytes().all(|byte| byte >= b' ' && byte != b'&') {
        return Ok(Cow::Borrowed(raw));
    }
    let mut out = String::with_capacity(raw.len());
    let mut parts = raw.split('&');
    push_blanked(&mut out, parts.next().unwrap_or_default());
    for part in parts {
        let Some((name, rest)) = part.split_once(';') else {
            out.push('&');
            push_blanked(&mut out, part);
            continue;
        };
        match text::resolve(name) {
            Reference::Char(c) => out.push(c),
            Reference::Forbidden => {}
            Reference::Unknown(name) => return Err(unknown_entity(name)),
            Reference::Literal => {
                out.push('&');
                push_blanked(&mut out, name);
                out.push(';');
            }
        }
        push_blanked(&mut out, rest);
    }
    Ok(Cow::Owned(out))
}

fn push_blanked(out: &mut String, raw: &str) {
    if raw.bytes().all(|byte| byte >= b' ') {
        out.push_str(raw);
        return;
    }
    let unified = raw.replace("\r\n", " ");
    out.extend(
        unified
            .chars()
            .map(|c| if matches!(c, '\t' | '\n' | '\r') { ' ' } else { c }),
    );
}

fn unknown_entity(name: &str) -> ReadErrorKind {
    ReadErrorKind::UnknownEntity(name.chars().take(16).collect())
}

/// Explains a parser's error without its own text, which quotes the input.
fn explain(error: &quick_xml::Error) -> &'static str {
    use quick_xml::errors::{IllFormedError, SyntaxError};
    match error {
        quick_xml::Error::IllFormed(IllFormedError::MismatchedEndTag { .. }) => "an end tag does not match",
        quick_xml::Error::IllFormed(IllFormedError::UnmatchedEndTag(_)) => "an end tag without its start",
        quick_xml::Error::Syntax(SyntaxError::UnclosedCData) => "a CDATA section is not closed",
        quick_xml::Error::Syntax(SyntaxError::UnclosedComment) => "a comment is not closed",
        quick_xml::Error::Syntax(SyntaxError::UnclosedDoctype) => "a document type is not closed",
        quick_xml::Error::Syntax(_) => "markup is not closed",
        _ => "it is not well-formed",
    }
}
