//! Reads which server answers for what, from IANA's files.
//!
//! A bootstrap file is `{"services": [[[key, …], [url, …]], …]}` (RFC 9224): keys are the ends of names, networks or
//! ranges of numbers, and the nearest one decides. The list of registrar ids is a table with the columns `ID` and `RDAP
//! Base URL`. A bad character costs the key, the server or the registrar in which it stands, and nothing beside it.

use std::net::IpAddr;

use ipnet::IpNet;
use url::{Host, Url};

use crate::Files;
use crate::kit::lenient;
use crate::kit::tolerant::{Node, distinct};

/// Names of the files.
pub const DNS: &str = "dns.json";
/// Likewise of IPv4 addresses.
pub const IPV4: &str = "ipv4.json";
/// Likewise of IPv6 addresses.
pub const IPV6: &str = "ipv6.json";
/// Likewise of numbers of autonomous systems.
pub const ASN: &str = "asn.json";
/// Likewise of what a registrar knows.
pub const REGISTRARS: &str = "registrars.csv";

/// Holds who answers for some keys.
#[derive(Debug)]
struct Service {
    keys: Vec<String>,
    servers: Vec<Url>,
}

/// Returns the server for a name: the one with the longest end of it.
pub fn of_name(files: &Files, name: &str) -> Option<Url> {
    nearest(&services(files, DNS), |key| {
        let key = key.trim_matches('.').to_ascii_lowercase();
        let above = name.strip_suffix(key.as_str())?;
        let ends = !key.is_empty() && (above.is_empty() || above.ends_with('.'));
        ends.then_some(u32::try_from(key.len()).unwrap_or(u32::MAX))
    })
}

/// Returns the server for an address: the one with the longest prefix.
pub fn of_address(files: &Files, address: IpAddr) -> Option<Url> {
    let file = if address.is_ipv4() { IPV4 } else { IPV6 };
    nearest(&services(files, file), |key| {
        let network: IpNet = key.parse().ok()?;
        network
            .contains(&address)
            .then_some(u32::from(network.prefix_len()))
    })
}

/// Returns the server for an autonomous system: the one with the narrowest range.
pub fn of_number(files: &Files, number: u32) -> Option<Url> {
    nearest(&services(files, ASN), |key| {
        let (first, last) = range(key)?;
        (first..=last).contains(&number).then_some(!(last - first))
    })
}

/// Returns the server of a registrar by its IANA id.
pub fn of_registrar(files: &Files, id: &str) -> Option<Url> {
    let id = id.trim();
    registrars(files.get(REGISTRARS)?)
        .ok()?
        .into_iter()
        .find(|(known, _)| known == id)
        .and_then(|(_, server)| server)
}

/// Lists every server that may be asked, and the root of each, so that a link to it can be followed as it is written.
pub fn servers(files: &Files) -> Vec<String> {
    let bootstrapped = [DNS, IPV4, IPV6, ASN].into_iter().flat_map(|file| {
        let services = services(files, file);
        services.into_iter().flat_map(|service| service.servers)
    });
    let registrars = files.get(REGISTRARS).and_then(|bytes| registrars(bytes).ok());
    let registrars = registrars.into_iter().flatten().filter_map(|(_, server)| server);
    distinct(
        bootstrapped
            .chain(registrars)
            .flat_map(|url| [url.to_string(), url.origin().ascii_serialization()]),
    )
}

/// Says what is wrong with a file of names.
pub fn check_names(bytes: &[u8]) -> Result<(), String> {
    let is_name =
        |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
    check(bytes, is_name)
}

/// Says what is wrong with a file of networks.
pub fn check_networks(bytes: &[u8]) -> Result<(), String> {
    check(bytes, |key| key.parse::<IpNet>().is_ok())
}

/// Says what is wrong with a file of autonomous systems.
pub fn check_numbers(bytes: &[u8]) -> Result<(), String> {
    check(bytes, |key| range(key).is_some())
}

/// Says what is wrong with a list of registrars.
pub fn check_registrars(bytes: &[u8]) -> Result<(), String> {
    let usable = registrars(bytes)?.iter().any(|(_, server)| server.is_some());
    usable
        .then_some(())
        .ok_or_else(|| "it names no server that is asked by https".to_owned())
}

/// Reads a file's services; a file that is missing or broken has none.
fn services(files: &Files, file: &str) -> Vec<Service> {
    files
        .get(file)
        .and_then(|bytes| parse(bytes).ok())
        .unwrap_or_default()
}

fn parse(bytes: &[u8]) -> Result<Vec<Service>, String> {
    let body = lenient::value(bytes).map_err(|error| format!("it is no JSON: {error}"))?;
    let listed = Node::of(&body).get("services");
    if !listed.is_list() {
        return Err("it has no list of services".to_owned());
    }
    let service = |entry: Node<'_>| {
        let mut parts = entry.many().filter(|part| part.is_list());
        let (keys, urls) = (parts.next()?, parts.next()?);
        Some(Service {
            keys: keys.texts().into_iter().filter(|key| is_whole(key)).collect(),
            servers: urls.texts().iter().filter_map(|text| server(text)).collect(),
        })
    };
    Ok(listed.many().filter_map(service).collect())
}

fn check(bytes: &[u8], is_key: impl Fn(&str) -> bool) -> Result<(), String> {
    let services = parse(bytes)?;
    if let Some(key) = services
        .iter()
        .flat_map(|service| &service.keys)
        .find(|key| !is_key(key))
    {
        let shown: String = key.chars().take(40).collect();
        return Err(format!("\"{shown}\" is no key of this file"));
    }
    let usable = services
        .iter()
        .any(|service| !service.keys.is_empty() && !service.servers.is_empty());
    usable
        .then_some(())
        .ok_or_else(|| "it names no server that is asked by https".to_owned())
}

fn registrars(bytes: &[u8]) -> Result<Vec<(String, Option<Url>)>, String> {
    let fault = |error: csv::Error| format!("it is no table: {error}");
    let text = String::from_utf8_lossy(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let headers = reader.headers().map_err(fault)?;
    let column = |name: &str| {
        headers
            .iter()
            .position(|header| header.trim_start_matches('\u{feff}').trim() == name)
    };
    let (Some(id), Some(url)) = (column("ID"), column("RDAP Base URL")) else {
        return Err("it lacks the columns ID and RDAP Base URL".to_owned());
    };
    let mut found = Vec::new();
    for row in reader.records() {
        let row = row.map_err(fault)?;
        let text = |column: usize| row.get(column).unwrap_or_default().trim();
        found.push((text(id).to_owned(), server(text(url))));
    }
    Ok(found)
}

/// Returns the server of the key that is nearest, among those that can be asked.
fn nearest(services: &[Service], nearness: impl Fn(&str) -> Option<u32>) -> Option<Url> {
    let matches = services.iter().flat_map(|service| {
        let keys = service.keys.iter().filter_map(|key| nearness(key));
        keys.map(move |near| (near, service))
    });
    let (_, service) = matches.max_by_key(|(near, _)| *near)?;
    service.servers.first().cloned()
}

/// Tells a text of which no character was lost when it was read.
fn is_whole(text: &str) -> bool {
    !text.contains(char::REPLACEMENT_CHARACTER)
}

/// Reads a base URL that may be asked: https, or this machine itself, without user, query and fragment.
fn server(text: &str) -> Option<Url> {
    let mut url = Url::parse(text.trim()).ok().filter(|_| is_whole(text))?;
    let here = match url.host()? {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(_) => false,
    };
    let plain = url.query().is_none() && url.fragment().is_none();
    let nobody = url.username().is_empty() && url.password().is_none();
    if !(plain && nobody && (url.scheme() == "https" || (here && url.scheme() == "http"))) {
        return None;
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Some(url)
}

fn range(key: &str) -> Option<(u32, u32)> {
    let (first, last) = key.split_once('-').unwrap_or((key, key));
    let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then_some((first, last))
}
