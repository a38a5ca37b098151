//! Tells where a link in running text ends, with what belongs to the sentence around it left out.
//!
//! Where a link ends is told by the kind of a character, not by a list: quotation marks, dashes, brackets and
//! punctuation of any script, symbols and invisible characters end it; letters, digits and marks of any script are part
//! of it (RFC 3987).

use std::borrow::Cow;

use super::text::SCHEMES;
use pivotd_domain::indicator::ending::{begins_beside, closing, ends, without_punctuation};
use pivotd_domain::indicator::extent::{self, is_known, is_of_name};
use pivotd_domain::indicator::is_invisible;
use pivotd_domain::indicator::refang::{DEAD_SCHEMES, is_glued, refang, refang_target, token};

/// The longest link, and more: wrappers are long.
const MAX_RUN: usize = 16 * 1024;
/// The longest user information and host, and more.
const MAX_HOST: usize = 512;
/// How much of a link that is broken by line ends is looked at, in octets.
const MAX_BROKEN: usize = 2_000;

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
        let max = if in_path { MAX_RUN } else { MAX_HOST };
        // A bracket that was opened before the link is none of it, nor is one of many that are not closed.
        let is_unopened = matches!(c, ']' | ')' | '}') && open.pop().and_then(closing) != Some(c);
        if at > max || open.len() > 64 || is_unopened {
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
            ',' | ';' if begins_beside(behind) => return at,
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

/// Returns what follows a dot in brackets.
pub(super) fn dot(text: &str) -> Option<&str> {
    token(text)
        .filter(|(plain, _)| *plain == ".")
        .map(|(_, after)| after)
}

fn starts_with(text: &str, head: &str) -> bool {
    text.get(..head.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(head))
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
