//! Says what of a request decides the answer of a transform: what it reads. Clients send much more, since entities gather
//! properties with every run.

use crate::catalogue::TransformSpec;
use crate::engine::cache::KeyBuilder;
use crate::maltego::{InputEntity, TransformRequest, types};

/// Ends a list in a key. It is no UTF-8, as all that a list holds is.
const END: &[u8] = b"\xff";

/// Tells whether a property of an entity says that it is a sinkhole: any provider's `sinkhole`.
pub(super) fn is_about_sinkhole(name: &str) -> bool {
    let last = name.rsplit(['.', '#']).next().unwrap_or_default();
    last.eq_ignore_ascii_case("sinkhole")
}

/// Tells whether all properties of an entity are read: an annotated copy repeats them, and what differs in a strict one is
/// another entity.
pub(super) fn reads_all_fields(spec: &TransformSpec) -> bool {
    let mut rules = spec.entities.iter();
    rules.any(|rule| rule.on_input || rule.fields.iter().any(|field| field.strict))
}

/// Tells whether a property is read: it holds what is asked, or the value, or says that the entity is a sinkhole.
fn reads_field(spec: &TransformSpec, entity: &InputEntity, name: &str) -> bool {
    let mut inputs = spec.inputs.iter();
    let mut types = entity.ancestors.iter();
    inputs.any(|input| input.query.as_deref() == Some(name))
        || types.any(|id| types::value_property(id) == Some(name))
        || spec.leads_to_users() && is_about_sinkhole(name)
}

/// Tells whether a setting is read: it is one of all transforms, or of a provider that is asked.
fn reads_setting(spec: &TransformSpec, name: &str) -> bool {
    let name = name.strip_prefix("global#").unwrap_or(name);
    name.split_once('.').is_some_and(|(owner, _)| {
        owner == "pivotd" || spec.providers().iter().any(|provider| provider == owner)
    })
}

/// Lists the settings that a transform reads, but for that named `apart`. A blank one counts as absent.
fn settings_read<'a>(
    spec: &'a TransformSpec,
    request: &'a TransformRequest,
    apart: &'a str,
) -> impl Iterator<Item = &'a (String, String)> {
    let is_read = move |(name, value): &&(String, String)| {
        name != apart && reads_setting(spec, name) && !value.trim().is_empty()
    };
    request.settings.iter().filter(is_read)
}

/// Tells whether a key of what a transform reads of a request may hold a secret: users' keys travel in global settings.
#[must_use]
pub fn reads_secret(spec: &TransformSpec, request: &TransformRequest, apart: &str) -> bool {
    settings_read(spec, request, apart).any(|(name, _)| name.starts_with("global#"))
}

/// Adds to a key what a transform reads of a request. Requests of equal keys have equal answers, for the same requester. The
/// setting named `apart` is left out.
pub fn add_to_key(key: &mut KeyBuilder, spec: &TransformSpec, request: &TransformRequest, apart: &str) {
    key.part(&request.soft_limit.unwrap_or(u32::MAX).to_le_bytes());
    let reads_all = reads_all_fields(spec);
    let is_constrained = spec.constraint.is_some();
    for entity in &request.entities {
        key.part(entity.type_id.as_bytes());
        key.part(entity.value.as_bytes());
        entity.ancestors.iter().for_each(|id| key.part(id.as_bytes()));
        key.part(END);
        let fields = entity.fields.iter();
        pairs(
            key,
            fields.filter(|(name, _)| reads_all || is_constrained || reads_field(spec, entity, name)),
        );
        if reads_all {
            entity
                .strict_fields
                .iter()
                .for_each(|name| key.part(name.as_bytes()));
            key.part(END);
        }
    }
    key.part(END);
    pairs(key, settings_read(spec, request, apart));
}

fn pairs<'a>(key: &mut KeyBuilder, pairs: impl Iterator<Item = &'a (String, String)>) {
    for (name, value) in pairs {
        key.part(name.as_bytes());
        key.part(value.as_bytes());
    }
    key.part(END);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ask::options::Options;
    use crate::ask::question::question;
    use crate::ask::transform::questions::said_by_entity;
    use crate::config::Settings;
    use crate::providers::Providers;

    const TOKEN: &str = "global#pivotd.token";

    fn settings() -> Settings {
        let descriptors = Providers::built_in();
        crate::config::load(None, &[], &descriptors).unwrap().settings
    }

    /// All that a run of a transform takes from a request.
    fn taken(settings: &Settings, spec: &TransformSpec, request: &TransformRequest) -> String {
        let entities = request.entities.iter().map(|entity| {
            let question = question(spec, entity, &settings.lists);
            let question = question.map(|one| (one.indicator, one.instead, one.host, one.note));
            let is_sinkhole = spec.leads_to_users().then(|| said_by_entity(entity));
            let echo = reads_all_fields(spec).then(|| entity.echo_fields());
            (
                question,
                is_sinkhole,
                echo,
                entity.type_id.as_str(),
                entity.value(),
            )
        });
        let entities: Vec<_> = entities.collect();
        let options = spec.providers().iter().map(|name| {
            let known = Providers::built_in();
            let descriptor = known.descriptor(name).unwrap();
            let options = Options::read(spec, descriptor, |name| request.setting_that(|id| name.is(id)));
            // Keys are not to be shown, so their parts are looked at one by one.
            let keys: Vec<_> = descriptor.credentials.iter().collect();
            let keys = keys.iter().map(|field| {
                let id = format!("global#{name}.{}", field.name.replace('_', "-"));
                request.setting(&id).map(str::to_owned)
            });
            (options, keys.collect::<Vec<_>>())
        });
        let options: Vec<_> = options.collect();
        format!("{entities:?} {options:?} {:?}", request.soft_limit)
    }

    fn key(spec: &TransformSpec, request: &TransformRequest) -> Vec<u8> {
        let mut key = KeyBuilder::default();
        add_to_key(&mut key, spec, request, TOKEN);
        key.rendered().to_vec()
    }

    fn field() -> impl Strategy<Value = (String, String)> {
        let name = prop::sample::select(vec![
            "fqdn",
            "ipv4-address",
            "email",
            "url",
            "short-title",
            "case.note",
            "acme.sinkhole",
            "Sinkhole",
            "pivotd.id",
            "threatconnect.id",
            "as.number",
            "person.fullname",
        ]);
        let value = prop::sample::select(vec![
            "example.com",
            "192.0.2.7",
            "",
            " ",
            "true",
            "false",
            "17",
            "a b",
        ]);
        (name, value).prop_map(|(name, value)| (name.to_owned(), value.to_owned()))
    }

    fn setting() -> impl Strategy<Value = (String, String)> {
        let owner = prop::sample::select(vec![
            "domaintools",
            "passivetotal",
            "global#pivotd",
            "global#domaintools",
            "acme",
        ]);
        let what = prop::sample::select(vec![
            "since",
            "undated",
            "max-age",
            "buy",
            "exclude-sinkholes",
            "token",
            "username",
            "api-key",
        ]);
        let value = prop::sample::select(vec!["", " ", "true", "false", "2013-05-20", "7d", "x"]);
        (owner, what, value).prop_map(|(owner, what, value)| (format!("{owner}.{what}"), value.to_owned()))
    }

    fn request() -> impl Strategy<Value = TransformRequest> {
        let types = prop::sample::select(vec![
            "maltego.Domain",
            "maltego.DNSName",
            "maltego.URL",
            "maltego.IPv4Address",
            "maltego.Person",
            "acme.Thing",
        ]);
        let value = prop::sample::select(vec!["example.com", "www.example.com", "192.0.2.7", "", "17"]);
        let fields = prop::collection::vec(field(), 0..4);
        let strict = prop::collection::vec(field().prop_map(|(name, _)| name), 0..2);
        let settings = prop::collection::vec(setting(), 0..4);
        (
            types,
            value,
            fields,
            strict,
            settings,
            prop::option::of(1u32..3),
            any::<bool>(),
        )
            .prop_map(
                |(type_id, value, fields, strict_fields, settings, soft_limit, is_named)| TransformRequest {
                    entities: vec![InputEntity {
                        type_id: type_id.to_owned(),
                        ancestors: vec![type_id.to_owned()],
                        value: value.to_owned(),
                        weight: u32::from(is_named),
                        declared_type: if is_named {
                            type_id.to_owned()
                        } else {
                            String::new()
                        },
                        fields,
                        strict_fields,
                    }],
                    settings,
                    soft_limit,
                    hard_limit: None,
                },
            )
    }

    #[test]
    fn requests_of_equal_keys_have_equal_answers() {
        let settings = settings();
        let equal = std::cell::Cell::new(0);
        for spec in &settings.transforms {
            let config = ProptestConfig {
                cases: 24,
                failure_persistence: None,
                ..ProptestConfig::default()
            };
            let mut runner = proptest::test_runner::TestRunner::new(config);
            let result = runner.run(&(request(), request()), |(one, other)| {
                // The second is the first with one part of another: mostly that part is not read.
                let parts: [fn(&mut TransformRequest, &TransformRequest); 4] = [
                    |one, other| one.entities[0].fields.clone_from(&other.entities[0].fields),
                    |one, other| {
                        one.entities[0]
                            .strict_fields
                            .clone_from(&other.entities[0].strict_fields);
                    },
                    |one, other| one.settings.clone_from(&other.settings),
                    |one, other| one.entities[0].weight = other.entities[0].weight,
                ];
                for part in parts {
                    let mut changed = one.clone();
                    part(&mut changed, &other);
                    if key(spec, &one) == key(spec, &changed) {
                        prop_assert_eq!(taken(&settings, spec, &one), taken(&settings, spec, &changed));
                        equal.set(equal.get() + usize::from(one != changed));
                    }
                }
                Ok(())
            });
            result.unwrap_or_else(|error| panic!("{}: {error}", spec.name));
        }
        assert!(equal.get() > 1000, "{equal:?}");
    }

    #[test]
    fn what_is_read_is_in_the_key() {
        let settings = settings();
        let find = |name: &str| settings.transforms.iter().find(|spec| spec.name == name).unwrap();
        let plain = find("domaintools.ip-history");
        let of = |fields: &[(&str, &str)], settings: &[(&str, &str)]| {
            let owned = |pairs: &[(&str, &str)]| {
                pairs
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect()
            };
            TransformRequest {
                entities: vec![InputEntity {
                    type_id: "maltego.Domain".to_owned(),
                    ancestors: vec!["maltego.Domain".to_owned()],
                    value: "example.com".to_owned(),
                    fields: owned(fields),
                    ..InputEntity::default()
                }],
                settings: owned(settings),
                ..TransformRequest::default()
            }
        };
        let base = key(plain, &of(&[], &[]));
        assert_eq!(
            base,
            key(
                plain,
                &of(&[("case.note", "17")], &[("acme.since", "2013-05-20")])
            )
        );
        assert_eq!(base, key(plain, &of(&[], &[(TOKEN, "secret")])));
        assert_ne!(base, key(plain, &of(&[("fqdn", "other.example")], &[])));
        assert_ne!(base, key(plain, &of(&[], &[("domaintools.since", "2013-05-20")])));
        // An annotated input repeats all that it came with.
        let annotating = find("domaintools.whois");
        let note = key(annotating, &of(&[("case.note", "17")], &[]));
        assert_ne!(key(annotating, &of(&[], &[])), note);
    }
}
