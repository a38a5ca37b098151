//! The seed: what a client reads from the URL that an analyst pastes.

use crate::listing::OWNER;
use crate::markup::document;

/// Names a server to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// The name, as the client's hub shows it.
    pub name: String,
    /// The URL below which everything lies, without a slash at its end.
    pub base_url: String,
    /// The server's version.
    pub version: String,
}

impl Seed {
    /// Names this server, by the URL below which everything lies.
    #[must_use]
    pub fn new(base_url: impl Into<String>, version: &str) -> Self {
        Self {
            name: OWNER.to_owned(),
            base_url: base_url.into(),
            version: version.to_owned(),
        }
    }

    /// Returns the URL of the seed itself.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/seed", self.base_url)
    }

    /// Returns the URL of the application that speaks the v2 protocol.
    #[must_use]
    pub fn application_url(&self) -> String {
        format!("{}/runner", self.base_url)
    }

    /// Returns the URL below which the v3 protocol is spoken.
    #[must_use]
    pub fn v3_url(&self) -> &str {
        &self.base_url
    }

    /// Writes it as XML. `V3URL` stands beside `URL`, as in the JSON form; whether clients read it here is not known.
    #[must_use]
    pub fn xml(&self) -> String {
        let application_url = self.application_url();
        let application = [
            ("name", self.name.as_str()),
            ("URL", &application_url),
            ("V3URL", self.v3_url()),
            ("requireAPIKey", "false"),
            ("version", &self.version),
        ];
        document("MaltegoMessage", &[], |markup| {
            let source = [("source", self.name.as_str())];
            markup.element("MaltegoTransformDiscoveryMessage", &source, |markup| {
                markup.element("TransformApplications", &[], |markup| {
                    markup.empty("TransformApplication", &application);
                });
                markup.empty("OtherSeedServers", &[]);
            });
        })
    }
}

/// Tells whether a client wants the JSON of the v3 protocol, by the headers `Accept` and `Maltego-Protocol-Version`; XML is for
/// all others. What a client of both protocols sends is not documented.
#[must_use]
pub fn is_json_wanted(accept: Option<&str>, protocol: Option<&str>) -> bool {
    let version = protocol.and_then(|version| version.trim().split('.').next()?.parse::<u32>().ok());
    if let Some(version) = version {
        return version >= 3;
    }
    // The first of the two that is named is what the client likes better; weights are not looked at.
    let types = accept.unwrap_or_default().split(',');
    let mut named = types.filter_map(|one| {
        let kind = one
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match kind.split_once('/') {
            Some(("application", sub)) if sub == "json" || sub.ends_with("+json") => Some(true),
            Some((_, sub)) if sub == "xml" || sub.ends_with("+xml") => Some(false),
            _ => None,
        }
    });
    named.next().unwrap_or(false)
}
