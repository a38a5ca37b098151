//! Reads the small languages of single values: durations, rates, budgets, resets, sizes, URLs. Pure.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;
use url::{Host, Url};

use super::settings::{BudgetWindow, Rate, Resets};
use crate::domain::{Indicator, IndicatorKind};

const DAY: u64 = 24 * 3600;
const LONGEST: u64 = 10 * 366 * DAY;

/// Reads a duration: whole numbers with `ms`, `s`, `m`, `h`, `d` or `w`, such as `90s`, `24h` or `1h30m`; `0` alone is none at all.
///
/// # Errors
/// A text for people that says what is wrong and what is expected.
pub fn duration(text: &str) -> Result<Duration, String> {
    let fault = || format!("expected a duration such as 90s, 24h, 7d or 1h30m, found \"{text}\"");
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(fault());
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(fault)?;
        let (number, tail) = rest.split_at_checked(digits).ok_or_else(fault)?;
        let number: u64 = number.parse().map_err(|_| fault())?;
        let letters = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(letters).ok_or_else(fault)?;
        let one = match unit {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" | "min" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            "d" => Duration::from_secs(DAY),
            "w" => Duration::from_secs(7 * DAY),
            _ => return Err(fault()),
        };
        let number = u32::try_from(number).map_err(|_| fault())?;
        total = one
            .checked_mul(number)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(fault)?;
        rest = tail;
    }
    if total > Duration::from_secs(LONGEST) {
        return Err(format!("expected at most ten years, found \"{text}\""));
    }
    Ok(total)
}

/// Writes a duration as it would be configured: `1h30m`, `90s` as `1m30s`, `0s`.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let mut out = String::new();
    let mut seconds = duration.as_secs();
    for (unit, size) in [("d", DAY), ("h", 3600), ("m", 60), ("s", 1)] {
        if seconds >= size {
            out.push_str(&format!("{}{unit}", seconds / size));
            seconds %= size;
        }
    }
    if duration.subsec_millis() > 0 {
        out.push_str(&format!("{}ms", duration.subsec_millis()));
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

/// Reads a rate with the usual burst: `60/min`, `5/s`, `1000/h`, `2000/day`.
///
/// # Errors
/// A text for people.
pub fn rate(text: &str) -> Result<Rate, String> {
    let fault = || format!("expected a rate such as 60/min, 5/s or 1000/h, found \"{text}\"");
    let (limit, per) = text.split_once('/').ok_or_else(fault)?;
    let limit: NonZeroU32 = limit.trim().parse().map_err(|_| fault())?;
    let seconds = match per.trim() {
        "s" | "sec" | "second" => 1,
        "m" | "min" | "minute" => 60,
        "h" | "hour" => 3600,
        "d" | "day" => DAY,
        _ => return Err(fault()),
    };
    Ok(Rate::smooth(limit, Duration::from_secs(seconds)))
}

/// Reads a limit in a window, `5000/month`, `99.50/day` or `500/total`, as hundredths and a window.
///
/// # Errors
/// A text for people.
pub fn limit(text: &str) -> Result<(i64, BudgetWindow), String> {
    let fault = || format!("expected a budget such as 2000/day, 5000/month or 500/total, found \"{text}\"");
    let (limit, window) = text.split_once('/').ok_or_else(fault)?;
    let window = match window.trim() {
        "h" | "hour" => BudgetWindow::Hour,
        "d" | "day" => BudgetWindow::Day,
        "month" => BudgetWindow::Month,
        "total" => BudgetWindow::Total,
        _ => return Err(fault()),
    };
    Ok((cents(limit).ok_or_else(fault)?, window))
}

/// The tenant of clients that have no other; the provider's own settings are its.
pub const DEFAULT_TENANT: &str = "default";
/// The longest name of a token or tenant.
pub const LONGEST_NAME: usize = 64;

/// Tells whether a text can be the name of a token or tenant, which ledger and log write.
#[must_use]
pub fn is_plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    !name.is_empty() && name.chars().count() <= LONGEST_NAME && name.chars().all(plain)
}

/// Reads a number with at most two decimals as hundredths.
#[must_use]
pub fn cents(text: &str) -> Option<i64> {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || part.len() > 2 || !is_digits(whole) || !is_digits(part) {
        return None;
    }
    let part: i64 = format!("{part:0<2}").parse().ok()?;
    whole
        .parse::<i64>()
        .ok()?
        .checked_mul(100)?
        .checked_add(part)
        .filter(|cents| *cents < 1_000_000_000_000)
}

/// Reads when windows open: a time zone, before it optionally `day N` and a time of day.
///
/// # Errors
/// A text for people.
pub fn resets(text: &str) -> Result<Resets, String> {
    let fault = || {
        format!("expected a time zone such as UTC, or \"day 15 00:00 America/New_York\", found \"{text}\"")
    };
    let mut words = text.split_whitespace().peekable();
    let mut resets = Resets {
        day: 1,
        time: jiff::civil::Time::midnight(),
        zone: jiff::tz::TimeZone::UTC,
    };
    if words.next_if_eq(&"day").is_some() {
        let day = words
            .next()
            .and_then(|day| day.parse().ok())
            .filter(|day| (1..=28).contains(day));
        resets.day = day.ok_or_else(|| format!("expected a day from 1 to 28, found \"{text}\""))?;
    }
    if let Some(word) = words.next_if(|word| word.contains(':')) {
        resets.time = word.parse().map_err(|_| fault())?;
    }
    let zone = words.next().ok_or_else(fault)?;
    if words.next().is_some() {
        return Err(fault());
    }
    if zone != "UTC" {
        let known = jiff::tz::TimeZone::get(zone);
        resets.zone = known
            .map_err(|_| format!("expected a time zone such as UTC or Europe/Berlin, found \"{zone}\""))?;
    }
    Ok(resets)
}

/// Reads a number of bytes: `65536`, `512KB`, `64MB`, `1GB`; the units are powers of 1024.
///
/// # Errors
/// A text for people.
pub fn bytes(text: &str) -> Result<u64, String> {
    let fault = || format!("expected a size such as 512KB or 64MB, found \"{text}\"");
    let text = text.trim();
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(at).ok_or_else(fault)?;
    let number: u64 = number.parse().map_err(|_| fault())?;
    let unit = match unit.trim().to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "KB" | "KIB" => 1 << 10,
        "MB" | "MIB" => 1 << 20,
        "GB" | "GIB" => 1 << 30,
        _ => return Err(fault()),
    };
    number
        .checked_mul(unit)
        .filter(|bytes| *bytes <= 1 << 40)
        .ok_or_else(fault)
}

/// Tells whether a host is this machine.
fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => IpAddr::V6(*ip).to_canonical().is_loopback(),
    }
}

/// Reads a URL that paths are joined to: no user, query or fragment; returned without a trailing slash.
///
/// # Errors
/// A text for people.
pub fn plain_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim()).map_err(|_| {
        format!(
            "expected a URL such as https://api.example.com, found \"{}\"",
            redacted(text)
        )
    })?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("expected a URL that begins with https://".to_owned());
    }
    if url.port() == Some(0) {
        return Err("a URL must not hold the port 0, which stands for any".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL must not hold a user or a password".to_owned());
    }
    if url.query().is_some() {
        return Err("a URL must not hold a query".to_owned());
    }
    if url.fragment().is_some() {
        return Err("a URL must not hold a fragment".to_owned());
    }
    Ok(url)
}

/// Hides what may be a password in a text that should have been a URL.
fn redacted(text: &str) -> &str {
    if text.contains('@') { "…" } else { text }
}

/// Reads the base URL of a provider: https, or http to this machine.
///
/// # Errors
/// A text for people.
pub fn base_url(text: &str) -> Result<String, String> {
    let url = plain_url(text)?;
    if url.scheme() == "http" && !url.host().as_ref().is_some_and(is_loopback) {
        return Err(
            "expected https; plain http goes to this machine only (localhost, 127.0.0.1, [::1])".to_owned(),
        );
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Names the resolver that DNS questions go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolver {
    /// Those of the machine: `dns:system`.
    System,
    /// The one at an address: `dns://192.0.2.53:53`, `dns://[2001:db8::53]`.
    At(SocketAddr),
}

impl fmt::Display for Resolver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => formatter.write_str("dns:system"),
            Self::At(address) => write!(formatter, "dns://{address}"),
        }
    }
}

/// Reads the resolver of a provider that is asked over DNS. Its address is a literal: a name would need a resolver itself.
///
/// # Errors
/// A text for people.
pub fn resolver(text: &str) -> Result<Resolver, String> {
    let expected = || {
        format!(
            "expected dns:system or a resolver's address such as dns://192.0.2.53:53, found \"{}\"",
            redacted(text)
        )
    };
    let text = text.trim().trim_end_matches('/');
    if text == "dns:system" {
        return Ok(Resolver::System);
    }
    let address = text.strip_prefix("dns://").ok_or_else(expected)?;
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let parsed = address.parse::<SocketAddr>().ok();
    let parsed = parsed.or_else(|| Some((bare.unwrap_or(address).parse::<IpAddr>().ok()?, 53).into()));
    parsed
        .filter(|at| at.port() != 0)
        .map(Resolver::At)
        .ok_or_else(expected)
}

/// Reads the origin of a page, as browsers send it: scheme and host, and a port that is not the scheme's own.
///
/// # Errors
/// What was expected.
pub fn origin(text: &str) -> Result<String, String> {
    let expected = || "expected the origin of a page such as \"https://app.maltego.com\"".to_owned();
    let url = url::Url::parse(text).map_err(|_| expected())?;
    let is_web = matches!(url.scheme(), "http" | "https");
    let origin = url.origin().ascii_serialization();
    if is_web && origin == text {
        Ok(origin)
    } else {
        Err(expected())
    }
}

/// Reads what clients are pointed at.
///
/// # Errors
/// A text for people.
pub fn public_url(text: &str) -> Result<String, String> {
    let url = plain_url(text)?;
    let normal = url.as_str().trim_end_matches('/');
    // What is handed out is what was written, but for the letters' case, a default port and slashes at the end.
    let given = text.trim().trim_end_matches('/');
    let default = url.port_or_known_default().map(|port| format!(":{port}"));
    let without_port = default.and_then(|port| {
        let (before, after) = given.split_once(&port)?;
        (after.is_empty() || after.starts_with('/')).then(|| format!("{before}{after}"))
    });
    let is_normal = |given: &str| given.eq_ignore_ascii_case(normal);
    let is_plain = !normal.contains('%') && normal.matches("//").count() == 1;
    if is_plain_host(&url) && is_plain && (is_normal(given) || without_port.as_deref().is_some_and(is_normal))
    {
        return Ok(normal.to_owned());
    }
    Err(format!(
        "expected a URL as clients call it, without steps such as \"..\", escapes, or another spelling of an address; \"{}\" \
         would be \"{normal}\"",
        redacted(text)
    ))
}

/// Tells whether a URL's host is an address, or a name of letters, digits and hyphens that begins and ends with none of the latter.
fn is_plain_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.trim_end_matches('.').split('.').all(|label| {
            let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            !label.is_empty()
                && label.bytes().all(is_inner)
                && !label.starts_with('-')
                && !label.ends_with('-')
        }),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        None => false,
    }
}

/// Reads a network, or an address as the network of it alone.
///
/// # Errors
/// A text for people.
pub fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let alone = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse::<IpNet>()
        .or_else(|_| alone())
        .map_err(|_| format!("expected an address or a network such as 10.0.0.0/8, found \"{text}\""))
}

/// Reads the URL of a proxy.
///
/// # Errors
/// A text for people.
pub fn proxy_url(text: &str) -> Result<String, String> {
    let scheme = text
        .trim()
        .split_once("://")
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https")) {
        return Err(format!(
            "expected the URL of an HTTP proxy, such as http://proxy.example:3128, found \"{}\"",
            redacted(text)
        ));
    }
    plain_url(text)
        .map(|url| url.as_str().trim_end_matches('/').to_owned())
        .map_err(|message| {
            format!("{message}; proxy_username and proxy_password hold the proxy's credentials")
        })
}

/// Reads what is reached without a proxy: a host or domain, an address, or a network.
///
/// # Errors
/// A text for people.
pub fn no_proxy(text: &str) -> Result<String, String> {
    let text = text.trim();
    let bare = text
        .strip_prefix("*.")
        .or_else(|| text.strip_prefix('.'))
        .unwrap_or(text);
    let kinds: &[IndicatorKind] = if bare.contains('/') {
        &[IndicatorKind::Netblock]
    } else {
        &[IndicatorKind::Ipv4, IndicatorKind::Ipv6]
    };
    let is_name = |name: &str| {
        let is_label = |label: &str| {
            !label.is_empty()
                && label
                    .chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
        };
        name.split('.').all(is_label)
    };
    let is_read = kinds.iter().any(|kind| Indicator::parse(*kind, bare).is_ok());
    if text == "*" || is_read || is_name(bare) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "expected a host, a domain such as .internal.example, an address or a network such as 10.0.0.0/8, found \"{}\"",
            redacted(text)
        ))
    }
}
