//! `pivotd keys`: do the keys of providers work, and for what?

use super::session::test_keys;
use super::table::{Column, WIDER, render};
use super::{ConfigFile, ExitStatus, block_on, terminal};
use crate::domain::outcome::money;
use crate::http::admin::keys::{BudgetView, KeyView};

/// Test the keys of providers.
#[derive(Debug, clap::Args)]
pub(super) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Ask each provider what its key is entitled to.
    Test {
        /// The provider; otherwise all that have a key or need none.
        provider: Option<String>,
        #[command(flatten)]
        file: ConfigFile,
    },
}

impl Keys {
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        let Command::Test { provider, file } = self.command;
        let what = provider.as_deref().unwrap_or("each provider").to_owned();
        let what = format!("asking {what} about its key");
        let keys = block_on(test_keys(file.config.as_deref(), provider, &what))??;
        Ok(show(keys))
    }
}

/// Prints tested keys; an error where one of them does not work.
pub(super) fn show(keys: Vec<KeyView>) -> ExitStatus {
    let mut done = ExitStatus::Well;
    if keys.is_empty() {
        terminal::error("no provider has a key that could be tested; `pivotd check` says what each lacks");
        done = ExitStatus::WithError;
    }
    for key in keys {
        let fingerprint = key.fingerprint.as_deref();
        let mark = fingerprint
            .map(|mark| format!(", fingerprint {mark}"))
            .unwrap_or_default();
        match &key.failure {
            None => {
                let account = key
                    .account
                    .as_deref()
                    .map(|name| format!(", account {name}"))
                    .unwrap_or_default();
                let works = if fingerprint.is_some() {
                    "the key works"
                } else {
                    "it answers, and needs no key"
                };
                terminal::print(&format!(
                    "{} ({}): {works}{account}{mark}",
                    key.provider, key.title
                ));
                if !key.products.is_empty() {
                    terminal::print_lines(&products(&key));
                }
            }
            Some(reason) => {
                terminal::error(&format!("{} ({}): {reason}{mark}", key.provider, key.title));
                done = ExitStatus::WithError;
            }
        }
    }
    done
}

fn products(key: &KeyView) -> String {
    let count = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let products = &key.products;
    let columns = vec![
        Column::flexible("Product", products.iter().map(|product| product.product.clone())),
        Column::fixed(
            "Per minute",
            products
                .iter()
                .map(|product| count(product.per_minute.map(i64::from))),
        ),
        Column::fixed("Per hour", products.iter().map(|product| count(product.per_hour))),
        Column::fixed(
            "Per month",
            products.iter().map(|product| count(product.per_month)),
        ),
        Column::fixed(
            "Today: vendor",
            products.iter().map(|product| count(product.vendor_today)),
        ),
        Column::fixed(
            "ours",
            products.iter().map(|product| product.our_today.to_string()),
        ),
        Column::fixed(
            "Month: vendor",
            products.iter().map(|product| count(product.vendor_month)),
        ),
        Column::fixed(
            "ours",
            products.iter().map(|product| product.our_month.to_string()),
        ),
    ];
    let mut out = render(columns, terminal::width(), WIDER);
    for budget in &key.budgets {
        out.push_str(&format!(
            "\nbudget {}: {} used",
            terminal::line(&budget.label),
            used(budget)
        ));
    }
    out
}

fn used(budget: &BudgetView) -> String {
    budget.currency.as_deref().map_or_else(
        || budget.used.to_string(),
        |currency| money(budget.used, currency),
    )
}
