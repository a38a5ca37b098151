//! Joins the text of a page that tags cut within a line: `https://shop.<b>example</b>/x` is read as people see it.

use std::collections::BTreeSet;
use std::ops::Bound;

use url::Url;

use super::text::{self, Found};
use crate::domain::indicator::is_below_known_suffix;

/// Elements that begin a line, a cell or something of their own: their tags end a word, those of all others do not.
const SEPARATING: [&str; 63] = [
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
    "meta",
    "nav",
    "object",
    "ol",
    "option",
    "p",
    "pre",
    "script",
    "section",
    "select",
    "style",
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
    told: BTreeSet<String>,
    /// The element whose text is no sentence: a script, or a style.
    code: Option<String>,
}

impl Runs {
    /// Takes the text up to a tag.
    pub(super) fn push(&mut self, text: &str) {
        self.piece.push_str(text);
    }

    /// Tells of the links before a tag within a word; says whether more are wanted.
    pub(super) fn cut(&mut self, found: &mut Found<'_>) -> bool {
        if self.piece.is_empty() {
            return true;
        }
        let told = &mut self.told;
        let mut tell = |link: &str| {
            told.insert(link.to_owned());
            found(link)
        };
        let goes_on = match self.code {
            Some(_) => text::find_marked(&self.piece, &mut tell),
            None => text::find_in_piece(&self.piece, &mut tell),
        };
        self.before.push_str(&self.piece);
        self.piece.clear();
        goes_on
    }

    /// Tells of the links before a tag that ends a word, and of those that tags cut; says whether more are wanted.
    ///
    /// What is cut counts as well: a tag may hide what stands in it.
    pub(super) fn end(&mut self, found: &mut Found<'_>) -> bool {
        let is_cut = !self.before.is_empty();
        if !self.cut(found) {
            return false;
        }
        let told = std::mem::take(&mut self.told);
        let text = std::mem::take(&mut self.before);
        if self.code.is_none() && !text::find_bare(&text, found) {
            return false;
        }
        !is_cut
            || text::find_marked(&text, &mut |link| {
                told.contains(link) || is_glued(link, &told) || found(link)
            })
    }

    /// Marks the start of an element; of its name in lower case.
    pub(super) fn mark_code(&mut self, name: &str) {
        if matches!(name, "script" | "style") {
            self.code = Some(name.to_owned());
        }
    }

    /// Marks the end of an element.
    pub(super) fn end_code(&mut self, name: &str) {
        self.code.take_if(|code| code == name);
    }
}

/// Tells a link to which the next word was joined: a shorter one leads to a name, and this one to none.
fn is_glued(link: &str, told: &BTreeSet<String>) -> bool {
    let before = (Bound::Unbounded, Bound::Excluded(link));
    let shorter = told.range::<str, _>(before).next_back();
    let is_known = |link: &str| {
        let url = Url::parse(link).ok();
        url.is_some_and(|url| url.host_str().is_some_and(is_below_known_suffix))
    };
    shorter.is_some_and(|shorter| link.starts_with(shorter.as_str()) && is_known(shorter) && !is_known(link))
}
