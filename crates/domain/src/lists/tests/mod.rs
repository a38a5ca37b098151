mod files;
mod naive;
mod zones;

use super::*;

/// Reads an indicator as an alert would name it.
fn indicator(value: &str) -> Indicator {
    Indicator::guess(value).unwrap()
}

/// Writes hits as `purpose entry`.
fn shown(lists: &Lists, value: &str) -> Vec<String> {
    let hits = lists.hits(&indicator(value));
    hits.iter()
        .map(|hit| format!("{} {}", hit.purpose.name(), hit.entry))
        .collect()
}

/// Holds entries on lists that are called "x".
fn lists(entries: &[(Purpose, &str)]) -> Lists {
    let mut lists = Lists::default();
    for (purpose, entry) in entries {
        lists.add_entry(*purpose, entry, "x").unwrap();
    }
    lists
}

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
    assert_eq!(lists.dynamic_dns("someone.github.io"), None);
    assert_eq!(lists.hosting("someone.github.io"), Some(SUFFIX_LIST));
    assert_eq!(lists.dynamic_dns("www.example.com"), None);
    let text = "# ours\n.Dyn.Example  # all of it\n\n*.home.example\n";
    assert_eq!(
        lists.add(Purpose::DynamicDns, text, "soc.txt").unwrap().entries,
        2
    );
    assert_eq!(lists.dynamic_dns("x.dyn.example"), Some("soc.txt"));
    assert_eq!(lists.dynamic_dns("x.home.example"), Some("soc.txt"));
    assert_eq!(lists.dynamic_dns("dyn.example"), None);
    assert!(shown(&lists, "dyn.example").is_empty());
    assert_eq!(shown(&lists, "x.dyn.example"), ["dynamic-dns dyn.example"]);
}

#[test]
fn sinkholes_are_addresses_networks_and_name_servers() {
    let mut lists = Lists::built_in();
    assert_eq!(lists.sinkhole("192.0.2.1"), None);
    let json = r#"{"name": "Known sinkholes", "type": "cidr", "version": 7,
        "list": ["192.0.2.0/28", "2001:db8::5", "ns.sinkhole.example"]}"#;
    assert_eq!(
        lists.add(Purpose::Sinkhole, json, "file.json").unwrap().entries,
        3
    );
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
    // The narrowest network is the one that was meant; of equal ones the first name, whichever was read first.
    for name in ["z.txt", "a.txt"] {
        lists.add(Purpose::Sinkhole, "192.0.2.0/30", name).unwrap();
    }
    assert_eq!(lists.sinkhole("192.0.2.1"), Some("a.txt"));
    assert_eq!(lists.sinkhole("192.0.2.5"), Some("Known sinkholes"));
}

/// A list of popular domains once called phishing pages harmless, since they stood below the domain of their host.
#[test]
fn a_popular_domain_never_blesses_what_its_customers_put_there() {
    let lists = lists(&[
        (Purpose::Popular, "github.io"),
        (Purpose::Popular, "google.com"),
        (Purpose::Popular, "sites.google.com"),
        (Purpose::Popular, "newsroom.example"),
        (Purpose::SharedHosting, "sites.google.com"),
        (Purpose::SharedHosting, "pages.newsroom.example"),
    ]);
    // Below a suffix of the private section of the suffix list.
    let customer = ["shared-hosting github.io"];
    for value in [
        "evil.github.io",
        "www.evil.github.io",
        "https://evil.github.io/login",
    ] {
        assert_eq!(shown(&lists, value), customer, "{value}");
    }
    assert_eq!(lists.hosting("evil.github.io"), Some(SUFFIX_LIST));
    // The entry itself is its provider's.
    assert_eq!(shown(&lists, "github.io"), ["popular github.io"]);
    assert_eq!(lists.hosting("github.io"), None);
    // At or below an entry for shared hosting; a popular entry of exactly this name still says so.
    assert_eq!(
        shown(&lists, "a.pages.newsroom.example"),
        ["shared-hosting pages.newsroom.example"]
    );
    assert_eq!(
        shown(&lists, "pages.newsroom.example"),
        ["shared-hosting pages.newsroom.example"]
    );
    let both = ["popular sites.google.com", "shared-hosting sites.google.com"];
    assert_eq!(shown(&lists, "sites.google.com"), both);
    assert_eq!(lists.hosting("pages.newsroom.example"), Some("x"));
    // Everything else below is the popular domain's.
    assert_eq!(shown(&lists, "www.google.com"), ["popular google.com"]);
    assert_eq!(
        shown(&lists, "a.b.newsroom.example"),
        ["popular newsroom.example"]
    );
    assert_eq!(shown(&lists, "notgoogle.com"), Vec::<String>::new());
}

#[test]
fn a_suffix_of_a_registry_on_a_top_list_means_itself_only() {
    let lists = lists(&[(Purpose::Popular, "com"), (Purpose::Popular, "co.uk")]);
    for value in ["evil.co.uk", "evil.com", "a.b.evil.co.uk"] {
        assert!(shown(&lists, value).is_empty(), "{value}");
    }
    assert_eq!(shown(&lists, "co.uk"), ["popular co.uk"]);
}

#[test]
fn what_is_for_documentation_stands_on_no_built_in_list() {
    let lists = Lists::built_in();
    for value in [
        "192.0.2.0",
        "192.0.2.255",
        "198.51.100.7",
        "203.0.113.254",
        "2001:db8::1",
        "2001:db8:ffff::1",
        "3fff::1",
        "3fff:fff:ffff::1",
        "example.com",
        "www.example.com",
        "example.net",
        "mail.example.org",
        "phish.example",
        "a.phish.example",
        "rehearsal.test",
        "user@example.com",
        "https://login.example.net/",
        "http://203.0.113.9/",
    ] {
        assert_eq!(lists.hits(&indicator(value)), [], "{value}");
    }
}

#[test]
fn what_is_reserved_ends_where_the_internet_begins() {
    let lists = Lists::built_in();
    for (value, entry) in [
        ("0.0.0.1", "0.0.0.0/8"),
        ("10.255.255.255", "10.0.0.0/8"),
        ("100.127.0.1", "100.64.0.0/10"),
        ("127.0.0.1", "127.0.0.0/8"),
        ("169.254.169.254", "169.254.0.0/16"),
        ("172.31.255.255", "172.16.0.0/12"),
        ("192.168.1.1", "192.168.0.0/16"),
        ("198.19.0.1", "198.18.0.0/15"),
        ("239.255.255.250", "224.0.0.0/4"),
        ("255.255.255.255", "240.0.0.0/4"),
        ("::", "::"),
        ("::1", "::1"),
        ("::ffff:10.0.0.1", "10.0.0.0/8"),
        ("fd00::1", "fc00::/7"),
        ("fe80::1", "fe80::/10"),
        ("ff02::1", "ff00::/8"),
        ("http://[fd00::1]/", "fc00::/7"),
        ("http://10.1.2.3:8080/x", "10.0.0.0/8"),
        ("printer.local", "local"),
        ("root@host.localhost", "localhost"),
    ] {
        assert_eq!(shown(&lists, value), [format!("reserved {entry}")], "{value}");
    }
    for value in [
        "1.0.0.9",
        "9.255.255.255",
        "11.0.0.0",
        "100.128.0.0",
        "172.32.0.0",
        "192.0.1.1",
        "198.20.0.0",
        "223.255.255.255",
        "2a00::1",
    ] {
        assert_eq!(lists.hits(&indicator(value)), [], "{value}");
    }
}

#[test]
fn built_in_lists_are_small_and_right_and_can_be_left_out() {
    let mut seen = std::collections::BTreeSet::new();
    for purpose in Purpose::ALL {
        for entry in built_in::entries(purpose) {
            let mut lists = Lists::default();
            assert_eq!(lists.add_entry(purpose, entry, "x"), Ok(()), "{entry}");
            assert!(seen.insert((purpose, entry)), "{entry} stands twice");
            let ours = purpose == Purpose::Reserved || entry.contains(['.', ':']) || entry.len() >= 32;
            assert!(ours || purpose == Purpose::Anonymizer, "{entry}");
        }
    }
    // Most of them are zones of dynamic DNS services, without which these would count as hosting.
    assert!((900..1200).contains(&seen.len()), "{}", seen.len());
    let some = Lists::built_in_of(&[Purpose::Reserved]);
    assert_eq!(shown(&some, "10.0.0.1"), ["reserved 10.0.0.0/8"]);
    assert!(shown(&some, "8.8.8.8").is_empty());
    assert_eq!(shown(&Lists::built_in(), "8.8.8.8"), ["resolver 8.8.8.8"]);
    assert!(shown(&Lists::built_in(), "abcdefghij.onion").contains(&"anonymizer onion".to_owned()));
}

#[test]
fn files_without_a_byte_are_known_by_every_hash() {
    use sha2::Digest as _;
    let lists = Lists::built_in();
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02X}")).collect::<String>();
    let (sha256, sha512) = (sha2::Sha256::digest([]), sha2::Sha512::digest([]));
    for hash in [
        hex(&sha256),
        hex(&sha512),
        "d41d8cd98f00b204e9800998ecf8427e".to_owned(),
        "da39a3ee5e6b4b0d3255bfef95601890afd80709".to_owned(),
    ] {
        assert_eq!(
            shown(&lists, &hash),
            [format!("empty-file {}", hash.to_lowercase())]
        );
    }
    assert!(shown(&lists, &"0".repeat(32)).is_empty());
}

#[test]
fn an_address_for_mail_is_known_by_itself_and_by_what_its_domain_tells_of_mailboxes() {
    let lists = lists(&[
        (Purpose::Own, "corp.example"),
        (Purpose::Trusted, "Jo.Doe@Partner.example"),
        (Purpose::FreeMail, "@mail.example"),
        (Purpose::Disposable, "bin.example"),
        (Purpose::Popular, "mail.example"),
    ]);
    assert_eq!(shown(&lists, "a@sub.corp.example"), ["own corp.example"]);
    let known = ["trusted jo.doe@partner.example"];
    assert_eq!(shown(&lists, "jo.doe@partner.example"), known);
    assert_eq!(shown(&lists, "JO.DOE@partner.example"), known);
    assert!(shown(&lists, "else@partner.example").is_empty());
    assert!(shown(&lists, "partner.example").is_empty());
    assert_eq!(shown(&lists, "a@mail.example"), ["free-mail mail.example"]);
    // Mailboxes are at the domain itself, and hosts below it are no mailboxes.
    assert_eq!(
        shown(&lists, "mail.example"),
        ["popular mail.example", "free-mail mail.example"]
    );
    assert_eq!(shown(&lists, "www.mail.example"), ["popular mail.example"]);
    assert!(shown(&lists, "a@x.mail.example").is_empty());
    assert_eq!(shown(&lists, "a@x.bin.example"), ["disposable bin.example"]);
}

#[test]
fn own_networks_and_files_are_known_and_other_kinds_stand_on_no_list() {
    let file = "0123456789abcdef0123456789ABCDEF";
    let lists = lists(&[
        (Purpose::Own, "198.51.100.0/24"),
        (Purpose::Own, "::ffff:203.0.113.0/120"),
        (Purpose::Own, "2001:db8:1::/48"),
        (Purpose::Trusted, file),
    ]);
    assert_eq!(shown(&lists, "198.51.100.77"), ["own 198.51.100.0/24"]);
    assert_eq!(shown(&lists, "203.0.113.9"), ["own 203.0.113.0/24"]);
    assert_eq!(shown(&lists, "http://[2001:db8:1::1]/"), ["own 2001:db8:1::/48"]);
    assert_eq!(shown(&lists, file), [format!("trusted {}", file.to_lowercase())]);
    assert!(shown(&lists, "198.51.100.0/25").is_empty());
    assert!(shown(&lists, "AS64500").is_empty());
}

#[test]
fn every_purpose_has_a_name_and_a_key_of_its_own() {
    let names: std::collections::BTreeSet<_> = Purpose::ALL.map(Purpose::name).into();
    let keys: std::collections::BTreeSet<_> = Purpose::ALL.map(Purpose::key).into();
    assert_eq!(
        (names.len(), keys.len()),
        (Purpose::ALL.len(), Purpose::ALL.len())
    );
    for purpose in Purpose::ALL {
        let snake = purpose.name().replace('-', "_");
        assert!(purpose.key() == snake || purpose == Purpose::Sinkhole);
    }
    assert!(Purpose::ALL.is_sorted(), "hits come in this order");
    assert_eq!(Purpose::DynamicDns.class(), ListClass::Context);
    assert_eq!(ListClass::Soft.name(), "soft");
}
