//! Says where a configuration differs from the running server's, which is the one that counts.

use std::collections::BTreeMap;
use std::path::Path;

use super::starting::whole;
use super::terminal;
use crate::app::state::StateView;
use crate::config::DEFAULT_NAME;

/// So many are named where a command does something else.
const NAMED: usize = 3;

/// Is a value that differs; `None` where one side has none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) path: String,
    pub(super) server: Option<String>,
    pub(super) here: Option<String>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
        if self.path.starts_with("transform.") {
            let what = match (&self.server, &self.here) {
                (Some(_), None) => "only the server has it",
                (None, Some(_)) => "the server does not have it",
                _ => "the server has another",
            };
            return write!(formatter, "{}: {what}", self.path);
        }
        let (server, here) = (shown(&self.server), shown(&self.here));
        write!(formatter, "{}: {server} at the server, {here} here", self.path)
    }
}

/// Lists the values that differ. Secrets are left out: a command need not have those that the server has.
pub(super) fn differences(
    server: &BTreeMap<String, String>,
    here: &BTreeMap<String, String>,
) -> Vec<Difference> {
    let is_secret = |value: &String| value.contains("••") || value.starts_with("missing: ");
    let paths: std::collections::BTreeSet<&String> = server.keys().chain(here.keys()).collect();
    let differs = |path: &&String| {
        let (server, here) = (server.get(*path), here.get(*path));
        server != here && !server.is_some_and(is_secret) && !here.is_some_and(is_secret)
    };
    let difference = |path: &String| Difference {
        path: path.clone(),
        server: server.get(path).cloned(),
        here: here.get(path).cloned(),
    };
    paths.into_iter().filter(differs).map(difference).collect()
}

/// Says on standard error that the running server has another configuration.
pub(super) fn note(differences: &[Difference], config: Option<&Path>) {
    if differences.is_empty() {
        return;
    }
    let named: Vec<String> = differences.iter().take(NAMED).map(ToString::to_string).collect();
    let more = match differences.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(
            "; and {more} more, which `{}` lists",
            terminal::command("check", config)
        ),
    };
    terminal::note(&format!(
        "note: the running server answers, whose configuration is another: {}{more}",
        named.join("; ")
    ));
}

/// Tells whether a server reads another file than the one that a command names; one that names none takes the server's.
pub(super) fn is_other_file(server: Option<&Path>, config: Option<&Path>) -> bool {
    let whole = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path)).ok();
    config.is_some_and(|config| server.and_then(whole) != whole(config))
}

/// Names the file that a server reads.
pub(super) fn file_of(server: Option<&Path>) -> String {
    server.map_or_else(
        || format!("the compiled-in {DEFAULT_NAME}"),
        |file| file.display().to_string(),
    )
}

/// Says on standard error which file the running server reads, where that is another and no values can be compared.
pub(super) fn note_file(server: &StateView, data: &Path, config: Option<&Path>) {
    if !is_other_file(server.file.as_deref(), config) {
        return;
    }
    terminal::note(&format!(
        "note: the running server of {} answers, whose configuration is another: {}",
        whole(data),
        file_of(server.file.as_deref())
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(path, value): &(&str, &str)| ((*path).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn what_differs_is_told_and_secrets_are_not() {
        let server = values(&[
            ("cache.memory", "1"),
            ("providers.acme.api_key", "•••••• (variable KEY)"),
            ("providers.acme.rate", "[\"1/s\"]"),
            ("transform.acme.a", "12"),
            ("transform.acme.b", "12"),
        ]);
        let here = values(&[
            ("cache.memory", "1"),
            ("providers.acme.api_key", "missing: KEY is not set"),
            ("providers.acme.rate", "[\"2/s\"]"),
            ("transform.acme.a", "34"),
            ("log.file", "\"x\""),
        ]);
        let told: Vec<String> = differences(&server, &here)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            told,
            [
                "log.file: not set at the server, \"x\" here",
                "providers.acme.rate: [\"1/s\"] at the server, [\"2/s\"] here",
                "transform.acme.a: the server has another",
                "transform.acme.b: only the server has it",
            ]
        );
    }
}
