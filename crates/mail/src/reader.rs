//! Collects the indicators of a message in order, each once.

use std::collections::HashSet;

use super::authentication::results;
use super::facts::MailboxFact;
use super::mime::{Envelope, Mail, MessageContents};
use super::received::origin;
use super::senders::{Address, Mailbox, address};
use super::unicode::visible;
use super::unwrap::{self, LinkCounts};
use super::{
    FoundIndicator, Ignored, MAX_INDICATORS, MAX_NAMED, Read, SHOWN_ONLY, TrustPolicy, Unreadable, private,
};
use pivotd_domain::indicator::{Indicator, IndicatorKind};

/// The role of who sent a message that another carries, and of who gets an answer to it.
const CARRIED: &str = "attached_sender";

/// Collects indicators in order, each once.
pub(super) struct Reader<'t, 'a> {
    trust: &'t TrustPolicy<'a>,
    seen: HashSet<Indicator>,
    pub(super) read: Read,
    /// How many values were found after the lists were full.
    unnamed: usize,
    /// How many pictures the texts show.
    pictures: usize,
}

impl<'t, 'a> Reader<'t, 'a> {
    pub(super) fn new(trust: &'t TrustPolicy<'a>) -> Self {
        Self {
            trust,
            seen: HashSet::new(),
            read: Read::default(),
            unnamed: 0,
            pictures: 0,
        }
    }

    pub(super) fn note(&mut self, text: impl Into<String>) {
        self.read.notes.push(text.into());
    }

    /// Reads what the headers of a message say of its way.
    pub(super) fn envelope(&mut self, mail: &Mail) {
        self.mailboxes(&mail.envelope);
        let trace = &mail.envelope.trace;
        let origin = origin(trace, self.trust.relays);
        if let Some(address) = origin.address {
            self.add("relay", Indicator::from(address));
        }
        self.read.notes.extend(origin.note.map(str::to_owned));
        let (results, others) = results(trace, &origin, self.trust.relays);
        self.read.authentication = results;
        if others > 0 {
            self.note(format!(
                "{others} authentication results were not counted: no trusted relay wrote them"
            ));
        }
    }

    /// Reads the mailboxes of a message's headers.
    pub(super) fn mailboxes(&mut self, envelope: &Envelope) {
        if envelope.from_headers > 1 {
            self.note("the message has several From headers: all senders count");
        }
        let from = &envelope.from;
        let is_known = self.written("sender", from);
        for mailbox in from.iter().filter(|_| is_known) {
            self.shown(mailbox, from);
        }
        self.written("sender_agent", &envelope.sender);
        self.written("reply_to", &envelope.reply_to);
        self.written("return_path", &envelope.return_path);
    }

    /// Reads who sent a message that another carries. Headers alone, and drafts, may name none.
    fn carried(&mut self, envelope: &Envelope) {
        if envelope.from_headers > 0 {
            self.written(CARRIED, &envelope.from);
        }
        for mailboxes in [&envelope.sender, &envelope.reply_to] {
            if !mailboxes.is_empty() {
                self.written(CARRIED, mailboxes);
            }
        }
        self.written("return_path", &envelope.return_path);
    }

    /// Reads the mailboxes of a role. What is no address is named, and a role of which no address is known; says whether
    /// one was. A return path may be odd: only mail servers look at it.
    fn written(&mut self, role: &'static str, mailboxes: &[Mailbox]) -> bool {
        let (mut is_known, mut is_named) = (false, false);
        for mailbox in mailboxes {
            let unknown: Vec<&String> = mailbox
                .addresses
                .iter()
                .filter(|text| !self.address(role, text))
                .collect();
            if role == "sender" {
                self.read.facts.senders.extend(mailbox.facts());
            }
            is_known |= unknown.len() < mailbox.addresses.len() || self.misplaced(role, mailbox);
            for text in unknown {
                is_named = true;
                if role == "return_path" {
                    self.note(format!("one {role} is no e-mail address: \"{}\"", visible(text)));
                } else {
                    self.refuse(role, text, "no address of which even the domain can be read");
                }
            }
        }
        if is_known || is_named || role == "return_path" {
            return is_known;
        }
        let texts: Vec<&str> = mailboxes.iter().map(|mailbox| mailbox.text.as_str()).collect();
        let text = texts.join(", ");
        match role {
            "sender" | CARRIED if text.is_empty() => self.refuse(role, "", "the message names no sender"),
            "sender" | CARRIED => self.refuse(role, &text, "no sender's address or domain can be read"),
            // An answer goes to the sender where nothing is named.
            _ if text.chars().any(char::is_alphanumeric) => {
                self.refuse(role, &text, "no address of which even the domain can be read");
            }
            _ => {}
        }
        false
    }

    /// Reads an address that does not stand where it should: in the display name, or defanged, as reporters do to what
    /// they found. Says whether there was any.
    fn misplaced(&mut self, role: &'static str, mailbox: &Mailbox) -> bool {
        let mut is_found = false;
        for text in &mailbox.shown {
            if self.address(role, text) {
                is_found = true;
                if role == "sender" {
                    let (name, address) = (String::new(), text.clone());
                    self.read.facts.senders.push(MailboxFact { name, address });
                }
            }
        }
        if let Some(defanged) = Indicator::parse(IndicatorKind::Email, &mailbox.text)
            .ok()
            .filter(|_| !is_found)
        {
            self.add(role, defanged);
            is_found = true;
        }
        if is_found {
            self.note(format!(
                "one {role}'s address does not stand where it should, and was read nevertheless: \"{}\"",
                visible(&mailbox.text)
            ));
        }
        is_found
    }

    /// Adds an address, or the domains of one that cannot be read whole; says whether there was any.
    fn address(&mut self, role: &'static str, text: &str) -> bool {
        match address(text) {
            Address::Whole(indicator) => self.add(role, indicator),
            Address::Domains(domains) => {
                // Return paths are long and strange by trade: they name the recipient that a bounce is about.
                if role != "return_path" {
                    self.note(format!(
                        "one {role}'s address cannot be read whole, so its domain was scored: \"{}\"",
                        visible(text)
                    ));
                }
                for domain in domains {
                    self.add(role, domain);
                }
            }
            Address::Unknown => return false,
        }
        true
    }

    /// Names an address in the display name: people see it, mail does not use it.
    fn shown(&mut self, mailbox: &Mailbox, all: &[Mailbox]) {
        let is_real = |shown: &Indicator| {
            let mut addresses = all.iter().flat_map(|mailbox| &mailbox.addresses);
            addresses.any(|text| match address(text) {
                Address::Whole(known) => known.value().eq_ignore_ascii_case(shown.value()),
                Address::Domains(_) | Address::Unknown => false,
            })
        };
        let mut shown = mailbox
            .shown
            .iter()
            .filter_map(|word| Indicator::parse(IndicatorKind::Email, word).ok());
        if let Some(shown) = shown.find(|shown| !is_real(shown)) {
            self.note("the sender's display name shows another e-mail address");
            self.ignore("sender", &shown, SHOWN_ONLY);
        }
    }

    /// Reads what a message carries, and what those attached to it do.
    pub(super) fn contents(&mut self, mail: &Mail) {
        let mut all = MessageContents::default();
        mail.gather(&mut all);
        for envelope in &all.carried {
            self.carried(envelope);
        }
        self.attachments(&all, |_| true);
        self.pictures(&all);
        self.links(all.links);
    }

    /// Reads the files that a message carries, and those attached to it.
    pub(super) fn files(&mut self, mail: &Mail) {
        let mut all = MessageContents::default();
        mail.gather(&mut all);
        self.attachments(&all, |role| role == "attachment");
    }

    /// Reads files, and names what of these roles could not be read.
    fn attachments(&mut self, all: &MessageContents<'_>, is_wanted: impl Fn(&str) -> bool) {
        for one in all.unreadable.iter().filter(|one| is_wanted(one.role)) {
            self.refuse(one.role, &one.value, &one.reason);
        }
        for file in &all.files {
            let digests = [Some(&file.fact.sha256), file.other.as_ref()];
            for digest in digests.into_iter().flatten() {
                if let Ok(hash) = Indicator::parse(IndicatorKind::Hash, digest) {
                    self.file(hash, file.is_empty);
                }
            }
            if self.read.facts.attachments.len() < MAX_NAMED {
                self.read.facts.attachments.push(file.fact.clone());
            }
        }
    }

    /// Adds the digest of a file. One that holds nothing has no author, and need not be asked about.
    fn file(&mut self, hash: Indicator, is_empty: bool) {
        if is_empty && (self.trust.is_own)(&hash).is_none() {
            if self.seen.insert(hash.clone()) {
                self.ignore("attachment", &hash, "an empty file");
            }
        } else {
            self.add("attachment", hash);
        }
    }

    /// Tells of the pictures that are shown in texts. They are in every newsletter, so that they leave nothing open.
    fn pictures(&mut self, all: &MessageContents<'_>) {
        for pictures in &all.pictures {
            self.pictures += pictures.count;
            let room = MAX_NAMED.saturating_sub(self.read.facts.pictures.len());
            let told = pictures.shown.iter().take(room).map(|file| file.fact.clone());
            self.read.facts.pictures.extend(told);
        }
    }

    fn links(&mut self, links: Vec<&str>) {
        let mut tally = LinkCounts::default();
        let mut hosts = HashSet::new();
        let (first, more): (Vec<Indicator>, Vec<Indicator>) = links
            .into_iter()
            .flat_map(|link| unwrap::indicators(link, self.trust.keep_query, &mut tally))
            .partition(|url| hosts.insert(url.ip().map(|ip| ip.to_string()).or_else(|| url.host())));
        // Links that a list vouches for come last, so that they take no other's place.
        let mut popular = Vec::new();
        for url in first.into_iter().chain(more) {
            match (self.trust.is_popular)(&url, &self.read.senders) {
                Some(reason) => popular.push((url, reason)),
                None => self.add("url", url),
            }
        }
        for (url, reason) in popular {
            self.add_vouched("url", url, Some(&reason));
        }
        tally.note(&mut self.read.notes);
        self.read.unreadable.append(&mut tally.unreadable);
        self.read.sealed.append(&mut tally.sealed);
    }

    fn add(&mut self, role: &'static str, indicator: Indicator) {
        self.add_vouched(role, indicator, None);
    }

    /// Adds an indicator; one that a list vouches for is no excess where there are too many.
    fn add_vouched(&mut self, role: &'static str, indicator: Indicator, vouched: Option<&str>) {
        let is_known = |known: &Indicator| known.folded() == indicator.folded();
        if role == "sender" && !self.read.senders.iter().any(is_known) {
            self.read.senders.push(indicator.clone());
        }
        if !self.seen.insert(indicator.folded().into_owned()) {
            return;
        }
        if let Some(reason) = private(&indicator) {
            self.ignore(role, &indicator, reason);
        } else if let Some(reason) = (self.trust.is_own)(&indicator) {
            self.ignore(role, &indicator, &reason);
        } else if self.read.indicators.len() < MAX_INDICATORS {
            self.read.indicators.push(FoundIndicator { role, indicator });
        } else if let Some(reason) = vouched {
            let reason = format!("{reason}; beyond the {MAX_INDICATORS} that are scored");
            self.ignore(role, &indicator, &reason);
        } else if self.read.excess.len() < MAX_NAMED {
            self.read.excess.push(FoundIndicator { role, indicator });
        } else {
            self.unnamed += 1;
        }
    }

    fn ignore(&mut self, role: &'static str, indicator: &Indicator, reason: &str) {
        if self.read.ignored.len() < MAX_NAMED {
            self.read.ignored.push(Ignored {
                role,
                value: indicator.value().to_owned(),
                reason: reason.to_owned(),
            });
        } else {
            self.unnamed += 1;
        }
    }

    fn refuse(&mut self, role: &'static str, text: &str, reason: &str) {
        if self.read.unreadable.len() < MAX_NAMED {
            self.read.unreadable.push(Unreadable {
                role,
                value: visible(text),
                reason: reason.to_owned(),
            });
        } else {
            self.unnamed += 1;
        }
    }

    pub(super) fn finish(mut self) -> Read {
        if self.pictures > 0 {
            let text = format!(
                "{} pictures are shown in the message and were not looked at",
                self.pictures
            );
            self.note(text);
        }
        if self.unnamed > 0 {
            let text = format!("{} more values were found than can be named", self.unnamed);
            self.note(text);
        }
        self.read
    }
}
