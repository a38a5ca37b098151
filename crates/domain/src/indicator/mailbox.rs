//! Reads an address for mail out of what people and programs write around it. Of two addresses either may be meant, so
//! none is taken.

use percent_encoding::percent_decode_str;

use super::read::{outside, strip_start};
use super::refang::mend;
use super::{Indicator, IndicatorKind};

/// The fields of a link for mail that hold addresses (RFC 6068, 2).
const ADDRESSED: [&str; 3] = ["to", "cc", "bcc"];

/// Reads the address for mail out of `Jane <jane@example.com>`, `jane@example.com (Jane)`, `mailto:` links and what
/// directories write (`SMTP:jane@example.com`).
pub(super) fn mailbox(text: &str) -> Option<Indicator> {
    let mended = mend(text);
    if let Some(found) = parse(&mended).or_else(|| parse(outside(&mended))) {
        return Some(found);
    }
    if let Some(link) = strip_start(outside(&mended), "mailto:") {
        return one(of_link(link)?);
    }
    let mut found: Vec<Indicator> = Vec::new();
    let mut add = |text: &str| found.extend(parse(outside(text)));
    if mended.contains('<') {
        for part in mended.split('<').skip(1) {
            // What stands before a bracket is a display name; what stands behind one is another address.
            let (inside, behind) = part.split_once('>').unwrap_or(("", part));
            add(inside);
            words(behind).for_each(&mut add);
        }
    } else {
        words(&mended).for_each(&mut add);
    }
    one(found)
}

fn parse(text: &str) -> Option<Indicator> {
    Indicator::parse(IndicatorKind::Email, text).ok()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | ';'))
}

/// Reads all addresses of a link for mail; `None` where one of them cannot be read.
fn of_link(link: &str) -> Option<Vec<Indicator>> {
    let (path, query) = link.split_once('?').unwrap_or((link, ""));
    let fields = query.split('&').filter_map(|field| field.split_once('='));
    let addressed = fields.filter(|(name, _)| ADDRESSED.iter().any(|known| known.eq_ignore_ascii_case(name)));
    let texts = std::iter::once(path.trim_start_matches('/')).chain(addressed.map(|(_, value)| value));
    let mut found = Vec::new();
    for text in texts {
        let text = percent_decode_str(text).decode_utf8_lossy();
        for part in text.split([',', ';']).filter(|part| part.contains('@')) {
            found.push(parse(part).or_else(|| parse(outside(part)))?);
        }
    }
    Some(found)
}

/// Returns what was found, if it is one address, however often.
fn one(mut found: Vec<Indicator>) -> Option<Indicator> {
    found.dedup();
    match <[Indicator; 1]>::try_from(found) {
        Ok([one]) => Some(one),
        Err(_) => None,
    }
}
