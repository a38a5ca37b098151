//! Says where a URL ends in a text that goes on behind it: in mail, and in what people and templates write.

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory as Category;

use super::extent::is_word;
use super::refang::{after_scheme, refang, token};

/// The longest character reference that is looked at, in octets.
const MAX_REFERENCE: usize = 12;
/// Words that templates write for nothing and for what was found of a URL, behind a separator.
const BESIDE: [&str; 47] = [
    "allowed",
    "benign",
    "block",
    "blocked",
    "botnet",
    "c2",
    "clean",
    "critical",
    "denied",
    "detected",
    "dropped",
    "false",
    "harmless",
    "high",
    "informational",
    "legitimate",
    "low",
    "malicious",
    "malware",
    "medium",
    "n/a",
    "na",
    "nan",
    "nil",
    "no",
    "none",
    "null",
    "permitted",
    "phish",
    "phishing",
    "quarantined",
    "ransomware",
    "safe",
    "scam",
    "spam",
    "spyware",
    "suspicious",
    "trojan",
    "true",
    "undefined",
    "undetected",
    "unknown",
    "unrated",
    "unsafe",
    "untrusted",
    "verdict",
    "yes",
];
/// Words between two URLs.
const JOINTS: [&str; 8] = ["and", "as", "et", "oder", "or", "to", "und", "y"];
/// Words and signs of values that are not shown.
const MORE: [&str; 7] = [
    "more",
    "other",
    "others",
    "additional",
    "weitere",
    "autres",
    "etc",
];

/// Holds a URL that was cut out of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UrlInText<'t> {
    /// The URL.
    pub(super) url: &'t str,
    /// What stands behind it.
    pub(super) rest: &'t str,
    /// Whether that is words and signs only: neither a value nor part of the URL.
    pub(super) is_words: bool,
}

/// Tells characters that end a link in running text.
pub fn ends(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_whitespace()
            || c.is_ascii_control()
            || matches!(c, '<' | '>' | '"' | '\'' | '`' | '|' | '^');
    }
    !is_word(c)
}

/// Takes off the punctuation at the end of a link.
pub fn without_punctuation(run: &str) -> &str {
    run.trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_', '~'])
}

/// Returns the bracket that closes another.
pub fn closing(open: char) -> Option<char> {
    match open {
        '[' => Some(']'),
        '(' => Some(')'),
        '{' => Some('}'),
        _ => None,
    }
}

/// Tells a text behind a comma or a semicolon that begins with a word for nothing or for what was found of a URL:
/// `,null`, `;malicious`.
pub fn begins_beside(text: &str) -> bool {
    let is_end = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | ')' | ']' | '"' | '\'');
    let ending = text.char_indices().take(16).find(|(_, c)| is_end(*c));
    let end = ending.map_or(text.len(), |(at, _)| at);
    let word = text.get(..end).unwrap_or_default();
    listed(&BESIDE, word.trim_end_matches(['.', '!', '?']))
}

fn listed(words: &[&str], word: &str) -> bool {
    words.iter().any(|listed| listed.eq_ignore_ascii_case(word))
}

/// Tells a character reference that stands for white space or for what else ends a link: `&nbsp;`, `&quot;`, `&#160;`.
pub(crate) fn begins_reference(text: &str) -> bool {
    const NAMES: [&str; 24] = [
        "apos", "bull", "emsp", "ensp", "gt", "hellip", "laquo", "ldquo", "lsquo", "lt", "mdash", "middot",
        "nbsp", "ndash", "newline", "quot", "raquo", "rarr", "rdquo", "rsquo", "shy", "thinsp", "zwj",
        "zwnj",
    ];
    let Some(rest) = text.strip_prefix('&') else {
        return false;
    };
    let semicolon = rest.char_indices().take(MAX_REFERENCE).find(|(_, c)| *c == ';');
    let Some(name) = semicolon.and_then(|(at, _)| rest.get(..at)) else {
        // At the end of a text the semicolon may be missing.
        return rest.eq_ignore_ascii_case("nbsp");
    };
    let Some(number) = name.strip_prefix('#') else {
        return listed(&NAMES, name);
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => number.parse().ok(),
    };
    code.and_then(char::from_u32).is_some_and(ends)
}

/// Cuts a URL off the start of a text, where something stands behind it. White space ends it (RFC 3986), but around the
/// dots of its host.
pub(super) fn cut(text: &str) -> Option<UrlInText<'_>> {
    let around = |c: char| "\"'`<([{*_~-".contains(c) || (!c.is_ascii() && is_punctuation(c));
    let bare = text.trim_start_matches(|c: char| c.is_whitespace() || around(c));
    let leading = text.get(..text.len().checked_sub(bare.len())?)?;
    let (scheme, target) = match after_scheme(bare) {
        Some(target) => (bare.get(..bare.len().checked_sub(target.len())?)?, target),
        None if begins_page(bare) => ("", bare),
        None => return None,
    };
    let (length, has_path) = length(target);
    let run = target.get(..length)?;
    // What clients ask for ends before the fragment.
    let page = run.split('#').next().unwrap_or_default();
    let is_clean = without_punctuation(page).len() == page.len();
    let run = if is_clean { run } else { page };
    let mut kept = without_punctuation(run);
    // These are of a name or a token in a path, where nothing of their kind stands before.
    let is_of_path = |c: char| matches!(c, '_' | '~') && !leading.contains(c);
    let removed = run.get(kept.len()..)?;
    let restored = removed.len() - removed.trim_start_matches(is_of_path).len();
    kept = run.get(..kept.len() + restored)?;
    if kept.matches('\'').count() % 2 == 1
        && let Some(inner) = kept.strip_suffix('\'')
    {
        kept = without_punctuation(inner);
    }
    let rest = target.get(kept.len()..)?;
    let is_cut = has_path || rest.contains(char::is_alphanumeric);
    if rest.trim().is_empty() || !is_cut {
        return None;
    }
    let url = bare.get(..scheme.len() + kept.len())?;
    Some(UrlInText {
        url,
        rest,
        is_words: is_words(rest),
    })
}

/// Tells a page of a host, without its scheme.
fn begins_page(text: &str) -> bool {
    let end = text.char_indices().find(|(at, c)| ends_host(text, *at, *c));
    let host = end.and_then(|(at, _)| text.get(..at)).unwrap_or(text);
    host.len() < text.len() && host.contains('.') && !host.contains(|c: char| c.is_whitespace() || c == '@')
}

/// Tells a character that ends the host of a URL: a slash of either kind or the start of a query or fragment. A backslash
/// before a dot is an escape: `example\.com`.
pub(super) fn ends_host(text: &str, at: usize, c: char) -> bool {
    match c {
        '/' | '?' | '#' => true,
        '\\' => !text.get(at..).is_some_and(|rest| rest.starts_with("\\.")),
        _ => false,
    }
}

/// Returns how long a URL is, from its host on, and whether it has a path.
fn length(text: &str) -> (usize, bool) {
    let mut open = Vec::new();
    let mut in_path = false;
    let mut skip = 0;
    for (at, c) in text.char_indices() {
        if at < skip {
            continue;
        }
        let rest = text.get(at..).unwrap_or_default();
        let behind = rest.get(c.len_utf8()..).unwrap_or_default();
        if let Some((plain, after)) = token(rest) {
            in_path |= plain.starts_with('/');
            skip = text.len() - after.len();
            continue;
        }
        let is_end = match c {
            c if c.is_whitespace() && !in_path => {
                let is_joined = is_joined(text.get(..at).unwrap_or_default(), behind);
                skip = text.len() - behind.trim_start().len();
                !is_joined
            }
            '/' | '?' | '#' | '\\' => {
                in_path = true;
                false
            }
            // These are of queries as clients send them, where no separator of a template is meant.
            '\'' | '^' => false,
            ',' | ';' => begins_beside(behind),
            '&' => begins_reference(rest),
            '[' | '(' | '{' => {
                open.push(c);
                open.len() > 64
            }
            ']' | ')' | '}' => open.pop().and_then(closing) != Some(c) && in_path,
            c => ends(c) && (in_path || c.is_ascii()),
        };
        if is_end {
            return (at, in_path);
        }
    }
    (text.len(), in_path)
}

/// Tells white space around the dot of a host: `example [.] com`, `example dot com`.
fn is_joined(before: &str, behind: &str) -> bool {
    let is_joint = |word: &str| matches!(refang(word).to_ascii_lowercase().as_str(), "." | "dot");
    let last = before.split_whitespace().next_back();
    let next = behind.split_whitespace().next();
    [last, next].into_iter().flatten().any(is_joint)
}

/// Tells words and signs: neither a value nor part of the URL before.
fn is_words(rest: &str) -> bool {
    let is_apart = rest.starts_with(char::is_whitespace);
    let plain = without_markup(rest);
    let plain = plain.trim();
    let mut chars = plain.chars();
    let first = chars.next();
    if !plain.contains(char::is_alphanumeric) {
        // A symbol directly behind may be the last character of a path.
        return is_apart || plain.chars().all(|c| c.is_ascii() || is_punctuation(c));
    }
    // So may a quotation mark in a query be.
    let is_quote = |c: char| !c.is_ascii() || matches!(c, '"' | '`' | '<');
    if !is_apart && first.is_some_and(is_quote) && chars.next().is_some_and(char::is_alphanumeric) {
        return false;
    }
    let word = plain.split_whitespace().next().unwrap_or_default();
    let word = word.trim_end_matches(['.', ',', ';', ':', '!']);
    let is_signed = !plain.starts_with(char::is_alphanumeric);
    let is_known = listed(&BESIDE, word) || listed(&JOINTS, word);
    (is_signed || is_known) && !plain.split(is_separator).any(is_value)
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | '|')
}

/// Tells a word that could be a value, part of a URL, or a sign of values that are not shown.
fn is_value(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '+' && c != '<');
    let (front, digits) = bare.split_once('/').unwrap_or((bare, ""));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // A number of engines of as many.
    let is_ratio = is_number(front.rsplit(':').next().unwrap_or_default()) && is_number(digits);
    if is_ratio || listed(&BESIDE, bare) {
        return false;
    }
    let is_part = |c: char| ".@/\\=&%?#_<~+".contains(c);
    bare.contains(is_part) || bare.len() >= 32 || listed(&MORE, bare)
}

/// Leaves out closing tags, line breaks and character references.
fn without_markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let behind = rest.get(c.len_utf8()..).unwrap_or_default();
        let is_tag =
            c == '<' && (behind.starts_with('/') || behind.starts_with("br") || behind.starts_with("BR"));
        let end = if is_tag {
            behind.split_once('>')
        } else if begins_reference(rest) {
            Some(behind.split_once(';').unwrap_or_default())
        } else {
            None
        };
        rest = if let Some((_, after)) = end {
            out.push(' ');
            after
        } else {
            out.push(c);
            behind
        };
    }
    out
}

/// Tells punctuation, white space and what cannot be seen, of any script.
fn is_punctuation(c: char) -> bool {
    matches!(
        CodePointMapData::<Category>::new().get(c),
        Category::ConnectorPunctuation
            | Category::DashPunctuation
            | Category::OpenPunctuation
            | Category::ClosePunctuation
            | Category::InitialPunctuation
            | Category::FinalPunctuation
            | Category::OtherPunctuation
            | Category::SpaceSeparator
            | Category::LineSeparator
            | Category::ParagraphSeparator
            | Category::Control
            | Category::Format
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://www.shop.example/hacked.php";

    #[test]
    fn what_stands_behind_a_url_is_cut_off() {
        for words in [
            " (malicious)",
            " - Phishing",
            " [malicious]",
            " malicious",
            ";malicious",
            ";Phishing; high",
            "|Phishing",
            " \u{2192} blocked",
            " -> blocked",
            " \u{2014} a kit for phishing",
            " (1 hit)",
            " (VT 5/94)",
            ",null",
            ",N/A",
            ".",
            "...",
            "\u{2026}",
            "*",
            "**",
            "\u{201d}",
            "\u{bb}",
            "`",
            "'",
            "\"",
            "</a>",
            "<br/>",
            "&nbsp;",
            "&nbsp",
            "&quot;",
            "&#160;",
            " and",
            " ->",
            ")",
        ] {
            let text = format!("{URL}{words}");
            let found = cut(&text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.url, found.is_words), (URL, true), "{text}");
        }
        for rest in [
            " (+1 more)",
            " +2 more",
            " is a page",
            " report.pdf",
            " b&c=d",
            " and https://b.example/",
            "<script>alert(1)</script>",
            "\"x\"",
            "|a+b",
            "\u{1f355}",
        ] {
            let text = format!("{URL}{rest}");
            let found = cut(&text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.url, found.is_words), (URL, false), "{text}");
        }
        assert_eq!(
            cut("a.example/x;malicious").map(|cut| cut.url),
            Some("a.example/x")
        );
        assert_eq!(
            cut("**https://a.example/x_** (bad)").map(|cut| cut.url),
            Some("https://a.example/x_")
        );
    }

    #[test]
    fn a_url_is_whole_as_it_stands() {
        for whole in [
            URL,
            "https://a.example/x,y;z",
            "https://a.example/x;jsessionid=1?a,b",
            "https://a.example/O'Neil_(d)_",
            "https://a.example/token~",
            "https://a.example/?a=1&lt=2&b[]=3",
            "https://a.example/\u{9053}\u{e9}",
            "https://a.example/42,druck",
            "hxxp://www . b.example/a",
            "hxxps://a (dot) example/p",
            "hxxps:[/][/]a[.]example[/]p",
            "http://[2001:db8::1]/x",
            "a.example/x",
            "192.0.2.0/24",
        ] {
            assert_eq!(cut(whole), None, "{whole}");
        }
    }
}
