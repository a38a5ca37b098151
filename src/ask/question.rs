//! Finds what an entity asks about: which of its values, as what, and whether the registrable domain instead.

use super::message::head;
use crate::catalogue::{InputSpec, TransformSpec};
use crate::domain::Indicator;
use crate::maltego::InputEntity;

/// Is what is asked about an entity.
pub(super) struct Question {
    /// What is asked about.
    pub(super) indicator: Indicator,
    /// The registrable domain's name, where that is asked instead.
    pub(super) instead: Option<String>,
    /// The host that the entity names.
    pub(super) host: Option<String>,
}

/// Finds what to ask about: the indicator, and the registrable domain's name where that is asked instead.
pub(super) fn question(spec: &TransformSpec, entity: &InputEntity) -> Result<Question, String> {
    let lineage = std::iter::once(entity.type_id.as_str()).chain(entity.ancestors.iter().map(String::as_str));
    let untyped = matches!(entity.type_id.as_str(), "" | crate::maltego::request::UNKNOWN);
    let input = spec
        .input_for(lineage)
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
    let raw = input
        .query
        .as_deref()
        .map_or_else(|| Some(entity.indicator()), |name| entity.field(name));
    let raw = raw.filter(|raw| !raw.trim().is_empty()).ok_or_else(|| {
        let what = input.query.as_deref().unwrap_or("value");
        format!("the entity has no {what}; expected {}", expected(input))
    })?;
    let indicator = input
        .kinds
        .iter()
        .find_map(|kind| Indicator::parse(*kind, raw).ok())
        .ok_or_else(|| format!("this is not {}", expected(input)))?;
    let host = indicator.host();
    if !input.registrable {
        return Ok(Question {
            indicator,
            instead: None,
            host,
        });
    }
    let domain = indicator
        .registrable()
        .ok_or_else(|| "this has no registrable domain; expected a name below a public suffix".to_owned())?;
    let instead = (domain.value() != indicator.value()).then(|| domain.value().to_owned());
    Ok(Question {
        indicator: domain,
        instead,
        host,
    })
}

fn expected(input: &InputSpec) -> String {
    let kinds: Vec<&str> = input.kinds.iter().map(|kind| kind.expected()).collect();
    kinds.join(" or ")
}
