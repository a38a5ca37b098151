//! Asks the client's user before something is bought: once for a whole run, with the total.

use std::time::Duration;

use uuid::Uuid;

use super::execution::{Execution, InputResult};
use crate::ask::transform::RunAnswers;
use crate::clock::timeout_at;
use crate::domain::outcome::money;
use crate::http::maltego::TOKEN;
use crate::maltego::json::event::{Event, MessageType, Prompt, PromptOption};
use crate::maltego::json::graph::Input;
use crate::maltego::json::run::State;
use crate::maltego::settings::boolean;

/// How long the user may take.
const PATIENCE: Duration = Duration::from_secs(300);
const BUY: &str = "buy";
const KEEP: &str = "keep";

/// Is something that can be bought for an input.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    provider: String,
    title: String,
    cents: i64,
    unit: String,
    count: u64,
    money_left: Option<i64>,
    max_price: Option<i64>,
}

/// Lists what can be bought instead of answers.
pub(super) fn offers(answers: &RunAnswers) -> Vec<Offer> {
    let quotes = answers.quotes();
    let offers = quotes.map(|quote| Offer {
        provider: quote.descriptor.name.to_string(),
        title: quote.descriptor.title.to_string(),
        cents: quote.price.cents,
        unit: quote.price.unit.clone(),
        count: quote.price.count,
        money_left: quote.money_left,
        max_price: quote.max_price,
    });
    offers.collect()
}

impl Offer {
    /// Tells whether it may be bought, for what is allowed and what is left.
    fn is_affordable(&self) -> bool {
        self.max_price.is_some_and(|max| self.cents <= max)
            && self.money_left.is_none_or(|left| left >= self.cents)
    }
}

/// Sets that what has a price is bought.
pub(super) fn set_buy(settings: &mut Vec<(String, String)>, providers: &[String]) {
    for provider in providers {
        let name = format!("{provider}.{BUY}");
        settings.retain(|(known, _)| *known != name);
        settings.push((name, "true".to_owned()));
    }
}

/// Tells whether the client asked for a purchase by the setting, which needs no question.
fn is_set(work: &Execution, provider: &str) -> bool {
    let name = format!("{provider}.{BUY}");
    let mut settings = work.question.settings.iter();
    settings.any(|(known, value)| *known == name && boolean(value) == Ok(Some(true)))
}

/// Tells whether the user is asked about an input's offers.
pub(super) fn may_ask(work: &Execution, offers: &[Offer]) -> bool {
    work.question.may_prompt
        && work.context.requester.may_buy
        && !offers.is_empty()
        && offers
            .iter()
            .all(|offer| offer.is_affordable() && !is_set(work, &offer.provider))
}

/// Tells whether a message is the quote of an offer.
pub(super) fn is_quote(text: &str, offers: &[Offer]) -> bool {
    let mut offers = offers.iter();
    offers.any(|offer| {
        let amount = money(offer.cents, &offer.unit);
        text.contains(&format!("for {amount} from {}", offer.title))
    })
}

/// Asks once for all inputs, and returns the places of those for which the user buys.
pub(super) async fn decide(
    work: &Execution,
    inputs: &[Input],
    results: &[InputResult],
) -> Option<Vec<usize>> {
    let quoted: Vec<(usize, &[Offer])> = results
        .iter()
        .enumerate()
        .filter(|(_, result)| !result.quotes.is_empty())
        .map(|(at, result)| (at, result.quotes.as_slice()))
        .collect();
    if quoted.is_empty() {
        return None;
    }
    if !work.context.requester.may_buy {
        let text = match work.question.is_path_token {
            true => format!(
                "the token in the server's address cannot buy; put a token with the scope `{BUY}` into the setting {TOKEN}"
            ),
            false => format!("this token cannot buy; it needs the scope `{BUY}`"),
        };
        work.say(MessageType::Info, State::Running, &text, inputs.len());
        return None;
    }
    let asked: Vec<(usize, &[Offer])> = quoted
        .into_iter()
        .filter(|(_, offers)| may_ask(work, offers))
        .collect();
    let first = asked.first()?.1.first()?;
    let offers = || asked.iter().flat_map(|(_, offers)| offers.iter());
    // One question has one sum: of one provider, in one unit.
    if offers().any(|offer| offer.unit != first.unit) {
        return None;
    }
    let total: i64 = offers().map(|offer| offer.cents).fold(0, i64::saturating_add);
    let count: u64 = offers().map(|offer| offer.count).fold(0, u64::saturating_add);
    let left = offers().filter_map(|offer| offer.money_left).min();
    if let Some(left) = left
        && left < total
    {
        let text = format!(
            "{} reports together cost {}, and the budget has only {} left; nothing was bought, so select fewer",
            offers().count(),
            money(total, &first.unit),
            money(left.max(0), &first.unit)
        );
        work.say(MessageType::Warning, State::Running, &text, inputs.len());
        return None;
    }
    let message = question(&first.title, asked.len(), count, total, left, &first.unit);
    let chosen = ask(work, &message, &money(total, &first.unit)).await;
    if !chosen {
        let text = format!("nothing was bought: {message}");
        work.say(MessageType::Info, State::Running, &text, inputs.len());
        return None;
    }
    Some(asked.into_iter().map(|(at, _)| at).collect())
}

fn question(title: &str, inputs: usize, count: u64, total: i64, left: Option<i64>, unit: &str) -> String {
    let records = match count {
        1 => "1 domain".to_owned(),
        count => format!("{count} domains"),
    };
    let of = match inputs {
        1 => String::new(),
        many => format!(" for {many} entities"),
    };
    let rest = match left {
        Some(left) => format!("{} of the budget would be left", money(left - total, unit)),
        None => "no money budget is set".to_owned(),
    };
    format!(
        "{title} has {records}{of} for {} in all; {rest}. Buy?",
        money(total, unit)
    )
}

/// Asks, and waits for the answer. Without one nothing is bought.
async fn ask(work: &Execution, message: &str, amount: &str) -> bool {
    let id = Uuid::now_v7().to_string();
    let answered = work.run.ask(id.clone());
    let buy = format!("Buy for {amount}");
    let options = [
        PromptOption {
            id: BUY,
            display_name: &buy,
        },
        PromptOption {
            id: KEEP,
            display_name: "Do not buy",
        },
    ];
    let is_told = work.run.add(&Event::Asked(Prompt {
        id: &id,
        message,
        options: &options,
        default: KEEP,
        timeout: PATIENCE.as_secs(),
    }));
    if !is_told {
        work.run.close_prompt();
        return false;
    }
    let clock = work.app.engine.clock();
    let answer = timeout_at(clock.as_ref(), clock.elapsed() + PATIENCE, answered).await;
    work.run.close_prompt();
    let Some(Ok(answer)) = answer else { return false };
    answer.is_chosen && answer.chosen.iter().any(|choice| choice == BUY)
}
