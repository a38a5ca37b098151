//! Reads `Retry-After` where it is an HTTP date (RFC 9110, 10.2.3), which needs a clock.

use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// Writes an HTTP date as the seconds until it, from the vendor's own time where it says that; `None` where the text is
/// no date. What is past is below 0, which is no time to wait.
pub(super) fn in_seconds(text: &str, date: Option<&str>, now: Timestamp) -> Option<String> {
    let until = read(text)?;
    let from = date.and_then(read).unwrap_or(now);
    Some((until.as_second() - from.as_second()).to_string())
}

fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    match httpdate::parse_http_date(text) {
        Ok(time) => Timestamp::try_from(time).ok(),
        // Some vendors write the zone as a number.
        Err(_) => Some(rfc2822::parse(text).ok()?.timestamp()),
    }
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
            ("Sun, 01 Mar 2026 11:02:00 +0100", None, Some("120")),
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
