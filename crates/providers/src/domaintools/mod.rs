//! Asks DomainTools: registration, hosting and risk data of domains and addresses.
//!
//! Facts are from the DomainTools API documentation and OpenAPI files and from answers of its own
//! client's recordings. Each file of this folder holds one product family; none of the vendor's JSON
//! leaves the folder.

mod account;
mod classify;
mod common;
mod history;
mod hosting;
mod iris;
mod listed;
mod pivots;
mod reverse;
mod risk;
mod sign;
mod whois;

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;

use super::kit::common::{offered, segment};
use super::{
    Call, Classification, CredentialField, Descriptor, ExposedKey, Lookup, Offer, Origin, Param, Product,
    Provider, ProviderError, ProviderOption, Reply, Step, Unit, Values, names,
};
use pivotd_domain::{Capability, IndicatorKind};

/// Name of the provider.
const NAME: &str = "domaintools";
/// Name of its only origin.
const ORIGIN: &str = "api";

// Product ids are those of the vendor's account information.
const ACCOUNT_INFORMATION: &str = "account-information";
const HOSTING_HISTORY: &str = "hosting-history";
const IRIS_ENRICH: &str = "iris-enrich";
const IRIS_INVESTIGATE: &str = "iris-investigate";
const PARSED_WHOIS: &str = "parsed-whois";
const REPUTATION: &str = "reputation";
const REVERSE_IP: &str = "reverse-ip";
const REVERSE_IP_WHOIS: &str = "reverse-ip-whois";
const REVERSE_NAME_SERVER: &str = "reverse-name-server";
const REVERSE_WHOIS: &str = "reverse-whois";
const RISK: &str = "risk";
const RISK_EVIDENCE: &str = "risk-evidence";
const WHOIS: &str = "whois";
const WHOIS_HISTORY: &str = "whois-history";

/// The most pages that one look-up reads.
const MAX_PAGES: usize = 10;

/// The most names that one call of Iris Enrich takes (DomainTools API, Iris Enrich).
const MOST_NAMES: usize = 100;

/// What stands in for the histories that hosting history no longer carries.
const DERIVED: &str = "Derived from whois records: changes between two captures are not seen.";

fn offers() -> Vec<Offer> {
    vec![
        Offer {
            max_calls: MAX_PAGES,
            paged: true,
            ..Offer::of(
                Capability::WhoisHistory,
                &[IndicatorKind::Domain],
                &[Product::calls(WHOIS_HISTORY).billed(Unit::Records)],
            )
        },
        Offer::of(
            Capability::Whois,
            &[IndicatorKind::Domain, IndicatorKind::Ipv4],
            &[
                // Addresses only; a domain passes it over.
                Product::calls(REVERSE_IP_WHOIS),
                Product::calls(PARSED_WHOIS),
                Product::calls(WHOIS).blind("No parsed contacts: they are read from the raw text."),
            ],
        ),
        Offer::of(
            Capability::IpHistory,
            &[IndicatorKind::Domain],
            &[Product::calls(HOSTING_HISTORY)],
        ),
        Offer {
            // Hosting history, then the pages of whois history where it has nothing.
            max_calls: MAX_PAGES + 1,
            ..Offer::of(
                Capability::NameserverHistory,
                &[IndicatorKind::Domain],
                &[
                    Product::calls(HOSTING_HISTORY).blind("Name servers by provider, not by host name."),
                    Product::calls(WHOIS_HISTORY).billed(Unit::Records).blind(DERIVED),
                ],
            )
        },
        Offer {
            max_calls: MAX_PAGES + 1,
            ..Offer::of(
                Capability::RegistrarHistory,
                &[IndicatorKind::Domain],
                &[
                    Product::calls(HOSTING_HISTORY),
                    Product::calls(WHOIS_HISTORY).billed(Unit::Records).blind(DERIVED),
                ],
            )
        },
        Offer {
            params: vec![Param::new(
                "scope",
                "Registrations",
                Values::one_of(&["historic", "current"]),
            )],
            max_calls: MAX_PAGES,
            paged: true,
            ..Offer::of(
                Capability::ReverseWhois,
                &[
                    IndicatorKind::Email,
                    IndicatorKind::Person,
                    IndicatorKind::Organization,
                    IndicatorKind::Phone,
                    IndicatorKind::Phrase,
                ],
                &[
                    Product::calls(IRIS_INVESTIGATE),
                    Product::calls(REVERSE_WHOIS).billed(Unit::Money("USD".into())),
                ],
            )
        },
        Offer::of(
            Capability::DomainsOnIp,
            &[IndicatorKind::Ipv4],
            &[Product::calls(REVERSE_IP)],
        ),
        Offer::of(
            Capability::Neighbours,
            &[IndicatorKind::Domain],
            &[Product::calls(REVERSE_IP)],
        ),
        Offer::of(
            Capability::DomainsOnNameserver,
            &[IndicatorKind::Hostname, IndicatorKind::Domain],
            &[Product::calls(REVERSE_NAME_SERVER)],
        ),
        Offer::of(
            Capability::Risk,
            &[IndicatorKind::Domain],
            &[
                Product::calls(IRIS_ENRICH).batched(MOST_NAMES),
                Product::calls(RISK_EVIDENCE),
                Product::calls(RISK).blind("No evidence, only scores."),
                Product::calls(REPUTATION).blind("No components: the score and at most its reasons."),
            ],
        ),
        Offer::of(
            Capability::Pivots,
            &[
                IndicatorKind::Domain,
                IndicatorKind::Ipv4,
                IndicatorKind::Email,
                IndicatorKind::Certificate,
            ],
            &[Product::calls(IRIS_INVESTIGATE)],
        ),
        Offer::of(
            Capability::Account,
            &[IndicatorKind::Phrase],
            &[Product::calls(ACCOUNT_INFORMATION)],
        ),
    ]
}

static DESCRIPTOR: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
        origins: vec![Origin::new(ORIGIN, "https://api.domaintools.com")],
        credentials: vec![
            CredentialField::plain("username", "API username"),
            CredentialField::secret("api_key", "API key"),
        ],
        options: vec![ProviderOption::new("auth", &["signed", "open-key", "header"])],
        offers: offers(),
        // No rate stands in the vendor's answers; recorded account information allows Iris Investigate 20 a
        // minute, and most other products more.
        default_rate: names(&["20/min"]),
        account: Some(ACCOUNT_INFORMATION.into()),
        ..Descriptor::new(NAME, "DomainTools")
    })
});

/// Answers questions through the DomainTools API.
#[derive(Debug, Clone, Copy, Default)]
pub struct DomainTools;

impl Provider for DomainTools {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &DESCRIPTOR
    }

    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError> {
        let capability = offered(&DESCRIPTOR, lookup)?.capability;
        match capability {
            Capability::IpHistory | Capability::NameserverHistory | Capability::RegistrarHistory => {
                hosting::start(lookup)
            }
            Capability::WhoisHistory => history::start(lookup),
            Capability::Whois => whois::start(lookup),
            Capability::ReverseWhois => reverse::start(lookup),
            Capability::DomainsOnIp | Capability::Neighbours | Capability::DomainsOnNameserver => {
                listed::start(lookup)
            }
            Capability::Risk => risk::start(lookup),
            Capability::Pivots => pivots::start(lookup),
            Capability::Account => account::start(lookup),
            _ => Err(ProviderError::Unsupported(format!(
                "DomainTools has no {capability}"
            ))),
        }
    }

    fn classify(&self, call: &Call, reply: &Reply) -> Classification {
        classify::classify(call, reply)
    }

    fn sign(&self, call: &mut Call, key: &ExposedKey<'_>, now: Timestamp) -> Result<(), ProviderError> {
        sign::sign(call, key, now)
    }
}
