//! Reads vendors' JSON that is not quite JSON, so that one bad character never costs a whole answer.
//!
//! What is well formed is read as it is. Only what is not is written anew before it is read: half of a surrogate pair and
//! bytes that are no UTF-8 become the replacement character, control characters in strings are escaped, numbers that
//! cannot be held (`NaN`, `Infinity`, `1e400`) become `null`, and a byte order mark goes. What is no JSON at all, such as
//! a web page or an answer that broke off, stays none.

use serde_json::Error;

use super::json::Json;

/// The byte order mark, as some vendors' servers put it before an answer.
const MARK: char = '\u{feff}';

/// Says what stands in place of a string or a number: it is given the text, and whether an escape wrote part of it.
pub type Replacement<'c> = &'c mut dyn FnMut(&str, bool) -> Option<String>;

/// Reads a value.
///
/// # Errors
/// What is wrong with it as it came, where it cannot be mended.
pub fn value(bytes: &[u8]) -> Result<Json, Error> {
    Json::read(bytes).or_else(|error| {
        let text = String::from_utf8_lossy(bytes);
        let mended = rewrite(&text, &mut |_, _| None).ok_or(error);
        mended.and_then(|mended| Json::read(mended.as_bytes()))
    })
}

/// Writes JSON anew, well formed; `change` is given each string as it reads, and each number as it is written, and
/// returns what stands in its place, a string. `None` where it is no JSON, as far as that shows token by token.
///
/// White space stays as it is, so that lines of JSON stay lines.
pub fn rewrite(text: &str, change: Replacement<'_>) -> Option<String> {
    let mut rest = text.trim_start_matches(MARK);
    let mut out = String::with_capacity(rest.len() + 16);
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '"' => string(rest, change, &mut out)?,
            '{' | '}' | '[' | ']' | ':' | ',' | ' ' | '\t' | '\n' | '\r' => {
                out.push(first);
                1
            }
            _ => scalar(rest, change, &mut out)?,
        };
        rest = rest.get(taken..)?;
    }
    Some(out)
}

/// Takes a string, which begins with a quote; returns how many bytes it is long, `None` where it does not end.
fn string(text: &str, change: Replacement<'_>, out: &mut String) -> Option<usize> {
    let mut read = String::new();
    let (mut sound, mut is_escaped) = (true, false);
    let mut letters = text.char_indices().skip(1).peekable();
    let end = loop {
        let (at, letter) = letters.next()?;
        match letter {
            '"' => break at + 1,
            '\\' => {
                is_escaped = true;
                let (_, escaped) = letters.next()?;
                match escape(escaped) {
                    Some(plain) => read.push(plain),
                    None if escaped == 'u' => {
                        let after = text.get(at + 2..)?;
                        let (plain, digits, whole) = unicode(after);
                        match plain {
                            Some(plain) => read.push(plain),
                            // No digits follow: a backslash that stands for itself.
                            None => read.push_str("\\u"),
                        }
                        sound &= whole;
                        for _ in 0..digits {
                            letters.next();
                        }
                    }
                    // No escape of JSON's: a backslash that stands for itself, as in paths of Windows.
                    None => {
                        sound = false;
                        read.push('\\');
                        read.push(escaped);
                    }
                }
            }
            letter => {
                sound &= !is_control(letter);
                read.push(letter);
            }
        }
    };
    match change(&read, is_escaped) {
        Some(changed) => quote(&changed, out),
        None if sound => out.push_str(text.get(..end)?),
        None => quote(&read, out),
    }
    Some(end)
}

/// Tells whether a character must be escaped in a string.
fn is_control(letter: char) -> bool {
    letter < ' '
}

/// Returns what a short escape stands for.
fn escape(letter: char) -> Option<char> {
    Some(match letter {
        '"' | '\\' | '/' => letter,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        _ => return None,
    })
}

/// Reads what follows on `\u`: the character, how many characters it takes, and whether it is well formed. Half of a
/// surrogate pair is the replacement character; there is none where no four digits follow.
fn unicode(after: &str) -> (Option<char>, usize, bool) {
    let Some(first) = four(after) else {
        return (None, 0, false);
    };
    if let Some(plain) = char::from_u32(first) {
        return (Some(plain), 4, true);
    }
    let second = after
        .get(4..)
        .and_then(|rest| rest.strip_prefix("\\u"))
        .and_then(four);
    let pair = second.filter(|low| first < 0xdc00 && (0xdc00..0xe000).contains(low));
    let joined = pair.and_then(|low| char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00)));
    match joined {
        Some(joined) => (Some(joined), 10, true),
        None => (Some(char::REPLACEMENT_CHARACTER), 4, false),
    }
}

/// Reads four hexadecimal digits.
fn four(text: &str) -> Option<u32> {
    let digits = text.get(..4)?;
    let all = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| all)
}

fn quote(text: &str, out: &mut String) {
    // A text can always be written.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// Takes a word or a number; returns how many bytes it is long, `None` where it is none that JSON or a vendor's printer
/// of numbers has.
fn scalar(text: &str, change: Replacement<'_>, out: &mut String) -> Option<usize> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.');
    let end = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
    let word = text.get(..end)?;
    if matches!(word, "true" | "false" | "null") {
        out.push_str(word);
    } else if is_number(word) {
        match change(word, false) {
            Some(changed) => quote(&changed, out),
            None => out.push_str(word),
        }
    } else if is_no_number(word) {
        out.push_str("null");
    } else {
        return None;
    }
    Some(end)
}

/// Tells whether a word is a number that can be held.
fn is_number(word: &str) -> bool {
    serde_json::from_str::<serde_json::Number>(word).is_ok()
}

/// Tells whether a word stands where a number is meant that cannot be held or is written otherwise than in JSON.
fn is_no_number(word: &str) -> bool {
    let bare = word.trim_start_matches(['+', '-']);
    let names = ["nan", "inf", "infinity"];
    let begins = bare.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.');
    begins || names.iter().any(|name| bare.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn one_bad_character_costs_itself() {
        for (bytes, read) in [
            (
                &br#"{"names":["caf\udce9.exe"],"n":50}"#[..],
                json!({"names": ["caf\u{fffd}.exe"], "n": 50}),
            ),
            (
                br#"["\ud83d\ude00","\ud83dx","\ude00\ud83d"]"#,
                json!(["\u{1f600}", "\u{fffd}x", "\u{fffd}\u{fffd}"]),
            ),
            (
                b"{\"name\":\"caf\xe9\",\"n\":1}",
                json!({"name": "caf\u{fffd}", "n": 1}),
            ),
            (b"\xef\xbb\xbf{\"n\":1}", json!({"n": 1})),
            (b"{\"a\":\"x\ty\nz\x00\"}", json!({"a": "x\ty\nz\u{0}"})),
            (
                b"{\"a\":NaN,\"b\":-Infinity,\"c\":1e400,\"d\":-1e999,\"e\":2.5}",
                json!({"a": null, "b": null, "c": null, "d": null, "e": 2.5}),
            ),
            (
                br#"{"path":"C:\Users\x","hex":"\u12"}"#,
                json!({"path": "C:\\Users\\x", "hex": "\\u12"}),
            ),
            (b"[NaN, \"NaN\", 007]", json!([null, "NaN", null])),
        ] {
            assert_eq!(
                value(bytes).ok().map(|found| found.tree()),
                Some(read),
                "{}",
                String::from_utf8_lossy(bytes)
            );
        }
    }

    #[test]
    fn what_is_no_json_stays_none() {
        for bytes in [
            &b"<html>502</html>"[..],
            b"Too many requests",
            b"{\"a\":\"cut of",
            b"{\"a\":1",
            b"{\"a\":undefined}",
            b"",
            b"NaN NaN",
            b"{\"a\":\"\\",
            b"{'a':1}",
        ] {
            assert!(value(bytes).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
    }

    proptest! {
        #[test]
        fn what_is_well_formed_is_read_and_written_as_it_is(text in any::<String>(), number in any::<f64>()) {
            let whole = json!({"a": [text, number, {"b": null}], "c": true}).to_string();
            prop_assert_eq!(rewrite(&whole, &mut |_, _| None), Some(whole.clone()));
            prop_assert_eq!(value(whole.as_bytes()).unwrap().tree(), serde_json::from_str::<Value>(&whole).unwrap());
        }

        /// Whatever bytes stand in a string, but a quote and a backslash, cost no other member.
        #[test]
        fn any_bytes_in_a_string_cost_nothing_else(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let inside: Vec<u8> = bytes.into_iter().filter(|byte| !matches!(byte, b'"' | b'\\')).collect();
            let body = [&b"{\"before\":1,\"text\":\""[..], &inside, b"\",\"after\":[2]}"].concat();
            let read = value(&body).unwrap().tree();
            prop_assert_eq!((&read["before"], &read["after"]), (&json!(1), &json!([2])));
            prop_assert_eq!(&read["text"], &json!(String::from_utf8_lossy(&inside)));
        }

        /// Whatever follows on a backslash costs no other member, as long as the string ends.
        #[test]
        fn any_escape_costs_nothing_else(escape in "[^\"\\\\]{1,6}", unit in any::<u16>()) {
            for escape in [escape, format!("u{unit:04x}"), format!("u{unit:04x}\\u{unit:04X}")] {
                let read = value(format!("{{\"text\":\"x\\{escape}\",\"after\":2}}").as_bytes()).unwrap().tree();
                prop_assert_eq!(&read["after"], &json!(2));
                prop_assert!(read["text"].as_str().unwrap().starts_with('x'));
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = value(&bytes);
        }

        #[test]
        fn every_string_is_given_as_it_reads(text in any::<String>()) {
            let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            let mut seen = Vec::new();
            let body = format!("[\"{escaped}\",\"plain\",17]");
            rewrite(&body, &mut |read, is_escaped| { seen.push((read.to_owned(), is_escaped)); None });
            let is_escaped = !text.is_empty();
            prop_assert_eq!(
                seen,
                [(text, is_escaped), ("plain".to_owned(), false), ("17".to_owned(), false)]
            );
        }
    }
}
