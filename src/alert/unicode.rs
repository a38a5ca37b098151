//! Tells characters apart by their general category in Unicode, not by lists of them.

use std::fmt::Write as _;

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

/// How many characters of a stranger's text are shown.
const MAX_SHOWN: usize = 200;

/// Returns the general category of a character.
pub(super) fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

/// Tells characters that a reader does not see, or that steer what is around them.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control()
        || !c.is_ascii()
            && matches!(
                category(c),
                GeneralCategory::Control
                    | GeneralCategory::Format
                    | GeneralCategory::LineSeparator
                    | GeneralCategory::ParagraphSeparator
                    | GeneralCategory::PrivateUse
                    | GeneralCategory::Unassigned
            )
}

/// Shows a stranger's text: the first characters of it, lines joined, what is invisible by its number (`U+200E`).
pub(super) fn visible(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.trim().chars();
    for c in chars.by_ref().take(MAX_SHOWN) {
        match c {
            '\r' => {}
            '\n' | '\t' => out.push(' '),
            c if is_invisible(c) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "U+{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    if chars.next().is_some() {
        out.push('\u{2026}');
    }
    out
}

/// Returns text for a fact: bounded, lines joined, invisible characters left out.
pub(super) fn plain(text: &str, most: usize) -> String {
    let spaced = text
        .chars()
        .map(|c| if matches!(c, '\t' | '\n' | '\r') { ' ' } else { c });
    let clean: String = spaced.filter(|c| !is_invisible(*c)).take(most).collect();
    clean.trim().to_owned()
}
