//! Plays every vendor from the fixtures that are compiled in.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use include_dir::{Dir, include_dir};
use secrecy::SecretString;

use super::{Replay, Vendor};
use crate::config::Loaded;
use crate::config::settings::{
    Budget, BudgetUnit, BudgetWindow, Credential, NetworkSettings, ProviderSettings, Rate, SecretOrigin,
};
use crate::domain::{Lists, Purpose};
use crate::engine::reference;
use crate::providers::{Descriptor, Providers, Unit};

static FIXTURES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/fixtures");

/// User name that the replayed vendors take; no real one.
pub const USERNAME: &str = "sample";
/// Key that the replayed vendors take; no real one.
pub const API_KEY: &str = "sample-key-of-the-replayed-vendor";

/// Zones that the sample data have names of dynamic DNS services in.
pub const SAMPLE_ZONES: &str = "dynhost.example\nhomelink.example\n";

/// Addresses that the sample data's details call sinkholes. What a list or an answer says marks them everywhere; without
/// a list, only those that were asked about would be known.
pub const SAMPLE_SINKHOLES: &str = "198.51.100.7\n203.0.113.103\n203.0.113.109\n";

/// The file that says which registry answers for which names.
const REGISTRIES: &str = "dns.json";

/// Holds the replayed vendors while they run.
#[derive(Debug)]
pub struct DemoVendors {
    vendors: BTreeMap<String, Replay>,
}

impl DemoVendors {
    /// Starts all vendors that there are fixtures of, each on a free port of loopback.
    ///
    /// # Errors
    /// Where a port cannot be bound or a compiled-in fixture cannot be read.
    pub async fn start(providers: &Providers) -> io::Result<Self> {
        let mut vendors = BTreeMap::new();
        for descriptor in providers.descriptors() {
            let name = &descriptor.name;
            let Some(folder) = FIXTURES.get_dir(name) else {
                continue;
            };
            let vendor = Vendor::from_dir(folder).map_err(io::Error::other)?;
            let vendor = vendor.with_credentials(USERNAME, API_KEY);
            vendors.insert(name.to_string(), Replay::start(vendor).await?);
        }
        Ok(Self { vendors })
    }

    /// Returns a vendor.
    #[must_use]
    pub fn vendor(&self, name: &str) -> Option<&Replay> {
        self.vendors.get(name)
    }

    /// Stops all vendors.
    pub async fn stop(self) {
        for replay in self.vendors.into_values() {
            replay.stop().await;
        }
    }
}

/// Points all providers at the replayed vendors, with their sample keys, and away from any network. Providers that
/// no replay plays are disabled.
///
/// # Errors
/// Where the files of public facts cannot be written into the data directory.
pub fn point_at(loaded: &mut Loaded, vendors: &DemoVendors) -> io::Result<()> {
    let settings = &mut loaded.settings;
    for descriptor in loaded.providers.descriptors() {
        let Some(provider) = settings.providers.get_mut(descriptor.name.as_str()) else {
            continue;
        };
        match vendors.vendor(&descriptor.name) {
            Some(replay) => {
                let base_url = replay.base_url();
                point(provider, descriptor, &base_url, &settings.server.data)?;
                name_registry(descriptor, &base_url, &settings.server.data)?;
            }
            None => provider.enabled = false,
        }
    }
    let mut lists = Lists::clone(&settings.lists);
    for (purpose, entries) in [
        (Purpose::DynamicDns, SAMPLE_ZONES),
        (Purpose::Sinkhole, SAMPLE_SINKHOLES),
    ] {
        lists
            .add(purpose, entries, "sample list of the demo")
            .map_err(|(_, reason)| io::Error::other(reason))?;
    }
    settings.lists = lists.into();
    Ok(())
}

/// Points one provider at a replayed vendor: every origin, and every server that its files of public facts name.
///
/// # Errors
/// Where such a file cannot be written into the data directory.
pub fn point(
    provider: &mut ProviderSettings,
    descriptor: &Descriptor,
    base_url: &str,
    data: &Path,
) -> io::Result<()> {
    provider.enabled = true;
    for origin in provider.base_urls.values_mut() {
        base_url.clone_into(origin);
    }
    for file in &descriptor.files {
        let text = String::from_utf8_lossy(&file.bundled).replace("https://", &format!("{base_url}/"));
        reference::keep(data, &descriptor.name, file, text.as_bytes()).map_err(io::Error::other)?;
    }
    provider.network = NetworkSettings::default();
    provider.credentials = credentials(descriptor, USERNAME, API_KEY);
    provider.missing.clear();
    provider.tenants.clear();
    // Nothing of it is real: no caller need wait, and a quote can be bought.
    let limit = NonZeroU32::MIN.saturating_add(999_999);
    provider.rate = vec![Rate::smooth(limit, Duration::from_secs(1))];
    // The free quotas of vendors, which the default configuration keeps to, do not hold here.
    provider.budget.clear();
    let products = descriptor.offers.iter().flat_map(|offer| &offer.products);
    for product in products {
        if let Unit::Money(currency) = &product.unit {
            provider.budget.push(Budget {
                product: Some(product.id.to_string()),
                limit: 20_000,
                unit: BudgetUnit::Cents,
                currency: Some(currency.to_string()),
                window: BudgetWindow::Month,
                max_price: Some(2_000),
                label: format!("200/month {currency} of {}", product.id),
            });
        }
    }
    Ok(())
}

/// Names a registry of the sample data's names, which end in `.example` and have none in the world.
fn name_registry(descriptor: &Descriptor, base_url: &str, data: &Path) -> io::Result<()> {
    for file in descriptor.files.iter().filter(|file| file.name == REGISTRIES) {
        let text = with_registry(&file.bundled, base_url).map_err(io::Error::other)?;
        reference::keep(data, &descriptor.name, file, text.as_bytes()).map_err(io::Error::other)?;
    }
    Ok(())
}

/// Adds the registry to the file of registries, and points the others at the replayed vendor.
fn with_registry(bundled: &[u8], base_url: &str) -> Result<String, serde_json::Error> {
    let text = String::from_utf8_lossy(bundled).replace("https://", &format!("{base_url}/"));
    let mut file: serde_json::Value = serde_json::from_str(&text)?;
    if let Some(services) = file.get_mut("services").and_then(serde_json::Value::as_array_mut) {
        services.push(serde_json::json!([["example"], [format!("{base_url}/")]]));
    }
    Ok(file.to_string())
}

/// Makes a key of a provider: the user name for parts that may be shown, the key for those that may not.
#[must_use]
pub fn credentials(descriptor: &Descriptor, username: &str, api_key: &str) -> BTreeMap<String, Credential> {
    let sample = |value: &str| Credential {
        value: SecretString::from(value),
        origin: SecretOrigin::Inline,
    };
    let fields = descriptor.credentials.iter();
    fields
        .map(|field| {
            let value = if field.secret { api_key } else { username };
            (field.name.to_string(), sample(value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_list_of_sinkholes_is_what_the_details_say() {
        fn walk(dir: &Dir<'_>, found: &mut std::collections::BTreeSet<String>) {
            for file in dir.files() {
                let text = file.contents_utf8().unwrap_or_default();
                let flagged = text.contains("\"sinkhole\": true") || text.contains("\"sinkhole\":true");
                let asked = text.lines().find_map(|line| line.strip_prefix("query: query="));
                found.extend(asked.filter(|_| flagged).map(str::to_owned));
            }
            dir.dirs().for_each(|inner| walk(inner, found));
        }
        let mut found = std::collections::BTreeSet::new();
        walk(&FIXTURES, &mut found);
        let listed = SAMPLE_SINKHOLES.lines().map(str::to_owned).collect();
        assert_eq!(found, listed);
    }

    #[test]
    fn sample_names_have_a_registry_beside_the_others() {
        let known = Providers::built_in();
        let files = known.descriptors().flat_map(|descriptor| &descriptor.files);
        let file = files.into_iter().find(|file| file.name == REGISTRIES).unwrap();
        let text = with_registry(&file.bundled, "http://127.0.0.1:7").unwrap();
        assert_eq!((file.check)(text.as_bytes()), Ok(()));
        assert!(
            text.contains(r#"[["example"],["http://127.0.0.1:7/"]]"#),
            "{text}"
        );
        assert!(text.contains("http://127.0.0.1:7/rdap.verisign.com/"), "{text}");
        assert!(!text.contains("https://"), "nothing leads to the world");
    }
}
