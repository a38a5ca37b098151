//! Finds links in texts and web pages.
//!
//! Pages are scanned, not parsed: a link counts wherever a reader of mail may make one of it, so the tree does not
//! matter, and comments are read as well, since Outlook shows some. One pass, no nesting, no allocation but for links:
//! a parser of HTML would bring a tree and its limits for nothing more.

use std::borrow::Cow;

use mail_parser::decoders::html::add_html_token;
use url::Url;

use super::encodings::{Encoding, decode};
use super::hidden_text;
use super::names;
use super::runs::{Runs, ends_run};
use super::text::{self, LinkVisitor};
use pivotd_domain::links::web;

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
pub(super) fn find(text: &str, html: bool, found: &mut LinkVisitor<'_>) -> bool {
    if html {
        find_in_page(text, &[], found)
    } else {
        text::find(text, found)
    }
}

/// Tells of every link of a web page; `bases` say where its relative links lead, if it does not. Says whether more are wanted.
pub(super) fn find_in_page(text: &str, bases: &[Url], found: &mut LinkVisitor<'_>) -> bool {
    page(text, 0, bases, found)
}

/// Tells of the link that a value is, or of those of the page in it; says whether more are wanted.
pub(super) fn in_value(value: &str, found: &mut LinkVisitor<'_>) -> bool {
    link(value, 0, found)
}

/// Reads a page; `depth` counts the pages that it stands in.
fn page(text: &str, depth: usize, bases: &[Url], found: &mut LinkVisitor<'_>) -> bool {
    let mut page = Page {
        depth,
        ..Page::default()
    };
    page.read(text, found) && page.runs.finish(found) && page.resolve(bases, found)
}

/// Is a page that is read.
#[derive(Default)]
struct Page {
    depth: usize,
    runs: Runs,
    /// What its relative links belong to.
    base: Option<Url>,
    /// The same, where that is relative itself.
    base_within: Option<String>,
    relative: Vec<String>,
    /// Whether a link is open.
    in_link: bool,
    /// The element that stands within a line although others of its name do not.
    inline: Option<String>,
    /// Whether no comment is closed in what is left.
    no_comment_end: bool,
}

impl Page {
    fn read(&mut self, text: &str, found: &mut LinkVisitor<'_>) -> bool {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('<') {
            self.runs.push(&decoded(before));
            let goes_on = if let Some(behind) = hidden_text::mark(after) {
                // It holds no text, so what stands around it is one.
                Some(behind)
            } else if let Some(comment) = after.strip_prefix("!--") {
                self.comment(comment, found)
            } else if is_tag(after) {
                self.tag(after, found)
            } else if let Some((name, behind)) = closing(after) {
                self.close(name, found).then_some(behind)
            } else {
                self.runs.end(found).then_some(after)
            };
            match goes_on {
                Some(behind) => rest = behind,
                None => return false,
            }
        }
        self.runs.push(&decoded(rest));
        true
    }

    /// Reads a comment from behind its start. It is none of the text around it, but for those that Outlook shows.
    fn comment<'t>(&mut self, text: &'t str, found: &mut LinkVisitor<'_>) -> Option<&'t str> {
        let closed = if text.starts_with("[if") || self.no_comment_end {
            None
        } else {
            text.split_once("-->")
        };
        match closed {
            // No comment ends in it, so that this goes no deeper.
            Some((inner, behind)) => page(inner, self.depth, &[], found).then_some(behind),
            None => {
                self.no_comment_end |= !text.starts_with("[if");
                self.runs.end(found).then_some(text)
            }
        }
    }

    /// Reads a tag from behind its `<`; returns what follows it, or `None` where no more links are wanted.
    fn tag<'t>(&mut self, text: &'t str, found: &mut LinkVisitor<'_>) -> Option<&'t str> {
        let name_end = text.find(is_name_end).unwrap_or(text.len());
        let (name, rest) = text.split_at(name_end);
        let name = name.to_ascii_lowercase();
        // These hold no text, so what stands around them is one.
        let is_seamless = name == "wbr" || name.starts_with(['!', '?']);
        if !is_seamless && !self.runs.cut(found) {
            return None;
        }
        let mut has_target = false;
        let mut attributes = Attributes { rest };
        let mut look = hidden_text::ElementStyle::of(&name);
        for (attribute, value) in attributes.by_ref() {
            look.attribute(attribute, value);
            let is_target = attribute.eq_ignore_ascii_case("href");
            has_target |= is_target;
            if is_target && name == "base" && self.base.is_none() {
                let value = cleaned(&decoded(value));
                self.base = web(&value);
                if self.base.is_none() && self.base_within.is_none() && is_relative(&value) {
                    self.base_within = Some(value);
                }
            }
            if !self.attribute(attribute, value, found) {
                return None;
            }
        }
        self.in_link |= name == "a" && has_target;
        look.tag(rest.get(..rest.len() - attributes.rest.len()).unwrap_or_default());
        if look.is_inline() {
            self.inline = Some(name.clone());
        }
        let ends = (ends_run(&name) || name == "a" && has_target) && !look.is_seamless();
        let goes_on = !ends || self.runs.end(found);
        // What stands before is text.
        self.runs.enter(&name, look.is_aside());
        goes_on.then_some(attributes.rest)
    }

    /// Reads a closing tag.
    fn close(&mut self, name: &str, found: &mut LinkVisitor<'_>) -> bool {
        let name = name.to_ascii_lowercase();
        let ends_link = name == "a" && std::mem::take(&mut self.in_link);
        let is_inline = self.inline.take_if(|inline| *inline == name).is_some() || self.runs.is_exit(&name);
        let goes_on = if (ends_link || ends_run(&name)) && !is_inline {
            self.runs.end(found)
        } else {
            self.runs.cut(found)
        };
        goes_on && self.runs.exit(&name, found)
    }

    fn attribute(&mut self, name: &str, value: &str, found: &mut LinkVisitor<'_>) -> bool {
        let listed = |names: &[&str]| names.iter().any(|listed| listed.eq_ignore_ascii_case(name));
        if listed(&LINKS) {
            let value = decoded(value);
            if is_relative(&value) {
                self.relative.push(cleaned(&value));
                // With a port it would be read as a scheme.
                if front(&value).contains(':') {
                    return true;
                }
            }
            link(&value, self.depth, found)
        } else if listed(&TEXTS) {
            let value = decoded(value);
            if let Some(target) = refreshed(&value).filter(|target| is_relative(target)) {
                self.relative.push(cleaned(target));
            }
            texts(&value, self.depth, found)
        } else if self.depth < MAX_DEPTH && listed(&["srcdoc"]) {
            self.inner(&decoded(value), found)
        } else if is_script(name) {
            texts(&decoded(value), self.depth, found)
        } else {
            true
        }
    }

    /// Reads a page that stands in this one, and at the same place.
    fn inner(&mut self, text: &str, found: &mut LinkVisitor<'_>) -> bool {
        let mut inner = Self {
            depth: self.depth + 1,
            ..Self::default()
        };
        if !inner.read(text, found) || !inner.runs.finish(found) {
            return false;
        }
        if inner.base.is_some() {
            return inner.resolve(&[], found);
        }
        self.relative.append(&mut inner.relative);
        true
    }

    /// Tells of the links that lead to where the page says that it stands, or what is around it.
    fn resolve(&self, around: &[Url], found: &mut LinkVisitor<'_>) -> bool {
        let joined = |base: &Url, found: &mut LinkVisitor<'_>| {
            let mut links = self.relative.iter().filter_map(|link| base.join(link).ok());
            links.all(|link| found(link.as_str()))
        };
        if let Some(base) = &self.base {
            return joined(base, found);
        }
        // Without one, programs for mail read a site where a name stands.
        self.relative.iter().all(|link| names::site(link, found))
            && around.iter().all(|base| {
                let within = self
                    .base_within
                    .as_ref()
                    .and_then(|within| base.join(within).ok());
                joined(within.as_ref().unwrap_or(base), found)
            })
    }
}

/// Reads a closing tag from behind its `<`: its name, and what follows it.
pub(super) fn closing(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('/')?;
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | ':'))?;
    let (name, rest) = text.split_at(end);
    let behind = rest.trim_start().strip_prefix('>')?;
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        .then_some((name, behind))
}

/// Tells a tag behind its `<` from the sign of a script, such as `a<b){…`.
pub(super) fn is_tag(text: &str) -> bool {
    let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '_' | '.' | '!' | '?' | '[');
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!' || c == '?');
    let mut rest = text.chars().skip_while(|c| in_name(*c));
    starts
        && rest
            .next()
            .is_none_or(|c| c.is_ascii_whitespace() || matches!(c, '/' | '>'))
}

pub(super) fn is_name_end(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, '/' | '>')
}

/// Walks the attributes of a tag that have values, from behind the tag's name; `rest` then stands behind the tag. Of a name
/// with a prefix, as drawings have them, only what follows it is given.
pub(super) struct Attributes<'t> {
    pub(super) rest: &'t str,
}

impl<'t> Iterator for Attributes<'t> {
    type Item = (&'t str, &'t str);

    fn next(&mut self) -> Option<Self::Item> {
        let is_space = |c: char| c.is_ascii_whitespace();
        loop {
            let rest = self.rest.trim_start_matches(|c: char| is_space(c) || c == '/');
            self.rest = rest.strip_prefix('>').unwrap_or(rest);
            if rest.is_empty() || rest.starts_with('>') {
                return None;
            }
            // A name is at least one character, so that this ends.
            let skip = rest.chars().next().map_or(0, char::len_utf8);
            let tail = rest.get(skip..).unwrap_or_default();
            let end = skip
                + tail
                    .find(|c: char| is_name_end(c) || c == '=')
                    .unwrap_or(tail.len());
            let (name, after) = rest.split_at(end);
            self.rest = after;
            let Some(value) = after.trim_start_matches(is_space).strip_prefix('=') else {
                continue;
            };
            let (value, after) = attribute(value.trim_start_matches(is_space));
            self.rest = after;
            let name = match name.rsplit_once(':') {
                Some((prefix, local)) if !prefix.eq_ignore_ascii_case("xmlns") => local,
                _ => name,
            };
            return Some((name, value));
        }
    }
}

/// Tells of an attribute's link; of one that is a page itself (`data:text/html,…`), the links in it.
fn link(value: &str, depth: usize, found: &mut LinkVisitor<'_>) -> bool {
    let value = &*cleaned(value);
    // Browsers take a backslash for a slash.
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
        return texts(&plain, depth, found);
    }
    if starts("data:") {
        return depth >= MAX_DEPTH || data(value).is_none_or(|inner| page(&inner, depth + 1, &[], found));
    }
    found(value)
}

/// Returns the link of an attribute that leads a reader on after some seconds: `0; url=/login`.
fn refreshed(value: &str) -> Option<&str> {
    let value = value.trim_start();
    let (_, rest) = value
        .split_once([';', ','])
        .filter(|_| value.starts_with(|c: char| c.is_ascii_digit() || c == '.'))?;
    let rest = rest.trim_start();
    let is_named = rest.get(..3).is_some_and(|name| name.eq_ignore_ascii_case("url"));
    let target = rest
        .get(3..)
        .filter(|_| is_named)?
        .trim_start()
        .strip_prefix('=')?;
    Some(target.trim().trim_matches(['"', '\'']))
}

/// Tells a link within a site: it has neither a scheme nor a host.
fn is_relative(value: &str) -> bool {
    let value = value.trim();
    // A port is no scheme.
    let is_port = |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit());
    let has_scheme = front(value)
        .split_once(':')
        .is_some_and(|(name, rest)| !name.contains('.') || !is_port(rest));
    !value.is_empty() && !value.starts_with('#') && !has_scheme && network_path(value).is_none()
}

/// Cuts off what stands before the path of a link without a scheme.
fn front(value: &str) -> &str {
    value.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Leaves out what browsers leave out of a link: line ends and tabs, and what is around it.
fn cleaned(value: &str) -> String {
    let value = value.replace(['\r', '\n', '\t'], "");
    value
        .trim_matches(|c: char| c.is_whitespace() || c.is_control())
        .to_owned()
}

/// Tells of the links in a text of an attribute: with a scheme, `//host` as a value of its own, or as a page itself
/// (`data:text/html,…`).
fn texts(text: &str, depth: usize, found: &mut LinkVisitor<'_>) -> bool {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | ')' | '=' | ',' | ';');
    let mut targets = text.split(ends).filter_map(network_path);
    let is_quote = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | ')');
    let mut pages = text.split(is_quote).filter_map(|part| {
        let at = part.to_ascii_lowercase().find("data:")?;
        data(part.get(at..)?).filter(|_| depth < MAX_DEPTH)
    });
    text::find_marked(text, found)
        && targets.all(|target| {
            let host = target.split(['/', '\\']).next().unwrap_or_default();
            !host.contains('.') || found(&format!("//{target}"))
        })
        && pages.all(|inner| page(&inner, depth + 1, &[], found))
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
    let head = head.trim_end().to_ascii_lowercase();
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
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
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
