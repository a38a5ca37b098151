//! `pivotd check`: is the configuration right, and what does it amount to?

use super::serve::{descriptors, load};
use super::{ConfigFile, Done, block_on, keys, session, terminal};
use crate::catalogue::Catalogue;
use crate::config;
use crate::control::ControlRequest;

/// Validate the configuration and print what it amounts to.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    #[command(flatten)]
    file: ConfigFile,
    /// Also ask each provider whether name, TLS and key work, by its account call.
    #[arg(long)]
    online: bool,
}

impl Check {
    pub(super) fn run(self) -> anyhow::Result<Done> {
        let loaded = load(self.file.config.as_deref())?;
        let catalogue = Catalogue::build(&loaded.settings, 1);
        terminal::print(config::report(&loaded, &catalogue, &descriptors()).trim_end());
        let mut done = Done::Well;
        if let Err(reasons) = loaded.settings.check_exposure() {
            terminal::error(&format!("serve will refuse to start\n{}", reasons.join("\n")));
            done = Done::WithError;
        }
        if self.online {
            let request = ControlRequest::KeysTest { provider: None };
            let file = self.file.config.as_deref();
            let reply = block_on(session::once(file, request, "asking each provider about its key"))??;
            terminal::print("\nOnline");
            if keys::show(reply)? == Done::WithError {
                done = Done::WithError;
            }
        }
        Ok(done)
    }
}
