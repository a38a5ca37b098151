//! What a v2 client is answered.

use std::borrow::Cow;
use std::fmt;

use jiff::civil::Date;
use smol_str::SmolStr;

use super::text::visible;

pub use super::display::DisplayInformation;
pub use super::writer::{begin, finish, write, write_exception};

/// The weight of an entity without a weight, as the vendor's library has it.
pub const DEFAULT_WEIGHT: u32 = 100;

/// Holds the answer to one transform run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TransformResponse {
    /// The entities found, in the order the client shows them.
    pub entities: Vec<Entity>,
    /// Messages for the client's output window.
    pub messages: Vec<UiMessage>,
}

/// Holds one output entity.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entity {
    /// The full type id; the writer puts `maltego.Phrase` for an empty one.
    pub type_id: SmolStr,
    /// The value.
    pub value: SmolStr,
    /// The weight, by which clients can size nodes.
    pub weight: u32,
    /// The properties; those with an empty value are not written.
    pub properties: Vec<Property>,
    /// The properties of the link from the input entity.
    pub link: Vec<LinkProperty>,
    /// The bookmark's colour.
    pub bookmark: Option<Bookmark>,
    /// The text of the entity's note.
    pub notes: Option<String>,
    /// Marks around the icon.
    pub overlays: Vec<Overlay>,
    /// HTML tables for the client's detail view.
    pub display_information: Vec<DisplayInformation>,
    /// An icon instead of the type's own.
    pub icon_url: Option<String>,
    /// When each source saw it. Clients get the first and the last day of each source as properties.
    pub seen: Vec<Sighting>,
}

/// Says of one period in which a source saw an entity. A source has several where there are days between.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sighting {
    /// The provider.
    pub source: SmolStr,
    /// The first day, if it is known.
    pub first: Option<Date>,
    /// The last day, if it is known; none also where it was still so.
    pub last: Option<Date>,
}

impl Entity {
    /// Makes an entity with a value and nothing else.
    #[must_use]
    pub fn new(type_id: impl Into<SmolStr>, value: impl Into<SmolStr>) -> Self {
        Self {
            type_id: type_id.into(),
            value: value.into(),
            weight: DEFAULT_WEIGHT,
            properties: Vec::new(),
            link: Vec::new(),
            bookmark: None,
            notes: None,
            overlays: Vec::new(),
            display_information: Vec::new(),
            icon_url: None,
            seen: Vec::new(),
        }
    }
}

/// Holds one property of an output entity. Most texts are short, or the same for many entities: they cost no
/// allocation each.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Property {
    /// The property id.
    pub name: SmolStr,
    /// The label; the writer puts the id for an empty one.
    pub display_name: SmolStr,
    /// The value.
    pub value: SmolStr,
    /// Whether entities merge only if this property agrees.
    pub strict: bool,
}

impl Property {
    /// Makes a property that never keeps entities from merging.
    #[must_use]
    pub fn loose(
        name: impl Into<SmolStr>,
        display_name: impl Into<SmolStr>,
        value: impl Into<SmolStr>,
    ) -> Self {
        Self {
            name: name.into(),
            display_name: display_name.into(),
            value: value.into(),
            strict: false,
        }
    }

    /// Makes a property that has to agree for entities to merge.
    #[must_use]
    pub fn strict(
        name: impl Into<SmolStr>,
        display_name: impl Into<SmolStr>,
        value: impl Into<SmolStr>,
    ) -> Self {
        Self {
            strict: true,
            ..Self::loose(name, display_name, value)
        }
    }
}

/// Describes the link to an output entity; on the wire each is a field named `link#…`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LinkProperty {
    /// The text on the link.
    Label(SmolStr),
    /// Its colour, `#rrggbb`.
    Color(String),
    /// How the line is drawn.
    Style(LinkStyle),
    /// Its thickness; clients draw 1 to 5.
    Thickness(u8),
    /// Turns the arrow round: from the output entity to the input entity.
    OutputToInput,
    /// A property of the link with an id, a label and a value.
    Custom(SmolStr, SmolStr, SmolStr),
}

/// Names how a link is drawn; the numbers are those of the wire.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum LinkStyle {
    /// 0.
    Normal,
    /// 1.
    Dashed,
    /// 2.
    Dotted,
    /// 3.
    DashDot,
}

impl LinkStyle {
    /// Returns the number on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "0",
            Self::Dashed => "1",
            Self::Dotted => "2",
            Self::DashDot => "3",
        }
    }
}

/// Names a bookmark's colour; the numbers are those of the wire.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Bookmark {
    /// -1: takes a bookmark away.
    None,
    /// 0.
    Blue,
    /// 1.
    Green,
    /// 2.
    Yellow,
    /// 3; older documentation calls it orange.
    Purple,
    /// 4.
    Red,
}

impl Bookmark {
    /// Returns the number on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "-1",
            Self::Blue => "0",
            Self::Green => "1",
            Self::Yellow => "2",
            Self::Purple => "3",
            Self::Red => "4",
        }
    }
}

/// Puts a mark on an entity's icon.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Overlay {
    /// The property whose value is the mark; where there is none, this is the mark itself: an icon's name, a
    /// colour, a text.
    pub property_name: String,
    /// Where it stands.
    pub position: OverlayPosition,
    /// What the mark is.
    pub kind: OverlayKind,
}

/// Names the places of overlays; the client has none at the east side.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum OverlayPosition {
    /// `N`.
    North,
    /// `S`.
    South,
    /// `W`.
    West,
    /// `NW`.
    NorthWest,
    /// `SW`.
    SouthWest,
    /// `C`.
    Center,
}

impl OverlayPosition {
    /// Returns the letters on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::North => "N",
            Self::South => "S",
            Self::West => "W",
            Self::NorthWest => "NW",
            Self::SouthWest => "SW",
            Self::Center => "C",
        }
    }
}

/// Names what an overlay shows.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum OverlayKind {
    /// `image`.
    Image,
    /// `colour`, as this protocol spells it; v3 spells it `color`.
    Colour,
    /// `text`.
    Text,
}

impl OverlayKind {
    /// Returns the word on the v2 wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Colour => "colour",
            Self::Text => "text",
        }
    }
}

/// Says how a message is shown.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum UiMessageKind {
    /// A line in the output window.
    Inform,
    /// A highlighted line in the output window.
    PartialError,
    /// A pop-up.
    FatalError,
    /// A line that is hidden unless the client's filter asks for it.
    Debug,
}

impl UiMessageKind {
    /// Returns the word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inform => "Inform",
            Self::PartialError => "PartialError",
            Self::FatalError => "FatalError",
            Self::Debug => "Debug",
        }
    }
}

impl fmt::Display for UiMessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Holds one message for the output window; an empty one is not written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UiMessage {
    /// How it is shown.
    pub kind: UiMessageKind,
    /// What it says.
    pub text: String,
}

impl UiMessage {
    /// Makes a message; what cannot be seen of its text is left out, since providers' words are in it.
    #[must_use]
    pub fn new(kind: UiMessageKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: visible(Cow::Owned(text.into())).into_owned(),
        }
    }
}

/// The exception code that makes a client ask for its credentials again.
pub const ASK_AGAIN: u32 = 600;

/// Holds one exception, which a client shows instead of a result.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TransformException {
    /// A code; only [`ASK_AGAIN`] is known to mean anything.
    pub code: Option<u32>,
    /// What it says.
    pub text: String,
}
