//! Lists owners: the organisation, communities and sources that the API user can see.

use super::{ORIGIN, OWNERS, pages};
use crate::kit::common::{one, one_query};
use crate::kit::rows::{Row, Rows};
use crate::kit::tolerant::{Node, json, malformed};
use crate::{Call, Lookup, ProviderError, Step};
use pivotd_domain::{Query, Record};

/// Path of the list in version 3; an instance that is too old lacks it.
pub(super) const PATH: &str = "/v3/security/owners";

/// Starts a list of all owners, whatever the phrase is.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let list = pages::List {
        product: OWNERS,
        path: PATH,
        tql: None,
        fields: &[],
        read: owner,
        of: None,
    };
    pages::all_or(list, one_query(lookup)?.clone(), lookup, legacy)
}

/// Asks version 2 for the list; it comes in one piece.
fn legacy(query: Query) -> Step {
    one(Call::get(ORIGIN, OWNERS, "/v2/owners"), move |reply| {
        let Some(reply) = reply else {
            return pages::whole(query, OWNERS, Rows::default());
        };
        let body = json(&reply)?;
        let data = Node::of(&body).get("data");
        if !data.exists() {
            return Err(malformed("data"));
        }
        let rows = Rows::of(data.get("owner"), |node| Row::from(owner(node)));
        pages::whole(query, OWNERS, rows)
    })
}

fn owner(node: Node<'_>) -> Option<Record> {
    Some(
        Record::new()
            .with("owner", node.get("name").text()?)
            .with_some("id", node.get("id").text())
            .with_some("kind", node.get("type").text()),
    )
}
