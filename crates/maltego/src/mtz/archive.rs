//! The archive: members in order, each under a name of its own.

use std::collections::{BTreeMap, HashSet};
use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::ConfigurationError;

/// The longest name of a member, without its folder and ending. What is known to every file system has 255 bytes.
const LONGEST_STEM: usize = 160;

/// Holds the members of an archive.
#[derive(Debug, Default)]
pub(super) struct Members {
    files: BTreeMap<String, Vec<u8>>,
    taken: HashSet<String>,
}

impl Members {
    /// Adds a member, whose place is not taken yet; the folder may be empty.
    pub(super) fn add(&mut self, folder: &str, stem: &str, ending: &str, content: impl Into<Vec<u8>>) {
        let slash = if folder.is_empty() { "" } else { "/" };
        self.files
            .insert(format!("{folder}{slash}{stem}.{ending}"), content.into());
    }

    /// Makes a file's name of any text: in a folder no two are equal, in any case of letters.
    pub(super) fn stem(&mut self, folder: &str, text: &str) -> String {
        let kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ');
        let mut stem: String = text
            .chars()
            .take(LONGEST_STEM)
            .map(|c| if kept(c) { c } else { '_' })
            .collect();
        if stem.is_empty() || stem.starts_with(['.', ' ']) {
            stem.insert(0, '_');
        }
        let mut free = stem.clone();
        let mut count = 1;
        while !self
            .taken
            .insert(format!("{folder}/{}", free.to_ascii_lowercase()))
        {
            count += 1;
            free = format!("{stem}-{count}");
        }
        free
    }

    /// Writes the archive.
    pub(super) fn finish(self) -> Result<Vec<u8>, ConfigurationError> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644);
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in &self.files {
            writer.start_file(name.as_str(), options)?;
            writer.write_all(content).map_err(zip::result::ZipError::Io)?;
        }
        Ok(writer.finish()?.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_a_name_of_its_own() {
        let mut members = Members::default();
        for (text, stem) in [
            ("Case A", "Case A"),
            ("case a", "case a-2"),
            ("case/a", "case_a"),
            ("", "_"),
            ("..", "_.."),
            ("a\u{0}b", "a_b"),
        ] {
            assert_eq!(members.stem("F", text), stem);
        }
        assert_eq!(members.stem("G", "Case A"), "Case A");
        assert_eq!(members.stem("F", &"x".repeat(1000)).len(), LONGEST_STEM);
    }
}
