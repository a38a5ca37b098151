//! Reads records as large registrars wrote them until about 2013.

use super::read;
use crate::kit::whois_text;

#[test]
fn the_line_below_a_surname_in_front_and_above_a_street_is_the_company() {
    let record = |company: &str| {
        format!(
            "Registrant:\n   {company}\n   12 Birch Street\n   Springfield, Oregon 97475\n   United States\n\n   \
             Registered through: Names Example\n   Domain Name: EXAMPLE.COM\n\n   Administrative Contact:\n      \
             Berg, Nadia  nadia@berg.example\n      {company}\n      12 Birch Street\n      Springfield, Oregon 97475\n      \
             United States\n"
        )
    };
    for company in ["Berg Photography", "Berg Brightwater"] {
        let street = "street=12 Birch Street, Springfield, Oregon 97475, United States";
        assert_eq!(
            read(&record(company)),
            [
                format!("organization={company} | role=registrant | {street}"),
                format!(
                    "email=nadia@berg.example | name=Nadia Berg | organization={company} | role=admin | {street}"
                ),
            ]
        );
    }
    // Written twice, a person's name is a person's.
    let street = "street=12 Birch Street, Springfield, Oregon 97475, United States";
    assert_eq!(
        read(&record("Nadia Berg")),
        [
            format!("name=Nadia Berg | role=registrant | {street}"),
            format!("email=nadia@berg.example | name=Nadia Berg | role=admin | {street}"),
        ]
    );
}

#[test]
fn what_stands_beside_a_services_mailbox_is_the_services() {
    let free = "Registrant:\n   Stone, Petra\n   ATTN EXAMPLE.COM\n   care of Proxy Solutions\n   PO Box 12\n   Reno, NV \
                89501\n   US\n\n   Administrative Contact:\n      Stone, Petra  \
                ab12@networksolutionsprivateregistration.com\n      ATTN EXAMPLE.COM\n      care of Proxy Solutions\n      \
                PO Box 12\n      Reno, NV 89501\n      US\n      775-555-0142\n";
    let keyed = "Registrant Name: Stone, Petra\nRegistrant Organization:\nRegistrant Street: ATTN EXAMPLE.COM\nRegistrant \
                 Street: care of Proxy Solutions\nRegistrant City: Reno\nRegistrant Phone: +1.7755550142\nRegistrant Email: \
                 ab12@networksolutionsprivateregistration.com\n";
    let labelled = "Registrant:\n   Name: Stone, Petra\n   Address: care of Proxy Solutions\n   Address: PO Box 12\n   \
                    Phone: +1.7755550142\n   Email: ab12@networksolutionsprivateregistration.com\n";
    for (record, roles) in [
        (free, vec!["registrant", "admin"]),
        (keyed, vec!["registrant"]),
        (labelled, vec!["registrant"]),
    ] {
        let names: Vec<String> = roles
            .iter()
            .map(|role| format!("name=Petra Stone | role={role}"))
            .collect();
        assert_eq!(read(record), names);
        assert_eq!(whois_text::read(record).1.masked, roles);
    }
}

#[test]
fn a_holder_in_hebrew_is_read_from_its_description() {
    assert_eq!(
        read(
            "domain: example.co.il\n\ndescr: דוגמה סחר בע\"מ\ndescr: 1 Sample Street\nphone: +972 3 5550100\nadmin-c: AB-CD1-IL\n"
        ),
        ["organization=דוגמה סחר בע\"מ | phone=+972 3 5550100 | role=registrant"]
    );
}
