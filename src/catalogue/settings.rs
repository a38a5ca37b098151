//! Lists the settings that a Maltego client shows for a transform.

use super::{OWN, TransformSpec};
use crate::domain::{Capability, IndicatorKind, Kind};
use crate::maltego::listing::TransformSetting;
use crate::maltego::settings::SettingKind;
use crate::providers::{Descriptor, Unit, Values};

/// Leaves sinkholes out.
pub const EXCLUDE_SINKHOLES: &str = "exclude-sinkholes";
/// Asks about sinkholes, too.
pub const INCLUDE_SINKHOLES: &str = "include-sinkholes";
/// Leaves names of dynamic DNS services out.
pub const EXCLUDE_DYNAMIC_DNS: &str = "exclude-dynamic-dns";
/// Asks about names of dynamic DNS services, too.
pub const INCLUDE_DYNAMIC_DNS: &str = "include-dynamic-dns";
/// Keeps results without a date.
pub const UNDATED: &str = "undated";

fn optional(name: String, kind: SettingKind, display: String) -> TransformSetting {
    TransformSetting {
        name,
        kind,
        display,
        default: None,
        optional: true,
        popup: false,
        secret: false,
    }
}

fn secret(setting: TransformSetting, secret: bool) -> TransformSetting {
    TransformSetting { secret, ..setting }
}

fn starting(setting: TransformSetting, default: &str) -> TransformSetting {
    TransformSetting {
        default: Some(default.to_owned()),
        ..setting
    }
}

impl TransformSpec {
    /// Lists the settings of this transform, given the descriptor of one of its providers.
    ///
    /// Global ones first. A transform that asks several providers has the union of what this gives for each.
    #[must_use]
    pub fn settings(&self, descriptor: &Descriptor) -> Vec<TransformSetting> {
        let token = optional(
            "global#pivotd.token".to_owned(),
            SettingKind::Text,
            "pivotd: your client token".to_owned(),
        );
        let mut all = vec![secret(token, true)];
        if descriptor.name == OWN {
            return all;
        }
        let (name, title) = (&descriptor.name, &descriptor.title);
        for field in &descriptor.credentials {
            let id = format!("global#{name}.{}", field.name.replace('_', "-"));
            let display = format!("{title}: your own {}", field.title);
            all.push(secret(optional(id, SettingKind::Text, display), field.secret));
        }
        const DATES: [(&str, &str); 3] = [
            ("since", "only since"),
            ("until", "only until"),
            ("near", "nearest to this day first"),
        ];
        if self.is_dated() {
            for (id, what) in DATES {
                let id = format!("global#pivotd.{id}");
                all.push(optional(id, SettingKind::Date, format!("All transforms: {what}")));
            }
            for (id, what) in DATES {
                let id = format!("{name}.{id}");
                all.push(optional(id, SettingKind::Date, format!("{title}: {what}")));
            }
        }
        if self.is_dated() {
            for (id, whose) in [
                ("global#pivotd".to_owned(), "All transforms"),
                (name.to_string(), title),
            ] {
                let id = format!("{id}.{UNDATED}");
                let display = format!("{whose}: keep what has no date");
                all.push(starting(optional(id, SettingKind::Boolean, display), "true"));
            }
        }
        let Some(offer) = descriptor.offer(self.capability) else {
            return all;
        };
        for param in &offer.params {
            let id = format!("{name}.{}", param.name);
            let fixed = self.params.get(param.name.as_str()).map(String::as_str);
            let kind = match param.values {
                Values::OneOf(_) => SettingKind::Text,
                Values::Number { .. } => SettingKind::Int,
            };
            let setting = optional(id, kind, format!("{title}: {}", param.title));
            let default = fixed.map_or_else(|| param.values.default(), str::to_owned);
            all.push(starting(setting, &default));
        }
        all.push(optional(
            format!("{name}.max-age"),
            SettingKind::Text,
            format!("{title}: oldest stored answer (for example 12h; 0 asks again)"),
        ));
        let mut flag = |what: &str, display: &str| {
            let display = format!("{title}: {display}");
            let setting = optional(format!("{name}.{what}"), SettingKind::Boolean, display);
            all.push(starting(setting, "false"));
        };
        if self.has_addresses() {
            flag(EXCLUDE_SINKHOLES, "leave sinkholes out");
        }
        if self.has_names() {
            flag(EXCLUDE_DYNAMIC_DNS, "leave names of dynamic DNS services out");
        }
        if self.leads_to_users() && self.takes_sinkholes() {
            flag(INCLUDE_SINKHOLES, "ask about sinkholes, too");
        }
        if self.asks_registration() {
            flag(INCLUDE_DYNAMIC_DNS, "ask about dynamic DNS names, too");
        }
        if offer
            .products
            .iter()
            .any(|product| matches!(product.unit, Unit::Money(_)))
        {
            let display = format!("{title}: buy the report (it costs money)");
            let buy = optional(format!("{name}.buy"), SettingKind::Boolean, display);
            all.push(TransformSetting {
                popup: true,
                ..starting(buy, "false")
            });
        }
        all
    }

    /// Tells whether its records hold addresses, which can be sinkholes.
    fn has_addresses(&self) -> bool {
        let fields = self.capability.schema().fields;
        fields.iter().any(|field| field.kind == Kind::Address)
            || self.output_types().contains(&"maltego.NSRecord")
    }

    /// Tells whether it can give names, which can be of dynamic DNS services.
    fn has_names(&self) -> bool {
        const NAMES: [&str; 4] = [
            "maltego.Domain",
            "maltego.DNSName",
            "maltego.Website",
            "maltego.URL",
        ];
        self.output_types().iter().any(|given| NAMES.contains(given))
    }

    /// Tells whether what can be a sinkhole can be asked about.
    fn takes_sinkholes(&self) -> bool {
        const KINDS: [IndicatorKind; 3] = [IndicatorKind::Ipv4, IndicatorKind::Ipv6, IndicatorKind::Hostname];
        let mut inputs = self.inputs.iter();
        inputs.any(|input| input.kinds.iter().any(|kind| KINDS.contains(kind)))
    }

    /// Tells whether it leads from an address or a name server to those who use it: those of a sinkhole are all that it
    /// took over, and have nothing to do with each other.
    #[must_use]
    pub fn leads_to_users(&self) -> bool {
        matches!(
            self.capability,
            Capability::Resolutions
                | Capability::DomainsOnIp
                | Capability::DomainsOnNameserver
                | Capability::HostPairs
                | Capability::Pivots
                | Capability::Samples
        )
    }

    /// Tells whether it asks who registered a name: of a dynamic DNS name that is its service, never its user.
    #[must_use]
    pub fn asks_registration(&self) -> bool {
        matches!(
            self.capability,
            Capability::Whois | Capability::WhoisHistory | Capability::RegistrarHistory
        )
    }

    /// Tells whether its records say when something was so.
    #[must_use]
    pub fn is_dated(&self) -> bool {
        self.capability.schema().field("first_seen").is_some()
    }
}
