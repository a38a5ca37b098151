//! Reads blocks by their layout, and joins what refers to each other.

use std::collections::HashMap;

use super::MOST_CONTACTS;
use super::blocks::{Block, Entry, Head};
use super::draft::{ContactDraft, handle};
use super::free;
use super::keys::{self, Field};
use super::lines::{Line, Text};
use super::objects::objects;
use super::places;
use crate::kit::contact::{Contact, Part};
use pivotd_domain::party::is_handle;

/// References from roles to handles of one record at most.
const MOST_REFERENCES: usize = 200;

/// Reads the contacts of blocks, in the order of the text.
pub(super) fn read(blocks: &[Block<'_>], lines: &[Line<'_>]) -> Vec<Contact> {
    let mut reader = Reader::default();
    for block in blocks {
        reader.find_handles(block);
    }
    for block in blocks {
        match &block.head {
            Head::None => reader.bare(&block.entries),
            Head::Rest => reader.flat(&block.entries, Scope::Nothing),
            Head::Foreign => reader.flat(&block.entries, Scope::Foreign),
            Head::Roles(roles) => reader.headed(roles, &block.entries),
            Head::Field(role, field) => reader.field(role, *field, &block.entries),
        }
    }
    for line in lines {
        if let Text::Comment(text) = &line.text {
            reader.comment(text);
        }
    }
    reader.finish()
}

/// Says whose the fields are whose keys name no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// No contact's.
    Nothing,
    /// The registrar's, or another's that is no contact of the registration.
    Foreign,
    /// The registrant's, where they are those that an object about a domain holds.
    Domain,
    /// Those of the contact at this place.
    Contact(usize),
}

#[derive(Debug, Default)]
struct Reader {
    drafts: Vec<ContactDraft>,
    /// The place of a contact by the words of its keys.
    prefixes: HashMap<String, usize>,
    /// Roles by the handle that they refer to.
    references: HashMap<String, Vec<&'static str>>,
    /// Handles of the contacts that the record holds.
    known: std::collections::HashSet<String>,
    /// Mailboxes beside a reference, with the handle and the role.
    mailboxes: Vec<(String, &'static str, String)>,
    /// Mailboxes that belong to no contact.
    loose: Vec<String>,
    /// Whether the object about a domain has a description that is a name: the others describe it.
    described: bool,
}

impl Reader {
    fn push(&mut self, draft: ContactDraft) -> Option<usize> {
        if self.drafts.len() >= 2 * MOST_CONTACTS {
            return None;
        }
        self.drafts.push(draft);
        Some(self.drafts.len() - 1)
    }

    fn refer(&mut self, value: &str, role: &'static str) {
        if self.references.len() < MOST_REFERENCES {
            let roles = self.references.entry(handle(value)).or_default();
            if !roles.contains(&role) {
                roles.push(role);
            }
        }
    }

    /// Notes the handles of objects, so that a value that refers to one is told from a name.
    fn find_handles(&mut self, block: &Block<'_>) {
        for entry in &block.entries {
            if let Entry::Pair { key, value, .. } = entry
                && (*key == "contact" || keys::field(key) == Some(Field::Handle))
                && !value.is_empty()
                && !value.contains(' ')
                && self.known.len() < MOST_REFERENCES
            {
                self.known.insert(handle(value));
            }
        }
    }

    /// Reads a block without a heading: an object about a domain or a network, or a contact's.
    fn bare(&mut self, entries: &[Entry<'_>]) {
        for object in objects(entries) {
            let has = |is: fn(&str) -> bool| {
                object
                    .iter()
                    .any(|entry| matches!(entry, Entry::Pair { key, .. } if is(key)))
            };
            let first = object.iter().find_map(|entry| match entry {
                Entry::Pair { key, value, .. } => Some((*key, *value)),
                Entry::Free(_) => None,
            });
            if has(keys::is_of_domain) {
                self.flat(object, Scope::Domain);
            } else if has(keys::is_of_network) {
                self.flat(object, Scope::Nothing);
            } else if has(keys::is_identity) {
                self.object(object);
            } else {
                match first {
                    // RIPE's objects of organizations are referred to by their handle.
                    Some(("organisation" | "organization", _)) => self.object(object),
                    Some((key, _)) if keys::is_foreign(key) => self.flat(object, Scope::Foreign),
                    // Fields above references are the holder's, of the domain above; those below one may be another's.
                    Some((key, _)) if !keys::is_reference(key) && has(keys::is_reference) => {
                        self.flat(object, Scope::Domain);
                    }
                    _ => self.flat(object, Scope::Nothing),
                }
            }
        }
    }

    /// Reads an object of a contact, which others refer to by its handle.
    fn object(&mut self, entries: &[Entry<'_>]) {
        let mut draft = ContactDraft::default();
        for entry in entries {
            let Entry::Pair { key, value, more, .. } = entry else {
                continue;
            };
            match *key {
                "anonymous" if value.eq_ignore_ascii_case("yes") => draft.is_hidden = true,
                "contact" => match keys::roles(value).as_slice() {
                    [] if is_handle(value) || self.references.contains_key(&handle(value)) => {
                        draft.handles.push(handle(value));
                    }
                    [] => draft.names.push((*value).to_owned()),
                    roles => roles.iter().for_each(|role| draft.contact.add_role(*role)),
                },
                "organisation" | "organization" if is_handle(value) => draft.handles.push(handle(value)),
                "abuse c" => self.refer(value, "abuse"),
                key => {
                    if let Some(field) = keys::field(key) {
                        draft.add(field, value, more);
                    }
                }
            }
        }
        self.push(draft);
    }

    /// Reads lines whose keys name the role and the field, or a role and who has it.
    fn flat(&mut self, entries: &[Entry<'_>], mut scope: Scope) {
        let outer = scope;
        self.described = false;
        for entry in entries {
            let (written, key, value, more) = match entry {
                Entry::Pair {
                    written,
                    key,
                    value,
                    more,
                } => (*written, *key, *value, more.as_slice()),
                Entry::Free(text) => {
                    if outer != Scope::Foreign {
                        self.loose_line(text);
                    }
                    continue;
                }
            };
            if let Some(named) = keys::qualified(key) {
                // What a registrar's block says of its own desks is not about the domain; who takes complaints is.
                if outer != Scope::Foreign || named.1 == "abuse" {
                    self.qualified(key, named, value, more);
                }
                continue;
            }
            let roles = keys::roles(written);
            if !roles.is_empty() {
                if outer != Scope::Foreign || roles == ["abuse"] || keys::is_reference(key) {
                    scope = self.role_line(&roles, key, value, more, scope);
                }
                continue;
            }
            if keys::is_provider(key) && !value.is_empty() {
                scope = Scope::Foreign;
                continue;
            }
            if key == "org" && is_handle(value) {
                self.refer(value, "registrant");
                continue;
            }
            self.unqualified(key, value, more, &mut scope, outer);
        }
    }

    /// Reads a field whose key names no role.
    fn unqualified(&mut self, key: &str, value: &str, more: &[&str], scope: &mut Scope, outer: Scope) {
        let is_company = |value: &str| pivotd_domain::party::is_company(value);
        let field = match keys::field(key) {
            // A description is a name only where it reads as one, and only the first: others tell the kind and the address.
            None if key == "descr" && !std::mem::replace(&mut self.described, true) && is_company(value) => {
                Some(Field::Part(Part::Organization))
            }
            field => field,
        };
        let Some(field) = field else { return };
        // Below the line of the registrar, these begin the registrant; anything else is the registrar's.
        let begins = *scope == Scope::Foreign && outer == Scope::Domain && matches!(key, "person" | "org");
        if *scope == Scope::Domain || begins {
            let inline = matches!(key, "person" | "descr" | "personname")
                || matches!(
                    field,
                    Field::Part(Part::Organization | Part::Email | Part::Phone | Part::Fax | Part::Street)
                );
            if !inline {
                return;
            }
            if let Some(at) = self.push(ContactDraft::of(&["registrant"])) {
                *scope = Scope::Contact(at);
            }
        }
        match *scope {
            Scope::Contact(at) => {
                let bare = matches!(field, Field::Handle | Field::Kind);
                if let Some(draft) = self.drafts.get_mut(at).filter(|_| !bare) {
                    draft.add(field, value, more);
                }
            }
            Scope::Nothing if field == Field::Part(Part::Email) && outer != Scope::Foreign => {
                self.loose.push(value.to_owned());
            }
            _ => {}
        }
    }

    /// Reads a line such as `admin-c: AB1-RIPE`, which refers to a contact, or `Registrant: Example Ltd`, which begins one.
    fn role_line(
        &mut self,
        roles: &[&'static str],
        key: &str,
        value: &str,
        more: &[&str],
        scope: Scope,
    ) -> Scope {
        if value.is_empty() && more.is_empty() {
            return scope;
        }
        let is_code = |value: &str| {
            is_handle(value)
                || !value.contains(' ')
                    && (self.known.contains(&handle(value))
                        || value.bytes().all(|byte| byte.is_ascii_digit()))
        };
        if keys::is_reference(key) || is_code(value) {
            // A contact can stand below its own handle.
            if more.iter().any(|line| !is_code(line)) {
                return self.begin(roles, more);
            }
            for value in std::iter::once(value).chain(more.iter().copied()) {
                let mailbox = value.split_whitespace().find(|word| word.contains('@'));
                for role in roles {
                    self.refer(value, role);
                    if let Some(mailbox) = mailbox.filter(|_| self.mailboxes.len() < MOST_REFERENCES) {
                        self.mailboxes.push((handle(value), role, mailbox.to_owned()));
                    }
                }
            }
            return scope;
        }
        // Text below the name is an address only where it has a place in it, and up to the name of a host.
        let more = || more.iter().copied().take_while(|line| !places::names_host(line));
        let below = more().any(|line| places::is_place(line) || line.contains('@'));
        let lines: Vec<&str> = std::iter::once(value).chain(more().filter(|_| below)).collect();
        self.begin(roles, &lines)
    }

    /// Begins a contact of lines without labels.
    fn begin(&mut self, roles: &[&'static str], lines: &[&str]) -> Scope {
        let mut draft = ContactDraft::of(roles);
        free::read(lines, false, &mut draft.contact);
        match self.push(draft) {
            Some(at) => Scope::Contact(at),
            None => Scope::Nothing,
        }
    }

    fn qualified(
        &mut self,
        key: &str,
        (prefix, role, field): (&str, &'static str, Field),
        value: &str,
        more: &[&str],
    ) {
        if value.is_empty() && more.is_empty() {
            return;
        }
        if field == Field::Handle {
            self.refer(value, role);
        }
        let open = self.prefixes.get(prefix).copied();
        let open = open.filter(|at| {
            self.drafts
                .get(*at)
                .is_some_and(|draft| !draft.is_full(field, key, value))
        });
        // `Registrant: Example Ltd` and `Registrant Contact Name: …` are of one contact.
        let at = open.or_else(|| self.of_role_line(role)).or_else(|| {
            let mut draft = ContactDraft::of(&[role]);
            draft.prefix = Some(prefix.to_owned());
            self.push(draft)
        });
        let Some(at) = at else { return };
        self.prefixes.insert(prefix.to_owned(), at);
        if let Some(draft) = self.drafts.get_mut(at) {
            draft.prefix.get_or_insert_with(|| prefix.to_owned());
            draft.note(key, value);
            draft.add(field, value, more);
        }
    }

    /// Finds a contact of the role that a line without a field began.
    fn of_role_line(&self, role: &str) -> Option<usize> {
        self.drafts.iter().position(|draft| {
            let of_role = matches!(draft.contact.roles(), [known] if known == role);
            of_role && draft.prefix.is_none() && draft.handles.is_empty() && draft.names.is_empty()
        })
    }

    /// Reads what stands under a heading that names roles.
    fn headed(&mut self, roles: &[&'static str], entries: &[Entry<'_>]) {
        let mut draft = ContactDraft::of(roles);
        let mut lines: Vec<&str> = Vec::new();
        for entry in entries {
            match entry {
                Entry::Free(text) => lines.push(text),
                Entry::Pair { key, value, more, .. } => {
                    let within = keys::qualified(key)
                        .filter(|(_, role, _)| roles.contains(role))
                        .map(|(_, _, field)| field);
                    let Some(field) = keys::field(key).or(within) else {
                        continue;
                    };
                    if draft.is_full(field, key, value) {
                        let full = std::mem::replace(&mut draft, ContactDraft::of(roles));
                        self.push(full);
                    }
                    draft.note(key, value);
                    draft.add(field, value, more);
                }
            }
        }
        let named = !draft.names.is_empty() || draft.given.is_some() || draft.contact.has(Part::Organization);
        let handles = free::read(&lines, named, &mut draft.contact);
        if draft.contact.is_empty() && draft.names.is_empty() && draft.given.is_none() {
            for handle in handles.iter().chain(&draft.handles) {
                for role in roles {
                    self.refer(handle, role);
                }
            }
        }
        self.push(draft);
    }

    /// Reads what stands under a heading that names one field: it is of the last contact of that role.
    fn field(&mut self, role: &'static str, field: Field, entries: &[Entry<'_>]) {
        let values: Vec<&str> = entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Free(text) => Some(*text),
                Entry::Pair { .. } => None,
            })
            .collect();
        let Some((value, more)) = values.split_first() else {
            return;
        };
        let of_role = |draft: &ContactDraft| matches!(draft.contact.roles(), [known] if known == role);
        let at = self
            .drafts
            .iter()
            .rposition(of_role)
            .or_else(|| self.push(ContactDraft::of(&[role])));
        if let Some(draft) = at.and_then(|at| self.drafts.get_mut(at)) {
            draft.add(field, value, more);
        }
    }

    /// Reads a line without a key that stands in no contact: a mailbox there can be told, and nothing else.
    fn loose_line(&mut self, text: &str) {
        if text.contains('@') && text.split_whitespace().count() <= 4 {
            self.loose.push(text.to_owned());
        }
    }

    /// Reads the one comment that servers of address registries make of a contact.
    fn comment(&mut self, text: &str) {
        let lower = text.to_lowercase();
        if !lower.starts_with("abuse contact for ") || !lower.contains(" is ") {
            return;
        }
        let word = text.split(['\'', ' ']).find(|word| word.contains('@'));
        if let Some(word) = word {
            let mut draft = ContactDraft::of(&["abuse"]);
            draft.contact.add(Part::Email, word);
            self.push(draft);
        }
    }

    /// Gives each contact the roles that refer to it, and joins what is said of one contact in two places.
    fn finish(mut self) -> Vec<Contact> {
        for (handle, role, mailbox) in std::mem::take(&mut self.mailboxes) {
            let known = self
                .drafts
                .iter_mut()
                .find(|draft| draft.handles.contains(&handle));
            match known {
                Some(draft) => draft.contact.add(Part::Email, &mailbox),
                None => {
                    let mut draft = ContactDraft::of(&[role]);
                    draft.contact.add(Part::Email, &mailbox);
                    self.push(draft);
                }
            }
        }
        let mut drafts: Vec<Contact> = Vec::new();
        for mut draft in self.drafts {
            if draft.prefix.is_none() {
                for handle in &draft.handles {
                    for role in self.references.get(handle).into_iter().flatten() {
                        draft.contact.add_role(*role);
                    }
                }
            }
            drafts.extend(draft.finish());
        }
        // What is one contact's organization is another's, too, where nothing says whose name it is.
        let organizations: Vec<String> = drafts
            .iter()
            .flat_map(|contact| contact.told(Part::Organization))
            .cloned()
            .collect();
        let mut contacts: Vec<Contact> = Vec::new();
        for mut contact in drafts {
            contact.name_organizations(&organizations);
            match contacts.iter_mut().find(|known| known.is_of(&contact)) {
                Some(known) => known.absorb(&contact),
                None => contacts.push(contact),
            }
        }
        let mut known: Vec<String> = contacts.iter().flat_map(Contact::emails).collect();
        for text in self.loose.iter().take(MOST_CONTACTS) {
            let mut contact = Contact::default();
            contact.add(Part::Email, text);
            let emails = contact.emails();
            if emails.iter().any(|email| !known.contains(email)) {
                known.extend(emails);
                contacts.push(contact);
            }
        }
        contacts
    }
}
