//! Answers what is known of an address, whether it is a sinkhole above all; and the reputation of a name or an address.

use super::{DESCRIPTOR, ENRICHMENT, REPUTATION, answer, call};
use crate::kit::classified;
use crate::kit::common::{first, one, replied_good};
use crate::kit::facts::{as_number, network, place};
use crate::kit::tolerant::{Node, json};
use crate::{ProviderError, Replied, Step};
use pivotd_domain::{Query, Record};

/// Asks for the enrichment, and by a second call for the sinkhole flag where the first answer lacks it. An address of
/// which nothing else is known can be a sinkhole, too.
pub(super) fn start(query: Query) -> Step {
    let asked = call(ENRICHMENT, "/enrichment", query.indicator.value());
    one(asked, move |reply| {
        let body = reply.map(|reply| json(&reply)).transpose()?;
        let record = read(&query, body.as_ref().map(Node::of).unwrap_or_default());
        if record.get("sinkhole").is_some() {
            return Ok(answer(query, ENRICHMENT, known(record)));
        }
        Ok(Step::Calls {
            calls: vec![call(ENRICHMENT, "/actions/sinkhole", query.indicator.value())],
            then: Box::new(move |replies| flagged(query, record, first(replies)?)),
        })
    })
}

/// Asks for the reputation of a name or an address.
pub(super) fn reputation(query: Query) -> Step {
    let asked = call(REPUTATION, "/reputation", query.indicator.value());
    one(asked, move |reply| {
        let body = reply.map(|reply| json(&reply)).transpose()?;
        classified::answer(&DESCRIPTOR, query, REPUTATION, body.as_ref().map(Node::of))
    })
}

/// Adds the sinkhole flag. Without it the answer is partial: "no sinkhole" would be a guess.
fn flagged(query: Query, mut record: Record, replied: Replied) -> Result<Step, ProviderError> {
    let asked = replied_good(replied).and_then(|reply| reply.map(|reply| json(&reply)).transpose());
    let mut missing = Vec::new();
    match asked {
        Ok(body) => {
            let flag = body
                .as_ref()
                .and_then(|body| Node::of(body).get("sinkhole").flag());
            // A "no" about an address of which nothing else is known tells nothing of it.
            if let Some(flag) = flag.filter(|flag| *flag || !known(record.clone()).is_empty()) {
                record.set("sinkhole", flag);
            }
        }
        Err(error) if known(record.clone()).is_empty() => return Err(error),
        Err(error) => missing.push(format!("whether it is a sinkhole: {error}")),
    }
    let mut step = answer(query, ENRICHMENT, known(record));
    if let Step::Done(answers) = &mut step {
        for answer in answers {
            answer.missing.clone_from(&missing);
        }
    }
    Ok(step)
}

/// Leaves out a record that says nothing but which address it is about.
fn known(record: Record) -> Vec<Record> {
    let says = record.iter().any(|(name, _)| name != "ip");
    says.then_some(record).into_iter().collect()
}

fn read(query: &Query, root: Node<'_>) -> Record {
    let network = root.get("network").text().and_then(|text| network(&text));
    let (netblock, cidr) = network.map_or((None, None), |(range, cidr)| (Some(range), cidr));
    let number = root.get("autonomousSystemNumber").text();
    // It is unknown: that is no class.
    let classification = root.get("classification").text();
    let classification = classification.filter(|word| !word.eq_ignore_ascii_case("unknown"));
    let record = Record::new()
        .with("ip", query.indicator.value())
        .with_some("asn", number.and_then(|text| as_number(&text)))
        .with_some("as_name", root.get("autonomousSystemName").text())
        .with_some("netblock", netblock)
        .with_some("cidr", cidr)
        .with_some("latitude", root.get("latitude").text())
        .with_some("longitude", root.get("longitude").text())
        .with("tags", root.get("tags").texts())
        .with_some("sinkhole", root.get("sinkhole").flag())
        .with_some("compromised", root.get("everCompromised").flag())
        .with_some("dynamic_dns", root.get("dynamicDns").flag())
        .with_some("classification", classification);
    place(record, root.get("city").text(), root.get("country").text())
}
