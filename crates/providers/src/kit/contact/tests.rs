//! Makes records of contacts, and walks what every provider tells of them.

use super::*;
use crate::testing;

fn contact(parts: &[(Part, &str)]) -> Contact {
    let mut contact = Contact::of("tech");
    for (part, value) in parts {
        contact.add(*part, value);
    }
    contact
}

fn withheld<'a>(contacts: impl IntoIterator<Item = &'a Contact>) -> Vec<String> {
    untold(contacts).withheld
}

fn plain(contact: &Contact) -> Vec<serde_json::Value> {
    contact.records().iter().map(testing::plain).collect()
}

#[test]
fn every_role_mailbox_and_number_is_kept() {
    let mut one = contact(&[
        (Part::Name, "Kranz, Anton"),
        (Part::Email, "a@example.com, b@example.com"),
        (Part::Email, "c@example.com"),
        (Part::Phone, "+1 555 0100"),
        (Part::Phone, "+1 555 0101"),
    ]);
    one.add_role("admin");
    one.add_role("abuse");
    let records = one.records();
    for role in ["tech", "admin", "abuse"] {
        let of = |field: &str| -> Vec<String> {
            records
                .iter()
                .filter(|record| record.text("role").as_deref() == Some(role))
                .filter_map(|record| Some(record.text(field)?.into_owned()))
                .collect()
        };
        assert_eq!(of("email"), ["a@example.com", "b@example.com", "c@example.com"]);
        assert_eq!(of("phone"), ["+1 555 0100", "+1 555 0101"]);
        assert_eq!(of("name"), ["Anton Kranz"; 3]);
    }
    assert_eq!(records.len(), 9);
}

#[test]
fn a_desk_is_reached_and_is_nobody() {
    for desk in [
        "Abuse",
        "NOC",
        "Routing and Peering",
        "Network Operations",
        "IP Admin",
    ] {
        for part in [Part::Name, Part::Organization, Part::Group, Part::Unlabelled] {
            let reached = contact(&[(part, desk), (Part::Phone, "+1 555 0100")]);
            assert_eq!(
                plain(&reached),
                [serde_json::json!({"role": "tech", "phone": "+1 555 0100"})],
                "{desk}"
            );
            assert!(contact(&[(part, desk)]).records().is_empty(), "{desk}");
        }
    }
    let somebodys = contact(&[(Part::Name, "Parkside Abuse Desk")]);
    assert_eq!(
        plain(&somebodys),
        [serde_json::json!({"role": "tech", "organization": "Parkside Abuse Desk"})]
    );
}

#[test]
fn one_name_in_two_places_is_one() {
    let twice = contact(&[
        (Part::Name, "EXAMPLE NETWORKS"),
        (Part::Organization, "Example Networks"),
    ]);
    assert_eq!(
        plain(&twice),
        [serde_json::json!({"role": "tech", "organization": "Example Networks"})]
    );
    let company = contact(&[
        (Part::Name, "Example GmbH"),
        (Part::Organization, "Example Holding AG"),
    ]);
    let names: Vec<_> = company
        .records()
        .iter()
        .filter_map(|one| Some(one.text("organization")?.into_owned()))
        .collect();
    assert_eq!(names, ["Example Holding AG", "Example GmbH"]);
    assert!(
        company
            .records()
            .iter()
            .all(|record| record.get("name").is_none())
    );
}

#[test]
fn what_a_service_hides_gives_nothing() {
    for hidden in [
        contact(&[
            (Part::Name, "REDACTED FOR PRIVACY"),
            (Part::Phone, "+1 555 0100"),
            (Part::Street, "1 Main St"),
        ]),
        contact(&[
            (Part::Email, "x@domainsbyproxy.com"),
            (Part::Phone, "+1 555 0100"),
        ]),
        contact(&[(Part::Street, "1 Main St"), (Part::Country, "us")]),
    ] {
        assert!(hidden.records().is_empty(), "{hidden:?}");
    }
}

#[test]
fn roles_are_withheld_where_a_redaction_leaves_nothing() {
    let hidden = contact(&[
        (Part::Name, "REDACTED FOR PRIVACY"),
        (Part::Phone, "REDACTED FOR PRIVACY"),
    ]);
    let partly = contact(&[
        (Part::Name, "REDACTED FOR PRIVACY"),
        (Part::Organization, "Example GmbH"),
    ]);
    let echo = contact(&[(Part::Name, "Registrant Name"), (Part::Phone, "Phone")]);
    let bare = contact(&[(Part::Country, "us")]);
    assert_eq!(withheld([&hidden, &hidden]), ["tech"]);
    assert_eq!(withheld([&echo]), ["tech"]);
    assert!(withheld([&partly, &bare]).is_empty());
}

#[test]
fn beside_a_proxy_only_a_mailbox_is_told() {
    let proxied = |email: &str| {
        contact(&[
            (Part::Name, "Domain Privacy Service FBO Registrant"),
            (Part::Organization, "The Endurance International Group, Inc."),
            (Part::Email, email),
            (Part::Phone, "+1 555 0100"),
            (Part::Street, "1 Main St"),
        ])
    };
    let hidden = proxied("abc@identity-protect.org");
    assert!(hidden.records().is_empty());
    assert_eq!(withheld([&hidden]), ["tech"]);
    assert_eq!(
        plain(&proxied("jane@example.org")),
        [serde_json::json!({"role": "tech", "email": "jane@example.org"})]
    );
}

#[test]
fn a_persons_name_in_two_places_is_a_persons() {
    for (name, organization, told) in [
        ("Jane Doe", "Jane Doe", "Jane Doe"),
        ("JANE DOE", "Doe, Jane", "Jane Doe"),
        ("Jane Doe", "DOE JANE", "Jane Doe"),
        ("zhang san", "zhang san", "zhang san"),
        ("张三", "张三", "张三"),
        ("Jane Doe", "Individual", "Jane Doe"),
        ("Jane Doe", "Home", "Jane Doe"),
    ] {
        let twice = contact(&[(Part::Name, name), (Part::Organization, organization)]);
        assert_eq!(
            plain(&twice),
            [serde_json::json!({"role": "tech", "name": told})],
            "{name} / {organization}"
        );
    }
    for (name, part, organization) in [
        ("Jane Doe", Part::Group, "Jane Doe"),
        ("Google", Part::Organization, "Google"),
        ("acme", Part::Organization, "acme"),
        ("Example Bank", Part::Organization, "Example Bank"),
    ] {
        let twice = contact(&[(Part::Name, name), (part, organization)]);
        assert_eq!(
            plain(&twice),
            [serde_json::json!({"role": "tech", "organization": organization})],
            "{name}"
        );
    }
}

#[test]
fn a_damaged_name_is_told_as_it_came_and_is_not_withheld() {
    let told = contact(&[
        (Part::Name, "REDACTED FOR PRIVACY"),
        (Part::Organization, "M\u{fffd}ller GmbH"),
    ]);
    assert_eq!(
        plain(&told),
        [serde_json::json!({"role": "tech", "organization": "M\u{fffd}ller GmbH"})]
    );
    assert!(withheld([&told]).is_empty());
    let lost = contact(&[
        (Part::Name, "REDACTED FOR PRIVACY"),
        (Part::Organization, "?????? ???"),
    ]);
    assert!(lost.records().is_empty() && withheld([&lost]).is_empty());
}

#[test]
fn a_name_that_is_not_read_is_said() {
    for name in ["Jane_Doe", "Smith; Jones", "roe1975", "Jane [Doe]"] {
        let lost = contact(&[(Part::Name, name), (Part::Street, "1 Main St")]);
        assert!(lost.records().is_empty(), "{name}");
        assert_eq!(untold([&lost]).unread, [name]);
    }
    for (part, name) in [
        (Part::Name, "REDACTED FOR PRIVACY"),
        (Part::Name, "Abuse"),
        (Part::Name, "HB1-NICAT"),
        (Part::Organization, "REG-EXAMPLE"),
        (Part::Name, "Not shown, please visit www.registry.example"),
        (Part::Name, "12345"),
        (Part::Name, "Jane Doe"),
        (Part::Organization, "Example Ltd"),
    ] {
        let quiet = contact(&[(part, name)]);
        assert_eq!(untold([&quiet]).unread, Vec::<String>::new(), "{name}");
    }
    let long = "ab[".repeat(300);
    let said = untold([&contact(&[(Part::Name, &long)])]).unread;
    assert!(said.iter().all(|name| name.chars().count() <= 100) && said.len() == 1);
}

#[test]
fn two_persons_of_one_name_are_both_told() {
    let both = contact(&[(Part::Name, "Jane Doe/Roe, John")]);
    assert_eq!(
        plain(&both),
        [
            serde_json::json!({"role": "tech", "name": "Jane Doe"}),
            serde_json::json!({"role": "tech", "name": "John Roe"})
        ]
    );
}

#[test]
fn beside_a_services_mailbox_only_the_name_is_told() {
    let of = |email: &str| {
        contact(&[
            (Part::Name, "Bright, Nora"),
            (Part::Email, email),
            (Part::Phone, "+1 555 0100"),
            (Part::Fax, "+1 555 0101"),
            (Part::Street, "care of Proxy Example"),
            (Part::Street, "PO Box 1"),
            (Part::City, "Springfield"),
            (Part::Country, "us"),
        ])
    };
    let name = serde_json::json!({"role": "tech", "name": "Nora Bright"});
    for service in ["ab1@domainsbyproxy.com", "ab1@privateregistration.example"] {
        let masked = of(service);
        assert_eq!(plain(&masked), std::slice::from_ref(&name), "{service}");
        let untold = untold([&masked]);
        assert_eq!(
            (untold.masked, untold.withheld),
            (vec!["tech".to_owned()], vec![])
        );
    }
    // A service of mailboxes alone leaves the address, and so does a mailbox of one's own beside the service's.
    for kept in [
        "ab1@contact.gandi.net",
        "ab1@domainsbyproxy.com, nora@example.org",
        "nora@example.org",
    ] {
        let told = of(kept);
        assert_eq!(plain(&told)[0]["city"], "Springfield", "{kept}");
        assert!(untold([&told]).masked.is_empty(), "{kept}");
    }
    let nameless = contact(&[
        (Part::Email, "ab1@domainsbyproxy.com"),
        (Part::Phone, "+1 555 0100"),
    ]);
    assert_eq!(withheld([&nameless]), ["tech"]);
}

#[test]
fn addresses_hold_lines_of_addresses_only() {
    let one = contact(&[
        (Part::Name, "Jane Doe"),
        (Part::Street, "1 Main St"),
        (Part::Street, "CE1234-ITNIC"),
        (Part::Street, "2007-03-01 10:28:08"),
        (Part::Street, "https://registrar.example"),
        (Part::Street, "CH-8000 Zurich"),
        (Part::Country, "ch"),
        (Part::City, "REDACTED FOR PRIVACY"),
    ]);
    assert_eq!(
        plain(&one),
        [
            serde_json::json!({"role": "tech", "name": "Jane Doe", "street": "1 Main St, CH-8000 Zurich", "country": "CH"})
        ]
    );
}

#[test]
fn an_extension_is_told_beside_its_number_and_a_mailbox_beside_its_name() {
    let one = contact(&[
        (Part::Name, "Ivan Ivanov (ivan@x.example)"),
        (Part::Phone, "+1.2025550143 [1234]"),
    ]);
    assert_eq!(
        plain(&one),
        [
            serde_json::json!({"role": "tech", "name": "Ivan Ivanov", "email": "ivan@x.example",
            "phone": "+1.2025550143", "extension": "1234"})
        ]
    );
}
