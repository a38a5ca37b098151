//! Takes a line apart into the values that templates and people write on it.
//!
//! Nothing of a line is lost: what is no value stays beside one, or becomes one that cannot be read.

use std::borrow::Cow;

use super::read_budget::ReadBudget;
use crate::domain::indicator::extent::{is_known, is_outside};
use crate::domain::indicator::is_label;
use crate::domain::indicator::refang::{begins_url, is_glued, refang};
use crate::domain::{Indicator, IndicatorKind};
use crate::reputation::Kind;

/// What separates values, in any script.
const SEPARATORS: [char; 5] = [',', ';', '\u{3001}', '\u{ff0c}', '\u{ff1b}'];

/// Takes a line apart at commas and semicolons.
pub(super) fn separated(line: &str) -> Vec<String> {
    let pieces = line.split(SEPARATORS).map(str::trim);
    pieces
        .filter(|piece| !piece.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Takes values apart that hold neither commas nor, but for how people write them, spaces.
pub(super) fn words(kind: Option<Kind>, line: &str, budget: &ReadBudget) -> Vec<String> {
    let pieces = separated(line).into_iter();
    pieces
        .flat_map(|piece| several(kind, &piece, budget).unwrap_or_else(|| vec![piece]))
        .collect()
}

/// Reads a text as a value of a kind.
fn read(kind: Option<Kind>, text: &str) -> Option<Indicator> {
    match kind {
        Some(kind) => kind.read(text).ok(),
        None => Indicator::guess(text).ok(),
    }
}

/// Takes a text apart in which several values stand, or one beside what is meant as one; `None` where it is one as it
/// stands, or no value stands in it. The name of an algorithm stays before its hash.
fn several(kind: Option<Kind>, text: &str, budget: &ReadBudget) -> Option<Vec<String>> {
    let parts: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || is_outside(c))
        .filter(|part| !part.is_empty())
        .take_while(|part| is_plain_word(part) || budget.word())
        .collect();
    if parts.len() < 2 || parts.iter().any(|part| is_joint(part)) {
        return None;
    }
    // Beside a hash stands the name of its file.
    let is_hash = |found: Indicator| found.kind() == IndicatorKind::Hash;
    let kind = kind.or_else(|| Indicator::guess(text).is_ok_and(is_hash).then_some(Kind::Hash));
    let is_value = |part: &str| {
        !is_plain_word(part)
            && (read(kind, part).is_some() || (kind != Some(Kind::Hash) && Indicator::guess(part).is_ok()))
    };
    let is_meant = |part: &str| kind != Some(Kind::Hash) && (begins_url(part) || part.contains('@'));
    let parts: Vec<(&str, bool)> = parts.into_iter().map(|part| (part, is_value(part))).collect();
    let values = parts.iter().filter(|(_, is_value)| *is_value).count();
    let is_beside = || parts.iter().any(|(part, is_value)| !is_value && is_meant(part));
    if values == 0 || (values == 1 && !is_beside()) {
        return None;
    }
    let mut out: Vec<String> = Vec::new();
    let mut waiting: Vec<&str> = Vec::new();
    let leave = |out: &mut Vec<String>, waiting: &mut Vec<&str>| {
        let words = waiting.join(" ");
        let with = out.last().map(|last| format!("{last} {words}"));
        let stays =
            with.filter(|with| !waiting.iter().any(|word| is_meant(word)) && read(kind, with).is_some());
        match (stays, out.last_mut()) {
            _ if waiting.is_empty() => {}
            (Some(with), Some(last)) => *last = with,
            _ => out.push(words),
        }
        waiting.clear();
    };
    for (part, is_value) in parts {
        if !is_value {
            waiting.push(part);
            continue;
        }
        let labelled = format!("{} {part}", waiting.join(" "));
        let found = read(kind, part);
        if !waiting.is_empty() && found.is_some() && read(kind, &labelled) == found {
            waiting.clear();
            out.push(labelled);
        } else {
            leave(&mut out, &mut waiting);
            out.push(part.to_owned());
        }
    }
    leave(&mut out, &mut waiting);
    Some(out)
}

/// Tells a word of letters and digits that is no value of any kind: neither long enough for a hash, nor a number of an autonomous
/// system.
pub(super) fn is_plain_word(word: &str) -> bool {
    let is_system = || word.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("as"));
    word.len() < 32 && word.bytes().all(|b| b.is_ascii_alphanumeric()) && !is_system()
}

/// Tells a word that joins what stands on its sides: `example [.] com`, `me at example dot com`.
fn is_joint(word: &str) -> bool {
    /// More than the longest one has, in brackets too.
    const MOST: usize = 16;
    word.len() <= MOST
        && matches!(
            refang(word).to_ascii_lowercase().as_str(),
            "." | "@" | "dot" | "at"
        )
}

/// Takes links apart: at a separator with a space behind it, and at one, or a space, with a scheme or another value behind
/// it. Elsewhere commas and semicolons are part of a link.
pub(super) fn links(line: &str, budget: &ReadBudget) -> Vec<String> {
    let mut values = Vec::new();
    let mut value = String::new();
    let mut place = TextPosition::default();
    let mut rest = line;
    let mut was_space = false;
    while let Some(c) = rest.chars().next() {
        let behind = rest.get(c.len_utf8()..).unwrap_or_default();
        let separates = match c {
            ',' | ';' | '|' => behind.starts_with(char::is_whitespace) || begins_link(behind),
            // No URL holds it; arrows do.
            '>' if begins_link(behind) => {
                value.truncate(value.trim_end_matches(['-', '=']).len());
                true
            }
            // The first of many spaces tells for all of them.
            c if c.is_whitespace() && !was_space => {
                let next = behind.trim_start();
                (begins_link(next) || (begins_value(next, budget) && !ends_in_joint(&value)))
                    && !is_label(&value)
            }
            c if is_outside(c) => begins_link(behind) || (place.is_host() && begins_value(behind, budget)),
            _ => false,
        };
        if budget.is_cut() {
            break;
        }
        was_space = c.is_whitespace();
        if place.is_behind_scheme && is_glued(&value, rest) {
            values.push(std::mem::take(&mut value));
            place = TextPosition::default();
        }
        if separates {
            values.push(std::mem::take(&mut value));
            place = TextPosition::default();
        } else {
            value.push(c);
            place.step(c);
        }
        rest = behind;
    }
    values.push(value);
    let values = values.into_iter().map(|value| value.trim().to_owned());
    values.filter(|value| !value.is_empty()).collect()
}

/// Takes back what templates and programs escaped: slashes (`https:\/\/`), and line ends and tabs between values (`\r\n`,
/// `<br>`), where the backslash cannot be the slash that browsers read it as.
pub(super) fn unescaped<'t>(text: &'t str, budget: &ReadBudget) -> Cow<'t, str> {
    let mut text = Cow::Borrowed(text);
    if text.contains(":\\/\\/") {
        text = Cow::Owned(text.replace("\\/", "/"));
    }
    if !text.contains('\\') && !text.contains("<b") && !text.contains("<B") {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(c) = rest.chars().next() {
        let Some(behind) = line_end(rest) else {
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            continue;
        };
        // What stands behind the last of many tells for all of them.
        let next = past_line_ends(behind);
        if next.is_empty() || begins_link(next) || begins_value(next, budget) {
            out.push('\n');
        } else {
            out.push_str(rest.get(..rest.len() - next.len()).unwrap_or_default());
        }
        rest = next;
    }
    Cow::Owned(out)
}

/// Steps over a line end or a tab that is written out.
fn line_end(text: &str) -> Option<&str> {
    const MARKS: [&str; 10] = [
        "\\r", "\\n", "\\t", "<br>", "<br/>", "<br />", "<BR>", "<BR/>", "<BR />", "<Br>",
    ];
    MARKS.iter().find_map(|mark| text.strip_prefix(mark))
}

/// Steps over as many as stand there, with white space between.
fn past_line_ends(text: &str) -> &str {
    let mut text = text.trim_start();
    while let Some(behind) = line_end(text) {
        text = behind.trim_start();
    }
    text
}

/// Takes a link and its label apart, where both are all of a text: `[label](link)`, `[label|link]` and `<link|label>`. The
/// label is a value of its own where it is one.
pub(super) fn labelled(text: &str, budget: &ReadBudget) -> Option<Vec<String>> {
    let text = text.trim();
    let inner = |open, close| text.strip_prefix(open)?.strip_suffix(close);
    let (label, link) = if let Some(inner) = inner('<', '>') {
        let (link, label) = inner.split_once('|')?;
        (label, link)
    } else if let Some(inner) = inner('[', ')') {
        inner.split_once("](")?
    } else {
        inner('[', ']')?.split_once('|')?
    };
    let (label, link) = (label.trim(), link.trim());
    let found = Indicator::guess(link).ok()?;
    let is_one = !link.contains(|c: char| c.is_whitespace() || matches!(c, '|' | '[' | ']' | '<' | '>'));
    let other = Indicator::guess(label).ok().and_then(|other| other.host());
    let is_same = other.is_none() || other == found.host();
    let is_value = begins_link(label) || begins_value(label, budget);
    is_one.then(|| {
        let label = (is_value && !is_same).then(|| label.to_owned());
        [link.to_owned()].into_iter().chain(label).collect()
    })
}

/// Tells the start of a link: a scheme, defanged or not.
fn begins_link(text: &str) -> bool {
    begins_url(text.trim_start_matches(['"', '\'', '<', '(']))
}

/// Tells a text whose first word is a value by itself: a hash, an address, or a name of a top-level domain that is known.
fn begins_value(text: &str, budget: &ReadBudget) -> bool {
    let ends = |(at, c): (usize, char)| {
        c.is_whitespace()
            || is_outside(c)
            || matches!(c, ',' | ';' | '|')
            || (matches!(c, '\\' | '<') && text.get(at..).and_then(line_end).is_some())
    };
    let end = text.char_indices().find(|one| ends(*one));
    let word = text
        .get(..end.map_or(text.len(), |(at, _)| at))
        .unwrap_or_default();
    let is_long = word.len() >= 32 || word.contains(['.', '@', ':']);
    is_long
        && budget.word()
        && Indicator::guess(word).is_ok_and(|found| found.host().is_none_or(|host| is_known(&host)))
}

fn ends_in_joint(value: &str) -> bool {
    value.split_whitespace().next_back().is_some_and(is_joint)
}

/// Says where in a link its reading is, character by character.
#[derive(Default)]
struct TextPosition {
    /// Whether its first two slashes were read.
    is_behind_scheme: bool,
    /// Whether a path, a query or a fragment began, behind those where they were read.
    in_path: bool,
    was_slash: bool,
}

impl TextPosition {
    fn step(&mut self, c: char) {
        if c == '/' && self.was_slash && !self.is_behind_scheme {
            self.is_behind_scheme = true;
            self.in_path = false;
        } else if matches!(c, '/' | '?' | '#') {
            self.in_path = true;
        }
        self.was_slash = c == '/';
    }

    /// Tells a link of which no path was read yet.
    fn is_host(&self) -> bool {
        !self.in_path
    }
}

/// Takes mailboxes apart. A display name may hold commas, and stands before its address, which ends it.
pub(super) fn mailboxes(line: &str, budget: &ReadBudget) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut in_quotes = false;
    let last = line.rfind('@').unwrap_or_default();
    for (at, c) in line.char_indices() {
        if c == '"' {
            in_quotes = !in_quotes;
        }
        match pieces.last_mut() {
            Some(piece) if in_quotes || !SEPARATORS.contains(&c) => piece.push(c),
            _ => pieces.push(String::new()),
        }
        if c == '>' && !in_quotes && at < last {
            pieces.push(String::new());
        }
    }
    let mut values: Vec<String> = Vec::new();
    let mut name = String::new();
    for piece in pieces {
        let lower = piece.to_ascii_lowercase();
        let is_name = !["@", "[at]", "(at)", "{at}", " at "]
            .iter()
            .any(|mark| lower.contains(mark));
        name.push_str(&piece);
        if is_name && !piece.trim().is_empty() {
            name.push(',');
            continue;
        }
        values.push(std::mem::take(&mut name));
    }
    values.extend(separated(&name));
    let mut all = Vec::new();
    for value in values {
        let value = value.trim();
        // Addresses with a space between.
        let parts: Vec<&str> = value.split_whitespace().collect();
        if parts.len() > 1 && parts.iter().all(|part| part.contains('@') && !part.contains('<')) {
            all.extend(parts.into_iter().map(str::to_owned));
        } else if !value.contains(['<', '"', '('])
            && let Some(parts) = several(Some(Kind::Email), value, budget)
        {
            all.extend(parts);
        } else if !value.is_empty() {
            all.push(value.to_owned());
        }
    }
    all
}
