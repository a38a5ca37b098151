//! Knows the keys and headings of whois text: which roles they name, and which fields of a contact.

use crate::providers::contact::Part;

/// Says what a key means within a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// A value of the contact.
    Part(Part),
    /// A given name, which stands apart from the surname.
    Given,
    /// A surname.
    Surname,
    /// What the contact is referred to by.
    Handle,
    /// Whether it is a person or an organization.
    Kind,
}

/// Words that stand behind a role and change nothing.
const BEHIND: &[&str] = &[
    "agent",
    "c",
    "contact",
    "contacts",
    "data",
    "detail",
    "details",
    "info",
    "information",
    "person",
    "s",
];

/// Phrases for roles.
const ROLES: &[(&str, &[&str])] = &[
    (
        "registrant",
        &[
            "registrant",
            "owner",
            "holder",
            "domain holder",
            "domain owner",
            "domain registrant",
            "holder of domain name",
            "holder of the domain name",
            "organization using domain name",
            "organisation using domain name",
            "登録者名",
            "등록인",
        ],
    ),
    (
        "admin",
        &[
            "admin",
            "administrative",
            "administrativ",
            "administrator",
            "administration",
            "adm",
            "ac",
            "org admin",
            "r admin",
        ],
    ),
    (
        "tech",
        &[
            "tech",
            "technical",
            "technician",
            "tec",
            "zone",
            "org tech",
            "r tech",
            "registrar technical",
            "registrar tech",
        ],
    ),
    ("billing", &["billing", "bill", "bil", "invoicing"]),
    ("abuse", &["abuse", "org abuse", "r abuse", "registrar abuse"]),
    ("noc", &["noc", "org noc", "r noc"]),
    ("dns", &["org dns", "r dns"]),
    ("routing", &["routing", "org routing", "r routing"]),
];

/// Headings of what is no contact of the registration.
const FOREIGN: &[&str] = &[
    "registrar",
    "registrar name",
    "sponsoring registrar",
    "current registrar",
    "registrar of record",
    "reseller",
    "registry",
    "name server",
    "name servers",
    "name servers information",
    "nameserver",
    "nameservers",
    "nserver",
    "nservers",
    "domain nameservers",
    "domain name servers",
    "domain servers",
    "dns",
    "dnssec",
    "dnssec data",
    "keys",
    "key",
    "flags",
    "ds record",
    "ds records",
    "dns servers",
    "whois",
    "disclaimer",
    "relevant dates",
    "dates",
    "registration status",
    "status",
    "additional info",
    "additional information",
    "nsset",
    "keyset",
    "authorized agency",
    "registration service provider",
    "data validation",
    "registrar information",
    "authoritative registrar",
    "maintained by",
    "record maintained by",
    "operator",
    "mntner",
    "host",
];

const FIELDS: &[(Field, &[&str])] = &[
    (
        Field::Part(Part::Name),
        &[
            "name",
            "contact name",
            "full name",
            "person",
            "personname",
            "person name",
            "responsible",
            "responsible person",
            "contact person",
            "attention",
            "attn",
            "last first",
            "title name",
        ],
    ),
    (Field::Part(Part::Group), &["role"]),
    (
        Field::Part(Part::Organization),
        &[
            "organization",
            "organisation",
            "org",
            "company",
            "company name",
            "org name",
            "organization name",
            "organisation name",
            "company english name",
            "company chinese name",
            "organization english name",
            "firm",
            "organizacija",
            "societe",
        ],
    ),
    (
        Field::Part(Part::Email),
        &[
            "email",
            "e mail",
            "mail",
            "email address",
            "e mail address",
            "mailbox",
            "abuse mailbox",
            "electronic mail",
            "emails",
        ],
    ),
    (
        Field::Part(Part::Phone),
        &[
            "phone",
            "phone number",
            "telephone",
            "tel",
            "phone no",
            "telephone number",
            "voice",
            "phone 1",
            "tel no",
            "tel number",
        ],
    ),
    (
        Field::Part(Part::Fax),
        &[
            "fax",
            "fax number",
            "fax no",
            "facsimile",
            "facsimile number",
            "telefax",
        ],
    ),
    (
        Field::Part(Part::Street),
        &[
            "street",
            "address",
            "addr",
            "street address",
            "address1",
            "address2",
            "address3",
            "address 1",
            "address 2",
            "address 3",
            "street1",
            "street2",
            "street3",
            "street 1",
            "street 2",
            "street 3",
            "address line 1",
            "address line 2",
            "address line 3",
            "post address",
            "postal address",
            "mailing address",
            "organisation address",
            "organization address",
        ],
    ),
    (
        Field::Part(Part::City),
        &["city", "town", "locality", "postal area", "suburb"],
    ),
    (
        Field::Part(Part::State),
        &[
            "state",
            "state/province",
            "province",
            "state prov",
            "region",
            "state province",
            "county",
        ],
    ),
    (
        Field::Part(Part::Postal),
        &[
            "postal code",
            "postal",
            "zip",
            "zip code",
            "zipcode",
            "postcode",
            "post code",
            "postalcode",
            "pcode",
        ],
    ),
    (
        Field::Part(Part::Country),
        &[
            "country",
            "country code",
            "countrycode",
            "ccode",
            "country/economy",
            "country name",
        ],
    ),
    (
        Field::Given,
        &[
            "first name",
            "firstname",
            "fname",
            "given name",
            "givenname",
            "forename",
        ],
    ),
    (
        Field::Surname,
        &[
            "last name",
            "lastname",
            "lname",
            "family name",
            "familyname",
            "surname",
        ],
    ),
    (
        Field::Handle,
        &[
            "id",
            "handle",
            "hdl",
            "nic hdl",
            "nic hdl br",
            "nic handle",
            "contact id",
            "contact handle",
            "contact hdl",
            "norid handle",
            "jpnic handle",
            "pid",
            "nichandle",
        ],
    ),
    (Field::Kind, &["type", "contact type", "kind"]),
];

/// Keys of objects about a network, a route or an autonomous system.
const NETWORKS: &[&str] = &[
    "inetnum",
    "inet6num",
    "netrange",
    "net range",
    "network number",
    "cidr",
    "route",
    "route6",
    "aut num",
    "asnumber",
    "as number",
    "as block",
    "as name",
    "as set",
    "route set",
    "filter set",
    "peering set",
    "rtr set",
    "key cert",
    "netname",
    "net name",
];

/// Keys of objects about a domain.
const DOMAINS: &[&str] = &[
    "domain",
    "domain name",
    "domainname",
    "query",
    "domaintype",
    "ドメイン名",
    "도메인이름",
];

/// Brings a key to lower-case words: `OrgNOCEmail`, `admin-c` and `Registrant  Name` alike. What is in brackets is left out.
pub(super) fn words(key: &str) -> String {
    let mut words = String::with_capacity(key.len() + 8);
    let mut depth = 0_usize;
    let mut letters = key.chars().take(400).peekable();
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ => {
                let next_is_small = letters.peek().is_some_and(char::is_ascii_lowercase);
                let begins = before.is_ascii_lowercase() || before.is_ascii_uppercase() && next_is_small;
                if letter.is_ascii_uppercase() && begins {
                    words.push(' ');
                }
                if letter.is_alphanumeric() || letter == '/' {
                    words.extend(letter.to_lowercase());
                } else {
                    words.push(' ');
                }
            }
        }
        before = letter;
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Tells which field of a contact a key names.
pub(super) fn field(key: &str) -> Option<Field> {
    FIELDS
        .iter()
        .find(|(_, names)| names.contains(&key))
        .map(|(field, _)| *field)
}

/// Tells the role that words name, with the words that may stand behind it.
fn role(key: &str) -> Option<&'static str> {
    let mut rest = key;
    loop {
        if let Some((role, _)) = ROLES.iter().find(|(_, names)| names.contains(&rest)) {
            return Some(role);
        }
        let (before, last) = rest.rsplit_once(' ')?;
        if !BEHIND.contains(&last) {
            return None;
        }
        rest = before;
    }
}

/// Tells the roles that a heading or a key names: one, or several that share a contact.
pub(super) fn roles(written: &str) -> Vec<&'static str> {
    let whole = words(written);
    if let Some(role) = role(&whole) {
        return vec![role];
    }
    let mut found = Vec::new();
    for part in written
        .split([',', '/', '&', '+'])
        .flat_map(|part| part.split(" and "))
    {
        let part = words(part);
        match role(&part) {
            Some(role) if !found.contains(&role) => found.push(role),
            Some(_) => {}
            None if part
                .split(' ')
                .all(|word| word.is_empty() || BEHIND.contains(&word)) => {}
            None => return Vec::new(),
        }
    }
    found
}

/// Splits a key such as `registrant contact email` or `org tech phone` into the words of its role, the role, and the field.
pub(super) fn qualified(key: &str) -> Option<(&str, &'static str, Field)> {
    let ends = key.match_indices(' ').map(|(end, _)| end).collect::<Vec<_>>();
    ends.into_iter().rev().find_map(|end| {
        let (before, after) = key.split_at_checked(end)?;
        Some((before, role(before)?, field(after.trim_start())?))
    })
}

/// Tells whether a key refers to a contact by its handle: `admin-c`, `Tech-c Handle`, `Registrant Contact ID`.
pub(super) fn is_reference(key: &str) -> bool {
    key.ends_with(" c")
}

/// Tells whether a heading or key is about something that is no contact: a registrar, name servers, the domain.
pub(super) fn is_foreign(key: &str) -> bool {
    is_bare_foreign(key) || key.starts_with("registrar ") && role(key).is_none()
}

/// Tells the same of a line that is no key, of which nothing but its words says that it is a heading.
pub(super) fn is_bare_foreign(words: &str) -> bool {
    FOREIGN.contains(&words.strip_suffix(" in listed order").unwrap_or(words))
}

/// Tells whether a heading is a contact's whose role is not said: "Contact Information:".
pub(super) fn is_contact(key: &str) -> bool {
    key.contains("contact") && key.split(' ').all(|word| BEHIND.contains(&word))
}

/// Tells whether a heading is over the object itself: "Domain Information:".
pub(super) fn is_of_object(key: &str) -> bool {
    matches!(
        key,
        "domain"
            | "domain name"
            | "domain information"
            | "domain name information"
            | "domain data"
            | "network information"
    )
}

/// Tells whether a key begins what is said of another party than a contact: `registrar`, `reseller`.
pub(super) fn is_provider(key: &str) -> bool {
    matches!(
        key,
        "registrar"
            | "registrar name"
            | "sponsoring registrar"
            | "current registrar"
            | "current registar"
            | "reseller"
            | "authorized agency"
    )
}

/// Tells whether a key is of an object about a domain.
pub(super) fn is_of_domain(key: &str) -> bool {
    DOMAINS.contains(&key)
}

/// Tells whether a key is of an object about a network.
pub(super) fn is_of_network(key: &str) -> bool {
    NETWORKS.contains(&key)
}

/// Tells whether a key makes an object a contact's: its handle, or its name in the way of RIPE's objects.
pub(super) fn is_identity(key: &str) -> bool {
    matches!(key, "person" | "personname" | "role" | "contact" | "irt")
        || field(key) == Some(Field::Handle) && key != "id"
}
