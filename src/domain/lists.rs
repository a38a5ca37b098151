//! Knows names that anybody can have for an hour, and addresses that only listen: dynamic DNS and sinkholes.
//!
//! The built-in list is small and of November 2026; the suffix list's private section says more, and the
//! administrator's files say the rest. Whatever is said of a name, it is told who says so.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use serde::Deserialize;

use super::indicator::{Indicator, IndicatorKind};

/// Zones below which customers of dynamic DNS services get names.
const DYNAMIC: &[&str] = &[
    "3322.org",
    "8866.org",
    "8800.org",
    "9966.org",
    "changeip.net",
    "chickenkiller.com",
    "ddns.net",
    "dnsalias.com",
    "dnsdynamic.org",
    "duckdns.org",
    "dyndns.biz",
    "dyndns.info",
    "dyndns.org",
    "dynu.net",
    "freedns.afraid.org",
    "gotdns.com",
    "homeip.net",
    "hopto.org",
    "mooo.com",
    "myftp.biz",
    "myftp.org",
    "no-ip.biz",
    "no-ip.info",
    "no-ip.org",
    "redirectme.net",
    "servebeer.com",
    "servehttp.com",
    "sytes.net",
    "vicp.net",
    "xicp.net",
    "zapto.org",
];

/// Says that the built-in list says so.
const BUILT_IN: &str = "pivotd's built-in list";
/// Says that the suffix list says so.
const SUFFIX_LIST: &str = "Public Suffix List, private section";

/// Says what a list file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// Zones of dynamic DNS services.
    DynamicDns,
    /// Addresses, networks and name servers of sinkholes.
    Sinkholes,
}

/// Holds all lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists {
    dynamic: HashMap<String, Arc<str>>,
    sinkhole_names: HashMap<String, Arc<str>>,
    sinkhole_networks: Vec<(IpNet, Arc<str>)>,
}

/// Is a list in the JSON format of the MISP warning lists; its other members are not needed.
#[derive(Deserialize)]
struct WarningList {
    name: Option<String>,
    list: Vec<String>,
}

impl Lists {
    /// Holds what is built in.
    #[must_use]
    pub fn built_in() -> Self {
        let source: Arc<str> = BUILT_IN.into();
        Self {
            dynamic: DYNAMIC
                .iter()
                .map(|zone| ((*zone).to_owned(), Arc::clone(&source)))
                .collect(),
            ..Self::default()
        }
    }

    /// Adds a list: one entry a line with `#` comments, or JSON with a `list`. `source` says whose it is, unless the
    /// list has a name of its own.
    ///
    /// # Errors
    /// The line, from 1, and what is wrong with it.
    pub fn add(&mut self, kind: ListKind, text: &str, source: &str) -> Result<usize, (usize, String)> {
        if text.trim_start().starts_with('{') {
            let list: WarningList =
                serde_json::from_str(text).map_err(|error| (error.line(), error.to_string()))?;
            let source: Arc<str> = list.name.as_deref().unwrap_or(source).into();
            for (at, entry) in list.list.iter().enumerate() {
                self.entry(kind, entry, &source)
                    .map_err(|reason| (1, format!("entry {}: {reason}", at + 1)))?;
            }
            return Ok(list.list.len());
        }
        let source: Arc<str> = source.into();
        let mut count = 0;
        for (at, line) in text.lines().enumerate() {
            let entry = line.split('#').next().unwrap_or_default().trim();
            if !entry.is_empty() {
                self.entry(kind, entry, &source)
                    .map_err(|reason| (at + 1, reason))?;
                count += 1;
            }
        }
        Ok(count)
    }

    fn entry(&mut self, kind: ListKind, entry: &str, source: &Arc<str>) -> Result<(), String> {
        // A leading dot or asterisk says "and everything below", which holds for all of them.
        let bare = entry.trim().trim_start_matches("*").trim_start_matches('.');
        if kind == ListKind::Sinkholes {
            let network = bare
                .parse::<IpNet>()
                .ok()
                .or_else(|| bare.parse::<IpAddr>().ok().map(IpNet::from));
            if let Some(network) = network {
                self.sinkhole_networks.push((network.trunc(), Arc::clone(source)));
                return Ok(());
            }
        }
        let name = Indicator::parse(IndicatorKind::Hostname, bare).map_err(|_| {
            let expected = match kind {
                ListKind::DynamicDns => "a domain",
                ListKind::Sinkholes => "an address, a network or a host name",
            };
            format!(
                "expected {expected}, found \"{}\"",
                entry.chars().take(80).collect::<String>()
            )
        })?;
        let names = match kind {
            ListKind::DynamicDns => &mut self.dynamic,
            ListKind::Sinkholes => &mut self.sinkhole_names,
        };
        names.insert(name.value().to_owned(), Arc::clone(source));
        Ok(())
    }

    /// Says who calls a name one of a dynamic DNS service: a name below such a zone, not the zone itself.
    ///
    /// The name has to be canonical.
    #[must_use]
    pub fn dynamic_dns(&self, name: &str) -> Option<&str> {
        let above = name.split_once('.')?.1;
        if let Some(source) = find(&self.dynamic, above) {
            return Some(source);
        }
        let suffix = psl::suffix(name.as_bytes())?;
        let below = suffix.as_bytes().len() < name.len();
        (below && suffix.typ() == Some(psl::Type::Private)).then_some(SUFFIX_LIST)
    }

    /// Says who calls a canonical address or name server a sinkhole.
    #[must_use]
    pub fn sinkhole(&self, value: &str) -> Option<&str> {
        match value.parse::<IpAddr>() {
            Ok(address) => self
                .sinkhole_networks
                .iter()
                .find(|(network, _)| network.contains(&address))
                .map(|(_, source)| source.as_ref()),
            Err(_) => find(&self.sinkhole_names, value),
        }
    }
}

/// Finds a name or what it stands below.
fn find<'a>(names: &'a HashMap<String, Arc<str>>, name: &str) -> Option<&'a str> {
    let mut rest = name;
    loop {
        if let Some(source) = names.get(rest) {
            return Some(source);
        }
        rest = rest.split_once('.')?.1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dynamic_names_stand_below_a_zone_and_say_who_says_so() {
        let mut lists = Lists::built_in();
        assert_eq!(lists.dynamic_dns("evil.no-ip.org"), Some(BUILT_IN));
        assert_eq!(lists.dynamic_dns("a.b.no-ip.org"), Some(BUILT_IN));
        assert_eq!(
            lists.dynamic_dns("no-ip.org"),
            None,
            "the zone itself is its provider's"
        );
        assert_eq!(lists.dynamic_dns("someone.github.io"), Some(SUFFIX_LIST));
        assert_eq!(lists.dynamic_dns("www.example.com"), None);
        let text = "# ours\n.Dyn.Example  # all of it\n\n*.home.example\n";
        assert_eq!(lists.add(ListKind::DynamicDns, text, "soc.txt"), Ok(2));
        assert_eq!(lists.dynamic_dns("x.dyn.example"), Some("soc.txt"));
        assert_eq!(lists.dynamic_dns("x.home.example"), Some("soc.txt"));
        assert_eq!(lists.dynamic_dns("dyn.example"), None);
    }

    #[test]
    fn sinkholes_are_addresses_networks_and_name_servers() {
        let mut lists = Lists::built_in();
        assert_eq!(lists.sinkhole("192.0.2.1"), None);
        let json = r#"{"name": "Known sinkholes", "type": "cidr", "version": 7,
            "list": ["192.0.2.0/28", "2001:db8::5", "ns.sinkhole.example"]}"#;
        assert_eq!(lists.add(ListKind::Sinkholes, json, "file.json"), Ok(3));
        for value in [
            "192.0.2.1",
            "2001:db8::5",
            "ns.sinkhole.example",
            "a.ns.sinkhole.example",
        ] {
            assert_eq!(lists.sinkhole(value), Some("Known sinkholes"), "{value}");
        }
        assert_eq!(lists.sinkhole("192.0.2.16"), None);
        assert_eq!(lists.sinkhole("sinkhole.example"), None);
    }

    #[test]
    fn a_broken_list_names_the_line() {
        let mut lists = Lists::default();
        let (line, reason) = lists
            .add(ListKind::DynamicDns, "fine.example\nnot a name\n", "x")
            .unwrap_err();
        assert_eq!(line, 2);
        assert!(reason.contains("expected a domain"), "{reason}");
        let (line, _) = lists
            .add(ListKind::Sinkholes, "{\n \"list\": [1]}", "x")
            .unwrap_err();
        assert_eq!(line, 2);
        assert!(lists.add(ListKind::DynamicDns, "192.0.2.1", "x").is_err());
    }
}
