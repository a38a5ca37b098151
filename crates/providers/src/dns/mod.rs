//! Asks the name servers of a domain what it says of its mail: MX, SPF and DMARC. Its owner can notice.

mod policy;

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;

use self::policy::{Dmarc, Spf};
use super::kit::common::{object, offered};
use super::kit::resource::{RecordType, Resource, resolved};
use super::kit::tolerant::host;
use super::{
    Call, Charge, Classification, Descriptor, ExposedKey, Lookup, Offer, Origin, Probe, Product, Provider,
    ProviderError, Replied, Reply, Step, names,
};
use pivotd_domain::indicator::registrable_domain;
use pivotd_domain::{Capability, Failure, IndicatorKind, Query, Record};

const ORIGIN: &str = "resolver";
/// Name of its only product.
pub const MAIL: &str = "mail";
/// The most mail servers of a domain that are told.
const MAX_SERVERS: usize = 50;

static DESCRIPTOR: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
        origins: vec![Origin::new(ORIGIN, "dns:system")],
        offers: vec![Offer {
            max_calls: 5,
            active: true,
            ..Offer::of(
                Capability::MailPolicy,
                &[
                    IndicatorKind::Domain,
                    IndicatorKind::Hostname,
                    IndicatorKind::Email,
                ],
                &[Product::calls(MAIL)],
            )
        }],
        default_rate: names(&["50/s"]),
        probe: Some(Probe::of(
            Capability::MailPolicy,
            IndicatorKind::Domain,
            "example.com",
        )),
        ..Descriptor::new("dns", "DNS")
    })
});

/// Answers questions through DNS itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dns;

impl Provider for Dns {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &DESCRIPTOR
    }

    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError> {
        let query = offered(&DESCRIPTOR, lookup)?.clone();
        let none = || ProviderError::Unsupported("there is no domain in it".to_owned());
        let domain = query.indicator.host().ok_or_else(none)?;
        let calls = vec![
            ask(&domain, RecordType::Mx),
            ask(&domain, RecordType::Txt),
            ask(&domain, RecordType::A),
            ask(&format!("_dmarc.{domain}"), RecordType::Txt),
        ];
        let found = DomainRecords {
            query,
            domain,
            record: Record::new(),
            missing: Vec::new(),
        };
        Ok(Step::Calls {
            calls,
            then: Box::new(move |replies| found.read(replies)),
        })
    }

    fn classify(&self, _call: &Call, reply: &Reply) -> Classification {
        Classification {
            class: resolved(reply),
            charge: Charge::Most,
        }
    }

    fn sign(&self, _call: &mut Call, _key: &ExposedKey<'_>, _now: Timestamp) -> Result<(), ProviderError> {
        Ok(())
    }
}

fn ask(name: &str, kind: RecordType) -> Call {
    Call::dns(ORIGIN, MAIL, name, kind)
}

/// Gathers what a domain says.
struct DomainRecords {
    query: Query,
    domain: String,
    record: Record,
    /// What could not be had, in plain words.
    missing: Vec<String>,
}

/// Says what came of one question: records, no such name, or a failure.
enum QueryResult {
    Records(Vec<Resource>),
    NoName,
    Failed(Failure),
}

impl QueryResult {
    fn of(replied: Option<Replied>) -> Result<Self, ProviderError> {
        let none = || ProviderError::Malformed("no reply came".to_owned());
        Ok(match replied.ok_or_else(none)? {
            Replied::Good(reply) => Self::Records(reply.resources()?),
            Replied::NotFound(_) => Self::NoName,
            Replied::Failed(failure) => Self::Failed(failure),
        })
    }

    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            Self::Records(_) | Self::NoName => None,
        }
    }
}

impl DomainRecords {
    fn read(mut self, replies: Vec<Replied>) -> Result<Step, ProviderError> {
        let mut replies = replies.into_iter();
        let mut next = || QueryResult::of(replies.next());
        let (mx, spf, address, dmarc) = (next()?, next()?, next()?, next()?);
        let own = [&mx, &spf, &address];
        if !own.iter().any(|came| matches!(came, QueryResult::Records(_))) {
            // A name that does not exist has records of no type, whatever became of the other questions.
            return match own.into_iter().find_map(QueryResult::failure) {
                Some(failure) if !own.iter().any(|came| matches!(came, QueryResult::NoName)) => {
                    Err(ProviderError::Failed(failure.clone()))
                }
                _ => Ok(self.done()),
            };
        }
        self.record.set("domain", self.domain.as_str());
        if let Some(records) = self.had("MX", mx) {
            self.servers(&records);
        }
        if let Some(records) = self.had("SPF", spf) {
            self.spf(&records);
        }
        if let Some(records) = self.had("address", address) {
            self.record.set("has_a", !records.is_empty());
        }
        let Some(records) = self.had("DMARC", dmarc) else {
            return Ok(self.done());
        };
        let said = Dmarc::of(&texts(&records));
        if let Some(said) = said {
            self.dmarc(said.policy, &said);
            return Ok(self.done());
        }
        // Without a record of its own a domain has that of the organisation (RFC 7489 section 6.6.3).
        match registrable_domain(&self.domain).filter(|above| *above != self.domain) {
            Some(above) => Ok(Step::Calls {
                calls: vec![ask(&format!("_dmarc.{above}"), RecordType::Txt)],
                then: Box::new(move |replies| self.read_above(above, replies)),
            }),
            None => {
                self.record.set("dmarc_policy", policy::MISSING);
                Ok(self.done())
            }
        }
    }

    fn read_above(mut self, above: String, replies: Vec<Replied>) -> Result<Step, ProviderError> {
        let came = QueryResult::of(replies.into_iter().next())?;
        let Some(records) = self.had("DMARC", came) else {
            return Ok(self.done());
        };
        match Dmarc::of(&texts(&records)) {
            Some(said) => {
                self.dmarc(said.below, &said);
                self.record.set("dmarc_domain", above);
            }
            None => self.record.set("dmarc_policy", policy::MISSING),
        }
        Ok(self.done())
    }

    fn servers(&mut self, records: &[Resource]) {
        let mut servers: Vec<(u16, &str)> = records
            .iter()
            .filter_map(|record| match record {
                Resource::Mx { preference, exchange } => Some((*preference, exchange.as_str())),
                _ => None,
            })
            .collect();
        servers.sort_unstable();
        // The root as the only one says that no mail is taken (RFC 7505).
        if let [(_, "")] = servers.as_slice() {
            self.record.set("null_mx", true);
            return;
        }
        let named = servers
            .into_iter()
            .filter_map(|(preference, name)| Some((preference, host(name)?)))
            .take(MAX_SERVERS);
        let (mut names, mut list) = (Vec::new(), Vec::new());
        for (preference, name) in named {
            let server = Record::new()
                .with("name", name.as_str())
                .with("preference", i64::from(preference));
            list.push(server);
            names.push(name);
        }
        self.record.set("null_mx", false);
        self.record.set("mx", names);
        self.record.set("mail_servers", list);
    }

    fn spf(&mut self, records: &[Resource]) {
        let said = Spf::of(&texts(records));
        if !said.text.is_empty() {
            self.record.set("spf", said.text);
        }
        if let Some(all) = said.all {
            self.record.set("spf_all", all);
        }
    }

    fn dmarc(&mut self, policy: &'static str, said: &Dmarc) {
        self.record.set("dmarc", said.text.as_str());
        self.record.set("dmarc_policy", policy);
    }

    /// Returns the records that came; of a failure it notes what is lacking.
    fn had(&mut self, what: &str, came: QueryResult) -> Option<Vec<Resource>> {
        match came {
            QueryResult::Records(records) => Some(records),
            QueryResult::NoName => Some(Vec::new()),
            QueryResult::Failed(failure) => {
                self.missing.push(format!("{what}: {}", failure.message));
                None
            }
        }
    }

    fn done(self) -> Step {
        let records = Some(self.record).filter(|record| !record.is_empty());
        let mut made = object(&DESCRIPTOR, self.query, MAIL, records.into_iter().collect());
        made.missing = self.missing;
        Step::Done(vec![made])
    }
}

fn texts(records: &[Resource]) -> Vec<&str> {
    let texts = records.iter().filter_map(|record| match record {
        Resource::Txt(text) => Some(text.trim()),
        _ => None,
    });
    texts.collect()
}
