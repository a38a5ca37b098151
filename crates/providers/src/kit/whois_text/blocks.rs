//! Divides lines into blocks: objects of keys and values, and headings with what stands under them.

use super::keys::{self, Field};
use super::lines::{Line, Text};
use crate::kit::contact::Part;

/// Says what a block stands under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Head {
    /// No heading.
    None,
    /// A heading that names the roles of a contact.
    Roles(Vec<&'static str>),
    /// A heading that names one field of a role: "Registrant's address:".
    Field(&'static str, Field),
    /// A heading about something that is no contact.
    Foreign,
    /// Nothing that it belongs to: what follows the end of a headed block, indented like it.
    Rest,
}

/// Holds lines that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block<'a> {
    pub(super) head: Head,
    pub(super) entries: Vec<Entry<'a>>,
}

/// Is a line of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    /// A key and its value, with the lines that continue it.
    Pair {
        written: &'a str,
        key: &'a str,
        value: &'a str,
        more: Vec<&'a str>,
    },
    /// A line without a key.
    Free(&'a str),
}

/// Divides lines into blocks, in the order of the text.
pub(super) fn split<'a>(lines: &'a [Line<'a>]) -> Vec<Block<'a>> {
    let following = following(lines);
    let mut splitter = Splitter::default();
    for (line, next) in lines.iter().zip(following) {
        splitter.line(line, next);
    }
    splitter.close();
    splitter.blocks
}

/// Is what follows a line: the next line that holds something, and whether a blank one stands between.
#[derive(Debug, Clone, Copy)]
struct NextLine<'a> {
    line: &'a Line<'a>,
    adjacent: bool,
}

fn following<'a>(lines: &'a [Line<'a>]) -> Vec<Option<NextLine<'a>>> {
    let mut following = vec![None; lines.len()];
    let mut next: Option<NextLine<'a>> = None;
    for (line, slot) in lines.iter().zip(&mut following).rev() {
        *slot = next;
        next = match line.text {
            Text::Blank => next.map(|next| NextLine {
                adjacent: false,
                ..next
            }),
            Text::Comment(_) => next,
            _ => Some(NextLine { line, adjacent: true }),
        };
    }
    following
}

#[derive(Debug, Default)]
struct Splitter<'a> {
    blocks: Vec<Block<'a>>,
    open: Option<Open<'a>>,
}

/// Is the block that lines are added to.
#[derive(Debug)]
struct Open<'a> {
    block: Block<'a>,
    /// How far its heading is indented.
    indent: usize,
    /// Whether its lines are indented further than its heading; not known before the first.
    deeper: Option<bool>,
    /// Whether a blank line stands behind its lines.
    rested: bool,
    /// How far the last pair is indented, where the next line can continue it.
    pair: Option<usize>,
    /// Whether its heading stands in brackets, and nothing below it yet: another such heading names the same contact.
    joins: bool,
}

impl Open<'_> {
    /// Tells whether a line that is indented so far stands under the heading.
    fn holds(&self, indent: usize) -> bool {
        match self.block.head {
            Head::None | Head::Rest => true,
            _ => self.deeper != Some(true) || indent > self.indent,
        }
    }

    /// Tells whether a line goes on with the contact after a blank line: a number or a mailbox, as deep as the lines above.
    fn resumes(&self, indent: usize, text: &Text<'_>) -> bool {
        let reached = |key: &str| {
            matches!(
                keys::field(key),
                Some(Field::Part(Part::Phone | Part::Fax | Part::Email))
            )
        };
        matches!(self.block.head, Head::Roles(_))
            && self.deeper == Some(true)
            && indent > self.indent
            && matches!(text, Text::Pair { key, .. } if reached(key))
    }

    /// Tells whether the last pair holds lines of an address.
    fn is_address(&self) -> bool {
        matches!(self.block.entries.last(), Some(Entry::Pair { key, .. }) if keys::field(key) == Some(keys::ADDRESS))
    }

    /// Tells whether a line of nothing but text continues the last pair: one that is indented further; the lines below
    /// the label of an address; what stands below "Registrant: Example Ltd".
    fn continues(&self, indent: usize) -> bool {
        let (
            Some(Entry::Pair {
                written, key, value, ..
            }),
            Some(pair),
        ) = (self.block.entries.last(), self.pair)
        else {
            return false;
        };
        let label = value.is_empty() && keys::field(key) == Some(keys::ADDRESS);
        let named = || {
            matches!(self.block.head, Head::None | Head::Rest)
                && !value.is_empty()
                && !keys::is_reference(key)
                && keys::qualified(key).is_none()
                && !keys::roles(written).is_empty()
        };
        indent > pair || indent == pair && (label || named())
    }
}

impl<'a> Splitter<'a> {
    fn line(&mut self, line: &'a Line<'a>, next: Option<NextLine<'a>>) {
        match &line.text {
            Text::Blank => {
                if let Some(open) = &mut self.open {
                    open.pair = None;
                    open.joins = false;
                    open.rested = !open.block.entries.is_empty();
                }
            }
            Text::Comment(text) => {
                if let Some(head) = comment_heading(text) {
                    self.begin(head, 0);
                }
            }
            text => match self.heading(line, next) {
                Some(head) => {
                    let brackets = matches!(text, Text::Pair { written, .. } if written.starts_with('['));
                    let head = self.join(head, brackets);
                    self.begin(head, line.indent);
                    if let Some(open) = &mut self.open {
                        open.joins = brackets;
                    }
                }
                None => self.add(line.indent, text),
            },
        }
    }

    /// Joins a heading to the one right above it: `[Admin-C]` over `[Tech-C]`.
    fn join(&self, head: Head, brackets: bool) -> Head {
        let above = self.open.as_ref().filter(|open| brackets && open.joins);
        match (head, above.map(|open| &open.block)) {
            (
                Head::Roles(roles),
                Some(Block {
                    head: Head::Roles(known),
                    entries,
                }),
            ) if entries.is_empty() => {
                let mut joined = known.clone();
                joined.extend(roles.into_iter().filter(|role| !known.contains(role)));
                Head::Roles(joined)
            }
            (head, _) => head,
        }
    }

    fn begin(&mut self, head: Head, indent: usize) {
        self.close();
        self.open = Some(Open {
            block: Block {
                head,
                entries: Vec::new(),
            },
            indent,
            deeper: None,
            rested: false,
            pair: None,
            joins: false,
        });
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take()
            && !open.block.entries.is_empty()
        {
            self.blocks.push(open.block);
        }
    }

    /// Tells whether a line is a heading, and of what.
    fn heading(&self, line: &Line<'_>, next: Option<NextLine<'_>>) -> Option<Head> {
        let deeper = next.is_some_and(|next| next.line.indent > line.indent);
        let is_pair = next.is_some_and(|next| matches!(next.line.text, Text::Pair { .. }));
        match &line.text {
            Text::Pair {
                written,
                key,
                value: "",
            } => {
                let free_below = next.is_some_and(|next| next.adjacent && !is_pair);
                let roles = keys::roles(written);
                if !roles.is_empty() {
                    // An empty `billing-c:` in a list of keys heads nothing; `[Tech-C]` over a name does.
                    let over_field = next.is_some_and(|next| next.adjacent && is_field(next.line));
                    let heads = deeper || over_field || written.starts_with('[') || !keys::is_reference(key);
                    return heads.then_some(Head::Roles(roles));
                }
                // A label within a contact has its value below, or none.
                let within = self.open.as_ref().is_some_and(|open| {
                    matches!(open.block.head, Head::Roles(_) | Head::Foreign)
                        && open.holds(line.indent)
                        && (!open.rested || open.resumes(line.indent, &line.text))
                });
                if within && keys::field(key).is_some() {
                    return None;
                }
                if keys::is_of_object(key) {
                    return Some(Head::None);
                }
                if keys::is_contact(key) {
                    return Some(Head::Roles(Vec::new()));
                }
                if let Some((_, role, field)) = keys::qualified(key) {
                    return (deeper || free_below).then_some(Head::Field(role, field));
                }
                let known = keys::is_foreign(key);
                (known || deeper || free_below).then_some(Head::Foreign)
            }
            Text::Free(text) => {
                let within = self.open.as_ref().is_some_and(|open| {
                    open.block.head != Head::None && line.indent > open.indent && !open.rested
                });
                let short = text.split_whitespace().count() <= 6 && !within;
                let adjacent = next.is_some_and(|next| next.adjacent);
                let begins_lower = |line: &Line<'_>| matches!(line.text, Text::Free(text) if text.starts_with(char::is_lowercase));
                // Prose that goes on is no contact.
                let over_text = deeper && next.is_some_and(|next| next.adjacent && !begins_lower(next.line));
                // A heading as deep as its lines stands apart from what is above.
                let apart = self.open.as_ref().is_none_or(|open| open.rested);
                let over_lines = apart && next.is_some_and(|next| next.adjacent && !begins_lower(next.line));
                if short && (is_pair || over_text || over_lines) {
                    let roles = keys::roles(text);
                    if !roles.is_empty() {
                        return Some(Head::Roles(roles));
                    }
                }
                if short && next.is_some() && keys::is_of_object(&keys::words(text)) {
                    return Some(Head::None);
                }
                let known = short && next.is_some() && keys::is_bare_foreign(&keys::words(text));
                let heads = is_pair && deeper && adjacent && !within;
                (known || heads).then_some(Head::Foreign)
            }
            _ => None,
        }
    }

    fn add(&mut self, indent: usize, text: &'a Text<'a>) {
        let stays = self
            .open
            .as_ref()
            .is_some_and(|open| open.holds(indent) && (!open.rested || open.resumes(indent, text)));
        if !stays {
            // What is indented like the lines of a block that ended is no part of it, and no object of its own.
            let below = self
                .open
                .as_ref()
                .filter(|open| {
                    open.block.head != Head::None && open.deeper == Some(true) && indent > open.indent
                })
                .map(|open| open.indent);
            match below {
                Some(outer) => {
                    self.begin(Head::Rest, outer);
                    if let Some(open) = &mut self.open {
                        open.deeper = Some(true);
                    }
                }
                None => self.begin(Head::None, indent),
            }
        }
        let Some(open) = &mut self.open else { return };
        open.rested = false;
        open.deeper.get_or_insert(indent > open.indent);
        let pair = |written, key, value| Entry::Pair {
            written,
            key,
            value,
            more: Vec::new(),
        };
        match text {
            // What is no part of an address does not end it, either.
            Text::Pair { written, key, .. }
                if open.pair.is_some_and(|pair| indent > pair)
                    && open.is_address()
                    && keys::is_unknown(written, key) => {}
            Text::Pair { written, key, value } => {
                open.pair = Some(indent);
                open.block.entries.push(pair(*written, key.as_str(), *value));
            }
            Text::Free(text) => {
                let continues = open.continues(indent);
                match (open.block.entries.last_mut(), &open.block.head) {
                    (Some(Entry::Pair { more, .. }), _) if continues => more.push(text),
                    (_, Head::Roles(_)) if let Some(key) = keys::bare_label(text) => {
                        open.pair = Some(indent);
                        open.block.entries.push(pair(*text, key, ""));
                    }
                    _ => {
                        open.pair = None;
                        open.block.entries.push(Entry::Free(text));
                    }
                }
            }
            Text::Blank | Text::Comment(_) => {}
        }
    }
}

/// Tells whether a line holds a field of a contact.
fn is_field(line: &Line<'_>) -> bool {
    matches!(&line.text, Text::Pair { key, .. } if keys::field(key).is_some())
}

/// Reads a heading that a server writes as a comment: "% Registrant:".
fn comment_heading(text: &str) -> Option<Head> {
    let text = text.strip_suffix(':')?;
    let roles = keys::roles(text);
    if !roles.is_empty() {
        return Some(Head::Roles(roles));
    }
    keys::is_foreign(&keys::words(text)).then_some(Head::Foreign)
}
