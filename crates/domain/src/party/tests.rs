mod kinds;

use proptest::prelude::*;

use super::*;

fn read(text: &str, label: Label) -> String {
    match Party::read(text, label) {
        None => "nobody".to_owned(),
        Some(Party::Person(name)) => format!("person {}", name.as_str()),
        Some(Party::Organization(name)) => format!("organization {}", name.as_str()),
    }
}

#[test]
fn company_forms_make_organizations() {
    for name in [
        "Acme, Inc.",
        "Acme LLC",
        "Acme Ltd",
        "Beispiel GmbH",
        "Ejemplo S.A.",
        "Esempio S.p.A.",
        "Priklad s.r.o.",
        "Exemplo Ltda",
        "Exemple SARL",
        "Esimerkki Oy",
        "Exempel AB",
        "Eksempel A/S",
        "Voorbeeld B.V.",
        "Rei K.K.",
        "株式会社例",
        "Acme Corporation",
        "Example Incorporated",
        "Przykład Sp. z o.o.",
        "Primer d.o.o.",
        "Ejemplo S.A. de C.V.",
        "Ejemplo S. de R.L. de C.V.",
        "OOO \"Primer\"",
        "ООО Пример",
        "UAB Pavyzdys",
        "Example Pty Ltd",
        "Example Pte. Ltd.",
        "Example Sdn. Bhd.",
        "Örnek A.Ş.",
        "Example Co., Ltd.",
        "Smith & Co",
        "Beispiel GmbH & Co. KG",
        "Példa Kft.",
        "Příklad a.s.",
        "Exemple SAS",
        "Example AG",
        "Dæmi ehf",
        "Näidis OÜ",
        "Example PLC",
        "Example Hosting SA",
        "EXAMPLE LIMITED",
        "Ejemplo SpA",
        "Exempel Ab",
        "PT Contoh",
        "Example LLP",
        "Beispiel e.V.",
        "Ejemplo, S.L.",
        "Exemplo Lda",
        "Voorbeeld NV",
        "Example S. A.",
        "Eksempel ApS",
        "Пример ООО",
        "Ejemplo S.A.C.",
        "Ejemplo SAC",
        "Ejemplo E.I.R.L.",
        "Inversiones Ejemplo C.A.",
        "Ejemplo S.A.S. E.S.P.",
        "Ejemplo S. Coop.",
        "Esempio snc",
        "Exempel HB",
        "Misol MChJ",
        "FOP Ivanenko",
        "OJSC Primer",
        "SCI Exemple",
        "Misal DMCC",
        "Example CC",
        "Cong Ty TNHH Vi Du",
        "CONG TY CO PHAN VI DU",
        "Công ty TNHH Ví Dụ",
        "Shenzhen Lizi Keji Youxian Gongsi",
        "Example P.C.",
        "Exempel AB (publ)",
        "Primjer j.d.o.o.",
        "例子工作室",
        "한국은행",
    ] {
        for label in [Label::Name, Label::Organization, Label::Group, Label::None] {
            assert_eq!(read(name, label), format!("organization {name}"), "{label:?}");
        }
    }
}

#[test]
fn people_are_people_and_have_one_form() {
    for (text, name) in [
        ("Anton Kranz", "Anton Kranz"),
        ("Kranz, Anton", "Anton Kranz"),
        ("Doe,  Jane ", "Jane Doe"),
        ("van der Berg, Jan", "Jan van der Berg"),
        ("Bedard, Dawn (BEDAR6-ARIN)", "Dawn Bedard"),
        ("John Smith, Jr.", "John Smith, Jr."),
        ("Jane Doe, Operations", "Jane Doe"),
        ("Maria Sá", "Maria Sá"),
        ("Rosa Spa", "Rosa Spa"),
        ("Will Van Smith", "Will Van Smith"),
        ("O'Neil, Síle", "Síle O'Neil"),
        ("Tan Ah Kow (SGNIC-PER20001)", "Tan Ah Kow"),
        ("Mehmet Ali Has", "Mehmet Ali Has"),
        ("Has, Mehmet Ali", "Mehmet Ali Has"),
        ("Jan de Not", "Jan de Not"),
        ("Doe, Jane, Ph.D.", "Jane Doe, Ph.D."),
        ("Ivan Ivanov (ivan@x.example)", "Ivan Ivanov"),
        ("Ivan Ivanov <ivan@x.example>", "Ivan Ivanov"),
        ("\u{5f20}\u{4f1f}", "\u{5f20}\u{4f1f}"),
        ("Ján Príklad", "Ján Príklad"),
    ] {
        assert_eq!(read(text, Label::Name), format!("person {name}"), "{text}");
    }
    for text in ["Jane Doe", "Doe, Jane", "JANE DOE"] {
        assert!(read(text, Label::None).starts_with("person"), "{text}");
    }
    for text in ["Google", "Example University", "Acme Hosting", "Smith & Sons"] {
        assert_eq!(read(text, Label::None), format!("organization {text}"));
    }
}

#[test]
fn desks_are_nobody_and_somebodys_desk_is_no_person() {
    for text in [
        "Abuse",
        "ABUSE",
        "NOC",
        "Hostmaster",
        "Routing and Peering",
        "Network Operations",
        "IP Admin",
        "Registry Services",
        "Domain Administrator",
        "Support",
        "Abuse Contact",
        "Network Operations Center",
        "IPHostmaster, IPHostmaster",
        "Role Account",
        "Abuse Desk",
        "DNS Admin",
        "Technical Support",
        "Abuse Team",
        "Customer Service",
        "Domain Admin",
        "Peering",
        "Admin Contact",
        "Administrator, Domain",
        "Host Master",
        "Security Operations Center",
        "NOC Team 24",
        "24x7 NOC",
        "Abuse POC",
        "NOC POC",
        "Abuse-C Role",
        "Abuse Mailbox",
        "Abuse Handler",
        "CERT Team",
        "Domain Tech",
        "Hostmaster",
        "Registrar Abuse Contact",
        "Legal Department",
        "Peering Coordinator",
        "IPv4 Admin",
        "Security Incident Response Team",
        "Copyright Agent",
        "Service Technique",
        "Responsable Technique",
        "Technischer Kontakt",
        "Administrativer Ansprechpartner",
        "Abteilung IT",
        "Technik",
        "Equipo de Soporte",
        "Contacto Técnico",
        "Contatto Tecnico",
        "Grupo de Segurança",
        "Centro de Gerência de Redes",
        "Segurança da Informação",
        "Administrador de Redes",
        "Departamento Técnico",
        "Gerencia de Redes",
        "Mesa de Ayuda",
        "Administración de Dominios",
        "Equipe de Segurança",
        "Equipe de TI",
        "Coordenação de TI",
        "Tratamento de Incidentes",
        "Ingenieria de Red",
        "Gestion de Red",
        "Infraestrutura",
        "Seguridad Informática",
        "Security Office",
        "Internet Team",
        "Hosting Team",
        "Trademark Department",
        "Legal",
        "Domain Names",
        "Intellectual Property",
        "Web Master",
        "Domain Billing",
        "Domain Registration",
        "Mr Domain Administrator",
        "Director of Network Services",
        "Chief Information Officer",
        "Head of IT",
        "Vice President for Technology",
        "Senior Network Engineer",
        "IT Manager",
    ] {
        for label in [Label::Name, Label::Organization, Label::Group, Label::None] {
            assert_eq!(read(text, label), "nobody", "{text} {label:?}");
        }
    }
    for text in [
        "Microsoft Abuse Contact",
        "Example NOC",
        "Microsoft Routing, Peering, and DNS",
        "Google Network Operations",
        "YahooDomains TechContact",
    ] {
        for label in [Label::Name, Label::Organization, Label::Group, Label::None] {
            assert_eq!(read(text, label), format!("organization {text}"), "{label:?}");
        }
    }
    assert_eq!(
        read("Internet Security Systems", Label::Organization),
        "organization Internet Security Systems"
    );
}

#[test]
fn handles_dates_sentences_and_redactions_are_nobody() {
    for text in [
        "",
        " ",
        "-",
        "HB1-NICAT",
        "EX-REG-1",
        "ANEXE1",
        "ED123-FRNIC",
        "exampl0001-00001",
        "REG-EXAMPLE",
        "EXAMPLE-MNT",
        "AB123JP",
        "G123456",
        "CE1234-ITNIC",
        "SGNIC-PER20001",
        "2004-05-10 00:00:00",
        "12.04.2002",
        "10-May-1997 00",
        "NOT DISCLOSED!",
        "Not shown, please visit www.registry.example for web-based whois.",
        "Visit www.registry.example for the web-based WHOIS.",
        "REDACTED FOR PRIVACY",
        "Redacted Registrant",
        "Ano Nymous",
        "<data not disclosed>",
        "https://registrar.example/contact",
        "jane@example.com",
        "Statutory Masking Enabled",
        "+1 555 0100",
        "Hidden upon user request",
        "This record is protected by law",
        "www.example.com",
        "not published",
        "Name: Jane",
        "J*** D***",
        "Nicht veröffentlicht",
        "非公開",
        "Whois Privacy Corp.",
        "Anonymize, Inc.",
        "Registrant Name",
        "Data not shown here",
        "Person is not known here",
        "***N/A***",
        "123 456",
    ] {
        for label in [Label::Name, Label::Organization, Label::Group, Label::None] {
            assert_eq!(read(text, label), "nobody", "{text} {label:?}");
        }
        assert_eq!(Party::holder(text), None, "{text}");
    }
}

#[test]
fn organizations_keep_their_odd_names() {
    for text in [
        "3M",
        "37signals",
        "Institute of the Arts",
        "Visit Britain",
        "Booking.com",
        "Privacy International",
        "COCA-COLA",
    ] {
        assert_eq!(read(text, Label::Organization), format!("organization {text}"));
    }
}

#[test]
fn a_company_may_be_called_by_a_word_of_sentences() {
    for text in [
        "Your Hosting B.V.",
        "Our Kids Media Inc",
        "If Insurance Ltd",
        "This Is Acme GmbH",
    ] {
        for label in [Label::Name, Label::Organization, Label::Group, Label::None] {
            assert_eq!(read(text, label), format!("organization {text}"), "{label:?}");
        }
    }
    for text in [
        "Your Own Hosting",
        "Please Write Us Ltd",
        "Redacted by Example GmbH",
        "This record is not shown here by Example Ltd",
    ] {
        assert_eq!(read(text, Label::None), "nobody", "{text}");
    }
}

#[test]
fn lines_of_addresses() {
    for line in [
        "1 Main St",
        "Via Esempio 1",
        "20121",
        "MI",
        "CH-8000 Zürich",
        "D-10115",
        "P.O. Box 12",
        "Springfield, IL 00000",
        "US",
    ] {
        assert!(is_address_line(line), "{line}");
    }
    for line in [
        "CE1234-ITNIC",
        "2007-03-01 10:28:08",
        "jane@example.com",
        "https://example.com",
        "+49 421 5550123",
        "",
        "--",
        "Please visit the registrar's site",
        "<hidden>",
        "12.04.2002",
    ] {
        assert!(!is_address_line(line), "{line}");
    }
}

#[test]
fn lists_are_written_as_they_are_looked_up() {
    for name in ["abuse", "noc", "hostmaster"] {
        assert!(is_desk(name));
    }
    assert!(is_same_name("ACME, Inc.", "Acme Inc"));
    assert!(!is_same_name("", "-"));
}

proptest! {
    #[test]
    fn any_text_is_a_name_or_is_not(text in "\\PC{0,60}") {
        for label in [Label::Name, Label::Organization, Label::Group, Label::None] {
            let Some(party) = Party::read(&text, label) else { continue };
            let name = party.clone().into_text();
            prop_assert!(!name.contains([':', '@', '<', '>']) && !name.trim().is_empty());
            prop_assert!(!is_desk(&name) && !crate::privacy::is_private_name(&name));
            // Reading a name again changes nothing.
            prop_assert_eq!(Party::read(&name, label), Some(party));
        }
    }

    #[test]
    fn both_orders_of_a_name_are_one(given in "[A-Z][a-z]{2,8}", surname in "[A-Z][a-z]{2,8}") {
        let (one, other) = (format!("{given} {surname}"), format!("{surname}, {given}"));
        prop_assume!(!is_company(&one) && !is_company(&other) && !desks::names_desk(&one));
        prop_assume!(!forms::is_institution(&one) && !privacy::is_private_name(&one));
        prop_assume!(!shape::is_suffix(&given));
        prop_assert_eq!(Party::read(&one, Label::Name), Party::read(&other, Label::Name));
    }
}

#[test]
fn a_word_of_sentences_is_another_with_an_accent() {
    for line in [
        "Atatürk Cad. İş Merkezi",
        "Bağdat Cad. iş merkezi 5",
        "is\u{327} Merkezi Kat 5",
    ] {
        assert!(!is_sentence(line) && is_address_line(line), "{line}");
    }
    for line in ["Dados não mostrados aqui", "this is shown nowhere"] {
        assert!(is_sentence(line), "{line}");
    }
}

#[test]
fn names_of_signs_are_persons_where_they_are_short() {
    for name in ["张三", "王小明", "홍길동", "山田太郎", "山田 太郎", "佐々木"] {
        for label in [Label::Name, Label::None] {
            assert_eq!(read(name, label), format!("person {name}"), "{label:?}");
        }
    }
    assert_eq!(read("某某某某某某", Label::None), "nobody");
    assert_eq!(read("北京大学", Label::None), "organization 北京大学");
}

#[test]
fn a_name_can_end_in_a_word_of_organizations() {
    for text in ["Example Bank", "Example Studio", "Example Trust"] {
        for label in [Label::Name, Label::None] {
            assert_eq!(read(text, label), format!("organization {text}"), "{label:?}");
        }
    }
    assert_eq!(read("Los Angeles CA", Label::Name), "person Los Angeles CA");
}

#[test]
fn a_few_lost_letters_lose_no_name() {
    for (text, expected) in [
        ("M\u{fffd}ller GmbH", "organization M\u{fffd}ller GmbH"),
        ("M?ller GmbH", "organization M?ller GmbH"),
        (
            "J\u{fffd}rgen M\u{fffd}ller",
            "person J\u{fffd}rgen M\u{fffd}ller",
        ),
        ("M?ller, J?rgen", "person J?rgen M?ller"),
        ("????? ????", "nobody"),
        ("\u{fffd}\u{fffd}\u{fffd}", "nobody"),
        ("Who knows?", "nobody"),
    ] {
        assert_eq!(read(text, Label::Name), expected, "{text}");
    }
    assert!(is_address_line("Hauptstra\u{fffd}e 1") && !is_address_line("\u{fffd}\u{fffd} 1"));
}
