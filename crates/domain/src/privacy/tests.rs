use super::*;

#[test]
fn lists_can_match() {
    for name in EMPTY_NAMES.iter().chain(PHRASES) {
        assert_eq!(words(name).join(" "), *name);
        assert!(is_private_name(&name.to_uppercase()), "{name}");
    }
    for domain in FORWARDING_DOMAINS {
        assert!(is_private_email(&format!("abc123@{domain}")), "{domain}");
    }
    for label in FORWARDING_LABELS {
        assert!(
            is_private_email(&format!("abc123@{label}-service.example")),
            "{label}"
        );
    }
}

#[test]
fn services_and_redactions_are_nobody() {
    let emails = [
        "REDACTED FOR PRIVACY",
        "Select Request Email Form at https://registrar.example/contact",
        "Please query the RDDS service of the Registrar of Record",
        "abc@protect.whoisguard.com",
        "EXAMPLE.COM@domainsbyproxy.com",
        "abc.protect@withheldforprivacy.com",
        "contact@privacyprotect.org",
        "gdpr-masking@example.com",
        "abc@privacy-protect.example",
        "",
        "-",
        "https://registrar.example/whois/contact?d=example.com",
        "one@example.com, two@example.com",
    ];
    for text in emails {
        assert!(is_private_email(text), "{text}");
        assert!(is_private_contact(text), "{text}");
    }
    let names = [
        "Domain Administrator",
        "Registration Private",
        "Privacy Protect, LLC (PrivacyProtect.org)",
        "Whois Privacy",
        "Not Disclosed",
        "Data Protected Data Protected",
        "REDACTED FOR PRIVACY (DT)",
        "Statutory Masking Enabled",
        "Domains By Proxy, LLC",
        "Privacy service provided by Withheld for Privacy ehf",
        "Registrant of example.com",
        "N/A",
        "none",
        "-",
        "xxxxx",
        "J*** D***",
        "See https://registrar.example/whois",
        " ",
    ];
    for text in names {
        assert!(is_private_name(text), "{text}");
        assert!(is_private_contact(text), "{text}");
    }
    for text in [
        "",
        "+1.0000000000",
        "0000000",
        "+99 999 999",
        "+1.555xxxxxxx",
        "REDACTED",
        "+0.0",
    ] {
        assert!(is_private_phone(text), "{text}");
        assert!(is_private_contact(text), "{text}");
    }
}

#[test]
fn redactions_of_other_languages_are_nobody() {
    for text in [
        "Nicht veröffentlicht",
        "nicht veroeffentlicht",
        "Wird nicht öffentlich angezeigt",
        "Daten aus Datenschutzgründen ausgeblendet",
        "非公開",
        "非公开",
        "保密",
        "域名隐私保护服务",
        "비공개",
        "не раскрывается",
        "Данные скрыты",
        "скрыто",
        "Частное лицо",
        "Non divulgué",
        "Données masquées",
        "N'est pas disponible",
        "No divulgado",
        "Información no disponible",
        "Datos ocultos",
        "Não divulgado",
        "Dados protegidos",
        "Dati nascosti",
        "Non è disponibile",
        "anonimizzato",
        "Niet openbaar",
        "verborgen",
        "Gizli",
        "gizlilik",
        "Dane ukryte",
        "Ikke offentlig",
        "Inte tillgänglig",
        "Not available",
        "Non-Public Data",
        "Registrant Name",
        "Phone",
        "Tech Organization",
        "Njalla Okta LLC",
        "See PrivacyGuardian.org",
        "PrivacyGuardian.org llc",
        "MyPrivacy.net Ltd.",
        "c/o whoisproxy.com",
        "Privacy Hero Inc.",
        "Private by Design, LLC",
        "Withheld for Privacy ehf",
    ] {
        assert!(is_private_name(text), "{text}");
    }
}

#[test]
fn people_stay_people() {
    let names = [
        "Grace Private Holdings",
        "Privacy International",
        "Private Bank of Example",
        "Example Pty Ltd",
        "Noone & Sons",
        "Owner Operators Association",
        "Ada Lovelace",
        "Xi Xu",
        "X Y",
        "Hidden Valley Farm",
        "Public Library of Example",
        "No Seung-min",
        "Anonymous Content Films",
        "Mexico City",
        "State Street",
        "First Street",
        "No. 1 Public School",
        "NE Public Power District",
        "Free State",
        "State University of Example",
        "Not Just Another Agency Ltd",
        "Data Protection Commission",
        "國家保密局",
        "Domain Admin Services Example GmbH",
        "Registrant of Merit Society",
        "\u{5f20}\u{4f1f}",
    ];
    for text in names {
        assert!(!is_private_name(text), "{text}");
        assert!(!is_private_contact(text), "{text}");
    }
    for text in [
        "ada@example.com",
        "privacy@example.com",
        "ada@private.example",
        "ada[at]example[.]com",
    ] {
        assert!(!is_private_email(text), "{text}");
        assert!(!is_private_contact(text), "{text}");
    }
    for text in ["+1.5550100", "+44 20 7946 0000", "+1 800 555 0000", "5550100 x12"] {
        assert!(!is_private_phone(text), "{text}");
        assert!(!is_private_contact(text), "{text}");
    }
}

#[test]
fn an_address_is_exactly_one_address() {
    assert_eq!(
        valid_email(" <Ada@EXAMPLE.com> ").as_deref(),
        Some("Ada@example.com")
    );
    for text in [
        "ada",
        "ada@example",
        "a@example.com b@example.com",
        "mail ada@example.com please",
    ] {
        assert_eq!(valid_email(text), None, "{text}");
    }
}

#[test]
fn names_that_stand_for_a_party_of_a_domain_are_nobody() {
    for text in [
        "On behalf of t.example owner",
        "On behalf of t.example administrative contact",
        "On behalf of example.com technical contact",
        "ON BEHALF OF EXAMPLE.COM",
        "Owner of example.com",
        "Registrant of example.com",
        "DreamHost Customer",
        "A Happy DreamHost Customer",
        "Example Customer 0123456",
        "Oneandone Private Registration",
        "Domain Privacy Service FBO Registrant",
        "Private Whois Service",
        "NameBright Privacy",
        "Data Privacy Protected",
        "c/o whoisproxy.com",
        "Individual",
        "personal use",
        "self",
        "Home",
        "Org Withheld",
    ] {
        assert!(is_private_name(text), "{text}");
    }
    for text in [
        "Friends of example.com",
        "Institute of Example",
        "Booking.com",
        "Customer First Ltd",
        "Owner of Example",
        "Home Depot",
        "Self Storage Ltd",
        "Example Personal Care GmbH",
    ] {
        assert!(!is_private_name(text), "{text}");
    }
    for text in ["On behalf of t.example owner", "Oneandone Private Registration"] {
        assert!(is_proxy_name(text), "{text}");
    }
    for text in ["REDACTED FOR PRIVACY", "Owner of example.com", "Domain Admin"] {
        assert!(!is_proxy_name(text), "{text}");
    }
}
