//! The list of transforms that an application answers `_TRANSFORMS` with.

use crate::listing::{Listing, ListingEntry, OWNER, TransformSetting};
use crate::markup::{Markup, document};

/// Writes the transforms that are offered, an entry for each input type, as XML.
#[must_use]
pub fn list(listing: &Listing, version: &str) -> String {
    document("MaltegoMessage", &[], |markup| {
        markup.element("MaltegoTransformListMessage", &[], |markup| {
            markup.element("Transforms", &[], |markup| {
                for entry in listing.offered_entries() {
                    transform(markup, entry, version);
                }
            });
        });
    })
}

fn transform(markup: &mut Markup, entry: ListingEntry<'_>, version: &str) {
    let one = entry.transform;
    let attributes = [
        ("TransformName", entry.name),
        ("UIDisplayName", &one.title),
        ("Description", &one.about),
        ("Author", OWNER),
        ("Owner", OWNER),
        ("Version", version),
        ("LocationRelevance", "global"),
        ("Disclaimer", ""),
        // No limit.
        ("MaxEntityInputCount", "0"),
        ("MaxEntityOutputCount", "0"),
    ];
    markup.element("Transform", &attributes, |markup| {
        markup.element("UIInputRequirements", &[], |markup| {
            one.settings.iter().for_each(|setting| input(markup, setting));
        });
        markup.element("OutputEntities", &[], |markup| {
            for type_id in &one.outputs {
                markup.text("OutputEntity", &[], type_id);
            }
        });
        markup.text("InputEntity", &[], entry.input);
    });
}

/// Writes a setting. `Auth`, which a hub's own inputs carry for what must not be seen, is written here, too; whether clients
/// read it here is not known.
fn input(markup: &mut Markup, setting: &TransformSetting) {
    let word = |is: bool| if is { "True" } else { "False" };
    let mut attributes = vec![
        ("Name", setting.name.as_str()),
        ("Type", setting.kind.id()),
        ("Display", &setting.display),
        ("DefaultValue", setting.default.as_deref().unwrap_or_default()),
        ("Optional", word(setting.optional)),
        ("Popup", word(setting.popup)),
    ];
    if setting.secret {
        attributes.push(("Auth", word(true)));
    }
    markup.empty("Input", &attributes);
}
