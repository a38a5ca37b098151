//! Rows of the audit as they lie in the file: what they tell, with a place for the hashes of a chain.

/// The form of the rows that are written; the first byte of each.
const FORM: u8 = 1;
/// Says in a row's second byte that the hash of the row before follows.
const HAS_PREVIOUS: u8 = 1;
/// Says in a row's second byte that the row's own hash follows.
const HAS_OWN: u8 = 2;

/// Is a SHA-256.
pub(super) type Hash = [u8; 32];

/// Is an audit row as it lies in the file: its form, which hashes follow, the hashes, and the row as JSON.
///
/// The hashes are places that the writer leaves empty. They are there so that a chain of hashes, which shows that a row was
/// removed or changed, needs no other layout: rows with and without hashes can lie side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AuditRow<'a> {
    /// The hash of the row that was written before.
    pub(super) previous: Option<&'a Hash>,
    /// The row's own hash.
    pub(super) own: Option<&'a Hash>,
    /// What the row tells.
    pub(super) json: &'a [u8],
}

impl<'a> AuditRow<'a> {
    /// Makes a row without hashes.
    pub(super) fn of(json: &'a [u8]) -> Self {
        Self {
            previous: None,
            own: None,
            json,
        }
    }

    /// Writes the row as it lies in the file.
    pub(super) fn stored(&self) -> Vec<u8> {
        let places = [(self.previous, HAS_PREVIOUS), (self.own, HAS_OWN)];
        let hashes = places
            .iter()
            .filter_map(|(hash, flag)| Some((hash.as_ref()?, flag)));
        let mut bytes = Vec::with_capacity(2 + 2 * size_of::<Hash>() + self.json.len());
        bytes.extend([FORM, hashes.clone().map(|(_, flag)| flag).sum()]);
        for (hash, _) in hashes {
            bytes.extend_from_slice(*hash);
        }
        bytes.extend_from_slice(self.json);
        bytes
    }

    /// Reads a row; `None` where it has another form.
    pub(super) fn read(stored: &'a [u8]) -> Option<Self> {
        let (&[form, flags], mut rest) = stored.split_first_chunk::<2>()?;
        if form != FORM || flags & !(HAS_PREVIOUS | HAS_OWN) != 0 {
            return None;
        }
        let mut take = |flag| {
            if flags & flag == 0 {
                return Some(None);
            }
            let (hash, after) = rest.split_first_chunk::<{ size_of::<Hash>() }>()?;
            rest = after;
            Some(Some(hash))
        };
        let (previous, own) = (take(HAS_PREVIOUS)?, take(HAS_OWN)?);
        Some(Self {
            previous,
            own,
            json: rest,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_they_were_written_with_and_without_hashes() {
        let (previous, own) = ([1; 32], [2; 32]);
        for previous in [None, Some(&previous)] {
            for own in [None, Some(&own)] {
                let row = AuditRow {
                    previous,
                    own,
                    json: br#"{"client":"analyst"}"#,
                };
                let stored = row.stored();
                assert_eq!(AuditRow::read(&stored), Some(row));
                let hashes = [previous, own].iter().flatten().count();
                assert_eq!(stored.len(), 2 + 32 * hashes + row.json.len());
            }
        }
        assert_eq!(AuditRow::of(b"{}").stored(), b"\x01\x00{}");
    }

    #[test]
    fn what_is_no_row_is_not_read() {
        for stored in [
            &b""[..],
            b"\x01",
            b"\x02\x00{}",
            b"\x01\x04{}",
            b"\x01\x01{}",
            b"{}",
        ] {
            assert_eq!(AuditRow::read(stored), None, "{stored:?}");
        }
    }
}
