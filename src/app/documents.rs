//! Documents that are made from the configuration and served as they are: made once for each configuration, packed once for each
//! coding.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, OnceLock};

use actix_web::web::Bytes;
use arc_swap::ArcSwap;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::hex::hex;

/// The most documents that are kept: clients of different capabilities have documents of their own.
const MOST: usize = 64;
/// The bytes of a digest by which documents are told apart.
const TAG: usize = 16;
/// Packs well for its time, as documents are packed once.
const ZSTD_LEVEL: i32 = 9;

/// Is a document with its packed forms.
#[derive(Debug)]
pub struct Document {
    /// The document.
    pub body: Bytes,
    /// Tells it from others, in quotes.
    pub tag: String,
    gzip: OnceLock<Option<Bytes>>,
    zstd: OnceLock<Option<Bytes>>,
}

impl Document {
    /// Holds a document.
    #[must_use]
    pub fn new(body: Vec<u8>) -> Self {
        let digest = Sha256::digest(&body);
        // It holds for the packed forms, too.
        let tag = format!("W/\"{}\"", hex(digest.get(..TAG).unwrap_or_default()));
        Self {
            body: body.into(),
            tag,
            gzip: OnceLock::new(),
            zstd: OnceLock::new(),
        }
    }

    /// Returns it packed by gzip.
    #[must_use]
    pub fn gzip(&self) -> Option<Bytes> {
        self.gzip
            .get_or_init(|| gzip(&self.body, Compression::default()))
            .clone()
    }

    /// Returns it packed by Zstandard.
    #[must_use]
    pub fn zstd(&self) -> Option<Bytes> {
        self.zstd.get_or_init(|| zstd(&self.body, ZSTD_LEVEL)).clone()
    }
}

/// Packs bytes by gzip; `None` where they cannot be packed.
#[must_use]
pub fn gzip(body: &[u8], level: Compression) -> Option<Bytes> {
    let mut packer = GzEncoder::new(Vec::with_capacity(body.len() / 4), level);
    packer.write_all(body).ok()?;
    packer.finish().ok().map(Bytes::from)
}

/// Packs bytes by Zstandard; `None` where they cannot be packed.
#[must_use]
pub fn zstd(body: &[u8], level: i32) -> Option<Bytes> {
    zstd::bulk::compress(body, level).ok().map(Bytes::from)
}

/// Holds the documents of the configuration at work.
#[derive(Debug, Default)]
pub struct Documents(ArcSwap<Kept>);

/// Is the documents of one generation of the configuration, by what they are.
type Kept = (u64, HashMap<String, Arc<Document>>);

impl Documents {
    /// Returns the document of a generation of the configuration, which is made where it is not kept.
    pub fn get(&self, generation: u64, key: &str, make: impl FnOnce() -> Vec<u8>) -> Arc<Document> {
        let kept = self.0.load();
        if kept.0 == generation
            && let Some(document) = kept.1.get(key)
        {
            return Arc::clone(document);
        }
        let document = Arc::new(Document::new(make()));
        // Where two make one at once, one of them is made again later.
        let mut documents = match kept.0 == generation && kept.1.len() < MOST {
            true => kept.1.clone(),
            false => HashMap::new(),
        };
        documents.insert(key.to_owned(), Arc::clone(&document));
        self.0.store(Arc::new((generation, documents)));
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_made_once_for_a_configuration() {
        let documents = Documents::default();
        let made = std::cell::Cell::new(0);
        let get = |generation, key: &str| {
            documents.get(generation, key, || {
                made.set(made.get() + 1);
                format!("{generation} {key}").into_bytes()
            })
        };
        let first = get(1, "a");
        assert_eq!((get(1, "a").tag.clone(), made.get()), (first.tag.clone(), 1));
        assert_ne!(get(1, "b").tag, first.tag);
        assert_eq!((&*get(2, "a").body, made.get()), (&b"2 a"[..], 3));
        for number in 0..3 * MOST {
            get(2, &number.to_string());
        }
        assert!(documents.0.load().1.len() <= MOST);
    }

    #[test]
    fn packed_forms_hold_the_same() {
        let document = Document::new(b"[1,2,3]".repeat(100));
        let mut unpacked = Vec::new();
        let packed = document.gzip().unwrap();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*packed), &mut unpacked).unwrap();
        assert_eq!(unpacked, document.body);
        let packed = document.zstd().unwrap();
        assert!(packed.len() < document.body.len());
        assert_eq!(zstd::bulk::decompress(&packed, 1 << 20).unwrap(), document.body);
    }
}
