//! Asks DomainTools: registration, hosting and risk data of domains and addresses.
//!
//! Facts are from the DomainTools API documentation and OpenAPI files and from answers of its own
//! client's recordings. Each file of this folder holds one product family; none of the vendor's JSON
//! leaves the folder.

mod account;
mod common;
mod history;
mod hosting;
mod iris;
mod judge;
mod listed;
mod pivots;
mod reverse;
mod risk;
mod sign;
mod whois;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::common::{offered, segment};
use super::{
    Call, CredentialField, Descriptor, Exposed, Judgement, Lookup, Offer, Origin, Param, Product, Provider,
    ProviderError, ProviderOption, Reply, Step, Unit, Values,
};
use crate::domain::{Capability, IndicatorKind};

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

const fn product(id: &'static str, blind: Option<&'static str>) -> Product {
    billed(id, Unit::Calls, blind)
}

const fn billed(id: &'static str, unit: Unit, blind: Option<&'static str>) -> Product {
    Product {
        id,
        unit,
        blind,
        max_batch: 1,
    }
}

/// What stands in for the histories that hosting history no longer carries.
const DERIVED: &str = "Derived from whois records: changes between two captures are not seen.";

static OFFERS: &[Offer] = &[
    Offer {
        max_calls: MAX_PAGES,
        paged: true,
        ..Offer::of(
            Capability::WhoisHistory,
            &[IndicatorKind::Domain],
            &[billed(WHOIS_HISTORY, Unit::Records, None)],
        )
    },
    Offer::of(
        Capability::Whois,
        &[IndicatorKind::Domain, IndicatorKind::Ipv4],
        &[
            // Addresses only; a domain passes it over.
            product(REVERSE_IP_WHOIS, None),
            product(PARSED_WHOIS, None),
            product(
                WHOIS,
                Some("No parsed contacts: they are read from the raw text."),
            ),
        ],
    ),
    Offer::of(
        Capability::IpHistory,
        &[IndicatorKind::Domain],
        &[product(HOSTING_HISTORY, None)],
    ),
    Offer {
        // Hosting history, then the pages of whois history where it has nothing.
        max_calls: MAX_PAGES + 1,
        ..Offer::of(
            Capability::NameserverHistory,
            &[IndicatorKind::Domain],
            &[
                product(
                    HOSTING_HISTORY,
                    Some("Name servers by provider, not by host name."),
                ),
                billed(WHOIS_HISTORY, Unit::Records, Some(DERIVED)),
            ],
        )
    },
    Offer {
        max_calls: MAX_PAGES + 1,
        ..Offer::of(
            Capability::RegistrarHistory,
            &[IndicatorKind::Domain],
            &[
                product(HOSTING_HISTORY, None),
                billed(WHOIS_HISTORY, Unit::Records, Some(DERIVED)),
            ],
        )
    },
    Offer {
        params: &[Param {
            name: "scope",
            title: "Registrations",
            values: Values::OneOf(&["historic", "current"]),
        }],
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
                product(IRIS_INVESTIGATE, None),
                billed(REVERSE_WHOIS, Unit::Money("USD"), None),
            ],
        )
    },
    Offer::of(
        Capability::DomainsOnIp,
        &[IndicatorKind::Ipv4],
        &[product(REVERSE_IP, None)],
    ),
    Offer::of(
        Capability::Neighbours,
        &[IndicatorKind::Domain],
        &[product(REVERSE_IP, None)],
    ),
    Offer::of(
        Capability::DomainsOnNameserver,
        &[IndicatorKind::Hostname, IndicatorKind::Domain],
        &[product(REVERSE_NAME_SERVER, None)],
    ),
    Offer::of(
        Capability::Risk,
        &[IndicatorKind::Domain],
        &[
            product(IRIS_ENRICH, None).batched(MOST_NAMES),
            product(RISK_EVIDENCE, None),
            product(RISK, Some("No evidence, only scores.")),
            product(
                REPUTATION,
                Some("No components: the score and at most its reasons."),
            ),
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
        &[product(IRIS_INVESTIGATE, None)],
    ),
    Offer::of(
        Capability::Account,
        &[IndicatorKind::Phrase],
        &[product(ACCOUNT_INFORMATION, None)],
    ),
];

static DESCRIPTOR: Descriptor = Descriptor {
    name: NAME,
    title: "DomainTools",
    origins: &[Origin {
        name: ORIGIN,
        base_url: "https://api.domaintools.com",
    }],
    credentials: &[
        CredentialField::plain("username", "API username"),
        CredentialField::secret("api_key", "API key"),
    ],
    options: &[ProviderOption {
        name: "auth",
        values: &["signed", "open-key", "header"],
    }],
    offers: OFFERS,
    // No rate stands in the vendor's answers; recorded account information allows Iris Investigate 20 a
    // minute, and most other products more.
    default_rate: &["20/min"],
    account: Some(ACCOUNT_INFORMATION),
    ..super::DESCRIPTOR
};

/// Answers questions through the DomainTools API.
#[derive(Debug, Clone, Copy, Default)]
pub struct DomainTools;

impl Provider for DomainTools {
    fn descriptor(&self) -> &'static Descriptor {
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

    fn judge(&self, call: &Call, reply: &Reply) -> Judgement {
        judge::judge(call, reply)
    }

    fn sign(&self, call: &mut Call, key: &Exposed<'_>, now: Timestamp) -> Result<(), ProviderError> {
        sign::sign(call, key, now)
    }
}
