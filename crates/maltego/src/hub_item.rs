//! What a client's hub (Data Hub, formerly Transform Hub) shows of a server.
//!
//! Known of the XML form: clients keep it beside the seed, with `Custom` for an item that an analyst added. `Modified` is a
//! time; a server without one has 0, as clients write for such items. Empty elements are left out.

use crate::discovery::Seed;
use crate::listing::OWNER;
use crate::markup::document;

/// Stands behind all items that have a place of their own.
const LAST: &str = "2147483647";

/// Is where a server has its icon, below the URL that clients call.
pub const ICON_PATH: &str = "/icon.png";

/// Describes a server for a hub. Every protocol writes it in its own form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HubItem {
    /// The id.
    pub id: String,
    /// The name for people.
    pub display_name: String,
    /// What it is, in a few words.
    pub description: String,
    /// What it is, in a few sentences.
    pub details: String,
    /// The URL of the seed.
    pub seed_url: String,
    /// The URL of an icon of 48 by 48 pixels, if one is served.
    pub icon_url: Option<String>,
    /// Who provides it.
    pub provider: HubProvider,
}

/// Says who provides a server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HubProvider {
    /// The name.
    pub name: String,
    /// The website, if there is one.
    pub website: Option<String>,
    /// The e-mail address, if there is one.
    pub email: Option<String>,
}

impl HubItem {
    /// Describes the server that a seed names.
    #[must_use]
    pub fn new(seed: &Seed) -> Self {
        Self {
            id: seed.name.clone(),
            display_name: seed.name.clone(),
            description: "Threat intelligence of all your providers, by one server".to_owned(),
            details: "Asks the providers that your team pays for, keeps their answers, their keys and the budget in one place, \
                      and gives dated entities of all of them that merge."
                .to_owned(),
            seed_url: seed.url(),
            icon_url: Some(format!("{}{ICON_PATH}", seed.base_url)),
            provider: HubProvider {
                name: OWNER.to_owned(),
                website: None,
                email: None,
            },
        }
    }

    /// Writes it as XML.
    #[must_use]
    pub fn xml(&self) -> String {
        let attributes = [
            ("Name", self.id.as_str()),
            ("Pos", LAST),
            ("Display", &self.display_name),
        ];
        document("Seed", &attributes, |markup| {
            markup.text("Url", &[("Visible", "false")], &self.seed_url);
            markup.text("Description", &[], &self.description);
            markup.text("Details", &[], &self.details);
            markup.text("Modified", &[], "0");
            if let Some(url) = &self.icon_url {
                markup.element("Icon", &[], |markup| markup.text("Url", &[], url));
            }
            markup.element("Provider", &[], |markup| {
                markup.text("Name", &[], &self.provider.name);
                for (name, text) in [
                    ("Website", &self.provider.website),
                    ("Email", &self.provider.email),
                ] {
                    if let Some(text) = text {
                        markup.text(name, &[], text);
                    }
                }
            });
            markup.text("Custom", &[], "true");
            markup.empty("Inputs", &[]);
        })
    }
}
