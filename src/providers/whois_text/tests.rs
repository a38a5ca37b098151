//! Reads contacts from the layouts of raw whois records.

fn read(record: &str) -> Vec<String> {
    super::contacts(record)
        .iter()
        .map(|contact| {
            let fields: Vec<String> = contact
                .iter()
                .map(|(name, value)| format!("{name}={}", value.text().unwrap()))
                .collect();
            fields.join(" | ")
        })
        .collect()
}

#[test]
fn layouts() {
    for (record, contacts) in [
        (
            "Registrant Name: Anton Kranz\nRegistrant Phone: +1.5550100\nAdmin Contact Email: a@example.org\n",
            vec![
                "name=Anton Kranz | phone=+1.5550100 | role=registrant",
                "email=a@example.org | role=admin",
            ],
        ),
        (
            "Administrative Contact:\n   Voss, Petra  petra@example.org\n   Hafenweg 9\n   Bremen, 28217 de\n   \
             +49.4215550123  Fax: +49.4215550124\n\nDomain servers in listed order:\n   NS1.EXAMPLE.NET\n",
            vec![
                "email=petra@example.org | fax=+49.4215550124 | name=Petra Voss | phone=+49.4215550123 | \
                 role=admin | street=Hafenweg 9, Bremen, 28217 de",
            ],
        ),
        (
            "domain: example.com\nadmin-c: PV12-EXA\ntech-c: PV12-EXA\n\nperson: Petra Voss\ne-mail: \
             petra@example.org\nnic-hdl: PV12-EXA\n",
            vec![
                "email=petra@example.org | name=Petra Voss | role=admin",
                "email=petra@example.org | name=Petra Voss | role=tech",
            ],
        ),
        (
            "Registrant:\n    Name: Dana Whitlock\n    Organisation: Example Widgets Ltd\n    Email: dana@example.net\n",
            vec![
                "email=dana@example.net | name=Dana Whitlock | organization=Example Widgets Ltd | role=registrant",
            ],
        ),
        (
            "OrgAbuseName:   Abuse Desk\nOrgAbuseEmail:  abuse@example.net\nOrgTechEmail:  jan@example.net\n",
            vec![
                "email=abuse@example.net | role=abuse",
                "email=jan@example.net | role=tech",
            ],
        ),
        ("Jane Doe <jane@example.net>", vec!["email=jane@example.net"]),
    ] {
        assert_eq!(read(record), contacts, "{record}");
    }
}

#[test]
fn services_and_prose_are_nobody() {
    for record in [
        "",
        "Registrant Name: REDACTED FOR PRIVACY\nRegistrant Phone: +1.5550142\nRegistrant Country: US",
        "Registrant Email: Please query the RDDS service of the Registrar of Record identified in this output",
        "Registrant:\n  Whois Privacy\n  Whois Agent (x@whoisprivacy.example)\n  +1.5550142\n  PO Box 1",
        "Registrant Country: US\nRegistrant City: Reno",
        "Questions? Write to <help@example.net>, please.",
        "Contact us at +1.5550199\n--\n",
    ] {
        assert_eq!(read(record), Vec::<String>::new(), "{record}");
    }
}

#[test]
fn a_record_of_contacts_without_end_is_bounded() {
    let record: String = (0..5000)
        .map(|at| format!("person: P{at} Q\ne-mail: p{at}@example.org\n\n"))
        .collect();
    assert_eq!(read(&record).len(), 60);
    // A cut inside a character is no cut at all.
    assert!(read(&"ä".repeat(300_000)).is_empty());
}
