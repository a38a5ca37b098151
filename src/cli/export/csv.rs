//! `pivotd export csv`: files for a Maltego distribution server (TDS).
//!
//! The columns are those that maltego-trx writes for the import of a TDS. There one row has one input type, so a
//! transform has a row for each entry of the listing; all of them have the URL of the one transform.

use std::fs;
use std::path::Path;

use anyhow::Context;

use super::{listed, note_left_out};
use crate::VERSION;
use crate::cli::serve::load;
use crate::cli::terminal;
use crate::maltego::listing::{ListingEntry, OWNER, TransformSetting};

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

/// Writes the files into a folder.
pub(super) fn export(
    out: &Path,
    public_url: Option<String>,
    keyless: bool,
    config: Option<&Path>,
) -> anyhow::Result<()> {
    let loaded = load(config)?;
    let base = public_url.or_else(|| loaded.settings.server.public_url.clone()).context(
        "server.public_url is not set, so no URL can be written for the TDS; set it to what clients call, or give \
         --public-url",
    )?;
    let listing = listed(&loaded, keyless);
    let rows: Vec<Vec<String>> = listing
        .offered_entries()
        .map(|entry| transform_row(entry, &base))
        .collect();
    let mut all: Vec<TransformSetting> = Vec::new();
    for setting in listing.offered().flat_map(|transform| &transform.settings) {
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
    note_left_out(&listing, config);
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
        VERSION.to_owned(),
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
