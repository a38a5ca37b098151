//! Compares the matcher with one that reads every entry.

use std::cell::Cell;

use ipnet::IpNet;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

use super::*;

/// An entry of a list: what for, whose, and its text.
type Row = (Purpose, &'static str, String);

/// Finds the hits of a name, an address or an address for mail by looking at every entry.
fn naive(rows: &[Row], value: &str) -> Vec<Hit> {
    let (mailbox, host) = value
        .rsplit_once('@')
        .map_or((None, value), |(_, host)| (Some(value), host));
    let within = |name: &str, entry: &str| name == entry || name.ends_with(&format!(".{entry}"));
    let customers = psl::suffix(host.as_bytes()).filter(|suffix| {
        host.parse::<IpAddr>().is_err()
            && suffix.typ() == Some(psl::Type::Private)
            && suffix.as_bytes() != host.as_bytes()
    });
    // The nearest entry says as what customers have names there.
    let zones = rows.iter().filter_map(|(purpose, _, entry)| {
        let rank = match purpose {
            Purpose::DynamicDns if host != entry => 2,
            Purpose::Registry if host != entry => 1,
            Purpose::SharedHosting => 0,
            _ => return None,
        };
        within(host, entry).then_some((entry.len(), rank))
    });
    let zone = zones.max();
    let hosting = zone.is_none_or(|(_, rank)| rank == 0);
    let mut hits: Vec<Hit> = rows
        .iter()
        .filter(|(purpose, _, entry)| match host.parse::<IpAddr>() {
            Ok(address) => entry
                .parse::<IpNet>()
                .is_ok_and(|network| network.contains(&address)),
            Err(_) if mailbox == Some(entry) => true,
            Err(_) if !within(host, entry) => false,
            Err(_) => match purpose {
                Purpose::DynamicDns => host != entry,
                Purpose::Registry => false,
                Purpose::FreeMail => host == entry,
                // An entry that a registration stands below speaks for no registration.
                Purpose::Popular if host != entry => {
                    customers.is_none()
                        && zone.is_none()
                        && psl::domain_str(host).is_some_and(|domain| within(entry, domain))
                }
                _ => true,
            },
        })
        .map(|(purpose, list, entry)| Hit {
            purpose: *purpose,
            list: (*list).into(),
            entry: match entry.strip_suffix("/32") {
                Some(address) if address.contains('.') => address.to_owned(),
                _ => entry.clone(),
            },
        })
        .collect();
    hits.extend(customers.filter(|_| hosting).map(|suffix| Hit {
        purpose: Purpose::SharedHosting,
        list: SUFFIX_LIST.into(),
        entry: String::from_utf8_lossy(suffix.as_bytes()).into_owned(),
    }));
    let of_mailboxes = [
        Purpose::Own,
        Purpose::Trusted,
        Purpose::Reserved,
        Purpose::FreeMail,
        Purpose::Disposable,
    ];
    hits.retain(|hit| mailbox.is_none() || of_mailboxes.contains(&hit.purpose));
    hits.sort();
    hits.dedup();
    hits
}

/// Makes names of few labels, so that many of them stand below each other and below suffixes of every sort.
fn name() -> impl Strategy<Value = String> {
    let suffix = select(vec![
        "com",
        "co.uk",
        "github.io",
        "example",
        "a.example",
        "x.com",
        "s3.amazonaws.com",
    ]);
    (
        prop::collection::vec(select(vec!["a", "b", "x", "-x", "www"]), 0..4),
        suffix,
    )
        .prop_map(|(labels, suffix)| {
            let labels: Vec<_> = labels.into_iter().chain([suffix]).collect();
            labels.join(".")
        })
        .prop_filter("a fully qualified name", |name| name.contains('.'))
}

/// Makes networks around few addresses.
fn network() -> impl Strategy<Value = String> {
    let v4 = (0u32..64, 1u8..=32).prop_map(|(low, length)| {
        let address = IpAddr::V4((0xc000_0200 | low).into());
        IpNet::new(address, length).unwrap().trunc().to_string()
    });
    let v6 = (0u128..64, 1u8..128).prop_map(|(low, length)| {
        let address = IpAddr::V6(((0x2001_0db8_u128 << 96) | low).into());
        IpNet::new(address, length).unwrap().trunc().to_string()
    });
    prop_oneof![v4, v6]
}

fn row() -> impl Strategy<Value = Row> {
    let purpose = || select(Purpose::ALL.to_vec());
    let list = select(vec!["a.txt", "b.txt"]);
    let mailbox = || name().prop_map(|name| format!("jo@{name}"));
    let text = purpose().prop_flat_map(move |purpose| {
        let text = match purpose {
            Purpose::EmptyFile => Just("0".repeat(32)).boxed(),
            Purpose::Own | Purpose::Trusted => prop_oneof![name(), network(), mailbox()].boxed(),
            Purpose::Popular
            | Purpose::FreeMail
            | Purpose::Disposable
            | Purpose::DynamicDns
            | Purpose::Registry
            | Purpose::Shortener
            | Purpose::SafeLink => name().boxed(),
            _ => prop_oneof![name(), network()].boxed(),
        };
        (Just(purpose), text)
    });
    (text, list).prop_map(|((purpose, text), list)| (purpose, list, text))
}

fn value() -> impl Strategy<Value = String> {
    let v4 = (0u32..64).prop_map(|low| IpAddr::V4((0xc000_0200 | low).into()).to_string());
    let v6 = (0u128..64).prop_map(|low| IpAddr::V6(((0x2001_0db8_u128 << 96) | low).into()).to_string());
    prop_oneof![3 => name(), 1 => name().prop_map(|name| format!("jo@{name}")), 1 => v4, 1 => v6]
}

fn build<'a>(rows: impl Iterator<Item = &'a Row>) -> Lists {
    let mut lists = Lists::default();
    for (purpose, list, text) in rows {
        lists.add(*purpose, text, list).unwrap();
    }
    lists
}

#[test]
fn the_index_finds_what_reading_every_entry_finds_in_any_order() {
    let found = Cell::new(0);
    let inputs = (
        prop::collection::vec(row(), 0..60),
        prop::collection::vec(value(), 1..20),
    );
    TestRunner::default()
        .run(&inputs, |(rows, values)| {
            let (lists, turned) = (build(rows.iter()), build(rows.iter().rev()));
            for value in &values {
                let expected = naive(&rows, value);
                let asked = indicator(value);
                prop_assert_eq!(&lists.hits(&asked), &expected, "{}", value);
                prop_assert_eq!(&turned.hits(&asked), &expected, "{}, turned around", value);
                if asked.kind() != IndicatorKind::Email {
                    let host = match asked.kind() {
                        IndicatorKind::Ipv6 => format!("[{value}]"),
                        _ => value.clone(),
                    };
                    let url = Indicator::parse(IndicatorKind::Url, &format!("https://{host}/x")).unwrap();
                    prop_assert_eq!(&lists.hits(&url), &expected, "{}", url);
                    let zone = lists.zone(value).filter(|_| asked.ip().is_none());
                    let hosting = zone.filter(|zone| zone.kind == ZoneKind::Hosting);
                    let of_a_name = zone.is_none() || hosting.is_some();
                    let content = of_a_name.then(|| (Purpose::SharedHosting, hosting.map(|zone| zone.list)));
                    let content = content.filter(|_| asked.ip().is_none());
                    let sinkhole = (Purpose::Sinkhole, lists.sinkhole(value));
                    for (purpose, said) in content.into_iter().chain([sinkhole]) {
                        let names: Vec<_> = expected.iter().filter(|hit| hit.purpose == purpose).collect();
                        prop_assert_eq!(said.is_some(), !names.is_empty());
                        prop_assert!(said.is_none_or(|said| names.iter().any(|hit| &*hit.list == said)));
                    }
                }
                prop_assert_eq!(lists.dynamic_dns(value), turned.dynamic_dns(value));
                prop_assert_eq!(lists.sinkhole(value), turned.sinkhole(value));
                found.set(found.get() + expected.len());
            }
            Ok(())
        })
        .unwrap();
    assert!(found.get() > 1000, "only {} hits were compared", found.get());
}
