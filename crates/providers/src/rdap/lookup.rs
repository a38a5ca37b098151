//! Walks a look-up: the server that answers for the indicator, and for a domain's whois its registrar's server after
//! that.

use std::net::IpAddr;

use url::Url;

use super::bootstrap;
use super::classify::{NOT_FOLLOWED, elsewhere};
use super::domain::{self, Registration};
use super::{AUTNUM, DESCRIPTOR, DOMAIN, IANA, IP, REGISTRAR, network};
use crate::kit::common::{first, object, one_query, replied_good, segment};
use crate::kit::tolerant::{Node, json};
use crate::{Call, Files, Lookup, ProviderError, Replied, Reply, Step};
use pivotd_domain::{Capability, Failure, FailureKind, IndicatorKind, OmittedRecords, Query};

/// The longest link that is followed.
const LONGEST_LINK: usize = 1024;

/// Starts a look-up.
///
/// # Errors
/// [`ProviderError::Unsupported`] where no server is known that answers for the indicator.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    let (files, value) = (&lookup.files, query.indicator.value());
    // Whether a server is known comes before whether this product fits, so that people are told of the former.
    let (product, server, object) = match query.indicator.kind() {
        IndicatorKind::Ipv4 | IndicatorKind::Ipv6 => {
            let server = value
                .parse()
                .ok()
                .and_then(|address: IpAddr| bootstrap::of_address(files, address));
            (IP, server, value.to_owned())
        }
        IndicatorKind::Asn => {
            let number = number(value).ok_or_else(|| unknown(value))?;
            let server = bootstrap::of_number(files, number);
            (AUTNUM, server, number.to_string())
        }
        _ => (DOMAIN, bootstrap::of_name(files, value), value.to_owned()),
    };
    // Many registries of countries have no server. For a score that is no failure: no server there could ever know.
    if server.is_none() && product == DOMAIN && query.capability == Capability::Reputation {
        let why = unknown(value).to_string();
        return Ok(done(query, product, Vec::new(), Vec::new(), Some(why)));
    }
    let server = server.ok_or_else(|| unknown(value))?;
    if lookup.product != product {
        return Err(ProviderError::Unsupported(format!(
            "RDAP's {} is not about a {}",
            lookup.product,
            query.indicator.kind()
        )));
    }
    let call = Call::get(IANA, product, format!("/{product}/{}", segment(&object))).at(server);
    let known = Files::clone(files);
    Ok(ask(call, files, move |replied| match replied_good(replied)? {
        None => Ok(done(query, product, Vec::new(), Vec::new(), None)),
        Some(reply) if product == DOMAIN => of_registry(&reply, query, &known),
        Some(reply) => {
            let body = json(&reply)?;
            let record = network::read(Node::of(&body), &query)?;
            Ok(done(query, product, vec![record], Vec::new(), None))
        }
    }))
}

/// Asks a server, and the one that it sends to once; then goes on with what came.
///
/// Regional registries send so to whom an address or a system was transferred.
fn ask(
    call: Call,
    files: &Files,
    then: impl FnOnce(Replied) -> Result<Step, ProviderError> + Send + 'static,
) -> Step {
    let files = Files::clone(files);
    Step::Calls {
        calls: vec![call.clone()],
        then: Box::new(move |replies| {
            let replied = first(replies)?;
            let Some(location) = sent(&replied) else {
                return then(replied);
            };
            match referred(&call, location, &files) {
                Some(further) => Ok(Step::Calls {
                    calls: vec![further],
                    then: Box::new(move |replies| {
                        let replied = first(replies)?;
                        let again = sent(&replied).is_some();
                        then(if again { not_followed(&call) } else { replied })
                    }),
                }),
                None => then(not_followed(&call)),
            }
        }),
    }
}

/// Returns where a reply sends.
fn sent(replied: &Replied) -> Option<&str> {
    match replied {
        Replied::Good(reply) => elsewhere(reply),
        _ => None,
    }
}

/// Makes the call to where a server sends, if the files name that server: an answer never decides to whom pivotd
/// connects.
fn referred(call: &Call, location: &str, files: &Files) -> Option<Call> {
    let server = call.server.as_deref()?.trim_end_matches('/');
    let asked = Url::parse(&format!("{server}{}", call.path)).ok()?;
    let url = asked.join(location).ok()?;
    let root = url.origin().ascii_serialization();
    let known = location.len() <= LONGEST_LINK && bootstrap::servers(files).contains(&root);
    (known && url != asked).then(|| Call {
        server: Some(root),
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        ..call.clone()
    })
}

fn not_followed(call: &Call) -> Replied {
    Replied::Failed(Failure::new(FailureKind::Refused, &DESCRIPTOR.name, NOT_FOLLOWED).of(&call.product))
}

/// Says that no server is known that could be asked; that is not the same as "not found".
fn unknown(value: &str) -> ProviderError {
    let what = match value.rsplit_once('.') {
        Some((_, last)) if last.parse::<u8>().is_err() => format!(".{last}"),
        _ => value.to_owned(),
    };
    ProviderError::Unsupported(format!("RDAP knows no server for {what}"))
}

/// Reads the number of an autonomous system.
pub(super) fn number(value: &str) -> Option<u32> {
    let digits = match value.get(..2) {
        Some(head) if head.eq_ignore_ascii_case("as") => value.get(2..)?,
        _ => value,
    };
    digits.parse().ok()
}

fn of_registry(reply: &Reply, query: Query, files: &Files) -> Result<Step, ProviderError> {
    let body = json(reply)?;
    let registry = domain::read(Node::of(&body), query.indicator.value())?;
    if query.capability == Capability::Reputation {
        let records: Vec<_> = domain::registered(&registry.record).into_iter().collect();
        let is_undated = records.is_empty();
        let mut answer = object(&DESCRIPTOR, query, DOMAIN, records);
        if is_undated {
            let what = "it is registered, and since when is not told".to_owned();
            answer.left_out.push(OmittedRecords { count: 0, what });
        }
        return Ok(Step::Done(vec![answer]));
    }
    let call = match next(&registry, files, &query) {
        RegistryResult::Call(call) => call,
        RegistryResult::Unknown(host) => {
            let blind = format!(
                "Only the registry's answer: {host}, the registrar's server, is not among those known."
            );
            return Ok(done(
                query,
                DOMAIN,
                vec![registry.record],
                Vec::new(),
                Some(blind),
            ));
        }
        RegistryResult::Nothing => return Ok(done(query, DOMAIN, vec![registry.record], Vec::new(), None)),
    };
    Ok(ask(call, files, move |replied| {
        let (record, missing) = match of_registrar(replied, &query) {
            Ok(registrar) => (domain::merge(registry.record, &registrar.record), Vec::new()),
            Err(reason) => (
                registry.record,
                vec![format!("the registrar's contacts: {reason}")],
            ),
        };
        Ok(done(query, DOMAIN, vec![record], missing, None))
    }))
}

/// Says what follows on the registry's answer.
enum RegistryResult {
    Call(Call),
    /// The registrar's server is none that may be asked.
    Unknown(String),
    /// The registry names no other server.
    Nothing,
}

/// Follows the link to the registrar's answer, where the files name its server; else the registrar by its id.
///
/// The registry's answer is data: it never decides to which servers pivotd connects.
fn next(registry: &Registration, files: &Files, query: &Query) -> RegistryResult {
    // Servers link to other objects the same way; the registrar's answer is about the same name.
    let name = query.indicator.value();
    let links: Vec<Url> = registry
        .links
        .iter()
        .filter(|link| link.len() <= LONGEST_LINK && link.to_ascii_lowercase().contains(name))
        .filter_map(|link| Url::parse(link).ok())
        .filter(Url::has_host)
        .collect();
    if !links.is_empty() {
        let known = bootstrap::servers(files);
        let followed = links
            .iter()
            .find(|link| known.contains(&link.origin().ascii_serialization()));
        if let Some(link) = followed {
            let mut call = Call::get(IANA, REGISTRAR, link.path())
                .at(link.origin().ascii_serialization())
                .optional();
            call.query = link.query_pairs().into_owned().collect();
            return RegistryResult::Call(call);
        }
    }
    let id = registry.record.text("iana_id");
    if let Some(server) = id.and_then(|id| bootstrap::of_registrar(files, &id)) {
        let path = format!("{}domain/{}", server.path(), segment(name));
        let root = server.origin().ascii_serialization();
        return RegistryResult::Call(Call::get(IANA, REGISTRAR, path).at(root).optional());
    }
    links
        .first()
        .and_then(Url::host_str)
        .map_or(RegistryResult::Nothing, |host| {
            RegistryResult::Unknown(host.to_owned())
        })
}

/// Reads the registrar's answer; whatever is wrong with it costs its contacts only.
fn of_registrar(replied: Replied, query: &Query) -> Result<Registration, String> {
    let reply = replied_good(replied).map_err(|error| error.to_string())?;
    let reply = reply.ok_or_else(|| "its server does not know the name".to_owned())?;
    let body = json(&reply).map_err(|error| error.to_string())?;
    domain::read(Node::of(&body), query.indicator.value()).map_err(|error| error.to_string())
}

fn done(
    query: Query,
    product: &str,
    records: Vec<pivotd_domain::Record>,
    missing: Vec<String>,
    blind: Option<String>,
) -> Step {
    let mut made = object(&DESCRIPTOR, query, product, records);
    made.missing = missing;
    made.source.blind = blind.or(made.source.blind);
    Step::Done(vec![made])
}
