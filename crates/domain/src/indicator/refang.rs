//! Takes back what people do to indicators so that they are not clicked.

use url::{Host, Url};

/// What stands between a pair of brackets, and what it means.
const INNER: [(&str, &str); 11] = [
    (".", "."),
    ("dot", "."),
    ("d0t", "."),
    ("punkt", "."),
    (":", ":"),
    ("://", "://"),
    (":/", ":/"),
    ("@", "@"),
    ("at", "@"),
    ("/", "/"),
    ("//", "//"),
];

/// How many characters with the closing bracket are looked at for one of these.
const MOST_INNER: usize = 10;

/// Removes white space, quotes, backticks and brackets that surround the whole text, however deep.
pub(super) fn unwrap(text: &str) -> &str {
    let mut text = text.trim();
    loop {
        let mut chars = text.chars();
        let inner = match (chars.next(), chars.next_back()) {
            (Some(open), Some(close)) if is_pair(open, close) => chars.as_str().trim(),
            _ => return text,
        };
        text = inner;
    }
}

fn is_pair(open: char, close: char) -> bool {
    matches!(
        (open, close),
        ('"', '"')
            | ('\'', '\'')
            | ('`', '`')
            | ('<', '>')
            | ('[', ']')
            | ('(', ')')
            | ('{', '}')
            | ('\u{201c}', '\u{201d}')
            | ('\u{2018}', '\u{2019}')
            | ('\u{ab}', '\u{bb}')
    )
}

/// Replaces bracketed dots, colons, slashes and at signs (`[.]`, `(dot)`, `{at}` …) by what they stand for.
pub fn refang(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        if let Some((plain, after)) = token(rest) {
            out.push_str(plain);
            rest = after;
            continue;
        }
        let mut chars = rest.chars();
        match chars.next() {
            Some(c) => out.push(c),
            None => return out,
        }
        rest = chars.as_str();
    }
}

/// Reads one bracketed token at the start of the text: its meaning and what follows it.
pub fn token(text: &str) -> Option<(&'static str, &str)> {
    let mut chars = text.chars();
    let close = match chars.next()? {
        '[' => ']',
        '(' => ')',
        '{' => '}',
        _ => return None,
    };
    let rest = chars.as_str();
    let (end, _) = rest.char_indices().take(MOST_INNER).find(|(_, c)| *c == close)?;
    let (head, after) = rest.split_at_checked(end)?;
    let head = head.trim_matches(' ');
    INNER.iter().find_map(|(inner, plain)| {
        let after = after.strip_prefix(close)?;
        head.eq_ignore_ascii_case(inner).then_some((*plain, after))
    })
}

/// Takes back what people do to names and addresses in further ways: escaped dots (`example\\.com`), brackets that are
/// not closed (`example[.com`), a dot that only looks like one, white space around dots and at signs, and words in their place.
pub(super) fn mend(text: &str) -> String {
    let plain = refang(text);
    let half = ["[.", ".]", "(.", ".)", "{.", ".}", "\\.", "\u{2024}"];
    let plain = half.iter().fold(plain, |plain, dot| plain.replace(dot, "."));
    if !plain.contains(char::is_whitespace) {
        return plain;
    }
    // Words join a text where they are all that separates it: "me at example dot com", and no sentence.
    let joined = join(&plain, |word| match word.to_ascii_lowercase().as_str() {
        "." | "dot" => Some('.'),
        "@" | "at" => Some('@'),
        _ => None,
    });
    if !joined.contains(' ') {
        return joined;
    }
    join(&plain, |word| match word {
        "." => Some('.'),
        "@" => Some('@'),
        _ => None,
    })
}

/// Joins words by single spaces, or without any where `sign` says that a word is a sign that stands between two.
fn join(text: &str, sign: impl Fn(&str) -> Option<char>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut glued = true;
    for word in text.split_whitespace() {
        match sign(word) {
            Some(sign) if !glued => {
                out.push(sign);
                glued = true;
            }
            _ => {
                if !glued {
                    out.push(' ');
                }
                out.push_str(word);
                glued = false;
            }
        }
    }
    out
}

/// Takes back the same in scheme and host of a URL; its path stays, where any of that may be meant.
pub(crate) fn mend_url(text: &str) -> String {
    // `http[:]//` and the like are taken back first, since the host stands behind them.
    let plain = refang_url(text);
    let front = front(&plain);
    let start = front.find("//").map_or(0, |at| at + 2);
    let end = match front.get(start..).and_then(|host| host.find('/')) {
        Some(at) => start + at,
        None => front.len(),
    };
    let (Some(head), Some(tail)) = (plain.get(..end), plain.get(end..)) else {
        return plain;
    };
    format!("{}{tail}", mend(head))
}

/// Takes back a defanged URL.
///
/// A path is only touched when scheme or host were defanged: tools that defang replace every dot, while
/// `[.]` in the path of a live URL is part of that URL.
pub fn refang_url(text: &str) -> String {
    let front = front(text);
    let escaped = has_escaped_dots(front) && !leads_to_address(text);
    let defanged = escaped || refang(front) != front || live_scheme(front).is_some();
    if !defanged {
        return text.to_owned();
    }
    let mut plain = refang(text);
    if escaped {
        plain = plain.replace("\\.", ".");
    }
    match live_scheme(&plain) {
        Some((scheme, rest)) => format!("{scheme}{rest}"),
        None => plain,
    }
}

/// Takes back what stands behind the slashes of a defanged URL.
pub fn refang_target(text: &str) -> String {
    let plain = refang(text);
    let end = plain.find(['/', '?', '#']).unwrap_or(plain.len());
    if plain.get(..end).is_some_and(has_escaped_dots) {
        return plain.replace("\\.", ".");
    }
    plain
}

/// Tells the start of a URL: a scheme with `://` behind it, defanged or not.
pub fn begins_url(text: &str) -> bool {
    after_scheme(text).is_some()
}

/// Steps over the start of a URL: a scheme with `://` behind it, defanged or not.
pub(super) fn after_scheme(text: &str) -> Option<&str> {
    let in_scheme = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '*' | '_');
    let scheme = text.chars().take(9).take_while(in_scheme).count();
    let behind = text.get(scheme..).unwrap_or_default();
    let secure = ["[s]", "(s)"].iter().find_map(|s| behind.strip_prefix(s));
    let (after, _) = separator(secure.unwrap_or(behind))?;
    (2..=8).contains(&scheme).then_some(after)
}

/// Tells a link that begins directly behind another: behind a letter or a digit that no escape ends with.
pub fn is_glued(before: &str, text: &str) -> bool {
    const SCHEMES: [&str; 4] = ["https://", "http://", "hxxps://", "hxxp://"];
    let begins = |scheme: &&str| {
        text.get(..scheme.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(scheme))
    };
    if !SCHEMES.iter().any(begins) {
        return false;
    }
    let mut last = before.chars().rev();
    let is_word = last.next().is_some_and(|c| c.is_ascii_alphanumeric());
    is_word && last.nth(1) != Some('%')
}

/// Steps over `://` behind a scheme, defanged or not, with slashes of either kind: what follows, and whether it was
/// defanged.
pub fn separator(text: &str) -> Option<(&str, bool)> {
    let mut wanted = "://";
    let mut rest = text;
    let mut is_dead = false;
    while !wanted.is_empty() {
        let (plain, after) = match token(rest) {
            Some(found) => {
                is_dead = true;
                found
            }
            None if rest.starts_with(':') => (":", rest.get(1..)?),
            None => ("/", rest.strip_prefix(['/', '\\'])?),
        };
        wanted = wanted.strip_prefix(plain)?;
        rest = after;
    }
    Some((rest, is_dead))
}

/// Tells a URL whose host is an address as it stands: with it, a backslash is the slash that browsers read it as.
fn leads_to_address(text: &str) -> bool {
    let host = Url::parse(text).ok();
    host.is_some_and(|url| matches!(url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_))))
}

/// Tells a host whose dots are all escaped. A single one may be the slash that browsers read it as.
fn has_escaped_dots(front: &str) -> bool {
    let dots = front.matches('.').count();
    dots > 0 && front.matches("\\.").count() == dots
}

/// Cuts scheme and host off a URL, with the slash behind them where that was defanged.
fn front(text: &str) -> &str {
    let Some(start) = text.find("//").map(|at| at + 2) else {
        return text;
    };
    let mut rest = text.get(start..).unwrap_or_default();
    loop {
        if let Some((plain, after)) = token(rest) {
            rest = after;
            if plain.starts_with('/') {
                break;
            }
            continue;
        }
        let mut chars = rest.chars();
        match chars.next() {
            None | Some('/' | '?' | '#') => break,
            Some(_) => rest = chars.as_str(),
        }
    }
    let end = text.len().saturating_sub(rest.len());
    text.get(..end).unwrap_or(text)
}

/// Schemes that are spelt so that they do not work, and the working ones.
pub const DEAD_SCHEMES: [(&str, &str); 18] = [
    ("hxxp[s]", "https"),
    ("hxxp(s)", "https"),
    ("http[s]", "https"),
    ("http(s)", "https"),
    ("ht_tps", "https"),
    ("ht_tp", "http"),
    ("hxxps", "https"),
    ("htxps", "https"),
    ("hxtps", "https"),
    ("httxs", "https"),
    ("htxp", "http"),
    ("hxtp", "http"),
    ("httx", "http"),
    ("hxxp", "http"),
    ("h**ps", "https"),
    ("h**p", "http"),
    ("fxps", "ftp"),
    ("fxp", "ftp"),
];

/// Splits off a scheme that was spelt so that it does not work: the working scheme and the rest.
fn live_scheme(text: &str) -> Option<(&'static str, &str)> {
    DEAD_SCHEMES.iter().find_map(|(dead, live)| {
        let head = text.get(..dead.len())?;
        let rest = text.get(dead.len()..)?;
        let separated = rest.starts_with([':', '[', '(', '{']);
        (separated && head.eq_ignore_ascii_case(dead)).then_some((*live, rest))
    })
}
