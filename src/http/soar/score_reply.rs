//! Holds the reply to a question for scores in segments, so that it can be sent again and still be true: whose request it is,
//! how old answers are, what is left of budgets.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use jiff::Timestamp;

use crate::engine::cache::CachedReply;
use crate::reputation::segments::{Member, Span};

/// Says what is written between two segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SegmentGap {
    RequestId,
    Budget,
    /// Seconds since then.
    Age(Timestamp),
}

/// Holds a reply that differs a little from request to request.
#[derive(Debug)]
pub(super) struct ScoreReply {
    /// The body.
    pub(super) body: ReusableBody,
    /// The sources whose budgets it tells.
    pub(super) sources: BTreeSet<String>,
    /// The sources of its answers, one for each look-up.
    pub(super) answered: Vec<String>,
    /// The id under which the decision is kept.
    pub(super) decision_id: String,
    /// The version of what people said when it was made.
    pub(super) opinions: u64,
    /// Where its answers came from: `hit`, or `local` where there are none.
    pub(super) cache: &'static str,
    /// The outcome, for logs and metrics.
    pub(super) outcome: &'static str,
    /// What was asked about, for the log.
    pub(super) asked: String,
}

impl ScoreReply {
    /// Writes the reply for another request at `now`.
    pub(super) fn fill(&self, request_id: &str, budget: &str, now: Timestamp) -> String {
        self.body.fill(request_id, budget, now)
    }
}

impl CachedReply for ScoreReply {
    fn weight(&self) -> usize {
        self.body.weight() + 256
    }
}

/// Holds a body and the spans of what is a request's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReusableBody {
    text: String,
    gaps: Vec<(Range<usize>, SegmentGap)>,
}

impl ReusableBody {
    /// Takes a written answer with the spans of its members, whose ages are those of what was retrieved at these times, in order; `None` stands for an age
    /// of which that is not known. Returns `None` where the answer cannot be written anew from them.
    pub(super) fn of(text: &str, spans: &[Span], retrieved: &[Option<Timestamp>]) -> Option<Self> {
        let mut retrieved = retrieved.iter();
        let mut gaps = Vec::with_capacity(spans.len());
        for (place, member) in spans {
            let gap = match member {
                Member::RequestId => SegmentGap::RequestId,
                Member::Budget => SegmentGap::Budget,
                Member::Age => SegmentGap::Age((*retrieved.next()?)?),
            };
            gaps.push((place.clone(), gap));
        }
        retrieved.next().is_none().then(|| Self {
            text: text.to_owned(),
            gaps,
        })
    }

    fn fill(&self, request_id: &str, budget: &str, now: Timestamp) -> String {
        let mut body = String::with_capacity(self.text.len() + budget.len() + 32);
        let mut from = 0;
        for (place, gap) in &self.gaps {
            body.push_str(self.text.get(from..place.start).unwrap_or_default());
            match gap {
                SegmentGap::RequestId => {
                    // A request's id is made here: letters, digits and dashes.
                    body.push('"');
                    body.push_str(request_id);
                    body.push('"');
                }
                SegmentGap::Budget => body.push_str(budget),
                SegmentGap::Age(at) => {
                    let age = now.as_millisecond().saturating_sub(at.as_millisecond()).max(0) / 1000;
                    // Writing to a string cannot fail.
                    let _ = write!(body, "{age}");
                }
            }
            from = place.end;
        }
        body.push_str(self.text.get(from..).unwrap_or_default());
        body
    }

    fn weight(&self) -> usize {
        self.text.len() + self.gaps.len() * size_of::<(Range<usize>, SegmentGap)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"request_id":"one","note":"\"age_s\":5, \"budget\":[","budget":[{"budget":"2/day","left":1}],"evidence":[{"age_s":0},{"age_s":null},{"age_s":61,"reason":"\"age_s\":7"}]}"#;
    const LEFT: &str = r#"[{"budget":"2/day","left":1}]"#;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn spans() -> Vec<Span> {
        let place = |text: &str, after: &str| {
            let from = BODY.find(after).unwrap() + after.len();
            assert!(BODY.get(from..).unwrap().starts_with(text));
            from..from + text.len()
        };
        vec![
            (place(r#""one""#, r#"{"request_id":"#), Member::RequestId),
            (
                place(LEFT, r#"["budget":"#.trim_start_matches('[')),
                Member::Budget,
            ),
            (place("0", r#"[{"age_s":"#), Member::Age),
            (place("61", r#"null},{"age_s":"#), Member::Age),
        ]
    }

    #[test]
    fn only_what_is_a_requests_own_is_replaced() {
        let body = ReusableBody::of(BODY, &spans(), &[Some(at(1000)), Some(at(939))]).unwrap();
        assert_eq!(body.fill("one", LEFT, at(1000)), BODY);
        let left = r#"[{"budget":"2/day","left":0}]"#;
        let other = body.fill("other", left, at(1100));
        assert_eq!(
            other,
            r#"{"request_id":"other","note":"\"age_s\":5, \"budget\":[","budget":[{"budget":"2/day","left":0}],"evidence":[{"age_s":100},{"age_s":null},{"age_s":161,"reason":"\"age_s\":7"}]}"#
        );
        let early = body.fill("one", LEFT, at(0));
        assert!(
            early.contains(r#"{"age_s":0},{"age_s":null},{"age_s":0,"#),
            "{early}"
        );
    }

    #[test]
    fn an_age_too_many_or_too_few_or_of_no_known_time_is_not_written_anew() {
        let of = |retrieved: &[Option<Timestamp>]| ReusableBody::of(BODY, &spans(), retrieved);
        assert_eq!(of(&[Some(at(1000))]), None, "an age too many");
        let more = [Some(at(1)), Some(at(1)), Some(at(1))];
        assert_eq!(of(&more), None, "an age too few");
        assert_eq!(of(&[Some(at(1)), None]), None);
    }
}
