//! Reads contacts of registries whose layouts put a person, an organization and a handle in places of their own.

use super::read;

#[test]
fn one_heading_of_two_contacts_is_read_for_both_roles() {
    let record = |heading: &str| {
        format!(
            "Registrant:\n   Brackwater Fittings Incorporated\n   7 Elm Street\n   Salem, OR 00000\n   US\n\n   Domain Name: \
             EXAMPLE.ORG\n\n   {heading}\n      Roe, Ann  ann@brackwater.example\n      Brackwater Fittings \
             Incorporated\n      7 Elm Street\n      Salem, OR 00000\n      US\n\n   Record expires on 10-May-2027.\n   \
             Record created on 10-May-1997.\n\n   Domain servers in listed order:\n\n   NS1.HOSTING.EXAMPLE\n"
        )
    };
    let firm = "organization=Brackwater Fittings Incorporated";
    let street = "street=7 Elm Street, Salem, OR 00000, US";
    for (heading, roles) in [
        (
            "Administrative Contact, Technical Contact:",
            &["admin", "tech"][..],
        ),
        ("Technical Contact, Administrative Contact:", &["admin", "tech"]),
        (
            "Administrative Contact, Technical Contact, Billing Contact:",
            &["admin", "billing", "tech"],
        ),
    ] {
        let mut contacts = read(&record(heading));
        contacts.sort();
        let mut expected: Vec<String> = roles
            .iter()
            .map(|role| {
                format!("email=ann@brackwater.example | name=Ann Roe | {firm} | role={role} | {street}")
            })
            .collect();
        expected.push(format!("{firm} | role=registrant | {street}"));
        assert_eq!(contacts, expected, "{heading}");
    }
}

#[test]
fn a_holder_of_type_organization_is_the_registrant() {
    assert_eq!(
        read(
            "domain:      example.fr\nstatus:      ACTIVE\nholder-c:    BM77-FRNIC\nadmin-c:     LB88-FRNIC\nregistrar:   \
             BUREAU DES NOMS\ncreated:     2001-03-01T00:00:00Z\n\nnic-hdl:     BM77-FRNIC\ntype:        \
             ORGANIZATION\ncontact:     Boulangerie Modele SARL\naddress:     9 rue du Four\naddress:     35000 \
             Rennes\ncountry:     FR\ne-mail:      bonjour@boulangerie.example\nanonymous:   NO\n\nnic-hdl:     \
             LB88-FRNIC\ntype:        PERSON\ncontact:     Louise Brun\ncountry:     FR\ne-mail:      \
             louise@boulangerie.example\n"
        ),
        [
            "country=FR | email=bonjour@boulangerie.example | organization=Boulangerie Modele SARL | role=registrant | \
             street=9 rue du Four, 35000 Rennes",
            "country=FR | email=louise@boulangerie.example | name=Louise Brun | role=admin",
        ]
    );
    // A name that looks like a person's is an organization's where the type says so.
    assert_eq!(
        read(
            "domain: example.fr\nholder-c: MD9-FRNIC\n\nnic-hdl: MD9-FRNIC\ntype: ORGANIZATION\ncontact: Marcel \
             Dupuis\ne-mail: contact@dupuis.example\n"
        ),
        ["email=contact@dupuis.example | organization=Marcel Dupuis | role=registrant"]
    );
}

#[test]
fn a_person_and_the_organization_of_one_handle_are_both_told() {
    assert_eq!(
        read(
            "domain:         example.at\nregistrar:      Namen Registrar GmbH\nregistrant:     \
             EM55-NICAT\ntech-c:         JS66-NICAT\nnserver:        ns1.hosting.example\nchanged:        20200101 \
             10:00:00\n\npersonname:     Eva Almreich\norganization:   Almreich Holzbau GmbH\nstreet address: \
             Sagewerkweg 3\npostal code:    6020\ncity:           Innsbruck\ncountry:        Austria\ne-mail:         \
             eva@almreich.example\nnic-hdl:        EM55-NICAT\nchanged:        20200101 10:00:00\n\npersonname:     Jonas \
             Steiner\nstreet address: Sagewerkweg 3\nnic-hdl:        JS66-NICAT\n"
        ),
        [
            "city=Innsbruck | country=Austria | email=eva@almreich.example | name=Eva Almreich | \
             organization=Almreich Holzbau GmbH | postal=6020 | role=registrant | street=Sagewerkweg 3",
            "name=Jonas Steiner | role=tech | street=Sagewerkweg 3",
        ]
    );
}

#[test]
fn the_id_of_a_named_contact_is_no_name_and_no_line_of_its_address() {
    let record = |contact: &str| {
        format!(
            "Domain:             example.it\nStatus:             ok\nCreated:            2004-05-10 00:00:00\n\nRegistrant\n  \
             Organization:     Mulino Bianchini S.r.l.\n  Address:          Via del Grano 4\n                    Verona\n                    \
             37100\n                    VR\n                    IT\n  Created:          2007-03-01 10:28:08\n\n{contact}\n  \
             Name:             Sara Bianchini\n  Organization:     Mulino Bianchini S.r.l.\n  ContactID:        \
             SB7788-ITNIC\n  Address:          Via del Grano 4\n                    Verona\n                    \
             37100\n                    VR\n                    IT\n  Created:          2007-03-01 10:28:08\n  Last Update:      \
             2013-03-11 10:30:07\n\nRegistrar\n  Organization:     Ufficio Nomi S.p.A.\n  Name:             \
             NOMI-REG\n\nNameservers\n  ns1.hosting.example\n"
        )
    };
    let address = "street=Via del Grano 4, Verona, 37100, VR, IT";
    for (heading, role) in [("Admin Contact", "admin"), ("Technical Contacts", "tech")] {
        assert_eq!(
            read(&record(heading)),
            [
                format!("organization=Mulino Bianchini S.r.l. | role=registrant | {address}"),
                format!(
                    "name=Sara Bianchini | organization=Mulino Bianchini S.r.l. | role={role} | {address}"
                ),
            ],
            "{heading}"
        );
    }
}

#[test]
fn a_contact_without_a_name_is_its_organization_and_its_mailbox() {
    let record = |contact: &str| {
        format!(
            "Domain: example.eu\nScript: LATIN\n\nRegistrant:\n        NOT DISCLOSED!\n        Visit www.registry.example \
             for the web-based WHOIS.\n\n{contact}\nRegistrar:\n        Name: Polder Namen BV\n        Website: \
             https://polder-namen.example\n\nName servers:\n        ns1.hosting.example\n"
        )
    };
    let nameless = "Technical:\n        Organisation: Polder Servers BV\n        Language: nl\n        Email: \
                    beheer@polder-servers.example\n";
    assert_eq!(
        read(&record(nameless)),
        ["email=beheer@polder-servers.example | organization=Polder Servers BV | role=tech"]
    );
    // Without an organization, the mailbox alone is told; the language never is.
    let mailbox = "Technical:\n        Language: nl\n        Email: beheer@polder-servers.example\n";
    assert_eq!(
        read(&record(mailbox)),
        ["email=beheer@polder-servers.example | role=tech"]
    );
}
