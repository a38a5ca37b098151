//! Finds what an entity asks about: which of its values, as what, and whether the registrable domain instead.

use super::message::head;
use crate::catalogue::{InputSpec, TransformSpec};
use crate::domain::indicator::ReadIndicator;
use crate::domain::{Indicator, IndicatorKind, Lists};
use crate::maltego::{InputEntity, types};

/// Is what is asked about an entity.
pub(super) struct Question {
    /// What is asked about.
    pub(super) indicator: Indicator,
    /// The registrable domain's name, where that is asked instead.
    pub(super) instead: Option<String>,
    /// The host that the entity names.
    pub(super) host: Option<String>,
    /// What was taken of the entity's value, where that was not all.
    pub(super) note: Option<String>,
}

/// Finds what to ask about: the indicator, and the registrable domain's name where that is asked instead.
pub(super) fn question(
    spec: &TransformSpec,
    entity: &InputEntity,
    lists: &Lists,
) -> Result<Question, String> {
    let lineage = std::iter::once(entity.type_id.as_str()).chain(entity.ancestors.iter().map(String::as_str));
    let untyped = matches!(entity.type_id.as_str(), "" | crate::maltego::request::UNKNOWN);
    let input = spec
        .input_for(lineage)
        .or_else(|| base_of(spec, entity))
        .or_else(|| spec.inputs.first().filter(|_| untyped))
        .ok_or_else(|| {
            let types: Vec<&str> = spec.inputs.iter().map(|input| input.type_id.as_str()).collect();
            format!(
                "{} cannot be asked about a {}; expected {}",
                spec.title,
                head(&entity.type_id),
                types.join(" or ")
            )
        })?;
    let raw = raw(input, entity)?;
    let ReadIndicator {
        indicator,
        note,
        remainder: left,
    } = Indicator::read_as(&input.kinds, raw).map_err(|_| format!("this is not {}", expected(input)))?;
    if let Some(left) = left {
        return Err(format!(
            "two things could be meant, so nothing is asked: {}, and behind it {}",
            head(indicator.value()),
            head(&left)
        ));
    }
    let host = indicator.host();
    if !input.registrable {
        return Ok(Question {
            indicator,
            instead: None,
            host,
            note,
        });
    }
    // A registry's own suffix has no registration below another one, and may be the name of a site: gov.uk.
    let domain = lists
        .registrable(&indicator)
        .or_else(|| Indicator::parse(IndicatorKind::Domain, host.as_deref()?).ok())
        .ok_or_else(|| "this has no registrable domain; expected a name below a public suffix".to_owned())?;
    let instead = (domain.value() != indicator.value()).then(|| domain.value().to_owned());
    Ok(Question {
        indicator: domain,
        instead,
        host,
        note,
    })
}

/// Finds an input of our own that stands on the entity's type: a client's plain `maltego.Incident` is asked about like
/// a `pivotd.Incident`.
fn base_of<'a>(spec: &'a TransformSpec, entity: &InputEntity) -> Option<&'a InputSpec> {
    let mut inputs = spec.inputs.iter();
    inputs.find(|input| {
        let known = types::lookup(&input.type_id);
        input.type_id.starts_with("pivotd.")
            && known.is_some_and(|known| known.bases.first() == Some(&entity.type_id.as_str()))
    })
}

/// Finds the text that is asked about: the property that holds the query where the transform names one, else the value.
///
/// An entity that was typed by hand has no such property: there the value stands for it, unless it plainly is the
/// entity's name.
fn raw<'a>(input: &InputSpec, entity: &'a InputEntity) -> Result<&'a str, String> {
    let given = |text: &&str| !text.trim().is_empty();
    let Some(query) = input.query.as_deref() else {
        let value = Some(entity.indicator()).filter(given);
        return value.ok_or_else(|| format!("the entity has no value; expected {}", expected(input)));
    };
    let is_id = |text: &&str| text.trim().bytes().all(|byte| byte.is_ascii_digit());
    let value = || Some(entity.value()).filter(given).filter(is_id);
    entity.field(query).filter(given).or_else(value).ok_or_else(|| {
        format!(
            "the entity has no {query}, and its value is no id; expected {}; an entity that has only a name is searched \
             by it first",
            expected(input)
        )
    })
}

fn expected(input: &InputSpec) -> String {
    let kinds: Vec<&str> = input.kinds.iter().map(|kind| kind.expected()).collect();
    kinds.join(" or ")
}
