//! The machines, over the transforms of the default configuration.

use super::Machine;
use super::Step::{self, Choose, Paths, Run, Type};

const ADDRESS: &str = "maltego.IPv4Address";
const DOMAIN: &str = "maltego.Domain";
const EMAIL: &str = "maltego.EmailAddress";
const HASH: &str = "maltego.Hash";
const HOST: &str = "maltego.DNSName";
const INCIDENT: &str = "pivotd.Incident";

/// All providers side by side, or the one that there is.
const RESOLUTIONS: &[&str] = &[
    "resolutions",
    "passivetotal.resolutions",
    "defender.resolutions",
    "dnsdb.resolutions",
    "mnemonic.resolutions",
    "circl.resolutions",
    "virustotal.resolutions",
];
const REGISTRANTS: &[&str] = &["domaintools.registrant-emails", "whois", "rdap.whois"];
const REVERSE: &[&str] = &["domaintools.reverse-whois", "passivetotal.reverse-whois"];
const CONTACTED: &[&str] = &["sandbox", "threatgrid.domains", "virustotal.contacted-hosts"];
const BACK: &[&str] = &["threatconnect.incidents-of"];

/// From domains to who registered them, to what else they registered, and back to incidents.
const TO_REGISTRANTS: &[Step] = &[
    Type(DOMAIN),
    Choose(
        "Which domains belong to the case?",
        "Who registered them is looked up next, which may cost money. Leave out domains of hosting, of dynamic DNS and of \
         popular services.",
    ),
    Run(REGISTRANTS, DOMAIN),
    Type(EMAIL),
    Paths(&[&[
        Choose(
            "Which registrants belong to the case?",
            "What else they registered is looked up next. A report that costs money is only quoted. Leave out privacy \
             services and registrars.",
        ),
        Run(REVERSE, EMAIL),
        Type(DOMAIN),
        Paths(BACK_FROM_DOMAINS),
    ]]),
];

const BACK_FROM_DOMAINS: &[&[Step]] = &[&[Run(BACK, DOMAIN)]];

pub(super) static MACHINES: &[Machine] = &[
    Machine {
        id: "pivotd.FollowIncident",
        title: "Follow an incident [pivotd]",
        about: "Walks from an incident to its indicators, to where they resolved, to who registered the domains, and back to \
                other incidents.",
        input: INCIDENT,
        steps: &[
            Run(&["threatconnect.indicators"], INCIDENT),
            Paths(&[
                &[
                    Type(DOMAIN),
                    Run(RESOLUTIONS, DOMAIN),
                    Type(ADDRESS),
                    Paths(&[&[Run(BACK, ADDRESS)]]),
                ],
                &[
                    Type(HOST),
                    Run(RESOLUTIONS, HOST),
                    Type(ADDRESS),
                    Paths(&[&[Run(BACK, ADDRESS)]]),
                ],
                &[
                    Type(ADDRESS),
                    Run(RESOLUTIONS, ADDRESS),
                    Paths(&[TO_REGISTRANTS, &[Type(HOST), Run(BACK, HOST)]]),
                ],
                &[
                    Type(HASH),
                    Run(CONTACTED, HASH),
                    Paths(&[
                        &[Type(DOMAIN), Run(BACK, DOMAIN)],
                        &[Type(ADDRESS), Run(BACK, ADDRESS)],
                    ]),
                ],
                TO_REGISTRANTS,
            ]),
        ],
    },
    Machine {
        id: "pivotd.FollowDomain",
        title: "Follow a domain [pivotd]",
        about: "Walks from a domain to where it resolved and what else did, and to who registered it and what else they \
                registered.",
        input: DOMAIN,
        steps: &[Paths(&[
            &[
                Run(RESOLUTIONS, DOMAIN),
                Type(ADDRESS),
                Choose(
                    "Which addresses belong to the case?",
                    "What else resolved to them is looked up next. Leave out sinkholes, parking and shared hosting.",
                ),
                Run(RESOLUTIONS, ADDRESS),
            ],
            TO_REGISTRANTS,
        ])],
    },
];
