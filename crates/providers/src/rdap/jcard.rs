//! Reads contacts out of RDAP entities, whose data are jCards (RFC 7095).
//!
//! A jCard is `["vcard", [[name, parameters, type, value, …], …]]`. Parameters are an object, or an empty list where a
//! server writes them so; values are texts or lists of texts; an address can be nothing but its label, or plain text; a
//! telephone number can come in parts.

use crate::kit::contact::{self, Contact, Part};
use crate::kit::tolerant::Node;

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
        let others: Vec<Node<'a>> = values.take(MOST_PARTS).collect();
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
            "email" => {
                for text in every(value, &others) {
                    push(&mut self.emails, Some(bare(&text, "mailto:")));
                }
            }
            "tel" => {
                let fax = parameters
                    .get("type")
                    .many()
                    .filter_map(Node::text)
                    .any(|kind| kind.eq_ignore_ascii_case("fax"));
                let slot = if fax { &mut self.faxes } else { &mut self.phones };
                for number in telephones(&every(value, &others)) {
                    push(slot, Some(number));
                }
            }
            "adr" => self.address(parameters, value),
            _ => {}
        }
    }

    /// Reads an address: post office box, extension, street, city, region, code, country (RFC 6350, 6.3.1).
    fn address(&mut self, parameters: Node<'_>, value: Node<'_>) {
        if self.is_placed() {
            return;
        }
        if let Some(text) = value.text() {
            self.street = lines(&text);
            self.country = code(parameters);
            return;
        }
        let mut parts = value.raw();
        let mut next = || parts.next().unwrap_or_default().texts();
        let street: Vec<String> = [next(), next(), next()].concat();
        let mut one = || Some(next().join(", ")).filter(|text| !text.is_empty());
        let (city, state, postal, country) = (one(), one(), one(), one());
        self.street = if street.is_empty() && city.is_none() {
            let label = named(parameters, "label").text();
            label.map(|text| lines(&text)).unwrap_or_default()
        } else {
            street.iter().flat_map(|text| lines(text)).collect()
        };
        (self.city, self.state, self.postal) = (city, state, postal);
        self.country = code(parameters).or(country);
    }

    /// Tells whether an address was read.
    fn is_placed(&self) -> bool {
        !self.street.is_empty() || self.city.is_some()
    }
}

/// Values of one property beyond its first at most.
const MOST_PARTS: usize = 12;

/// Returns the texts of all values of a property.
fn every(value: Node<'_>, others: &[Node<'_>]) -> Vec<String> {
    let others = others.iter().flat_map(|other| other.many());
    value
        .many()
        .chain(others)
        .filter_map(Node::text)
        .take(MOST_PARTS)
        .collect()
}

/// Makes telephone numbers of the values of one property: several, or one in parts (country, area, number).
fn telephones(texts: &[String]) -> Vec<String> {
    /// A number that can be dialled by itself has at least so many digits.
    const WHOLE: usize = 7;
    let numbers: Vec<String> = texts
        .iter()
        .map(|text| bare(text, "tel:").replace(";ext=", " x"))
        .collect();
    let is_whole = |text: &String| text.bytes().filter(u8::is_ascii_digit).count() >= WHOLE;
    if numbers.iter().all(is_whole) {
        return numbers;
    }
    vec![numbers.join(" ")]
}

/// Returns the lines of a text.
fn lines(text: &str) -> Vec<String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Returns a parameter, in whichever case its name is written.
fn named<'a>(parameters: Node<'a>, name: &str) -> Node<'a> {
    parameters
        .members()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .unwrap_or_default()
}

/// Returns the country's code, which RFC 8605 puts into a parameter.
fn code(parameters: Node<'_>) -> Option<String> {
    named(parameters, "cc").text().map(|code| code.to_uppercase())
}

/// Reads the contact that an entity is, with all its roles.
pub(super) fn contact(entity: &Entity<'_>) -> Contact {
    let card = card(entity.node);
    let mut contact = Contact::default();
    // A registrar that holds a domain of its own is a contact as its holder.
    let is_other = |role: &&String| {
        !matches!(
            role.as_str(),
            "registrar" | "reseller" | "sponsor" | "notifications"
        )
    };
    let mut roles: Vec<&String> = entity.roles.iter().filter(is_other).collect();
    if roles.is_empty() {
        roles = entity.roles.iter().collect();
    }
    for role in roles {
        contact.add_role(contact::role(role));
    }
    // A group is a desk, a mailing list or an organization.
    let name = match card.kind.as_deref() {
        Some("org" | "organization" | "organisation" | "group") => Part::Group,
        _ => Part::Name,
    };
    let one = |part, text: &Option<String>, contact: &mut Contact| {
        if let Some(text) = text {
            contact.add(part, text);
        }
    };
    // A registry writes the handle where it knows no name.
    let handle = entity.node.get("handle").text();
    let is_handle = |text: &String| {
        let is = |handle: &String| handle.eq_ignore_ascii_case(text) && !handle.contains(char::is_whitespace);
        handle.as_ref().is_some_and(is)
    };
    if !card.name.as_ref().is_some_and(is_handle) {
        one(name, &card.name, &mut contact);
    }
    one(Part::Organization, &card.organization, &mut contact);
    let many = [
        (Part::Email, &card.emails),
        (Part::Phone, &card.phones),
        (Part::Fax, &card.faxes),
        (Part::Street, &card.street),
    ];
    for (part, texts) in many {
        for text in texts {
            contact.add(part, text);
        }
    }
    one(Part::City, &card.city, &mut contact);
    one(Part::State, &card.state, &mut contact);
    one(Part::Postal, &card.postal, &mut contact);
    one(Part::Country, &card.country, &mut contact);
    contact
}

/// Takes the scheme off a URI.
fn bare(text: &str, scheme: &str) -> String {
    match text.get(..scheme.len()) {
        Some(head) if head.eq_ignore_ascii_case(scheme) => text.get(scheme.len()..).unwrap_or_default(),
        _ => text,
    }
    .to_owned()
}
