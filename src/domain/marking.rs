//! Says how far an indicator may travel: the Traffic Light Protocol and the Permissible Actions Protocol.

use std::str::FromStr;

/// Marks with whom an indicator may be shared (TLP 2.0), the freest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tlp {
    /// With everybody.
    Clear,
    /// Within the community.
    Green,
    /// Within the organisation and with its clients.
    Amber,
    /// Within the organisation.
    AmberStrict,
    /// With nobody.
    Red,
}

/// Marks what may be done with an indicator, the freest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pap {
    /// Anything.
    Clear,
    /// Actions that the indicator's owner can notice.
    Green,
    /// Passive look-ups: third parties may be asked, the owner must not notice.
    Amber,
    /// Nothing that leaves this server.
    Red,
}

impl Tlp {
    /// Lists every mark, the freest first.
    pub const ALL: [Self; 5] = [
        Self::Clear,
        Self::Green,
        Self::Amber,
        Self::AmberStrict,
        Self::Red,
    ];

    /// Returns the word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::AmberStrict => "amber+strict",
            Self::Red => "red",
        }
    }
}

impl Pap {
    /// Lists every mark, the freest first.
    pub const ALL: [Self; 4] = [Self::Clear, Self::Green, Self::Amber, Self::Red];

    /// Returns the word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::Red => "red",
        }
    }
}

/// Reads `red`, `RED`, `tlp:red` or `TLP:RED`; `white` is `clear`.
fn word(text: &str, prefix: &str) -> String {
    let text = text.trim().to_ascii_lowercase();
    let word = text.strip_prefix(prefix).unwrap_or(&text);
    if word == "white" {
        "clear".to_owned()
    } else {
        word.to_owned()
    }
}

impl FromStr for Tlp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let given = word(text, "tlp:");
        let found = Self::ALL.into_iter().find(|mark| mark.name() == given);
        found.ok_or_else(|| "expected clear, green, amber, amber+strict or red".to_owned())
    }
}

impl FromStr for Pap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let given = word(text, "pap:");
        let found = Self::ALL.into_iter().find(|mark| mark.name() == given);
        found.ok_or_else(|| "expected clear, green, amber or red".to_owned())
    }
}
