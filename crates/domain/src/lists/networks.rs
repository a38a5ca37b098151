//! Finds the networks around an address, in a time that does not grow with the lists.
//!
//! A look-up asks a hash table once for each length of prefix that some list uses, and not at all where no network shares
//! the first bits of the address, which holds for most addresses.

use std::hash::BuildHasher;
use std::net::IpAddr;

use hashbrown::{DefaultHashBuilder, HashTable};
use ipnet::IpNet;

use super::index::ListId;

/// How many bits of an address are tried first.
const LEADING: u32 = 16;

/// Holds networks, each with the lists that it stands on.
#[derive(Clone, Default)]
pub(super) struct Networks {
    /// Seeded by chance. Only lists add networks, so that no client can choose which of them collide.
    hasher: DefaultHashBuilder,
    v4: Family,
    v6: Family,
}

/// Is a network on a list. Its bits are the highest of the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    bits: u128,
    length: u8,
    list: ListId,
}

/// Holds those of one family of addresses.
#[derive(Clone, Default)]
struct Family {
    entries: HashTable<Entry>,
    /// The lengths of prefix in use, longest first.
    lengths: Vec<u8>,
    /// A bit for each value of an address's first bits that some network has.
    leading: Vec<u64>,
}

impl Networks {
    /// Adds a network, or an address as a network of one.
    pub(super) fn add(&mut self, network: IpNet, list: ListId) {
        let entry = Entry {
            bits: bits(network.network()),
            length: network.prefix_len(),
            list,
        };
        let hasher = &self.hasher;
        let hash = |entry: &Entry| hasher.hash_one((entry.bits, entry.length));
        let family = if network.addr().is_ipv4() {
            &mut self.v4
        } else {
            &mut self.v6
        };
        let at = hash(&entry);
        if family.entries.find(at, |known| *known == entry).is_some() {
            return;
        }
        family.entries.insert_unique(at, entry, hash);
        family.note(&entry);
    }

    /// Walks the networks around an address with their lists, the narrowest first.
    pub(super) fn around(&self, address: IpAddr) -> impl Iterator<Item = (IpNet, ListId)> + use<'_> {
        let family = if address.is_ipv4() { &self.v4 } else { &self.v6 };
        let whole = bits(address);
        let lengths = if family.may_hold(whole) {
            family.lengths.as_slice()
        } else {
            &[]
        };
        lengths.iter().flat_map(move |&length| {
            let bits = whole & mask(length);
            let hash = self.hasher.hash_one((bits, length));
            let found = family.entries.iter_hash(hash);
            let found = found.filter(move |entry| entry.bits == bits && entry.length == length);
            found.filter_map(move |entry| Some((IpNet::new(address, length).ok()?.trunc(), entry.list)))
        })
    }
}

impl Family {
    /// Notes the length and the first bits of a network.
    fn note(&mut self, entry: &Entry) {
        if let Err(at) = self.lengths.binary_search_by(|known| entry.length.cmp(known)) {
            self.lengths.insert(at, entry.length);
        }
        self.leading.resize(1 << (LEADING - u64::BITS.ilog2()), 0);
        let first = leading(entry.bits);
        let last = leading(entry.bits | !mask(entry.length));
        for value in first..=last {
            if let Some(word) = self.leading.get_mut(value / 64) {
                *word |= 1 << (value % 64);
            }
        }
    }

    fn may_hold(&self, bits: u128) -> bool {
        let value = leading(bits);
        let word = self.leading.get(value / 64);
        word.is_some_and(|word| word >> (value % 64) & 1 == 1)
    }
}

/// Returns the bits of an address, the highest first.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn mask(length: u8) -> u128 {
    u128::MAX
        .checked_shl(u128::BITS - u32::from(length))
        .unwrap_or_default()
}

fn leading(bits: u128) -> usize {
    usize::try_from(bits >> (u128::BITS - LEADING)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address() -> impl Strategy<Value = IpAddr> {
        // A few first bytes, so that networks stand in each other.
        let byte = || prop::sample::select(vec![0u8, 1, 2, 128, 192, 255]);
        prop_oneof![
            [byte(), byte(), byte(), byte()].prop_map(IpAddr::from),
            ([byte(), byte(), byte(), byte()], any::<u8>()).prop_map(|(first, last)| {
                let mut octets = [0; 16];
                octets[..4].copy_from_slice(&first);
                octets[15] = last;
                IpAddr::from(octets)
            }),
        ]
    }

    proptest! {
        #[test]
        fn the_networks_around_an_address_are_those_that_contain_it(
            networks in prop::collection::vec((address(), 0u8..=128, 0..3u16), 0..40),
            asked in prop::collection::vec(address(), 1..20),
        ) {
            let networks: Vec<(IpNet, ListId)> = networks
                .into_iter()
                .map(|(address, length, list)| {
                    let max = if address.is_ipv4() { 32 } else { 128 };
                    (IpNet::new(address, length.min(max)).unwrap().trunc(), list)
                })
                .collect();
            let mut all = Networks::default();
            networks.iter().for_each(|(network, list)| all.add(*network, *list));
            for address in asked {
                let mut wanted: Vec<_> = networks.iter().copied().filter(|(network, _)| network.contains(&address)).collect();
                wanted.sort_unstable();
                wanted.dedup();
                let mut found: Vec<_> = all.around(address).collect();
                prop_assert!(found.is_sorted_by(|one, other| one.0.prefix_len() >= other.0.prefix_len()));
                found.sort_unstable();
                prop_assert_eq!(found, wanted);
            }
        }
    }
}
