//! Defines what a configuration error or warning is: where, what, and what was expected.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Says where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A place in a file; line and column count from 1, columns in characters.
    File {
        /// The file as it was named.
        file: Arc<str>,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// An environment variable, by name.
    Variable(Arc<str>),
    /// Nobody said anything: the default.
    Default,
}

impl Origin {
    /// Tells whether it is an environment variable.
    #[must_use]
    pub fn is_variable(&self) -> bool {
        matches!(self, Self::Variable(_))
    }

    /// Tells whether it is a place in the compiled-in file that another lies over.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        matches!(self, Self::File { file, .. } if **file == *super::BUILT_IN_NAME)
    }

    /// Returns where a path leads that stands there: a relative one of a file begins where that file lies, any other in the
    /// current folder.
    #[must_use]
    pub fn beside(&self, path: &str) -> PathBuf {
        match self {
            Self::File { file, .. } => Path::new(&**file)
                .parent()
                .map_or_else(|| PathBuf::from(path), |folder| folder.join(path)),
            _ => PathBuf::from(path),
        }
    }

    /// Returns the line in the file; 0 where it is in none.
    #[must_use]
    pub fn line(&self) -> usize {
        match self {
            Self::File { line, .. } => *line,
            _ => 0,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line, column } => write!(formatter, "{file}:{line}:{column}"),
            Self::Variable(name) => formatter.write_str(name),
            Self::Default => formatter.write_str("default"),
        }
    }
}

/// Holds one fault: where it is, what is wrong and what is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub origin: Origin,
    /// What is wrong, what is expected, and what may have been meant.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Default => formatter.write_str(&self.message),
            origin => write!(formatter, "{origin}: {}", self.message),
        }
    }
}

/// Holds every fault of a configuration; it is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    /// The faults in the order of the file, those of the environment last.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            if at > 0 {
                formatter.write_str("\n")?;
            }
            problem.fmt(formatter)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// Says `did you mean "x"?` for the nearest of the names that could have been meant, or nothing.
#[must_use]
pub(crate) fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let given = given.to_ascii_lowercase();
    let near = known
        .into_iter()
        .map(|name| (distance(&given, &name.to_ascii_lowercase()), name))
        .min_by_key(|(distance, _)| *distance);
    match near {
        Some((distance, name)) if distance <= 1 + given.chars().count() / 4 => {
            format!(", did you mean \"{name}\"?")
        }
        _ => String::new(),
    }
}

/// Says which names there are, if they are few enough to read.
#[must_use]
pub(crate) fn expected_of<'a>(given: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let hint = did_you_mean(given, known.clone());
    if !hint.is_empty() {
        return hint;
    }
    let names: Vec<_> = known.into_iter().collect();
    if names.is_empty() || names.len() > 40 {
        return String::new();
    }
    format!(", expected one of {}", names.join(", "))
}

/// Counts the edits between two words, a swap of neighbours being one.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().take(64).collect(), to.chars().take(64).collect());
    let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX - 1);
    let mut older: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let change = at(&above, j) + usize::from(a != b);
            let mut best = change.min(at(&above, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && from.get(i - 1) == Some(b) && to.get(j - 1) == Some(a);
            if swapped {
                best = best.min(at(&older, j - 1) + 1);
            }
            row.push(best);
        }
        older = std::mem::replace(&mut above, row);
    }
    at(&above, to.len())
}
