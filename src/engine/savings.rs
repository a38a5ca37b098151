//! Says what answers from the cache saved.

use super::cache::Entry;
use super::keyring::Credential;
use super::ledger::amounts;
use super::runtime::Runtime;
use crate::providers::{Cost, Unit};
use crate::spend::Saving;

/// Says what an answer saves that is served again: one call, the records where those are billed, and the price where it was bought.
pub(super) fn saving(entry: &Entry, runtime: &Runtime, credential: Option<&Credential>) -> Saving {
    let account = credential.map(|credential| credential.account.account.account.clone());
    let answer = &entry.answer;
    let mut cost = Cost::CALL;
    let mut currency = String::new();
    match runtime.unit(&answer.source.product) {
        Some(Unit::Records) => cost.records = i64::try_from(answer.records.len()).unwrap_or(i64::MAX),
        Some(Unit::Money(unit)) => {
            let price = answer.price.as_ref().filter(|price| price.bought);
            cost.cents = price.map_or(0, |price| price.cents);
            currency = unit.to_string();
        }
        Some(Unit::Calls) | None => {}
    }
    Saving {
        provider: runtime.settings.name.clone(),
        account: account.unwrap_or_default(),
        product: answer.source.product.clone(),
        currency,
        amounts: amounts(cost),
    }
}
