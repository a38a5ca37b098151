//! Joins the text of a page that tags cut within a line: `https://shop.<b>example</b>/x` is read as people see it.

use std::collections::BTreeSet;
use std::ops::Bound;

use url::Url;

use super::hidden_text;
use super::names::in_name;
use super::text::{self, LinkVisitor};
use pivotd_domain::indicator::{is_below_known_suffix, is_invisible};

/// Elements that begin a line, a cell or something of their own: their tags end a word, those of all others do not.
const SEPARATING: [&str; 60] = [
    "address",
    "article",
    "aside",
    "audio",
    "blockquote",
    "body",
    "br",
    "button",
    "canvas",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "frame",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "iframe",
    "img",
    "input",
    "legend",
    "li",
    "main",
    "menu",
    "nav",
    "object",
    "ol",
    "option",
    "p",
    "pre",
    "section",
    "select",
    "summary",
    "table",
    "tbody",
    "td",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
];

/// How many invisible characters before a tag are stepped over.
const MAX_UNSEEN: usize = 64;

/// Tells whether an element's tags end a word; of its name in lower case.
pub(super) fn ends_run(name: &str) -> bool {
    SEPARATING.contains(&name)
}

/// Holds the text of a page since the last tag that ends a word.
#[derive(Default)]
pub(super) struct Runs {
    /// The text since the last tag.
    piece: String,
    /// The pieces before it.
    before: String,
    /// The links of the pieces.
    links: BTreeSet<String>,
    /// The element in which the text stands, if it is none of the text around it.
    hidden: Option<HiddenElement>,
    /// Whether a style of the page hides something.
    hides: bool,
}

/// Is an element that is not shown, so that the text around it is one.
struct HiddenElement {
    name: String,
    /// How many elements of this name are open in it.
    depth: usize,
    /// Whether its text is no sentence: a script, or a style.
    is_code: bool,
    /// The text before it, and its links.
    before: String,
    links: BTreeSet<String>,
}

impl Runs {
    /// Takes the text up to a tag.
    pub(super) fn push(&mut self, text: &str) {
        self.piece.push_str(text);
    }

    /// Tells of the links before a tag within a word; says whether more are wanted.
    pub(super) fn cut(&mut self, found: &mut LinkVisitor<'_>) -> bool {
        if self.piece.is_empty() {
            return true;
        }
        let is_code = self.is_code();
        // Where something is hidden, what people see may begin with the piece.
        let is_joined = !self.hides && ends_in_name(&self.before);
        let links = &mut self.links;
        let mut tell = |link: &str| {
            links.insert(link.to_owned());
            found(link)
        };
        let goes_on = if is_code {
            text::find_marked(&self.piece, &mut tell)
        } else {
            text::find_in_run(&self.piece, is_joined, &mut tell)
        };
        self.before.push_str(&self.piece);
        self.piece.clear();
        goes_on
    }

    /// Tells of the links before a tag that ends a word, and of those that tags cut; says whether more are wanted.
    ///
    /// What is cut counts as well: a tag may hide what stands in it.
    pub(super) fn end(&mut self, found: &mut LinkVisitor<'_>) -> bool {
        let is_cut = !self.before.is_empty();
        if !self.cut(found) {
            return false;
        }
        let links = std::mem::take(&mut self.links);
        let text = std::mem::take(&mut self.before);
        if self.is_code() {
            self.hides |= self.is_style() && hidden_text::hides(&text);
        } else if !text::find_bare(&text, found) {
            return false;
        }
        let mut tell = |link: &str| links.contains(link) || is_glued(link, &links) || found(link);
        match (is_cut, self.is_code()) {
            (false, _) => true,
            (true, true) => text::find_marked(&text, &mut tell),
            (true, false) => text::find_in_piece(&text, &mut tell),
        }
    }

    /// Tells of the links before the end of the page, as [`Runs::end`].
    pub(super) fn finish(&mut self, found: &mut LinkVisitor<'_>) -> bool {
        (self.hidden.is_none() || self.leave(found)) && self.end(found)
    }

    /// Marks the start of an element, of which only text before its tag was read so far; of its name in lower case.
    pub(super) fn enter(&mut self, name: &str, is_unseen: bool) {
        let is_code = matches!(name, "script" | "style");
        match &mut self.hidden {
            Some(hidden) if hidden.name == name => hidden.depth += 1,
            None if is_code || is_unseen => {
                self.hidden = Some(HiddenElement {
                    name: name.to_owned(),
                    depth: 0,
                    is_code,
                    before: std::mem::take(&mut self.before),
                    links: std::mem::take(&mut self.links),
                });
            }
            _ => {}
        }
    }

    /// Marks the end of an element; says whether more links are wanted.
    pub(super) fn exit(&mut self, name: &str, found: &mut LinkVisitor<'_>) -> bool {
        match &mut self.hidden {
            // Scripts do not nest.
            Some(hidden) if hidden.name == name && (hidden.depth == 0 || hidden.is_code) => self.leave(found),
            Some(hidden) if hidden.name == name => {
                hidden.depth -= 1;
                true
            }
            _ => true,
        }
    }

    /// Goes on with the text around an element that is not shown.
    fn leave(&mut self, found: &mut LinkVisitor<'_>) -> bool {
        let goes_on = self.end(found);
        if let Some(hidden) = self.hidden.take() {
            self.before = hidden.before;
            self.links = hidden.links;
        }
        goes_on
    }

    /// Tells whether an end tag closes the element that is not shown.
    pub(super) fn is_exit(&self, name: &str) -> bool {
        let hidden = self.hidden.as_ref().filter(|hidden| hidden.name == name);
        hidden.is_some_and(|hidden| hidden.depth == 0 || hidden.is_code)
    }

    fn is_code(&self) -> bool {
        self.hidden.as_ref().is_some_and(|hidden| hidden.is_code)
    }

    fn is_style(&self) -> bool {
        self.hidden.as_ref().is_some_and(|hidden| hidden.name == "style")
    }
}

/// Tells a text that ends within what may be a name.
fn ends_in_name(text: &str) -> bool {
    let is_seen = |c: &char| !is_invisible(*c) || c.is_whitespace();
    let last = text.chars().rev().take(MAX_UNSEEN).find(is_seen);
    last.is_some_and(in_name)
}

/// Tells a link to which the next word was joined: a shorter one leads to a name, and this one to none.
fn is_glued(link: &str, links: &BTreeSet<String>) -> bool {
    let before = (Bound::Unbounded, Bound::Excluded(link));
    let shorter = links.range::<str, _>(before).next_back();
    let is_known = |link: &str| {
        let url = Url::parse(link).ok();
        url.is_some_and(|url| url.host_str().is_some_and(is_below_known_suffix))
    };
    shorter.is_some_and(|shorter| link.starts_with(shorter.as_str()) && is_known(shorter) && !is_known(link))
}
