//! Bounds how much of a member is looked at: what is read of its words costs far more than its bytes.

use std::cell::Cell;

/// The most values of one member that are looked at; that there are more is told.
pub(super) const MOST_VALUES: usize = 2_000;
/// The most words of one member that are tried as values.
pub(super) const MOST_WORDS: usize = 10_000;
/// The most bytes of one text, and of the texts of one member that are taken apart: more than all values of an alert have.
pub(super) const MOST_BYTES: usize = 256 << 10;

/// Is what is left to be looked at of a member.
#[derive(Debug)]
pub(super) struct ReadBudget {
    words: Cell<usize>,
    bytes: Cell<usize>,
    is_cut: Cell<bool>,
}

impl Default for ReadBudget {
    fn default() -> Self {
        Self {
            words: Cell::new(MOST_WORDS),
            bytes: Cell::new(MOST_BYTES),
            is_cut: Cell::new(false),
        }
    }
}

impl ReadBudget {
    /// Takes a text as far as bytes are left: up to the last separator there.
    pub(super) fn text<'t>(&self, text: &'t str) -> &'t str {
        let left = self.bytes.get();
        self.bytes.set(left.saturating_sub(text.len()));
        if text.len() <= left {
            return text;
        }
        self.is_cut.set(true);
        head(text, left)
    }

    /// Takes a word that may be a value; false where none is left.
    pub(super) fn word(&self) -> bool {
        match self.words.get().checked_sub(1) {
            Some(left) => self.words.set(left),
            None => self.is_cut.set(true),
        }
        !self.is_cut.get()
    }

    /// Notes that something is not looked at.
    pub(super) fn cut(&self) {
        self.is_cut.set(true);
    }

    /// Tells whether something was not looked at.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut.get()
    }
}

/// Cuts the start off a text, of at most so many bytes, up to the last separator in it.
pub(super) fn head(text: &str, max: usize) -> &str {
    let head = text.get(..text.floor_char_boundary(max)).unwrap_or_default();
    let separates = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
    let end = head.rfind(separates).unwrap_or(head.len());
    head.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_looked_at_as_far_as_bytes_and_words_are_left() {
        let looks = ReadBudget::default();
        let text = "a.example ".repeat(MOST_BYTES / 20);
        assert_eq!(looks.text(&text), text);
        assert!(!looks.is_cut());
        let more = "b.example\u{e9} ".repeat(MOST_BYTES / 12);
        let kept = looks.text(&more);
        assert!(kept.len() <= MOST_BYTES - text.len() && more.starts_with(kept));
        assert!(kept.ends_with("b.example\u{e9}") && looks.is_cut());

        let looks = ReadBudget::default();
        assert!((0..MOST_WORDS).all(|_| looks.word()) && !looks.is_cut());
        assert!(!looks.word() && looks.is_cut());
    }
}
