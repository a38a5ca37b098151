//! Reads the vendor's stream of lines (Streaming API Framing).
//!
//! A line is `{"cond": …, "obj": …, "msg": …}`; without a condition it is one of many. `succeeded` and `limited` end the
//! stream well, `failed` ends it badly, and a stream that ends without any of them was cut off. Every line can carry a
//! row, the last one too.

use crate::Reply;
use crate::kit::cof;
use crate::kit::json::Json;
use crate::kit::tolerant::{Node, clean};

/// Says how a stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StreamEnd {
    /// All rows came.
    Succeeded,
    /// More rows exist than were asked for, or than the key is given.
    Limited(Option<String>),
    /// The vendor gave up.
    Failed(Option<String>),
    /// The stream broke off.
    Cut,
}

/// Holds the rows of a stream, and how it ended.
#[derive(Debug)]
pub(super) struct Stream {
    /// The lines that hold a row.
    lines: Vec<Json>,
    /// How many lines or rows could not be read.
    pub(super) unread: usize,
    pub(super) end: StreamEnd,
}

impl Stream {
    /// Walks the rows.
    pub(super) fn rows(&self) -> impl ExactSizeIterator<Item = Node<'_>> {
        self.lines.iter().map(|line| Node::of(line).get("obj"))
    }
}

/// Reads a stream; what follows on its end is not read.
pub(super) fn read(reply: &Reply) -> Stream {
    let mut kept = Vec::new();
    let lines = cof::lines(reply);
    let mut unread = lines.unread;
    for line in lines.objects {
        let node = Node::of(&line);
        let cond = node.get("cond").text().unwrap_or_default().to_lowercase();
        let message = node.get("msg").text().map(|text| clean(&text));
        if node.get("obj").is_object() {
            kept.push(line);
        } else if node.get("obj").exists() || cond.is_empty() {
            unread += 1;
        }
        let end = match cond.as_str() {
            "succeeded" => StreamEnd::Succeeded,
            "limited" => StreamEnd::Limited(message),
            "failed" => StreamEnd::Failed(message),
            _ => continue,
        };
        return Stream {
            lines: kept,
            unread,
            end,
        };
    }
    Stream {
        lines: kept,
        unread,
        end: StreamEnd::Cut,
    }
}

/// Tells whether a reply is a stream: any line of it has the frame of one.
pub(super) fn is_one(reply: &Reply) -> bool {
    cof::lines(reply).objects.iter().any(|line| {
        let node = Node::of(line);
        ["cond", "obj"].iter().any(|name| node.get(name).exists())
    })
}
