//! The configuration file (`.mtz`) that a desktop client imports: a zip archive of small documents.
//!
//! [`configuration`] makes the one of a server: entity types with icons and their category, transforms with their settings and
//! sets, the server itself with its seed, and machines. [`local_configuration`] makes one for clients that can add no server:
//! the client starts a program on its own machine instead, which asks the server.
//!
//! Equal input gives equal bytes: members are sorted, and no time is written. What is known of the shapes comes from files that
//! clients of versions 4.0 and 4.6 exported. What is not known:
//!
//! * whether a client imports remote transforms from a file that it did not export itself. It has them in any case once it reads
//!   the seed, which the same file names;
//! * where an exported file keeps a setting that all transforms of a server share (`global#`). Here it stands in each transform
//!   that has it, as an own setting does;
//! * how a definition of an entity type says that a property has to agree for entities to merge. The answers of transforms say
//!   it for each property, so nothing is lost;
//! * whether `version.properties` is looked at: files without it are imported, too.

mod archive;
mod entities;
mod local;
mod machines;
mod server;
mod transforms;

#[cfg(test)]
mod tests;

pub use local::{LocalRunner, local_configuration};

use archive::Members;

use crate::discovery::Seed;
use crate::hub_item::HubItem;
use crate::listing::{Listing, ListingEntry};

/// Stands, in a client, before the names of the transforms that it was given by a v2 server.
pub const CLIENT_PREFIX: &str = "paterva.v2.";

/// Says that a file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the configuration could not be written: {0}")]
pub struct ConfigurationError(#[from] zip::result::ZipError);

/// Makes the configuration file of a server.
///
/// # Errors
/// [`ConfigurationError`] if the archive cannot be written, as when it is too large.
pub fn configuration(listing: &Listing, seed: &Seed) -> Result<Vec<u8>, ConfigurationError> {
    let mut members = Members::default();
    add_shared(&mut members, listing, &seed.version, &client_name);
    transforms::add_remote(&mut members, listing, &seed.version);
    let names = listing.offered_entries().map(client_name);
    members.add("Servers", "pivotd", "tas", server::server(seed, names));
    members.add("Seeds", "pivotd", "seed", server::seed(seed));
    members.add("Seeds", "pivotd", "hub", HubItem::new(seed).xml());
    members.finish()
}

/// Names the transform of an entry as a client does that was given it by a v2 server.
fn client_name(entry: ListingEntry<'_>) -> String {
    format!("{CLIENT_PREFIX}{}", entry.name)
}

/// Adds what all configuration files have: entity types, sets of transforms, machines.
fn add_shared(
    members: &mut Members,
    listing: &Listing,
    version: &str,
    name_of: &dyn Fn(ListingEntry<'_>) -> String,
) {
    members.add("", "version", "properties", properties(version));
    entities::add(members);
    transforms::add_sets(members, listing, name_of);
    machines::add(members, listing, name_of);
}

/// Writes by what the file was made, and in which versions of its formats.
fn properties(version: &str) -> String {
    let version: String = version
        .chars()
        .filter(|c| c.is_ascii_graphic() && *c != '\\')
        .collect();
    format!(
        "maltego.client.name=pivotd\nmaltego.client.subtitle=\nmaltego.client.version={version}\n\
         maltego.graph.version=1.2\nmaltego.mtz.version=1.0\nmaltego.pandora.version=1.4.2\n"
    )
}
