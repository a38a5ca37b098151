//! What a client can do: by the capabilities that it names, else by its version.

use serde::Serialize;

/// The protocol that is spoken where a client names none.
pub const PROTOCOL: &str = "3.3";
/// The protocols that are known.
const PROTOCOLS: [&str; 3] = ["3.1", "3.2", "3.3"];
/// How the desktop client calls itself.
const DESKTOP: &str = "Maltego Desktop";
/// The version that is assumed of a client that names none.
const OLDEST: [u64; 3] = [4, 5, 0];
/// The first version of the desktop client for which the types of the input are looked at before a run begins.
const CHECKED: [u64; 3] = [4, 6, 0];

/// Names what a client can do.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Capability {
    /// It knows constraints of inputs.
    InputConstraints,
    /// It knows properties that are entities.
    CompositeEntities,
    /// It can ask its user while a transform runs.
    PromptBase,
    /// It knows several ways to show a choice.
    ChoiceControlType,
    /// It knows prompts of several controls.
    MultiChoiceControls,
    /// It knows composite entities written flat.
    FlattenedCompositeEntities,
    /// It bears constraints that it does not know.
    InputConstraintsUnknownSafe,
}

/// Says from when on clients have a capability.
struct Rule {
    capability: Capability,
    name: &'static str,
    description: &'static str,
    /// The first version of the desktop client that has it.
    desktop: Option<[u64; 3]>,
    /// The first protocol that has it.
    protocol: Option<[u64; 3]>,
}

const RULES: [Rule; 7] = [
    Rule {
        capability: Capability::InputConstraints,
        name: "inputConstraints",
        description: "Structured input-constraint transforms",
        desktop: Some([4, 10, 0]),
        protocol: None,
    },
    Rule {
        capability: Capability::CompositeEntities,
        name: "compositeEntities",
        description: "Full entity-typed structures",
        desktop: None,
        protocol: Some([3, 2, 0]),
    },
    Rule {
        capability: Capability::PromptBase,
        name: "promptBase",
        description: "Enable using prompts in transforms",
        desktop: Some([4, 6, 0]),
        protocol: None,
    },
    Rule {
        capability: Capability::ChoiceControlType,
        name: "choiceControlType",
        description: "Specify control types in prompts",
        desktop: Some([4, 6, 1]),
        protocol: None,
    },
    Rule {
        capability: Capability::MultiChoiceControls,
        name: "multiChoiceControls",
        description: "Multiple controls per prompt",
        desktop: Some([4, 7, 2]),
        protocol: None,
    },
    Rule {
        capability: Capability::FlattenedCompositeEntities,
        name: "flattenedCompositeEntities",
        description: "Flattened composite entities",
        desktop: None,
        protocol: None,
    },
    Rule {
        capability: Capability::InputConstraintsUnknownSafe,
        name: "inputConstraintsUnknownSafe",
        description: "Client tolerates unknown input constraint types",
        desktop: Some([5, 0, 0]),
        protocol: None,
    },
];

/// Lists all capabilities, each with what it is.
pub fn capabilities() -> impl Iterator<Item = (&'static str, &'static str)> {
    RULES.iter().map(|rule| (rule.name, rule.description))
}

/// Holds the headers of a request by which a client says what it can do.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientHeaders<'a> {
    /// `Maltego-Client-Capabilities`; several are joined by commas.
    pub capabilities: Option<&'a str>,
    /// `Maltego-Protocol-Version`.
    pub protocol: Option<&'a str>,
    /// `Maltego-Client-Identifier`.
    pub identifier: Option<&'a str>,
    /// `Maltego-Client-Version`.
    pub version: Option<&'a str>,
    /// `User-Agent`.
    pub user_agent: Option<&'a str>,
}

/// Is what a client can do.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Client {
    can: u8,
    /// Whether it is a desktop client of which it is known that it sends only what it was offered for.
    is_checked: bool,
}

impl Client {
    /// Finds it out. Without any header that says something, a client can do everything.
    #[must_use]
    pub fn of(headers: &ClientHeaders<'_>) -> Self {
        let agent = headers.user_agent.and_then(desktop_agent);
        let named = headers.identifier.filter(|name| !name.trim().is_empty());
        let version = headers.version.and_then(version);
        let desktop = match named {
            Some(name) if name.trim() == DESKTOP => Some(version.or(agent).unwrap_or(OLDEST)),
            Some(_) => None,
            None => agent,
        };
        let says_nothing = headers.capabilities.is_none()
            && named.is_none()
            && headers.version.is_none_or(|text| text.trim().is_empty())
            && headers.protocol.is_none_or(|text| text.trim().is_empty())
            && agent.is_none();
        let protocol = headers.protocol.and_then(self::version);
        let has = |rule: &Rule| {
            if says_nothing {
                return true;
            }
            if let (Some(least), Some(protocol)) = (rule.protocol, protocol)
                && protocol < least
            {
                return false;
            }
            match headers.capabilities {
                Some(list) => list.split(',').any(|name| is_named(rule, name.trim())),
                None => match (desktop, rule.desktop) {
                    (Some(version), Some(least)) => version >= least,
                    _ => false,
                },
            }
        };
        let can = RULES.iter().enumerate().filter(|(_, rule)| has(rule));
        Self {
            can: can.fold(0, |can, (at, _)| can | 1 << at),
            is_checked: agent.is_some_and(|version| version >= CHECKED),
        }
    }

    /// Tells whether it can do this.
    #[must_use]
    pub fn can(self, capability: Capability) -> bool {
        let mut rules = RULES.iter().enumerate();
        rules.any(|(at, rule)| rule.capability == capability && self.can & 1 << at != 0)
    }

    /// Tells whether a run without a fitting input is refused before it begins: the client knows which types it may send.
    #[must_use]
    pub fn knows_inputs(self) -> bool {
        self.is_checked
    }

    /// Returns what tells clients apart that are answered differently.
    #[must_use]
    pub fn key(self) -> u8 {
        self.can
    }
}

/// Tells whether a client's word names a capability.
fn is_named(rule: &Rule, word: &str) -> bool {
    word.eq_ignore_ascii_case(rule.name)
        || rule.capability == Capability::MultiChoiceControls && word.eq_ignore_ascii_case("interactive")
}

/// Returns the protocol that is spoken: the one that a client names where it is known.
#[must_use]
pub fn negotiated(named: Option<&str>) -> &'static str {
    let named = named.map(str::trim);
    let mut known = PROTOCOLS.iter().copied();
    known.find(|known| named == Some(*known)).unwrap_or(PROTOCOL)
}

/// Reads a version: whole numbers with points between. What stands behind them is left alone.
fn version(text: &str) -> Option<[u64; 3]> {
    let text = text.trim();
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let numbers = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let numbers = text.get(..numbers.unwrap_or(text.len()))?.trim_end_matches('.');
    let mut read = [0; 3];
    for (at, part) in numbers.split('.').enumerate() {
        let number = part.parse().ok()?;
        if let Some(place) = read.get_mut(at) {
            *place = number;
        }
    }
    Some(read)
}

/// Reads the version of a desktop client out of its `User-Agent`: `Maltego Desktop/4.8.1 (…)`.
fn desktop_agent(text: &str) -> Option<[u64; 3]> {
    let rest = text.strip_prefix(DESKTOP)?.strip_prefix('/')?;
    let (number, rest) = rest.split_once(' ')?;
    let inside = rest.strip_prefix('(')?;
    let inside = inside.strip_suffix(')').unwrap_or(inside);
    if inside.is_empty() {
        return None;
    }
    let release = number.split(['-', '+']).next()?;
    let mut read = [0; 3];
    let mut parts = release.split('.');
    for place in &mut read {
        let part = parts.next()?;
        let has_zero = part.len() > 1 && part.starts_with('0');
        if has_zero || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *place = part.parse().ok()?;
    }
    parts.next().is_none().then_some(read)
}
