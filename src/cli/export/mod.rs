//! `pivotd export`: files for Maltego clients, for a Maltego distribution server (TDS), and for tools.

mod csv;
mod mtz;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{ConfigFile, ExitStatus, terminal};
use crate::catalogue::{self, Catalogue};
use crate::config::{self, Loaded, values};
use crate::http::docs::{self, Edition};
use crate::maltego::listing::{ListedTransform, Listing};

/// A file to start from that lies over the compiled-in configuration.
const OVERLAY: &str = "\
# What stands here goes before the compiled-in configuration, which `pivotd export config` prints with its manual.
# Tables merge by name, as transforms do; other lists replace; `remove = true` takes an entry away.
extends = \"built-in\"

# [server]
# public_url = \"https://pivot.example.org\"

# [providers.virustotal]
# rate   = [\"1000/min\"]
# budget = []                                # an empty list takes the built-in one away

# [providers.domaintools]                    # its transforms go, too
# remove = true

# [[transform]]
# name   = \"threatgrid.mutexes\"
# remove = true
";

/// Write files for Maltego clients, for a distribution server and for tools.
#[derive(Debug, clap::Args)]
pub(super) struct Export {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Write transforms.csv and settings.csv, to be imported by a TDS.
    Csv {
        /// The folder.
        #[arg(long, value_name = "FOLDER", default_value = ".")]
        out: PathBuf,
        /// What the TDS calls this server; over the configuration.
        #[arg(long, value_name = "URL", value_parser = values::public_url)]
        public_url: Option<String>,
        /// Transforms whose provider has no key here, too: for analysts who bring their own.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        file: ConfigFile,
    },
    /// Write the configuration file that a Maltego client imports: transforms, entity types, icons, machines and this server.
    Mtz(mtz::Mtz),
    /// Print what the hub of a Maltego client shows of this server.
    HubItem(mtz::HubItem),
    /// Print the compiled-in configuration, to start a file of your own from; its comments are the manual.
    Config {
        /// Print a short file instead that lies over the compiled-in configuration, to say in it what differs.
        #[arg(long)]
        overlay: bool,
    },
    /// Print the OpenAPI document.
    Openapi {
        /// The edition of the specification: 3.1 says the most, older ones are for tools that cannot read it.
        #[arg(long, value_name = "EDITION", value_enum, default_value_t)]
        spec: Edition,
        /// A file to write instead.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

impl Export {
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        match self.command {
            Command::Csv {
                out,
                public_url,
                all,
                file,
            } => csv::export(&out, public_url, all, file.config.as_deref())?,
            Command::Mtz(command) => command.run()?,
            Command::HubItem(command) => command.run()?,
            Command::Config { overlay: false } => terminal::print_data(config::DEFAULT_FILE.trim_end()),
            Command::Config { overlay: true } => terminal::print_data(OVERLAY.trim_end()),
            Command::Openapi {
                spec,
                out: Some(path),
            } => {
                fs::write(&path, docs::json(spec)?).with_context(|| path.display().to_string())?;
                terminal::note(&format!("wrote {}", path.display()));
            }
            Command::Openapi { spec, out: None } => terminal::print_data(&docs::json(spec)?),
        }
        Ok(ExitStatus::Well)
    }
}

/// Lists what a configuration offers, or all that it has where transforms without a key are wanted, too.
fn listed(loaded: &Loaded, keyless: bool) -> Listing {
    let catalogue = Catalogue::build(&loaded.settings, 1);
    let listing = catalogue::listing(&catalogue, &loaded.providers);
    if !keyless {
        return listing;
    }
    let offered = |one: &ListedTransform| ListedTransform {
        is_offered: true,
        ..one.clone()
    };
    Listing::new(listing.transforms().iter().map(offered).collect())
}

/// Says how many transforms a file does not have.
fn note_left_out(listing: &Listing, config: Option<&Path>) {
    let left_out = listing.transforms().len() - listing.offered().count();
    if left_out > 0 {
        terminal::note(&format!(
            "{left_out} transforms are left out, since their provider has no key here (`{}` says which); --all \
             writes them, too",
            terminal::command("check", config)
        ));
    }
}
