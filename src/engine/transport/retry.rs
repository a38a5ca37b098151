//! Reads `Retry-After` where it is an HTTP date (RFC 9110, 10.2.3), which needs a clock.

use jiff::Timestamp;
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;

/// The forms of dates that are no longer written and still to be read (RFC 9110, 5.6.7).
const OLD: [&str; 2] = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// Writes an HTTP date as the seconds until it, from the vendor's own time where it says that; `None` where the text is
/// no date. What is past is below 0, which is no time to wait.
pub(super) fn in_seconds(text: &str, date: Option<&str>, now: Timestamp) -> Option<String> {
    let until = read(text)?;
    let from = date.and_then(read).unwrap_or(now);
    Some((until.as_second() - from.as_second()).to_string())
}

fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(zoned) = rfc2822::parse(text) {
        return Some(zoned.timestamp());
    }
    OLD.iter().find_map(|form| {
        let parsed = strtime::parse(form, text).ok()?.to_datetime().ok()?;
        Some(parsed.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_become_seconds_and_nothing_else_does() {
        let now: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
        let seconds = |text: &str, date: Option<&str>| in_seconds(text, date, now);
        for (text, date, expected) in [
            ("Sun, 01 Mar 2026 10:02:00 GMT", None, Some("120")),
            ("Sunday, 01-Mar-26 10:02:00 GMT", None, Some("120")),
            ("Sun Mar  1 10:02:00 2026", None, Some("120")),
            // The vendor's clock may be off; what it says is by its own.
            (
                "Sun, 01 Mar 2026 10:02:00 GMT",
                Some("Sun, 01 Mar 2026 10:01:30 GMT"),
                Some("30"),
            ),
            ("Sun, 01 Mar 2026 10:02:00 GMT", Some("soon"), Some("120")),
            ("Sun, 01 Mar 2026 09:59:00 GMT", None, Some("-60")),
            ("Mon, 01 Mar 2032 10:00:00 GMT", None, Some("189388800")),
            ("120", None, None),
            ("-5", None, None),
            ("soon", None, None),
            ("", None, None),
        ] {
            assert_eq!(seconds(text, date).as_deref(), expected, "{text}");
        }
    }
}
