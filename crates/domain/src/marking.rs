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
    /// With no other.
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

/// Reads `red`, `RED`, `tlp:red` or `TLP:RED`; `white` is `clear`, and whatever stands between `amber` and `strict` is a
/// plus, which a query turns into a space.
fn word(text: &str, protocol: &str) -> String {
    let text = text.trim().to_ascii_lowercase();
    let is_between = |c: char| c.is_whitespace() || matches!(c, ':' | '-' | '_' | '+');
    let word = text
        .strip_prefix(protocol)
        .map_or(text.as_str(), |rest| rest.trim_start_matches(is_between));
    let strict = word
        .strip_prefix("amber")
        .and_then(|rest| rest.strip_suffix("strict"));
    match strict {
        Some(between) if between.chars().all(is_between) => "amber+strict".to_owned(),
        _ if word == "white" => "clear".to_owned(),
        _ => word.to_owned(),
    }
}

/// Says which number stands for TLP:RED, as TheHive writes it: older versions count clear, green, amber, red from 0, newer
/// ones have amber+strict at 3.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TlpRed {
    /// 3 is red. A newer version's 4 is red as well, and its 3 is taken for the stricter mark.
    #[default]
    Three,
    /// 3 is amber+strict, 4 is red.
    Four,
}

impl Tlp {
    /// Reads a mark as a caller gives it: a word, or a number.
    ///
    /// # Errors
    /// What was expected.
    pub fn read(text: &str, red: TlpRed) -> Result<Self, String> {
        match (word(text, "tlp").as_str(), red) {
            ("0", _) => Ok(Self::Clear),
            ("1", _) => Ok(Self::Green),
            ("2", _) => Ok(Self::Amber),
            ("3", TlpRed::Four) => Ok(Self::AmberStrict),
            ("3" | "4", _) => Ok(Self::Red),
            _ => text
                .parse()
                .map_err(|expected| format!("{expected}, or a number from 0 to 4")),
        }
    }
}

impl Pap {
    /// Reads a mark as a caller gives it: a word, or a number from 0 (clear) to 3 (red).
    ///
    /// # Errors
    /// What was expected.
    pub fn read(text: &str) -> Result<Self, String> {
        match word(text, "pap").as_str() {
            "0" => Ok(Self::Clear),
            "1" => Ok(Self::Green),
            "2" => Ok(Self::Amber),
            "3" => Ok(Self::Red),
            _ => text
                .parse()
                .map_err(|expected| format!("{expected}, or a number from 0 to 3")),
        }
    }
}

impl FromStr for Tlp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let given = word(text, "tlp");
        let found = Self::ALL.into_iter().find(|mark| mark.name() == given);
        found.ok_or_else(|| "expected clear, green, amber, amber+strict or red".to_owned())
    }
}

impl FromStr for Pap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let given = word(text, "pap");
        let found = Self::ALL.into_iter().find(|mark| mark.name() == given);
        found.ok_or_else(|| "expected clear, green, amber or red".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_as_people_and_tools_write_them() {
        for (given, mark) in [
            ("amber", Tlp::Amber),
            ("TLP:AMBER", Tlp::Amber),
            ("tlp: Amber ", Tlp::Amber),
            ("tlp-red", Tlp::Red),
            ("amber-strict", Tlp::AmberStrict),
            ("AMBER+STRICT", Tlp::AmberStrict),
            ("TLP:AMBER+STRICT", Tlp::AmberStrict),
            ("amber strict", Tlp::AmberStrict),
            ("amber_strict", Tlp::AmberStrict),
            ("White", Tlp::Clear),
            ("0", Tlp::Clear),
            ("1", Tlp::Green),
            ("2", Tlp::Amber),
            ("3", Tlp::Red),
            ("4", Tlp::Red),
            ("TLP:3", Tlp::Red),
        ] {
            assert_eq!(Tlp::read(given, TlpRed::Three), Ok(mark), "{given}");
        }
        assert_eq!(Tlp::read("3", TlpRed::Four), Ok(Tlp::AmberStrict));
        assert_eq!(Tlp::read("4", TlpRed::Four), Ok(Tlp::Red));
        assert_eq!(Tlp::read("2", TlpRed::Four), Ok(Tlp::Amber));
        for (given, mark) in [
            ("0", Pap::Clear),
            ("1", Pap::Green),
            ("2", Pap::Amber),
            ("3", Pap::Red),
            ("PAP:RED", Pap::Red),
        ] {
            assert_eq!(Pap::read(given), Ok(mark), "{given}");
        }
        for wrong in ["5", "-1", "pink", "ambers", "amberxstrict", "strict", ""] {
            assert!(Tlp::read(wrong, TlpRed::Three).is_err(), "{wrong}");
        }
        assert!(Pap::read("4").is_err() && Pap::read("amber+strict").is_err());
    }
}
