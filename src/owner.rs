//! Gives files that are made in the data directory the owner of that directory: a command that an administrator runs as root
//! must leave nothing behind that the server's user cannot open.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

/// Gives a new file the owner of its folder, where this process may. The file is open: a user who may write to the folder could
/// put a link in its place.
///
/// # Errors
/// Where either cannot be looked at, or the owner cannot be given though this process runs as root.
pub(crate) fn as_of_folder(file: &File, folder: &Path) -> io::Result<()> {
    let (wanted, found) = (std::fs::metadata(folder)?, file.metadata()?);
    if wanted.uid() == found.uid() || !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    fchown(file, Some(wanted.uid()), Some(wanted.gid()))
}

/// Says whose a file is that this process may not open, and what to do.
pub(crate) fn refused(path: &Path, error: &io::Error) -> String {
    let own = rustix::process::geteuid().as_raw();
    match std::fs::metadata(path) {
        Ok(found) if error.kind() == io::ErrorKind::PermissionDenied && found.uid() != own => format!(
            "{error}; it belongs to user {}, and this process runs as user {own}: run it as that user, or `chown` the file \
             to user {own}",
            found.uid()
        ),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_belongs_to_the_owner_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let other = 65_534;
        let is_root = rustix::process::geteuid().is_root();
        if is_root {
            std::os::unix::fs::chown(folder.path(), Some(other), Some(other)).unwrap();
        }
        let file = folder.path().join("file");
        let made = File::create(&file).unwrap();
        // What lies in its place meanwhile is left alone.
        let moved = folder.path().join("moved");
        std::fs::rename(&file, &moved).unwrap();
        let victim = tempfile::NamedTempFile::new().unwrap();
        std::os::unix::fs::symlink(victim.path(), &file).unwrap();
        let before = victim.as_file().metadata().unwrap().uid();
        as_of_folder(&made, folder.path()).unwrap();
        assert_eq!(victim.as_file().metadata().unwrap().uid(), before);
        std::fs::rename(&moved, &file).unwrap();
        let owner = |path: &Path| std::fs::metadata(path).unwrap().uid();
        assert_eq!(owner(&file), owner(folder.path()));
        let said = refused(&file, &io::Error::from(io::ErrorKind::PermissionDenied));
        assert_eq!(said.contains("belongs to user 65534"), is_root, "{said}");
    }
}
