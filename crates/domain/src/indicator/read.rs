//! Reads values as people paste them, and says what was taken of what was given.
//!
//! Every value that a person or a playbook gives goes through here. A value that is one as it stands is taken
//! silently. Else what clearly stands around it goes: a port, a display name, the name of a hash's algorithm, characters
//! that cannot be seen. Then the note says what was taken. Where two things could be meant, nothing is.

use std::cell::LazyCell;
use std::net::IpAddr;

use super::extent::{self, is_outside};
use super::hosts::{host_of, only_host};
use super::mailbox::mailbox;
use super::refang::{mend, mend_url, unwrap};
use super::{
    HashType, Indicator, IndicatorError, IndicatorKind, MAX_LEN, canonical, ending, invisible, visible,
};

/// The longest text that is read, in octets. What is invisible may add to the longest value.
const MAX_TEXT: usize = 4 * MAX_LEN;
/// How often a text is looked at for what stands around it. No value stands in more layers, and each look costs as
/// much as the text is long.
const MOST_LOOKS: usize = 8;
/// How many characters a note repeats of what was given.
const SHOWN: usize = 80;

/// Is what was read of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadIndicator {
    /// The indicator.
    pub indicator: Indicator,
    /// What was taken of what, for people; `None` where the text was the value.
    pub note: Option<String>,
    /// What stands behind a URL and could be part of it, or a value of its own.
    pub remainder: Option<String>,
}

impl Indicator {
    /// Reads a text of an unknown kind as a person pastes it.
    ///
    /// # Errors
    /// What was given, with what is invisible made visible, and what was expected.
    pub fn read(raw: &str) -> Result<ReadIndicator, IndicatorError> {
        const KINDS: [IndicatorKind; 5] = [
            IndicatorKind::Hash,
            IndicatorKind::Email,
            IndicatorKind::Ipv4,
            IndicatorKind::Asn,
            IndicatorKind::Hostname,
        ];
        if let Some(taken) = cut_out(raw, Self::read) {
            return Ok(taken);
        }
        let expected = "a domain, host name, IP address, URL, e-mail address or hash";
        let whole = |text: &str| {
            if let Some(found) = Self::guess_plain(text) {
                // A network of one address is that address.
                let one = (found.kind == IndicatorKind::Netblock)
                    .then(|| address_of_one(&found.value))
                    .flatten();
                return Some((one.map_or(found, Self::from), one.is_some()));
            }
            // Without a scheme it is a URL where a page of a host stands, and the host where nothing or a port does.
            let inner = outside(text);
            // What has the sign of a mailbox and is none, is several or of another sort is no host either.
            let is_mail = !inner.contains("//") && mend(inner).contains('@');
            let of_host =
                |kind: &IndicatorKind| matches!(kind, IndicatorKind::Ipv4 | IndicatorKind::Hostname);
            let mut kinds = KINDS.into_iter().filter(|kind| !(is_mail && of_host(kind)));
            let found = page(inner).or_else(|| kinds.find_map(|kind| loosely(kind, text, inner)));
            Some((found?.into_name(), true))
        };
        let read = |text: &str| read_bare(text, &whole, &whole);
        taken(raw, read).ok_or_else(|| IndicatorError::new(raw.trim(), expected))
    }

    /// Reads a text as a person pastes it, as the first of these kinds that it can be.
    ///
    /// # Errors
    /// What was given, with what is invisible made visible, and what was expected.
    pub fn read_as(kinds: &[IndicatorKind], raw: &str) -> Result<ReadIndicator, IndicatorError> {
        if let Some(indicator) = bare(kinds, raw) {
            return Ok(ReadIndicator {
                indicator,
                note: None,
                remainder: None,
            });
        }
        let cut = || cut_out(raw, |url| Self::read_as(kinds, url));
        if let Some(taken) = kinds.contains(&IndicatorKind::Url).then(cut).flatten() {
            return Ok(taken);
        }
        let whole = |text: &str, kinds: &[IndicatorKind]| {
            let inner = LazyCell::new(|| outside(text));
            // What is free text takes anything, so those kinds are tried in their turn and not before.
            kinds
                .chunk_by(|a, b| is_text(*a) == is_text(*b))
                .find_map(|kinds| {
                    let plain = kinds.iter().find_map(|kind| Self::parse(*kind, text).ok());
                    plain.map(|found| (found, false)).or_else(|| {
                        let loose = kinds.iter().find_map(|kind| loosely(*kind, text, &inner))?;
                        Some((loose, true))
                    })
                })
        };
        let hosts: Vec<IndicatorKind> = kinds.iter().copied().filter(|kind| has_host(*kind)).collect();
        let read = |text: &str| read_bare(text, &|bare| whole(bare, &hosts), &|text| whole(text, kinds));
        taken(raw, read).ok_or_else(|| {
            let mut expected: Vec<&str> = Vec::new();
            for kind in kinds {
                if !expected.contains(&kind.expected()) {
                    expected.push(kind.expected());
                }
            }
            IndicatorError::new(raw.trim(), expected.join(" or "))
        })
    }

    /// Reads a name as a person pastes it: a Domain or a Hostname, whichever it is by [`super::name_kind`].
    ///
    /// # Errors
    /// As [`Indicator::read_as`].
    pub fn read_name(raw: &str) -> Result<ReadIndicator, IndicatorError> {
        let taken = Self::read_as(&[IndicatorKind::Hostname], raw)?;
        Ok(ReadIndicator {
            indicator: taken.indicator.into_name(),
            note: taken.note,
            remainder: taken.remainder,
        })
    }
}

/// Tells a text of letters, digits, points and hyphens, as most names and addresses are: nothing separates values in it, or stands
/// around one.
pub fn is_bare(text: &str) -> bool {
    let is_of_one = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    !text.is_empty() && text.bytes().all(is_of_one)
}

/// Reads a text in which nothing can stand around a value.
fn bare(kinds: &[IndicatorKind], raw: &str) -> Option<Indicator> {
    if kinds.contains(&IndicatorKind::Url) || raw.len() > MAX_LEN || !is_bare(raw) {
        return None;
    }
    let kinds = kinds.iter().take_while(|kind| !is_text(**kind));
    kinds.copied().find_map(|kind| Indicator::parse(kind, raw).ok())
}

/// Takes off a URL what would be taken off when it is read again: its canonical form may end in punctuation that stood
/// elsewhere before. Returns what is left behind it and is no punctuation, too, and whether all of it was settled before.
fn settled(mut found: Indicator) -> (Indicator, Option<String>, bool) {
    let (mut left, mut is_settled) = (None, true);
    for _ in 0..MOST_LOOKS {
        let cut = Some(found.value.as_str())
            .filter(|_| found.kind == IndicatorKind::Url)
            .and_then(ending::cut);
        let Some((cut, bare)) =
            cut.and_then(|cut| Some((cut, Indicator::parse(IndicatorKind::Url, cut.url).ok()?)))
        else {
            break;
        };
        if !cut.is_words {
            left = Some(cut.rest.to_owned());
        }
        (found, is_settled) = (bare, false);
    }
    (found, left, is_settled)
}

/// Tells kinds that any text is of.
fn is_text(kind: IndicatorKind) -> bool {
    matches!(
        kind,
        IndicatorKind::Person
            | IndicatorKind::Organization
            | IndicatorKind::Phrase
            | IndicatorKind::Incident
            | IndicatorKind::Community
    )
}

/// Tells kinds whose values are a host or hold one.
fn has_host(kind: IndicatorKind) -> bool {
    matches!(
        kind,
        IndicatorKind::Domain
            | IndicatorKind::Hostname
            | IndicatorKind::Ipv4
            | IndicatorKind::Ipv6
            | IndicatorKind::Url
            | IndicatorKind::Email
    )
}

/// Is a value with whether it is a part of the text, and what is left of the text that could be one, too.
type Reading = (Indicator, bool, Option<String>);

/// Reads a text up to the end of the host in it, or else as a whole.
fn read_bare(
    text: &str,
    of_host: &dyn Fn(&str) -> Option<(Indicator, bool)>,
    whole: &dyn Fn(&str) -> Option<(Indicator, bool)>,
) -> Option<Reading> {
    let bare = with_bare_host(text).and_then(|(bare, behind)| {
        let (found, _) = of_host(bare)?;
        Some((found, true, goes_on(behind).then(|| behind.to_owned())))
    });
    bare.or_else(|| whole(text).map(|(found, in_part)| (found, in_part, None)))
}

/// Tells a text behind a host that could be the rest of it: clients read many signs as part of a name that look like the
/// end of one, and the domain is at the end.
fn goes_on(behind: &str) -> bool {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '/' | '\\' | '?' | '#');
    let rest = behind.split(is_end).next().unwrap_or_default();
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    rest.contains('@') || (name.contains(extent::is_border) && extent::is_known(name))
}

/// Cuts a text behind the host in it, where characters stand there that no host holds: see [`extent::host`]. Returns what
/// stands behind it, too.
fn with_bare_host(text: &str) -> Option<(&str, &str)> {
    if text.is_ascii() {
        return None;
    }
    let inner = unwrap(text);
    let text = inner.trim_start_matches(is_outside).trim_start();
    let start = text.find("//").map_or(0, |at| at + 2);
    let head = text.get(..start).unwrap_or_default();
    let start = if head.trim_end_matches('/').contains(['/', '?', '#']) {
        0
    } else {
        start
    };
    let rest = text.get(start..)?;
    let ends = |(at, c): (usize, char)| ending::ends_host(rest, at, c) || c.is_whitespace();
    let end = rest
        .char_indices()
        .find(|one| ends(*one))
        .map_or(rest.len(), |(at, _)| at);
    let authority = rest.get(..end)?;
    let user = authority.rfind('@').map_or(0, |at| at + 1);
    let host = authority.get(user..)?;
    let kept = extent::host(host);
    let has_dot = host
        .get(..kept)
        .is_some_and(|kept| kept.contains(extent::is_border));
    let is_bare = kept == host.len() && text.len() == inner.len();
    (has_dot && !is_bare)
        .then(|| text.split_at_checked(start + user + kept))
        .flatten()
}

/// Reads what can be seen of a text, and writes the note: `read` says whether it took a part only.
fn taken(raw: &str, read: impl Fn(&str) -> Option<Reading>) -> Option<ReadIndicator> {
    if raw.len() > MAX_TEXT {
        return None;
    }
    let seen = invisible::without(raw.trim(), false);
    let bare = invisible::without(raw, true);
    let labelled = || read(labelled(&bare)?).map(|(found, _, left)| (found, true, left));
    let (found, in_part, behind) =
        read(seen.trim_matches(|c: char| c.is_whitespace() || invisible::is_invisible(c)))
            .or_else(|| read(&bare))
            .or_else(labelled)?;
    let (found, left, is_settled) = settled(found);
    let left = behind.or(left);
    let in_part = in_part || !is_settled;
    // In free text, what is invisible changes nothing that a person reads.
    let hidden = || !is_text(found.kind) && raw.trim().chars().any(invisible::is_invisible);
    let kept = found.value == raw.trim();
    let note = (!kept && (in_part || hidden())).then(|| {
        let value = visible(&found.value, SHOWN);
        format!("taken {value} of {}", visible(raw.trim(), SHOWN))
    });
    Some(ReadIndicator {
        indicator: found,
        note,
        remainder: left,
    })
}

/// Reads a URL that something stands behind. As a whole it would be read as another URL: clients write the white space in
/// it as `%20`.
fn cut_out(raw: &str, read: impl Fn(&str) -> Result<ReadIndicator, IndicatorError>) -> Option<ReadIndicator> {
    if raw.len() > MAX_TEXT {
        return None;
    }
    let seen = invisible::without(raw.trim(), false);
    let text = unwrap(&seen);
    let cut = ending::cut(labelled(text).unwrap_or(text))?;
    let found = read(cut.url).ok()?;
    let left = (!cut.is_words).then(|| cut.rest.trim().to_owned());
    (found.indicator.kind == IndicatorKind::Url).then(|| {
        let value = visible(&found.indicator.value, SHOWN);
        ReadIndicator {
            note: Some(format!("taken {value} of {}", visible(raw.trim(), SHOWN))),
            remainder: left.or(found.remainder),
            indicator: found.indicator,
        }
    })
}

/// Reads a value of a kind out of what stands around it; `text` is what is inside of the whole.
fn loosely(kind: IndicatorKind, whole: &str, text: &str) -> Option<Indicator> {
    let parse = |text: &str| Indicator::parse(kind, text).ok();
    match kind {
        IndicatorKind::Domain | IndicatorKind::Hostname => {
            let mended = mend(text);
            parse(&mended).or_else(|| parse(only_host(&mended)?))
        }
        IndicatorKind::Ipv4 | IndicatorKind::Ipv6 => {
            let mended = mend(text.trim_end_matches('.'));
            parse(&mended)
                .or_else(|| address_of_one(&mended).map(Indicator::from))
                .or_else(|| parse(only_host(&mended)?))
        }
        IndicatorKind::Netblock => parse(&mend(text)),
        IndicatorKind::Asn => {
            let number = strip_start(text, "asn").or_else(|| strip_start(text, "as"))?;
            let number = number.trim_start_matches([' ', ':']).split_whitespace().next()?;
            parse(number)
        }
        IndicatorKind::Url => {
            let mended = mend_url(text);
            parse(&mended).or_else(|| with_scheme(&mended))
        }
        IndicatorKind::Email => mailbox(whole),
        IndicatorKind::Hash | IndicatorKind::Certificate => digest(kind, text),
        IndicatorKind::Phone => parse(text),
        _ => None,
    }
}

/// Takes off the quotes, brackets and punctuation of a sentence around a value, however many of a kind, and as many
/// layers of several kinds as people write.
pub(super) fn outside(text: &str) -> &str {
    let is_mark = |c: char| {
        c.is_whitespace() || matches!(c, ',' | ';' | '!' | '?' | '|' | '"' | '\'' | '`') || is_outside(c)
    };
    let mut text = text;
    for _ in 0..MOST_LOOKS {
        let inner = unwrap(unpaired(text.trim_matches(is_mark))).trim_end_matches(':');
        if inner.len() == text.len() {
            break;
        }
        text = inner;
    }
    text
}

/// Takes off a bracket at an end of a text that holds no other of its kind.
fn unpaired(text: &str) -> &str {
    const PAIRS: [(char, char); 4] = [('(', ')'), ('[', ']'), ('<', '>'), ('{', '}')];
    let alone = |of: char, other: char| text.matches(of).count() == 1 && !text.contains(other);
    PAIRS.into_iter().fold(text, |rest, (open, close)| {
        if alone(open, close) {
            rest.strip_prefix(open).unwrap_or(rest)
        } else if alone(close, open) {
            rest.strip_suffix(close).unwrap_or(rest)
        } else {
            rest
        }
    })
}

/// Words that people write before a value, with a colon or an equals sign between.
const LABELS: [&str; 20] = [
    "address",
    "domain",
    "domain name",
    "email",
    "e-mail",
    "fqdn",
    "host",
    "host name",
    "hostname",
    "ioc",
    "ip",
    "ip address",
    "ip-address",
    "ipv4",
    "ipv6",
    "link",
    "mail",
    "uri",
    "url",
    "website",
];

/// Tells a word with its sign that stands before a value: `URL:`.
pub fn is_label(text: &str) -> bool {
    let text = text.trim();
    let word = text.strip_suffix([':', '=']).map(str::trim);
    word.is_some_and(|word| LABELS.iter().any(|label| label.eq_ignore_ascii_case(word)))
}

/// Takes the word off that stands before a value.
fn labelled(text: &str) -> Option<&str> {
    let (at, sign) = text.char_indices().find(|(_, c)| matches!(c, ':' | '='))?;
    let (label, value) = text.split_at_checked(at + sign.len_utf8())?;
    is_label(label).then_some(value.trim_start())
}

/// Reads a network of one address as that address.
fn address_of_one(text: &str) -> Option<IpAddr> {
    let (address, length) = text.split_once('/')?;
    let address: IpAddr = address.trim().parse().ok()?;
    let whole = if address.is_ipv4() { "32" } else { "128" };
    (length.trim() == whole).then(|| address.to_canonical())
}

/// Reads a page of a host without a scheme; what has no path is no page.
fn page(text: &str) -> Option<Indicator> {
    let mended = mend_url(text);
    let (host, path) = mended.split_once('/')?;
    // Firewalls write what carries a connection behind its port.
    let is_transport = ["tcp", "udp", "sctp"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(path));
    if is_transport && host.contains(':') {
        return None;
    }
    // Names below the zones of addresses hold slashes, and networks do.
    let is_host = host.contains('.') && host_of(&mended).is_some();
    let is_page = is_host && !path.starts_with('/') && !mended.contains("://");
    is_page.then(|| with_scheme(&mended)).flatten()
}

/// Reads what stands at the place of a URL and lacks the scheme.
fn with_scheme(text: &str) -> Option<Indicator> {
    let rest = text.strip_prefix("//").unwrap_or(text);
    let host = host_of(rest)?;
    if rest.contains("://") || rest.contains('@') || rest.contains(char::is_whitespace) {
        return None;
    }
    let is_host = canonical::hostname(host).is_some() || canonical::address(host).is_some();
    let url = format!("http://{rest}");
    is_host
        .then(|| Indicator::parse(IndicatorKind::Url, &url).ok())
        .flatten()
}

/// Reads a hash with the name of its algorithm, with the name of its file, or with separated octets.
fn digest(kind: IndicatorKind, text: &str) -> Option<Indicator> {
    let parse = |text: &str| Indicator::parse(kind, text).ok();
    let (name, rest) = match text.split_once(['=', ':', '(']) {
        Some((name, rest)) if algorithm(name).is_some() => (algorithm(name), rest),
        _ => match text.split_once(char::is_whitespace) {
            Some((name, rest)) if algorithm(name).is_some() => (algorithm(name), rest),
            _ => (None, text),
        },
    };
    // `SHA256 (file) = …` as BSD's tools write it, `…  file` as GNU's do.
    let rest = match rest.rsplit_once('=') {
        Some((_, digits)) if name.is_some() => digits,
        _ => rest,
    };
    let rest = outside(rest.trim_start_matches(['=', ':', ' ']));
    let mut words = rest.split_whitespace();
    let first = words.next()?;
    // Of two hashes either may be meant.
    if words.any(|word| HashType::of(word).is_some()) {
        return None;
    }
    let octets: String = rest.split([':', ' ', '-']).collect();
    let is_octets = rest.split([':', ' ', '-']).all(|octet| octet.len() == 2);
    let found = parse(first).or_else(|| parse(&octets).filter(|_| is_octets))?;
    (name.is_none() || name == found.hash_type()).then_some(found)
}

/// Reads the name of an algorithm, as people write it before a hash.
fn algorithm(name: &str) -> Option<HashType> {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let plain = plain.strip_suffix("fingerprint").unwrap_or(&plain);
    let plain = plain.strip_prefix("hash").unwrap_or(plain);
    let plain = plain.strip_suffix("hash").unwrap_or(plain);
    match plain.strip_suffix("sum").unwrap_or(plain) {
        "md5" => Some(HashType::Md5),
        "sha1" => Some(HashType::Sha1),
        "sha256" | "sha2256" => Some(HashType::Sha256),
        "sha512" | "sha2512" => Some(HashType::Sha512),
        _ => None,
    }
}

pub(super) fn strip_start<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    let head = text.get(..start.len())?;
    head.eq_ignore_ascii_case(start)
        .then(|| text.get(start.len()..))
        .flatten()
}
