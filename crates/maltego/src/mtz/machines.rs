//! Machines.

use super::archive::Members;
use crate::listing::{Listing, ListingEntry};
use crate::machine::machines;

/// Adds those machines that the listing has the transforms for.
pub(super) fn add(members: &mut Members, listing: &Listing, name_of: &dyn Fn(ListingEntry<'_>) -> String) {
    for machine in machines() {
        if let Some(code) = machine.code(listing, name_of) {
            let stem = machine.id.replace('.', "_");
            members.add("Machines", &stem, "machine", code);
            members.add("Machines", &stem, "properties", "favorite=false\nenabled=true\n");
        }
    }
}
