//! Decisions and replies as they lie in the store: JSON, compressed, since most of it is the same words over and over.

use std::io::Read;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// How hard to try; more costs time and saves little.
const LEVEL: i32 = 3;
/// The most that a value unpacks to. A decision of twenty indicators takes a hundredth of it, a reply of a thousand a tenth.
const MOST: u64 = 32 << 20;

/// Packs a value.
pub(super) fn pack<T: Serialize>(value: &T) -> Vec<u8> {
    let json = serde_json::to_vec(value).unwrap_or_default();
    zstd::bulk::compress(&json, LEVEL).unwrap_or(json)
}

/// Begins a decision before which stands whose it is.
const OWNED: u8 = 1;
const LONG: usize = size_of::<u64>();

/// Says whose a decision is, and when it was last made, so that it need not be unpacked for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DecisionOwner {
    pub(super) client: u64,
    pub(super) made_us: i64,
}

/// Packs a decision with whose it is.
pub(super) fn pack_owned<T: Serialize>(owned: DecisionOwner, value: &T) -> Vec<u8> {
    let mut bytes = vec![OWNED];
    bytes.extend(owned.client.to_be_bytes());
    bytes.extend(owned.made_us.to_be_bytes());
    bytes.extend(pack(value));
    bytes
}

/// Takes a stored decision apart: whose it is, if that stands before it, and the packed decision.
pub(super) fn apart(bytes: &[u8]) -> (Option<DecisionOwner>, &[u8]) {
    let read = || {
        let rest = bytes.strip_prefix(&[OWNED])?;
        let (client, rest) = rest.split_first_chunk::<LONG>()?;
        let (made, rest) = rest.split_first_chunk::<LONG>()?;
        let owned = DecisionOwner {
            client: u64::from_be_bytes(*client),
            made_us: i64::from_be_bytes(*made),
        };
        Some((owned, rest))
    };
    read().map_or((None, bytes), |(owned, rest)| (Some(owned), rest))
}

/// Unpacks a decision, whether it stands there whose it is or not.
pub(super) fn unpack_owned<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    unpack(apart(bytes).1)
}

/// Unpacks a value; one that earlier versions wrote is JSON as it is. `None` for what is no such value.
pub(super) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    if bytes.starts_with(b"{") {
        return serde_json::from_slice(bytes).ok();
    }
    let mut json = Vec::new();
    let frames = zstd::stream::read::Decoder::with_buffer(bytes).ok()?;
    frames.take(MOST).read_to_end(&mut json).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::super::KeptDecision;
    use super::*;

    fn decision() -> KeptDecision {
        let said = serde_json::json!({"source": "domaintools", "status": "ok", "reasons": ["risk 87"]});
        serde_json::from_value(serde_json::json!({
            "decision_id": "0f7b4c6e-0000-8000-8000-000000000000",
            "decided_at": "2026-11-20T08:00:00Z",
            "last_decided_at": "2026-11-21T08:00:00Z",
            "client": "soar",
            "policy_version": "1",
            "evidence_digests": [["ab"]],
            "answer": {"indicators": vec![said; 20]},
        }))
        .unwrap()
    }

    #[test]
    fn a_decision_is_smaller_packed_and_the_same_unpacked() {
        let json = serde_json::to_vec(&decision()).unwrap();
        let packed = pack(&decision());
        assert!(
            packed.len() * 3 < json.len(),
            "{} of {}",
            packed.len(),
            json.len()
        );
        assert_eq!(unpack(&packed), Some(decision()));
    }

    #[test]
    fn a_decision_is_read_with_whose_it_is_and_without() {
        let owned = DecisionOwner {
            client: u64::MAX - 1,
            made_us: -7,
        };
        let bytes = pack_owned(owned, &decision());
        assert_eq!(apart(&bytes).0, Some(owned));
        assert_eq!(unpack_owned(&bytes), Some(decision()));
        let before = pack(&decision());
        assert_eq!(
            (apart(&before).0, unpack_owned(&before)),
            (None, Some(decision()))
        );
        assert_eq!(unpack_owned::<KeptDecision>(&[OWNED, 0]), None);
    }

    #[test]
    fn a_decision_of_an_earlier_version_is_read_and_nothing_else() {
        let json = serde_json::to_vec(&decision()).unwrap();
        assert_eq!(unpack(&json), Some(decision()));
        let mut broken = pack(&decision());
        broken.truncate(broken.len() / 2);
        for bytes in [&b""[..], b"{", b"no decision", &broken] {
            assert_eq!(unpack::<KeptDecision>(bytes), None);
        }
    }
}
