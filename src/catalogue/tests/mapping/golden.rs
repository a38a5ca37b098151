use super::{answer, at, day, mapped, property, rules_of, values, written};
use crate::domain::{Capability, Record};
use crate::maltego::response::{Bookmark, OverlayKind, OverlayPosition};
use crate::mapping::{MappedInput, Selection, SourceAnswer, map};

fn contact(role: &str, email: &str) -> Record {
    Record::new().with("role", role).with("email", email)
}

fn period(first: i16, last: i16, contacts: Vec<Record>) -> Record {
    Record::new()
        .with("domain", "example.com")
        .with("first_seen", day(first))
        .with("last_seen", day(last))
        .with("registrar", "Example Registrar")
        .with("contacts", contacts)
}

#[test]
fn equal_addresses_of_several_periods_fold_into_one() {
    let rules = "[[transform.entity]]\neach = \"contacts\"\nvalue = \"email\"\nlink = \"{first_seen}[ to {last_seen}]\"\nfields = { role = \"Role\" }";
    let records = vec![
        period(
            2012,
            2013,
            vec![
                contact("registrant", "one@example.org"),
                contact("admin", "two@example.org"),
            ],
        ),
        period(
            2009,
            2010,
            vec![
                contact("admin", "one@example.org"),
                contact("tech", "one@example.org"),
            ],
        ),
    ];
    let entities = mapped("whois-history", rules, records);
    assert_eq!(values(&entities), ["one@example.org", "two@example.org"]);
    assert_eq!(
        written(&entities[0]),
        "maltego.EmailAddress one@example.org\n  email = one@example.org strict\n  \
         domaintools.role = registrant, admin, tech\n  domaintools.first_seen = 2009-05-20\n  \
         domaintools.last_seen = 2013-05-20\n  domaintools.source = domaintools hosting-history\n  \
         domaintools.retrieved_at = 2026-03-01T10:11:12Z\n  link: 2009-05-20 to 2013-05-20\n  \
         link domaintools.first_seen = 2009-05-20\n  link domaintools.last_seen = 2013-05-20\n"
    );
}

#[test]
fn names_that_differ_in_case_alone_are_one() {
    let rules = "[[transform.entity]]\neach = \"contacts\"\nvalue = \"name\"\n\
                 [[transform.entity]]\neach = \"contacts\"\nvalue = \"organization\"";
    let contact = |name: &str, organization: &str| {
        Record::new()
            .with("name", name)
            .with("organization", organization)
    };
    let entities = mapped(
        "whois-history",
        rules,
        vec![period(
            2012,
            2013,
            vec![
                contact("JANE DOE", "Acme, Inc."),
                contact("Jane Doe", "ACME, INC."),
                contact("jane doe", "Acme Two, Inc."),
            ],
        )],
    );
    assert_eq!(values(&entities), ["Jane Doe", "Acme, Inc.", "Acme Two, Inc."]);
}

#[test]
fn an_item_inherits_nothing_that_its_type_declares() {
    let rule = |value: &str, fields: &str| {
        format!("[[transform.entity]]\neach = \"contacts\"\nvalue = \"{value}\"\nfields = {{ {fields} }}\n")
    };
    let rules = rule(
        "name",
        "organization = \"Organization\", country = \"Country\", server = \"Server\"",
    ) + &rule("organization", "role = \"Role\", country = \"Country\"");
    let jane = Record::new().with("role", "tech").with("name", "Jane Doe");
    let acme = Record::new()
        .with("role", "registrant")
        .with("organization", "Acme Hosting");
    let network = Record::new()
        .with("ip", "192.0.2.1")
        .with("organization", "Acme Hosting")
        .with("country", "NL")
        .with("server", "whois.example.net")
        .with("contacts", vec![jane, acme]);
    let entities = mapped("whois", &rules, vec![network]);
    assert_eq!(values(&entities), ["Jane Doe", "Acme Hosting"]);
    let of = |at: usize, name: &str| property(&entities[at], &format!("domaintools.{name}"));
    assert_eq!(
        (of(0, "organization"), of(0, "country"), of(0, "server")),
        (None, None, Some("whois.example.net"))
    );
    assert_eq!((of(1, "role"), of(1, "country")), (Some("registrant"), None));
}

#[test]
fn what_still_holds_has_no_last_day() {
    let rules = "[[transform.entity]]\nvalue = \"ip\"\nlink = \"{first_seen}[ to {last_seen}]\"";
    let record = |first, record: Record| record.with("ip", "192.0.2.7").with("first_seen", day(first));
    let records = vec![
        record(2015, Record::new().with("current", true)),
        record(2012, Record::new().with("last_seen", day(2013))),
    ];
    let entities = mapped("ip-history", rules, records);
    assert_eq!(
        property(&entities[0], "domaintools.first_seen"),
        Some("2012-05-20")
    );
    assert_eq!(property(&entities[0], "domaintools.last_seen"), None);
    assert!(written(&entities[0]).contains("link: 2012-05-20\n"));
}

#[test]
fn the_kind_of_the_value_decides_the_type() {
    let rule = |field: &str| format!("[[transform.entity]]\nvalue = \"{field}\"\n");
    let hash = "ab".repeat(32);
    type Case<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, &'a str)]);
    let cases: &[Case<'_>] = &[
        (
            "ip",
            "192.0.2.1",
            "maltego.IPv4Address",
            &[("ipv4-address", "192.0.2.1")],
        ),
        (
            "ip",
            "2001:db8::1",
            "maltego.IPv6Address",
            &[("ipv6-address", "2001:db8::1")],
        ),
        (
            "host",
            "example.co.uk",
            "maltego.Domain",
            &[("fqdn", "example.co.uk")],
        ),
        (
            "host",
            "www.example.co.uk",
            "maltego.DNSName",
            &[("fqdn", "www.example.co.uk")],
        ),
        (
            "host",
            "xn--bcher-kva.example",
            "maltego.Domain",
            &[("pivotd.unicode", "bücher.example")],
        ),
        (
            "email",
            "jane@example.org",
            "maltego.EmailAddress",
            &[("email", "jane@example.org")],
        ),
        (
            "person",
            "Jane Doe",
            "maltego.Person",
            &[
                ("person.fullname", "Jane Doe"),
                ("person.firstnames", "Jane"),
                ("person.lastname", "Doe"),
            ],
        ),
        (
            "organization",
            "Example Ltd",
            "maltego.Organization",
            &[("title", "Example Ltd")],
        ),
        (
            "phone",
            "+1 555 0100",
            "maltego.PhoneNumber",
            &[("phonenumber", "+15550100")],
        ),
        (
            "certificate",
            &hash,
            "maltego.SSLCertificateHash",
            &[("properties.hash", &hash), ("hash_type", "SHA-256")],
        ),
        ("asn", "64500", "maltego.AS", &[("as.number", "64500")]),
    ];
    for (field, value, type_id, expected) in cases {
        let mut record = Record::new();
        let name = crate::domain::Capability::Pivots
            .schema()
            .field(field)
            .unwrap()
            .name;
        record.set(name, *value);
        let entities = mapped("pivots", &rule(field), vec![record]);
        assert_eq!(entities[0].type_id, *type_id, "{value}");
        for (name, wanted) in *expected {
            assert_eq!(property(&entities[0], name), Some(*wanted), "{value} {name}");
        }
    }
    let three = Record::new().with("person", "Jane van Doe");
    let entities = mapped("pivots", &rule("person"), vec![three]);
    assert_eq!(
        property(&entities[0], "person.lastname"),
        None,
        "not plainly two words"
    );
}

#[test]
fn an_explicit_type_wins_except_for_the_other_kind_of_address() {
    let rules = "[[transform.entity]]\ntype = \"maltego.IPv4Address\"\nvalue = \"ip\"\n[[transform.entity]]\ntype = \"maltego.MXRecord\"\nvalue = \"mailserver\"";
    let records = vec![
        Record::new()
            .with("ip", "2001:db8::1")
            .with("mailserver", "mx.example.net"),
    ];
    let entities = mapped("pivots", rules, records);
    let types: Vec<_> = entities.iter().map(|entity| entity.type_id.as_str()).collect();
    assert_eq!(types, ["maltego.IPv6Address", "maltego.MXRecord"]);
}

#[test]
fn conditions_choose_records() {
    let rules =
        |when: &str| format!("[[transform.entity]]\neach = \"contacts\"\nvalue = \"email\"\nwhen = {when}");
    let records = || {
        vec![
            period(
                2012,
                2013,
                vec![
                    contact("registrant", "r@example.org"),
                    contact("admin", "a@example.org"),
                ],
            )
            .with("private", false),
            period(2013, 2014, vec![Record::new().with("email", "n@example.org")]).with("private", true),
        ]
    };
    let chosen = |when: &str| {
        let mut found: Vec<String> = mapped("whois-history", &rules(when), records())
            .into_iter()
            .map(|entity| entity.value.into())
            .collect();
        found.sort();
        found.join(" ")
    };
    assert_eq!(chosen("{ role = \"Registrant\" }"), "r@example.org");
    assert_eq!(
        chosen("{ role = [\"admin\", \"registrant\"] }"),
        "a@example.org r@example.org"
    );
    assert_eq!(chosen("{ role = false }"), "n@example.org");
    assert_eq!(chosen("{ private = true }"), "n@example.org");
    assert_eq!(chosen("{ private = false }"), "a@example.org r@example.org");
    assert_eq!(chosen("{ role = true, private = true }"), "");
}

#[test]
fn a_record_without_the_value_gives_nothing() {
    let rules = "[[transform.entity]]\ntype = \"maltego.WHOISRecord\"\nvalue = \"{domain} {first_seen}[ to {last_seen}]\"";
    let records = vec![
        Record::new()
            .with("domain", "example.com")
            .with("first_seen", day(2012)),
        period(2013, 2014, Vec::new()),
        Record::new().with("domain", "example.com"),
    ];
    let entities = mapped("whois-history", rules, records);
    assert_eq!(
        values(&entities),
        ["example.com 2013-05-20 to 2014-05-20", "example.com 2012-05-20"]
    );
    let blank = "[[transform.entity]]\nvalue = \"registrar\"";
    assert!(
        mapped(
            "whois-history",
            blank,
            vec![Record::new().with("registrar", "  ")]
        )
        .is_empty()
    );
}

#[test]
fn strict_fields_keep_entities_apart() {
    let rules = "[[transform.entity]]\nvalue = \"registrar\"\nfields = { server = { property = \"my.server\", strict = true } }";
    let record = |server: &str| Record::new().with("registrar", "R").with("server", server);
    let entities = mapped(
        "whois-history",
        rules,
        vec![record("a"), record("b"), record("a")],
    );
    assert_eq!(entities.len(), 2);
    let strict: Vec<_> = entities[1]
        .properties
        .iter()
        .filter(|one| one.strict)
        .map(|one| (one.name.as_str(), one.value.as_str()))
        .collect();
    assert_eq!(strict, [("title", "R"), ("my.server", "b")]);
}

#[test]
fn scales_and_marks_show_on_the_icon() {
    let rules = "[[transform.entity]]\nvalue = \"domain\"\ntype = \"maltego.DNSName\"\nband = { by = \"risk\", scale = \"risk\" }\n\
                 mark = [{ when = { active = true }, overlay = \"Active\" }, { when = { registrar = \"Bad\" }, overlay = \"Bad\", bookmark = \"purple\" }]";
    let record = |name: &str, risk: i64| Record::new().with("domain", name).with("risk", risk);
    let records = vec![
        record("a.example", 71).with("active", true),
        record("b.example", 5),
        record("c.example", 90).with("registrar", "bad"),
        record("d.example", -1),
    ];
    let entities = mapped("reverse-whois", rules, records);
    let marks: Vec<_> = entities
        .iter()
        .map(|one| {
            (
                one.bookmark,
                one.overlays
                    .iter()
                    .map(|o| (o.property_name.as_str(), o.position, o.kind))
                    .collect::<Vec<_>>(),
            )
        })
        .collect();
    let high = ("#d32f2f", OverlayPosition::NorthWest, OverlayKind::Colour);
    let text = |what| (what, OverlayPosition::North, OverlayKind::Text);
    assert_eq!(
        marks,
        [
            (Some(Bookmark::Red), vec![text("Active"), high]),
            (Some(Bookmark::Green), vec![]),
            (Some(Bookmark::Purple), vec![text("Bad"), high]),
            (None, vec![]),
        ]
    );
}

#[test]
fn shown_fields_are_escaped_tables() {
    let rules = "[[transform.entity]]\nvalue = \"registrar\"\nfields = { server = \"Server\" }\nshow = [\"name_servers\", \"statuses\"]";
    let servers = vec![
        Record::new().with("name", "ns1.example.net"),
        Record::new().with("name", "ns2.example.net"),
    ];
    let record = Record::new()
        .with("registrar", "R")
        .with("server", "<script>")
        .with("name_servers", servers)
        .with("statuses", vec!["ok".to_owned(), "hold".to_owned()]);
    let entities = mapped("whois-history", rules, vec![record]);
    let shown = &entities[0].display_information[0];
    assert_eq!(shown.name, "Test");
    assert_eq!(
        shown.html,
        "<table><tr><td><b>Server</b></td><td>&lt;script&gt;</td></tr><tr><td><b>Name servers</b></td>\
         <td>ns1.example.net<br>ns2.example.net</td></tr><tr><td><b>Statuses</b></td><td>ok<br>hold</td></tr></table>"
    );
}

#[test]
fn two_providers_keep_their_own_dates() {
    let settings = super::settings(
        "ip-history",
        "[[transform.entity]]\nvalue = \"ip\"\nlink = \"{first_seen}[ to {last_seen}]\"",
    );
    let record = |first, last| {
        vec![
            Record::new()
                .with("ip", "192.0.2.7")
                .with("first_seen", day(first))
                .with("last_seen", day(last)),
        ]
    };
    let one = answer(Capability::IpHistory, record(2012, 2014));
    let mut two = answer(Capability::IpHistory, record(2011, 2013));
    two.source.provider = "other".to_owned();
    two.source.blind = Some("IPv6".to_owned());
    let input = MappedInput {
        type_id: "maltego.Domain",
        value: "example.com",
        properties: &[],
        instead: None,
    };
    let mapped = map(
        &[SourceAnswer::whole(&one, at()), SourceAnswer::whole(&two, at())],
        &rules_of(&settings),
        &input,
        &Selection::up_to(5),
    );
    assert_eq!(mapped.total_mapped, 1);
    let entity = &mapped.entities[0];
    assert_eq!(property(entity, "domaintools.first_seen"), Some("2012-05-20"));
    assert_eq!(property(entity, "other.first_seen"), Some("2011-05-20"));
    assert_eq!(property(entity, "domaintools.blind"), None);
    assert_eq!(property(entity, "other.blind"), Some("IPv6"));
    assert_eq!(property(entity, "pivotd.sources"), Some("2"));
    assert_eq!(
        property(entity, "pivotd.common_period"),
        Some("2012-05-20 to 2013-05-20")
    );
    let text = written(entity);
    let label = "link: 2011-05-20 to 2014-05-20 (2 sources agree on 2012-05-20 to 2013-05-20)\n";
    assert!(text.contains(label), "{text}");
    let shown = entity
        .overlays
        .iter()
        .any(|overlay| overlay.property_name == "pivotd.sources");
    assert!(shown, "{:?}", entity.overlays);
    // Providers that resell one collection are one source.
    let resold = [
        SourceAnswer::whole(&one, at()),
        SourceAnswer {
            family: "domaintools",
            ..SourceAnswer::whole(&two, at())
        },
    ];
    let mapped = map(&resold, &rules_of(&settings), &input, &Selection::up_to(5));
    let entity = &mapped.entities[0];
    assert_eq!(property(entity, "other.first_seen"), Some("2011-05-20"));
    assert_eq!(property(entity, "pivotd.sources"), None);
    assert!(written(entity).contains("link: 2011-05-20 to 2014-05-20\n"));
}

#[test]
fn many_differing_texts_are_bounded() {
    let rules = "[[transform.entity]]\nvalue = \"registrar\"\nfields = { server = \"Server\" }";
    let record = |at: usize| {
        Record::new()
            .with("registrar", "R")
            .with("server", format!("server-{at}"))
    };
    let entities = mapped("whois-history", rules, (0..100).map(record).collect());
    let servers = property(&entities[0], "domaintools.server").unwrap();
    assert!(
        servers.starts_with("server-0, server-1, ") && servers.ends_with("server-29, …"),
        "{servers}"
    );
}
