//! Asks the client's user before something is bought: once for a whole run, with the total.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::execution::{Execution, InputResult};
use crate::ask::message::prices::PriceTotal;
use crate::ask::transform::RunAnswers;
use crate::clock::timeout_at;
use crate::domain::outcome::money;
use crate::domain::{Outcome, Price};
use crate::engine::EngineResponse;
use crate::http::maltego::TOKEN;
use crate::maltego::json::event::{Event, MessageType, Prompt, PromptOption};
use crate::maltego::json::graph::Input;
use crate::maltego::json::run::State;
use crate::maltego::settings::boolean;
use crate::providers::Descriptor;

/// How long the user may take.
const PATIENCE: Duration = Duration::from_secs(300);
const BUY: &str = "buy";
const KEEP: &str = "keep";

/// Is the response of a provider that names a price instead of an answer.
pub(super) type Quote = (Arc<Descriptor>, EngineResponse);

/// Lists what can be bought instead of answers.
pub(super) fn quotes(answers: &RunAnswers) -> Vec<Quote> {
    let quotes = answers.quotes().map(|(descriptor, told)| {
        // The user may take their time, in which nothing holds room that others need.
        let told = EngineResponse {
            place: None,
            ..told.clone()
        };
        (Arc::clone(descriptor), told)
    });
    quotes.collect()
}

fn price((_, told): &Quote) -> Option<&Price> {
    match &told.outcome {
        Outcome::Found(answer) => answer.price.as_ref(),
        _ => None,
    }
}

fn total<'a>(quotes: impl Iterator<Item = &'a Quote>) -> Vec<PriceTotal> {
    PriceTotal::of(quotes.map(|(descriptor, told)| (descriptor.as_ref(), told)))
}

/// Tells whether a quote may be bought, for what is allowed and what is left.
fn is_affordable(quote: &Quote) -> bool {
    let Some(price) = price(quote) else { return false };
    let (_, told) = quote;
    told.max_price.is_some_and(|max| price.cents <= max)
        && told.money_left.is_none_or(|left| left >= price.cents)
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

/// Tells whether the user is asked about an input's quotes.
pub(super) fn may_ask(work: &Execution, quotes: &[Quote]) -> bool {
    work.question.may_prompt
        && work.context.requester.may_buy
        && !quotes.is_empty()
        && quotes
            .iter()
            .all(|quote| is_affordable(quote) && !is_set(work, &quote.0.name))
}

/// Tells whether a message names the price of a quote.
pub(super) fn is_told(text: &str, quotes: &[Quote]) -> bool {
    let mut quotes = quotes.iter();
    quotes.any(|quote| {
        let amount = price(quote).map(Price::amount).unwrap_or_default();
        text.contains(&format!("for {amount} from {}", quote.0.title))
    })
}

/// Asks once for all inputs, and returns the places of those for which the user buys.
pub(super) async fn decide(
    work: &Execution,
    inputs: &[Input],
    results: &[InputResult],
) -> Option<Vec<usize>> {
    let say = |kind, text: &str| work.say(kind, State::Running, text, inputs.len());
    let quoted = results.iter().filter(|result| !result.quotes.is_empty()).count();
    if quoted == 0 {
        return None;
    }
    if !work.context.requester.may_buy {
        let text = match work.question.is_path_token {
            true => format!(
                "the token in the server's address cannot buy; put a token with the scope `{BUY}` into the setting {TOKEN}"
            ),
            false => format!("this token cannot buy; it needs the scope `{BUY}`"),
        };
        say(MessageType::Info, &text);
        return None;
    }
    let places: Vec<usize> = results
        .iter()
        .enumerate()
        .filter(|(_, result)| may_ask(work, &result.quotes))
        .map(|(at, _)| at)
        .collect();
    if places.is_empty() {
        if quoted > 1 && !work.question.may_prompt {
            let totals = total(results.iter().flat_map(|result| &result.quotes));
            totals
                .iter()
                .for_each(|total| say(MessageType::Info, &total.text()));
        }
        return None;
    }
    let asked = places.iter().filter_map(|at| results.get(*at));
    let totals = total(asked.flat_map(|result| &result.quotes));
    let texts: Vec<String> = totals.iter().map(PriceTotal::text).collect();
    let message = texts.join("; and ");
    let is_too_much = |total: &PriceTotal| total.money_left.is_some_and(|left| left < total.cents);
    if totals.iter().any(is_too_much) {
        say(
            MessageType::Warning,
            &format!("nothing was bought, so select fewer: {message}"),
        );
        return None;
    }
    let amounts: Vec<String> = totals
        .iter()
        .map(|total| money(total.cents, &total.unit))
        .collect();
    if !ask(work, &format!("{message}. Buy?"), &amounts.join(" and ")).await {
        say(MessageType::Info, &format!("nothing was bought: {message}"));
        return None;
    }
    Some(places)
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
