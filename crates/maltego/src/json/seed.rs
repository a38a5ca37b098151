//! The seed: the document behind the address that a user pastes.

use serde::Serialize;

use crate::discovery::Seed;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document<'a> {
    transform_applications: [Application<'a>; 1],
}

#[derive(Serialize)]
struct Application<'a> {
    name: &'a str,
    #[serde(rename = "requireAPIKey")]
    require_api_key: bool,
    #[serde(rename = "URL")]
    url: &'a str,
    #[serde(rename = "V3URL")]
    v3_url: &'a str,
    version: &'a str,
    disclaimer: Option<&'a str>,
}

/// Writes the seed of a server.
#[must_use]
pub fn seed(seed: &Seed) -> Vec<u8> {
    super::bytes(&Document {
        transform_applications: [Application {
            name: &seed.name,
            require_api_key: false,
            url: seed.v3_url(),
            v3_url: seed.v3_url(),
            version: &seed.version,
            disclaimer: None,
        }],
    })
}
