//! Says what `pivotd check` shows of a configuration.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::{Effective, Loaded, Origin, OverlayChange};
use crate::catalogue::{Catalogue, TransformSpec};
use crate::config::settings::{Budget, ProviderSettings, Rate, TenantSettings};
use crate::domain::indicator::is_turning;
use crate::providers::{Descriptor, Name};

/// So much of a long value is shown where two are compared.
const COMPARED: usize = 56;
/// So much of what two long values have in common is shown before the place where they part.
const COMMON: usize = 12;

/// Is a configuration, looked at.
#[derive(Debug)]
pub struct Report<'a> {
    /// The configuration.
    pub loaded: &'a Loaded,
    /// Its transforms.
    pub catalogue: &'a Catalogue,
    /// What vendors said that refuse the key of the running server, by provider.
    pub refused: &'a BTreeMap<String, String>,
}

/// Says what a configuration comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// One line for people.
    pub line: String,
    /// Whether nothing is wrong, not even doubtful.
    pub is_clean: bool,
}

impl Report<'_> {
    /// Lists the providers: name, name for people, how the key stands, limits, and why there is no key. Tenants that do not
    /// share all of a provider follow it.
    #[must_use]
    pub fn providers(&self) -> Vec<[String; 5]> {
        let providers = self.loaded.settings.providers.values();
        let rows = providers.flat_map(|provider| {
            let known = self.descriptor(provider);
            let is_refused = self.refused.contains_key(&provider.name);
            let own = [
                provider.name.clone(),
                known.map(|known| known.title.to_string()).unwrap_or_default(),
                key_state(provider, known, is_refused).to_owned(),
                limits(&provider.rate, &provider.budget),
                self.reason(provider),
            ];
            let tenants = provider.tenants.iter();
            std::iter::once(own)
                .chain(tenants.map(|(tenant, settings)| self.of_tenant(provider, tenant, settings)))
        });
        rows.collect()
    }

    /// Lists the transforms: name, whether it can answer, and what it makes of what.
    #[must_use]
    pub fn transforms(&self) -> Vec<[String; 3]> {
        let rows = self.catalogue.transforms().iter().map(|spec| {
            let inputs: Vec<_> = spec.inputs.iter().map(|input| short(&input.type_id)).collect();
            let outputs: Vec<_> = spec.output_types().into_iter().map(short).collect();
            let outputs = if outputs.is_empty() {
                "the input, annotated".to_owned()
            } else {
                outputs.join(", ")
            };
            [
                spec.name.clone(),
                self.readiness(spec),
                format!("{} -> {outputs}", inputs.join(", ")),
            ]
        });
        rows.collect()
    }

    /// Lists what is doubtful, and what there is to know of the providers in use.
    #[must_use]
    pub fn remarks(&self) -> String {
        let mut out = String::new();
        let warnings = self.loaded.warnings.iter().map(ToString::to_string);
        listed(&mut out, "Warnings", warnings);
        listed(&mut out, "Notes", self.notices());
        out
    }

    /// Lists the effective values, each with where it came from. Secrets are masked.
    #[must_use]
    pub fn values(&self) -> Vec<[String; 3]> {
        let values = self.loaded.origins.iter();
        let rows = values.map(|one| [one.path.clone(), one.value.clone(), one.origin.to_string()]);
        rows.collect()
    }

    /// Lists what the file says otherwise than the compiled-in one that it lies over, whose effective values are `built_in`:
    /// setting, compiled-in value, value here, and where that is said. `None` where the file is complete.
    #[must_use]
    pub fn differences(&self, built_in: &[Effective]) -> Option<Vec<[String; 4]>> {
        let changes = self.loaded.changes.as_ref()?;
        let row = |change: &OverlayChange| {
            let default = || {
                let known = built_in.iter().find(|known| known.path == change.path)?;
                let is_default = known.origin == Origin::Default;
                Some(if is_default {
                    format!("{} by default", known.value)
                } else {
                    known.value.clone()
                })
            };
            let old = change.built_in.clone().or_else(default);
            let (old, new) = match (old, &change.here) {
                (Some(old), Some(new)) => compared(&old, new),
                (old, new) => (
                    old.map_or_else(|| "-".to_owned(), |old| cut(&old)),
                    new.as_ref().map_or_else(|| "removed".to_owned(), |new| cut(new)),
                ),
            };
            [change.path.clone(), old, new, place(&change.origin)]
        };
        Some(changes.iter().map(row).collect())
    }

    /// Says what it all comes to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let providers = || self.loaded.settings.providers.values();
        let ready = providers().filter(|provider| self.is_ready(provider)).count();
        let transforms = self.catalogue.transforms();
        let answering = transforms.iter().filter(|spec| self.ready_of(spec) != Some(0));
        let broken: Vec<String> = providers()
            .flat_map(|provider| {
                self.broken(provider)
                    .into_iter()
                    .chain(self.broken_tenants(provider))
            })
            .collect();
        let warnings = self.loaded.warnings.len();
        let counts = format!(
            "{ready} of {} providers and {} of {} transforms are ready",
            providers().len(),
            answering.count(),
            transforms.len()
        );
        let noun = if warnings == 1 { "warning" } else { "warnings" };
        let line = match (broken.is_empty(), warnings) {
            (true, 0) => format!("the configuration is right: {counts}"),
            (true, _) => format!("the configuration can be used, with {warnings} {noun}: {counts}"),
            (false, _) => format!("not ready: {}; {counts}", broken.join("; ")),
        };
        Verdict {
            line: printable(&line),
            is_clean: broken.is_empty() && warnings == 0,
        }
    }

    fn descriptor(&self, provider: &ProviderSettings) -> Option<&Descriptor> {
        self.loaded.providers.descriptor(&provider.name).map(Arc::as_ref)
    }

    fn is_ready(&self, provider: &ProviderSettings) -> bool {
        provider.enabled && provider.no_key().is_none() && !self.refused.contains_key(&provider.name)
    }

    /// Says what is wrong with a key that was meant to work.
    fn broken(&self, provider: &ProviderSettings) -> Option<String> {
        let name = &provider.name;
        let refused = self.refused.get(name).filter(|_| provider.enabled);
        refused
            .map(|said| format!("{name} refuses the key: {said}"))
            .or_else(|| Some(format!("{name} has no key: {}", provider.key_fault.as_deref()?)))
    }

    /// Shows a tenant of a provider as the provider itself is shown.
    fn of_tenant(&self, provider: &ProviderSettings, tenant: &str, settings: &TenantSettings) -> [String; 5] {
        let said = self.refused_of(provider, tenant);
        let fault = settings.key.as_ref().and_then(|key| key.fault.as_ref());
        let state = match (&settings.key, fault, said) {
            (None, ..) => "shared key",
            (_, Some(_), _) => "key unreadable",
            (.., Some(_)) => "key refused",
            _ => "key configured",
        };
        // A key of its own inherits what the table leaves out; a share lies within the provider's limits.
        let (rate, budget) = match settings.key {
            Some(_) => (provider.rate.as_slice(), provider.budget.as_slice()),
            None => (&[][..], &[][..]),
        };
        [
            provider.name.clone(),
            format!("for tenant {tenant}"),
            state.to_owned(),
            limits(
                settings.rate.as_deref().unwrap_or(rate),
                settings.budget.as_deref().unwrap_or(budget),
            ),
            fault.or(said).cloned().unwrap_or_default(),
        ]
    }

    fn refused_of(&self, provider: &ProviderSettings, tenant: &str) -> Option<&String> {
        self.refused.get(&format!("{}.tenants.{tenant}", provider.name))
    }

    /// Says of each tenant whose key was meant to work what is wrong with it.
    fn broken_tenants(&self, provider: &ProviderSettings) -> impl Iterator<Item = String> {
        let tenants = provider.tenants.iter().filter(|_| provider.enabled);
        tenants.filter_map(|(tenant, settings)| {
            let (name, key) = (&provider.name, settings.key.as_ref()?);
            if let Some(fault) = &key.fault {
                return Some(format!("{name} has no key for tenant {tenant}: {fault}"));
            }
            let said = self.refused_of(provider, tenant)?;
            Some(format!("{name} refuses the key of tenant {tenant}: {said}"))
        })
    }

    /// Says why a provider that is enabled has no key, and what there is to know of one that is not.
    fn reason(&self, provider: &ProviderSettings) -> String {
        if !provider.enabled {
            // Of one that is switched off by default, this says why; of another, the administrator knows.
            let known = self.descriptor(provider).filter(|known| !known.enabled);
            let notice = known.and_then(|known| known.notice.as_ref());
            return notice.map(Name::to_string).unwrap_or_default();
        }
        if let Some(said) = self.refused.get(&provider.name) {
            return said.clone();
        }
        let reason = provider.no_key().unwrap_or_default();
        reason.trim_start_matches("no key: ").to_owned()
    }

    /// Counts the providers of a transform that can answer; `None` where pivotd answers itself.
    fn ready_of(&self, spec: &TransformSpec) -> Option<usize> {
        let asked = spec.providers().iter();
        let known = asked.filter_map(|name| self.loaded.settings.providers.get(name));
        (!spec.providers().is_empty()).then(|| known.filter(|provider| self.is_ready(provider)).count())
    }

    /// Says in few words whether a transform can answer; the list of providers says why one has no key.
    fn readiness(&self, spec: &TransformSpec) -> String {
        match (self.ready_of(spec), spec.providers().len()) {
            (None, _) | (Some(1), 1) => "ready".to_owned(),
            (Some(0), _) => "no key".to_owned(),
            (Some(ready), all) => format!("ready, {ready} of {all}"),
        }
    }

    /// Says of each provider in use what its administrator should know: it has a key, needs none, or was switched on.
    fn notices(&self) -> impl Iterator<Item = String> {
        let holds = |known: &Descriptor| {
            let settings = self.loaded.settings.providers.get(known.name.as_str());
            settings.is_some_and(|provider| {
                let is_used =
                    !provider.credentials.is_empty() || provider.no_key().is_none() || !known.enabled;
                let is_meant = known.notice_only.as_ref().is_none_or(|(option, value)| {
                    provider
                        .options
                        .get(option.as_str())
                        .is_some_and(|given| given == value)
                });
                provider.enabled && is_used && is_meant
            })
        };
        let known = self
            .loaded
            .providers
            .descriptors()
            .filter(move |known| holds(known));
        known.filter_map(|known| Some(format!("{}: {}", known.name, known.notice.as_ref()?)))
    }
}

/// Says in two or three words how a provider's key stands.
pub(crate) fn key_state(
    provider: &ProviderSettings,
    known: Option<&Descriptor>,
    is_refused: bool,
) -> &'static str {
    let is_needed = known.is_some_and(|known| known.credentials.iter().any(|field| !field.optional));
    if !provider.enabled {
        "disabled"
    } else if is_refused {
        "key refused"
    } else if provider.key_fault.is_some() {
        "key unreadable"
    } else if provider.no_key().is_some() {
        "no key"
    } else if provider.credentials.is_empty() && !is_needed {
        "no key needed"
    } else {
        "key configured"
    }
}

fn listed(out: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    for (at, line) in lines.enumerate() {
        if at == 0 {
            let _ = write!(out, "\n{title}\n");
        }
        let _ = writeln!(out, "  {}", printable(&line));
    }
}

fn short(type_id: &str) -> &str {
    type_id.strip_prefix("maltego.").unwrap_or(type_id)
}

fn limits(rates: &[Rate], budgets: &[Budget]) -> String {
    let rates = rates.iter().map(|rate| {
        let per = super::values::show_duration(rate.per);
        if rate.burst.get() > 1 {
            format!("{} in {per}, burst {}", rate.limit, rate.burst)
        } else {
            format!("{} in {per}", rate.limit)
        }
    });
    let budgets = budgets.iter().map(|budget| budget.label.clone());
    rates.chain(budgets).collect::<Vec<_>>().join("; ")
}

/// Names a place of the one file that is looked at in few characters.
fn place(origin: &Origin) -> String {
    match origin {
        Origin::File { file, line, .. } => {
            let name = Path::new(&**file).file_name().unwrap_or_default();
            format!("{}:{line}", name.to_string_lossy())
        }
        origin => origin.to_string(),
    }
}

/// Shortens two values to where they part.
fn compared(old: &str, new: &str) -> (String, String) {
    let longest = old.chars().count().max(new.chars().count());
    let common = old
        .chars()
        .zip(new.chars())
        .take_while(|(old, new)| old == new)
        .count();
    if longest <= COMPARED || common <= COMMON {
        return (cut(old), cut(new));
    }
    let part = |text: &str| {
        let rest: String = text.chars().skip(common - COMMON).collect();
        cut(&format!("…{rest}"))
    };
    (part(old), part(new))
}

/// Shortens a long value.
fn cut(text: &str) -> String {
    if text.chars().count() <= COMPARED {
        return text.to_owned();
    }
    let kept: String = text.chars().take(COMPARED - 1).collect();
    format!("{kept}…")
}

/// Replaces what would act on a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() || is_turning(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}
