//! `pivotd reload`: lets the running server read its configuration again.

use std::path::Path;
use std::time::Duration;

use super::differs::{file_of, is_other_file};
use super::session::{located, missing_server};
use super::starting::whole;
use super::{ConfigFile, ExitStatus, block_on, terminal};
use crate::control::client::{Client, ControlError};
use crate::http::admin::server::{self, GetState};

/// How long a server may take: a list of a million names is read within seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Let the running server read its configuration again.
#[derive(Debug, clap::Args)]
pub(super) struct Reload {
    #[command(flatten)]
    file: ConfigFile,
}

impl Reload {
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        let file = self.file.config.as_deref();
        // Where the server is, is read even where another section is refused: the server says why.
        let server = located(file)?;
        let reply = block_on(async {
            let client = Client::find(&server.data).await?;
            let client = client.ok_or_else(|| missing_server(&server.data))?;
            let state = client.call(&GetState, Some(PATIENCE)).await?;
            same_file(state.file.as_deref(), &server.data, file)?;
            let progress = terminal::Progress::start("the server reads its configuration");
            let reply = client.call(&server::Reload, Some(PATIENCE)).await;
            drop(progress);
            anyhow::Ok(reply)
        })??;
        let reloaded = match reply {
            Err(ControlError::Refused(reason)) => {
                anyhow::bail!("the new configuration is refused; the old one goes on\n{reason}")
            }
            reply => reply?,
        };
        for warning in &reloaded.warnings {
            terminal::note(&format!("warning: {warning}"));
        }
        terminal::print(&format!(
            "the configuration was reloaded from {}",
            file_of(reloaded.file.as_deref())
        ));
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
        Ok(ExitStatus::Well)
    }
}

/// Refuses to reload where the server would read another file than the one that is named.
fn same_file(server: Option<&Path>, data: &Path, config: Option<&Path>) -> anyhow::Result<()> {
    let Some(named) = config.filter(|_| is_other_file(server, config)) else {
        return Ok(());
    };
    let own = file_of(server);
    anyhow::bail!(
        "nothing was reloaded: the running server of {} reads {own}, not {}; reload with `{}`, or start the server with the \
         other file",
        whole(data),
        whole(named),
        terminal::command("reload", server),
    )
}
