//! Holds the transforms of `transforms.toml`, checked against what providers can do.

mod inputs;
mod listing;
pub mod own;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::hints::did_you_mean;
use crate::domain::{Capability, IndicatorKind, Lists, Marks};
use crate::maltego::constraint::InputConstraint;
use crate::mapping::{EntityRule, Plan, Rules, Scale, humanised};

pub(crate) use inputs::{input, widen};
pub use listing::listing;
pub use own::OWN;
pub use settings::{EXCLUDE_DYNAMIC_DNS, EXCLUDE_SINKHOLES, INCLUDE_DYNAMIC_DNS, INCLUDE_SINKHOLES, UNDATED};

/// Names an input type of a transform, with how its query is found and what is asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputSpec {
    /// Maltego entity type, full id.
    pub type_id: String,
    /// Property that holds the query; `None` takes the entity's value.
    pub query: Option<String>,
    /// What the value is read as, in the order tried.
    pub kinds: Vec<IndicatorKind>,
    /// Whether the registrable domain of the value is asked for (a host name, URL or e-mail address
    /// given to a transform on domains); the answer then says so.
    pub registrable: bool,
}

/// Says who answers a transform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransformSource {
    /// Providers, by name; several are asked side by side and merged. Never empty.
    Providers(Vec<String>),
    /// pivotd itself; no provider is asked.
    Own,
}

/// Describes a transform.
#[derive(Debug, Clone, PartialEq)]
pub struct TransformSpec {
    /// Name in URLs: lower case, dots and dashes.
    pub name: String,
    /// Name in the client's menu.
    pub title: String,
    /// What it does, for people.
    pub about: String,
    /// Who answers.
    pub answerer: TransformSource,
    /// What is asked.
    pub capability: Capability,
    /// Inputs.
    pub inputs: Vec<InputSpec>,
    /// What an input has to be beside its type, where that is said.
    pub constraint: Option<InputConstraint>,
    /// Transform set in the client's menu.
    pub set: String,
    /// An example value for the demo and for docs.
    pub example: String,
    /// Fixed parameters that the vendor sees, over the offer's defaults.
    pub params: BTreeMap<String, String>,
    /// The time that answers are kept, where it differs from the provider's.
    pub ttl: Option<Duration>,
    /// How records become entities.
    pub entities: Vec<EntityRule>,
    /// The same, compiled.
    pub plan: Arc<Plan>,
    /// Line in the file.
    pub line: usize,
}

impl TransformSpec {
    /// Returns the names of the providers that are asked; none where pivotd answers itself.
    #[must_use]
    pub fn providers(&self) -> &[String] {
        match &self.answerer {
            TransformSource::Providers(names) => names,
            TransformSource::Own => &[],
        }
    }

    /// Gives what its mapping reads, with what is known beside it.
    #[must_use]
    pub fn rules<'a>(
        &'a self,
        scales: &'a BTreeMap<String, Scale>,
        lists: &'a Lists,
        marks: &'a Marks,
    ) -> Rules<'a> {
        Rules {
            title: &self.title,
            schema: self.capability.schema(),
            entities: &self.entities,
            plan: &self.plan,
            scales,
            lists,
            marks,
        }
    }

    /// Finds the input for an entity, given its full type id and those of its ancestors, nearest first.
    #[must_use]
    pub fn input_for<'a>(&self, mut types: impl Iterator<Item = &'a str>) -> Option<&InputSpec> {
        types.find_map(|id| self.inputs.iter().find(|input| input.type_id == id))
    }

    /// Names what it makes entities of, for people: `mutex`, `host or ip or url`.
    #[must_use]
    pub fn shows(&self) -> String {
        let mut names: Vec<String> = Vec::new();
        for rule in self.entities.iter().filter(|rule| !rule.on_input) {
            let name = rule.value.fields().next().map(|name| match name {
                "ip" => "address".to_owned(),
                "asn" => "autonomous system".to_owned(),
                "cidr" | "netblock" => "network".to_owned(),
                "url" => "URL".to_owned(),
                name => humanised(name).to_lowercase(),
            });
            names.extend(name.filter(|name| !names.contains(name)));
        }
        if names.is_empty() {
            "value that this transform shows".to_owned()
        } else {
            names.join(" or ")
        }
    }

    /// Lists the entity types that it can give, each once; names and addresses have two each.
    #[must_use]
    pub fn output_types(&self) -> Vec<&str> {
        let schema = self.capability.schema();
        let mut types: Vec<&str> = Vec::new();
        for rule in self.entities.iter().filter(|rule| !rule.on_input) {
            let list = rule.each.as_deref().and_then(|name| schema.list(name));
            let kind = rule.value.single_field().and_then(|name| {
                list.and_then(|list| list.field(name))
                    .or_else(|| schema.field(name))
                    .map(|field| field.kind)
            });
            let given: Vec<&str> = match (&rule.type_id, kind) {
                (Some(type_id), _) => vec![type_id],
                (None, Some(kind)) => {
                    let second = match kind {
                        crate::domain::Kind::Address => Some("maltego.IPv6Address"),
                        crate::domain::Kind::Host => Some("maltego.DNSName"),
                        _ => None,
                    };
                    kind.entity_type().into_iter().chain(second).collect()
                }
                (None, None) => Vec::new(),
            };
            for one in given {
                if !types.contains(&one) {
                    types.push(one);
                }
            }
        }
        types
    }
}

/// Holds the transforms that are served, by name.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    transforms: Vec<Arc<TransformSpec>>,
    /// Those that can answer by the server's own keys.
    listed: Vec<Arc<TransformSpec>>,
    by_name: HashMap<String, usize>,
    generation: u64,
}

impl Catalogue {
    /// Holds transforms as the catalogue of a generation. Those whose providers are all disabled are left out; those that have
    /// a provider with a key are listed.
    #[must_use]
    pub fn of(
        transforms: &[Arc<TransformSpec>],
        is_enabled: impl Fn(&str) -> bool,
        has_key: impl Fn(&str) -> bool,
        generation: u64,
    ) -> Self {
        let is_served = |spec: &&Arc<TransformSpec>| match &spec.answerer {
            TransformSource::Own => true,
            TransformSource::Providers(names) => names.iter().any(|name| is_enabled(name)),
        };
        let transforms: Vec<_> = transforms.iter().filter(is_served).cloned().collect();
        let listed = transforms
            .iter()
            .filter(|spec| spec.providers().is_empty() || spec.providers().iter().any(|name| has_key(name)))
            .cloned()
            .collect();
        let by_name = transforms
            .iter()
            .enumerate()
            .map(|(at, spec)| (spec.name.clone(), at))
            .collect();
        Self {
            transforms,
            listed,
            by_name,
            generation,
        }
    }

    /// Finds a transform by its name, in any case of letters, with or without a trailing slash.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Arc<TransformSpec>> {
        let name = name.strip_suffix('/').unwrap_or(name);
        let at = match self.by_name.get(name) {
            Some(at) => at,
            None => self.by_name.get(&name.to_ascii_lowercase())?,
        };
        self.transforms.get(*at)
    }

    /// Says which transforms may be meant by a name that there is none of: `, did you mean "…"?`, or nothing.
    #[must_use]
    pub fn suggest(&self, name: &str) -> String {
        const MOST: usize = 3;
        let last = |name: &str| {
            let name = name.rsplit_once('.').map_or(name, |(_, last)| last);
            name.to_ascii_lowercase()
        };
        let names = || self.transforms.iter().map(|spec| spec.name.as_str());
        // People leave the provider out, or name another one.
        let same: Vec<String> = names()
            .filter(|known| last(known) == last(name))
            .take(MOST)
            .map(|known| format!("\"{known}\""))
            .collect();
        if !same.is_empty() {
            return format!(", did you mean {}?", same.join(" or "));
        }
        let near = did_you_mean(name, names());
        if !near.is_empty() {
            return near;
        }
        let parts: Vec<String> = names().map(last).collect();
        let near = did_you_mean(&last(name), parts.iter().map(String::as_str));
        let meant = names().find(|known| near.contains(&format!("\"{}\"", last(known))));
        meant.map_or_else(String::new, |known| format!(", did you mean \"{known}\"?"))
    }

    /// Returns the transforms in the order of the file.
    #[must_use]
    pub fn transforms(&self) -> &[Arc<TransformSpec>] {
        &self.transforms
    }

    /// Returns those that can answer by the server's own keys, in the order of the file: what listings show. The others
    /// answer a client that brings a key.
    #[must_use]
    pub fn listed(&self) -> &[Arc<TransformSpec>] {
        &self.listed
    }

    /// Returns the number that grows with each reload; rendered answers depend on it.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }
}
