//! Says where a host ends in a text that goes on behind it, by what names hold.

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory as Category, Script};

use super::invisible::is_joiner;
use super::names::{is_dot, is_top_level};

/// The longest label in characters that is looked at for text behind a suffix.
const MOST_LETTERS: usize = 64;
/// Top-level domains that are registered nowhere, for documentation, tests and networks of one's own.
const RESERVED: [&str; 9] = [
    "example",
    "invalid",
    "internal",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "onion",
    "test",
];

/// Tells letters, marks and numbers of any script.
pub(crate) fn is_word(c: char) -> bool {
    matches!(
        CodePointMapData::<Category>::new().get(c),
        Category::UppercaseLetter
            | Category::LowercaseLetter
            | Category::TitlecaseLetter
            | Category::ModifierLetter
            | Category::OtherLetter
            | Category::NonspacingMark
            | Category::SpacingMark
            | Category::EnclosingMark
            | Category::DecimalNumber
            | Category::LetterNumber
            | Category::OtherNumber
    )
}

/// Tells characters beyond ASCII that names hold: those of words, and those that clients read as such, as a circled letter.
/// IDNA 2008 has neither symbols nor punctuation (RFC 5892).
pub fn is_of_name(c: char) -> bool {
    !c.is_ascii() && (is_word(c) || is_joiner(c) || is_symbol_of_name(c))
}

/// Tells symbols that clients read as characters of words, and what they leave out of names (UTS 46).
fn is_symbol_of_name(c: char) -> bool {
    if c.is_ascii() || is_word(c) {
        return false;
    }
    let mut octets = [0; 4];
    let (read, result) = idna::domain_to_unicode(c.encode_utf8(&mut octets));
    result.is_ok() && read.chars().all(is_word)
}

/// Tells characters beyond ASCII that stand around values and between them.
pub fn is_outside(c: char) -> bool {
    !c.is_ascii() && !c.is_whitespace() && !is_of_name(c) && !is_dot(c)
}

/// Returns how much of a text is the host, with its port, that it begins with; what ASCII's characters mean there is for the
/// caller to say.
///
/// A character that no name holds ends it, and so does what is written behind a suffix in a script without spaces. Where
/// only the whole ends in a suffix that is known, it is the whole.
pub fn host(text: &str) -> usize {
    if text.is_ascii() || text.starts_with('[') {
        return text.len();
    }
    let (whole, port) = text.split_at(text.find(':').unwrap_or(text.len()));
    let kept = kept(whole).len();
    if kept < whole.len() {
        return kept;
    }
    // A port is digits.
    let rest = port
        .trim_start_matches(':')
        .trim_start_matches(|c: char| c.is_ascii_digit());
    let is_glued = rest.starts_with(|c: char| !c.is_ascii());
    if is_glued {
        text.len() - rest.len()
    } else {
        text.len()
    }
}

/// Cuts the name off that a text begins with.
fn kept(text: &str) -> &str {
    let name = text.split(is_outside).next().unwrap_or_default();
    let kept = without_sentence(name);
    let is_doubtful = !kept.contains(is_border) || !is_known(kept);
    if kept.len() < text.len() && is_doubtful && is_known(text) {
        return text;
    }
    kept
}

/// Cuts off what is written behind the suffix of a name.
fn without_sentence(name: &str) -> &str {
    if is_known(name) {
        return name;
    }
    let last = name.rsplit(is_border).next().unwrap_or_default();
    let start = name.len() - last.len();
    let above = name.get(..start).unwrap_or_default();
    let cuts = last
        .char_indices()
        .take(MOST_LETTERS)
        .filter(|(_, c)| is_spaceless(*c) || is_symbol_of_name(*c));
    let cuts: Vec<usize> = cuts.map(|(at, _)| at).collect();
    let known = cuts
        .iter()
        .rev()
        .find(|at| last.get(..**at).is_some_and(is_known));
    let is_latin = |at: &&usize| {
        last.get(..**at)
            .is_some_and(|head| head.len() > 1 && head.bytes().all(|b| b.is_ascii_alphabetic()))
    };
    if let Some(at) = known
        .or_else(|| cuts.first().filter(is_latin))
        .filter(|_| !above.is_empty())
    {
        return name.get(..start + at).unwrap_or(name);
    }
    // The full stop of a sentence is a dot of names, too.
    let before = above.trim_end_matches(is_dot);
    let is_sentence = !above.ends_with('.') && before.contains('.') && is_known(before);
    if is_sentence { before } else { name }
}

/// Tells a name whose last label is a top-level domain.
pub fn is_known(name: &str) -> bool {
    let name = name.trim_end_matches(is_dot);
    let last = name.rsplit(is_border).next().unwrap_or_default();
    let (read, result) = idna::domain_to_unicode(last);
    result.is_ok() && !read.is_empty() && (RESERVED.contains(&read.as_str()) || is_top_level(&read))
}

/// Tells what stands before the last label of a name: a dot, or the bracket of `[.]` and `[dot]`.
pub(super) fn is_border(c: char) -> bool {
    is_dot(c) || matches!(c, ']' | ')' | '}')
}

/// Tells letters of scripts that are written without spaces, or with a particle directly behind a word.
fn is_spaceless(c: char) -> bool {
    const SCRIPTS: [Script; 9] = [
        Script::Han,
        Script::Hiragana,
        Script::Katakana,
        Script::Hangul,
        Script::Bopomofo,
        Script::Thai,
        Script::Lao,
        Script::Khmer,
        Script::Myanmar,
    ];
    SCRIPTS.contains(&CodePointMapData::<Script>::new().get(c))
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn a_host_ends_at_what_no_name_holds() {
        for (text, expected) in [
            ("a.example\u{1f600}", "a.example"),
            ("a.example\u{3001}b.example", "a.example"),
            ("a.example\u{2019}s", "a.example"),
            ("a.example\u{bb}", "a.example"),
            ("a.example\u{2014}x", "a.example"),
            ("a.example\u{2122}", "a.example"),
            ("a.com\u{2764}.wikipedia.org", "a.com"),
            ("a.example\u{304b}\u{3089}", "a.example"),
            ("a.zzz\u{304b}\u{3089}", "a.zzz"),
            ("a.example:8080\u{304b}\u{3089}", "a.example:8080"),
            ("a.example\u{304b}\u{3089}:8080", "a.example"),
            ("a.com\u{c5d0}\u{c11c}", "a.com"),
            (
                "\u{98df}\u{72ee}.\u{4e2d}\u{56fd}\u{304b}\u{3089}",
                "\u{98df}\u{72ee}.\u{4e2d}\u{56fd}",
            ),
            ("a[.]example\u{304b}\u{3089}", "a[.]example"),
            ("a[dot]example\u{304b}\u{3089}", "a[dot]example"),
            ("a.example\u{3002}\u{8a73}", "a.example"),
        ] {
            assert_eq!(text.get(..host(text)), Some(expected), "{text}");
        }
        for whole in [
            "a.example",
            "a.example:8080",
            "career\u{24de}ffers.example",
            "\u{24d2}areer.ex\u{24d0}mple",
            "m\u{fc}nchen.de",
            "\u{98df}\u{72ee}.\u{4e2d}\u{56fd}",
            "\u{4f8b}\u{3048}.\u{30c6}\u{30b9}\u{30c8}",
            "\u{4f8b}\u{3048}.jp",
            "i\u{2764}\u{fe0f}.ws",
            "www.col\u{b7}lecci\u{f3}.cat",
            "evil\u{3002}example",
            "a\u{2024}example",
            "n\u{e4}me",
            "a.co\u{ad}mpany.example",
        ] {
            assert_eq!(host(whole), whole.len(), "{whole}");
        }
    }
}
