//! Sums the prices that a selection of several was quoted, so that one question can be put about all of them.

use crate::domain::Outcome;
use crate::domain::outcome::money;
use crate::engine::EngineResponse;
use crate::providers::Descriptor;

/// Is what all values of a run cost at one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceTotal {
    /// The provider's name in settings.
    pub provider: String,
    /// The provider's name for people.
    pub title: String,
    /// The product that is billed.
    pub product: String,
    /// How many values were quoted a price that may be paid.
    pub values: usize,
    /// How many records that would give.
    pub records: u64,
    /// What it would cost, in hundredths of the unit.
    pub cents: i64,
    /// The unit, an ISO 4217 code.
    pub unit: String,
    /// How many values cost more than may be paid for one.
    pub too_dear: usize,
    /// The most that may be paid for one report; none where nothing may be bought.
    pub max_price: Option<i64>,
    /// What is left of the budget; none where there is none.
    pub money_left: Option<i64>,
}

impl PriceTotal {
    /// Sums the quotes among responses, for each provider and unit.
    pub fn of<'a>(responses: impl Iterator<Item = (&'a Descriptor, &'a EngineResponse)>) -> Vec<Self> {
        let mut totals: Vec<Self> = Vec::new();
        for (descriptor, response) in responses {
            let Outcome::Found(answer) = &response.outcome else {
                continue;
            };
            let Some(price) = answer.price.as_ref().filter(|_| answer.is_quote()) else {
                continue;
            };
            let is_same = |total: &Self| total.provider == *descriptor.name && total.unit == price.unit;
            let at = totals.iter().position(is_same).unwrap_or_else(|| {
                totals.push(Self {
                    provider: descriptor.name.to_string(),
                    title: descriptor.title.to_string(),
                    product: answer.source.product.clone(),
                    values: 0,
                    records: 0,
                    cents: 0,
                    unit: price.unit.clone(),
                    too_dear: 0,
                    max_price: response.max_price,
                    money_left: response.money_left,
                });
                totals.len() - 1
            });
            let Some(total) = totals.get_mut(at) else { continue };
            if response.max_price.is_some_and(|max| price.cents > max) {
                total.too_dear += 1;
            } else {
                total.values += 1;
                total.records = total.records.saturating_add(price.count);
                total.cents = total.cents.saturating_add(price.cents);
            }
        }
        totals
    }

    /// Counts the values that were quoted a price.
    #[must_use]
    pub fn quoted(&self) -> usize {
        self.values + self.too_dear
    }

    /// Says what all cost together, what would be left, and the most that one may cost.
    #[must_use]
    pub fn text(&self) -> String {
        let budget = match self.money_left {
            Some(left) if left >= self.cents => {
                format!(
                    "{} of the budget would be left",
                    money(left - self.cents, &self.unit)
                )
            }
            Some(left) => format!("the budget has only {} left", money(left.max(0), &self.unit)),
            None => "no money budget is set".to_owned(),
        };
        let counted = |count: u64, one: &str| match count {
            1 => format!("1 {one}"),
            count => format!("{count} {one}s"),
        };
        let mut text = format!(
            "{}: {} for {} in all from {} ({}); {budget}",
            counted(self.values as u64, "value"),
            counted(self.records, "record"),
            money(self.cents, &self.unit),
            self.title,
            self.product,
        );
        if let Some(max) = self.max_price {
            text.push_str(&format!(
                "; no more than {} is paid for one report",
                money(max, &self.unit)
            ));
        }
        if self.too_dear > 0 {
            text.push_str(&format!(
                ", which is less than {} other{} would cost",
                self.too_dear,
                if self.too_dear == 1 { "" } else { "s" }
            ));
        }
        text
    }
}
