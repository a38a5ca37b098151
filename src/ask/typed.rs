//! Reads what people type in place of an entity: a value without its type, settings by their short names.

use std::collections::BTreeMap;

use super::message::head;
use crate::catalogue::{InputSpec, TransformSpec};
use crate::config::problem::did_you_mean;
use crate::domain::{Indicator, IndicatorKind};
use crate::engine::Engine;
use crate::maltego::InputEntity;
use crate::maltego::listing::TransformSetting;
use crate::maltego::types;
use crate::mapping::entity_value;

/// Lists the settings of a transform at all its providers, each once.
fn known_settings(engine: &Engine, spec: &TransformSpec) -> Vec<TransformSetting> {
    let runtimes = engine.runtimes();
    let asked = spec.providers().iter().filter_map(|name| runtimes.get(name));
    spec.settings_at(asked.map(|runtime| runtime.provider.descriptor()))
}

/// Finds the settings that are meant: by their id, or by its last part at every provider that has it.
///
/// # Errors
/// What is wrong with one of them, and which there are.
pub(crate) fn settings(
    engine: &Engine,
    spec: &TransformSpec,
    given: &BTreeMap<String, String>,
) -> Result<Vec<(String, String)>, String> {
    let known = known_settings(engine, spec);
    let mut found = Vec::new();
    for (name, value) in given {
        let mut meant: Vec<&TransformSetting> =
            known.iter().filter(|setting| setting.name == *name).collect();
        if meant.is_empty() {
            let own = known
                .iter()
                .filter(|setting| !setting.name.starts_with("global#"));
            meant = own
                .filter(|setting| types::last_part(&setting.name) == name)
                .collect();
        }
        if meant.is_empty() {
            let usable = known
                .iter()
                .filter(|setting| !setting.secret)
                .map(|setting| setting.name.as_str());
            let usable: Vec<&str> = usable.filter(|name| !name.starts_with("global#")).collect();
            let hint = did_you_mean(name, usable.iter().map(|name| types::last_part(name)));
            let there_are = if usable.is_empty() {
                "none".to_owned()
            } else {
                usable.join(", ")
            };
            return Err(format!(
                "{} has no setting {}{hint}; there are: {there_are}",
                spec.name,
                head(name)
            ));
        }
        for setting in meant {
            if setting.secret {
                return Err(format!(
                    "{} is a secret, and every user of this machine can read a command line; the server's own key \
                     is used here",
                    setting.name
                ));
            }
            found.push((setting.name.clone(), value.clone()));
        }
    }
    Ok(found)
}

/// Finds an entity type by what a person calls it.
pub(crate) fn named_type(spec: &TransformSpec, given: &str) -> Result<String, String> {
    let inputs = &spec.inputs;
    inputs
        .iter()
        .find(|input| input.type_id == given || types::last_part(&input.type_id).eq_ignore_ascii_case(given))
        .map(|input| input.type_id.clone())
        .or_else(|| types::by_any_name(given).map(|known| known.id.to_owned()))
        .or_else(|| given.contains('.').then(|| given.to_owned()))
        .ok_or_else(|| {
            let names = types::all().map(types::EntityType::short);
            let takes: Vec<&str> = inputs.iter().map(|input| input.type_id.as_str()).collect();
            format!(
                "there is no entity type {}{}; {} takes {}",
                head(given),
                did_you_mean(given, names),
                spec.name,
                takes.join(", ")
            )
        })
}

/// Says what a transform asks about, of a value that none of its inputs can read.
pub(crate) fn unread(spec: &TransformSpec) -> String {
    let mut kinds: Vec<&str> = Vec::new();
    for kind in spec.inputs.iter().flat_map(|input| &input.kinds) {
        if !kinds.contains(&kind.expected()) {
            kinds.push(kind.expected());
        }
    }
    format!(
        "this is not what {} asks about; expected {}",
        spec.name,
        kinds.join(", or ")
    )
}

pub(crate) fn entity(type_id: String, value: String, properties: BTreeMap<String, String>) -> InputEntity {
    let bases = types::lookup(&type_id)
        .into_iter()
        .flat_map(|known| known.bases.iter().copied());
    let ancestors = std::iter::once(type_id.as_str())
        .chain(bases)
        .map(str::to_owned)
        .collect();
    InputEntity {
        declared_type: type_id.clone(),
        type_id,
        ancestors,
        value,
        fields: properties.into_iter().collect(),
        ..InputEntity::default()
    }
}

/// Returns the form in which entities have a value that was typed; `None` where it stays as it is.
pub(crate) fn entity_form(spec: &TransformSpec, entity: &InputEntity) -> Option<String> {
    let input = spec.input_for(entity.ancestors.iter().map(String::as_str))?;
    if input.query.is_some() || entity.is_a("maltego.Phrase") {
        return None;
    }
    let taken = Indicator::read_as(&input.kinds, &entity.value).ok()?;
    // Of two values neither is meant: what is asked says so.
    let indicator = taken.remainder.is_none().then_some(taken.indicator)?;
    // Either kind of address reads the other.
    let is_of_type = input.kinds.contains(&indicator.kind());
    is_of_type.then(|| entity_value(&indicator)).flatten()
}

/// Finds the type of a value without a type: by the property that one input's type alone has its value in;
/// by what the value is, where the transform takes that, as everywhere; else the first input that can read it.
pub(crate) fn type_of(
    spec: &TransformSpec,
    value: &str,
    properties: &BTreeMap<String, String>,
) -> Option<String> {
    let has_value = |type_id: &str| {
        let name = types::value_property(type_id);
        name.is_some_and(|name| properties.contains_key(name))
    };
    let mut named = spec.inputs.iter().filter(|input| has_value(&input.type_id));
    let first = named.next();
    if let (Some(input), None) = (first, named.next()) {
        return Some(input.type_id.clone());
    }
    // Without a value, the property that stands for it is the value.
    let own = first.and_then(|input| types::value_property(&input.type_id));
    let own = own.and_then(|name| properties.get(name));
    let value = match own {
        Some(own) if value.trim().is_empty() => own.as_str(),
        _ => value,
    };
    let guessed = Indicator::guess(value).ok();
    let own = guessed.as_ref().and_then(|indicator| types::of(indicator.kind()));
    let mut inputs = spec.inputs.iter();
    let taken = own.filter(|own| inputs.any(|input| input.type_id == *own));
    // Either kind of address reads the other, which is not what that type of entity holds; nor is an address a URL that has
    // no scheme.
    let is_address = |kind: IndicatorKind| matches!(kind, IndicatorKind::Ipv4 | IndicatorKind::Ipv6);
    let is_bare = guessed.as_ref().is_some_and(|known| is_address(known.kind()));
    let reads = |input: &&InputSpec| {
        Indicator::read_as(&input.kinds, value).is_ok_and(|taken| {
            let kind = taken.indicator.kind();
            input.kinds.contains(&kind) && (is_address(kind) || !is_bare)
        })
    };
    taken.map(str::to_owned).or_else(|| {
        let first = spec.inputs.iter().find(reads)?;
        Some(first.type_id.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{load, tests::vendor};

    #[test]
    fn an_address_without_a_type_is_of_its_own_type_in_every_transform_that_takes_it() {
        let loaded = load(None, &[], &vendor::all()).unwrap_or_else(|errors| panic!("{errors}"));
        let mut tried = 0;
        for (kind, type_id, value) in [
            (IndicatorKind::Ipv4, "maltego.IPv4Address", "192.0.2.44"),
            (IndicatorKind::Ipv6, "maltego.IPv6Address", "2001:db8::44"),
        ] {
            for spec in &loaded.settings.transforms {
                if spec.inputs.iter().any(|input| input.kinds.contains(&kind)) {
                    assert_eq!(
                        type_of(spec, value, &BTreeMap::new()).as_deref(),
                        Some(type_id),
                        "{}",
                        spec.name
                    );
                    tried += 1;
                }
            }
        }
        assert!(tried > 20, "{tried}");
    }

    fn of(transform: &str, type_id: Option<&str>, value: &str) -> (InputEntity, Option<String>) {
        let loaded = load(None, &[], &vendor::all());
        let settings = loaded.unwrap_or_else(|errors| panic!("{errors}")).settings;
        let spec = settings.transforms.iter().find(|spec| spec.name == transform);
        let spec = spec.unwrap();
        let type_id = type_id.map(|given| named_type(spec, given).unwrap());
        let type_id = type_id
            .or_else(|| type_of(spec, value, &BTreeMap::new()))
            .unwrap();
        let entity = entity(type_id, value.to_owned(), BTreeMap::new());
        let form = entity_form(spec, &entity);
        (entity, form)
    }

    #[test]
    fn typed_values_get_the_form_of_found_entities() {
        for (transform, type_id, typed, form) in [
            (
                "domaintools.ip-history",
                None,
                "EXAMPLE[.]com",
                Some("example.com"),
            ),
            (
                "passivetotal.resolutions",
                None,
                "192[.]0[.]2[.]7",
                Some("192.0.2.7"),
            ),
            (
                "threatconnect.incidents-of",
                None,
                "hxxp://Example[.]com/A",
                Some("http://example.com/A"),
            ),
            (
                "domaintools.reverse-whois",
                None,
                "Dana.Weber[at]mail.example",
                Some("dana.weber@mail.example"),
            ),
            ("domaintools.reverse-whois", Some("Person"), "Dana  WEBER", None),
            (
                "threatconnect.incidents",
                Some("Phrase"),
                "hxxp://Example[.]com",
                None,
            ),
            ("threatconnect.indicators", None, "0012", None),
        ] {
            let found = of(transform, type_id, typed).1;
            assert_eq!(found.as_deref(), form, "{transform} {typed}");
        }
    }

    #[test]
    fn a_value_is_not_given_as_the_property_that_holds_the_query() {
        let (entity, _) = of("threatconnect.indicators", Some("Incident"), "Only a name");
        assert!(entity.fields.is_empty(), "{entity:?}");
    }
}
