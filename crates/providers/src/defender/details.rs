//! Answers what is known of an address, with its reputation; and the reputation of a name or an address alone.

use super::{DESCRIPTOR, HOSTS, answer, call};
use crate::kit::classified::{self, HostClasses};
use crate::kit::common::{one, replied_good};
use crate::kit::facts::{as_number, network, place};
use crate::kit::tolerant::{Node, json};
use crate::{ProviderError, Replied, Step};
use pivotd_domain::{Query, Record};

/// Where the reputation is, below a host.
const REPUTATION: &str = "/reputation";

/// Asks for the host and for its reputation side by side; one of them is enough for a partial answer.
pub(super) fn start(query: Query) -> Step {
    let calls = ["", REPUTATION]
        .map(|below| call(HOSTS, &query.indicator, below))
        .into();
    Step::Calls {
        calls,
        then: Box::new(move |replies| read(query, replies)),
    }
}

type Reader = fn(Record, Node<'_>) -> Record;

fn read(query: Query, replies: Vec<Replied>) -> Result<Step, ProviderError> {
    let mut record = Record::new();
    let (mut missing, mut failed) = (Vec::new(), None);
    let parts: [(&str, Reader); 2] = [("the host's data", host), ("its reputation", reputation)];
    for ((what, read), replied) in parts.into_iter().zip(replies) {
        let came = replied_good(replied).and_then(|reply| reply.map(|reply| json(&reply)).transpose());
        match came {
            Ok(Some(body)) => record = read(record, Node::of(&body)),
            Ok(None) => {}
            Err(error) => {
                missing.push(format!("{what}: {error}"));
                failed.get_or_insert(error);
            }
        }
    }
    if record.is_empty() {
        return failed.map_or_else(|| Ok(answer(query, HOSTS, Vec::new())), Err);
    }
    let record = record.with("ip", query.indicator.value());
    let mut step = answer(query, HOSTS, vec![record]);
    if let Step::Done(answers) = &mut step {
        for answer in answers {
            answer.missing.clone_from(&missing);
        }
    }
    Ok(step)
}

fn host(record: Record, root: Node<'_>) -> Record {
    let system = root.get("autonomousSystem");
    let number = [system.get("number"), system.get("value")]
        .into_iter()
        .find_map(|node| as_number(&node.text()?));
    let network = root.get("netblock").text().and_then(|text| network(&text));
    let (netblock, cidr) = network.map_or((None, None), |(range, cidr)| (Some(range), cidr));
    let record = record
        .with_some("asn", number)
        .with_some("as_name", system.get("name").text())
        .with_some("organization", system.get("organization").text())
        .with_some("hosting", root.get("hostingProvider").text())
        .with_some("netblock", netblock)
        .with_some("cidr", cidr)
        .with_some("first_seen", root.get("firstSeenDateTime").day())
        .with_some("last_seen", root.get("lastSeenDateTime").day());
    place(record, None, root.get("countryOrRegion").text())
}

fn reputation(record: Record, root: Node<'_>) -> Record {
    let told = HostClasses::read(root);
    record
        .with_some("classification", told.class)
        .with_some("score", told.score)
        .with("reasons", told.reasons)
}

/// Answers what is known against a name or an address: one call.
pub(super) fn reputed(query: Query) -> Step {
    let asked = call(HOSTS, &query.indicator, REPUTATION);
    one(asked, move |reply| {
        let body = reply.map(|reply| json(&reply)).transpose()?;
        classified::answer(&DESCRIPTOR, query, HOSTS, body.as_ref().map(Node::of))
    })
}
