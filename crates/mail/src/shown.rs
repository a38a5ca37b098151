//! Lays a page out in lines of text, as far as the heads of forwarded messages need it.

use super::links::{Attributes, closing, decoded, is_name_end, is_tag};
use super::runs::ends_run;

/// Elements whose text is not shown.
const HIDDEN: [&str; 4] = ["script", "style", "template", "title"];

/// Returns the lines of a page. Cells of a table stand in one line; the address of a link to a mailbox stands in brackets
/// before its text.
pub(super) fn lines(page: &str) -> String {
    let mut layout = Layout::default();
    let mut rest = page;
    let mut no_comment_end = false;
    while let Some((before, after)) = rest.split_once('<') {
        layout.text(before);
        if let Some(comment) = after.strip_prefix("!--").filter(|_| !no_comment_end) {
            if let Some((_, behind)) = comment.split_once("-->") {
                rest = behind;
            } else {
                no_comment_end = true;
                rest = comment;
            }
        } else if is_tag(after) {
            rest = layout.tag(after);
        } else if let Some((name, behind)) = closing(after) {
            layout.close(&name.to_ascii_lowercase());
            rest = behind;
        } else {
            layout.text("<");
            rest = after;
        }
    }
    layout.text(rest);
    // Where a page has empty lines says nothing of what people see.
    let lines: Vec<&str> = layout
        .out
        .split('\n')
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines.join("\n")
}

#[derive(Default)]
struct Layout {
    out: String,
    /// The element whose text is not shown.
    hidden: Option<String>,
}

impl Layout {
    fn text(&mut self, text: &str) {
        if self.hidden.is_none() {
            self.out.push_str(&decoded(text));
        }
    }

    /// Reads a tag from behind its `<`; returns what follows it.
    fn tag<'t>(&mut self, text: &'t str) -> &'t str {
        let (name, rest) = text.split_at(text.find(is_name_end).unwrap_or(text.len()));
        let name = name.to_ascii_lowercase();
        self.cut(&name);
        let mut attributes = Attributes { rest };
        for (attribute, value) in attributes.by_ref() {
            if name == "a" && attribute.eq_ignore_ascii_case("href") {
                self.mailbox(&decoded(value));
            }
        }
        if self.hidden.is_none() && HIDDEN.contains(&name.as_str()) {
            self.hidden = Some(name);
        }
        attributes.rest
    }

    fn close(&mut self, name: &str) {
        self.hidden.take_if(|hidden| hidden == name);
        self.cut(name);
    }

    /// Shows the mailbox to which a link leads.
    fn mailbox(&mut self, link: &str) {
        let link = link.trim();
        let is_mailbox = link
            .get(..7)
            .is_some_and(|head| head.eq_ignore_ascii_case("mailto:"));
        let address = link.get(7..).filter(|_| is_mailbox && self.hidden.is_none());
        if let Some(address) = address.and_then(|rest| rest.split('?').next()) {
            let plain = percent_encoding::percent_decode_str(address).decode_utf8_lossy();
            self.out.push_str(" <");
            self.out.push_str(&plain.replace(['\r', '\n'], " "));
            self.out.push_str("> ");
        }
    }

    /// Ends a line, or a cell.
    fn cut(&mut self, name: &str) {
        if matches!(name, "td" | "th") {
            self.out.push(' ');
        } else if ends_run(name) && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }
}
