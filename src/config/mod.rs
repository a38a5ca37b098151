//! Reads `transforms.toml` and the environment into `Settings`; a wrong file is refused with line and reason.
//!
//! `tree` reads the file with positions and lays the environment over it, `extends` lays a file over the compiled-in one,
//! `reader` takes typed values out of it
//! and collects every fault, `values` reads the small languages of single values; the other files read one
//! section each.

mod constraint;
mod entities;
mod extends;
mod issuers;
pub mod level;
mod lists;
pub mod problem;
mod providers;
mod reader;
pub(crate) mod report;
mod reputation;
mod secrets;
mod sections;
pub mod settings;
mod tenants;
#[cfg(test)]
pub(crate) mod tests;
mod transforms;
mod tree;
pub mod values;

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::providers::Providers;

pub use extends::OverlayChange;
use extends::{Scope, lay_over};
pub use problem::{ConfigErrors, Origin, Problem};
pub use reader::Effective;
pub use report::{Report, Verdict};
use settings::ServerSettings;
pub use settings::Settings;

/// The file that is compiled in. Its comments are the manual.
pub const DEFAULT_FILE: &str = include_str!("../../transforms.toml");
/// Name under which messages speak of the compiled-in file.
pub const DEFAULT_NAME: &str = "transforms.toml";
/// Name under which messages speak of it where another file lies over it, which may be called the same.
pub const BUILT_IN_NAME: &str = "built-in transforms.toml";
/// The sections that a file may have.
const SECTIONS: [&str; 14] = [
    "server",
    "log",
    "cache",
    "store",
    "issuers",
    "maltego",
    "deadlines",
    "alerts",
    "decisions",
    "reputation",
    "providers",
    "lists",
    "scales",
    "transform",
];

/// Holds the settings, what is doubtful about them, and where each came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// The providers that it was checked against.
    pub providers: Providers,
    /// What is doubtful but does not keep the server from starting.
    pub warnings: Vec<Problem>,
    /// Effective values and where each came from; secrets are masked.
    pub origins: Vec<Effective>,
    /// What the file says otherwise than the compiled-in one; `None` where it does not lie over that.
    pub changes: Option<Vec<OverlayChange>>,
}

/// Returns the variables of this process; those that are not Unicode are left out.
#[must_use]
pub fn environment() -> Vec<(String, String)> {
    let unicode = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(unicode).collect()
}

/// Loads a file, or the compiled-in one, and lays `PIVOTD__SECTION__KEY` of `variables` over it.
///
/// # Errors
/// [`ConfigErrors`] with every fault, each with file, line and column or the variable's name.
pub fn load(
    file: Option<&Path>,
    variables: &[(String, String)],
    known: &Providers,
) -> Result<Loaded, ConfigErrors> {
    let Some(file) = file else {
        return read(DEFAULT_NAME, DEFAULT_FILE, false, variables, known);
    };
    let name = file.display().to_string();
    let found = fs::metadata(file).map_err(|error| unreadable(&name, &error))?;
    let text = fs::read_to_string(file).map_err(|error| unreadable(&name, &error))?;
    read(&name, &text, secrets::is_public(&found), variables, known)
}

fn unreadable(name: &str, error: &std::io::Error) -> ConfigErrors {
    ConfigErrors {
        problems: vec![Problem {
            origin: Origin::Default,
            message: format!("{name}: cannot be read: {error}"),
        }],
    }
}

/// Reads `[server]` alone, for commands that act on the server that the configuration names: a fault of another section stops
/// none of them, one that may hide the data directory does, since they would act on another server. Returns what is doubtful
/// as well.
///
/// # Errors
/// [`ConfigErrors`] where the file cannot be read or is no TOML, where it lies over a file that is not known, where `[server]`
/// or its name has a fault.
pub fn located(
    file: Option<&Path>,
    variables: &[(String, String)],
) -> Result<(ServerSettings, Vec<Problem>), ConfigErrors> {
    let mut tree = match file {
        Some(file) => {
            let name = file.display().to_string();
            let text = fs::read_to_string(file).map_err(|error| unreadable(&name, &error))?;
            tree::parse(&name, &text)
        }
        None => tree::parse(DEFAULT_NAME, DEFAULT_FILE),
    }
    .map_err(|problems| ConfigErrors { problems })?;
    let extension = lay_over(&mut tree, Scope::Server).map_err(|problems| ConfigErrors { problems })?;
    let lost = tree::overlay(&mut tree, variables);
    let findings = reader::Findings::default();
    let root = reader::Reader::new(&findings, "", &tree);
    let server = sections::server(&root);
    root.finish_near("server", &SECTIONS);
    let (mut problems, mut warnings, _) = findings.into_parts();
    problems.extend(extension.into_iter().flat_map(|extension| extension.problems));
    warnings.extend(lost);
    if problems.is_empty() {
        Ok((server, warnings))
    } else {
        Err(ConfigErrors { problems })
    }
}

/// Reads `[server]`, whatever is wrong with the file; `None` where nothing tells the data directory. For looking after a
/// running server, whose own configuration is in memory.
#[must_use]
pub fn server(file: Option<&Path>, variables: &[(String, String)]) -> Option<ServerSettings> {
    let (name, text) = match file {
        Some(file) => (file.display().to_string(), fs::read_to_string(file).ok()),
        None => (DEFAULT_NAME.to_owned(), Some(DEFAULT_FILE.to_owned())),
    };
    let mut tree = tree::parse_leniently(&name, text.as_deref().unwrap_or_default());
    // Where it does not say over what it lies, it says itself what it can.
    let _ = lay_over(&mut tree, Scope::Server);
    tree::overlay(&mut tree, variables);
    let is_told = match tree.at(&["server", "data"]) {
        Some(node) => reader::text(node).is_ok(),
        None => text.is_some(),
    };
    let findings = reader::Findings::default();
    let root = reader::Reader::new(&findings, "", &tree);
    is_told.then(|| sections::server(&root))
}

/// Reads a file's text as [`load`] does; `is_public` tells whether everybody on the machine can read the file.
///
/// # Errors
/// As [`load`].
pub fn read(
    name: &str,
    text: &str,
    is_public: bool,
    variables: &[(String, String)],
    known: &Providers,
) -> Result<Loaded, ConfigErrors> {
    let mut tree = tree::parse(name, text).map_err(|problems| ConfigErrors { problems })?;
    let extension = lay_over(&mut tree, Scope::Whole).map_err(|problems| ConfigErrors { problems })?;
    let lost = tree::overlay(&mut tree, variables);
    let findings = reader::Findings::default();
    let secrets = secrets::Secrets {
        variables,
        file_is_public: is_public,
        missing: RefCell::default(),
    };
    let settings = settings(&findings, &tree, extension.is_some(), &secrets, known);
    let (mut errors, mut warnings, origins) = findings.into_parts();
    warnings.extend(lost);
    let mut changes = None;
    if let Some(mut extension) = extension {
        errors.iter_mut().for_each(|problem| extension.explain(problem));
        errors.append(&mut extension.problems);
        warnings.append(&mut extension.warnings);
        changes = Some(extension.into_changes(&origins));
    }
    if errors.is_empty() {
        return Ok(Loaded {
            settings,
            providers: known.clone(),
            warnings,
            origins,
            changes,
        });
    }
    errors.sort_by_key(|problem| match &problem.origin {
        Origin::File { line, column, .. } => (problem.origin.is_built_in(), *line, *column),
        _ => (true, usize::MAX, 0),
    });
    Err(ConfigErrors { problems: errors })
}

fn settings(
    findings: &reader::Findings,
    tree: &tree::Node,
    is_extended: bool,
    secrets: &secrets::Secrets<'_>,
    known: &Providers,
) -> Settings {
    let root = reader::Reader::new(findings, "", tree);
    // First the providers, then what is checked against them.
    let providers = providers::providers(&root, secrets, known);
    let server = sections::server(&root);
    let log = sections::log(&root);
    let cache = sections::cache(&root);
    let store = sections::store(&root);
    let issuers = issuers::issuers(&root);
    let maltego = sections::maltego(&root);
    let deadlines = sections::deadlines(&root);
    let (trusted_relays, tlp_red) = sections::alerts(&root);
    let decisions_kept = sections::decisions_kept(&root);
    let reputation = reputation::reputation(&root, is_extended, known);
    let scales = sections::scales(&root);
    let lists = lists::lists(&root).into();
    let known = transforms::TransformContext {
        providers: known,
        settings: &providers,
        scales: &scales,
    };
    let transforms = transforms::transforms(&root, &known);
    // Of the file it was taken out, so that a variable says it.
    if let Some(node) = root.get(extends::KEY) {
        let message = "matches no setting; it is ignored: what a file lies over is said in the file";
        findings.warn(&node.origin, message);
    }
    root.finish();
    if providers.is_empty() {
        let message = if is_extended {
            "providers: there is none, so no provider is asked"
        } else {
            "providers: there is none, so no provider is asked; a file of one's own replaces the compiled-in one, which \
             `pivotd export config` prints to start from; with extends = \"built-in\" it says only what differs"
        };
        findings.warn(&Origin::Default, message);
    }
    for name in providers.keys() {
        if !transforms.iter().any(|spec| spec.providers().contains(name)) {
            findings.warn(
                &Origin::Default,
                format!("providers.{name}: no transform asks this provider"),
            );
        }
    }
    Settings {
        server,
        log,
        cache,
        store,
        issuers,
        maltego,
        deadlines,
        trusted_relays,
        tlp_red,
        decisions_kept,
        reputation,
        providers,
        lists,
        scales,
        transforms: transforms.into_iter().map(Arc::new).collect(),
    }
}
