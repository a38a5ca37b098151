//! Reads `[providers.<name>]`.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use super::problem::expected_of;
use super::reader::{Reader, flag, integer, text, texts};
use super::secrets::Secrets;
use super::settings::{
    Budget, BudgetUnit, BudgetWindow, Credential, NetworkSettings, ProviderSettings, Rate, Resets, Ttl,
};
use super::tree::{Data, Entry, Node};
use super::{tenants, values};
use crate::domain::{Capability, Pap, Tlp};
use crate::providers::{Descriptor, Name, Providers, Unit};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Reads all providers; an unknown one is a fault.
pub(super) fn providers(
    root: &Reader<'_>,
    secrets: &Secrets<'_>,
    known: &Providers,
) -> BTreeMap<String, ProviderSettings> {
    let section = super::sections::section(root, "providers");
    let mut providers = BTreeMap::new();
    for entry in section.rest() {
        match known.descriptor(&entry.name) {
            Some(descriptor) => {
                providers.insert(entry.name.clone(), provider(&section, entry, secrets, descriptor));
            }
            None => {
                let names = known.descriptors().map(|descriptor| descriptor.name.as_str());
                let hint = expected_of(&entry.name, names);
                if entry.origin.is_variable() {
                    section.findings.warn(
                        &entry.origin,
                        format!("unknown provider \"{}\"; it is ignored{hint}", entry.name),
                    );
                } else {
                    section.findings.error(
                        &entry.origin,
                        format!("unknown provider \"{}\"{hint}", entry.name),
                    );
                }
            }
        }
    }
    providers
}

fn provider(
    section: &Reader<'_>,
    entry: &Entry,
    secrets: &Secrets<'_>,
    descriptor: &Descriptor,
) -> ProviderSettings {
    let reader = Reader::new(section.findings, section.path(&entry.name), &entry.node);
    let options = options(&reader, descriptor);
    let credentials = credentials(&reader, secrets, descriptor, &options);
    let enabled = reader.value_or(
        "enabled",
        descriptor.enabled,
        &descriptor.enabled.to_string(),
        flag,
    );
    let tenants = tenants::TenantContext {
        secrets,
        descriptor,
        options: &options,
        is_enabled: enabled,
    };
    let settings = ProviderSettings {
        name: descriptor.name.to_string(),
        enabled,
        tenants: tenants.tenants(&reader),
        base_urls: base_urls(&reader, descriptor),
        missing: missing(&reader, secrets, descriptor, &options, &credentials),
        key_fault: None,
        credentials,
        options,
        rate: rates(&reader, descriptor),
        concurrency: usize::try_from(reader.number("concurrency", 4, 1, 256)).unwrap_or(4),
        budget: budgets(&reader, descriptor),
        resets: reader.value_or("resets", utc(), "\"UTC\"", |node| values::resets(&text(node)?)),
        reserve: reader.value_or("reserve", 20, "\"20%\"", percent),
        ttl: ttl(&reader),
        max_tlp: reader.value_or("max_tlp", Tlp::Amber, "\"amber\"", |node| text(node)?.parse()),
        max_pap: reader.value_or("max_pap", Pap::Amber, "\"amber\"", |node| text(node)?.parse()),
        network: network(&reader, secrets),
        timeout: reader.duration(
            "timeout",
            Duration::from_secs(30),
            Duration::from_millis(100),
            HOUR,
        ),
        attempts: usize::try_from(reader.number("attempts", 3, 1, 10)).unwrap_or(3),
        max_answer: usize::try_from(reader.bytes("max_answer", 32 << 20, 64 << 10, 1 << 30))
            .unwrap_or(32 << 20),
    };
    let key_fault = key_fault(&reader, secrets, &settings);
    reader.finish();
    ProviderSettings {
        key_fault,
        ..settings
    }
}

/// Reads the parts of a key that the provider's way to sign uses.
pub(super) fn credentials(
    reader: &Reader<'_>,
    secrets: &Secrets<'_>,
    descriptor: &Descriptor,
    options: &BTreeMap<String, String>,
) -> BTreeMap<String, Credential> {
    let credential = |field: &crate::providers::CredentialField| {
        if !field.is_used(options) {
            // It may stand there for another way to sign, and is not missed.
            reader.get(&field.name);
            return None;
        }
        let found = secrets.read(reader, &field.name)?;
        Some((field.name.to_string(), found))
    };
    descriptor.credentials.iter().filter_map(credential).collect()
}

/// Warns of secrets that were meant to be there, and says what is wrong with the key, where something is. Without any part
/// of a key a provider is simply not used; with a part, or with a file that cannot be read, something went wrong.
fn key_fault(reader: &Reader<'_>, secrets: &Secrets<'_>, settings: &ProviderSettings) -> Option<String> {
    if !settings.enabled {
        return None;
    }
    let has_part = !settings.credentials.is_empty();
    let said = secrets.missing.borrow();
    let mut faults = Vec::new();
    let section = reader.path("");
    for missing in said.iter() {
        // What tenants lack stands deeper, and is told with them.
        let Some(part) = missing
            .path
            .strip_prefix(&section)
            .filter(|part| !part.contains('.'))
        else {
            continue;
        };
        let is_needed = settings.missing.contains_key(part);
        if missing.is_file || (has_part && is_needed) {
            reader
                .findings
                .warn(&missing.origin, format!("{part}: {}", missing.reason));
            faults.extend(is_needed.then(|| missing.reason.clone()));
        }
    }
    (!faults.is_empty()).then(|| faults.join(", "))
}

fn utc() -> Resets {
    Resets {
        day: 1,
        time: jiff::civil::Time::midnight(),
        zone: jiff::tz::TimeZone::UTC,
    }
}

/// Says of each part of the key that is not there why it is not.
pub(super) fn missing(
    reader: &Reader<'_>,
    secrets: &Secrets<'_>,
    descriptor: &Descriptor,
    options: &BTreeMap<String, String>,
    credentials: &BTreeMap<String, Credential>,
) -> BTreeMap<String, String> {
    let lacking = descriptor
        .credentials
        .iter()
        .filter(|field| field.is_needed(options) && !credentials.contains_key(field.name.as_str()));
    let said = secrets.missing.borrow();
    let reason = |field: &crate::providers::CredentialField| {
        let path = reader.path(&field.name);
        let known = said.iter().find(|missing| missing.path == path);
        known.map_or_else(
            || format!("{} is not configured", field.name),
            |missing| missing.reason.clone(),
        )
    };
    lacking
        .map(|field| (field.name.to_string(), reason(field)))
        .collect()
}

fn base_urls(reader: &Reader<'_>, descriptor: &Descriptor) -> BTreeMap<String, String> {
    let mut urls = BTreeMap::new();
    let read = |origin: &crate::providers::Origin, node: &Node| match origin.is_dns() {
        true => values::resolver(&text(node)?).map(|resolver| resolver.to_string()),
        false => values::base_url(&text(node)?),
    };
    let Some((first, others)) = descriptor.origins.split_first() else {
        return urls;
    };
    let shown = format!("{:?}", first.base_url);
    let url = reader.value_or("base_url", first.base_url.to_string(), &shown, |node| {
        read(first, node)
    });
    urls.insert(first.name.to_string(), url.trim_end_matches('/').to_owned());
    if others.is_empty() {
        return urls;
    }
    let origins = super::sections::section(reader, "origins");
    for origin in others {
        let shown = format!("{:?}", origin.base_url);
        let url = origins.value_or(&origin.name, origin.base_url.to_string(), &shown, |node| {
            read(origin, node)
        });
        urls.insert(origin.name.to_string(), url.trim_end_matches('/').to_owned());
    }
    origins.finish();
    urls
}

fn options(reader: &Reader<'_>, descriptor: &Descriptor) -> BTreeMap<String, String> {
    let mut options = BTreeMap::new();
    for option in &descriptor.options {
        let default = option.values.first().map_or("", Name::as_str);
        let value = reader.value_or(
            &option.name,
            default.to_owned(),
            &format!("{default:?}"),
            |node| {
                let given = text(node)?;
                if option.values.iter().any(|value| *value == given) {
                    return Ok(given);
                }
                Err(format!(
                    "unknown value \"{given}\"{}",
                    expected_of(&given, option.values.iter().map(Name::as_str))
                ))
            },
        );
        options.insert(option.name.to_string(), value);
    }
    options
}

/// Reads what may be one or several, each a text or a table.
pub(super) fn several<T>(
    node: &Node,
    mut one: impl FnMut(&Node) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    match &node.data {
        Data::List(nodes) => nodes.iter().map(one).collect(),
        Data::Text(text) if node.origin.is_variable() => text
            .split(',')
            .map(|part| {
                let data = Data::Text(part.trim().to_owned());
                one(&Node {
                    origin: node.origin.clone(),
                    data,
                })
            })
            .collect(),
        _ => one(node).map(|value| vec![value]),
    }
}

fn rates(reader: &Reader<'_>, descriptor: &Descriptor) -> Vec<Rate> {
    let default: Vec<_> = descriptor
        .default_rate
        .iter()
        .filter_map(|text| values::rate(text).ok())
        .collect();
    let shown = format!("{:?}", descriptor.default_rate);
    reader.value_or("rate", default, &shown, |node| several(node, rate))
}

pub(super) fn rate(node: &Node) -> Result<Rate, String> {
    let Data::Table(entries) = &node.data else {
        return values::rate(&text(node)?);
    };
    let mut limit = None;
    let mut burst = None;
    for entry in entries {
        match entry.name.as_str() {
            "limit" => limit = Some(values::rate(&text(&entry.node)?)?),
            "burst" => {
                let number =
                    integer(&entry.node, 1, 1_000_000).map_err(|message| format!("burst: {message}"))?;
                burst = u32::try_from(number).ok().and_then(NonZeroU32::new);
            }
            other => {
                return Err(format!(
                    "unknown key \"{other}\"{}",
                    expected_of(other, ["limit", "burst"])
                ));
            }
        }
    }
    let rate = limit.ok_or_else(|| "\"limit\" is missing".to_owned())?;
    let burst = burst.unwrap_or(rate.burst);
    if burst > rate.limit {
        return Err(format!(
            "burst: a burst of {burst} is over the limit of {}; expected at most that",
            rate.limit
        ));
    }
    Ok(Rate { burst, ..rate })
}

fn budgets(reader: &Reader<'_>, descriptor: &Descriptor) -> Vec<Budget> {
    reader.value_or("budget", Vec::new(), "[]", |node| {
        several(node, |node| budget(node, descriptor))
    })
}

pub(super) fn budget(node: &Node, descriptor: &Descriptor) -> Result<Budget, String> {
    const KEYS: [&str; 4] = ["product", "limit", "unit", "max_price"];
    let (mut product, mut limit, mut unit, mut max_price) = (None, None, None, None);
    match &node.data {
        Data::Text(text) => limit = Some(text.clone()),
        Data::Table(entries) => {
            for Entry { name, node, .. } in entries {
                match name.as_str() {
                    "product" => product = Some(text(node)?),
                    "limit" => limit = Some(text(node)?),
                    "unit" => unit = Some(text(node)?),
                    "max_price" => max_price = Some(price(node)?),
                    other => return Err(format!("unknown key \"{other}\"{}", expected_of(other, KEYS))),
                }
            }
        }
        _ => {
            return Err(format!(
                "expected a budget such as \"2000/day\" or a table, found {}",
                node.what()
            ));
        }
    }
    let products = descriptor.offers.iter().flat_map(|offer| &offer.products);
    if let Some(given) = &product
        && !descriptor.has_product(given)
    {
        let names: std::collections::BTreeSet<_> = products.clone().map(|known| known.id.as_str()).collect();
        return Err(format!(
            "unknown product \"{given}\"{}",
            expected_of(given, names.iter().copied())
        ));
    }
    let limit = limit.ok_or("\"limit\" is missing")?;
    let (cents, window) = values::limit(&limit)?;
    let (unit, currency) = match unit.as_deref() {
        None | Some("calls") => (BudgetUnit::Calls, None),
        Some("records") => (BudgetUnit::Records, None),
        Some(code) if code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()) => {
            (BudgetUnit::Cents, Some(code.to_owned()))
        }
        Some(other) => {
            return Err(format!(
                "unit: expected calls, records or a currency such as USD, found \"{other}\""
            ));
        }
    };
    if let (Some(code), Some(product)) = (&currency, &product) {
        let mut same = products.filter(|known| known.id == product.as_str());
        let billed = same.any(|known| matches!(&known.unit, Unit::Money(own) if own == code));
        if !billed {
            return Err(format!("{product} is not billed in {code}"));
        }
    }
    if max_price.is_some() && currency.is_none() {
        return Err("max_price needs a currency as unit, such as USD".to_owned());
    }
    if unit != BudgetUnit::Cents && cents % 100 != 0 {
        return Err(format!(
            "expected a whole number of {}, found \"{limit}\"",
            unit_name(unit, None)
        ));
    }
    let amount = if unit == BudgetUnit::Cents {
        cents
    } else {
        cents / 100
    };
    let mut label = format!("{} {}", limit.trim(), unit_name(unit, currency.as_deref()));
    if let Some(product) = &product {
        label.push_str(&format!(" of {product}"));
    }
    Ok(Budget {
        product,
        limit: amount,
        unit,
        currency,
        window,
        max_price,
        label,
    })
}

fn unit_name(unit: BudgetUnit, currency: Option<&str>) -> &str {
    match unit {
        BudgetUnit::Calls => "calls",
        BudgetUnit::Records => "records",
        BudgetUnit::Cents => currency.unwrap_or("money"),
    }
}

fn price(node: &Node) -> Result<i64, String> {
    let shown = match &node.data {
        Data::Integer(number) => number.to_string(),
        Data::Float(number) => number.to_string(),
        _ => text(node)?,
    };
    values::cents(&shown).ok_or_else(|| {
        format!(
            "max_price: expected a price such as 20 or 9.50, found {}",
            node.shown()
        )
    })
}

fn percent(node: &Node) -> Result<u8, String> {
    let number = match &node.data {
        Data::Text(text) => text.trim().trim_end_matches('%').trim().parse().ok(),
        Data::Integer(number) => u8::try_from(*number).ok(),
        _ => None,
    };
    number
        .filter(|number| *number <= 100)
        .ok_or_else(|| format!("expected a share from \"0%\" to \"100%\", found {}", node.shown()))
}

fn ttl(reader: &Reader<'_>) -> Ttl {
    let mut ttl = Ttl {
        default: DAY,
        by_capability: BTreeMap::new(),
        not_found: HOUR,
        stale: 7 * DAY,
        bought: 30 * DAY,
    };
    let max = 3660 * DAY;
    let Some(node) = reader.get("ttl") else { return ttl };
    if let Data::Text(given) = &node.data {
        match values::duration(given) {
            Ok(duration) => {
                reader
                    .findings
                    .effective(reader.path("ttl"), node.shown(), &node.origin);
                ttl.default = duration;
            }
            Err(message) => reader.findings.error(&node.origin, format!("ttl: {message}")),
        }
        return ttl;
    }
    let table = Reader::new(reader.findings, reader.path("ttl"), node);
    ttl.default = table.duration("default", ttl.default, Duration::ZERO, max);
    ttl.not_found = table.duration("not_found", ttl.not_found, Duration::ZERO, max);
    ttl.stale = table.duration("stale", ttl.stale, Duration::ZERO, max);
    ttl.bought = table.duration("bought", ttl.bought, Duration::ZERO, max);
    for capability in Capability::ALL {
        let name = capability.name();
        if let Some(duration) = table.value(name, |node| values::duration(&text(node)?)) {
            ttl.by_capability.insert(name.to_owned(), duration);
        }
    }
    table.finish();
    ttl
}

fn no_proxy(node: &Node) -> Result<Vec<String>, String> {
    texts(node)?.iter().map(|text| values::no_proxy(text)).collect()
}

fn network(reader: &Reader<'_>, secrets: &Secrets<'_>) -> NetworkSettings {
    let user = reader.value("proxy_username", text);
    let password = secrets
        .read(reader, "proxy_password")
        .map(|credential| credential.value);
    NetworkSettings {
        proxy: reader.value("proxy", |node| values::proxy_url(&text(node)?)),
        proxy_auth: user.zip(password),
        no_proxy: reader.value("no_proxy", no_proxy).unwrap_or_default(),
        ca_file: reader.file("ca_file"),
        allow_private: reader.value_or("allow_private", false, "false", flag),
    }
}

impl BudgetWindow {
    /// Returns the word used in `transforms.toml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::Total => "total",
        }
    }
}
