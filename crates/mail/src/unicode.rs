//! Tells characters apart by their general category in Unicode, not by lists of them.

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

use pivotd_domain::indicator::{self, is_invisible};

/// How many characters of a stranger's text are shown.
const MAX_SHOWN: usize = 200;

/// Returns the general category of a character.
pub(super) fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

/// Shows a stranger's text: the first characters of it, lines joined, what is invisible by its number (`U+200E`).
pub(super) fn visible(text: &str) -> String {
    // One more tells that there is more.
    let start: String = joined(text.trim()).take(MAX_SHOWN + 1).collect();
    indicator::visible(&start, MAX_SHOWN)
}

/// Returns text for a fact: bounded, lines joined, invisible characters left out.
pub(super) fn plain(text: &str, max: usize) -> String {
    let clean: String = joined(text).filter(|c| !is_invisible(*c)).take(max).collect();
    clean.trim().to_owned()
}

/// Joins the lines of a text.
fn joined(text: &str) -> impl Iterator<Item = char> + '_ {
    let seen = text.chars().filter(|c| *c != '\r');
    seen.map(|c| if matches!(c, '\t' | '\n') { ' ' } else { c })
}
