//! The small documents of a server: how it stands, what it is, what it knows of clients.

use serde::Serialize;

use super::client::{PROTOCOL, capabilities};
use crate::hub_item::HubItem;

/// Counts what a server offers.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// When it started, in seconds since 1970.
    pub startup_time: f64,
    /// Transforms of the older protocol, as this protocol counts them: none.
    pub v2_transform_count: usize,
    /// Transforms of this protocol.
    pub v3_transform_count: usize,
    /// Entity types.
    pub entity_count: usize,
    /// Categories of entity types.
    pub entity_category_count: usize,
    /// Sets of transforms.
    pub transform_set_count: usize,
    /// Icons.
    pub icon_count: usize,
    /// Machines.
    pub machine_count: usize,
}

impl Status {
    /// Writes it.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        super::bytes(self)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    id: &'a str,
    display_name: &'a str,
    description: Option<&'a str>,
    icon_url: Option<&'a str>,
    preview_image_url: Option<&'a str>,
    provider: Provider<'a>,
}

#[derive(Serialize)]
struct Provider<'a> {
    name: Option<&'a str>,
    website: Option<&'a str>,
    email: Option<&'a str>,
    phone: Option<&'a str>,
}

/// Writes what a client's hub shows of a server. What is unknown is `null`, as clients expect of this document alone.
#[must_use]
pub fn hub_item(item: &HubItem) -> Vec<u8> {
    super::bytes(&Item {
        id: &item.id,
        display_name: &item.display_name,
        description: Some(&item.details),
        icon_url: item.icon_url.as_deref(),
        preview_image_url: None,
        provider: Provider {
            name: Some(&item.provider.name),
            website: item.provider.website.as_deref(),
            email: item.provider.email.as_deref(),
            phone: None,
        },
    })
}

#[derive(Serialize)]
struct Supported {
    protocol: &'static str,
    supported_capabilities: Vec<Described>,
}

#[derive(Serialize)]
struct Described {
    name: &'static str,
    description: &'static str,
}

/// Writes which capabilities of clients are known.
#[must_use]
pub fn supported_capabilities() -> Vec<u8> {
    let known = capabilities().map(|(name, description)| Described { name, description });
    super::bytes(&Supported {
        protocol: PROTOCOL,
        supported_capabilities: known.collect(),
    })
}
