//! Says how a server starts: what it read, where its store is, which providers it asks and which clients it knows.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::terminal;
use crate::config::report::key_state;
use crate::config::{DEFAULT_NAME, Loaded, Origin};

/// So wide are the lines of the start where the terminal is no narrower.
const WIDEST: usize = 80;
/// So many variables are named.
const NAMED: usize = 4;

/// Holds what the start tells.
pub(super) struct StartSummary<'a> {
    /// The configuration.
    pub(super) loaded: &'a Loaded,
    /// Its file; the compiled-in one where there is none.
    pub(super) file: Option<&'a Path>,
    /// Where the store lies.
    pub(super) store: &'a Path,
    /// How many tokens there are.
    pub(super) tokens: usize,
    /// The first token, or where it is, where this start made one.
    pub(super) first_tokens: Vec<String>,
}

impl StartSummary<'_> {
    /// Names the file and the variables that were read.
    pub(super) fn configuration(&self) -> String {
        let file = match self.file {
            Some(file) if self.loaded.changes.is_some() => {
                format!("{} over the compiled-in {DEFAULT_NAME}", whole(file))
            }
            Some(file) => whole(file),
            None => format!("the compiled-in {DEFAULT_NAME}"),
        };
        let variable = |origin: &Origin| match origin {
            Origin::Variable(name) => Some(name.to_string()),
            _ => None,
        };
        let names: BTreeSet<String> = self
            .loaded
            .origins
            .iter()
            .filter_map(|one| variable(&one.origin))
            .collect();
        let more = names.len().saturating_sub(NAMED);
        let named: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
        match (names.is_empty(), more) {
            (true, _) => file,
            (false, 0) => format!("{file}, with {}", named.join(", ")),
            (false, more) => format!("{file}, with {} and {more} more", named.join(", ")),
        }
    }

    /// Names the file of the store.
    pub(super) fn store(&self) -> String {
        whole(self.store)
    }

    /// Names the providers by the state of their keys, as `pivotd check` calls it, those that can be asked first.
    pub(super) fn providers(&self) -> Vec<(&'static str, Vec<&str>)> {
        const STATES: [&str; 5] = [
            "key configured",
            "no key needed",
            "key unreadable",
            "no key",
            "disabled",
        ];
        let settings = &self.loaded.settings.providers;
        let of = |state: &str| {
            let known = |name: &str| self.loaded.providers.descriptor(name).map(Arc::as_ref);
            let is_so = |name: &str, state: &str| {
                settings
                    .get(name)
                    .is_some_and(|provider| key_state(provider, known(name), false) == state)
            };
            let names = settings.keys().map(String::as_str);
            names.filter(|name| is_so(name, state)).collect::<Vec<_>>()
        };
        let named = STATES.into_iter().map(|state| (state, of(state)));
        named.filter(|(_, names)| !names.is_empty()).collect()
    }

    /// Says which clients there are, and how to make a token.
    fn clients(&self) -> String {
        let create = terminal::command("tokens create NAME", self.file);
        match self.tokens {
            0 => format!("no token; `{create}` makes one"),
            1 => format!("1 token; `{create}` makes another"),
            tokens => format!("{tokens} tokens; `{create}` makes another"),
        }
    }

    /// Writes it all for people.
    pub(super) fn text(&self) -> String {
        let mut lines = vec![
            format!("pivotd {}", env!("CARGO_PKG_VERSION")),
            format!("  configuration: {}", self.configuration()),
            format!("  store: {}", self.store()),
        ];
        let mut is_lacking = false;
        for (state, names) in self.providers() {
            is_lacking |= matches!(state, "no key" | "key unreadable");
            lines.push(format!("  {state}: {}", names.join(", ")));
        }
        if is_lacking {
            let check = terminal::command("check", self.file);
            lines.push(format!("  `{check}` says what each provider lacks"));
        }
        lines.push(format!("  clients: {}", self.clients()));
        for first in &self.first_tokens {
            // A token stands alone on its line, to be copied.
            lines.extend(first.lines().map(|line| format!("  {line}")));
        }
        let text = lines.join("\n");
        terminal::wrap(&text, WIDEST).into_owned()
    }
}

pub(super) fn whole(path: &Path) -> String {
    let whole = std::path::absolute(path);
    whole.as_deref().unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::config::load;
    use crate::providers::Providers;

    #[test]
    fn the_start_tells_what_was_read_whom_it_asks_and_how_to_get_a_token_within_80_columns() {
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let variables = [
            set("DOMAINTOOLS_USERNAME", "someone"),
            set("DOMAINTOOLS_API_KEY", "canary-7d1e"),
            set("PIVOTD__SERVER__DATA", "/var/lib/pivotd"),
        ];
        let loaded = load(None, &variables, &Providers::built_in()).unwrap();
        let starting = |first_token: Option<&str>| StartSummary {
            loaded: &loaded,
            file: None,
            store: Path::new("/var/lib/pivotd/pivotd.redb"),
            tokens: 1,
            first_tokens: first_token.map(str::to_owned).into_iter().collect(),
        };
        let over = crate::config::read(
            "my.toml",
            "extends = \"built-in\"",
            false,
            &[],
            &Providers::built_in(),
        )
        .unwrap();
        let over = StartSummary {
            loaded: &over,
            file: Some(Path::new("/etc/my.toml")),
            ..starting(None)
        };
        assert_eq!(
            over.configuration(),
            "/etc/my.toml over the compiled-in transforms.toml"
        );
        let text = starting(None).text();
        for part in [
            "configuration: the compiled-in transforms.toml, with PIVOTD__SERVER__DATA",
            "store: /var/lib/pivotd/pivotd.redb",
            "key configured: domaintools",
            "no key needed: ",
            "no key: ",
            "`pivotd check` says",
            "1 token; `pivotd tokens create NAME` makes another",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(text.lines().all(|line| line.width() <= WIDEST), "{text}");
        assert!(!text.contains("canary"), "{text}");
        let token = format!("pvtd_{}", "0".repeat(72));
        let first = starting(Some(&format!("the first client token, shown once:\n{token}"))).text();
        assert!(first.lines().any(|line| line.trim() == token), "{first}");
        assert!(first.lines().all(|line| line.width() <= WIDEST), "{first}");
    }
}
