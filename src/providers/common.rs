//! Holds the small steps that look-ups of every vendor take.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::fmt::rfc2822;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use secrecy::SecretString;

use super::{Call, Descriptor, Exposed, Lookup, ProviderError, Replied, Reply, Step};
use crate::domain::{Answer, Query, Record, Source};

/// Names every part of a path that is not left as it is (RFC 3986, unreserved characters).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The seconds of a day.
const DAY: u64 = 24 * 3600;

/// Writes a count with its noun: `1 report`, `87 reports`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Encodes one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// Refuses a question that the provider does not offer, before anything is asked.
///
/// # Errors
/// [`ProviderError::Unsupported`], in words for people.
pub(super) fn offered<'a>(descriptor: &Descriptor, lookup: &'a Lookup) -> Result<&'a Query, ProviderError> {
    let query = first_query(lookup)?;
    let title = descriptor.title;
    let (capability, kind) = (query.capability, query.indicator.kind());
    let unsupported = |message: String| Err(ProviderError::Unsupported(message));
    let offer = descriptor.offer(capability);
    let Some(offer) = offer.filter(|offer| offer.inputs.contains(&kind)) else {
        return unsupported(format!("{title} has no {capability} of a {kind}"));
    };
    let mut products = offer.products.iter();
    let most = products
        .find(|known| known.id == lookup.product)
        .map_or(1, |product| product.max_batch);
    let alike = |other: &Query| (other.capability, other.indicator.kind()) == (capability, kind);
    if lookup.queries.len() > most || !lookup.queries.iter().all(alike) {
        return unsupported(format!(
            "{title} takes up to {most} equal-shaped questions at once, of {}",
            lookup.product
        ));
    }
    Ok(query)
}

/// Makes one call and goes on with its reply, or with none where the vendor knows nothing.
pub(super) fn one(
    call: Call,
    then: impl FnOnce(Option<Reply>) -> Result<Step, ProviderError> + Send + 'static,
) -> Step {
    Step::Calls {
        calls: vec![call],
        then: Box::new(move |replies| then(replied_good(first(replies)?)?)),
    }
}

/// Returns the question of a look-up that has one.
pub(super) fn one_query(lookup: &Lookup) -> Result<&Query, ProviderError> {
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
pub(super) fn first(replies: Vec<Replied>) -> Result<Replied, ProviderError> {
    replies
        .into_iter()
        .next()
        .ok_or_else(|| ProviderError::Malformed("no reply came".to_owned()))
}

/// Returns a good reply, or `None` where the vendor knows nothing.
///
/// # Errors
/// The failure of the call.
pub(super) fn replied_good(replied: Replied) -> Result<Option<Reply>, ProviderError> {
    match replied {
        Replied::Good(reply) => Ok(Some(reply)),
        Replied::NotFound(_) => Ok(None),
        Replied::Failed(failure) => Err(ProviderError::Failed(failure)),
    }
}

/// Makes a whole answer of these records.
pub(super) fn answer(descriptor: &Descriptor, query: Query, product: &str, records: Vec<Record>) -> Answer {
    let blind = descriptor
        .offer(query.capability)
        .and_then(|offer| offer.products.iter().find(|known| known.id == product))
        .and_then(|product| product.blind)
        .map(str::to_owned);
    Answer {
        total: u64::try_from(records.len()).ok(),
        query,
        records,
        more: false,
        missing: Vec::new(),
        left_out: Vec::new(),
        rest: Vec::new(),
        price: None,
        source: Source {
            provider: descriptor.name.to_owned(),
            product: product.to_owned(),
            blind,
        },
    }
}

/// Tells with an answer what it will never hold, such as rows beyond a limit; each note is a sentence.
///
/// Beside records that is what the source does not cover, and the answer is kept as long as any other. Without records
/// it would pass for "not found", so there the answer is partial.
pub(super) fn uncovered(answer: &mut Answer, notes: &[String]) {
    if answer.records.is_empty() {
        let notes = notes.iter().map(|note| note.trim_end_matches('.').to_owned());
        answer.missing.extend(notes);
    } else if !notes.is_empty() {
        let known = answer.source.blind.iter().chain(notes).cloned();
        answer.source.blind = Some(known.collect::<Vec<_>>().join(" "));
    }
}

/// Returns the held answer as the whole look-up, where it holds what is wanted.
pub(super) fn held(lookup: &Lookup) -> Option<Step> {
    let held = lookup.held.as_ref()?;
    let enough = !held.more || held.records.len() >= lookup.want;
    enough.then(|| Step::Done(vec![held.clone()]))
}

/// Reads `Retry-After` as seconds. Its other form, an HTTP date, needs a clock and is left out.
pub(super) fn retry_after(reply: &Reply) -> Option<u64> {
    reply.retry_after.as_deref()?.trim().parse().ok()
}

/// Returns the seconds from the vendor's own time, in the header `date`, to that in the header `reset`, in seconds since
/// 1970, at which a limit opens again.
pub(super) fn until_reset(reply: &Reply, reset: &str, date: &str) -> Option<u64> {
    let header = |name| reply.headers.get(name).map(|text| text.trim());
    let reset: i64 = header(reset)?.parse().ok()?;
    let now = rfc2822::parse(header(date)?).ok()?.timestamp();
    // Such limits are of a day; what is further away is no such time.
    let seconds = u64::try_from(reset.checked_sub(now.as_second())?).ok()?;
    (1..=DAY).contains(&seconds).then_some(seconds)
}

/// Tells whether a page for people came, by its label or by how it begins.
pub(super) fn is_html(reply: &Reply) -> bool {
    let mut begins = reply.body.iter().filter(|byte| !byte.is_ascii_whitespace());
    reply.content_type.contains("html") || begins.next() == Some(&b'<')
}

/// Sets the header that carries the part `api_key` of a key.
///
/// # Errors
/// [`ProviderError::Unsupported`] where the key has no such part.
pub(super) fn key_header(
    call: &mut Call,
    descriptor: &Descriptor,
    header: &'static str,
    key: &Exposed<'_>,
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
pub(super) fn basic(call: &mut Call, username: &str, password: &str) -> bool {
    if username.is_empty() || password.is_empty() || username.contains(':') {
        return false;
    }
    let encoded = STANDARD.encode(format!("{username}:{password}"));
    call.set_header("authorization", SecretString::from(format!("Basic {encoded}")));
    true
}
