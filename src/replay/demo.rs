//! Plays every vendor from the fixtures that are compiled in.

use std::collections::BTreeMap;
use std::io;

use include_dir::{Dir, include_dir};
use secrecy::SecretString;

use super::{Replay, Vendor, domaintools_auth};
use crate::config::Settings;
use crate::config::settings::{Budget, BudgetUnit, BudgetWindow, Credential, SecretOrigin};

static FIXTURES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/fixtures");

/// User name that the replayed vendors take; no real one.
pub const USERNAME: &str = "sample";
/// Key that the replayed vendors take; no real one.
pub const API_KEY: &str = "sample-key-of-the-replayed-vendor";

/// Holds the replayed vendors while they run.
#[derive(Debug)]
pub struct DemoVendors {
    vendors: BTreeMap<String, Replay>,
}

impl DemoVendors {
    /// Starts all vendors, each on a free port of loopback.
    ///
    /// # Errors
    /// Where a port cannot be bound or a compiled-in fixture cannot be read.
    pub async fn start() -> io::Result<Self> {
        let folder = FIXTURES
            .get_dir("domaintools")
            .ok_or_else(|| io::Error::other("no fixtures of domaintools"))?;
        let vendor = Vendor::from_dir(folder).map_err(io::Error::other)?;
        let replay = Replay::start(vendor.with_authenticator(domaintools_auth(USERNAME, API_KEY))).await?;
        Ok(Self {
            vendors: [("domaintools".to_owned(), replay)].into(),
        })
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

/// Points all providers at the replayed vendors, with their sample keys, and away from any network.
pub fn point_at(settings: &mut Settings, vendors: &DemoVendors) {
    for (name, provider) in &mut settings.providers {
        let Some(replay) = vendors.vendor(name) else {
            provider.enabled = false;
            continue;
        };
        provider.enabled = true;
        for base_url in provider.base_urls.values_mut() {
            *base_url = replay.base_url();
        }
        let sample = |value: &str| Credential {
            value: SecretString::from(value),
            origin: SecretOrigin::Inline,
        };
        provider.credentials = [
            ("username".to_owned(), sample(USERNAME)),
            ("api_key".to_owned(), sample(API_KEY)),
        ]
        .into();
        // Enough to see a quote bought; nothing of it is real.
        provider.budget.push(Budget {
            product: Some("reverse-whois".to_owned()),
            limit: 20_000,
            unit: BudgetUnit::Cents,
            currency: Some("USD".to_owned()),
            window: BudgetWindow::Month,
            max_price: Some(2_000),
            label: "200/month USD of reverse-whois".to_owned(),
        });
        provider.network = crate::config::settings::NetworkSettings::default();
    }
}
