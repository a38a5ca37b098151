//! A server and its seed.

use crate::discovery::Seed;
use crate::listing::OWNER;
use crate::markup::document;

/// A server that was never asked, since no time is written.
const NEVER: &str = "1970-01-01 00:00:00.000 UTC";

/// Writes the server that a seed leads to, with its transforms.
pub(super) fn server(seed: &Seed, transforms: impl Iterator<Item = String>) -> String {
    let url = seed.application_url();
    let attributes = [("name", seed.name.as_str()), ("enabled", "true"), ("url", &url)];
    tas(&attributes, "2.0", transforms, Some(&seed.url()))
}

/// Writes the server that stands for the client's own machine.
pub(super) fn own_machine(transforms: impl Iterator<Item = String>) -> String {
    let attributes = [
        ("name", "Local"),
        ("enabled", "true"),
        ("description", "Transforms that run on this machine"),
        ("url", "http://localhost"),
    ];
    tas(&attributes, "0.0", transforms, None)
}

fn tas(
    attributes: &[(&'static str, &str)],
    protocol: &str,
    transforms: impl Iterator<Item = String>,
    seed_url: Option<&str>,
) -> String {
    document("MaltegoServer", attributes, |markup| {
        markup.text("LastSync", &[], NEVER);
        markup.empty("Protocol", &[("version", protocol)]);
        markup.empty("Authentication", &[("type", "none")]);
        markup.element("Transforms", &[], |markup| {
            for name in transforms {
                markup.empty("Transform", &[("name", &name)]);
            }
        });
        markup.element("Seeds", &[], |markup| {
            if let Some(url) = seed_url {
                markup.text("Seed", &[], url);
            }
        });
    })
}

/// Writes a seed.
pub(super) fn seed(seed: &Seed) -> String {
    let url = seed.url();
    let attributes = [
        ("url", url.as_str()),
        ("name", &seed.name),
        ("description", OWNER),
        ("enabled", "true"),
    ];
    document("TransformSeed", &attributes, |markup| {
        markup.element("GlobalTransformProperties", &[], |markup| {
            markup.empty("Fields", &[]);
        });
        markup.empty("GlobalTransformSettings", &[]);
    })
}
