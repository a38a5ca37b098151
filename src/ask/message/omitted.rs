//! Says what contacts of a registration hold that is not shown.

use std::collections::BTreeSet;

use super::{MessageContext, head};
use crate::domain::{Answer, Record, Value};
use crate::maltego::{UiMessage, UiMessageKind};

impl MessageContext<'_> {
    /// Says of a registration whose contacts are all withheld of which roles they would be.
    #[must_use]
    pub fn withheld(&self, answer: &Answer) -> Option<UiMessage> {
        /// Roles of those who run a registration for others.
        const OF_OTHERS: [&str; 3] = ["abuse", "registrar", "reseller"];
        let mut roles: Vec<&str> = Vec::new();
        for record in &answer.records {
            let is_told = |contact: &Record| {
                let role = contact.text("role").unwrap_or_default();
                !OF_OTHERS.contains(&role.as_ref())
            };
            if record.records("contacts").iter().any(is_told) {
                return None;
            }
            if let Some(Value::Texts(withheld)) = record.get("withheld") {
                roles.extend(withheld.iter().map(String::as_str));
            }
        }
        roles.sort_unstable();
        roles.dedup();
        let text = format!("{} shows no contact; withheld: {}", self.title, roles.join(", "));
        (!roles.is_empty()).then(|| self.say(UiMessageKind::Inform, &text))
    }

    /// Says of registrations what their contacts hold and nothing was made of: names that were not read, and what is a privacy
    /// service's beside a name.
    #[must_use]
    pub fn untold(&self, answer: &Answer) -> Vec<UiMessage> {
        /// The names that are written out.
        const MOST: usize = 5;
        let (masked, unread) = (texts(answer, "masked"), texts(answer, "unread"));
        let mut said = Vec::new();
        if !masked.is_empty() {
            let roles = masked.into_iter().collect::<Vec<_>>().join(", ");
            said.push(format!(
                "mailbox, telephone and address are a privacy service's, and are withheld, of: {roles}"
            ));
        }
        if !unread.is_empty() {
            let names: Vec<String> = unread.iter().take(MOST).map(|name| head(name)).collect();
            let more = match unread.len().saturating_sub(MOST) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let (noun, verb) = match unread.len() {
                1 => ("a name", "was"),
                _ => ("names", "were"),
            };
            said.push(format!(
                "{noun} of {} {verb} not read: {}{more}",
                self.title,
                names.join("; ")
            ));
        }
        said.iter()
            .map(|text| self.say(UiMessageKind::Inform, text))
            .collect()
    }
}

/// Returns the texts that the records of an answer hold in a field, each once.
fn texts<'a>(answer: &'a Answer, field: &str) -> BTreeSet<&'a str> {
    let values = answer.records.iter().filter_map(|record| record.get(field));
    values
        .filter_map(|value| match value {
            Value::Texts(texts) => Some(texts),
            _ => None,
        })
        .flatten()
        .map(String::as_str)
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::{Capability, Indicator, IndicatorKind, Query, Source};
    use crate::mapping::DateWindow;

    fn context() -> MessageContext<'static> {
        MessageContext {
            value: "example.com",
            title: "Vendor",
            provider: "vendor",
            asked: "To whois",
            instead: None,
            paged: false,
            merged: false,
            sums_prices: false,
            shows: "name",
            window: DateWindow::default(),
            at_terminal: false,
            request_id: "1",
            now: Timestamp::UNIX_EPOCH,
        }
    }

    fn answer(record: Record) -> Answer {
        let indicator = Indicator::parse(IndicatorKind::Domain, "example.com").unwrap();
        let source = Source {
            provider: "vendor".to_owned(),
            product: "whois".to_owned(),
            blind: None,
        };
        Answer::whole(Query::new(Capability::Whois, indicator), vec![record], source)
    }

    #[test]
    fn a_registration_says_whose_contacts_are_withheld() {
        let said = |contacts: Vec<Record>| {
            let record = Record::new()
                .with("withheld", vec!["registrant".to_owned(), "admin".to_owned()])
                .with("contacts", contacts);
            context().withheld(&answer(record)).map(|message| message.text)
        };
        let withheld = Some("example.com: Vendor shows no contact; withheld: admin, registrant".to_owned());
        assert_eq!(said(Vec::new()), withheld);
        let of = |role: &str| Record::new().with("role", role).with("email", "a@example.net");
        assert_eq!(said(vec![of("abuse")]), withheld);
        assert_eq!(said(vec![of("abuse"), of("tech")]), None);
    }

    #[test]
    fn a_registration_says_what_was_not_read_of_it() {
        let names = ["a[b", "c\u{202e}d", "e<f", "g", "h", "i"].map(str::to_owned);
        let record = Record::new()
            .with("masked", vec!["tech".to_owned(), "admin".to_owned()])
            .with("unread", names.to_vec());
        let said: Vec<String> = context()
            .untold(&answer(record))
            .into_iter()
            .map(|said| said.text)
            .collect();
        assert_eq!(
            said,
            [
                "example.com: mailbox, telephone and address are a privacy service's, and are withheld, of: admin, tech",
                "example.com: names of Vendor were not read: a[b; cU+202Ed; e<f; g; h and 1 more",
            ]
        );
        assert!(context().untold(&answer(Record::new())).is_empty());
    }
}
