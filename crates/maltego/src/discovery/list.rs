//! The list of transforms that an application answers `_TRANSFORMS` with.

use std::io;

use quick_xml::Writer;

use super::plain;
use crate::listing::{Listing, ListingEntry, OWNER, TransformSetting};

/// Writes the transforms that are offered, an entry for each input type, as XML.
///
/// # Errors
/// Never: it is written into memory.
pub fn list(listing: &Listing, version: &str) -> io::Result<Vec<u8>> {
    let mut writer = Writer::new(Vec::with_capacity(1 << 16));
    writer
        .create_element("MaltegoMessage")
        .write_inner_content(|writer| {
            writer
                .create_element("MaltegoTransformListMessage")
                .write_inner_content(|writer| {
                    writer
                        .create_element("Transforms")
                        .write_inner_content(|writer| {
                            listing
                                .offered_entries()
                                .try_for_each(|entry| transform(writer, entry, version))
                        })?;
                    Ok(())
                })?;
            Ok(())
        })?;
    Ok(writer.into_inner())
}

fn transform(writer: &mut Writer<Vec<u8>>, entry: ListingEntry<'_>, version: &str) -> io::Result<()> {
    let one = entry.transform;
    writer
        .create_element("Transform")
        .with_attribute(("TransformName", &*plain(entry.name)))
        .with_attribute(("UIDisplayName", &*plain(&one.title)))
        .with_attribute(("Description", &*plain(&one.about)))
        .with_attribute(("Author", OWNER))
        .with_attribute(("Owner", OWNER))
        .with_attribute(("Version", &*plain(version)))
        .with_attribute(("LocationRelevance", "global"))
        .with_attribute(("Disclaimer", ""))
        // No limit.
        .with_attribute(("MaxEntityInputCount", "0"))
        .with_attribute(("MaxEntityOutputCount", "0"))
        .write_inner_content(|writer| {
            writer
                .create_element("UIInputRequirements")
                .write_inner_content(|writer| {
                    one.settings.iter().try_for_each(|setting| input(writer, setting))
                })?;
            writer
                .create_element("OutputEntities")
                .write_inner_content(|writer| {
                    one.outputs
                        .iter()
                        .try_for_each(|type_id| text(writer, "OutputEntity", type_id))
                })?;
            text(writer, "InputEntity", entry.input)
        })?;
    Ok(())
}

/// Writes a setting. `Auth`, which a hub's own inputs carry for what must not be seen, is written here, too; whether clients
/// read it here is not known.
fn input(writer: &mut Writer<Vec<u8>>, setting: &TransformSetting) -> io::Result<()> {
    let word = |is: bool| if is { "True" } else { "False" };
    let element = writer
        .create_element("Input")
        .with_attribute(("Name", &*plain(&setting.name)))
        .with_attribute(("Type", setting.kind.id()))
        .with_attribute(("Display", &*plain(&setting.display)))
        .with_attribute((
            "DefaultValue",
            &*plain(setting.default.as_deref().unwrap_or_default()),
        ))
        .with_attribute(("Optional", word(setting.optional)))
        .with_attribute(("Popup", word(setting.popup)));
    let element = if setting.secret {
        element.with_attribute(("Auth", word(true)))
    } else {
        element
    };
    element.write_empty()?;
    Ok(())
}

fn text(writer: &mut Writer<Vec<u8>>, name: &str, text: &str) -> io::Result<()> {
    let content = plain(text);
    writer
        .create_element(name)
        .write_text_content(quick_xml::events::BytesText::new(&content))?;
    Ok(())
}
