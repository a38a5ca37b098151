//! Reads how a contact can be reached: the mailboxes and telephone numbers of a field, which can hold several.

use pivotd_domain::indicator::split_extension;
use pivotd_domain::party::is_sentence;
use pivotd_domain::privacy;

/// The longest mailbox and the longest number that are read, in bytes.
const LONGEST_EMAIL: usize = 254;
const LONGEST_PHONE: usize = 40;
/// The fewest digits of a number, and of each of two that stand behind each other with a slash between.
const FEWEST_DIGITS: usize = 5;
const FEWEST_OF_SLASHED: usize = 7;

/// Schemes of addresses that look like mailboxes and are none.
const OTHER_SCHEMES: &[&str] = &["im", "jabber", "sip", "sips", "xmpp"];

/// Holds a telephone number as it is written, and its extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// The number as it is written.
    pub number: String,
    /// The extension, digits.
    pub extension: Option<String>,
}

impl Phone {
    /// Returns both as one text.
    pub fn text(self) -> String {
        match self.extension {
            None => self.number,
            Some(extension) => format!("{} x{extension}", self.number),
        }
    }
}

/// Finds the mailboxes of a value, but for those of privacy services: one, or several in a list. Prose that names a
/// mailbox is about another.
pub fn emails(text: &str) -> Vec<String> {
    let public = |text: &str| {
        let email = privacy::valid_email(text)?;
        (!privacy::is_private_email(&email)).then_some(email)
    };
    if let Some(email) = public(text) {
        return vec![email];
    }
    // Some registries write the sign as a word.
    let words: Vec<&str> = text.split_whitespace().collect();
    if let [local, "AT" | "at" | "(at)" | "[at]" | "en", domain] = words.as_slice() {
        return public(&format!("{local}@{domain}")).into_iter().collect();
    }
    if is_sentence(text) {
        return Vec::new();
    }
    text.split(|letter: char| letter.is_whitespace() || "<>()[]{},;|".contains(letter))
        .filter_map(|word| public(mailbox(word)?))
        .collect()
}

/// Takes off what stands around a mailbox; `None` where the word is none, or holds a part of another.
fn mailbox(word: &str) -> Option<&str> {
    let signs = |letter: char| ".*=/\\:\"'".contains(letter);
    let word = word.trim_matches(signs);
    let word = match word.rsplit_once(':') {
        // A port, or the like, behind a mailbox.
        Some((before, after)) if !after.contains('@') => before,
        Some((before, after)) => {
            let scheme = before.rsplit(|letter: char| !letter.is_alphanumeric()).next()?;
            let is_other = OTHER_SCHEMES.contains(&scheme.to_ascii_lowercase().as_str());
            (!is_other).then_some(after)?
        }
        None => word,
    };
    // Of a local part in quotes, this can be the rest.
    (word.contains('@') && !word.contains('"') && word.len() <= LONGEST_EMAIL).then_some(word)
}

/// Finds the telephone numbers of a value, but for those that are masked.
pub fn phones(text: &str) -> Vec<Phone> {
    pieces(text).iter().filter_map(|piece| phone(piece)).collect()
}

/// Returns the one mailbox of a value; `None` where there are several.
pub fn one_email(text: &str) -> Option<String> {
    <[String; 1]>::try_from(emails(text)).ok().map(|[one]| one)
}

/// Returns the one telephone number of a value; `None` where there are several.
pub fn one_phone(text: &str) -> Option<String> {
    <[Phone; 1]>::try_from(phones(text)).ok().map(|[one]| one.text())
}

/// Returns all mailboxes of a value as one text.
pub fn all_emails(text: &str) -> Option<String> {
    Some(emails(text).join(", ")).filter(|text| !text.is_empty())
}

/// Returns all telephone numbers of a value as one text.
pub fn all_phones(text: &str) -> Option<String> {
    let all: Vec<String> = phones(text).into_iter().map(Phone::text).collect();
    Some(all.join(", ")).filter(|text| !text.is_empty())
}

/// Takes a value apart at what stands between numbers. An extension goes with its number.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for part in text.split([',', ';', '|', '\n']) {
        let slashed: Vec<&str> = part.split('/').collect();
        let numbers = if slashed.iter().all(|part| digits(part) >= FEWEST_OF_SLASHED) {
            slashed
        } else {
            vec![part]
        };
        for number in numbers {
            let begins_with_word = number
                .trim_start()
                .starts_with(|letter: char| letter.is_alphabetic() || "[(#".contains(letter));
            match pieces.last_mut() {
                Some(last) if digits(number) < FEWEST_DIGITS && begins_with_word => {
                    last.push(' ');
                    last.push_str(number.trim());
                }
                _ => pieces.push(number.to_owned()),
            }
        }
    }
    pieces
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// Reads a number unless it is a redaction or has no digits to dial.
fn phone(text: &str) -> Option<Phone> {
    let (number, extension) = split_extension(text);
    let number = number.trim();
    let prose = number.chars().filter(|letter| letter.is_alphabetic()).count() > 4;
    let is_number = digits(number) >= FEWEST_DIGITS && number.len() <= LONGEST_PHONE && !prose;
    (is_number && !privacy::is_private_phone(number)).then(|| Phone {
        number: number.to_owned(),
        extension: extension.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_are_told_each_and_nothing_beside_them() {
        for (text, expected) in [
            ("info AT example.co.il", "info@example.co.il"),
            ("Jane Doe <jane@example.com>", "jane@example.com"),
            ("a@b.example, c@d.example", "a@b.example, c@d.example"),
            ("a@b.example c@d.example", "a@b.example, c@d.example"),
            ("SMTP:a@b.example", "a@b.example"),
            ("smtp:a@b.example; SMTP:c@d.example", "a@b.example, c@d.example"),
            ("E-mail:a@b.example", "a@b.example"),
            ("mailto:a@b.example", "a@b.example"),
            ("\"jane.doe\"@b.example", "jane.doe@b.example"),
            (
                "O'Brien@b.example, 'c@d.example'",
                "O'Brien@b.example, c@d.example",
            ),
            ("a@b.example:25", "a@b.example"),
            ("sip:user@b.example", ""),
            ("a@b.example, sip:user@b.example", "a@b.example"),
            ("\"jane doe\"@b.example", ""),
            ("\"jane doe\".x@b.example", ""),
            ("\"x@y.example\"@b.example", ""),
            ("a@[192.0.2.44]", ""),
            ("Please write to help@example.net if you want to reach us.", ""),
        ] {
            assert_eq!(emails(text).join(", "), expected, "{text}");
        }
        assert_eq!(one_email("a@b.example, c@d.example"), None);
        assert_eq!(
            all_emails("a@b.example; c@d.example").as_deref(),
            Some("a@b.example, c@d.example")
        );
    }

    #[test]
    fn numbers_are_told_each_with_their_extension() {
        for (text, expected) in [
            ("+1.2025550143", "+1.2025550143"),
            ("+1.2025550143 [1234]", "+1.2025550143 x1234"),
            ("+1.2025550143 (ext 5)", "+1.2025550143 x5"),
            ("+1.2025550143 (ext. 5)", "+1.2025550143 x5"),
            ("+1.2025550143, ext 5", "+1.2025550143 x5"),
            ("+33 1 55 50 01 43 poste 12", "+33 1 55 50 01 43 x12"),
            ("+1.2025550143x12", "+1.2025550143 x12"),
            ("+1.2025550143 X 12", "+1.2025550143 x12"),
            ("+49 421 5550143 Durchwahl 5", "+49 421 5550143 x5"),
            ("+49 421 5550143 / DW: 5", "+49 421 5550143 x5"),
            ("+7 495 5550143 доб. 7", "+7 495 5550143 x7"),
            ("+1 202 555 0143 #7", "+1 202 555 0143 x7"),
            ("+1 202 555 0143 x0", "+1 202 555 0143"),
            (
                "+49 421 5550143 / +49 421 5550144",
                "+49 421 5550143, +49 421 5550144",
            ),
            ("0421 5550143/0421 5550144", "0421 5550143, 0421 5550144"),
            ("+1.2025550143, +1.2025550144", "+1.2025550143, +1.2025550144"),
            (
                "+1.2025550143 x1; +1.2025550144 x2",
                "+1.2025550143 x1, +1.2025550144 x2",
            ),
            ("+49 421/5550143", "+49 421/5550143"),
            ("+44 (0)20 7946 0000", "+44 (0)20 7946 0000"),
            ("+1 (202) 555-0143", "+1 (202) 555-0143"),
            ("+1.0000000000", ""),
            ("REDACTED", ""),
            ("12", ""),
        ] {
            assert_eq!(all_phones(text).unwrap_or_default(), expected, "{text}");
        }
    }
}
