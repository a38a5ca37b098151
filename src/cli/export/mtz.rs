//! `pivotd export mtz` and `pivotd export hub-item`: what a Maltego client imports and shows.
//!
//! The bytes are those that the server answers a client's `_CONFIG` with.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};

use super::{listed, note_left_out};
use crate::VERSION;
use crate::cli::serve::{load, write_private};
use crate::cli::session::{Session, elsewhere, token_in};
use crate::cli::{ConfigFile, block_on, terminal};
use crate::config::{Loaded, values};
use crate::http::transforms::ListTransforms;
use crate::maltego::discovery::Seed;
use crate::maltego::hub_item;
use crate::maltego::json::documents;
use crate::maltego::listing::{Listing, ListingEntry};
use crate::maltego::mtz::{LocalRunner, configuration, local_configuration};

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
    /// With --local, on the analyst's machine: the server to ask, by the URL that clients call. What it offers is written; no
    /// configuration is needed here.
    #[arg(long, value_name = "URL", requires = "local", conflicts_with_all = ["public_url", "all"])]
    server: Option<String>,
    /// With --local: a PEM file with the authority that signed the server's certificate, where the analyst's machine does not know it.
    #[arg(long, value_name = "FILE", requires = "local")]
    ca_file: Option<PathBuf>,
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
        let out = &self.out;
        let (listing, base_url) = match (&self.server, &self.token_file) {
            (Some(server), Some(token_file)) => {
                let base_url =
                    values::public_url(server).map_err(|error| anyhow::anyhow!("--server: {error}"))?;
                (
                    offered_at(&base_url, token_file, self.ca_file.as_deref())?,
                    base_url,
                )
            }
            _ => {
                let loaded = load(config)?;
                (listed(&loaded, self.all), base_url(self.public_url, &loaded)?)
            }
        };
        match self.token_file.as_deref() {
            Some(token_file) if self.local => {
                let command = match self.command {
                    Some(command) => command,
                    None => std::env::current_exe()
                        .context("the path of this program is not known; give --command")?,
                };
                let token_file =
                    std::path::absolute(token_file).with_context(|| token_file.display().to_string())?;
                let ca_file = self.ca_file.as_deref().map(std::path::absolute).transpose()?;
                let place = LocalPlace {
                    base_url: &base_url,
                    token_file: path(&token_file)?,
                    ca_file: ca_file.as_deref().map(path).transpose()?,
                };
                let arguments = |entry: ListingEntry<'_>| place.arguments(entry);
                let runner = LocalRunner {
                    command: path(&command)?,
                    arguments: &arguments,
                    folder: FOLDER,
                };
                write(out, &local_configuration(&listing, VERSION, &runner)?)?;
            }
            Some(token_file) => {
                let token = path_token(token_file)?;
                let bytes = configuration(
                    &listing,
                    &Seed::new(format!("{base_url}/t/{}", token.expose_secret()), VERSION),
                )?;
                write_private(out, &bytes).with_context(|| out.display().to_string())?;
                terminal::note("the token is inside: the file is for its analyst alone");
            }
            None => {
                write(out, &configuration(&listing, &Seed::new(base_url, VERSION))?)?;
                terminal::note(
                    "no token is inside: each analyst gives one in the setting global#pivotd.token; with --token-file it \
                     stands in the file",
                );
            }
        }
        let (entries, transforms) = (listing.offered_entries().count(), listing.offered().count());
        terminal::note(&format!(
            "wrote {} ({transforms} transforms, {entries} entries: one for each type of input)",
            out.display()
        ));
        note_left_out(&listing, config);
        Ok(())
    }
}

/// Asks a server elsewhere what it offers.
fn offered_at(base_url: &str, token_file: &Path, ca_file: Option<&Path>) -> anyhow::Result<Listing> {
    let server = elsewhere(base_url, token_file, ca_file)?;
    let offered = block_on(async { Session::remote(server).call(&ListTransforms, "the server").await })??;
    // Names become arguments of commands.
    let is_plain = |text: &String| {
        let is = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        !text.is_empty() && !text.starts_with('-') && text.bytes().all(is)
    };
    for one in &offered {
        anyhow::ensure!(
            is_plain(&one.name) && one.inputs.iter().all(is_plain),
            "the server lists a transform whose name, or one of whose types, no command can take"
        );
    }
    Ok(Listing::new(offered))
}

impl HubItem {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let loaded = load(self.file.config.as_deref())?;
        let item = hub_item::HubItem::new(&Seed::new(base_url(self.public_url, &loaded)?, VERSION));
        match self.format {
            Format::Xml => terminal::print_data(item.xml().trim_end()),
            Format::Json => terminal::print_data(std::str::from_utf8(&documents::hub_item(&item))?),
        }
        Ok(())
    }
}

fn base_url(given: Option<String>, loaded: &Loaded) -> anyhow::Result<String> {
    given.or_else(|| loaded.settings.server.public_url.clone()).context(
        "server.public_url is not set, so no URL can be written for clients; set it to what they call, or give --public-url",
    )
}

/// Is what a local transform is told of its server.
struct LocalPlace<'a> {
    base_url: &'a str,
    token_file: &'a str,
    ca_file: Option<&'a str>,
}

impl LocalPlace<'_> {
    /// Returns what pivotd is started with for an entry, before the value and the properties that the client adds: values may begin
    /// with a dash.
    fn arguments(&self, entry: ListingEntry<'_>) -> Vec<String> {
        let (server, token_file) = (self.base_url, self.token_file);
        let mut all = vec!["run", "--format", "xml", "--type", entry.input];
        all.extend(["--server", server, "--token-file", token_file]);
        all.extend(self.ca_file.into_iter().flat_map(|file| ["--ca-file", file]));
        all.extend([entry.transform.name.as_str(), "--"]);
        all.into_iter().map(str::to_owned).collect()
    }
}

/// Reads a token that can stand in a path.
fn path_token(file: &Path) -> anyhow::Result<SecretString> {
    let token = token_in(file)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    anyhow::ensure!(
        token.expose_secret().bytes().all(plain),
        "{}: a token with such characters cannot stand in a URL; `pivotd tokens create` makes one that can",
        file.display()
    );
    Ok(token)
}

fn path(path: &Path) -> anyhow::Result<&str> {
    path.to_str()
        .with_context(|| format!("{}: the path is no text that a client could read", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| path.display().to_string())
}
