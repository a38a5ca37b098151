//! Makes the parts of records that several vendors tell alike: resolutions, contacts, networks.

use std::net::IpAddr;

use super::contact::{Contact, Part};
use super::rdata::{self, Data};
use super::rows::{Row, SkipReason};
use super::tolerant::{Node, address, distinct, host};
use pivotd_domain::{Country, Indicator, Party, Record, indicator};

/// The longest text of a resolution that is neither name nor address, in characters.
const MAX_TEXT: usize = 1024;

/// Makes the record of a resolution from its two ends, in any order: the one that was asked about is dropped. `kind` is
/// the type of the record as the vendor writes it, which says what its data can be.
///
/// Of two names, `points_here` says that the other one points to the one asked about. A row is not understood where
/// there is no other end, or none that the type can have.
pub fn resolution(
    asked: &Indicator,
    ends: [Option<String>; 2],
    points_here: bool,
    kind: Option<String>,
) -> Row {
    let kind = kind.map(|kind| rdata::kind(&kind));
    let is_asked = |end: &String| {
        let end = kind
            .as_deref()
            .map_or(end.as_str(), |kind| rdata::bare(kind, end));
        address(end).or_else(|| host(end)).as_deref() == Some(asked.value())
    };
    if ends.iter().all(|end| end.as_ref().is_some_and(is_asked)) {
        return Row::ITSELF;
    }
    let Some(other) = ends.into_iter().flatten().find(|end| !is_asked(end)) else {
        return Row::Unread;
    };
    let value = asked.value();
    let row = if asked.ip().is_some() {
        Row::from(host(&other).map(|name| {
            Record::new()
                .with("name", name)
                .with("value", value)
                .with("ip", value)
        }))
    } else if points_here {
        Row::from(host(&other).map(|name| {
            Record::new()
                .with("name", name)
                .with("value", value)
                .with("host", value)
        }))
    } else {
        resolved(value, &other, kind.as_deref())
    };
    row.map(|record| record.with_some("type", kind))
}

/// Makes the record of what a name resolved to.
fn resolved(name: &str, other: &str, kind: Option<&str>) -> Row {
    let data = match kind {
        Some(kind) => rdata::read(kind, other),
        None => address(other)
            .map(Data::Address)
            .or_else(|| host(other).map(Data::Host))
            .unwrap_or(Data::Unread),
    };
    let record = Record::new().with("name", name);
    Row::Record(match data {
        Data::Address(ip) => record.with("value", ip.as_str()).with("ip", ip),
        Data::Host(host) => record.with("value", host.as_str()).with("host", host),
        Data::Other => record.with("value", other.chars().take(MAX_TEXT).collect::<String>()),
        Data::NoHost => return Row::LeftOut(SkipReason::NoHost, kind.map(str::to_owned)),
        Data::Unread => return Row::Unread,
    })
}

/// Makes the record of a pair of hosts, of which one end is the other one, and the other end is the host that was asked
/// about or a name below it, which is then told. `of` is the side that was asked for, where the question named one: a row
/// need not name the host that was asked about, and then decides nothing by itself.
pub fn pair(asked: &Indicator, parent: Option<String>, child: Option<String>, of: Option<&str>) -> Row {
    let is_asked = |end: &Option<String>| end.as_deref() == Some(asked.value());
    let is_near = |end: &Option<String>| end.as_deref().is_some_and(|end| is_below(end, asked));
    let side = match (&parent, &child) {
        (None, None) => return Row::Unread,
        _ if is_asked(&parent) && is_asked(&child) => return Row::ITSELF,
        // One end alone is the other one.
        (None, Some(_)) => "child",
        (Some(_), None) => "parent",
        _ if is_asked(&parent) => "child",
        _ if is_asked(&child) => "parent",
        _ => match of {
            Some("parents") => "parent",
            Some("children") => "child",
            // Of a pair of names below it, the one that is referred to is the other one.
            _ if is_near(&parent) => "child",
            _ if is_near(&child) => "parent",
            _ => return Row::LeftOut(SkipReason::Elsewhere, None),
        },
    };
    let (other, near) = if side == "child" {
        (child, parent)
    } else {
        (parent, child)
    };
    if is_asked(&other) {
        return Row::ITSELF;
    }
    let Some(other) = other else {
        return Row::Unread;
    };
    let record = Record::new()
        .with("side", side)
        .with_some("subdomain", near.filter(|near| is_below(near, asked)));
    Row::Record(match address(&other) {
        Some(ip) => record.with("ip", ip),
        None => record.with("host", other),
    })
}

/// Tells whether a name is below the one that was asked about.
fn is_below(name: &str, asked: &Indicator) -> bool {
    let above = name.strip_suffix(asked.value());
    asked.ip().is_none() && above.is_some_and(|above| above.len() > 1 && above.ends_with('.'))
}

/// Makes the contact of a role from what `field` gives for its parts.
pub fn contact<'a>(role: &'static str, field: impl Fn(&'static str) -> Node<'a>) -> Contact {
    const PARTS: &[(Part, &str)] = &[
        (Part::Name, "name"),
        (Part::Organization, "organization"),
        (Part::Email, "email"),
        (Part::Phone, "phone"),
        (Part::Fax, "fax"),
        (Part::Street, "street"),
        (Part::City, "city"),
        (Part::State, "state"),
        (Part::Postal, "postal"),
        (Part::Country, "country"),
    ];
    let mut contact = Contact::of(role);
    for (part, name) in PARTS {
        contact.add_all(*part, field(name));
    }
    contact
}

/// Names the holder of a registration: the organization, else the name, whichever is told.
pub fn holder(node: Node<'_>) -> Option<String> {
    let organization = node.get("organization").text();
    organization
        .and_then(|text| Party::organization(&text))
        .or_else(|| node.get("name").text().and_then(|text| Party::holder(&text)))
}

/// Makes the name servers of a registration, in order, without repeats.
pub fn name_servers<'a>(rows: impl Iterator<Item = Node<'a>>) -> Vec<Record> {
    distinct(rows.filter_map(Node::host))
        .into_iter()
        .map(|name| Record::new().with("name", name))
        .collect()
}

/// Reads a network in CIDR form or as `first-last`: the range, and the CIDR form where it has one.
pub fn network(text: &str) -> Option<(String, Option<String>)> {
    let padded = || {
        let (first, length) = text.trim().split_once('/')?;
        indicator::network(&format!("{}/{length}", address(first)?))
    };
    if let Some(net) = indicator::network(text.trim()).or_else(padded) {
        return Some((
            format!("{}-{}", net.network(), net.broadcast()),
            Some(net.to_string()),
        ));
    }
    let (first, last) = text.split_once('-')?;
    let (first, last): (IpAddr, IpAddr) = (address(first)?.parse().ok()?, address(last)?.parse().ok()?);
    (first.is_ipv4() == last.is_ipv4() && first <= last).then(|| (format!("{first}-{last}"), None))
}

/// Reads the number of an autonomous system: `64500`, `AS64500`, or either with its name behind it.
pub fn as_number(text: &str) -> Option<String> {
    let text = text.trim();
    let text = match text.get(..2) {
        Some(head) if head.eq_ignore_ascii_case("as") => text.get(2..)?.trim_start(),
        _ => text,
    };
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u32 = text.get(..end)?.parse().ok()?;
    // 0 stands for "none" (RFC 7607).
    (number != 0).then(|| number.to_string())
}

/// Returns the code of a country, whichever of its codes and names the vendor writes; one that is not known stays as it
/// is written, but for the case of two letters.
pub fn country_code(text: &str) -> String {
    let text = text.trim();
    let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    match Country::find(text) {
        Some(country) => country.code.to_owned(),
        None if is_code => text.to_ascii_uppercase(),
        None => text.to_owned(),
    }
}

/// Adds where an address stands, as it reads on a map. A country has one name and one code, whichever of them the
/// vendor writes; one that is not known stays as it is written.
pub fn place(record: Record, city: Option<String>, country: Option<String>) -> Record {
    let known = country.as_deref().and_then(Country::find);
    let written = country.map(|text| country_code(&text));
    let code = written
        .clone()
        .filter(|text| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()));
    let country = known.map(|country| country.name.to_owned()).or(written);
    let words: Vec<&str> = [&city, &country]
        .into_iter()
        .filter_map(|part| part.as_deref())
        .collect();
    record
        .with("location", words.join(", "))
        .with_some("city", city)
        .with_some("country", country)
        .with_some("country_code", code)
}

/// Returns the one word for the kind of a tracker, whatever the vendor calls it: the same id is then the same tracker.
pub fn tracker_kind(word: &str) -> String {
    let plain: String = word
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    const KINDS: [(&str, &[&str]); 12] = [
        ("google-adsense", &["adsense"]),
        ("google-tag-manager", &["gtm", "googletagmanager"]),
        ("google-analytics", &["googleanalytics", "ga4", "googleua"]),
        ("facebook", &["facebook", "fbcode", "fbpixel", "fbid"]),
        ("hotjar", &["hotjar"]),
        ("baidu", &["baidu"]),
        ("yandex", &["yandex"]),
        ("matomo", &["matomo", "piwik"]),
        ("statcounter-security", &["statcountersecurity"]),
        ("statcounter", &["statcounter"]),
        ("new-relic", &["newrelic"]),
        ("mixpanel", &["mixpanel"]),
    ];
    let known = KINDS
        .iter()
        .find(|(_, words)| words.iter().any(|start| plain.starts_with(start)));
    known.map_or_else(|| word.trim().to_owned(), |(kind, _)| (*kind).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pivotd_domain::IndicatorKind;

    /// Says of a pair: side, other end, name below the one that was asked about.
    fn told(asked: &str, parent: &str, child: &str, of: Option<&str>) -> String {
        let kind = match asked.parse::<IpAddr>() {
            Ok(_) => IndicatorKind::Ipv4,
            Err(_) => IndicatorKind::Domain,
        };
        let end = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let asked = Indicator::parse(kind, asked).unwrap();
        match pair(&asked, end(parent), end(child), of) {
            Row::Record(record) => ["side", "host", "ip", "subdomain"]
                .iter()
                .filter_map(|name| record.text(name))
                .collect::<Vec<_>>()
                .join(" "),
            Row::LeftOut(why, _) => format!("{why:?}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_network_has_one_form_however_it_is_written() {
        for (text, range, cidr) in [
            ("192.0.2.0/24", "192.0.2.0-192.0.2.255", Some("192.0.2.0/24")),
            ("192.0.2.9 /24", "192.0.2.0-192.0.2.255", Some("192.0.2.0/24")),
            (
                "192.000.002.000/24",
                "192.0.2.0-192.0.2.255",
                Some("192.0.2.0/24"),
            ),
            (
                "::ffff:192.0.2.0/120",
                "192.0.2.0-192.0.2.255",
                Some("192.0.2.0/24"),
            ),
            ("192.0.2.0-192.0.2.9", "192.0.2.0-192.0.2.9", None),
        ] {
            let read = network(text);
            assert_eq!(read, Some((range.to_owned(), cidr.map(str::to_owned))), "{text}");
        }
        for text in ["192.0.2.0", "192.0.2.0/33", "192.0.2.9-192.0.2.0", "", "/24"] {
            assert_eq!(network(text), None, "{text}");
        }
    }

    #[test]
    fn a_country_has_one_code() {
        for (text, code) in [
            ("nl", "NL"),
            (" The Netherlands ", "NL"),
            ("UK", "GB"),
            ("usa", "US"),
            ("eu", "EU"),
            ("Atlantis", "Atlantis"),
            ("", ""),
        ] {
            assert_eq!(country_code(text), code, "{text}");
        }
    }

    #[test]
    fn the_direction_of_the_question_says_which_end_is_the_other() {
        let (news, help, www) = ("news.example.net", "help.example.com", "www.example.com");
        for (parent, child, of, said) in [
            (
                news,
                help,
                Some("parents"),
                "parent news.example.net help.example.com",
            ),
            (
                help,
                news,
                Some("children"),
                "child news.example.net help.example.com",
            ),
            (news, "example.com", Some("parents"), "parent news.example.net"),
            ("example.com", news, Some("children"), "child news.example.net"),
            (
                "192.0.2.9",
                help,
                Some("parents"),
                "parent 192.0.2.9 help.example.com",
            ),
            // Both stand below it: the direction still decides.
            (
                www,
                help,
                Some("parents"),
                "parent www.example.com help.example.com",
            ),
            (
                www,
                help,
                Some("children"),
                "child help.example.com www.example.com",
            ),
            // Without a direction, the near end does.
            (news, help, None, "parent news.example.net help.example.com"),
            (help, news, None, "child news.example.net help.example.com"),
            (www, help, None, "child help.example.com www.example.com"),
            (news, "cdn.example.org", None, "Elsewhere"),
            // A name that merely ends alike is none below it.
            (news, "notexample.com", None, "Elsewhere"),
            ("example.com", "example.com", Some("parents"), "Itself"),
            ("", news, None, "child news.example.net"),
            (news, "", Some("parents"), "parent news.example.net"),
            ("", "", None, "Unread"),
            ("", "example.com", None, "Itself"),
        ] {
            assert_eq!(
                told("example.com", parent, child, of),
                said,
                "{parent} {child} {of:?}"
            );
        }
        assert_eq!(
            told("192.0.2.44", news, "192.0.2.44", Some("parents")),
            "parent news.example.net"
        );
        assert_eq!(
            told("192.0.2.44", "192.0.2.44", help, None),
            "child help.example.com"
        );
    }
}
