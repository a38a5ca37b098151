//! `pivotd restore`: puts a backup in the place of the store.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use super::backup::shown;
use super::serve::load;
use super::session::located;
use super::table::{Column, WIDER, render};
use super::{ConfigFile, ExitStatus, block_on, terminal};
use crate::app::make_folder;
use crate::ask::message::time_text;
use crate::clock::SystemClock;
use crate::config::settings::{BudgetWindow, Resets, Settings};
use crate::control::client::Client;
use crate::engine::windows::window;
use crate::storage::redb::restore::{RestoreRequest, Restored, RestoredRow, restore};

/// A clock further on than this is not believed at first.
const NO_JUMP: SignedDuration = SignedDuration::from_hours(24);
/// The windows of budgets.
const WINDOWS: [BudgetWindow; 4] = [
    BudgetWindow::Hour,
    BudgetWindow::Day,
    BudgetWindow::Month,
    BudgetWindow::Total,
];

/// Put a backup in the place of the store, while no server runs. The backup is verified first. What must not go back in time is
/// taken from the store that lies there, where it can be read: what was spent since, and which tokens were revoked.
#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// The backup.
    #[arg(value_name = "FILE")]
    backup: PathBuf,
    /// Take the place of a store that lies there; it is kept beside as pivotd.redb.before-restore-TIME.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    file: ConfigFile,
}

impl Restore {
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        let Self { backup, force, file } = self;
        let config = file.config.as_deref();
        let folder = located(config)?.data;
        let loaded = load(config);
        if let Err(error) = &loaded {
            terminal::note(&format!("note: {error:#}\nthe backup is restored all the same"));
        }
        let settings = loaded.as_ref().ok().map(|loaded| &loaded.settings);
        if block_on(Client::find(&folder))??.is_some() {
            anyhow::bail!(
                "a server runs over the data directory {}; stop it, restore, and start it again",
                folder.display()
            );
        }
        if !folder.is_dir() {
            crate::storage::redb::verify(&backup)?;
            make_folder(&folder)?;
            terminal::note(&format!("note: the data directory {} was made", folder.display()));
        }
        let restored = restore(&RestoreRequest {
            file: backup,
            folder,
            force,
            min_free: settings.map_or(0, |settings| settings.store.min_free),
            now: SystemClock::shared().now(),
        })?;
        terminal::print_lines(&shown(&restored.backup));
        terminal::print_lines(&counts(&restored, settings));
        tell(&restored, &file);
        Ok(ExitStatus::Well)
    }
}

/// Says in words what is not as it was, and what to do.
fn tell(restored: &Restored, file: &ConfigFile) {
    let made_at = restored.backup.contents.made_at;
    let since = time_text(made_at);
    let command = |words| terminal::command(words, file.config.as_deref());
    terminal::print(&format!("\nrestored {}", restored.path.display()));
    let mut is_taken = false;
    if let Some(former) = &restored.former {
        terminal::print(&format!(
            "the store that lay there is kept as {}",
            former.kept.display()
        ));
        match &former.untaken {
            Some(reason) => terminal::print(&format!("nothing was taken from it: {reason}")),
            None => {
                is_taken = true;
                let revoked = former.revoked.len();
                terminal::print(&format!(
                    "taken from it: what was spent since the backup, and {revoked} token{} that {} revoked since and stay{} so",
                    if revoked == 1 { "" } else { "s" },
                    if revoked == 1 { "was" } else { "were" },
                    if revoked == 1 { "s" } else { "" },
                ));
            }
        }
    }
    if !is_taken {
        terminal::print(&format!(
            "what was spent after {since} is not counted: until the windows above have ended, their budgets let more through \
             than they say; compare with the vendors' own counts, and lower the budgets until then"
        ));
        terminal::print(&format!(
            "tokens that were revoked after {since} are valid again: look at `{}`",
            command("tokens list")
        ));
        if SystemClock::shared().now().duration_since(made_at) > NO_JUMP {
            terminal::print(&format!(
                "the server will not believe the clock at first, since the backup is older than a day: `{}` says that it is right",
                command("clock --confirm")
            ));
        }
    }
    terminal::print(&format!(
        "what was decided, said and answered after {since} is not in it; start `{}`",
        command("serve")
    ));
}

/// A row of the ledger, taken apart.
struct Count<'a> {
    tenant: &'a str,
    provider: &'a str,
    product: &'a str,
    unit: &'a str,
    window: &'a str,
    row: &'a RestoredRow,
}

impl<'a> Count<'a> {
    fn of(row: &'a RestoredRow) -> Option<Self> {
        // From both ends: an account's name may hold the separator.
        let mut ends = row.key.rsplitn(4, '|');
        let (window, unit, product) = (ends.next()?, ends.next()?, ends.next()?);
        let mut starts = ends.next()?.splitn(3, '|');
        Some(Self {
            tenant: starts.next()?,
            provider: starts.next()?,
            product,
            unit,
            window,
            row,
        })
    }

    /// Tells whether its window was open when the backup was made.
    fn was_open(&self, settings: Option<&Settings>, at: Timestamp) -> bool {
        let resets = settings.and_then(|settings| settings.providers.get(self.provider));
        let utc = Resets {
            day: 1,
            time: jiff::civil::Time::midnight(),
            zone: jiff::tz::TimeZone::UTC,
        };
        let resets = resets.map_or(&utc, |provider| &provider.resets);
        WINDOWS
            .into_iter()
            .any(|kind| window(kind, resets, at).id == self.window)
    }

    fn amount(&self, amount: i64) -> String {
        match self.unit {
            "micros" => format!("{}.{:06}", amount / 1_000_000, (amount % 1_000_000).abs()),
            unit => format!("{amount} {unit}"),
        }
    }
}

/// Lists the windows that were open when the backup was made, with what they count.
fn counts(restored: &Restored, settings: Option<&Settings>) -> String {
    let at = restored.backup.contents.made_at;
    let open: Vec<Count<'_>> = restored
        .spent
        .iter()
        .filter_map(Count::of)
        .filter(|count| count.was_open(settings, at))
        .collect();
    if open.is_empty() {
        return "\nnothing was spent in a window that was open when the backup was made".to_owned();
    }
    let text = |of: fn(&Count<'_>) -> String| open.iter().map(of).collect::<Vec<_>>();
    let columns = vec![
        Column::fixed("Provider", text(|count| count.provider.to_owned())),
        Column::flexible("Tenant", text(|count| count.tenant.to_owned())),
        Column::fixed("Product", text(|count| count.product.to_owned())),
        Column::fixed("Window", text(|count| count.window.to_owned())),
        Column::fixed(
            "Backup counts",
            open.iter().map(|count| count.amount(count.row.backup)),
        ),
        Column::fixed(
            "Counted now",
            open.iter().map(|count| count.amount(count.row.restored)),
        ),
    ];
    format!(
        "\nwindows that were open when the backup was made:\n{}",
        render(columns, terminal::width(), WIDER)
    )
}
