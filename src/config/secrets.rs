//! Reads secrets: from a variable, from a file, or from the configuration itself. The text never leaves a secret type.

use std::cell::RefCell;
use std::fs;

use secrecy::SecretString;

use super::problem::Origin;
use super::reader::{Findings, Reader, path as path_of, text};
use super::settings::{Credential, SecretOrigin};
use super::tree::{Data, Node};

/// The largest secret file, so that a wrong path does not read a disk.
const MAX_SECRET: u64 = 64 * 1024;

/// What secrets are read with.
pub(super) struct Secrets<'a> {
    /// The environment.
    pub(super) variables: &'a [(String, String)],
    /// Whether everybody on the machine can read the configuration file.
    pub(super) file_is_public: bool,
    /// The parts of keys that are missing.
    pub(super) missing: RefCell<Vec<MissingSecret>>,
}

/// Is a secret whose named source holds nothing.
#[derive(Debug, Clone)]
pub(super) struct MissingSecret {
    /// The setting's path.
    pub(super) path: String,
    /// Why it holds nothing.
    pub(super) reason: String,
    /// Where the source is named.
    pub(super) origin: Origin,
    /// Whether the source is a file: a variable that is not set is how a provider is left out, a file is named to be read.
    pub(super) is_file: bool,
}

impl Secrets<'_> {
    /// Reads one secret. A named source that holds nothing leaves the provider without a key.
    pub(super) fn read(&self, reader: &Reader<'_>, key: &str) -> Option<Credential> {
        let node = reader.get(key)?;
        let path = reader.path(key);
        let findings = reader.findings;
        match self.resolve(node, findings, key, &path) {
            Ok(Some((value, origin))) => {
                let shown = match &origin {
                    SecretOrigin::Inline => "\"••••••\"".to_owned(),
                    SecretOrigin::Env(name) => format!("•••••• (variable {name})"),
                    SecretOrigin::File(file) => format!("•••••• (file {})", file.display()),
                };
                findings.effective(path, shown, &node.origin);
                Some(Credential { value, origin })
            }
            Ok(None) => None,
            Err(message) => {
                findings.error(&node.origin, format!("{key}: {message}"));
                None
            }
        }
    }

    fn resolve(
        &self,
        node: &Node,
        findings: &Findings,
        key: &str,
        path: &str,
    ) -> Result<Option<(SecretString, SecretOrigin)>, String> {
        let note = |reason: String, is_file| {
            findings.effective(path.to_owned(), format!("missing: {reason}"), &node.origin);
            self.missing.borrow_mut().push(MissingSecret {
                path: path.to_owned(),
                reason,
                origin: node.origin.clone(),
                is_file,
            });
            Ok(None)
        };
        let lacks = |reason| note(reason, false);
        let is_unread = |reason| note(reason, true);
        let entries = match &node.data {
            Data::Text(secret) => {
                if secret.trim().is_empty() {
                    return lacks("is empty".to_owned());
                }
                if self.file_is_public && !node.origin.is_variable() {
                    return Err("stands in a file that everybody on this machine can read; \
                                take it from { env = \"NAME\" } or { file = \"/path\" }, or chmod 600 the file"
                        .to_owned());
                }
                return Ok(Some((
                    SecretString::from(secret.trim().to_owned()),
                    SecretOrigin::Inline,
                )));
            }
            Data::Table(entries) => entries,
            _ => return Err(format!("expected {EXPECTED}, found {}", node.what())),
        };
        match entries.as_slice() {
            [entry] if entry.name == "env" => {
                let name = text(&entry.node)?;
                let value = self
                    .variables
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| value.trim());
                match value {
                    Some(value) if !value.is_empty() => Ok(Some((
                        SecretString::from(value.to_owned()),
                        SecretOrigin::Env(name),
                    ))),
                    _ => lacks(format!("{name} is not set")),
                }
            }
            [entry] if entry.name == "file" => {
                let file = path_of(&entry.node)?;
                let shown = file.display().to_string();
                let found = fs::metadata(&file);
                match found {
                    Err(error) => return is_unread(format!("{shown} cannot be read: {error}")),
                    Ok(found) if found.len() > MAX_SECRET => {
                        return Err(format!("{shown} is larger than {MAX_SECRET} bytes"));
                    }
                    Ok(found) if is_public(&found) => {
                        findings.warn(
                            &node.origin,
                            format!("{key}: {shown} can be read by everybody on this machine; chmod 600 it"),
                        );
                    }
                    Ok(_) => {}
                }
                match fs::read_to_string(&file) {
                    Ok(value) if !value.trim_end().is_empty() => {
                        let value = SecretString::from(value.trim_end_matches(['\r', '\n']).to_owned());
                        Ok(Some((value, SecretOrigin::File(file))))
                    }
                    Ok(_) => is_unread(format!("{shown} is empty")),
                    Err(error) => is_unread(format!("{shown} cannot be read: {error}")),
                }
            }
            [] => Err(format!("expected {EXPECTED}, found an empty table")),
            [entry, ..] => Err(format!(
                "expected {EXPECTED}, found a table with \"{}\"{}",
                entry.name,
                super::problem::did_you_mean(&entry.name, ["env", "file"])
            )),
        }
    }
}

const EXPECTED: &str = "{ env = \"NAME\" }, { file = \"/path\" } or a text";

/// Tells whether everybody on the machine can read a file.
#[cfg(unix)]
pub(super) fn is_public(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    found.permissions().mode() & 0o004 != 0
}

/// Tells nothing where files have no modes.
#[cfg(not(unix))]
pub(super) fn is_public(_: &fs::Metadata) -> bool {
    false
}
