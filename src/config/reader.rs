//! Reads typed values out of the positioned tree, and remembers every fault.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;

use smol_str::SmolStr;

use super::problem::{Origin, Problem, did_you_mean};
use super::tree::{Data, Entry, Node, is_named};

/// Holds a setting's effective value and where it came from, for `pivotd check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// The setting's path, `providers.domaintools.rate`.
    pub path: String,
    /// The value as it would be written; secrets are masked.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// Collects what the readers find.
#[derive(Debug, Default)]
pub(super) struct Findings {
    errors: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
    effective: RefCell<Vec<Effective>>,
}

impl Findings {
    pub(super) fn error(&self, origin: &Origin, message: impl Into<String>) {
        self.errors.borrow_mut().push(Problem {
            origin: origin.clone(),
            message: message.into(),
        });
    }

    pub(super) fn warn(&self, origin: &Origin, message: impl Into<String>) {
        self.warnings.borrow_mut().push(Problem {
            origin: origin.clone(),
            message: message.into(),
        });
    }

    pub(super) fn effective(&self, path: String, value: impl Into<String>, origin: &Origin) {
        let value = value.into();
        self.effective.borrow_mut().push(Effective {
            path,
            value,
            origin: origin.clone(),
        });
    }

    pub(super) fn into_parts(self) -> (Vec<Problem>, Vec<Problem>, Vec<Effective>) {
        (
            self.errors.into_inner(),
            self.warnings.into_inner(),
            self.effective.into_inner(),
        )
    }
}

/// Reads one table. Its reader asks for every key that may stand in it, then calls [`Reader::finish`].
pub(super) struct Reader<'a> {
    pub(super) findings: &'a Findings,
    pub(super) origin: &'a Origin,
    path: String,
    entries: &'a [Entry],
    used: Vec<Cell<bool>>,
    asked: RefCell<Vec<SmolStr>>,
}

impl<'a> Reader<'a> {
    /// Makes a reader of a table; anything else is a fault and reads as an empty table.
    pub(super) fn new(findings: &'a Findings, path: impl Into<String>, node: &'a Node) -> Self {
        let entries = match &node.data {
            Data::Table(entries) => entries.as_slice(),
            _ => {
                findings.error(&node.origin, format!("expected a table, found {}", node.what()));
                &[]
            }
        };
        Self::of(findings, path, &node.origin, entries)
    }

    /// Makes a reader of a table's entries.
    pub(super) fn of(
        findings: &'a Findings,
        path: impl Into<String>,
        origin: &'a Origin,
        entries: &'a [Entry],
    ) -> Self {
        let used = entries.iter().map(|_| Cell::new(false)).collect();
        Self {
            findings,
            origin,
            path: path.into(),
            entries,
            used,
            asked: RefCell::default(),
        }
    }

    /// Returns the path of a key in it.
    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// Returns the value of a key and marks the key as known.
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.asked.borrow_mut().push(key.into());
        let matches =
            |entry: &Entry| entry.name == key || (entry.origin.is_variable() && is_named(&entry.name, key));
        let at = self.entries.iter().position(matches)?;
        self.used.get(at)?.set(true);
        self.entries.get(at).map(|entry| &entry.node)
    }

    /// Walks the keys that were not asked for, and marks them as known.
    pub(super) fn rest(&self) -> impl Iterator<Item = &'a Entry> + use<'a> {
        let unasked = self
            .entries
            .iter()
            .zip(&self.used)
            .filter(|(_, used)| !used.replace(true));
        let rest: Vec<&'a Entry> = unasked.map(|(entry, _)| entry).collect();
        rest.into_iter()
    }

    /// Reads a value by `read`, which says what is wrong and what is expected; remembers it as effective.
    pub(super) fn value<T>(&self, key: &str, read: impl FnOnce(&Node) -> Result<T, String>) -> Option<T> {
        let node = self.get(key)?;
        match read(node) {
            Ok(value) => {
                self.findings
                    .effective(self.path(key), node.shown(), &node.origin);
                Some(value)
            }
            Err(message) => {
                self.findings.error(&node.origin, format!("{key}: {message}"));
                None
            }
        }
    }

    /// Reads the entries of a list one by one: each that is wrong is told with its own place, so that all of them can be mended
    /// at once. The list as a whole is remembered as effective.
    pub(super) fn each<T>(&self, key: &str, mut read: impl FnMut(&str) -> Result<T, String>) -> Vec<T> {
        let Some(node) = self.get(key) else {
            return Vec::new();
        };
        let entries = match placed(node) {
            Ok(entries) => entries,
            Err(message) => {
                self.findings.error(&node.origin, format!("{key}: {message}"));
                return Vec::new();
            }
        };
        self.findings
            .effective(self.path(key), node.shown(), &node.origin);
        let mut all = Vec::new();
        for (at, (entry, origin)) in entries.iter().enumerate() {
            match read(entry) {
                Ok(value) => all.push(value),
                Err(reason) => self
                    .findings
                    .error(origin, format!("{key}: entry {}: {reason}", at + 1)),
            }
        }
        all
    }

    /// Reads a value, or takes the default, which `shown` writes.
    pub(super) fn value_or<T>(
        &self,
        key: &str,
        default: T,
        shown: &str,
        read: impl FnOnce(&Node) -> Result<T, String>,
    ) -> T {
        if self.has(key) {
            return self.value(key, read).unwrap_or(default);
        }
        self.asked.borrow_mut().push(key.into());
        self.findings.effective(self.path(key), shown, &Origin::Default);
        default
    }

    /// Tells whether a key is given.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.name == key || (entry.origin.is_variable() && is_named(&entry.name, key)))
    }

    /// Tells whether the table says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Reads a text that must be there.
    pub(super) fn required(&self, key: &str) -> Option<(String, &'a Origin)> {
        match self.get(key) {
            None => {
                self.findings.error(self.origin, format!("\"{key}\" is missing"));
                None
            }
            Some(node) => match text(node) {
                Ok(value) if !value.trim().is_empty() => Some((value, &node.origin)),
                Ok(_) => {
                    self.findings
                        .error(&node.origin, format!("{key}: must not be empty"));
                    None
                }
                Err(message) => {
                    self.findings.error(&node.origin, format!("{key}: {message}"));
                    None
                }
            },
        }
    }

    /// Reads a value that must be there, and is remembered as effective.
    pub(super) fn required_value<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Node) -> Result<T, String>,
    ) -> Option<T> {
        if !self.has(key) {
            self.findings.error(self.origin, format!("\"{key}\" is missing"));
        }
        self.value(key, read)
    }

    /// Reports the keys that were most likely meant to be `name`, as [`Reader::finish`] does; all others are of other sections.
    pub(super) fn finish_near(self, name: &str, known: &[&str]) {
        let hint = format!(", did you mean \"{name}\"?");
        for entry in self.rest() {
            let is_near = did_you_mean(&entry.name, known.iter().copied()) == hint;
            if known.contains(&entry.name.as_str()) || !is_near {
                continue;
            }
            self.unknown(entry, &hint);
        }
    }

    /// Reports the keys that were not asked for: a fault in the file, a warning from the environment.
    pub(super) fn finish(self) {
        for entry in self.rest() {
            let hint = if entry.name == super::extends::KEY {
                "; it stands above the first table".to_owned()
            } else {
                did_you_mean(&entry.name, self.asked.borrow().iter().map(SmolStr::as_str))
            };
            self.unknown(entry, &hint);
        }
    }

    fn unknown(&self, entry: &Entry, hint: &str) {
        if entry.origin.is_variable() {
            self.findings
                .warn(&entry.origin, format!("matches no setting; it is ignored{hint}"));
        } else {
            self.findings
                .error(&entry.origin, format!("unknown key \"{}\"{hint}", entry.name));
        }
    }
}

/// Reads a text.
pub(super) fn text(node: &Node) -> Result<String, String> {
    match &node.data {
        Data::Text(text) => Ok(text.clone()),
        _ => Err(format!("expected a text, found {}", node.what())),
    }
}

/// Reads a path. A relative one of a file begins where that file lies, one of a variable in the current folder.
pub(super) fn path(node: &Node) -> Result<PathBuf, String> {
    let given = text(node)?;
    if given.trim().is_empty() {
        return Err("must not be empty".to_owned());
    }
    Ok(node.origin.beside(&given))
}

/// Reads true or false; a variable may say it in letters.
pub(super) fn flag(node: &Node) -> Result<bool, String> {
    match &node.data {
        Data::Flag(flag) => Ok(*flag),
        Data::Text(text) if node.origin.is_variable() => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Ok(true),
            "false" | "0" | "no" => Ok(false),
            _ => Err(format!("expected true or false, found \"{text}\"")),
        },
        _ => Err(format!("expected true or false, found {}", node.what())),
    }
}

/// Reads a whole number within bounds; a variable may say it in digits.
pub(super) fn integer(node: &Node, least: i64, max: i64) -> Result<i64, String> {
    let number = match &node.data {
        Data::Integer(number) => Some(*number),
        Data::Text(text) if node.origin.is_variable() => text.trim().parse().ok(),
        _ => None,
    };
    match number {
        Some(number) if (least..=max).contains(&number) => Ok(number),
        _ => {
            let found = if number.is_some() {
                node.shown()
            } else {
                node.what().to_owned()
            };
            Err(format!(
                "expected a whole number from {least} to {max}, found {found}"
            ))
        }
    }
}

/// Reads a list of texts as [`texts`] does, each with its place.
fn placed(node: &Node) -> Result<Vec<(String, &Origin)>, String> {
    let texts = texts(node)?;
    let own = |at: usize| match &node.data {
        Data::List(nodes) => nodes.get(at).map(|node| &node.origin),
        _ => None,
    };
    let places = (0..texts.len()).map(|at| own(at).unwrap_or(&node.origin));
    Ok(texts.iter().cloned().zip(places).collect())
}

/// Reads a list of texts; one text is a list of one, and a variable may separate several by commas.
pub(super) fn texts(node: &Node) -> Result<Vec<String>, String> {
    match &node.data {
        Data::Text(text) if node.origin.is_variable() => Ok(text
            .split(',')
            .map(|one| one.trim().to_owned())
            .filter(|one| !one.is_empty())
            .collect()),
        Data::Text(text) => Ok(vec![text.clone()]),
        Data::List(nodes) => nodes.iter().map(text).collect(),
        _ => Err(format!("expected a list of texts, found {}", node.what())),
    }
}
