//! Reads `[providers.<name>.tenants.<tenant>]`: a key, budgets and rates of a tenant's own.

use std::collections::BTreeMap;

use super::providers::{budget, credentials, missing, rate, several};
use super::reader::Reader;
use super::secrets::Secrets;
use super::settings::{Budget, TenantKey, TenantSettings};
use super::tree::Entry;
use super::values::{DEFAULT_TENANT, LONGEST_NAME, is_plain_name};
use crate::providers::Descriptor;

/// What the tables of one provider's tenants are read with.
pub(super) struct TenantContext<'a> {
    pub(super) secrets: &'a Secrets<'a>,
    pub(super) descriptor: &'a Descriptor,
    /// The provider's own settings, which say which parts make up a key.
    pub(super) options: &'a BTreeMap<String, String>,
    pub(super) is_enabled: bool,
}

impl TenantContext<'_> {
    /// Reads all tenants of a provider.
    pub(super) fn tenants(&self, provider: &Reader<'_>) -> BTreeMap<String, TenantSettings> {
        let section = super::sections::section(provider, "tenants");
        let mut tenants = BTreeMap::new();
        for entry in section.rest() {
            match fault(&entry.name) {
                Some(reason) => section
                    .findings
                    .error(&entry.origin, format!("tenants: \"{}\" {reason}", entry.name)),
                None => {
                    tenants.insert(entry.name.clone(), self.tenant(&section, entry));
                }
            }
        }
        tenants
    }

    fn tenant(&self, section: &Reader<'_>, entry: &Entry) -> TenantSettings {
        let reader = Reader::new(section.findings, section.path(&entry.name), &entry.node);
        let settings = TenantSettings {
            key: self.key(&reader),
            rate: reader.value("rate", |node| several(node, rate)),
            budget: self.budgets(&reader, &entry.name),
        };
        let is_empty = settings.key.is_none() && settings.rate.is_none() && settings.budget.is_none();
        if is_empty && reader.is_empty() {
            let message = format!(
                "tenants: \"{}\" has nothing of its own; give it a key, a budget or a rate, or leave its table out",
                entry.name
            );
            reader.findings.error(&entry.origin, message);
        }
        reader.finish();
        settings
    }

    /// Reads a tenant's own key: all of it or none, since parts of two keys are no key.
    fn key(&self, reader: &Reader<'_>) -> Option<TenantKey> {
        let fields = self.descriptor.credentials.iter();
        let is_given = fields.filter(|field| reader.has(&field.name)).count() > 0;
        let parts = credentials(reader, self.secrets, self.descriptor, self.options);
        let missing = missing(reader, self.secrets, self.descriptor, self.options, &parts);
        is_given.then(|| {
            let reasons: Vec<String> = missing.into_values().collect();
            let fault = (!reasons.is_empty()).then(|| reasons.join(", "));
            if let Some(fault) = fault.as_ref().filter(|_| self.is_enabled) {
                // Without its key a tenant is refused; the provider's key is another account.
                let message = format!("the tenant has no key: {fault}");
                reader.findings.warn(reader.origin, message);
            }
            TenantKey { parts, fault }
        })
    }

    fn budgets(&self, reader: &Reader<'_>, tenant: &str) -> Option<Vec<Budget>> {
        let own = |node: &_| Ok(budget(node, self.descriptor)?.of_tenant(tenant));
        reader.value("budget", |node| several(node, own))
    }
}

/// Says why a tenant cannot have a table.
fn fault(tenant: &str) -> Option<String> {
    if tenant == DEFAULT_TENANT {
        return Some("is the tenant that the provider's own settings are for; write them there".to_owned());
    }
    (!is_plain_name(tenant)).then(|| {
        format!("is no name of a tenant; it has up to {LONGEST_NAME} letters, digits, and -_.@ only")
    })
}
