//! `pivotd export`: files for a Maltego distribution server (TDS) and for tools.
//!
//! The columns are those that maltego-trx writes for the import of a TDS. There one row has one input type, so a
//! transform has a row for each entry of the listing; all of them have the URL of the one transform.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::serve::load;
use super::{ConfigFile, ExitStatus, terminal};
use crate::catalogue::{Catalogue, listing};
use crate::config::{self, values};
use crate::http::docs::{self, Edition};
use crate::maltego::listing::{ListedTransform, ListingEntry, OWNER, TransformSetting};

/// A TDS takes this many rows in one file, by maltego-trx.
const MOST_ROWS: usize = 100;

const TRANSFORM_HEAD: [&str; 13] = [
    "Owner",
    "Author",
    "Disclaimer",
    "Description",
    "Version",
    "Name",
    "UIName",
    "URL",
    "entityName",
    "oAuthSettingId",
    "transformSettingIDs",
    "seedIDs",
    "outputEntities",
];
const SETTING_HEAD: [&str; 6] = ["Name", "Type", "Display", "DefaultValue", "Optional", "Popup"];

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

/// Write files for a Maltego distribution server and for tools.
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
            } => csv(&out, public_url, all, file.config.as_deref())?,
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

fn csv(out: &Path, public_url: Option<String>, keyless: bool, config: Option<&Path>) -> anyhow::Result<()> {
    let loaded = load(config)?;
    let base = public_url.or_else(|| loaded.settings.server.public_url.clone()).context(
        "server.public_url is not set, so no URL can be written for the TDS; set it to what clients call, or give \
         --public-url",
    )?;
    let catalogue = Catalogue::build(&loaded.settings, 1);
    let listing = listing(&catalogue, &loaded.providers);
    let is_written = |transform: &ListedTransform| keyless || transform.is_offered;
    let entries = listing.entries().filter(|entry| is_written(entry.transform));
    let rows: Vec<Vec<String>> = entries.map(|entry| transform_row(entry, &base)).collect();
    let mut all: Vec<TransformSetting> = Vec::new();
    let chosen = listing
        .transforms()
        .iter()
        .filter(|transform| is_written(transform));
    for setting in chosen.flat_map(|transform| &transform.settings) {
        match all.iter_mut().find(|known| known.name == setting.name) {
            // Transforms differ, and a TDS keeps one default for all: left empty, each takes its own.
            Some(known) if known.default != setting.default => known.default = None,
            Some(_) => {}
            None => all.push(setting.clone()),
        }
    }
    fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    clear(out)?;
    write(out, "transforms", &TRANSFORM_HEAD, &rows)?;
    let rows: Vec<Vec<String>> = all.iter().map(setting_row).collect();
    write(out, "settings", &SETTING_HEAD, &rows)?;
    let left_out = listing
        .transforms()
        .iter()
        .filter(|transform| !is_written(transform))
        .count();
    if left_out > 0 {
        terminal::note(&format!(
            "{left_out} transforms are left out, since their provider has no key here (`{}` says which); --all \
             writes them, too",
            terminal::command("check", config)
        ));
    }
    Ok(())
}

/// Makes the row of a transform with one input type.
fn transform_row(entry: ListingEntry<'_>, base: &str) -> Vec<String> {
    let transform = entry.transform;
    let ids: Vec<&str> = transform
        .settings
        .iter()
        .map(|setting| setting.name.as_str())
        .collect();
    vec![
        OWNER.to_owned(),
        OWNER.to_owned(),
        String::new(),
        transform.about.clone(),
        env!("CARGO_PKG_VERSION").to_owned(),
        entry.name.to_owned(),
        transform.title.clone(),
        format!("{base}/run/{}", transform.name),
        entry.input.to_owned(),
        String::new(),
        ids.join(";"),
        String::new(),
        transform.outputs.join(";"),
    ]
}

fn setting_row(setting: &TransformSetting) -> Vec<String> {
    let yes_no = if setting.popup { "Yes" } else { "No" };
    let true_false = if setting.optional { "True" } else { "False" };
    let default = setting.default.clone().unwrap_or_default();
    vec![
        setting.name.clone(),
        setting.kind.id().to_owned(),
        setting.display.clone(),
        default,
        true_false.to_owned(),
        yes_no.to_owned(),
    ]
}

/// Removes what an earlier export wrote into a folder: an import of the folder would take that, too.
fn clear(folder: &Path) -> anyhow::Result<()> {
    let mut gone = 0;
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry.with_context(|| folder.display().to_string())?.path();
        let name = path.file_name().and_then(std::ffi::OsStr::to_str);
        if name.is_some_and(is_part) {
            fs::remove_file(&path).with_context(|| path.display().to_string())?;
            gone += 1;
        }
    }
    if gone > 0 {
        terminal::note(&format!("removed {gone} files of an earlier export"));
    }
    Ok(())
}

/// Tells whether a file is called as [`write()`] calls one.
fn is_part(name: &str) -> bool {
    let Some(stem) = name.strip_suffix(".csv") else {
        return false;
    };
    ["transforms", "settings"].iter().any(|known| {
        let part = stem.strip_prefix(known);
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        part.is_some_and(|part| {
            part.is_empty()
                || part
                    .strip_prefix('_')
                    .and_then(|part| part.split_once('-'))
                    .is_some_and(|(at, count)| is_number(at) && is_number(count))
        })
    })
}

/// Writes rows in files of at most [`MOST_ROWS`], each with the head: `name.csv`, or `name_1-3.csv` and so on.
fn write(folder: &Path, name: &str, head: &[&str], rows: &[Vec<String>]) -> anyhow::Result<()> {
    let parts: Vec<&[Vec<String>]> = rows.chunks(MOST_ROWS).collect();
    for (at, part) in parts.iter().enumerate() {
        let file = match parts.len() {
            1 => format!("{name}.csv"),
            count => format!("{name}_{}-{count}.csv", at + 1),
        };
        let path = folder.join(file);
        let mut writer = csv::Writer::from_path(&path).with_context(|| path.display().to_string())?;
        writer.write_record(head)?;
        for row in *part {
            writer.write_record(row)?;
        }
        writer.flush().with_context(|| path.display().to_string())?;
        terminal::note(&format!("wrote {} ({} rows)", path.display(), part.len()));
    }
    Ok(())
}
