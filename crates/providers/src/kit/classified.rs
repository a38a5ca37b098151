//! Reads a reputation of the shape that Microsoft Graph and the service before it, PassiveTotal, have: a class, a score
//! from 0 to 100, and the rules that made it.

use super::common;
use super::tolerant::{Node, clean, malformed};
use crate::ProviderError;
use crate::{Descriptor, Step};
use pivotd_domain::{Query, Record};

/// How many rules are told.
const MOST_RULES: usize = 20;

/// Holds what is said of a host.
#[derive(Debug, Default)]
pub struct HostClasses {
    /// `malicious`, `suspicious` or `neutral`; `None` where it is unknown.
    pub class: Option<String>,
    /// From 0 to 100; `None` where it is unknown, which is no score of 0.
    pub score: Option<i64>,
    /// The rules, in the vendor's order.
    pub reasons: Vec<String>,
}

impl HostClasses {
    /// Reads a reputation.
    pub fn read(root: Node<'_>) -> Self {
        let class = root.get("classification").text();
        let class = class
            .map(|word| clean(&word).to_lowercase())
            .filter(|word| !word.is_empty() && !word.starts_with("unknown"));
        let score = root.get("score").score(100);
        let score = score.filter(|score| class.is_some() || *score > 0);
        let rules = root.get("rules").many().take(MOST_RULES);
        Self {
            class,
            score,
            reasons: rules.filter_map(reason).collect(),
        }
    }

    /// Makes the record of the reputation: measure `score`, the class as its word, which is `unknown` where only rules
    /// or a score are there; `None` where nothing is.
    pub fn record(self) -> Option<Record> {
        if self.class.is_none() && self.score.is_none() && self.reasons.is_empty() {
            return None;
        }
        let record = Record::new()
            .with("measure", "score")
            .with_some("value", self.score)
            .with("word", self.class.unwrap_or_else(|| "unknown".to_owned()))
            .with("scale", "0-100");
        Some(record.with("reasons", self.reasons))
    }
}

/// Makes the answer to the question for the reputation.
///
/// # Errors
/// [`ProviderError::Malformed`] where the answer has neither class nor score nor rules.
pub fn answer(
    descriptor: &Descriptor,
    query: Query,
    product: &str,
    root: Option<Node<'_>>,
) -> Result<Step, ProviderError> {
    const NAMES: [&str; 3] = ["classification", "score", "rules"];
    if root.is_some_and(|root| NAMES.iter().all(|name| !root.get(name).exists())) {
        return Err(malformed("classification"));
    }
    let record = root.and_then(|root| HostClasses::read(root).record());
    let records = record.into_iter().collect();
    let answer = common::object(descriptor, query, product, records);
    Ok(Step::Done(vec![answer]))
}

/// Reads a rule: its name, what it says and how severe it is, a word or a number from 1 to 5.
fn reason(rule: Node<'_>) -> Option<String> {
    let words = [rule.get("name").text(), rule.get("description").text()];
    let text = words.into_iter().flatten().collect::<Vec<_>>().join(": ");
    let text = clean(&text);
    let severity = rule
        .get("severity")
        .text()
        .filter(|word| !word.starts_with("unknown"));
    (!text.is_empty()).then(|| match severity {
        Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{text} (severity {number})")
        }
        Some(severity) => format!("{text} ({})", clean(&severity)),
        None => text,
    })
}
