//! Reads the objects of networks and autonomous systems (RFC 9083, 5.4 and 5.5).

use std::net::IpAddr;

use super::domain::{abuse, event};
use super::jcard::{self, Entity};
use super::lookup::number;
use crate::ProviderError;
use crate::kit::contact::{self, Contact};
use crate::kit::facts::country_code;
use crate::kit::reach::{all_emails, all_phones};
use crate::kit::tolerant::{Node, address, distinct, malformed};
use pivotd_domain::{IndicatorKind, Query, Record};

/// Reads what a registry says of an address or an autonomous system.
///
/// # Errors
/// [`ProviderError::Malformed`] where it says nothing, or speaks of another one.
pub(super) fn read(object: Node<'_>, query: &Query) -> Result<Record, ProviderError> {
    let (record, known) = match query.indicator.kind() {
        IndicatorKind::Asn => autonomous_system(object, query)?,
        _ => network(object, query)?,
    };
    if !known && !object.get("name").exists() && !object.get("handle").exists() {
        return Err(malformed("registration"));
    }
    let entities = jcard::entities(object);
    let contacts: Vec<Contact> = entities.iter().map(jcard::contact).collect();
    let untold = contact::untold(&contacts);
    let contacts = contact::records(&contacts);
    let abuse = abuse(&entities);
    let email = abuse
        .as_ref()
        .and_then(|card| card.emails.iter().find_map(|email| all_emails(email)));
    let phone = abuse
        .as_ref()
        .and_then(|card| card.phones.iter().find_map(|phone| all_phones(phone)));
    let record = record
        .with_some("captured", event(object, &["last update of rdap database"]))
        .with_some("network_name", object.get("name").text())
        .with_some("organization", holder(&entities))
        .with_some("created", event(object, &["registration"]))
        .with_some("updated", event(object, &["last changed", "last update"]))
        .with_some(
            "country",
            object.get("country").text().map(|text| country_code(&text)),
        )
        .with(
            "statuses",
            distinct(object.get("status").texts().into_iter().take(20)),
        )
        .with_some("server", object.get("port43").text())
        .with_some("abuse_email", email)
        .with_some("abuse_phone", phone)
        .with("contacts", contacts);
    Ok(untold.put(record))
}

/// Returns the name of its holder.
fn holder(entities: &[Entity<'_>]) -> Option<String> {
    let holder = entities.iter().find(|entity| entity.is("registrant"))?;
    let records = jcard::contact(holder).records();
    let organization = records.iter().find_map(|record| record.text("organization"));
    organization.map(std::borrow::Cow::into_owned)
}

fn network(object: Node<'_>, query: &Query) -> Result<(Record, bool), ProviderError> {
    let asked = query.indicator.value();
    // ARIN's extension names the systems that may announce the network (`arin_originas0`).
    let origins = object.get("arin_originas0_originautnums");
    let origin = origins.many().find_map(|node| number(&node.text()?));
    let record = Record::new()
        .with("ip", asked)
        .with_some("asn", origin.map(|number| number.to_string()));
    // Some servers write the first address with its prefix.
    let bound = |name: &str| -> Option<IpAddr> {
        let text = object.get(name).text()?;
        address(text.split('/').next()?)?.parse().ok()
    };
    let Some((first, last)) = bound("startAddress").zip(bound("endAddress")) else {
        return Ok((record, false));
    };
    let inside = asked
        .parse::<IpAddr>()
        .is_ok_and(|asked| first.is_ipv4() == asked.is_ipv4() && (first..=last).contains(&asked));
    if !inside || first.is_ipv4() != last.is_ipv4() {
        return Err(ProviderError::Malformed(
            "the answer is about another network".to_owned(),
        ));
    }
    let cidrs = object.get("cidr0_cidrs").many().take(50).filter_map(|cidr| {
        let prefix = cidr
            .get("v4prefix")
            .address()
            .or(cidr.get("v6prefix").address())?;
        let length = cidr.get("length").count()?;
        Some(format!("{prefix}/{length}"))
    });
    let cidrs: Vec<String> = distinct(cidrs);
    let record = record
        .with("netblock", format!("{first}-{last}"))
        .with("cidr", cidrs.join(", "));
    Ok((record, true))
}

fn autonomous_system(object: Node<'_>, query: &Query) -> Result<(Record, bool), ProviderError> {
    let asked = number(query.indicator.value()).ok_or_else(|| malformed("number"))?;
    let record = Record::new().with("asn", asked.to_string());
    let bound = |name: &str| object.get(name).text().and_then(|text| number(&text));
    let Some((first, last)) = bound("startAutnum").zip(bound("endAutnum")) else {
        return Ok((record, false));
    };
    if !(first..=last).contains(&asked) {
        return Err(ProviderError::Malformed(
            "the answer is about another autonomous system".to_owned(),
        ));
    }
    Ok((record, true))
}
