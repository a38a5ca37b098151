//! Finds links in running text: by their schemes, `www.`, dots in brackets and the slashes of a share.

use std::borrow::Cow;

use super::cut::{dot, target};
use super::names;
use pivotd_domain::indicator::ending::ends;
use pivotd_domain::indicator::refang::{DEAD_SCHEMES, separator, token};
use pivotd_domain::indicator::without;

/// Schemes of links, and what they are read as; of two of which one ends with the other, the longer comes first.
pub(super) const SCHEMES: [(&str, &str); 8] = [
    ("https", "https"),
    ("http", "http"),
    ("ftps", "ftp"),
    ("sftp", "ftp"),
    ("ftp", "ftp"),
    ("file", "file"),
    ("smb", "smb"),
    ("webcal", "webcal"),
];

/// Takes a link; says whether more are wanted.
pub(super) type LinkVisitor<'f> = dyn FnMut(&str) -> bool + 'f;

/// Tells of every link in a text, in order; says whether more are wanted.
pub(super) fn find(text: &str, found: &mut LinkVisitor<'_>) -> bool {
    each(text, false, found, |text, is_joined, found| {
        without_scheme(text, is_joined, found) && names::find(text, found)
    })
}

/// Tells of the links in a piece of a text, as [`find`], but for names that nothing marks: more of one may stand beside it.
pub(super) fn find_in_piece(text: &str, found: &mut LinkVisitor<'_>) -> bool {
    find_in_run(text, false, found)
}

/// Tells of the links in a piece of a text as [`find_in_piece`]. Where the text before the piece ends within a word, which
/// `is_joined` says, what begins the piece is the rest of a name and none by itself.
pub(super) fn find_in_run(text: &str, is_joined: bool, found: &mut LinkVisitor<'_>) -> bool {
    each(text, is_joined, found, |text, is_joined, found| {
        without_scheme(text, is_joined, found) && names::find_marked(text, is_joined, found)
    })
}

/// Tells of the names in a text that nothing marks as links.
pub(super) fn find_bare(text: &str, found: &mut LinkVisitor<'_>) -> bool {
    let mut rest = text;
    while let Some(start) = start(rest) {
        if !seen(start.before, false, found, find_bare_names) {
            return false;
        }
        rest = target(start.target.trim_start_matches(['/', '\\']), start.is_dead, false).1;
    }
    seen(rest, false, found, find_bare_names)
}

fn find_bare_names(text: &str, _: bool, found: &mut LinkVisitor<'_>) -> bool {
    names::find_bare(text, found)
}

/// Tells of the links in a text that are marked as such: by a scheme, `www.`, brackets or the slashes of a share.
pub(super) fn find_marked(text: &str, found: &mut LinkVisitor<'_>) -> bool {
    each(text, false, found, without_scheme)
}

/// Reads a text in which no scheme stands. The flag says whether the text before it ends within a word.
type TextReader = fn(&str, bool, &mut LinkVisitor<'_>) -> bool;

fn each(text: &str, mut is_joined: bool, found: &mut LinkVisitor<'_>, within: TextReader) -> bool {
    let mut rest = text;
    while let Some(start) = start(rest) {
        if !seen(start.before, is_joined, found, within) {
            return false;
        }
        is_joined = false;
        let in_angles = start.before.ends_with('<');
        // Browsers step over further slashes; scripts escape them.
        let from = match start.scheme {
            "file" | "smb" => start.target,
            _ => start.target.trim_start_matches(['/', '\\']),
        };
        let (target, tail) = target(from, start.is_dead, in_angles);
        if !target.is_empty() && !found(&format!("{}://{target}", start.scheme)) {
            return false;
        }
        rest = tail;
    }
    seen(rest, is_joined, found, within)
}

/// Reads a text in which no scheme stands as people see it: invisible characters end no name.
fn seen(text: &str, is_joined: bool, found: &mut LinkVisitor<'_>, within: TextReader) -> bool {
    match without(text, true) {
        Cow::Borrowed(text) => within(text, is_joined, found),
        // They may have cut a scheme, too.
        Cow::Owned(text) if start(&text).is_some() => each(&text, is_joined, found, within),
        Cow::Owned(text) => within(&text, is_joined, found),
    }
}

/// Is where a link starts.
struct Start<'t> {
    before: &'t str,
    scheme: &'static str,
    /// What stands behind the slashes.
    target: &'t str,
    /// Whether scheme or slashes were spelt so that it is no link.
    is_dead: bool,
}

/// Finds the next scheme: `http://`, `hxxps[:]//`, `http[://]`, `http:[/][/]` …
fn start(text: &str) -> Option<Start<'_>> {
    text.match_indices(':').find_map(|(at, _)| {
        let before = text.get(..at)?;
        let before = before.strip_suffix(['[', '(', '{']).unwrap_or(before);
        let (spelt, scheme) = DEAD_SCHEMES.iter().chain(&SCHEMES).find(|(spelt, _)| {
            let tail = before
                .len()
                .checked_sub(spelt.len())
                .and_then(|start| before.get(start..));
            tail.is_some_and(|tail| tail.eq_ignore_ascii_case(spelt))
        })?;
        let (target, is_dead) = text.get(before.len()..).and_then(separator)?;
        Some(Start {
            before: before.get(..before.len() - spelt.len())?,
            scheme,
            target,
            is_dead: is_dead || DEAD_SCHEMES.iter().any(|(dead, _)| dead == spelt),
        })
    })
}

/// Tells of links without a scheme.
fn without_scheme(text: &str, is_joined: bool, found: &mut LinkVisitor<'_>) -> bool {
    www(text, is_joined, found) && bracketed(text, is_joined, found) && shares(text, found)
}

/// Tells of `www.…`, of which readers of mail make a link.
fn www(text: &str, is_joined: bool, found: &mut LinkVisitor<'_>) -> bool {
    let mut rest = text;
    let mut last = is_joined.then_some('-');
    while let Some(at) = rest.find(['w', 'W']) {
        let Some((before, from)) = rest.split_at_checked(at) else {
            break;
        };
        let before = before.chars().next_back().or(last);
        let inside =
            |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '@' | '=' | '%' | '&');
        let is_www = from.get(..3).is_some_and(|www| www.eq_ignore_ascii_case("www"));
        let behind = from.get(3..).unwrap_or_default();
        let has_dot = behind.starts_with('.') || dot(behind).is_some();
        if is_www && has_dot && !before.is_some_and(inside) {
            let (target, tail) = target(from, false, false);
            if target.len() > "www.".len() {
                if !found(&format!("http://{target}")) {
                    return false;
                }
                last = None;
                rest = tail;
                continue;
            }
        }
        last = from.chars().next();
        rest = from.get(1..).unwrap_or_default();
    }
    true
}

/// Tells of names whose dots stand in brackets, with what follows them: `evil[.]example/login`. Of a mailbox it is none.
fn bracketed(text: &str, mut is_joined: bool, found: &mut LinkVisitor<'_>) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let mut rest = text;
    let mut in_mailbox = false;
    while let Some((before, bracket)) = rest
        .find(['[', '(', '{'])
        .and_then(|at| rest.split_at_checked(at))
    {
        let start = before.trim_end_matches(in_name);
        let is_mailbox = start.ends_with('@') || in_mailbox && start.is_empty();
        let is_rest = start.is_empty() && std::mem::take(&mut is_joined);
        in_mailbox = false;
        rest = match token(bracket) {
            Some((".", after)) if start.len() < before.len() && after.starts_with(char::is_alphanumeric) => {
                let (target, tail) = target(rest.get(start.len()..).unwrap_or_default(), true, false);
                if !is_mailbox && !is_rest && is_name(&target) && !found(&format!("http://{target}")) {
                    return false;
                }
                // It goes on behind the bracket at least.
                if tail.len() < after.len() { tail } else { after }
            }
            Some((sign, after)) => {
                in_mailbox = sign == "@";
                after
            }
            None => bracket.get(1..).unwrap_or_default(),
        };
    }
    true
}

/// Tells a link that begins with an address or a name whose last label could be a zone of the DNS.
fn is_name(target: &str) -> bool {
    let host = target.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let last = host.rsplit_once('.').map_or("", |(_, last)| last);
    let is_zone = last.chars().count() >= 2 && last.chars().all(char::is_alphabetic);
    is_zone || last.starts_with("xn--") || host.parse::<std::net::Ipv4Addr>().is_ok()
}

/// Tells of files on other machines: `\\host\share`.
fn shares(text: &str, found: &mut LinkVisitor<'_>) -> bool {
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("\\\\") {
        let run = behind
            .find(ends)
            .map_or(behind, |end| behind.get(..end).unwrap_or_default());
        let host = run.split_once('\\').map_or("", |(host, _)| host);
        let is_free =
            before.chars().next_back().is_none_or(ends) || before.ends_with(['(', '[', ',', ';', ':']);
        let in_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
        if is_free && host.contains('.') && host.chars().all(in_host) && !found(&format!("\\\\{run}")) {
            return false;
        }
        rest = behind.get(run.len()..).unwrap_or_default();
    }
    true
}
