//! Keeps a rendered answer with the places of what differs from one request to the next, so that it can be sent again
//! and still be true: whose request it is, how old answers are, what is left of budgets.

use std::ops::Range;

use jiff::Timestamp;

/// How the answer begins, up to the request's id.
const REQUEST_ID: &str = "{\"request_id\":\"";
/// What stands before the budgets, without the bracket that is theirs.
const BUDGET: &str = "\"budget\":";
/// What stands before an age.
const AGE: &str = "\"age_s\":";

/// Says what stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Own {
    RequestId,
    Budget,
    /// Seconds since then.
    Age(Timestamp),
}

/// Holds a rendered answer and the places of what is a request's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    body: String,
    /// In ascending order, and apart from each other.
    places: Vec<(Range<usize>, Own)>,
}

impl Template {
    /// Finds the places in a JSON text: the request's id, which comes first, the budgets as they are written in it, and
    /// the ages of what was retrieved at these times, in order, `None` for one without an age. `None` where one of them
    /// does not stand where it should.
    #[must_use]
    pub fn of(body: &str, request_id: &str, budget: &str, ages: &[Option<Timestamp>]) -> Option<Self> {
        let mut places = Vec::with_capacity(ages.len() + 2);
        let mut from = REQUEST_ID.len();
        let rest = body.strip_prefix(REQUEST_ID)?.strip_prefix(request_id)?;
        rest.strip_prefix('"')?;
        places.push((from..from + request_id.len(), Own::RequestId));
        from += request_id.len();
        // A quotation mark inside a text is escaped, so that a name with its marks and colon is a name.
        from = behind(body, from, &format!("{BUDGET}["))? - 1;
        body.get(from..)?.strip_prefix(budget)?;
        places.push((from..from + budget.len(), Own::Budget));
        from += budget.len();
        for retrieved_at in ages {
            from = behind(body, from, AGE)?;
            let rest = body.get(from..)?;
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            match retrieved_at {
                Some(at) if digits > 0 => places.push((from..from + digits, Own::Age(*at))),
                None if rest.starts_with("null") => {}
                _ => return None,
            }
            from += digits;
        }
        let all = !body.get(from..)?.contains(AGE);
        all.then(|| Self {
            body: body.to_owned(),
            places,
        })
    }

    /// Writes the answer for another request at `now`.
    #[must_use]
    pub fn fill(&self, request_id: &str, budget: &str, now: Timestamp) -> String {
        let mut body = String::with_capacity(self.body.len() + budget.len() + 32);
        let mut from = 0;
        for (place, own) in &self.places {
            body.push_str(self.body.get(from..place.start).unwrap_or_default());
            match own {
                Own::RequestId => body.push_str(request_id),
                Own::Budget => body.push_str(budget),
                Own::Age(at) => {
                    let age = now.as_millisecond().saturating_sub(at.as_millisecond()).max(0) / 1000;
                    // Writing to a string cannot fail.
                    let _ = std::fmt::Write::write_fmt(&mut body, format_args!("{age}"));
                }
            }
            from = place.end;
        }
        body.push_str(self.body.get(from..).unwrap_or_default());
        body
    }

    /// Returns about how many bytes it takes.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.body.len() + self.places.len() * size_of::<(Range<usize>, Own)>()
    }
}

/// Finds the first place behind a text.
fn behind(body: &str, from: usize, text: &str) -> Option<usize> {
    Some(from + body.get(from..)?.find(text)? + text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"request_id":"one","note":"\"age_s\":5, \"budget\":[","budget":[{"budget":"2/day","left":1}],"evidence":[{"age_s":0},{"age_s":null},{"age_s":61,"reason":"\"age_s\":7"}]}"#;
    const LEFT: &str = r#"[{"budget":"2/day","left":1}]"#;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn only_what_is_a_requests_own_is_replaced() {
        let ages = [Some(at(1000)), None, Some(at(939))];
        let template = Template::of(BODY, "one", LEFT, &ages).unwrap();
        assert_eq!(template.fill("one", LEFT, at(1000)), BODY);
        let left = r#"[{"budget":"2/day","left":0}]"#;
        let other = template.fill("other", left, at(1100));
        assert_eq!(
            other,
            r#"{"request_id":"other","note":"\"age_s\":5, \"budget\":[","budget":[{"budget":"2/day","left":0}],"evidence":[{"age_s":100},{"age_s":null},{"age_s":161,"reason":"\"age_s\":7"}]}"#
        );
        let early = template.fill("one", LEFT, at(0));
        assert!(
            early.contains(r#"{"age_s":0},{"age_s":null},{"age_s":0,"#),
            "{early}"
        );
    }

    #[test]
    fn what_does_not_stand_where_it_should_makes_no_template() {
        let ages = [Some(at(1000)), None, Some(at(939))];
        assert_eq!(Template::of(BODY, "two", LEFT, &ages), None);
        assert_eq!(Template::of(BODY, "one", "[]", &ages), None);
        assert_eq!(
            Template::of(BODY, "one", LEFT, &ages[..2]),
            None,
            "an age too many"
        );
        assert_eq!(Template::of(BODY, "one", LEFT, &[None, None, None]), None);
        let more = [Some(at(1)), None, Some(at(1)), Some(at(1))];
        assert_eq!(Template::of(BODY, "one", LEFT, &more), None, "an age too few");
    }
}
