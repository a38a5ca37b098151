//! Reads the mailboxes of From and its relatives, however they are written.
//!
//! A strict reader gives up where programs for mail still show a sender, and what it gives up on is what attackers
//! write. So everything that could be the address counts, and of an address that cannot be read whole its domain does.

use super::headers::{comment, decoded};
use pivotd_domain::indicator::{Indicator, IndicatorKind};

/// How many mailboxes are read of a header.
pub(super) const MAX_MAILBOXES: usize = 50;
/// How many domains one address could mean.
const MAX_DOMAINS: usize = 10;
/// How many characters of a display name are read.
const MAX_NAME: usize = 300;

/// Holds a mailbox as it is written.
#[derive(PartialEq)]
pub(super) struct Mailbox {
    /// The display name, decoded; may be empty.
    pub(super) name: String,
    /// What stands where the address should: as a rule one text, without its brackets.
    pub(super) addresses: Vec<String>,
    /// Words with an at sign in the display name, in comments or in encoded words.
    pub(super) shown: Vec<String>,
    /// The mailbox as it stands in the header.
    pub(super) text: String,
    /// Whether it is the name of a group without members (RFC 5322, 3.4): `undisclosed-recipients:;`.
    is_nobody: bool,
}

impl Mailbox {
    /// Makes a mailbox of an address alone.
    pub(super) fn of(address: &str) -> Self {
        Self {
            name: String::new(),
            addresses: vec![address.to_owned()],
            shown: Vec::new(),
            text: address.to_owned(),
            is_nobody: false,
        }
    }
}

/// Says what could be read of an address.
pub(super) enum Address {
    /// An e-mail address.
    Whole(Indicator),
    /// Its domain, or each domain that it could mean.
    Domains(Vec<Indicator>),
    /// Nothing that could be asked about.
    Unknown,
}

/// Reads the mailboxes of a header, each once; says whether all of them were read.
#[must_use]
pub(super) fn mailboxes(text: &str, into: &mut Vec<Mailbox>) -> bool {
    let mut slots = Slots::of(text).peekable();
    while let Some(slot) = slots.next() {
        if slot.is_name()
            && let Some(next) = slots.peek_mut().filter(|next| next.is_nameless())
        {
            next.name_it(slot);
            continue;
        }
        let mailbox = slot.mailbox();
        if mailbox.text.is_empty() || mailbox.is_nobody || into.contains(&mailbox) {
            continue;
        }
        if into.len() >= MAX_MAILBOXES {
            return false;
        }
        into.push(mailbox);
    }
    true
}

/// Is what stands between two commas.
#[derive(Default)]
struct ListItem {
    /// What stands outside of comments and angle brackets; quoted strings keep their quotes.
    bare: String,
    angles: Vec<String>,
    /// Quoted strings, comments and encoded words.
    names: Vec<String>,
    text: String,
    /// Whether the name of a group stands there.
    is_group: bool,
}

impl ListItem {
    /// Tells a quoted string alone. Before an address without a name it is the name, and the comma a mistake.
    fn is_name(&self) -> bool {
        let words = words(&self.bare);
        let is_quoted = !words.is_empty() && words.iter().all(|word| word.starts_with('"'));
        is_quoted && self.angles.is_empty() && !self.is_group
    }

    /// Tells an address in angle brackets alone.
    fn is_nameless(&self) -> bool {
        let has_address = self.angles.iter().any(|text| text.contains('@'));
        has_address && self.names.is_empty() && words(&self.bare).is_empty()
    }

    fn name_it(&mut self, name: Self) {
        self.bare = name.bare;
        self.names = name.names;
        self.text = format!("{}, {}", name.text, self.text);
    }

    fn mailbox(self) -> Mailbox {
        let has_at = |text: &String| text.contains('@');
        let bare = words(&self.bare);
        let in_angles = self.angles.iter().any(has_at);
        let in_bare = bare.iter().any(has_at);
        let is_empty = self.is_group && bare.is_empty() && self.angles.is_empty();
        let mut names: Vec<&str> = Vec::new();
        let addresses: Vec<String> = if in_angles || !in_bare {
            names.extend(bare.iter().map(String::as_str));
            let angles = self.angles.iter().filter(|text| !text.is_empty());
            angles
                .filter(|text| !in_angles || has_at(text))
                .cloned()
                .collect()
        } else {
            let (with, without): (Vec<&String>, Vec<&String>) = bare.iter().partition(|word| has_at(word));
            names.extend(without.into_iter().map(String::as_str));
            with.into_iter().cloned().collect()
        };
        names.retain(|word| !word.starts_with('"'));
        names.extend(self.names.iter().map(String::as_str));
        let name = decoded(&names.join(" "), MAX_NAME);
        let parts = name.split(|c: char| {
            c.is_whitespace()
                || matches!(
                    c,
                    '<' | '>' | '(' | ')' | '[' | ']' | '"' | '\'' | ',' | ';' | ':'
                )
        });
        let shown: Vec<String> = parts
            .filter(|word| word.contains('@'))
            .map(str::to_owned)
            .collect();
        // Where nothing stands in the address's place, programs for mail show what is in quotes, comments or encoded words.
        let addresses = if addresses.is_empty() {
            shown.clone()
        } else {
            addresses
        };
        Mailbox {
            name,
            addresses,
            is_nobody: is_empty && shown.is_empty(),
            shown,
            text: self.text,
        }
    }
}

/// Cuts a header into slots. What is opened and never closed is looked for once, so that the time stays linear.
struct Slots<'t> {
    text: &'t str,
    rest: &'t str,
    no_quote: bool,
    no_comment: bool,
    no_angle: bool,
    no_word: bool,
}

impl<'t> Slots<'t> {
    fn of(text: &'t str) -> Self {
        Self {
            text,
            rest: text,
            no_quote: false,
            no_comment: false,
            no_angle: false,
            no_word: false,
        }
    }

    /// Takes what `find` gives from the text behind the first character; remembers in `none` where there is nothing.
    fn behind(
        &self,
        none: bool,
        find: fn(&'t str) -> Option<(String, &'t str)>,
    ) -> Option<(String, &'t str)> {
        let mut chars = self.rest.chars();
        chars.next();
        if none { None } else { find(chars.as_str()) }
    }
}

impl Iterator for Slots<'_> {
    type Item = ListItem;

    fn next(&mut self) -> Option<ListItem> {
        if self.rest.is_empty() {
            return None;
        }
        let start = self.text.len() - self.rest.len();
        let mut slot = ListItem::default();
        let mut end = self.text.len();
        while let Some(c) = self.rest.chars().next() {
            let mut chars = self.rest.chars();
            chars.next();
            let tail = chars.as_str();
            match c {
                '"' => match self.behind(self.no_quote, quoted) {
                    Some((inner, after)) => {
                        let atoms = inner.chars().map(|c| if c == '@' { ' ' } else { c });
                        slot.bare.push('"');
                        slot.bare.extend(atoms.map(atom));
                        slot.bare.push('"');
                        slot.names.push(inner);
                        self.rest = after;
                    }
                    None => {
                        self.no_quote = true;
                        self.rest = tail;
                    }
                },
                '(' => match self.behind(self.no_comment, comment) {
                    Some((inner, after)) => {
                        slot.bare.push(' ');
                        slot.names.push(inner);
                        self.rest = after;
                    }
                    None => {
                        self.no_comment = true;
                        self.rest = tail;
                    }
                },
                '<' => {
                    let closed = self.behind(self.no_angle, angle);
                    self.no_angle = closed.is_none();
                    let (inner, after) = closed.unwrap_or_else(|| {
                        // A bracket that is never closed ends with the mailbox.
                        let (inner, after) = tail.split_at(tail.find([',', ';']).unwrap_or(tail.len()));
                        (inner.to_owned(), after)
                    });
                    slot.bare.push(' ');
                    let inner = inner.trim_matches(['<', '>', ' ', '\t']);
                    let plain = without_words(inner);
                    // No address holds an encoded word, so programs differ in whether they decode it.
                    let domain = |text: &str| text.rsplit_once('@').map(|(_, domain)| domain.to_owned());
                    let is_same = plain.as_ref().is_some_and(|plain| domain(plain) == domain(inner));
                    if plain.is_none() || !is_same && !matches!(address(inner), Address::Unknown) {
                        slot.angles.push(inner.to_owned());
                    }
                    slot.angles.extend(plain);
                    self.rest = after;
                }
                '=' if !self.no_word && self.rest.starts_with("=?") => match encoded(self.rest) {
                    Some((word, after)) => {
                        let plain = decoded(word, MAX_NAME);
                        if is_within(&slot.bare, &plain, after) {
                            slot.bare.extend(plain.chars().map(atom));
                        } else {
                            slot.bare.push(' ');
                        }
                        slot.names.push(word.to_owned());
                        self.rest = after;
                    }
                    None => {
                        self.no_word = true;
                        self.rest = tail;
                    }
                },
                '>' => {
                    slot.bare.push(' ');
                    self.rest = tail;
                }
                ',' | ';' => {
                    end = self.text.len() - self.rest.len();
                    self.rest = tail;
                    slot.text = self.text.get(start..end).unwrap_or_default().trim().to_owned();
                    return Some(slot);
                }
                // The name of a group (RFC 5322, 3.4).
                ':' if slot.angles.is_empty() && !slot.bare.contains('@') => {
                    slot.bare.clear();
                    slot.is_group = true;
                    self.rest = tail;
                }
                c => {
                    slot.bare.push(c);
                    self.rest = tail;
                }
            }
        }
        slot.text = self.text.get(start..end).unwrap_or_default().trim().to_owned();
        Some(slot)
    }
}

/// Tells characters that need no quotes in a local part (RFC 5322, 3.2.3, and RFC 6532).
fn is_atom(c: char) -> bool {
    c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c)
}

/// Replaces what is no atom and no at sign: it belongs to no address that could be asked about.
fn atom(c: char) -> char {
    if is_atom(c) || c == '@' {
        c
    } else {
        char::REPLACEMENT_CHARACTER
    }
}

/// Reads a quoted string from behind its quote.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut inner = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Some((inner, chars.as_str())),
            '\\' => inner.extend(chars.next()),
            c => inner.push(c),
        }
    }
    None
}

/// Reads an address from behind its angle bracket. A bracket within quotes closes nothing, unless no other one does.
fn angle(text: &str) -> Option<(String, &str)> {
    let mut is_quoted = false;
    let mut first = None;
    for (at, c) in text.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            '>' if !is_quoted => {
                let after = text.get(at + 1..)?;
                return Some((text.get(..at)?.to_owned(), after));
            }
            '>' if first.is_none() => first = Some(at),
            _ => {}
        }
    }
    let at = first?;
    Some((text.get(..at)?.to_owned(), text.get(at + 1..)?))
}

/// Splits off an encoded word (RFC 2047) and those that follow it.
fn encoded(text: &str) -> Option<(&str, &str)> {
    let mut end = 0;
    loop {
        let rest = text.get(end..)?;
        let next = rest.trim_start();
        let Some(length) = encoded_word(next) else { break };
        end += rest.len() - next.len() + length;
    }
    (end > 0).then(|| text.split_at(end))
}

/// Tells an encoded word that is a piece of an address, by what is before and behind it.
fn is_within(before: &str, word: &str, behind: &str) -> bool {
    let in_address = |c: &char| is_atom(*c) || *c == '@';
    let before: String = before.chars().rev().take(MAX_NAME).collect();
    let (near, far) = (before.chars().take_while(in_address), before.trim_start());
    let after: String = behind.chars().take(MAX_NAME).take_while(in_address).collect();
    let is_glued = near.clone().next().is_some() || !after.is_empty();
    let has_at = near.chain(word.chars()).chain(after.chars()).any(|c| c == '@');
    is_glued && has_at || far.starts_with('@') || behind.trim_start().starts_with('@')
}

/// Decodes the encoded words of what stands where an address should; `None` where there are none.
fn without_words(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at_checked(at)?;
        out.push_str(before);
        match encoded(from) {
            Some((word, after)) => {
                out.push_str(&decoded(word, MAX_NAME));
                rest = after;
            }
            // What is not closed here is not closed behind it.
            None => {
                rest = from;
                break;
            }
        }
    }
    out.push_str(rest);
    (out != text).then_some(out)
}

fn encoded_word(text: &str) -> Option<usize> {
    let body = text.strip_prefix("=?")?;
    let mut parts = body.splitn(3, '?');
    let (charset, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    if charset.is_empty() || encoding.len() != 1 {
        return None;
    }
    Some(text.len() - rest.len() + rest.find("?=")? + 2)
}

/// Cuts text at white space outside of quotes, and none of it is cut around an at sign or around a dot that stands alone or
/// begins a word of a domain (RFC 5322, 4.4). A dot at the end of an address is a sentence's.
fn words(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut goes_on = false;
    for word in text.split_whitespace() {
        match out.last_mut() {
            Some(last)
                if goes_on
                    || last.ends_with('@')
                    || word.starts_with('@')
                    || last.contains('@') && word.starts_with('.') =>
            {
                last.push_str(word);
            }
            _ => out.push(word.to_owned()),
        }
        goes_on = word == "." && out.last().is_some_and(|last| last.contains('@'));
    }
    out
}

/// Reads what stands where an address should.
pub(super) fn address(text: &str) -> Address {
    let mut clean = words(&without_comments(text)).join(" ");
    // A route (RFC 5322, 4.4): the address stands behind it.
    if clean.starts_with('@')
        && let Some((_, behind)) = clean.split_once(':')
    {
        clean = behind.trim().to_owned();
    }
    if let Some((local, domain)) = clean.rsplit_once('@')
        && let Some(inner) = local.strip_prefix('"').and_then(|local| local.strip_suffix('"'))
        && inner.chars().all(is_atom)
        && let Ok(whole) = Indicator::parse(IndicatorKind::Email, &format!("{inner}@{domain}"))
    {
        return Address::Whole(whole);
    }
    let is_plain = clean.matches('@').count() <= 1 && !clean.contains(['<', '>', ' ', ',']);
    if is_plain && let Ok(whole) = Indicator::parse(IndicatorKind::Email, &clean) {
        return Address::Whole(whole);
    }
    let mut domains = Vec::new();
    let behind = clean
        .match_indices('@')
        .filter_map(|(at, _)| clean.split_at_checked(at + 1));
    for (_, behind) in behind.take(MAX_DOMAINS) {
        let found = domain(behind);
        domains.extend(found.filter(|found| !domains.contains(found)));
    }
    if domains.is_empty() {
        Address::Unknown
    } else {
        Address::Domains(domains)
    }
}

/// Reads a domain, or an address in brackets, at the start of a text.
fn domain(text: &str) -> Option<Indicator> {
    let text = text.trim_start();
    if let Some(literal) = text.strip_prefix('[') {
        let literal = literal.split(']').next().unwrap_or_default();
        let bare = match literal.get(..5) {
            Some(head) if head.eq_ignore_ascii_case("ipv6:") => literal.get(5..)?,
            _ => literal,
        };
        return bare
            .trim()
            .parse()
            .ok()
            .map(|address: std::net::IpAddr| Indicator::from(address));
    }
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_') || is_mark(c);
    let run = text.split(|c| !inside(c)).next().unwrap_or_default();
    let name = run.trim_matches(['.', '-', '_']);
    Indicator::name(name).ok()
}

fn is_mark(c: char) -> bool {
    use icu_properties::props::GeneralCategory as Category;
    let kind = super::unicode::category(c);
    matches!(kind, Category::NonspacingMark | Category::SpacingMark)
}

/// Takes comments out; one that is never closed stays.
pub(super) fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('(') {
        out.push_str(before);
        let Some((_, behind)) = comment(after) else {
            rest = after;
            break;
        };
        out.push(' ');
        rest = behind;
    }
    out.push_str(rest);
    out
}
