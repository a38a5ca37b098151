//! Icons of our entity types and of the server in a client's hub, drawn for the project.
//!
//! The drawings stand in `icons/` of this crate. `scripts/render-icons` renders them, and what it renders is compiled in.

/// Lists the sizes in which a client wants an icon, in pixels.
pub const SIZES: [u32; 5] = [16, 24, 32, 48, 96];

/// Names the icon of the server itself.
pub const HUB: &str = "Pivotd";

/// Is the size in which a hub shows it.
pub const HUB_SIZE: u32 = 48;

/// Holds an icon.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Icon {
    /// The name by which entity types refer to it.
    pub name: &'static str,
    /// The category of icons in which clients list it.
    pub category: &'static str,
    /// The drawing.
    pub svg: &'static str,
    /// The drawing in pixels, for each of [`SIZES`].
    pub png: [(u32, &'static [u8]); SIZES.len()],
}

impl Icon {
    /// Returns the icon in a size of [`SIZES`].
    #[must_use]
    pub fn sized(&self, size: u32) -> Option<&'static [u8]> {
        let found = self.png.iter().find(|(known, _)| *known == size);
        found.map(|(_, png)| *png)
    }
}

macro_rules! icon {
    ($name:literal) => {
        Icon {
            name: $name,
            category: crate::definitions::CATEGORY,
            svg: include_str!(concat!("../icons/", $name, ".svg")),
            png: [
                (16, include_bytes!(concat!("../icons/", $name, "16.png"))),
                (24, include_bytes!(concat!("../icons/", $name, "24.png"))),
                (32, include_bytes!(concat!("../icons/", $name, "32.png"))),
                (48, include_bytes!(concat!("../icons/", $name, "48.png"))),
                (96, include_bytes!(concat!("../icons/", $name, "96.png"))),
            ],
        }
    };
}

static ICONS: &[Icon] = &[
    icon!("Pivotd"),
    icon!("PivotdAdversary"),
    icon!("PivotdCampaign"),
    icon!("PivotdCommunity"),
    icon!("PivotdIncident"),
    icon!("PivotdMutex"),
    icon!("PivotdRegistryKey"),
    icon!("PivotdTracker"),
    icon!("PivotdUserAgent"),
    icon!("PivotdWebComponent"),
];

/// Lists all icons.
pub fn icons() -> impl Iterator<Item = &'static Icon> {
    ICONS.iter()
}

/// Finds an icon by its name.
#[must_use]
pub fn icon(name: &str) -> Option<&'static Icon> {
    icons().find(|icon| icon.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::definitions::definitions;

    /// Reads width and height of a PNG from its first chunk.
    fn dimensions(png: &[u8]) -> (u32, u32) {
        assert_eq!(png.get(..8), Some(&b"\x89PNG\r\n\x1a\n"[..]));
        assert_eq!(png.get(12..16), Some(&b"IHDR"[..]));
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        (number(16), number(20))
    }

    #[test]
    fn each_icon_has_a_drawing_and_all_sizes() {
        let mut names = HashSet::new();
        for icon in icons() {
            assert!(names.insert(icon.name));
            assert!(icon.svg.contains("viewBox=\"0 0 48 48\""), "{}", icon.name);
            assert_eq!(icon.png.map(|(size, _)| size), SIZES, "{}", icon.name);
            for (size, png) in icon.png {
                assert_eq!(dimensions(png), (size, size), "{} {size}", icon.name);
                assert_eq!(icon.sized(size), Some(png));
            }
            assert_eq!(icon.sized(17), None);
        }
    }

    #[test]
    fn each_icon_is_used_and_each_that_is_named_exists() {
        let used: HashSet<&str> = definitions().map(|one| one.icon).chain([HUB]).collect();
        assert_eq!(used, icons().map(|icon| icon.name).collect());
        assert!(icon(HUB).unwrap().sized(HUB_SIZE).is_some());
        assert_eq!(icon("Other"), None);
    }
}
