//! Writes answers as they lie on disk, and reads them: JSON, packed where it is large. A large answer never stands in memory
//! as JSON.
//!
//! What is packed begins with a letter that no JSON begins with, and the length of the JSON.

use std::io::{BufReader, BufWriter, Read, Write};

use serde_json::Error;

use super::Entry;

/// Answers of this weight are packed.
const LARGE: usize = 256 << 10;
/// Stands before what is packed.
const PACKED: u8 = b'z';
/// How hard to try; more costs time and saves little.
const LEVEL: i32 = 3;
/// The most bytes of JSON that are read; a provider's answer has no more.
const MOST: u64 = 1 << 30;

/// Counts what it hands on.
struct CountingWriter<W> {
    inner: W,
    count: u64,
}

impl<W: Write> Write for CountingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.count += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// Writes an answer.
///
/// # Errors
/// That it cannot be written.
pub(super) fn write(entry: &Entry) -> Result<Vec<u8>, Error> {
    if entry.answer.weight() < LARGE {
        return serde_json::to_vec(entry);
    }
    let head = vec![PACKED; 1 + size_of::<u64>()];
    let packer = zstd::stream::write::Encoder::new(head, LEVEL).map_err(Error::io)?;
    let counted = CountingWriter {
        inner: packer,
        count: 0,
    };
    let mut buffered = BufWriter::with_capacity(64 << 10, counted);
    serde_json::to_writer(&mut buffered, entry)?;
    let counted = buffered
        .into_inner()
        .map_err(|error| Error::io(error.into_error()))?;
    let mut bytes = counted.inner.finish().map_err(Error::io)?;
    if let Some(length) = bytes.get_mut(1..1 + size_of::<u64>()) {
        length.copy_from_slice(&counted.count.to_le_bytes());
    }
    Ok(bytes)
}

/// Returns the packed part and the length of its JSON; `None` for what is not packed.
fn packed(bytes: &[u8]) -> Option<(&[u8], u64)> {
    let (length, rest) = bytes.strip_prefix(&[PACKED])?.split_first_chunk()?;
    Some((rest, u64::from_le_bytes(*length)))
}

/// Reads an answer.
///
/// # Errors
/// That it is none.
pub(in crate::engine) fn read(bytes: &[u8]) -> Result<Entry, Error> {
    match packed(bytes) {
        Some((rest, _)) => serde_json::from_reader(json(rest)?),
        None => serde_json::from_slice(bytes),
    }
}

fn json(packed: &[u8]) -> Result<impl Read, Error> {
    let unpacked = zstd::stream::read::Decoder::with_buffer(packed).map_err(Error::io)?;
    Ok(BufReader::with_capacity(64 << 10, unpacked.take(MOST)))
}

/// Returns how long an answer's JSON is.
pub(super) fn length(bytes: &[u8]) -> usize {
    packed(bytes).map_or(bytes.len(), |(_, length)| {
        usize::try_from(length).unwrap_or(usize::MAX)
    })
}

/// Tells whether an answer's JSON has a word in it.
pub(in crate::engine) fn says(bytes: &[u8], word: &[u8]) -> bool {
    let holds = |part: &[u8]| part.windows(word.len()).any(|window| window == word);
    let Some((rest, _)) = packed(bytes) else {
        return holds(bytes);
    };
    let Ok(mut json) = json(rest) else {
        return false;
    };
    let mut part = vec![0; 64 << 10];
    // What may be the beginning of the word is kept for the next part.
    let mut kept = 0;
    loop {
        let Some(free) = part.get_mut(kept..) else {
            return false;
        };
        let end = match json.read(free) {
            Ok(count @ 1..) => kept + count,
            Ok(0) | Err(_) => return false,
        };
        if part.get(..end).is_some_and(holds) {
            return true;
        }
        kept = end.min(word.len().saturating_sub(1));
        part.copy_within(end - kept..end, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::domain::{Answer, Capability, Indicator, IndicatorKind, Query, Record, Source};

    fn entry(count: usize, word: &str) -> Entry {
        let indicator = Indicator::parse(IndicatorKind::Domain, "example.com").unwrap();
        let records = (0..count).map(|at| {
            let address = format!("198.51.{}.{}", at / 256 % 256, at % 256);
            Record::new().with("ip", address).with("domain", "example.com")
        });
        let mut records: Vec<Record> = records.collect();
        records.push(Record::new().with("action", word));
        let source = Source {
            provider: "domaintools".to_owned(),
            product: "hosting-history".to_owned(),
            blind: None,
        };
        Entry {
            answer: Arc::new(Answer::whole(
                Query::new(Capability::IpHistory, indicator),
                records,
                source,
            )),
            retrieved_at: Timestamp::UNIX_EPOCH,
            fresh_until: Timestamp::UNIX_EPOCH,
            stale_until: Timestamp::UNIX_EPOCH,
            wanted: 3,
            version: 0,
        }
    }

    #[test]
    fn an_answer_is_read_as_it_was_written_and_a_large_one_is_packed() {
        for count in [0, 10, 10_000] {
            let entry = entry(count, "sinkhole");
            let json = serde_json::to_vec(&entry).unwrap();
            let bytes = write(&entry).unwrap();
            let read = read(&bytes).unwrap();
            assert_eq!(read.answer, entry.answer);
            assert_eq!(read.wanted, 3);
            assert_eq!(length(&bytes), json.len());
            if count < 1000 {
                assert_eq!(bytes, json);
            } else {
                assert!(bytes.len() * 5 < json.len(), "{} of {}", bytes.len(), json.len());
            }
        }
    }

    #[test]
    fn a_word_is_found_wherever_it_stands() {
        for count in [0, 9_000, 9_001, 9_002, 9_003, 9_004, 9_005, 9_006] {
            let bytes = write(&entry(count, "a Sinkhole of nobody")).unwrap();
            assert!(says(&bytes, b"inkhole"), "{count}");
            assert!(!says(&bytes, b"inkholes"), "{count}");
        }
    }

    #[test]
    fn what_is_damaged_is_no_answer() {
        let bytes = write(&entry(10_000, "x")).unwrap();
        assert!(read(bytes.get(..bytes.len() / 2).unwrap()).is_err());
        assert!(read(b"z").is_err() && read(b"z12345678").is_err() && read(b"").is_err());
        assert!(!says(b"z12345678", b"x"));
    }
}
