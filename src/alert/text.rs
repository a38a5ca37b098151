//! Finds links in running text, with what belongs to the sentence around them left out.
//!
//! Where a link ends is told by the kind of a character, not by a list: quotation marks, dashes, brackets and
//! punctuation of any script, symbols and invisible characters end it; letters, digits and marks of any script are part
//! of it (RFC 3987).

use std::borrow::Cow;

use super::names;
use crate::domain::indicator::extent::{self, is_known, is_of_name, is_word};
use crate::domain::indicator::is_invisible;
use crate::domain::indicator::refang::{DEAD_SCHEMES, is_glued, refang, refang_target, separator, token};

/// Schemes of links, and what they are read as; of two of which one ends with the other, the longer comes first.
const SCHEMES: [(&str, &str); 8] = [
    ("https", "https"),
    ("http", "http"),
    ("ftps", "ftp"),
    ("sftp", "ftp"),
    ("ftp", "ftp"),
    ("file", "file"),
    ("smb", "smb"),
    ("webcal", "webcal"),
];
/// The longest link, and more: wrappers are long.
const MAX_RUN: usize = 16 * 1024;
/// The longest user information and host, and more.
const MAX_HOST: usize = 512;
/// How much of a link that is broken by line ends is looked at, in octets.
const MAX_BROKEN: usize = 2_000;

/// Takes a link; says whether more are wanted.
pub(super) type Found<'f> = dyn FnMut(&str) -> bool + 'f;

/// Tells of every link in a text, in order; says whether more are wanted.
pub(super) fn find(text: &str, found: &mut Found<'_>) -> bool {
    each(text, found, |text, found| {
        without_scheme(text, found) && names::find(text, found)
    })
}

/// Tells of the links in a text that are marked as such: by a scheme, `www.`, brackets or the slashes of a share.
pub(super) fn find_marked(text: &str, found: &mut Found<'_>) -> bool {
    each(text, found, without_scheme)
}

fn each(text: &str, found: &mut Found<'_>, without_scheme: fn(&str, &mut Found<'_>) -> bool) -> bool {
    let mut rest = text;
    while let Some(start) = start(rest) {
        if !without_scheme(start.before, found) {
            return false;
        }
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
    without_scheme(rest, found)
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

fn closing(open: char) -> Option<char> {
    match open {
        '[' => Some(']'),
        '(' => Some(')'),
        '{' => Some('}'),
        _ => None,
    }
}

/// Tells of links without a scheme.
fn without_scheme(text: &str, found: &mut Found<'_>) -> bool {
    www(text, found) && bracketed(text, found) && shares(text, found)
}

/// Tells of `www.…`, of which readers of mail make a link.
fn www(text: &str, found: &mut Found<'_>) -> bool {
    let mut rest = text;
    let mut last = None;
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
fn bracketed(text: &str, found: &mut Found<'_>) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let mut rest = text;
    let mut in_mailbox = false;
    while let Some((before, bracket)) = rest
        .find(['[', '(', '{'])
        .and_then(|at| rest.split_at_checked(at))
    {
        let start = before.trim_end_matches(in_name);
        let is_mailbox = start.ends_with('@') || in_mailbox && start.is_empty();
        in_mailbox = false;
        rest = match token(bracket) {
            Some((".", after)) if start.len() < before.len() && after.starts_with(char::is_alphanumeric) => {
                let (target, tail) = target(rest.get(start.len()..).unwrap_or_default(), true, false);
                if !is_mailbox && is_name(&target) && !found(&format!("http://{target}")) {
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
fn shares(text: &str, found: &mut Found<'_>) -> bool {
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

/// Returns what follows a dot in brackets.
fn dot(text: &str) -> Option<&str> {
    token(text)
        .filter(|(plain, _)| *plain == ".")
        .map(|(_, after)| after)
}

fn starts_with(text: &str, head: &str) -> bool {
    text.get(..head.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(head))
}

/// Cuts a link, from its host on, out of a text; returns it and what follows it.
pub(super) fn target(text: &str, is_dead: bool, in_angles: bool) -> (Cow<'_, str>, &str) {
    let (run, mut tail) = text.split_at(end(text));
    let mut run = Cow::Borrowed(run);
    // Within angle brackets, line ends are no part of a URL (RFC 3986, C).
    if in_angles && let Some((joined, after)) = joined(text, run.len()) {
        run = Cow::Owned(joined);
        tail = after;
    }
    let front = run.find(['/', '?', '#']).unwrap_or(run.len());
    let host = run.get(..front).unwrap_or_default();
    // Scripts escape all slashes or none.
    let slash = host
        .find('\\')
        .and_then(|at| host.get(at..).map(|rest| rest == "\\"));
    let is_escaped = slash == Some(true) && run.get(front..).is_some_and(|path| path.starts_with('/'));
    let is_broken = host.contains(char::is_whitespace);
    if is_dead || is_broken || host.ends_with(['[', '(', '{']) || refang(host) != host {
        run = Cow::Owned(refang_target(&closed_up(&run)));
    } else if is_escaped {
        run = Cow::Owned(run.replace("\\/", "/"));
    }
    let keep = length(&run);
    let kept = run.get(..keep).unwrap_or_default();
    let behind = match &run {
        Cow::Borrowed(_) => text.get(keep..),
        Cow::Owned(run) => run.get(keep..).filter(|rest| !rest.is_empty()),
    };
    let behind = behind.unwrap_or(tail);
    if is_cut_within(kept, behind) {
        let end = end_of_host(text);
        let path = text.get(end..).map_or(0, self::end);
        let (whole, tail) = text.split_at_checked(end + path).unwrap_or((text, ""));
        return (Cow::Owned(without_punctuation(whole).to_owned()), tail);
    }
    match run {
        // What is left of the run is text again.
        Cow::Borrowed(run) => {
            let kept = run.get(..keep).unwrap_or_default();
            let tail = text.get(resume(run, keep)..).unwrap_or(tail);
            (Cow::Borrowed(kept), tail)
        }
        Cow::Owned(mut run) => {
            run.truncate(keep);
            (Cow::Owned(run), tail)
        }
    }
}

/// Tells a host that is no whole name, as more of it stands behind where it was cut: `career[.example`.
fn is_cut_within(kept: &str, behind: &str) -> bool {
    let is_next = |mark: char| behind.strip_prefix(mark).is_some_and(is_link);
    if kept.is_empty() || kept.contains(['/', '?', '#']) || [',', ';', '(', '['].into_iter().any(is_next) {
        return false;
    }
    let is_half_open = ["[.", "(.", "{."].iter().any(|half| {
        let rest = behind.strip_prefix(half);
        rest.is_some_and(|rest| rest.starts_with(char::is_alphanumeric))
    });
    let more = behind.get(..end_of_host(behind)).unwrap_or_default();
    let mut labels = more.split('.').skip(1);
    let goes_on_behind_dot = |label: &str| {
        let label = label.strip_prefix([']', ')', '}']).unwrap_or(label);
        label.starts_with(char::is_alphanumeric)
    };
    let host = kept.rsplit('@').next().and_then(|host| host.split(':').next());
    let is_whole =
        |host: &str| host.contains('.') && (is_known(host) || host.parse::<std::net::Ipv4Addr>().is_ok());
    is_half_open || labels.any(goes_on_behind_dot) && !host.is_some_and(is_whole)
}

/// Returns where a host, or what is left of one, ends at the latest.
fn end_of_host(text: &str) -> usize {
    let ends =
        |c: char| matches!(c, '/' | '?' | '#' | '\\') || c.is_whitespace() || (c.is_ascii() && ends(c));
    let end = text.char_indices().find(|(at, c)| *at >= MAX_HOST || ends(*c));
    end.map_or(text.len(), |(at, _)| at)
}

/// Returns where reading goes on in a run of which so much is a link: behind trailing punctuation.
fn resume(run: &str, keep: usize) -> usize {
    let rest = run.get(keep..).unwrap_or_default();
    keep + (rest.len() - rest.trim_start_matches(['.', ':', '!', '?', '*', '_', '~']).len())
}

/// Returns where a link ends by the kinds of characters and by brackets that were not opened in it.
fn end(text: &str) -> usize {
    let mut open = Vec::new();
    let mut has_dot = false;
    let mut in_path = false;
    let mut skip = 0;
    let mut user = None;
    for (at, c) in text.char_indices() {
        if at < skip {
            continue;
        }
        let most = if in_path { MAX_RUN } else { MAX_HOST };
        // A bracket that was opened before the link is none of it, nor is one of many that are not closed.
        let is_unopened = matches!(c, ']' | ')' | '}') && open.pop().and_then(closing) != Some(c);
        if at > most || open.len() > 64 || is_unopened {
            return at;
        }
        let rest = text.get(at..).unwrap_or_default();
        let behind = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            // A line end that is written out, or another link, directly behind it.
            '\\' if escaped_end(rest).is_some_and(is_link) => return at,
            'h' | 'H' if is_glued(text.get(..at).unwrap_or_default(), rest) => return at,
            '[' | '(' | '{' if !in_path && dot(rest).is_some() => {
                skip = at + rest.len() - dot(rest).unwrap_or_default().len();
                has_dot = true;
            }
            // The dot behind it is escaped, or its path begins with one.
            '\\' if !in_path && behind.starts_with('.') => {}
            '/' | '?' | '#' | '\\' if !in_path => {
                // What ends within the host has no path. So each octet is looked at for one link only.
                let host = text.get(..at).unwrap_or_default();
                // The slash itself may stand in brackets.
                let bracket = host.trim_end_matches(['[', '(', '{']);
                let is_token = text
                    .get(bracket.len()..)
                    .is_some_and(|rest| token(rest).is_some());
                let host = if is_token { bracket } else { host };
                if breaks(&refang_target(&closed_up(host))).is_some() {
                    return at;
                }
                in_path = true;
            }
            '.' => has_dot = true,
            ',' | ';' | '(' | '[' if is_link(behind) => return at,
            '[' | '(' | '{' => open.push(c),
            ']' | ')' | '}' => {}
            ' ' if !in_path && spaced_dot(rest).is_some() => {
                skip = at + spaced_dot(rest).unwrap_or_default();
                has_dot = true;
            }
            '\r' | '\n' if !in_path => match broken(text.get(..at).unwrap_or_default(), rest) {
                Some(length) => skip = at + length,
                None => return at,
            },
            // Browsers take these for dots. A sentence ends with one, too, but no host has no dot before.
            '\u{3002}' | '\u{ff0e}' | '\u{ff61}' if !in_path && !has_dot && goes_on(behind) => has_dot = true,
            '\u{2024}' if !in_path && goes_on(behind) => has_dot = true,
            // Browsers leave these out of a host, or refuse it.
            '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' if !in_path && goes_on(behind) => {}
            c if !in_path && is_of_name(c) && !is_invisible(c) => {}
            c if ends(c) => return at,
            c if !in_path
                && !is_host(c)
                && c != '@'
                && at >= *user.get_or_insert_with(|| end_of_user(text)) =>
            {
                return at;
            }
            _ => {}
        }
    }
    text.len()
}

/// Tells a text that is the next link.
fn is_link(text: &str) -> bool {
    let schemes = DEAD_SCHEMES.iter().chain(&SCHEMES).map(|(spelt, _)| *spelt);
    starts_with(text, "www.")
        || schemes.filter(|spelt| starts_with(text, spelt)).any(|spelt| {
            text.get(spelt.len()..)
                .is_some_and(|rest| rest.starts_with([':', '[', '(', '{']))
        })
}

/// Tells whether a host can go on so.
fn goes_on(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '-')) && !is_link(text)
}

/// Returns where the last at sign before the path stands: what stands before it is who asks, not who is asked.
fn end_of_user(text: &str) -> usize {
    let front = text.char_indices().take(2 * MAX_HOST);
    let front = front.take_while(|(_, c)| !matches!(c, '/' | '?' | '#' | '\\') && !ends(*c));
    front.filter(|(_, c)| *c == '@').last().map_or(0, |(at, _)| at)
}

/// Returns the length of ` [.] `, which some write between the labels of a host.
fn spaced_dot(text: &str) -> Option<usize> {
    let bare = text.strip_prefix(' ')?;
    let (after, is_word) = match dot(bare) {
        Some(after) => (after, false),
        None => (
            bare.strip_prefix("dot ").or_else(|| bare.strip_prefix("DOT "))?,
            true,
        ),
    };
    let next = after.strip_prefix(' ').unwrap_or(after);
    let goes_on = next.starts_with(char::is_alphanumeric);
    // The word stands in sentences, too.
    (goes_on && (!is_word || is_known(label(next)))).then(|| text.len() - next.len())
}

/// Cuts what could be a label off the start of a text.
fn label(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '-');
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

/// Returns the length of the line end within a host: behind a dot or a hyphen, with no whole name before and the end of
/// one behind it.
fn broken(before: &str, text: &str) -> Option<usize> {
    let next = text.trim_start_matches(['\r', '\n']);
    let end = next.find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '.'));
    let (more, behind) = next.split_at_checked(end.unwrap_or(next.len()))?;
    let host = before.rsplit('@').next().unwrap_or_default();
    let is_open = match host.strip_suffix('.') {
        Some(host) => !is_known(host),
        None => host.ends_with('-') && more.contains('.'),
    };
    (is_open && behind.starts_with('/') && is_known(more)).then_some(text.len() - next.len())
}

/// Steps over line ends and tabs that are written out.
fn escaped_end(text: &str) -> Option<&str> {
    let behind = written_end(text)?;
    Some(written_end(behind).unwrap_or(behind))
}

fn written_end(text: &str) -> Option<&str> {
    ["\\r", "\\n", "\\t"]
        .iter()
        .find_map(|mark| text.strip_prefix(mark))
}

/// Takes white space out of a link, and the words that stand for its dots.
fn closed_up(link: &str) -> String {
    let dots = link.replace(" dot ", ".").replace(" DOT ", ".");
    dots.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Tells characters that end a link in running text.
fn ends(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_whitespace()
            || c.is_ascii_control()
            || matches!(c, '<' | '>' | '"' | '\'' | '`' | '|' | '^');
    }
    !is_word(c)
}

/// Joins a link that line ends break, up to its angle bracket; `None` where it is not so.
fn joined(text: &str, from: usize) -> Option<(String, &str)> {
    let rest = text.get(from..)?;
    if !rest.starts_with(['\r', '\n']) {
        return None;
    }
    for (at, c) in rest.char_indices() {
        match c {
            '>' => {
                let (inner, after) = text.split_at_checked(from + at)?;
                let joined = inner.chars().filter(|c| !c.is_whitespace()).collect();
                return Some((joined, after));
            }
            '\r' | '\n' => {}
            _ if at > MAX_BROKEN || ends(c) => return None,
            _ => {}
        }
    }
    None
}

/// Returns how much of a run is a link: a host ends at the first character that no host has, a path before punctuation
/// at its end.
fn length(run: &str) -> usize {
    let front = run.find(['/', '?', '#', '\\']).unwrap_or(run.len());
    let authority = run.get(..front).unwrap_or_default();
    let host_at = authority.rfind('@').map_or(0, |at| at + 1);
    let end = breaks(authority);
    if end.is_none() && front < run.len() {
        return without_punctuation(run).len();
    }
    let host = authority.get(host_at..end.unwrap_or(front)).unwrap_or_default();
    host_at + ended(host)
}

/// Takes off the punctuation at the end of a link.
fn without_punctuation(run: &str) -> &str {
    run.trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_', '~'])
}

/// Returns where the first character that no host has stands in what is before a path.
fn breaks(authority: &str) -> Option<usize> {
    let host_at = authority.rfind('@').map_or(0, |at| at + 1);
    let host = authority.get(host_at..).unwrap_or_default();
    // An IPv6 address stands in brackets.
    let literal = host
        .strip_prefix('[')
        .map_or(0, |rest| rest.find(']').map_or(host.len(), |at| at + 2));
    let name = host.get(literal..).unwrap_or_default();
    let no_name = |c| !is_host(c) || matches!(c, '[' | ']' | '(' | ')' | '{' | '}');
    let end = name.find(no_name).unwrap_or(name.len());
    let end = extent::host(name.get(..end).unwrap_or_default());
    (end < name.len()).then_some(host_at + literal + end)
}

/// Tells characters of hosts, ports and addresses in brackets, in any script.
fn is_host(c: char) -> bool {
    !c.is_ascii()
        || c.is_ascii_alphanumeric()
        || matches!(c, '.' | '-' | '_' | ':' | '[' | ']' | '(' | ')' | '{' | '}' | '%')
}

/// Returns how long a host is without what a sentence puts behind it.
fn ended(host: &str) -> usize {
    let part = |c: char| c.is_alphanumeric() || matches!(c, ']' | '\u{200d}') || !c.is_ascii();
    host.trim_end_matches(|c| !part(c)).len()
}
