//! Repeats to a client what it sent, in few characters: a name of megabytes is no part of a message.

use std::borrow::Cow;

use super::indicator::{unturned, visible};

/// The most characters that a message repeats of a name, a path or a value.
const MOST: usize = 64;
/// The most characters that a message to a client has.
const MOST_OF_MESSAGE: usize = 2_000;

/// Repeats what a client sent: at most 64 characters and an ellipsis, control and other invisible characters as `U+0007`.
#[must_use]
pub fn echoed(text: &str) -> String {
    visible(text, MOST)
}

/// Shortens what the message of a library repeats between quotes or backticks, as [`echoed`] does.
#[must_use]
pub fn brief(message: &str) -> String {
    let mut out = String::with_capacity(message.len().min(2 * MOST_OF_MESSAGE));
    let mut rest = message;
    while let Some((before, behind, quote)) = opened(rest) {
        out.push_str(before);
        out.push(quote);
        let (inner, after) = match behind.split_once(quote) {
            Some((inner, after)) => (inner, Some(after)),
            None => (behind, None),
        };
        out.push_str(&echoed(inner));
        let Some(after) = after else {
            return bounded(&out).into_owned();
        };
        out.push(quote);
        rest = after;
    }
    out.push_str(rest);
    bounded(&out).into_owned()
}

/// Splits a text at its first quote: what stands before it, what behind, and the quote.
fn opened(text: &str) -> Option<(&str, &str, char)> {
    let (at, quote) = text.char_indices().find(|(_, c)| matches!(c, '`' | '"'))?;
    let behind = text.get(at + quote.len_utf8()..)?;
    Some((text.get(..at)?, behind, quote))
}

/// Bounds a message to a client, whatever it was made of: the middle of a long one gives way to an ellipsis, since the end says
/// what was expected. Characters that turn the direction of a text are shown.
#[must_use]
pub fn bounded(message: &str) -> Cow<'_, str> {
    if message.len() <= MOST_OF_MESSAGE {
        return unturned(message);
    }
    let half = MOST_OF_MESSAGE / 2;
    let start = message
        .char_indices()
        .nth(half)
        .map_or(message.len(), |(at, _)| at);
    let end = message.char_indices().rev().nth(half).map_or(0, |(at, _)| at);
    match (message.get(..start), message.get(end..)) {
        (Some(first), Some(last)) if start < end => {
            Cow::Owned(unturned(&format!("{first}…{last}")).into_owned())
        }
        // Its characters are of several octets.
        _ => unturned(message),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_repeats_a_part_and_says_what_was_expected() {
        let name = "x".repeat(1 << 20);
        let said = brief(&format!(
            "unknown field `{name}`, expected one of `email`, `domain` at line 1 column 7"
        ));
        let short = format!("`{}…`", "x".repeat(MOST));
        assert_eq!(
            said,
            format!("unknown field {short}, expected one of `email`, `domain` at line 1 column 7")
        );
        assert_eq!(
            brief("invalid type: string \"a\u{7}b\", expected u8"),
            "invalid type: string \"aU+0007b\", expected u8"
        );
        assert_eq!(brief("EOF while parsing"), "EOF while parsing");
        assert_eq!(bounded("a\u{202e}b"), "a\\u202eb");
        // Names may hold quotes themselves.
        let quoted = brief(&format!(
            "unknown field `{}`, expected `email`",
            "a`".repeat(1 << 16)
        ));
        assert!(quoted.len() < 4 * MOST_OF_MESSAGE, "{}", quoted.len());
        assert!(quoted.ends_with("expected `email`"), "{quoted}");
    }

    proptest! {
        #[test]
        fn no_message_is_long(text in "[`\"a-z\u{e9}\u{1f600}\u{202e} ]{0,80}", times in 1_usize..200) {
            let text = text.repeat(times);
            for said in [brief(&text), bounded(&text).into_owned()] {
                // A character that turns the direction becomes six.
                prop_assert!(said.chars().count() <= 6 * (MOST_OF_MESSAGE + 2));
            }
            prop_assert!(echoed(&text).chars().count() <= 6 * MOST + 1);
        }
    }
}
