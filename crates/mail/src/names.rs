//! Finds names without a scheme in running text, of which readers of mail make links: `shop.example/login`, `shop.example`.

use std::net::Ipv4Addr;

use icu_properties::props::GeneralCategory as Category;

use super::cut::target;
use super::text::LinkVisitor;
use super::unicode::category;
use pivotd_domain::indicator::{ends_as_file, is_below_known_suffix};

/// The longest name and port, and more, in octets.
const MAX_HOST: usize = 512;

/// Says which names are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NameFilter {
    /// All.
    All,
    /// Those with a port, a path or a query.
    Marked,
    /// Those with nothing behind them.
    Bare,
}

/// Tells of every such name; says whether more are wanted.
pub(super) fn find(text: &str, found: &mut LinkVisitor<'_>) -> bool {
    walk(text, NameFilter::All, false, found)
}

/// Tells of the names with a port, a path or a query; says whether more are wanted. Where the text before it ends within a
/// word, which `is_joined` says, what begins the text is no name.
pub(super) fn find_marked(text: &str, is_joined: bool, found: &mut LinkVisitor<'_>) -> bool {
    walk(text, NameFilter::Marked, is_joined, found)
}

/// Tells of the names that nothing marks as links; says whether more are wanted.
pub(super) fn find_bare(text: &str, found: &mut LinkVisitor<'_>) -> bool {
    walk(text, NameFilter::Bare, false, found)
}

/// Tells characters of which a name may consist.
pub(super) fn in_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_')
}

/// Tells of the site that a link without a scheme leads to, where its first segment is a name or an address and no file;
/// says whether more are wanted.
pub(super) fn site(link: &str, found: &mut LinkVisitor<'_>) -> bool {
    let front = link.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let (name, port) = front.split_once(':').unwrap_or((front, "0"));
    let is_port = (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit());
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_file = ends_as_file(name) && name.matches('.').count() == 1 && front == link;
    !(is_port && is_site(name) && !is_file) || found(&format!("http://{link}"))
}

/// Tells a name below a known suffix, or an IPv4 address.
fn is_site(name: &str) -> bool {
    name.len() <= MAX_HOST
        && name.ends_with(char::is_alphanumeric)
        && (name.parse::<Ipv4Addr>().is_ok() || is_below_known_suffix(name))
}

fn walk(text: &str, wanted: NameFilter, is_joined: bool, found: &mut LinkVisitor<'_>) -> bool {
    let mut rest = text;
    while let Some((before, from_dot)) = rest.find('.').and_then(|at| rest.split_at_checked(at)) {
        let around = before.trim_end_matches(in_name);
        let more = from_dot.find(|c| !in_name(c)).unwrap_or(from_dot.len());
        let (Some(run), Some(after)) = (rest.get(around.len()..before.len() + more), from_dot.get(more..))
        else {
            return true;
        };
        let name = name(run);
        let ended = run.trim_end_matches(['.', '-', '_']);
        // A name may end with the dot of the root.
        let root = run.get(ended.len()..).unwrap_or_default();
        let behind = if matches!(root, "" | ".") { after } else { "" };
        let is_first = rest.len() == text.len() && around.is_empty();
        let is_rest = is_joined && is_first && run.trim_matches(['.', '-', '_']) == name;
        let is_candidate = !name.is_empty() && name.len() <= MAX_HOST && !is_rest && is_free(around);
        let is_told = |kind| wanted == kind || wanted == NameFilter::All;
        if is_candidate && is_marked(name, behind) && is_site(name) {
            let start = rest.len() - after.len() - root.len() - name.len();
            let (link, tail) = target(rest.get(start..).unwrap_or_default(), false, false);
            if is_told(NameFilter::Marked) && !found(&format!("http://{link}")) {
                return false;
            }
            // It goes on behind the name at least.
            rest = if tail.len() < after.len() { tail } else { after };
            continue;
        }
        if is_candidate
            && is_told(NameFilter::Bare)
            && is_bare(name, after)
            && !found(&format!("http://{name}"))
        {
            return false;
        }
        rest = after;
    }
    true
}

/// Cuts a name out of what could be one. Letters of a script without spaces stand before it as words do.
fn name(run: &str) -> &str {
    let run = run.trim_matches(['.', '-', '_']);
    let first = run.split('.').next().unwrap_or_default();
    let letters = first.char_indices().zip(first.chars().skip(1));
    let glued = letters
        .filter(|((_, c), next)| category(*c) == Category::OtherLetter && next.is_ascii_alphanumeric());
    match glued.last() {
        Some(((at, c), _)) => run.get(at + c.len_utf8()..).unwrap_or_default(),
        None => run,
    }
}

/// Tells a text behind which a name may stand by itself: it is part of no path, mailbox, expression or link.
fn is_free(before: &str) -> bool {
    const SCHEMES: [&str; 15] = [
        "about",
        "acct",
        "callto",
        "cid",
        "data",
        "im",
        "javascript",
        "mailto",
        "mid",
        "news",
        "sip",
        "sips",
        "smtp",
        "urn",
        "xmpp",
    ];
    let Some(last) = before.chars().next_back() else {
        return true;
    };
    if let Some(head) = before.strip_suffix(':') {
        let start = head.trim_end_matches(|c: char| c.is_alphanumeric());
        let word = head.get(start.len()..).unwrap_or_default();
        return !head.ends_with(':') && !SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(word));
    }
    !matches!(
        last,
        '/' | '\\' | '@' | '=' | '%' | '&' | '#' | '?' | '+' | '~' | '$' | ']' | ')' | '}'
    )
}

/// Tells a name that a port, a path or a query follows.
fn is_marked(name: &str, behind: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let port = behind.strip_prefix(':').filter(|rest| {
        let port = rest.get(digits(rest)..).unwrap_or_default();
        (1..=5).contains(&digits(rest)) && !port.starts_with(|c: char| c.is_alphanumeric() || c == ':')
    });
    let behind = port.map_or(behind, |rest| rest.get(digits(rest)..).unwrap_or_default());
    let is_path = behind.starts_with('/');
    let query = behind.strip_prefix(['?', '#']);
    let is_query =
        query.is_some_and(|query| query.starts_with(|c: char| c.is_alphanumeric() || "/=!&%_-".contains(c)));
    if is_length(behind, name) {
        return false;
    }
    // `build.sh:10` is a line of a file.
    if ends_as_file(name) {
        let names_page = |path: &str| path.starts_with(char::is_alphanumeric);
        return is_query || behind.strip_prefix('/').is_some_and(names_page);
    }
    port.is_some() || is_path || is_query
}

/// Tells the length of a network behind an address.
fn is_length(behind: &str, name: &str) -> bool {
    let Some(path) = behind
        .strip_prefix('/')
        .filter(|_| name.parse::<Ipv4Addr>().is_ok())
    else {
        return false;
    };
    let rest = path.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < path.len()
        && path.len() - rest.len() <= 2
        && !rest.starts_with(|c: char| c.is_alphanumeric() || c == '/')
}

/// Tells a name that stands in a text as a site, and is neither a file nor the joint of two sentences.
fn is_bare(name: &str, after: &str) -> bool {
    const TITLES: [&str; 9] = ["Dr", "Mr", "Mrs", "Ms", "Nr", "No", "Prof", "St", "Str"];
    const CAPITAL: [&str; 5] = ["Com", "Net", "Org", "Info", "Biz"];
    let is_code = after.starts_with(['@', '(', '[', '{', '=', '\\', '+', '%', '$', '/']);
    let Some((above, last)) = name.rsplit_once('.') else {
        return false;
    };
    if is_code || last.chars().count() < 2 || name.contains('_') || above.is_empty() {
        return false;
    }
    let is_single = !above.contains('.');
    let is_file = is_single && ends_as_file(name);
    let is_title = is_single && TITLES.contains(&above);
    // `at 9.am`, `1.to`.
    let is_number = is_single && above.len() <= 2 && above.bytes().all(|b| b.is_ascii_digit());
    // A sentence that begins without a space before it begins with a capital.
    let is_lower = !last.contains(char::is_uppercase) || CAPITAL.contains(&last);
    let is_one_case = is_lower || !name.contains(char::is_lowercase);
    is_one_case && !is_file && !is_title && !is_number && is_below_known_suffix(name)
}
