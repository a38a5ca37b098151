//! Takes over a changed configuration while the server runs, and says what changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::PoisonError;

use serde::{Deserialize, Serialize};

use super::App;
use super::preflight::Preflight;
use super::source::Source;
use crate::app::state::values;
use crate::config::{DEFAULT_NAME, Loaded};
use crate::engine::keyring::Keyring;
use crate::storage::redb::Opening;

/// Settings that are taken over at the next start, and all below them.
const AT_START: [&str; 13] = [
    "server.listen",
    "server.data",
    "server.tls",
    "server.workers",
    "server.connections",
    "server.client_timeout",
    "server.patience",
    "server.bodies",
    "server.answers",
    "server.wrong_tokens",
    "server.working_memory",
    "log",
    "cache",
];
/// So many names are written into one line of the log.
const NAMED: usize = 20;

/// Says what a reload came to, by names of settings: a value may be a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// What changed and holds from now on.
    pub changed: Vec<String>,
    /// What is another than at the start and is taken over at the next one.
    pub at_next_start: Vec<String>,
    /// What is doubtful.
    pub warnings: Vec<String>,
    /// The file that was read; the compiled-in one where there is none.
    #[serde(default)]
    pub file: Option<PathBuf>,
}

/// Writes names in one line.
fn listed(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let first = names.get(..names.len() - more).unwrap_or_default().join(", ");
    match (names.is_empty(), more) {
        (true, _) => "nothing".to_owned(),
        (false, 0) => first,
        (false, more) => format!("{first} and {more} more"),
    }
}

fn is_at_start(path: &str) -> bool {
    let is_below = |rest: &str| rest.is_empty() || rest.starts_with('.');
    AT_START
        .iter()
        .any(|known| path.strip_prefix(known).is_some_and(is_below))
}

/// Returns the values that hold from start to end.
pub(super) fn started(loaded: &Loaded) -> BTreeMap<String, String> {
    let held = loaded.origins.iter().filter(|one| is_at_start(&one.path));
    held.map(|one| (one.path.clone(), one.value.clone())).collect()
}

/// Lists the paths whose values differ.
fn differing(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> BTreeSet<String> {
    let paths = old.keys().chain(new.keys());
    paths
        .filter(|path| old.get(*path) != new.get(*path))
        .cloned()
        .collect()
}

impl App {
    /// Reads the configuration again where the server reads it, and takes it over whole or leaves the old one running. Says
    /// in the log what came of it.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn reload_source(&self) -> Result<Reloaded, String> {
        let source = self.source.as_ref();
        let source = source.ok_or("this process reads no configuration that could be reloaded")?;
        // One after the other, so that each says what it changed itself.
        let _turn = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let unopened = self.log.as_ref().and_then(|log| log.reopen().err());
        let unopened = unopened.map(|error| format!("the log goes on in the file that it has: {error}"));
        let reloaded = source
            .load(&self.providers.current())
            .map_err(|errors| errors.to_string())
            .and_then(|loaded| self.take_over(loaded))
            .map(|mut reloaded| {
                reloaded.warnings.extend(unopened.clone());
                reloaded
            });
        match &reloaded {
            Ok(Reloaded {
                changed,
                at_next_start,
                warnings,
                file,
            }) => {
                for warning in warnings {
                    tracing::warn!(%warning, "the new configuration is doubtful");
                }
                let (changed, at_next_start) = (listed(changed), listed(at_next_start));
                let transforms = self.configured.load().catalogue.listed().len();
                let file = file
                    .as_ref()
                    .map_or_else(|| DEFAULT_NAME.to_owned(), |file| file.display().to_string());
                tracing::info!(
                    changed,
                    at_next_start,
                    transforms,
                    file,
                    "the configuration was reloaded"
                );
            }
            Err(error) => {
                if let Some(warning) = &unopened {
                    tracing::warn!("{warning}");
                }
                tracing::error!(%error, "the new configuration is refused; the old one goes on");
            }
        }
        reloaded
    }

    fn take_over(&self, loaded: Loaded) -> Result<Reloaded, String> {
        let old = self.configured.load_full();
        let keys = || -> BTreeMap<String, String> {
            let runtimes = self.engine.runtimes();
            let keyrings = runtimes.values().map(|runtime| &runtime.keyring);
            keyrings.flat_map(Keyring::fingerprints).collect()
        };
        let keys_before = keys();
        let mut warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
        let faults = Preflight {
            loaded: &loaded,
            opening: Opening::default(),
            first_tokens: Vec::new(),
            // This one holds the address; whether another is free is known at the start only.
            is_running: true,
        }
        .faults();
        warnings.extend(
            faults
                .iter()
                .map(|fault| format!("the next start is refused: {fault}")),
        );
        let at_next_start = differing(&self.started, &started(&loaded)).into_iter().collect();
        let mut changed = differing(&values(&old.loaded), &values(&loaded));
        changed.retain(|path| !is_at_start(path));
        let scales_differ = old.settings().scales != loaded.settings.scales;
        let lists_differ = old.settings().lists.mark() != loaded.settings.lists.mark();
        self.reload(loaded).map_err(|error| error.to_string())?;
        let new = self.configured.load();
        // What is no value of its own is named by its section.
        let differs = [
            ("lists", lists_differ),
            ("scales", scales_differ),
            ("reputation", old.policy != new.policy),
        ];
        for (section, _) in differs.into_iter().filter(|(_, differs)| *differs) {
            if !changed.iter().any(|path| path.starts_with(section)) {
                changed.insert(section.to_owned());
            }
        }
        let keys = keys();
        for provider in differing(&keys_before, &keys) {
            // A provider that came or went is named by its settings.
            if keys_before.contains_key(&provider) && keys.contains_key(&provider) {
                changed.insert(format!("{provider}: its key"));
            }
        }
        let layers = self.tls.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for layer in layers {
            match layer.renew() {
                Ok(false) => {}
                Ok(true) => _ = changed.insert("server.tls: its files".to_owned()),
                Err(reason) => warnings.push(format!("server.tls: the former files stay in use: {reason}")),
            }
        }
        Ok(Reloaded {
            changed: changed.into_iter().collect(),
            at_next_start,
            warnings,
            file: self.source.as_ref().and_then(Source::whole_file),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read;
    use crate::providers::Providers;

    /// Settings of the sections whose values partly hold until the next start, that are taken over at once.
    const AT_ONCE: [&str; 12] = [
        "server.public_url",
        "server.trusted_proxies",
        "server.max_body",
        "server.shutdown",
        "server.clock_believed",
        "store.min_free",
        "store.replies",
        "store.replies_per_client",
        "store.decisions",
        "store.decisions_per_client",
        "deadlines.maltego",
        "deadlines.enrich",
    ];

    #[test]
    fn of_every_setting_of_the_server_it_is_known_when_it_is_taken_over() {
        let text = "[server]\nlisten = \"127.0.0.1:1\"\npublic_url = \"https://x.example\"\ntrusted_proxies = [\"::1\"]\ndata = \"d\"\ntls = \"before\"\n\
                    workers = 1\n[log]\nfile = \"l\"\n";
        let loaded = read("my.toml", text, false, &[], &Providers::default()).unwrap();
        let sections = ["server.", "log.", "cache.", "store.", "deadlines."];
        for one in &loaded.origins {
            if sections.iter().any(|section| one.path.starts_with(section)) {
                assert!(
                    is_at_start(&one.path) != AT_ONCE.contains(&one.path.as_str()),
                    "{}: is it taken over at a reload?",
                    one.path
                );
            }
        }
        for known in AT_START {
            let held = started(&loaded);
            assert!(
                held.keys().any(|path| path.starts_with(known)),
                "{known}: there is no such setting"
            );
        }
    }

    #[test]
    fn names_are_listed_and_those_of_many_are_counted() {
        assert_eq!(listed(&[]), "nothing");
        let names: Vec<String> = (0..NAMED + 2).map(|at| format!("n{at}")).collect();
        assert_eq!(listed(names.get(..2).unwrap()), "n0, n1");
        assert!(listed(&names).ends_with("n19 and 2 more"));
    }
}
