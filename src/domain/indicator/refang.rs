//! Takes back what people do to indicators so that nobody clicks on them.

/// What stands between a pair of brackets, and what it means.
const INNER: [(&str, &str); 7] = [
    (".", "."),
    ("dot", "."),
    (":", ":"),
    ("://", "://"),
    ("@", "@"),
    ("at", "@"),
    ("/", "/"),
];

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
pub(crate) fn refang(text: &str) -> String {
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
fn token(text: &str) -> Option<(&'static str, &str)> {
    let mut chars = text.chars();
    let close = match chars.next()? {
        '[' => ']',
        '(' => ')',
        '{' => '}',
        _ => return None,
    };
    let rest = chars.as_str();
    INNER.iter().find_map(|(inner, plain)| {
        let head = rest.get(..inner.len())?;
        let after = rest.get(inner.len()..)?.strip_prefix(close)?;
        head.eq_ignore_ascii_case(inner).then_some((*plain, after))
    })
}

/// Takes back a defanged URL.
///
/// A path is only touched when scheme or host were defanged: tools that defang replace every dot, while
/// `[.]` in the path of a live URL is part of that URL.
pub(super) fn refang_url(text: &str) -> String {
    let front_end = text
        .find("//")
        .and_then(|at| {
            let after = at + 2;
            let tail = text.get(after..)?;
            Some(after + tail.find(['/', '?', '#']).unwrap_or(tail.len()))
        })
        .unwrap_or(text.len());
    let front = text.get(..front_end).unwrap_or(text);
    let defanged = refang(front) != front || live_scheme(front).is_some();
    if !defanged {
        return text.to_owned();
    }
    let plain = refang(text);
    match live_scheme(&plain) {
        Some((scheme, rest)) => format!("{scheme}{rest}"),
        None => plain,
    }
}

/// Splits off a scheme that was spelt so that it does not work: the working scheme and the rest.
fn live_scheme(text: &str) -> Option<(&'static str, &str)> {
    const SCHEMES: [(&str, &str); 5] = [
        ("hxxps", "https"),
        ("hxxp", "http"),
        ("h**ps", "https"),
        ("h**p", "http"),
        ("fxp", "ftp"),
    ];
    SCHEMES.iter().find_map(|(dead, live)| {
        let head = text.get(..dead.len())?;
        let rest = text.get(dead.len()..)?;
        let separated = rest.starts_with([':', '[', '(', '{']);
        (separated && head.eq_ignore_ascii_case(dead)).then_some((*live, rest))
    })
}
