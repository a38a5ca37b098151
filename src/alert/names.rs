//! Finds names with a path in running text, of which readers of mail make links: `shop.example/login`.

use icu_properties::props::GeneralCategory as Category;

use super::cut::target;
use super::text::Found;
use super::unicode::category;
use crate::domain::indicator::is_below_known_suffix;

/// The longest name and port, and more, in octets.
const MAX_HOST: usize = 512;

/// Tells of every such link; says whether more are wanted.
pub(super) fn find(text: &str, found: &mut Found<'_>) -> bool {
    let mut rest = text;
    let mut last = None;
    while let Some((before, path)) = rest.split_once('/') {
        let free = |c: char| {
            !matches!(
                c,
                '/' | '\\' | '@' | '=' | '%' | '&' | '#' | '?' | '+' | '~' | '$' | ':' | ']' | ')' | '}'
            )
        };
        let run = host(before);
        let prior = before
            .strip_suffix(run)
            .unwrap_or_default()
            .chars()
            .next_back()
            .or(last);
        last = Some('/');
        let is_link =
            path.starts_with(|c: char| c.is_alphanumeric()) && prior.is_none_or(free) && is_name(run);
        let from = before.len() - run.len();
        if !is_link {
            rest = path;
            continue;
        }
        let (link, tail) = target(rest.get(from..).unwrap_or_default(), false, false);
        if !found(&format!("http://{link}")) {
            return false;
        }
        // It goes on behind the slash at least.
        rest = if tail.len() < path.len() { tail } else { path };
        last = None;
    }
    true
}

/// Cuts what could be a name, with its port, off the end of a text. Letters of a script without spaces stand before it
/// as words do.
fn host(text: &str) -> &str {
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    let run = text
        .get(text.trim_end_matches(in_name).len()..)
        .unwrap_or_default();
    let run = run.trim_start_matches(['.', '-', '_', ':']);
    let first = run.split('.').next().unwrap_or_default();
    let letters = first.char_indices().zip(first.chars().skip(1));
    let glued = letters
        .filter(|((_, c), next)| category(*c) == Category::OtherLetter && next.is_ascii_alphanumeric());
    match glued.last() {
        Some(((at, c), _)) => run.get(at + c.len_utf8()..).unwrap_or_default(),
        None => run,
    }
}

/// Tells a name below a known suffix, with or without a port.
fn is_name(run: &str) -> bool {
    let (name, port) = run.split_once(':').unwrap_or((run, "0"));
    let is_port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    run.len() <= MAX_HOST && is_port && name.ends_with(char::is_alphanumeric) && is_below_known_suffix(name)
}
