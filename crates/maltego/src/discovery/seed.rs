//! The seed: what a client reads from the URL that an analyst pastes.

use std::io;

use quick_xml::Writer;

use super::plain;

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
    ///
    /// # Errors
    /// Never: it is written into memory.
    pub fn xml(&self) -> io::Result<Vec<u8>> {
        let mut writer = Writer::new(Vec::with_capacity(512));
        let application_url = self.application_url();
        writer
            .create_element("MaltegoMessage")
            .write_inner_content(|writer| {
                writer
                    .create_element("MaltegoTransformDiscoveryMessage")
                    .with_attribute(("source", &*plain(&self.name)))
                    .write_inner_content(|writer| {
                        writer
                            .create_element("TransformApplications")
                            .write_inner_content(|writer| {
                                writer
                                    .create_element("TransformApplication")
                                    .with_attribute(("name", &*plain(&self.name)))
                                    .with_attribute(("URL", &*plain(&application_url)))
                                    .with_attribute(("V3URL", &*plain(self.v3_url())))
                                    .with_attribute(("requireAPIKey", "false"))
                                    .with_attribute(("version", &*plain(&self.version)))
                                    .write_empty()?;
                                Ok(())
                            })?;
                        writer.create_element("OtherSeedServers").write_empty()?;
                        Ok(())
                    })?;
                Ok(())
            })?;
        Ok(writer.into_inner())
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
