//! `pivotd export mtz` and `pivotd export hub-item`: what a Maltego client imports and shows.
//!
//! The bytes are those that the server answers a client's `_CONFIG` with.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::json;

use super::{listed, note_left_out};
use crate::cli::serve::{load, write_private};
use crate::cli::{ConfigFile, terminal};
use crate::config::{Loaded, values};
use crate::maltego::discovery::Seed;
use crate::maltego::hub_item;
use crate::maltego::listing::OWNER;
use crate::maltego::mtz::{LocalRunner, configuration, local_configuration};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The longest file that is taken for one with a token.
const LONGEST_TOKEN: u64 = 4096;
/// Where a client starts the program: a folder that is on every machine.
const FOLDER: &str = "/";

#[derive(Debug, clap::Args)]
pub(super) struct Mtz {
    /// The file.
    #[arg(long, value_name = "FILE", default_value = "pivotd.mtz")]
    out: PathBuf,
    /// What clients call this server; over the configuration.
    #[arg(long, value_name = "URL", value_parser = values::public_url)]
    public_url: Option<String>,
    /// A file with an analyst's token: it stands in the URLs, so the result is for this analyst alone. With --local the file's
    /// path, which the client hands over; the token is then not inside.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// For clients that can add no server: transforms that start pivotd on the analyst's machine, which asks the server.
    #[arg(long, requires = "token_file")]
    local: bool,
    /// With --local: where pivotd lies on the analyst's machine [default: this program].
    #[arg(long, value_name = "PATH", requires = "local")]
    command: Option<PathBuf>,
    /// Transforms whose provider has no key here, too: for analysts who bring their own.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Debug, clap::Args)]
pub(super) struct HubItem {
    /// The form: xml for classic clients, json for those of protocol v3.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// What clients call this server; over the configuration.
    #[arg(long, value_name = "URL", value_parser = values::public_url)]
    public_url: Option<String>,
    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    #[default]
    Xml,
    Json,
}

impl Mtz {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let config = self.file.config.as_deref();
        let loaded = load(config)?;
        let base_url = base_url(self.public_url, &loaded)?;
        let listing = listed(&loaded, self.all);
        let out = &self.out;
        match self.token_file.as_deref() {
            Some(token_file) if self.local => {
                let command = match self.command {
                    Some(command) => command,
                    None => std::env::current_exe()
                        .context("the path of this program is not known; give --command")?,
                };
                let token_file =
                    std::path::absolute(token_file).with_context(|| token_file.display().to_string())?;
                let after = ["--server", &base_url, "--token-file", path(&token_file)?].map(str::to_owned);
                let runner = LocalRunner {
                    command: path(&command)?,
                    before: &["maltego-local".to_owned()],
                    after: &after,
                    folder: FOLDER,
                };
                write(out, &local_configuration(&listing, VERSION, &runner)?)?;
            }
            Some(token_file) => {
                let token = read_token(token_file)?;
                let bytes = configuration(&listing, &seed(format!("{base_url}/t/{token}")))?;
                write_private(out, &bytes).with_context(|| out.display().to_string())?;
                terminal::note("the token is inside: the file is for its analyst alone");
            }
            None => {
                write(out, &configuration(&listing, &seed(base_url))?)?;
                terminal::note(
                    "no token is inside: each analyst gives one in the setting global#pivotd.token; with --token-file it \
                     stands in the file",
                );
            }
        }
        let entries = listing.offered_entries().count();
        terminal::note(&format!("wrote {} ({entries} transforms)", out.display()));
        note_left_out(&listing, config);
        Ok(())
    }
}

impl HubItem {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let loaded = load(self.file.config.as_deref())?;
        let item = hub_item::HubItem::new(&seed(base_url(self.public_url, &loaded)?));
        match self.format {
            Format::Xml => terminal::print_data(item.xml().trim_end()),
            Format::Json => {
                let json = json!({
                    "id": item.id,
                    "displayName": item.display_name,
                    "description": item.description,
                    "iconUrl": item.icon_url,
                    "previewImageUrl": null,
                    "provider": {
                        "name": item.provider.name,
                        "website": item.provider.website,
                        "email": item.provider.email,
                        "phone": null,
                    },
                });
                terminal::print_data(&format!("{json:#}"));
            }
        }
        Ok(())
    }
}

fn seed(base_url: String) -> Seed {
    Seed {
        name: OWNER.to_owned(),
        base_url,
        version: VERSION.to_owned(),
    }
}

fn base_url(given: Option<String>, loaded: &Loaded) -> anyhow::Result<String> {
    given.or_else(|| loaded.settings.server.public_url.clone()).context(
        "server.public_url is not set, so no URL can be written for clients; set it to what they call, or give --public-url",
    )
}

/// Reads a token that can stand in a path.
fn read_token(path: &Path) -> anyhow::Result<String> {
    let length = fs::metadata(path)
        .with_context(|| path.display().to_string())?
        .len();
    anyhow::ensure!(
        length <= LONGEST_TOKEN,
        "{}: it is too long for a token",
        path.display()
    );
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let token = text.trim();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    anyhow::ensure!(
        !token.is_empty() && token.bytes().all(plain),
        "{}: expected a token alone, as `pivotd tokens create` prints it",
        path.display()
    );
    Ok(token.to_owned())
}

fn path(path: &Path) -> anyhow::Result<&str> {
    path.to_str()
        .with_context(|| format!("{}: the path is no text that a client could read", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| path.display().to_string())
}
