//! Answers the risk of a domain, from 0 to 100.
//!
//! Four products know it: Iris Enrich, risk with evidence, risk, and reputation, which has the score
//! only. A host name's score is that of its registrable domain, which the answer echoes.
//!
//! Iris Enrich takes many domains in one call, separated by commas, and answers with a row for each that it knows, in
//! any order, and a list of those that it misses (DomainTools API, Iris Enrich).

use super::common::{answer, call, first, one_query, post, replied_good};
use super::{IRIS_ENRICH, REPUTATION, RISK, RISK_EVIDENCE, classify};
use crate::kit::tolerant::{Node, clean, distinct, host, json, malformed};
use crate::{Lookup, ProviderError, Replied, Step};
use pivotd_domain::{Answer, Query, Record};

/// Starts a risk look-up.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    if lookup.product == IRIS_ENRICH {
        return Ok(enrich(lookup.queries.clone()));
    }
    let query = one_query(lookup)?.clone();
    let domain = query.indicator.value();
    let (product, call) = match lookup.product.as_str() {
        RISK => (RISK, call(RISK, "/v1/risk").with("domain", domain)),
        REPUTATION => (
            REPUTATION,
            call(REPUTATION, "/v1/reputation")
                .with("domain", domain)
                .with("include_reasons", "true"),
        ),
        _ => (
            RISK_EVIDENCE,
            call(RISK_EVIDENCE, "/v1/risk/evidence/").with("domain", domain),
        ),
    };
    Ok(Step::Calls {
        calls: vec![call],
        then: Box::new(move |replies| {
            let mut records = Vec::new();
            let mut missing = None;
            if let Some(reply) = replied_good(first(replies)?)? {
                let body = json(&reply)?;
                let response = Node::of(&body).get("response");
                records.extend(read(response, &query)?);
                // A refusal to look is no "not found".
                missing = classify::partial(&reply, response).filter(|_| records.is_empty());
            }
            let mut answer = answer(query, product, records);
            answer.missing.extend(missing);
            Ok(Step::Done(vec![answer]))
        }),
    })
}

/// Asks Iris Enrich about one domain or several.
fn enrich(queries: Vec<Query>) -> Step {
    let domains: Vec<&str> = queries.iter().map(|query| query.indicator.value()).collect();
    let call = post(IRIS_ENRICH, "/v1/iris-enrich/").with("domain", domains.join(","));
    Step::Calls {
        calls: vec![call],
        then: Box::new(move |replies| enriched(queries, first(replies)?).map(Step::Done)),
    }
}

/// Reads what Iris Enrich says of each domain.
///
/// Where several were asked, one that the answer neither has a readable row of nor misses is left out: it is not "not
/// found", and the others are answered.
fn enriched(queries: Vec<Query>, replied: Replied) -> Result<Vec<Answer>, ProviderError> {
    let nothing = |query| answer(query, IRIS_ENRICH, Vec::new());
    let Some(reply) = replied_good(replied)? else {
        return Ok(queries.into_iter().map(nothing).collect());
    };
    let body = json(&reply)?;
    let response = Node::of(&body).get("response");
    let results = response.get("results");
    if !results.exists()
        && !response.get("missing_domains").exists()
        && response.get("limit_exceeded").flag() != Some(true)
    {
        return Err(malformed("results"));
    }
    let partial = classify::partial(&reply, response);
    let rows: Vec<(String, Node<'_>)> = results
        .many()
        .filter_map(|row| Some((row.get("domain").host()?, row)))
        .collect();
    let missed: Vec<String> = response
        .get("missing_domains")
        .many()
        .filter_map(Node::host)
        .collect();
    let alone = queries.len() == 1;
    let is_listed = results.rows().next().is_some();
    let mut answers = Vec::with_capacity(queries.len());
    for query in queries {
        let asked = query.indicator.value();
        let exact = rows.iter().find(|(echo, _)| echo == asked);
        let row = exact.or_else(|| rows.iter().find(|(echo, _)| is_apex(echo, asked)));
        let records: Vec<Record> = match row.map(|(_, row)| read(*row, &query)).transpose() {
            Ok(record) => record.flatten().into_iter().collect(),
            Err(error) if alone => return Err(error),
            Err(_) => continue,
        };
        let told = alone || row.is_some() || missed.iter().any(|name| is_apex(name, asked));
        if !told {
            continue;
        }
        // Rows came, and none is about it: that is no "not found".
        if row.is_none() && is_listed && !missed.iter().any(|name| is_apex(name, asked)) {
            return Err(ProviderError::Malformed(format!(
                "no row of the answer is about {asked}"
            )));
        }
        let mut answer = answer(query, IRIS_ENRICH, records);
        // A refusal to look is no "not found".
        let refused = partial.clone().filter(|_| answer.records.is_empty());
        answer.missing.extend(refused);
        answers.push(answer);
    }
    Ok(answers)
}

fn is_apex(echo: &str, asked: &str) -> bool {
    echo == asked || asked.strip_suffix(echo).is_some_and(|below| below.ends_with('.'))
}

/// Reads a risk answer or an Iris row; `None` where the domain has no score.
fn read(row: Node<'_>, query: &Query) -> Result<Option<Record>, ProviderError> {
    let asked = query.indicator.value();
    let domain = row
        .get("domain")
        .text()
        .map_or_else(|| Some(asked.to_owned()), |echo| host(&echo));
    let domain = domain
        .filter(|echo| is_apex(echo, asked))
        .ok_or_else(|| ProviderError::Malformed(format!("the answer is not about {asked}")))?;
    let risk = if row.get("domain_risk").exists() {
        row.get("domain_risk")
    } else {
        row
    };
    if !risk.get("risk_score").exists() {
        return Ok(None);
    }
    let score = risk
        .get("risk_score")
        .score(100)
        .ok_or_else(|| malformed("risk score from 0 to 100"))?;
    let rows: Vec<Node<'_>> = risk
        .get("components")
        .many()
        .filter(|row| row.is_object())
        .collect();
    let mut components = Vec::new();
    let (mut evidence, mut threats) = (risk.get("reasons").texts(), risk.get("threats").texts());
    evidence.extend(risk.get("evidence").texts());
    let mut zero_listed = false;
    for row in &rows {
        let Some(name) = row.get("name").text() else {
            continue;
        };
        evidence.extend(row.get("evidence").texts());
        threats.extend(row.get("threats").texts());
        zero_listed |= name == "zerolist" && score == 0;
        components.push(
            Record::new()
                .with("name", name)
                .with_some("score", row.get("risk_score").score(100)),
        );
    }
    if threats.is_empty() {
        threats = profile(&components);
    }
    let tidy = |texts: Vec<String>| distinct(texts.into_iter().map(|text| clean(&text)));
    Ok(Some(
        Record::new()
            .with("domain", domain)
            .with("score", score)
            .with("components", components)
            .with("evidence", tidy(evidence))
            .with("threats", tidy(threats))
            .with("zero_listed", zero_listed),
    ))
}

/// Names the threats of a profile whose answer does not: the profile's score is that of its highest parts.
fn profile(components: &[Record]) -> Vec<String> {
    let find = |component: &&Record| component.text("name").as_deref() == Some("threat_profile");
    let Some(top) = components
        .iter()
        .find(find)
        .and_then(|profile| profile.get("score"))
    else {
        return Vec::new();
    };
    if *top == pivotd_domain::Value::Integer(0) {
        return Vec::new();
    }
    components
        .iter()
        .filter(|component| component.get("score") == Some(top))
        .filter_map(|component| {
            component
                .text("name")?
                .strip_prefix("threat_profile_")
                .map(str::to_owned)
        })
        .collect()
}
