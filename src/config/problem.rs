//! Defines what a configuration error or warning is: where, what, and what was expected.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use crate::domain::hints::{did_you_mean, expected_of};

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
    /// It was not set: the default.
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
