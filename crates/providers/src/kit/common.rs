//! Holds the small steps that look-ups of every vendor take.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use secrecy::SecretString;

use super::dates;
use crate::{Call, Descriptor, ExposedKey, Lookup, ProviderError, Replied, Reply, ReplyClass, Step};
use pivotd_domain::{Answer, Query};

pub use super::rows::{nothing, object};

/// Names everything of a parameter that is not left as it is (RFC 3986, unreserved characters).
const PARAMETER: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Names every part of a path that is not left as it is. Colons stay, as other clients send the IPv6 addresses that have
/// them; a segment may have them (RFC 3986, 3.3).
const SEGMENT: &AsciiSet = &PARAMETER.remove(b':');

/// The seconds of a day.
const DAY: u64 = 24 * 3600;

/// Writes a count with its noun: `1 report`, `87 reports`.
pub fn counted(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Encodes one segment of a path.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// Encodes the name or the value of a parameter.
pub fn parameter(text: &str) -> String {
    utf8_percent_encode(text, PARAMETER).to_string()
}

/// Refuses a question that the provider does not offer, before anything is asked.
///
/// # Errors
/// [`ProviderError::Unsupported`], in words for people.
pub fn offered<'a>(descriptor: &Descriptor, lookup: &'a Lookup) -> Result<&'a Query, ProviderError> {
    let query = first_query(lookup)?;
    let title = &descriptor.title;
    let (capability, kind) = (query.capability, query.indicator.kind());
    let unsupported = |message: String| Err(ProviderError::Unsupported(message));
    let offer = descriptor.offer(capability);
    let Some(offer) = offer.filter(|offer| offer.inputs.contains(&kind)) else {
        return unsupported(format!("{title} has no {capability} of a {kind}"));
    };
    let mut products = offer.products.iter();
    let max = products
        .find(|known| known.id == lookup.product)
        .map_or(1, |product| product.max_batch);
    let alike = |other: &Query| (other.capability, other.indicator.kind()) == (capability, kind);
    if lookup.queries.len() > max || !lookup.queries.iter().all(alike) {
        return unsupported(format!(
            "{title} takes up to {max} equal-shaped questions at once, of {}",
            lookup.product
        ));
    }
    Ok(query)
}

/// Makes one call and goes on with its reply, or with none where the vendor knows nothing.
pub fn one(
    call: Call,
    then: impl FnOnce(Option<Reply>) -> Result<Step, ProviderError> + Send + 'static,
) -> Step {
    Step::Calls {
        calls: vec![call],
        then: Box::new(move |replies| then(replied_good(first(replies)?)?)),
    }
}

/// Returns the question of a look-up that has one.
pub fn one_query(lookup: &Lookup) -> Result<&Query, ProviderError> {
    if lookup.queries.len() > 1 {
        return Err(ProviderError::Unsupported("one question at a time".to_owned()));
    }
    first_query(lookup)
}

fn first_query(lookup: &Lookup) -> Result<&Query, ProviderError> {
    lookup
        .queries
        .first()
        .ok_or_else(|| ProviderError::Unsupported("nothing was asked".to_owned()))
}

/// Returns the reply to the only call.
pub fn first(replies: Vec<Replied>) -> Result<Replied, ProviderError> {
    replies
        .into_iter()
        .next()
        .ok_or_else(|| ProviderError::Malformed("no reply came".to_owned()))
}

/// Returns a good reply, or `None` where the vendor knows nothing.
///
/// # Errors
/// The failure of the call.
pub fn replied_good(replied: Replied) -> Result<Option<Reply>, ProviderError> {
    match replied {
        Replied::Good(reply) => Ok(Some(reply)),
        Replied::NotFound(_) => Ok(None),
        Replied::Failed(failure) => Err(ProviderError::Failed(failure)),
    }
}

/// Tells with an answer what it will never hold, such as rows beyond a limit; each note is a sentence.
///
/// Beside records that is what the source does not cover, and the answer is kept as long as any other. Without records
/// it would pass for "not found", so there the answer is partial.
pub fn uncovered(answer: &mut Answer, notes: &[String]) {
    if answer.records.is_empty() {
        let notes = notes.iter().map(|note| note.trim_end_matches('.').to_owned());
        answer.missing.extend(notes);
    } else if !notes.is_empty() {
        let known = answer.source.blind.iter().chain(notes).cloned();
        answer.source.blind = Some(known.collect::<Vec<_>>().join(" "));
    }
}

/// Returns the held answer as the whole look-up, where it holds what is wanted.
pub fn held(lookup: &Lookup) -> Option<Step> {
    let held = lookup.earlier.as_ref()?;
    let enough = !held.more || held.records.len() >= lookup.wanted;
    enough.then(|| Step::Done(vec![held.clone()]))
}

/// Says that a limit of the vendor's was hit, and for how long: as the header `Retry-After` says, else the vendor's own
/// words. `None` where neither does, or says what is no time to wait; what is further away than a day is a day.
pub fn limited(reply: &Reply, message: String) -> ReplyClass {
    ReplyClass::Limited {
        after: retry_after(reply).or_else(|| waiting(&message)),
        message,
    }
}

/// Reads `Retry-After` as seconds; transport has turned its other form, an HTTP date, into them.
pub fn retry_after(reply: &Reply) -> Option<u64> {
    let text = reply.retry_after.as_deref()?.trim();
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let digits = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
    let rest = text.get(whole.len()..)?.trim_start_matches('.');
    // A number that is too large to be held is too long to be waited for.
    (digits && rest.bytes().all(|byte| byte.is_ascii_digit())).then(|| {
        let seconds = whole.parse::<u64>().unwrap_or(u64::MAX);
        seconds.saturating_add(u64::from(!rest.is_empty())).min(DAY)
    })
}

/// Reads how long to wait out of a vendor's words: `please wait 3600 seconds`, `try again in 5 minutes`.
fn waiting(message: &str) -> Option<u64> {
    let words: Vec<String> = message
        .split_whitespace()
        .map(|word| {
            word.trim_matches(|letter: char| !letter.is_alphanumeric())
                .to_lowercase()
        })
        .collect();
    let asks = words
        .iter()
        .position(|word| ["wait", "retry", "again"].contains(&word.as_str()))?;
    let after = words.get(asks..)?;
    after.windows(2).take(6).find_map(|pair| {
        let [number, unit] = pair else { return None };
        let number: u64 = number.parse().ok()?;
        let unit = match unit.trim_end_matches('s') {
            "second" | "sec" => 1,
            "minute" | "min" => 60,
            "hour" | "hr" => 3600,
            "day" => DAY,
            _ => return None,
        };
        Some(number.saturating_mul(unit).min(DAY))
    })
}

/// Returns the seconds from the vendor's own time, in the header `date`, to that in the header `reset`, in seconds since
/// 1970, at which a limit opens again.
pub fn until_reset(reply: &Reply, reset: &str, date: &str) -> Option<u64> {
    let header = |name| reply.headers.get(name).map(|text| text.trim());
    let reset: i64 = header(reset)?.parse().ok()?;
    let now = dates::time(header(date)?)?;
    // Such limits are of a day; what is further away is no such time.
    let seconds = u64::try_from(reset.checked_sub(now.as_second())?).ok()?;
    (1..=DAY).contains(&seconds).then_some(seconds)
}

/// Tells whether a page for people came, by its label or by how it begins.
pub fn is_html(reply: &Reply) -> bool {
    let mut begins = reply.body.iter().filter(|byte| !byte.is_ascii_whitespace());
    reply.content_type.contains("html") || begins.next() == Some(&b'<')
}

/// Sets the header that carries the part `api_key` of a key.
///
/// # Errors
/// [`ProviderError::Unsupported`] where the key has no such part.
pub fn key_header(
    call: &mut Call,
    descriptor: &Descriptor,
    header: &'static str,
    key: &ExposedKey<'_>,
) -> Result<(), ProviderError> {
    let api_key = key.field("api_key");
    if api_key.is_empty() {
        return Err(ProviderError::Unsupported(format!(
            "{} needs a key",
            descriptor.title
        )));
    }
    // Each attempt is signed anew; nothing of the last one may stay.
    call.set_header(header, SecretString::from(api_key));
    Ok(())
}

/// Sets HTTP Basic authentication (RFC 7617); `false` where a part is missing, or the user name has a colon, which would
/// end it early.
pub fn basic(call: &mut Call, username: &str, password: &str) -> bool {
    if username.is_empty() || password.is_empty() || username.contains(':') {
        return false;
    }
    let encoded = STANDARD.encode(format!("{username}:{password}"));
    call.set_header("authorization", SecretString::from(format!("Basic {encoded}")));
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::reply;

    #[test]
    fn how_long_a_limit_lasts_is_read_in_one_place() {
        let after = |header: Option<&str>, message: &str| {
            let mut reply = reply(429, "");
            reply.retry_after = header.map(str::to_owned);
            match limited(&reply, message.to_owned()) {
                ReplyClass::Limited { after, .. } => after,
                other => panic!("{other:?}"),
            }
        };
        for (header, message, seconds) in [
            (Some("60"), "", Some(60)),
            (Some(" 60 "), "please wait 3600 seconds", Some(60)),
            (Some("1.5"), "", Some(2)),
            (Some("0"), "", Some(0)),
            (Some("86401"), "", Some(86_400)),
            (Some("99999999999999999999999"), "", Some(86_400)),
            (Some("-5"), "", None),
            (Some("soon"), "", None),
            (Some(""), "", None),
            (Some("."), "", None),
            (
                None,
                "Resource limit exceeded, please wait 3600 seconds",
                Some(3600),
            ),
            (Some("-1"), "Please wait 90 seconds.", Some(90)),
            (None, "try again in 5 minutes", Some(300)),
            (None, "Retry after 2 hours, please", Some(7200)),
            (None, "wait 400 days", Some(86_400)),
            (None, "limit of 20 requests per 1 minute", None),
            (None, "wait until 10 requests are over", None),
        ] {
            assert_eq!(after(header, message), seconds, "{header:?} {message}");
        }
    }

    #[test]
    fn colons_stay_in_paths_and_nothing_else_does() {
        assert_eq!(segment("2001:db8::44"), "2001:db8::44");
        assert_eq!(segment("a/b?c#d e%@[x]"), "a%2Fb%3Fc%23d%20e%25%40%5Bx%5D");
        assert_eq!(parameter("2001:db8::44"), "2001%3Adb8%3A%3A44");
    }
}
