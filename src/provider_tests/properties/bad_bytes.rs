//! Demands of every provider that bytes that are no UTF-8, and a byte order mark, cost no row.

use std::collections::BTreeSet;

use serde_json::json;

use super::{FOUND, Found, Place, Played, Providers};
use crate::domain::Answer;
use crate::providers::{Origin, ProviderError, Reply};

/// Stands where a byte that is none of UTF-8 comes; no fixture has it.
const HERE: &str = "\u{e000}";
/// What is read in its place.
const LOST: &str = "\u{fffd}";
/// A letter of Latin-1, a byte that no encoding of Unicode has, and the first of a character that is cut off.
const BYTES: [u8; 3] = [0xe9, 0xff, 0xc3];
/// In how many texts of a reply it is tried: the first one, the last one and some between.
const TRIED: usize = 5;

/// Makes the reply with a text that ends in a byte that is no UTF-8.
fn broken(played: &Played, place: &Place, byte: u8) -> Reply {
    let marked = with_end(played, place, HERE);
    let at = marked
        .body
        .windows(HERE.len())
        .position(|window| window == HERE.as_bytes())
        .unwrap();
    let (before, after) = marked.body.split_at(at);
    let after = &after[HERE.len()..];
    Reply {
        body: [before, &[byte], after].concat().into(),
        ..marked
    }
}

fn with_end(played: &Played, place: &Place, end: &str) -> Reply {
    let text = played.lines[place.line].pointer(&place.pointer).unwrap();
    let text = text.as_str().unwrap();
    played.with(place, &json!(format!("{text}{end}")))
}

/// Says what an answer holds: its records and what is missing, or the error.
fn told(answer: &Result<Answer, ProviderError>) -> String {
    match answer {
        Ok(answer) => format!("{:?} {:?} {:?}", answer.records, answer.missing, answer.left_out),
        Err(error) => format!("{error:?}"),
    }
}

fn tried(played: &Played) -> impl Iterator<Item = &Place> {
    let step = played.texts.len().div_ceil(TRIED).max(1);
    let last = played.texts.last().filter(|_| step > 1);
    played.texts.iter().step_by(step).chain(last)
}

fn faults(found: &Found, at: usize, faults: &mut Vec<String>) {
    for (which, played) in found.replies.iter().enumerate() {
        let whole = told(&found.again(played, &played.reply));
        let marked = Reply {
            body: [&b"\xef\xbb\xbf"[..], &played.reply.body[..]].concat().into(),
            ..played.reply.clone()
        };
        let with_mark = told(&found.again(played, &marked));
        if with_mark != whole {
            faults.push(format!("{}, reply {which}, BOM: {with_mark}", found.name()));
        }
        for (turn, place) in tried(played).enumerate() {
            let byte = BYTES[(at + turn) % BYTES.len()];
            let answer = found.again(played, &broken(played, place, byte));
            let fault = found.fault(&answer, place.beside);
            // The byte costs what a character that was lost already costs, and no more.
            let lost = found.again(played, &with_end(played, place, LOST));
            let differs = (told(&answer) != told(&lost)).then(|| "it is no lost character".to_owned());
            for fault in fault.into_iter().chain(differs) {
                faults.push(format!(
                    "{}, reply {which}, {byte:#x} in {}: {fault}",
                    found.name(),
                    place.pointer
                ));
            }
        }
    }
}

#[test]
fn bytes_that_are_no_utf_8_and_a_byte_order_mark_cost_no_row() {
    let mut found_out = Vec::new();
    let mut providers = BTreeSet::new();
    for (at, found) in FOUND.iter().enumerate() {
        providers.insert(found.provider.descriptor().name.clone());
        faults(found, at, &mut found_out);
    }
    assert!(found_out.is_empty(), "{found_out:#?}");
    // Whatever provider comes to the Providers is tried, unless it is asked over DNS.
    let known = Providers::built_in();
    let asked: BTreeSet<_> = known
        .descriptors()
        .filter(|descriptor| !descriptor.origins.iter().any(Origin::is_dns))
        .map(|descriptor| descriptor.name.clone())
        .collect();
    assert_eq!(providers, asked);
}
