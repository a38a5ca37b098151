//! Tests what all providers tell of people and organizations.

use super::testing;
use crate::domain::{Capability, IndicatorKind, Record};
use crate::providers::Providers;

/// Walks every registration that the fixtures hold, of every provider, with each name in it replaced.
#[test]
fn no_provider_tells_a_desk_a_handle_or_a_redaction_as_a_name() {
    let values = [
        (IndicatorKind::Domain, "example.com"),
        (IndicatorKind::Domain, "tendrit.example"),
        (IndicatorKind::Ipv4, "192.0.2.44"),
    ];
    let nobodies = [
        "Abuse",
        "Routing and Peering",
        "REDACTED FOR PRIVACY",
        "HB1-NICAT",
        "Not shown, please visit www.registry.example",
    ];
    let mut replaced = std::collections::BTreeSet::new();
    for provider in &Providers::built_in() {
        let descriptor = provider.descriptor();
        let registrations = [
            Capability::Whois,
            Capability::WhoisHistory,
            Capability::ReverseWhois,
        ];
        for offer in descriptor
            .offers
            .iter()
            .filter(|offer| registrations.contains(&offer.capability))
        {
            for (kind, value) in values.iter().filter(|(kind, _)| offer.inputs.contains(kind)) {
                for product in &offer.products {
                    let query = testing::question(offer.capability, *kind, value);
                    let lookup = testing::lookup(provider.as_ref(), query, &product.id);
                    let vendor = testing::vendor(&descriptor.name);
                    let walk = |change: &dyn Fn(String) -> String| {
                        testing::walk(provider.as_ref(), &lookup, |call| {
                            let mut reply = testing::play(provider.as_ref(), &vendor, call);
                            reply.body = change(String::from_utf8_lossy(&reply.body).into_owned()).into();
                            reply
                        })
                    };
                    let Ok(found) = walk(&|body| body) else { continue };
                    let names: Vec<String> = found
                        .answers
                        .iter()
                        .flat_map(|answer| &answer.records)
                        .flat_map(names)
                        .collect();
                    for name in &names {
                        for nobody in nobodies {
                            let Ok(changed) = walk(&|body| body.replace(name.as_str(), nobody)) else {
                                continue;
                            };
                            replaced.insert(descriptor.name.clone());
                            for record in changed.answers.iter().flat_map(|answer| &answer.records) {
                                let told = self::names(record);
                                assert!(
                                    !told.iter().any(|told| told == nobody),
                                    "{} {nobody}: {told:?}",
                                    descriptor.name
                                );
                            }
                        }
                    }
                }
            }
        }
    }
    for provider in ["domaintools", "passivetotal", "defender", "rdap"] {
        assert!(replaced.contains(provider), "{provider}: nothing was replaced");
    }
}

/// Returns who is named in a registration: its contacts, and its registrant.
fn names(record: &Record) -> Vec<String> {
    let fields = ["name", "organization"];
    let contacts = record.records("contacts").iter();
    contacts
        .flat_map(|contact| fields.iter().filter_map(|field| contact.text(field)))
        .chain(record.text("registrant"))
        .map(std::borrow::Cow::into_owned)
        .collect()
}
