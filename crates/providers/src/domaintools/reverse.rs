//! Answers which domains a registrant has, or had.
//!
//! Iris Investigate knows current registrations by e-mail address and is billed by the call. Everything
//! else goes to reverse whois, which sells reports: a quote is free and is asked first, and a purchase
//! is charged every time. The vendor's OpenAPI has no Iris search for historic e-mail addresses, so the
//! historic scope is always a report.

use std::collections::HashSet;

use super::common::{call, first, nothing, one_query, replied_good};
use super::iris::{self, SearchResult};
use super::{DESCRIPTOR, IRIS_INVESTIGATE, REVERSE_WHOIS, classify};
use crate::kit::rows::{Row, Rows};
use crate::kit::tolerant::{Node, json, malformed};
use crate::{Call, Cost, Lookup, ProviderError, Step};
use pivotd_domain::{Answer, IndicatorKind, Party, Price, Query, Record};

/// Currency of the vendor's report prices.
const USD: &str = "USD";

/// Starts a reverse whois.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    let current = query.param("scope") == Some("current");
    if lookup.product == IRIS_INVESTIGATE {
        if !current || query.indicator.kind() != IndicatorKind::Email {
            let message = "Iris searches current registrations by e-mail address only";
            return Err(ProviderError::Unsupported(message.to_owned()));
        }
        let indicator = query.indicator.clone();
        return iris::search(
            &indicator,
            lookup.wanted,
            row,
            Box::new(move |found| listed(query, found)),
        );
    }
    let scope = if current { "current" } else { "historic" };
    // A price of yesterday is not what a report costs today, so even a held quote is asked again before buying.
    let buy = lookup.buy;
    Ok(Step::Calls {
        calls: vec![report(&query, scope, "quote")],
        then: Box::new(move |replies| {
            let Some(reply) = replied_good(first(replies)?)? else {
                return Ok(Step::Done(vec![nothing(query, REVERSE_WHOIS)]));
            };
            let body = json(&reply)?;
            let price = price(Node::of(&body).get("response"), scope)?;
            if price.count == 0 {
                let none = Rows::default().answer(&DESCRIPTOR, query, REVERSE_WHOIS)?;
                return Ok(Step::Done(vec![none]));
            }
            match buy {
                Some(max) => purchase(query, scope, price, max),
                None => Ok(Step::Done(vec![priced(
                    query,
                    price,
                    Rows::default(),
                    Vec::new(),
                )?])),
            }
        }),
    })
}

fn report(query: &Query, scope: &str, mode: &str) -> Call {
    // A bar joins terms in this API; inside a term it is noise.
    let terms = query.indicator.value().replace('|', " ");
    call(REVERSE_WHOIS, "/v1/reverse-whois")
        .with("terms", terms)
        .with("scope", scope)
        .with("mode", mode)
}

fn purchase(query: Query, scope: &'static str, price: Price, max: i64) -> Result<Step, ProviderError> {
    if price.cents > max {
        return Err(ProviderError::TooExpensive {
            message: format!(
                "the report costs {}, and at most {} may be paid",
                price.amount(),
                pivotd_domain::outcome::money(max, USD)
            ),
        });
    }
    let mut call = report(&query, scope, "purchase").costing(Cost {
        calls: 1,
        records: 0,
        cents: price.cents,
    });
    // Charged every time, duplicates included.
    call.repeatable = false;
    Ok(Step::Calls {
        calls: vec![call],
        then: Box::new(move |replies| {
            let Some(reply) = replied_good(first(replies)?)? else {
                return Ok(Step::Done(vec![nothing(query, REVERSE_WHOIS)]));
            };
            let body = json(&reply)?;
            let response = Node::of(&body).get("response");
            if !response.get("domains").exists() {
                return Err(malformed("domains"));
            }
            let mut seen = HashSet::new();
            let rows = Rows::of(response.get("domains"), |row| match row.host() {
                Some(domain) if !seen.insert(domain.clone()) => Row::Same,
                Some(domain) => Row::Record(Record::new().with("domain", domain)),
                None => Row::Unread,
            });
            let count = response
                .get("domain_count")
                .get(scope)
                .count()
                .unwrap_or(price.count);
            let bought = Price {
                count,
                bought: true,
                ..price
            };
            let partial = classify::partial(&reply, response).into_iter().collect();
            Ok(Step::Done(vec![priced(query, bought, rows, partial)?]))
        }),
    })
}

/// Reads the price of a scope; prices are whole dollars in recordings.
fn price(response: Node<'_>, scope: &str) -> Result<Price, ProviderError> {
    let dollars = response
        .get("report_price")
        .get(scope)
        .decimal()
        .filter(|dollars| (0.0..1e12).contains(dollars))
        .ok_or_else(|| malformed("report_price"))?;
    let count = response
        .get("domain_count")
        .get(scope)
        .count()
        .ok_or_else(|| malformed("domain_count"))?;
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    let cents = (dollars * 100.0).ceil() as i64;
    Ok(Price {
        cents,
        unit: USD.to_owned(),
        count,
        bought: false,
    })
}

fn priced(query: Query, price: Price, rows: Rows, missing: Vec<String>) -> Result<Answer, ProviderError> {
    let mut answer = rows.answer_lacking(&DESCRIPTOR, query, REVERSE_WHOIS, missing)?;
    // A price, and a report that was paid for, say how many there are.
    answer.left_out.clear();
    // The list is capped at 25 000 names; the count is not.
    answer.total = Some(price.count.max(answer.records.len() as u64));
    answer.price = Some(price);
    Ok(answer)
}

fn listed(query: Query, found: SearchResult<Record>) -> Result<Step, ProviderError> {
    if !found.known {
        return Ok(Step::Done(vec![nothing(query, IRIS_INVESTIGATE)]));
    }
    let mut rows: Rows = found.rows.into_iter().map(Row::Record).collect();
    rows.lose(found.unread);
    let mut answer = rows.answer_lacking(&DESCRIPTOR, query, IRIS_INVESTIGATE, found.missing)?;
    answer.total = found
        .total
        .map(|total| total.max(answer.records.len() as u64))
        .or(answer.total);
    answer.more = found.more;
    Ok(Step::Done(vec![answer]))
}

/// Reads a row of Iris as a registration.
fn row(row: Node<'_>) -> Option<Record> {
    let value = |name: &str| row.get(name).get("value").text();
    let day = |name: &str| row.get(name).get("value").day();
    let risk = row
        .get("domain_risk")
        .get("risk_score")
        .integer()
        .filter(|risk| (0..=100).contains(risk));
    Some(
        Record::new()
            .with("domain", row.get("domain").host()?)
            .with_some("registrar", value("registrar"))
            .with_some(
                "registrant",
                value("registrant_org")
                    .and_then(|text| Party::organization(&text))
                    .or_else(|| value("registrant_name").and_then(|text| Party::holder(&text))),
            )
            .with_some("created", day("create_date"))
            .with_some("expires", day("expiration_date"))
            .with_some("first_seen", day("first_seen"))
            .with_some("active", row.get("active").flag())
            .with_some("risk", risk),
    )
}
