//! `pivotd backup`: a copy of the store, while it is used.

use std::path::PathBuf;

use anyhow::Context as _;

use super::session::{STORE, once};
use super::table::{Column, WIDER, render};
use super::{ConfigFile, ExitStatus, block_on, terminal};
use crate::ask::message::time_text;
use crate::http::admin::backup::WriteBackup;
use crate::storage::Backup;
use crate::storage::redb::verify;

/// Write a copy of the whole store, while the server runs or not. The server writes the file, as its own user, with mode 0600. It
/// holds what the store holds: whoever has it can use the secrets in it, so keep it as you keep the store.
#[derive(Debug, clap::Args)]
pub(super) struct BackupCommand {
    /// The file to write.
    #[arg(value_name = "FILE", required_unless_present = "verify")]
    to: Option<PathBuf>,
    /// Write over a file that is there.
    #[arg(long, conflicts_with = "verify")]
    force: bool,
    /// Verify a backup instead, without the store: every checksum, and the count and digest of each table.
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    verify: Option<PathBuf>,
    #[command(flatten)]
    file: ConfigFile,
}

impl BackupCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        let Self {
            to,
            force,
            verify: file,
            file: config,
        } = self;
        let backup = match (to, file) {
            (Some(to), _) => {
                // The server's folder is another.
                let path = std::path::absolute(&to).with_context(|| to.display().to_string())?;
                block_on(once(
                    config.config.as_deref(),
                    &WriteBackup { path, force },
                    STORE,
                ))??
            }
            (None, Some(file)) => verify(&file)?,
            (None, None) => anyhow::bail!("expected a file"),
        };
        terminal::print_lines(&shown(&backup));
        Ok(ExitStatus::Well)
    }
}

/// Shows what a backup holds.
pub(super) fn shown(backup: &Backup) -> String {
    let contents = &backup.contents;
    let tables = || contents.tables.iter();
    let columns = vec![
        Column::flexible("Table", tables().map(|table| table.name.clone())),
        Column::fixed("Rows", tables().map(|table| table.rows.to_string())),
        Column::flexible("SHA-256", tables().map(|table| table.sha256.clone())),
    ];
    format!(
        "{}: {}, verified\nmade {} by pivotd {}, layout {}\n\n{}",
        backup.path.display(),
        indicatif::BinaryBytes(backup.bytes),
        time_text(contents.made_at),
        contents.version,
        contents.layout,
        render(columns, terminal::width(), WIDER)
    )
}
