//! Says to a Maltego client what became of a question. Every message begins with the input's value, so
//! that a selection of forty can be read.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::outcome::money;
use crate::domain::{Answer, Denial, Failure, FailureKind, Outcome};
use crate::engine::Told;
use crate::maltego::{UiMessage, UiMessageKind};
use crate::mapping::{Mapped, Window};

/// Holds what a message is made from.
#[derive(Debug)]
pub struct Context<'a> {
    /// The input's value as the client sent it.
    pub value: &'a str,
    /// The provider's name for people.
    pub title: &'a str,
    /// The provider's name in settings.
    pub provider: &'a str,
    /// What was asked, for people: the transform's title.
    pub asked: &'a str,
    /// The registrable domain that was asked for instead of the value.
    pub instead: Option<&'a str>,
    /// Whether more records can be fetched page by page.
    pub paged: bool,
    /// Whether several providers were asked.
    pub merged: bool,
    /// Which results belong.
    pub window: Window,
    /// The request id.
    pub request_id: &'a str,
    /// Now.
    pub now: Timestamp,
}

/// Shortens a value for the head of a message; hostile or huge input must not flood the client.
#[must_use]
pub fn head(value: &str) -> String {
    const MOST: usize = 120;
    let clean: String = value
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MOST)
        .collect();
    if value.chars().nth(MOST).is_some() {
        format!("{clean}…")
    } else {
        clean
    }
}

/// Formats a time for people: `2026-11-21 10:00 UTC`.
#[must_use]
pub fn time_text(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M:%S UTC")
        .to_string()
}

/// Formats how long ago something was: `3 hours`, `2 days`.
#[must_use]
pub fn age_text(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..=119 => (seconds, "second"),
        120..=7_199 => (seconds / 60, "minute"),
        7_200..=172_799 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    if count == 1 {
        format!("1 {unit}")
    } else {
        format!("{count} {unit}s")
    }
}

impl Context<'_> {
    fn say(&self, kind: UiMessageKind, text: &str) -> UiMessage {
        UiMessage::new(kind, format!("{}: {text}", head(self.value)))
    }

    /// Says that nothing could be asked, because of the value or a setting.
    #[must_use]
    pub fn bad_input(&self, text: &str) -> UiMessage {
        self.say(UiMessageKind::PartialError, text)
    }

    /// Says all that is to be said of one provider's answer.
    #[must_use]
    pub fn messages(&self, told: &Told, mapped: &Mapped) -> Vec<UiMessage> {
        let mut all = Vec::new();
        if let Some(domain) = self.instead
            && !matches!(told.outcome, Outcome::Failed(_))
        {
            all.push(self.say(
                UiMessageKind::Inform,
                &format!("asked for {domain}, its registrable domain"),
            ));
        }
        match &told.outcome {
            Outcome::Found(answer) if answer.is_quote() => all.push(self.quote(answer, told)),
            Outcome::Found(answer) => {
                all.extend(self.left_out(answer, mapped));
                for missing in &answer.missing {
                    let text = format!("{} answered in part: {missing}", self.title);
                    all.push(self.say(UiMessageKind::PartialError, &text));
                }
            }
            Outcome::NotFound(answer) => {
                let text = format!(
                    "{} knows nothing of it ({}, asked of {})",
                    self.title, self.asked, answer.source.product
                );
                all.push(self.say(UiMessageKind::Inform, &text));
            }
            Outcome::Failed(failure) => all.push(self.failure(failure)),
        }
        if let (Some(cause), Some(entry)) = (&told.stale, &told.entry) {
            let age = age_text(entry.age(self.now).as_secs());
            let text = format!(
                "this answer is {age} old, because {} {}",
                self.title,
                cause_text(cause)
            );
            all.push(self.say(UiMessageKind::Inform, &text));
        }
        all
    }

    fn quote(&self, answer: &Answer, told: &Told) -> UiMessage {
        let Some(price) = &answer.price else {
            return self.say(UiMessageKind::Inform, "no price");
        };
        let noun = if price.count == 1 { "domain" } else { "domains" };
        let budget = match told.money_left {
            Some(left) if left >= price.cents => {
                format!(
                    "{} of the budget would be left",
                    money(left - price.cents, &price.unit)
                )
            }
            Some(left) => format!("the budget has only {} left", money(left.max(0), &price.unit)),
            None => "no money budget is set".to_owned(),
        };
        let how = match told.max_price {
            Some(most) if price.cents > most => {
                format!(
                    "over the {} that may be paid for one report",
                    money(most, &price.unit)
                )
            }
            Some(_) => format!("to buy, run it again with the setting {}.buy", self.provider),
            None => "nothing is bought here until the administrator sets `max_price` in a budget".to_owned(),
        };
        let text = format!(
            "{} {noun} for {} from {} ({}); {budget}; {how}",
            price.count,
            price.amount(),
            self.title,
            answer.source.product,
        );
        self.say(UiMessageKind::Inform, &text)
    }

    /// Says what is not shown, and how to see it.
    fn left_out(&self, answer: &Answer, mapped: &Mapped) -> Option<UiMessage> {
        let inside = mapped.total_mapped - mapped.outside_window - mapped.sinkholes;
        let unseen = answer.total.filter(|total| *total > answer.records.len() as u64);
        let all_shown = mapped.shown >= mapped.total_mapped;
        if all_shown && !answer.more && unseen.is_none() {
            return None;
        }
        let mut text = format!("{} of {} shown", mapped.shown, mapped.total_mapped);
        if mapped.outside_window > 0 {
            text.push_str(&format!(
                "; {} outside {}",
                mapped.outside_window,
                window_text(&self.window)
            ));
        }
        match mapped.sinkholes {
            0 => {}
            1 => text.push_str("; 1 sinkhole left out"),
            many => text.push_str(&format!("; {many} sinkholes left out")),
        }
        if let Some(total) = unseen {
            text.push_str(&format!("; {} counts {total} in all", self.title));
        }
        if mapped.shown < inside {
            text.push_str("; raise the slider for more (costs nothing)");
        } else if answer.more && self.paged {
            text.push_str("; raise the slider for more (further records are billed)");
        }
        Some(self.say(UiMessageKind::Inform, &text))
    }

    fn failure(&self, failure: &Failure) -> UiMessage {
        let kind = match failure.kind {
            // Where others were asked too, what they said counts more than a pop-up.
            FailureKind::Denied(Denial::ServerKey | Denial::NoKey) if !self.merged => {
                UiMessageKind::FatalError
            }
            _ => UiMessageKind::PartialError,
        };
        let product = failure
            .product
            .as_deref()
            .map(|product| format!(" ({product})"))
            .unwrap_or_default();
        let mut text = format!("{}{product}: {}", self.title, failure.message);
        match failure.kind {
            FailureKind::Denied(Denial::ServerKey) => {
                text.push_str("; tell the administrator of pivotd that this server's key is refused");
            }
            FailureKind::Denied(Denial::NoKey) => {
                text.push_str("; ask the administrator of pivotd for one, or set your own");
            }
            FailureKind::Limited => {
                if let Some(until) = failure.until {
                    text.push_str(&format!("; it opens at {}", time_text(until)));
                }
                let charged = if failure.charged.is_empty() {
                    "nothing"
                } else {
                    &failure.charged
                };
                text.push_str(&format!("; the ledger was charged {charged}"));
            }
            FailureKind::Unavailable
            | FailureKind::TimedOut
            | FailureKind::Malformed
            | FailureKind::Refused => {
                if !failure.charged.is_empty() {
                    text.push_str(&format!("; the ledger was charged {}", failure.charged));
                }
                text.push_str(&format!(" (request {})", self.request_id));
            }
            FailureKind::Denied(Denial::UserKey) => {
                text.push_str("; that is the key you set yourself: correct it, or clear it");
            }
            FailureKind::Denied(_) => {}
        }
        self.say(kind, &text)
    }
}

fn window_text(window: &Window) -> String {
    match (window.since, window.until) {
        (Some(since), Some(until)) => format!("{since}..{until}"),
        (Some(since), None) => format!("the time since {since}"),
        (None, Some(until)) => format!("the time until {until}"),
        (None, None) => "the window".to_owned(),
    }
}

fn cause_text(failure: &Failure) -> String {
    let cause = match failure.kind {
        FailureKind::Limited => "is limited",
        FailureKind::TimedOut => "did not answer in time",
        FailureKind::Malformed => "gave an answer that could not be understood",
        _ => "could not be asked",
    };
    format!("{cause}: {}", failure.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_short_and_clean() {
        assert_eq!(head("example.com"), "example.com");
        assert_eq!(head("a\nb\u{1b}c"), "a b c");
        assert_eq!(head(&"é".repeat(500)).chars().count(), 121);
    }

    #[test]
    fn ages_are_readable() {
        assert_eq!(age_text(1), "1 second");
        assert_eq!(age_text(150), "2 minutes");
        assert_eq!(age_text(7_200), "2 hours");
        assert_eq!(age_text(10 * 86_400), "10 days");
    }
}
