//! Transforms that a client runs by a program on its own machine.
//!
//! The client appends the entity's value and its properties to the parameters. It passes neither the entity's type nor settings,
//! so each entry has a transform of its own, whose parameters tell the type. How a client takes the parameters apart is not known; one
//! with a blank in it is put in double quotes.

use super::archive::Members;
use super::transforms::{Property, default_sets, outputs, property, settings};
use super::{ConfigurationError, add_shared, server};
use crate::listing::{Listing, ListingEntry, OWNER};
use crate::markup::document;

const LOCAL: &str = "TransformRepositories/Local";
const ADAPTER: &str = "com.paterva.maltego.transform.protocol.v2api.LocalTransformAdapterV2";
/// Stands before the names of transforms that a client runs itself.
const PREFIX: &str = "pivotd.";

const COMMAND: &str = "transform.local.command";
const PARAMETERS: &str = "transform.local.parameters";
const FOLDER: &str = "transform.local.working-directory";
const DEBUG: &str = "transform.local.debug";

/// Says which program a client starts.
pub struct LocalRunner<'a> {
    /// The path of the program.
    pub command: &'a str,
    /// Gives the arguments for an entry, before the entity's value.
    pub arguments: &'a dyn Fn(ListingEntry<'_>) -> Vec<String>,
    /// The folder in which it is started.
    pub folder: &'a str,
}

impl LocalRunner<'_> {
    /// Writes the parameters for an entry.
    fn parameters(&self, entry: ListingEntry<'_>) -> String {
        let arguments = (self.arguments)(entry);
        arguments
            .iter()
            .map(|argument| quoted(argument))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

fn quoted(argument: &str) -> String {
    if argument.is_empty() || argument.contains(char::is_whitespace) {
        format!("\"{argument}\"")
    } else {
        argument.to_owned()
    }
}

/// Makes the configuration file of a client that starts a program for each run.
///
/// # Errors
/// [`ConfigurationError`] if the archive cannot be written.
pub fn local_configuration(
    listing: &Listing,
    version: &str,
    runner: &LocalRunner<'_>,
) -> Result<Vec<u8>, ConfigurationError> {
    let mut members = Members::default();
    add_shared(&mut members, listing, version, &local_name);
    for entry in listing.offered_entries() {
        let name = local_name(entry);
        let stem = members.stem(LOCAL, &name);
        members.add(LOCAL, &stem, "transform", transform(entry, &name));
        members.add(LOCAL, &stem, "transformsettings", values(entry, runner));
    }
    let names = listing.offered_entries().map(local_name);
    members.add("Servers", "Local", "tas", server::own_machine(names));
    members.finish()
}

fn local_name(entry: ListingEntry<'_>) -> String {
    format!("{PREFIX}{}", entry.name)
}

/// Describes the four properties of a program: name, type, whether it may be empty, description, display name, sample.
const FIELDS: [(&str, &str, bool, &str, &str, &str); 4] = [
    (
        COMMAND,
        "string",
        false,
        "The program that is started",
        "Command line",
        "",
    ),
    (
        PARAMETERS,
        "string",
        true,
        "What the program is given before the entity",
        "Command parameters",
        "",
    ),
    (
        FOLDER,
        "string",
        true,
        "The folder in which the program is started",
        "Working directory",
        "",
    ),
    (
        DEBUG,
        "boolean",
        true,
        "Whether the output window shows what the program writes",
        "Show debug info",
        "false",
    ),
];

fn transform(entry: ListingEntry<'_>, name: &str) -> String {
    let transform = entry.transform;
    let attributes = [
        ("name", name),
        ("displayName", &transform.title),
        ("abstract", "false"),
        ("template", "false"),
        ("visibility", "public"),
        ("description", &transform.about),
        ("author", OWNER),
        ("requireDisplayInfo", "false"),
    ];
    document("MaltegoTransform", &attributes, |markup| {
        markup.text("TransformAdapter", &[], ADAPTER);
        markup.element("Properties", &[], |markup| {
            markup.element("Fields", &[], |markup| {
                for (name, kind, is_optional, about, display, sample) in FIELDS {
                    let field = Property {
                        name,
                        kind,
                        is_optional,
                        about,
                        popup: false,
                        is_secret: false,
                        display,
                        default: None,
                        sample,
                    };
                    property(markup, &field);
                }
            });
        });
        markup.element("InputConstraints", &[], |markup| {
            markup.empty("Entity", &[("type", entry.input), ("min", "1"), ("max", "1")]);
        });
        outputs(markup, entry);
        default_sets(markup, entry);
        markup.text("StealthLevel", &[], "0");
    })
}

fn values(entry: ListingEntry<'_>, runner: &LocalRunner<'_>) -> String {
    let parameters = runner.parameters(entry);
    let of = |name: &str| match name {
        COMMAND => runner.command,
        PARAMETERS => &parameters,
        FOLDER => runner.folder,
        _ => "false",
    };
    settings(|markup| {
        markup.element("Properties", &[], |markup| {
            for (name, kind, ..) in FIELDS {
                let attributes = [("name", name), ("type", kind), ("popup", "false")];
                markup.text("Property", &attributes, of(name));
            }
        });
    })
}
