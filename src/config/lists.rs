//! Reads `[lists]` and the files that it names.

use std::path::Path;

use super::problem::expected_of;
use super::reader::{Reader, flag, texts};
use super::sections::section;
use super::tree::{Data, Node};
use crate::domain::lists::ListSummary;
use crate::domain::{Lists, Purpose};

/// Keys that hold entries instead of files, each with its purpose.
const ENTRIES: [(&str, Purpose); 2] = [
    ("own_entries", Purpose::Own),
    ("trusted_entries", Purpose::Trusted),
];

/// Reads the lists; one that cannot be read or understood is a fault, since marks would silently be missing.
pub(super) fn lists(root: &Reader<'_>) -> Lists {
    let reader = section(root, "lists");
    let wanted = reader.value_or("built_in", Purpose::ALL.to_vec(), "true", built_in);
    let mut lists = Lists::built_in_of(&wanted);
    for (key, purpose) in ENTRIES {
        let source = reader.path(key);
        reader.each(key, |entry| lists.add_entry(purpose, entry, &source));
    }
    for purpose in Purpose::ALL {
        files(&reader, purpose, &mut lists);
    }
    reader.finish();
    lists
}

/// Reads the list files for a purpose.
fn files(reader: &Reader<'_>, purpose: Purpose, lists: &mut Lists) {
    let key = purpose.key();
    let Some(node) = reader.get(key) else { return };
    let files = match texts(node) {
        Ok(files) => files,
        Err(message) => {
            reader.findings.error(&node.origin, format!("{key}: {message}"));
            return;
        }
    };
    let mut counts = Vec::new();
    for file in &files {
        let name = Path::new(file).file_name().unwrap_or_default().to_string_lossy();
        let path = node.origin.beside(file);
        let shown_path = path.display();
        let added = std::fs::read(&path)
            .map_err(|error| format!("{shown_path}: cannot be read: {error}"))
            .and_then(|bytes| {
                // An entry in another encoding is odd; it does not cost the others.
                let text = String::from_utf8_lossy(&bytes);
                let added = lists.add(purpose, &text, &name);
                added.map_err(|(line, reason)| format!("{shown_path}:{line}: {reason}"))
            });
        match added {
            Ok(added) => {
                counts.push(shown(file, &added));
                warn(reader, node, key, &shown_path.to_string(), &added);
            }
            Err(message) => reader.findings.error(&node.origin, format!("{key}: {message}")),
        }
    }
    reader
        .findings
        .effective(reader.path(key), counts.join(", "), &node.origin);
}

/// Shows how much was read of a file.
fn shown(file: &str, added: &ListSummary) -> String {
    let ListSummary { entries, odd, .. } = added;
    match odd {
        0 => format!("{file} ({entries} entries)"),
        1 => format!("{file} ({entries} entries, 1 odd one skipped)"),
        odd => format!("{file} ({entries} entries, {odd} odd ones skipped)"),
    }
}

/// Names the odd entries of a file, the first at least.
fn warn(reader: &Reader<'_>, node: &Node, key: &str, file: &str, added: &ListSummary) {
    if added.odd == 0 {
        return;
    }
    let more = match added.odd.saturating_sub(added.named.len()) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let (odd, named) = (added.odd, added.named.join("; "));
    let skipped = if odd == 1 {
        "1 odd entry is skipped".to_owned()
    } else {
        format!("{odd} odd entries are skipped")
    };
    reader
        .findings
        .warn(&node.origin, format!("{key}: {file}: {skipped}: {named}{more}"));
}

/// Reads which built-in lists are used: all, none, or those of the named keys.
fn built_in(node: &Node) -> Result<Vec<Purpose>, String> {
    match flag(node) {
        Ok(true) => return Ok(Purpose::ALL.to_vec()),
        Ok(false) => return Ok(Vec::new()),
        Err(_) if matches!(node.data, Data::Text(_) | Data::List(_)) => {}
        Err(message) => return Err(message),
    }
    let find = |word: &String| {
        let found = Purpose::ALL.into_iter().find(|purpose| purpose.key() == word);
        found.ok_or_else(|| {
            let hint = expected_of(word, Purpose::ALL.map(Purpose::key));
            format!("unknown list \"{word}\"{hint}")
        })
    };
    texts(node)?.iter().map(find).collect()
}
