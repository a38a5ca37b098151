//! `pivotd clock`: whether the machine's clock is believed.

use super::session::once;
use super::{ConfigFile, ExitStatus, block_on, terminal};
use crate::ask::message::time_text;
use crate::http::admin::clock::{ConfirmClock, GetClock};

/// Say whether the clock is believed. After a jump of more than a day it is not, until the jump has lasted or
/// `--confirm` says that the clock is right.
#[derive(Debug, clap::Args)]
pub(super) struct Clock {
    /// Say that the clock is right: budgets and times of keeping go by it from now on.
    #[arg(long)]
    confirm: bool,
    #[command(flatten)]
    file: ConfigFile,
}

impl Clock {
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        let Self { confirm, file } = self;
        let (config, what) = (file.config.as_deref(), "the clock");
        let view = if confirm {
            block_on(once(config, &ConfirmClock, what))??
        } else {
            block_on(once(config, &GetClock, what))??
        };
        let clock = time_text(view.reading);
        let Some(at) = view.believed_at else {
            terminal::print(&format!("the clock says {clock} and is believed"));
            return Ok(ExitStatus::Well);
        };
        terminal::print_lines(&format!(
            "the clock says {clock} and is not believed before {}\nthe last known time went on to {}\nif the clock is right, \
             `{}` says so",
            time_text(at),
            time_text(view.known),
            terminal::command("clock --confirm", file.config.as_deref())
        ));
        Ok(ExitStatus::WithError)
    }
}
