//! Reads contacts below headings and labels of every kind.

use super::read;

#[test]
fn roles_stand_in_brackets_before_each_key_or_over_a_contact() {
    for (record, contacts) in [
        // Who has a surname is a person, in an organization's contact, too.
        (
            "[owner-c] type: ORG\n[owner-c] fname: Jane\n[owner-c] lname: Doe\n[owner-c] org: Example Ltd\n[owner-c] \
             protection: Jane Intruder\n[owner-c] title:\n[admin-c] fname: John\n[admin-c] lname: Roe\n",
            vec![
                "name=Jane Doe | organization=Example Ltd | role=registrant",
                "name=John Roe | role=admin",
            ],
        ),
        (
            "[Tech-C][Zone-C]\nType: ROLE\nName: Jane Doe\nOrganisation: Example Hosting AG\n",
            vec!["name=Jane Doe | organization=Example Hosting AG | role=tech"],
        ),
        (
            "Domain: example.de\n\n[Admin-C][Tech-C]\nName: Jane Doe\n",
            vec!["name=Jane Doe | role=admin", "name=Jane Doe | role=tech"],
        ),
        (
            "[Admin-C]\n[Tech-C]\nName: Jane Doe\n",
            vec!["name=Jane Doe | role=admin", "name=Jane Doe | role=tech"],
        ),
        (
            "Registrant #1234567:\n   Jane Doe\n   1 Main Street\n",
            vec!["name=Jane Doe | role=registrant | street=1 Main Street"],
        ),
        // A heading with nothing below it, and no brackets, has no contact.
        (
            "Registrant:\nAdministrative Contact:\n   Name: Jane Doe\n",
            vec!["name=Jane Doe | role=admin"],
        ),
        (
            "Registrant [1234567]:\n   Jane Doe jane@example.com\n   Example Widgets Inc.\n   1 Main Street\n",
            vec![
                "email=jane@example.com | name=Jane Doe | organization=Example Widgets Inc. | role=registrant | street=1 \
                 Main Street",
            ],
        ),
        (
            "Tech Contact (T-1234567):\n   Jane Doe\n   1 Main Street\n",
            vec!["name=Jane Doe | role=tech | street=1 Main Street"],
        ),
    ] {
        assert_eq!(read(record), contacts, "{record}");
    }
}

#[test]
fn a_mailbox_beside_a_handle_is_told_with_its_role() {
    assert_eq!(
        read(
            "domain: example.com\nadmin-c: CCOM-123456 jane@example.com\ntech-c: CCOM-123457 tech@example.com\n"
        ),
        [
            "email=jane@example.com | role=admin",
            "email=tech@example.com | role=tech"
        ]
    );
    // Where the handle is explained, it is that contact's.
    assert_eq!(
        read(
            "domain: example.com\nadmin-c: JD1-EXA jane@example.com\n\nperson: Jane Doe\nnic-hdl: JD1-EXA\n"
        ),
        ["email=jane@example.com | name=Jane Doe | role=admin"]
    );
}

#[test]
fn what_stands_below_a_registrar_is_told_from_what_is_its_own() {
    for (record, contacts) in [
        (
            "Domain Name: example.by\nRegistrar: Names Ltd\nOrg: Example LLC\nCountry: BY\nEmail: info@example.com\n",
            vec!["country=BY | email=info@example.com | organization=Example LLC | role=registrant"],
        ),
        (
            "Domain Name: example.by\nRegistrar: Names Ltd\nPerson: HIDDEN! Details are available at \
             https://whois.example\nEmail: HIDDEN! Details are available at https://whois.example\n",
            vec![],
        ),
        (
            "Domain Name: example.com\nRegistrar: Names Ltd\nOrganization: Names Ltd\nAddress: 1 Names St\nEmail: \
             office@names.example\n",
            vec![],
        ),
        (
            "Dominio: example.com\nRegistrador: Nombres S.A.\nEmpresa: Nombres S.A.\nCorreo: office@names.example\n",
            vec![],
        ),
        // What stands below a reference may be the provider's.
        (
            "domain: example.com\n\ntech-c: AB1-EXA\norganisation: Example Hosting AG\nperson-of-contact: Jane Doe\n",
            vec![],
        ),
        // A label in a registrar's block ends it not.
        (
            "Registrar:\n   Name: Names Ltd\n   Address:\n      1 Names St\n   Email: office@names.example\n",
            vec![],
        ),
        // The kind of the holder is no holder.
        (
            "domain: example.ie\ndescr: Jane Doe\ndescr: Body Corporate (Ltd,PLC,Company)\nadmin-c: AB1-IEDR\n",
            vec![],
        ),
    ] {
        assert_eq!(read(record), contacts, "{record}");
    }
}

#[test]
fn an_address_below_its_label_or_its_handle_is_no_name() {
    for (record, contacts) in [
        (
            "Domain Owners / Registrant\nName: Jane Doe\nAddress\nEmerald Center\n1 Example Street\nx-unknown: Jane \
             Intruder\nDouglas\nDomain Details\nExpiry Date: 01/03/2027 00:00:00\n",
            vec!["name=Jane Doe | role=registrant | street=Emerald Center, 1 Example Street, Douglas"],
        ),
        (
            "Administrative Contact:\n   Name:\n      Jane Doe\n   Address:\n      Emerald Center\n      1 Main St\n   \
             Email: jane@example.com\n",
            vec!["email=jane@example.com | name=Jane Doe | role=admin | street=Emerald Center, 1 Main St"],
        ),
        (
            "Tech Contact: 13244\nExample Hosting Co., Ltd.\n2 Example Road\n10330\nTH\n",
            vec!["organization=Example Hosting Co., Ltd. | role=tech | street=2 Example Road, 10330, TH"],
        ),
        // Text below a name is an address only where a place is in it.
        (
            "Registrant: Example Ltd\nThis domain is for sale\nPowered by Sample\n",
            vec!["organization=Example Ltd | role=registrant"],
        ),
        (
            "Domain Name: example.com\nRegistrant: Example Ltd\n1 Main Street\nName Server ns1.hosting.example\n\
             NS2.HOSTING.EXAMPLE 192.0.2.2\n",
            vec!["organization=Example Ltd | role=registrant | street=1 Main Street"],
        ),
        // Prose below a word is no contact.
        (
            "Registrant\n   agrees to be bound by\n   the Terms of Example Ltd\n",
            vec![],
        ),
        // A missing number leaves a blank line, and a missing mailbox empty brackets.
        (
            "Registrant Contact:\n   Example Widgets\n   Jane Doe ()\n   \n   Fax: \n   1 Main Street\n   US\n",
            vec!["name=Jane Doe | organization=Example Widgets | role=registrant | street=1 Main Street, US"],
        ),
        // A postal code is no telephone number, and neither is a company's.
        (
            "Registrant:\n   Amostra, Lda.\n   (100001-U)\n   1000-001 Lisboa\n   100-0001\n   (Tel) 603-55501002\n",
            vec![
                "organization=Amostra, Lda. | phone=603-55501002 | role=registrant | street=1000-001 Lisboa, 100-0001",
            ],
        ),
    ] {
        assert_eq!(read(record), contacts, "{record}");
    }
}

#[test]
fn a_label_within_a_street_is_no_key() {
    for (record, contacts) in [
        (
            "** Registrant:\n   Örnek Ltd. Şti.\n   Atatürk Cad. No: 12 Kat: 3\n   Mah: Kavaklıdere\n   Kat: 3\n   \
             Apt: 4/B\n   c/o: Ortak A.Ş.\n   Ankara\n   + 90-312-5550100-\n",
            vec![
                "organization=Örnek Ltd. Şti. | phone=+ 90-312-5550100 | role=registrant | street=Atatürk Cad. No: 12 Kat: \
                 3, Mah: Kavaklıdere, Kat: 3, Apt: 4/B, c/o: Ortak A.Ş., Ankara",
            ],
        ),
        (
            "** Technical Contact:\nPerson\t: Ayşe Örnek\nAddress\t: Örnek İş Merkezi\n\t  Atatürk Cad. No:114 G-4\n\t  \
             x-unknown: Jane Intruder\n\t  Çankaya\n",
            vec!["name=Ayşe Örnek | role=tech | street=Örnek İş Merkezi, Atatürk Cad. No:114 G-4, Çankaya"],
        ),
        (
            "Registrant:\n   Example Ltd\n   Dış Kapı No: 12 İç Kapı No: 3\n   Str. Exemplu nr. 5, bl: 3, sc: A\n   \
             кв: 3\n   Suite: 100\n   P.O. Box: 12\n",
            vec![
                "organization=Example Ltd | role=registrant | street=Dış Kapı No: 12 İç Kapı No: 3, Str. Exemplu nr. 5, bl: \
                 3, sc: A, кв: 3, Suite: 100, P.O. Box: 12",
            ],
        ),
        // Numbers of registers are no part of an address.
        (
            "Registrant:\n   Example Ltd\n   Company No: 1234\n   VAT No.: 12\n   Registration No: 12345678\n   1 Main \
             Street\n",
            vec!["organization=Example Ltd | role=registrant | street=1 Main Street"],
        ),
    ] {
        assert_eq!(read(record), contacts, "{record}");
    }
}

#[test]
fn roles_and_fields_are_known_in_other_languages_with_and_without_accents() {
    for (heading, role) in [
        ("TITULAR:", "registrant"),
        ("Titular / Registrant", "registrant"),
        ("Titulaire :", "registrant"),
        ("Intestatario", "registrant"),
        ("Inhaber:", "registrant"),
        ("CONTACTO ADMINISTRATIVO:", "admin"),
        ("Contacto Administrativo (Administrative Contact):", "admin"),
        ("Contact administratif", "admin"),
        ("Responsável Administrativo / Admin Contact", "admin"),
        ("Administrativer Ansprechpartner:", "admin"),
        ("Admin-C:", "admin"),
        ("CONTACTO TÉCNICO:", "tech"),
        ("CONTACTO TECNICO:", "tech"),
        ("Contatto Tecnico", "tech"),
        ("Responsável Técnico", "tech"),
        ("Respons\u{fffd}vel T\u{fffd}cnico / Tech Contact", "tech"),
        ("Contact technique:", "tech"),
        ("Technischer Kontakt:", "tech"),
        ("Entidade Gestora / Billing Contact", "billing"),
        ("CONTACTO FINANCIERO:", "billing"),
    ] {
        let labelled =
            format!("{heading}\n   Nombre: Ana Muestra\n   Organización: Muestra S.A.\n   País: BO\n");
        assert_eq!(
            read(&labelled),
            [format!(
                "country=BO | name=Ana Muestra | organization=Muestra S.A. | role={role}"
            )],
            "{heading}"
        );
        let free = format!("{heading}\n   Muestra S.A.\n   Calle Muestra 1\n   Correo: ana@example.com\n");
        assert_eq!(
            read(&free),
            [format!(
                "email=ana@example.com | organization=Muestra S.A. | role={role} | street=Calle Muestra 1"
            )],
            "{heading}"
        );
    }
    for (record, contacts) in [
        (
            "Dominio: example.es\nTitular: Ana Muestra (ANA MUESTRA)\nContacto Técnico: Tito Muestra\nOrganizacion: \
             Muestra S.A.\n",
            vec![
                "name=Ana Muestra | role=registrant",
                "name=Tito Muestra | organization=Muestra S.A. | role=tech",
            ],
        ),
        (
            "Titular Nombre: Ana Muestra\nTitular Correo: ana en example.com\nContato Técnico Nome: Tito\n",
            vec![
                "email=ana@example.com | name=Ana Muestra | role=registrant",
                "name=Tito | role=tech",
            ],
        ),
        (
            "Contatto Amministrativo:\n  Nome: Carla\n  Cognome: Esempio\n\nInhaber:\n  Vorname: Jana\n  Nachname: \
             Beispiel\n",
            vec![
                "name=Carla Esempio | role=admin",
                "name=Jana Beispiel | role=registrant",
            ],
        ),
        // What is not known stays unknown.
        (
            "Dominio: example.ve\nContacto del dominio: Ana Muestra\nEstado: ACTIVE\n",
            vec![],
        ),
    ] {
        assert_eq!(read(record), contacts, "{record}");
    }
}

#[test]
fn headings_and_keys_of_other_forms_are_read() {
    for (record, contacts) in [
        (
            "Domain Name: EXAMPLE.COM\n\nREGISTRANT CONTACT INFO\nExample Widgets GmbH\nJane Doe\n1 Main Street\nOberdorf\nDE\n\
             Phone: +49.305550100\nEmail Address: jane@example.com\n\nADMINISTRATIVE CONTACT INFO\nJohn Roe\n\
             2 Main Street\nEmail Address: john@example.com\n",
            vec![
                "email=jane@example.com | name=Jane Doe | organization=Example Widgets GmbH | phone=+49.305550100 | \
                 role=registrant | street=1 Main Street, Oberdorf, DE",
                "email=john@example.com | name=John Roe | role=admin | street=2 Main Street",
            ],
        ),
        (
            "Domain: example.com\n\nRegistrant (EXA-1)\nExample Widgets GmbH\n1 Main Street\nEmail: jane@example.com\n\n\
             Name servers\nns1.example.com\n",
            vec![
                "email=jane@example.com | organization=Example Widgets GmbH | role=registrant | street=1 Main Street",
            ],
        ),
        (
            "0a. lastupdate             : 2012-02-29\n0b. emailsource            : reg@registrar.example\n\
             2a. registrant             : Example Widgets (Pty) Ltd\n2b. registrantpostaladdress: P.O. Box 1, Cape Town\n\
             2f. registrantphone        : +27 21 5550100\n2h. registrantemail        : jane@example.com\n\
             4a. admin                  : Jane Doe\n4c. admincompany           : Example Widgets (Pty) Ltd\n\
             4g. adminemail             : jane@example.com\n",
            vec![
                "email=jane@example.com | organization=Example Widgets (Pty) Ltd | phone=+27 21 5550100 | role=registrant | \
                 street=P.O. Box 1, Cape Town",
                "email=jane@example.com | name=Jane Doe | organization=Example Widgets (Pty) Ltd | role=admin",
            ],
        ),
        // Labels behind numbers, a mailbox among the lines, and a title in place of a company.
        (
            "Registrant Contact:\n\tJane Doe\n\tDirector of Network Services\n\tExample University\n\t1 Main Street\n\t\
             +44 1000 555010 (Phone)\n\t+44 1000 555011 (FAX)\n\tjane@example.com\n",
            vec![
                "email=jane@example.com | fax=+44 1000 555011 | name=Jane Doe | organization=Example University | phone=+44 \
                 1000 555010 | role=registrant | street=1 Main Street",
            ],
        ),
        // Prose below a word is no contact, nor is a word within an address a heading.
        (
            "Domain: example.com\n\nRegistrant\nthe holder of a domain has to keep its data up to date\n",
            vec![],
        ),
        (
            "Registrant:\n   Jane Doe\n   Owner\n   1 Main Street\n",
            vec!["name=Jane Doe | role=registrant | street=1 Main Street"],
        ),
    ] {
        assert_eq!(read(record), contacts, "{record}");
    }
}
