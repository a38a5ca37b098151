//! Replaces the secrets of a call in what a vendor says, wherever it repeats them and however it writes them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};

use crate::engine::keyring::Key;
use crate::providers::kit::common::{parameter, segment};
use crate::providers::kit::lenient;
use crate::providers::{Descriptor, Reply};

/// What stands in place of a part of a key.
const REDACTED: &str = "[key]";
/// The fewest bytes of a part of a key that is replaced; shorter ones are part of many words, and of no key.
const SHORTEST_PART: usize = 4;

/// Holds the forms in which secrets may be repeated, the longest first, since one may begin with another.
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// Takes every part of a key, and the session's token: what is told of an error holds none of them.
    pub(super) fn of_words(key: &Key, session: Option<&SecretString>) -> Self {
        let parts = key.values().chain(session);
        Self::forms(parts.map(|part| part.expose_secret().to_owned()).collect())
    }

    /// Takes the parts of a key that must never be shown, and the session's token. A user name may be part of what is
    /// known of others, so values keep it.
    pub(super) fn of_values(descriptor: &Descriptor, key: &Key, session: Option<&SecretString>) -> Self {
        let part = |secret: bool| {
            let fields = descriptor.credentials.iter();
            let named = fields
                .filter(move |field| field.secret == secret)
                .map(|field| field.name.as_str());
            named.filter_map(|name| Some(key.get(name)?.expose_secret().to_owned()))
        };
        let secrets: Vec<String> = part(true).collect();
        // Basic authentication (RFC 7617) says both in one.
        let pairs: Vec<String> = part(false)
            .flat_map(|user| secrets.iter().map(move |secret| format!("{user}:{secret}")))
            .map(|pair| STANDARD.encode(pair))
            .collect();
        let token = session.map(|token| token.expose_secret().to_owned());
        Self::forms(secrets.into_iter().chain(pairs).chain(token).collect())
    }

    fn forms(parts: Vec<String>) -> Self {
        let parts = parts.into_iter().filter(|part| part.len() >= SHORTEST_PART);
        let mut forms: Vec<String> = parts
            .flat_map(|part| {
                let encoded = [segment(&part), parameter(&part)];
                let lower = encoded.each_ref().map(|text| lower_hex(text));
                let form = encoded[1].replace("%20", "+");
                let digits = [STANDARD.encode(&part), URL_SAFE_NO_PAD.encode(&part)];
                [part, form].into_iter().chain(encoded).chain(lower).chain(digits)
            })
            .collect();
        forms.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Self(forms)
    }

    /// Returns a text without them; `None` where it holds none.
    fn redact(&self, text: &str) -> Option<String> {
        let held = || self.0.iter().filter(|form| text.contains(form.as_str()));
        held().next()?;
        Some(held().fold(text.to_owned(), |text, form| {
            text.replace(form.as_str(), REDACTED)
        }))
    }

    /// Returns a vendor's words without them, and without the beginning of one at their end: words are shortened.
    pub(super) fn redact_words(&self, text: &str) -> String {
        let words = self.redact(text).unwrap_or_else(|| text.to_owned());
        self.0.iter().fold(words, |words, form| redact_end(words, form))
    }

    /// Replaces them in a reply: its headers, and its body, where a JSON string may write them by escapes. Everything
    /// that is kept is made of what this leaves.
    pub(super) fn redact_reply(&self, reply: &mut Reply) {
        if self.0.is_empty() {
            return;
        }
        for value in reply.headers.values_mut() {
            if let Some(redacted) = self.redact(value) {
                *value = redacted;
            }
        }
        if let Some(body) = self.redact_body(&reply.body) {
            reply.body = body;
        }
    }

    /// Returns a body without them; `None` where it holds none.
    fn redact_body(&self, body: &Bytes) -> Option<Bytes> {
        let text = String::from_utf8_lossy(body);
        let plain = self.0.iter().any(|form| text.contains(form.as_str()));
        // Only escapes can hide one, in the strings that hold them.
        if !plain && !text.contains('\\') {
            return None;
        }
        let mut found = plain;
        let rewritten = lenient::rewrite(&text, &mut |read, is_escaped| {
            let redacted = (plain || is_escaped).then(|| self.redact(read)).flatten();
            found |= redacted.is_some();
            redacted
        });
        match rewritten {
            Some(rewritten) => found.then(|| rewritten.into()),
            // No JSON: a text, or a page.
            None => self.redact(&text).map(Bytes::from),
        }
    }
}

/// Writes the digits of percent-encoded bytes in lower case, as some vendors do.
fn lower_hex(text: &str) -> String {
    let mut digits = 0;
    let lower = text.chars().map(|letter| {
        if letter == '%' {
            digits = 2;
            return letter;
        }
        let is_digit = digits > 0;
        digits -= i32::from(is_digit);
        if is_digit {
            letter.to_ascii_lowercase()
        } else {
            letter
        }
    });
    lower.collect()
}

/// Replaces the beginning of a secret at the end of a text.
fn redact_end(mut text: String, secret: &str) -> String {
    let cut = secret
        .char_indices()
        .rev()
        .map(|(end, _)| secret.get(..end).unwrap_or_default())
        .take_while(|part| part.len() >= SHORTEST_PART)
        .find(|part| text.ends_with(part));
    if let Some(part) = cut {
        text.truncate(text.len() - part.len());
        text.push_str(REDACTED);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use std::collections::BTreeMap;

    use super::*;
    use crate::providers::Providers;

    fn words(text: &str, secret: &str) -> String {
        let key = BTreeMap::from([("api_key".to_owned(), SecretString::from(secret))]);
        Secrets::of_words(&key, None).redact_words(text)
    }

    #[test]
    fn a_secret_is_struck_out_of_words_wherever_it_stands() {
        for (text, redacted) in [
            ("no such key", "no such key"),
            (
                "key s3cret-9 is unknown (s3cret-9)",
                "key [key] is unknown ([key])",
            ),
            ("s3cret-9", "[key]"),
            // A vendor's words are shortened; what is left of the key goes, too.
            ("a long story about s3cret", "a long story about [key]"),
            ("a long story about s3c", "a long story about s3c"),
            ("", ""),
        ] {
            assert_eq!(words(text, "s3cret-9"), redacted, "{text}");
        }
        assert_eq!(words("ends in schlüss", "schlüssel"), "ends in [key]");
    }

    fn reply(body: impl Into<Bytes>) -> Reply {
        Reply {
            status: 200,
            content_type: "application/json".to_owned(),
            retry_after: None,
            headers: BTreeMap::from([("x-said".into(), "key \u{e9}c/+ k\"y 9 here".to_owned())]),
            body: body.into(),
        }
    }

    /// Writes each unit of a text as an escape.
    fn escaped(text: &str) -> String {
        text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect()
    }

    #[test]
    fn a_good_answer_is_kept_without_the_key_of_any_provider_however_it_is_written() {
        let secret = "\u{e9}c/+ k\"y 9";
        for provider in &Providers::built_in() {
            let descriptor = provider.descriptor();
            let fields = descriptor.credentials.iter();
            let key: BTreeMap<String, SecretString> = fields
                .map(|field| {
                    let value = if field.secret { secret } else { "jane@example.com" };
                    (field.name.to_string(), SecretString::from(value))
                })
                .collect();
            let session = SecretString::from("token-of-the-session");
            let secrets = Secrets::of_values(descriptor, &key, Some(&session));
            let has_secret = descriptor.credentials.iter().any(|field| field.secret);
            let basic = STANDARD.encode(format!("jane@example.com:{secret}"));
            let has_user = has_secret && descriptor.credentials.iter().any(|field| !field.secret);
            let body = json!({
                "plain": secret,
                "inside": format!("x{secret}y"),
                "list": [segment(secret), lower_hex(&segment(secret)), parameter(secret).replace("%20", "+")],
                "basic": format!("Basic {basic}"),
                "token": "token-of-the-session",
                "user": "jane@example.com",
                secret: 1,
            });
            let body = body.to_string();
            let members = body.strip_prefix('{').unwrap();
            let text = format!("{{\"escaped\":\"{}\",{members}", escaped(secret));
            let mut reply = reply(text);
            secrets.redact_reply(&mut reply);
            let kept: Value = serde_json::from_slice(&reply.body).unwrap();
            let kept = kept.to_string();
            let plain = serde_json::to_string(secret).unwrap();
            let plain = plain.trim_matches('"');
            assert_eq!(kept.contains(plain), !has_secret, "{}: {kept}", descriptor.name);
            assert_eq!(
                kept.contains("%C3%A9c"),
                !has_secret,
                "{}: {kept}",
                descriptor.name
            );
            assert_eq!(
                kept.contains("%c3%a9c"),
                !has_secret,
                "{}: {kept}",
                descriptor.name
            );
            assert!(!has_user || !kept.contains(&basic), "{}: {kept}", descriptor.name);
            assert!(!kept.contains("token-of"), "{}: {kept}", descriptor.name);
            assert!(kept.contains("jane@example.com"), "a name is no secret: {kept}");
            assert_eq!(reply.headers["x-said"].contains("k\"y"), !has_secret);
        }
    }

    #[test]
    fn what_holds_no_secret_stays_byte_for_byte() {
        let key = BTreeMap::from([("key".to_owned(), SecretString::from("1234567890"))]);
        let secrets = Secrets::of_words(&key, None);
        for body in [
            &b"{\"a\" : \"x\\n\\u00e9\"}\n"[..],
            b"\xff\xfe not JSON \\ at all",
            b"{\"a\":\"\xe9\"}",
            b"",
        ] {
            assert_eq!(secrets.redact_body(&Bytes::from_static(body)), None);
        }
        // A key of digits may come as a number.
        let redacted = secrets.redact_body(&Bytes::from_static(b"{\"a\":1234567890,\"b\":2}"));
        assert_eq!(redacted, Some(Bytes::from_static(b"{\"a\":\"[key]\",\"b\":2}")));
        let page = secrets.redact_body(&Bytes::from_static(b"<p>1234567890</p>"));
        assert_eq!(page, Some(Bytes::from_static(b"<p>[key]</p>")));
    }

    proptest! {
        /// Whatever the key is, and wherever in a text it stands, no string that is read holds it.
        #[test]
        fn no_value_holds_any_key(secret in "\\PC{6,20}", before in "\\PC{0,6}", after in "\\PC{0,6}", escape: bool) {
            let key = BTreeMap::from([("key".to_owned(), SecretString::from(secret.as_str()))]);
            let secrets = Secrets::of_words(&key, None);
            let text = format!("{before}{secret}{after}");
            let body = if escape {
                format!("{{\"a\":\"{}\"}}", escaped(&text))
            } else {
                json!({"a": text}).to_string()
            };
            let mut reply = reply(body);
            secrets.redact_reply(&mut reply);
            let kept: Value = serde_json::from_slice(&reply.body).unwrap();
            prop_assert!(!kept["a"].as_str().unwrap().contains(&secret) || REDACTED.contains(&secret));
        }
    }
}
