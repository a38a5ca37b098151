//! Says that no source with a key is configured: a score of lists and public registries alone says little.

use super::plan::SPEAKING;
use crate::domain::Indicator;
use crate::engine::Engine;
use crate::engine::runtime::Runtime;

/// Says that no source of scores has a key here, and which would take one for the indicators; nothing where one has.
#[must_use]
pub(super) fn note(engine: &Engine, tenant: &str, indicators: &[(String, Indicator)]) -> Option<String> {
    let runtimes = engine.runtimes();
    let speaks = |runtime: &Runtime| {
        let descriptor = runtime.provider.descriptor();
        SPEAKING.iter().any(|one| descriptor.offer(*one).is_some())
    };
    let has_key = |runtime: &Runtime| {
        // One that works without its key, though it could have one, was switched on by an administrator who knows.
        let takes_key = !runtime.provider.descriptor().credentials.is_empty();
        runtime.keyring.is_configured(tenant) && takes_key
    };
    if runtimes
        .values()
        .any(|runtime| has_key(runtime) && speaks(runtime))
    {
        return None;
    }
    let example = SPEAKING.iter().find_map(|capability| {
        let mut lacking = runtimes
            .values()
            .filter(|runtime| !runtime.settings.missing.is_empty());
        lacking.find(|runtime| {
            let offer = runtime.provider.descriptor().offer(*capability);
            offer.is_some_and(|offer| {
                indicators
                    .iter()
                    .any(|(_, one)| offer.inputs.contains(&one.kind()))
            })
        })
    });
    let example = example.map_or_else(String::new, |runtime| {
        let missing: Vec<&str> = runtime.settings.missing.values().map(String::as_str).collect();
        let title = &runtime.provider.descriptor().title;
        format!(", for example of {title} ({})", missing.join(", "))
    });
    Some(format!(
        "no source of scores with a key is configured on this server; set a key{example}. `pivotd check` lists what each \
         source lacks, and `pivotd score --demo` answers with sample data"
    ))
}
