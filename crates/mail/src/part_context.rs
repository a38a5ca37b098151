//! Holds what stands around a part and counts for it, too.

use url::Url;

use super::headers::{Field, decoded};
use pivotd_domain::links::web;

/// How many characters of a header are read that says where a part is from.
const MAX_PLACE: usize = 4_096;
/// How many such places of one part are kept.
const MAX_PLACES: usize = 4;

/// Is what stands around a part.
#[derive(Clone, Copy, Default)]
pub(super) struct PartContext<'a> {
    /// How many parts it stands in.
    pub(super) depth: usize,
    /// Whether a part without a type is a message (RFC 2046, 5.1.5).
    pub(super) in_digest: bool,
    /// The boundaries of the multiparts that hold it, as any program reads them.
    pub(super) boundaries: &'a [String],
    /// Where the headers around it say that relative links lead.
    pub(super) bases: &'a [Url],
}

/// Tells a text with a line that begins like a delimiter of one of these boundaries. Programs differ in whether it is one: by
/// RFC 2046, 5.1.1, the beginning decides; many compare the whole line.
pub(super) fn holds_delimiter(text: &[u8], boundaries: &[String]) -> bool {
    if boundaries.is_empty() {
        return false;
    }
    let mut lines = text.split(|b| matches!(b, b'\r' | b'\n'));
    lines.any(|line| {
        let rest = line.strip_prefix(b"--");
        rest.is_some_and(|rest| {
            boundaries
                .iter()
                .any(|boundary| rest.starts_with(boundary.as_bytes()))
        })
    })
}

/// Returns where the relative links of a part lead by its headers (RFC 2110 and RFC 2557, 5), else by those around it.
/// Programs differ in whether they know Content-Base.
pub(super) fn bases(fields: &[Field<'_>], around: &[Url]) -> Vec<Url> {
    let named = |name: &'static str| fields.iter().filter(move |field| field.is(name)).map(place);
    let mut found: Vec<Url> = named("Content-Base").filter_map(|text| web(&text)).collect();
    let outer = found.first().or(around.first()).cloned();
    let mut has_location = false;
    for text in named("Content-Location") {
        let joined = || outer.as_ref().and_then(|outer| outer.join(&text).ok());
        if let Some(url) = web(&text).or_else(joined) {
            has_location = true;
            found.push(url);
        }
    }
    if !has_location {
        found.extend(around.iter().cloned());
    }
    let mut bases = Vec::new();
    for url in found {
        if bases.len() < MAX_PLACES && !bases.contains(&url) {
            bases.push(url);
        }
    }
    bases
}

/// Returns the address in a header, without the white space of folding and what stands around it.
fn place(field: &Field<'_>) -> String {
    let text = decoded(&field.unfolded(), MAX_PLACE);
    let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    bare.trim_matches(['"', '<', '>', '\'']).to_owned()
}
