//! Knows the wrappers that mail gateways and well-known sites put around links, and what is in them.
//!
//! A host is one only if it is the vendor's. What is said here of a vendor's form was seen in its links; a link of a
//! gateway's that has another form is sealed, never taken for a link to the gateway.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::indicator::Indicator;
use crate::indicator::refang::{DEAD_SCHEMES, begins_url};
use crate::lists;

/// How many hosts a sealed wrapper may name.
const MAX_HOSTS: usize = 5;

/// Padding is left out by some and not by others.
const fn lenient(alphabet: &base64::alphabet::Alphabet) -> GeneralPurpose {
    GeneralPurpose::new(
        alphabet,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    )
}

const URL_SAFE: GeneralPurpose = lenient(&base64::alphabet::URL_SAFE);
const STANDARD: GeneralPurpose = lenient(&base64::alphabet::STANDARD);

/// Says what a link is.
pub(super) enum Wrapper {
    /// No wrapper.
    None,
    /// A wrapper, and what stands in it where the link should: one text at least.
    Open(Vec<String>),
    /// A link that counts itself, and links in it to which a server may send on.
    Beside(Vec<String>),
    /// A wrapper whose link only its vendor can tell, and the hosts that it names.
    Sealed(Vec<Indicator>),
}

/// Looks at a link.
pub(super) fn look(url: &Url) -> Wrapper {
    let Some(host) = url.host_str() else {
        return Wrapper::None;
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    if let Some(gateway) = GATEWAYS.iter().find(|gateway| gateway.has(host, url.path())) {
        let inner = (gateway.read)(url);
        if !inner.is_empty() {
            return Wrapper::Open(inner);
        }
        let hosts = values(url, |name| is_any(name, &["domain", "d"])).into_iter();
        let hosts = hosts.filter(|name| name.contains('.')).take(MAX_HOSTS);
        return Wrapper::Sealed(hosts.filter_map(|name| Indicator::name(&name).ok()).collect());
    }
    site(host, url)
        .or_else(|| beside(host, url))
        .unwrap_or(Wrapper::None)
}

/// Finds links in the query of large sites, of whose redirects and grants of access (`redirect_uri`) no list is whole, and
/// of Fortinet's mail gateway, which each customer runs under a name of its own. The page counts as well, since the link
/// does not tell which is shown.
fn beside(host: &str, url: &Url) -> Option<Wrapper> {
    let more = || SENDING_ON.iter().find(|zone| is_or_below(host, zone)).copied();
    let zone = lists::site(host).or_else(more);
    let is_there = |inner: &Url| {
        let inner = inner.host_str().unwrap_or_default();
        inner == host
            || zone.is_some_and(|zone| is_or_below(inner, zone))
            || is_google(host) && is_google(inner)
    };
    let is_fortimail = url.path().starts_with("/fmlurlsvc/");
    if zone.is_none() && !is_google(host) && !is_fortimail {
        return None;
    }
    let links = values(url, |_| true).into_iter();
    let is_link = |text: &str| begins_url(text) || begins_host(text);
    let links = links.filter(|text| is_link(text) && super::web(text).is_none_or(|inner| !is_there(&inner)));
    let links: Vec<String> = links.collect();
    (!links.is_empty()).then_some(Wrapper::Beside(links))
}

/// Tells a link without a scheme: `//host/path`.
fn begins_host(text: &str) -> bool {
    let host = text
        .strip_prefix("//")
        .and_then(|rest| rest.split(['/', '?', '#']).next());
    host.is_some_and(|host| Indicator::name(host).is_ok())
}

/// Sites that are no popular ones where strangers write, and send on to others; see [`lists::site`].
const SENDING_ON: [&str; 8] = [
    "bbc.co.uk",
    "doubleclick.net",
    "duckduckgo.com",
    "duosecurity.com",
    "netflix.com",
    "nytimes.com",
    "onelogin.com",
    "windows.com",
];

/// Returns the zones that are gateways' own whole.
pub(crate) fn gateway_zones() -> impl Iterator<Item = &'static str> {
    let whole = GATEWAYS.iter().filter(|gateway| gateway.among.is_none());
    whole.flat_map(|gateway| gateway.zones).copied()
}

/// Is the wrapper of a mail gateway.
struct Gateway {
    /// Hosts are at or below one of these, which are its vendor's.
    zones: &'static [&'static str],
    /// Tells its hosts and paths from others of the zones; none where there are no others.
    among: Option<fn(host: &str, path: &str) -> bool>,
    /// Reads what stands in it; nothing where only the vendor can tell.
    read: fn(&Url) -> Vec<String>,
}

impl Gateway {
    fn has(&self, host: &str, path: &str) -> bool {
        self.zones.iter().any(|zone| is_or_below(host, zone))
            && self.among.is_none_or(|is_one| is_one(host, path))
    }
}

const GATEWAYS: [Gateway; 16] = [
    // Microsoft Safe Links: worldwide and GCC, GCC High and DoD, 21Vianet; any path, `/ap/…` of Office included.
    Gateway {
        zones: &[
            "safelinks.protection.outlook.com",
            "safelinks.protection.office365.us",
            "safelinks.protection.partner.outlook.cn",
            "safelinks.protection.outlook.cn",
            "safelinks.protection.outlook.de",
        ],
        among: None,
        read: |url| query(url, &["url"]),
    },
    // Safe Links of Teams.
    Gateway {
        zones: &["statics.teams.cdn.office.net", "staticsint.teams.cdn.office.net"],
        among: Some(|_, path| path.contains("/safelinks/")),
        read: |url| query(url, &["url"]),
    },
    Gateway {
        zones: &["urldefense.proofpoint.com", "urldefense.com", "urldefense.us"],
        among: None,
        read: proofpoint,
    },
    // Barracuda, TitanHQ.
    Gateway {
        zones: &["linkprotect.cudasvc.com", "linklock.titanhq.com"],
        among: None,
        read: |url| query(url, &["a", "url"]),
    },
    // Cisco Secure Email: a token, then the link as one segment.
    Gateway {
        zones: &["secure-web.cisco.com"],
        among: None,
        read: |url| {
            let last = url.path().rsplit('/').next().map(percent_decoded);
            last.filter(|last| begins_url(last)).into_iter().collect()
        },
    },
    // Sophos Email: the link in Base64.
    Gateway {
        zones: &["protection.sophos.com"],
        among: None,
        read: |url| {
            let coded = query(url, &["u"]).into_iter();
            let coded = coded.map(|coded| coded.replace('-', "+").replace('_', "/").replace(' ', "+"));
            let decoded: Option<Vec<String>> =
                coded.map(|coded| text(STANDARD.decode(coded).ok()?)).collect();
            decoded.unwrap_or_default()
        },
    },
    // Symantec, once MessageLabs; Libraesva; OpenText EdgePilot; Trustwave; Vade.
    Gateway {
        zones: &[
            "clicktime.symantec.com",
            "clicktime.cloud.postoffice.net",
            "urlsand.esvalabs.com",
            "link.edgepilot.com",
            "scanmail.trustwave.com",
            "antiphishing.vadesecure.com",
        ],
        among: None,
        read: |url| query(url, &["u"]),
    },
    // Vade for Microsoft 365.
    Gateway {
        zones: &["m365.eu.vadesecure.com", "m365.us.vadesecure.com"],
        among: Some(|_, path| path.contains("/safeproxy/")),
        read: |url| query(url, &["u"]),
    },
    // Check Point Harmony, once Avanan: the link between three underscores.
    Gateway {
        zones: &["url.avanan.click", "protect.checkpoint.com"],
        among: None,
        read: |url| check_point(url.as_str()).into_iter().collect(),
    },
    Gateway {
        zones: &["fireeye.com", "trellix.com"],
        among: Some(|host, _| host.contains("protect")),
        read: |url| query(url, &["u"]),
    },
    // Trend Micro Email Security.
    Gateway {
        zones: &["trendmicro.com"],
        among: Some(|_, path| path.contains("/clicktime/")),
        read: |url| query(url, &["url"]),
    },
    // Mimecast, Intermedia: tokens that only their own servers know.
    Gateway {
        zones: &[
            "mimecastprotect.com",
            "protect-eu.mimecast.com",
            "protect-us.mimecast.com",
            "url.emailprotection.link",
        ],
        among: None,
        read: |_| Vec::new(),
    },
    // The same of Mimecast's other hosts.
    Gateway {
        zones: &["mimecast.com"],
        among: Some(|_, path| path.starts_with("/s/") || path.starts_with("/r/")),
        read: |_| Vec::new(),
    },
    // Forcepoint: tokens.
    Gateway {
        zones: &["mailcontrol.com"],
        among: Some(|_, path| path.starts_with("/sr/")),
        read: |_| Vec::new(),
    },
    // Inky: tokens.
    Gateway {
        zones: &["inky.com"],
        among: Some(|_, path| path.starts_with("/link")),
        read: |_| Vec::new(),
    },
    // Hornetsecurity: tokens.
    Gateway {
        zones: &["hornetsecurity.com"],
        among: Some(|host, _| host.starts_with("atpscan.")),
        read: |_| Vec::new(),
    },
];

/// Returns the values of the query whose names are wanted, each once. Servers differ in which one they take.
fn values(url: &Url, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in url.query_pairs() {
        if wanted(&name) && !value.trim().is_empty() && !found.iter().any(|known| *known == value) {
            found.push(value.into_owned());
        }
    }
    found
}

/// Returns the values of a gateway's query; the names are in any case.
fn query(url: &Url, names: &[&str]) -> Vec<String> {
    values(url, |name| is_any(name, names))
}

fn is_any(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn is_or_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

/// Looks at a site's own redirect. Names are in the case that the site takes; one that says nothing is no redirect.
fn site(host: &str, url: &Url) -> Option<Wrapper> {
    let path = url.path();
    let named = |names: &[&str]| {
        let found = values(url, |name| names.contains(&name));
        (!found.is_empty()).then_some(Wrapper::Open(found))
    };
    if is_google(host) {
        return match path {
            "/url" => named(&["q", "url"]),
            "/aclk" | "/pagead/aclk" => named(&["adurl"]),
            "/translate" => named(&["u"]),
            _ => {
                let rest = path.strip_prefix("/amp/")?;
                let secure = rest.strip_prefix("s/").map(|rest| format!("https://{rest}"));
                Some(Wrapper::Open(vec![
                    secure.unwrap_or_else(|| format!("http://{rest}")),
                ]))
            }
        };
    }
    match host {
        "www.googleadservices.com" | "adclick.g.doubleclick.net" | "googleads.g.doubleclick.net" => {
            named(&["adurl"])
        }
        "slack-redir.net" => named(&["url"]),
        "www.linkedin.com" | "linkedin.com" if path.starts_with("/redir/") || path == "/safety/go" => {
            named(&["url"])
        }
        // A code that only the site knows.
        "www.linkedin.com" | "linkedin.com" if path == "/slink" => Some(Wrapper::Sealed(Vec::new())),
        "l.facebook.com" | "lm.facebook.com" | "l.instagram.com" | "l.messenger.com" => named(&["u"]),
        _ if is_or_below(host, "facebook.com") && (path == "/l.php" || path.starts_with("/flx/warn")) => {
            named(&["u"])
        }
        "www.youtube.com" | "youtube.com" if path == "/redirect" => named(&["q"]),
        "out.reddit.com" => named(&["url"]),
        "duckduckgo.com" if path == "/l/" => named(&["uddg"]),
        // Yahoo's search: the link in one segment of the path.
        _ if is_or_below(host, "r.search.yahoo.com") => {
            let link = path.split('/').find_map(|segment| segment.strip_prefix("RU="));
            Some(match link {
                Some(link) => Wrapper::Open(vec![percent_decoded(link)]),
                None => Wrapper::Sealed(Vec::new()),
            })
        }
        // A token that only the site knows; a link in clear stands in some.
        _ if is_or_below(host, "baidu.com") && path == "/link" => {
            let links = values(url, |name| name == "url");
            Some(if links.iter().any(|link| !begins_url(link)) {
                Wrapper::Sealed(Vec::new())
            } else if links.is_empty() {
                Wrapper::None
            } else {
                Wrapper::Open(links)
            })
        }
        "www.bing.com" | "bing.com" if path.starts_with("/ck/") || matches!(path, "/aclick" | "/aclk") => {
            let coded = values(url, |name| name == "u");
            let decoded = |coded: &String| {
                let coded = coded.strip_prefix("a1").unwrap_or(coded).replace(' ', "+");
                let link = STANDARD.decode(coded.replace('-', "+").replace('_', "/")).ok();
                let link = text(link?)?;
                Some(if begins_url(&link) {
                    link
                } else {
                    percent_decoded(&link)
                })
            };
            let all: Option<Vec<String>> = coded.iter().map(decoded).collect();
            Some(match all {
                Some(links) if links.is_empty() => Wrapper::None,
                Some(links) => Wrapper::Open(links),
                None => Wrapper::Sealed(Vec::new()),
            })
        }
        _ => None,
    }
}

/// Tells a host at or below Google's domain of some country.
fn is_google(host: &str) -> bool {
    let suffix = match host.rsplit_once(".google.") {
        Some((_, suffix)) => suffix,
        None => host.strip_prefix("google.").unwrap_or_default(),
    };
    let country = suffix.strip_prefix("co.").or_else(|| suffix.strip_prefix("com."));
    matches!(suffix, "com" | "cat") || country.unwrap_or(suffix).len() == 2
}

/// Makes text of octets.
fn text(octets: Vec<u8>) -> Option<String> {
    String::from_utf8(octets).ok()
}

fn proofpoint(url: &Url) -> Vec<String> {
    let path = url.path();
    if path.starts_with("/v1/") {
        query(url, &["u"])
    } else if path.starts_with("/v2/") {
        let coded = query(url, &["u"]).into_iter();
        let decoded = |coded: String| percent_decoded(&coded.replace('-', "%").replace('_', "/"));
        coded.map(decoded).collect()
    } else {
        proofpoint_v3(url.as_str()).into_iter().collect()
    }
}

fn percent_decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Gives a link back the second slash that some programs take from a link within a link, the colon that some encode,
/// and its scheme where that is spelt so that it does not work.
fn whole(link: &str) -> Option<String> {
    let live = ["https", "http", "ftp"].map(|scheme| (scheme, scheme));
    let (scheme, rest) = live.iter().chain(&DEAD_SCHEMES).find_map(|(spelt, scheme)| {
        let head = link.get(..spelt.len())?;
        let rest = link
            .get(spelt.len()..)
            .filter(|_| head.eq_ignore_ascii_case(spelt))?;
        let colon = [":", "%3A", "%3a", "[:]", "%5B:%5D"]
            .iter()
            .find_map(|colon| rest.strip_prefix(colon))?;
        Some((scheme, colon))
    })?;
    Some(format!("{scheme}://{}", rest.trim_start_matches('/')))
}

/// Reads `…/v2/___LINK___.SIGNATURE` and `…/v2/r01/___LINK___.SIGNATURE`.
fn check_point(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("/___")?;
    whole(rest.split("___").next()?)
}

/// Decodes `…/v3/__LINK__;REPLACED!!…`: an asterisk stands for the next replaced octet, two and a letter for a run of
/// them, whose length in octets of UTF-8 the letter says: A is 2, B is 3, and on through the alphabet of base64.
fn proofpoint_v3(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("/v3/__")?;
    let (link, rest) = rest.rsplit_once("__;")?;
    let (replaced, _) = rest.split_once('!')?;
    let mut replaced = URL_SAFE.decode(replaced).ok()?.into_iter();
    let mut out = Vec::with_capacity(link.len());
    let mut octets = link.bytes().peekable();
    while let Some(b) = octets.next() {
        if b != b'*' {
            out.push(b);
        } else if octets.next_if_eq(&b'*').is_some() {
            let letter = char::from(octets.next()?);
            let run = base64::alphabet::URL_SAFE.as_str().find(letter)? + 2;
            out.extend(replaced.by_ref().take(run));
        } else {
            out.push(replaced.next()?);
        }
    }
    whole(&text(out)?)
}
