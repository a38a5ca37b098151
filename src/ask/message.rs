//! Says to a Maltego client what became of a question. Every message begins with the input's value, so
//! that a selection of forty can be read.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::indicator::{is_plain, visible};
use crate::domain::outcome::money;
use crate::domain::{Answer, Denial, Failure, FailureKind, Outcome};
use crate::engine::EngineResponse;
use crate::maltego::{UiMessage, UiMessageKind};
use crate::mapping::{DateWindow, DroppedCounts, MappingResult, UnmappedCounts};

mod omitted;
pub mod prices;

/// Holds what a message is made from.
#[derive(Debug)]
pub struct MessageContext<'a> {
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
    /// Whether prices are summed over all values of the run, and told once.
    pub sums_prices: bool,
    /// What the transform makes entities of, for people: `user agent`, `host or ip`.
    pub shows: &'a str,
    /// Which results belong.
    pub window: DateWindow,
    /// Whether options of a command stand for what a Maltego client has settings and a slider for.
    pub at_terminal: bool,
    /// The request id.
    pub request_id: &'a str,
    /// Now.
    pub now: Timestamp,
}

/// Says that a question was held back here, before what was reached.
const OWN_LIMIT: &str = "not asked, since a limit of this server's own is reached: ";

/// Shortens a value for the head of a message; hostile or huge input must not flood the client. What cannot be seen is
/// shown as `U+200E`.
#[must_use]
pub fn head(value: &str) -> String {
    const MOST: usize = 120;
    if value.len() <= MOST && is_plain(value) {
        return value.to_owned();
    }
    let spaced: String = value
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MOST + 1)
        .collect();
    visible(&spaced, MOST)
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

/// Says how to buy what was quoted.
pub(super) fn how_to_buy(max_price: Option<i64>, at_terminal: bool, provider: &str) -> String {
    match max_price {
        Some(_) if at_terminal => "to buy, run it again with --set buy=true".to_owned(),
        Some(_) => format!("to buy, run it again with the setting {provider}.buy"),
        None => "nothing is bought here until the administrator sets `max_price` in a budget".to_owned(),
    }
}

impl MessageContext<'_> {
    fn say(&self, kind: UiMessageKind, text: &str) -> UiMessage {
        UiMessage::new(kind, format!("{}: {text}", head(self.value)))
    }

    /// Says that nothing could be asked, because of the value or a setting.
    #[must_use]
    pub fn bad_input(&self, text: &str) -> UiMessage {
        self.say(UiMessageKind::PartialError, text)
    }

    /// Says something of the question that is good to know.
    #[must_use]
    pub fn inform(&self, text: &str) -> UiMessage {
        self.say(UiMessageKind::Inform, text)
    }

    /// Says all that is to be said of one provider's answer.
    #[must_use]
    pub fn messages(&self, response: &EngineResponse, mapped: &MappingResult) -> Vec<UiMessage> {
        let mut all = Vec::new();
        if let Some(domain) = self.instead
            && !matches!(response.outcome, Outcome::Failed(_))
        {
            all.push(self.say(
                UiMessageKind::Inform,
                &format!("asked for {domain}, its registrable domain"),
            ));
        }
        match &response.outcome {
            Outcome::Found(answer) if answer.is_quote() => all.push(self.quote(answer, response)),
            Outcome::Found(answer) => {
                all.extend(self.not_shown(answer, mapped));
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
        if let (Some(cause), Some(entry)) = (&response.stale, &response.entry) {
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

    /// Says how the client asks for more.
    fn for_more(&self) -> &'static str {
        if self.at_terminal {
            "raise --limit"
        } else {
            "raise the slider"
        }
    }

    fn quote(&self, answer: &Answer, response: &EngineResponse) -> UiMessage {
        let Some(price) = &answer.price else {
            return self.say(UiMessageKind::Inform, "no price");
        };
        let noun = if price.count == 1 { "domain" } else { "domains" };
        let text = format!(
            "{} {noun} for {} from {} ({})",
            price.count,
            price.amount(),
            self.title,
            answer.source.product
        );
        if self.sums_prices {
            return self.say(UiMessageKind::Inform, &text);
        }
        let budget = match response.money_left {
            Some(left) if left >= price.cents => {
                format!(
                    "{} of the budget would be left",
                    money(left - price.cents, &price.unit)
                )
            }
            Some(left) => format!("the budget has only {} left", money(left.max(0), &price.unit)),
            None => "no money budget is set".to_owned(),
        };
        let how = match response.max_price {
            Some(max) if price.cents > max => {
                format!(
                    "over the {} that may be paid for one report",
                    money(max, &price.unit)
                )
            }
            max => how_to_buy(max, self.at_terminal, self.provider),
        };
        self.say(UiMessageKind::Inform, &format!("{text}; {budget}; {how}"))
    }

    /// Says what is not shown and why, what has no date, and how to see more.
    fn not_shown(&self, answer: &Answer, mapped: &MappingResult) -> Option<UiMessage> {
        let unseen = answer.total.filter(|total| *total > answer.records.len() as u64);
        let nothing = mapped.is_empty();
        let mut parts = self.dropped(&mapped.dropped);
        match mapped.undated {
            0 => {}
            1 => parts.push("1 without a date is shown".to_owned()),
            many => parts.push(format!("{many} without a date are shown")),
        }
        // Beside what is shown, what transforms are not for would only be noise.
        if nothing {
            parts.extend(answer.left_out.iter().map(|left| match left.count {
                0 => left.text(),
                _ => format!("{} left out", left.text()),
            }));
            parts.extend(self.unplaced(&mapped.dropped.unplaced));
        }
        if mapped.total_mapped == 0 && parts.is_empty() && !answer.more && unseen.is_none() {
            // An annotated input says all that there is.
            return None;
        }
        if let Some(total) = unseen {
            parts.push(format!("{} counts {total} in all", self.title));
        }
        if mapped.dropped.over_limit > 0 {
            parts.push(format!("{} for more (costs nothing)", self.for_more()));
        } else if answer.more && self.paged {
            parts.push(format!(
                "{} for more (further records are billed)",
                self.for_more()
            ));
        } else if answer.more && parts.is_empty() {
            parts.push(format!("{} has more", self.title));
        }
        if parts.is_empty() {
            return None;
        }
        let head = if mapped.total_mapped > 0 {
            format!("{} of {} shown", mapped.shown, mapped.total_mapped)
        } else if nothing && self.merged {
            // What was counted is counted of the whole.
            "nothing of what was answered is shown".to_owned()
        } else if nothing {
            format!("{} answered, and nothing is shown", self.title)
        } else {
            "nothing beside it is shown".to_owned()
        };
        Some(self.say(UiMessageKind::Inform, &format!("{head}; {}", parts.join("; "))))
    }

    /// Says which entities are left out, each reason once.
    fn dropped(&self, dropped: &DroppedCounts) -> Vec<String> {
        let mut parts = Vec::new();
        if dropped.outside > 0 {
            parts.push(format!(
                "{} outside {}",
                dropped.outside,
                window_text(&self.window)
            ));
        }
        let mut left_out = |count: usize, one: &str, many: &str, why: &str| match count {
            0 => {}
            1 => parts.push(format!("1 {one} left out{why}")),
            count => parts.push(format!("{count} {many} left out{why}")),
        };
        left_out(
            dropped.undated,
            "without a date",
            "without a date",
            " (undated=false)",
        );
        left_out(dropped.sinkholes, "sinkhole", "sinkholes", "");
        left_out(
            dropped.dynamic_dns,
            "name of a dynamic DNS service",
            "names of dynamic DNS services",
            "",
        );
        parts
    }

    /// Says what came of which nothing could be made.
    fn unplaced(&self, unplaced: &UnmappedCounts) -> Vec<String> {
        let records = |count: usize| match count {
            1 => "1 record".to_owned(),
            count => format!("{count} records"),
        };
        let mut parts = Vec::new();
        if unplaced.other > 0 {
            let kinds = unplaced
                .kinds
                .iter()
                .map(|(kind, count)| format!("{count} {kind}"));
            let kinds = kinds.collect::<Vec<_>>().join(", ");
            let kinds = if kinds.is_empty() {
                kinds
            } else {
                format!(" ({kinds})")
            };
            let verb = if unplaced.other == 1 { "holds" } else { "hold" };
            parts.push(format!(
                "{}{kinds} {verb} no {}",
                records(unplaced.other),
                self.shows
            ));
        }
        if unplaced.equal > 0 {
            let verb = if unplaced.equal == 1 { "names" } else { "name" };
            parts.push(format!(
                "{} {verb} nothing but the value itself",
                records(unplaced.equal)
            ));
        }
        if unplaced.redacted > 0 {
            let verb = if unplaced.redacted == 1 { "is" } else { "are" };
            parts.push(format!("{} {verb} redacted", records(unplaced.redacted)));
        }
        parts
    }

    /// Says of an answer without an entity and without any other message that nothing came of it.
    #[must_use]
    pub fn nothing(&self) -> UiMessage {
        let text = format!("{} answered, and nothing of it can be shown here", self.title);
        self.say(UiMessageKind::Inform, &text)
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
        // Whose limit it is decides who can do something about it.
        let own = if failure.is_own_limit { OWN_LIMIT } else { "" };
        let mut text = format!("{}{product}: {own}{}", self.title, failure.message);
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

fn window_text(window: &DateWindow) -> String {
    match (window.since, window.until) {
        (Some(since), Some(until)) => format!("{since}..{until}"),
        (Some(since), None) => format!("the time since {since}"),
        (None, Some(until)) => format!("the time until {until}"),
        (None, None) => "the window".to_owned(),
    }
}

fn cause_text(failure: &Failure) -> String {
    let cause = match failure.kind {
        FailureKind::Limited if failure.is_own_limit => {
            return format!("was {OWN_LIMIT}{}", failure.message);
        }
        FailureKind::Limited => "is limited by the vendor",
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
        assert_eq!(head("\u{200e}a"), "U+200Ea");
        assert_eq!(head(&"é".repeat(500)).chars().count(), 121);
    }

    #[test]
    fn a_limit_says_whose_it_is() {
        let limited = || Failure::new(FailureKind::Limited, "acme", "the budget of 5/day is used up");
        assert_eq!(
            cause_text(&limited().by_own_limit()),
            "was not asked, since a limit of this server's own is reached: the budget of 5/day is used up"
        );
        assert_eq!(
            cause_text(&limited()),
            "is limited by the vendor: the budget of 5/day is used up"
        );
    }

    #[test]
    fn ages_are_readable() {
        assert_eq!(age_text(1), "1 second");
        assert_eq!(age_text(150), "2 minutes");
        assert_eq!(age_text(7_200), "2 hours");
        assert_eq!(age_text(10 * 86_400), "10 days");
    }
}
