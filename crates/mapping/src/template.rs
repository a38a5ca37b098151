//! Reads and fills templates: literal text, `{field}`, and `[..]` that vanishes if a field in it is missing.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::rules::{Template, TemplatePart};

/// The longest text that a template gives, in bytes; what is longer is cut at a character's end.
const MAX_FILLED: usize = 8192;

/// Says what is wrong with a template, and at which character.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at character {at}")]
pub struct TemplateError {
    /// What is wrong and what is expected.
    pub message: &'static str,
    /// Which character, counted from 1.
    pub at: usize,
}

impl Template {
    /// Makes a template of one field.
    #[must_use]
    pub fn of_field(name: &str) -> Self {
        Self {
            pieces: vec![TemplatePart::Field(name.to_owned())],
        }
    }

    /// Reads a template.
    ///
    /// # Errors
    /// [`TemplateError`] for a bracket or brace without its partner or inside another one, an empty name, and an
    /// optional part without a field.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut optional: Option<(usize, Vec<TemplatePart>)> = None;
        let mut name: Option<(usize, String)> = None;
        let mut literal = String::new();
        let fail = |at: usize, message| Err(TemplateError { message, at: at + 1 });
        for (at, c) in text.chars().enumerate() {
            let is_optional = optional.is_some();
            let out = optional.as_mut().map_or(&mut pieces, |(_, inner)| inner);
            match (c, &mut name) {
                ('}', Some((start, field))) => {
                    if field.is_empty() {
                        return fail(*start, "a field's name is missing between { and }");
                    }
                    out.push(TemplatePart::Field(std::mem::take(field)));
                    name = None;
                }
                ('{' | '[' | ']', Some((start, _))) => return fail(*start, "{ is not closed by }"),
                (_, Some((_, field))) => field.push(c),
                ('{', None) => {
                    flush(&mut literal, out);
                    name = Some((at, String::new()));
                }
                ('}', None) => return fail(at, "} has no {"),
                ('[', None) => {
                    if is_optional {
                        return fail(at, "[ stands inside another [..]");
                    }
                    flush(&mut literal, out);
                    optional = Some((at, Vec::new()));
                }
                (']', None) => {
                    flush(&mut literal, out);
                    let Some((start, inner)) = optional.take() else {
                        return fail(at, "] has no [");
                    };
                    if !inner.iter().any(|piece| matches!(piece, TemplatePart::Field(_))) {
                        return fail(start, "[..] needs a {field} in it");
                    }
                    pieces.push(TemplatePart::Optional(inner));
                }
                (_, None) => literal.push(c),
            }
        }
        if let Some((start, _)) = name {
            return fail(start, "{ is not closed by }");
        }
        if let Some((start, _)) = optional {
            return fail(start, "[ is not closed by ]");
        }
        flush(&mut literal, &mut pieces);
        Ok(Self { pieces })
    }

    /// Returns the name of the only field, where the template is nothing else.
    #[must_use]
    pub fn single_field(&self) -> Option<&str> {
        self.only_field().map(String::as_str)
    }

    /// Walks the names of all fields in it.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.pieces
            .iter()
            .flat_map(|piece| match piece {
                TemplatePart::Optional(inner) => inner.as_slice(),
                other => std::slice::from_ref(other),
            })
            .filter_map(|piece| match piece {
                TemplatePart::Field(name) => Some(name.as_str()),
                _ => None,
            })
    }
}

impl<F> Template<F> {
    /// Returns the only field, where the template is nothing else.
    fn only_field(&self) -> Option<&F> {
        match self.pieces.as_slice() {
            [TemplatePart::Field(field)] => Some(field),
            _ => None,
        }
    }

    /// Fills the template by `resolve`; `None` if a field outside `[..]` is missing.
    pub fn fill<'a>(&self, resolve: impl Fn(&F) -> Option<Cow<'a, str>>) -> Option<Cow<'a, str>> {
        if let Some(field) = self.only_field() {
            return resolve(field);
        }
        let mut out = String::new();
        self.fill_into(&mut out, resolve)?;
        Some(Cow::Owned(out))
    }

    /// Fills an empty buffer. If a field outside `[..]` is missing, this returns `None` and the buffer is not to be used.
    pub(super) fn fill_into<'a>(
        &self,
        out: &mut String,
        resolve: impl Fn(&F) -> Option<Cow<'a, str>>,
    ) -> Option<()> {
        if let Some(field) = self.only_field() {
            out.push_str(&resolve(field)?);
            return Some(());
        }
        for piece in &self.pieces {
            match piece {
                TemplatePart::Text(text) => out.push_str(text),
                TemplatePart::Field(field) => out.push_str(&resolve(field)?),
                TemplatePart::Optional(inner) => {
                    let kept = out.len();
                    for piece in inner {
                        match piece {
                            TemplatePart::Text(text) => out.push_str(text),
                            TemplatePart::Field(field) => match resolve(field) {
                                Some(text) => out.push_str(&text),
                                None => {
                                    out.truncate(kept);
                                    break;
                                }
                            },
                            TemplatePart::Optional(_) => {}
                        }
                    }
                }
            }
        }
        if out.len() > MAX_FILLED {
            out.truncate(out.floor_char_boundary(MAX_FILLED));
        }
        Some(())
    }
}

impl std::fmt::Display for Template {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for piece in &self.pieces {
            match piece {
                TemplatePart::Text(text) => formatter.write_str(text)?,
                TemplatePart::Field(name) => write!(formatter, "{{{name}}}")?,
                TemplatePart::Optional(inner) => {
                    formatter.write_char('[')?;
                    Self {
                        pieces: inner.clone(),
                    }
                    .fmt(formatter)?;
                    formatter.write_char(']')?;
                }
            }
        }
        Ok(())
    }
}

fn flush(literal: &mut String, out: &mut Vec<TemplatePart>) {
    if !literal.is_empty() {
        out.push(TemplatePart::Text(std::mem::take(literal)));
    }
}
