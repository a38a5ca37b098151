//! Tells pictures that a message shows in place from those that a reader would save, and gives both their digests.
//!
//! A picture is shown in place where a page of the message names it by its Content-ID, or holds it itself (`data:`). What is
//! on it, a code with a link for example, is not looked at, and said so.

use std::collections::HashSet;

use super::MAX_NAMED;
use super::encodings::{Encoding, decode};
use super::leaf::BROKEN;
use super::links::decoded;
use super::mime::{File, Mail};

/// How many Content-IDs of pages are kept: far more than a message may have parts.
const MAX_IDS: usize = 1_000;
/// The longest Content-ID, and more.
const MAX_ID: usize = 1_000;

/// Holds the pictures of one message.
#[derive(Default)]
pub(super) struct InlineImages {
    /// Those that a page may show by their Content-ID.
    waiting: Vec<InlineImage>,
    /// The Content-IDs that pages name.
    named: HashSet<String>,
    /// Those that are shown in place, as far as they can be told.
    pub(super) shown: Vec<File>,
    /// How many are shown.
    pub(super) count: usize,
}

/// Is a picture with a Content-ID.
struct InlineImage {
    file: File,
    id: String,
    is_broken: bool,
}

impl InlineImages {
    /// Takes a picture that a page may show.
    pub(super) fn push(&mut self, file: File, id: &str, is_broken: bool) {
        let id = id.to_owned();
        self.waiting.push(InlineImage { file, id, is_broken });
    }

    /// Reads a page of the message for the pictures that it names or holds.
    pub(super) fn page(&mut self, page: &str) {
        let page = decoded(page);
        // The places are the same, since only letters of ASCII change.
        let lower = page.to_ascii_lowercase();
        let mut rest = 0;
        for (at, head) in lower.match_indices("cid:") {
            let from = at + head.len();
            if at < rest {
                continue;
            }
            let behind = page.get(from..).unwrap_or_default();
            let run: String = behind.chars().take(MAX_ID).take_while(|c| !is_end(*c)).collect();
            rest = from + run.len();
            if self.named.len() < MAX_IDS {
                self.named.insert(id(&run));
            }
        }
        let mut rest = 0;
        for (at, _) in lower.match_indices("data:image/") {
            // One within another is none.
            if at < rest {
                continue;
            }
            let before = page.get(..at).and_then(|before| before.chars().next_back());
            let quote = before.filter(|c| matches!(c, '"' | '\''));
            let behind = page.get(at..).unwrap_or_default();
            let end = match quote {
                Some(quote) => behind.find(quote),
                None => behind.find(is_end),
            };
            let (url, _) = behind.split_at(end.unwrap_or(behind.len()));
            rest = at + url.len();
            self.hold(url);
        }
    }

    /// Counts a picture that stands in a page itself.
    fn hold(&mut self, url: &str) {
        let Some((head, body)) = url.split_once(',') else {
            return;
        };
        self.count += 1;
        if self.shown.len() >= MAX_NAMED {
            return;
        }
        let head = head.to_ascii_lowercase();
        let kind = head.split(';').next().unwrap_or_default();
        let kind = kind.strip_prefix("data:").unwrap_or(kind).trim().to_owned();
        let body: Vec<u8> = percent_encoding::percent_decode_str(body).collect();
        let file = if head.trim_end().ends_with("base64") {
            File::of(&decode(&body, Encoding::Base64).bytes, None, kind)
        } else {
            File::of(&body, None, kind)
        };
        self.shown.push(file);
    }
}

impl Mail {
    /// Tells pictures that no page of the message shows from those that one does: they are files like others.
    pub(super) fn settle_pictures(&mut self) {
        for picture in std::mem::take(&mut self.pictures.waiting) {
            if self.pictures.named.contains(&picture.id) {
                self.pictures.count += 1;
                if self.pictures.shown.len() < MAX_NAMED {
                    self.pictures.shown.push(picture.file);
                }
            } else if picture.is_broken {
                let fact = picture.file.fact;
                self.refuse_as(&fact.name.unwrap_or(fact.content_type), BROKEN);
            } else {
                self.files.push(picture.file);
            }
        }
    }
}

/// Brings a Content-ID into one form, from its header or from a link.
pub(super) fn id(text: &str) -> String {
    let plain = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    plain.trim().trim_matches(['<', '>']).trim().to_ascii_lowercase()
}

/// Tells where a link in a page ends.
fn is_end(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | ')' | '`')
}
