//! Reads contacts out of RDAP entities, whose data are jCards (RFC 7095).
//!
//! A jCard is `["vcard", [[name, parameters, type, value, …], …]]`. Parameters are an object, or an empty list where a
//! server writes them so; values are texts or lists of texts; an address can be nothing but its label.

use crate::domain::Record;
use crate::providers::tolerant::{Node, public_email, public_name, public_phone, public_text};

/// Entities of one answer at most, and how deep they stand inside each other.
const MOST: usize = 60;
const DEEPEST: usize = 4;

/// Holds an entity with its roles.
#[derive(Debug, Clone)]
pub(super) struct Entity<'a> {
    pub(super) node: Node<'a>,
    pub(super) roles: Vec<String>,
    /// Whether it stands below an entity with the role of a registrar.
    pub(super) of_registrar: bool,
}

impl Entity<'_> {
    /// Tells whether it has a role.
    pub(super) fn is(&self, role: &str) -> bool {
        self.roles.iter().any(|known| known == role)
    }
}

/// Lists the entities of an object, those inside others included, in the order of the answer.
pub(super) fn entities(object: Node<'_>) -> Vec<Entity<'_>> {
    let mut found = Vec::new();
    gather(object, false, 0, &mut found);
    found
}

fn gather<'a>(object: Node<'a>, of_registrar: bool, depth: usize, found: &mut Vec<Entity<'a>>) {
    if depth >= DEEPEST {
        return;
    }
    for node in object.get("entities").many().filter(|node| node.is_object()) {
        if found.len() >= MOST {
            return;
        }
        let roles = node.get("roles").texts();
        let roles: Vec<String> = roles.iter().map(|role| role.to_lowercase()).collect();
        let entity = Entity {
            node,
            roles,
            of_registrar,
        };
        let below = of_registrar || entity.is("registrar");
        found.push(entity);
        gather(node, below, depth + 1, found);
    }
}

/// Holds the properties of a jCard that are read.
#[derive(Debug, Default)]
pub(super) struct Card {
    /// The name to show, of a person or an organisation.
    pub(super) name: Option<String>,
    pub(super) organization: Option<String>,
    /// What it is of: `individual`, `org`, `group` …
    kind: Option<String>,
    pub(super) emails: Vec<String>,
    pub(super) phones: Vec<String>,
    faxes: Vec<String>,
    street: Vec<String>,
    city: Option<String>,
    state: Option<String>,
    postal: Option<String>,
    country: Option<String>,
    pub(super) url: Option<String>,
}

/// Reads the jCard of an entity; one without a card has an empty one.
pub(super) fn card(entity: Node<'_>) -> Card {
    let mut card = Card::default();
    let properties = entity
        .get("vcardArray")
        .many()
        .find(|part| part.is_list())
        .into_iter()
        .flat_map(Node::many);
    for property in properties.filter(|property| property.is_list()).take(200) {
        let mut parts = property.raw();
        let Some(name) = parts.next().and_then(Node::text) else {
            continue;
        };
        let parameters = parts.next().unwrap_or_default();
        let values = parts.skip(1);
        card.read(&name.to_lowercase(), parameters, values);
    }
    card
}

impl Card {
    fn read<'a>(&mut self, name: &str, parameters: Node<'a>, mut values: impl Iterator<Item = Node<'a>>) {
        let Some(value) = values.next() else { return };
        let texts = value.texts();
        let joined = || Some(texts.join(", ")).filter(|text| !text.is_empty());
        let first = |slot: &mut Option<String>, found: Option<String>| {
            if slot.is_none() {
                *slot = found;
            }
        };
        let push = |slot: &mut Vec<String>, found: Option<String>| {
            if slot.len() < 12 {
                slot.extend(found);
            }
        };
        match name {
            "fn" => first(&mut self.name, joined()),
            "org" => first(&mut self.organization, joined()),
            "kind" => first(&mut self.kind, joined().map(|kind| kind.to_lowercase())),
            "url" => first(&mut self.url, joined()),
            "email" => push(&mut self.emails, value.text().map(|text| bare(&text, "mailto:"))),
            "tel" => {
                let fax = parameters
                    .get("type")
                    .many()
                    .filter_map(Node::text)
                    .any(|kind| kind.eq_ignore_ascii_case("fax"));
                let number = value
                    .text()
                    .map(|text| bare(&text, "tel:").replace(";ext=", " x"));
                push(if fax { &mut self.faxes } else { &mut self.phones }, number);
            }
            "adr" => self.address(parameters, value),
            _ => {}
        }
    }

    /// Reads an address: post office box, extension, street, city, region, code, country (RFC 6350, 6.3.1).
    fn address(&mut self, parameters: Node<'_>, value: Node<'_>) {
        let mut parts = value.raw();
        let mut next = || parts.next().unwrap_or_default().texts();
        let street: Vec<String> = [next(), next(), next()].concat();
        let mut one = || Some(next().join(", ")).filter(|text| !text.is_empty());
        let (city, state, postal, country) = (one(), one(), one(), one());
        if self.street.is_empty() && self.city.is_none() {
            let label = || parameters.get("label").text();
            let lines = |text: String| text.lines().map(str::to_owned).collect();
            self.street = if street.is_empty() && city.is_none() {
                label().map(lines).unwrap_or_default()
            } else {
                street
            };
            (self.city, self.state, self.postal) = (city, state, postal);
            // RFC 8605 puts the country's code into a parameter; its case varies.
            let code = ["cc", "CC"]
                .into_iter()
                .find_map(|name| parameters.get(name).text());
            self.country = code.map(|code| code.to_uppercase()).or(country);
        }
    }
}

/// Makes a contact's record; `None` where nothing but a role and a place is left after redactions.
pub(super) fn contact(entity: &Entity<'_>) -> Option<Record> {
    let card = card(entity.node);
    let mut name = card.name.as_deref();
    let mut organization = card.organization.as_deref();
    match card.kind.as_deref() {
        Some("org" | "organization") => organization = organization.or(name.take()),
        // A desk or a mailing list is no person.
        Some("group") => name = None,
        _ => {}
    }
    if name == organization {
        name = None;
    }
    let written = name.is_some() || organization.is_some();
    let public = |text: Option<&str>| text.and_then(public_name);
    let text = |text: &Option<String>| text.as_deref().and_then(public_text);
    let street: Vec<String> = card.street.iter().filter_map(|line| public_text(line)).collect();
    let record = Record::new()
        .with_some("name", public(name))
        .with_some("organization", public(organization))
        .with_some("email", card.emails.iter().find_map(|email| public_email(email)));
    // A privacy service's telephone and street are nobody's either.
    if written && record.is_empty() {
        return None;
    }
    let record = record
        .with_some("phone", card.phones.iter().find_map(|phone| public_phone(phone)))
        .with_some("fax", card.faxes.iter().find_map(|fax| public_phone(fax)));
    if record.is_empty() {
        return None;
    }
    Some(
        record
            .with_some("role", role(entity))
            .with("street", street.join(", "))
            .with_some("city", text(&card.city))
            .with_some("state", text(&card.state))
            .with_some("postal", text(&card.postal))
            .with_some("country", text(&card.country)),
    )
}

/// Returns an entity's role in the words that other providers use, the one nearest to the holder first.
fn role(entity: &Entity<'_>) -> Option<String> {
    const KNOWN: &[(&str, &str)] = &[
        ("registrant", "registrant"),
        ("administrative", "admin"),
        ("technical", "tech"),
        ("billing", "billing"),
        ("abuse", "abuse"),
    ];
    KNOWN
        .iter()
        .find(|(theirs, _)| entity.is(theirs))
        .map(|(_, ours)| (*ours).to_owned())
        .or_else(|| entity.roles.first().cloned())
}

/// Takes the scheme off a URI.
fn bare(text: &str, scheme: &str) -> String {
    match text.get(..scheme.len()) {
        Some(head) if head.eq_ignore_ascii_case(scheme) => text.get(scheme.len()..).unwrap_or_default(),
        _ => text,
    }
    .to_owned()
}
