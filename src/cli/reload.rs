//! `pivotd reload`: lets the running server read its configuration again.

use std::time::Duration;

use anyhow::Context;

use super::session::{missing_server, unexpected};
use super::{ConfigFile, Done, block_on, terminal};
use crate::config;
use crate::control::client::Client;
use crate::control::{ControlReply, ControlRequest};

/// How long a server may take: a list of a million names is read within seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Let the running server read its configuration again.
#[derive(Debug, clap::Args)]
pub(super) struct Reload {
    #[command(flatten)]
    file: ConfigFile,
}

impl Reload {
    pub(super) fn run(self) -> anyhow::Result<Done> {
        let file = self.file.config.as_deref();
        // Where the server is, is read even where the rest of the file is refused: the server says why.
        let server = config::server(file, &config::environment())
            .context("the configuration does not say where the server's data directory is (server.data)")?;
        let reply = block_on(async {
            let client = Client::find(&server.data).await?;
            let client = client.ok_or_else(|| missing_server(&server.data))?;
            let progress = terminal::Progress::start("the server reads its configuration");
            let reply = client.ask(&ControlRequest::Reload, PATIENCE).await;
            drop(progress);
            anyhow::Ok(reply?)
        })??;
        let reloaded = match reply {
            ControlReply::Reloaded(reloaded) => reloaded,
            ControlReply::Refused { reason } => {
                anyhow::bail!("the new configuration is refused; the old one goes on\n{reason}")
            }
            _ => return Err(unexpected()),
        };
        for warning in &reloaded.warnings {
            terminal::note(&format!("warning: {warning}"));
        }
        terminal::print("the configuration was reloaded");
        let lists = [
            ("changed", &reloaded.changed),
            ("taken over at the next start", &reloaded.at_next_start),
        ];
        for (title, names) in lists {
            if !names.is_empty() {
                terminal::print(&format!("  {title}: {}", names.join(", ")));
            }
        }
        if reloaded.changed.is_empty() && reloaded.at_next_start.is_empty() {
            terminal::print("  nothing changed");
        }
        Ok(Done::Well)
    }
}
