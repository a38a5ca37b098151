//! Finds links in texts and web pages.
//!
//! Pages are scanned, not parsed: a link counts wherever a reader of mail may make one of it, so the tree does not
//! matter, and comments are read as well, since Outlook shows some. One pass, no nesting, no allocation but for links:
//! a parser of HTML would bring a tree and its limits for nothing more.

use std::borrow::Cow;

use super::encodings::{Encoding, decode};
use super::text::{self, Found};
use mail_parser::decoders::html::add_html_token;

/// Attributes whose value is a link.
const LINKS: [&str; 11] = [
    "href",
    "src",
    "action",
    "cite",
    "longdesc",
    "codebase",
    "manifest",
    "formaction",
    "background",
    "poster",
    "data",
];
/// Attributes that may contain links.
const TEXTS: [&str; 10] = [
    "content", "srcset", "style", "ping", "value", "archive", "to", "from", "by", "values",
];
/// How deep pages may stand in attributes of pages.
const MAX_DEPTH: usize = 2;
/// The longest name of a character reference, and more.
const MAX_ENTITY: usize = 40;

/// Tells of every link of a text or web page, in order; says whether more are wanted.
pub(super) fn find(text: &str, html: bool, found: &mut Found<'_>) -> bool {
    if html {
        page(text, 0, found)
    } else {
        text::find(text, found)
    }
}

/// Reads a page; `depth` counts the pages that it stands in.
fn page(text: &str, depth: usize, found: &mut Found<'_>) -> bool {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        if !text::find(&decoded(before), found) {
            return false;
        }
        let is_tag = is_tag(after);
        rest = match after.strip_prefix("!--") {
            Some(comment) => comment,
            None if is_tag => match tag(after, depth, found) {
                Some(rest) => rest,
                None => return false,
            },
            None => after,
        };
    }
    text::find(&decoded(rest), found)
}

/// Tells a tag behind its `<` from the sign of a script, such as `a<b){…`.
fn is_tag(text: &str) -> bool {
    let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '_' | '.' | '!' | '?' | '[');
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!' || c == '?');
    let mut rest = text.chars().skip_while(|c| in_name(*c));
    starts
        && rest
            .next()
            .is_none_or(|c| c.is_ascii_whitespace() || matches!(c, '/' | '>'))
}

/// Reads a tag from behind its `<`; returns what follows it, or `None` where no more links are wanted.
fn tag<'t>(text: &'t str, depth: usize, found: &mut Found<'_>) -> Option<&'t str> {
    let is_space = |c: char| c.is_ascii_whitespace();
    let name_end = |c: char| is_space(c) || matches!(c, '/' | '>');
    let (_, mut rest) = text.split_at(text.find(name_end).unwrap_or(text.len()));
    loop {
        rest = rest.trim_start_matches(|c: char| is_space(c) || c == '/');
        if rest.is_empty() {
            return Some(rest);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return Some(after);
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
        // Drawings name links with any prefix of their own.
        let name = match name.rsplit_once(':') {
            Some((prefix, local)) if !prefix.eq_ignore_ascii_case("xmlns") => local,
            _ => name,
        };
        let listed = |names: &[&str]| names.iter().any(|listed| listed.eq_ignore_ascii_case(name));
        let goes_on = if listed(&LINKS) {
            link(&decoded(value), depth, found)
        } else if listed(&TEXTS) {
            texts(&decoded(value), found)
        } else if depth < MAX_DEPTH && listed(&["srcdoc"]) {
            page(&decoded(value), depth + 1, found)
        } else if is_script(name) {
            texts(&decoded(value), found)
        } else {
            true
        };
        if !goes_on {
            return None;
        }
    }
}

/// Tells of an attribute's link; of one that is a page itself (`data:text/html,…`), the links in it.
fn link(value: &str, depth: usize, found: &mut Found<'_>) -> bool {
    // Browsers leave line ends and tabs out, and take a backslash for a slash.
    let value = value.replace(['\r', '\n', '\t'], "");
    let value = value.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    if let Some(target) = network_path(value) {
        // `\\host@8080\share` is a share over HTTP; as a page's address it would name a user.
        let host = target.split(['/', '\\']).next().unwrap_or_default();
        let is_share = value.starts_with("\\\\") && host.contains('@');
        return found(&if is_share {
            value.to_owned()
        } else {
            format!("//{target}")
        });
    }
    let starts = |head: &str| {
        let start = value.get(..head.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(head))
    };
    if starts("www.") {
        return found(&format!("http://{value}"));
    }
    if starts("javascript:") || starts("vbscript:") {
        let plain = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
        return texts(&plain, found);
    }
    match value.get(..5) {
        Some(head) if head.eq_ignore_ascii_case("data:") => {
            depth >= MAX_DEPTH || data(value).is_none_or(|inner| page(&inner, depth + 1, found))
        }
        _ => found(value),
    }
}

/// Tells of the links in a text of an attribute: with a scheme, or `//host` as a value of its own.
fn texts(text: &str, found: &mut Found<'_>) -> bool {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | ')' | '=' | ',' | ';');
    let mut targets = text.split(ends).filter_map(network_path);
    text::find(text, found)
        && targets.all(|target| {
            let host = target.split(['/', '\\']).next().unwrap_or_default();
            !host.contains('.') || found(&format!("//{target}"))
        })
}

/// Returns what stands behind the two slashes of a link without a scheme; browsers take backslashes for slashes.
fn network_path(text: &str) -> Option<&str> {
    let is_slash = |c: char| matches!(c, '/' | '\\');
    let rest = text.strip_prefix(is_slash)?.strip_prefix(is_slash)?;
    Some(rest.trim_start_matches(is_slash))
}

/// Returns the text in a `data:` URL (RFC 2397), if it is one.
fn data(url: &str) -> Option<String> {
    let (head, body) = url.get(5..)?.split_once(',')?;
    let head = head.to_ascii_lowercase();
    let is_page = ["html", "svg", "xml", "text/"]
        .iter()
        .any(|kind| head.contains(kind));
    let body: Vec<u8> = percent_encoding::percent_decode_str(body).collect();
    let bytes = if head.ends_with("base64") {
        decode(&body, Encoding::Base64).bytes.into_owned()
    } else {
        body
    };
    is_page.then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// Tells what is a script: an event handler, or a name that no attribute has, as a `<` in a script makes one.
fn is_script(name: &str) -> bool {
    let is_handler = name.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("on"));
    is_handler || !name.starts_with(|c: char| c.is_ascii_alphabetic())
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
