//! Reads domain objects (RFC 9083, 5.3), and merges what registry and registrar say of a domain.

use super::jcard::{self, Card, Entity};
use crate::ProviderError;
use crate::kit::contact::{self, Contact};
use crate::kit::reach::{all_emails, all_phones};
use crate::kit::tolerant::{Node, clean, distinct, host, malformed};
use pivotd_domain::Record;

/// Name servers, statuses and links of one answer at most.
const MOST: usize = 100;

/// Holds a domain's registration as one server tells it.
#[derive(Debug)]
pub(super) struct Registration {
    pub(super) record: Record,
    /// Where the registrar's answer is, as the registry writes it.
    pub(super) links: Vec<String>,
}

/// Reads a domain object.
///
/// # Errors
/// [`ProviderError::Malformed`] where it is none, or one of another name.
pub(super) fn read(object: Node<'_>, domain: &str) -> Result<Registration, ProviderError> {
    let known = ["ldhName", "handle", "events", "entities", "nameservers"];
    let is_domain = object
        .get("objectClassName")
        .text()
        .is_none_or(|class| class.eq_ignore_ascii_case("domain"));
    if !is_domain || !known.iter().any(|name| object.get(name).exists()) {
        return Err(malformed("registration"));
    }
    // Registries write names in upper case, some with a trailing dot.
    if let Some(name) = object.get("ldhName").host()
        && name != domain
    {
        return Err(ProviderError::Malformed(
            "the answer is about another name".to_owned(),
        ));
    }
    let entities = jcard::entities(object);
    let contacts: Vec<Contact> = entities
        .iter()
        .filter(|entity| is_contact(entity))
        .map(jcard::contact)
        .collect();
    let untold = contact::untold(&contacts);
    let contacts = contact::records(&contacts);
    let registrar = entities.iter().find(|entity| entity.is("registrar"));
    let registrar_card = registrar.map(|entity| jcard::card(entity.node));
    let abuse = abuse(&entities);
    let servers = object.get("nameservers").many().take(MOST);
    let servers = distinct(servers.filter_map(|server| {
        let name = server
            .get("ldhName")
            .text()
            .or(server.get("unicodeName").text())?;
        host(&name)
    }));
    let mut statuses = distinct(object.get("status").texts().into_iter());
    statuses.truncate(MOST);
    let event = |actions: &[&str]| event(object, actions);
    let record = Record::new()
        .with("domain", domain)
        .with_some("captured", event(&["last update of rdap database"]))
        .with_some("registrar", registrar_card.as_ref().and_then(name))
        .with_some(
            "registrar_url",
            registrar.and_then(|entity| site(entity, registrar_card.as_ref())),
        )
        .with_some("iana_id", registrar.and_then(iana_id))
        .with_some("registrant", registrant(&contacts))
        .with_some("created", event(&["registration"]))
        .with_some("updated", event(&["last changed", "last update"]))
        .with_some("expires", event(&["expiration", "registrar expiration"]))
        .with("statuses", statuses)
        .with_some("server", object.get("port43").text())
        .with_some("dnssec", object.get("secureDNS").get("delegationSigned").flag())
        .with_some(
            "abuse_email",
            abuse
                .as_ref()
                .and_then(|card| card.emails.iter().find_map(|email| all_emails(email))),
        )
        .with_some(
            "abuse_phone",
            abuse
                .as_ref()
                .and_then(|card| card.phones.iter().find_map(|phone| all_phones(phone))),
        )
        .with(
            "name_servers",
            servers
                .into_iter()
                .map(|name| Record::new().with("name", name))
                .collect::<Vec<_>>(),
        )
        .with("contacts", contacts);
    let record = untold.put(record);
    Ok(Registration {
        record,
        links: links(object),
    })
}

/// Makes the record of the reputation: measure `registered`, with the day as `first_seen`; `None` where the server does
/// not tell it. How old that is, is for the scoring, at that time.
pub(super) fn registered(registration: &Record) -> Option<Record> {
    let day = registration.day("created")?;
    let by = registration.text("registrar");
    let by = by.map(|name| format!(" by {name}")).unwrap_or_default();
    let reason = clean(&format!("registered {day}{by}"));
    Some(
        Record::new()
            .with("measure", "registered")
            .with("reasons", vec![reason])
            .with("first_seen", day),
    )
}

/// Tells whether an entity is a contact of the domain, rather than of its registrar.
///
/// Who takes complaints and nothing else is a desk of the registrar's, wherever it stands; a registrar can hold a
/// domain of its own.
fn is_contact(entity: &Entity<'_>) -> bool {
    const HOLDERS: [&str; 4] = ["registrant", "administrative", "technical", "billing"];
    let holds = HOLDERS.iter().any(|role| entity.is(role));
    let desk = !entity.roles.is_empty() && entity.roles.iter().all(|role| role == "abuse");
    !entity.of_registrar && !desk && (holds || !entity.is("registrar"))
}

/// Merges both answers: the registry's fields win, and of the contacts of one role the registrar's, since the registrar
/// is who keeps them.
pub(super) fn merge(mut registry: Record, registrar: &Record) -> Record {
    let mut contacts = registrar.records("contacts").to_vec();
    let others = registry.records("contacts").iter().filter(|contact| {
        let same = |other: &Record| other.get("role") == contact.get("role");
        !registrar.records("contacts").iter().any(same)
    });
    contacts.extend(others.cloned());
    let named = registrant(&contacts);
    for field in pivotd_domain::Capability::Whois.schema().fields {
        if registry.get(field.name).is_none()
            && let Some(value) = registrar.get(field.name)
        {
            registry.set(field.name, value.clone());
        }
    }
    registry.set("registrant", named.unwrap_or_default());
    registry.set("contacts", contacts);
    registry
}

/// Returns the day of the first event that is one of these actions, the earlier named first.
pub(super) fn event(object: Node<'_>, actions: &[&str]) -> Option<jiff::civil::Date> {
    actions.iter().find_map(|action| {
        object
            .get("events")
            .many()
            .take(MOST)
            .filter(|event| {
                let name = event.get("eventAction").text();
                name.is_some_and(|name| name.eq_ignore_ascii_case(action))
            })
            .find_map(|event| event.get("eventDate").day())
    })
}

/// Returns where the registrar's answer is: links with the relation `related` and RDAP's media type.
fn links(object: Node<'_>) -> Vec<String> {
    let is = |link: Node<'_>, name: &str, wanted: &str| {
        link.get(name)
            .text()
            .is_some_and(|text| text.eq_ignore_ascii_case(wanted))
    };
    object
        .get("links")
        .many()
        .take(MOST)
        .filter(|link| is(*link, "rel", "related") && is(*link, "type", "application/rdap+json"))
        .filter_map(|link| link.get("href").text())
        .collect()
}

/// Returns the organisation of the registrant, else the name, as one text.
fn registrant(contacts: &[Record]) -> Option<String> {
    let of = |contact: &&Record| contact.text("role").as_deref() == Some("registrant");
    let contact = contacts.iter().find(of)?;
    let text = contact.text("organization").or_else(|| contact.text("name"));
    text.map(std::borrow::Cow::into_owned)
}

/// Returns who takes complaints: a contact of the registrar's, else any of that role.
pub(super) fn abuse(entities: &[Entity<'_>]) -> Option<Card> {
    let of_role = || entities.iter().filter(|entity| entity.is("abuse"));
    of_role()
        .find(|entity| entity.of_registrar)
        .or_else(|| of_role().next())
        .map(|entity| jcard::card(entity.node))
}

/// Returns the name of an organisation: servers put it into `fn`, `org`, or both.
pub(super) fn name(card: &Card) -> Option<String> {
    card.name
        .iter()
        .chain(&card.organization)
        .find_map(|name| crate::kit::tolerant::public_text(name))
}

/// Returns the registrar's own page, where its entity links to one.
fn site(entity: &Entity<'_>, card: Option<&Card>) -> Option<String> {
    let is_page = |link: &Node<'_>| {
        let text = |name: &str| link.get(name).text().unwrap_or_default().to_lowercase();
        text("rel") == "about" && text("type") != "application/rdap+json"
    };
    let web = |text: &String| text.starts_with("https://") || text.starts_with("http://");
    entity
        .node
        .get("links")
        .many()
        .take(MOST)
        .filter(is_page)
        .filter_map(|link| link.get("href").text())
        .chain(card.and_then(|card| card.url.clone()))
        .find(web)
}

/// Returns the registrar's IANA id, a number.
fn iana_id(entity: &Entity<'_>) -> Option<String> {
    entity
        .node
        .get("publicIds")
        .many()
        .filter(|id| {
            let kind = id.get("type").text().unwrap_or_default().to_lowercase();
            kind.contains("iana")
        })
        .find_map(|id| id.get("identifier").text())
        .filter(|id| id.len() <= 10 && id.bytes().all(|byte| byte.is_ascii_digit()))
}
