//! Keeps the files of public facts that a provider's look-ups read: from the data directory, else as compiled in.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use url::Url;

use crate::owner;
use crate::providers::{Files, Name, Provider, ReferenceFile};

/// Holds the files of one provider, and the servers that they name.
#[derive(Debug, Clone, Default)]
pub struct Reference {
    /// The files.
    pub files: Files,
    servers: HashSet<url::Origin>,
}

impl Reference {
    /// Reads the files of a provider from the folder of its name below `data`; a missing or broken one is taken as it
    /// is compiled in.
    #[must_use]
    pub fn load(provider: &dyn Provider, data: &Path) -> Self {
        let descriptor = provider.descriptor();
        let mut files: BTreeMap<Name, Bytes> = BTreeMap::new();
        for file in &descriptor.files {
            let path = path(data, &descriptor.name, file);
            let kept = match std::fs::read(&path) {
                Ok(bytes) => (file.check)(&bytes)
                    .map(|()| Bytes::from(bytes))
                    .map_err(|reason| format!("{}: {reason}", path.display())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(file.bundled.clone()),
                Err(error) => Err(format!("{}: {error}", path.display())),
            };
            let bytes = kept.unwrap_or_else(|reason| {
                tracing::warn!(
                    provider = %descriptor.name,
                    reason,
                    "the file that is compiled in is used instead"
                );
                file.bundled.clone()
            });
            files.insert(file.name.clone(), bytes);
        }
        let files: Files = files.into();
        let servers = provider.servers(&files);
        let servers = servers.iter().filter_map(|server| Url::parse(server).ok());
        Self {
            servers: servers.map(|url| url.origin()).collect(),
            files,
        }
    }

    /// Tells whether the files name this server: scheme, host and port.
    #[must_use]
    pub fn names(&self, url: &Url) -> bool {
        self.servers.contains(&url.origin())
    }
}

/// Returns where a file is kept.
fn path(data: &Path, provider: &str, file: &ReferenceFile) -> PathBuf {
    data.join("reference").join(provider).join(file.name.as_str())
}

/// Tells when a file was fetched; `None` where it is still the one that is compiled in.
#[must_use]
pub fn fetched(data: &Path, provider: &str, file: &ReferenceFile) -> Option<jiff::Timestamp> {
    let modified = std::fs::metadata(path(data, provider, file))
        .ok()?
        .modified()
        .ok()?;
    jiff::Timestamp::try_from(modified).ok()
}

/// Keeps the newest bytes of a file; a reader meanwhile sees the old ones or the new ones, whole.
///
/// # Errors
/// What is wrong with the bytes, or why they cannot be written; the old file stays.
pub fn keep(data: &Path, provider: &str, file: &ReferenceFile, bytes: &[u8]) -> Result<(), String> {
    (file.check)(bytes)?;
    let path = path(data, provider, file);
    let write = || {
        let folder = path.parent().unwrap_or(data);
        std::fs::create_dir_all(folder)?;
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(bytes)?;
        owner::as_of_folder(&std::fs::File::open(folder)?, data)?;
        owner::as_of_folder(new.as_file(), data)?;
        new.persist(&path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error: io::Error| format!("{}: {error}", path.display()))
}
