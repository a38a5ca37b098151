//! Knows what many people know of names, addresses, mailboxes and files, by lists: one's own, popular, shared, idle.
//!
//! The built-in lists are small; the suffix list's private section says more, and the administrator's files say the
//! rest. Whatever is said of a value, it is told which list says so, and by which entry.

mod built_in;
mod dynamic_dns;
mod file;
mod index;
mod networks;
mod purpose;
mod sites;
#[cfg(test)]
mod tests;
mod zone;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use sha2::{Digest, Sha256};

pub use file::ListSummary;
use index::{Index, IndexHit, ListId, suffixes};
use networks::Networks;
pub use purpose::{ListClass, Purpose};
pub use sites::may_be_of_strangers;
pub(crate) use sites::site;
pub use zone::{Zone, ZoneKind};

use super::indicator::{Indicator, IndicatorKind};

/// Says that the built-in list says so.
const BUILT_IN: &str = "pivotd's built-in list";
/// Says that the suffix list says so.
const SUFFIX_LIST: &str = "Public Suffix List, private section";

/// Tells of one list that an indicator stands on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// What the list is for.
    pub purpose: Purpose,
    /// Whose list it is, for people: its own name, else its file's.
    pub list: Arc<str>,
    /// The entry that matched, in canonical form: a name, a network, an address for mail or a hash.
    pub entry: String,
}

impl Hit {
    /// Tells whether the Public Suffix List says so: of a name below a suffix, which one customer has for its own.
    #[must_use]
    pub fn is_of_suffix(&self) -> bool {
        &*self.list == SUFFIX_LIST
    }
}

/// Names a list; several files may go by one name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct List {
    purpose: Purpose,
    name: Arc<str>,
}

impl List {
    fn is_built_in(&self) -> bool {
        *self.name == *BUILT_IN
    }
}

/// Holds all lists.
#[derive(Clone, Default)]
pub struct Lists {
    lists: Vec<List>,
    index: Index,
    networks: Networks,
    /// Those of sinkholes alone: they are asked for with every address of an answer.
    sinkholes: Networks,
    /// A digest of the files that were added.
    mark: [u8; 32],
}

impl fmt::Debug for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // There may be a million entries.
        f.debug_list().entries(&self.lists).finish()
    }
}

impl Lists {
    /// Holds what is built in.
    #[must_use]
    pub fn built_in() -> Self {
        Self::built_in_of(&Purpose::ALL)
    }

    /// Holds what is built in for some purposes.
    #[must_use]
    pub fn built_in_of(purposes: &[Purpose]) -> Self {
        let mut lists = Self::default();
        for purpose in purposes {
            built_in::add(&mut lists, *purpose);
        }
        lists.index.shrink();
        lists
    }

    /// Adds a list: one entry a line with `#` comments, `rank,name` lines, or JSON in the format of the MISP warning
    /// lists. `source` says whose it is, unless the list has a name of its own. Odd entries are skipped and told.
    ///
    /// # Errors
    /// The line, from 1, and what is wrong with it, where the text is no list or more than a tenth of its entries are odd.
    /// Those that could be read have been added.
    pub fn add(
        &mut self,
        purpose: Purpose,
        text: &str,
        source: &str,
    ) -> Result<ListSummary, (usize, String)> {
        let mut digest = Sha256::new_with_prefix(self.mark);
        digest.update(purpose.key());
        digest.update(text);
        self.mark = digest.finalize().into();
        let added = file::add(self, purpose, text, source);
        self.index.shrink();
        added
    }

    /// Returns a digest of the files that were added, by which it can be told whether one changed.
    #[must_use]
    pub fn mark(&self) -> &[u8; 32] {
        &self.mark
    }

    /// Adds one entry, written as in a list file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn add_entry(&mut self, purpose: Purpose, entry: &str, source: &str) -> Result<(), String> {
        let list = self.list(purpose, source)?;
        file::entry(self, list, purpose, None, entry).map_err(file::Fault::reason)
    }

    /// Adds a network to a list.
    fn add_network(&mut self, network: IpNet, purpose: Purpose, list: ListId) {
        self.networks.add(network, list);
        if purpose == Purpose::Sinkhole {
            self.sinkholes.add(network, list);
        }
    }

    /// Finds or makes a list.
    fn list(&mut self, purpose: Purpose, name: &str) -> Result<ListId, String> {
        let known = |list: &List| list.purpose == purpose && list.name.as_ref() == name;
        let at = self.lists.iter().position(known).unwrap_or(self.lists.len());
        let id = ListId::try_from(at).map_err(|_| "there are too many lists".to_owned())?;
        if at == self.lists.len() {
            let name = name.into();
            self.lists.push(List { purpose, name });
        }
        Ok(id)
    }

    /// Finds every list that an indicator stands on, in the order of purposes, lists and entries.
    ///
    /// Asks for names, addresses, URLs (by their host), hashes, and addresses for mail: by themselves, and by their
    /// domain where that tells of mailboxes. Other kinds stand on no list.
    #[must_use]
    pub fn hits(&self, indicator: &Indicator) -> Vec<Hit> {
        let mut hits = Vec::new();
        match indicator.kind() {
            IndicatorKind::Domain | IndicatorKind::Hostname => self.name_hits(indicator.value(), &mut hits),
            IndicatorKind::Ipv4 | IndicatorKind::Ipv6 | IndicatorKind::Url => match indicator.ip() {
                Some(address) => self.address_hits(address, &mut hits),
                None => {
                    let host = indicator.host();
                    host.iter().for_each(|host| self.name_hits(host, &mut hits));
                }
            },
            IndicatorKind::Email => {
                let host = indicator.host();
                host.iter().for_each(|host| self.name_hits(host, &mut hits));
                hits.retain(|hit| hit.purpose.speaks_of_mailboxes());
                self.key_hits(&indicator.value().to_ascii_lowercase(), &mut hits);
            }
            IndicatorKind::Hash => self.key_hits(indicator.value(), &mut hits),
            _ => {}
        }
        hits.sort_unstable();
        hits.dedup();
        hits
    }

    fn name_hits(&self, name: &str, hits: &mut Vec<Hit>) {
        for entry in suffixes(name) {
            for found in self.index.at(entry) {
                if let Some(list) = self.lists.get(usize::from(found.list))
                    && self.reaches(list.purpose, found, entry, name)
                    && !self.is_overruled(list, name)
                {
                    hits.push(hit(list, entry));
                }
            }
        }
        // What is no registry's and of no dynamic DNS service is hosting there.
        if let Some(suffix) = zone::private_suffix(name)
            && self.hosting(name).is_some()
        {
            hits.push(Hit {
                purpose: Purpose::SharedHosting,
                list: SUFFIX_LIST.into(),
                entry: suffix.to_owned(),
            });
        }
    }

    fn address_hits(&self, address: IpAddr, hits: &mut Vec<Hit>) {
        for (network, list) in self.networks.around(address.to_canonical()) {
            let list = self.lists.get(usize::from(list));
            hits.extend(list.map(|list| hit(list, &shown(network))));
        }
    }

    fn key_hits(&self, key: &str, hits: &mut Vec<Hit>) {
        for found in self.index.at(key) {
            let list = self.lists.get(usize::from(found.list));
            hits.extend(list.map(|list| hit(list, key)));
        }
    }

    /// Tells whether an entry means a name that it is, or that stands below it.
    fn reaches(&self, purpose: Purpose, found: IndexHit, entry: &str, name: &str) -> bool {
        if purpose == Purpose::Registry {
            return false;
        }
        if entry.len() == name.len() {
            // The zone itself is its provider's.
            return purpose != Purpose::DynamicDns;
        }
        !found.exact
            && match purpose {
                Purpose::FreeMail => false,
                // That everybody visits a host says nothing of what its customers put there. Top lists are counted,
                // not chosen: they hold suffixes of registries, too.
                Purpose::Popular => suffix_len(name) < entry.len() && self.zone(name).is_none(),
                _ => true,
            }
    }

    /// Says who calls a canonical address or name server a sinkhole.
    #[must_use]
    pub fn sinkhole(&self, value: &str) -> Option<&str> {
        let Ok(address) = value.parse::<IpAddr>() else {
            return self.nearest_name(Purpose::Sinkhole, value);
        };
        let mut around = self.sinkholes.around(address.to_canonical());
        let (narrowest, list) = around.next()?;
        let others = around.take_while(|(network, _)| *network == narrowest);
        let lists = std::iter::once(list).chain(others.map(|(_, list)| list));
        lists.filter_map(|list| self.named(Purpose::Sinkhole, list)).min()
    }

    /// Names the list of a purpose that holds a name, or the nearest one above it.
    fn nearest_name(&self, purpose: Purpose, name: &str) -> Option<&str> {
        suffixes(name).find_map(|entry| {
            let found = self.index.at(entry);
            found.filter_map(|found| self.named(purpose, found.list)).min()
        })
    }

    /// Names a list if it has this purpose.
    fn named(&self, purpose: Purpose, list: ListId) -> Option<&str> {
        let list = self.lists.get(usize::from(list))?;
        (list.purpose == purpose).then_some(list.name.as_ref())
    }
}

fn hit(list: &List, entry: &str) -> Hit {
    Hit {
        purpose: list.purpose,
        list: Arc::clone(&list.name),
        entry: entry.to_owned(),
    }
}

/// Writes a network as people do: one of a single address as that address.
fn shown(network: IpNet) -> String {
    if network.prefix_len() == network.max_prefix_len() {
        network.addr().to_string()
    } else {
        network.to_string()
    }
}

/// Measures the public suffix of a name, of either section.
fn suffix_len(name: &str) -> usize {
    psl::suffix(name.as_bytes()).map_or(0, |suffix| suffix.as_bytes().len())
}
