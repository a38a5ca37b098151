//! Finds links in texts and web pages.
//!
//! Pages are scanned, not parsed: a link counts wherever a reader of mail may make one of it, so the tree does not
//! matter, and comments are read as well, since Outlook shows some. One pass, no nesting, no allocation but for links:
//! a parser of HTML would bring a tree and its limits for nothing more.

use std::borrow::Cow;

use mail_parser::decoders::html::add_html_token;

/// Attributes whose value is a link.
const LINKS: [&str; 8] = [
    "href",
    "src",
    "action",
    "formaction",
    "background",
    "poster",
    "xlink:href",
    "data",
];
/// Attributes that may contain links.
const TEXTS: [&str; 3] = ["content", "srcset", "style"];
/// The longest name of a character reference, and more.
const MAX_ENTITY: usize = 40;

/// Tells of every link of a text or web page, in order.
pub(super) fn find(text: &str, html: bool, found: &mut dyn FnMut(&str)) {
    if html {
        page(text, found);
    } else {
        bare(text, false, found);
    }
}

fn page(text: &str, found: &mut dyn FnMut(&str)) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        bare(before, true, found);
        let is_tag = after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!' || c == '?');
        rest = match after.strip_prefix("!--") {
            Some(comment) => comment,
            None if is_tag => tag(after, found),
            None => after,
        };
    }
    bare(rest, true, found);
}

/// Reads a tag from behind its `<`; returns what follows it.
fn tag<'t>(text: &'t str, found: &mut dyn FnMut(&str)) -> &'t str {
    let is_space = |c: char| c.is_ascii_whitespace();
    let name_end = |c: char| is_space(c) || matches!(c, '/' | '>');
    let (_, mut rest) = text.split_at(text.find(name_end).unwrap_or(text.len()));
    loop {
        rest = rest.trim_start_matches(|c: char| is_space(c) || c == '/');
        if rest.is_empty() {
            return rest;
        }
        if let Some(after) = rest.strip_prefix('>') {
            return after;
        }
        // A name is at least one character, so that this ends.
        let skip = rest.chars().next().map_or(0, char::len_utf8);
        let tail = rest.get(skip..).unwrap_or_default();
        let end = skip + tail.find(|c: char| name_end(c) || c == '=').unwrap_or(tail.len());
        let (name, after) = rest.split_at(end);
        let Some(value) = after.trim_start_matches(is_space).strip_prefix('=') else {
            rest = after;
            continue;
        };
        let (value, after) = attribute(value.trim_start_matches(is_space));
        rest = after;
        let listed = |names: &[&str]| names.iter().any(|listed| listed.eq_ignore_ascii_case(name));
        if listed(&LINKS) {
            found(&decoded(value));
        } else if listed(&TEXTS) {
            bare(value, true, found);
        }
    }
}

/// Cuts an attribute's value off. A quote that is never closed ends with the tag, so that one slip hides nothing.
fn attribute(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return match inner.split_once(quote) {
                Some(both) => both,
                None => inner.split_at(inner.find('>').unwrap_or(inner.len())),
            };
        }
    }
    let end = |c: char| c.is_ascii_whitespace() || c == '>';
    text.split_at(text.find(end).unwrap_or(text.len()))
}

/// Tells of `http://…` and `https://…` in running text, and of `www.…`, of which readers of mail make a link.
fn bare(text: &str, html: bool, found: &mut dyn FnMut(&str)) {
    with_scheme(text, html, found);
    for word in text.split(ends) {
        let word = word.trim_start_matches(['(', '[', ',', ';']);
        let is_name = word
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("www."));
        if is_name && !word.contains("://") {
            link(word, html, "http", found);
        }
    }
}

fn with_scheme(text: &str, html: bool, found: &mut dyn FnMut(&str)) {
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at);
        // Reporters defang what they found.
        let scheme = ["https", "http", "hxxps", "hxxp"].into_iter().find(|scheme| {
            let start = before.len().checked_sub(scheme.len());
            let tail = start.and_then(|start| before.get(start..));
            tail.is_some_and(|tail| tail.eq_ignore_ascii_case(scheme))
        });
        let after = after.get(3..).unwrap_or_default();
        let Some(scheme) = scheme else {
            rest = after;
            continue;
        };
        let (target, tail) = after.split_at(after.find(ends).unwrap_or(after.len()));
        rest = tail;
        link(target, html, scheme, found);
    }
}

/// Tells of a link without its scheme, and without what belongs to the sentence around it.
fn link(target: &str, html: bool, scheme: &str, found: &mut dyn FnMut(&str)) {
    let link = if html {
        decoded(target)
    } else {
        Cow::Borrowed(target)
    };
    let link = link.split(ends).next().unwrap_or_default();
    let mut link = link.trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_', '\u{2026}']);
    // A bracket belongs to the sentence unless it was opened in the link.
    for (open, close) in [('(', ')'), ('[', ']')] {
        if let Some(shorter) = link.strip_suffix(close)
            && !shorter.contains(open)
        {
            link = shorter.trim_end_matches(['.', ',', ';']);
        }
    }
    if !link.is_empty() {
        found(&format!("{scheme}://{link}"));
    }
}

/// Tells characters that end a link in running text.
fn ends(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '<' | '>' | '"' | '\'' | '`' | '|' | '\u{201d}' | '\u{bb}')
}

/// Replaces character references: `&amp;`, `&#46;`, `&#x2e;`; numbers may lack the semicolon, as in browsers.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let end = reference(after);
        let (name, tail) = after.split_at(end);
        let closed = tail.strip_prefix(';');
        if end == 0 || end > MAX_ENTITY || (closed.is_none() && !name.starts_with('#')) {
            out.push('&');
            rest = after;
            continue;
        }
        add_html_token(&mut out, format!("&{name};").as_bytes(), false);
        rest = closed.unwrap_or(tail);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Tells how long a reference is behind its `&`, without the semicolon.
fn reference(text: &str) -> usize {
    let run = |from: usize, inside: fn(char) -> bool| {
        let tail = text.get(from..).unwrap_or_default();
        from + tail.find(|c| !inside(c)).unwrap_or(tail.len())
    };
    if text.starts_with("#x") || text.starts_with("#X") {
        run(2, |c| c.is_ascii_hexdigit())
    } else if text.starts_with('#') {
        run(1, |c| c.is_ascii_digit())
    } else {
        run(0, |c| c.is_ascii_alphanumeric())
    }
}
